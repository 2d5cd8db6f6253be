"""Did the estimate allow what became known later? Figures kept out of the fit are held against the posterior."""

import numpy as np
import pandas as pd
import pandera.pandas as pa

SCHEMA = pa.DataFrameSchema(
    {
        "what": pa.Column(str),
        "day": pa.Column("datetime64[us]"),
        "observed": pa.Column(float),
        "lower": pa.Column(float),
        "median": pa.Column(float),
        "upper": pa.Column(float),
        "passed": pa.Column("boolean", nullable=True),
        "text": pa.Column(str),
    },
    strict=True,
)
"""One row a comparison; `passed` is empty where it is shown and decides nothing. 95 % intervals."""

FORECAST = "Named with a day of death by then, as foreseen from the fit"
"""What the row is called that holds the fit's forecast of the later list."""


def check_against_later_list(deaths, forecast, later, cut_off):
    """Hold the estimate against a later state of the list, by month of death.

    Parameters
    ----------
    deaths : numpy.ndarray
        Draws of the number of deaths up to the cut-off.
    forecast : numpy.ndarray
        Draws of how many of them the later list names with a day of death.
    later : pandas.DataFrame
        The later list: published, month, kind, named, first_day, last_day. Only deaths with a known day are in it.
    cut_off : datetime-like

    Returns
    -------
    pandas.DataFrame
        See :data:`SCHEMA`.
    """
    cut_off = pd.Timestamp(cut_off)
    day = later["published"].iloc[0]
    named = named_until(later.query("kind == 'all'"), cut_off)
    rows = [
        _row(
            "Deaths in all, against those of them whom the later list names with a day of death",
            day,
            named,
            deaths,
            decides=True,
        ),
        _row(FORECAST, day, named, forecast, decides=False),
    ]
    return SCHEMA.validate(pd.DataFrame(rows).astype({"passed": "boolean", "day": "datetime64[us]"}))


def named_until(months, cut_off):
    """Named deaths up to the cut-off; the month of the cut-off is shared out by days.

    Parameters
    ----------
    months : pandas.DataFrame
        month, named, first_day, last_day.
    cut_off : pandas.Timestamp

    Returns
    -------
    float
    """
    covered = (months["last_day"] - months["first_day"]).dt.days + 1
    before = ((cut_off - months["first_day"]).dt.days + 1).clip(lower=0)
    return float((months["named"] * np.minimum(before / covered, 1.0)).sum())


def _row(what, day, observed, draws, decides):
    lower, median, upper = np.quantile(draws, [0.025, 0.5, 0.975])
    passed, text = _bound(observed, lower, upper) if decides else (None, _verdict(observed, lower, upper))
    return {
        "what": what,
        "day": day,
        "observed": observed,
        "lower": lower,
        "median": median,
        "upper": upper,
        "passed": passed,
        "text": text,
    }


def _bound(observed, lower, upper):
    """Whether an estimate allows a number that it cannot be below, and what that says."""
    if upper < observed:
        return False, "The whole interval lies below what was named later: the estimate is too low or too sure."
    if lower < observed:
        return True, (
            "The interval holds what was named later, and numbers below it that are too low, as is known by now. Read "
            "it from that number up."
        )
    return True, (
        "The whole interval lies above what was named later. This bounds the estimate from below only: any higher "
        "one passes more easily."
    )


def _verdict(observed, lower, upper):
    if observed > upper:
        return (
            "The list has named more than the fit foresaw. Its sources did not stay what they were, more names have a "
            "day of death, or names come later, or for more of the dead, than the years before the cut-off could show. "
            "If names come for more of the dead, the share that is ever named is higher than estimated."
        )
    if observed < lower:
        return (
            "The list has named fewer than the fit foresaw. Its sources did not stay what they were, or the share that "
            "is ever named is lower than estimated."
        )
    return "The forecast holds the figure."
