"""What moves the answer, and how far: each prior changed, each source or list left out, the largest move on top."""

import textwrap

import pandas as pd
from matplotlib.ticker import FuncFormatter, MaxNLocator

from uncounted.figures import forest, style, words

MOST_ROWS = 9
"""How many priors, and how many sources, a picture has at most: those that move the answer most."""

FARTHEST = 1.0
"""A move by more, relative to the answer, ends at the edge with an arrow."""

HOLLOW = {"facecolor": "white", "edgecolor": style.AMISS, "linewidth": 0.9, "linestyle": (0, (2, 1.5))}
"""How a bar looks that is not to be trusted."""

WIDTHS = ("half as wide", "twice as wide")
"""Changes of a prior's width; all others move it."""


def tornado(tables):
    """Draw how far the median moves with each prior changed and without each source or list."""
    table = tables.tornado
    if table.empty:
        return forest.notice("Nothing to draw: there is no answer that could move.")
    items, left = items_shown(table)
    figure = style.sheet(1.25 + 0.36 * len(items) + (0.2 if left else 0))
    axes = figure.subplots()
    reach = min(FARTHEST, 1.08 * max((table["moved"].abs() + 2 * table["mcse_moved"].fillna(0)).max(), 0.005))
    axes.axvline(0, color=style.MEDIAN, linewidth=1.0, zorder=3)
    for place, (kind, item) in enumerate(items):
        rows = table[(table["kind"] == kind) & (table["item"] == item)]
        for offset, height, colour, chosen in _looks(rows):
            for row in chosen.itertuples():
                _bar(axes, place + offset, height, colour, row, reach)
        beside(axes, place, spread(rows))
    style.rows(axes, ["\n".join(textwrap.wrap(label(tables, *item), 25)) for item in items], size=8.5)
    axes.set_xlim(-reach, reach)
    axes.grid(axis="x")
    axes.xaxis.set_major_locator(MaxNLocator(5, symmetric=True))
    axes.xaxis.set_major_formatter(FuncFormatter(tick))
    axes.set_xlabel("how far the median moves")
    if left:
        note = f"{words.capital(words.small(left))} more in the table"
        figure.supxlabel(note, x=0.015, ha="left", fontsize=8.5, color=style.QUIET)
    _key(figure, table)
    return figure


def items_shown(table):
    """Choose the priors and sources that are drawn, the largest move first, and count the rest.

    Parameters
    ----------
    table : pandas.DataFrame
        What moves the answer.

    Returns
    -------
    tuple of list of (str, str) and int
        Kind and name of each.
    """
    farthest = table["moved"].abs().groupby([table["kind"], table["item"]], sort=False).max()
    order = farthest.sort_values(ascending=False, kind="stable")
    chosen = order.groupby(level="kind", sort=False).head(MOST_ROWS).index
    return list(chosen), len(order) - len(chosen)


def label(tables, kind, item):
    """Name a prior, or a fit without a source or list."""
    if kind == "prior":
        return f"prior: {words.brief(words.parameter(item), 40)}"
    return f"without {words.source(item)}" if tables.config["kind"] == "evidence_synthesis" else words.brief(item, 48)


def spread(rows):
    """Write the moves of one prior or source: `−5.4 to +4.5 %`, with a question mark where one is not to be trusted.

    Parameters
    ----------
    rows : pandas.DataFrame

    Returns
    -------
    str
    """
    sound = rows.loc[rows["trusted"].astype(bool), "moved"]
    if sound.empty:
        refit = rows["kind"].iloc[0] == "source"
        return f"{signed(rows['moved'].iloc[0])} (?)" if refit else "not to be had"
    low, high = (signed(value) for value in (sound.min(), sound.max()))
    text = low if low == high else f"{low.removesuffix(_PERCENT)} to {high}"
    return text if rows["trusted"].all() else f"{text} (?)"


_PERCENT = "\u202f%"


def signed(value, _=None):
    """Write a relative move with its sign, in whole per cent where it is large; 0 has no sign."""
    digits = 0 if abs(value) >= 0.0995 or value == 0 else 1
    text = words.percent(abs(value), digits)
    if not float(f"{100 * abs(value):.{digits}f}"):
        return f"0{_PERCENT}"
    return f"{'−' if value < 0 else '+'}{text}"


def tick(value, _=None):
    """Label a place on an axis of relative moves, with no more digits than it needs."""
    text = f"{abs(100 * value):.3g}"
    return f"0{_PERCENT}" if text == "0" else f"{'−' if value < 0 else '+'}{text}{_PERCENT}"


def _looks(rows):
    """Where the bars of one row stand, and how they look; what moves a prior above what changes its width."""
    of_prior = rows["kind"].iloc[0] == "prior"
    if not of_prior:
        return [(0.0, 0.5, style.QUIET, rows)]
    width = rows["change"].isin(WIDTHS)
    if width.all():
        return [(0.0, 0.5, style.INNER, rows)]
    return [(-0.17, 0.3, style.OUTER, rows[~width]), (0.17, 0.3, style.INNER, rows[width])]


def _bar(axes, place, height, colour, row, reach):
    """Draw one bar, with twice its Monte Carlo error at the end; one that is not to be trusted is hollow."""
    end = max(-reach, min(reach, row.moved))
    look = {"color": colour, "linewidth": 0} if row.trusted else HOLLOW
    axes.barh(place, end, height=height, **look)
    if abs(row.moved) > reach:
        marker = ">" if row.moved > 0 else "<"
        axes.plot(end, place, marker=marker, color=style.QUIET, markersize=4, clip_on=False, linestyle="none")
    elif row.trusted and not pd.isna(row.mcse_moved):
        low, high = (max(-reach, min(reach, row.moved + side * 2 * row.mcse_moved)) for side in (-1, 1))
        axes.hlines(place, low, high, color=style.INK, linewidth=0.8, zorder=4)


def beside(axes, place, text):
    """Write what a row shows in the column on the right."""
    axes.annotate(
        text,
        (1, place),
        xycoords=("axes fraction", "data"),
        xytext=(7, 0),
        textcoords="offset points",
        va="center",
        fontsize=8.5,
        color=style.MEDIAN,
        annotation_clip=False,
    )


def _key(figure, table):
    from matplotlib.patches import Patch

    priors = table[table["kind"] == "prior"]
    marks = []
    if not priors["change"].isin(WIDTHS).all():
        marks.append(style.patch("prior moved by one sd", style.OUTER))
    if len(priors):
        marks.append(style.patch("half and twice as wide", style.INNER))
    if (table["kind"] == "source").any():
        merged = (table["change"] == "merged").any()
        marks.append(style.patch("left out, or merged" if merged else "left out", style.QUIET))
    if not table["trusted"].all():
        marks.append(Patch(label="not to be trusted", **HOLLOW))
    style.key(figure, marks, ncols=2)
