"""What the answer hangs on, and how it fares: sources left out, priors, figures kept back."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from uncounted.errors import UserError
from uncounted.figures import style, words

INTERVALS = (0.025, 0.25, 0.5, 0.75, 0.975)
"""The quantiles of a prior or posterior that are drawn."""


def sensitivity(tables):
    """Draw the deaths in all as estimated from all sources, and without each of them in turn."""
    table = tables.sensitivity
    wide = table[table["level"] == table["level"].max()].set_index("left_out")
    narrow = table[table["level"] == table["level"].min()].set_index("left_out")
    if "" not in wide.index:
        raise UserError(
            "no row with all sources",
            where=str(tables.folder / "checks" / "sensitivity.parquet"),
            expected="a row whose left_out is empty",
        )
    order = ["", *(name for name in wide.index if name != "")]
    named = tables.last_list["named"]
    figure = style.sheet(0.95 + 0.5 * len(order))
    axes = figure.subplots()
    joint = wide.loc[""]
    axes.axvspan(joint["lower"], joint["upper"], color=style.FAINT, linewidth=0)
    axes.axvline(joint["median"], color=style.MEDIAN, linewidth=0.9, linestyle=(0, (3, 2)))
    axes.axvline(named, color=style.NAMED, linewidth=1.2)
    for place, name in enumerate(order):
        row = {**wide.loc[name].to_dict()}
        if len(narrow) and table["level"].nunique() > 1:
            row |= {"inner_lower": narrow.loc[name, "lower"], "inner_upper": narrow.loc[name, "upper"]}
        style.interval(axes, place, row, across=True, height=0.52)
        text = words.rounded(row["median"], row)
        if name:
            text += f"  {words.signed_percent(row['moved'])}"
        style.beside(axes, text, (row["upper"], place))
    labels = ["all sources", *(f"without\n{words.source(name)}" for name in order[1:])]
    style.rows(axes, labels)
    axes.get_yticklabels()[0].set_fontweight("bold")
    low, high = min(named, wide["lower"].min()), wide["upper"].max()
    axes.set_xlim(low - 0.06 * (high - low), high + 0.42 * (high - low))
    axes.annotate(
        f"{words.count(named)} named",
        (named, 0),
        xycoords=("data", "axes fraction"),
        xytext=(4, 4),
        textcoords="offset points",
        fontsize=9,
        color=style.NAMED,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
    )
    axes.set_ylim(len(order) - 0.1, -0.55)
    style.people_axis(axes.xaxis, bins=4)
    axes.set_xlabel("deaths in all (median, and how far it moves)")
    style.key(figure, style.shades(tables.levels))
    return figure


def prior_posterior(tables):
    """Draw what was thought of each parameter before the figures, and what is thought after."""
    table = tables.prior_posterior
    names = parameter_names(table)
    lines = -(-len(names) // 2)
    figure = style.sheet(0.45 + 0.86 * lines)
    panels = figure.subplots(lines, 2, squeeze=False)
    for axes in panels.flat[len(names) :]:
        axes.set_visible(False)
    for axes, name in zip(panels.flat, names, strict=False):
        rows = {kind: quantiles(tables, name, kind) for kind in ("prior", "posterior")}
        colours = (style.PRIOR_OUTER, style.PRIOR_INNER, style.INK)
        style.interval(axes, 0, rows["prior"], across=True, height=0.7, colours=colours)
        style.interval(axes, 1, rows["posterior"], across=True, height=0.7)
        axes.set_ylim(1.6, -0.6)
        axes.yaxis.set_visible(False)
        axes.spines["left"].set_visible(False)
        axes.set_title("\n".join(textwrap.wrap(words.capital(words.parameter(name)), 30)), fontsize=9)
        _few_ticks(axes, rows)
    style.key(
        figure,
        [
            style.patch("prior (above)", style.PRIOR_INNER),
            style.patch("posterior (below)", style.INNER),
        ],
    )
    return figure


def parameter_names(table):
    """List the parameters in the order of the table, the answer itself before all."""
    return sorted(dict.fromkeys(table["parameter"]), key=lambda name: name != "deaths")


def quantiles(tables, name, kind):
    """Pick the quantiles of a parameter that make its intervals.

    Parameters
    ----------
    tables : CaseTables
    name : str
        The parameter.
    kind : str
        "prior" or "posterior".

    Returns
    -------
    dict
        `lower`, `inner_lower`, `median`, `inner_upper`, `upper`.
    """
    table = tables.prior_posterior
    rows = table[(table["parameter"] == name) & (table["kind"] == kind)]
    picked = []
    for wanted in INTERVALS:
        near = rows[np.isclose(rows["quantile"], wanted)]
        if near.empty:
            raise UserError(
                f"the {kind} of {name!r} has no quantile {wanted}",
                where=str(tables.folder / "checks" / "prior_posterior.parquet"),
            )
        picked.append(float(near["value"].iloc[0]))
    return dict(zip(("lower", "inner_lower", "median", "inner_upper", "upper"), picked, strict=True))


def _few_ticks(axes, rows):
    """Choose an axis, logarithmic if the intervals span orders of size, and label three places on it."""
    low = min(row["lower"] for row in rows.values())
    high = max(row["upper"] for row in rows.values())
    if low > 0 and high / low > 30:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
        powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
        ticks = [10.0**power for power in powers if low <= 10.0**power <= high]
        if len(ticks) < 2:
            ticks = sorted([*ticks, *(t for p in powers if low <= (t := 3 * 10.0**p) <= high)])
        axes.xaxis.set_major_locator(FixedLocator(ticks[:: max(1, len(ticks) // 2)]))
        axes.set_xlim(low / 1.2, high * 1.2)
    else:
        axes.locator_params(axis="x", nbins=4)
        room = 0.05 * (high - low)
        axes.set_xlim(low - room, high + room)
    axes.xaxis.set_major_formatter(FuncFormatter(_plain))
    axes.tick_params(axis="x", labelsize=8.5, length=2)


def _plain(value, _):
    return words.count(value) if abs(value) >= 1000 else f"{value:.4g}".replace("-", "−")


def backtest(tables):
    """Draw figures that were kept out of the fit against what the fit says of them."""
    table = tables.backtest
    groups = [rows.reset_index(drop=True) for _, rows in table.groupby("what", sort=False)]
    titles = [textwrap.wrap(words.capital(str(rows["what"].iloc[0])), 50) for rows in groups]
    heights = [0.62 + 0.27 * len(rows) + 0.16 * len(title) for rows, title in zip(groups, titles, strict=True)]
    figure = style.sheet(0.35 + sum(heights))
    panels = figure.subplots(len(groups), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, rows, title in zip(panels, groups, titles, strict=True):
        for place, row in rows.iterrows():
            axes.barh(
                place,
                row["upper"] - row["lower"],
                left=row["lower"],
                height=0.56,
                color=style.OUTER,
                linewidth=0,
            )
            axes.vlines(row["median"], place - 0.28, place + 0.28, color=style.MEDIAN, linewidth=1.6)
            amiss = not pd.isna(row["passed"]) and not row["passed"]
            marker, colour, size = ("X", style.AMISS, 8) if amiss else ("o", style.INK, 5.5)
            axes.plot(row["observed"], place, marker=marker, color=colour, markersize=size, clip_on=False)
        style.rows(axes, [words.short_day(d) if str(d) else "" for d in rows["day"]])
        axes.set_title("\n".join(title))
        axes.grid(axis="x")
        _backtest_axis(axes, rows)
    style.key(
        figure,
        [
            style.patch(f"what the fit says ({words.percent(tables.levels[1])})", style.OUTER),
            style.mark("observed later", marker="o", color=style.INK, markersize=5.5),
            *style.amiss(table["passed"]),
        ],
    )
    return figure


def _backtest_axis(axes, rows):
    """Shares get an axis of percentages, people one of thousands."""
    values = rows[["lower", "median", "upper", "observed"]].to_numpy(float)
    low, high = np.nanmin(values), np.nanmax(values)
    room = 0.06 * (high - low)
    axes.set_xlim(low - room, high + room)
    (style.share_axis if high <= 1 else style.people_axis)(axes.xaxis, bins=5)
