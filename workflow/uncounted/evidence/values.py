"""Reading one cell: days, months, counts and shares the way people paste them.

Each `read_...` function takes the text of a cell, and returns its value or raises `UnreadableError` with the
reason. What a text means depends on what its column holds: 1.234 is a thousand and more in a column of
counts, and no share.
"""

import calendar
import re
from collections.abc import Callable
from datetime import date, datetime

from uncounted.text import visible

AGES = (
    "15-19",
    "20-24",
    "25-29",
    "30-34",
    "35-39",
    "40-44",
    "45-49",
    "50-54",
    "55-59",
    "60+",
)
WIDE_AGES = ("15-49",)
"""Age bands that only published calculations use."""

LIST_PARTS = ("inmates", "volunteers", "mobilised", "private_military_company", "officers")
"""Parts of the list whose sizes are published with the size of the whole."""

MOST_PEOPLE = 10**9
"""No count of people in a war is larger; a larger one is a slip, and would not fit the tables' integers."""

_MONTH_NAMES = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
# Written out, since the names in `calendar` follow the machine's language.
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}
_MONTHS |= {name[:3]: number for name, number in _MONTHS.items()} | {"sept": 9}

_SPACES = re.compile(r"\s+")
_DIGITS = re.compile(r"[0-9]+")
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?P<mark>[ ,.])[0-9]{3}(?:(?P=mark)[0-9]{3})*")
_FRACTION = re.compile(r"[0-9 ]+[.,][0-9]+")
_DAY = {
    "ymd": re.compile(r"(?P<y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})"),
    "dmy": re.compile(r"(?P<d>[0-9]{1,2})\.(?P<m>[0-9]{1,2})\.(?P<y>[0-9]{4})"),
    "words": re.compile(r"(?P<d>[0-9]{1,2}) (?P<m>[^\W\d_]+)\.? (?P<y>[0-9]{4})"),
}
_MONTH = {
    "ym": re.compile(r"(?P<y>[0-9]{4})-(?P<m>[0-9]{2})"),
    "my": re.compile(r"(?P<m>[0-9]{1,2})\.(?P<y>[0-9]{4})"),
    "words": re.compile(r"(?P<m>[^\W\d_]+)\.? (?P<y>[0-9]{4})"),
}

DAY_EXPECTED = "a day such as 2022-02-24, 24.02.2022 or 24 Feb 2022"
MONTH_EXPECTED = "a month such as 2022-02, 02.2022 or Feb 2022"
COUNT_EXPECTED = "a whole number of people, such as 1234, '1 234', '1,234' or '1.234'"
SHARE_EXPECTED = "a share between 0 and 1, such as 0.45"


class UnreadableError(ValueError):
    """A cell that cannot be read; the message is the reason."""


def plain(text: str) -> str:
    """Take out of text what nobody can see, and put one plain space for each run of spaces of any kind."""
    return _SPACES.sub(" ", visible(text)).strip()


def to_day(value: date | str) -> date:
    """Take a day as a config gives it: a date, or text that reads as one."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    return read_day(str(value))


def last_day_of(month: str) -> date:
    """Find the last day of a month written 'YYYY-MM'."""
    year, number = int(month[:4]), int(month[5:])
    return date(year, number, calendar.monthrange(year, number)[1])


def read_day(text: str) -> date:
    """Read a day written 2022-02-24, 24.02.2022 or 24 Feb 2022."""
    given = plain(text)
    match = _first_match(_DAY, given)
    month = _month_number(match["m"]) if match else None
    if month is None:
        raise UnreadableError(f"no day: expected {DAY_EXPECTED}")
    try:
        return date(int(match["y"]), month, int(match["d"]))
    except ValueError:
        raise UnreadableError("no such day in the calendar") from None


def read_month(text: str) -> str:
    """Read a month written 2022-02, 02.2022 or Feb 2022; it is returned as 'YYYY-MM'."""
    match = _first_match(_MONTH, plain(text))
    month = _month_number(match["m"]) if match else None
    if month is None or not 1 <= month <= 12 or int(match["y"]) < 1:
        raise UnreadableError(f"no month: expected {MONTH_EXPECTED}")
    return f"{match['y']}-{month:02d}"


def read_day_or_month(text: str) -> date:
    """Read a day, or a month, which stands for its last day: by then the figure was public for certain."""
    try:
        return last_day_of(read_month(text))
    except UnreadableError:
        return read_day(text)


def read_span(text: str) -> tuple[date, date]:
    """Read a day, or a month; the first and the last day that it may stand for."""
    try:
        month = read_month(text)
    except UnreadableError:
        day = read_day(text)
        return day, day
    return date(int(month[:4]), int(month[5:]), 1), last_day_of(month)


def read_year(text: str) -> int:
    """Read a calendar year of four digits."""
    given = plain(text)
    if not re.fullmatch(r"[12][0-9]{3}", given):
        raise UnreadableError("no year: expected four digits, such as 2022")
    return int(given)


def read_count(text: str) -> int:
    """Read a number of people: whole, not negative, with or without a mark between the thousands."""
    given = plain(text)
    if given.startswith(("-", "\u2212")):
        raise UnreadableError(f"negative: expected {COUNT_EXPECTED}")
    return _whole(given)


def read_change(text: str) -> int:
    """Read a whole number of people that may be negative, as an excess is."""
    given = plain(text).replace("\u2212", "-")
    return -_whole(given[1:].lstrip()) if given.startswith("-") else _whole(given)


def read_share(text: str) -> float:
    """Read a share between 0 and 1, with a point or a comma."""
    given = plain(text)
    if not re.fullmatch(r"[01](?:[.,][0-9]+)?", given):
        raise UnreadableError(f"no share: expected {SHARE_EXPECTED}")
    share = float(given.replace(",", "."))
    if share > 1:
        raise UnreadableError(f"more than 1: expected {SHARE_EXPECTED}")
    return share


def read_flag(text: str) -> bool:
    """Read 1 for yes, 0 for no."""
    given = plain(text)
    if given not in ("0", "1"):
        raise UnreadableError("no flag: expected 1 or 0")
    return given == "1"


def read_age(text: str) -> str:
    """Read an age band of five years, '60+', or '<20' for '15-19' (nobody younger serves)."""
    return _age(text, AGES)


def read_wide_age(text: str) -> str:
    """Read an age band, or one of the wider bands that published calculations use."""
    return _age(text, AGES + WIDE_AGES)


def read_text(text: str) -> str:
    """Read text as people see it, without the spaces around it."""
    return visible(text).strip()


READ: dict[str, Callable] = {
    "age": read_age,
    "change": read_change,
    "count": read_count,
    "day": read_day,
    "day_or_month": read_day_or_month,
    "flag": read_flag,
    "month": read_month,
    "share": read_share,
    "span": read_span,
    "text": read_text,
    "wide_age": read_wide_age,
    "year": read_year,
}


def _first_match(patterns: dict[str, re.Pattern], text: str) -> re.Match | None:
    return next((match for p in patterns.values() if (match := p.fullmatch(text))), None)


def _month_number(text: str) -> int | None:
    return int(text) if text.isdecimal() else _MONTHS.get(text.casefold())


def _whole(given: str) -> int:
    if _DIGITS.fullmatch(given):
        digits = given
    elif match := _THOUSANDS.fullmatch(given):
        digits = given.replace(match["mark"], "")
    elif _FRACTION.fullmatch(given):
        raise UnreadableError(f"fractional: expected {COUNT_EXPECTED}")
    else:
        raise UnreadableError(f"no count: expected {COUNT_EXPECTED}")
    # Checked before int(): Python refuses to convert thousands of digits.
    if len(digits.lstrip("0")) > len(str(MOST_PEOPLE)) or int(digits) > MOST_PEOPLE:
        raise UnreadableError(f"larger than any count of people: expected at most {MOST_PEOPLE}")
    return int(digits)


def _age(text: str, bands: tuple[str, ...]) -> str:
    given = re.sub("[\u2010-\u2015\u2212]", "-", plain(text)).replace(" ", "")
    given = {"<20": "15-19"}.get(given, given)
    if given not in bands:
        raise UnreadableError(f"no age band: expected one of {', '.join(bands)} (or <20 for 15-19)")
    return given
