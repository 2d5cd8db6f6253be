"""Reading tables the way people paste them, and saying where a cell cannot be read.

A fault of the table (missing, empty, a column absent, not text) stops the reading with a `UserError`. A fault
of a row refuses the row, and the reading goes on, so that all refused rows can be shown at once.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from uncounted.errors import UserError
from uncounted.evidence.values import READ, UnreadableError, plain

SEPARATORS = (",", ";", "\t")
UTF_8 = "utf-8-sig"
WINDOWS_1251 = "cp1251"
_ASCII = bytes(range(128))

MOST_NUL = 0.1
"""A file with a larger share of NUL bytes is no text in UTF-8."""

_SEP_LINE = re.compile(r"\ufeff?\"?sep=(.)\"?[^\S\r\n]*(\r\n|\r|\n)", re.IGNORECASE)
"""What Excel may write on the first line: which separator follows."""


@dataclass(frozen=True)
class Column:
    """A column that a table must have.

    Parameters
    ----------
    name
        Our name of it.
    reads
        What its cells hold: a key of `values.READ`.
    empty
        What an empty cell means: 'refused' (it must not be), 'absent' (not published) or 'nobody' (zero).
    optional
        Whether the table may lack the column.
    """

    name: str
    reads: str
    empty: str = "refused"
    optional: bool = False


@dataclass(frozen=True)
class Layout:
    """The columns of one kind of table, and which of them tell its rows apart; without a key, rows may be alike.

    With `by_branch`, every further column counts the people of one branch, and must be known to the config's
    `kinds_of_service`. `named_in` says which keys of the config name the columns, where it is the config that does.
    """

    columns: tuple[Column, ...]
    key: tuple[str, ...]
    by_branch: bool = False
    named_in: str = ""


@dataclass(frozen=True)
class Row:
    """A row as read: its line in the file, the value of each column, and the text it was read from."""

    line: int
    values: dict
    text: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, column: str):
        return self.values[column]


@dataclass(frozen=True)
class Refusal:
    """A row that cannot be read, and why. `line` is the line of the file as an editor counts it."""

    file: str
    line: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True)
class Question:
    """Something readable but odd. `check` names the check that asks; no line stands for the whole table."""

    file: str
    line: int | None
    column: str
    value: str
    question: str
    check: str = ""


@dataclass
class Table:
    """A table as read: rows kept and refused, and how many there were."""

    file: str
    path: Path
    layout: Layout
    branches: tuple[str, ...]
    rows_in: int = 0
    rows: list[Row] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def refuse(self, row: Row, column: str, reason: str) -> None:
        """Note that a row is refused for what stands in one column."""
        self.refused.append(Refusal(self.file, row.line, column, row.text.get(column, ""), reason))

    def ask(self, row: Row | None, column: str, value: object, question: str, check: str = "") -> None:
        """Note a question about a row, or about the whole table."""
        line = row.line if row else None
        self.questions.append(Question(self.file, line, column, str(value), question, check))

    def in_order(self) -> list[Row]:
        """Sort the rows by their key, so that the order in which they were pasted changes nothing."""
        return sorted(self.rows, key=lambda row: tuple(row[column] for column in self.layout.key))

    def keep_if(self, check: Callable[[Row], None]) -> None:
        """Keep the rows for which `check` raises no `RowError`, and refuse the others."""
        kept = []
        for row in self.rows:
            try:
                check(row)
            except RowError as fault:
                self.refuse(row, fault.column, str(fault))
            else:
                kept.append(row)
        self.rows = kept


class RowError(ValueError):
    """What makes a row impossible though its cells can be read: the column and the reason."""

    def __init__(self, column: str, reason: str):
        super().__init__(reason)
        self.column = column


def read_table(path: Path, file: str, layout: Layout, headers: Mapping, branches: Iterable[str] = ()) -> Table:
    """Read a table as pasted.

    Parameters
    ----------
    path
        Where it is.
    file
        Its name in findings: as the config has it.
    layout
        The columns it must have.
    headers
        Headings as pasted, and our names for them.
    branches
        Column names that count the people of a branch.

    Returns
    -------
    Table
        Rows kept and refused, in the order of the file.

    Raises
    ------
    UserError
        If the table is missing, empty, not text, or lacks a column.
    """
    branches = tuple(branches) if layout.by_branch else ()
    known = (*(column.name for column in layout.columns), *branches)
    text, encoding = _decode(path)
    records = _records(text, _separator(text, path, headers, known), path)
    header_line, header = next(records)
    columns = _columns(header, headers, known)
    where = f"{path}, line {header_line}"
    _check_columns(where, columns, layout, encoding)
    unknown = [name for name in columns if name not in known]
    if layout.by_branch:
        _check_branches(where, unknown, columns, layout)
    table = Table(file, path, layout, tuple(name for name in columns if name in branches))
    _ask_about_heading(table, Row(header_line, {}), unknown, encoding)
    specs = _specs(table, columns)
    for line, cells in records:
        table.rows_in += 1
        if len(cells) != len(header) or any(plain(cell) for cell in cells[len(columns) :]):
            _refuse_width(table, line, cells, header)
        else:
            _read_row(table, Row(line, {}, dict(zip(columns, cells, strict=False))), specs)
    if not table.rows_in:
        raise UserError(
            "the table has a heading and no rows",
            where=str(path),
            expected="at least one row",
            do="paste the rows below the heading",
        )
    _refuse_duplicates(table)
    return table


def _decode(path: Path) -> tuple[str, str]:
    """Decode a file from UTF-8 (with or without mark) or Windows-1251; say which of them it was."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(
            "the table is missing",
            where=str(path),
            expected="a CSV file",
            do="put the file there, or correct its name in the case's config",
        ) from None
    except OSError as error:
        raise UserError(
            f"the table cannot be opened ({error.strerror})", where=str(path), expected="a CSV file that you may read"
        ) from None
    if content.count(0) > len(content) * MOST_NUL:  # UTF-16 without its mark
        raise _not_text(str(path))
    _refuse_bad_byte(content, path)
    for encoding in (UTF_8, WINDOWS_1251):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not plain(text):
            raise UserError("the table is empty", where=str(path), expected="a heading and rows")
        return text, encoding
    raise _not_text(str(path))


def _refuse_bad_byte(content: bytes, path: Path) -> None:
    """Refuse a file in UTF-8 but for a few bytes: in any other encoding every letter of it would be garbled."""
    try:
        content.decode(UTF_8)
    except UnicodeDecodeError as error:
        known = len(content.decode(errors="ignore").encode().translate(None, _ASCII))
        if 2 * known > len(content.translate(None, _ASCII)):
            line = content.count(b"\n", 0, error.start) + 1
            raise UserError(
                f"the byte 0x{content[error.start]:02X} is no UTF-8, as all else in the table is",
                where=f"{path}, line {line}",
                expected="CSV in UTF-8 throughout",
                do="write the letter there anew, and save the table as CSV in UTF-8",
            ) from None


def _not_text(where: str) -> UserError:
    return UserError(
        "the bytes of the table are no text that can be read",
        where=where,
        expected="CSV in UTF-8 (or in Windows-1251, with the headings known)",
        do="save the table as CSV in UTF-8",
    )


def _records(text: str, separator: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the records that are not blank, each with the line it begins on."""
    first = _SEP_LINE.match(text)
    lines = io.StringIO(text[first.end() :] if first else text, newline="")
    reader = csv.reader(lines, delimiter=separator, strict=True)
    skipped = 1 if first else 0
    begins = 1 + skipped
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise UserError(
                f"the row cannot be taken apart ({error})",
                where=f"{path}, line {begins}",
                expected="quotes that close in the cell they open in",
                do='put the whole cell in quotes, and write a quote inside it twice: "said ""so"""',
            ) from None
        if cells is None:
            return
        if any(plain(cell) for cell in cells):
            yield begins, cells
        begins = reader.line_num + 1 + skipped


def _separator(text: str, path: Path, headers: Mapping, known: tuple[str, ...]) -> str:
    """Find the separator under which the heading holds most columns we know, or else most columns."""

    def known_columns(separator: str) -> tuple[int, int]:
        try:
            _, header = next(_records(text, separator, path))
        except UserError:  # quoted headings, taken apart at the wrong mark
            return -1, 0
        columns = _columns(header, headers, known)
        return sum(column in known for column in columns), len(columns)

    first = _SEP_LINE.match(text)
    if first and first[1] in SEPARATORS:
        return first[1]
    return max(SEPARATORS, key=known_columns)


def _columns(header: list[str], headers: Mapping, known: tuple[str, ...]) -> list[str]:
    """Give the columns our names; a heading we do not know stays as it is."""
    ours = {plain(name).casefold(): name for name in known}
    # Two of ours may differ in capitals only.
    ours |= {name: name for name in known}
    pasted = {plain(str(heading)).casefold(): str(name) for heading, name in headers.items()}
    headings = [plain(heading) for heading in header]
    while headings and not headings[-1]:  # spreadsheets leave separators at the end of lines
        headings.pop()
    names = [pasted.get(heading.casefold(), heading) for heading in headings]
    return [ours.get(name) or ours.get(plain(name).casefold(), name) for name in names]


def _check_columns(where: str, columns: list[str], layout: Layout, encoding: str) -> None:
    """Check that every column that the layout needs stands in the heading, and none twice."""
    needed = [column.name for column in layout.columns if not column.optional]
    missing = [name for name in needed if name not in columns]
    if missing and encoding != UTF_8:
        raise _not_text(where)
    if missing:
        correct = f", or correct {layout.named_in} there" if layout.named_in else ""
        raise UserError(
            f"column {missing[0]} is missing; the heading has {shortened(', '.join(columns), 300)}",
            where=where,
            expected=f"columns {', '.join(needed)}",
            do=f"name the column so, or list its heading in `headers` of the case's config{correct}",
        )
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise UserError(
            f"column {shortened(twice)!r} stands twice in the heading",
            where=where,
            expected="each column once",
            do="take one of them out, or correct `headers` of the case's config",
        )


def _check_branches(where: str, unknown: list[str], columns: list[str], layout: Layout) -> None:
    """Check that every column that is not the layout's own counts a branch that the config knows."""
    if unknown:
        raise UserError(
            f"branch {shortened(unknown[0])!r} has no kind of service",
            where=f"{where}, column {shortened(unknown[0])}",
            expected="a branch that `kinds_of_service` of the case's config lists",
            do="add a line for it there (or correct the heading)",
        )
    if not any(name not in {column.name for column in layout.columns} for name in columns):
        raise UserError("no column counts a branch", where=where, expected="one column for each branch")


def _ask_about_heading(table: Table, heading: Row, unknown: list[str], encoding: str) -> None:
    for name in unknown:
        table.ask(heading, name, name, "a column that is not read: is it one of ours, misspelt?")
    if encoding != UTF_8:
        table.ask(heading, "", encoding, "not UTF-8: read as Windows-1251; are all letters right?")


def shortened(text: str, length: int = 80) -> str:
    """Put text on one line, cut where it is too long for a message."""
    line = "".join(letter if letter.isprintable() else "?" for letter in plain(text))
    return line if len(line) <= length else line[: length - 3] + "..."


def _specs(table: Table, columns: list[str]) -> dict[str, Column]:
    """List the columns of the heading that are read, and how."""
    specs = {column.name: column for column in table.layout.columns}
    specs |= {branch: Column(branch, "count", empty="nobody") for branch in table.branches}
    return {name: specs[name] for name in columns if name in specs}


def _read_row(table: Table, row: Row, specs: Mapping[str, Column]) -> None:
    """Read the cells of a row, and keep or refuse it."""
    for name, spec in specs.items():
        try:
            row.values[name] = _value(row.text[name], spec)
        except UnreadableError as reason:
            table.refuse(row, name, str(reason))
            return
        if spec.empty == "nobody" and name not in table.branches and not plain(row.text[name]):
            table.ask(row, name, "", "empty: read as nobody")
    table.rows.append(row)


def _refuse_width(table: Table, line: int, cells: list[str], header: list[str]) -> None:
    """Refuse a row that has not as many cells as the heading, to the cell.

    An unquoted 4,515 can push an empty cell out at the end; it must not be read as 4 people, and 515 of the
    next column.
    """
    width = len(header)
    reason = f"{len(cells)} cells where the heading has {width}; "
    if len(cells) == width + 1 and not plain(cells[-1]):
        reason += "a separator too many, at the end of the row or in a cell, which then stands in quotes"
    elif len(cells) == width - 1 and not plain(header[-1]):
        reason += "the heading ends with a separator too many"
    else:
        reason += "in a table separated by commas, a cell with a comma stands in quotes"
    table.refused.append(Refusal(table.file, line, "", " | ".join(cells), reason))


def _value(text: str, column: Column):
    if plain(text):
        return READ[column.reads](text)
    if column.empty == "refused":
        raise UnreadableError("empty")
    return 0 if column.empty == "nobody" else None


def _refuse_duplicates(table: Table) -> None:
    """Refuse every row whose key stood in an earlier one: which of the two is right, nobody here can know."""
    key = table.layout.key
    if not key:
        return
    first: dict[tuple, int] = {}

    def check(row: Row) -> None:
        values = tuple(row.values.get(column) for column in key)  # an optional column may not be there
        if values in first:
            raise RowError(key[0], f"the same {', '.join(key)} as in line {first[values]}")
        first[values] = row.line

    table.keep_if(check)
