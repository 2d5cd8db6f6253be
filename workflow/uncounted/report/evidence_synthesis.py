"""What the report shows of an evidence synthesis: the tables of a case, brought into words and rows."""

from collections import Counter

import pandas as pd

from uncounted.checks.backtest import FORECAST
from uncounted.figures import names_of, words
from uncounted.figures.answer import partial_months
from uncounted.figures.checks import parameter_names, quantiles
from uncounted.figures.others import SAME_KIND, lettered
from uncounted.report import backtest as knowledge
from uncounted.report import modeltext, regions, services, survival, worlds, years
from uncounted.report.pieces import (
    checked,
    descriptions,
    dropped,
    exactly,
    figure,
    findings,
    people,
    priors,
    share,
    whole_number,
    with_ranges,
)
from uncounted.report.tornado import power_scaling, tornado

TEMPLATE = "evidence_synthesis.html.j2"

CONTENTS = [
    ("answer", "The answer"),
    ("counted", "What was counted, and by whom"),
    ("how", "How the estimate was made"),
    ("when", "When they died"),
    ("years", "The years of the war"),
    ("ages", "How old they were"),
    ("prisoners", "Prisoners"),
    ("services", "In which service they were"),
    ("regions", "Where they came from"),
    ("views", "What each source says"),
    ("others", "What others estimated"),
    ("hangs", "What the answer hangs on"),
    ("checks", "The checks"),
    ("assumed", "What cannot be tested"),
]
"""The sections of the page: anchor and title; that on prisoners where the config asks how soon they died."""


def view(tables, provenance):
    """Prepare one case for its template.

    Parameters
    ----------
    tables : uncounted.figures.tables.CaseTables
    provenance : dict
        What the release follows from.

    Returns
    -------
    dict
    """
    config = tables.config
    narrow, wide = tables.levels
    moved = sensitivity(tables)
    known = parameters(tables)
    earlier = earlier_dates(tables)
    return {
        "template": TEMPLATE,
        "name": tables.name,
        "title": config["title"],
        "config": config,
        "narrow": narrow,
        "wide": wide,
        "deaths": people(tables.one("deaths")),
        "beyond": people(tables.one("deaths_beyond_named")),
        "share": share(tables.one("share_named")),
        "named": tables.last_list["named"],
        "in_all": in_all(tables),
        "by_month": strata(tables, "month"),
        "by_calendar_year": strata(tables, "calendar_year"),
        "by_war_year": strata(tables, "war_year"),
        "by_age": strata(tables, "age"),
        "share_by_day": shares(tables, "day"),
        "share_by_age": shares(tables, "age"),
        "best_named_age": extreme_share(tables, "idxmax"),
        "least_named_age": extreme_share(tables, "idxmin"),
        "registered": registered(tables),
        "registered_sums": registered_sums(tables),
        "excess": excess(tables),
        "sources": sources(tables, provenance),
        "registry_days": registry_days(tables),
        "ledger": ledger(tables),
        "list_size": tables.last_list.to_dict(),
        "dropped": dropped(tables),
        "peak_month": peak(tables),
        "partial": _lower(partial_months(config)),
        "sensitivity": moved,
        "most_moving": max((row for row in moved if row["left_out"]), key=lambda row: row["size"]),
        "published": published(tables),
        "same_kind": SAME_KIND,
        "parameters": known,
        "by_parameter": {row["name"]: row for row in known},
        "priors": priors(config),
        "convergence": checked(tables.convergence),
        "predictive": checked(tables.predictive),
        "backtest": kept_out(tables),
        "foreseen": foreseen(tables),
        "tornado": tornado(tables),
        "power_scaling": power_scaling(tables),
        "knowledge": earlier,
        "worlds": worlds.view(provenance),
        "model_text": modeltext.as_html(modeltext.docstring(config["model"])),
        **in_words(tables, moved, known),
        "figures": {name: figure(tables, name) for name in names_of(config)},
        **sections(tables),
        "summary": summary(people(tables.one("deaths"))),
        "stop": checked(tables.convergence)["failed"] > 0,
        "model_texts": [],
        "doubts": [
            *doubts(checked(tables.predictive), checked(tables.backtest)),
            *(knowledge.doubts(earlier, "earlier") if earlier else []),
        ],
    }


def sections(tables):
    """Prepare the sections that have a module of their own, and list those that the case has."""
    shown = {"years": years.view(tables), "services": services.view(tables), "regions": regions.view(tables)}
    prisoners = survival.view(tables)
    text = modeltext.as_html(modeltext.docstring("services")) if shown["services"] else ""
    contents = [(anchor, title) for anchor, title in CONTENTS if (shown | {"prisoners": prisoners}).get(anchor, True)]
    return {**shown, "survival": prisoners, "services_text": text, "contents": contents}


def earlier_dates(tables):
    """Say what would have been estimated on earlier days; None if the config names none."""
    if not tables.config.get("backtest"):
        return None
    return knowledge.view(tables.backtest_dates, tables.backtest_published, tables.config)


def summary(deaths):
    """Say the answer in a few words, for the list of studies."""
    return {"answer": f"{deaths['median']} deaths", "range": deaths["range"], "note": ""}


def kept_out(tables):
    """List the figures kept out of the fit, with verdicts that tell a bound from a forecast, which decides nothing."""
    seen = checked(tables.backtest)
    for row in seen["rows"]:
        held = row["lower"] <= row["observed"] <= row["upper"]
        row["kind"] = "forecast" if row["verdict"] == "shown" else "bound"
        row["said"] = row["verdict"] if row["kind"] == "bound" else "held" if held else "missed"
    return seen


def foreseen(tables):
    """Say what the fit foresaw of the later list, and whether more came than its interval allows, or fewer.

    Parameters
    ----------
    tables : uncounted.figures.tables.CaseTables

    Returns
    -------
    dict or None
        None where no forecast was made. ``came`` is "more", "fewer" or "" (as foreseen).
    """
    rows = tables.backtest[tables.backtest["what"] == FORECAST]
    if rows.empty:
        return None
    row = rows.iloc[0]
    width = row["upper"] - row["lower"]
    return {
        **{name: words.about(row[name], width) for name in ("lower", "median", "upper")},
        "observed": words.count(row["observed"]),
        "day": row["day"],
        "came": "more" if row["observed"] > row["upper"] else "fewer" if row["observed"] < row["lower"] else "",
    }


def doubts(predictive, backtest):
    """List what has to be read before the numbers, beside convergence."""
    said = []
    if predictive["failed"]:
        text = (
            f"Of the observed figures, {predictive['failed']} of {len(predictive['rows'])} are not what the fitted "
            "model expects"
        )
        said.append({"text": text, "anchor": "predictive", "see": "the comparison"})
    for row in backtest["failed_rows"]:
        text = f"A figure that was kept out of the fit is not as expected ({row['what']}): {row['text']}"
        said.append({"text": text.removesuffix("."), "anchor": "", "see": ""})
    return said


def _lower(text):
    return text[:1].lower() + text[1:]


def in_all(tables):
    """List the quantities in all, with the errors of their sampling."""
    rows = []
    for quantity, label in (
        ("deaths", "deaths in all"),
        ("deaths_beyond_named", "of them not named"),
        ("share_named", "share named"),
    ):
        row = tables.one(quantity)
        is_share = quantity == "share_named"
        write = (lambda value: words.percent(value, 1)) if is_share else words.count
        shown = exactly(row)
        if is_share:
            shown = with_ranges({name: write(row[name]) for name in list(shown) if name in row})
        rows.append(
            {
                "label": label,
                "estimate": shown,
                "error": words.percent(row["mcse_median"], 2) if is_share else words.count(row["mcse_median"]),
            }
        )
    return rows


def strata(tables, by):
    """List the deaths by stratum, with the named part where the table has it."""
    deaths = tables.pick("deaths", by)
    has_named = by in ("month", "age")
    named = tables.pick("named", by) if has_named else None
    return [
        {
            "label": label,
            "deaths": exactly(row),
            "about": people(row),
            "named": exactly(named.loc[label]) if has_named else None,
        }
        for label, row in deaths.iterrows()
    ]


def peak(tables):
    """Pick the month whose median is the highest, and say how likely it is the deadliest, and which are next."""
    rows = tables.pick("deaths", "month")
    month = rows["median"].idxmax()
    return {"label": month, "about": people(rows.loc[month]), **_likely(tables, "most_deaths", "month", month)}


def extreme_share(tables, which):
    """Pick the age whose share named has the highest or the lowest median ("idxmax" or "idxmin")."""
    rows = tables.pick("share_named", "age")
    age = getattr(rows["median"], which)()
    quantity = {"idxmax": "largest_share_named", "idxmin": "smallest_share_named"}[which]
    return {"label": age, **share(rows.loc[age]), **_likely(tables, quantity, "age", age)}


def _likely(tables, quantity, by, label):
    """The probability that a stratum is the extreme one, and the two next likely of the others."""
    probability = tables.pick(quantity, by)["mean"]
    others = probability.drop(label).nlargest(2)
    return {
        "probability": words.percent(probability[label]),
        "next": [{"label": name, "probability": words.percent(value)} for name, value in others.items() if value > 0],
    }


def shares(tables, by):
    """List the share named by stratum."""
    return [{"label": label, **share(row)} for label, row in tables.pick("share_named", by).iterrows()]


def registered(tables):
    """List the war deaths in the registry by age and year, as `{year: [rows]}`."""
    rows = tables.pick("registered_war_deaths", "age", "calendar_year")
    usual = tables.pick("male_deaths_without_war", "age", "calendar_year")
    years = {}
    for (age, year), row in rows.iterrows():
        expected = exactly(usual.loc[(age, year)])
        years.setdefault(year, []).append({"age": age, "war": exactly(row), "usual": expected})
    return years


def registered_sums(tables):
    """Sum the war deaths in the registry over the ages that are published in one number, by year.

    Returns
    -------
    dict of str to dict
        ``age``, ``war``, ``usual``, as in :func:`registered`; ``about``, rounded; ``published``; and ``apart``: whether
        our interval and twice the published standard deviation have nothing in common. Years without a published
        number have none.
    """
    table = tables.evidence("published_excess_male_deaths")
    table = table[table["variant"] == "hiv_subtracted"].assign(year=lambda rows: rows["year"].astype(str))
    theirs = table.set_index(["age", "year"])
    usual = tables.pick("male_deaths_without_war_summed", "age", "calendar_year")
    sums = {}
    for (age, year), row in tables.pick("registered_war_deaths_summed", "age", "calendar_year").iterrows():
        sums[year] = {"age": age, "war": exactly(row), "usual": exactly(usual.loc[(age, year)]), "about": people(row)}
        if (age, year) in theirs.index:
            middle, sd = theirs.loc[(age, year), ["excess", "sd"]]
            apart = row["lower"] > middle + 2 * sd or row["upper"] < middle - 2 * sd
            sums[year] |= {"published": f"{words.count(middle)} ± {words.count(sd)}", "apart": bool(apart)}
    return sums


def excess(tables):
    """Give the published excess by age and year, as `{(age, year): text}`."""
    table = tables.evidence("published_excess_male_deaths")
    table = table[table["variant"] == "hiv_subtracted"]
    return {
        (row["age"], str(row["year"])): f"{words.count(row['excess'])} ± {words.count(row['sd'])}"
        for _, row in table.iterrows()
    }


def registry_days(tables):
    """List the years of war in the registry's table, each with the day it was published."""
    table = tables.evidence("registered_deaths")
    war = table[table["year"] >= pd.Timestamp(tables.config["war"]["from"]).year]
    return [{"year": str(year), "published": rows["published"].max()} for year, rows in war.groupby("year", sort=True)]


def ledger(tables):
    """Say how many dead the ledger holds, and how many of them the list named on the days that are compared."""
    asked = tables.config["ledger"]
    row = tables.evidence("ledger").set_index("cohort").loc[asked["cohort"]]
    totals = tables.evidence("named_totals")
    part = totals[totals["part"] == asked["part"]].set_index("closed")["named"]
    named = [(day, int(part.loc[pd.Timestamp(day)])) for day in asked["named_on"]]
    return {
        **{name: row[name] for name in ("published", "died", "recruited", "died_by")},
        "named": [{"day": day, "named": number, "share": number / row["died"]} for day, number in named],
    }


def sources(tables, provenance):
    """List the sources: what they hold, whose they are, until which day they are used."""
    described = descriptions(tables.name, provenance)
    reconciliation = findings(tables, "reconciliation").set_index("source")
    readers = Counter(entry["table"] for entry in tables.config["sources"].values())
    rows = []
    for name, entry in tables.config["sources"].items():
        counts = reconciliation.loc[name] if name in reconciliation.index else {}
        published = tables.evidence(name).get("published")
        resource = described.get(entry["table"], {})
        title = resource.get("title", words.capital(words.source(name)))
        rows.append(
            {
                "name": name,
                "table": entry["table"],
                # Of a table that is read twice, what it is read for.
                "title": title if readers[entry["table"]] == 1 else f"{title}: {words.source(name)}",
                "credit": resource.get("credit", ""),
                "links": [
                    origin
                    for origin in resource.get("sources", [])
                    if str(origin.get("path", "")).startswith(("https://", "http://"))
                ],
                "first": None if published is None or published.empty else published.min(),
                "last": None if published is None or published.empty else published.max(),
                "used_until": entry.get("used_until"),
                "kept_for": str(entry.get("kept_for", "")).replace("_", " "),
                "rows": whole_number(counts, "rows_kept"),
                "people": whole_number(counts, "people_out") if entry["reads"] in _EVERYONE_ONCE else "–",
                "refused": whole_number(counts, "rows_refused"),
                "questions": whole_number(counts, "questions"),
            }
        )
    return rows


_EVERYONE_ONCE = {
    "named_by_week",
    "named_by_week_and_branch",
    "named_by_age_and_service",
    "named_by_region",
    "named_by_number_of_sources",
    "named_by_month_confirmed_and_service",
}
"""Kinds of table in which every person is counted once, so that the sum of the counts is a number of people."""


def sensitivity(tables):
    """List the deaths in all without each source, those of all sources first."""
    table = tables.sensitivity
    outer = table[table["level"] == table["level"].max()]
    inner = table[table["level"] == table["level"].min()].set_index("left_out")
    rows = []
    for _, row in outer.sort_values("left_out", key=lambda c: c != "", kind="stable").iterrows():
        narrow = inner.loc[row["left_out"]]
        whole = {**row.to_dict(), "mean": row["median"]}
        whole |= {"inner_lower": narrow["lower"], "inner_upper": narrow["upper"]}
        rows.append(
            {
                "left_out": row["left_out"],
                "exact": exactly(whole),
                "about": people(whole),
                "moved": row["moved"],
                "size": abs(row["moved"]),
                "moved_error": words.percent(row["mcse_moved"], 1),
                "ess": words.count(row["ess_bulk"]),
                "r_hat": f"{row['r_hat']:.3f}",
            }
        )
    return rows


def published(tables):
    """List what others estimated or claimed, in the order of their letters."""
    rows = lettered(tables).to_dict("records")
    for row in rows:
        row["point_text"] = "–" if pd.isna(row["point"]) else words.count(row["point"])
        ends = [words.count(row[end]) for end in ("low", "high") if not pd.isna(row[end])]
        row["range_text"] = " to ".join(ends) if ends else "–"
    return rows


def in_words(tables, moved, known):
    """Say in words what some of the figures show, for people who cannot see them."""
    wide = words.percent(tables.levels[1])
    by_age = [(words.ages(age), people(row)) for age, row in tables.pick("deaths", "age").iterrows()]
    by_month = tables.pick("deaths", "month")
    same = [row for row in published(tables) if row["counts"] == SAME_KIND]
    return {
        "age_words": "; ".join(f"{age}, {row['median']} ({row['range']})" for age, row in by_age),
        "month_words": "; ".join(
            f"{words.month(month)}, {people(row)['median']}" for month, row in by_month.iterrows()
        ),
        "sensitivity_words": "; ".join(
            f"{'without ' + words.source(row['left_out']) if row['left_out'] else 'all sources'} "
            f"{row['about']['median']} ({wide} interval {row['about']['range']})"
            for row in moved
        ),
        "registered_words": ". ".join(
            f"In {year}: "
            + "; ".join(f"{words.ages(r['age'])}, {r['war']['median']} ({r['war']['range']})" for r in rows)
            for year, rows in registered(tables).items()
        ),
        "published_words": "; ".join(
            f"{row['letter']}, {row['by']}, up to {words.day(row['deaths_to'])}: "
            + (row["point_text"] if row["range_text"] == "–" else f"{row['point_text']} ({row['range_text']})")
            for row in same
        ),
        "prior_words": "; ".join(
            f"{words.parameter(row['name'])}: prior {row['prior']['lower']} to {row['prior']['upper']}, "
            f"posterior {row['posterior']['lower']} to {row['posterior']['upper']}"
            for row in known
        ),
        "backtest_words": "; ".join(
            f"{row['what']}, observed {words.number(row['observed'], 4)}, "
            f"{wide} interval {words.number(row['lower'], 4)} to {words.number(row['upper'], 4)}"
            for row in tables.backtest.to_dict("records")
        ),
    }


def parameters(tables):
    """List prior and posterior of each parameter, with its unit and the reason of its prior."""
    table = tables.prior_posterior
    rows = []
    for name in parameter_names(table):
        own = table[table["parameter"] == name]
        shown = {}
        for kind in ("prior", "posterior"):
            picked = quantiles(tables, name, kind)
            shown[kind] = {key: _written(value, name, picked) for key, value in picked.items()}
        rows.append({"name": name, "unit": own["unit"].iloc[0], "reason": own["reason"].iloc[0], **shown})
    return rows


def _written(value, name, interval):
    """Write a quantile of a parameter; of the deaths no more digits than the value or its interval deserves."""
    if name != "deaths":
        return words.number(value)
    return words.about(value, min(abs(value), interval["upper"] - interval["lower"]))
