"""The study's own table put to the test: each list's people, tables simulated from the fit, each cell's last person."""

import math
import textwrap

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from uncounted.figures import forest, style, words
from uncounted.figures.cells import label_of
from uncounted.figures.tornado import HOLLOW, beside, tick

MOST_CELLS = 16
"""How many cells a picture has at most: those whose last person moves the answer most."""

FARTHEST = 10.0
"""Estimates beyond so many times the truth, or below its inverse, end at the edge with an arrow."""


def leading(table):
    """Keep the rows of the model that leads: of each list, the first.

    Parameters
    ----------
    table : pandas.DataFrame
        The people of each list, as estimated from the others.
    """
    return table.drop_duplicates("list", keep="first").reset_index(drop=True)


_BESIDE_THE_LIST = {"nobody is on two lists": "none of its people is on two of the other lists"}
"""Reasons as they are said of the people of a list, who are all on that one."""


def reason_of(reason):
    """Say why the others cannot count the people of a list, so that the list itself is not taken for one of them."""
    return _BESIDE_THE_LIST.get(reason, reason)


def held_out_lists(tables):
    """Draw what the other lists say of how many people a list holds, relative to the count of the list."""
    table = leading(tables.held_out_lists)
    if table["median"].isna().all():
        reason = reason_of(next(filter(None, table["reason"]), "")) if len(table) else tables.why_not()
        return forest.notice(f"No list’s people can be estimated from the others: {reason}.")
    labels = [f"{words.brief(row.list, 22)}\n{words.count(row.people)} counted" for row in table.itertuples()]
    figure = style.sheet(1.15 + 0.44 * len(table))
    axes = figure.subplots()
    _relative(axes, table, height=0.5)
    for place, row in enumerate(table.itertuples()):
        if math.isnan(row.median):
            forest.say(axes, place, reason_of(row.reason))
        else:
            ends = {"lower": row.lower_95, "median": row.median, "upper": row.upper_95}
            beside(axes, place, words.rounded(row.median, ends))
    style.rows(axes, labels, size=8.5)
    axes.set_xlabel("estimated from the other lists, relative to the count of the list")
    _key_of_tests(figure, table, "count of the list")
    return figure


def parametric(tables):
    """Draw what the model says of tables simulated from its own fit, relative to the truth of each."""
    table = tables.parametric
    if table["median"].isna().all():
        return forest.notice("No table was simulated from the fit, or none of them could be estimated.")
    table = table[table["median"].notna()].sort_values("people", kind="stable").reset_index(drop=True)
    figure = style.sheet(1.2 + 0.135 * len(table))
    axes = figure.subplots()
    _relative(axes, table, height=0.62)
    places = [0, len(table) - 1] if len(table) > 1 else [0]
    style.rows(axes, ["" for _ in table["people"]])
    axes.set_yticks(places, [f"{words.count(table['people'].iloc[place])} people" for place in places], fontsize=8.5)
    axes.set_xlabel("estimated, relative to the true number")
    _key_of_tests(figure, table, "true number")
    return figure


def _relative(axes, table, height):
    """Draw intervals divided by the truth, on a scale of ratios."""
    sound = table[table["median"].notna()]
    ratios = sound[["lower_95", "upper_95", "median"]].div(sound["people"], axis=0).to_numpy()
    high = min(FARTHEST, max(1.15, np.nanmax(ratios) * 1.05))
    low = max(1 / FARTHEST, min(0.87, np.nanmin(ratios) / 1.05))
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    for place, row in enumerate(table.itertuples()):
        if math.isnan(row.median):
            continue
        ends = {"lower": row.lower_95, "upper": row.upper_95, "inner_lower": row.lower_50, "inner_upper": row.upper_50}
        shown = {key: min(max(value / row.people, low), high) for key, value in ends.items()}
        shown["median"] = min(max(row.median / row.people, low), high)
        style.interval(axes, place, shown, across=True, height=height, colours=_colours(row))
        if row.upper_95 / row.people > high:
            axes.plot(high, place, marker=">", color=style.MEDIAN, markersize=4, clip_on=False, linestyle="none")
    axes.axvline(1, color=style.INK, linewidth=1.1, linestyle=(0, (3, 2)), zorder=3)
    axes.xaxis.set_major_locator(FixedLocator(_ticks(low, high)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"×{value:g}"))
    axes.grid(axis="x")


_MISSED = ("#f0cfc4", "#dd9a84", style.AMISS)


def _colours(row):
    return (style.OUTER, style.INNER, style.MEDIAN) if row.held_95 else _MISSED


def _ticks(low, high):
    if high / low > 4:
        candidates = [0.1, 0.2, 0.5, 1, 2, 5, 10]
    elif high / low > 1.8:
        candidates = [0.4, 0.5, 0.7, 1, 1.4, 2, 3]
    else:
        candidates = [0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.4, 1.6]
    return [value for value in candidates if low <= value <= high]


def _key_of_tests(figure, table, truth):
    marks = [
        style.patch(f"{level}{_THIN}% interval", colour) for level, colour in ((50, style.INNER), (95, style.OUTER))
    ]
    marks.append(style.line(truth, style.INK, linewidth=1.1, linestyle=(0, (3, 2))))
    if not table["held_95"].fillna(True).all():
        marks.append(style.patch(f"95{_THIN}% interval misses it", _MISSED[1]))
    style.key(figure, marks, ncols=2)


_THIN = "\u202f"


def cells_shown(table):
    """Choose the cells whose last person moves the answer most, by the model that leads; and count the rest.

    Parameters
    ----------
    table : pandas.DataFrame
        The answer without the last person of each cell.

    Returns
    -------
    tuple of pandas.DataFrame and int
    """
    own = table[table["model"] == table["model"].iloc[0]]
    order = own["moved"].abs().sort_values(ascending=False, kind="stable").index
    return own.loc[order[:MOST_CELLS]].reset_index(drop=True), max(0, len(own) - MOST_CELLS)


def last_person(tables):
    """Draw how far the median moves without the last person of each cell."""
    table = tables.last_person
    if table.empty:
        why = tables.why_not() or "there are several tables of the same people"
        return forest.notice(f"Nothing to draw: {why}.")
    rows, left = cells_shown(table)
    figure = style.sheet(1.25 + 0.22 * len(rows) + (0.2 if left else 0))
    axes = figure.subplots()
    reach = 1.1 * max((rows["moved"].abs() + 2 * rows["mcse_moved"]).max(), 1e-4)
    axes.axvline(0, color=style.MEDIAN, linewidth=1.0, zorder=3)
    for place, row in enumerate(rows.itertuples()):
        look = {"color": style.INNER, "linewidth": 0} if row.trusted else HOLLOW
        axes.barh(place, row.moved, height=0.62, **look)
        axes.hlines(place, *(row.moved + side * 2 * row.mcse_moved for side in (-1, 1)), color=style.INK, linewidth=0.8)
        beside(axes, place, f"{words.count(row.observed)} {'person' if row.observed == 1 else 'people'}")
    style.rows(axes, [label_of(tables, f"{row.stratum}: {row.history}") for row in rows.itertuples()], size=8.5)
    axes.set_xlim(-reach, reach)
    axes.grid(axis="x")
    axes.xaxis.set_major_formatter(FuncFormatter(tick))
    axes.locator_params(axis="x", nbins=5)
    notes = ["how far the median moves without one person of the combination"]
    if left:
        notes.append(f"and {words.count(left)} that move it less, in the table")
    axes.set_xlabel("\n".join(notes))
    _key_of_cells(figure, tables, rows)
    return figure


def _key_of_cells(figure, tables, rows):
    from matplotlib.patches import Patch

    marks = [style.patch("without one person", style.INNER)]
    marks += [] if rows["trusted"].all() else [Patch(label="not to be trusted", **HOLLOW)]
    style.key(figure, marks)
    order = ", ".join(words.brief(name, 16) for name in tables.config["lists"])
    text = "\n".join(textwrap.wrap(f"●○ on the list, or not: {order}", 74))
    figure.supxlabel(text, x=0.015, ha="left", fontsize=8.5, color=style.QUIET)
