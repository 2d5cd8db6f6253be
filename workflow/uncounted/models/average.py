r"""Average over families of models, because no family holds in every population.

A log-linear model with people who differ by degrees, latent classes and decomposable graphs describe the cells in
different ways, and differ in what they say of the people on no list. How well one describes the cells does not settle
what it says of those. Each family's posterior is weighed evenly for the most part, and for the rest by how well it
foretells the count of a cell from the others:

.. math::
    F(N) &= \sum_f w_f \, F_f(N), \quad w_f = \frac{3}{4n} + \frac{v_f}{4} \\
    v &= \mathrm{argmax} \sum_h \log \sum_f v_f \, e_{f,h}, \quad v_f \ge 0, \quad \sum_f v_f = 1

:math:`F_f` is the posterior distribution of the number of people by the family :math:`f` of :math:`n`, and
:math:`e_{f,h}` the predictive density of the count of cell :math:`h` when it is left out, by Pareto smoothed
importance sampling (Vehtari, Gelman and Gabry 2017, Stat. Comput. 27:1413). The weights :math:`v` are those of stacking
(Yao et al. 2018, Bayesian Analysis 13:917, sec. 3.2). They are about people on lists, and often give everything to one
family on the evidence of a few cells; where Pareto's k of a cell is above 0.7, its :math:`e_{f,h}` is not to be relied
on, and neither are scores and stacking. So three quarters of the weight are divided evenly: intervals are wider for it,
and hold in more kinds of populations.

A mixture is wider than it should be: where each part holds as often as it says, the mixture holds more often (Gneiting
and Ranjan 2013, Electron. J. Stat. 7:1747, sec. 3). And no part knows of what all of them leave out: over kinds of
populations taken together, the truth lies in its upper half more often than in its lower one (where lists are
independent, or depend on each other in a few pairs only, less often). The average is the mixture transformed by a beta
distribution, their beta-transformed linear pool:

.. math::
    G(N) = B_{a,b}(F(N))

:math:`a` and :math:`b` (:data:`TRANSFORM`) were chosen on populations whose number is known,
``docs/calibration/transform.csv``; how often the intervals hold on others is in ``docs/calibration.md``. One family
alone is left as it is.

A family whose own checks fail, or that has no answer for one of the strata, has weight 0, and the table of weights
says why.
"""

import numpy as np
import pandas as pd
import pandera.pandas as pa

from uncounted.errors import UserError
from uncounted.models.totals import cell_log_likelihood, mix_tables

KIND = "multiple_systems_estimation"

FAMILIES = ("loglinear", "latent_class", "decomposable")
"""The families that are averaged over."""

DISAGREEMENT = 1.25
"""Families disagree if the median of one is so many times that of another."""

EVEN = 0.75
"""Part of the weight that is divided evenly."""

TRANSFORM = (1.35, 1.05)
"""The parameters *a* and *b* of the beta distribution that transforms the mixture; 1 and 1 would leave it as it is."""

_STEPS = 2000
_SAMPLED = ("loglinear", "latent_class")
_NUMBERS = ["total", "unseen", "total_by_stratum", "unseen_by_stratum", "cell_rate"]

SCHEMA = pa.DataFrameSchema(
    {
        "model": pa.Column(str),
        "weight": pa.Column(float, pa.Check.in_range(0, 1)),
        "elpd": pa.Column(float, nullable=True),
        "worst_pareto_k": pa.Column(float, nullable=True),
        "passed": pa.Column(bool),
        "reason": pa.Column(str),
        "median": pa.Column(float, nullable=True),
        "lower": pa.Column(float, nullable=True),
        "upper": pa.Column(float, nullable=True),
        "disagrees": pa.Column(bool),
    },
    strict=True,
)
"""One row a family: its weight, its expected log predictive density, and its own 95 % interval of the total."""


def fit(fits, histories, settings, seed):
    """Average over the posteriors of several families.

    Parameters
    ----------
    fits : dict of str to arviz.InferenceData or xarray.Dataset
        The fit of each family; a data set holds independent draws.
    histories : uncounted.evidence.histories.Histories
    settings : dict
        ``checks``: what a family must satisfy, as the checks of convergence ask it.
    seed : int

    Returns
    -------
    posterior : xarray.Dataset
        ``total``, ``unseen``, ``total_by_stratum``, ``unseen_by_stratum``, ``cell_rate``, and ``model`` (chain, draw):
        the number, in the order of `fits`, of the family that each draw comes from.
    weights : pandas.DataFrame
        See :data:`SCHEMA`.

    Raises
    ------
    UserError
        If no family may be used.
    """
    rng = np.random.default_rng(seed)
    posteriors = {name: getattr(trace, "posterior", trace) for name, trace in fits.items()}
    reasons = {name: _reason_against(trace, _sampled(name, trace), settings["checks"]) for name, trace in fits.items()}
    usable = [name for name, reason in reasons.items() if not reason]
    if not usable:
        raise UserError(
            "no family of models gave an answer that may be used: "
            + "; ".join(f"{name}: {reason}" for name, reason in reasons.items()),
            where="average",
            do="look at the checks of each family",
        )
    found = {name: _left_out(posteriors[name], histories) for name in usable}
    stacked = weigh(np.stack([elpd for elpd, _ in found.values()]))
    shares = dict(zip(usable, EVEN / len(usable) + (1 - EVEN) * stacked, strict=True))
    parts = [posteriors[name][_NUMBERS] for name in usable]
    mixed = mix_tables(_as_long(parts), np.array(list(shares.values())), rng).rename(table="model")
    numbers = np.array([list(fits).index(name) for name in usable])
    mixed["model"] = mixed["model"].copy(data=numbers[mixed["model"].values])
    if len(usable) > 1:
        mixed = _transformed(mixed, rng)
    return mixed, _table(posteriors, reasons, found, shares)


def transformed(probability):
    """Which quantile of the mixture is a quantile of the average.

    Parameters
    ----------
    probability : array_like of float
        Of the average.

    Returns
    -------
    numpy.ndarray
        Of the mixture of several families.
    """
    from scipy.stats import beta

    return beta.ppf(probability, *TRANSFORM)


def _transformed(mixed, rng):
    """Choose draws of each chain by the rank of their total, which is to follow the beta distribution.

    A draw takes its strata and its model with it. What is kept of some draws only, the rates of cells, stays: it is of
    people on lists. Draws stay in the order in which the chains took them: in any other, those of a chain that moves
    slowly would pass for independent, and the error of the calculation for smaller than it is.
    """
    draws = mixed.sizes["draw"]
    order = np.argsort(mixed["total"].transpose("chain", "draw").values, axis=1)
    # One in each even step of probability: tails are as well drawn as they can be.
    even = (np.arange(draws) + rng.random(order.shape)) / draws
    ranks = np.floor(transformed(even) * draws).astype(int).clip(max=draws - 1)
    chosen = np.sort(np.take_along_axis(order, ranks, axis=1), axis=1)
    chains = np.arange(len(chosen))[:, None]
    moved = {
        name: array.copy(data=array.values[chains, chosen])
        for name, array in mixed.transpose("chain", "draw", ...).data_vars.items()
        if "draw" in array.dims
    }
    return mixed.assign(moved)


def weigh(elpd):
    """Weights of families from the log predictive densities of the cells left out (stacking).

    Parameters
    ----------
    elpd : numpy.ndarray, (family, cell)

    Returns
    -------
    numpy.ndarray, (family,)
        They sum to 1. Found by expectation and maximisation, which cannot leave the simplex.
    """
    density = np.exp(elpd - elpd.max(axis=0))
    weights = np.full(len(elpd), 1 / len(elpd))
    for _ in range(_STEPS):
        shares = weights[:, None] * density
        weights = (shares / shares.sum(axis=0)).mean(axis=1)
    return weights


def _left_out(posterior, histories):
    """Log predictive density of each cell when it is left out, and Pareto's k; (cell,), (cell,)."""
    import arviz as az

    density = cell_log_likelihood(posterior, histories).stack(sample=("chain", "kept")).values
    possible = histories.possible[:, 1:]
    density = density[possible]
    weights, k = az.psislw(-density)
    shifted = weights + density
    top = shifted.max(axis=-1)
    return top + np.log(np.exp(shifted - top[:, None]).sum(axis=-1)), np.asarray(k)


def _sampled(name, trace):
    """The sampled variables of a family that have to have converged."""
    from importlib import import_module

    if name not in _SAMPLED or not hasattr(trace, "sample_stats"):
        return []
    lists, strata = len(str(trace.posterior["cell"].values[0])), trace.posterior.sizes["stratum"]
    names = import_module(f"uncounted.models.{name}").parameters((lists, strata, 1))
    return [variable for variable in names if variable in trace.posterior]


def _reason_against(trace, parameters, bounds):
    """Why a family may not be used; empty if it may. The checks of convergence ask the same, and more in words."""
    import arviz as az

    posterior = getattr(trace, "posterior", trace)
    if not np.isfinite(posterior["total"].astype(float)).all():
        return "it has no answer for one of the strata"
    if not hasattr(trace, "sample_stats"):
        return ""
    reported = posterior[["total", "unseen", "total_by_stratum"]].astype(float)
    sampled = posterior[parameters]
    r_hat = max(_extreme(az.rhat(reported), np.nanmax), _extreme(az.rhat(sampled), np.nanmax) if parameters else 0.0)
    if not r_hat <= bounds["r_hat"]:
        return f"its chains did not find the same answer (R-hat {r_hat:.3f})"
    for variables, least in ((reported, bounds["ess_reported"]), (sampled, bounds["ess_parameter"])):
        for method in ("bulk", "tail"):
            draws = _extreme(az.ess(variables, method=method), np.nanmin) if variables.data_vars else np.inf
            if not draws >= least:
                return f"too few effective draws ({draws:.0f})"
    if "diverging" not in trace.sample_stats:
        return ""
    divergent = int(trace.sample_stats["diverging"].sum())
    if divergent > bounds["divergences"]:
        return f"{divergent} divergent steps of the sampler"
    energy = float(np.min(az.bfmi(trace)))
    return "" if energy >= bounds["e_bfmi"] else f"its steps do not reach all energies (E-BFMI {energy:.2f})"


def _extreme(values, worst):
    """The worst of all elements; one that is the same in every draw has none."""
    return float(worst([worst(np.append(array.values.ravel(), np.nan)) for array in values.data_vars.values()]))


def _as_long(parts):
    """Give all parts as many draws as the shortest has."""
    fewest = {dim: min(part.sizes[dim] for part in parts) for dim in ("chain", "draw", "kept")}
    every = [part.isel({dim: _thinned(part.sizes[dim], number) for dim, number in fewest.items()}) for part in parts]
    return [part.assign_coords({dim: np.arange(number) for dim, number in fewest.items()}) for part in every]


def _thinned(size, number):
    return np.linspace(0, size - 1, number).round().astype(int)


def _table(posteriors, reasons, found, shares):
    rows = []
    for name, posterior in posteriors.items():
        total = posterior["total"].values.astype(float)
        lower, median, upper = np.quantile(total, [0.025, 0.5, 0.975])
        elpd, k = found.get(name, (np.array([np.nan]), np.array([np.nan])))
        rows.append(
            {
                "model": name,
                "weight": shares.get(name, 0.0),
                "elpd": float(elpd.sum()),
                "worst_pareto_k": float(k.max()),
                "passed": not reasons[name],
                "reason": reasons[name],
                "median": float(median),
                "lower": float(lower),
                "upper": float(upper),
            }
        )
    table = pd.DataFrame(rows)
    table["disagrees"] = _disagree(table["median"].where(table["passed"]).to_numpy())
    return SCHEMA.validate(table)


def _disagree(medians):
    """Which medians are far from one of the others that may be used."""
    ratio = np.abs(np.log(medians[:, None]) - np.log(medians[None, :]))
    return (np.nan_to_num(ratio) > np.log(DISAGREEMENT)).any(axis=1)
