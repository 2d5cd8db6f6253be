"""What each family of models says: side by side with what others published, by stratum, and without each list."""

import textwrap

from uncounted.errors import UserError
from uncounted.figures import forest, style, words
from uncounted.figures.forest import Row

MOST_STRATA, MOST_REFITS = 40, 24
"""How many rows a picture has at most; the tables of the report have them all."""


def headline(tables):
    """Draw the number of people in all by each model, the leading one on top, then by others."""
    ours, older = _ours(tables), _older(tables)
    others = {look: _others(tables, look) for look in OTHERS}
    rows = [*ours, *older, *(row for own in others.values() for row in own)]
    places = _places([ours, older, *others.values()])
    said = _answer(tables)
    figure = style.sheet(1.85 + 0.2 * said.count("\n") + 0.37 * places[-1])
    title = "\n".join(textwrap.wrap(tables.config["title"], 48))
    figure.suptitle(title, x=0.015, ha="left", fontsize=11, fontweight="bold")
    axes = figure.subplots()
    end = forest.end_of(rows, least=tables.seen)
    forest.draw(axes, rows, end, offsets=places)
    _label(axes, rows, places)
    forest.settle(axes, forest.start_of(rows, tables.seen), end)
    _seen(axes, tables.seen)
    axes.set_xlabel(f"{words.capital(words.brief(tables.config['people'], 40))} in all")
    _above(axes, said)
    marks = style.shades(tables.levels) if any(not row.is_empty for row in ours) else []
    marks += [style.mark("older methods", **forest.LOOKS["older"])] if older else []
    marks += [style.mark(OTHERS[look], **forest.LOOKS[look]) for look in OTHERS if others[look]]
    style.key(figure, marks, loc="outside lower left", ncols=min(3, len(marks)))
    return figure


OTHERS = {"published": "published", "software": "other software"}
"""What the marks of the estimates of others are called."""


def _ours(tables):
    totals = tables.totals()
    names = [tables.lead, *(name for name in tables.models if name != tables.lead)]
    names += [name for name in dict.fromkeys(tables.not_estimable["model"]) if name not in names]
    failed = set(tables.weights.loc[~tables.weights["passed"].astype(bool), "model"])
    rows = []
    for name in names:
        label = words.capital(words.model(name)) + (" (a check failed)" if name in failed else "")
        row = Row("\n".join(textwrap.wrap(label, 26)), leads=name == tables.lead)
        if name in totals.index:
            row = Row(row.label, totals.loc[name], leads=row.leads)
        elif tables.why_not(model=name) or name == tables.lead:
            row.note = f"no estimate: {tables.why_not(model=name) or tables.why_not()}"
        else:
            continue  # a model that lacks an answer for some strata only, and says nothing of all
        row.bold = name == tables.lead
        rows.append(row)
    return rows


def _older(tables):
    rows = []
    for _, row in tables.older().iterrows():
        numbers = {"median": row["estimate"], "lower": row["lower"], "upper": row["upper"]}
        label = "\n".join(textwrap.wrap(words.capital(words.method(row["method"])), 26))
        rows.append(Row(label, numbers, look="older", note="no estimate", rounded=False))
    return rows


def _others(tables, look):
    """Rows of what others published, or of what other programs gave: a letter and a short name each."""
    table = tables.published_totals
    return [
        Row(
            "\n".join(textwrap.wrap(f"{row['letter']}  {words.short_source(row['source'])}", 26)),
            {"median": row["estimate"], "lower": row["lower"], "upper": row["upper"]},
            look=look,
            note="no number",
            rounded=False,
        )
        for _, row in table[table["is_run"] == (look == "software")].iterrows()
    ]


def _places(groups):
    """Place the rows below each other, with a gap between groups."""
    places, at = [], 0.0
    for rows in groups:
        places += [at + place for place in range(len(rows))]
        at += len(rows) + (0.45 if rows else 0)
    return places


def _label(axes, rows, places):
    """Name the rows on the left."""
    style.rows(axes, [row.label for row in rows], size=8.5, places=places)
    # Below the last row stands how many are on a list.
    axes.set_ylim(places[-1] + 1.25, -0.6)
    for label, row in zip(axes.get_yticklabels(), rows, strict=True):
        label.set(linespacing=1.15, fontweight="bold" if row.bold else "normal")


def _seen(axes, seen):
    """Mark how many are on a list."""
    axes.axvline(seen, color=style.NAMED, linewidth=1.2, linestyle=(0, (3, 2)), zorder=0.5)
    axes.annotate(
        f"{words.count(seen)} on a list",
        (seen, 0),
        xycoords=("data", "axes fraction"),
        xytext=(4, 4),
        textcoords="offset points",
        fontsize=8.5,
        color=style.NAMED,
        va="bottom",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
    )


def _answer(tables):
    """Say the answer in two or three lines."""
    total = tables.total
    if total is None:
        return "\n".join(textwrap.wrap(f"Cannot be estimated: {words.brief(tables.why_not(), 100)}", 58))
    narrow, wide = tables.levels

    def about(key):
        return words.rounded(total[key], total)

    lines = [
        f"{about('median')} estimated in all",
        f"{words.percent(wide)} interval (lighter): {about('lower')} to {about('upper')}",
        f"{words.percent(narrow)} interval (darker): {about('inner_lower')} to {about('inner_upper')}",
    ]
    if disagree(tables):
        lines.append("The models disagree: the lists do not settle the number")
    return "\n".join(lines)


def disagree(tables):
    """Whether the families of models disagree about the number."""
    return bool(tables.weights["disagrees"].fillna(False).astype(bool).any())


def _above(axes, text):
    """Write lines above the axes that begin where the figure begins."""
    axes.set_title("\n".join([" "] * (text.count("\n") + 1)), fontsize=10.5, linespacing=1.4)
    axes.annotate(
        text,
        (0.015, 1),
        xycoords=(axes.figure.transFigure, axes.transAxes),
        xytext=(0, 7),
        textcoords="offset points",
        fontsize=10.5,
        color=style.MEDIAN,
        linespacing=1.4,
        annotation_clip=False,
    ).set_in_layout(False)


# By stratum


def strata(tables):
    """Draw the people by stratum: all strata together, each on its own, and as published."""
    names, left = _largest(tables)
    together, alone = tables.pooled(), tables.separate()
    published = tables.published[tables.published["is_stratum"]]
    groups = []
    for name in names:
        own = published[published["about"] == name].iterrows()
        label = "\n".join(textwrap.wrap(words.brief(words.stratum(name), 44), 22)) or "–"
        first = Row(label, dict(together.loc[name]) if name in together.index else {}, leads=True)
        first.note = "" if name in together.index else f"no estimate: {tables.why_not(name) or 'the model has none'}"
        second = Row("", dict(alone.loc[name]) if name in alone.index else {})
        if second.is_empty and len(tables.strata_alone):
            second.note = f"not estimable alone: {tables.why_not_alone(name)}"
        others = [
            Row("", {"median": r["estimate"], "lower": r["lower"], "upper": r["upper"]}, look="published")
            for _, r in own
        ]
        groups.append((first, second, others))
    figure = style.sheet(0.95 + 0.56 * len(groups) + (0.2 if left else 0))
    axes = figure.subplots()
    _draw_strata(axes, groups)
    notes = [f"{words.capital(words.brief(tables.config['people'], 40))} in all"]
    if left:
        notes.append(f"and {words.count(left)} smaller strata, in the table")
    axes.set_xlabel("\n".join(notes))
    _key_of_strata(figure, tables, published)
    return figure


def _draw_strata(axes, groups):
    rows = [row for first, second, others in groups for row in (first, second, *others)]
    end = forest.end_of(rows)
    for place, (first, second, others) in enumerate(groups):
        forest.draw(axes, [first], end, offsets=[place - 0.2], height=0.32)
        if not second.is_empty:
            _thin(axes, place + 0.1, second, end)
        elif second.note:
            forest.draw(axes, [second], end, offsets=[place + 0.17])
        forest.draw(axes, others, end, offsets=[place + 0.31] * len(others), beside=False)
    style.rows(axes, [first.label for first, _, _ in groups], size=9)
    axes.set_ylim(len(groups) - 0.4, -0.6)
    for boundary in range(1, len(groups)):
        axes.axhline(boundary - 0.5, color=style.FAINT, linewidth=0.8, zorder=0)
    forest.settle(axes, forest.start_of(rows, end), end)


def _thin(axes, place, row, end):
    """Draw a separate estimate as lines, so that it is no rival of the interval above it."""
    for low, high, width in (("lower", "upper", 1.0), ("inner_lower", "inner_upper", 2.6)):
        axes.hlines(place, min(row[low], end), min(row[high], end), color=style.QUIET, linewidth=width)
    if row["median"] <= end:
        axes.plot(row["median"], place, marker="|", markersize=7, markeredgewidth=1.4, color=style.INK)
    if row["upper"] > end:
        axes.plot(end, place, marker=">", color=style.QUIET, markersize=4, clip_on=False)
        axes.annotate(
            f"to {row.write(row['upper'])}",
            (1, place),
            xycoords=("axes fraction", "data"),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=style.QUIET,
            annotation_clip=False,
        )


def _key_of_strata(figure, tables, published):
    narrow, wide = (words.percent(level) for level in tables.levels)
    marks = style.shades(tables.levels)
    marks += [style.line(f"each alone ({narrow}, {wide})", style.QUIET)] if len(tables.strata_alone) else []
    if len(published):
        marks.append(style.mark("published", **forest.LOOKS["published"]))
    style.key(figure, marks, ncols=2)


def _largest(tables):
    """Choose the strata that are drawn, and count the rest."""
    names = tables.strata
    if not names:
        raise UserError("this study has no strata", where=tables.name, expected="no figure of strata")
    seen = tables.seen_by_stratum()
    chosen = set(seen.sort_values(ascending=False, kind="stable").index[:MOST_STRATA])
    return [name for name in names if name in chosen], len(names) - len(chosen)


# Without each list


def sensitivity(tables):
    """Draw the people in all as estimated from all lists, without each in turn, and with pairs merged."""
    rows, left = _refits(tables)
    if not rows:
        return forest.notice(f"Nothing to compare: {tables.why_not() or 'no estimate from all lists by this model'}.")
    figure = style.sheet(1.2 + 0.4 * len(rows) + (0.2 if left else 0))
    axes = figure.subplots()
    end, joint = forest.end_of(rows, least=tables.seen), rows[0]
    axes.axvspan(joint["lower"], min(joint["upper"], end), color=style.FAINT, linewidth=0)
    axes.axvline(joint["median"], color=style.MEDIAN, linewidth=0.9, linestyle=(0, (3, 2)))
    forest.draw(axes, rows, end)
    _label(axes, rows, list(range(len(rows))))
    forest.settle(axes, forest.start_of(rows, tables.seen), end)
    _seen(axes, tables.seen)
    axes.set_xlabel(f"{words.capital(words.brief(tables.config['people'], 40))} in all")
    if left:
        note = f"{words.capital(words.small(left))} more, which move it less, in the table"
        figure.supxlabel(note, x=0.015, ha="left", fontsize=8.5, color=style.QUIET)
    style.key(figure, style.shades(tables.levels))
    return figure


def _refits(tables):
    """List the refits that are drawn, that of all lists first, and count the rest: pairs that move it least."""
    table = tables.with_inner(tables.sensitivity, ["left_out"])
    if table.empty:
        return [], 0
    if "" not in table.index:
        raise UserError(
            "no row with all lists",
            where=str(tables.folder / "checks" / "sensitivity.parquet"),
            expected="a row whose left_out is empty",
        )
    without = [name for name in table.index if name != ""]
    by_move = table.loc[without, "moved"].abs().sort_values(ascending=False, kind="stable", na_position="first")
    lists = {f"without {name}" for name in tables.config["lists"]}
    chosen = [name for name in by_move.index if name in lists] + [n for n in by_move.index if n not in lists]
    chosen = set(chosen[:MOST_REFITS])
    names = ["", *(name for name in without if name in chosen)]
    rows = [
        Row(
            "\n".join(textwrap.wrap(words.brief(name, 52) or "all lists", 26)),
            dict(table.loc[name]),
            leads=not name,
            note="not estimable",
            bold=not name,
        )
        for name in names
    ]
    return rows, len(without) - len(chosen)
