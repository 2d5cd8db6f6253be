"""From weeks of death to months of death, without losing a person.

A week across two months is split by days: of 10 people in a week with 3 days in February, 10 * 3 / 7 = 4.3
died in February on average. People are whole, so the parts are rounded by the method of the largest
remainder, in integers throughout. Where the kinds of service of a week sum to its total, they also do so in
each part.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

ALL = "all"
"""The kind that stands for all kinds of service together."""

WEEK = 7


@dataclass(frozen=True)
class Week:
    """The people of one kind or several who died in the seven days from `start`."""

    start: date
    named: Mapping[str, int]


@dataclass(frozen=True)
class Month:
    """The people who died in a month, by kind, and the days of it that the weeks cover."""

    month: str
    first_day: date
    last_day: date
    named: Mapping[str, int]


def share_out(people: int, days: Sequence[int]) -> list[int]:
    """Share people out by days, in whole people: by the largest remainder, ties to the earlier part."""
    whole = sum(days)
    shares = [people * part // whole for part in days]
    order = sorted(range(len(days)), key=lambda i: (-(people * days[i] % whole), i))
    for i in order[: people - sum(shares)]:
        shares[i] += 1
    return shares


def split_by_days(named: Mapping[str, int], days: tuple[int, int]) -> tuple[dict[str, int], dict[str, int]]:
    """Split the people of a week between two months, so that neither a kind nor the sum of kinds is off.

    Parameters
    ----------
    named
        People by kind, without the total.
    days
        How many days of the week fall in the first and in the second month.

    Returns
    -------
    tuple of dict
        People by kind in the first and in the second month; the sum of each is what `share_out` gives for the
        sum of `named`.
    """
    whole = sum(days)
    first = {kind: people * days[0] // whole for kind, people in named.items()}
    left_over = share_out(sum(named.values()), days)[0] - sum(first.values())
    remainders = {kind: people * days[0] % whole for kind, people in named.items()}
    for kind in sorted(named, key=lambda kind: (-remainders[kind], kind))[:left_over]:
        first[kind] += 1
    return first, {kind: people - first[kind] for kind, people in named.items()}


def weeks_to_months(weeks: Sequence[Week], published: date) -> list[Month]:
    """Bring the people of weeks to months of death.

    Nobody on a list died after it was published. The week of the publication ends on that day, and people of
    a week that starts later (a question was asked about it) are counted on that day.

    Parameters
    ----------
    weeks
        People by kind and week; each week names the same kinds, `ALL` (the total) among them.
    published
        The day on which the table was published.

    Returns
    -------
    list of Month
        In order of time.
    """
    named: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    days: dict[str, list[date]] = defaultdict(list)
    for week in weeks:
        first = min(week.start, published)
        last = min(week.start + timedelta(days=WEEK - 1), published)
        for month, begins, ends, people in _parts(week.named, first, last):
            days[month] += [begins, ends]
            for kind, number in people.items():
                named[month][kind] += number
    return [Month(month, min(days[month]), max(days[month]), dict(named[month])) for month in sorted(named)]


def _parts(named: Mapping[str, int], first: date, last: date) -> list[tuple[str, date, date, dict[str, int]]]:
    """Give the people of the days from first to last by month: one part, or two."""
    if (first.year, first.month) == (last.year, last.month):
        return [(f"{first:%Y-%m}", first, last, dict(named))]
    turn = last.replace(day=1)
    eve = turn - timedelta(days=1)
    days = ((turn - first).days, (last - eve).days)
    kinds = {kind: people for kind, people in named.items() if kind != ALL}
    before, after = split_by_days(kinds, days)
    before[ALL], after[ALL] = share_out(named[ALL], days)
    return [(f"{first:%Y-%m}", first, eve, before), (f"{last:%Y-%m}", turn, last, after)]
