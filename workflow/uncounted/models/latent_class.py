r"""Latent classes: people fall into classes; within a class, lists are independent of each other.

Manrique-Vallier (2016, Biometrics 72:1246), with the priors of his program LCMCR: a Dirichlet process cut off at
:math:`K` classes, by stick-breaking (Ishwaran and James 2001, J. Am. Stat. Assoc. 96:161).

Classes
    A person is in class :math:`k` with probability :math:`\pi_k`, and then on list :math:`j` with probability
    :math:`\lambda_{k,j}`:

    .. math::
        P(h) &= \sum_{k=1}^{K} \pi_k \prod_j \lambda_{k,j}^{h_j} (1 - \lambda_{k,j})^{1 - h_j}, \quad
            \lambda_{k,j} \sim \mathrm{Uniform}(0, 1) \\
        \pi_k &= V_k \prod_{i<k} (1 - V_i), \quad V_k \sim \mathrm{Beta}(1, \alpha) \;\; (k < K), \quad V_K = 1, \quad
            \alpha \sim \mathrm{Gamma}(a, b)

Strata
    The stratum is one more thing that depends on the class (Dunson and Xing 2009, J. Am. Stat. Assoc. 104:1042): a
    person of class :math:`k` is in stratum :math:`g` with probability :math:`\psi_{k,g}`. The strata share the classes
    and are made up of them in different parts, so that a stratum of few people borrows from those that are like it:

    .. math::
        P(g, h) = \sum_k \pi_k \, \psi_{k,g} \prod_j \lambda_{k,j}^{h_j} (1 - \lambda_{k,j})^{1 - h_j}, \quad
            \psi_k \sim \mathrm{Dirichlet}(1, \ldots, 1)

Likelihood
    The number of people has the prior :math:`1/N`, as in LCMCR; given the :math:`n` who were seen,

    .. math::
        \ell &= \sum_{g, h \ne 0} n(g, h) \log \frac{P(g, h)}{P(\text{seen})}, \quad
            u_g \sim \mathrm{Poisson}\bigl(e^{d} \Lambda \, P(g, 0) / P(\text{seen})\bigr), \quad
            \Lambda \sim \mathrm{Gamma}(n, 1)

    with the dial :math:`d`. Structural zeros are not seen and not people, and a list that did not exist in a stratum
    has no part in the product. People whose stratum is not known are spread over those they may belong to beforehand.

Draws are taken by :mod:`uncounted.models.class_sampler`: NUTS does not pass between the modes of this posterior. A
chain goes on, 1.4 times as far each time, until the chains agree and the draws suffice, or they are so far apart that
they will not agree by `sweeps_at_most`. The `tune` sweeps that set the sampler's step sizes are left out, and the first
quarter of what comes after them; of the rest `draws` are kept, as evenly as they come. (Of eight fits of Gaza's tables
that went twice as far each time and left out half, one had not agreed after 64,000 sweeps, and six of the others took
all of them; like this one took all, and all agreed.)
"""

import numpy as np

KIND = "multiple_systems_estimation"

_MARGIN = 0.9  # stop short of the bounds of the checks: the next computation of R-hat may come out otherwise
_HOPE = 2.0
_LEFT_OUT = 0.25  # of a chain, from its start
_FURTHER = 2**0.5  # sweeps at a look, over those at the look before
_AT_A_TIME = 2  # chains, as many as NUTS draws at a time: what others compile meanwhile should not come last


def parameters(shape):
    """Names of the parameters that have to have converged.

    Parameters
    ----------
    shape : tuple of int
        Of the layout: lists, strata, patterns of blanks.

    Returns
    -------
    list of str
        None: classes may change places, which changes no number of people, and the concentration, which is summed out
        while the chain walks, only says how many of the classes are empty. The numbers of people have to converge.
    """
    return []


def fit(histories, settings, seed):
    """Draw from the posterior of the number of people.

    Parameters
    ----------
    histories : uncounted.evidence.histories.Histories
        With three lists or more.
    settings : dict
        ``priors``, ``sampling`` (``latent_class``, ``classes``), ``checks``, ``unseen_odds``.
    seed : int

    Returns
    -------
    arviz.InferenceData
        As of the log-linear model; ``sample_stats`` has the number of ``sweeps``.

    Raises
    ------
    UserError
        With fewer than three lists.
    """
    from uncounted.evidence.histories import spread_blanks
    from uncounted.models.each_table import fit_each_table

    return fit_each_table(
        spread_blanks(histories), settings, seed, "latent_class", lambda layout, seed: _sample(layout, settings, seed)
    )


def _sample(layout, settings, seed):
    """Draw until the chains agree."""
    from concurrent.futures import ThreadPoolExecutor
    from itertools import repeat

    from uncounted.compiling import compile_for_disk
    from uncounted.console import Progress
    from uncounted.models import class_sampler

    sampling, table = settings["sampling"]["latent_class"], _table(layout)
    numbers = np.random.SeedSequence(seed).spawn(sampling["chains"])
    generators = [np.random.default_rng(number) for number in numbers]
    size = len(layout.lists), settings["sampling"]["classes"]
    prior = [float(settings["priors"][f"class_concentration_{name}"]["value"]) for name in ("shape", "rate")]
    if not class_sampler.is_compiled():
        compile_for_disk(_take_a_step, table, size, prior)
    states = [class_sampler.start(rng, *table, *size) for rng in generators]
    chains = [_Chain() for _ in states]

    def tune(number):
        class_sampler.tune(generators[number], states[number], *table, *prior, sampling["tune"])

    def go_on(number, sweeps, draws):
        drawn = class_sampler.advance(generators[number], states[number], *table, *prior, sweeps, draws)
        chains[number].add(drawn, sweeps)

    with (
        ThreadPoolExecutor(_AT_A_TIME) as pool,
        Progress(sampling["sweeps_at_most"], "drawing from the posterior (latent_class)", "sweeps at most") as seen,
    ):
        list(pool.map(tune, range(len(states))))
        done = 0
        for look in _looks(sampling):
            sweeps, done = look - done, look
            draws = max(1, sweeps // _every(look, sampling["draws"]))
            list(pool.map(go_on, range(len(states)), repeat(sweeps), repeat(draws)))
            parts = [chain.evenly(sampling["draws"]) for chain in chains]
            trace = _trace(parts, layout, table, generators[0], done)
            seen(done)
            if _suffices(trace, settings["checks"]) or _out_of_reach(trace, settings["checks"], done, sampling):
                break
        seen.enough(done, "sweeps")
    return trace


def _looks(sampling):
    """After how many sweeps to look whether they suffice."""
    first, last = sampling["sweeps"], max(sampling["sweeps"], sampling["sweeps_at_most"])
    further = [first]
    while further[-1] < last:
        further.append(min(last, max(further[-1] + 1, round(first * _FURTHER ** len(further)))))
    return further


def _every(look, draws):
    """How many sweeps to go from one draw to the next, so that `draws` can be kept at a look and at later ones."""
    return max(1, int(look * (1 - _LEFT_OUT) / draws))


class _Chain:
    """What was kept of one chain, and after which of its sweeps."""

    def __init__(self):
        self._sweeps, self._after, self._arrays = 0, np.empty(0, dtype=int), []

    def add(self, arrays, sweeps):
        """Add draws taken at even distances on `sweeps` more sweeps, and leave out the start of the chain."""
        number = len(arrays[0])
        after = self._sweeps - (-np.arange(1, number + 1) * sweeps // number)
        self._sweeps += sweeps
        self._after = np.concatenate([self._after, after])
        if self._arrays:
            arrays = [np.concatenate(pair) for pair in zip(self._arrays, arrays, strict=True)]
        inside = self._after > _LEFT_OUT * self._sweeps
        self._after, self._arrays = self._after[inside], [array[inside] for array in arrays]

    def evenly(self, draws):
        """Take at most so many draws, at distances as even as may be."""
        wanted = np.linspace(_LEFT_OUT * self._sweeps, self._sweeps, draws + 1)[1:]
        places = np.unique(np.searchsorted(self._after, wanted))
        return [array[places] for array in self._arrays]


def _take_a_step(table, size, prior):
    """Take the least that the sampler can do, for it to be compiled."""
    from uncounted.models import class_sampler

    rng = np.random.default_rng(0)
    state = class_sampler.start(rng, *table, *size)
    class_sampler.tune(rng, state, *table, *prior, 1)
    class_sampler.advance(rng, state, *table, *prior, 1, 1)


def _table(layout):
    """Counts, possible cells and existing lists as the sampler takes them, the cell of those on no list first."""
    strata = len(layout.strata)
    counts = np.concatenate([np.zeros((strata, 1)), np.round(layout.counts)], axis=1).astype(np.int64)
    possible = np.concatenate([np.zeros((strata, 1), dtype=bool), layout.barred == 0], axis=1)
    return counts, possible, layout.existing.astype(bool)


def _trace(parts, layout, table, rng, sweeps):
    import arviz as az
    import xarray as xr

    log_rate, concentration, log_prior, log_likelihood = (np.stack(arrays) for arrays in zip(*parts, strict=True))
    counts, possible, _ = table
    log_cells = np.where(possible[:, 1:], log_rate[..., 1:], -np.inf)
    log_visible = np.logaddexp.reduce(log_cells, axis=3)
    log_share = log_visible - np.logaddexp.reduce(log_visible, axis=2)[..., None]
    drawn = rng.gamma(counts.sum(), size=log_share.shape[:2])
    by_stratum = ("chain", "draw", "stratum")
    posterior = xr.Dataset(
        {
            "log_concentration": (("chain", "draw"), concentration),
            "density_of_prior": (("chain", "draw"), log_prior),
            "density_of_likelihood": (("chain", "draw"), log_likelihood),
            "log_seen": (by_stratum, np.log(drawn)[..., None] + log_share),
            "log_odds_unseen": (by_stratum, log_rate[..., 0] - log_visible),
            "log_cells": ((*by_stratum, "cell"), log_cells - log_visible[..., None]),
        },
        coords={
            "chain": np.arange(log_rate.shape[0]),
            "draw": np.arange(log_rate.shape[1]),
            "stratum": list(layout.strata),
            "cell": layout.histories,
        },
    )
    stats = xr.Dataset({"sweeps": (("chain", "draw"), np.full(concentration.shape, sweeps))}, coords=posterior.coords)
    return az.InferenceData(posterior=posterior, sample_stats=stats[["sweeps", "chain", "draw"]])


def _suffices(trace, bounds):
    """Whether the chains agree, and the draws are enough, by what the checks will ask, and a little more."""
    import arviz as az

    if _worst_r_hat(trace) > 1 + _MARGIN * (bounds["r_hat"] - 1):
        return False
    draws = [az.ess(people, method=kind).to_array().min() for people in _people(trace) for kind in ("bulk", "tail")]
    return float(min(draws)) >= bounds["ess_reported"] / _MARGIN


def _out_of_reach(trace, bounds, done, sampling):
    """Whether the chains are so far apart that they will not agree within `sweeps_at_most`.

    R-hat less one falls as the number of sweeps grows; it may fall twice as fast as that before this gives up.
    """
    expected = (_worst_r_hat(trace) - 1) * done / sampling["sweeps_at_most"]
    return expected > _HOPE * (bounds["r_hat"] - 1)


def _worst_r_hat(trace):
    import arviz as az

    return max(float(az.rhat(people).to_array().max()) for people in _people(trace))


def _people(trace):
    """The number of people in all, and by stratum."""
    posterior = trace.posterior
    people = np.exp(posterior["log_seen"]) * (1 + np.exp(posterior["log_odds_unseen"]))
    return people.sum("stratum"), people
