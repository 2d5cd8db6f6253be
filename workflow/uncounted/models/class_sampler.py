r"""Draws from the posterior of latent classes: Gibbs steps, and moves along the gradient among tempered copies.

The posterior of a mixture has several modes - as many classes as the data want, or one more, or the same classes in
other places - between which a walk along the gradient does not pass. Here each chain is a ladder of copies (Geyer 1991,
*Computing Science and Statistics: Proc. 23rd Symp. Interface*, 156), in which copy :math:`t` has the likelihood to the
power :math:`\beta_t = 0.72^t`: the hottest go where they like, and what they find is handed down by exchanges of
neighbouring copies. Only the copy with :math:`\beta_0 = 1` is kept.

The steps
    1. People are assigned to classes, those on no list among them; then coverage, places, concentration and sticks
       are drawn given who is where (as in LCMCR; Ishwaran and James 2001, sec. 5). Only at :math:`\beta = 1`. The
       concentration is drawn with the sticks integrated out, and classes change numbers (Papaspiliopoulos and Roberts
       2008, Biometrika 95:169, sec. 3.4).
    2. In every copy, with the classes of all people summed out and the concentration integrated out, a Hamiltonian move
       (Neal 2011, *Handbook of Markov Chain Monte Carlo*, ch. 5) of the coverage and the places of all classes at once,
       while as many of each class are seen as before: what is seen hardly says how many are not, and only a move of
       all classes together gets along there. Its masses depend on how many of a class are seen, which stays.
    3. In every copy, classes change numbers: by the prior of the shares a class in front of a larger one is hardly ever
       empty, so that a copy whose classes cannot change places cannot lose one. Then the shares of all classes from one
       on are drawn anew from their prior, and taken with the ratio of the likelihoods.
    4. In every copy, Metropolis-Hastings moves of one class: its coverage on one list, or on all, and its place; two
       classes that divide their weight anew; and a class that takes a part of the weight of another, near it, near a
       history that was seen, or anywhere.

Copies start with few classes of any weight or with many, at random: with many in all of them, chains that do not yet
lose classes as often as they find them would agree with each other all the same.

Without the concentration, the density of the shares :math:`\pi` is, with :math:`r_k = \sum_{l \ge k} \pi_l`,

.. math::
    p(\pi) \propto (b - \log \pi_K)^{-(a + K - 1)} \, \pi_K^{-1} \prod_{k<K} r_k^{-1}

Shares are kept on the log scale and not normalised: a class may have a share of :math:`e^{-1000}`. Hamiltonian moves
are made in :math:`\operatorname{logit} \lambda_{k,j}`, and in the logarithms of unit exponential variables of which the
:math:`\psi_{k,g}` are the parts (Devroye 1986, *Non-Uniform Random Variate Generation*, ch. XI.4).

All that is compiled is in this one file: numba compiles again what has changed, but not what calls it from elsewhere.
"""

import math
from pathlib import Path

import numba
import numpy as np

COPIES = 7
"""Tempered copies a chain: the hottest has the likelihood to the power 0.14."""

_POWER = 0.72
_EVERY = 3  # sweeps between two Hamiltonian moves of a copy
_LEAPS = 24  # at most, of a Hamiltonian move: how many is drawn evenly
_FIRST_STEP, _ACCEPTED, _ADAPTED_BY = 0.3, 0.8, 0.1
_INFORMATION = 0.1  # of a member of a class on the logit of its coverage p: p (1 - p) for a p of 0.11
_INFORMATION_OF_PRIOR = 0.3  # on the same: one over the variance of the logistic distribution
_TOO_FAR = 1e4
_MOVES_A_CLASS = 3
_STEEPEST = 3.0  # fall of the log weight from one class to the next, where copies start
_NEAR = 1.0  # standard deviation of the log odds of a class near another
_SHARES_ANYWHERE, _SHARES_NEAR = 0.2, 0.4  # of the proposed classes; the others are like a history
_SMALLEST_PART = 1e-6
_LOG_PARTS = math.log(1 / _SMALLEST_PART)
_LEAST_CONCENTRATION = 1e-9  # of the prior of Gamma(0.25, 0.25), 0.4 % are below
_LOWEST, _HIGHEST = 1e-12, 1 - 1e-12
_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)

_compiled = numba.njit(nogil=True, cache=True, error_model="numpy")


def is_compiled():
    """Whether the sampler has been compiled here before, in this process or another.

    Returns
    -------
    bool
    """
    return bool(advance.signatures) or any(Path(advance.stats.cache_path).glob("class_sampler.advance-*.nbi"))


@_compiled
def start(rng, counts, possible, existing, n_lists, classes):
    """Start all copies of a chain anywhere.

    Parameters
    ----------
    rng : numpy.random.Generator
    counts, possible : numpy.ndarray, (G, 2**L)
        People with each history, bit j of its number for list j; whether it can be seen. That of nobody seen comes
        first, and cannot.
    existing : numpy.ndarray, bool (G, L)
    n_lists, classes : int

    Returns
    -------
    coverage : numpy.ndarray, (copy, K, L)
    log_weight : numpy.ndarray, (copy, K)
        Shares of the classes, not normalised.
    place : numpy.ndarray, (copy, K, G)
        Share of each stratum in the class.
    rate : numpy.ndarray, (copy, K, G, 2**L)
        Weight of each cell in each class.
    order : numpy.ndarray of int, (copy,)
        Which copy stands on which step of the ladder.
    step_size : numpy.ndarray, (copy,)
        Of the Hamiltonian moves, by step of the ladder; :func:`tune` finds it.
    """
    strata, cells = counts.shape
    coverage = np.empty((COPIES, classes, n_lists))
    log_weight = np.empty((COPIES, classes))
    place = np.full((COPIES, classes, strata), 1.0 / strata)
    rate = np.empty((COPIES, classes, strata, cells))
    for copy in range(COPIES):
        log_weight[copy] = -_STEEPEST * rng.random() * np.arange(classes)
        for k in range(classes):
            for j in range(n_lists):
                coverage[copy, k, j] = _inside(rng.random())
            _fill(rate[copy, k], log_weight[copy, k], coverage[copy, k], place[copy, k], existing)
    return coverage, log_weight, place, rate, np.arange(COPIES), np.full(COPIES, _FIRST_STEP)


@_compiled
def tune(rng, state, counts, possible, existing, shape, rate_of_prior, sweeps):
    """Go on from a state, which is changed, and find the step sizes of the Hamiltonian moves. Nothing is kept.

    Parameters
    ----------
    rng, state, counts, possible, existing, shape, rate_of_prior, sweeps
        As for :func:`advance`.
    """
    step_size = state[5]
    alike = _strata_alike(possible, existing)
    seen = _histories_seen(counts)
    likely, accepted = np.empty(step_size.size), np.empty(step_size.size)
    for sweep in range(sweeps):
        accepted[:] = _ACCEPTED  # not every copy makes such a move in this sweep
        _sweep(sweep, rng, state, counts, possible, existing, alike, seen, shape, rate_of_prior, likely, accepted)
        step_size *= np.exp(_ADAPTED_BY * (accepted - _ACCEPTED))


@_compiled
def advance(rng, state, counts, possible, existing, shape, rate_of_prior, sweeps, draws):
    """Go on from a state, which is changed, and keep draws at even distances.

    Parameters
    ----------
    rng : numpy.random.Generator
    state : tuple
        As of :func:`start`.
    counts, possible, existing
        As for :func:`start`.
    shape, rate_of_prior : float
        Of the concentration's gamma prior.
    sweeps, draws : int
        As many `draws` are kept of so many `sweeps`.

    Returns
    -------
    log_rate : numpy.ndarray, (draw, G, 2**L)
        Log weight of each cell.
    log_concentration, log_prior, log_likelihood : numpy.ndarray, (draw,)
    """
    log_weight, rate, order = state[1], state[3], state[4]
    steps, classes, strata, cells = rate.shape
    log_rate = np.empty((draws, strata, cells))
    log_concentration, log_priors, log_likelihoods = np.empty(draws), np.empty(draws), np.empty(draws)
    alike, seen = _strata_alike(possible, existing), _histories_seen(counts)
    likely, accepted = np.empty(steps), np.empty(steps)
    total = np.empty((strata, cells))
    kept = 0
    for sweep in range(sweeps):
        _sweep(sweep, rng, state, counts, possible, existing, alike, seen, shape, rate_of_prior, likely, accepted)
        if (sweep + 1) * draws // sweeps > kept:
            copy = order[0]
            _add_up(rate[copy], total)
            log_rate[kept] = np.log(np.maximum(total, 1e-300))
            log_likelihoods[kept] = likely[0]
            log_priors[kept], log_sum = _log_prior_of_shares(log_weight[copy], shape, rate_of_prior)
            rest = log_weight[copy, classes - 1] - log_sum
            log_concentration[kept] = _log_gamma(rng, shape + classes - 1) - math.log(rate_of_prior - rest)
            kept += 1
    return log_rate, log_concentration, log_priors, log_likelihoods


@_compiled
def _sweep(sweep, rng, state, counts, possible, existing, alike, seen, shape, rate_of_prior, likely, accepted):
    """Move all copies, and exchange them; log likelihood, and probability of the Hamiltonian move, by step."""
    coverage, log_weight, place, rate, order, step_size = state
    cold = order[0]
    _assign_and_draw(
        rng, coverage[cold], log_weight[cold], place[cold], rate[cold], counts, possible, existing, shape,
        rate_of_prior,
    )  # fmt: skip
    for step in range(order.size):
        copy, power = order[step], _POWER**step
        if (sweep + step) % _EVERY == 0:
            accepted[step] = _move_all(
                rng, power, step_size[step], coverage[copy], log_weight[copy], place[copy], rate[copy], counts,
                possible, existing, alike, shape, rate_of_prior,
            )  # fmt: skip
        likely[step] = _move(
            rng, power, coverage[copy], log_weight[copy], place[copy], rate[copy], counts, possible, existing, seen,
            shape, rate_of_prior,
        )  # fmt: skip
    _exchange(rng, order, likely)


# Densities


@_compiled
def _fill(rate, log_weight, coverage, place, existing):
    """Weight of each cell in one class; (G, 2**L). A list that did not exist has nobody, and finds nobody missing."""
    for g in range(rate.shape[0]):
        rate[g, 0] = math.exp(log_weight) * place[g]
        _spread(rate[g], coverage, existing[g])


@_compiled
def _spread(cells, coverage, existing):
    """Spread what is in the first cell over all histories; (2**L,)."""
    many = 1
    for j in range(coverage.size):
        on, off = (coverage[j], 1 - coverage[j]) if existing[j] else (0.0, 1.0)
        for cell in range(many):
            cells[many + cell] = cells[cell] * on
            cells[cell] *= off
        many *= 2


@_compiled
def _add_up(rate, total):
    total[:] = 0.0
    for k in range(rate.shape[0]):
        total += rate[k]


@_compiled
def _log_likelihood(total, counts, possible):
    log_cells, visible, people = 0.0, 0.0, 0
    strata, cells = counts.shape
    for g in range(strata):
        for cell in range(cells):
            if possible[g, cell]:
                visible += total[g, cell]
                if counts[g, cell] > 0:
                    log_cells += counts[g, cell] * math.log(max(total[g, cell], 1e-300))
                    people += counts[g, cell]
    return log_cells - people * math.log(visible)


@_compiled
def _log_prior_of_shares(log_weight, shape, rate_of_prior):
    """Log density of the shares, the concentration integrated out; and the logarithm of the sum of the weights."""
    classes = log_weight.size
    left = log_weight[classes - 1]
    behind = 0.0
    for k in range(classes - 2, -1, -1):
        left = _log_add(left, log_weight[k])
        behind += left
    last = log_weight[classes - 1] - left
    density = -(shape + classes - 1) * math.log(rate_of_prior - last) - last - (behind - (classes - 1) * left)
    return density, left


@_compiled
def _log_add(a, b):
    high = max(a, b)
    return high + math.log1p(math.exp(min(a, b) - high))


@_compiled
def _log_sum(values):
    total = values[0]
    for value in values[1:]:
        total = _log_add(total, value)
    return total


@_compiled
def _logit(p):
    return math.log(p / (1 - p))


@_compiled
def _inside(p):
    return min(max(p, _LOWEST), _HIGHEST)


@_compiled
def _log_gamma(rng, shape):
    """Logarithm of a gamma variate, which itself may be below what a float can hold."""
    if shape < 1:
        return math.log(rng.standard_gamma(shape + 1)) - rng.standard_exponential() / shape
    return math.log(rng.standard_gamma(shape))


@_compiled
def _histories_seen(counts):
    """Numbers of the histories that somebody has."""
    return np.array([cell for cell in range(counts.shape[1]) if counts[:, cell].sum() > 0])


# Given who is in which class


@_compiled
def _assign_and_draw(rng, coverage, log_weight, place, rate, counts, possible, existing, shape, rate_of_prior):
    """Assign everyone to a class, then draw the classes."""
    classes, strata, _ = rate.shape
    on, off, where = _assign(rng, rate, counts, possible, existing, coverage.shape[1])
    members = where.sum(axis=1)
    _change_numbers(rng, log_weight, members, on, off, where)
    for k in range(classes):
        for j in range(coverage.shape[1]):
            found, missed = rng.standard_gamma(1 + on[k, j]), rng.standard_gamma(1 + off[k, j])
            coverage[k, j] = _inside(found / (found + missed))
        for g in range(strata):
            place[k, g] = rng.standard_gamma(1 + where[k, g])
        place[k] /= place[k].sum()
    concentration = _draw_concentration(rng, members, log_weight, shape, rate_of_prior)
    rest, left = members.sum(), 0.0
    for k in range(classes - 1):
        rest -= members[k]
        taken, others = _log_gamma(rng, 1 + members[k]), _log_gamma(rng, concentration + rest)
        both = _log_add(taken, others)
        log_weight[k] = left + taken - both
        left += others - both
    log_weight[classes - 1] = left
    for k in range(classes):
        _fill(rate[k], log_weight[k], coverage[k], place[k], existing)


@_compiled
def _assign(rng, rate, counts, possible, existing, n_lists):
    """Members of each class on each list, off it, and in each stratum: (K, L), (K, L), (K, G)."""
    classes, strata, cells = rate.shape
    total = np.zeros((strata, cells))
    _add_up(rate, total)
    visible, hidden = 0.0, 0.0
    for g in range(strata):
        for cell in range(cells):
            if possible[g, cell]:
                visible += total[g, cell]
            else:
                hidden += total[g, cell]
    # With the prior 1/N, those who cannot be seen are negative binomial: a Poisson number with a gamma mean.
    missing = rng.poisson(min(rng.standard_gamma(counts.sum()) * hidden / visible, 1e15))
    on, off, where = np.zeros((classes, n_lists)), np.zeros((classes, n_lists)), np.zeros((classes, strata))
    for g in range(strata):
        for cell in range(cells):
            people = counts[g, cell]
            if not possible[g, cell]:
                people = _share_out(rng, missing, total[g, cell], hidden)
                missing -= people
                hidden -= total[g, cell]
            left = total[g, cell]
            for k in range(classes):
                if people == 0:
                    break
                members = people if k == classes - 1 else _share_out(rng, people, rate[k, g, cell], left)
                people -= members
                left -= rate[k, g, cell]
                where[k, g] += members
                for j in range(n_lists):
                    if existing[g, j]:
                        if cell >> j & 1:
                            on[k, j] += members
                        else:
                            off[k, j] += members
    return on, off, where


@_compiled
def _share_out(rng, people, part, whole):
    """How many of so many people belong to a part of the whole."""
    if people == 0 or part <= 0.0:
        return 0
    if part >= whole:
        return people
    return rng.binomial(people, part / whole)


@_compiled
def _change_numbers(rng, log_weight, members, on, off, where):
    """Let pairs of classes change numbers, with all who are in them."""
    classes = log_weight.size
    for _ in range(classes):
        a, b = rng.integers(0, classes), rng.integers(0, classes)
        if math.log(rng.random()) < (log_weight[a] - log_weight[b]) * (members[b] - members[a]):
            _change_rows(on, a, b)
            _change_rows(off, a, b)
            _change_rows(where, a, b)
            members[a], members[b] = members[b], members[a]


@_compiled
def _change_rows(array, a, b):
    kept = array[a].copy()
    array[a] = array[b]
    array[b] = kept


@_compiled
def _draw_concentration(rng, members, log_weight, shape, rate_of_prior):
    """Draw the concentration given how many are in each class, the sticks integrated out."""
    classes = members.size
    last = log_weight[classes - 1] - _log_sum(log_weight)
    concentration = math.exp(_log_gamma(rng, shape + classes - 1)) / (rate_of_prior - last)
    for _ in range(3):
        proposed = concentration * math.exp(rng.standard_normal())
        gain = shape * math.log(proposed / concentration) - rate_of_prior * (proposed - concentration)
        gain += _log_partition(members, proposed) - _log_partition(members, concentration)
        if math.log(rng.random()) < gain:
            concentration = proposed
    return max(concentration, _LEAST_CONCENTRATION)


@_compiled
def _log_partition(members, concentration):
    rest, log_density = members.sum(), 0.0
    for k in range(members.size - 1):
        rest -= members[k]
        log_density += math.log(concentration) + math.lgamma(concentration + rest)
        log_density -= math.lgamma(1 + members[k] + concentration + rest)
    return log_density


# With the classes of people summed out: all classes at once


@_compiled
def _strata_alike(possible, existing):
    """The first stratum with the same lists and possible cells, for each; (G,)."""
    alike = np.arange(possible.shape[0])
    for g in range(alike.size):
        for other in range(g):
            if (possible[other] == possible[g]).all() and (existing[other] == existing[g]).all():
                alike[g] = other
                break
    return alike


@_compiled
def _move_all(
    rng, power, step_size, coverage, log_weight, place, rate, counts, possible, existing, alike, shape, of_prior
):
    """Move the coverage and places of all classes along the gradient; the probability with which that is accepted."""
    classes, n_lists = coverage.shape
    strata = place.shape[1]
    position, log_seen = _position(rng, coverage, log_weight, place, possible, existing)
    masses = _masses(power * counts.sum(), log_seen, n_lists, strata)
    momentum = np.empty(position.shape)
    for k in range(classes):
        for i in range(n_lists + strata):
            momentum[k, i] = math.sqrt(masses[k, i]) * rng.standard_normal()
    moved = np.empty(coverage.shape), np.empty(place.shape), np.empty(classes)
    room = (
        np.empty(rate.shape), np.empty(place.shape), np.empty(classes), np.empty(counts.shape), np.empty(counts.shape)
    )  # fmt: skip
    slope = np.empty(position.shape)
    step = step_size * (0.7 + 0.6 * rng.random())
    leaps = 1 + rng.integers(0, _LEAPS)
    start = now = 0.0
    for leap in range(leaps + 1):
        if leap > 0:
            position += step * momentum / masses
        now = _log_density(
            power, position, log_seen, counts, possible, existing, alike, shape, of_prior, moved, room, slope
        )
        if leap == 0:
            start = now - 0.5 * (momentum**2 / masses).sum()
        if not now > start - _TOO_FAR:
            return 0.0
        momentum += (0.5 if leap in (0, leaps) else 1.0) * step * slope
    gain = now - 0.5 * (momentum**2 / masses).sum() - start
    if math.log(rng.random()) < gain:
        coverage[:] = moved[0]
        place[:] = moved[1]
        log_weight[:] = moved[2]
        for k in range(classes):
            _fill(rate[k], log_weight[k], coverage[k], place[k], existing)
    return math.exp(min(gain, 0.0))


@_compiled
def _position(rng, coverage, log_weight, place, possible, existing):
    """Logits of coverage and logarithms of the exponential variables, (K, L + G); log weight of those seen, (K,)."""
    classes, n_lists = coverage.shape
    strata = place.shape[1]
    position, log_seen = np.empty((classes, n_lists + strata)), np.empty(classes)
    cells = np.empty(possible.shape)
    for k in range(classes):
        for j in range(n_lists):
            position[k, j] = _logit(coverage[k, j])
        log_sum = _log_gamma(rng, float(strata))
        for g in range(strata):
            position[k, n_lists + g] = math.log(max(place[k, g], 1e-300)) + log_sum
        _fill(cells, 0.0, coverage[k], place[k], existing)
        visible = 0.0
        for g in range(strata):
            for cell in range(cells.shape[1]):
                if possible[g, cell]:
                    visible += cells[g, cell]
        log_seen[k] = log_weight[k] + math.log(visible)
    return position, log_seen


@_compiled
def _masses(people, log_seen, n_lists, strata):
    """About how much is known of each part of a position, from how many of each class are seen; (K, L + G)."""
    log_sum = _log_sum(log_seen)
    masses = np.empty((log_seen.size, n_lists + strata))
    for k in range(log_seen.size):
        members = people * math.exp(log_seen[k] - log_sum)
        masses[k, :n_lists] = members * _INFORMATION + _INFORMATION_OF_PRIOR
        masses[k, n_lists:] = members / strata + 1.0
    return masses


@_compiled
def _log_density(power, position, log_seen, counts, possible, existing, alike, shape, of_prior, classes, room, slope):
    """Log density of a position while as many of each class are seen, but for a constant.

    Fills in `classes`, what the position stands for (coverage, place, log weight), and the slope of the density there.
    """
    coverage, place, log_weight = classes
    inside, visible, all_visible, total, _ = room
    log_density = 0.0
    total[:] = 0.0
    for k in range(log_weight.size):
        log_density += _unpack_class(k, position, coverage, place)
        all_visible[k] = _fill_inside(k, inside, visible, coverage, place, possible, existing, alike)
        log_weight[k] = log_seen[k] - math.log(all_visible[k])
        weight = math.exp(log_weight[k])
        for g in range(total.shape[0]):
            for cell in range(total.shape[1]):
                total[g, cell] += weight * place[k, g] * inside[k, alike[g], cell]
    # How many can be seen does not change: what is left of the likelihood is the share of each cell among them.
    for g in range(total.shape[0]):
        for cell in range(total.shape[1]):
            people = power * counts[g, cell] if possible[g, cell] else 0.0
            if people > 0.0:
                log_density += people * math.log(max(total[g, cell], 1e-300))
            total[g, cell] = people / max(total[g, cell], 1e-300)
    log_prior, log_sum = _log_prior_of_shares(log_weight, shape, of_prior)
    # Aitchison's Jacobian, as in :func:`_move`.
    log_density += log_prior + log_weight.sum() - log_weight.size * log_sum
    of_weight = _slope_of_shares(log_weight, log_sum, shape, of_prior)
    for k in range(log_weight.size):
        _slope_of_class(k, slope, of_weight[k], position, classes, room, possible, existing, alike)
    return log_density


@_compiled
def _unpack_class(k, position, coverage, place):
    """Fill in coverage and place of a class; the log density of its prior."""
    n_lists, strata = coverage.shape[1], place.shape[1]
    density, log_density, whole = 1.0, 0.0, 0.0
    for j in range(n_lists):
        coverage[k, j] = _inside(1 / (1 + math.exp(-position[k, j])))
        density *= coverage[k, j] * (1 - coverage[k, j])
    for g in range(strata):
        place[k, g] = math.exp(position[k, n_lists + g])
        log_density += position[k, n_lists + g] - place[k, g]
        whole += place[k, g]
    for g in range(strata):
        place[k, g] /= whole
    return log_density + math.log(density)


@_compiled
def _fill_inside(k, inside, visible, coverage, place, possible, existing, alike):
    """Fill in the probability of each history in a class, by stratum, and of being seen; the latter in all strata."""
    all_visible = 0.0
    for g in range(alike.size):
        if alike[g] == g:
            inside[k, g, 0] = 1.0
            _spread(inside[k, g], coverage[k], existing[g])
            seen = 0.0
            for cell in range(inside.shape[2]):
                if possible[g, cell]:
                    seen += inside[k, g, cell]
            visible[k, g] = seen
        else:
            visible[k, g] = visible[k, alike[g]]
        all_visible += place[k, g] * visible[k, g]
    return all_visible


@_compiled
def _slope_of_shares(log_weight, log_sum, shape, of_prior):
    """Slope of the log density of the shares, with Aitchison's Jacobian, along the log weights; (K,)."""
    classes = log_weight.size
    last = log_weight[classes - 1] - log_sum
    of_last = (shape + classes - 1) / (of_prior - last) - 1
    left, slope = np.empty(classes), np.empty(classes)
    left[classes - 1] = log_weight[classes - 1]
    for k in range(classes - 2, -1, -1):
        left[k] = _log_add(left[k + 1], log_weight[k])
    behind = -np.inf
    for k in range(classes):
        share = math.exp(log_weight[k] - log_sum)
        slope[k] = 1 - share - of_last * share
        if k < classes - 1:
            behind = -left[k] if k == 0 else _log_add(behind, -left[k])
        else:
            slope[k] += of_last
        if classes > 1:
            slope[k] -= math.exp(log_weight[k] + behind)
    return slope


@_compiled
def _slope_of_class(k, slope, of_weight, position, classes, room, possible, existing, alike):
    """Slope of the log density along the position of one class, whose weight follows from how many are seen."""
    coverage, place, log_weight = classes
    inside, visible, all_visible, people_a_weight, of_history = room
    strata, cells = possible.shape
    n_lists = coverage.shape[1]
    of_history[:] = 0.0
    members, weight = 0.0, math.exp(log_weight[k])
    for g in range(strata):
        here, like = 0.0, alike[g]
        for cell in range(cells):
            people = weight * place[k, g] * people_a_weight[g, cell] * inside[k, like, cell]
            of_history[like, cell] += people
            here += people
        slope[k, n_lists + g] = 1 - math.exp(position[k, n_lists + g]) + here
        members += here
    of_visible = (members + of_weight) / all_visible[k]
    for g in range(strata):
        like = alike[g]
        slope[k, n_lists + g] -= place[k, g] * (of_visible * visible[k, g] - of_weight)
        for cell in range(cells):
            if possible[g, cell]:
                of_history[like, cell] -= of_visible * place[k, g] * inside[k, like, cell]
    for j in range(n_lists):
        slope[k, j] = 1 - 2 * coverage[k, j]
        for g in range(strata):
            if alike[g] == g and existing[g, j]:
                for cell in range(cells):
                    slope[k, j] += of_history[g, cell] * ((cell >> j & 1) - coverage[k, j])


# With the classes of people summed out: one class


@_compiled
def _move(rng, power, coverage, log_weight, place, rate, counts, possible, existing, seen, shape, of_prior):
    """Metropolis-Hastings moves of one copy; the log likelihood where it ends."""
    classes, strata, cells = rate.shape
    n_lists = coverage.shape[1]
    total = np.empty((strata, cells))
    _add_up(rate, total)
    log_likelihood = _log_likelihood(total, counts, possible)
    _renumber(rng, coverage, log_weight, place, rate, shape, of_prior)
    log_likelihood = _draw_behind(
        rng, power, log_likelihood, total, coverage, log_weight, place, rate, counts, possible, existing, shape,
        of_prior,
    )  # fmt: skip
    log_prior, log_sum = _log_prior_of_shares(log_weight, shape, of_prior)
    new_rate, new_other, new_total = np.empty((strata, cells)), np.empty((strata, cells)), np.empty((strata, cells))
    new_coverage, new_place, new_weight = np.empty(n_lists), np.empty(strata), log_weight.copy()
    kinds = 5 if strata > 1 else 4
    for _ in range(_MOVES_A_CLASS * classes):
        kind, k, other = rng.integers(0, kinds), rng.integers(0, classes), rng.integers(0, classes)
        changed = k
        new_coverage[:] = coverage[k]
        new_place[:] = place[k]
        new_weight[:] = log_weight
        if kind == 0:
            gain = _along(rng, -1, new_coverage, new_weight, k)
        elif kind == 1:
            gain = _along(rng, rng.integers(0, n_lists), new_coverage, new_weight, k)
        elif kind == 4:
            gain = _elsewhere(rng, new_place)
        elif other == k:
            continue
        elif kind == 2:
            changed = other
            new_coverage[:] = coverage[other]
            new_place[:] = place[other]
            gain = _divide_anew(rng, new_weight, k, other)
        else:
            changed = other
            new_place[:] = place[other]
            gain = _take_part(rng, new_coverage, coverage[other], coverage[k], new_weight, k, other, seen, new_place)
        _fill(new_rate, new_weight[changed], new_coverage, new_place, existing)
        new_total[:] = total - rate[changed] + new_rate
        if changed != k:
            _fill(new_other, new_weight[k], coverage[k], place[k], existing)
            new_total += new_other - rate[k]
        proposed = _log_likelihood(new_total, counts, possible)
        proposed_prior, new_sum = _log_prior_of_shares(new_weight, shape, of_prior)
        # The Jacobian of shares of which one is multiplied and all are normalised again (Aitchison 1986, sec. 2.8).
        gain -= classes * (new_sum - log_sum)
        if math.log(rng.random()) < power * (proposed - log_likelihood) + proposed_prior - log_prior + gain:
            log_likelihood, log_prior, log_sum = proposed, proposed_prior, new_sum
            total[:] = new_total
            coverage[changed] = new_coverage
            place[changed] = new_place
            log_weight[:] = new_weight
            rate[changed] = new_rate
            if changed != k:
                rate[k] = new_other
    return log_likelihood


@_compiled
def _renumber(rng, coverage, log_weight, place, rate, shape, of_prior):
    """Let pairs of classes change numbers, which the likelihood does not see."""
    classes = log_weight.size
    log_prior = _log_prior_of_shares(log_weight, shape, of_prior)[0]
    for _ in range(classes):
        a, b = rng.integers(0, classes), rng.integers(0, classes)
        log_weight[a], log_weight[b] = log_weight[b], log_weight[a]
        proposed = _log_prior_of_shares(log_weight, shape, of_prior)[0]
        if math.log(rng.random()) < proposed - log_prior:
            log_prior = proposed
            _change_rows(coverage, a, b)
            _change_rows(place, a, b)
            _change_rows(rate, a, b)
        else:
            log_weight[a], log_weight[b] = log_weight[b], log_weight[a]


@_compiled
def _draw_behind(
    rng, power, log_likelihood, total, coverage, log_weight, place, rate, counts, possible, existing, shape, of_prior
):
    """Draw the shares of one class and all behind it from their prior, given those in front; the log likelihood.

    A class may have next to no share. Steps from where it is take long to bring it back, or to get it there.
    """
    classes = log_weight.size
    if classes == 1:
        return log_likelihood
    first = rng.integers(0, classes - 1)
    new_weight, new_rate, new_total = log_weight.copy(), rate[first:].copy(), np.zeros(total.shape)
    _draw_sticks(rng, first, new_weight, shape, of_prior)
    for k in range(first):
        new_total += rate[k]
    for k in range(first, classes):
        _fill(new_rate[k - first], new_weight[k], coverage[k], place[k], existing)
        new_total += new_rate[k - first]
    proposed = _log_likelihood(new_total, counts, possible)
    if math.log(rng.random()) >= power * (proposed - log_likelihood):
        return log_likelihood
    log_weight[:] = new_weight
    rate[first:] = new_rate
    total[:] = new_total
    return proposed


@_compiled
def _draw_sticks(rng, first, log_weight, shape, of_prior):
    """Draw the concentration given the sticks in front of the first, and the weights from the first on given that."""
    classes = log_weight.size
    left = _log_sum(log_weight[first:])
    concentration = math.exp(_log_gamma(rng, shape + first)) / (of_prior + _log_sum(log_weight) - left)
    for k in range(first, classes - 1):
        # Of a stick V, -log(1 - V) is exponential.
        taken = rng.standard_exponential() / max(concentration, _LEAST_CONCENTRATION)
        log_weight[k] = left + math.log(max(-math.expm1(-taken), 1e-300))
        left -= taken
    log_weight[classes - 1] = left


@_compiled
def _along(rng, which, coverage, log_weight, k):
    """Move the coverage of a class on one list (or on all), and its share so that as many of it are seen as before.

    Returns the logarithm of prior times Jacobian, new over old, but for the sum of the shares.
    """
    scale = 10.0 ** (2.0 * rng.random() - 1.5)
    shift = scale * rng.standard_normal()
    gain, missed, missed_now = 0.0, 1.0, 1.0
    for j in range(coverage.size):
        missed *= 1 - coverage[j]
        if which in (-1, j):
            moved = _inside(1 / (1 + math.exp(-(_logit(coverage[j]) + shift))))
            gain += math.log(moved * (1 - moved)) - math.log(coverage[j] * (1 - coverage[j]))
            coverage[j] = moved
        missed_now *= 1 - coverage[j]
    factor = math.log(max(1 - missed, _LOWEST)) - math.log(max(1 - missed_now, _LOWEST))
    log_weight[k] += factor
    return gain + factor


@_compiled
def _elsewhere(rng, place):
    """Move a part of a class from one stratum to another; prior and Jacobian, new over old."""
    a, b = rng.integers(0, place.size), rng.integers(0, place.size)
    both = place[a] + place[b]
    if a == b or both <= 0.0:
        return 0.0
    part = _inside(place[a] / both)
    moved = _inside(1 / (1 + math.exp(-(_logit(part) + 10.0 ** (2.0 * rng.random() - 1.5) * rng.standard_normal()))))
    place[a], place[b] = both * moved, both * (1 - moved)
    return math.log(moved * (1 - moved)) - math.log(part * (1 - part))


@_compiled
def _divide_anew(rng, log_weight, k, other):
    """Move a part of the weight of two classes from one to the other; the logarithm of the Jacobian, new over old."""
    both = _log_add(log_weight[k], log_weight[other])
    odds = log_weight[other] - log_weight[k]
    moved = odds + 10.0 ** (2.5 * rng.random() - 2.0) * rng.standard_normal()
    log_weight[other] = both - _log_add(0.0, -moved)
    log_weight[k] = both - _log_add(0.0, moved)
    return abs(odds) - abs(moved) + 2 * (math.log1p(math.exp(-abs(odds))) - math.log1p(math.exp(-abs(moved))))


@_compiled
def _take_part(rng, new, old, of, log_weight, k, other, seen, place):
    """Let class `other` begin anew with a part of the weight of `k`; the densities of old over new proposals."""
    both = _log_add(log_weight[k], log_weight[other])
    part_before = math.exp(log_weight[other] - both)
    part = _inside(rng.random() if rng.random() < 0.5 else math.exp(-_LOG_PARTS * rng.random()))
    kind = rng.random()
    if kind < _SHARES_ANYWHERE:
        for j in range(new.size):
            new[j] = _inside(rng.random())
    elif kind < _SHARES_ANYWHERE + _SHARES_NEAR:
        for j in range(new.size):
            new[j] = _inside(1 / (1 + math.exp(-(_logit(of[j]) + _NEAR * rng.standard_normal()))))
    else:
        history = seen[rng.integers(0, seen.size)]
        for j in range(new.size):
            raised = math.sqrt(math.sqrt(rng.random()))
            new[j] = _inside(raised if history >> j & 1 else 1 - raised)
    if place.size > 1 and rng.random() < 0.5:
        for g in range(place.size):
            place[g] = rng.standard_exponential()
        place /= place.sum()
    log_weight[other] = both + math.log(part)
    log_weight[k] = both + math.log1p(-part)
    gain = _log_density_of_proposal(old, of, seen) - _log_density_of_proposal(new, of, seen)
    return gain + math.log(_density_of_part(part_before)) - math.log(_density_of_part(part))


@_compiled
def _density_of_part(part):
    return 0.5 + (0.5 / (part * _LOG_PARTS) if part > _SMALLEST_PART else 0.0)


@_compiled
def _log_density_of_proposal(coverage, of, seen):
    """Of the coverage of a class that takes a part of another: anywhere, near it, or like a history.

    Like a history is Beta(4, 1) on its lists and Beta(1, 4) off them.
    """
    near = math.log(_SHARES_NEAR)
    for j in range(coverage.size):
        away = (_logit(coverage[j]) - _logit(of[j])) / _NEAR
        near -= 0.5 * away**2 + math.log(_NEAR) + _HALF_LOG_2PI + math.log(coverage[j] * (1 - coverage[j]))
    like = 0.0
    for history in seen:
        density = 1.0
        for j in range(coverage.size):
            like_it = coverage[j] if history >> j & 1 else 1 - coverage[j]
            density *= 4.0 * like_it * like_it * like_it
        like += density
    like *= (1 - _SHARES_ANYWHERE - _SHARES_NEAR) / seen.size
    return _log_add(near, math.log(_SHARES_ANYWHERE + like))


@_compiled
def _exchange(rng, order, likely):
    """Let neighbouring steps of the ladder exchange their copies."""
    for step in range(order.size - 1, 0, -1):
        gain = (_POWER ** (step - 1) - _POWER**step) * (likely[step] - likely[step - 1])
        if math.log(rng.random()) < gain:
            order[step], order[step - 1] = order[step - 1], order[step]
            likely[step], likely[step - 1] = likely[step - 1], likely[step]
