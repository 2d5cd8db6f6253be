"""`from uncounted import estimate`, as someone in a notebook calls it."""

import doctest
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from uncounted import estimate, library
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
        ({"prior": {}}, "unknown argument 'prior'"),
        ({"priors": {"coverag": {}}}, "unknown key 'coverag'"),
    ],
)
def test_what_is_not_understood_is_said(kosovo, changes, message):
    with pytest.raises(UserError, match=message):
        estimate(kosovo, lists=LISTS, **changes)


@pytest.mark.parametrize("name", ["deaths", "Count", "n"])
def test_counts_that_nobody_named_are_not_taken_for_people(kosovo, name):
    with pytest.raises(UserError, match=f"column '{name}' is not read"):
        estimate(kosovo.rename(columns={"count": name}), lists=LISTS)


@pytest.mark.parametrize("names", [{"lists": None}, {"lists": LISTS, "strata": 3}])
def test_what_names_no_columns_is_said(kosovo, names):
    with pytest.raises(UserError, match="a list of names of columns"):
        estimate(kosovo, **names)
