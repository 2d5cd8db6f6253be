"""Whether the fitted models would have produced the lists: observed counts beside what each model expects."""

import textwrap

import numpy as np
import pandas as pd

from uncounted.figures import forest, style, words

MOST_CELLS = 24
"""How many combinations of lists a picture has at most: those that fit worst."""

REACH = 4.0
"""The picture ends so far from what is expected, in square roots; what is farther stands at its edge."""


def cells(tables):
    """Draw each count, seen on so many lists and by combination, beside what each model expects in its place.

    Square roots are drawn: on their scale chance is alike for small counts and large ones.
    """
    table = tables.predictive
    if table.empty:
        return forest.notice(f"Nothing to compare: {tables.why_not() or 'no model has an answer'}")
    items, left = items_shown(tables)
    models = sorted(dict.fromkeys(table["source"]), key=_order)
    figure = style.sheet(1.15 + 0.185 * (len(items) + 2) + (0.2 if left else 0))
    panels = figure.subplots(1, len(models), squeeze=False, sharey=True)[0]
    places = _places(items)
    by_model = {name: rows.set_index("item") for name, rows in table.groupby("source", sort=False)}
    shown = {name: _square_roots(rows.reindex(items)) for name, rows in by_model.items()}
    reach = min(REACH, 1.1 * max(np.nanmax(np.abs(rows[list("lhs")].to_numpy(float))) for rows in shown.values()))
    for axes, name in zip(panels, models, strict=True):
        _panel(axes, shown[name], places, reach)
        title = "\n".join(textwrap.wrap(words.capital(words.model(name)), 14))
        axes.set_title(title, fontsize=9, va="bottom")
    _name_rows(panels[0], tables, items, places, by_model)
    for axes in panels[1:]:
        axes.tick_params(axis="y", length=0, labelleft=False)
    middle = panels[len(models) // 2] if len(models) % 2 else panels[0]
    middle.set_xlabel("fewer · more than expected" if len(models) < 3 else "fewer · more\nthan expected", fontsize=9)
    _key(figure, tables, table, left)
    return figure


def _order(name):
    known = ("loglinear", "latent_class", "decomposable", "two_lists")
    return (known.index(name) if name in known else len(known), name)


def items_shown(tables):
    """Choose the counts that are drawn, and count the rest.

    Returns
    -------
    tuple of list of str and int
        The items of the table of predictions: how many are seen on so many lists, then combinations of lists, in the
        order of the table. Where there are too many of these, those with the smallest p-values by any model.
    """
    table = tables.predictive
    seen_on = list(dict.fromkeys(table.loc[table["variable"] == "seen_on", "item"]))
    of_cells = table[table["variable"] == "cell"]
    lowest = of_cells.groupby("item", sort=False)["p_value"].min().sort_values(kind="stable")
    chosen = set(lowest.index[:MOST_CELLS])
    kept = [item for item in dict.fromkeys(of_cells["item"]) if item in chosen]
    return [*seen_on[:MOST_CELLS], *kept], len(lowest) - len(kept) + max(0, len(seen_on) - MOST_CELLS)


def _places(items):
    """Place the rows, with a gap between people by number of lists and people by combination."""
    is_cell = [cell_of(item) is not None for item in items]
    return np.arange(len(items)) + 0.7 * np.array(is_cell, float) * (not all(is_cell))


def cell_of(item):
    """Part an item such as "female, 60+: 011" into stratum and history; None if it is no cell."""
    stratum, colon, history = str(item).rpartition(": ")
    return (stratum, history) if colon and history and not set(history) - {"0", "1"} else None


def _square_roots(rows):
    """Bring the counts on the scale of the picture: interval and observed count less the median expected."""
    middle = np.sqrt(rows["median"].to_numpy(float))
    columns = {"l": "lower", "h": "upper", "s": "observed"}
    scaled = {short: np.sqrt(rows[name].to_numpy(float)) - middle for short, name in columns.items()}
    passed = rows["passed"].astype("boolean").fillna(True).to_numpy(bool)
    return pd.DataFrame({**scaled, "passed": passed})


def _panel(axes, rows, places, reach):
    low, high = (rows[end].clip(-reach, reach).to_numpy(float) for end in "lh")
    axes.barh(places, high - low, left=low, height=0.7, color=style.OUTER, linewidth=0)
    axes.axvline(0, color=style.MEDIAN, linewidth=1)
    at, fine = rows["s"].clip(-reach, reach).to_numpy(float), rows["passed"].to_numpy(bool)
    looks = ((fine, ("o", style.INK, 4)), (~fine, ("X", style.AMISS, 6.5)))
    # Marks without a point would claim room in the corner of the sheet.
    for chosen, (marker, colour, size) in (look for look in looks if look[0].any()):
        options = {"marker": marker, "color": colour, "markersize": size, "linestyle": "none", "clip_on": False}
        axes.plot(at[chosen], places[chosen], **options)
    axes.set_xlim(-reach, reach)
    axes.set_xticks([])
    axes.spines["left"].set_visible(False)


def _name_rows(axes, tables, items, places, by_model):
    """Name the rows: lists by dots, filled where people are on the list, and how many people there are."""
    observed = {item: rows.loc[item, "observed"] for rows in by_model.values() for item in rows.index}
    counts = [words.count(observed[item]) for item in items]
    for place, text in zip(places, counts, strict=True):
        axes.annotate(
            text,
            (0, place),
            xycoords=("axes fraction", "data"),
            xytext=(-4, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=8.5,
            color=style.QUIET,
            annotation_clip=False,
        )
    # Dots stand below dots, left of the longest count.
    axes.tick_params(axis="y", length=0, pad=8 + 5.4 * max(map(len, counts)))
    axes.set_yticks(places, [label_of(tables, item) for item in items], fontsize=8.5)
    axes.set_ylim(places[-1] + 0.6, -0.6)


def label_of(tables, item):
    """Name a count, such as "north: 0110", by dots that are filled for the lists that its people are on."""
    cell = cell_of(item)
    if cell is None:
        return f"on {words.brief(item, 24)}"
    stratum, history = cell
    dots = "".join("●" if digit == "1" else "○" for digit in history)
    return f"{words.brief(words.stratum(stratum), 20)}  {dots}" if tables.config.get("strata") else dots


def _key(figure, tables, table, left):
    wide = words.percent(tables.levels[1])
    marks = [
        style.patch(f"{wide} of what the model expects", style.OUTER),
        style.mark("observed", marker="o", color=style.INK, markersize=4.5),
        *style.amiss(table["passed"]),
    ]
    style.key(figure, marks, ncols=2)
    order = ", ".join(words.brief(name, 16) for name in tables.config["lists"])
    lines = [f"●○ on the list, or not: {order}"]
    if left:
        lines.append(f"{words.count(left)} further counts, which fit no worse, are not drawn")
    figure.supxlabel("\n".join(_wrapped(lines)), x=0.015, ha="left", fontsize=8.5, color=style.QUIET)


def _wrapped(lines):
    return [part for line in lines for part in textwrap.wrap(line, 74)]
