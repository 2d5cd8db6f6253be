r"""Older answers, for comparison: log-linear models by maximum likelihood, and Chao's lower bound.

None of these is fitted to be believed: their intervals take one model for certain. They are here because published
work reports them.

Log-linear models
    Lists :math:`A` that a person is on make up a cell; :math:`n_A` people were seen in it. With a term for some sets of
    lists (Fienberg 1972, Biometrika 59:591; Cormack 1989, Biometrics 45:395):

    .. math::
        n_A &\sim \mathrm{Poisson}(\mu_A), \quad \log \mu_A = \textstyle\sum_{T \in M, \, T \le A} \beta_T \\
        \hat N &= n + e^{\hat\beta_0}

    :math:`T \le A` says that all lists of :math:`T` are in :math:`A`; :math:`\beta_0` is the term of no list, which is
    all that the cell of those on no list has. The sets :math:`M` of a model hold every list, and with a set every part
    of it (the model is hierarchical), but not the set of all lists, whose term nothing could tell from
    :math:`\beta_0`. *Independence* has no term for two lists or more.

Choice of a model
    The one with the smallest :math:`\mathrm{BIC} = -2 \log L + k \log n` (Schwarz 1978, Ann. Stat. 6:461), :math:`k`
    the terms of its formula. For up to four lists all hierarchical models are compared (8 and 113 for three and four).
    With *pairs only*, :math:`M` holds no set of more than two lists: all subsets of the pairs are compared for up to
    five lists, and for more lists terms come and go one at a time for as long as BIC falls. For five lists in one
    stratum all 6,893 hierarchical models are compared as well.

Estimates that do not exist
    Where nobody is on all lists of :math:`T`, :math:`\hat\beta_T` is minus infinity: such cells are fitted by zero and
    left out with their terms, which still count in :math:`k` (Chan, Silverman and Vincent 2021, J. Am. Stat. Assoc.
    116:1297). A model whose :math:`\hat\beta_0` then is not determined by the cells that are left, or runs to infinity,
    has no estimate, and is not compared with the others (Fienberg and Rinaldo 2012, Ann. Stat. 40:996).

Interval
    All :math:`N` whose multinomial likelihood, the other terms at their best, comes within
    :math:`\chi^2_1 / 2` of the largest (Cormack 1992, Biometrics 48:567), under the one model:

    .. math::
        \ell(N) = \log \frac{N!}{(N - n)!} + \textstyle\sum_A n_A \log (\hat\mu_A(N) / N)

    where the sum has the cell of no list, :math:`n_0 = N - n`, too.

Chao's lower bound
    If people differ in how easily they are found, but in no other way depend on what lists found them, then lists
    fitted as independent to those who are on one list or two understate the rest (Chao 1987, Biometrics 43:783; in this
    form, with lists of different size, Rivest and Baillargeon 2007, Biometrics 63:999). With lists of the same size it
    is :math:`n + \frac{L - 1}{2 L} f_1^2 / f_2`, :math:`f_i` people being on :math:`i` lists.
"""

import itertools
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.optimize import brentq, minimize_scalar
from scipy.special import gammaln
from scipy.stats import chi2

from uncounted.evidence.histories import not_estimable_alone, spread_blanks
from uncounted.models.decomposable_graphs import cliques_as_text
from uncounted.models.two_lists import chapman, lincoln_petersen

LABELS = {
    "independence": "Independent lists (Poisson regression)",
    "best_bic": "Log-linear, best BIC of all hierarchical models",
    "best_bic_pairs": "Log-linear, best BIC, pairs only",
    "chao_lower_bound": "Chao's lower bound",
    "lincoln_petersen": "Lincoln-Petersen",
    "chapman": "Chapman",
}
"""The methods, in the order of the table."""

COLUMNS = ("method", "stratum", "estimate", "lower", "upper", "level", "detail")

_CLOSE = 2.0
"""Models whose BIC comes this close to the best are no worse to speak of (Raftery 1995, Sociol. Methodol. 25:111)."""

_LEAST, _MOST = 0.01, 1e8
"""An estimate of the unseen below so many people, or above so many for each person seen, is taken not to exist."""

_ITERATIONS = 30
_NUMBERS_AT_ONCE = 4_000_000


def fit(histories, level=0.95):
    """Apply the older methods to each stratum, and to all strata added up.

    Parameters
    ----------
    histories : Histories
        People whose stratum is not known are spread (:func:`spread_blanks`). Of several tables, the weighted mean of
        their counts is taken: the intervals do not know of the differences between them.
    level : float, optional
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        `method` (a key of :data:`LABELS`), `stratum`, `estimate`, `lower`, `upper` (people, seen and unseen; missing
        where there is no estimate, infinite where the likelihood sets no upper end), `level`, and `detail`: the model's
        formula, and what else has to be known. With several strata, stratum "all" is the table of all people, not a sum
        of estimates.
    """
    histories = spread_blanks(histories)
    rows = _rows(histories, level, all_orders=not histories.strata)
    if histories.strata:
        rows += _rows(_added_up(histories), level, all_orders=True, note="strata added up before the fit")
    return pd.DataFrame(rows, columns=list(COLUMNS))


def log_linear(counts, terms, possible=None, level=0.95):
    """Fit one hierarchical log-linear model by maximum likelihood.

    Parameters
    ----------
    counts : array_like, shape (2**lists,)
        People by cell, bit j of the cell's number set if on list j. Cell 0 is not read.
    terms : iterable of int
        Sets of two lists or more, as numbers like those of cells, that have a term. Single lists always have one, and
        so has every part of a set named.
    possible : array_like of bool, shape (2**lists,), optional
        False for cells that cannot hold anybody.
    level : float, optional
        Of the interval.

    Returns
    -------
    tuple of float
        Estimate, lower and upper end: people, seen and unseen; all missing where the estimate does not exist.
    """
    table = _Table(counts, possible)
    parts = {part for term in terms for part in range(1, term + 1) if part & term == part}
    fitted = _fitted(table, *table.models([frozenset(part for part in parts if part.bit_count() > 1)]))
    return (table.seen + fitted.unseen[0], *_interval(table, fitted, 0, level))


def chao_lower_bound(counts, possible=None, level=0.95):
    """Estimate the least number of people, should they differ in how easily they are found.

    Parameters
    ----------
    counts, possible, level
        As for :func:`log_linear`.

    Returns
    -------
    tuple of float
        Estimate, lower and upper end: people, seen and unseen; all missing where nobody is on two lists.
    """
    table = _Table(counts, possible)
    fitted = _fitted(table, *table.models([frozenset()]), at_most=2)
    return (table.seen + fitted.unseen[0], *_interval(table, fitted, 0, level))


# The rows of the table


def _rows(histories, level, all_orders, note=""):
    rows = []
    counts = np.tensordot(histories.weights, histories.counts, axes=1)
    reasons = not_estimable_alone(histories)
    for stratum, name in enumerate(histories.stratum_names):
        if stratum in reasons:
            answers = [(method, (np.nan,) * 3, reasons[stratum]) for method in _methods(histories.n_lists, all_orders)]
        elif histories.n_lists == 2:
            answers = _two_list_answers(counts[stratum], level)
        else:
            table = _Table(counts[stratum], histories.possible[stratum])
            answers = _answers(table, histories.lists, level, all_orders)
        for method, numbers, detail in answers:
            said = "; ".join(text for text in (detail, note, _on_tables(histories)) if text)
            rows.append((method, name, *map(float, numbers), level, said))
    return rows


def _on_tables(histories):
    return f"mean of {len(histories.weights)} tables" if len(histories.weights) > 1 else ""


def _methods(n_lists, all_orders):
    """The methods that fit a study of so many lists."""
    if n_lists == 2:
        return ["lincoln_petersen", "chapman"]
    methods = ["independence", "chao_lower_bound"]
    if n_lists <= 4 or (n_lists == 5 and all_orders):
        methods.append("best_bic")
    if n_lists > 3:
        methods.append("best_bic_pairs")
    return [method for method in LABELS if method in methods]


def _two_list_answers(counts, level):
    """Lincoln-Petersen and Chapman, each with its interval."""
    only_first, only_second, both = counts[1:4]
    sizes = only_first + both, only_second + both, both
    return [
        ("lincoln_petersen", lincoln_petersen(*sizes, level=level), "the lists are taken to be independent"),
        ("chapman", chapman(*sizes, level=level), "the lists are taken to be independent"),
    ]


def _answers(table, lists, level, all_orders):
    answers = []
    for method in _methods(table.n_lists, all_orders):
        if method == "independence":
            answers.append((method, log_linear(table.counts, (), table.possible, level), _formula(frozenset(), lists)))
        elif method == "chao_lower_bound":
            answers.append((method, chao_lower_bound(table.counts, table.possible, level), "people on one list or two"))
        else:
            answers.append((method, *_best_by_bic(table, lists, level, pairs_only=method == "best_bic_pairs")))
    return answers


def _best_by_bic(table, lists, level, pairs_only):
    """The model with the smallest BIC: its numbers, and its formula with how clear the choice was."""
    if pairs_only and table.n_lists > 5:
        models, fitted = _stepwise(table)
    else:
        models = _pair_models(table.n_lists) if pairs_only else hierarchical_models(table.n_lists)
        fitted = _fitted(table, *table.models(models))
    best = int(np.argmin(fitted.bic))
    if not np.isfinite(fitted.bic[best]):
        return (np.nan,) * 3, "no model has an estimate"
    close = table.seen + fitted.unseen[fitted.bic < fitted.bic[best] + _CLOSE]
    said = [_formula(models[best], lists)]
    if len(close) > 1:
        said.append(f"{len(close)} models within {_CLOSE:.0f} of its BIC give {close.min():,.0f} to {close.max():,.0f}")
    without = int(np.isinf(fitted.bic).sum())
    if without:
        said.append(f"{without} of {len(models)} models have no estimate")
    return (table.seen + fitted.unseen[best], *_interval(table, fitted, best, level)), "; ".join(said)


def _formula(model, lists):
    """The largest sets of a model, such as "[EXH ABA OSCE] [EXH HRW]"."""
    sets = [1 << j for j in range(len(lists))] + list(model)
    largest = [one for one in sets if not any(one != other and one & other == one for other in sets)]
    return cliques_as_text(largest, lists)


def _added_up(histories):
    """One stratum from all."""
    return replace(
        histories,
        strata=(),
        labels=((),),
        counts=histories.counts.sum(axis=1, keepdims=True),
        blank_strata=np.zeros((0, 1), dtype=bool),
        possible=histories.possible.any(axis=0, keepdims=True),
    )


# The models that are compared; each is the set of its sets of two lists or more


def hierarchical_models(n_lists):
    """List all hierarchical models that have a term for each list, and none for all lists together.

    Parameters
    ----------
    n_lists : int
        Up to 5: 1, 8, 113, 6,893 models for 2 to 5 lists.

    Returns
    -------
    list of frozenset of int
        The sets of two lists or more that have a term in each.
    """
    sets = [one for one in range(1, 2**n_lists - 1) if one.bit_count() > 1]
    models = [frozenset()]
    # Small sets first, so that the parts of a set have been decided on when it is its turn.
    for new in sorted(sets, key=int.bit_count):
        parts = [one for one in sets if one != new and one & new == one]
        models += [model | {new} for model in models if model.issuperset(parts)]
    return models


def _pair_models(n_lists):
    pairs = _pairs(n_lists)
    return [frozenset(some) for size in range(len(pairs) + 1) for some in itertools.combinations(pairs, size)]


def _pairs(n_lists):
    return [1 << i | 1 << j for i, j in itertools.combinations(range(n_lists), 2)]


def _stepwise(table):
    """Add a pair, or take one out, for as long as BIC falls; all models that were tried."""
    models, parts = [frozenset()], []
    fitted = _fitted(table, *table.models(models))
    current, lowest = models[0], fitted.bic[0]
    parts.append(fitted)
    while True:
        tried = set(models)
        around = [current ^ {pair} for pair in _pairs(table.n_lists)]
        around = [model for model in around if model not in tried]
        if not around:
            break
        fitted = _fitted(table, *table.models(around))
        models, parts = models + around, [*parts, fitted]
        best = int(np.argmin(fitted.bic))
        if not fitted.bic[best] < lowest:
            break
        current, lowest = around[best], fitted.bic[best]
    return models, _Fitted.joined(parts)


# Maximum likelihood, many models at once


class _Table:
    """The counts of one stratum, and the designs of models for them."""

    def __init__(self, counts, possible=None):
        self.counts = np.asarray(counts, dtype=np.float64).copy()
        self.counts[0] = 0.0
        self.n_lists = len(self.counts).bit_length() - 1
        self.seen = self.counts.sum()
        self.possible = np.ones(len(self.counts), dtype=bool) if possible is None else np.asarray(possible, dtype=bool)
        cells = np.arange(len(self.counts))
        self.contains = ((cells[:, None] & cells) == cells).astype(np.float64)

    def models(self, models):
        """The terms that occur in any of some models, (term,), and which of them occur in each, (model, term)."""
        single = [0] + [1 << j for j in range(self.n_lists)]
        terms = np.array(single + sorted(set().union(*models)))
        place = {int(term): i for i, term in enumerate(terms)}
        active = np.zeros((len(models), len(terms)), dtype=bool)
        active[:, : len(single)] = True
        for row, model in zip(active, models, strict=True):
            row[[place[term] for term in model]] = True
        return terms, active


@dataclass(frozen=True)
class _Fitted:
    """Some models, fitted to one table; all arrays (model, ...)."""

    unseen: np.ndarray
    bic: np.ndarray
    designs: list

    @staticmethod
    def joined(parts):
        """Put several together."""
        return _Fitted(
            np.concatenate([part.unseen for part in parts]),
            np.concatenate([part.bic for part in parts]),
            [design for part in parts for design in part.designs],
        )


def _fitted(table, terms, active, at_most=None):
    """Fit models; `at_most` keeps those on so many lists at most."""
    cells = np.arange(len(table.counts))
    used = table.possible & (cells > 0)
    if at_most is not None:
        used &= np.bitwise_count(cells) <= at_most
    design = table.contains[:, terms]
    # Nobody on all lists of a term: the term is minus infinity, and every cell with it is fitted by zero.
    empty = active & ((table.counts * used) @ design == 0)
    keep = used & ~(empty.astype(np.float64) @ design.T > 0)
    kept = active & ~empty
    unseen, bic = np.full(len(active), np.nan), np.full(len(active), np.inf)
    there = np.flatnonzero(_determined(design, kept, keep, plain=table.possible.all()))
    size = max(1, _NUMBERS_AT_ONCE // len(terms) ** 2)
    for first in range(0, len(there), size):
        some = there[first : first + size]
        log_unseen, _, log_likelihood, found = _newton(table, table.counts, terms, kept[some], keep[some])
        some = some[found]
        unseen[some] = np.exp(log_unseen[found])
        bic[some] = active[some].sum(axis=1) * np.log(table.seen) - 2 * log_likelihood[found]
    return _Fitted(unseen, bic, [(terms, kept[i], keep[i]) for i in range(len(active))])


def _determined(design, active, keep, plain):
    """Whether the cells that are kept determine the term of no list; (model,)."""
    if plain:
        # With every cell its parts are kept too, and then it takes one cell more than there are terms besides it.
        return keep.sum(axis=1) >= active.sum(axis=1)
    nothing = np.zeros(design.shape[1])
    nothing[0] = 1.0
    determined = np.empty(len(active), dtype=bool)
    for i, (terms, cells) in enumerate(zip(active, keep, strict=True)):
        rows = design[cells] * terms
        determined[i] = np.linalg.matrix_rank(np.vstack([rows, nothing])) == np.linalg.matrix_rank(rows)
    return determined


def _newton(table, counts, terms, active, keep):
    """Fit Poisson regressions by Newton's method.

    Parameters
    ----------
    table : _Table
    counts : ndarray, shape (cell,)
    terms : ndarray of int, shape (term,)
    active : ndarray of bool, shape (model, term)
    keep : ndarray of bool, shape (model, cell)
        The cells that are fitted.

    Returns
    -------
    log_unseen : ndarray, shape (model,)
        The term of no list.
    predictor : ndarray, shape (model, cell)
        Logarithms of the fitted counts.
    log_likelihood : ndarray, shape (model,)
        Without what depends on the counts alone.
    found : ndarray of bool, shape (model,)
        False where the term of no list did not settle.
    """
    design = table.contains[:, terms]
    predictor = np.tile(np.log(counts + 0.5), (len(active), 1))
    mean = np.where(keep, counts + 0.5, 0.0)
    log_unseen, log_likelihood = np.zeros(len(active)), np.full(len(active), -np.inf)
    found = np.zeros(len(active), dtype=bool)
    left = np.arange(len(active))
    for _ in range(_ITERATIONS):
        response = predictor[left] * mean[left] + np.where(keep[left], counts - mean[left], 0.0)
        terms_of = _solved(_sums_over_sets(mean[left]), response @ design, terms, active[left])
        predictor[left] = np.clip(terms_of @ design.T, -80.0, 80.0)
        mean[left] = np.where(keep[left], np.exp(predictor[left]), 0.0)
        now = (np.where(keep[left], counts * predictor[left], 0.0) - mean[left]).sum(axis=1)
        moved = np.abs(terms_of[:, 0] - log_unseen[left])
        still = (np.abs(now - log_likelihood[left]) < 1e-9 * (1 + np.abs(now))) & (moved < 1e-6)
        log_unseen[left], log_likelihood[left] = terms_of[:, 0], now
        found[left[still]] = True
        left = left[~still]
        if not len(left):
            break
    # Steps that shrink to nothing far out are a flat likelihood, not a maximum.
    inside = (log_unseen > np.log(_LEAST)) & (log_unseen < np.log(_MOST * counts.sum()))
    return log_unseen, predictor, log_likelihood, found & inside


def _sums_over_sets(cells):
    """For each set of lists, add up the cells that hold it; (model, cell) to (model, set)."""
    sums = cells.copy()
    for j in range(cells.shape[1].bit_length() - 1):
        halves = sums.reshape(len(cells), -1, 2, 1 << j)
        halves[:, :, 0] += halves[:, :, 1]
    return sums


def _solved(margins, right, terms, active):
    """Solve the equations of one Newton step; margins are weights summed over the cells with a set, (model, set)."""
    matrix = margins[:, terms[:, None] | terms]
    matrix *= active[:, :, None] & active[:, None, :]
    diagonal = np.arange(len(terms))
    # The terms of other models are zero here; a trace keeps terms on their way to minus infinity from dividing by zero.
    trace = 1e-11 + 1e-14 * margins.max(axis=1, keepdims=True)
    matrix[:, diagonal, diagonal] += np.where(active, trace, 1.0)
    return np.linalg.solve(matrix, (right * active)[..., None])[..., 0]


# Intervals


def _interval(table, fitted, model, level):
    """Find the ends of the profile likelihood interval; missing where there is no estimate."""
    if not np.isfinite(fitted.bic[model]):
        return np.nan, np.nan
    estimate = np.log(fitted.unseen[model])

    def profile(log_unseen):
        return _profile(table, *fitted.designs[model], np.exp(log_unseen))

    # The multinomial likelihood peaks a little below the Poisson estimate.
    top = minimize_scalar(lambda x: -profile(x), bounds=(estimate - 1, estimate + 1), options={"xatol": 1e-7})
    top = top.x if -top.fun > profile(estimate) else estimate
    goal = profile(top) - chi2.ppf(level, 1) / 2
    low = _crossing(lambda x: profile(x) - goal, top, -1.0, np.log(_LEAST))
    high = _crossing(lambda x: profile(x) - goal, top, 1.0, np.log(_MOST * table.seen))
    return (
        table.seen + (0.0 if low is None else np.exp(low)),
        np.inf if high is None else table.seen + np.exp(high),
    )


def _crossing(height, start, step, limit):
    """Walk from the top until the height is below zero, and find where it passes zero; None if it never does."""
    inner = start
    while (limit - inner) * step > 0:
        outer = max(inner + step, limit) if step < 0 else min(inner + step, limit)
        if height(outer) < 0:
            return brentq(height, inner, outer, xtol=1e-6)
        inner, step = outer, 1.5 * step
    return None


def _profile(table, terms, active, keep, unseen):
    """Log likelihood of the number of people on no list, the terms at their best."""
    counts, keep = table.counts.copy(), keep.copy()
    counts[0], keep[0] = unseen, True
    _, predictor, _, _ = _newton(table, counts, terms, active[None], keep[None])
    people = table.seen + unseen
    return (counts * predictor[0])[keep].sum() + gammaln(people + 1) - gammaln(unseen + 1) - people * np.log(people)
