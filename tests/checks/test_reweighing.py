"""Draws weighed anew: a normal posterior under another prior, of which all is known."""

import numpy as np
import pytest
from scipy.stats import norm

from uncounted.checks.reweighing import even, median_moved, mixed, reweighed
from uncounted.models.average import transformed

DRAWS = np.random.default_rng(1).normal(10, 2, 20_000)


def to(mean, sd):
    """Weigh the draws as if they were of another normal distribution."""
    return reweighed(DRAWS, norm.logpdf(DRAWS, mean, sd) - norm.logpdf(DRAWS, 10, 2))


def test_quantiles_are_those_of_the_other_distribution():
    draws = to(11, 1.6)
    assert draws.trusted and draws.pareto_k < 0.5
    for probability in (0.025, 0.5, 0.975):
        assert draws.quantile(probability) == pytest.approx(norm.ppf(probability, 11, 1.6), abs=0.12)
    assert even(DRAWS).quantile(0.5) == pytest.approx(np.median(DRAWS), abs=1e-3)


def test_draws_that_do_not_reach_the_other_distribution_are_not_trusted():
    assert not to(24, 0.5).trusted
    assert not to(10, 30).trusted


def test_the_same_density_gives_the_same_weights():
    draws = reweighed(DRAWS, np.full(len(DRAWS), -3.2))
    assert draws.pareto_k == 0.0 and np.ptp(draws.weights) == 0.0


def test_draws_without_density_have_no_weight():
    values = np.linspace(0.0, 1.0, 2_000)
    draws = reweighed(values, np.where(values < 0.5, 0.0, -np.inf))
    assert draws.weights[values > 0.5].sum() == pytest.approx(0.0, abs=1e-9)
    assert draws.quantile(0.5) == pytest.approx(0.25, abs=0.01)


def test_a_move_has_the_error_that_repetition_shows():
    rng, moves, errors = np.random.default_rng(2), [], []
    for _ in range(200):
        values = rng.normal(10, 2, 1_000)
        after = reweighed(values, norm.logpdf(values, 10.6, 2) - norm.logpdf(values, 10, 2))
        moved, error = median_moved(even(values), after)
        moves.append(moved)
        errors.append(error)
    assert np.mean(moves) == pytest.approx(0.06, abs=0.002)
    assert np.mean(errors) == pytest.approx(np.std(moves), rel=0.25)


def test_a_mixture_has_the_shares_and_the_worst_k_of_those_that_count():
    low, high = even(np.zeros(50)), even(np.ones(500))
    bad = reweighed(DRAWS, norm.logpdf(DRAWS, 30, 1))
    both = mixed([low, high, bad], [0.3, 0.7, 0.0])
    assert both.weights[both.values == 1.0].sum() == pytest.approx(0.7)
    assert both.pareto_k == 0.0
    assert not mixed([low, bad], [0.5, 0.5]).trusted


def test_the_median_of_a_mixture_is_that_of_the_average():
    low, high = even(np.arange(1000.0)), even(np.arange(1000.0, 2000.0))
    assert mixed([low, high], [0.5, 0.5]).median == pytest.approx(2000 * transformed(0.5), abs=2)
    assert mixed([low, high], [0.0, 1.0]).median == pytest.approx(1500, abs=2)
    assert mixed([low], [1.0]).median == low.median == pytest.approx(500, abs=2)
