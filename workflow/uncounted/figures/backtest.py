"""The estimate as it could have been made on earlier days: how it changed as knowledge grew."""

import pandas as pd

from uncounted.figures import style, words

_WIDE, _NARROW = 0.95, 0.5
_DAYS_WIDE = 24
_NOTE = 9.0


def width_of(row):
    """How wide an estimate is, for rounding it: twice its 50 % interval, since a long upper tail says little of it."""
    return 2 * (row["upper_50"] - row["lower_50"])


def backtest_dates(tables):
    """Draw the estimates of earlier days, from the tables of a case."""
    return as_knowledge_grew(tables.backtest_dates, tables.backtest_published)


def as_knowledge_grew(dates, published):
    """Draw each day's estimate beside what was named later, and the deaths until the first day as seen on each.

    Parameters
    ----------
    dates, published : pandas.DataFrame
        The tables of :mod:`uncounted.checks.backtest_dates`, of one case.

    Returns
    -------
    matplotlib.figure.Figure
    """
    first = dates[dates["until"] == dates["until"].min()]
    own = dates[dates["until"] == dates["cut_off"]]
    figure = style.sheet(4.4 + 0.34 * len(first))
    above, below = figure.subplots(2, 1, height_ratios=[3.2, 0.5 + 0.34 * len(first)])
    _own_estimates(above, own, published)
    _same_deaths(below, first)
    later = words.short_day(dates["later_list"].iloc[0])
    style.key(
        figure,
        [
            *style.shades((_NARROW, _WIDE)),
            style.patch("named then", style.NAMED),
            style.line(f"named by {later}", style.INK, linestyle=(0, (3, 1.5)), linewidth=1.6),
            style.mark("published", marker="D", markerfacecolor="white", markeredgecolor=style.INK, markersize=5.5),
        ],
        ncols=3,
    )
    return figure


def _own_estimates(axes, rows, published):
    """Draw the deaths until the last day that each day's list covered."""
    half = pd.Timedelta(days=_DAYS_WIDE / 2)
    for row in rows.to_dict("records"):
        place = row["until"]
        box = {"width": 2 * half, "linewidth": 0}
        axes.bar(place, row["upper_95"] - row["lower_95"], bottom=row["lower_95"], color=style.OUTER, **box)
        axes.bar(place, row["upper_50"] - row["lower_50"], bottom=row["lower_50"], color=style.INNER, **box)
        axes.bar(place, row["named"], color=style.NAMED, **box)
        axes.hlines(row["median"], place - half, place + half, color=style.MEDIAN, linewidth=1.8)
        axes.hlines(
            row["named_later"],
            place - 1.6 * half,
            place + 1.6 * half,
            color=style.INK,
            linewidth=1.6,
            linestyle=(0, (3, 1.5)),
        )
        if not row["passed"]:
            axes.plot(place, row["named_later"], marker="X", color=style.AMISS, markersize=9)
    _mark_published(axes, published)
    axes.set_title("Deaths until the last day then known")
    axes.set_ylim(bottom=0)
    style.upright(axes)
    style.people_axis(axes.yaxis)
    days = ["\n".join(words.short_day(day).rsplit(" ", 1)) for day in rows["until"]]
    axes.set_xticks(rows["until"], days, fontsize=_NOTE)
    days = pd.concat([rows["until"], published["deaths_to"]])
    room = 0.1 * (days.max() - days.min())
    axes.set_xlim(days.min() - room, days.max() + room)


def _mark_published(axes, published):
    """Mark what others published at the last day of the deaths that they count, by the number of its row."""
    for number, row in enumerate(published.to_dict("records"), start=1):
        place = row["deaths_to"]
        ends = [row[name] for name in ("low", "high") if not pd.isna(row[name])]
        if len(ends) == 2:
            axes.vlines(place, *ends, color=style.INK, linewidth=1.2)
        top = max([*ends, *([] if pd.isna(row["point"]) else [row["point"]])])
        if not pd.isna(row["point"]):
            axes.plot(
                place, row["point"], marker="D", color=style.INK, markerfacecolor="white", markersize=5.5, zorder=3
            )
        axes.annotate(
            str(number),
            (place, top),
            xytext=(0, 7),
            textcoords="offset points",
            ha="center",
            fontweight="bold",
            fontsize=_NOTE,
        )


def _same_deaths(axes, rows):
    """Draw the same deaths, those until the first day, as each day saw them."""
    rows = rows.reset_index(drop=True)
    for place, row in rows.iterrows():
        shown = {"lower": row["lower_95"], "upper": row["upper_95"], "median": row["median"]}
        shown |= {"inner_lower": row["lower_50"], "inner_upper": row["upper_50"]}
        style.interval(axes, place, shown, across=True, height=0.5)
        style.beside(axes, words.about(row["median"], width_of(row)), (row["upper_95"], place))
    axes.axvline(rows["named_later"].iloc[0], color=style.INK, linewidth=1.6, linestyle=(0, (3, 1.5)))
    style.rows(axes, [f"on {words.short_day(day)}" for day in rows["known_on"]])
    axes.set_title(f"Deaths until {words.day(rows['until'].iloc[0])}, as seen")
    axes.grid(axis="x")
    axes.set_xlim(0, 1.16 * rows["upper_95"].max())
    style.people_axis(axes.xaxis)
    axes.set_xlabel("deaths (the number beside a bar is the median)")
