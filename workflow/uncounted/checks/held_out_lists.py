"""A population whose number is known: the people on each list, as the other lists would have it.

The people of list L who are on no other list are the unseen of that population. What the others estimate is held
against the count of the list. Whether intervals hold here says something of this table: the lists as they are, people
as they are found. It does not say that the interval of the whole holds, which is of people whom no list has found.
"""

import math

import numpy as np
import pandas as pd
import pandera.pandas as pa

from uncounted.checks.calibration import LEVELS

SCHEMA = pa.DataFrameSchema(
    {
        "list": pa.Column(str),
        "people": pa.Column(float),
        "alone": pa.Column(float),
        "aside": pa.Column(str),
        "model": pa.Column(str),
        "median": pa.Column(float, nullable=True),
        **{f"{end}_{level}": pa.Column(float, nullable=True) for level in LEVELS for end in ("lower", "upper")},
        **{f"held_{level}": pa.Column("boolean", nullable=True) for level in LEVELS},
        "reason": pa.Column(str),
    },
    strict=True,
    ordered=True,
    unique=["list", "model"],
)
"""One row a list and model. `people` is the count of the list, `alone` how many of them are on none of those that are
used; of several tables, the mean by weight. `aside` names other lists that say nothing of these people.
`held_<level>`: whether the interval holds the count. Without a number, the reason."""


def check_held_out(studies, draws, models_of):
    """Hold the count of each list against what the others say.

    Parameters
    ----------
    studies : dict of str to uncounted.models.own_table.HeldOut
        As of :func:`uncounted.models.own_table.held_out_studies`.
    draws : pandas.DataFrame
        See :data:`uncounted.models.own_table.HELD_OUT`.
    models_of : callable
        From a number of lists to the models that were fitted, the one that leads first.

    Returns
    -------
    pandas.DataFrame
        See :data:`SCHEMA`.
    """
    found = {key: rows["total"].to_numpy() for key, rows in draws.groupby(["list", "model"])}
    rows = []
    for name, held in studies.items():
        alone = held.people - float(_people(held.histories) @ held.histories.weights)
        about = {"list": name, "people": held.people, "alone": alone, "aside": " and ".join(held.aside)}
        models = models_of(held.histories.n_lists) if not held.reason else ["none"]
        for model in models:
            why = held.reason or ("" if (name, model) in found else "the model has no answer that may be used")
            numbers = against(found.get((name, model)), held.people)
            rows.append(about | {"model": model, **numbers, "reason": why})
    return as_table(rows, SCHEMA)


def _people(histories):
    """How many people each table has; (table,)."""
    return histories.counts.sum(axis=(1, 2)) + histories.blank.sum(axis=(1, 2))


def against(draws, people):
    """Hold a number of people against an estimate of it.

    Parameters
    ----------
    draws : numpy.ndarray or None
        Draws of the estimate; None, or missing, where there is none.
    people : float
        The truth.

    Returns
    -------
    dict
        ``median``, and for each level ``lower_``, ``upper_`` and ``held_``, missing where there is no estimate.
    """
    if draws is None or not np.isfinite(draws).all():
        ends = {f"{end}_{level}": np.nan for level in LEVELS for end in ("lower", "upper")}
        return {"median": np.nan} | ends | {f"held_{level}": pd.NA for level in LEVELS}
    numbers = {"median": float(np.median(draws))}
    for level in LEVELS:
        lower, upper = np.quantile(draws, [0.5 - level / 200, 0.5 + level / 200])
        numbers |= {f"lower_{level}": float(lower), f"upper_{level}": float(upper)}
        numbers[f"held_{level}"] = bool(lower <= people <= upper)
    return numbers


def as_table(rows, schema):
    """Make a table of rows that may have no number; there may be no row.

    Parameters
    ----------
    rows : list of dict
    schema : pandera.DataFrameSchema

    Returns
    -------
    pandas.DataFrame
    """
    types = {
        name: "boolean" if name.startswith("held_") else column.dtype.type for name, column in schema.columns.items()
    }
    return schema.validate(pd.DataFrame(rows, columns=list(schema.columns)).astype(types))


def shares_held(table):
    """Count how many of the intervals held.

    Parameters
    ----------
    table : pandas.DataFrame
        With ``held_<level>``, of one model.

    Returns
    -------
    dict of int to tuple of int
        By level: how many held, and how many there are.
    """
    return {level: (int(table[f"held_{level}"].sum()), int(table[f"held_{level}"].notna().sum())) for level in LEVELS}


def chance_of_so_few(held, of, level):
    """Say how likely it is that so few intervals hold, or fewer, if they hold as often as they say.

    Parameters
    ----------
    held, of : int
        How many held, and how many there are; they are taken to be independent of each other.
    level : int
        Of the intervals, in per cent.

    Returns
    -------
    float
    """
    share = level / 100
    return math.fsum(math.comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(held + 1))
