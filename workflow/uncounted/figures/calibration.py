"""Calibration: how often each model's intervals hold the truth, at what width, and whether ranks are uniform."""

from itertools import pairwise

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from uncounted.figures import style, words

LABELS = {
    "average": "average of the families",
    "average_without_latent_class": "average without latent classes",
    "loglinear": "log-linear with shrinkage",
    "latent_class": "latent classes",
    "decomposable": "decomposable graphs",
    "best_bic": "log-linear, best BIC",
    "chao_lower_bound": "Chao’s lower bound",
    "independence": "independent lists",
}
"""Models as the page and the figures name them."""

QUANTITIES = {
    "total": "number of people",
    "coverage": "coverage of a list",
    "coverage_common": "coverage of a list, all strata",
    "coverage_mean": "mean coverage",
    "coverage_spread": "spread of coverages",
    "coverage_by_stratum": "coverage, between strata",
    "pairs": "odds ratio of a pair",
    "pair_scale": "scale of pairs",
    "pairs_by_stratum": "pairs, between strata",
    "ease_level": "level of ease",
    "ease_by_stratum": "ease, between strata",
    "log_concentration": "concentration of classes",
}
"""Ranked quantities as the page and the figures name them; one that is not here keeps its name."""

_MARKS = {
    "average": ("o", style.MEDIAN, style.MEDIAN),
    "average_without_latent_class": ("o", style.MEDIAN, "white"),
    "loglinear": ("D", style.INNER, style.INNER),
    "latent_class": ("^", "#b5731c", "#b5731c"),
    "decomposable": ("v", "#4f8252", "#4f8252"),
    "best_bic": ("s", style.QUIET, style.QUIET),
    "chao_lower_bound": ("s", style.QUIET, "white"),
    "independence": ("X", style.QUIET, style.QUIET),
}

_WIDTH, _ROW, _GAP = 7.2, 0.125, 0.16
_LEVEL = 0.95


def kind_label(kind):
    """Name a kind of population for readers."""
    return "all kinds" if kind == "all" else kind.replace("_", " ")


def quantity_label(name):
    """Name a ranked quantity for readers."""
    return QUANTITIES.get(name, f"ease of step {name[2:]}" if name.startswith("D_") else name.replace("_", " "))


def coverage(table, least):
    """Draw, for each kind of population and model, how often 95 % intervals hold the truth, and how they score.

    Parameters
    ----------
    table : pandas.DataFrame
        See :data:`uncounted.checks.calibration_table.SCHEMA`.
    least : float
        The coverage below which a kind counts as not held.

    Returns
    -------
    matplotlib.figure.Figure
    """
    table = table[table["lists"] == "all"]
    kinds, models = list(table["kind"].unique()), list(table["model"].unique())
    places, middles = _places(kinds, models)
    figure = style.sheet(1.3 + (places[kinds[-1], models[-1]] + 0.3) * 1.0, width=_WIDTH)
    left, right = figure.subplots(1, 2, width_ratios=[3, 2], sharey=True)
    left.axvspan(least, 1.0, color=style.FAINT, linewidth=0)
    left.axvline(_LEVEL, color=style.MEDIAN, linewidth=0.9)
    for row in table.itertuples():
        _mark(left, row, places[row.kind, row.model], row.coverage_95, 2 * row.error_95)
        _mark(right, row, places[row.kind, row.model], row.score)
    _settle(left, [kind_label(kind) for kind in kinds], middles)
    left.set_xlim(-0.02, 1.02)
    style.share_axis(left.xaxis)
    left.set_xlabel("95 % intervals that hold the truth")
    _log_axis(right)
    right.set_xlabel("interval score (less is better)")
    right.grid(axis="x")
    right.spines["left"].set_visible(False)
    right.tick_params(axis="y", length=0)
    marks = [_in_key(model) for model in models]
    style.key(figure, marks, ncols=3)
    return figure


def _log_axis(axes):
    """Make the x axis logarithmic, with numbers as people write them."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _places(kinds, models):
    """Where each model of each kind stands, in inches from the top, and the middle of each kind."""
    places, middles, at = {}, [], 0.0
    for kind in kinds:
        for number, model in enumerate(models):
            places[kind, model] = at + number * _ROW
        middles.append(at + (len(models) - 1) * _ROW / 2)
        at += len(models) * _ROW + _GAP
    return places, middles


def _mark(axes, row, place, value, error=0.0):
    shape, edge, face = _MARKS[row.model]
    if not np.isfinite(value):
        return
    if error:
        axes.hlines(place, max(value - error, 0.0), min(value + error, 1.0), color=edge, linewidth=1.0)
    axes.plot(value, place, shape, markersize=4.2, markeredgecolor=edge, markerfacecolor=face, markeredgewidth=0.9)


def _in_key(model):
    shape, edge, face = _MARKS[model]
    return style.mark(LABELS[model], marker=shape, markeredgecolor=edge, markerfacecolor=face, markersize=5)


def _settle(axes, labels, middles):
    """Name the kinds on the left, and part them by lines."""
    axes.set_yticks(middles, [words.capital(label) for label in labels])
    half = (middles[1] - middles[0]) / 2 if len(middles) > 1 else 0.6
    axes.set_ylim(middles[-1] + half, middles[0] - half)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    for upper, lower in pairwise(middles):
        axes.axhline((upper + lower) / 2, color=style.RULE, linewidth=0.6)


def ranks(found, judged, bands, bins):
    """Draw the ranks of one model: a histogram, and the distribution function less that of uniform ranks.

    Parameters
    ----------
    found : list of tuple
        Of each quantity: its label, the counts of its histogram, and the differences of its distribution function.
    judged : list of bool
        Whether the ranks of each are uniform.
    bands : list of tuple of numpy.ndarray
        Of each: places, lower and upper ends of the differences.
    bins : int
        Bars of a histogram.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = style.sheet(0.7 + 0.62 * len(found), width=_WIDTH)
    rows = figure.subplots(len(found), 2, squeeze=False, sharex=True, width_ratios=[2, 3])
    for (bars, line), (label, counts, differences), uniform, band in zip(rows, found, judged, bands, strict=True):
        colour = style.MEDIAN if uniform else style.AMISS
        middles = (np.arange(bins) + 0.5) / bins
        bars.bar(middles, counts, width=1 / bins, color=style.INNER if uniform else style.AMISS, linewidth=0)
        bars.axhline(sum(counts) / bins, color=style.INK, linewidth=0.8)
        places, lower, upper = band
        line.fill_between(places, lower, upper, color=style.FAINT, linewidth=0)
        line.axhline(0, color=style.RULE, linewidth=0.8)
        line.plot(places, differences, color=colour, linewidth=1.4)
        bars.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=8.5, color=style.INK)
        for axes in (bars, line):
            axes.set_xlim(0, 1)
            axes.tick_params(axis="both", labelsize=8)
        bars.set_yticks([])
        line.locator_params(axis="y", nbins=3)
    rows[0][0].set_title("Ranks of the truth")
    rows[0][1].set_title("Distribution function less uniform")
    return figure
