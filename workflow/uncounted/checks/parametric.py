"""Would intervals hold in tables like this one, if the model were right? Tables simulated from the fit, fitted again.

Few tables tell little: the share that held has a Monte Carlo error, and is to be read with it. That many held is what a
right model and right code must show, and no sign that the model is right for these lists.
"""

import pandera.pandas as pa

from uncounted.checks.calibration import LEVELS
from uncounted.checks.held_out_lists import against, as_table

SCHEMA = pa.DataFrameSchema(
    {
        "model": pa.Column(str),
        "number": pa.Column(int),
        "people": pa.Column(float),
        "seen": pa.Column(float),
        "median": pa.Column(float, nullable=True),
        **{f"{end}_{level}": pa.Column(float, nullable=True) for level in LEVELS for end in ("lower", "upper")},
        **{f"held_{level}": pa.Column("boolean", nullable=True) for level in LEVELS},
        "reason": pa.Column(str),
    },
    strict=True,
    ordered=True,
)
"""One row a simulated table: people in all and on a list, and what the model says of it; or, without a number, why."""


def check_parametric(draws, model):
    """Hold the number that each simulated table stands for against the estimate from it.

    Parameters
    ----------
    draws : pandas.DataFrame
        See :data:`uncounted.models.own_table.SIMULATED`.
    model : str
        The one that tables were simulated from, and fitted by.

    Returns
    -------
    pandas.DataFrame
        See :data:`SCHEMA`; empty where no table was simulated.
    """
    rows = []
    for number, own in draws.groupby("number", sort=True):
        people, seen = float(own["people"].iloc[0]), float(own["seen"].iloc[0])
        numbers = against(own["total"].to_numpy(), people)
        reason = "" if own["total"].notna().all() else "its lists say nothing about people on none"
        rows.append({"model": model, "number": number, "people": people, "seen": seen, **numbers, "reason": reason})
    return as_table(rows, SCHEMA)
