"""All decomposable graphs on a few lists, each as the cliques and separators that its likelihood is made of.

A graph is decomposable (chordal) if its vertices can be removed one by one so that the neighbours of each, at the
time it goes, are all linked to one another (Fulkerson and Gross 1965, Pac. J. Math. 15:835). Sets of lists are whole
numbers: bit `j` is set when list `j` is in the set. Graphs are numbers as well: bit `k` stands for the `k`-th pair of
:func:`pairs_of`.
"""

import functools
import itertools
import logging
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from uncounted.files import atomic_path

FEWEST_LISTS = 3
MOST_LISTS = 7
HOW_MANY = {3: 8, 4: 61, 5: 822, 6: 18_154, 7: 617_675}
"""Decomposable labelled graphs by number of lists (OEIS A058862)."""

_AT_ONCE = 2**17
"""Graphs looked at together: as many as fit into the processor's cache."""


@dataclass(frozen=True)
class Graphs:
    """All decomposable graphs on `n_lists` lists.

    Parameters
    ----------
    n_lists : int
    edges : ndarray of uint32, shape (graph,)
        The links of each graph, a bit for each pair.
    cliques : ndarray of uint8, shape (graph, n_lists)
        Its cliques, padded with 0.
    separators : ndarray of uint8, shape (graph, n_lists)
        Its separators that are not empty, each as often as it occurs, padded with 0.
    """

    n_lists: int
    edges: np.ndarray
    cliques: np.ndarray
    separators: np.ndarray


def pairs_of(n_lists):
    """List the pairs of lists in the order of the bits of :attr:`Graphs.edges`."""
    return list(itertools.combinations(range(n_lists), 2))


@functools.lru_cache(maxsize=2)
def all_graphs(n_lists):
    """Give all decomposable graphs, from the cache on disk if they are there.

    Parameters
    ----------
    n_lists : int
        3 to 7.

    Returns
    -------
    Graphs

    Raises
    ------
    ValueError
        There are fewer lists, or more.
    """
    if n_lists not in HOW_MANY:
        raise ValueError(f"decomposable graphs are made for {FEWEST_LISTS} to {MOST_LISTS} lists, not {n_lists}")
    graphs = _read(n_lists)
    if graphs is None:
        graphs = enumerate_graphs(n_lists)
        _write(graphs)
    return graphs


def enumerate_graphs(n_lists):
    """Find all decomposable graphs by taking each of the 2^(pairs) graphs apart.

    Parameters
    ----------
    n_lists : int
        3 to 7.

    Returns
    -------
    Graphs
        In ascending order of `edges`.
    """
    total = 2 ** len(pairs_of(n_lists))
    parts = [
        _decomposable_among(np.arange(first, min(first + _AT_ONCE, total), dtype=np.uint32), n_lists)
        for first in range(0, total, _AT_ONCE)
    ]
    return Graphs(n_lists, *(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def elimination_order(edges, n_lists):
    """Take one decomposable graph apart.

    Parameters
    ----------
    edges : int
        The graph, as in :attr:`Graphs.edges`.
    n_lists : int

    Returns
    -------
    list of (int, int)
        Each list in the order in which it is removed, with the set of its neighbours at that time, all of them
        linked to one another.

    Raises
    ------
    ValueError
        The graph is not decomposable.
    """
    near = [int(column[0]) for column in _neighbours(np.array([edges], dtype=np.uint32), n_lists)]
    left, order = 2**n_lists - 1, []
    while left:
        for vertex in range(n_lists):
            around = near[vertex] & left
            linked = all(around & ~(near[w] | 1 << w) == 0 for w in range(n_lists) if around >> w & 1)
            if left >> vertex & 1 and linked:
                break
        else:
            raise ValueError(f"the graph {edges} is not decomposable")
        order.append((vertex, around))
        left &= ~(1 << vertex)
    return order


def cliques_as_text(cliques, lists):
    """Write a graph as its cliques, the largest first, such as "[EXH ABA OSCE] [EXH HRW]".

    Parameters
    ----------
    cliques : iterable of int
        Zeros are passed over.
    lists : sequence of str
    """
    members = [[j for j in range(len(lists)) if int(clique) >> j & 1] for clique in cliques if clique]
    members.sort(key=lambda clique: (-len(clique), clique))
    return " ".join(f"[{' '.join(lists[j] for j in clique)}]" for clique in members)


def _neighbours(edges, n_lists):
    """Give the neighbours of each vertex as sets; a list of uint8 (graph,)."""
    near = [np.zeros(len(edges), dtype=np.uint8) for _ in range(n_lists)]
    for k, (i, j) in enumerate(pairs_of(n_lists)):
        linked = (edges >> np.uint32(k) & np.uint32(1)).astype(np.uint8)
        near[i] |= linked << np.uint8(j)
        near[j] |= linked << np.uint8(i)
    return near


def _decomposable_among(edges, n_lists):
    """Keep the decomposable graphs; edges, cliques and separators."""
    near = _neighbours(edges, n_lists)
    left = np.full(len(edges), 2**n_lists - 1, dtype=np.uint8)
    removed = np.zeros((len(edges), n_lists), dtype=np.uint8)
    around = np.zeros((len(edges), n_lists), dtype=np.uint8)
    for step in range(n_lists):
        done = np.zeros(len(edges), dtype=bool)
        for vertex in range(n_lists):
            beside = near[vertex] & left
            goes = ~done & (left >> vertex & 1).astype(bool)
            for other in range(n_lists):
                unlinked = beside & ~(near[other] | np.uint8(1 << other)) != 0
                goes &= ~((beside >> other & 1).astype(bool) & unlinked)
            removed[goes, step] = beside[goes] | np.uint8(1 << vertex)
            around[goes, step] = beside[goes]
            left[goes] &= np.uint8(255 - (1 << vertex))
            done |= goes
        edges, left, removed, around = edges[done], left[done], removed[done], around[done]
        near = [column[done] for column in near]
    return edges, *_cancel(removed, around)


def _cancel(plus, minus):
    """Drop from both sides the sets that are no cliques: each is the neighbourhood of a vertex removed before."""
    for later in range(plus.shape[1]):
        for earlier in range(later):
            same = (plus[:, later] == minus[:, earlier]) & (plus[:, later] != 0)
            plus[same, later] = 0
            minus[same, earlier] = 0
    return np.sort(plus, axis=1)[:, ::-1].copy(), np.sort(minus, axis=1)[:, ::-1].copy()


def cache_folder():
    """Give the folder for what can be made again: `uncounted` in XDG_CACHE_HOME, or else in ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "uncounted"


def _file(n_lists):
    return cache_folder() / f"decomposable_graphs_{n_lists}.npz"


def _read(n_lists):
    """Read the graphs; None if they are not there, or are not whole."""
    try:
        # Opened here: numpy leaves a file open that turns out to be no archive.
        with open(_file(n_lists), "rb") as file, np.load(file, allow_pickle=False) as stored:
            graphs = Graphs(n_lists, stored["edges"], stored["cliques"], stored["separators"])
    # RuntimeError: a user without a home.
    except (OSError, RuntimeError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return graphs if _whole(graphs) else None


def _whole(graphs):
    wanted = HOW_MANY[graphs.n_lists]
    sets = (wanted, graphs.n_lists)
    return (
        graphs.edges.shape == (wanted,)
        and graphs.edges.dtype == np.uint32
        and all(part.shape == sets and part.dtype == np.uint8 for part in (graphs.cliques, graphs.separators))
    )


def _write(graphs):
    try:
        with atomic_path(_file(graphs.n_lists)) as path:
            np.savez(path, edges=graphs.edges, cliques=graphs.cliques, separators=graphs.separators)
    except (OSError, RuntimeError) as problem:
        logging.getLogger("uncounted").debug("the graphs are not kept for the next run: %s", problem)
