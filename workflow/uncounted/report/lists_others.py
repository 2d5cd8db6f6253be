"""What others estimated from lists, older methods among them, beside what this project does."""

import math

import pandas as pd

from uncounted.figures import words
from uncounted.report.pieces import exactly


def older(tables):
    """List what older methods say."""
    return [
        {
            "label": words.method(row["method"]),
            "estimate": a_number(row["estimate"]),
            "range": an_interval(row),
            "level": _level(row["level"]),
            "detail": row["detail"],
        }
        for _, row in tables.older().iterrows()
    ]


def a_number(value):
    """Write a number that others gave as they gave it."""
    return "–" if pd.isna(value) else words.count(value) if math.isfinite(value) else "no end"


def an_interval(row):
    """Write an interval that others gave; a dash where there is none."""
    if pd.isna(row["lower"]) or pd.isna(row["upper"]):
        return "–"
    return f"{a_number(row['lower'])} to {a_number(row['upper'])}"


def _level(value):
    return "" if pd.isna(value) else words.percent(value)


def published(tables):
    """List what others published of all people, and of parts that are no stratum here."""
    rows = tables.published[~tables.published["is_stratum"]]
    return [
        {
            "letter": row["letter"],
            "about": row["about"],
            "method": row["method"],
            "source": row["source"],
            "credit": row["credit"],
            "estimate": a_number(row["estimate"]),
            "range": an_interval(row),
            "level": _level(row["level"]),
        }
        for _, row in rows.iterrows()
    ]


def published_in_words(tables):
    """Say which published estimates of all people lie within the interval of ours, and which do not."""
    rows = tables.published_totals[tables.published_totals["estimate"].notna()]
    if tables.total is None or rows.empty:
        return ""
    interval = f"our {words.percent(tables.levels[1])} interval"
    sides = rows["estimate"].map(lambda value: side(value, tables.total["lower"], tables.total["upper"]) or "within")
    if len(rows) == 1:
        return f"The published estimate lies {sides.iloc[0]} {interval}."
    letters = {where: rows.loc[sides == where, "letter"] for where in ("within", "below", "above")}
    inside = letters["within"]
    said = [f"{words.small(len(inside)) if len(inside) else 'none'} {_lie(inside)} within {interval}"]
    said += [
        f"{joined(letters[where])} {_lie(letters[where])} {where} it"
        for where in ("below", "above")
        if len(letters[where])
    ]
    return f"Of {words.small(len(rows))} published estimates, {'; '.join(said)}."


def _lie(letters):
    return "lie" if len(letters) > 1 else "lies"


def joined(names):
    """Join names as in "A, B and C"."""
    names = list(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def differ(tables):
    """Say of which strata the published estimate or ours lies outside the interval of the other.

    Returns
    -------
    dict
        `compared` (how many), and `sentences`.
    """
    together, wide = tables.pooled() if tables.strata else pd.DataFrame(), words.percent(tables.levels[1])
    theirs = tables.published[tables.published["is_stratum"] & tables.published["estimate"].notna()]
    theirs = theirs[theirs["about"].isin(together.index)]
    sentences = [difference(row, together.loc[row["about"]], wide) for _, row in theirs.iterrows()]
    said = [sentence for sentence in sentences if sentence]
    return {"compared": len(sentences), "sentences": said}


def difference(theirs, ours, wide):
    """Say how a published estimate lies outside the interval of ours, or ours outside theirs.

    Parameters
    ----------
    theirs : mapping
        `about` (the stratum), `method`, `source`, `estimate`, `lower`, `upper`.
    ours : mapping
        `median`, `lower`, `upper`.
    wide : str
        The level of our interval.

    Returns
    -------
    str
        One sentence, with numbers as they are compared, before rounding; empty where each number is within the other's
        interval.
    """
    outside = side(theirs["estimate"], ours["lower"], ours["upper"])
    ours_outside = side(ours["median"], theirs["lower"], theirs["upper"])
    if not outside and not ours_outside:
        return ""
    about = exactly(ours)
    median, interval = about["median"], f"the published interval ({an_interval(theirs)})"
    said = f"is {outside or 'within'} our {wide} interval ({about['range']})"
    if ours_outside:
        said += f", {'and' if outside else 'but'} our {median} is {ours_outside} {interval}"
    elif an_interval(theirs) != "–":
        said += f"; our {median} is within {interval}"
    name = words.capital(words.stratum(theirs["about"]))
    return f"{name}: the estimate published by {theirs['source']}, {a_number(theirs['estimate'])}, {said}."


def side(value, lower, upper):
    """Say on which side of an interval a number is; empty if it is within, or there is no interval."""
    if pd.isna(lower) or pd.isna(upper) or lower <= value <= upper:
        return ""
    return "below" if value < lower else "above"
