"""Models of lists: known truths are found again, and what they share holds."""

import arviz as az
import numpy as np
import pytensor.tensor as pt
import pytest
import xarray as xr
import yaml
from scipy import signal

from uncounted.checks.populations import KINDS
from uncounted.errors import UserError
from uncounted.evidence.histories import Histories
from uncounted.library import DEFAULTS
from uncounted.models import average, loglinear
from uncounted.models.cells import interactions, lay_out
from uncounted.models.packing import pack, unpack
from uncounted.models.totals import cell_log_likelihood, draw_totals, mix_tables, thinned

KOSOVO = {
    "1000": 1131, "0100": 845, "1100": 177, "0010": 936, "1010": 228, "0110": 217, "1110": 181, "0001": 306,
    "1001": 106, "0101": 31, "1101": 18, "0011": 123, "1011": 42, "0111": 32, "1111": 27,
}  # fmt: skip


def histories_of(counts, strata=("all",), **changes):
    """Capture histories of one table from counts by (stratum, cell)."""
    counts = np.atleast_2d(np.asarray(counts, dtype=np.int64))
    cells = counts.shape[1]
    values = {
        "lists": tuple("ABCDEF"[: int(np.log2(cells))]),
        "strata": () if len(counts) == 1 else ("place",),
        "labels": ((),) if len(counts) == 1 else tuple((name,) for name in strata),
        "counts": counts[None],
        "blank": np.zeros((1, 0, cells), dtype=np.int64),
        "blank_strata": np.zeros((0, len(counts)), dtype=bool),
        "weights": np.ones(1),
        "possible": np.ones(counts.shape, dtype=bool),
    }
    return Histories(**values | changes)


def by_cell(histories):
    lists = len(next(iter(histories)))
    counts = np.zeros(2**lists, dtype=np.int64)
    for history, people in histories.items():
        counts[sum(1 << j for j, found in enumerate(history) if found == "1")] = people
    return counts


@pytest.fixture(scope="module")
def settings():
    defaults = yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))
    defaults["sampling"]["loglinear"] |= {"draws": 400, "tune": 300, "chains": 2}
    return defaults | {"unseen_odds": 0.0}


def independent(total, shares, rng):
    """A table of lists that are independent, everyone alike."""
    on = (np.arange(2 ** len(shares))[:, None] >> np.arange(len(shares))) & 1
    counts = rng.multinomial(total, np.where(on, shares, 1 - np.asarray(shares)).prod(axis=1))
    counts[0] = 0
    return counts


def test_cells_are_numbered_as_the_histories_are():
    layout = lay_out(histories_of(np.arange(8)))
    assert layout.histories == ["100", "010", "110", "001", "101", "011", "111"]
    assert (layout.counts[0] == np.arange(1, 8)).all()
    assert layout.times_seen.tolist() == [1, 1, 2, 1, 2, 2, 3]


def test_an_interaction_of_all_lists_is_never_a_term():
    groups, terms = interactions(lay_out(histories_of(np.arange(8))), ["pairs", "triples"])
    assert groups == [(0, 1), (0, 2), (1, 2)]
    assert terms.sum(axis=0).tolist() == [2, 2, 2]
    groups, _ = interactions(lay_out(histories_of(np.arange(16))), ["pairs", "triples"])
    assert len(groups) == 6 + 4


def test_a_list_that_did_not_exist_is_known_from_its_cells():
    possible = np.ones((2, 8), dtype=bool)
    possible[1, [4, 5, 6, 7]] = False
    layout = lay_out(histories_of(np.ones((2, 8)), ("a", "b"), possible=possible))
    assert layout.existing.tolist() == [[1, 1, 1], [1, 1, 0]]


def test_arrays_come_out_of_one_vector_as_they_went_in():
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.array([7.0])}
    found = unpack(pack(arrays), arrays)
    assert (found["a"] == arrays["a"]).all() and (found["b"] == arrays["b"]).all()


def test_unseen_given_their_odds_are_negative_binomial():
    layout = lay_out(histories_of([0, 50, 30, 20]))
    odds = np.full((2, 20_000, 1), np.log(0.5))
    cells = np.log(np.broadcast_to([0.5, 0.3, 0.2], (2, 20_000, 1, 3)))
    drawn = draw_totals(odds, cells, layout, 0.0, np.random.default_rng(1))
    # N - n is negative binomial with mean n p / (1 - p) at p = 1/3, variance n p / (1 - p)^2.
    assert drawn["unseen"].mean().item() == pytest.approx(50, rel=0.01)
    assert drawn["unseen"].var().item() == pytest.approx(75, rel=0.05)
    assert (drawn["total"] == drawn["unseen"] + 100).all()


def test_the_dial_multiplies_the_unseen():
    layout = lay_out(histories_of([0, 50, 30, 20]))
    odds = np.full((1, 20_000, 1), 0.0)
    cells = np.log(np.full((1, 20_000, 1, 3), 1 / 3))
    middle = [
        draw_totals(odds, cells, layout, dial, np.random.default_rng(1))["unseen"].mean().item() for dial in (0, 1)
    ]
    assert middle[1] / middle[0] == pytest.approx(np.e, rel=0.02)


def test_people_of_unknown_stratum_are_assigned_and_none_is_lost():
    blank = np.zeros((1, 1, 4), dtype=np.int64)
    blank[0, 0, 1] = 90
    table = histories_of([[0, 20, 5, 5], [0, 10, 5, 5]], ("a", "b"), blank=blank, blank_strata=np.ones((1, 2), bool))
    shape = (1, 500, 2)
    log_seen = np.log(np.broadcast_to([80.0, 60.0], shape))
    cells = np.log(np.broadcast_to([[0.75, 0.125, 0.125], [0.5, 0.25, 0.25]], (*shape, 3)))
    drawn = draw_totals(np.full(shape, -50.0), cells, lay_out(table), 0.0, np.random.default_rng(1), log_seen)
    assert (drawn["total"] == 140).all()
    # Of the cell's rates, 60 are of the first stratum and 30 of the second.
    assert drawn["total_by_stratum"].mean(("chain", "draw")).values == pytest.approx([90, 50], abs=1)


def test_draws_of_tables_are_mixed_by_their_weights():
    parts = [
        xr.Dataset({"total": (("chain", "draw"), np.full((2, 1000), value))}, {"chain": [0, 1], "draw": range(1000)})
        for value in (1, 2)
    ]
    mixed = mix_tables(parts, np.array([0.25, 0.75]), np.random.default_rng(0))
    assert mixed["total"].dims == ("chain", "draw")
    assert (mixed["total"] == 2).mean().item() == pytest.approx(0.75, abs=0.002)
    assert ((mixed["total"] == 2) == (mixed["table"] == 1)).all()


def test_at_most_a_thousand_rates_are_kept():
    assert thinned(np.zeros((4, 1500, 2))).shape[0] * thinned(np.zeros((4, 1500, 2))).shape[1] <= 1000
    assert thinned(np.zeros((2, 100))).shape == (2, 100)


@pytest.fixture(scope="module")
def kosovo(settings):
    return loglinear.fit(histories_of(by_cell(KOSOVO)), settings, 1)


def test_loglinear_holds_the_near_complete_count_of_kosovo(kosovo):
    lower, upper = np.quantile(kosovo.posterior["total"], [0.025, 0.975])
    # The Kosovo Memory Book counts 10,401 for the period (as quoted by HRDAG); models of pairs alone exclude it.
    assert lower < 10_401 < upper
    assert int(kosovo.sample_stats["diverging"].sum()) == 0


def test_loglinear_foretells_the_cells_it_was_fitted_to(kosovo):
    seen = by_cell(KOSOVO)[1:]
    rate = kosovo.posterior["cell_rate"].isel(stratum=0)
    middle = rate.mean(("chain", "kept")).values
    assert np.abs((middle - seen) / np.sqrt(seen + 1)).max() < 4
    assert rate.sum("cell").mean().item() == pytest.approx(4400, rel=0.01)


@pytest.mark.parametrize("total", [2_000, 20_000_000])
def test_loglinear_finds_a_known_number_whatever_its_size(settings, total):
    counts = independent(total, [0.3, 0.2, 0.25, 0.35], np.random.default_rng(3))
    fit = loglinear.fit(histories_of(counts), settings, 2)
    lower, upper = np.quantile(fit.posterior["total"], [0.025, 0.975])
    assert lower < total < upper
    assert upper / lower < 1.6


def test_the_same_seed_gives_the_same_draws(settings, kosovo):
    again = loglinear.fit(histories_of(by_cell(KOSOVO)), settings, 1)
    assert (again.posterior["total"].values == kosovo.posterior["total"].values).all()


def test_two_lists_are_refused_by_name(settings):
    with pytest.raises(UserError, match="needs three lists or more, and there are 2"):
        loglinear.fit(histories_of([0, 5, 5, 5]), settings, 1)


def test_structural_zeros_have_no_rate(settings):
    rng = np.random.default_rng(5)
    counts = np.stack([independent(3000, [0.3, 0.3, 0.3], rng) for _ in range(3)])
    possible = np.ones(counts.shape, dtype=bool)
    possible[1, 4:] = False
    counts[1, 4:] = 0
    blank = np.zeros((1, 1, 8), dtype=np.int64)
    blank[0, 0, [1, 4]] = [20, 30]
    everywhere = np.ones((1, 3), dtype=bool)
    table = histories_of(counts, "abc", possible=possible, blank=blank, blank_strata=everywhere)
    fit = loglinear.fit(table, settings, 1)
    rates = fit.posterior["cell_rate"].sel(stratum="b")
    assert (rates.values[..., 3:] == 0).all() and (rates.values[..., :3] > 0).all()
    # The third list found 30 of 100 of the second stratum, who are gone from it with the list.
    assert np.isfinite(fit.posterior["total_by_stratum"].astype(float)).all()


def fit_like(total, rate, seed=0):
    """A family's answer, made up: totals, and the rates of its three cells."""
    rng = np.random.default_rng(seed)
    rates = rng.gamma(100, np.asarray(rate) / 100, (2, 250, 1, 3))
    totals = np.full((2, 250), total) + rng.integers(0, 3, (2, 250))
    return xr.Dataset(
        {
            "total": (("chain", "draw"), totals),
            "unseen": (("chain", "draw"), totals - 10),
            "total_by_stratum": (("chain", "draw", "stratum"), totals[..., None]),
            "unseen_by_stratum": (("chain", "draw", "stratum"), totals[..., None] - 10),
            "cell_rate": (("chain", "kept", "stratum", "cell"), rates),
        },
        coords={"chain": [0, 1], "draw": range(250), "kept": range(250)},
    )


def test_stacking_weighs_by_what_was_left_out():
    assert average.weigh(np.log([[0.9, 0.9], [0.1, 0.1]])) == pytest.approx([1, 0], abs=1e-6)
    assert average.weigh(np.log([[0.8, 0.2], [0.2, 0.8]])) == pytest.approx([0.5, 0.5], abs=1e-6)


def test_the_average_follows_the_family_that_foretells_the_cells(settings):
    table = histories_of([0, 50, 30, 20])
    fits = {"right": fit_like(1000, [50, 30, 20]), "wrong": fit_like(5000, [20, 30, 50], 1)}
    mixed, weights = average.fit(fits, table, settings, 1)
    assert weights.set_index("model")["weight"]["right"] == pytest.approx(1 - average.EVEN / 2, abs=0.02)
    assert np.median(mixed["total"]) == pytest.approx(1000, rel=0.01)
    assert weights["disagrees"].all()


def spread_like(middle, seed):
    """A family whose total and one stratum follow a normal distribution, and whose cells say nothing."""
    rng = np.random.default_rng(seed)
    fit = fit_like(1, [50, 30, 20])
    total = rng.normal(middle, 100, fit["total"].shape).round()
    return fit.assign(total=fit["total"].copy(data=total), unseen=fit["unseen"].copy(data=total - 100))


def test_the_average_is_the_mixture_transformed_by_a_beta_distribution(settings):
    """Its quantiles are those that `transformed` says; draws stay whole, and the same draws come from the same seed."""
    table = histories_of([0, 50, 30, 20])
    fits = {name: spread_like(middle, middle) for name, middle in (("low", 1000), ("high", 2000))}
    mixed, weights = average.fit(fits, table, settings, 1)
    assert weights["weight"].tolist() == pytest.approx([0.5, 0.5], abs=0.01)
    pool = np.concatenate([fits[name]["total"].values.ravel() for name in fits])
    wanted = np.quantile(pool, average.transformed([0.025, 0.25, 0.5, 0.75, 0.975]))
    assert np.quantile(mixed["total"], [0.025, 0.25, 0.75, 0.975]) == pytest.approx(wanted[[0, 1, 3, 4]], abs=40)
    assert wanted[0] > np.quantile(pool, 0.025)
    np.testing.assert_array_equal(mixed["total"] - mixed["unseen"], np.full(mixed["total"].shape, 100))
    np.testing.assert_array_equal(mixed["model"], (mixed["total"] > 1500).astype(int))
    assert average.fit(fits, table, settings, 1)[0].identical(mixed)


def test_draws_of_slow_chains_are_as_few_in_the_average(settings):
    """Two families whose chains move slowly: their average has hardly more effective draws than both of them."""
    rng = np.random.default_rng(3)
    fits = {}
    for name in ("one", "two"):
        walk = signal.lfilter([1], [1, -0.8], rng.normal(size=(2, 500)), axis=1)[:, 250:]
        fit = fit_like(1, [50, 30, 20])
        total = np.round(1000 + 30 * (walk - walk.mean(axis=1, keepdims=True)))
        fits[name] = fit.assign(total=fit["total"].copy(data=total), unseen=fit["unseen"].copy(data=total - 100))
    mixed, _ = average.fit(fits, histories_of([0, 50, 30, 20]), settings, 1)
    of_families = sum(float(az.ess(fit["total"].values)) for fit in fits.values())
    assert of_families < 200
    assert float(az.ess(mixed["total"].values.astype(float))) < 1.5 * of_families


def test_one_family_alone_is_not_transformed(settings):
    fit = spread_like(1000, 1)
    mixed, _ = average.fit({"only": fit}, histories_of([0, 50, 30, 20]), settings, 1)
    np.testing.assert_array_equal(mixed["total"], fit["total"])


def test_a_family_without_an_answer_has_no_weight_and_a_reason(settings):
    table = histories_of([0, 50, 30, 20])
    silent = fit_like(1000, [50, 30, 20])
    silent["total"] = silent["total"] * np.nan
    _, weights = average.fit({"a": fit_like(900, [50, 30, 20]), "b": silent}, table, settings, 1)
    row = weights.set_index("model").loc["b"]
    assert row["weight"] == 0 and not row["passed"] and "no answer" in row["reason"]
    with pytest.raises(UserError, match="no family of models gave an answer"):
        average.fit({"b": silent}, table, settings, 1)


def test_the_log_likelihood_of_a_cell_is_poisson():
    table = histories_of([0, 2, 0, 1])
    posterior = xr.Dataset({"cell_rate": (("chain", "kept", "stratum", "cell"), np.full((1, 1, 1, 3), 1.5))})
    found = cell_log_likelihood(posterior, table).values.ravel()
    wanted = [np.log(1.5**k * np.exp(-1.5) / f) for k, f in ((2, 2), (0, 1), (1, 1))]
    assert found == pytest.approx(wanted)


def second_differences(rng, lists):
    """D_1, D_2, ... of people in two classes, each normal on the logit scale; the lists' coverages drawn as well."""
    base = rng.normal(-1.5, 1.0) + rng.normal(0, 0.6, lists)
    share = 1 / (1 + np.exp(-rng.normal(0, 1.5)))
    points, weights = np.polynomial.hermite_e.hermegauss(40)
    spread, apart = abs(rng.normal()), abs(rng.normal(0, 2.5))
    ease = np.concatenate([spread * points, apart + spread * points])
    people = np.concatenate([(1 - share) * weights, share * weights]) / weights.sum()
    missed = -np.logaddexp(0, base[:, None] + ease).sum(axis=0)
    generating = [np.log(people @ np.exp(missed + times * ease)) for times in range(lists + 1)]
    return np.diff(generating, n=2)


def test_the_unseen_follow_from_the_seen_as_in_simulated_populations():
    rng = np.random.default_rng(7)
    found = np.array([second_differences(rng, 4) for _ in range(2_000)])
    # Hardly any ease at all leaves x at minus infinity, where it no longer matters.
    found = found[(found > 0.02).all(axis=1)]
    x = np.log(np.expm1(found))
    mean, sd = (part.eval() for part in loglinear._carried_over([pt.constant(x[:, 1]), pt.constant(x[:, 2])]))
    away = (x[:, 0] - mean) / sd
    assert len(x) > 1_000
    assert (abs(away) < 2).mean() > 0.9
    assert abs(np.median(away)) < 0.5


def differences_of(cells, lists):
    """D_1, D_2, ... of expected cells: those of the model without pairs that is nearest to them."""
    on = (np.arange(1, 2**lists)[:, None] >> np.arange(lists)) & 1
    ease = np.maximum(on.sum(axis=1)[:, None] - np.arange(2, lists), 0)
    terms = np.column_stack([np.ones(len(on)), on, ease])
    seen = cells[1:]
    fitted = np.linalg.lstsq(terms * np.sqrt(seen)[:, None], np.log(seen) * np.sqrt(seen))[0]
    for _ in range(20):
        rates = np.exp(terms @ fitted)
        fitted += np.linalg.solve(terms.T @ (rates[:, None] * terms), terms.T @ (seen - rates))
    np.testing.assert_allclose(terms.T @ np.exp(terms @ fitted), terms.T @ seen)
    return np.array([np.log(cells[0]) - fitted[0], *fitted[1 + lists :]])


@pytest.mark.parametrize("lists", [3, 4])
def test_where_few_lists_differ_between_classes_the_unseen_are_as_many_as_there_is_room_for(lists):
    rng = np.random.default_rng(11)
    drawn = [KINDS["classes"](lists, rng)[0][0] for _ in range(300)]
    found = np.array([differences_of(cells, lists) for cells in drawn])
    found = found[(found > 0.001).all(axis=1)]
    x = np.log(np.expm1(found))
    mean, sd = (part.eval() for part in loglinear._carried_over([pt.constant(column) for column in x[:, 1:].T]))
    away = (x[:, 0] - mean) / sd
    assert len(x) > 150
    assert (away < 2).mean() > 0.95
