"""What the report shows of the years of the war: which was the deadliest, and by how much."""

import pandas as pd

from uncounted.figures import words
from uncounted.report.pieces import exactly, people, with_ranges

_SURE = 0.999
"""Draws cannot tell a probability beyond this from certainty."""


def view(tables):
    """Prepare the section on the years.

    Parameters
    ----------
    tables : uncounted.figures.tables.CaseTables

    Returns
    -------
    dict
    """
    rows = years(tables)
    return {
        "rows": rows,
        "whole": [row for row in rows if row["more"]],
        "part": [row for row in rows if row["times"] and not row["more"]],
        "bounds": bounds(tables),
        "words": "; ".join(f"year {row['label']}, {row['a_day']['median']} ({row['a_day']['range']})" for row in rows),
    }


def years(tables):
    """List the years of the war: their days, deaths, deaths a day, and how they compare with the year before."""
    deaths, a_day = tables.pick("deaths", "war_year"), tables.pick("deaths_a_day", "war_year")
    start, cut_off = (pd.Timestamp(day) for day in (tables.config["war"]["from"], tables.config["cut_off"]))
    rows = []
    for label in deaths.index:
        first = start + pd.DateOffset(years=int(label) - 1)
        last = min(start + pd.DateOffset(years=int(label)) - pd.Timedelta(days=1), cut_off)
        rows.append(
            {
                "label": label,
                "first": first,
                "last": last,
                "days": (last - first).days + 1,
                "deaths": exactly(deaths.loc[label]),
                "about": people(deaths.loc[label]),
                "a_day": people(a_day.loc[label]),
                **compared(tables, label),
            }
        )
    return rows


def compared(tables, label):
    """Say how a year compares with the year before; nothing of the first year, no difference of a part of a year."""
    said = {"times": None, "probability": None, "more": None}
    estimates = tables.estimates
    known = {
        quantity: label in set(estimates.loc[estimates["quantity"] == quantity, "war_year"])
        for quantity in ("times_year_before", "more_than_year_before")
    }
    if known["times_year_before"]:
        times = tables.pick("times_year_before", "war_year").loc[label]
        names = ("median", "lower", "upper", "inner_lower", "inner_upper")
        said["times"] = with_ranges({name: words.number(times[name], 2) for name in names})
        said["probability"] = probability(tables.pick("deadlier_than_year_before", "war_year").loc[label, "mean"])
    if known["more_than_year_before"]:
        said["more"] = people(tables.pick("more_than_year_before", "war_year").loc[label])
    return said


def probability(share):
    """Write a probability that is a share of draws: none is certain."""
    if share > _SURE:
        return f"more than {words.percent(_SURE, 1)}"
    if share < 1 - _SURE:
        return f"less than {words.percent(1 - _SURE, 1)}"
    return words.percent(share, 1)


def bounds(tables):
    """List how many of the list died in a period, at least, as it was published."""
    if "named_in_year" not in tables.config["sources"]:
        return []
    table = tables.evidence("named_in_year")
    return table[["published", "closed", "died_from", "died_to", "more_than"]].to_dict("records")
