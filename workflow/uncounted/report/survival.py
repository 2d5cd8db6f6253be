"""What the report shows of how soon recruits died: the open list and the published figures first, then the estimate."""

import pandas as pd

from uncounted.figures import words
from uncounted.report import modeltext
from uncounted.report.pieces import with_ranges

_ENDS = ("median", "lower", "upper", "inner_lower", "inner_upper")
_MEDIANS = ("median_named", "median_dead", "median_followed", "median_short", "median_half_year")
_PART = "inmates"


def view(tables):
    """Prepare the section on prisoners.

    Parameters
    ----------
    tables : uncounted.figures.tables.SynthesisTables

    Returns
    -------
    dict or None
        None where the config does not ask how soon recruits died.
    """
    settings = tables.config.get("survival")
    if settings is None:
        return None
    return {
        "listed": _listed(tables),
        "published": _published(tables, settings),
        "closing_day": settings["closing_day"],
        "reading_error": words.number(settings["reading_error_days"], 2),
        "recruiters": [_recruiter(tables, name, about["title"]) for name, about in settings["recruiters"].items()],
        "has_times": "times" in settings,
        "several_laws": len(settings["laws"]) > 1,
        "laws": " and ".join(words.law(law) for law in settings["laws"]),
        "priors": [
            {"name": name, "unit": prior["unit"], "reason": prior["reason"], "text": _prior_text(prior)}
            for name, prior in settings["priors"].items()
        ],
        "model_text": modeltext.as_html(modeltext.docstring("survival")),
        "words": _in_words(tables, settings),
    }


def _listed(tables):
    """Prisoners on the open list, on the days on which their number was published and was used."""
    rows = tables.evidence("named_totals")
    rows = rows[rows["part"] == _PART].sort_values("closed")
    return [{"day": row["closed"], "named": words.count(row["named"])} for _, row in rows.iterrows()]


def _published(tables, settings):
    table = tables.evidence(settings["summaries"]).set_index("cohort")
    columns = ("recruited", "died", "half_of_deaths_within_days", "sample")
    rows = []
    for name, about in settings["recruiters"].items():
        row = table.loc[name]
        counts = {column: "–" if pd.isna(row[column]) else words.count(row[column]) for column in columns}
        days = {column: row[column] for column in ("recruited_from", "recruited_to", "died_by")}
        rows.append({"title": about["title"], **counts, **days})
    return rows


def _recruiter(tables, name, title):
    table = tables.survival
    own = table[table["recruiter"] == name]
    laws = [law for law in dict.fromkeys(own["law"]) if law in tables.config["survival"]["laws"]]
    reasons = [reason for reason in dict.fromkeys(own["reason"]) if reason]
    months = [int(month) for month in dict.fromkeys(own.loc[own["quantity"] == "share_dead", "at"])]
    return {
        "title": title,
        "reason": reasons[0] if reasons else "",
        "months": [words.small(month) for month in months],
        "laws": [
            {
                "label": words.law(law),
                "shares": [_cell(tables, own, law, "share_dead", month, words.percent) for month in months],
                "medians": {quantity: _cell(tables, own, law, quantity, None, words.count) for quantity in _MEDIANS},
                "checks": [
                    check
                    for quantity in ("median_published", "died_published")
                    if (check := _check(tables, own, law, quantity))
                ],
            }
            for law in laws
        ],
    }


def _row(tables, own, law, quantity, at=None):
    rows = own[(own["law"] == law) & (own["quantity"] == quantity)]
    rows = rows[rows["at"].isna() if at is None else rows["at"] == at]
    return tables.with_inner(rows, ["quantity"]).iloc[0]


def _cell(tables, own, law, quantity, at, write):
    """An estimate in words; nothing where there is no number."""
    row = _row(tables, own, law, quantity, at)
    return None if pd.isna(row["median"]) else with_ranges({end: write(row[end]) for end in _ENDS})


def _check(tables, own, law, quantity):
    """A published figure beside what the model expects in its place; nothing where none was published."""
    row = _row(tables, own, law, quantity)
    if pd.isna(row["observed"]) or pd.isna(row["median"]):
        return None
    return {
        "label": {"median_published": "half of the dead within days", "died_published": "died"}[quantity],
        "observed": words.count(row["observed"]),
        "expected": with_ranges({end: words.count(row[end]) for end in _ENDS}),
        "inside": bool(row["lower"] <= row["observed"] <= row["upper"]),
    }


def _prior_text(prior):
    values = [
        f"{key.replace('_', ' ')} {value}"
        for key, value in prior.items()
        if key not in ("distribution", "unit", "reason")
    ]
    return f"{prior['distribution'].replace('_', ' ')}: {', '.join(values)}"


def _in_words(tables, settings):
    """Say in words what the picture shows, for people who cannot see it."""
    said = []
    for name, about in settings["recruiters"].items():
        recruiter = _recruiter(tables, name, about["title"])
        law = recruiter["laws"][0]
        for month, cell in zip(recruiter["months"], law["shares"], strict=True):
            if cell:
                after = f"{month} {'month' if month == words.small(1) else 'months'}"
                said.append(f"{about['title']}, dead after {after}: {cell['median']} ({cell['range']})")
        half = law["medians"]["median_named"]
        said.append(f"{about['title']}, half of the named dead within {half['median']} days ({half['range']})")
    return "; ".join(said)
