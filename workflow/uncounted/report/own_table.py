"""The study's own table put to the test, brought into words and rows."""

import math

from uncounted.checks.calibration import LEVELS
from uncounted.checks.calibration_table import monte_carlo_error
from uncounted.checks.held_out_lists import chance_of_so_few, shares_held
from uncounted.checks.reweighing import HIGH_K
from uncounted.figures import words
from uncounted.figures.cells import label_of
from uncounted.figures.own_table import cells_shown, leading, reason_of
from uncounted.figures.tornado import signed
from uncounted.report.pieces import exactly, people
from uncounted.report.tornado import pareto

MOST_ROWS = 60
"""How many cells the table of last persons has: those that move the answer most."""

JUDGED = (80, 95)
"""Levels of the intervals that are judged by how many of them held."""

RARE = 0.05
"""So few intervals hold by chance in a smaller share of all series: they are taken to be too narrow."""


def own_table(tables):
    """Say how the study's table fares when it is put to the test.

    Parameters
    ----------
    tables : uncounted.figures.lists_tables.ListsTables

    Returns
    -------
    dict
        ``held_out``, ``last_person`` and ``parametric``; the ``levels`` of the intervals; the ``bound`` of Pareto k.
    """
    return {
        "held_out": held_out(tables),
        "last_person": last_person(tables),
        "parametric": parametric(tables),
        "levels": [words.percent(level / 100) for level in LEVELS],
        "bound": str(HIGH_K),
    }


def held_out(tables):
    """List what the others say of each list's people, and how many intervals held, by model."""
    table = tables.held_out_lists
    rows = [_against(row) | {"list": row["list"], "model": _model(row["model"])} for row in table.to_dict("records")]
    for row, first in zip(rows, ~table["list"].duplicated(), strict=True):
        row["first"] = bool(first)
    by_model = []
    for name, own in table[table["median"].notna()].groupby("model", sort=False):
        by_model.append({"label": _model(name), "by": _by(name), "held": _held(own)})
    lead = leading(table).to_dict("records")
    missed = [
        f"{row['list']}: {shown['counted']} counted, {shown['about']['median']} estimated ({shown['about']['range']})"
        for row in lead
        if (shown := _against(row))["verdict"] == "failed"
    ]
    return {
        "rows": rows,
        "by_model": by_model,
        "leading": by_model[:1],
        "lead": by_model[0]["by"] if by_model else "",
        "by_two_lists": bool((table["model"] == "two_lists").any()),
        "chances": _chances(leading(table)),
        "missed": missed,
        "reasons": [{"list": row["list"], "why": reason_of(row["reason"])} for row in lead if row["reason"]],
        "words": "; ".join(_said(row["list"], _against(row)) for row in lead),
    }


def _model(name):
    return "–" if name == "none" else words.model(name)


_IN_A_SENTENCE = {
    "average": "the average of the models",
    "loglinear": "the log-linear model",
    "latent_class": "latent classes",
    "decomposable": "decomposable graphs",
    "two_lists": "the model of two lists",
}


def _by(name):
    """Name a model within a sentence."""
    return _IN_A_SENTENCE.get(name, _model(name))


def _said(name, shown):
    estimate = f"{shown['about']['median']} ({shown['about']['range']})" if shown["about"] else "no estimate"
    return f"{name}, {shown['counted']} counted, {estimate}"


def _against(row):
    """Write an estimate beside the number that it is held against."""
    known = not math.isnan(row["median"])
    ends = {"lower": row["lower_95"], "upper": row["upper_95"], "median": row["median"]}
    ends |= {"inner_lower": row["lower_50"], "inner_upper": row["upper_50"]}
    return {
        "counted": words.count(row["people"]),
        "alone": words.count(row.get("alone", math.nan)) if "alone" in row else "",
        "exact": exactly(ends) if known else None,
        "about": people(ends) if known else None,
        "reason": reason_of(row["reason"]),
        "aside": row.get("aside", ""),
        "verdict": "shown" if not known else "passed" if row["held_95"] else "failed",
        "text": "" if not known else "holds it" if row["held_95"] else _side(row),
    }


def _side(row):
    return "too low" if row["upper_95"] < row["people"] else "too high"


def _held(table):
    """Say of each level how many of the intervals held, with the Monte Carlo error of the share."""
    found = []
    for level, (held, of) in shares_held(table).items():
        error = monte_carlo_error([True] * held + [False] * (of - held))
        share = words.with_error(held / of, error) if of else "–"
        number = words.small(held) if held else "none"
        found.append({"level": words.percent(level / 100), "held": number, "of": words.small(of), "share": share})
    return found


def _chances(table):
    """Say of each level that is judged how likely it is that so few of the intervals hold, and whether it is chance."""
    chances = {level: chance_of_so_few(*counts, level) for level, counts in shares_held(table).items()}
    return [
        {"level": words.percent(level / 100), "chance": _share(chances[level]), "too_few": chances[level] < RARE}
        for level in JUDGED
    ]


def _share(chance):
    return f"less than {words.percent(0.001, 1)}" if chance < 0.001 else words.percent(chance, int(chance < 0.1))


def last_person(tables):
    """List the cells whose last person moves the answer most, by the model that leads."""
    table = tables.last_person
    if table.empty:
        return {"rows": [], "most": None, "words": "", "left": 0, "doubtful": "", "by_model": []}
    own = table[table["model"] == table["model"].iloc[0]]
    order = own["moved"].abs().sort_values(ascending=False, kind="stable").index
    rows = [_last(tables, row) for row in own.loc[order[:MOST_ROWS]].to_dict("records")]
    sound = [row for row in rows if row["trusted"]]
    shown = [_last(tables, row) for row in cells_shown(table)[0].to_dict("records")]
    by_model = []
    for name, rest in table[table["model"] != table["model"].iloc[0]].groupby("model", sort=False):
        worst = rest.loc[rest["moved"].abs().idxmax()]
        by_model.append(_last(tables, worst.to_dict()) | {"by": _by(name)})
    return {
        "rows": rows,
        "most": sound[0] if sound else None,
        "words": "; ".join(f"{row['cell']} ({row['observed']}), {row['moved']}" for row in shown),
        "left": max(0, len(own) - MOST_ROWS),
        "doubtful": _combinations(int((~own["trusted"].astype(bool)).sum())),
        "by_model": by_model,
    }


def _combinations(number):
    return f"{words.small(number)} combination{'' if number == 1 else 's'}" if number else ""


def _last(tables, row):
    on = [name for name, digit in zip(tables.config["lists"], row["history"], strict=True) if digit == "1"]
    where = f"{words.stratum(row['stratum'])}: " if tables.config.get("strata") else ""
    return {
        "cell": f"{where}{' and '.join(on)}{' only' if len(on) == 1 else ''}",
        "dots": label_of(tables, f"{row['stratum']}: {row['history']}"),
        "observed": words.count(row["observed"]),
        "median": words.count(row["median"]),
        "people": _difference(row["median"] - row["from_median"]),
        "moved": signed(row["moved"]),
        "error": words.percent(row["mcse_moved"], 2),
        "k": pareto(row["pareto_k"]),
        "trusted": bool(row["trusted"]),
    }


def _difference(number):
    text = words.count(abs(number))
    return text if text == "0" else f"{'−' if number < 0 else '+'}{text}"


def parametric(tables):
    """Say how often intervals held in tables simulated from the fit."""
    table = tables.parametric
    answered = table[table["median"].notna()]
    if answered.empty:
        nothing = dict.fromkeys(("model", "refused", "words", "fewest", "most"), "")
        return nothing | {"number": 0, "held": [], "leads": False, "chances": []}
    refused = len(table) - len(answered)
    held = _held(answered)
    return {
        "number": len(answered),
        "held": held,
        "model": _by(table["model"].iloc[0]),
        "leads": bool(table["model"].iloc[0] == tables.lead),
        "chances": _chances(answered),
        "refused": words.small(refused) if refused else "",
        "words": "; ".join(f"{one['level']} interval, {one['held']} of {one['of']}" for one in held),
        "fewest": words.count(answered["people"].min()),
        "most": words.count(answered["people"].max()),
    }
