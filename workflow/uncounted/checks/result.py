"""What every check returns."""

from dataclasses import asdict, dataclass

import pandas as pd
import pandera.pandas as pa


@dataclass(frozen=True)
class Result:
    """One question put to a fit, and the answer.

    Attributes
    ----------
    check : str
        The question's name.
    item : str
        The quantity that answers worst.
    seen : float
        What was found.
    wanted : str
        What would have passed.
    passed : bool
    do : str
        What to try if it did not.
    """

    check: str
    item: str
    seen: float
    wanted: str
    passed: bool
    do: str


SCHEMA = pa.DataFrameSchema(
    {
        "check": pa.Column(str),
        "item": pa.Column(str),
        "seen": pa.Column(float),
        "wanted": pa.Column(str),
        "passed": pa.Column(bool),
        "do": pa.Column(str),
    },
    strict=True,
)
"""The table of results."""


def results_table(results):
    """Results as a table, one row each.

    Parameters
    ----------
    results : list of Result

    Returns
    -------
    pandas.DataFrame
    """
    return SCHEMA.validate(pd.DataFrame([asdict(result) for result in results]))
