"""How soon those died who were sent to the front, by who recruited them."""

import numpy as np

from uncounted.figures import style, words

KAPLAN_MEIER = "kaplan_meier"

_SECOND = "#8a4b08"


def survival(tables):
    """Draw the share alive after being sent, where it is known, and how soon the named dead had died."""
    table = tables.survival
    panels = _panels(tables)
    figure = style.sheet(0.6 + 2.15 * len(panels))
    laws = [law for law in dict.fromkeys(table["law"]) if law != KAPLAN_MEIER]
    every_axes = figure.subplots(len(panels), 1, squeeze=False, sharex=True)[:, 0]
    for axes, (recruiter, quantity) in zip(every_axes, panels, strict=True):
        for place, law in enumerate(laws):
            _curve(axes, curve(tables, recruiter, law, quantity), first=place == 0)
        counted = curve(tables, recruiter, KAPLAN_MEIER, quantity)
        if len(counted):
            axes.step(counted.index, counted["median"], where="post", color=style.INK, linewidth=1.1)
        _published(axes, table, recruiter, quantity)
        style.upright(axes)
        axes.set_ylim(0, 1)
        style.share_axis(axes.yaxis)
        axes.set_title(_title(tables.config["survival"]["recruiters"][recruiter]["title"], quantity))
    every_axes[-1].set_xlabel("days after being sent to the front")
    every_axes[-1].set_xlim(0, table["at"].max())
    style.key(figure, _entries(tables, laws), ncols=2)
    return figure


def curve(tables, recruiter, law, quantity):
    """Pick a curve of the table.

    Parameters
    ----------
    tables : CaseTables
    recruiter, law, quantity : str

    Returns
    -------
    pandas.DataFrame
        By day, with both intervals; no row where the table has no number.
    """
    table = tables.survival
    rows = table[(table["recruiter"] == recruiter) & (table["law"] == law) & (table["quantity"] == quantity)]
    return tables.with_inner(rows[rows["median"].notna()], ["at"])


def _panels(tables):
    table = tables.survival
    panels = []
    for recruiter in dict.fromkeys(table["recruiter"]):
        known = table[(table["recruiter"] == recruiter) & table["median"].notna()]
        panels += [(recruiter, name) for name in ("alive", "dead_of_named") if name in set(known["quantity"])]
    return panels


def _title(recruiter, quantity):
    about = {"alive": "share alive, of all who were sent", "dead_of_named": "share who had died, of the named dead"}
    return words.brief(f"{words.capital(recruiter)}: {about[quantity]}", 62)


def _curve(axes, rows, first):
    if first:
        axes.fill_between(rows.index, rows["lower"], rows["upper"], color=style.OUTER, linewidth=0)
        axes.fill_between(rows.index, rows["inner_lower"], rows["inner_upper"], color=style.INNER, linewidth=0)
        axes.plot(rows.index, rows["median"], color=style.MEDIAN, linewidth=1.6)
        return
    axes.plot(rows.index, rows["median"], color=_SECOND, linewidth=1.4, linestyle=(0, (4, 2)))
    for end in ("lower", "upper"):
        axes.plot(rows.index, rows[end], color=_SECOND, linewidth=0.8, linestyle=(0, (1, 2)))


def _published(axes, table, recruiter, quantity):
    """Mark the day within which half of the sample had died, where it was published."""
    rows = table[(table["recruiter"] == recruiter) & (table["quantity"] == "median_published")]
    day = rows["observed"].iloc[0] if len(rows) else np.nan
    if quantity == "dead_of_named" and np.isfinite(day):
        axes.plot([day], [0.5], marker="D", color=style.INK, markersize=5, linestyle="none")


def _entries(tables, laws):
    entries = style.shades(tables.levels)
    entries.append(style.line(words.law(laws[0]), style.MEDIAN))
    entries += [style.line(words.law(law), _SECOND, linestyle=(0, (4, 2))) for law in laws[1:]]
    table = tables.survival
    if table["observed"].notna().any():
        entries.append(style.mark("half of the dead, as published", marker="D", color=style.INK, markersize=5))
    if (table["law"] == KAPLAN_MEIER).any():
        entries.append(style.line(words.law(KAPLAN_MEIER), style.INK))
    return entries
