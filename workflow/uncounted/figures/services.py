"""The dead by kind of service, and the share of each kind that is named."""

from uncounted.figures import style, words
from uncounted.figures.answer import stacked


def deaths_by_service(tables):
    """Draw the deaths by kind of service, the named part marked, and the share named of each kind."""
    deaths, named = tables.pick("deaths", "service"), tables.pick("named", "service")
    shares = tables.pick("share_named", "service")
    order = list(deaths["median"].sort_values(ascending=False).index)
    figure = style.sheet(0.9 + 0.78 * len(order))
    above, below = figure.subplots(2, 1, height_ratios=[1.25, 1])
    for place, kind in enumerate(order):
        row = deaths.loc[kind]
        stacked(above, place, row, named.loc[kind], across=True)
        style.beside(above, words.rounded(row["median"], row), (row["upper"], place))
        style.interval(below, place, shares.loc[kind], across=True)
    labels = [words.capital(words.service(kind)) for kind in order]
    for axes in (above, below):
        style.rows(axes, labels, size=style.SIZE)
        axes.grid(axis="x")
    style.people_axis(above.xaxis)
    above.set_xlim(0, 1.14 * deaths["upper"].max())
    above.set_title("Deaths (beside each bar the median)")
    style.share_axis(below.xaxis)
    below.set_xlim(0, 1)
    below.set_title(f"Named by {words.day(tables.config['cut_off'])}")
    style.key(figure, [style.patch("named", style.NAMED), *style.shades(tables.levels)])
    return figure
