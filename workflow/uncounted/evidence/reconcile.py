"""Reconciling: whether the figures agree, and whether cleaning lost anybody.

Two kinds of checks. A balance is about our own code: rows and people that come in go out, and if they do
not, `LostError` stops the run, since that is a bug and no matter of data. A check of the data yields
findings, which become questions: readable, but odd.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import pairwise, product

from uncounted.evidence.months import WEEK
from uncounted.evidence.tables import Question, Row, Table
from uncounted.evidence.values import LIST_PARTS

ROWS = "rows in = kept + refused"
PEOPLE = "people in = people out"
BRANCHES = "branches sum to the total"
PARTS = "no part is larger than the list"
GROWTH = "the list grows"
ORDER = "rows stand in order of time"
WEEKS = "weeks follow one another"
PAST = "no week in the future"
GRID = "every age in every year"
RANGE = "low, point and high in order"
LATER_STATE = "a later state of the list is not below an earlier one"
LIST = "no more people than the list has"

YEAR = 366
"""Days."""

Finding = tuple[Row | None, str, object, str]
"""Row (none: the whole table), column, value, question."""


class LostError(RuntimeError):
    """Cleaning lost, or made up, rows or people: a bug in this project."""


def balance_rows(table: Table) -> None:
    """Raise `LostError` unless each row that came in was kept or refused."""
    out = len(table.rows) + len(table.refused)
    if table.rows_in != out:
        raise LostError(f"{table.file}: {table.rows_in} rows in, {out} kept or refused")


def balance_people(file: str, people_in: dict[str, int], people_out: dict[str, int]) -> None:
    """Raise `LostError` unless as many people go out as came in, of each kind."""
    for kind in people_in.keys() | people_out.keys():
        before, after = people_in.get(kind, 0), people_out.get(kind, 0)
        if before != after:
            raise LostError(f"{file}: {before} people in, {after} out ({kind})")


def branches_miss_total(table: Table) -> Iterator[Finding]:
    """Rows whose branches do not sum to their total."""
    for row in table.rows:
        people = sum(row[branch] for branch in table.branches)
        if people != row["total"]:
            yield row, "total", row["total"], f"the branches sum to {people}"


def parts_exceed_list(table: Table) -> Iterator[Finding]:
    """Parts of the list that are larger than the list."""
    for row, part in product(table.rows, LIST_PARTS):
        if (row[part] or 0) > row["named"]:
            yield row, part, row[part], f"more than the whole list, {row['named']}"


def falls(table: Table) -> Iterator[Finding]:
    """Sizes of the list, or of a part of it, below what they were on an earlier day."""
    for column in ("named", *LIST_PARTS):
        known = [row for row in table.in_order() if row[column] is not None]
        for earlier, row in pairwise(known):
            if row[column] < earlier[column]:
                question = f"falls: it was {earlier[column]} on {earlier['published']} (line {earlier.line})"
                yield row, column, row[column], question


def out_of_order(table: Table) -> Iterator[Finding]:
    """Rows earlier than the row above, or more than a year later: often a slip in the year."""
    column = table.layout.key[0]
    for above, row in pairwise(table.rows):
        days = (row[column] - above[column]).days
        if not 0 <= days <= YEAR:
            what = "earlier than" if days < 0 else "more than a year after"
            yield row, column, row[column], f"{what} the row above ({above[column]}): is the date right?"


def weeks_apart(table: Table) -> Iterator[Finding]:
    """Weeks that do not start seven days after the one before."""
    for before, row in pairwise(table.in_order()):
        days = (row["week_start"] - before["week_start"]).days
        if days != WEEK:
            question = f"starts {days} days after the week of {before['week_start']}: weeks overlap or are missing"
            yield row, "week_start", row["week_start"], question


def weeks_in_future(table: Table) -> Iterator[Finding]:
    """Weeks that had not begun when the table was published."""
    for row in table.rows:
        if row["week_start"] > row["published"]:
            question = f"a week in the future: the table was published on {row['published']}"
            yield row, "week_start", row["week_start"], question


def gaps_in_grid(table: Table) -> Iterator[Finding]:
    """Ages without a row for a year that other ages have."""
    present = {(row["age"], row["year"]) for row in table.rows}
    ages, years = ({pair[i] for pair in present} for i in (0, 1))
    for age, year in sorted(set(product(ages, years)) - present):
        yield None, "age", f"{age} in {year}", "no row, though other ages have this year"


def ranges_out_of_order(table: Table) -> Iterator[Finding]:
    """Estimates whose low, point and high values are not in this order."""
    for row in table.rows:
        given = [row[column] for column in ("low", "point", "high") if row[column] is not None]
        if given != sorted(given):
            yield row, "point", row["point"], f"low, point and high are not in order: {given}"


def later_state_below(earlier: Table, later: Table, columns: tuple[str, str]) -> Iterator[Question]:
    """Weeks in which a later state of the list has fewer people than an earlier one.

    Parameters
    ----------
    earlier, later
        Two tables of deaths by week.
    columns
        Their columns with the people of a week.
    """
    before = {row["week_start"]: row[columns[0]] for row in earlier.rows}
    for row in later.rows:
        people = row[columns[1]]
        if people < before.get(row["week_start"], 0):
            was = before[row["week_start"]]
            question = f"fewer than the {was} of an earlier state of the list ({earlier.file})"
            yield Question(later.file, row.line, columns[1], str(people), question, LATER_STATE)


def more_than_list(file: str, people: int, published: date, totals: Iterable[Row]) -> Iterator[Question]:
    """Ask about a table with more named people than the list had when next its size was published."""
    sizes = sorted((row["published"], row["named"]) for row in totals if row["published"] >= published)
    if sizes and people > sizes[0][1]:
        question = f"more people than the list has on {sizes[0][0]}: {sizes[0][1]}"
        yield Question(file, None, "", str(people), question, LIST)
