"""Counts of lists that a model could have produced, and counts that it could not; Pareto's k of the cells."""

import numpy as np
import pytest
from made_up_fits import CELLS, COUNTS, histories_of, posterior_of

from uncounted.checks.lists_predictive import check_cells
from uncounted.checks.pareto_k import SCHEMA as K_SCHEMA
from uncounted.checks.pareto_k import check_pareto_k
from uncounted.checks.predictive import SCHEMA

RATES = np.array(list(COUNTS.values()), dtype=float)


def row(table, item, source="loglinear"):
    return table.set_index(["source", "item"]).loc[(source, item)]


def test_model_that_expects_the_counts_passes():
    table = check_cells({"loglinear": posterior_of(RATES)}, histories_of(), seed=1)
    assert list(table.columns) == list(SCHEMA.columns)
    assert table["passed"].all()
    items = [f"{name}: {cell}" for name in COUNTS for cell in CELLS]
    assert table["item"].tolist() == [*items, "1 list", "2 lists", "3 lists"]
    assert table.loc[table["variable"] == "cell", "observed"].tolist() == RATES.ravel().tolist()
    assert row(table, "1 list")["observed"] == 300 + 250 + 200 + 90 + 80 + 70
    assert row(table, "3 lists")["observed"] == 12 + 4


def test_replicates_are_poisson_around_the_rate():
    table = check_cells({"loglinear": posterior_of(RATES, draws=4_000, scatter=0.0)}, histories_of(), seed=1)
    north = row(table, "north: 100")
    assert (north["lower"], north["upper"]) == pytest.approx((300 - 1.96 * 300**0.5, 300 + 1.96 * 300**0.5), abs=3)
    assert north["p_value"] > 0.9


def test_cell_far_from_its_rate_is_flagged_in_the_model_that_errs():
    wrong = RATES.copy()
    wrong[1, 2] = 80.0
    posteriors = {"loglinear": posterior_of(RATES), "latent_class": posterior_of(wrong)}
    table = check_cells(posteriors, histories_of(), seed=1)
    failed = table[~table["passed"] & (table["variable"] == "cell")]
    assert failed[["source", "item"]].to_numpy().tolist() == [["latent_class", "south: 110"]]


def test_structural_zeros_and_strata_without_an_answer_are_left_out():
    counts = {"north": COUNTS["north"], "south": [90, 80, 20, 0, 0, 0, 0]}
    zeros = [{"where": {"where": "south"}, "lists": ["c"]}]
    rates = np.array(list(counts.values()), dtype=float)
    table = check_cells({"loglinear": posterior_of(rates)}, histories_of(counts, zeros), seed=1)
    assert [item for item in table["item"] if item.startswith("south")] == ["south: 100", "south: 010", "south: 110"]
    unanswered = posterior_of(RATES)
    unanswered["cell_rate"][:, :, 1] = np.nan
    table = check_cells({"decomposable": unanswered}, histories_of(), seed=1)
    assert not table["item"].str.startswith("south").any()
    assert row(table, "3 lists", "decomposable")["observed"] == 12
    unanswered["cell_rate"][:] = np.nan
    assert check_cells({"decomposable": unanswered}, histories_of(), seed=1).empty


def test_number_seen_so_many_times_is_flagged_where_no_single_cell_is():
    # Each of the cells of two lists is a little too high in both strata.
    wrong = RATES.copy()
    wrong[:, [2, 4, 5]] += 1.9 * np.sqrt(RATES[:, [2, 4, 5]])
    table = check_cells({"loglinear": posterior_of(wrong, draws=2_000)}, histories_of(), seed=1)
    assert table.loc[~table["passed"], "item"].tolist() == ["2 lists"]


# Pareto's k


def test_every_possible_cell_has_a_k_and_well_known_cells_a_small_one():
    table = check_pareto_k({"loglinear": posterior_of(RATES, draws=500)}, histories_of())
    assert list(table.columns) == list(K_SCHEMA.columns)
    assert table["history"].tolist() == CELLS * 2
    assert table["observed"].tolist() == RATES.ravel().tolist()
    assert (table["pareto_k"] < 0.7).all()


def test_cell_that_decides_its_own_rate_has_a_large_k():
    posterior = posterior_of(RATES, draws=500)
    heavy = np.exp(np.random.default_rng(2).standard_t(1.5, size=(2, 500)))
    posterior["cell_rate"][:, :, 1, 6] = 4 * heavy
    table = check_pareto_k({"loglinear": posterior}, histories_of()).set_index(["stratum", "history"])
    assert table["pareto_k"].idxmax() == ("south", "111")
    assert table["pareto_k"].max() > 0.7


def test_strata_without_an_answer_have_no_k():
    unanswered = posterior_of(RATES)
    unanswered["cell_rate"][:, :, 0] = np.nan
    table = check_pareto_k({"decomposable": unanswered, "loglinear": posterior_of(RATES)}, histories_of())
    assert table.groupby("model")["stratum"].unique().map(list).to_dict() == {
        "decomposable": ["south"],
        "loglinear": ["north", "south"],
    }
