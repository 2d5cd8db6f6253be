"""From a table as somebody has it to the tidy table of capture histories: one row a table, stratum and history."""

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence, Set
from decimal import Decimal
from difflib import get_close_matches
from numbers import Real

import numpy as np
import pandas as pd
import pandera.pandas as pa

from uncounted.errors import UserError
from uncounted.evidence.tables import shortened
from uncounted.evidence.values import UnreadableError, plain, read_count, read_month, read_text

FEWEST_LISTS, MOST_LISTS = 2, 10

MOST_PEOPLE = 10**12
"""Sums up to here are exact in floating point, and far from where 64 bits overflow."""

BLANK = ""
"""The label of a stratum that is not known."""

FEWEST_PEOPLE = 10
"""With fewer people in all, no study."""

COUNTS = ("count", "counts", "n", "freq", "frequency", "number", "people")
"""Headings under which counts often stand."""

LEAST_WEIGHT, MOST_WEIGHT = 1e-9, 1e9
"""Weights in these bounds can be told apart, and summed."""

ON_NO_LIST = "people on no list: nobody can have counted them"
ON_OR_NOT = "1 for people on the list, 0 for others"
PEOPLE = "a whole number of people"

RESERVED = (
    *("table", "weight", "history", "count"),
    *("case", "model", "quantity", "mean", "sd", "median", "lower", "upper", "level"),
    *("ess_bulk", "ess_tail", "r_hat", "mcse_mean", "mcse_median", "mcse_lower", "mcse_upper"),
    *("method", "source", "estimate", "credit"),
)
"""Columns of the tables that this project writes: a stratum column called so would stand there twice."""


def histories_schema(lists: Sequence[str], strata: Sequence[str] = ()) -> pa.DataFrameSchema:
    """State what the tidy table of capture histories looks like.

    Parameters
    ----------
    lists : sequence of str
    strata : sequence of str, optional
        The stratum columns.

    Returns
    -------
    pandera.DataFrameSchema
        Columns `table` (from 0), `weight` (of the table), the stratum columns ("" is blank), `history` (such as
        "0110", in the order of the lists) and `count` (people, at least 1).
    """
    pattern = f"^(?=.*1)[01]{{{len(lists)}}}$"

    def spelt(history: pd.Series) -> bool:
        return all(re.match(pattern, text) for text in history.unique())

    key = ["table", *strata, "history"]
    return pa.DataFrameSchema(
        {
            "table": pa.Column("int64", pa.Check.ge(0)),
            "weight": pa.Column("float64", pa.Check.in_range(0, 1, include_min=False)),
            **{name: pa.Column("str") for name in strata},
            "history": pa.Column("str", pa.Check(spelt, error=f"not 0 and 1 for {len(lists)} lists")),
            "count": pa.Column("int64", pa.Check.in_range(1, MOST_PEOPLE)),
        },
        checks=pa.Check(_weights_sum_to_one, error="weights of the tables do not sum to 1"),
        unique=key,
        strict=True,
        ordered=True,
    )


def _weights_sum_to_one(frame: pd.DataFrame) -> bool:
    weights = frame.groupby("table")["weight"].agg(["min", "max"])
    return bool((weights["min"] == weights["max"]).all() and abs(weights["max"].sum() - 1) < 1e-9)


def table_from_frame(
    frame: pd.DataFrame | Sequence[pd.DataFrame],
    lists: Sequence[str],
    strata: Sequence[str] = (),
    count: str | None = None,
    *,
    table: str | None = None,
    weights: str | Sequence[float] | None = None,
) -> pd.DataFrame:
    """Make the tidy table of capture histories from a data frame.

    Parameters
    ----------
    frame : pandas.DataFrame or sequence of pandas.DataFrame
        One 0/1 column a list, any number of stratum columns (empty: not known), perhaps a count. Several frames are
        several tables of the same people, imputed or matched in different ways.
    lists : sequence of str
        The columns of the lists, 2 to 10.
    strata : sequence of str, optional
        The stratum columns.
    count : str, optional
        The column that says how many people a row stands for; without it, each row is one person.
    table : str, optional
        The column that tells the tables apart, if they stand in one frame.
    weights : str or sequence of float, optional
        What each table counts for: a column of the frame, or one number a table. By default, all count the same.

    Returns
    -------
    pandas.DataFrame
        As `histories_schema` has it: `table`, `weight`, the stratum columns, `history`, `count` (people); sorted.

    Raises
    ------
    UserError
        For whatever is wrong with a name, a row, a table or its weight, or with tables that do not go together.
    """
    lists, strata = as_names(lists), as_names(() if strata is None else strata)
    check_names(lists, strata, count)
    frames, names = _frames(frame, table)
    numbers = _given_weights(frames, names, weights)
    if count is None:
        read = [column for column in (table, weights) if isinstance(column, str)]
        for part, name in zip(frames, names, strict=True):
            refuse_uncounted(part.drop(columns=read), [*lists, *strata], name)
    tables = [tidy_table(part, lists, strata, count, name) for part, name in zip(frames, names, strict=True)]
    return join_tables(tables, names, numbers)


def as_names(given: object) -> object:
    """Put names that come in an order into a list, since a generator gives them once. All else stays as it is."""
    ordered = isinstance(given, Iterable) and not isinstance(given, (str, bytes, Set, Mapping))
    return list(given) if ordered else given


def check_names(lists: Sequence[str], strata: Sequence[str] = (), count: str | None = None) -> None:
    """Check the names of lists and stratum columns before a table is looked at.

    Parameters
    ----------
    lists, strata : sequence of str
    count : str, optional

    Raises
    ------
    UserError
        If there are fewer than 2 lists or more than 10, or if a name is empty, stands twice or is taken.
    """
    for key, names in (("lists", lists), ("strata", strata)):
        texts = isinstance(names, Sequence) and not isinstance(names, str)
        if not texts or not all(isinstance(name, str) and name.strip() for name in names):
            raise UserError(f"{key} is {names!r}", where=key, expected="a list of names of columns, as text")
    if not FEWEST_LISTS <= len(lists) <= MOST_LISTS:
        raise UserError(
            f"{len(lists)} list{'' if len(lists) == 1 else 's'}",
            where="lists",
            expected=f"{FEWEST_LISTS} to {MOST_LISTS} lists",
            do="merge lists that work in the same way" if len(lists) > MOST_LISTS else "name the column of each list",
        )
    used = [*lists, *strata, *([count] if count is not None else [])]
    twice = next((name for name in used if used.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"{twice!r} is named twice", where="lists, strata and count", expected="each column once")
    taken = next((name for name in strata if name in RESERVED), None)
    if taken is not None:
        raise UserError(
            f"a stratum column cannot be called {taken!r}: the estimates have a column of that name",
            where="strata",
            do="give the column another name",
        )


def _frames(frame, table: str | None) -> tuple[list[pd.DataFrame], list[str]]:
    """List the tables, and a name of each for messages."""
    if isinstance(frame, pd.DataFrame):
        _refuse_unnamed(frame)
        if table is None:
            return [frame], ["the table"]
        _column(frame, table, "table column", "the table")
        numbers = [label for label in frame[table].unique() if not pd.isna(label)]
        if frame[table].isna().any() or not numbers:
            raise UserError("a row belongs to no table", where=f"column {table}", expected="no empty cell")
        order = in_natural_order(map(str, numbers))
        numbers.sort(key=lambda number: order.index(str(number)))
        return [frame[frame[table] == number] for number in numbers], [f"table {number}" for number in numbers]
    frames = list(frame) if isinstance(frame, Iterable) else []
    if not frames or table is not None or not all(isinstance(part, pd.DataFrame) for part in frames):
        raise UserError("these are no tables", where="table", expected="a data frame, or a list of data frames")
    for part in frames:
        _refuse_unnamed(part)
    return frames, [f"table {number}" for number, _ in enumerate(frames, start=1)]


def _refuse_unnamed(frame: pd.DataFrame) -> None:
    """Refuse a frame whose columns have no names to call them by."""
    if not len(frame.columns):
        raise UserError("the table is empty", where="table", expected="a column for each list")
    if frame.columns.nlevels > 1:
        raise UserError(
            f"the columns have names of {frame.columns.nlevels} levels",
            where="table",
            expected="one name for each column, as text",
            do='join the levels, as in table.columns = table.columns.map("_".join)',
        )
    if not any(isinstance(name, str) for name in frame.columns):
        raise UserError(
            f"no column has a name that is text; the first is {shortened(repr(frame.columns[0]))}",
            where="table",
            expected="one name for each column, as text",
            do="give the columns names, as in table.columns = table.columns.map(str)",
        )


def _given_weights(frames: list[pd.DataFrame], names: list[str], weights) -> list[float]:
    """Find the weight of each table."""
    if weights is None:
        return [1.0] * len(frames)
    if not isinstance(weights, str):
        if not isinstance(weights, Iterable):
            raise UserError(f"weights is {weights!r}", where="weights", expected="a column, or one number a table")
        return list(weights)
    found = []
    for frame, name in zip(frames, names, strict=True):
        _column(frame, weights, "weight column", name)
        given = frame[weights].unique()
        if len(given) != 1:
            raise UserError(f"{len(given)} different weights", where=f"{name}, column {weights}", expected="one")
        found.append(given[0])
    return found


def refuse_uncounted(frame: pd.DataFrame, key: Sequence[str], where: str) -> None:
    """Refuse a table without `count` of which a column seems to count people: each row would pass for one person.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table with all its columns.
    key : sequence of str
        The columns of its lists and strata.
    where : str
        What the message calls the table.

    Raises
    ------
    UserError
        If a column is called as counts often are, or if it holds whole numbers, some above 1, and no two rows have the
        same history and strata: rows of people repeat themselves, rows of counts never do.
    """
    for name in frame.index.names:
        if plain(str(name)).casefold() in COUNTS:
            raise UserError(
                f"the index {str(name)!r} is not read: without `count`, each row stands for one person",
                where=where,
                do="make it a column (table.reset_index()), and name it as `count`",
            )
    frame = frame.loc[:, ~frame.columns.duplicated()]
    once = not frame[[name for name in key if name in frame.columns]].astype(str).duplicated().any()
    for column in frame.columns.difference(list(key), sort=False):
        if plain(str(column)).casefold() in COUNTS or (once and _counts_people(frame[column])):
            raise UserError(
                f"column {str(column)!r} is not read: without `count`, each row stands for one person",
                where=where,
                expected=f"`count` to name {str(column)!r}, if the column says how many people a row stands for",
                do="name it there, or take the column out of the table",
            )


def _counts_people(cells: pd.Series) -> bool:
    """Say whether cells are whole numbers, some above 1; empty ones aside."""
    texts = [plain(_label(cell)) for cell in cells if not pd.isna(cell)]
    try:
        numbers = [read_count(text) for text in texts if text]
    except UnreadableError:
        return False
    return max(numbers, default=0) > 1


def tidy_table(
    frame: pd.DataFrame,
    lists: Sequence[str],
    strata: Sequence[str] = (),
    count: str | None = None,
    where: str = "the table",
) -> pd.DataFrame:
    """Check the rows of one table, and count its people by stratum and history.

    Parameters
    ----------
    frame : pandas.DataFrame
    lists, strata : sequence of str
    count : str, optional
        As in `table_from_frame`.
    where : str, optional
        What messages call the table.

    Returns
    -------
    pandas.DataFrame
        The stratum columns, `history` and `count` (people, at least 1), sorted.

    Raises
    ------
    UserError
        If a column is missing, a cell cannot be, a history stands twice in a stratum, or the table as a whole says
        nothing about people on no list.
    """
    on = np.column_stack([_flags(frame, name, where) for name in lists])
    people = np.ones(len(frame), dtype=np.int64) if count is None else _counts(frame, count, where)
    _refuse_row(frame, where, "", ~on.any(axis=1) & (people > 0), ON_NO_LIST, "at least one list with 1")
    columns = {name: _labels(frame, name, where) for name in strata}
    columns["history"] = _spelt(on)
    rows = pd.DataFrame(columns | {"count": people}, index=frame.index)
    key = [*strata, "history"]
    if count is not None:
        twice = rows.duplicated(key, keep="first").to_numpy()
        what = "the same history in the same stratum as in a row above"
        _refuse_row(frame, where, "", twice, what, "each history once in a stratum")
    if people.sum(dtype=float) > MOST_PEOPLE:
        raise UserError(f"more people than can be counted: {people.sum(dtype=float):.3g}", where=where)
    rows = rows[people > 0].groupby(key, as_index=False, sort=True)["count"].sum()
    _refuse_uninformative(rows, lists, where)
    return rows.astype(dict.fromkeys(key, "str") | {"count": "int64"})


def join_tables(tables: Sequence[pd.DataFrame], names: Sequence[str], weights: Sequence[float]) -> pd.DataFrame:
    """Put tables of the same people together.

    Parameters
    ----------
    tables : sequence of pandas.DataFrame
        What `tidy_table` made of each.
    names : sequence of str
        What messages call each.
    weights : sequence of float
        What each counts for; they need not sum to 1.

    Returns
    -------
    pandas.DataFrame
        As `table_from_frame` gives it.

    Raises
    ------
    UserError
        If a weight is no number above 0, or if a label that holds people in one table is not in another.
    """
    if len(weights) != len(tables):
        raise UserError(f"{len(weights)} weights for {len(tables)} tables", where="weights", expected="one a table")
    for name, weight in zip(names, weights, strict=True):
        if not isinstance(weight, Real) or isinstance(weight, bool) or not LEAST_WEIGHT <= weight <= MOST_WEIGHT:
            raise UserError(
                f"the weight is {str(weight)[:40]}",
                where=name,
                expected=f"a number above 0, from {LEAST_WEIGHT:g} to {MOST_WEIGHT:g}",
            )
    _refuse_other_labels(tables, names)
    shares = np.array(weights, dtype=np.float64) / np.sum(weights, dtype=np.float64)
    numbered = [part.copy() for part in tables]
    for number, (part, share) in enumerate(zip(numbered, shares, strict=True)):
        part.insert(0, "table", np.int64(number))
        part.insert(1, "weight", share)
    return pd.concat(numbered, ignore_index=True)


def labels_missing(tables: Sequence[pd.DataFrame], names: Sequence[str]) -> Iterator[tuple[str, str, str, str, int]]:
    """Find the labels that one table has and another has not.

    Parameters
    ----------
    tables, names : sequence
        As in `join_tables`.

    Yields
    ------
    tuple
        Name of the table without the label, stratum column, label, name of the table with most people of it, and how
        many these are.
    """
    for column in tables[0].columns.drop(["history", "count"]):
        people = pd.DataFrame({name: t.groupby(column)["count"].sum() for name, t in zip(names, tables, strict=True)})
        for label, row in people.loc[people.isna().any(axis=1) & (people.index != BLANK)].iterrows():
            for name in row.index[row.isna()]:
                yield name, str(column), str(label), str(row.idxmax()), int(row.max())


def _refuse_other_labels(tables: Sequence[pd.DataFrame], names: Sequence[str]) -> None:
    """Refuse tables of which one lacks a label that many have in another: it is spelt in another way there, or missing.

    A label of a few people may fall empty where the strata were imputed.
    """
    for name, column, label, other, people in labels_missing(tables, names):
        if people >= FEWEST_PEOPLE:
            raise UserError(
                f"nobody has {column} {label!r} here; {people} people have it in {other}",
                where=f"{name}, column {column}",
                expected="the same strata in all tables",
                do="spell the label alike in all tables, or add the rows that are missing",
            )


def _column(frame: pd.DataFrame, name: str, what: str, where: str) -> pd.Series:
    """Give a column, if it is there once."""
    columns = [column for column in frame.columns if isinstance(column, str)]
    known(name, columns, what, where)
    if columns.count(name) > 1:
        raise UserError(f"column {name!r} stands twice", where=where, expected="each column once")
    return frame[name]


def _flags(frame: pd.DataFrame, name: str, where: str) -> np.ndarray:
    """Read the 0/1 column of a list."""
    cells = _column(frame, name, "list", where)
    try:
        code, found = pd.factorize(cells)
    except TypeError:
        code, found = np.arange(len(cells)), list(cells)  # one of them is no single value, and none of 0 and 1
    # Empty cells have code -1, and find the last.
    values = np.array([*map(_flag, found), -1], dtype=np.int64)[code]
    _refuse_row(frame, where, name, values < 0, "{value} is neither 0 nor 1", ON_OR_NOT)
    return values


def _flag(value: object) -> int:
    """Read one cell of a list; -1 is neither 0 nor 1."""
    if not isinstance(value, Hashable):
        return -1
    value = value.strip() if isinstance(value, str) else value
    return 1 if value in (1, "1") else 0 if value in (0, "0") else -1


def _counts(frame: pd.DataFrame, name: str, where: str) -> np.ndarray:
    """Read the column of counts."""
    given = _column(frame, name, "count column", where)
    _refuse_row(frame, where, name, ~given.map(_may_count).to_numpy(dtype=bool), "{value} is no count", PEOPLE)
    values = pd.to_numeric(given, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    _refuse_row(frame, where, name, given.isna().to_numpy(), "the count is missing", PEOPLE)
    _refuse_row(frame, where, name, np.isnan(values), "{value} is no count", PEOPLE)
    _refuse_row(frame, where, name, values < 0, "{value} is negative", PEOPLE)
    _refuse_row(frame, where, name, values > MOST_PEOPLE, "{value} is more people than can be counted", PEOPLE)
    _refuse_row(frame, where, name, values % 1 != 0, "{value} is no whole number of people", PEOPLE)
    return values.astype(np.int64)


def _may_count(cell: object) -> bool:
    """Say whether a cell may hold a count, or nothing: true, a day or a span of time are numbers to pandas."""
    return not isinstance(cell, (bool, np.bool_)) and (isinstance(cell, (Real, Decimal, str)) or _is_gap(cell))


def _is_gap(cell: object) -> bool:
    """Say whether a cell is empty."""
    return bool(pd.api.types.is_scalar(cell) and pd.isna(cell))


def _labels(frame: pd.DataFrame, name: str, where: str) -> np.ndarray:
    """Read a stratum column as text."""
    cells = _column(frame, name, "stratum column", where)
    try:
        code, found = pd.factorize(cells)
    except TypeError:
        odd = frame[[not isinstance(cell, Hashable) for cell in cells]]
        raise UserError(
            f"{shortened(str(odd[name].iloc[0]))!r} is no label",
            where=f"{where}, row {odd.index[0]}, column {name}",
            expected="text, a number or a day in each cell",
        ) from None
    return np.array([*map(_label, found), BLANK], dtype=object)[code]


def _label(value: object) -> str:
    if isinstance(value, (float, np.floating)) and value.is_integer():
        return str(int(value))  # a column of years becomes one of fractions where a cell is empty
    if isinstance(value, pd.Timestamp) and value == value.normalize():
        return value.date().isoformat()
    return read_text(str(value))


def _spelt(on: np.ndarray) -> np.ndarray:
    """Spell the history of each row, such as "0110"."""
    code, cells = pd.factorize(on @ (1 << np.arange(on.shape[1])))
    texts = ["".join(str(cell >> j & 1) for j in range(on.shape[1])) for cell in cells]
    return np.array(texts, dtype=object)[code]


def _refuse_row(frame: pd.DataFrame, where: str, column: str, wrong: np.ndarray, what: str, expected: str) -> None:
    """Refuse the first row of which something is wrong, and say how many more there are."""
    rows = np.flatnonzero(wrong)
    if not len(rows):
        return
    value = frame[column].iloc[rows[0]] if column else ""
    value = value.item() if isinstance(value, np.generic) else value
    raise UserError(
        what.format(value="an empty cell" if _is_gap(value) else shortened(repr(value))),
        where=f"{where}, row {frame.index[rows[0]]}" + (f", column {column}" if column else ""),
        expected=expected,
        do=f"mend this one first; {len(rows) - 1} more after it" if len(rows) > 1 else "",
    )


def _refuse_uninformative(rows: pd.DataFrame, lists: Sequence[str], where: str) -> None:
    """Refuse a table of hardly anybody, and a list of nobody or of everybody."""
    people = int(rows["count"].sum())
    if people < FEWEST_PEOPLE:
        raise UserError(f"{people} people in all", where=where, expected=f"at least {FEWEST_PEOPLE} people")
    for j, name in enumerate(lists):
        on = int(rows["count"][rows["history"].str[j] == "1"].sum())
        if on in (0, people):
            raise UserError(
                f"list {name!r} holds {'everybody' if on else 'nobody'}",
                where=f"{where}, column {name}",
                expected="people on it, and people on other lists only",
                do="take the list out of `lists`, or correct its column",
            )


# Names and labels


def known(name: str, names: Sequence[str], what: str, where: str) -> int:
    """Find a name among those that there are.

    Parameters
    ----------
    name : str
    names : sequence of str
        What there is.
    what : str
        What it is a name of, for the message.
    where : str
        Where it is asked for.

    Returns
    -------
    int
        Its place among them.

    Raises
    ------
    UserError
        If it is not there.
    """
    if name in names:
        return list(names).index(name)
    close = get_close_matches(str(name), names, n=1)
    raise UserError(
        f"unknown {what} {shortened(str(name))!r}" + (f" (did you mean {close[0]}?)" if close else ""),
        where=where,
        expected=f"one of {shortened(', '.join(map(str, names)), 300)}" if names else f"no {what}: there is none",
    )


def in_natural_order(labels: Iterable[str]) -> list[str]:
    """Sort labels as people would: numbers by size, months by time, and "<15" first.

    Parameters
    ----------
    labels : iterable of str

    Returns
    -------
    list of str
        The blank label, if there is one, comes first.
    """
    labels = set(labels)
    try:
        months = {label: read_month(label) for label in labels - {BLANK}}
    except UnreadableError:
        months = {}
    return sorted(labels, key=lambda label: (months.get(label, ""), *_natural(label)))


def _natural(label: str) -> tuple:
    """Part a label into its numbers and the text between them."""
    # A band that is open below ("<15", "under 15") stands before those that begin with a number.
    open_below = 0 if re.match(r"\s*(<|≤|under\b)", label, flags=re.IGNORECASE) else 1
    parts = [part for part in re.split(r"([0-9]+)", label) if part]
    return bool(label), open_below, [_part(part) for part in parts], label


def _part(part: str) -> tuple:
    """Order numbers by size, without making a number of thousands of digits; then text."""
    if part.isdecimal() and part.isascii():
        digits = part.lstrip("0")
        return 0, len(digits), digits
    return 1, 0, part.casefold()
