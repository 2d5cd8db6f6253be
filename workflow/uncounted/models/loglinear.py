r"""Log-linear model with shrinkage: lists, people who are easier to find than others, lists that depend on each other.

Log-linear models of capture histories go back to Fienberg (1972, Biometrika 59:591); people who differ in how easily
they are found enter through a term in the number of lists that a person is on (Cressie and Holland 1983, Psychometrika
48:129; Darroch et al. 1993, J. Am. Stat. Assoc. 88:1137).

Cells
    A person is on :math:`s` lists; :math:`h_j` is 1 if he is on list :math:`j`. The expected number of people of
    stratum :math:`g` with history :math:`h` is proportional to

    .. math::
        \log q_g(h) &= \sum_j c_{g,j} h_j + \sum_{t=2}^{s-1} (s - t)\, D_{g,t} + \sum_{j<k} \gamma_{g,jk} h_j h_k
            && s \ge 1 \\
        \log q_g(0) &= D_{g,1}

    :math:`c` are the lists' coverages, :math:`\gamma` the log odds ratios between pairs of lists. :math:`D_t \ge 0`
    is by how much being on :math:`t` lists makes it easier to be on one more than being on :math:`t - 1` lists did:
    the second difference of the logarithm of the generating function of people's ease. All are 0 if everyone is alike,
    all are the same if ease is normal among the unseen (Darroch's quadratic), and they level off, or rise and fall,
    where people fall into classes. Only :math:`D_2, D_3, \dots` leave a trace in the cells; :math:`D_1` multiplies the
    unseen, by :math:`e^{D_1}`, and has to be carried over from them.

Ease
    With :math:`D_t = \log(1 + e^{x_t})`:

    .. math::
        x_2 &\sim \mathrm{Normal}(\text{ease level}), \quad x_{t+1} = x_t - 0.3 + \sigma_x \, \epsilon_t, \quad
            \epsilon_t \sim \mathrm{Student}_3 \\
        x_1 &\sim \mathrm{Normal}\bigl(0.8 - \tfrac12 \log(1 + e^{2 (0.5 - x_2)}) - r + 0.6\, b,\;
            0.8 + 0.6\, \mathrm{logit}^{-1}(2 (x_2 - 1.3)) + 0.5\, b\bigr) \\
        b &= \mathrm{logit}^{-1}(-2 (x_2 + 0.75)) / (L - 2) \\
        r &= \tanh\bigl(0.15 \log(1 + e^{4 (x_3 - x_2)})\bigr) \bigl(1.8 + 1.2 \log(1 + e^{x_3 - 1.5})\bigr)

    The line for :math:`x_1` (without :math:`r` where there are three lists) is what populations show in which ease is
    normal on the logit scale, falls into two classes, or both. As long as :math:`D_2` is moderate, :math:`D_1` is a
    little larger. A large :math:`D_2` comes from a class that is on nearly every list, and says little about
    :math:`D_1`. Where :math:`D` rises from two lists to three, it goes on falling towards those on none. Of few lists
    that differ between the classes, a :math:`D_2` near 0 does not say that everyone is alike: :math:`b` leaves room for
    it, so much that in two or three classes 19 of 20 populations have their :math:`x_1` within two standard deviations.

Pairs
    A regularised horseshoe (Piironen and Vehtari 2017, Electron. J. Stat. 11:5018) with scale :math:`\tau` and slab
    :math:`\zeta`, its half-Cauchy local scales :math:`\lambda_i` integrated out over eight values of equal probability:

    .. math::
        p(\gamma) \propto \sum_{i=1}^{8} \mathrm{Normal}(\gamma; 0, s_i), \quad
            s_i^2 = \frac{\zeta^2 \tau^2 \lambda_i^2}{\zeta^2 + \tau^2 \lambda_i^2}

    Interactions of three lists, if asked for, have the same prior with half the scale.

Strata
    Coverages, pairs and ease of the strata scatter around common values, so that a stratum with few people borrows
    from the others:

    .. math::
        c_{g,j} &\sim \mathrm{Normal}(C_j, \sigma_c), \quad C_j \sim \mathrm{Normal}(\mu, \sigma) \\
        \gamma_{g,jk} &\sim \mathrm{Normal}(\gamma_{jk}, \sigma_\gamma), \quad
            x_{g,t} = x_t + \sigma_g z_g, \quad z_g \sim \mathrm{Normal}(0, 1)

    With one stratum :math:`c_j \sim \mathrm{Normal}(\mu, \sigma)`.

Likelihood
    The number of people has the prior :math:`1/N` in each stratum. Given that :math:`n_g` were seen, the cells are
    multinomial, and the unseen follow:

    .. math::
        \ell &= \sum_g \sum_{h \ne 0} n_g(h) \log \frac{q_g(h)}{\sum_{h' \ne 0} q_g(h')} \\
        u_g &\sim \mathrm{Poisson}\bigl(e^{d} \Lambda_g \, q_g(0) / \textstyle\sum_{h \ne 0} q_g(h)\bigr), \quad
            \Lambda_g \sim \mathrm{Gamma}(n_g, 1)

    with the dial :math:`d` (`unseen_odds`), by which the log odds of being on no list are moved; the log odds ratio of
    the interaction of all :math:`L` lists at once moves by :math:`(-1)^L d`. Structural zeros have no part in the sums.
    People whose stratum is not known are Poisson with the sum of the rates of the strata that they may belong to, and
    then :math:`\Lambda_g` is a parameter with the prior :math:`1/\Lambda_g`.
"""

import numpy as np

from uncounted.models.cells import interactions
from uncounted.models.nuts import add_densities
from uncounted.models.packing import pack, unpack

KIND = "multiple_systems_estimation"

_LOCAL_SCALES = np.tan(np.pi / 2 * (np.arange(8) + 0.5) / 8)
_TRIPLES_SCALE = 0.5
_STEADY = 0.3
_CAP = 0.8
_POOLING_PEOPLE = 4.0


def parameters(shape):
    """Names of the sampled variables, for the checks of convergence.

    Parameters
    ----------
    shape : tuple of int
        Of the layout: lists, strata, patterns of blanks.

    Returns
    -------
    list of str
    """
    _, n_strata, n_patterns = shape
    names = ["coverage", "coverage_mean", "coverage_spread", "pairs", "pair_scale", "ease"]
    if n_strata > 1:
        names += ["coverage_common", "coverage_by_stratum", "pairs_by_stratum", "ease_by_stratum"]
    return names + (["log_seen"] if n_patterns else [])


def evidence(layout, kinds):
    """The arrays that the model reads.

    Parameters
    ----------
    layout : uncounted.models.cells.Layout
    kinds : list of str
        Interactions: ``pairs``, ``triples``.

    Returns
    -------
    dict of str to numpy.ndarray
        ``counts`` (G, cell), ``barred`` (G, cell); where the sampler starts and along which directions it walks:
        ``start`` (G, L), ``slopes`` (G, L, term), ``centred`` and ``spread`` (G, L), ``ease`` (2,), and start and
        slopes of all strata together; with blanks ``blank``, ``blank_strata`` and ``seen`` (G,).
    """
    terms = _regressors(layout, kinds)
    pooled = layout.counts.sum(axis=0) + layout.blank.sum(axis=0)
    twice = layout.counts * (layout.times_seen >= 2)
    informed = twice @ layout.on
    arrays = {
        "counts": layout.counts,
        "barred": layout.barred,
        "start": np.stack([_start(layout.on, counts) for counts in layout.counts]),
        "slopes": np.stack([_slopes(layout.on, terms, counts) for counts in layout.counts]),
        "start_common": _start(layout.on, pooled),
        "slopes_common": _slopes(layout.on, terms, pooled),
        "centred": informed / (informed + _POOLING_PEOPLE) if len(layout.strata) > 1 else np.ones_like(informed),
        "spread": 1 / np.sqrt(informed + _POOLING_PEOPLE),
        "ease": _ease_known(layout, pooled),
    }
    if len(layout.blank):
        share = layout.blank_strata * layout.counts.sum(axis=1)
        share = share / share.sum(axis=1, keepdims=True)
        seen = layout.counts.sum(axis=1) + layout.blank.sum(axis=1) @ share
        arrays |= {"blank": layout.blank, "blank_strata": layout.blank_strata, "seen": seen}
    return arrays


def _regressors(layout, kinds):
    """Interactions, then the ease terms of D_2, D_3, ...; (cell, term)."""
    _, terms = interactions(layout, kinds)
    return np.concatenate([terms, _ease_terms(layout)], axis=1)


def _ease_terms(layout):
    """How often each D_t counts in each cell; (cell, L - 2)."""
    t = np.arange(2, len(layout.lists))
    return np.maximum(layout.times_seen[:, None] - t, 0).astype(float)


def _ease_known(layout, counts):
    """D_2 and its variance as the cells know them if pairs are left out; (2,).

    Weighted least squares on the log counts (Grizzle, Starmer and Koch 1969, Biometrics 25:489). The sampler only
    walks by them.
    """
    weights, values = counts[:, None] + 0.5, np.log(counts + 0.5)
    known = np.column_stack([_ease_terms(layout), np.ones(len(layout.on)), layout.on])
    variance = np.linalg.inv(known.T @ (weights * known))
    return np.array([max(0.0, (variance @ known.T @ (weights[:, 0] * values))[0]), variance[0, 0]])


def _start(on, counts):
    """Log odds of the lists if they were independent (Darroch 1958, Biometrika 45:343, eq. for the total); (L,)."""
    from scipy.optimize import brentq

    listed, seen = counts @ on + 0.5, counts.sum() + 0.5

    def excess(log_total):
        return np.log1p(-seen / np.exp(log_total)) - np.log1p(-listed / np.exp(log_total)).sum()

    low, high = np.log(seen) + 1e-9, np.log(seen) + 12
    total = np.exp(brentq(excess, low, high)) if excess(low) * excess(high) < 0 else np.exp(high)
    share = np.clip(listed / total, 1e-4, 0.99)
    return np.log(share / (1 - share))


def _slopes(on, terms, counts):
    """How the other terms lean on the lists: their regression on them, weighted by people; (L, term).

    The sampler walks along coverages less what the other terms take away from them, which the cells know well.
    """
    weights = counts[:, None] + 0.5
    known = np.column_stack([np.ones(len(on)), on])
    return np.linalg.solve(known.T @ (weights * known), known.T @ (weights * terms))[1:]


def build(layout, priors, kinds=("pairs",)):
    """Build the model.

    Parameters
    ----------
    layout : uncounted.models.cells.Layout
        With three lists or more.
    priors : dict
        ``coverage``, ``coverage_spread``, ``pair_scale``, ``pair_slab``, ``ease_level``, ``ease_step``, and for several
        strata ``coverage_by_stratum``, ``pairs_by_stratum``, ``ease_by_stratum``.
    kinds : sequence of str, optional
        Interactions: ``pairs``, ``triples``.

    Returns
    -------
    pymc.Model
        Its data is the vector ``evidence``, of :func:`evidence` packed. ``log_odds_unseen`` (stratum,) is the log of
        expected unseen over expected seen, ``log_cells`` (stratum, cell) that of each cell over all seen.
    """
    import pymc as pm
    import pytensor.tensor as pt

    arrays = evidence(layout, kinds)
    groups, terms = interactions(layout, kinds)
    coords = {
        "list": list(layout.lists),
        "stratum": list(layout.strata),
        "cell": layout.histories,
        "term": [" and ".join(layout.lists[j] for j in group) for group in groups],
        "steps": [f"{t} lists" for t in range(1, len(layout.lists))],
    }
    with pm.Model(coords=coords) as model:
        d = unpack(pm.Data("evidence", pack(arrays)), arrays)
        ease = _ease(len(layout.lists), len(layout.strata), priors)
        pairs = _pairs(groups, ease[:, 1].mean() - d["ease"][0], d["ease"][1], len(layout.strata), priors)
        coverage = _coverage(d, pt.concatenate([pairs, ease[:, 1:]], axis=1), layout.shape, priors)
        log_rate = (
            pt.dot(coverage, layout.on.T)
            + pt.dot(pairs, terms.T)
            + pt.dot(ease[:, 1:], _ease_terms(layout).T)
            + d["barred"]
        )
        log_cells = log_rate - pt.logsumexp(log_rate, axis=1, keepdims=True)
        log_unseen = ease[:, 0] - pt.logsumexp(log_rate, axis=1)
        pm.Potential("likelihood", _log_likelihood(d, log_cells, layout))
        pm.Deterministic("log_odds_unseen", log_unseen, dims="stratum")
        pm.Deterministic("log_cells", log_cells, dims=("stratum", "cell"))
        pm.Deterministic("ease", ease, dims=("stratum", "steps"))
        add_densities(model)
    return model


def _ease(n_lists, n_strata, priors):
    """D_1, D_2, ... of each stratum; (stratum, L - 1)."""
    import pymc as pm
    import pytensor.tensor as pt

    from uncounted.models.priors import prior

    level = prior("ease_level", priors)
    step = priors["ease_step"]["value"]
    carried = pm.Normal("ease_carried", 0.0, 1.0)
    walk = [level]
    if n_lists > 3:
        moves = pm.StudentT("ease_steps", nu=3, mu=0.0, sigma=1.0, shape=n_lists - 3)
        for t in range(n_lists - 3):
            walk.append(walk[-1] - _STEADY + step * moves[t])
    mean, sd = _carried_over(walk)
    walk = pt.stack([mean + sd * carried, *walk])[None, :]
    if n_strata > 1:
        shift = pm.Normal("ease_shift", 0.0, 1.0, dims="stratum")
        walk = walk + (prior("ease_by_stratum", priors) * shift)[:, None]
    return pt.softplus(walk)


def _carried_over(walk):
    """Mean and standard deviation of x_1 given x_2, x_3, ...; scalars."""
    import pytensor.tensor as pt

    mean = _CAP - pt.softplus(2 * (_CAP - walk[0] - _STEADY)) / 2
    if len(walk) > 1:
        rise = pt.softplus(4 * (walk[1] - walk[0])) / 4
        mean = mean - pt.tanh(0.6 * rise) * (1.8 + 1.2 * pt.softplus(walk[1] - 1.5))
    blurred = pt.sigmoid(-2 * (walk[0] + 0.75)) / len(walk)
    return mean + 0.6 * blurred, 0.8 + 0.6 * pt.sigmoid(2 * (walk[0] - 1.3)) + 0.5 * blurred


def _pairs(groups, excess, variance, n_strata, priors):
    """Interactions of each stratum; (stratum, term).

    That all pairs of lists attract each other alike is nearly the same to the cells as people who differ in ease. The
    sampler walks along the sum of both, as far as the scale of the pairs leaves their mean less well known than the
    cells know the sum: `excess` is D_2 less what the cells say, `variance` how well they know it.
    """
    import pymc as pm
    import pytensor.tensor as pt

    from uncounted.models.priors import prior

    scale = prior("pair_scale", priors)
    slab = priors["pair_slab"]["value"]
    factor = np.array([1.0 if len(group) == 2 else _TRIPLES_SCALE for group in groups])
    shared = np.array([1.0 if len(group) == 2 else 0.0 for group in groups])
    leaning = scale**2 / (scale**2 + shared.sum() * variance)
    pairs = pm.Deterministic("pairs", pm.Flat("pairs_free", shape=len(groups)) - leaning * excess * shared, dims="term")
    wide = scale * factor[:, None] * _LOCAL_SCALES[None, :]
    sd = slab * wide / pt.sqrt(slab**2 + wide**2)
    density = pt.logsumexp(-0.5 * (pairs[:, None] / sd) ** 2 - pt.log(sd), axis=1) - np.log(len(_LOCAL_SCALES))
    pm.Potential("pairs_prior", density.sum())
    if n_strata == 1:
        return pairs[None, :]
    differ = pm.Normal("pairs_shift", 0.0, 1.0, dims=("stratum", "term"))
    return pairs[None, :] + prior("pairs_by_stratum", priors) * differ


def _coverage(d, others, shape, priors):
    """Log odds of each list in each stratum, given the other terms; (stratum, L).

    Sampled is how far it lies from where the cells put it, or, where a stratum's cells say little, from the common
    value (partial centring: Papaspiliopoulos et al. 2007, Stat. Sci. 22:59).
    """
    import pymc as pm
    import pytensor.tensor as pt

    from uncounted.models.priors import prior

    n_lists, n_strata, _ = shape
    middle = pm.Normal("coverage_mean", mu=priors["coverage"]["mean"], sigma=priors["coverage"]["sd"])
    spread = prior("coverage_spread", priors)
    free = pm.Flat("coverage_free", shape=(n_strata, n_lists))
    by_cells = d["start"] - (d["slopes"] * others[:, None, :]).sum(axis=2)
    if n_strata == 1:
        coverage = by_cells + free * d["spread"]
        around, scatter, log_scale = middle, spread, pt.log(d["spread"])
    else:
        common_free = pm.Flat("coverage_common_free", shape=n_lists)
        lean = (d["slopes_common"] * others.mean(axis=0)[None, :]).sum(axis=1)
        common = pm.Deterministic("coverage_common", d["start_common"] - lean + common_free, dims="list")
        pm.Potential("coverage_common_prior", _log_normal_density(common, middle, spread).sum())
        scatter = prior("coverage_by_stratum", priors)
        log_scale = d["centred"] * pt.log(d["spread"]) + (1 - d["centred"]) * pt.log(scatter)
        coverage = d["centred"] * by_cells + (1 - d["centred"]) * common[None, :] + free * pt.exp(log_scale)
        around = common[None, :]
    pm.Potential("coverage_prior", (_log_normal_density(coverage, around, scatter) + log_scale).sum())
    return pm.Deterministic("coverage", coverage, dims=("stratum", "list"))


def _log_normal_density(value, mean, sd):
    import pytensor.tensor as pt

    return -0.5 * ((value - mean) / sd) ** 2 - pt.log(sd) - 0.5 * np.log(2 * np.pi)


def _log_likelihood(d, log_cells, layout):
    import pymc as pm
    import pytensor.tensor as pt

    if not len(layout.blank):
        return (d["counts"] * log_cells).sum()
    free = pm.Flat("log_seen_free", dims="stratum")
    log_seen = pm.Deterministic("log_seen", pt.log(d["seen"]) + free / pt.sqrt(d["seen"] + 1), dims="stratum")
    log_rate = log_seen[:, None] + log_cells
    rate = pt.exp(log_rate)
    known = (d["counts"] * log_rate).sum() - pt.exp(log_seen).sum()
    return known + (d["blank"] * pt.log(pt.dot(d["blank_strata"], rate) + 1e-300)).sum()


_COMPILED = {}


def fit(histories, settings, seed):
    """Draw from the posterior of the number of people.

    Parameters
    ----------
    histories : uncounted.evidence.histories.Histories
        With three lists or more.
    settings : dict
        ``priors``, ``sampling`` (``loglinear``, ``interactions``), ``unseen_odds``.
    seed : int

    Returns
    -------
    arviz.InferenceData
        Group ``posterior``: ``total``, ``unseen``, ``total_by_stratum``, ``unseen_by_stratum``, ``cell_rate`` and the
        parameters; ``sample_stats``; ``log_likelihood`` (``cells``).

    Raises
    ------
    UserError
        With fewer than three lists.
    """
    from uncounted.models.nuts import fit_tables

    return fit_tables(
        histories,
        settings,
        seed,
        name="loglinear",
        key=tuple(settings["sampling"]["interactions"]),
        compiled=_COMPILED,
        build=lambda layout: build(layout, settings["priors"], settings["sampling"]["interactions"]),
        evidence=lambda layout: pack(evidence(layout, settings["sampling"]["interactions"])),
    )
