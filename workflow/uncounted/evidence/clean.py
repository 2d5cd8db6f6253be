"""Cleaning: from the tables of a case to its evidence, with all that is refused or odd written down."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from pathlib import Path

import pandas as pd

from uncounted.errors import UserError
from uncounted.evidence import reconcile, schemas
from uncounted.evidence.clean_histories import clean_histories
from uncounted.evidence.findings import in_order, reconciliation, stop_if_too_many, write_questions
from uncounted.evidence.months import ALL
from uncounted.evidence.readings import READINGS, Source, listed_people
from uncounted.evidence.tables import Question, Table, read_table
from uncounted.evidence.values import UnreadableError, plain, to_day
from uncounted.files import atomic_files


@dataclass
class Cleaned:
    """A source after cleaning: its table as read, the evidence for the fit, and that published later."""

    source: Source
    table: Table
    evidence: pd.DataFrame
    later: pd.DataFrame


def clean_case(case_config: dict, data_folder: Path, out_folder: Path) -> None:
    """Clean all tables of a case and write its evidence.

    Parameters
    ----------
    case_config
        The config of the case: what `clean_sources` needs, or, where its `kind` is multiple_systems_estimation, what
        `clean_histories` needs.
    data_folder
        Where its tables are.
    out_folder
        Where the evidence goes, with `refused.csv`, `questions.csv` and `reconciliation.csv`.

    Raises
    ------
    UserError
        If a table cannot be used as it is. Nothing but `refused.csv` is written then.
    """
    clean = clean_histories if case_config.get("kind") == "multiple_systems_estimation" else clean_sources
    clean(case_config, Path(data_folder), Path(out_folder))


def clean_sources(case_config: dict, data_folder: Path, out_folder: Path) -> None:
    """Clean the sources of a case of evidence synthesis.

    Parameters
    ----------
    case_config
        The config of the case: `war`, `refused_rows_allowed`, `headers`, `kinds_of_service` and `sources`.
    data_folder
        Where its tables are.
    out_folder
        Where the evidence goes: a Parquet table for each source (`schemas`), a second one with the rows
        published after `used_until`, and `refused.csv`, `questions.csv`, `reconciliation.csv`.

    Raises
    ------
    UserError
        If a table is missing or lacks a column, if more rows were refused than allowed, or if a source has
        nothing published by its day. Nothing but `refused.csv` is written then.
    """
    sources = sources_of(case_config)
    headers = case_config.get("headers") or {}
    tables = {source.name: _read(source, data_folder, headers) for source in sources}
    stop_if_too_many(tables.values(), case_config.get("refused_rows_allowed", 0), out_folder)
    cleaned = [_clean(source, tables[source.name]) for source in sources]
    _write(cleaned, _questions(cleaned), out_folder)


def sources_of(case_config: dict) -> list[Source]:
    """List the sources of a case, as its config describes them."""
    kinds = {str(branch): str(kind) for branch, kind in (case_config.get("kinds_of_service") or {}).items()}
    if ALL in kinds.values():
        raise UserError(
            f"{ALL!r} is no kind of service: it stands for all of them",
            where="kinds_of_service in the case's config",
            do="give the branch another kind",
        )
    columns = {
        column.name
        for entry in case_config["sources"].values()
        for reading in [READINGS.get(entry["reads"])]
        if reading and reading.layout.by_branch
        for column in reading.layout.columns
    }
    taken = next((branch for branch in kinds if plain(branch).casefold() in columns), None)
    if taken is not None:
        raise UserError(
            f"{taken!r} is no branch: it is a column of its own in the tables by branch",
            where="kinds_of_service in the case's config",
            expected=f"branches other than {', '.join(sorted(columns))}",
            do="take it out, or call the branch something else by way of `headers`",
        )
    war_from = _config_day(case_config["war"]["from"], "war.from")
    return [_source(name, entry, war_from, kinds) for name, entry in case_config["sources"].items()]


def _source(name: str, entry: Mapping, war_from: date, kinds: Mapping[str, str]) -> Source:
    key = f"sources.{name}"
    if entry["reads"] not in READINGS:
        raise UserError(
            f"no kind of table is called {entry['reads']!r}",
            where=f"{key}.reads in the case's config",
            expected=f"one of {', '.join(READINGS)}",
        )
    columns = {column.name for column in READINGS[entry["reads"]].layout.columns}
    if "published" not in columns and not entry.get("published"):
        raise UserError(
            "the day of publication is missing, and the table has no column for it",
            where=f"{key} in the case's config",
            expected="published: the day on which the table was published",
        )
    days = {
        which: _config_day(entry[which], f"{key}.{which}") if entry.get(which) else None
        for which in ("published", "used_until")
    }
    return Source(name, entry["table"], entry["reads"], war_from=war_from, kinds=kinds, **days)


def _config_day(value: date | str, key: str) -> date:
    try:
        return to_day(value)
    except UnreadableError as reason:
        raise UserError(f"{value!r} is {reason}", where=f"{key} in the case's config") from None


def _read(source: Source, data_folder: Path, headers: Mapping) -> Table:
    """Read the table of a source and refuse the rows that are impossible."""
    reading = source.reading
    table = read_table(data_folder / source.file, source.file, reading.layout, headers, source.kinds)
    for row in table.rows:
        row.values.setdefault("published", source.published)
    table.keep_if(lambda row: reading.check(row, source))
    table.refused.sort(key=lambda refusal: refusal.line)
    reconcile.balance_rows(table)
    for check, ask in reading.asks.items():
        for row, column, value, question in ask(table):
            table.ask(row, column, value, question, check)
    return table


def _clean(source: Source, table: Table) -> Cleaned:
    """Bring a table to evidence, and part what the fit may know from what was published later."""
    schema = source.reading.schema
    evidence = schemas.frame(schema, source.reading.records(table, source))
    if source.used_until is None:
        return Cleaned(source, table, evidence, evidence.iloc[:0])
    known = evidence["published"] <= pd.Timestamp(source.used_until)
    if not known.any():
        raise _nothing_published(source, table)
    return Cleaned(
        source,
        table,
        evidence[known].reset_index(drop=True),
        evidence[~known].reset_index(drop=True),
    )


def _nothing_published(source: Source, table: Table) -> UserError:
    first = min((row["published"] for row in table.rows), default=None)
    return UserError(
        f"source {source.name} has nothing published by {source.used_until} in {table.path}",
        where=f"sources.{source.name}.used_until in the case's config",
        expected=f"{first} or later, when it was first published" if first else "a table with readable rows",
        do="set a later day, correct the day of publication, or take the source out",
    )


def _questions(cleaned: list[Cleaned]) -> list[Question]:
    """Collect the questions about single tables, and about tables held against each other."""
    questions = [question for item in cleaned for question in item.table.questions]
    questions += _later_states_below(cleaned)
    questions += _more_than_list(cleaned)
    return in_order(questions)


def _later_states_below(cleaned: list[Cleaned]) -> Iterator[Question]:
    weekly = [item for item in cleaned if item.source.reading.schema == "named_by_week"]
    weekly.sort(key=lambda item: item.source.published)
    for earlier, later in combinations(weekly, 2):
        columns = (earlier.source.reading.listed[0], later.source.reading.listed[0])
        yield from reconcile.later_state_below(earlier.table, later.table, columns)


def _more_than_list(cleaned: list[Cleaned]) -> Iterator[Question]:
    totals = [row for item in cleaned if item.source.reads == "named_totals" for row in item.table.rows]
    for item in cleaned:
        if item.source.reading.listed and item.table.rows:
            people = listed_people(item.table, item.source)
            published = item.table.rows[0]["published"]
            yield from reconcile.more_than_list(item.table.file, people, published, totals)


def _write(cleaned: list[Cleaned], questions: list[Question], out_folder: Path) -> None:
    """Write all evidence and what was found on the way, or nothing of it."""
    records = [_reconciliation(item, questions) for item in cleaned]
    with atomic_files(out_folder) as place:
        for item in cleaned:
            schema = item.source.reading.schema
            schemas.write(schema, item.evidence, place(f"{item.source.name}.parquet"))
            if item.source.used_until is not None:
                schemas.write(schema, item.later, place(f"{item.source.name}_later.parquet"))
        write_questions(questions, records, place)


def _reconciliation(item: Cleaned, questions: list[Question]) -> dict:
    """Say what became of the rows and people of a source, and which checks asked nothing."""
    table, used_until = item.table, item.source.used_until
    later = sum(used_until is not None and row["published"] > used_until for row in table.rows)
    return reconciliation(item.source.name, table, questions, _checks(item), _balanced_people(item), later)


def _checks(item: Cleaned) -> list[str]:
    """Name the checks that a source goes through."""
    reading = item.source.reading
    checks = [reconcile.ROWS]
    if reading.people_in:
        checks.append(reconcile.PEOPLE)
    checks += reading.asks
    if reading.schema == "named_by_week":
        checks.append(reconcile.LATER_STATE)
    if reading.listed:
        checks.append(reconcile.LIST)
    return checks


def _balanced_people(item: Cleaned) -> tuple[int | None, int | None]:
    """Sum the people before and after cleaning, and make sure that nobody was lost."""
    if not item.source.reading.people_in:
        return None, None
    people_in, people_out = item.source.reading.people_in(item.table, item.source), _people_out(item)
    reconcile.balance_people(item.table.file, people_in, people_out)
    before, after = (people.get(ALL, sum(people.values())) for people in (people_in, people_out))
    return before, after


def _people_out(item: Cleaned) -> dict[str, int]:
    """Sum the people of the evidence, that of later days included, by kind or column."""
    columns, kind = item.source.reading.people_out
    people: dict[str, int] = {}
    for frame in (item.evidence, item.later):
        for column in columns:
            parts = frame.groupby(kind)[column].sum().items() if kind else [(column, frame[column].sum())]
            for name, number in parts:
                people[name] = people.get(name, 0) + int(number)
    return people
