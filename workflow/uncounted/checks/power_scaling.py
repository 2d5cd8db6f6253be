"""Does the answer follow the prior, or the data? (Kallioinen, Paananen, Bürkner and Vehtari 2024, Stat. Comput. 34:57)

Prior and likelihood are raised to a power a little above and below 1; sensitivity is how fast the posterior of the
number of people moves with it (by the cumulative Jensen-Shannon distance, for each doubling of the weight).

The bound of the authors is 0.05. Of a normal posterior that is a move of the mean by about a quarter of its standard
deviation for each doubling of the prior's weight, so that a move well within the interval counts. It says that
something moves, and not what: so median and interval are given too, as they would be if the prior counted for half or
for twice as much, from the draws weighed anew (:mod:`uncounted.checks.reweighing`). Where the draws cannot tell that,
they are given for the weight farthest from 1 that they can tell.
"""

import numpy as np
import pandera.pandas as pa

from uncounted.checks.reweighing import even, reweighed
from uncounted.checks.tornado import density, values_of
from uncounted.checks.typed import typed

BOUND = 0.05
"""A sensitivity from here on counts (as in Kallioinen et al.)."""

NO_VERDICT = "not to be had"

VERDICTS = ("robust", "the prior matters", "prior and data conflict", NO_VERDICT)

NUDGE = 1.01
"""The power of the sensitivity, and its inverse. If not even these can be told from the draws, there is none."""

_SCALED = ("weight", "median", "lower", "upper")

SCHEMA = pa.DataFrameSchema(
    {
        "model": pa.Column(str),
        "quantity": pa.Column(str),
        "prior": pa.Column(float, nullable=True),
        "likelihood": pa.Column(float, nullable=True),
        "verdict": pa.Column(str, pa.Check.isin(VERDICTS)),
        **{name: pa.Column(float) for name in ("median", "lower", "upper")},
        **{f"{part}_{end}": pa.Column(float, nullable=True) for end in ("less", "more") for part in _SCALED},
    },
    strict=True,
    ordered=True,
)
"""One row a model and quantity: sensitivity to the prior and to the likelihood, without a unit; median and 95 %
interval, and what they are with less and more weight of the prior: the powers of :data:`POWERS` nearest to 1/2 and 2
that the draws can tell, missing where they can tell none. A sensitivity is missing where too few draws count with a
power of :data:`NUDGE` already, as of densities that differ vastly from draw to draw."""

POWERS = tuple(2.0**-step for step in (1, 0.5, 0.25, 0.125))
"""Powers that the prior is raised to, and their inverses, the farthest first."""


def check_power_scaling(traces, quantities=("total",)):
    """Raise prior and likelihood of each model to a power, and see what moves.

    Parameters
    ----------
    traces : dict of str to arviz.InferenceData
        Those without the groups ``log_prior`` and ``log_likelihood`` are left out.
    quantities : sequence of str, optional
        Variables of the posterior.

    Returns
    -------
    pandas.DataFrame
        See :data:`SCHEMA`.
    """
    import arviz as az

    rows = []
    for model, trace in traces.items():
        if {"log_prior", "log_likelihood"} <= set(trace.groups()):
            numbers = trace.posterior[list(quantities)].astype(float)
            data = az.InferenceData(posterior=numbers, log_prior=trace.log_prior, log_likelihood=trace.log_likelihood)
            for name in quantities:
                values, seen = numbers[name].values.ravel(), {}
                for part in ("prior", "likelihood"):
                    known = _can_be_told(values, _summed(trace[f"log_{part}"]))
                    seen[part] = float(az.psens(data, component=part, var_names=name)) if known else np.nan
                moved = _with_other_weight(values, _summed(trace.log_prior))
                rows.append({"model": model, "quantity": name, **seen, "verdict": verdict(**seen), **moved})
    return typed(rows, SCHEMA)


def _can_be_told(values, log_density):
    """Whether the draws can tell what a power a little above and below 1 would do."""
    return all(reweighed(values, (power - 1) * log_density).trusted for power in (NUDGE, 1 / NUDGE))


def _summed(densities):
    """Log density of all priors, or of all data, together; (draw,)."""
    whole = sum(
        array.sum([dim for dim in array.dims if dim not in ("chain", "draw")]) for array in densities.data_vars.values()
    )
    return whole.transpose("chain", "draw").values.ravel()


def _with_other_weight(values, log_prior):
    """Median and interval, and as they are with less and with more weight of the prior."""
    found = _quoted(even(values), "")
    for end, powers in (("less", POWERS), ("more", [1 / power for power in POWERS])):
        found |= dict.fromkeys((f"{part}_{end}" for part in _SCALED), np.nan)
        for power in powers:
            draws = reweighed(values, (power - 1) * log_prior)
            if draws.trusted:
                found |= {f"weight_{end}": power} | _quoted(draws, f"_{end}")
                break
    return found


def _quoted(draws, end):
    quantiles = {"median": 0.5, "lower": 0.025, "upper": 0.975}
    return {f"{name}{end}": draws.quantile(probability) for name, probability in quantiles.items()}


def with_densities(trace, priors, predictive_draws):
    """Give the trace of an evidence synthesis the densities of the priors of its config.

    Only what the config states is raised to a power: of quantities that scatter around each other (months, ages,
    half-years) the scatter's own prior, as Kallioinen et al. advise for models with levels (sec. 3.2).

    Parameters
    ----------
    trace : arviz.InferenceData
        Groups ``posterior`` and ``log_likelihood``, the latter of every so many draws.
    priors : dict
        The config's priors.
    predictive_draws : int
        How many draws of all chains the likelihood was to be of; see :func:`uncounted.inference.thin`.

    Returns
    -------
    arviz.InferenceData
        ``posterior``, ``log_prior`` and ``log_likelihood`` of the same draws.
    """
    import arviz as az
    import xarray as xr

    from uncounted.inference import thin

    posterior = thin(trace, predictive_draws).posterior
    coords = {name: np.arange(posterior.sizes[name]) for name in ("chain", "draw")}
    terms = {}
    for name, spec in priors.items():
        values = None if spec["distribution"] == "fixed" else values_of(name, posterior)
        if values is not None:
            log_density = density(spec).logpdf(values).sum(axis=1).reshape(posterior.sizes["chain"], -1)
            terms[name] = (("chain", "draw"), log_density)
    likelihood = trace.log_likelihood.assign_coords(coords)
    return az.InferenceData(
        posterior=posterior.assign_coords(coords), log_prior=xr.Dataset(terms, coords), log_likelihood=likelihood
    )


def verdict(prior, likelihood):
    """Say in words what two sensitivities mean.

    Parameters
    ----------
    prior, likelihood : float

    Returns
    -------
    str
        One of :data:`VERDICTS`. Of an answer that follows both, prior and data pull in different directions; of one
        that follows the prior alone, the data say little. Where a sensitivity that it takes is missing, there is none.
    """
    if prior < BOUND:
        return "robust"
    if np.isnan(prior) or np.isnan(likelihood):
        return NO_VERDICT
    return "prior and data conflict" if likelihood >= BOUND else "the prior matters"
