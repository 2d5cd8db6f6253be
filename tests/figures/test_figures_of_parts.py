"""Figures of the years, the kinds of service and the regions: every part is there, under its name."""

import made_up

from uncounted.figures import regions, services, style, words, years


def labels(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def test_each_region_has_a_bar_and_its_count(tables):
    with style.applied():
        figure = regions.named_by_region(tables)
    named = tables.evidence("named_by_region").sort_values(["named", "region"], ascending=[False, True])
    assert [label for axes in figure.axes for label in labels(axes)] == named["region"].tolist()
    written = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert written == [words.count(number) for number in named["named"]]


def test_kinds_of_service_stand_in_both_panels_the_most_deaths_first(tables):
    with style.applied():
        figure = services.deaths_by_service(tables)
    above, below = (labels(axes) for axes in figure.axes)
    assert above == below and above[0] == "Professional soldiers"
    assert len(above) == len(made_up.SERVICES)


def test_the_last_year_is_said_to_end_with_the_deaths_that_are_counted(tables):
    with style.applied():
        (axes,) = years.deaths_a_day(tables).axes
    assert labels(axes) == ["Year 1", "Year 2", "Year 3\nto 7 Apr 2024"]


def test_kinds_of_service_have_names_for_readers():
    assert words.service("guard_and_police") == "guard and police"
    assert words.service("unknown") == "kind not known"
    assert words.service("air_force") == "air force"
