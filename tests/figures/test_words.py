"""Numbers and days in words."""

import pytest

from uncounted.figures import words


@pytest.mark.parametrize(
    ("value", "width", "shown"),
    [(95_731, 45_000, "96,000"), (50_471, 0, "50,471"), (1_234, 330, "1,230"), (-320, 150, "−320")],
)
def test_numbers_are_rounded_as_far_as_their_interval_deserves(value, width, shown):
    assert words.about(value, width) == shown


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ((1_556, 163, 13_957), "1,600 (200 to 14,000)"),
        ((171, 40, 1_635), "170 (40 to 1,640)"),
        ((148, 52, 1_121), "150 (50 to 1,120)"),
        ((68_859, 54_279, 189_760), "69,000 (54,000 to 190,000)"),
        ((60_235, 46_367, 125_669), "60,000 (46,000 to 126,000)"),
        ((95_731, 78_642, 120_871), "96,000 (79,000 to 121,000)"),
        ((8_706, 30, 9_300), "8,710 (30 to 9,300)"),
        ((50_000, 50_000, 90_000), "50,000 (50,000 to 90,000)"),
        ((104, 96, 1_200), "104 (96 to 1,200)"),
        ((7, 0, 30), "7 (0 to 30)"),
        ((500, 500, 500), "500 (500 to 500)"),
        ((-20, -400, 350), "−20 (−400 to 350)"),
    ],
)
def test_no_end_becomes_0_or_the_median_by_rounding(numbers, shown):
    row = dict(zip(("median", "lower", "upper"), numbers, strict=True))
    median, lower, upper = (words.rounded(row[name], row) for name in ("median", "lower", "upper"))
    assert f"{median} ({lower} to {upper})" == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.12345, "0.123"), (12345.6, "12,346"), (-0.5, "−0.500"), (0, "0"), (float("nan"), "–"), (99.96, "100")],
)
def test_numbers_of_any_size(value, shown):
    assert words.number(value) in (shown, shown + ".0")


def test_days_and_months_follow_no_locale():
    assert words.day("2024-04-07") == "7 April 2024"
    assert words.short_day("2024-04-07") == "7 Apr 2024"
    assert words.month("2022-02") == "February 2022"
    assert words.short_month("2022-02") == "Feb 2022"
    assert words.ages("15-19") == "15–19"


def test_a_source_that_is_not_known_keeps_its_name():
    assert words.source("named_totals") == "size of the list"
    assert words.source("my_own_list") == "my own list"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("LCMCR in R, its defaults; run for this project", "LCMCR"),
        ("maximum likelihood; computed for this project", "maximum likelihood"),
        ("Bales, Hesketh and Silverman 2015", "Bales, Hesketh and Silverman 2015"),
        ("Kosovo Memory Book, for the same period, as quoted by HRDAG", "Kosovo Memory Book"),
    ],
)
def test_sources_of_estimates_have_a_short_name(source, shown):
    assert words.short_source(source) == shown


def test_strata_are_named_as_people_read_them():
    assert words.stratum("2023-10") == "Oct 2023" and words.stratum("2023-13") == "2023-13"
    assert words.stratum("female, 0-14") == "female, 0–14"
    assert words.stratum("1999-2004") == "1999-2004" and words.stratum("a-b") == "a-b"


def test_long_names_are_cut_on_one_line():
    assert words.brief("two\nlines", 20) == "two lines"
    assert words.brief("one, two, three", 6) == "one…"


def test_small_numbers_are_words():
    assert [words.small(number) for number in (0, 4, 11)] == ["no", "four", "11"]


@pytest.mark.parametrize(
    ("share", "shown"), [(0.031, "+3.1 %"), (-0.2, "−20.0 %"), (0.0004, "0.0 %"), (-0.0004, "0.0 %"), (0.0, "0.0 %")]
)
def test_a_change_that_is_written_as_nothing_has_no_sign(share, shown):
    assert words.signed_percent(share).replace("\u202f", " ") == shown
