"""The kinds of tables that can be cleaned: what each must hold, what is asked of it, and what it becomes.

A config names one of them for each source (`reads`). A new kind of table is a new entry in `READINGS`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from uncounted.evidence import reconcile
from uncounted.evidence.months import ALL, WEEK, Week, weeks_to_months
from uncounted.evidence.reconcile import Finding
from uncounted.evidence.schemas import COUNTED
from uncounted.evidence.tables import Column, Layout, Row, RowError, Table
from uncounted.evidence.values import LIST_PARTS

WEEKS_AHEAD = 4
"""A week that starts later than this after the publication is a slip in the date, not a chart drawn ahead."""

NUMBERS_OF_SOURCES = tuple("0123456")


@dataclass(frozen=True)
class Source:
    """One table of a case, as the config describes it.

    Parameters
    ----------
    name
        The source's name, used everywhere.
    file
        The table, within the case's data folder.
    reads
        The kind of table: a key of `READINGS`.
    published
        The day it was published; none where the table has a column that says so.
    used_until
        Rows published up to this day enter the fit; none for tables that do not enter it.
    war_from
        First day of the war.
    kinds
        Kind of service of each branch.
    """

    name: str
    file: str
    reads: str
    published: date | None
    used_until: date | None
    war_from: date
    kinds: Mapping[str, str]

    @property
    def reading(self) -> "Reading":
        """What the table must hold and what it becomes."""
        return READINGS[self.reads]


def accept(row: Row, source: Source) -> None:
    """Refuse no row."""


@dataclass(frozen=True)
class Reading:
    """What a kind of table must hold, what is asked of it, and what it becomes.

    Parameters
    ----------
    layout
        Its columns and key.
    schema
        The table of evidence it becomes: a key of `schemas.SCHEMAS`.
    records
        Gives the rows of that table.
    check
        Raises `RowError` for a row that is impossible.
    asks
        Checks of the data by name; their findings become questions.
    people_in
        The people of the table as read, by kind or column; compared with `people_out` of what it became.
    people_out
        Which columns of the table of evidence count people, and by which column they fall into kinds.
    listed
        The columns (or 'branches') whose sum are people on the named list.
    """

    layout: Layout
    schema: str
    records: Callable[[Table, Source], Iterable[tuple]]
    check: Callable[[Row, Source], None] = accept
    asks: Mapping[str, Callable[[Table], Iterator[Finding]]] = field(default_factory=dict)
    people_in: Callable[[Table, Source], dict[str, int]] | None = None
    people_out: tuple[tuple[str, ...], str | None] = ((), None)
    listed: tuple[str, ...] = ()


# Rows that are impossible


def not_before(row: Row, column: str, first: date, what: str = "before the war") -> None:
    """Refuse a row with a day before the first that makes sense."""
    if row[column] is not None and row[column] < first:
        raise RowError(column, f"{what}: expected {first} or later")


def not_after(row: Row, column: str, last: date, what: str = "after the table was published") -> None:
    """Refuse a row with a day after the last that makes sense."""
    if row[column] is not None and row[column] > last:
        raise RowError(column, f"{what}: expected {last} or earlier")


def _check_totals(row: Row, source: Source) -> None:
    not_before(row, "published", source.war_from)
    not_before(row, "closed_on", source.war_from)
    not_after(row, "closed_on", row["published"], "closed after it was published")


def _check_week(row: Row, source: Source) -> None:
    not_before(row, "week_start", source.war_from)
    not_after(row, "week_start", source.published + timedelta(days=WEEK * WEEKS_AHEAD))


def _check_month_confirmed(row: Row, source: Source) -> None:
    if row["month_confirmed"] < f"{source.war_from:%Y-%m}":
        raise RowError("month_confirmed", f"before the war: expected {source.war_from:%Y-%m} or later")
    if row["month_confirmed"] > f"{source.published:%Y-%m}":
        raise RowError(
            "month_confirmed",
            f"after the table was published: expected {source.published:%Y-%m} or earlier",
        )


def _check_period(row: Row, source: Source) -> None:
    not_before(row, "died_from", source.war_from)
    not_before(row, "died_to", row["died_from"], "before its first day")
    not_after(row, "closed_on", row["published"], "closed after it was published")
    not_after(row, "died_to", row["closed_on"], "after the list was closed")


def _check_year(row: Row, source: Source) -> None:
    if row["year"] > row["published"].year:
        raise RowError("year", f"after the figure was published: expected {row['published'].year} or earlier")


def _check_registered(row: Row, source: Source) -> None:
    _check_year(row, source)
    for sex in ("male", "female"):
        if row[f"{sex}_hiv"] >= row[sex]:
            raise RowError(f"{sex}_hiv", f"no deaths left without HIV: expected fewer than of all causes, {row[sex]}")


def _check_coverage(row: Row, source: Source) -> None:
    not_before(row, "published", source.war_from)
    if row["low"] > row["high"]:
        raise RowError("low", f"above the high value, {row['high']}")
    for column in ("low", "high"):
        if row[column] in (0, 1):
            raise RowError(column, "none or all: a sample can be so, a share of all is above 0 and below 1")


def _check_estimate(row: Row, source: Source) -> None:
    # Estimates by calendar year begin on 1 January, before the war.
    not_before(row, "deaths_from", source.war_from.replace(month=1, day=1))
    not_before(row, "deaths_to", row["deaths_from"], "before its first day")
    not_after(row, "deaths_to", row["published"], "after the estimate was published")
    if row["counts"] not in COUNTED:
        raise RowError("counts", f"not a thing that is counted here: expected one of {'; '.join(COUNTED)}")
    if row["point"] is row["low"] is row["high"] is None:
        raise RowError("point", "no number: expected point, low or high")


def _check_cohort(row: Row, source: Source) -> None:
    not_before(row, "recruited_from", source.war_from)
    not_before(row, "recruited_to", row["recruited_from"], "before its first day")
    not_after(row, "died_by", row["published"])
    not_before(row, "died_by", row["recruited_from"], "before anybody was recruited")
    if None not in (row["died"], row["recruited"]) and row["died"] > row["recruited"]:
        raise RowError("died", f"more than were recruited, {row['recruited']}")
    if row["half_of_deaths_within_days"] is not None and not row["sample"]:
        raise RowError("sample", "half of the dead within so many days, without the number of dead: expected how many")


def _check_time(row: Row, source: Source) -> None:
    recruited, died = row["recruited"], row["died"]
    for column, span in (("recruited", recruited), ("died", died)):
        if span and span[1] < source.war_from:
            raise RowError(column, f"before the war: expected {source.war_from} or later")
        if span and span[0] > source.published:
            raise RowError(column, f"after the table was published: expected {source.published} or earlier")
    if recruited and died and died[1] < recruited[0]:
        raise RowError("died", f"before recruitment: expected {recruited[0]} or later")


def _check_ledger(row: Row, source: Source) -> None:
    _check_cohort(row, source)
    if row["half_of_deaths_within_days"] == 0:
        raise RowError("half_of_deaths_within_days", "nobody dies at once: expected 1 or more")
    if row["died"] is not None and row["half_of_deaths_within_days"] is None:
        raise RowError("half_of_deaths_within_days", "the months in which the dead died follow from it: expected days")


def _check_men(row: Row, source: Source) -> None:
    if row["men"] == 0:
        raise RowError("men", "a region without men: expected 1 or more")


def _check_service(row: Row, source: Source) -> None:
    if row["service"] not in source.kinds:
        raise RowError("service", "no kind of service: add it to `kinds_of_service` of the case's config")


# What the tables become


def _totals(table: Table, source: Source) -> Iterator[tuple]:
    for row in table.in_order():
        for part in (ALL, *LIST_PARTS):
            named = row["named" if part == ALL else part]
            if named is not None:
                yield row["published"], row["closed_on"] or row["published"], part, named


def _by_month(weeks: list[Week], source: Source) -> Iterator[tuple]:
    for month in weeks_to_months(weeks, source.published):
        for kind in sorted(month.named, key=lambda kind: (kind != ALL, kind)):
            yield (
                source.published,
                month.month,
                kind,
                month.named[kind],
                month.first_day,
                month.last_day,
            )


def _weeks(table: Table, source: Source) -> Iterator[tuple]:
    return _by_month([Week(row["week_start"], {ALL: row["named"]}) for row in table.rows], source)


def _weeks_by_branch(table: Table, source: Source) -> Iterator[tuple]:
    weeks = [Week(row["week_start"], {ALL: row["total"]} | by_kind(table, [row], source)) for row in table.rows]
    return _by_month(weeks, source)


def _by(column: str) -> Callable[[Table, Source], Iterator[tuple]]:
    """Rows by a column and by kind of service."""

    def records(table: Table, source: Source) -> Iterator[tuple]:
        for row in table.in_order():
            for kind, named in sorted(by_kind(table, [row], source).items()):
                yield row["published"], row[column], kind, named

    return records


def _by_number_of_sources(table: Table, source: Source) -> Iterator[tuple]:
    people = Counter()
    for row in table.rows:
        for number in NUMBERS_OF_SOURCES:
            people[source.kinds[row["service"]], int(number)] += row[number]
    for (kind, number), named in sorted(people.items()):
        yield source.published, kind, number, named


def _columns(*columns: str) -> Callable[[Table, Source], Iterator[tuple]]:
    """Rows as they are."""

    def records(table: Table, source: Source) -> Iterator[tuple]:
        for row in table.in_order():
            yield tuple(row[column] for column in columns)

    return records


def _counted_cohorts(table: Table, source: Source) -> Iterator[tuple]:
    """Cohorts whose dead were counted; of the others there is no ledger."""
    for row in table.in_order():
        if row["died"] is not None:
            yield tuple(row[column] for column in _LEDGER)


def _sums_of_counted(table: Table, source: Source) -> dict[str, int]:
    return {"died": sum(row["died"] or 0 for row in table.rows)}


def _times(table: Table, source: Source) -> Iterator[tuple]:
    for row in table.rows:
        yield row["published"], row["cohort"], *(row["recruited"] or (None, None)), *(row["died"] or (None, None))


def _estimates(table: Table, source: Source) -> Iterator[tuple]:
    for row in table.in_order():
        yield (
            row["deaths_from"],
            row["deaths_to"],
            row["what"],
            row["counts"],
            row["point"],
            row["low"],
            row["high"],
            row["published"],
            row.text["published"].strip(),
            row["by"],
        )


def by_kind(table: Table, rows: Iterable[Row], source: Source) -> dict[str, int]:
    """People of rows by kind of service."""
    people = {source.kinds[branch]: 0 for branch in table.branches}
    for row in rows:
        for branch in table.branches:
            people[source.kinds[branch]] += row[branch]
    return people


# People before cleaning, to be held against people after it


def _sums(*columns: str, renamed: Mapping[str, str] | None = None) -> Callable:
    """Sum each column over the rows that have it."""

    def people(table: Table, source: Source) -> dict[str, int]:
        names = renamed or {}
        return {names.get(column, column): column_sum(table, column) for column in columns}

    return people


def _sums_by_kind(table: Table, source: Source) -> dict[str, int]:
    """Sum the people by kind of service."""
    return by_kind(table, table.rows, source)


def _sums_by_kind_and_total(table: Table, source: Source) -> dict[str, int]:
    """Sum the people by kind of service, and the totals that the table gives itself."""
    return {ALL: column_sum(table, "total")} | by_kind(table, table.rows, source)


def _sums_by_service(table: Table, source: Source) -> dict[str, int]:
    people = Counter()
    for row in table.rows:
        people[source.kinds[row["service"]]] += sum(row[number] for number in NUMBERS_OF_SOURCES)
    return dict(people)


def column_sum(table: Table, column: str) -> int:
    """Sum of a column of counts; 'branches' stands for all columns that count a branch."""
    columns = table.branches if column == "branches" else (column,)
    return sum(row[name] or 0 for row in table.rows for name in columns)


def listed_people(table: Table, source: Source) -> int:
    """How many people of the named list a table holds."""
    return sum(column_sum(table, column) for column in source.reading.listed)


# The kinds of tables

_PUBLISHED = Column("published", "day")

_LEDGER = (
    *("published", "cohort", "recruited_from", "recruited_to", "recruited", "died", "died_by"),
    "half_of_deaths_within_days",
)

_COHORTS = Layout(
    (
        _PUBLISHED,
        Column("cohort", "text"),
        Column("recruited_from", "day"),
        Column("recruited_to", "day"),
        Column("recruited", "count", empty="absent"),
        Column("died", "count", empty="absent"),
        Column("died_by", "day"),
        Column("half_of_deaths_within_days", "count", empty="absent"),
        Column("sample", "count", empty="absent"),
        Column("source", "text"),
    ),
    key=("cohort",),
)

READINGS: dict[str, Reading] = {
    "named_totals": Reading(
        layout=Layout(
            (
                _PUBLISHED,
                Column("closed_on", "day", empty="absent"),
                Column("named", "count"),
                *(Column(part, "count", empty="absent") for part in LIST_PARTS),
            ),
            key=("published",),
        ),
        schema="named_totals",
        records=_totals,
        check=_check_totals,
        asks={
            reconcile.GROWTH: reconcile.falls,
            reconcile.PARTS: reconcile.parts_exceed_list,
            reconcile.ORDER: reconcile.out_of_order,
        },
        people_in=_sums("named", *LIST_PARTS, renamed={"named": ALL}),
        people_out=(("named",), "part"),
    ),
    "named_by_week": Reading(
        layout=Layout(
            (
                Column("week_start", "day"),
                Column("named", "count", empty="nobody"),
                Column("exact", "flag", empty="absent", optional=True),
            ),
            key=("week_start",),
        ),
        schema="named_by_week",
        records=_weeks,
        check=_check_week,
        asks={
            reconcile.ORDER: reconcile.out_of_order,
            reconcile.WEEKS: reconcile.weeks_apart,
            reconcile.PAST: reconcile.weeks_in_future,
        },
        people_in=_sums("named", renamed={"named": ALL}),
        people_out=(("named",), "kind"),
        listed=("named",),
    ),
    "named_by_week_and_branch": Reading(
        layout=Layout((Column("week_start", "day"), Column("total", "count")), key=("week_start",), by_branch=True),
        schema="named_by_week",
        records=_weeks_by_branch,
        check=_check_week,
        asks={
            reconcile.BRANCHES: reconcile.branches_miss_total,
            reconcile.ORDER: reconcile.out_of_order,
            reconcile.WEEKS: reconcile.weeks_apart,
            reconcile.PAST: reconcile.weeks_in_future,
        },
        people_in=_sums_by_kind_and_total,
        people_out=(("named",), "kind"),
        listed=("total",),
    ),
    "named_by_age_and_service": Reading(
        layout=Layout((Column("age", "age"),), key=("age",), by_branch=True),
        schema="named_by_age",
        records=_by("age"),
        people_in=_sums_by_kind,
        people_out=(("named",), "kind"),
        listed=("branches",),
    ),
    "named_by_month_confirmed_and_service": Reading(
        layout=Layout((Column("month_confirmed", "month"),), key=("month_confirmed",), by_branch=True),
        schema="named_by_month_confirmed",
        records=_by("month_confirmed"),
        check=_check_month_confirmed,
        people_in=_sums_by_kind,
        people_out=(("named",), "kind"),
        listed=("branches",),
    ),
    "named_by_number_of_sources": Reading(
        layout=Layout(
            (
                Column("service", "text"),
                *(Column(number, "count", empty="nobody") for number in NUMBERS_OF_SOURCES),
            ),
            key=("service",),
        ),
        schema="named_by_number_of_sources",
        records=_by_number_of_sources,
        check=_check_service,
        people_in=_sums_by_service,
        people_out=(("named",), "kind"),
        listed=NUMBERS_OF_SOURCES,
    ),
    "named_by_region": Reading(
        layout=Layout((Column("region", "text"), Column("named", "count")), key=("region",)),
        schema="named_by_region",
        records=_columns("published", "region", "named"),
        people_in=_sums("named"),
        people_out=(("named",), None),
        listed=("named",),
    ),
    "men_by_region": Reading(
        layout=Layout((Column("region", "text"), Column("men", "count")), key=("region",)),
        schema="men_by_region",
        records=_columns("published", "region", "men"),
        check=_check_men,
        people_in=_sums("men"),
        people_out=(("men",), None),
    ),
    "named_in_period": Reading(
        layout=Layout(
            (
                _PUBLISHED,
                Column("closed_on", "day"),
                Column("died_from", "day"),
                Column("died_to", "day"),
                Column("more_than", "count"),
                Column("source", "text"),
            ),
            key=("published", "died_from", "died_to"),
        ),
        schema="named_in_year",
        records=_columns("published", "closed_on", "died_from", "died_to", "more_than"),
        check=_check_period,
        people_in=_sums("more_than"),
        people_out=(("more_than",), None),
        listed=("more_than",),
    ),
    "registered_deaths": Reading(
        layout=Layout(
            (
                _PUBLISHED,
                Column("age", "age"),
                Column("year", "year"),
                Column("male", "count"),
                Column("female", "count"),
                Column("male_hiv", "count"),
                Column("female_hiv", "count"),
            ),
            key=("age", "year"),
        ),
        schema="registered_deaths",
        records=_columns("published", "age", "year", "male", "female", "male_hiv", "female_hiv"),
        check=_check_registered,
        asks={reconcile.GRID: reconcile.gaps_in_grid},
        people_in=_sums("male", "female"),
        people_out=(("male", "female"), None),
    ),
    "coverage_checks": Reading(
        layout=Layout(
            (
                _PUBLISHED,
                Column("what", "text"),
                Column("low", "share"),
                Column("high", "share"),
                Column("source", "text"),
            ),
            key=("published", "what"),
        ),
        schema="graves",
        records=_columns("published", "what", "low", "high", "source"),
        check=_check_coverage,
    ),
    "published_estimates": Reading(
        layout=Layout(
            (
                Column("deaths_from", "day"),
                Column("deaths_to", "day"),
                Column("what", "text"),
                Column("counts", "text"),
                Column("point", "count", empty="absent"),
                Column("low", "count", empty="absent"),
                Column("high", "count", empty="absent"),
                Column("published", "day_or_month"),
                Column("by", "text"),
            ),
            key=("deaths_from", "deaths_to", "what", "published", "by"),
        ),
        schema="published_estimates",
        records=_estimates,
        check=_check_estimate,
        asks={reconcile.RANGE: reconcile.ranges_out_of_order},
    ),
    "published_excess_male_deaths": Reading(
        layout=Layout(
            (
                Column("published", "day_or_month"),
                Column("age", "wide_age"),
                Column("year", "year"),
                Column("variant", "text"),
                Column("excess", "change"),
                Column("sd", "count"),
            ),
            key=("published", "age", "year", "variant"),
        ),
        schema="published_excess_male_deaths",
        records=_columns("published", "age", "year", "variant", "excess", "sd"),
        check=_check_year,
        people_in=_sums("excess"),
        people_out=(("excess",), None),
    ),
    "prisoners": Reading(
        layout=_COHORTS,
        schema="prisoners",
        records=_columns(
            "published",
            "cohort",
            "recruited_from",
            "recruited_to",
            "recruited",
            "died",
            "died_by",
            "half_of_deaths_within_days",
            "sample",
            "source",
        ),
        check=_check_cohort,
        people_in=_sums("recruited", "died"),
        people_out=(("recruited", "died"), None),
    ),
    "ledger": Reading(
        layout=_COHORTS,
        schema="ledger",
        records=_counted_cohorts,
        check=_check_ledger,
        people_in=_sums_of_counted,
        people_out=(("died",), None),
    ),
    "prisoner_times": Reading(
        layout=Layout(
            (
                Column("cohort", "text"),
                Column("recruited", "span", empty="absent"),
                Column("died", "span", empty="absent"),
            ),
            key=(),
        ),
        schema="prisoner_times",
        records=_times,
        check=_check_time,
    ),
}
