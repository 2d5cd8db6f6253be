"""What moves the answer, in words and rows: priors changed, sources left out, prior and data made stronger."""

import math

from uncounted.checks.power_scaling import BOUND, NO_VERDICT
from uncounted.checks.reweighing import HIGH_K
from uncounted.checks.tornado import MERGED
from uncounted.figures import words
from uncounted.figures.tornado import items_shown, label, signed, spread
from uncounted.report.pieces import people

MOST_NAMED = 6
"""If more refits than these are not to be trusted, they are counted, and named in the table alone."""

_VERDICTS = {
    "robust": "the answer hardly follows the prior",
    "the prior matters": "the answer follows the prior, and the {data} say little against it",
    "prior and data conflict": "prior and {data} pull the answer in different directions",
    NO_VERDICT: (
        "the measure breaks down here. The density of the priors or of the {data} differs so much from draw to draw "
        "that with a weight of a hundredth more or less too few draws count (Pareto k above {bound})"
    ),
}


def tornado(tables):
    """List all moves of the answer, the largest first, whatever moves it.

    Parameters
    ----------
    tables : uncounted.figures.tables.CaseTables

    Returns
    -------
    dict
        ``rows``, ``most`` (the largest move of a source, and of a prior that can be trusted), ``words`` for people who
        cannot see the figure, ``doubtful`` (by kind, which moves are not to be trusted), whether refits among them are
        ``too_many`` to name, ``bound`` (of Pareto k), ``limits`` (of a refit), ``fixed`` (the names of the priors that
        are not moved), ``what`` is left out, in the ``single`` too, whether there are ``refits`` and lists are
        ``merged``, the models that move, where they differ (``base``), and the median of the ``answer``, where it is
        not the one from which the priors move.
    """
    table = tables.tornado
    synthesis = tables.config["kind"] == "evidence_synthesis"
    every = [(kind, item) for kind, item in table[["kind", "item"]].drop_duplicates().itertuples(index=False)]
    order = items_shown(table)[0] if len(table) else []
    order += [item for item in every if item not in order]
    largest = table["moved"].abs().sort_values(ascending=False, kind="stable").index
    rows = [_row(tables, row) for row in table.loc[largest].itertuples()]
    said = []
    for kind, item in order:
        own = table[(table["kind"] == kind) & (table["item"] == item)]
        said.append(f"{label(tables, kind, item)}, {spread(own)}")
    doubtful = {kind: _doubtful(tables, table, kind) for kind in ("prior", "source")}
    moved = set(table.loc[table["kind"] == "prior", "item"])
    return {
        "rows": rows,
        "most": {kind: _largest(rows, kind) for kind in ("source", "prior")},
        "words": "; ".join(said),
        "doubtful": doubtful,
        "too_many": len(doubtful["source"]) > MOST_NAMED,
        "limits": tables.config["checks"],
        "refits": bool((table["kind"] == "source").any()),
        "what": "sources" if synthesis else "lists",
        "single": "source" if synthesis else "list",
        "merged": bool((table["change"] == MERGED).any()),
        "base": _bases(table),
        "answer": _answer(tables, table),
        "bound": str(HIGH_K),
        "fixed": [words.parameter(name) for name in tables.config.get("priors", {}) if name not in moved],
    }


def _bases(table):
    """Name the models whose answer priors and lists move, where these are not one and the same."""
    bases = table.groupby("kind")["model"].first().map(words.model).to_dict()
    return bases if len(set(bases.values())) > 1 else None


def _doubtful(tables, table, kind):
    """Name what was changed and how, where what comes of it is not to be trusted."""
    own = table[(table["kind"] == kind) & ~table["trusted"].astype(bool)]
    return [
        f"{words.parameter(item)} ({', '.join(rows['change'])})" if kind == "prior" else label(tables, kind, item)
        for item, rows in own.groupby("item", sort=False)
    ]


def _answer(tables, table):
    """Write the median of the answer and the one from which the priors move, if the two are not the same."""
    priors = table[table["kind"] == "prior"]
    if priors.empty:
        return None
    whole = tables.one("deaths") if tables.config["kind"] == "evidence_synthesis" else tables.total
    answer, before = (words.count(number) for number in (whole["median"], priors["from_median"].iloc[0]))
    return None if answer == before else {"answer": answer, "before": before}


def _row(tables, row):
    known = not math.isnan(row.mcse_moved)
    return {
        "kind": row.kind,
        "label": label(tables, row.kind, row.item),
        "change": row.change,
        "model": words.model(row.model),
        "before": words.count(row.from_median),
        "median": words.count(row.median),
        "moved": signed(row.moved),
        "size": abs(row.moved),
        "error": words.percent(row.mcse_moved, 1) if known else "–",
        "k": _settled(tables, row) if row.kind == "source" else pareto(row.pareto_k),
        "trusted": bool(row.trusted),
    }


def _settled(tables, row):
    """Say how settled a refit is that misses the limits of the study; a dash where it keeps them."""
    if row.trusted:
        return "–"
    refit = tables.sensitivity.set_index("left_out").loc[[row.item]].iloc[0]
    return f"R-hat {refit['r_hat']:.3f}, {words.count(refit['ess_bulk'])} effective draws"


def pareto(k):
    """Write a Pareto k."""
    return f"{k:.2f}".replace("-", "−") if math.isfinite(k) else "not to be had"


def _largest(rows, kind):
    """The largest move; of priors, of which only those that can be trusted say anything, among these."""
    sound = [row for row in rows if row["kind"] == kind and (row["trusted"] or kind == "source")]
    return max(sound, key=lambda row: row["size"], default=None)


def power_scaling(tables):
    """List how the answer of each model follows its prior and its likelihood, with the verdict in words.

    Returns
    -------
    dict
        ``rows``; ``bound``, the sensitivity from which a verdict counts it; what ``data`` are called; and whether only
        the priors that are ``stated`` in the config are raised to a power.
    """
    data = "figures" if tables.config["kind"] == "evidence_synthesis" else "lists"
    rows = []
    for _, row in tables.power_scaling.iterrows():
        rows.append(
            {
                "label": words.model(row["model"]),
                "quantity": str(row["quantity"]).replace("_", " "),
                "prior": _sensitivity(row["prior"]),
                "likelihood": _sensitivity(row["likelihood"]),
                "verdict": row["verdict"],
                "meaning": _VERDICTS.get(row["verdict"], "").format(data=data, bound=HIGH_K),
                "conflict": row["verdict"] == "prior and data conflict",
                "as_it_is": people(_interval(row, "")),
                "less": _scaled(row, "less"),
                "more": _scaled(row, "more"),
            }
        )
    return {"rows": rows, "bound": str(BOUND), "data": data, "stated": data == "figures"}


def _sensitivity(value):
    return "not to be had" if math.isnan(value) else words.number(value, 2)


def _interval(row, end):
    numbers = {name: row[f"{name}{end}"] for name in ("median", "lower", "upper")}
    return numbers | {"inner_lower": numbers["lower"], "inner_upper": numbers["upper"]}


def _scaled(row, end):
    """The answer with another weight of the prior; None where the draws cannot tell."""
    if math.isnan(row[f"weight_{end}"]):
        return None
    moved = row[f"median_{end}"] - row["median"]
    width = row["upper"] - row["lower"]
    size = words.about(abs(moved), width / 10 if width > 0 else 1)
    return people(_interval(row, f"_{end}")) | {
        "weight": f"×{row[f'weight_{end}']:.2g}",
        "moved": "unmoved" if size == "0" else ("−" if moved < 0 else "+") + size,
    }
