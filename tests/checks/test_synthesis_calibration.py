"""Calibration of the synthesis: worlds, and the table of what was found. The fits themselves: tests/models."""

import arviz as az
import numpy as np
import pandas as pd
import pymc as pm
import pytest

from uncounted.checks import synthesis_calibration as calibration
from uncounted.checks.synthesis_calibration import DEATHS, EVERY, RANKED
from uncounted.errors import UserError
from uncounted.models import synthesis

CONFIG = {
    "populations": {"fast": 1, "prior": 1},
    "ceiling": [0.4, 0.9],
    "share_registered": [0.7, 1.0],
    "naming_delay": {"fast": [15, 45], "slow": [90, 240]},
    "deaths": [30_000, 300_000],
    "listed": [5_000, 500_000],
    "sampling": {"draws": 100, "tune": 100, "chains": 2, "target_accept": 0.9},
    "checks": {"r_hat": 1.05, "ess_reported": 100, "ess_parameter": 20, "divergences": 10, "e_bfmi": 0.1},
}


@pytest.fixture(scope="module")
def figures_of(russian_model):
    return calibration.figures_function(russian_model)


@pytest.fixture(scope="module")
def prior_of(russian_model):
    return calibration.prior_function(russian_model)


@pytest.fixture(scope="module")
def worlds(russian_layout, prior_of, figures_of):
    """One world of each kind, and how often it was redrawn."""
    return {
        kind: calibration.draw_world(kind, CONFIG, russian_layout, prior_of, figures_of, seed=5)
        for kind in calibration.KINDS
    }


# Worlds


def test_a_world_is_the_same_again(worlds, russian_layout, prior_of, figures_of):
    for kind, (world, redrawn) in worlds.items():
        again, as_often = calibration.draw_world(kind, CONFIG, russian_layout, prior_of, figures_of, seed=5)
        assert (again.deaths, as_often) == (world.deaths, redrawn)
        np.testing.assert_array_equal(synthesis.pack(again.layout.data), synthesis.pack(world.layout.data))


def test_all_that_was_observed_is_simulated_and_the_rest_is_as_it_was(worlds, russian_layout):
    drawn = {
        *("log_increments_seen", "dated_by_month_seen", "named_ages_seen", "graves_logit_seen", "log_dated_total_seen"),
        *("more_than_seen", "registered_male_seen", "log_ratio", "pandemic_log_ratio", "ledger_logit_seen"),
    }
    follows = {"size_around_dated", "graves_list_size", "bound_of"}
    for world, _ in worlds.values():
        for name, as_published in russian_layout.data.items():
            same = np.array_equal(world.layout.data[name], as_published)
            assert same == (name not in drawn | follows), name
            assert world.layout.data[name].shape == as_published.shape, name


def test_sizes_of_the_list_agree_wherever_they_stand(worlds):
    for world, _ in worlds.values():
        data, facts = world.layout.data, world.layout.facts
        sizes = list(facts["named_by_day"].values())
        np.testing.assert_allclose(np.cumsum(np.exp(data["log_increments_seen"])), sizes, atol=0.6)
        assert data["bound_of"] == facts["named"] == facts["named_by_day"][facts["named_closed"]]
        assert data["graves_list_size"] in sizes and set(data["size_around_dated"]) <= set(sizes)
        assert data["more_than_seen"] / data["bound_of"] == pytest.approx(27_300 / 50_471, rel=1e-3)
        assert sum(facts["dated_by_month"].values()) <= facts["named"] <= world.deaths
        assert sum(facts["named_by_age"].values()) <= facts["named"]


def test_what_decides_is_within_its_ranges(worlds):
    for kind in ("fast", "slow"):
        world, _ = worlds[kind]
        low, high = CONFIG["naming_delay"][kind]
        assert low <= world.truth["naming_delay"] <= high
        assert 0.4 <= world.truth["ceiling"] <= 0.9 and 0.7 <= world.truth["share_registered"] <= 1.0
        # All deaths until the last list day are in the range; those by the cut-off are nearly all of them.
        assert 0.8 * 30_000 <= world.expected.sum() <= 1.4 * 300_000
        assert 5_000 <= world.layout.facts["named"] <= 500_000


def test_the_registry_sees_the_war_dead(worlds, russian_layout, figures_of):
    world, _ = worlds["fast"]
    truth = dict(world.truth)
    without = figures_of(truth | {"share_registered": 1e-6}, synthesis.pack(world.layout.data), 1)["registered_male"]
    full = figures_of(truth, synthesis.pack(world.layout.data), 1)["registered_male"]
    rows = slice(2, 6)
    assert (full[rows] > without[rows]).all()


def test_ranges_in_which_no_study_lies_are_told(russian_layout, prior_of, figures_of):
    config = CONFIG | {"listed": [1, 2]}
    with pytest.raises(UserError, match="none of 3 worlds of the kind fast"):
        calibration.draw_world("fast", config, russian_layout, prior_of, figures_of, seed=1, tries=3)


def test_a_source_that_nobody_simulates_is_noticed():
    with pm.Model() as model:
        pm.Normal("a_new_source", 0.0, 1.0, observed=1.0)
    with pytest.raises(ValueError, match="no place for a_new_source"):
        calibration.figures_function(model)


# Fits


def posterior_around(world, spread=0.2):
    rng = np.random.default_rng(3)
    values = {name: np.asarray(world.truth[name], float) for name in RANKED if name != DEATHS}
    values |= {DEATHS: float(world.deaths)}
    draws = {name: value * np.exp(spread * rng.normal(size=(2, 300))) for name, value in values.items()}
    return az.from_dict(
        posterior=draws | {"total": draws[DEATHS]}, sample_stats={"diverging": np.zeros((2, 300), bool)}
    )


def test_a_fit_is_held_against_the_truth(worlds, monkeypatch):
    world, _ = worlds["slow"]
    monkeypatch.setattr(calibration, "_sample", lambda world, *_: posterior_around(world))
    rows = pd.DataFrame(calibration.fit_world(world, None, CONFIG, 1)).set_index("quantity")
    assert list(rows.index) == list(RANKED) and rows["passed"].all()
    assert rows.loc[DEATHS, "truth"] == world.deaths
    assert rows.loc["ceiling", "truth"] == pytest.approx(float(world.truth["ceiling"]))
    assert (rows["lower_95"] < rows["truth"]).all() and (rows["truth"] < rows["upper_95"]).all()
    assert rows["rank"].between(20, 80).all()


def test_a_batch_is_written_even_where_the_sampler_gave_up(russia, evidence, tmp_path, monkeypatch):
    def give_up(world, *_):
        if world.truth["naming_delay"] < 45:
            raise RuntimeError("no way on\nfrom here")
        return posterior_around(world)

    monkeypatch.setattr(calibration, "_sample", give_up)
    monkeypatch.setattr("uncounted.compiling.compile_model", lambda model: None)
    monkeypatch.setattr("uncounted.evidence.schemas.read_tables", lambda *_: evidence)
    config = CONFIG | {"populations": {"fast": 1, "slow": 1}}
    for name in ("one", "two"):
        calibration.run_batch(
            **{"config": config, "seed": 2, "case_config": russia, "evidence_folder": tmp_path, "batch": 0},
            out_parquet=tmp_path / f"{name}.parquet",
        )
    one, two = (calibration.SCHEMA.validate(pd.read_parquet(tmp_path / f"{name}.parquet")) for name in ("one", "two"))
    times = ["seconds", "whole_seconds"]
    pd.testing.assert_frame_equal(one.drop(columns=times), two.drop(columns=times))
    fast, slow = (one[one["kind"] == kind] for kind in ("fast", "slow"))
    assert fast["median"].isna().all() and (fast["rank"] == -1).all()
    assert set(fast["reason"]) == {"no way on"} and not fast["passed"].any()
    assert slow["median"].notna().all() and slow["passed"].all()


# The table


def made_up_row(kind="prior", number=0, quantity=DEATHS, **changed):
    ends = {f"{end}_{level}": 1_000.0 * factor ** (level / 50) for level in (50, 80, 95) for end, factor in _ENDS}
    about = {"kind": kind, "batch": 0, "number": number, "redrawn": 1, "named": 500, "quantity": quantity}
    seen = {"truth": 1_000.0, "median": 1_000.0, "rank": (37 * number) % 100, "passed": True, "reason": ""}
    return about | seen | ends | {"seconds": 6.0} | changed


_ENDS = (("lower", 0.9), ("upper", 1.1))


def summed(rows, kind, quantity=DEATHS):
    everywhere = [row | {"quantity": name} for row in rows for name in RANKED]
    table = calibration.summarise(calibration.as_table(everywhere, 60.0))
    return table[(table["kind"] == kind) & (table["quantity"] == quantity)].iloc[0]


def test_the_share_of_intervals_that_hold_is_counted():
    rows = [made_up_row(number=i, truth=(1_000.0, 1_150.0, 1_400.0, 700.0)[i]) for i in range(4)]
    found = summed(rows, "prior")
    assert found["fits"] == found["answered"] == 4
    assert (found["coverage_50"], found["coverage_80"], found["coverage_95"]) == (0.25, 0.5, 0.5)
    assert found["too_low"] == found["too_high"] == 0.25
    assert found["bias"] == pytest.approx(-np.log([1.0, 1.15, 1.4, 0.7]).mean())
    assert found["width"] == pytest.approx(1.9 * np.log(1.1 / 0.9))
    assert found["fits_a_minute"] == pytest.approx(4)


def test_a_fit_without_an_answer_counts_as_failed_and_not_as_held():
    nothing = dict.fromkeys(("median", *(f"{e}_{level}" for e, _ in _ENDS for level in (50, 80, 95))), np.nan)
    rows = [made_up_row(), made_up_row(number=1, **nothing, rank=-1, passed=False, reason="gave up")]
    found = summed(rows, "prior")
    assert (found["fits"], found["answered"], found["failed"], found["coverage_95"]) == (2, 1, 0.5, 1.0)


def test_ranks_are_judged_where_truths_are_from_the_prior_alone():
    even = [made_up_row(number=i) for i in range(100)]
    assert summed(even, "prior")["uniform"]
    assert not summed([row | {"rank": 99} for row in even], "prior")["uniform"]
    of_ranges = [made_up_row(kind, i) for kind in ("fast", "slow") for i in range(3)]
    assert pd.isna(summed(of_ranges, EVERY)["p_value"]) and summed(of_ranges, EVERY)["fits"] == 6
