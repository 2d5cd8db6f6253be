"""The lists: who is on which combination of them, and what has to be assumed of those who are on none."""

import math

import numpy as np
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from uncounted.figures import forest, style, words
from uncounted.figures.families import OTHERS

MOST_HISTORIES = 25
"""How many combinations of lists a picture has at most; the rest is one bar."""


def overlaps(tables):
    """Draw how many people are on each combination of lists, and how many on each list (an UpSet picture)."""
    shown, rest = histories_shown(tables)
    lists, sizes = tables.config["lists"], tables.list_sizes()["size"].to_numpy(float)
    people = [*shown, *([rest.sum()] if len(rest) else [])]
    figure = style.sheet(2.1 + 0.27 * len(lists) + (0.2 if len(rest) else 0))
    panels = figure.subplots(2, 2, width_ratios=[0.8, 3.4], height_ratios=[1.75, 0.27 * len(lists) + 0.1])
    panels[0, 0].set_axis_off()
    _bars(panels[0, 1], people, len(shown))
    _matrix(panels[1, 1], list(shown.index), lists, len(people))
    _sizes(panels[1, 0], sizes)
    if len(rest):
        panels[1, 1].set_xlabel(f"the last bar: {words.count(len(rest))} further combinations together")
    return figure


def histories_shown(tables):
    """Part the combinations of lists into those that have a bar of their own, and the rest.

    Returns
    -------
    tuple of pandas.Series
        People by history, most people first.
    """
    people = tables.counted()
    most = MOST_HISTORIES if len(people) <= MOST_HISTORIES else MOST_HISTORIES - 1
    return people.iloc[:most], people.iloc[most:]


def _bars(axes, people, own):
    """Draw a bar for each combination; those that are many combinations at once are paler."""
    places = np.arange(len(people))
    colours = [style.NAMED] * own + [style.PRIOR_INNER] * (len(people) - own)
    axes.bar(places, people, color=colours, width=0.66, linewidth=0)
    upright = len(people) <= 9
    for place, number in zip(places, people, strict=True):
        axes.annotate(
            words.count(number),
            (place, number),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            rotation=0 if upright else 90,
            fontsize=8.5 if upright else 8,
        )
    axes.set_xlim(-0.6, len(people) - 0.4)
    axes.set_ylim(0, (1.12 if upright else 1.3) * max(people))
    axes.set_xticks([])
    axes.yaxis.set_visible(False)
    axes.spines["left"].set_visible(False)


def _matrix(axes, histories, lists, columns):
    """Draw which lists each combination is of."""
    for row in range(0, len(lists), 2):
        axes.axhspan(row - 0.5, row + 0.5, color=style.FAINT, linewidth=0, zorder=0)
    for place, history in enumerate(histories):
        on = [row for row, digit in enumerate(history) if digit == "1"]
        off = [row for row, digit in enumerate(history) if digit == "0"]
        axes.plot([place] * len(off), off, linestyle="none", marker="o", markersize=4.5, color=style.RULE)
        axes.plot([place] * len(on), on, marker="o", markersize=5.5, color=style.NAMED, linewidth=1.6)
    axes.set_xlim(-0.6, columns - 0.4)
    axes.set_ylim(len(lists) - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks(range(len(lists)), [words.brief(name, 16) for name in lists])
    axes.tick_params(axis="y", length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _sizes(axes, sizes):
    """Draw how many people are on each list, towards the left."""
    axes.barh(range(len(sizes)), sizes, color=style.OUTER, height=0.72, linewidth=0)
    for place, number in enumerate(sizes):
        axes.annotate(
            words.count(number),
            (0, place),
            xytext=(-2, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=8.5,
            color=style.MEDIAN,
        )
    # Room for the number where the bar is short.
    axes.set_xlim(max(sizes) * 1.05, 0)
    axes.set_ylim(len(sizes) - 0.5, -0.5)
    axes.set_axis_off()
    axes.set_title("on the list", fontsize=8.5, fontweight="normal", color=style.QUIET, loc="right")


# The dial


def dial(tables):
    """Draw the number of people along the dial, and where published estimates would need it to stand."""
    rows = dial_rows(tables)
    if rows.empty:
        return forest.notice(f"Nothing to draw: {why_no_dial(tables)}.")
    needed = needed_positions(tables)
    figure = style.sheet(4.0 + 0.17 * len(needed))
    axes = figure.subplots()
    at = rows.index.to_numpy(float)
    axes.fill_between(at, rows["lower"], rows["upper"], color=style.OUTER, linewidth=0)
    axes.fill_between(at, rows["inner_lower"], rows["inner_upper"], color=style.INNER, linewidth=0)
    axes.plot(at, rows["median"], color=style.MEDIAN, linewidth=1.6)
    axes.axhline(tables.seen, color=style.NAMED, linewidth=1.2, linestyle=(0, (3, 2)))
    position = float(tables.config.get("unseen_odds") or 0)
    axes.axvline(position, color=style.QUIET, linewidth=0.9, linestyle=(0, (3, 2)))
    _people_upwards(axes, rows, tables.seen, needed)
    _times(axes, [*at, *(row["position"] for row in needed)])
    _mark_needed(axes, needed)
    axes.set_ylabel(f"{words.brief(tables.config['people'], 40)} in all")
    axes.set_xlabel("odds of being on no list, times what the models say", fontsize=9)
    marks = [style.patch(f"{words.percent(level)} interval", colour) for level, colour in _bands(tables.levels)]
    marks.append(style.line(f"{words.count(tables.seen)} on a list", style.NAMED, linewidth=1.2, linestyle=(0, (3, 2))))
    if needed:
        looks = {row["look"] for row in needed}
        marks += [style.mark(name, **forest.LOOKS[look]) for look, name in OTHERS.items() if look in looks]
        legend = "\n".join(f"{row['letter']}: {row['name']}" for row in needed)
        figure.supxlabel(legend, x=0.015, ha="left", fontsize=8.5, color=style.QUIET, linespacing=1.4)
    style.key(figure, marks, ncols=min(3, len(marks)))
    return figure


def _bands(levels):
    return zip(levels, (style.INNER, style.OUTER), strict=True)


def dial_rows(tables):
    """Pick the numbers along the dial.

    Returns
    -------
    pandas.DataFrame
        Indexed by the position (log odds), ascending; empty where there is no answer, or nobody to multiply.
    """
    table = tables.dial
    return tables.with_inner(table[table["needed_for"].fillna("") == ""], ["unseen_odds"]).sort_index()


def why_no_dial(tables):
    """Say why there is nothing along the dial."""
    if tables.total is None:
        return f"the number cannot be estimated ({tables.why_not()})"
    return "as likely as not nobody is missing from all lists, and no number times nobody is anybody"


def needed_positions(tables):
    """List where the dial would have to stand for each estimate of others.

    Returns
    -------
    list of dict
        `letter`, `label`, `name` (short), `look`, `position` (log odds), `times` (odds), `median` (people); in the
        order of the letters.
    """
    table = tables.dial
    rows = table[(table["needed_for"].fillna("") != "") & (table["level"] == table["level"].max())]
    listed = []
    for _, row in rows.iterrows():
        position, letter = float(row["unseen_odds"]), tables.letter_of(row["needed_for"])
        source = tables.published.loc[tables.published["letter"] == letter, "source"] if letter else []
        listed.append(
            {
                "letter": letter or "–",
                "label": row["needed_for"],
                "name": words.short_source(source.iloc[0]) if len(source) else words.brief(row["needed_for"], 66),
                "look": tables.look_of(letter),
                "position": position,
                "times": math.exp(position),
                "median": float(row["median"]),
            }
        )
    return sorted(listed, key=lambda row: (len(row["letter"]), row["letter"]))


def _mark_needed(axes, needed):
    """Mark the estimates of others; those that stand close together have their letters in one place."""
    low, high = axes.get_xlim()
    groups = []
    for row in sorted(needed, key=lambda row: row["position"]):
        axes.plot(row["position"], row["median"], linestyle="none", zorder=4, **forest.LOOKS[row["look"]])
        if groups and row["position"] - groups[-1][-1]["position"] < 0.045 * (high - low):
            groups[-1].append(row)
        else:
            groups.append([row])
    for group in groups:
        first = group[0]
        at_left = first["position"] - low < 0.12 * (high - low)
        axes.annotate(
            " ".join(sorted(row["letter"] for row in group)),
            (first["position"], first["median"]),
            xytext=(7, -7) if at_left else (-6, 6),
            textcoords="offset points",
            ha="left" if at_left else "right",
            va="top" if at_left else "bottom",
            fontweight="bold",
            zorder=5,
            path_effects=[withStroke(linewidth=2.5, foreground="white")],
        )


def _people_upwards(axes, rows, seen, needed):
    """Set the axis of people, logarithmic where the numbers span orders of size."""
    numbers = [seen, *rows["lower"], *rows["upper"], *(row["median"] for row in needed)]
    low, high = min(numbers), max(number for number in numbers if math.isfinite(number))
    style.upright(axes)
    if high / low > 8:
        axes.set_yscale("log")
        axes.set_ylim(low / 1.15, high * 1.1)
        steps = (1, 2, 5) if high / low < 200 else (1,)
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        ticks = [step * 10.0**power for power in powers for step in steps]
        axes.yaxis.set_major_locator(FixedLocator([tick for tick in ticks if low / 1.15 <= tick <= high * 1.1]))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.count(value)))
    else:
        axes.set_ylim(bottom=0)
        style.people_axis(axes.yaxis)


def _times(axes, at):
    """Label the dial by what it multiplies the odds with."""
    axes.set_xlim(min(at), max(at))
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: times(value)))


def times(position):
    """Write what a position of the dial multiplies the odds with: `×2.7`, `÷2.7`, `×1`."""
    factor = math.exp(abs(position))
    text = f"{factor:.1f}".removesuffix(".0") if factor < 10 else words.number(factor, 2)
    if text == "1" and factor > 1.0001:
        text = f"{factor:.2f}"
    return f"{'÷' if position < 0 and text != '1' else '×'}{text}"
