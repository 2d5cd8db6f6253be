"""What others estimated or claimed, each beside what it can be compared with."""

import textwrap

import pandas as pd
from matplotlib.patheffects import withStroke

from uncounted.errors import UserError
from uncounted.figures import style, words

SAME_KIND = "killed"
"""What an estimate must count to stand beside ours."""


def published_estimates(tables):
    """Draw the published estimates: of the same kind beside ours, others each kind on its own axis."""
    table = lettered(tables)
    same = table[table["counts"] == SAME_KIND]
    if same.empty:
        raise UserError(
            f"no published estimate counts {SAME_KIND!r}",
            where=str(tables.folder / "evidence" / "published_estimates.parquet"),
        )
    kinds = dict.fromkeys(table.loc[table["counts"] != SAME_KIND, "counts"])
    others = {kind: table[table["counts"] == kind].reset_index(drop=True) for kind in kinds}
    legend = _whose(same)
    heights = [3.3, *(0.75 + 0.42 * len(rows) for rows in others.values())]
    figure = style.sheet(0.5 + sum(heights) + 0.17 * len(legend))
    panels = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    _beside_ours(panels[0], tables, same)
    panels[0].set_xlabel("\n".join(legend), ha="left", x=-0.13, fontsize=9, labelpad=8, linespacing=1.4)
    for axes, (kind, rows) in zip(panels[1:], others.items(), strict=True):
        _own_axis(axes, kind, rows)
    style.key(
        figure,
        [
            *style.shades(tables.levels),
            style.mark("published", marker="D", markerfacecolor="white", markeredgecolor=style.INK),
        ],
    )
    return figure


def lettered(tables):
    """Give each published estimate the letter by which the figure and the report know it.

    Returns
    -------
    pandas.DataFrame
        The table with a column `letter`: those of the same kind as ours first, in order of the days.
    """
    table = tables.evidence("published_estimates")
    same = table["counts"] == SAME_KIND
    others = table[~same].sort_values(["counts", "deaths_to"], kind="stable")
    table = pd.concat([table[same].sort_values("deaths_to", kind="stable"), others])
    return table.assign(letter=[_letter(place) for place in range(len(table))]).reset_index(drop=True)


def _letter(place):
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return alphabet[place] if place < 26 else alphabet[place // 26 - 1] + alphabet[place % 26]


def _whose(rows):
    """Say whose the letters are, in lines that fit under the plot."""
    letters = {}
    for _, row in rows.iterrows():
        letters.setdefault(str(row["by"]).split(" (")[0], []).append(row["letter"])
    entries = [f"{', '.join(own)}: {who}" for who, own in letters.items()]
    return [line for entry in entries for line in textwrap.wrap(entry, 62)]


def _beside_ours(axes, tables, rows):
    """Place each estimate at the last day of the deaths it counts, on our deaths up to each day."""
    ours = tables.pick("deaths_until", "day")
    # Nobody had died before the war: the band begins at a point.
    ours = pd.concat([pd.DataFrame(0.0, index=[tables.config["war"]["from"]], columns=ours.columns), ours])
    days = style.band(axes, ours)
    for _, row in rows.iterrows():
        place = row["deaths_to"]
        if not pd.isna(row["low"]) and not pd.isna(row["high"]):
            axes.vlines(place, float(row["low"]), float(row["high"]), color=style.INK, linewidth=1.2)
        if not pd.isna(row["point"]):
            middle = float(row["point"])
            axes.plot(
                place,
                middle,
                marker="D",
                markerfacecolor="white",
                markeredgecolor=style.INK,
                linestyle="none",
                markersize=5.5,
            )
        else:
            middle = float(row["high"])
        axes.annotate(
            row["letter"],
            (place, middle),
            xytext=(-7, 6),
            textcoords="offset points",
            ha="right",
            va="center",
            fontweight="bold",
            path_effects=[withStroke(linewidth=2.5, foreground="white")],
        )
    axes.set_title("Killed, from the first day of the war to the day shown")
    axes.set_ylim(bottom=0)
    style.upright(axes)
    style.people_axis(axes.yaxis)
    first, last = days.min(), max(days.max(), rows["deaths_to"].max())
    ticks = pd.date_range(f"{first.year}-01-01", last, freq="6MS")
    ticks = [tick for tick in ticks if tick >= first]
    axes.set_xticks(ticks, [words.short_month(f"{t.year}-{t.month:02d}").replace(" ", "\n") for t in ticks])
    axes.set_xlim(first, last + pd.Timedelta(days=20))


def _own_axis(axes, kind, rows):
    """Draw the estimates of one kind of count, which is not ours, on an axis that nothing of ours is on."""
    axes.set_title(f"{words.capital(kind)}: not the same thing")
    top = 0.0
    for place, row in rows.iterrows():
        ends = [float(row[c]) for c in ("low", "point", "high") if not pd.isna(row[c])]
        top = max(top, *ends)
        if len(ends) > 1:
            axes.hlines(place, ends[0], ends[-1], color=style.QUIET, linewidth=1.3)
        if not pd.isna(row["point"]):
            axes.plot(
                float(row["point"]),
                place,
                marker="D",
                linestyle="none",
                markersize=5.5,
                markerfacecolor="white",
                markeredgecolor=style.QUIET,
            )
    labels = [
        f"{row['letter']}  {words.short_month(str(row['deaths_from'])[:7])}–\n"
        f"{words.short_month(str(row['deaths_to'])[:7])}"
        for _, row in rows.iterrows()
    ]
    style.rows(axes, labels)
    axes.set_xlim(0, 1.08 * top)
    axes.grid(axis="x")
    style.people_axis(axes.xaxis)
