"""`from uncounted import estimate`, as someone in a notebook calls it."""

import doctest
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from uncounted import config, estimate, library
from uncounted.errors import UserError

KOSOVO = Path(__file__).resolve().parents[1] / "data" / "kosovo" / "capture_histories.csv"
LISTS = ["EXH", "ABA", "OSCE", "HRW"]


@pytest.fixture(scope="module")
def kosovo():
    return pd.read_csv(KOSOVO)


@pytest.fixture
def two_places(kosovo):
    second = kosovo.assign(count=kosovo["count"] // 2, place='<b>"b"</b> $x$')
    return pd.concat([kosovo.assign(place="a"), second], ignore_index=True)


def test_the_example_runs():
    found = doctest.testmod(library)
    assert found.attempted > 5 and found.failed == 0


def test_import_costs_nothing():
    code = "import sys, uncounted; print([m for m in ('pymc', 'pandas', 'numpy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_the_default_is_the_log_linear_model_and_its_checks_pass(kosovo):
    found = estimate(kosovo, lists=LISTS)
    assert found.model == "loglinear"
    assert found.total["lower"] < 10_401 < found.total["upper"]
    assert len(found.checks) >= 5 and found.checks["passed"].all()
    assert str(found).splitlines()[-1] == "4,400 were seen; model: loglinear"


def test_failed_checks_are_printed(kosovo):
    found = estimate(kosovo, lists=LISTS, sampling={"loglinear": {"draws": 20, "tune": 100}})
    assert "NOT CONVERGED" in str(found)


def test_one_row_a_person_gives_what_counts_give(kosovo):
    counted = estimate(kosovo, lists=LISTS, model="decomposable")
    people = kosovo.loc[kosovo.index.repeat(kosovo["count"]), LISTS]
    assert estimate(people, lists=LISTS, model="decomposable").draws.equals(counted.draws)


def test_strata_have_rows_of_their_own_and_their_names_are_text(two_places):
    found = estimate(two_places, lists=LISTS, strata=["place"], model="decomposable")
    assert list(found.by_stratum.index) == ['<b>"b"</b> $x$', "a"]
    sums = found.draws.drop(columns="total").sum(axis=1)
    assert np.allclose(sums, found.draws["total"])
    labels = [label.get_text() for label in found.plot().axes[0].get_yticklabels()]
    assert labels == ["total", r'<b>"b"</b> \$x\$', "a"]


def test_the_dial_moves_the_answer(kosovo):
    still, turned = (estimate(kosovo, lists=LISTS, model="decomposable", unseen_odds=d) for d in (0.0, 1.0))
    unseen = [found.total["median"] - found.seen for found in (still, turned)]
    assert unseen[1] / unseen[0] == pytest.approx(np.e, rel=0.02)


def test_two_lists_go_to_their_own_model(kosovo):
    two = kosovo.groupby(["EXH", "ABA"], as_index=False)["count"].sum().query("EXH + ABA > 0")
    found = estimate(two, lists=["EXH", "ABA"])
    assert found.model == "two_lists" and found.total["lower"] > found.seen


def test_a_table_that_cannot_tell_is_refused_with_the_reason(kosovo):
    apart = kosovo.assign(**{"count": kosovo["count"].where(kosovo[LISTS].sum(axis=1) == 1, 0)})
    with pytest.raises(UserError, match="cannot tell how many people are on no list"):
        estimate(apart, lists=LISTS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "best"}, "there is no model 'best'"),
        ({"prior": {}}, r"unknown argument 'prior' \(did you mean priors\?\)"),
        ({"unseen_odd": 1}, r"did you mean unseen_odds\?"),
        ({"priors": {"coverag": {}}}, r"unknown key 'priors.coverag' \(did you mean coverage\?\)"),
        ({"priors": {"coverage": {"sdd": 5}}}, r"unknown key 'priors.coverage.sdd' \(did you mean sd\?\)"),
        ({"priors": {"coverage": 5}}, "priors.coverage is 5"),
        ({"priors": {"coverage": {"sd": -1}}}, "priors.coverage.sd is -1"),
        ({"priors": {"coverage": {"distribution": "gamma"}}}, "priors.coverage.distribution"),
        ({"priors": {"class_concentration_rate": {"value": 0}}}, "class_concentration_rate.value is 0"),
        ({"priors": {"pair_slab": {"value": np.float64(-1)}}}, "priors.pair_slab.value is -1"),
        ({"priors": 5}, "priors is 5"),
        ({"sampling": "fast"}, "sampling is"),
        ({"sampling": {"exact": {"drws": 5}}}, r"did you mean draws\?"),
        ({"sampling": {"exact": {"draws": 0}}}, "sampling.exact.draws is 0"),
        ({"sampling": {"loglinear": {"chains": 1}}}, "sampling.loglinear.chains is 1"),
        ({"sampling": {"loglinear": {"draw": 60}}}, "sampling.loglinear.draw"),
        ({"sampling": {"loglinear": {"target_accept": 2}}}, "target_accept is 2"),
        ({"sampling": {"interactions": ["quads"]}}, "sampling.interactions"),
        ({"sampling": {"classes": 0}}, "sampling.classes is 0"),
        ({"checks": {"r_hat": 0.2}}, "checks.r_hat is 0.2"),
        ({"unseen_odds": "0.5"}, "unseen_odds is '0.5'"),
        ({"unseen_odds": None}, "unseen_odds is None"),
        ({"unseen_odds": True}, "unseen_odds is True"),
        ({"unseen_odds": 70}, "a number from -10 to 10"),
        ({"unseen_odds": float("nan")}, "a number from -10 to 10"),
        ({"seed": -1}, "the seed is -1"),
        ({"seed": 1.5}, "a whole number from 0 to 4294967295"),
        ({"seed": None}, "the seed is None"),
        ({"seed": 2**32}, "the seed is 4294967296"),
    ],
)
def test_what_is_not_understood_is_said(kosovo, changes, message):
    with pytest.raises(UserError, match=message):
        estimate(kosovo, lists=LISTS, **changes)


@pytest.mark.parametrize("name", ["deaths", "Count", "n"])
def test_counts_that_nobody_named_are_not_taken_for_people(kosovo, name):
    with pytest.raises(UserError, match=f"column '{name}' is not read"):
        estimate(kosovo.rename(columns={"count": name}), lists=LISTS)


@pytest.mark.parametrize("names", [{"lists": None}, {"lists": LISTS, "strata": 3}, {"lists": set(LISTS)}])
def test_what_names_no_columns_is_said(kosovo, names):
    with pytest.raises(UserError, match="a list of names of columns"):
        estimate(kosovo, **names)


EXACT = {"model": "decomposable", "sampling": {"exact": {"draws": 100, "chains": 2}}}


def test_names_that_are_given_once_are_taken_all_the_same(kosovo):
    by_sex = pd.concat([kosovo.assign(sex="f"), kosovo.assign(sex="m")])
    named = estimate(by_sex, LISTS, ["sex"], **EXACT)
    once = estimate(by_sex, (name for name in LISTS), iter(["sex"]), **EXACT)
    pd.testing.assert_frame_equal(named.draws, once.draws)
    assert list(once.by_stratum.index) == ["f", "m"]


def test_a_stratum_cannot_be_called_as_the_total_is(kosovo):
    """It took the place of the total, which then was below the number seen."""
    both = pd.concat([kosovo.assign(sex="total"), kosovo.assign(sex="f")])
    with pytest.raises(UserError, match="a stratum is called 'total'"):
        estimate(both, LISTS, ["sex"], **EXACT)


def test_a_list_may_be_called_count(kosovo):
    people = kosovo.rename(columns={"count": "dead", "HRW": "count"})
    found = estimate(people, [*LISTS[:-1], "count"], count="dead", **EXACT)
    assert found.seen == kosovo["count"].sum()
    with pytest.raises(UserError, match="is not read"):
        estimate(people, [*LISTS[:-1], "count"], **EXACT)


def test_model_that_there_is_not_is_said_of_two_lists_too(kosovo):
    two = kosovo.groupby(["EXH", "ABA"], as_index=False)["count"].sum().query("EXH + ABA > 0")
    with pytest.raises(UserError, match="there is no model 'bogus'"):
        estimate(two, lists=["EXH", "ABA"], model="bogus")


def test_model_for_fewer_lists_is_said_without_a_config(kosovo):
    with pytest.raises(UserError, match="the model two_lists is for 2 lists") as told:
        estimate(kosovo, lists=LISTS, model="two_lists")
    assert "config" not in str(told.value)


def test_draws_of_the_log_linear_model_stay_lighter_where_others_are_changed():
    lighter = library._settings({})["sampling"]["loglinear"]
    changed = library._settings({"sampling": {"loglinear": {"chains": 2}}})["sampling"]["loglinear"]
    assert changed == lighter | {"chains": 2}
    assert library._settings({"checks": {"r_hat": 1.05}})["sampling"]["loglinear"] == lighter


def test_dial_and_seed_have_the_bounds_that_they_have_in_a_config():
    odds = config._schema("case.multiple_systems_estimation")["properties"]["unseen_odds"]
    assert (odds["minimum"], odds["maximum"]) == (-library.MOST_ODDS, library.MOST_ODDS)
    assert config._schema("config")["properties"]["seed"]["maximum"] == library._LARGEST_SEED
