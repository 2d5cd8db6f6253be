"""How the models were calibrated for a population like that of a study: from the table that docs/ publishes."""

import math

from uncounted.checks.calibration_table import EVERY, LEAST
from uncounted.figures import words
from uncounted.figures.calibration import LABELS, kind_label
from uncounted.provenance import CALIBRATION
from uncounted.report.published import published

_NEEDED = (
    "model",
    "kind",
    "lists",
    "populations",
    "answered",
    "coverage_50",
    "coverage_95",
    "error_95",
    "width",
    "too_low",
)


def calibrated(tables, provenance):
    """List how often the intervals of the study's models held in simulated populations with as many lists.

    Parameters
    ----------
    tables : uncounted.figures.lists_tables.ListsTables
    provenance : dict
        What the release follows from: the table is read if it is among its inputs.

    Returns
    -------
    dict or None
        None where no calibration is published with this copy. ``lists`` in words, or "" where there are no populations
        of so many lists; ``models``, one row a model, over all kinds of population; ``kinds``, one row a kind, by the
        model that leads; ``only_missed``, the one of them in which a list finds only what another missed;
        ``not_held``, the kinds in which it does not hold.
    """
    table = published(provenance, CALIBRATION, _NEEDED, dtype={"lists": str})
    if table is None:
        return None
    number = str(len(tables.config["lists"]))
    there = number in set(table["lists"])
    table = table[table["lists"] == number] if there else table.iloc[:0]
    names = [name for name in dict.fromkeys([tables.lead, *tables.models]) if name in set(table["model"])]
    own = table[(table["kind"] != EVERY) & (table["model"] == (names[0] if names else ""))]
    kinds = [_row(row) | {"kind": row["kind"], "label": kind_label(row["kind"])} for row in own.to_dict("records")]
    every = table[table["kind"] == EVERY].set_index("model", drop=False)
    return {
        "lists": words.small(int(number)) if names else "",
        "wanted": words.small(int(number)),
        "lead": "the " * (names[0] == "average") + LABELS.get(names[0], words.model(names[0])) if names else "",
        "models": [_row(every.loc[name]) | {"label": LABELS.get(name, name)} for name in names if name in every.index],
        "kinds": kinds,
        "only_missed": next((row for row in kinds if row["kind"] == "only_missed"), None),
        "not_held": [row["label"] for row in kinds if row["held"] is False],
        "least": words.percent(LEAST),
    }


def _row(row):
    known = row["answered"] > 0
    return {
        "populations": words.count(row["populations"]),
        "narrow": words.percent(row["coverage_50"]) if known else "–",
        "wide": words.with_error(row["coverage_95"], row["error_95"]) if known else "–",
        "too_low": words.percent(row["too_low"]) if known else "–",
        # The upper end over the lower one, as a factor.
        "width": words.number(math.exp(row["width"]), 2) if known else "–",
        "held": bool(row["coverage_95"] >= LEAST) if known else None,
    }
