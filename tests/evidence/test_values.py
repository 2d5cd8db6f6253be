"""Cells are read by what their column holds, however they are written."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncounted.evidence import values
from uncounted.evidence.values import UnreadableError

SPACES = (" ", "\u00a0", "\u2009", "\u202f")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))


@given(st.integers(0, values.MOST_PEOPLE), st.sampled_from(["", ",", ".", *SPACES]))
def test_counts_are_read_with_any_mark_between_thousands(people, mark):
    assert values.read_count(f"{people:,}".replace(",", mark)) == people


@given(st.integers(-values.MOST_PEOPLE, values.MOST_PEOPLE), st.sampled_from(["-", "\u2212"]))
def test_changes_may_be_negative(people, minus):
    assert values.read_change(str(people).replace("-", minus)) == people


@given(st.integers(0, 10**6), st.integers(0, 99), st.sampled_from([".", ","]), st.integers(1, 2))
def test_a_fraction_is_no_count(whole, part, mark, digits):
    with pytest.raises(UnreadableError, match="fractional"):
        values.read_count(f"{whole}{mark}{part % 10**digits:0{digits}d}")


@given(st.text(max_size=12))
def test_any_text_is_a_count_or_unreadable(text):
    try:
        people = values.read_count(text)
    except UnreadableError as reason:
        assert str(reason)
    else:
        assert 0 <= people <= values.MOST_PEOPLE


@pytest.mark.parametrize("text", ["-5", "\u22125", "- 5"])
def test_a_negative_count_is_refused_as_such(text):
    with pytest.raises(UnreadableError, match="negative"):
        values.read_count(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1.5", "fractional"),
        ("12.34", "fractional"),
        ("0.450", "fractional"),
        ("1234.567", "fractional"),
        ("1,234.567", "no count"),
        ("1 23", "no count"),
        ("about 500", "no count"),
        ("9" * 5000, "larger than any count"),
    ],
)
def test_other_texts_are_no_counts(text, reason):
    with pytest.raises(UnreadableError, match=reason):
        values.read_count(text)


def test_what_a_point_means_depends_on_the_column():
    assert values.read_count("1.234") == 1234
    assert values.read_share("0.45") == 0.45
    assert values.read_share("0,45") == 0.45
    with pytest.raises(UnreadableError, match="more than 1"):
        values.read_share("1.234")
    with pytest.raises(UnreadableError, match="no share"):
        values.read_share("45 %")


@given(DAYS, st.sampled_from(SPACES))
def test_days_are_read_in_every_form(day, space):
    name = MONTHS[day.month - 1]
    forms = (f"{day:%Y-%m-%d}", f"{day:%d.%m.%Y}", f"{day.day}.{day.month}.{day.year}")
    words = (f"{day.day} {name} {day.year}", f" {day.day:02d}{space}{name.upper()}.{space}{day.year} ")
    assert {values.read_day(form) for form in (*forms, *words)} == {day}


@given(DAYS)
def test_months_are_read_in_every_form(day):
    forms = (f"{day:%Y-%m}", f"{day.month}.{day.year}", f"{MONTHS[day.month - 1]} {day.year}")
    assert {values.read_month(form) for form in forms} == {f"{day:%Y-%m}"}


@given(st.text(max_size=12))
def test_any_text_is_a_day_or_unreadable(text):
    try:
        day = values.read_day(text)
    except UnreadableError as reason:
        assert str(reason)
    else:
        assert isinstance(day, date)


@pytest.mark.parametrize("text", ["2023-02-29", "31.04.2022", "0 Feb 2022", "2022-13-01"])
def test_days_that_the_calendar_lacks_are_refused(text):
    with pytest.raises(UnreadableError, match="no such day"):
        values.read_day(text)


@pytest.mark.parametrize("text", ["02/24/2022", "24.02.22", "24 Foo 2022", "\u00b2 Feb 2022", "yesterday"])
def test_other_texts_are_no_days(text):
    with pytest.raises(UnreadableError, match="no day"):
        values.read_day(text)


@pytest.mark.parametrize("text", ["2022-13", "0.2022", "\u00b2 2022", "2022"])
def test_other_texts_are_no_months(text):
    with pytest.raises(UnreadableError, match="no month"):
        values.read_month(text)


def test_a_month_alone_stands_for_its_last_day():
    assert values.read_day_or_month("2024-02") == date(2024, 2, 29)
    assert values.read_day_or_month("2024-02-03") == date(2024, 2, 3)


@pytest.mark.parametrize(
    ("text", "age"), [("<20", "15-19"), ("20\u201324", "20-24"), (" 60+ ", "60+"), ("35 - 39", "35-39")]
)
def test_ages_are_read_as_written_in_print(text, age):
    assert values.read_age(text) == age


def test_other_ages_are_refused():
    with pytest.raises(UnreadableError, match="no age band"):
        values.read_age("15-49")
    assert values.read_wide_age("15-49") == "15-49"


@pytest.mark.parametrize(("read", "text"), [(values.read_year, "22"), (values.read_flag, "yes")])
def test_years_and_flags_are_exact(read, text):
    with pytest.raises(UnreadableError, match="expected"):
        read(text)


def test_text_is_carried_as_it_is():
    assert values.read_text(" <b>\"killed\"</b> & 'more' ") == "<b>\"killed\"</b> & 'more'"


def test_days_of_a_config_are_dates_or_text():
    assert values.to_day(date(2022, 2, 24)) == values.to_day("24 Feb 2022") == date(2022, 2, 24)
