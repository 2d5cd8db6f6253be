"""The people of each list as a study of their own, and tables simulated from a fit."""

from dataclasses import replace

import numpy as np
import pytest

from uncounted.checks.calibration import histories_of
from uncounted.errors import UserError
from uncounted.models import decomposable, own_table
from uncounted.models.own_table import held_out_studies, hold_out, models_of_held_out, simulate, simulate_and_fit

SETTINGS = {"sampling": {"exact": {"chains": 2, "draws": 600}}, "unseen_odds": 0.0}
COUNTS = np.array([[0, 300, 250, 60, 200, 50, 40, 12]])


def test_people_of_a_list_are_counted_by_their_other_lists():
    held = held_out_studies(histories_of(COUNTS))
    assert {name: one.people for name, one in held.items()} == {"A": 422.0, "B": 362.0, "C": 302.0}
    assert held["A"].histories.lists == ("B", "C")
    assert held["A"].histories.counts[0, 0].tolist() == [0, 60, 50, 12]
    assert held["C"].histories.counts[0, 0].tolist() == [0, 50, 40, 12]
    assert not any(one.reason or one.aside for one in held.values())


def test_strata_that_say_nothing_on_their_own_are_added_up():
    both = np.concatenate([COUNTS, [[0, 9, 8, 1, 7, 2, 0, 0]]])
    held = held_out_studies(histories_of(both))
    assert [len(held[name].histories.labels) for name in "ABC"] == [1, 1, 1]
    assert held["A"].people == 422 + 12
    enough = held_out_studies(histories_of(np.concatenate([COUNTS, COUNTS // 2])))
    assert [len(enough[name].histories.labels) for name in "ABC"] == [2, 2, 2]


def test_lists_that_share_nobody_of_a_list_are_left_aside():
    counts = np.zeros(16, dtype=int)
    for cell, people in {0b0001: 90, 0b0010: 80, 0b0100: 70, 0b1000: 30, 0b0011: 20, 0b0101: 15, 0b0111: 5}.items():
        counts[cell] = people
    counts[0b1010] = 4  # of B's people, list D shares nobody with a further list
    held = held_out_studies(histories_of(counts[None]))
    assert held["A"].aside == ("D",) and not held["A"].reason
    assert held["B"].people == 109 and "D" in held["B"].aside
    assert held["D"].reason == "only one list found anyone: B"


def test_one_other_list_says_nothing():
    held = held_out_studies(histories_of(np.array([[0, 40, 60, 9]])))
    assert all("one other list" in one.reason for one in held.values())


def test_models_follow_from_how_many_lists_remain():
    families = ["average", "loglinear", "latent_class", "decomposable"]
    assert models_of_held_out(families, 2) == ["two_lists"]
    assert models_of_held_out(families, 4) == ["average", "loglinear", "decomposable"]
    assert models_of_held_out(families, 8) == ["loglinear"]
    assert models_of_held_out(["latent_class"], 3) == ["latent_class"]


def test_an_average_of_nothing_that_may_be_used_leaves_the_families():
    def refuse(name, fits, other):
        raise UserError("no family of models gave an answer that may be used", where="average")

    counts = np.array([[0, 90, 80, 30, 70, 25, 20, 12, 60, 22, 18, 9, 15, 8, 7, 5]])
    fit = lambda name, model, other: decomposable.fit(other, SETTINGS, 1)  # noqa: E731
    draws = hold_out(histories_of(counts), ["average", "loglinear", "decomposable"], fit, refuse)
    assert set(draws["model"]) == {"loglinear", "decomposable"} and set(draws["list"]) == set("ABCD")


def test_simulated_tables_are_like_the_one_that_was_fitted():
    histories = histories_of(COUNTS)
    posterior = decomposable.fit(histories, SETTINGS, 1)
    found = simulate(posterior, histories, 400, np.random.default_rng(2))
    counts = np.array([table.counts[0, 0] for table, _ in found])
    people = np.array([number for _, number in found])
    assert (counts[:, 0] == 0).all()
    # Chance of the table, and of the draw that it comes from.
    rates = posterior["cell_rate"].values.reshape(-1, 7)
    spread = np.sqrt(rates.mean(axis=0) + rates.var(axis=0))
    apart = (counts[:, 1:].mean(axis=0) - rates.mean(axis=0)) / (spread / np.sqrt(400))
    assert np.abs(apart).max() < 4
    assert counts[:, 1:].std(axis=0) == pytest.approx(spread, rel=0.15)
    assert np.median(people) == pytest.approx(float(posterior["total"].median()), rel=0.03)
    assert (people >= counts.sum(axis=1)).all()


def test_refits_of_simulated_tables_know_their_truth_and_refuse_as_a_study_does():
    histories = histories_of(COUNTS)
    posterior = decomposable.fit(histories, SETTINGS, 1)
    fit = lambda name, table: decomposable.fit(table, SETTINGS, int(name))  # noqa: E731
    draws = simulate_and_fit(posterior, histories, 3, np.random.default_rng(2), fit)
    assert draws.groupby("number")["people"].nunique().tolist() == [1, 1, 1]
    assert draws["total"].notna().all() and len(draws) == 3 * 1200
    nobody = posterior.assign(cell_rate=posterior["cell_rate"] * [1, 1, 0, 1, 0, 0, 0])
    draws = simulate_and_fit(nobody, histories, 2, np.random.default_rng(2), fit)
    assert len(draws) == 2 and draws["total"].isna().all()


def test_adding_up_loses_nobody():
    histories = histories_of(np.concatenate([COUNTS, COUNTS]))
    blank = np.zeros((1, 1, 8), dtype=np.int64)
    blank[0, 0, 3] = 7
    histories = replace(histories, blank=blank, blank_strata=np.ones((1, 2), dtype=bool))
    whole = own_table.added_up(histories)
    assert whole.seen == histories.seen and whole.stratum_names == ("all",)
