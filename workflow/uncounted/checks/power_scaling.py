"""Does the answer follow the prior, or the lists? (Kallioinen, Paananen, Bürkner and Vehtari 2024, Stat. Comput. 34:57)

Prior and likelihood are raised to a power a little above and below 1; sensitivity is how fast the posterior of the
number of people moves with it (by the cumulative Jensen-Shannon distance).
"""

import pandera.pandas as pa

from uncounted.checks.typed import typed

BOUND = 0.05
"""A sensitivity from here on counts (as in Kallioinen et al.)."""

VERDICTS = ("robust", "the prior matters", "prior and data conflict")

SCHEMA = pa.DataFrameSchema(
    {
        "model": pa.Column(str),
        "quantity": pa.Column(str),
        "prior": pa.Column(float, nullable=True),
        "likelihood": pa.Column(float, nullable=True),
        "verdict": pa.Column(str, pa.Check.isin(VERDICTS)),
    },
    strict=True,
    ordered=True,
)
"""One row a model and quantity: sensitivity to the prior and to the likelihood, without a unit."""


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
                seen = {part: float(az.psens(data, component=part, var_names=name)) for part in ("prior", "likelihood")}
                rows.append({"model": model, "quantity": name, **seen, "verdict": verdict(**seen)})
    return typed(rows, SCHEMA)


def verdict(prior, likelihood):
    """Say in words what two sensitivities mean.

    Parameters
    ----------
    prior, likelihood : float

    Returns
    -------
    str
        One of :data:`VERDICTS`. Of an answer that follows both, prior and lists pull in different directions; of one
        that follows the prior alone, the lists say little.
    """
    if prior < BOUND:
        return "robust"
    return "prior and data conflict" if likelihood >= BOUND else "the prior matters"
