"""The years of the war, by deaths a day: the last may be a few weeks long."""

from uncounted.figures import style, words


def deaths_a_day(tables):
    """Draw the deaths a day in each year of the war."""
    rows = tables.pick("deaths_a_day", "war_year")
    figure = style.sheet(0.85 + 0.42 * len(rows))
    axes = figure.subplots()
    for place, (_, row) in enumerate(rows.iterrows()):
        style.interval(axes, place, row, across=True)
        style.beside(axes, words.rounded(row["median"], row), (row["upper"], place))
    labels = [f"Year {year}" for year in rows.index]
    # The last is as long as the deaths that are counted.
    labels[-1] += f"\nto {words.short_day(tables.config['cut_off'])}"
    style.rows(axes, labels, size=style.SIZE)
    axes.grid(axis="x")
    style.people_axis(axes.xaxis)
    axes.set_xlim(0, 1.14 * rows["upper"].max())
    axes.set_xlabel("deaths a day (the number beside a bar is the median)")
    style.key(figure, style.shades(tables.levels))
    return figure
