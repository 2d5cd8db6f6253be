"""How far the answer moves without a list, each stratum alone, and what cannot be estimated."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from made_up_fits import COUNTS, posterior_of

from uncounted.checks.not_estimable import check_answers
from uncounted.checks.refits import LEVELS, check_refits, check_strata

JOINT = xr.DataArray(np.random.default_rng(1).normal(9_000, 500, size=(4, 300)).round(), dims=("chain", "draw"))
NAMES = ["without a", "without b", "a and b merged"]


def draws(values, **columns):
    chains, number = values.shape
    index = pd.MultiIndex.from_product([range(chains), range(number)], names=["chain", "draw"])
    return pd.DataFrame({"total": values.ravel()}, index=index).reset_index().assign(**columns)


@pytest.fixture(scope="module")
def without():
    rng = np.random.default_rng(2)
    return pd.concat(
        [
            draws(rng.normal(11_000, 900, size=(2, 200)), left_out="a and b merged"),
            draws(rng.normal(8_000, 900, size=(2, 200)), left_out="without a"),
        ]
    )


def test_refits_stand_in_their_order_after_the_answer_from_all_lists(without):
    table = check_refits(JOINT, without, NAMES)
    assert table["left_out"].tolist() == [name for name in ["", *NAMES] for _ in LEVELS]
    assert table["level"].tolist() == list(LEVELS) * 4
    moved = table.query("level == 0.95").set_index("left_out")["moved"]
    assert moved[""] == 0.0
    assert moved["without a"] == pytest.approx(8 / 9 - 1, abs=0.02)
    assert moved["a and b merged"] == pytest.approx(11 / 9 - 1, abs=0.02)


def test_refit_that_cannot_be_estimated_has_a_row_and_no_number(without):
    rows = check_refits(JOINT, without, NAMES).query("left_out == 'without b'")
    assert len(rows) == 2
    assert rows[["median", "lower", "upper", "moved", "r_hat", "ess_bulk"]].isna().all(axis=None)


def test_two_lists_have_no_refits_and_an_answer_that_is_none_has_nothing_to_compare(without):
    assert check_refits(JOINT, without.iloc[:0], []).empty
    assert check_refits(JOINT * np.nan, without, NAMES).empty


def test_strata_alone_have_quantiles_or_a_reason():
    values = np.random.default_rng(3).normal(900, 50, size=(2, 300))
    table = check_strata(draws(values, stratum="south"), ["north", "south"], {"north": "nobody is on two lists"})
    assert table["stratum"].tolist() == ["north", "north", "south", "south"]
    north, south = (table[table["stratum"] == name] for name in ("north", "south"))
    assert north[["median", "lower", "upper"]].isna().all(axis=None)
    assert set(north["reason"]) == {"nobody is on two lists"}
    assert set(south["reason"]) == {""}
    wide = south[south["level"] == 0.95].iloc[0]
    np.testing.assert_allclose(
        wide[["lower", "median", "upper"]].astype(float), np.quantile(values, [0.025, 0.5, 0.975])
    )


def test_study_without_strata_has_none_alone():
    table = check_strata(draws(np.ones((2, 3)), stratum="x").iloc[:0], [], {})
    assert table.empty
    assert "reason" in table


# Who has no estimate


def answered(*reasons, total=True):
    posterior = posterior_of(list(COUNTS.values()))
    if not total:
        posterior["total"] = posterior["total"] * np.nan
    return posterior.assign(no_answer=("stratum", np.array(reasons, dtype=str)))


def test_model_with_an_answer_for_all_is_not_listed():
    table = check_answers({"loglinear": posterior_of(list(COUNTS.values())), "decomposable": answered("", "")})
    assert table.empty
    assert list(table.columns) == ["model", "stratum", "reason"]


def test_stratum_without_an_answer_is_listed_with_its_reason_and_so_is_the_total():
    table = check_answers({"decomposable": answered("", "nobody is on two lists", total=False)})
    assert table.to_numpy().tolist() == [
        ["decomposable", "south", "nobody is on two lists"],
        ["decomposable", "all", "no answer for 1 of 2 strata: south (nobody is on two lists)"],
    ]


def test_study_without_strata_gives_the_reason_itself():
    posterior = answered("nobody is on two lists", "", total=False).isel(stratum=[0]).assign_coords(stratum=["all"])
    assert check_answers({"two_lists": posterior}).to_numpy().tolist() == [
        ["two_lists", "all", "nobody is on two lists"]
    ]
