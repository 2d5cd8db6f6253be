"""Populations whose number is known: each is what its docstring says."""

import numpy as np
import pytest

from uncounted.checks.populations import KINDS, LISTS, SIZES, draw_population


def on_lists(lists):
    return np.arange(2**lists)[:, None] >> np.arange(lists) & 1


def probabilities(kind, lists, seed):
    """Cells and shares of the strata of one population."""
    cells, shares = KINDS[kind](lists, np.random.default_rng(seed))
    return np.array(cells), np.array(shares)


def odds_ratio(cells, lists, j, k):
    """Of two lists, among people on no other."""
    others = [other for other in range(lists) if other not in (j, k)]
    neither, first, second, both = (sum(1 << i for i in some) for some in ((), (j,), (k,), (j, k)))
    assert not others or cells[neither] > 0
    return cells[both] * cells[neither] / (cells[first] * cells[second])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lists", LISTS)
def test_a_population_is_whole(kind, lists):
    population = draw_population(kind, lists, np.random.default_rng([1, lists]))
    assert population.kind == kind
    assert SIZES[0] <= population.total <= SIZES[1]
    assert population.counts.shape == (len(population.totals), 2**lists)
    assert population.counts.dtype == population.totals.dtype == np.int64
    assert (population.counts[:, 0] == 0).all()
    assert population.totals.sum() == population.total
    assert (population.counts.sum(axis=1) <= population.totals).all()
    assert (population.counts.sum(axis=0) @ on_lists(lists) > 0).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lists", LISTS)
def test_probabilities_are_some_and_differ_each_time(kind, lists):
    cells, shares = probabilities(kind, lists, 1)
    assert cells.min() >= 0
    np.testing.assert_allclose(cells.sum(axis=1), 1)
    assert shares.sum() == pytest.approx(1)
    again, _ = probabilities(kind, lists, 1)
    np.testing.assert_array_equal(cells, again)
    other, _ = probabilities(kind, lists, 2)
    assert cells.shape != other.shape or not np.allclose(cells, other)


def test_the_number_of_people_is_drawn_evenly_on_the_logarithm():
    rng = np.random.default_rng(1)
    sizes = np.array([draw_population("independent", 4, rng).total for _ in range(400)])
    places = (np.log(sizes) - np.log(SIZES[0])) / np.diff(np.log(SIZES))
    assert np.histogram(places, bins=4, range=(0, 1))[0] == pytest.approx(np.full(4, 100), abs=40)


def test_the_number_of_people_may_be_told():
    assert draw_population("ease", 4, np.random.default_rng(1), total=5_000).total == 5_000


@pytest.mark.parametrize("kind", ["independent", "sparse"])
def test_independent_lists_are_products(kind):
    for seed in range(5):
        (cells,), _ = probabilities(kind, 4, seed)
        found = cells @ on_lists(4)
        product = np.where(on_lists(4), found, 1 - found).prod(axis=1)
        np.testing.assert_allclose(cells, product)
        low, high = (0.08, 0.45) if kind == "independent" else (0.03, 0.07)
        assert low <= found.min() <= found.max() <= high


@pytest.mark.parametrize("lists", LISTS)
def test_up_to_three_pairs_depend_on_each_other(lists):
    most = min(3, lists * (lists - 1) // 4)
    for seed in range(10):
        (cells,), _ = probabilities("pairs", lists, seed)
        ratios = np.array([odds_ratio(cells, lists, j, k) for j in range(lists) for k in range(j)])
        strength = np.abs(np.log(ratios))
        dependent = strength > 1e-9
        assert 1 <= dependent.sum() <= most
        assert 0.5 <= strength[dependent].min() <= strength[dependent].max() <= 1.5


@pytest.mark.parametrize("kind", ["classes", "ease", "small_class"])
def test_people_who_differ_make_lists_attract_each_other(kind):
    for seed in range(10):
        (cells,), _ = probabilities(kind, 4, seed)
        both = on_lists(4).T @ (cells[:, None] * on_lists(4))
        found = np.diag(both)
        ratio = (both / np.outer(found, found))[np.triu_indices(4, 1)]
        # The noise of the classes may turn a pair round; on the whole they attract.
        assert np.log(ratio).mean() > 0
        assert kind == "classes" or ratio.min() > 1


def test_a_small_class_is_on_nearly_every_list():
    for seed in range(10):
        (cells,), _ = probabilities("small_class", 6, seed)
        times = on_lists(6).sum(axis=1)
        assert 0.02 < cells[times >= 5].sum() < 0.15
        assert cells[(times >= 3) & (times <= 4)].sum() < cells[times >= 5].sum()
        assert cells[times == 0].sum() > 0.4


def test_a_list_finds_only_what_another_missed():
    for seed in range(5):
        (cells,), _ = probabilities("only_missed", 4, seed)
        both = on_lists(4)[:, 0] & on_lists(4)[:, 1]
        assert cells[both == 1].sum() < 1e-9
        assert cells[(both == 0) & (on_lists(4)[:, 1] == 1)].sum() > 0.01


def test_strata_are_three_to_eight_and_differ():
    seen = set()
    for seed in range(60):
        cells, shares = probabilities("strata", 4, seed)
        seen.add(len(shares))
        found = cells @ on_lists(4)
        assert found.std(axis=0).mean() > 0.01
    assert seen == {3, 4, 5, 6, 7, 8}


def test_ease_and_pairs_has_both():
    ratios = []
    for seed in range(20):
        (cells,), _ = probabilities("ease_and_pairs", 5, seed)
        ratios.append([np.log(odds_ratio(cells, 5, j, k)) for j in range(5) for k in range(j)])
    ratios = np.array(ratios)
    # Most pairs are pulled together by ease alone; one or two stand out of the others, up or down.
    middle = np.median(ratios, axis=1, keepdims=True)
    assert (middle > 0.02).all()
    apart = (np.abs(ratios - middle) > 0.35).sum(axis=1)
    assert (apart >= 1).mean() > 0.9
    assert apart.max() <= 4
