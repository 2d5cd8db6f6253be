"""The answer: how many died, when, at what age, and what share of them is named."""

import textwrap

import numpy as np
import pandas as pd

from uncounted.figures import style, words


def headline(tables):
    """Draw the deaths in all: their distribution, the named, and the part beyond them."""
    deaths, named = tables.one("deaths"), tables.last_list["named"]
    width = deaths["upper"] - deaths["lower"]
    figure = style.sheet(3.95)
    title = "\n".join(textwrap.wrap(tables.config["title"], 48))
    figure.suptitle(title, x=0.015, ha="left", fontsize=11, fontweight="bold")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3.1, 1])
    narrow, wide = tables.levels
    _distribution(above, tables.draws["deaths"].to_numpy(), deaths)
    above.set_title(
        f"{words.rounded(deaths['median'], deaths)} estimated in all\n"
        f"{words.percent(wide)} interval (lighter): {words.rounded(deaths['lower'], deaths)}"
        f" to {words.rounded(deaths['upper'], deaths)}\n"
        f"{words.percent(narrow)} interval (darker): {words.rounded(deaths['inner_lower'], deaths)}"
        f" to {words.rounded(deaths['inner_upper'], deaths)}",
        loc="left",
        fontweight="normal",
        fontsize=10.5,
        color=style.MEDIAN,
        linespacing=1.45,
    )
    above.set_ylim(bottom=0)
    above.axvline(named, color=style.NAMED, linewidth=1.2, linestyle=(0, (3, 2)))
    above.yaxis.set_visible(False)
    above.spines["left"].set_visible(False)
    above.tick_params(axis="x", length=0, labelbottom=False)

    below.barh(0, named, color=style.NAMED, height=0.7, linewidth=0)
    below.barh(0, deaths["median"] - named, left=named, color=style.OUTER, height=0.7, linewidth=0)
    below.hlines(0, deaths["lower"], deaths["upper"], color=style.MEDIAN, linewidth=1.4)
    below.vlines(deaths["median"], -0.35, 0.35, color=style.MEDIAN, linewidth=2)
    below.text(named / 2, 0, f"{words.count(named)}\nnamed", color="white", ha="center", va="center", linespacing=1.3)
    below.annotate(
        "beyond\nthe named",
        ((named + min(deaths["lower"], deaths["median"])) / 2, 0),
        ha="center",
        va="center",
        color=style.MEDIAN,
        linespacing=1.3,
    )
    below.yaxis.set_visible(False)
    below.spines["left"].set_visible(False)
    below.set_xlim(0, max(deaths["upper"] + 0.5 * width, tables.draws["deaths"].quantile(0.998)))
    below.set_ylim(-0.55, 0.55)
    style.people_axis(below.xaxis)
    below.set_xlabel("deaths")
    return figure


def _distribution(axes, draws, row):
    """Fill the histogram of draws by interval."""
    heights, edges = np.histogram(draws, bins=60)
    colours = {"all": style.FAINT, "wide": style.OUTER, "narrow": style.INNER}
    limits = {
        "all": (edges[0], edges[-1]),
        "wide": (row["lower"], row["upper"]),
        "narrow": (row["inner_lower"], row["inner_upper"]),
    }
    for name, (low, high) in limits.items():
        inside = np.unique(np.concatenate([[low, high], edges[(edges > low) & (edges < high)]]))
        places = np.clip(np.searchsorted(edges, inside[:-1], side="right") - 1, 0, len(heights) - 1)
        axes.stairs(heights[places], inside, fill=True, color=colours[name], linewidth=0)
    place = np.clip(np.searchsorted(edges, row["median"], side="right") - 1, 0, len(heights) - 1)
    axes.vlines(row["median"], 0, heights[place], color=style.MEDIAN, linewidth=2)


def deaths_by_month(tables):
    """Draw the deaths by month of death, the named part marked."""
    deaths, named = tables.pick("deaths", "month"), tables.pick("named", "month")
    figure, axes = with_named(tables, 3.9)
    for place, (month, row) in enumerate(deaths.iterrows()):
        stacked(axes, place, row, named.loc[month], across=False)
    style.upright(axes)
    style.people_axis(axes.yaxis)
    months = list(deaths.index)
    shown = [place for place, month in enumerate(months) if month[5:] in ("01", "04", "07", "10")]
    axes.set_xticks(shown, [words.short_month(months[place]).replace(" ", "\n") for place in shown])
    axes.set_xlim(-0.7, len(months) - 0.3)
    axes.set_ylabel("deaths a month")
    axes.set_xlabel(partial_months(tables.config))
    return figure


def with_named(tables, height):
    """Begin a figure of the deaths whose named part is marked."""
    figure = style.sheet(height)
    style.key(figure, [style.patch("named", style.NAMED), *style.shades(tables.levels)])
    return figure, figure.subplots()


def partial_months(config):
    """Say of the first and the last month that they are not whole; nothing if they are."""
    first, last = pd.Timestamp(config["war"]["from"]), pd.Timestamp(config["cut_off"])
    notes = []
    if first.day > 1:
        notes.append(f"first month from {words.short_day(first)}")
    if not last.is_month_end:
        notes.append(f"last month to {words.short_day(last)}")
    return words.capital("; ".join(notes))


def stacked(axes, place, row, named, across):
    """Draw the named part as a bar from nothing, and the interval of the estimate beyond it."""
    bar = axes.barh if across else axes.bar
    start, thick = ("left", "height") if across else ("bottom", "width")
    options = {thick: 0.78, "linewidth": 0}
    bar(place, row["median"] - named["median"], **options, **{start: named["median"]}, color=style.FAINT)
    style.interval(axes, place, row, across=across, height=0.78)
    bar(place, named["median"], color=style.NAMED, **options)
    if named["upper"] > named["lower"]:
        line = axes.hlines if across else axes.vlines
        line(place, named["lower"], named["upper"], color="white", linewidth=2.4)
        line(place, named["lower"], named["upper"], color=style.INK, linewidth=0.9)


def deaths_by_age(tables):
    """Draw the deaths by age band, the named part marked."""
    deaths, named = tables.pick("deaths", "age"), tables.pick("named", "age")
    figure, axes = with_named(tables, 4.2)
    for place, (age, row) in enumerate(deaths.iterrows()):
        stacked(axes, place, row, named.loc[age], across=True)
        style.beside(axes, words.rounded(row["median"], row), (row["upper"], place))
    style.rows(axes, [words.ages(age) for age in deaths.index], size=style.SIZE)
    axes.grid(axis="x")
    style.people_axis(axes.xaxis)
    axes.set_xlim(0, 1.14 * deaths["upper"].max())
    axes.set_xlabel("deaths (the number beside a bar is the median)")
    axes.set_ylabel("age at death")
    return figure


def share_named(tables):
    """Draw the share of the dead that is named: over time, and by age."""
    by_day, by_age = tables.pick("share_named", "day"), tables.pick("share_named", "age")
    figure = style.sheet(6.3)
    above, below = figure.subplots(2, 1, height_ratios=[1, 1.35])
    days = style.band(above, by_day, marker="o", markersize=3.5)
    last = by_day["median"].iloc[-1]
    above.annotate(
        words.percent(last),
        (days[-1], last),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        color=style.MEDIAN,
    )
    above.set_title("Named by the day, of all who had died by then")
    style.upright(above)
    above.set_ylim(0, 1)
    _few_days(above, days)
    style.share_axis(above.yaxis)
    for place, (_, row) in enumerate(by_age.iterrows()):
        style.interval(below, place, row, across=True)
    style.rows(below, [words.ages(age) for age in by_age.index], size=style.SIZE)
    below.set_title(f"Named by {words.day(tables.config['cut_off'])}, by age at death")
    below.set_xlim(0, 1)
    below.grid(axis="x")
    style.share_axis(below.xaxis)
    style.key(figure, style.shades(tables.levels))
    return figure


def _few_days(axes, days):
    """Label the half-years on an axis of days."""
    first, last = days.min(), days.max()
    ticks = [
        stamp
        for stamp in pd.date_range(f"{first.year}-01-01", f"{last.year + 1}-01-01", freq="6MS")
        if first - pd.Timedelta(days=60) <= stamp <= last + pd.Timedelta(days=60)
    ]
    axes.set_xticks(ticks, [words.short_month(f"{t.year}-{t.month:02d}").replace(" ", "\n") for t in ticks])
    room = 0.09 * (last - first)
    axes.set_xlim(first - 0.3 * room, last + room)
