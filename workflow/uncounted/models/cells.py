"""Cells of a table of capture histories: which lists each stands for, and what the models add up over them."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

_IMPOSSIBLE = -1e4
"""Added to the log rate of a structural zero: it then has no part in any sum."""


@dataclass(frozen=True)
class Layout:
    """One table of capture histories, as the models read it.

    Attributes
    ----------
    lists, strata : tuple of str
        Names of the L lists and of the G strata.
    on : numpy.ndarray, float (cell, L)
        1 where the cell's people are on the list; the 2**L - 1 observable cells.
    counts : numpy.ndarray, float (G, cell)
        People whose stratum is known.
    blank : numpy.ndarray, float (pattern, cell)
        People whose stratum is not, or not wholly, known.
    blank_strata : numpy.ndarray, float (pattern, G)
        1 where people of the pattern may belong to the stratum.
    barred : numpy.ndarray, float (G, cell)
        0, or a large negative number for a structural zero, to be added to log rates.
    """

    lists: tuple[str, ...]
    strata: tuple[str, ...]
    on: np.ndarray
    counts: np.ndarray
    blank: np.ndarray
    blank_strata: np.ndarray
    barred: np.ndarray

    @property
    def histories(self):
        """The history of each cell as text such as ``0110``; list of str (cell,)."""
        return ["".join("1" if found else "0" for found in row) for row in self.on]

    @property
    def times_seen(self):
        """On how many lists each cell's people are; int (cell,)."""
        return self.on.sum(axis=1).astype(int)

    @property
    def existing(self):
        """1 where the list existed in the stratum: one of its cells is no structural zero; float (G, L)."""
        return ((self.barred == 0).astype(float) @ self.on > 0).astype(float)

    @property
    def shape(self):
        """What a compiled model depends on: lists, strata and patterns of blanks."""
        return len(self.lists), len(self.strata), len(self.blank)


def lay_out(histories, table=0):
    """Lay out one table of capture histories.

    Parameters
    ----------
    histories : uncounted.evidence.histories.Histories
    table : int, optional
        Which of its tables.

    Returns
    -------
    Layout
    """
    cells = np.arange(1, 2**histories.n_lists)
    return Layout(
        lists=histories.lists,
        strata=histories.stratum_names,
        on=((cells[:, None] >> np.arange(histories.n_lists)) & 1).astype(float),
        counts=histories.counts[table, :, 1:].astype(float),
        blank=histories.blank[table, :, 1:].astype(float),
        blank_strata=histories.blank_strata.astype(float),
        barred=np.where(histories.possible[:, 1:], 0.0, _IMPOSSIBLE),
    )


def interactions(layout, kinds):
    """Combinations of lists whose interaction the model has, and the cells on all of them.

    Parameters
    ----------
    layout : Layout
    kinds : list of str
        ``pairs``, and ``triples`` if asked for.

    Returns
    -------
    groups : list of tuple of int
        The lists of each term.
    terms : numpy.ndarray, float (cell, term)
        1 where the cell's people are on all of them.
    """
    sizes = [{"pairs": 2, "triples": 3}[kind] for kind in kinds]
    groups = [group for size in sizes for group in combinations(range(len(layout.lists)), size)]
    # A term of all lists at once is what no data can tell from the number unseen: it is the dial.
    groups = [group for group in groups if len(group) < len(layout.lists)]
    return groups, np.stack([layout.on[:, group].prod(axis=1) for group in groups], axis=1)
