"""Rows of intervals on one axis: what is far longer than the rest is cut, with an arrow and its number."""

import math
import textwrap
from dataclasses import dataclass, field

import pandas as pd

from uncounted.figures import style, words

PEAK = 5.0
"""An interval of ours that ends beyond so many times its median is cut, and does not set the length of the axis."""

ROOM = 1.7
"""The axis ends at most at so many times the longest of ours that sets it."""


@dataclass
class Row:
    """One row, or one of several marks in a row.

    Parameters
    ----------
    label : str
        What stands left of it.
    numbers : mapping
        `median`, `lower`, `upper`, and `inner_lower` and `inner_upper` if there are any; any may be missing (NaN).
    look : str
        "ours" for an interval, "older", "published" or "software" for a mark with a line.
    leads : bool
        Whether the axis has to show all of it.
    note : str
        What to say where there is no number.
    rounded : bool
        Whether its numbers are rounded as far as the interval deserves; what others published is not.
    bold : bool
        Whether its label is.
    """

    label: str
    numbers: dict = field(default_factory=dict)
    look: str = "ours"
    leads: bool = False
    note: str = ""
    rounded: bool = True
    bold: bool = False

    def __post_init__(self):
        self.numbers = {key: _float(self.numbers.get(key)) for key in _KEYS}

    def __getitem__(self, key):
        return self.numbers[key]

    @property
    def is_empty(self):
        """Whether there is nothing to draw."""
        return math.isnan(self["median"]) and math.isnan(self["lower"])

    def write(self, value):
        """Write one of its numbers."""
        if self.rounded and all(math.isfinite(self[key]) for key in ("lower", "median", "upper")):
            return words.rounded(value, self) if math.isfinite(value) else "–"
        return words.count(value) if math.isfinite(value) else "–"


_KEYS = ("median", "lower", "upper", "inner_lower", "inner_upper")

LOOKS = {
    "older": {"marker": "s", "markerfacecolor": style.QUIET, "markeredgecolor": style.QUIET, "markersize": 4.5},
    "published": {"marker": "D", "markerfacecolor": "white", "markeredgecolor": style.INK, "markersize": 5.5},
    "software": {"marker": "o", "markerfacecolor": "white", "markeredgecolor": style.QUIET, "markersize": 5.5},
}


def _float(value):
    return math.nan if value is None or pd.isna(value) else float(value)


def end_of(rows, least=0.0):
    """Find where the axis ends: at the last end of an interval, unless that would squeeze those that lead.

    Parameters
    ----------
    rows : list of Row
    least : float, optional
        What the axis has to show whatever the rows are.

    Returns
    -------
    float
    """
    filled = [row for row in rows if not row.is_empty]
    leading = [row for row in filled if row.leads] or filled
    base = max([least, *(_peak(row) for row in leading)])
    middles = [row["median"] for row in filled if not math.isnan(row["median"])]
    cap = max(ROOM * base, min(1.05 * max(middles, default=0.0), 2 * ROOM * base))
    ends = [value for row in filled for value in (row["median"], row["upper"]) if math.isfinite(value)]
    return min(max([base, *ends]), cap)


def _peak(row):
    """Say up to where a row has to be shown."""
    middle = row["median"] if not math.isnan(row["median"]) else row["lower"]
    return min(row["upper"], PEAK * middle) if row["upper"] > middle else middle


def draw(axes, rows, end, offsets=None, height=0.5, beside=True):
    """Draw rows of intervals, the first on top.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    rows : list of Row
    end : float
        Where the axis ends.
    offsets : list of float, optional
        Where each stands; by default one below the other.
    height : float, optional
        How thick intervals are.
    beside : bool, optional
        Whether each row's median stands in a column on the right.
    """
    for place, row in zip(range(len(rows)) if offsets is None else offsets, rows, strict=True):
        if row.is_empty:
            say(axes, place, row.note)
            continue
        (_interval if row.look == "ours" else _marked)(axes, place, row, end, height)
        beyond = _beyond(row, end)
        if beyond:
            colour = style.MEDIAN if row.look == "ours" else style.INK
            axes.plot(end, place, marker=">", color=colour, markersize=5, clip_on=False, linestyle="none", zorder=3)
        if beside:
            text = row.write(row["median"]) if not math.isnan(row["median"]) else ""
            _at_right(axes, place, "\n".join(filter(None, [text, beyond])), bold=row.bold)


def _interval(axes, place, row, end, height):
    """Draw an interval of ours as far as the axis goes."""
    shown = {key: min(value, end) for key, value in row.numbers.items() if not math.isnan(value)}
    if "lower" in shown:
        style.interval(axes, place, shown, across=True, height=height)
    else:
        axes.vlines(shown["median"], place - height / 2, place + height / 2, color=style.MEDIAN, linewidth=1.6)


def _marked(axes, place, row, end, _height):
    """Draw a mark with a line."""
    look = LOOKS[row.look]
    if not math.isnan(row["lower"]) and not math.isnan(row["upper"]):
        axes.hlines(place, min(row["lower"], end), min(row["upper"], end), color=look["markeredgecolor"], linewidth=1.2)
    if row["median"] <= end:
        axes.plot(row["median"], place, linestyle="none", **look)


def _beyond(row, end):
    """Say how far a row goes on where the axis ends; nothing if it does not."""
    if row["upper"] > end:
        return f"to {row.write(row['upper'])}" if math.isfinite(row["upper"]) else "no upper end"
    return " " if row["median"] > end else ""


def say(axes, place, note):
    """Say in words why a row has no number."""
    axes.annotate(
        "\n".join(textwrap.wrap(words.brief(note, 76), 40)),
        (0, place),
        xycoords=("axes fraction", "data"),
        xytext=(3, 0),
        textcoords="offset points",
        va="center",
        fontsize=8.5,
        color=style.QUIET,
        linespacing=1.15,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
    )


def _at_right(axes, place, text, bold=False):
    axes.annotate(
        text.rstrip(),
        (1, place),
        xycoords=("axes fraction", "data"),
        xytext=(9, 0),
        textcoords="offset points",
        va="center",
        fontsize=9,
        color=style.MEDIAN,
        fontweight="bold" if bold else "normal",
        linespacing=1.15,
        annotation_clip=False,
    )


def settle(axes, start, end, bins=4):
    """Set the ends of the axis, with room left of the first number.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    start, end : float
    bins : int, optional
        At most so many places on it are labelled.
    """
    axes.set_xlim(max(0.0, start - 0.05 * (end - start)), end)
    axes.grid(axis="x")
    style.people_axis(axes.xaxis, bins=bins)


def start_of(rows, least):
    """Find where the axis begins: at the lowest number of any row, or at what has to be shown."""
    numbers = [row[key] for row in rows for key in ("median", "lower") if not math.isnan(row[key])]
    return min([least, *numbers])


def notice(text, height=1.1):
    """Draw a sheet that says in words why there is nothing to draw.

    Parameters
    ----------
    text : str
    height : float, optional
        In inches.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = style.sheet(height)
    axes = figure.subplots()
    axes.set_axis_off()
    axes.text(0, 0.5, "\n".join(textwrap.wrap(" ".join(text.split()), 62)), va="center", color=style.QUIET)
    return figure
