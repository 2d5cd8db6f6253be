"""Weeks become months, and nobody is lost on the way."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from uncounted.evidence.months import ALL, WEEK, Week, share_out, split_by_days, weeks_to_months

PEOPLE = st.integers(0, 5000)
STARTS = st.dates(date(2019, 12, 25), date(2028, 3, 1))  # several leap years and turns of the year
KINDS = ("mobilised", "prisoners", "professional", "volunteers")
LONG_AFTER = date(2030, 1, 1)


def by_kind(months) -> dict[str, int]:
    """Sum the people of months by kind."""
    people = {}
    for month in months:
        for kind, named in month.named.items():
            people[kind] = people.get(kind, 0) + named
    return people


@given(PEOPLE, st.lists(st.integers(1, 7), min_size=1, max_size=4))
def test_people_are_shared_out_whole(people, days):
    shares = share_out(people, days)
    assert sum(shares) == people
    assert all(abs(share - people * part / sum(days)) < 1 for share, part in zip(shares, days, strict=True))


@given(st.lists(PEOPLE, min_size=1, max_size=6), st.integers(1, 6))
def test_kinds_and_their_sum_are_split_alike(people, first_days):
    named = {f"kind {i}": number for i, number in enumerate(people)}
    days = (first_days, WEEK - first_days)
    first, second = split_by_days(named, days)
    assert {kind: first[kind] + second[kind] for kind in named} == named
    assert [sum(first.values()), sum(second.values())] == share_out(sum(people), days)
    assert min(*first.values(), *second.values()) >= 0
    assert all(abs(first[kind] - named[kind] * first_days / WEEK) < 1 for kind in named)


@given(STARTS, st.lists(st.lists(PEOPLE, min_size=4, max_size=4), min_size=1, max_size=12))
def test_months_hold_the_people_of_the_weeks(start, people):
    weeks = [
        Week(start + timedelta(weeks=i), dict(zip(KINDS, row, strict=True)) | {ALL: sum(row)})
        for i, row in enumerate(people)
    ]
    months = weeks_to_months(weeks, LONG_AFTER)
    totals = {kind: sum(row[i] for row in people) for i, kind in enumerate(KINDS)}
    assert by_kind(months) == totals | {ALL: sum(map(sum, people))}
    for month in months:
        assert month.named[ALL] == sum(month.named[kind] for kind in KINDS)
    days = [(month.last_day - month.first_day).days + 1 for month in months]
    assert sum(days) == WEEK * len(weeks)


def test_a_week_in_february_of_a_leap_year():
    in_2024 = weeks_to_months([Week(date(2024, 2, 26), {ALL: 70})], LONG_AFTER)
    in_2023 = weeks_to_months([Week(date(2023, 2, 26), {ALL: 70})], LONG_AFTER)
    assert [(month.month, month.named[ALL]) for month in in_2024] == [("2024-02", 40), ("2024-03", 30)]
    assert [(month.month, month.named[ALL]) for month in in_2023] == [("2023-02", 30), ("2023-03", 40)]


def test_a_week_over_the_turn_of_the_year():
    december, january = weeks_to_months([Week(date(2022, 12, 29), {ALL: 616})], LONG_AFTER)
    assert (december.month, december.last_day, december.named[ALL]) == ("2022-12", date(2022, 12, 31), 264)
    assert (january.month, january.first_day, january.named[ALL]) == ("2023-01", date(2023, 1, 1), 352)


def test_a_week_within_a_month_stays_whole():
    (month,) = weeks_to_months([Week(date(2022, 3, 3), {ALL: 614})], LONG_AFTER)
    assert (month.first_day, month.last_day) == (date(2022, 3, 3), date(2022, 3, 9))


def test_nobody_dies_after_the_list_was_published():
    published = date(2023, 3, 30)
    weeks = [Week(date(2023, 3, 30), {ALL: 7}), Week(date(2023, 4, 6), {ALL: 2})]
    (month,) = weeks_to_months(weeks, published)
    assert (month.month, month.last_day, month.named[ALL]) == ("2023-03", published, 9)
