"""What was found while cleaning: rows refused, questions that remain, and what became of rows and people."""

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from uncounted.errors import UserError
from uncounted.evidence.tables import Question, Refusal, Table, shortened
from uncounted.files import atomic_path

REFUSED = ("file", "line", "column", "value", "reason")
QUESTIONS = ("file", "line", "column", "value", "question")
RECONCILIATION = (
    "source",
    "file",
    "rows_in",
    "rows_kept",
    "rows_refused",
    "rows_later",
    "people_in",
    "people_out",
    "questions",
    "checks_passed",
    "checks_questioned",
)
MOST_SHOWN = 5
"""How many refused rows a message shows."""


def stop_if_too_many(tables: Iterable[Table], allowed: int, out_folder: Path) -> None:
    """Write all refused rows to `refused.csv`, and stop the run if they are more than the config allows.

    Parameters
    ----------
    tables
        The tables as read.
    allowed
        `refused_rows_allowed` of the case's config.
    out_folder
        Where the evidence goes; it is made if need be.

    Raises
    ------
    UserError
        If more rows were refused than allowed; it names the first of them.
    """
    tables = list(tables)
    # A row of a table that two sources read is one row.
    refused = list(dict.fromkeys(refusal for table in tables for refusal in table.refused))
    rows = len({(refusal.file, refusal.line) for refusal in refused})
    with atomic_path(out_folder / "refused.csv") as path:
        write_findings(path, REFUSED, map(asdict, refused))
    if rows <= allowed:
        return
    paths = {table.file: table.path for table in tables}
    first, others = refused[0], refused[1:MOST_SHOWN]
    lines = [_in_words(other, other.file) for other in others]
    if len(refused) > MOST_SHOWN:
        lines.append(f"and {len(refused) - MOST_SHOWN} more")
    also = "".join(f"\n  also refused: {line}" for line in lines)
    raise UserError(
        f"{_in_words(first, '')}{also}",
        where=_place(first, str(paths[first.file])),
        expected=f"at most {allowed} refused rows (`refused_rows_allowed`); there are {rows}",
        do=f"correct the row in the table; all refused rows are listed in {out_folder / 'refused.csv'}",
    )


def _place(refusal: Refusal, file: str) -> str:
    column = f", column {refusal.column}" if refusal.column else ""
    return f"{file}, line {refusal.line}{column}"


def _in_words(refusal: Refusal, file: str) -> str:
    place = f"{_place(refusal, file)}: " if file else ""
    return f"{place}'{shortened(refusal.value)}' is refused: {refusal.reason}"


def in_order(questions: Iterable[Question]) -> list[Question]:
    """Sort questions by file and line; those about a whole table come first."""
    return sorted(questions, key=lambda question: (question.file, question.line or 0))


def reconciliation(
    source: str,
    table: Table,
    questions: Iterable[Question],
    checks: Iterable[str],
    people: tuple[int | None, int | None],
    rows_later: int = 0,
) -> dict:
    """Say what became of the rows and people of a table, and which checks asked nothing.

    Parameters
    ----------
    source
        The name of the source.
    table
        Its table as read.
    questions
        The questions of the whole case.
    checks
        The checks that the table went through.
    people
        How many people came in, and how many went out; none where the table does not count people.
    rows_later
        Rows that were published too late for the fit.

    Returns
    -------
    dict
        With the keys of `RECONCILIATION`.
    """
    asked = [question for question in questions if question.file == table.file]
    questioned = {question.check for question in asked}
    checks = list(checks)
    return {
        "source": source,
        "file": table.file,
        "rows_in": table.rows_in,
        "rows_kept": len(table.rows),
        "rows_refused": len(table.refused),
        "rows_later": rows_later,
        "people_in": people[0],
        "people_out": people[1],
        "questions": len(asked),
        "checks_passed": "; ".join(check for check in checks if check not in questioned),
        "checks_questioned": "; ".join(check for check in checks if check in questioned),
    }


def write_questions(questions: Iterable[Question], records: Iterable[dict], place: Callable[[str], Path]) -> None:
    """Write `questions.csv` and `reconciliation.csv`.

    Parameters
    ----------
    questions
        The questions of the case, in order.
    records
        What `reconciliation` says of each table.
    place
        Gives the path to write each of them to.
    """
    write_findings(place("questions.csv"), QUESTIONS, map(asdict, questions))
    write_findings(place("reconciliation.csv"), RECONCILIATION, records)


def write_findings(path: Path, columns: tuple[str, ...], records: Iterable[Mapping]) -> None:
    """Write records as CSV with certain columns."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
