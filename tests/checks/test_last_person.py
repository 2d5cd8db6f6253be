"""The answer without one person of a cell: weighed draws against sums that are exact."""

import numpy as np
import pytest
import xarray as xr
from made_up_fits import posterior_of

from uncounted.checks import last_person
from uncounted.checks.calibration import histories_of
from uncounted.checks.last_person import SCHEMA, check_last_person
from uncounted.models import decomposable, two_lists

COUNTS = np.array([[0, 300, 250, 60, 200, 50, 40, 12]])
SETTINGS = {
    "sampling": {"exact": {"chains": 4, "draws": 2_000}},
    "priors": {"log_odds_ratio": {"distribution": "normal", "mean": 0.0, "sd": 0.4, "unit": "", "reason": ""}},
    "unseen_odds": 0.0,
}


def test_weighed_draws_agree_with_exact_sums(monkeypatch):
    histories = histories_of(COUNTS)
    posterior = decomposable.fit(histories, SETTINGS, 1)
    exact = check_last_person({"decomposable": posterior}, {"decomposable": 1.0}, histories, "decomposable")
    monkeypatch.setattr(last_person, "MOST_SUMMED", 0)
    drawn = check_last_person({"decomposable": posterior}, {"decomposable": 1.0}, histories, "decomposable")
    assert list(drawn.columns) == list(SCHEMA.columns)
    assert drawn["observed"].tolist() == exact["observed"].tolist() == COUNTS[0, 1:].tolist()
    assert (exact["pareto_k"] == 0).all() and drawn["trusted"].all()
    apart = (drawn["moved"] - exact["moved"]).abs()
    assert (apart < 5 * drawn["mcse_moved"] + 0.0005).all()
    # The people on all lists say that few are missing: one less, and more are.
    assert exact.loc[exact["observed"].idxmin(), "moved"] != 0


def test_two_lists_have_the_answer_of_one_person_less():
    histories = histories_of(np.array([[0, 40, 60, 9]]))
    posterior = two_lists.fit(histories, SETTINGS, 1)
    rows = check_last_person({"two_lists": posterior}, {"two_lists": 1.0}, histories, "two_lists").set_index("history")
    less = two_lists.fit(histories_of(np.array([[0, 40, 60, 8]])), SETTINGS, 2)
    wanted = float(less["total"].median()) / float(posterior["total"].median()) - 1
    assert rows.loc["11", "moved"] == pytest.approx(wanted, abs=5 * rows.loc["11", "mcse_moved"] + 0.01)
    assert rows.loc["11", "moved"] > 0.04 > abs(rows.loc["10", "moved"])


def test_a_mixture_moves_between_its_families_and_says_the_worst_k():
    histories = histories_of(COUNTS)
    rate = COUNTS[:, 1:].astype(float)
    posteriors = {
        name: posterior_of(rate, unseen=(unseen,), scatter=0.1, seed=seed).isel(stratum=[0])
        for name, unseen, seed in (("a", 500, 1), ("b", 900, 2))
    }
    posteriors["gone"] = posteriors["a"] * np.nan
    table = check_last_person(posteriors, {"a": 0.5, "b": 0.5, "gone": 0.0}, histories, "average")
    assert table["model"].unique().tolist() == ["average", "a", "b"]
    by_model = table.pivot(index="history", columns="model", values="pareto_k")
    assert (by_model["average"] == by_model[["a", "b"]].max(axis=1)).all()


def test_several_tables_and_answers_that_are_none_have_no_row():
    histories = histories_of(COUNTS)
    posterior = decomposable.fit(histories, SETTINGS, 1)
    from dataclasses import replace

    twice = replace(histories, counts=np.repeat(histories.counts, 2, axis=0), weights=np.full(2, 0.5))
    assert check_last_person({"decomposable": posterior}, {"decomposable": 1.0}, twice, "decomposable").empty
    nothing = posterior.assign(total=xr.full_like(posterior["total"], np.nan))
    assert check_last_person({"decomposable": nothing}, {"decomposable": 1.0}, histories, "decomposable").empty
