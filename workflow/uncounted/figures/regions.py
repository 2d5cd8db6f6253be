"""Named deaths by region of origin: counts, no estimates."""

from uncounted.evidence.regions import by_region
from uncounted.figures import style, words

_COLUMNS = 2


def region_table(tables):
    """Put the named of each region beside its men, where the case has a table of them.

    Parameters
    ----------
    tables : uncounted.figures.tables.CaseTables

    Returns
    -------
    pandas.DataFrame
        See :func:`uncounted.evidence.regions.by_region`.
    """
    men = tables.evidence("men_by_region") if "men_by_region" in tables.config["sources"] else None
    return by_region(tables.evidence("named_by_region"), men)


def named_by_region(tables):
    """Draw the named by region as bars, the region with the most first, in two columns."""
    table = region_table(tables)
    lines = -(-len(table) // _COLUMNS)
    figure = style.sheet(0.5 + 0.165 * lines)
    panels = figure.subplots(1, _COLUMNS, sharex=True, squeeze=False)[0]
    for place, axes in enumerate(panels):
        rows = table.iloc[place * lines : (place + 1) * lines].reset_index(drop=True)
        axes.barh(rows.index, rows["named"], height=0.72, color=style.NAMED, linewidth=0)
        for line, named in rows["named"].items():
            axes.annotate(
                words.count(named),
                (named, line),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                fontsize=7.5,
                color=style.QUIET,
            )
        style.rows(axes, list(rows["region"]), size=7.5)
        # The same height of a bar in both columns, though the last may have fewer.
        axes.set_ylim(lines - 0.45, -0.55)
        style.people_axis(axes.xaxis, bins=3)
        axes.grid(axis="x")
    panels[0].set_xlim(0, 1.25 * table["named"].max())
    figure.supxlabel("named deaths", fontsize=style.SIZE, color=style.QUIET)
    return figure
