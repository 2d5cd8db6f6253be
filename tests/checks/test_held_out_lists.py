"""Each list as a population of known size: bookkeeping on lists that are independent, and a list that fails."""

import numpy as np
import pandas as pd
import pytest

from uncounted.checks.calibration import histories_of
from uncounted.checks.held_out_lists import SCHEMA, chance_of_so_few, check_held_out, shares_held
from uncounted.checks.parametric import check_parametric
from uncounted.models import own_table
from uncounted.models.multiple_systems import EXACT

SETTINGS = {
    "sampling": {"exact": {"chains": 2, "draws": 500}},
    "priors": {"log_odds_ratio": {"distribution": "normal", "mean": 0.0, "sd": 0.3, "unit": "", "reason": ""}},
    "unseen_odds": 0.0,
}


def simulated(rng, number, shares, passed_over=0.0):
    """People by history; of those on the first list, the last list passes over a share that it else would find."""
    on = rng.random((number, len(shares))) < shares
    on[:, -1] &= ~(on[:, 0] & (rng.random(number) < passed_over))
    cell = on @ (1 << np.arange(len(shares)))
    counts = np.bincount(cell, minlength=1 << len(shares))
    counts[0] = 0
    return histories_of(counts[None])


def held(histories):
    """Put exact models to the test."""
    draws = own_table.hold_out(
        histories,
        ["decomposable"],
        lambda name, model, other: EXACT[model].fit(other, SETTINGS, 1),
        lambda *_: pytest.fail("there is nothing to average"),
    )
    models = lambda number: own_table.models_of_held_out(["decomposable"], number)  # noqa: E731
    return check_held_out(own_table.held_out_studies(histories), draws, models)


def test_of_independent_lists_the_intervals_hold_as_often_as_they_say():
    rng, tables = np.random.default_rng(1), []
    for _ in range(25):
        histories = simulated(rng, 2_000, [0.3, 0.35, 0.4, 0.45])
        table = held(histories)
        sizes = [(histories.counts[0, 0] * (np.arange(16) >> j & 1)).sum() for j in range(4)]
        alone = [histories.counts[0, 0, 1 << j] for j in range(4)]
        assert table["people"].tolist() == sizes and table["alone"].tolist() == alone
        tables.append(table)
    shares = shares_held(pd.concat(tables))
    assert {of for _, of in shares.values()} == {100}
    # Of 100 intervals, and graphs whose intervals are a little wide where lists are independent.
    assert 38 <= shares[50][0] <= 75 and 70 <= shares[80][0] <= 95 and shares[95][0] >= 90


def test_the_people_of_a_list_are_overrated_where_the_others_pass_each_other_over():
    """The last list finds whom the first has missed: few of B's people are on both, and many seem to be on neither."""
    rng = np.random.default_rng(2)
    fine = held(simulated(rng, 20_000, [0.4, 0.5, 0.4])).set_index("list")
    assert fine["held_95"].all()
    table = held(simulated(rng, 20_000, [0.4, 0.5, 0.4], passed_over=0.8)).set_index("list")
    assert not table.loc["B", "held_95"] and table.loc["B", "lower_95"] > table.loc["B", "people"]


def test_lists_that_share_nobody_give_a_reason_and_no_number():
    table = held(simulated(np.random.default_rng(3), 20_000, [0.4, 0.5, 0.4], passed_over=1.0)).set_index("list")
    assert table.loc["B", "reason"] == "nobody is on two lists"
    assert np.isnan(table.loc["B", "median"]) and pd.isna(table.loc["B", "held_95"])


def test_bookkeeping_of_what_held():
    draws = pd.DataFrame({"list": "A", "model": "m", "chain": 0, "draw": range(1001), "total": np.arange(1001.0)})
    study = own_table.HeldOut(histories_of(np.array([[0, 1, 1, 200]])), 250.0, ("D",), "")
    row = check_held_out({"A": study}, draws, lambda number: ["m", "gone"]).set_index("model")
    assert list(row.reset_index()[list(SCHEMA.columns)].columns) == list(SCHEMA.columns)
    assert row.loc["m", ["people", "alone", "aside", "median"]].tolist() == [250.0, 48.0, "D", 500.0]
    assert row.loc["m", ["lower_50", "upper_50", "lower_95", "upper_95"]].tolist() == pytest.approx(
        [250.0, 750.0, 25.0, 975.0]
    )
    assert row.loc["m", ["held_50", "held_80", "held_95"]].tolist() == [True, True, True]
    assert row.loc["gone", ["held_50", "median"]].isna().all() and row.loc["gone", "reason"]
    assert shares_held(row) == {50: (1, 1), 80: (1, 1), 95: (1, 1)}
    low = own_table.HeldOut(study.histories, 249.0, (), "")
    assert shares_held(check_held_out({"A": low}, draws, lambda number: ["m"]))[50] == (0, 1)


def test_what_cannot_be_estimated_has_a_reason_and_no_number():
    histories = histories_of(np.array([[0, 40, 60, 9]]))
    table = held(histories)
    assert table["reason"].str.contains("one other list").all()
    assert table.filter(like="held_").isna().all(axis=None) and table["median"].isna().all()


def test_simulated_tables_are_held_against_their_own_truth():
    rows = [(0, 100, 60, 0, draw, float(draw)) for draw in range(201)]
    rows += [(1, 500, 60, 0, draw, float(draw)) for draw in range(201)] + [(2, 90, 60, 0, 0, np.nan)]
    table = check_parametric(pd.DataFrame(rows, columns=list(own_table.SIMULATED)), "loglinear")
    assert table["people"].tolist() == [100.0, 500.0, 90.0] and table["seen"].tolist() == [60.0] * 3
    assert table["held_95"].tolist()[:2] == [True, False] and pd.isna(table["held_95"].iloc[2])
    assert table["reason"].tolist()[:2] == ["", ""] and table["reason"].iloc[2]
    assert check_parametric(own_table.no_simulations(), "loglinear").empty


@pytest.mark.parametrize(
    ("held", "of", "level", "chance"), [(16, 20, 95, 0.0159), (11, 20, 80, 0.0100), (20, 20, 95, 1.0), (0, 0, 95, 1.0)]
)
def test_how_likely_it_is_that_so_few_intervals_hold(held, of, level, chance):
    assert chance_of_so_few(held, of, level) == pytest.approx(chance, abs=5e-5)
