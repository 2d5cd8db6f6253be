r"""The average over all decomposable graphs of which list depends on which, computed exactly.

Whether being on one list says something about being on another is drawn as a graph: lists are vertices, and two that
are not linked are independent given the others. Over the graphs whose cliques fit together like a tree the sums can be
done in closed form (Madigan and York 1997, Biometrika 84:19; Dawid and Lauritzen 1993, Ann. Stat. 21:1272), so nothing
is approximated by a sampler, and nothing has to converge. Each stratum is fitted on its own.

People
    :math:`N = n + u` people, of whom :math:`n` were seen and :math:`u` were not. Before seeing the lists every
    decomposable graph :math:`G` is as likely as any other, and :math:`N` has the prior :math:`1/N`. A person is in
    cell :math:`x`, a 0 or 1 for each of the :math:`L` lists; :math:`x_C` is the part of it that concerns the lists
    :math:`C`. With the cliques :math:`C` and the separators :math:`S` of the graph:

    .. math::
        P(x) &= \prod_C p_C(x_C) / \prod_S p_S(x_S) \\
        p_C &\sim \mathrm{Dirichlet}(\alpha_C, \dots, \alpha_C), \quad \alpha_C = 2^{-L} \, 2^{L - |C|} = 2^{-|C|}

    with the same probabilities wherever two cliques overlap: the prior weighs as much as one person.

Posterior
    :math:`n_A(x)` people were seen in cell :math:`x` of the table of the lists :math:`A` alone, and
    :math:`z_A = n_A(0)` of them on other lists only. Each clique and separator has a term of :math:`u`:

    .. math::
        \log P(G, u \mid \text{data}) &= \log \frac{(n + u)!}{u!} - \log(n + u) + \textstyle\sum_C f_C(u)
            - \sum_S f_S(u) + \text{constant} \\
        f_A(u) &= \log \frac{\Gamma(u + z_A + \alpha_A)}{\Gamma(\alpha_A) \, (n + u)!}
            + \textstyle\sum_{x \ne 0} \log \frac{\Gamma(n_A(x) + \alpha_A)}{\Gamma(\alpha_A)}

    Only the :math:`2^L` sets of lists need a term, and a graph's score is a sum of a few of them. It is summed over
    :math:`u` by the trapezoid rule on a grid that is refined until every graph that matters is resolved (every whole
    number where that is needed, steps otherwise, so that a million people cost no more than a hundred), and that
    widens until no mass is left at its end.

Draws
    A graph and :math:`u` are drawn from that posterior, the probabilities of the cells given both list by list along
    the graph, and from them the people once more:

    .. math::
        \Lambda &\sim \mathrm{Gamma}(n, 1) &&\text{expected number of people seen} \\
        \lambda_x &= \Lambda \, P(x) / (1 - P(0)) &&\text{expected number in cell } x \\
        u &\sim \mathrm{Poisson}(e^{d} \, \Lambda \, P(0) / (1 - P(0)))

    with the dial :math:`d` (`unseen_odds`). At :math:`d = 0` the :math:`u` so drawn have the posterior above. Draws
    are independent of each other.

What it cannot say
    The graph in which every list is linked to every other lets the unseen be any number: given it,
    :math:`P(u) \propto u^{2^{-L} - 2}` for large :math:`u`, so that the mean of the posterior is infinite whenever
    that graph has any probability, be it small. Quote the median and the interval. A list that did not exist in a
    stratum is left out there. Other structural zeros do not fit a graph: such a stratum has no answer by this model,
    no more than one that cannot be estimated on its own, and then the total over strata has none.
"""

import functools
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.special import gammaln, logsumexp

from uncounted.errors import UserError
from uncounted.evidence.histories import not_estimable_alone, spread_blanks
from uncounted.models.decomposable_graphs import (
    FEWEST_LISTS,
    MOST_LISTS,
    Graphs,
    all_graphs,
    cliques_as_text,
    elimination_order,
    pairs_of,
)
from uncounted.models.totals import thinned

TOP_GRAPHS = 5
"""How many graphs of each stratum are named."""

_NEGLIGIBLE = 30.0
"""A graph whose log mass is this much below the best is left out: even all of them together weigh below 1e-7."""

_FIRST_STEP, _SPAN, _RESOLVED, _MOST_PARTS = 0.1, 6.0, 1 / 5, 16
"""The grid: its first step on the scale of log u; peaks are resolved up to so many standard deviations from their
middle in steps of this part of one; a step is cut in so many at most, and then looked at again."""

_TAIL, _FARTHEST = 1e-7, 1e15
"""The grid ends where less than this probability is left, or at so many people, where floats no longer count by one."""

_CHUNK = 4_000_000
"""Numbers (graphs times steps of the grid) held at once."""


@dataclass(frozen=True)
class Posterior:
    """Posterior of the graph and of the number of people on no list, for one table.

    Parameters
    ----------
    seen : int
        People on at least one list.
    unseen : ndarray of float64, shape (step,)
        The grid: numbers of people on no list, ascending.
    mass : ndarray of float64, shape (step,)
        Probability of each step; sums to 1.
    graphs : Graphs
        All decomposable graphs on these lists.
    graph_mass : ndarray of float64, shape (graph,)
        Probability of each; sums to 1.
    log_steps : ndarray of float64, shape (step,)
        How many whole numbers each step stands for, as a logarithm.
    terms : ndarray of float64, shape (2**lists, step)
        The term of each set of lists.
    alone : ndarray of float64, shape (step,)
        What all graphs have in common.
    """

    seen: int
    unseen: np.ndarray
    mass: np.ndarray
    graphs: Graphs
    graph_mass: np.ndarray
    log_steps: np.ndarray
    terms: np.ndarray
    alone: np.ndarray

    def quantile(self, probability):
        """Find quantiles of the number of people in all.

        Parameters
        ----------
        probability : float or array_like

        Returns
        -------
        float or ndarray
            People, seen and unseen; within a step, mass is taken to be even.
        """
        edges = np.concatenate([[self.unseen[0]], (self.unseen[1:] + self.unseen[:-1]) / 2, [self.unseen[-1]]])
        return self.seen + np.interp(probability, np.concatenate([[0.0], np.cumsum(self.mass)]), edges)

    def link_probability(self):
        """Add up the graphs in which two lists are linked.

        Returns
        -------
        ndarray of float64, shape (list, list)
            Symmetric; 1 on the diagonal.
        """
        linked = np.eye(self.graphs.n_lists)
        for k, (i, j) in enumerate(pairs_of(self.graphs.n_lists)):
            has_it = (self.graphs.edges >> np.uint32(k) & np.uint32(1)).astype(bool)
            linked[i, j] = linked[j, i] = self.graph_mass[has_it].sum()
        return linked

    def draw(self, how_many, rng):
        """Draw graphs and numbers of people on no list from their joint posterior.

        Parameters
        ----------
        how_many : int
        rng : numpy.random.Generator

        Returns
        -------
        graph : ndarray of int64, shape (how_many,)
            In ascending order.
        unseen : ndarray of float64, shape (how_many,)
            Steps of the grid.
        """
        possible = np.flatnonzero(self.graph_mass)
        graph = np.sort(rng.choice(possible, size=how_many, p=self.graph_mass[possible]))
        chosen, which = np.unique(graph, return_inverse=True)
        log_mass = _signs(self.graphs.n_lists)[chosen] @ self.terms + self.alone + self.log_steps
        cumulative = np.cumsum(np.exp(log_mass - log_mass.max(axis=1, keepdims=True)), axis=1)
        aim = rng.random(how_many) * cumulative[which, -1]
        step = [np.searchsorted(cumulative[row], value, side="right") for row, value in zip(which, aim, strict=True)]
        return graph, self.unseen[np.minimum(step, len(self.unseen) - 1)]


def fit(histories, settings, seed):
    """Average over all decomposable graphs, each stratum on its own.

    Parameters
    ----------
    histories : Histories
        Of 3 to 7 lists. People whose stratum is not known are spread (:func:`spread_blanks`).
    settings : dict
        ``sampling.exact`` with ``chains`` and ``draws`` (a chain), and the dial ``unseen_odds`` (0 if missing).
    seed : int

    Returns
    -------
    xarray.Dataset
        People, with the dims (chain, draw): ``total``, ``unseen``, and with stratum ``total_by_stratum``,
        ``unseen_by_stratum``, and ``cell_rate`` (..., cell), expected counts of the observable cells. Without draws:
        ``graph_probability`` and ``graph`` (stratum, rank), the likeliest graphs; ``link_probability`` (stratum, list,
        other_list); ``no_answer`` (stratum), why there is none, in words, or "". Where there is no answer, all numbers
        are missing.

    Raises
    ------
    UserError
        There are fewer than 3 lists or more than 7.

    Notes
    -----
    Several tables of the same people are drawn from in proportion to their weights.
    """
    _refuse_other_numbers_of_lists(histories.lists)
    histories = spread_blanks(histories)
    draws = _Draws(histories, settings)
    unanswered = _no_answer(histories)
    from_table = draws.tables(np.random.default_rng([seed, 0]))
    for stratum in range(len(histories.stratum_names)):
        if stratum not in unanswered:
            _fit_stratum(draws, stratum, from_table, np.random.default_rng([seed, 1, stratum]))
    return draws.as_dataset(unanswered)


def dga_grid(seen):
    """Give the grid that the R package dga is commonly used with: 1,000 steps from 1 to 30 times the people seen.

    Parameters
    ----------
    seen : int
        People on at least one list.

    Returns
    -------
    ndarray of float64
    """
    return np.round(np.linspace(1, 30 * seen, 1000))


def posterior(counts, unseen=None):
    """Average over all decomposable graphs, for one table.

    Parameters
    ----------
    counts : array_like of int, shape (2**lists,)
        People by cell, bit j of the cell's number set if on list j. Cell 0 is not read.
    unseen : array_like, optional
        Numbers of people on no list that are taken to be the only possible ones, ascending, such as
        :func:`dga_grid`. By default every number is possible.

    Returns
    -------
    Posterior

    Raises
    ------
    ValueError
        The table is not one of 3 to 7 lists, or is empty.
    """
    counts = np.asarray(counts, dtype=np.float64).copy()
    counts[0] = 0.0
    if counts.sum() <= 0:
        raise ValueError("the table is empty")
    table = _Table(counts)
    if unseen is not None:
        unseen = np.asarray(unseen, dtype=np.float64)
        return _summed(table, unseen, np.zeros(len(unseen)), None)
    end = 1e3 * (table.seen + 1)
    while True:
        grid, kept = _resolved_grid(table, end)
        answer = _summed(table, grid, np.log(_steps(grid)), kept)
        density = answer.mass[-1] / np.exp(answer.log_steps[-1])
        # The posterior falls at least as fast as u^-1.8, so what lies beyond is less than twice this.
        if density * grid[-1] < _TAIL or end >= _FARTHEST:
            return answer
        end = min(1e3 * end, _FARTHEST)


# The score of each graph


class _Table:
    """What the score needs of one table: for each set of lists, the constant of its term and those not on it."""

    def __init__(self, counts):
        self.n_lists = len(counts).bit_length() - 1
        self.graphs = all_graphs(self.n_lists)
        self.signs = _signs(self.n_lists)
        self.seen = counts.sum()
        sets, cells = np.arange(len(counts)), np.arange(len(counts))
        self.alpha = 0.5 ** np.bitwise_count(sets)
        self.missed, self.constant = np.zeros(len(counts)), np.zeros(len(counts))
        for members in sets[1:]:
            marginal = np.bincount(cells & members, weights=counts)
            found = marginal[1:][marginal[1:] > 0]
            alpha = self.alpha[members]
            self.missed[members] = marginal[0]
            self.constant[members] = (gammaln(found + alpha) - gammaln(alpha)).sum() - gammaln(alpha)

    def terms(self, unseen):
        """The terms f of all sets, (set, step), and what all graphs share, (step,)."""
        first = unseen + (self.missed + self.alpha)[:, None]
        terms = self.constant[:, None] - _log_rise(first, unseen + self.seen + 1 - first)
        terms[0] = 0.0
        return terms, _log_rise(unseen + 1, self.seen) - np.log(unseen + self.seen)


@functools.lru_cache(maxsize=2)
def _signs(n_lists):
    """Which terms each graph adds (cliques) and takes away (separators): sparse, (graph, set)."""
    graphs = all_graphs(n_lists)
    sets = np.hstack([graphs.cliques, graphs.separators])
    used = sets != 0
    signs = np.repeat([1.0, -1.0], n_lists)
    ends = np.concatenate([[0], np.cumsum(used.sum(axis=1))])
    # Row by row, so that nothing has to be sorted; a separator that occurs twice counts twice.
    return sparse.csr_array(
        (np.broadcast_to(signs, sets.shape)[used], sets[used].astype(np.int32), ends),
        shape=(len(sets), 2**n_lists),
    )


def _log_rise(x, d):
    """Find log Gamma(x + d) - log Gamma(x), also where both are so large that digits would be lost."""
    x, d = np.broadcast_arrays(x, d)
    small = x < 20
    large = np.where(small, 20.0, x)
    end = large + d
    # Stirling's series; its next term is below 1e-12 here.
    rise = (large - 0.5) * np.log1p(d / large) + d * (np.log(end) - 1) + _stirling(end) - _stirling(large)
    return np.where(small, gammaln(x + d) - gammaln(x), rise)


def _stirling(x):
    square = x * x
    return (1 / 12 - (1 / 360 - (1 / 1260 - 1 / (1680 * square)) / square) / square) / x


def _chunks(n_graphs, n_steps):
    size = max(1, _CHUNK // n_steps)
    return (slice(first, first + size) for first in range(0, n_graphs, size))


def _summed(table, unseen, log_steps, kept):
    """Sum the posterior over a grid; `kept` are the graphs that matter, or None for all."""
    terms, alone = table.terms(unseen)
    signs = table.signs if kept is None else table.signs[kept]
    mass, of_graph = np.zeros(len(unseen)), np.zeros(signs.shape[0])
    reference = -np.inf
    for chunk in _chunks(signs.shape[0], len(unseen)):
        score = signs[chunk] @ terms
        score += alone + log_steps
        highest = score.max()
        if highest > reference:
            # All that was summed so far is brought to the new scale.
            scale = np.exp(reference - highest)
            mass, of_graph, reference = mass * scale, of_graph * scale, highest
        np.exp(np.subtract(score, reference, out=score), out=score)
        mass += score.sum(axis=0)
        of_graph[chunk] = score.sum(axis=1)
    graph_mass = np.zeros(table.signs.shape[0])
    graph_mass[slice(None) if kept is None else kept] = of_graph / of_graph.sum()
    return Posterior(
        seen=int(table.seen),
        unseen=unseen,
        mass=mass / mass.sum(),
        graphs=table.graphs,
        graph_mass=graph_mass,
        log_steps=log_steps,
        terms=terms,
        alone=alone,
    )


# The grid


def _steps(grid):
    """How many whole numbers each step stands for: the trapezoid rule, in which whole numbers side by side count 1."""
    gaps = np.diff(grid) / 2
    return np.concatenate([[0.5], gaps]) + np.concatenate([gaps, [0.5]])


def _resolved_grid(table, end):
    """Refine a coarse grid up to `end` until the peak of every graph that matters is resolved.

    Returns
    -------
    grid : ndarray of float64, shape (step,)
    kept : ndarray of int64
        The graphs that matter.
    """
    grid = np.unique(np.round(np.concatenate([np.arange(17), np.exp(np.arange(2.8, np.log(end), _FIRST_STEP)), [end]])))
    kept = np.arange(table.signs.shape[0])
    while True:
        peaks = _peaks(table, kept, grid)
        worst, best = peaks.at_most - peaks.at_least.max(), peaks.at_least.max()
        kept, peaks = kept[worst > -_NEGLIGIBLE], peaks.of(worst > -_NEGLIGIBLE)
        finer = _refined(grid, peaks.of(peaks.at_most > best - 2 * _NEGLIGIBLE / 3))
        if len(finer) == len(grid):
            return grid, kept
        grid = finer


@dataclass
class _Peaks:
    """Where each graph's score peaks on the scale log(u + 1), how wide, and bounds of its log mass; all (graph,)."""

    step: np.ndarray
    place: np.ndarray
    width: np.ndarray
    at_least: np.ndarray
    at_most: np.ndarray

    def of(self, chosen):
        """Give those of some graphs."""
        return _Peaks(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def _peaks(table, kept, grid):
    """Fit a parabola through the highest step of each graph and its neighbours."""
    terms, alone = table.terms(grid)
    scale = np.log1p(grid)
    log_steps = np.log(_steps(grid))
    signs = table.signs[kept]
    parts = []
    for chunk in _chunks(len(kept), len(grid)):
        score = signs[chunk] @ terms
        score += alone
        step = score.argmax(axis=1)
        row, middle = np.arange(len(step)), np.clip(step, 1, len(grid) - 2)
        x = [scale[middle + shift] for shift in (-1, 0, 1)]
        y = [score[row, middle + shift] for shift in (-1, 0, 1)]
        place, width, gain = _parabola(x, y, inside=middle == step)
        highest = score[row, step]
        score += log_steps
        # The peak may rise above the grid: twice what the parabola says is a bound in all but name.
        parts.append((step, place, width, highest, _log_sum(score) + 2 * gain))
    return _Peaks(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _log_sum(score):
    highest = score.max(axis=1)
    np.exp(np.subtract(score, highest[:, None], out=score), out=score)
    return highest + np.log(score.sum(axis=1))


def _parabola(x, y, inside):
    """Place, standard deviation and extra height of the peak; at the edge of the grid there is nothing to resolve."""
    before, after = (y[1] - y[0]) / (x[1] - x[0]), (y[2] - y[1]) / (x[2] - x[1])
    bend = (before - after) / (x[2] - x[0])
    slope = (before * (x[2] - x[1]) + after * (x[1] - x[0])) / (x[2] - x[0])
    inside = inside & (bend > 0)
    bend = np.where(inside, bend, 1.0)
    place = np.where(inside, x[1] + slope / (2 * bend), x[1])
    return place, np.where(inside, 1 / np.sqrt(2 * bend), np.inf), np.where(inside, slope**2 / (4 * bend), 0.0)


def _refined(grid, peaks):
    """Cut the steps around peaks that are too coarse for them."""
    scale = np.log1p(grid)
    needed = _needed_steps(scale, peaks)
    with np.errstate(invalid="ignore"):
        parts = np.clip(np.ceil(np.diff(scale) / needed), 1, _MOST_PARTS)
    parts = np.minimum(parts, np.diff(grid)).astype(int)
    new = [grid]
    for place in np.flatnonzero(parts > 1):
        new.append(np.round(np.expm1(np.linspace(scale[place], scale[place + 1], parts[place] + 1)[1:-1])))
    return np.unique(np.concatenate(new))


def _needed_steps(scale, peaks):
    """The step that each interval of the grid needs, on the scale log(u + 1); infinite where any will do."""
    narrow = np.isfinite(peaks.width)
    step, place, width = peaks.step[narrow], peaks.place[narrow], peaks.width[narrow]
    low = np.minimum(np.searchsorted(scale, place - _SPAN * width, side="right") - 1, step - 1)
    high = np.maximum(np.searchsorted(scale, place + _SPAN * width), step + 1)
    low, high = np.maximum(low, 0), np.minimum(high, len(scale) - 1)
    needed = np.full(len(scale) - 1, np.inf)
    # Many graphs peak at the same place: the narrowest speaks for all.
    spans, which = np.unique(low * len(scale) + high, return_inverse=True)
    narrowest = np.full(len(spans), np.inf)
    np.minimum.at(narrowest, which, width)
    for span, least in zip(spans, narrowest, strict=True):
        where = slice(span // len(scale), span % len(scale))
        needed[where] = np.minimum(needed[where], _RESOLVED * least)
    return needed


# Draws


class _Draws:
    """The arrays of the answer, filled stratum by stratum."""

    def __init__(self, histories, settings):
        self.histories = histories
        self.chains, self.draws = settings["sampling"]["exact"]["chains"], settings["sampling"]["exact"]["draws"]
        self.dial = float(settings.get("unseen_odds") or 0.0)
        size, strata, lists = self.chains * self.draws, len(histories.stratum_names), histories.n_lists
        self.unseen, self.seen = np.full((size, strata), np.nan), np.full((size, strata), np.nan)
        self.cell_rate = np.full((size, strata, 2**lists - 1), np.nan)
        self.graph_probability = np.full((strata, TOP_GRAPHS), np.nan)
        self.graph = np.full((strata, TOP_GRAPHS), "", dtype=object)
        self.link_probability = np.full((strata, lists, lists), np.nan)

    def tables(self, rng):
        """Draw which table each draw is from; (draw,)."""
        return rng.choice(len(self.histories.weights), size=len(self.unseen), p=self.histories.weights)

    def as_dataset(self, unanswered):
        """Give the answer as :func:`fit` describes it."""
        import xarray as xr

        names = list(self.histories.stratum_names)
        draws, lists = ("chain", "draw"), self.histories.n_lists
        shape = (self.chains, self.draws)
        unseen, seen = self.unseen.reshape(*shape, -1), self.seen.reshape(*shape, -1)
        rates = self.cell_rate.reshape(*shape, *self.cell_rate.shape[1:])
        return xr.Dataset(
            {
                "total": (draws, (seen + unseen).sum(axis=2)),
                "total_by_stratum": ((*draws, "stratum"), seen + unseen),
                "unseen": (draws, unseen.sum(axis=2)),
                "unseen_by_stratum": ((*draws, "stratum"), unseen),
                "cell_rate": (("chain", "kept", "stratum", "cell"), thinned(rates)),
                "graph_probability": (("stratum", "rank"), self.graph_probability),
                "graph": (("stratum", "rank"), self.graph.astype(str)),
                "link_probability": (("stratum", "list", "other_list"), self.link_probability),
                "no_answer": ("stratum", np.array([unanswered.get(i, "") for i in range(len(names))], dtype=str)),
            },
            coords={
                "chain": np.arange(self.chains),
                "draw": np.arange(self.draws),
                "stratum": names,
                "cell": ["".join(str(cell >> j & 1) for j in range(lists)) for cell in range(1, 2**lists)],
                "rank": np.arange(1, TOP_GRAPHS + 1),
                "list": list(self.histories.lists),
                "other_list": list(self.histories.lists),
            },
        )


def _refuse_other_numbers_of_lists(lists):
    if not FEWEST_LISTS <= len(lists) <= MOST_LISTS:
        raise UserError(
            f"decomposable graphs are averaged over {FEWEST_LISTS} to {MOST_LISTS} lists, and there are {len(lists)}",
            where="config, key lists",
            do="leave this model out, or merge lists",
        )


def _no_answer(histories):
    """Which strata have no answer by this model, and why: stratum number to text."""
    reasons = {}
    for stratum in range(len(histories.stratum_names)):
        existing = _existing_lists(histories, stratum)
        if len(existing) < FEWEST_LISTS:
            reasons[stratum] = f"only {len(existing)} of the lists existed there"
        elif not histories.possible[stratum, _cells_of(existing)].all():
            reasons[stratum] = "combinations of lists that cannot be do not fit a decomposable graph"
    return reasons | not_estimable_alone(histories)


def _existing_lists(histories, stratum):
    """The lists that can hold anyone in a stratum."""
    cells = np.arange(2**histories.n_lists)
    return [j for j in range(histories.n_lists) if histories.possible[stratum, cells >> j & 1 == 1].any()]


def _cells_of(lists):
    """The cells, in the numbering of all lists, of the table of some lists."""
    cells = np.arange(2 ** len(lists))
    return sum((cells >> place & 1) << j for place, j in enumerate(lists))


def _fit_stratum(draws, stratum, from_table, rng):
    histories = draws.histories
    existing = _existing_lists(histories, stratum)
    cells = _cells_of(existing)
    draws.cell_rate[:, stratum] = 0.0
    graph_mass, links = 0.0, 0.0
    for table, weight in enumerate(histories.weights):
        counts = histories.counts[table, stratum, cells]
        answer = posterior(counts)
        graph_mass, links = graph_mass + weight * answer.graph_mass, links + weight * answer.link_probability()
        mine = np.flatnonzero(from_table == table)
        # What is drawn comes sorted by graph: in an order of its own, chains are alike.
        mine = rng.permutation(mine)
        rates, unseen = _draw_people(answer, counts, len(mine), draws.dial, rng)
        draws.cell_rate[mine[:, None], stratum, cells[1:] - 1] = rates
        draws.unseen[mine, stratum], draws.seen[mine, stratum] = unseen, answer.seen
    draws.link_probability[stratum][np.ix_(existing, existing)] = links
    names = [histories.lists[j] for j in existing]
    for rank, graph in enumerate(np.argsort(-graph_mass, kind="stable")[:TOP_GRAPHS]):
        draws.graph_probability[stratum, rank] = graph_mass[graph]
        draws.graph[stratum, rank] = cliques_as_text(answer.graphs.cliques[graph], names)


def _draw_people(answer, counts, how_many, dial, rng):
    """Draw expected counts of the cells, (draw, cell), and people on no list, (draw,)."""
    log_probability = _draw_cells(answer, counts, how_many, rng)
    log_seen = logsumexp(log_probability[:, 1:], axis=1)
    seen = rng.standard_gamma(answer.seen, size=how_many)
    rates = seen[:, None] * np.exp(log_probability[:, 1:] - log_seen[:, None])
    expected = seen * np.exp(log_probability[:, 0] - log_seen + dial)
    # The Poisson of NumPy ends near 1e19, and its spread is no longer worth a thought well before.
    unseen = np.where(expected < _FARTHEST, rng.poisson(np.minimum(expected, _FARTHEST)), np.round(expected))
    return rates, unseen


def _draw_cells(answer, counts, how_many, rng):
    """Draw the logarithms of the probabilities of all cells; (draw, cell).

    Given the graph, each list's probability given its neighbours among those removed after it is a beta variable,
    independent of the others (the strong hyper Markov property; Dawid and Lauritzen 1993, sec. 3).
    """
    graph, unseen = answer.draw(how_many, rng)
    cells = np.arange(len(counts))
    log_probability = np.zeros((how_many, len(counts)))
    for number in np.unique(graph):
        mine = slice(*np.searchsorted(graph, [number, number + 1]))
        for vertex, around in elimination_order(int(answer.graphs.edges[number]), answer.graphs.n_lists):
            given = _draw_list(counts, vertex, around, unseen[mine], rng)
            log_probability[mine] += given[:, cells & (around | 1 << vertex)]
    return log_probability


def _draw_list(counts, vertex, around, unseen, rng):
    """Draw the log probability of being on a list, or not, given the lists `around`; (draw, cell of these lists)."""
    members = around | 1 << vertex
    cells = np.arange(len(counts))
    people = np.bincount(cells & members, weights=counts, minlength=len(counts))
    used = np.flatnonzero(cells & members == cells)
    shape = np.repeat(people[used][None], len(unseen), axis=0) + 0.5 ** members.bit_count()
    shape[:, 0] += unseen
    # A gamma variable of small shape is often too small for a float, its logarithm is not (Stuart's theorem).
    log_gamma = np.log(rng.standard_gamma(shape + 1)) - rng.standard_exponential(shape.shape) / shape
    drawn = np.zeros((len(unseen), len(counts)))
    drawn[:, used] = log_gamma
    without, with_it = used[used >> vertex & 1 == 0], used[used >> vertex & 1 == 1]
    both = np.logaddexp(drawn[:, without], drawn[:, with_it])
    drawn[:, without] -= both
    drawn[:, with_it] -= both
    return drawn
