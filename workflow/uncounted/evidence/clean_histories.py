"""Cleaning the tables of a study by multiple systems estimation: counts of histories, or one row a person."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd
import pandera.pandas as pa

from uncounted.evidence import reconcile
from uncounted.evidence.findings import in_order, reconciliation, stop_if_too_many, write_questions
from uncounted.evidence.histories import tabulate
from uncounted.evidence.tables import Column, Layout, Row, RowError, Table, read_table
from uncounted.evidence.tidy import (
    BLANK,
    ON_NO_LIST,
    check_names,
    histories_schema,
    join_tables,
    labels_missing,
    refuse_uncounted,
    tidy_table,
)
from uncounted.files import atomic_files
from uncounted.text import mixed_scripts

KNOWN = "every stratum is known"
SPELT_ALIKE = "labels are spelt alike"
SOMEBODY = "every stratum holds somebody"
SAME_PEOPLE = "tables hold the same number of people"
SAME_STRATA = "tables hold the same strata"
IN_ORDER = "lower, estimate and upper in order"
OF_A_STRATUM = "every published stratum is one of ours"

UNKNOWN = ("?", "-", "n/a", "na", "nan", "none", "null", "missing", "unknown", "not known")
"""Labels that often mean that nothing is known."""


def clean_histories(case_config: Mapping, data_folder: Path, out_folder: Path) -> None:
    """Clean all tables of a case of multiple systems estimation.

    Parameters
    ----------
    case_config
        The config of the case: `tables` and `lists`, and, if it has them, `strata`, `count`, `structural_zeros`,
        `published`, `headers` and `refused_rows_allowed`.
    data_folder
        Where its tables are.
    out_folder
        Where the evidence goes: `histories.parquet` (`tidy.histories_schema`), `published_estimates.parquet`
        (`published_schema`) in a case with published estimates, and `refused.csv`, `questions.csv`,
        `reconciliation.csv`.

    Raises
    ------
    UserError
        If a table is missing or lacks a column, if more rows were refused than allowed, or if the tables hold too few
        people, a list of nobody or of everybody, too few lists, or people in a structural zero. Nothing but
        `refused.csv` is written then.
    """
    data_folder, out_folder = Path(data_folder), Path(out_folder)
    lists, strata = tuple(case_config["lists"]), tuple(case_config.get("strata") or ())
    check_names(lists, strata, case_config.get("count"))
    files, weights = zip(*tables_of(case_config), strict=True)
    tables = [_read(file, data_folder, case_config) for file in files]
    published = _read_published(case_config, data_folder)
    stop_if_too_many([*tables, *published], case_config.get("refused_rows_allowed", 0), out_folder)
    counted = [_counted(table, case_config) for table in tables]
    histories = join_tables(counted, [str(table.path) for table in tables], weights)
    tabulate(histories, lists, strata, case_config.get("structural_zeros") or ())
    _ask(tables, counted, case_config)
    records = [_balanced(table, people, case_config) for table, people in zip(tables, counted, strict=True)]
    histories = histories_schema(lists, strata).validate(histories)
    for table in published:
        _ask_about_published(table, histories, strata)
        records.append((table, (reconcile.ROWS, IN_ORDER, *((OF_A_STRATUM,) if strata else ())), (None, None)))
    questions = in_order(question for table in (*tables, *published) for question in table.questions)
    lines = [reconciliation(Path(t.file).stem, t, questions, checks, people) for t, checks, people in records]
    with atomic_files(out_folder) as place:
        histories.to_parquet(place("histories.parquet"), index=False)
        for table in published:
            _published(table, strata).to_parquet(place("published_estimates.parquet"), index=False)
        write_questions(questions, lines, place)


def tables_of(case_config: Mapping) -> list[tuple[str, float]]:
    """List the tables of histories of a case.

    Parameters
    ----------
    case_config
        The config of the case.

    Returns
    -------
    list of tuple
        File and weight of each; without weights, all count the same.
    """
    entries = [{"table": entry} if isinstance(entry, str) else entry for entry in case_config["tables"]]
    return [(entry["table"], entry.get("weight", 1)) for entry in entries]


def published_schema(strata: Iterable[str] = ()) -> pa.DataFrameSchema:
    """State what the table of others' estimates looks like.

    Parameters
    ----------
    strata
        The stratum columns.

    Returns
    -------
    pandera.DataFrameSchema
        The stratum columns ("" where an estimate is about all of them), `method` and `source` (text), `estimate`,
        `lower` and `upper` (people; missing where not published), `level` (probability of the interval; missing where
        not published), `credit` (text).
    """

    def number(*checks: pa.Check) -> pa.Column:
        return pa.Column("float64", list(checks), nullable=True)

    key = [*strata, "method", "source"]
    return pa.DataFrameSchema(
        {
            **{name: pa.Column("str") for name in key},
            **{name: number(pa.Check.ge(0)) for name in ("estimate", "lower", "upper")},
            "level": number(pa.Check.in_range(0, 1, include_min=False, include_max=False)),
            "credit": pa.Column("str"),
        },
        unique=key,
        strict=True,
        ordered=True,
    )


# Reading


def _read(file: str, data_folder: Path, case_config: Mapping) -> Table:
    """Read a table of histories, and refuse the rows that are impossible."""
    lists, strata, count = case_config["lists"], case_config.get("strata") or [], case_config.get("count")
    layout = Layout(
        columns=(
            *(Column(name, "text", empty="absent") for name in strata),
            *(Column(name, "flag") for name in lists),
            *([Column(count, "count")] if count else []),
        ),
        key=(*strata, *lists) if count else (),
        named_in="`lists`, `strata` or `count`",
    )
    table = read_table(data_folder / file, file, layout, case_config.get("headers") or {})

    def check(row: Row) -> None:
        if not any(row[name] for name in lists) and (count is None or row[count] > 0):
            raise RowError(lists[0], ON_NO_LIST)

    table.keep_if(check)
    _finish(table)
    if count is None:
        rows = pd.DataFrame([row.text | row.values for row in table.rows])
        refuse_uncounted(rows, [*strata, *lists], str(table.path))
    return table


def _finish(table: Table) -> None:
    table.refused.sort(key=lambda refusal: refusal.line)
    reconcile.balance_rows(table)


def _read_published(case_config: Mapping, data_folder: Path) -> list[Table]:
    """Read the table of others' estimates, if there is one."""
    file = case_config.get("published")
    if not file:
        return []
    strata = tuple(case_config.get("strata") or ())
    layout = Layout(
        columns=(
            *(Column(name, "text", empty="absent", optional=True) for name in strata),
            *(Column(name, "text") for name in ("method", "source")),
            *(Column(name, "count", empty="absent") for name in ("estimate", "lower", "upper")),
            Column("level", "share", empty="absent"),
            Column("credit", "text", empty="absent", optional=True),
        ),
        key=(*strata, "method", "source"),
    )
    table = read_table(data_folder / file, file, layout, case_config.get("headers") or {})
    table.keep_if(_check_published)
    _finish(table)
    return [table]


def _check_published(row: Row) -> None:
    if all(row[column] is None for column in ("estimate", "lower", "upper")):
        raise RowError("estimate", "neither an estimate nor an interval")
    if row["level"] is not None and not 0 < row["level"] < 1:
        raise RowError("level", "no probability between 0 and 1")


# Counting up


def _counted(table: Table, case_config: Mapping) -> pd.DataFrame:
    """Count the people of a table by stratum and history."""
    lists, strata, count = case_config["lists"], case_config.get("strata") or [], case_config.get("count")
    columns = [*strata, *lists, *([count] if count else [])]
    rows = pd.DataFrame(
        {name: [row[name] for row in table.rows] for name in columns},
        index=pd.Index([row.line for row in table.rows]),
    )
    return tidy_table(rows, lists, strata, count, str(table.path))


def _balanced(table: Table, people: pd.DataFrame, case_config: Mapping) -> tuple[Table, tuple, tuple[int, int]]:
    """Make sure that nobody was lost between the rows and the histories."""
    count = case_config.get("count")
    before = sum(row[count] for row in table.rows) if count else len(table.rows)
    after = int(people["count"].sum())
    reconcile.balance_people(table.file, {"people": before}, {"people": after})
    strata = (KNOWN, SPELT_ALIKE, SOMEBODY) if case_config.get("strata") else ()
    several = (SAME_PEOPLE, *((SAME_STRATA,) if strata else ())) if len(case_config["tables"]) > 1 else ()
    return table, (reconcile.ROWS, reconcile.PEOPLE, *strata, *several), (before, after)


def _published(table: Table, strata: tuple[str, ...]) -> pd.DataFrame:
    """Bring the table of others' estimates into its form."""
    texts, numbers = (*strata, "method", "source"), ("estimate", "lower", "upper", "level")
    columns = {
        **{name: pd.Series([row.values.get(name) or BLANK for row in table.rows], dtype="str") for name in texts},
        **{name: pd.Series([row[name] for row in table.rows], dtype="float64") for name in numbers},
        "credit": pd.Series([row.values.get("credit") or "" for row in table.rows], dtype="str"),
    }
    return published_schema(strata).validate(pd.DataFrame(columns))


# Questions


def _ask(tables: list[Table], counted: list[pd.DataFrame], case_config: Mapping) -> None:
    """Ask about what can be read but is odd, in each table and between tables."""
    strata, count = case_config.get("strata") or [], case_config.get("count")
    for table, people in zip(tables, counted, strict=True):
        _ask_about_blanks(table, people, strata)
        _ask_about_nobody(table, strata, count)
        for column in strata:
            _ask_about_spelling(table, people, column)
        _ask_about_size(table, people, tables[0], counted[0])
    by_file = {table.file: table for table in tables}
    for file, column, label, other, number in labels_missing(counted, list(by_file)):
        by_file[file].ask(None, column, label, f"nobody here; {number} people in {other}", SAME_STRATA)


def _ask_about_blanks(table: Table, people: pd.DataFrame, strata: Iterable[str]) -> None:
    """Ask about people whose stratum is not known, and about labels that may mean so."""
    for column in strata:
        number = int(people["count"][people[column] == BLANK].sum())
        if number:
            table.ask(
                None, column, "", f"not known for {number} people; `blank_strata` says what becomes of them", KNOWN
            )
        for label, number in people.groupby(column)["count"].sum().items():
            if label.casefold() in UNKNOWN:
                question = f"{number} people: a label of its own, or not known? Then the cell should be empty"
                table.ask(None, column, label, question, KNOWN)


def _ask_about_nobody(table: Table, strata: Iterable[str], count: str | None) -> None:
    """Ask about strata of which all counts are 0: they drop out."""
    people: dict[tuple, int] = {}
    for row in table.rows if count and strata else ():
        labels = tuple(row[column] or BLANK for column in strata)
        people[labels] = people.get(labels, 0) + row[count]
    for labels in (labels for labels, number in people.items() if not number):
        table.ask(None, ", ".join(strata), ", ".join(labels), "all its counts are 0: it drops out", SOMEBODY)


def _ask_about_spelling(table: Table, people: pd.DataFrame, column: str) -> None:
    """Ask about labels that differ only in capitals, spaces or dashes, and about letters of another alphabet."""
    first: dict[str, str] = {}
    for label in people[column].unique():
        mixed = mixed_scripts(label)
        if mixed is not None:
            table.ask(None, column, label, f"letters of two alphabets in {mixed!r}: is one a look-alike?", SPELT_ALIKE)
        plainly = re.sub("[\u2010-\u2015\u2212]", "-", re.sub(r"[\s_]+", "", label)).casefold()
        alike = first.setdefault(plainly, label)
        if alike != label:
            table.ask(None, column, label, f"spelt much like {alike!r}: are they the same?", SPELT_ALIKE)


def _ask_about_size(table: Table, people: pd.DataFrame, first: Table, of_first: pd.DataFrame) -> None:
    """Ask about a table of more or fewer people than the first: matched in another way, or incomplete?"""
    here, there = int(people["count"].sum()), int(of_first["count"].sum())
    if here != there:
        question = f"{here} people here, {there} in {first.file}: were they matched in another way?"
        table.ask(None, "", here, question, SAME_PEOPLE)


def _ask_about_published(table: Table, histories: pd.DataFrame, strata: tuple[str, ...]) -> None:
    """Ask about published estimates that cannot be, or that nothing here can stand beside."""
    for row in table.rows:
        given = [row[name] for name in ("lower", "estimate", "upper") if row[name] is not None]
        if given != sorted(given):
            table.ask(row, "estimate", row["estimate"], f"lower, estimate and upper not in order: {given}", IN_ORDER)
        for column in strata:
            label = row.values.get(column) or BLANK
            if label != BLANK and label not in set(histories[column]):
                table.ask(row, column, label, "no such stratum among the histories", OF_A_STRATUM)
