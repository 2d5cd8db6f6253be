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
    """List what others published, then what other programs gave, of all people and of parts that are no stratum."""
    rows = tables.published[~tables.published["is_stratum"]]
    return [
        {
            "letter": row["letter"],
            "is_run": bool(row["is_run"]),
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


_KINDS = {
    False: ("published estimate", "published estimates"),
    True: ("estimate by other software", "estimates by other software"),
}
"""What one and several estimates are called, by whether another program gave them for this project."""


def in_words(tables):
    """Say which estimates of all people lie within the interval of ours: of those published, and of other programs.

    Returns
    -------
    dict of bool to str
        By whether another program gave them for this project; empty where nothing can be compared.
    """
    rows = tables.published_totals
    if tables.total is None:
        return dict.fromkeys(_KINDS, "")
    return {is_run: _compared(tables, rows[rows["is_run"] == is_run], is_run) for is_run in _KINDS}


def _compared(tables, rows, is_run):
    """Say where each of some estimates lies: by its number, or by its range where it has no number."""
    where = {row["letter"]: _where(row, tables.total) for _, row in rows.iterrows()}
    where = {letter: place for letter, place in where.items() if place}
    ranges = set(rows.loc[rows["estimate"].isna(), "letter"])
    interval, (one, several) = f"our {words.percent(tables.levels[1])} interval", _KINDS[is_run]
    if not where:
        return ""
    if len(where) == 1:
        letter, place = next(iter(where.items()))
        return f"The {one} ({letter}{', its range' if letter in ranges else ''}) lies {place} {interval}."
    said = []
    for place in (place for place in _PLACES if place in where.values()):
        letters = [f"{name}{' (its range)' if name in ranges else ''}" for name in where if where[name] == place]
        said.append(f"{joined(letters)} {_lie(letters)} {place} {'it' if said else interval}")
    return f"Of {words.small(len(where))} {several}, {'; '.join(said)}."


def _lie(letters):
    return "lie" if len(letters) > 1 else "lies"


_PLACES = ("within", "partly within", "below", "above")


def _where(row, ours):
    """Say where an estimate of others lies beside the interval of ours; empty if it has no number and no range."""
    if not pd.isna(row["estimate"]):
        return side(row["estimate"], ours["lower"], ours["upper"]) or "within"
    if pd.isna(row["lower"]) or pd.isna(row["upper"]):
        return ""
    sides = {side(end, ours["lower"], ours["upper"]) for end in (row["lower"], row["upper"])}
    return (sides.pop() or "within") if len(sides) == 1 else "partly within"


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
