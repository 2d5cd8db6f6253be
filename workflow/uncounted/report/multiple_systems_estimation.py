"""What the report shows of a study by multiple systems estimation: its tables, brought into words and rows."""

import math
import re

import pandas as pd

from uncounted.config import defaults
from uncounted.figures import names_of, words
from uncounted.figures.families import disagree
from uncounted.figures.lists import dial_rows, histories_shown, needed_positions, times, why_no_dial
from uncounted.report import modeltext
from uncounted.report.calibrated import calibrated
from uncounted.report.lists_checks import (
    HIGH_PARETO_K,
    doubts,
    highest_k,
    left_out,
    pareto_k,
    predictive,
    sensitivity,
    stop,
)
from uncounted.report.lists_others import a_number, an_interval, differ, in_words, joined, older, published
from uncounted.report.own_table import own_table
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

TEMPLATE = "multiple_systems_estimation.html.j2"

LONG = 16
"""A table of more rows is shown in a box that scrolls."""


def view(tables, provenance):
    """Prepare one case for its template.

    Parameters
    ----------
    tables : uncounted.figures.lists_tables.ListsTables
    provenance : dict
        What the release follows from.

    Returns
    -------
    dict
    """
    config = tables.config
    narrow, wide = tables.levels
    described = descriptions(config.get("data", tables.name), provenance)
    compared = predictive(tables)
    shown = {
        "template": TEMPLATE,
        "name": tables.name,
        "title": config["title"],
        "config": config,
        "narrow": narrow,
        "wide": wide,
        "people": config["people"],
        "seen": tables.seen,
        "why_not": tables.why_not() if tables.total is None else "",
        **answer(tables),
        "families": families(tables),
        "lead": tables.lead,
        "averaged": tables.lead == "average",
        "classes": classes(tables),
        "scores": scores(tables),
        "kinds": sorted(families(tables), key=lambda row: row["name"] == "average"),
        "disagree": disagree(tables),
        "lists": lists(tables, described),
        "on_several": on_several(tables),
        "overlaps": overlaps(tables),
        "tables_of_people": len(tables.histories.weights),
        "blank": int(tables.histories.blank[0].sum()),
        "structural_zeros": structural_zeros(config),
        "sources": sources(tables, described),
        "dropped": dropped(tables),
        "older": older(tables),
        "published": published(tables),
        "others": others(tables),
        "strata": strata(tables),
        "by": joined(config["strata"]) if config["strata"] else "",
        "long": len(tables.strata) > LONG,
        "has_alone": len(tables.strata_alone) > 0,
        "differ": differ(tables),
        "not_estimable": not_estimable(tables),
        "dial": dial(tables),
        "why_no_dial": why_no_dial(tables),
        "sensitivity": sensitivity(tables),
        # What failed stands first: the box may hide the rest.
        "convergence": checked(tables.convergence.sort_values("passed", kind="stable")),
        "predictive": compared,
        "pareto_k": pareto_k(tables),
        "power_scaling": power_scaling(tables),
        "tornado": tornado(tables),
        "own_table": own_table(tables),
        "calibrated": calibrated(tables, provenance),
        "models_in_it": tables.models,
        "priors": priors(config),
        "model_texts": model_texts(tables),
        "stop": stop(tables),
        "doubts": doubts(tables, compared),
        "left_out": left_out(tables),
        "figures": {name: figure(tables, name) for name in names_of(config)},
    }
    return shown | for_figures(shown) | {"contents": contents(shown), "summary": summary(shown)}


def contents(shown):
    """List the sections of the page: anchor and title."""
    sections = [
        ("answer", "The answer"),
        ("lists", "The lists, and how they overlap"),
        ("how", "How the estimate was made"),
        ("models", "What each model says"),
        ("strata", "Part by part"),
        ("dial", "What no list can tell"),
        ("hangs", "Which lists matter"),
        ("own", "A test on this table"),
        ("checks", "The checks"),
        ("assumed", "What cannot be tested"),
        ("priors", "Priors"),
    ]
    lacking = {anchor for anchor in ("strata", "priors") if not shown[anchor]}
    return [(anchor, title) for anchor, title in sections if anchor not in lacking]


def summary(shown):
    """Say the answer in a few words, for the list of studies."""
    if shown["total"] is None:
        return {"answer": "cannot be estimated", "range": "", "note": ""}
    return {
        "answer": f"{shown['total']['median']} {shown['people']}",
        "range": shown["total"]["range"],
        "note": "the models disagree" if shown["disagree"] else "",
    }


def others(tables):
    """Part what others published from what other programs gave: title, sentence and rows of each that there is."""
    rows, said = published(tables), in_words(tables)
    titles = {False: "What others published", True: "Other software, run for this project"}
    parted = [
        {
            "title": title,
            "is_run": is_run,
            "said": said[is_run],
            "rows": [row for row in rows if row["is_run"] == is_run],
        }
        for is_run, title in titles.items()
    ]
    return [part for part in parted if part["rows"]]


def for_figures(shown):
    """Say in words what some of the figures show, for people who cannot see them."""

    def said(label, about):
        return f"{label}, {about['median']} ({about['range']})" if about else f"{label}, no estimate"

    older = [f"{row['label']}, an older method, {row['estimate']} ({row['range']})" for row in shown["older"]]
    by = {False: "published by ", True: ""}
    theirs = [
        f"{row['letter']}, {by[row['is_run']]}{row['source']}, {row['estimate']} ({row['range']})"
        for row in shown["published"]
        if not row["about"]
    ]
    refits = shown["sensitivity"]["rows"]
    return {
        "headline_words": "; ".join([said(row["label"], row["about"]) for row in shown["families"]] + older + theirs),
        "strata_words": "; ".join(said(row["label"], row["about"]) for row in shown["strata"]),
        "sensitivity_words": "; ".join(said(row["left_out"] or "all lists", row["about"]) for row in refits),
    }


# The answer


def answer(tables):
    """Write the answer in all, the people on no list, and the share who are on a list."""
    if tables.total is None:
        return {"total": None, "unseen": None, "share_seen": None, "in_all": []}
    picked = {name: tables.totals(name).loc[tables.lead] for name in ("total", "unseen", "share_seen")}
    labels = {"total": "in all", "unseen": "of them on no list", "share_seen": "share who are on a list"}
    rows = []
    for name, row in picked.items():
        is_share = name == "share_seen"
        shown = with_ranges({k: words.percent(row[k], 1) for k in _ENDS}) if is_share else exactly(row)
        error = words.percent(row["mcse_median"], 2) if is_share else words.count(row["mcse_median"])
        rows.append({"label": labels[name], "estimate": shown, "error": error})
    return {
        "total": people(picked["total"]),
        "unseen": people(picked["unseen"]),
        "share_seen": share(picked["share_seen"]),
        "in_all": rows,
    }


_ENDS = ("median", "lower", "upper", "inner_lower", "inner_upper")


def families(tables):
    """List the models with their weights and answers, the leading one first."""
    totals, weights = tables.totals(), tables.weights.set_index("model")
    names = list(dict.fromkeys([tables.lead, *tables.models, *weights.index, *tables.not_estimable["model"]]))
    rows = []
    for name in names:
        weight = weights.loc[name] if name in weights.index else None
        row = totals.loc[name] if name in totals.index else None
        rows.append(
            {
                "name": name,
                "label": words.model(name),
                "leads": name == tables.lead,
                "exact": None if row is None else exactly(row),
                "about": None if row is None else people(row),
                "why_not": tables.why_not(model=name) if row is None else "",
                "weight": "–" if weight is None else words.percent(weight["weight"]),
                "elpd": "–" if weight is None else _signed(weight["elpd"]),
                "worst_k": "–" if weight is None else highest_k(weight["worst_pareto_k"]),
                "passed": "–" if weight is None else ("passed" if weight["passed"] else "failed"),
                "reason": "" if weight is None else weight["reason"],
            }
        )
    return rows


def classes(tables):
    """Say how many latent classes were allowed, if it is not the usual number, and why; None otherwise."""
    used, usual = tables.config["sampling"]["classes"], defaults()["sampling"]["classes"]
    if "latent_class" not in tables.models or used == usual:
        return None
    reason = tables.config.get("reasons", {}).get("classes", "")
    return {"used": words.small(used), "usual": words.small(usual), "reason": reason}


def scores(tables):
    """Say how far the scores of the models can be relied on: of how many counts the Pareto k is too high."""
    known = tables.weights[tables.weights["elpd"].notna()]
    high = known["worst_pareto_k"].fillna(math.inf) > HIGH_PARETO_K
    counts = {row["name"]: row for row in pareto_k(tables)["rows"]}
    doubtful = [counts[name] for name in known.loc[high, "model"] if name in counts]
    return {"any": len(known) > 0, "bound": str(HIGH_PARETO_K), "doubtful": doubtful}


def _signed(value):
    return "–" if pd.isna(value) else f"{value:,.1f}".replace("-", "−")


# The lists


def lists(tables, described):
    """List the lists: how many people are on each, and on it alone."""
    about = _fields(tables.config, described)
    return [
        {
            "name": row["name"],
            "about": about.get(row["name"], ""),
            "size": words.count(row["size"]),
            "alone": words.count(row["alone"]),
            "shared": words.percent(1 - row["alone"] / row["size"]) if row["size"] else "–",
        }
        for _, row in tables.list_sizes().iterrows()
    ]


def _fields(config, described):
    """Say what each list is, where the description of the tables does."""
    about = {}
    for entry in config["tables"]:
        file = entry if isinstance(entry, str) else entry["table"]
        for field in described.get(file, {}).get("schema", {}).get("fields", []):
            text = field.get("description", "")
            found = re.fullmatch(r"1: on (.+); 0: not on it\.", text)
            about.setdefault(field["name"], found[1] if found else text)
    return about


def on_several(tables):
    """Count the people by the number of lists that they are on."""
    by_history = tables.counted()
    by_number = by_history.groupby(by_history.index.str.count("1")).sum()
    several = by_number[by_number.index > 1].sum()
    return {
        "rows": [{"lists": words.small(number), "people": words.count(n)} for number, n in by_number.items()],
        "people": words.count(several),
        "share": words.percent(several / by_number.sum(), 1),
    }


def overlaps(tables):
    """Say in words who is on which combination of lists."""
    shown, rest = histories_shown(tables)
    names = tables.config["lists"]

    def spelt(history):
        on = [name for name, digit in zip(names, history, strict=True) if digit == "1"]
        return f"{' and '.join(on)}{' only' if len(on) == 1 else ''}"

    said = [f"{spelt(history)}: {words.count(number)}" for history, number in shown.items()]
    return {
        "words": "; ".join(said),
        "rest": words.count(len(rest)) if len(rest) else "",
        "rest_people": words.count(rest.sum()),
    }


def structural_zeros(config):
    """Put the combinations that cannot be into words."""
    said = []
    for zero in config.get("structural_zeros") or []:
        where = ", ".join(
            f"{column} {', '.join(map(str, label)) if isinstance(label, list) else label}"
            for column, label in (zero.get("where") or {}).items()
        )
        if "lists" in zero:
            what = f"nobody can be on {' or '.join(zero['lists'])}"
        else:
            parts = [f"{'on' if on else 'not on'} {name}" for name, on in zero["history"].items()]
            what = f"nobody can be {' and '.join(parts)}"
        said.append(f"{where}: {what}" if where else what)
    return said


def sources(tables, described):
    """List the tables of figures: what they hold and whose they are."""
    config = tables.config
    files = [entry if isinstance(entry, str) else entry["table"] for entry in config["tables"]]
    files += [config["published"]] if config.get("published") else []
    counts = findings(tables, "reconciliation").set_index("file")
    rows = []
    for file in files:
        resource = described.get(file, {})
        found = counts.loc[file] if file in counts.index else {}
        origins = resource.get("sources", [])
        rows.append(
            {
                "table": file,
                "title": resource.get("title", file),
                "credit": resource.get("credit", ""),
                "origins": [
                    {
                        "title": origin.get("title", ""),
                        "link": path if (path := str(origin.get("path", ""))).startswith(_WEB) else "",
                    }
                    for origin in origins
                ],
                "rows": whole_number(found, "rows_kept"),
                "people": whole_number(found, "people_out"),
                "refused": whole_number(found, "rows_refused"),
                "questions": whole_number(found, "questions"),
            }
        )
    return rows


_WEB = ("https://", "http://")


# Strata


def strata(tables):
    """List the strata: people seen, all strata together, each alone, and as published; none in a study without."""
    if not tables.strata:
        return []
    together, alone, seen = tables.pooled(), tables.separate(), tables.seen_by_stratum()
    theirs = tables.published[tables.published["is_stratum"]]
    return [
        {
            "label": words.stratum(name),
            "seen": words.count(seen[name]),
            "together": exactly(together.loc[name]) if name in together.index else None,
            "about": people(together.loc[name]) if name in together.index else None,
            "why_not": "" if name in together.index else tables.why_not(name) or "the model has none",
            "alone": exactly(alone.loc[name]) if name in alone.index else None,
            "why_not_alone": "" if name in alone.index else tables.why_not_alone(name),
            "published": [
                {"estimate": a_number(row["estimate"]), "range": an_interval(row)}
                for _, row in theirs[theirs["about"] == name].iterrows()
            ],
        }
        for name in tables.strata
    ]


def not_estimable(tables):
    """List who has no estimate by which model, and why."""
    rows = {}
    for _, row in tables.not_estimable.iterrows():
        about = "all people" if row["stratum"] in ("", "all") and not tables.strata else words.stratum(row["stratum"])
        rows.setdefault((about, row["reason"]), []).append(words.model(row["model"]))
    return [{"about": about, "reason": reason, "models": ", ".join(models)} for (about, reason), models in rows.items()]


# The dial


def dial(tables):
    """Write the numbers along the dial, and where published estimates would need it to stand; None without answer."""
    rows = dial_rows(tables)
    if rows.empty:
        return None
    along = [{"times": times(at), "position": _position(at), "exact": exactly(row)} for at, row in rows.iterrows()]
    step = max(1, math.ceil(len(along) / 9))
    at = float(tables.config.get("unseen_odds") or 0)
    # The end of the dial, and where it stands, are always among those shown.
    kept = [row for place, row in enumerate(along) if place % step == 0 or place == len(along) - 1]
    needed = [
        row | {"times": times(row["position"]), "at": _position(row["position"])} for row in needed_positions(tables)
    ]
    lettered = {row["letter"] for row in needed}
    others = tables.published_totals[~tables.published_totals["letter"].isin(lettered)]
    return {
        "unmoved": times(0.0),
        "stands": times(at),
        "moved": at != 0,
        "rows": kept,
        "lowest": along[0],
        "highest": along[-1],
        "needed": needed,
        "needed_words": "; ".join(f"{row['letter']} at {row['times']}" for row in needed),
        "not_reached": [
            {
                "letter": row["letter"],
                "why": "no single number was given"
                if pd.isna(row["estimate"])
                else "not more than the people on the lists"
                if row["estimate"] <= tables.seen
                else "beyond what was tried",
            }
            for _, row in others.iterrows()
        ],
    }


def _position(value):
    text = f"{value:+.2f}".replace("-", "−")
    return "0" if float(f"{value:.2f}") == 0 else text


def model_texts(tables):
    """Give the description of each model as it stands in its code."""
    names = [*tables.models, *(["classical"] if len(tables.classical) else [])]
    names = names or list(dict.fromkeys(tables.not_estimable["model"]))
    labels = {"classical": "older methods"}
    return [
        {
            "name": name,
            "label": labels.get(name, words.model(name)),
            "text": modeltext.as_html(modeltext.docstring(name)),
        }
        for name in names
    ]
