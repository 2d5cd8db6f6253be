"""The checks of models of lists, brought into words and rows: refits, predictions, priors, convergence."""

import math

import pandas as pd

from uncounted.figures import words
from uncounted.report.pieces import checked, exactly, people

MOST_ROWS = 60
"""How many predictions the table of the report has: those that fit worst."""

HIGH_PARETO_K = 0.7
"""Beyond this, leaving out a cell cannot be had by weighing draws anew (Vehtari et al. 2024, J. Mach. Learn. Res.)."""


def sensitivity(tables):
    """List the number in all without each list and with pairs merged, that of all lists first."""
    table = tables.with_inner(tables.sensitivity, ["left_out"])
    rows = []
    for name, row in table.sort_index(key=lambda c: c != "", kind="stable").iterrows():
        has = not pd.isna(row["median"])
        rows.append(
            {
                "left_out": name,
                "exact": exactly(row) if has else None,
                "about": people(row) if has else None,
                "moved": row["moved"] if has else math.nan,
                "ess": words.count(row["ess_bulk"]) if not pd.isna(row["ess_bulk"]) else "–",
                "r_hat": f"{row['r_hat']:.3f}" if not pd.isna(row["r_hat"]) else "–",
            }
        )
    moved = [row for row in rows if row["left_out"] and row["about"]]
    return {"rows": rows, "most": max(moved, key=lambda row: abs(row["moved"]), default=None)}


def predictive(tables):
    """List the predictions that fit worst, count all, by model too."""
    table = tables.predictive
    every = checked(table)
    worst = table.sort_values(["passed", "p_value"], kind="stable").head(MOST_ROWS)
    seen_on = table[table["variable"] == "seen_on"].head(MOST_ROWS)
    shown = table.loc[table.index.isin(worst.index.union(seen_on.index))]
    by_model = []
    for name, rows in table.groupby("source", sort=False):
        fine = len(rows) - checked(rows)["failed"]
        by_model.append({"label": words.model(name), "fine": words.count(fine), "all": words.count(len(rows))})
    return every | {
        "shown_rows": [row | _cell(row["item"], tables.config) for row in checked(shown)["rows"]],
        "left": len(table) - len(shown),
        "by_model": by_model,
    }


def _cell(item, config):
    """Put an item of the predictions into words."""
    stratum, colon, history = str(item).rpartition(": ")
    if not colon or set(history) - {"0", "1"}:
        return {"label": f"on {item}"}
    on = [name for name, digit in zip(config["lists"], history, strict=False) if digit == "1"]
    where = f"{words.stratum(stratum)}: " if config.get("strata") else ""
    return {"label": f"{where}{' and '.join(on)}{' only' if len(on) == 1 else ''}"}


def pareto_k(tables):
    """Count the cells on which each fit hangs, by model."""
    rows = []
    for name, own in tables.pareto_k.groupby("model", sort=False):
        # Missing where too few draws differ for it to be had: no better than a high one.
        own = own.assign(pareto_k=own["pareto_k"].fillna(math.inf))
        high = own[own["pareto_k"] > HIGH_PARETO_K]
        worst = own.sort_values("pareto_k", ascending=False, kind="stable").iloc[0]
        cell = _cell(f"{worst['stratum']}: {worst['history']}", tables.config)
        rows.append(
            {
                "name": name,
                "label": words.model(name),
                "cells": words.count(len(own)),
                "high": words.count(len(high)),
                "worst": highest_k(worst["pareto_k"]),
                "cell": cell["label"],
                "observed": words.count(worst["observed"]),
            }
        )
    return {"rows": rows, "bound": str(HIGH_PARETO_K)}


def highest_k(value):
    """Write the highest Pareto k of a fit."""
    return f"{value:.2f}" if math.isfinite(value) else "not to be had"


def doubts(tables, compared):
    """List what has to be read before the numbers, beside a calculation that has not converged at all."""
    failed = [] if stop(tables) else _failed(tables)
    said = [_unconverged(tables, name, rows) for name, rows in failed if not _unused(tables, name)]
    if compared["failed"]:
        number, every = words.count(compared["failed"]), words.count(len(compared["rows"]))
        text = f"Of {every} comparisons of models with counts, {number} are not what the fitted model expects"
        said.append({"text": text, "anchor": "predictive", "see": "the comparison"})
    return said


def left_out(tables):
    """Say which models failed their checks and have no part in the answer: to be told, and no reason to doubt it."""
    if stop(tables):
        return []
    return [_unconverged(tables, name, rows)["text"] for name, rows in _failed(tables) if _unused(tables, name)]


def _unused(tables, name):
    """Whether a model has no part in the average that leads."""
    return float(tables.weights.set_index("model")["weight"].get(name, 1.0)) == 0.0


def stop(tables):
    """Whether no model is left whose calculation has converged."""
    failed, weights = {name for name, _ in _failed(tables)}, tables.weights
    if not failed:
        return False
    return not set(weights.loc[weights["passed"].astype(bool), "model"]) - failed


def _failed(tables):
    """List the models of which a check of convergence failed, and these checks."""
    rows = tables.convergence
    rows = rows[~rows["passed"].astype(bool)]
    return list(rows.groupby(rows["check"].str.split(": ").str[0], sort=False))


def _unconverged(tables, name, rows):
    """Say of one model, of several, that it failed checks, and what becomes of it."""
    weights = tables.weights.set_index("model")["weight"]
    share = float(weights.get(name, 0.0))
    part = f"{words.percent(share)} of the average is its answer" if share else "it has no part in the average"
    checks = "check" if len(rows) == 1 else "checks"
    text = f"{words.capital(words.model(name))}: {words.small(len(rows))} {checks} of convergence failed; {part}"
    return {"text": text, "anchor": "convergence", "see": "the checks"}
