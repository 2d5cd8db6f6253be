"""Capture histories: who was found by which of several lists, counted.

A cell is a combination of lists, and its number is binary: bit j is set where people are on list j, in the order of the
config. Cell 0 is on no list, and nobody has ever been counted there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd

from uncounted.errors import UserError
from uncounted.evidence.tables import shortened
from uncounted.evidence.tidy import BLANK, FEWEST_LISTS, histories_schema, in_natural_order, known, table_from_frame
from uncounted.evidence.values import read_text

__all__ = [
    "Histories",
    "histories_schema",
    "in_natural_order",
    "lists_of",
    "merge_lists",
    "not_estimable_alone",
    "people_on",
    "spread_blanks",
    "table_from_frame",
    "tabulate",
    "without_list",
]


# Without a comparison: arrays have none that says yes or no.
@dataclass(frozen=True, eq=False)
class Histories:
    """How many people have which capture history, by table and stratum.

    Parameters
    ----------
    lists : tuple of str
        The L lists.
    strata : tuple of str
        The columns that make up the strata; empty without strata.
    labels : tuple of tuple of str
        For each of the G strata its label in each of these columns; ``((),)`` without strata.
    counts : numpy.ndarray of int64, (table, stratum, 2**L)
        People whose stratum is known; none in cell 0.
    blank : numpy.ndarray of int64, (table, pattern, 2**L)
        People whose stratum is not, or not wholly, known, by what is known of it. There may be no pattern.
    blank_strata : numpy.ndarray of bool, (pattern, stratum)
        The strata that such people may belong to.
    weights : numpy.ndarray of float64, (table,)
        What each table counts for; they sum to 1.
    possible : numpy.ndarray of bool, (stratum, 2**L)
        False for structural zeros; cell 0 is always possible.
    """

    lists: tuple[str, ...]
    strata: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    counts: np.ndarray
    blank: np.ndarray
    blank_strata: np.ndarray
    weights: np.ndarray
    possible: np.ndarray

    @property
    def n_lists(self) -> int:
        """How many lists there are."""
        return len(self.lists)

    @property
    def seen(self) -> int:
        """How many people are on at least one list, in the first table."""
        return int(self.counts[0].sum() + self.blank[0].sum())

    @property
    def stratum_names(self) -> tuple[str, ...]:
        """One name for each stratum, all different: its labels, or "all" without strata."""
        if not self.strata:
            return ("all",)
        names = tuple(", ".join(labels) for labels in self.labels)
        # A label may itself hold a comma: then the names say where each one begins and ends.
        return names if len(set(names)) == len(names) else tuple(map(repr, self.labels))


def tabulate(
    frame: pd.DataFrame,
    lists: Sequence[str],
    strata: Sequence[str] = (),
    structural_zeros: Iterable[Mapping] = (),
) -> Histories:
    """Count the people of a tidy table by table, stratum and cell.

    Parameters
    ----------
    frame : pandas.DataFrame
        The tidy table: see `histories_schema`.
    lists : sequence of str
    strata : sequence of str, optional
        The stratum columns.
    structural_zeros : iterable of dict, optional
        Cells that cannot hold anybody, as in the config: ``{"where": {"month": "2023-10"}, "lists": ["survey"]}`` for
        lists that did not exist there, ``{"where": {...}, "history": {"a": 1, "b": 1}}`` for a combination of lists.
        `where` names labels (one, or a list of them) of stratum columns; without it, all strata are meant.

    Returns
    -------
    Histories
        Strata in natural order ("5-9" before "10-14"; months in order of time), the first column changing slowest.

    Raises
    ------
    UserError
        If a structural zero names what there is not, or holds people; if people whose stratum is partly known fit
        none; if nobody's stratum is known.
    """
    lists, strata = tuple(lists), tuple(strata)
    frame = histories_schema(lists, strata).validate(frame)
    n_cells = 1 << len(lists)
    table, tables = pd.factorize(frame["table"], sort=True)
    cell = _cells(frame["history"])
    combination, combinations = _combinations(frame, strata)
    cube = np.zeros((len(tables), len(combinations), n_cells), dtype=np.int64)
    cube[table, combination, cell] = frame["count"].to_numpy()
    whole = np.array([BLANK not in labels for labels in combinations], dtype=bool)
    labels = tuple(labels for labels in combinations if BLANK not in labels)
    patterns = [labels for labels in combinations if BLANK in labels]
    if not labels:
        raise UserError("nobody's stratum is known", where=", ".join(strata), do="take the stratum columns out")
    histories = Histories(
        lists=lists,
        strata=strata,
        labels=labels,
        counts=cube[:, whole],
        blank=cube[:, ~whole],
        blank_strata=_strata_of(patterns, labels, strata),
        weights=_weights(frame, table),
        possible=_possible(lists, strata, labels, _checked_zeros(structural_zeros)),
    )
    _refuse_people_where_none_can_be(histories, patterns)
    return histories


def _checked_zeros(structural_zeros) -> list[Mapping]:
    """Make sure that structural zeros are entries with keys."""
    zeros = structural_zeros if isinstance(structural_zeros, Iterable) else [structural_zeros]
    zeros = [structural_zeros] if isinstance(structural_zeros, (str, Mapping)) else list(zeros)
    if isinstance(structural_zeros, Mapping) or not all(isinstance(zero, Mapping) for zero in zeros):
        raise UserError(
            f"structural_zeros is {shortened(str(structural_zeros))!r}",
            where="structural_zeros",
            expected='a list of entries, such as [{"where": {"month": "2023-10"}, "lists": ["survey"]}]',
        )
    return zeros


def _cells(history: pd.Series) -> np.ndarray:
    """Number the cell of each row."""
    code, texts = pd.factorize(history)
    numbers = [sum(1 << j for j, digit in enumerate(text) if digit == "1") for text in texts]
    return np.array(numbers, dtype=np.int64)[code]


def _combinations(frame: pd.DataFrame, strata: tuple[str, ...]) -> tuple[np.ndarray, list[tuple[str, ...]]]:
    """Number the combination of labels of each row, and list the combinations that occur, in order."""
    if not strata:
        return np.zeros(len(frame), dtype=np.int64), [()]
    codes, levels = [], []
    for name in strata:
        code, found = pd.factorize(frame[name])
        ordered = in_natural_order(found)
        place = {label: number for number, label in enumerate(ordered)}
        codes.append(np.array([place[label] for label in found])[code])
        levels.append(ordered)
    rows, number = np.unique(np.column_stack(codes), axis=0, return_inverse=True)
    named = [tuple(levels[i][level] for i, level in enumerate(row)) for row in rows]
    return number.reshape(-1), named


def _strata_of(patterns: list[tuple[str, ...]], labels: tuple[tuple[str, ...], ...], strata: tuple) -> np.ndarray:
    """Find the strata that people may belong to of whom some labels are known."""
    table = np.array(labels, dtype=object).reshape(len(labels), len(strata))
    fits = np.zeros((len(patterns), len(labels)), dtype=bool)
    for number, pattern in enumerate(patterns):
        given = [i for i, label in enumerate(pattern) if label != BLANK]
        fits[number] = (table[:, given] == np.array(pattern, dtype=object)[given]).all(axis=1)
        if not fits[number].any():
            described = ", ".join(f"{strata[i]} {pattern[i]!r}" for i in given)
            raise UserError(
                f"people with {described} and nothing else known fit no stratum: nobody with it is wholly known",
                where=f"stratum column {strata[given[0]]}",
                do="give them a label that others have, or leave it blank",
            )
    return fits


def _weights(frame: pd.DataFrame, table: np.ndarray) -> np.ndarray:
    weights = frame["weight"].groupby(table).first().to_numpy(dtype=np.float64)
    return weights / weights.sum()


# Structural zeros


def _possible(lists: tuple, strata: tuple, labels: tuple, zeros: list[Mapping]) -> np.ndarray:
    """Mark which cells of which strata may hold people."""
    cells = np.arange(1 << len(lists))
    possible = np.ones((len(labels), len(cells)), dtype=bool)
    for number, zero in enumerate(zeros):
        where = f"structural_zeros, entry {number + 1}"
        chosen = _chosen(strata, labels, zero.get("where") or {}, where)
        possible[np.ix_(chosen, _impossible_cells(lists, cells, zero, where))] = False
    possible[:, 0] = True
    return possible


def _chosen(strata: tuple, labels: tuple, where: Mapping, place: str) -> np.ndarray:
    """Find the strata with certain labels."""
    chosen = np.ones(len(labels), dtype=bool)
    for column, wanted in where.items():
        known(column, strata, "stratum column", f"{place}, where")
        wanted = [read_text(str(label)) for label in (wanted if isinstance(wanted, (list, tuple)) else [wanted])]
        found = [label[strata.index(column)] for label in labels]
        for label in wanted:
            known(label, in_natural_order(found), f"label in {column}", f"{place}, where.{column}")
        chosen &= np.isin(found, wanted)
    return np.flatnonzero(chosen)


def _impossible_cells(lists: tuple, cells: np.ndarray, zero: Mapping, place: str) -> np.ndarray:
    """Find the cells that a structural zero is about."""
    if ("lists" in zero) == ("history" in zero):
        raise UserError("both or neither of lists and history", where=place, expected="one of them")
    if "lists" in zero:
        bits = [known(name, lists, "list", f"{place}, lists") for name in zero["lists"]]
        return np.flatnonzero(sum(cells >> bit & 1 for bit in bits))
    met = np.ones(len(cells), dtype=bool)
    for name, on in zero["history"].items():
        met &= (cells >> known(name, lists, "list", f"{place}, history") & 1) == int(on)
    if not any(zero["history"].values()):
        raise UserError(
            "a history without a 1",
            where=f"{place}, history",
            expected="at least one list with 1: people on none are what is estimated",
        )
    return np.flatnonzero(met)


def _refuse_people_where_none_can_be(histories: Histories, patterns: list[tuple[str, ...]]) -> None:
    """Refuse people in a structural zero: then it is none."""
    wrong = np.argwhere((histories.counts > 0) & ~histories.possible)
    room = histories.blank_strata.astype(int) @ histories.possible
    homeless = np.argwhere((histories.blank > 0) & (room == 0))
    if len(wrong):
        table, stratum, cell = wrong[0]
        people, name = histories.counts[table, stratum, cell], histories.stratum_names[stratum]
    elif len(homeless):
        table, pattern, cell = homeless[0]
        people, name = histories.blank[table, pattern, cell], ", ".join(label or "blank" for label in patterns[pattern])
    else:
        return
    raise UserError(
        f"{people} people in {name} are on {lists_of(histories, cell)}, which cannot be by a structural zero",
        where="structural_zeros",
        expected="combinations of lists that hold nobody",
        do="take the structural zero out, or correct the table",
    )


def lists_of(histories: Histories, cell: int) -> str:
    """Name the lists of a cell."""
    return " and ".join(name for j, name in enumerate(histories.lists) if cell >> j & 1)


# Other tables from the same people


def without_list(histories: Histories, name: str) -> Histories:
    """Leave a list out.

    Parameters
    ----------
    histories : Histories
        With three lists or more.
    name : str
        The list.

    Returns
    -------
    Histories
        With the same strata, tables and weights. People who were only on that list are on none now, and drop out.

    Raises
    ------
    UserError
        If there is no such list, or only one would remain.
    """
    bit = known(name, histories.lists, "list", "without_list")
    _refuse_last_pair(histories, "without_list")
    cells = np.arange(1 << histories.n_lists)
    below = cells & ((1 << bit) - 1)
    return _regrouped(
        histories, tuple(other for other in histories.lists if other != name), below | cells >> (bit + 1) << bit
    )


def people_on(histories: Histories, name: str) -> tuple[Histories, np.ndarray]:
    """Take the people on one list for a population of their own, whose number is known.

    Parameters
    ----------
    histories : Histories
        With two lists or more.
    name : str
        The list.

    Returns
    -------
    others : Histories
        Its people by their histories on the other lists. Those who are on no other list drop out, as people on no list
        do. With the same strata, tables and weights; of two lists there remains one.
    people : numpy.ndarray of int64, (table,)
        How many people are on the list.

    Raises
    ------
    UserError
        If there is no such list.
    """
    bit = known(name, histories.lists, "list", "people_on")
    cells = np.arange(1 << histories.n_lists)
    on = (cells >> bit & 1).astype(bool)
    of_list = replace(
        histories,
        counts=np.where(on, histories.counts, 0),
        blank=np.where(on, histories.blank, 0),
        possible=histories.possible & on,
    )
    people = of_list.counts.sum(axis=(1, 2)) + of_list.blank.sum(axis=(1, 2))
    remaining = tuple(other for other in histories.lists if other != name)
    below = cells & ((1 << bit) - 1)
    return _regrouped(of_list, remaining, below | cells >> (bit + 1) << bit), people


def merge_lists(histories: Histories, first: str, second: str) -> Histories:
    """Make one list of two.

    Parameters
    ----------
    histories : Histories
        With three lists or more.
    first, second : str
        The lists. The new one is called "first + second", and stands where the first stood.

    Returns
    -------
    Histories
        Whoever was on either of them is on the new list; nobody drops out.

    Raises
    ------
    UserError
        If there is no such list, if they are the same, or if only one list would remain.
    """
    keep, drop = (known(name, histories.lists, "list", "merge_lists") for name in (first, second))
    if keep == drop:
        raise UserError(f"list {first!r} cannot be merged with itself", where="merge_lists")
    _refuse_last_pair(histories, "merge_lists")
    cells = np.arange(1 << histories.n_lists)
    either = cells | (cells >> drop & 1) << keep
    new = either & ((1 << drop) - 1) | either >> (drop + 1) << drop
    lists = [f"{first} + {second}" if name == first else name for name in histories.lists if name != second]
    return _regrouped(histories, tuple(lists), new)


def _refuse_last_pair(histories: Histories, where: str) -> None:
    if histories.n_lists <= FEWEST_LISTS:
        raise UserError("only one list would remain", where=where, expected="three lists or more")


def _regrouped(histories: Histories, lists: tuple[str, ...], new: np.ndarray) -> Histories:
    """Add up the cells that are one and the same once the lists have changed; `new` is the number of each then."""
    n_cells = 1 << len(lists)
    becomes = np.zeros((len(new), n_cells), dtype=np.int64)
    becomes[np.arange(len(new)), new] = 1
    counts, blank = histories.counts @ becomes, histories.blank @ becomes
    counts[..., 0], blank[..., 0] = 0, 0
    # Possible is what was possible in some way before; cell 0 of old must not vouch for another.
    possible = histories.possible.astype(np.int64) @ becomes > 0
    possible[:, 0] = True
    return replace(histories, lists=lists, counts=counts, blank=blank, possible=possible)


def spread_blanks(histories: Histories) -> Histories:
    """Spread the people whose stratum is not known over the strata that they may belong to.

    Parameters
    ----------
    histories : Histories

    Returns
    -------
    Histories
        Without blanks. Those of a cell are spread in proportion to the people of that cell whose stratum is known (of
        all cells, if there is none in that cell), as whole people by largest remainders. Nobody is lost.
    """
    counts = histories.counts.copy()
    of_known = histories.counts
    for table, pattern, cell in np.argwhere(histories.blank > 0):
        may = np.flatnonzero(histories.blank_strata[pattern] & histories.possible[:, cell])
        shares = of_known[table, may, cell]
        if not shares.any():
            shares = of_known[table][may].sum(axis=1)
        counts[table, may, cell] += _apportioned(int(histories.blank[table, pattern, cell]), shares)
    n_tables, n_strata, n_cells = counts.shape
    return replace(
        histories,
        counts=counts,
        blank=np.zeros((n_tables, 0, n_cells), dtype=np.int64),
        blank_strata=np.zeros((0, n_strata), dtype=bool),
    )


def _apportioned(people: int, shares: np.ndarray) -> np.ndarray:
    """Spread whole people in proportion to shares, by largest remainders; the first of equals comes first."""
    shares = shares.astype(object) if shares.any() else np.ones(len(shares), dtype=object)
    # Python's integers, since people times shares may be more than 64 bits hold.
    total = sum(shares)
    whole, remainder = people * shares // total, people * shares % total
    left = people - sum(whole)
    order = sorted(range(len(shares)), key=lambda i: -remainder[i])
    whole[order[:left]] += 1
    return whole.astype(np.int64)


# What a stratum can say on its own


def not_estimable_alone(histories: Histories) -> dict[int, str]:
    """Find the strata that say nothing, on their own, about people on no list.

    Parameters
    ----------
    histories : Histories
        Blanks do not count: spread them first if they should.

    Returns
    -------
    dict of int to str
        Number of the stratum and the reason in words, for strata where fewer than three lists found anyone (in a study
        of two lists: fewer than two), where nobody is on two lists, or where a list shares nobody with any other. With
        several tables, one in which it is so is enough.
    """
    reasons = {}
    on = _on_lists(histories.n_lists)
    found = histories.counts @ on
    several = on.sum(axis=1) >= 2
    shared = histories.counts @ (on * several[:, None])
    fewest = min(3, histories.n_lists)
    active = found > 0
    suspect = (active.sum(axis=2) < fewest) | (active & (shared == 0)).any(axis=2)
    for table, stratum in np.argwhere(suspect):
        if int(stratum) in reasons:
            continue
        reason = _reason(histories.lists, active[table, stratum], shared[table, stratum] > 0, fewest)
        among = f" (in table {table + 1} of {len(histories.weights)})" if len(histories.weights) > 1 else ""
        reasons[int(stratum)] = reason + among
    return dict(sorted(reasons.items()))


@cache
def _on_lists(n_lists: int) -> np.ndarray:
    """Tell for each cell which lists its people are on; int64 (2**L, L)."""
    return np.arange(1 << n_lists)[:, None] >> np.arange(n_lists) & 1


def _reason(lists: tuple[str, ...], active: np.ndarray, shares: np.ndarray, fewest: int) -> str:
    """Put into words why a stratum cannot be estimated on its own."""
    found = [name for name, is_active in zip(lists, active, strict=True) if is_active]
    if not found:
        return "no list found anyone"
    if len(found) < fewest:
        number = "one list" if len(found) == 1 else "two lists"
        return f"only {number} found anyone: {', '.join(found)}"
    if not shares.any():
        return "nobody is on two lists"
    alone = [name for name, a, s in zip(lists, active, shares, strict=True) if a and not s]
    verb = "shares" if len(alone) == 1 else "share"
    return f"{', '.join(alone)} {verb} nobody with another list"
