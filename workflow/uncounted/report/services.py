"""What the report shows of the dead by kind of service."""

from uncounted.figures import words
from uncounted.report.pieces import exactly, people, share

SPREADS = ("service_drift", "service_unknown_spread", "service_coverage_spread", "later_recruits_spread")
"""Priors that the split rests on."""


def view(tables):
    """Prepare the section on services; none where the case does not ask for it.

    Parameters
    ----------
    tables : uncounted.figures.tables.CaseTables

    Returns
    -------
    dict or None
    """
    if not tables.config.get("services"):
        return None
    rows = estimated(tables)
    return {
        **listed(tables),
        "rows": rows,
        "most": rows[0],
        "unknown": people(tables.pick("recorded", "service").loc["unknown"]),
        "spreads": [{"name": name, **tables.config["priors"][name]} for name in SPREADS],
        "by_month": by_month(tables),
        "words": "; ".join(
            f"{row['name']}, {row['about']['median']} ({row['about']['range']}), "
            f"of them named {row['share']['median']} ({row['share']['range']})"
            for row in rows
        ),
    }


def estimated(tables):
    """List the kinds of service, that with the most deaths first, and what is estimated of each."""
    deaths, named = tables.pick("deaths", "service"), tables.pick("named", "service")
    recorded, shares = tables.pick("recorded", "service"), tables.pick("share_named", "service")
    return [
        {
            "name": words.service(kind),
            "recorded": exactly(recorded.loc[kind]),
            "named": exactly(named.loc[kind]),
            "deaths": exactly(deaths.loc[kind]),
            "about": people(deaths.loc[kind]),
            "share": share(shares.loc[kind]),
        }
        for kind in deaths["median"].sort_values(ascending=False).index
    ]


def listed(tables):
    """Give the whole list by kind of service on the day it was published so, and the sizes of parts of it later."""
    asked = tables.config["services"]
    table = tables.evidence(asked["list"])
    counts = table.groupby("kind")["named"].sum().sort_values(ascending=False)
    day = table["published"].iloc[0]
    totals = tables.evidence("named_totals")
    later = totals[totals["part"].isin(asked["parts"]) & (totals["closed"] > day)]
    return {
        "day": day,
        "size": int(counts.sum()),
        "listed": [
            {"name": words.service(kind), "named": int(named), "share": named / counts.sum()}
            for kind, named in counts.items()
        ],
        "later": [
            {"day": row["closed"], "name": words.service(asked["parts"][row["part"]]), "named": int(row["named"])}
            for _, row in later.sort_values(["closed", "part"]).iterrows()
        ],
    }


def by_month(tables):
    """List the deaths by month and kind of service, where a later list was let in; else nothing."""
    if not tables.config["services"].get("by_month"):
        return []
    table = tables.pick("deaths", "service", "month").reset_index()
    return [
        {
            "month": month,
            "cells": [{"name": words.service(row["service"]), **people(row)} for _, row in rows.iterrows()],
        }
        for month, rows in table.groupby("month", sort=True)
    ]
