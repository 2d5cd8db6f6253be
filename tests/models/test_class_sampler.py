"""Latent classes: the slope that the Hamiltonian moves follow, and that they leave alone what they should."""

from itertools import permutations

import numpy as np
import pytest

from uncounted.models import class_sampler

POWER, SHAPE, RATE = 0.6, 0.25, 0.25


@pytest.fixture
def table():
    """Four strata of three lists: in two there was no third list, and in one a history cannot be."""
    rng = np.random.default_rng(3)
    counts = rng.poisson(20, (4, 8))
    possible, existing = np.ones((4, 8), dtype=bool), np.ones((4, 3), dtype=bool)
    possible[:, 0], possible[2, 5] = False, False
    existing[[1, 3], 2], possible[[1, 3], 4:] = False, False
    return np.where(possible, counts, 0), possible, existing


@pytest.fixture
def classes():
    rng = np.random.default_rng(4)
    return rng.uniform(size=(5, 3)), rng.dirichlet(np.ones(4), 5), 2 * rng.normal(size=5)


def position_of(classes, table):
    coverage, place, log_weight = classes
    return class_sampler._position(np.random.default_rng(5), coverage, log_weight, place, *table[1:])


def density(position, log_seen, table):
    """The density of the Hamiltonian moves, its slope, and what the position stands for."""
    counts, possible, existing = table
    found = np.empty((5, 3)), np.empty((5, 4)), np.empty(5)
    room = np.empty((5, 4, 8)), np.empty((5, 4)), np.empty(5), np.empty((4, 8)), np.empty((4, 8))
    slope = np.empty(position.shape)
    alike = class_sampler._strata_alike(possible, existing)
    value = class_sampler._log_density(
        POWER, position, log_seen, counts, possible, existing, alike, SHAPE, RATE, found, room, slope
    )
    return value, slope, found


def density_of_other_moves(position, log_seen, table):
    """The same from the densities of the moves of one class, which know nothing of how it is found here."""
    counts, possible, existing = table
    coverage, place, log_weight = density(position, log_seen, table)[2]
    rate, total = np.empty((5, 4, 8)), np.empty((4, 8))
    for k in range(5):
        class_sampler._fill(rate[k], log_weight[k], coverage[k], place[k], existing)
    class_sampler._add_up(rate, total)
    log_prior, log_sum = class_sampler._log_prior_of_shares(log_weight, SHAPE, RATE)
    value = POWER * class_sampler._log_likelihood(total, counts, possible)
    value += log_prior + log_weight.sum() - 5 * log_sum + np.log(coverage * (1 - coverage)).sum()
    return value + (position[:, 3:] - np.exp(position[:, 3:])).sum(), np.where(possible, rate, 0).sum(axis=(1, 2))


def test_strata_with_the_same_lists_and_cells_are_worked_out_once(table):
    assert class_sampler._strata_alike(*table[1:]).tolist() == [0, 1, 2, 1]


def test_a_position_stands_for_the_classes_it_was_made_from(classes, table):
    for found, given in zip(density(*position_of(classes, table), table)[2], classes, strict=True):
        np.testing.assert_allclose(found, given, rtol=1e-9)


def test_the_slope_is_that_of_the_density(classes, table):
    position, log_seen = position_of(classes, table)
    slope = density(position, log_seen, table)[1]
    for at in np.ndindex(*position.shape):
        shift = np.zeros(position.shape)
        shift[at] = 1e-5
        up, down = (density(position + sign * shift, log_seen, table)[0] for sign in (1, -1))
        assert (up - down) / 2e-5 == pytest.approx(slope[at], abs=1e-5)


def test_the_density_is_that_of_the_other_moves_and_as_many_of_each_class_are_seen(classes, table):
    position, log_seen = position_of(classes, table)
    moved = position + 0.3 * np.random.default_rng(6).normal(size=position.shape)
    (before, _), (after, seen) = (density_of_other_moves(one, log_seen, table) for one in (position, moved))
    gain = density(moved, log_seen, table)[0] - density(position, log_seen, table)[0]
    assert gain == pytest.approx(after - before, rel=1e-9)
    np.testing.assert_allclose(np.log(seen), log_seen, rtol=1e-9)


def test_tuning_finds_steps_that_are_taken_about_as_often_as_wanted(table):
    counts, possible, existing = table
    rng = np.random.default_rng(7)
    state = class_sampler.start(rng, counts, possible, existing, 3, 5)
    class_sampler.tune(rng, state, counts, possible, existing, SHAPE, RATE, 1500)
    alike, seen = class_sampler._strata_alike(possible, existing), class_sampler._histories_seen(counts)
    likely, accepted = np.empty(class_sampler.COPIES), np.zeros(class_sampler.COPIES)
    found = []
    for sweep in range(600):
        class_sampler._sweep(sweep, rng, state, counts, possible, existing, alike, seen, SHAPE, RATE, likely, accepted)
        found.append(accepted.copy())
    assert np.mean(found, axis=0) == pytest.approx(np.full(class_sampler.COPIES, 0.8), abs=0.15)


def test_numbers_of_classes_follow_the_prior_of_their_shares(classes, table):
    coverage, place, _ = (array[:3].copy() for array in classes)
    weights = np.log([0.6, 0.3, 0.1])
    orders = [weights[list(order)] for order in permutations(range(3))]
    density = np.exp([class_sampler._log_prior_of_shares(order, SHAPE, RATE)[0] for order in orders])
    rate, rng, found = coverage[:, None, :].copy(), np.random.default_rng(8), np.zeros(6)
    for _ in range(6000):
        class_sampler._renumber(rng, coverage, weights, place, rate, SHAPE, RATE)
        found[[np.array_equal(weights, order) for order in orders]] += 1
    np.testing.assert_allclose(found / found.sum(), density / density.sum(), atol=0.02)
    # A class keeps what it is.
    now = dict(zip(weights, coverage[:, 0], strict=True))
    assert now == dict(zip(orders[0], classes[0][:3, 0], strict=True))
    np.testing.assert_array_equal(rate[:, 0], coverage)


def test_without_a_likelihood_the_moves_of_a_copy_draw_from_the_prior(table):
    counts, possible, existing = table
    rng, classes = np.random.default_rng(10), 3
    coverage, place = rng.uniform(size=(classes, 3)), rng.dirichlet(np.ones(4), classes)
    log_weight, rate = np.log(rng.dirichlet(np.ones(classes))), np.empty((classes, *counts.shape))
    for k in range(classes):
        class_sampler._fill(rate[k], log_weight[k], coverage[k], place[k], existing)
    seen, found = class_sampler._histories_seen(counts), []
    for _ in range(40000):
        class_sampler._move(rng, 0.0, coverage, log_weight, place, rate, counts, possible, existing, seen, SHAPE, RATE)
        whole = np.logaddexp.reduce(log_weight)
        behind = np.logaddexp.reduce(log_weight[1:])
        found.append([behind - whole, log_weight[2] - whole, coverage[0, 0], coverage[2, 1], place[1, 2]])
    # The same from the definition: sticks of a concentration that is drawn first.
    concentration = np.maximum(rng.gamma(SHAPE, 1 / RATE, 200000), 1e-9)
    taken = rng.exponential(1 / concentration, (2, 200000))
    even, part = rng.uniform(size=200000), rng.beta(1, 3, 200000)
    levels = [0.1, 0.25, 0.5, 0.75, 0.9]
    for chain, exact in zip(np.transpose(found), (-taken[0], -taken.sum(axis=0), even, even, part), strict=True):
        below = [(chain < place).mean() for place in np.quantile(exact, levels)]
        np.testing.assert_allclose(below, levels, atol=0.03)


def test_two_classes_divide_their_weight_anew_with_the_jacobian_of_the_odds():
    rng = np.random.default_rng(9)
    for weights in (np.log([0.2, 0.5, 0.3]), np.array([-700.0, -0.1, -3.0])):
        moved = weights.copy()
        gain = class_sampler._divide_anew(rng, moved, 1, 0)
        assert np.exp(moved).sum() == pytest.approx(np.exp(weights).sum(), rel=1e-12)
        assert moved[2] == weights[2] and moved[0] != weights[0]
        # Of part (1 - part), the slope of a part along its log odds.
        assert gain == pytest.approx(moved[:2].sum() - weights[:2].sum(), rel=1e-9)


def test_copies_start_with_few_classes_and_with_many(table):
    counts, possible, existing = table
    starts = [class_sampler.start(np.random.default_rng(n), counts, possible, existing, 3, 10) for n in range(20)]
    log_weight = np.concatenate([start[1] for start in starts])
    largest = np.exp(log_weight.max(axis=1)) / np.exp(log_weight).sum(axis=1)
    assert (largest > 0.9).any() and (largest < 0.2).any()
