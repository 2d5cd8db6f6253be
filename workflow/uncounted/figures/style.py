"""How all figures look, and how they are written: the same bytes each time."""

import io
from contextlib import contextmanager

import matplotlib
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from uncounted.figures import words
from uncounted.files import atomic_path

INK = "#1c2329"
QUIET = "#5c6770"
RULE = "#c9d0d6"
NAMED = "#3f4b57"
MEDIAN = "#0b3c5f"
INNER = "#5f97c2"
OUTER = "#b9d2e6"
FAINT = "#e6eff6"
PRIOR_INNER = "#a9aeb3"
PRIOR_OUTER = "#d9dcdf"
AMISS = "#b3401f"

# Narrow with large type: on a phone the whole figure is shown at two thirds of its size.
WIDTH = 5.0
SIZE = 9.5

_STYLE = {
    "font.family": ["DejaVu Sans"],
    "font.size": SIZE,
    "axes.titlesize": SIZE,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 7.0,
    "axes.labelsize": SIZE,
    "axes.labelcolor": QUIET,
    "axes.edgecolor": RULE,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.labelsize": 9.0,
    "ytick.labelsize": 9.0,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": QUIET,
    "ytick.labelcolor": INK,
    "grid.color": "#e4e8eb",
    "grid.linewidth": 0.7,
    "text.color": INK,
    # Names come from tables: a dollar sign in one is a dollar sign.
    "text.parse_math": False,
    "text.usetex": False,
    "figure.constrained_layout.h_pad": 0.06,
    "figure.constrained_layout.w_pad": 0.06,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    # Outlines, not letters: the same look wherever the file is opened, and the same bytes.
    "svg.fonttype": "path",
    "svg.hashsalt": "uncounted",
    "path.simplify": True,
}


@contextmanager
def applied():
    """Use the project's style, whatever the person's own settings of Matplotlib are."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def sheet(height, width=WIDTH):
    """Begin a figure of so many inches, without pyplot and its memory of figures."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def rendered(figure):
    """Render a figure as SVG and PNG.

    Parameters
    ----------
    figure : matplotlib.figure.Figure

    Returns
    -------
    dict of str to bytes
    """
    _settle(figure)
    files = {}
    for suffix, options in {"svg": {"metadata": {"Date": None}}, "png": {"dpi": 240}}.items():
        buffer = io.BytesIO()
        figure.savefig(buffer, format=suffix, **options)
        files[suffix] = buffer.getvalue()
    return files


def _settle(figure):
    """Lay a figure out for good, and round where its axes stand.

    The solver of the layout adds in an order that follows addresses in memory: the last digit of a place
    differs between runs, and with it the names that SVG gives to what is clipped.
    """
    figure.draw_without_rendering()
    # Not "none": that leaves a placeholder, for which each file is drawn twice.
    figure.set_layout_engine(None)
    for axes in figure.axes:
        axes.set_position([round(float(edge), 5) for edge in axes.get_position().bounds])


def write(files, stem):
    """Write the rendered files of a figure beside each other.

    Parameters
    ----------
    files : dict of str to bytes
    stem : Path
        Path without the suffix.
    """
    for suffix, content in files.items():
        with atomic_path(stem.with_name(f"{stem.name}.{suffix}")) as part:
            part.write_bytes(content)


def people_axis(axis, bins=5):
    """Show thousands with a comma on an axis, at few places."""
    axis.set_major_locator(MaxNLocator(bins, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: words.count(value)))


def share_axis(axis, bins=5):
    """Show shares as percentages on an axis."""
    axis.set_major_locator(MaxNLocator(bins, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: words.percent(value)))


def upright(axes):
    """Let a plot whose values run upwards have lines across it and no left edge."""
    axes.grid(axis="y")
    axes.tick_params(axis="y", labelcolor=QUIET, length=0)
    axes.spines["left"].set_visible(False)


def band(axes, rows, **line):
    """Draw intervals by day as shades, and their median as a line.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    rows : pandas.DataFrame
        By day: `lower`, `upper`, `median`, `inner_lower` and `inner_upper`.
    **line
        How the median is drawn, besides its colour and width.

    Returns
    -------
    pandas.DatetimeIndex
        The days.
    """
    days = pd.DatetimeIndex(rows.index)
    axes.fill_between(days, rows["lower"], rows["upper"], color=OUTER, linewidth=0)
    axes.fill_between(days, rows["inner_lower"], rows["inner_upper"], color=INNER, linewidth=0)
    axes.plot(days, rows["median"], color=MEDIAN, linewidth=1.6, **line)
    return days


def beside(axes, text, place):
    """Write a number to the right of the place where its interval ends."""
    axes.annotate(text, place, xytext=(5, 0), textcoords="offset points", va="center", fontsize=9, color=MEDIAN)


def rows(axes, labels, size=9.0, places=None):
    """Name the rows of a plot of intervals, the first on top, without a spine."""
    places = range(len(labels)) if places is None else places
    axes.set_yticks(places, labels, fontsize=size)
    axes.set_ylim(places[-1] + 0.55, places[0] - 0.55)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def interval(axes, place, row, across=False, height=0.62, colours=(OUTER, INNER, MEDIAN)):
    """Draw an interval: wide one light, narrow one darker, the median a line.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    place : float
        Its place on the other axis.
    row : mapping
        `lower`, `upper`, `median`; `inner_lower` and `inner_upper` if there are any.
    across : bool, optional
        Lie along the x axis. Otherwise it stands.
    height : float, optional
        How thick it is.
    colours : tuple of str, optional
        Of the wide interval, the narrow one and the median.
    """
    outer, inner, median = colours
    bar = axes.barh if across else axes.bar
    start, thick = ("left", "height") if across else ("bottom", "width")

    def box(low, high, colour):
        bar(place, high - low, color=colour, linewidth=0, **{start: low, thick: height})

    box(row["lower"], row["upper"], outer)
    if "inner_lower" in row:
        box(row["inner_lower"], row["inner_upper"], inner)
    ends = (place - height / 2, place + height / 2)
    line = axes.vlines if across else axes.hlines
    line(row["median"], *ends, color=median, linewidth=1.6)


def key(figure, handles, **where):
    """Say once, above the plots, what the shades mean."""
    figure.legend(
        handles=handles,
        loc=where.pop("loc", "outside upper left"),
        ncols=where.pop("ncols", len(handles)),
        frameon=False,
        fontsize=9.0,
        handlelength=1.2,
        handleheight=0.9,
        handletextpad=0.5,
        columnspacing=1.2,
        borderaxespad=0.2,
        **where,
    )


def patch(label, colour):
    """Make an entry of the key: a shade."""
    from matplotlib.patches import Patch

    return Patch(facecolor=colour, linewidth=0, label=label)


def mark(label, **options):
    """Make an entry of the key: a mark."""
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="none", label=label, **options)


def line(label, colour, **options):
    """Make an entry of the key: a line."""
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, label=label, **{"linewidth": 2.0} | options)


def amiss(passed):
    """Make the entry of the key for figures that are not as expected, if there are any."""
    if passed.fillna(True).astype(bool).all():
        return []
    return [mark("not as expected", marker="X", color=AMISS, markersize=6)]


def shades(levels):
    """Make the entries of the key that every figure with intervals has."""
    narrow, wide = levels
    return [
        patch(f"{words.percent(narrow)} interval", INNER),
        patch(f"{words.percent(wide)} interval", OUTER),
    ]
