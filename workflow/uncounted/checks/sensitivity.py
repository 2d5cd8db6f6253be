"""What does the answer hang on? The total without each source, and each prior beside its posterior."""

import numpy as np
import pandas as pd
import pandera.pandas as pa

SCHEMA = pa.DataFrameSchema(
    {
        "left_out": pa.Column(str),
        "median": pa.Column(float),
        "lower": pa.Column(float),
        "upper": pa.Column(float),
        "level": pa.Column(float),
        "moved": pa.Column(float),
        "mcse_moved": pa.Column(float),
        "r_hat": pa.Column(float),
        "ess_bulk": pa.Column(float),
    },
    strict=True,
)
"""One row a refit, at levels 0.5 and 0.95; `left_out` is empty for the fit to all sources.

`moved` is the move of the median, relative to that from all sources; `mcse_moved` its Monte Carlo standard error."""

PRIOR_SCHEMA = pa.DataFrameSchema(
    {
        "parameter": pa.Column(str),
        "unit": pa.Column(str),
        "reason": pa.Column(str),
        "kind": pa.Column(str, pa.Check.isin(["prior", "posterior"])),
        "quantile": pa.Column(float),
        "value": pa.Column(float),
    },
    strict=True,
)
"""Quantiles of each parameter before and after the figures."""

_QUANTILES = np.round(np.concatenate([[0.005], np.arange(0.025, 1, 0.025), [0.995]]), 4)


def check_sources(joint, without):
    """How far the number of deaths moves without each source in turn.

    Parameters
    ----------
    joint : xarray.DataArray, (chain, draw)
        Deaths from all sources.
    without : pandas.DataFrame
        left_out, chain, draw, deaths.

    Returns
    -------
    pandas.DataFrame
        See :data:`SCHEMA`.
    """
    fits = {"": joint.values}
    for source, group in without.groupby("left_out", sort=False):
        fits[source] = group.pivot(index="chain", columns="draw", values="deaths").to_numpy()
    rows = [row for source, draws in fits.items() for row in _rows_of_fit(source, draws.astype(float), fits[""])]
    return SCHEMA.validate(pd.DataFrame(rows))


def _rows_of_fit(source, draws, joint):
    import arviz as az

    ratio = np.median(draws) / np.median(joint)
    errors = [float(az.mcse(d.astype(float), method="median")) / np.median(d) for d in (draws, joint)]
    common = {
        "left_out": source,
        "median": float(np.median(draws)),
        "moved": float(ratio - 1),
        "mcse_moved": float(ratio * np.hypot(*errors)) if source else 0.0,
        "r_hat": float(az.rhat(draws)),
        "ess_bulk": float(az.ess(draws)),
    }
    for level in (0.5, 0.95):
        low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
        yield common | {"level": level, "lower": float(low), "upper": float(high)}


def compare_priors(trace, priors, deaths):
    """Each parameter's prior and posterior, and what the priors alone say of the number of deaths.

    Parameters
    ----------
    trace : arviz.InferenceData
        Groups ``prior`` and ``posterior``.
    priors : dict
        The config's priors.
    deaths : tuple of numpy.ndarray
        The number of deaths under the prior and under the posterior.

    Returns
    -------
    pandas.DataFrame
        See :data:`PRIOR_SCHEMA`.
    """
    rows = []
    for name, spec in priors.items():
        if name in trace.posterior and name in trace.prior:
            pairs = (("prior", trace.prior[name].values), ("posterior", trace.posterior[name].values))
            rows += _quantile_rows(name, spec["unit"], spec["reason"], pairs)
    pairs = (("prior", deaths[0]), ("posterior", deaths[1]))
    rows += _quantile_rows("deaths", "deaths in all", "What the priors alone say about the answer.", pairs)
    return PRIOR_SCHEMA.validate(pd.DataFrame(rows))


def _quantile_rows(name, unit, reason, pairs):
    for kind, values in pairs:
        for quantile, value in zip(_QUANTILES, np.quantile(values, _QUANTILES), strict=True):
            yield {
                "parameter": name,
                "unit": unit,
                "reason": reason,
                "kind": kind,
                "quantile": float(quantile),
                "value": float(value),
            }
