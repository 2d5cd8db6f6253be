"""Populations whose number is known, for calibration: each kind breaks an assumption that some model makes.

A population is N people, each of whom stands on list j with a probability of his own. The parameters of a population
are drawn anew each time from the distributions stated in the functions below, so that no model can be tuned to them.
"""

from dataclasses import dataclass

import numpy as np

LISTS = (3, 4, 5, 6)
"""Numbers of lists that are simulated."""

SIZES = (200, 100_000)
"""N is drawn between these, evenly on the logarithm."""

_NODES = 400
_NEVER = -30.0


@dataclass(frozen=True)
class Population:
    """A simulated population.

    Attributes
    ----------
    kind : str
        A key of :data:`KINDS`.
    total : int
        The number of people, N.
    counts : numpy.ndarray, int64 (stratum, 2**lists)
        How many people have each capture history; the cell 0, of those on no list, holds 0.
    totals : numpy.ndarray, int64 (stratum,)
        The number of people in each stratum.
    """

    kind: str
    total: int
    counts: np.ndarray
    totals: np.ndarray


def draw_population(kind, lists, rng, total=None):
    """Draw a population and what the lists hold of it.

    Parameters
    ----------
    kind : str
        A key of :data:`KINDS`.
    lists : int
        How many lists.
    rng : numpy.random.Generator
    total : int, optional
        N; drawn log-uniformly from :data:`SIZES` unless told.

    Returns
    -------
    Population
        Drawn again until at least ten people are seen, one of them on two lists: a table below that is refused.
    """
    while True:
        size = total or round(np.exp(rng.uniform(*np.log(SIZES))))
        probabilities, shares = KINDS[kind](lists, rng)
        totals = rng.multinomial(size, shares)
        counts = np.array([rng.multinomial(n, p) for n, p in zip(totals, probabilities, strict=True)])
        counts[:, 0] = 0
        twice = counts[:, _on(lists).sum(axis=1) >= 2].sum()
        found = (counts.sum(axis=0) @ _on(lists)) > 0
        if counts.sum() >= 10 and twice >= 1 and found.all():
            return Population(kind, size, counts, totals)


def _on(lists):
    """Which lists each cell stands for; bool (2**lists, lists)."""
    return (np.arange(2**lists)[:, None] >> np.arange(lists)) % 2 == 1


def _cells(logits, weights, pairs=()):
    """Probability of each cell: a mixture of independent lists, tilted by pairs of lists.

    Parameters
    ----------
    logits : array (class, list)
        Log odds of standing on each list.
    weights : array (class,)
    pairs : sequence of (int, int, float)
        Two lists, and the log odds ratio between them given the class.
    """
    on = _on(logits.shape[1])
    tilt = sum((odds * on[:, j] * on[:, k] for j, k, odds in pairs), np.zeros(len(on)))
    log_cells = logits @ on.T + tilt
    cells = np.exp(log_cells - log_cells.max(axis=1, keepdims=True))
    cells /= cells.sum(axis=1, keepdims=True)
    return weights @ cells


def _coverage(lists, rng):
    """Log odds of the lists: each finds between 8 and 45 of 100, evenly."""
    share = rng.uniform(0.08, 0.45, lists)
    return np.log(share / (1 - share))


def _drawn_pairs(lists, rng, most):
    """From one pair of lists up to `most` (and up to half of all), log odds ratio 0.5 to 1.5, to or from each other."""
    pairs = [(j, k) for j in range(lists) for k in range(j)]
    number = rng.integers(1, min(most, len(pairs) // 2) + 1)
    chosen = rng.choice(len(pairs), number, replace=False)
    return [(*pairs[i], rng.uniform(0.5, 1.5) * rng.choice([-1, 1])) for i in chosen]


def _spread(base, sd):
    """People whose ease of being found is normal on the logit scale; equal slices of the distribution."""
    from scipy.special import ndtri

    ease = sd * ndtri((np.arange(_NODES) + 0.5) / _NODES)
    return base[None, :] + ease[:, None], np.full(_NODES, 1 / _NODES)


def _one(cells):
    return [cells], [1.0]


def independent(lists, rng):
    """Everyone alike, lists independent; each finds 8 to 45 of 100."""
    return _one(_cells(_coverage(lists, rng)[None], np.ones(1)))


def pairs(lists, rng):
    """One to three pairs of lists (of three lists one) attract or avoid each other, log odds ratio 0.5 to 1.5."""
    return _one(_cells(_coverage(lists, rng)[None], np.ones(1), _drawn_pairs(lists, rng, 3)))


def classes(lists, rng):
    """Two or three classes; steps of 0.8 to 2.5 on the log odds, 0.4 of noise by list; shares from Dirichlet(2)."""
    number = rng.integers(2, 4)
    steps = np.concatenate([[0.0], np.cumsum(rng.uniform(0.8, 2.5, number - 1))])
    shares = rng.dirichlet(np.full(number, 2.0))
    logits = _coverage(lists, rng) + steps[:, None] - shares @ steps + rng.normal(0, 0.4, (number, lists))
    return _one(_cells(logits, shares))


def small_class(lists, rng):
    """5 to 15 of 100 people are on nearly every list (85 to 97 of 100 each); each list finds 2 to 10 of 100 others."""
    share = rng.uniform(0.05, 0.15)
    found = np.stack([rng.uniform(0.02, 0.10, lists), rng.uniform(0.85, 0.97, lists)])
    return _one(_cells(np.log(found / (1 - found)), np.array([1 - share, share])))


def ease(lists, rng):
    """Ease of being found is normal on the logit scale, standard deviation 0.5 to 2."""
    return _one(_cells(*_spread(_coverage(lists, rng), rng.uniform(0.5, 2.0))))


def ease_and_pairs(lists, rng):
    """Ease varies (standard deviation 0.5 to 1.5); one or two pairs of lists (of three one) depend on each other."""
    return _one(_cells(*_spread(_coverage(lists, rng), rng.uniform(0.5, 1.5)), _drawn_pairs(lists, rng, 2)))


def only_missed(lists, rng):
    """The second list finds only people whom the first one missed."""
    return _one(_cells(_coverage(lists, rng)[None], np.ones(1), [(0, 1, _NEVER)]))


def strata(lists, rng):
    """Three to eight strata whose lists differ (0.5 on the log odds), as does ease (0 to 1 within, one for all)."""
    number = rng.integers(3, 9)
    base, sd = _coverage(lists, rng), rng.uniform(0.0, 1.0)
    cells = [_cells(*_spread(base + rng.normal(0, 0.5, lists), sd)) for _ in range(number)]
    return cells, rng.dirichlet(np.full(number, 2.0))


def sparse(lists, rng):
    """Lists independent, and each finds 3 to 7 of 100."""
    found = rng.uniform(0.03, 0.07, lists)
    return _one(_cells(np.log(found / (1 - found))[None], np.ones(1)))


KINDS = {
    "independent": independent,
    "pairs": pairs,
    "classes": classes,
    "small_class": small_class,
    "ease": ease,
    "ease_and_pairs": ease_and_pairs,
    "only_missed": only_missed,
    "strata": strata,
    "sparse": sparse,
}
"""Kinds of populations; the docstring of each states its distributions."""
