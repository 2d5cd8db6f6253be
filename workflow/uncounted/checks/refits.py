"""Which lists does the answer hang on? The total without each list, with two merged, and each stratum alone."""

import numpy as np
import pandas as pd
import pandera.pandas as pa

from uncounted.checks.sensitivity import SCHEMA as _OF_SOURCES
from uncounted.checks.sensitivity import check_sources
from uncounted.checks.typed import typed

_NUMBERS = [name for name, column in _OF_SOURCES.columns.items() if name not in ("left_out", "level")]

SCHEMA = _OF_SOURCES.update_columns({name: {"nullable": True} for name in _NUMBERS})
"""As :data:`uncounted.checks.sensitivity.SCHEMA`; the numbers of what cannot be estimated are missing."""

STRATA_SCHEMA = pa.DataFrameSchema(
    {
        "stratum": pa.Column(str),
        **{name: pa.Column(float, nullable=True) for name in ("median", "lower", "upper")},
        "level": pa.Column(float),
        "reason": pa.Column(str),
    },
    strict=True,
)
"""One row a stratum and level: people in all, seen and unseen; or, without a number, the reason."""

LEVELS = (0.5, 0.95)


def check_refits(joint, without, names):
    """How far the number of people moves without each list, and with two merged.

    Parameters
    ----------
    joint : xarray.DataArray, (chain, draw)
        People in all, from all lists.
    without : pandas.DataFrame
        left_out, chain, draw, total.
    names : list of str
        The refits; one of which `without` has no draws could not be estimated.

    Returns
    -------
    pandas.DataFrame
        See :data:`SCHEMA`: that from all lists first, then in the order of `names`. Empty where there are no refits,
        or `joint` has no answer.
    """
    if not names or not np.isfinite(joint).all():
        return typed([], SCHEMA)
    found = check_sources(joint, without.rename(columns={"total": "deaths"}))
    unanswered = [
        {"left_out": name, "level": level} for name in names if name not in set(without["left_out"]) for level in LEVELS
    ]
    table = pd.concat([found, pd.DataFrame(unanswered)]) if unanswered else found
    place = {name: number for number, name in enumerate(["", *names])}
    ordered = table.sort_values(["left_out", "level"], key=lambda c: c.map(place) if c.name == "left_out" else c)
    return SCHEMA.validate(ordered.reset_index(drop=True))


def check_strata(alone, names, reasons):
    """The number of people of each stratum, estimated on its own.

    Parameters
    ----------
    alone : pandas.DataFrame
        stratum, chain, draw, total.
    names : list of str
        The strata; none in a study without strata.
    reasons : dict of str to str
        Why strata cannot be estimated on their own.

    Returns
    -------
    pandas.DataFrame
        See :data:`STRATA_SCHEMA`.
    """
    draws = {name: group["total"].to_numpy() for name, group in alone.groupby("stratum")}
    rows = []
    for name in names:
        for level in LEVELS:
            tails = [0.5, (1 - level) / 2, (1 + level) / 2]
            median, lower, upper = np.quantile(draws[name], tails) if name in draws else (np.nan,) * 3
            reason = "" if name in draws else reasons.get(name, "the model has no answer for it")
            numbers = {"median": median, "lower": lower, "upper": upper}
            rows.append({"stratum": name, **numbers, "level": level, "reason": reason})
    return typed(rows, STRATA_SCHEMA)
