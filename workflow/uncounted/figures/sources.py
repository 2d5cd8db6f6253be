"""What the sources say: the growing list, each observed figure against the model, the registry."""

import re

import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter, NullLocator

from uncounted.figures import style, words


def growing_list(tables):
    """Draw the size of the named list on the days it was published, used in the fit and later."""
    used = _whole_list(tables.evidence("named_totals"))
    later = _whole_list(tables.evidence("named_totals_later"))
    figure = style.sheet(3.7)
    axes = figure.subplots()
    cut_off = pd.Timestamp(tables.config["cut_off"])
    axes.axvline(cut_off, color=style.RULE, linewidth=1)
    for rows, options in (
        (used, {"color": style.NAMED}),
        (later, {"markerfacecolor": "white", "markeredgecolor": style.QUIET, "color": style.QUIET}),
    ):
        axes.plot(rows["closed"], rows["named"], linestyle="none", marker="o", markersize=5, **options)
    # A list is as long as when it was last published until it is published again.
    whole = pd.concat([used, later])
    axes.step(whole["closed"], whole["named"], where="post", color=style.RULE, linewidth=1, zorder=0)
    marked = [(used.iloc[0], (-6, 15), "left"), (tables.last_list, (-8, 4), "right")]
    if not later.empty:
        marked.append((later.iloc[-1], (-8, 2), "right"))
    for row, offset, side in marked:
        axes.annotate(
            f"{words.count(row['named'])}\n{words.short_day(row['closed'])}",
            (row["closed"], row["named"]),
            xytext=offset,
            textcoords="offset points",
            ha=side,
            va="bottom",
            linespacing=1.3,
        )
    style.upright(axes)
    axes.set_ylim(0, 1.16 * whole["named"].max())
    style.people_axis(axes.yaxis)
    axes.set_ylabel("people on the list")
    _half_years(axes, whole["closed"])
    style.key(
        figure,
        [
            style.mark("used", marker="o", color=style.NAMED, markersize=5),
            style.mark(
                "published later, not used",
                marker="o",
                markerfacecolor="white",
                markeredgecolor=style.QUIET,
                markersize=5,
            ),
            style.mark(f"line: {words.day(cut_off)}", marker="|", color=style.QUIET, markersize=9),
        ],
    )
    return figure


def _whole_list(totals):
    return totals[totals["part"] == "all"].sort_values("closed")


def _half_years(axes, days):
    first, last = days.min(), days.max()
    ticks = pd.date_range(f"{first.year}-07-01", last, freq="6MS")
    axes.set_xticks(ticks, [words.short_month(f"{t.year}-{t.month:02d}").replace(" ", "\n") for t in ticks])
    room = 0.04 * (last - first)
    axes.set_xlim(first - room, last + room)


def predictive(tables):
    """Draw each observed figure against what the fitted model would have expected in its place.

    The axis is the figure relative to the median expected, so that figures of all sizes share a picture.
    """
    table = tables.predictive
    groups = [rows for _, rows in table.groupby(["source", "variable"], sort=False)]
    columns = _balanced(groups)
    height = 0.195 * max(sum(len(rows) + 3.2 for rows in column) for column in columns)
    figure = style.sheet(height + 0.55)
    halves = figure.add_gridspec(1, len(columns))
    for place, column in enumerate(columns):
        ratios = [len(rows) + 1.6 for rows in column]
        panels = halves[place].subgridspec(len(column), 1, height_ratios=ratios).subplots(squeeze=False)
        for axes, rows in zip(panels[:, 0], column, strict=True):
            _against_expected(axes, rows, left=0.015 + place / len(columns))
    narrow_words = f"{words.percent(tables.levels[1])} of what the model expects"
    style.key(
        figure,
        [
            style.patch(narrow_words, style.OUTER),
            style.mark("observed", marker="o", color=style.INK, markersize=4.5),
            *style.amiss(table["passed"]),
        ],
    )
    return figure


def _balanced(groups):
    """Put the groups into two columns of about the same height, largest first."""
    if len(groups) == 1:
        return [groups]
    columns = ([], [])
    for rows in sorted(groups, key=len, reverse=True):
        min(columns, key=lambda column: sum(len(r) + 3.2 for r in column)).append(rows)
    return list(columns)


def _against_expected(axes, rows, left):
    rows = rows.reset_index(drop=True)
    middle = rows["median"].to_numpy(float)
    low, high, seen = (rows[c].to_numpy(float) / middle for c in ("lower", "upper", "observed"))
    places = np.arange(len(rows))
    axes.barh(places, high - low, left=low, height=0.66, color=style.OUTER, linewidth=0)
    axes.vlines(1, -0.6, len(rows) - 0.4, color=style.MEDIAN, linewidth=1)
    fine = rows["passed"].fillna(True).astype(bool).to_numpy()
    axes.plot(seen[fine], places[fine], linestyle="none", marker="o", color=style.INK, markersize=4)
    axes.plot(seen[~fine], places[~fine], linestyle="none", marker="X", color=style.AMISS, markersize=6.5)
    style.rows(axes, [_item(item) for item in rows["item"]], size=8.5)
    # The title begins with the labels, left of the axes; an empty one keeps the room for it.
    axes.set_title(" ")
    axes.annotate(
        words.capital(words.variable(rows["variable"].iloc[0])),
        (left, 1),
        xycoords=(axes.figure.transFigure, axes.transAxes),
        xytext=(0, 7),
        textcoords="offset points",
        fontweight="bold",
        annotation_clip=False,
    ).set_in_layout(False)
    reach = 1.12 * max(np.max(np.abs(np.log(np.concatenate([low, high, seen])))), 0.02)
    axes.set_xscale("log")
    axes.set_xlim(np.exp(-reach), np.exp(reach))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(_ratios(reach))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"×{value:g}"))
    axes.tick_params(axis="x", labelsize=8.5, length=0)
    axes.grid(axis="x")


def _ratios(reach):
    """Choose three places on an axis of ratios."""
    round_ratios = (1.01, 1.02, 1.05, 1.1, 1.2, 1.5, 2, 3, 5, 10, 30, 100)
    largest = [ratio for ratio in round_ratios if np.log(ratio) <= 0.92 * reach]
    top = largest[-1] if largest else 1 + round(reach, 4)
    return [float(f"{1 / top:.2g}"), 1, top]


def _item(text):
    """Shorten months, days and age bands among the items; all else stays as it is."""
    text = str(text)
    if not text:
        return "in all"
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return words.short_day(text)
    if re.fullmatch(r"\d{4}-\d{2}", text):
        return words.short_month(text)
    return words.ages(re.sub(r"\b(\d{4}-\d{2}-\d{2})\b", lambda found: words.short_day(found[1]), text))


def registered_deaths(tables):
    """Draw the war deaths in the registry, by age and year, beside the published excess of male deaths."""
    ours = tables.pick("registered_war_deaths", "age", "calendar_year").reset_index()
    theirs = tables.evidence("published_excess_male_deaths")
    theirs = theirs[theirs["variant"] == "hiv_subtracted"]
    years = list(dict.fromkeys(ours["calendar_year"]))
    figure = style.sheet(0.7 + 2.55 * len(years))
    panels = figure.subplots(len(years), 1, sharex=True, squeeze=False)[:, 0]
    for axes, year in zip(panels, years, strict=True):
        rows = ours[ours["calendar_year"] == year].reset_index(drop=True)
        published = theirs[theirs["year"] == int(year)].set_index("age")
        axes.axvline(0, color=style.RULE, linewidth=1)
        for place, row in rows.iterrows():
            style.interval(axes, place - 0.17, row, across=True, height=0.4)
            if row["age"] in published.index:
                other = published.loc[row["age"]]
                axes.errorbar(
                    other["excess"],
                    place + 0.22,
                    xerr=2 * other["sd"],
                    fmt="D",
                    color=style.QUIET,
                    markerfacecolor="white",
                    markersize=4.5,
                    linewidth=1.1,
                )
        style.rows(axes, [words.ages(age) for age in rows["age"]], size=style.SIZE)
        axes.set_title(f"Registered in {year}")
        axes.grid(axis="x")
    style.people_axis(panels[-1].xaxis)
    panels[-1].set_xlabel("deaths")
    style.key(
        figure,
        [
            *style.shades(tables.levels),
            style.mark("published excess ± 2 sd", marker="D", markerfacecolor="white", markeredgecolor=style.QUIET),
        ],
    )
    return figure
