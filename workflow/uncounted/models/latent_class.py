r"""Latent classes: people fall into classes; within a class, lists are independent of each other.

Manrique-Vallier (2016, Biometrics 72:1246), with the priors of his program LCMCR: a Dirichlet process cut off at
:math:`K` classes, by stick-breaking (Ishwaran and James 2001, J. Am. Stat. Assoc. 96:161).

Classes
    A person is in class :math:`k` with probability :math:`\pi_k`, and then on list :math:`j` with probability
    :math:`\lambda_{k,j}`:

    .. math::
        P(h) &= \sum_{k=1}^{K} \pi_k \prod_j \lambda_{k,j}^{h_j} (1 - \lambda_{k,j})^{1 - h_j}, \quad
            \lambda_{k,j} \sim \mathrm{Uniform}(0, 1) \\
        \pi_k &= V_k \prod_{i<k} (1 - V_i), \quad V_k \sim \mathrm{Beta}(1, \alpha), \quad
            \alpha \sim \mathrm{Gamma}(a, b)

    The sampler walks in :math:`\mathrm{logit}\, \lambda` and in :math:`E_k = -\alpha \log(1 - V_k)`, which is
    exponential with mean 1 whatever :math:`\alpha` is; all sums are taken on the log scale.

Strata
    The strata share the classes. How many people are in each, and how well each list covers a stratum, differ:

    .. math::
        E_{g,k} &= E_k \, e^{\sigma_E z_{g,k}}, \quad \mathrm{logit}\, \lambda_{g,k,j} = \mathrm{logit}\, \lambda_{k,j}
            + \sigma_c z_{g,j}, \quad z \sim \mathrm{Normal}(0, 1)

Likelihood
    The number of people has the prior :math:`1/N`, as in LCMCR; given the seen :math:`n_g`,

    .. math::
        \ell &= \sum_g \sum_{h \ne 0} n_g(h) \log \frac{P_g(h)}{1 - P_g(0)}, \quad
            u_g \sim \mathrm{Poisson}\bigl(e^{d} \Lambda_g P_g(0) / (1 - P_g(0))\bigr), \quad
            \Lambda_g \sim \mathrm{Gamma}(n_g, 1)

    with the dial :math:`d`. Structural zeros have no part in the sums, and a list that did not exist in a stratum no
    part in the product. People whose stratum is not known are spread over those they may belong to beforehand.
"""

from uncounted.models.nuts import add_densities
from uncounted.models.packing import pack, unpack

KIND = "multiple_systems_estimation"

_COMPILED = {}


def parameters(shape):
    """Names of the sampled variables that do not depend on how the classes are numbered.

    Parameters
    ----------
    shape : tuple of int
        Of the layout: lists, strata, patterns of blanks.

    Returns
    -------
    list of str
        The classes themselves may change places between chains and within one, which changes no number of people.
    """
    return ["log_concentration"] + (["coverage_by_stratum", "classes_by_stratum"] if shape[1] > 1 else [])


def evidence(layout):
    """The arrays that the model reads.

    Parameters
    ----------
    layout : uncounted.models.cells.Layout

    Returns
    -------
    dict of str to numpy.ndarray
        ``counts`` (G, cell), ``barred`` (G, cell), ``existing`` (G, L).
    """
    return {"counts": layout.counts, "barred": layout.barred, "existing": layout.existing}


def build(layout, priors, classes=10):
    """Build the model.

    Parameters
    ----------
    layout : uncounted.models.cells.Layout
    priors : dict
        ``class_concentration_shape``, ``class_concentration_rate``, and for several strata ``coverage_by_stratum`` and
        ``classes_by_stratum``.
    classes : int, optional
        At most so many classes.

    Returns
    -------
    pymc.Model
        With ``log_odds_unseen`` (stratum,) and ``log_cells`` (stratum, cell), as the log-linear model.
    """
    import pymc as pm
    import pytensor.tensor as pt

    arrays = evidence(layout)
    coords = {"list": list(layout.lists), "stratum": list(layout.strata), "cell": layout.histories}
    with pm.Model(coords=coords) as model:
        d = unpack(pm.Data("evidence", pack(arrays)), arrays)
        log_weight = _log_weights(classes, len(layout.strata), priors)
        logit = _logits(classes, layout.shape, priors)
        absent = log_weight - (pt.softplus(logit) * d["existing"][:, None, :]).sum(axis=2)
        log_unseen = pt.logsumexp(absent, axis=1)
        log_cell = pt.logsumexp(absent[:, None, :] + pt.dot(logit, layout.on.T).dimshuffle(0, 2, 1), axis=2)
        log_cell = log_cell + d["barred"]
        log_seen = pt.logsumexp(log_cell, axis=1, keepdims=True)
        log_cells = log_cell - log_seen
        pm.Potential("likelihood", (d["counts"] * log_cells).sum())
        pm.Deterministic("log_odds_unseen", log_unseen - log_seen[:, 0], dims="stratum")
        pm.Deterministic("log_cells", log_cells, dims=("stratum", "cell"))
        add_densities(model)
    return model


def _log_weights(classes, n_strata, priors):
    """Log share of each class in each stratum; (stratum, class)."""
    import pymc as pm
    import pytensor.tensor as pt

    from uncounted.models.priors import prior

    shape = priors["class_concentration_shape"]["value"]
    rate = priors["class_concentration_rate"]["value"]
    # The power of alpha that is nearly uniform near 0, where alpha itself has most of its mass on a spike.
    root = pm.Flat("concentration_root")
    log_alpha = pm.Deterministic("log_concentration", root / shape)
    pm.Potential("concentration_prior", root - rate * pt.exp(log_alpha))
    log_sticks = pm.Flat("log_sticks", shape=classes - 1)
    pm.Potential("sticks_prior", (log_sticks - pt.exp(log_sticks)).sum())
    log_sticks = log_sticks[None, :]
    if n_strata > 1:
        differ = pm.Normal("sticks_shift", 0.0, 1.0, shape=(n_strata, classes - 1))
        log_sticks = log_sticks + prior("classes_by_stratum", priors) * differ
    left = pt.exp(log_sticks - log_alpha)
    before = pt.concatenate([pt.zeros_like(left[:, :1]), pt.cumsum(left, axis=1)], axis=1)
    taken = pt.concatenate([pt.log(-pt.expm1(-left)), pt.zeros_like(left[:, :1])], axis=1)
    return taken - before


def _logits(classes, shape, priors):
    """Log odds of being on each list in each class; (stratum, class, list)."""
    import pymc as pm

    from uncounted.models.priors import prior

    n_lists, n_strata, _ = shape
    common = pm.Logistic("class_coverage", 0.0, 1.0, shape=(classes, n_lists))[None, :, :]
    if n_strata == 1:
        return common
    differ = pm.Normal("coverage_shift", 0.0, 1.0, dims=("stratum", "list"))
    return common + (prior("coverage_by_stratum", priors) * differ)[:, None, :]


def fit(histories, settings, seed):
    """Draw from the posterior of the number of people.

    Parameters
    ----------
    histories : uncounted.evidence.histories.Histories
        With three lists or more.
    settings : dict
        ``priors``, ``sampling`` (``latent_class``, ``classes``), ``unseen_odds``.
    seed : int

    Returns
    -------
    arviz.InferenceData
        As of the log-linear model.

    Raises
    ------
    UserError
        With fewer than three lists.
    """
    from uncounted.evidence.histories import spread_blanks
    from uncounted.models.nuts import fit_tables

    classes = settings["sampling"]["classes"]
    return fit_tables(
        spread_blanks(histories),
        settings,
        seed,
        name="latent_class",
        key=classes,
        compiled=_COMPILED,
        build=lambda layout: build(layout, settings["priors"], classes),
        evidence=lambda layout: pack(evidence(layout)),
    )
