"""Fits that put a study's own table to the test: the people of one list as a population of known size, tables like it.

People of one list
    Those on list L are a population whose number is known. The other lists say which of them they found; those of L
    whom no other list found are the unseen. The other lists' estimate can be held against the count.

    What it tests is the estimate from one list fewer, of people whom a list has found: a list that finds whom the
    others find as well makes its people look easier to find than all people are.

Tables like this one
    A draw of the posterior is a population: expected numbers for each cell, and a number of people on no list. Cells
    are drawn from it, the same model is fitted to them, and its interval is held against the number drawn. This asks
    whether intervals hold in tables of this size if the model is right, and cannot tell whether it is.
"""

import logging
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from uncounted.console import Progress
from uncounted.errors import UserError
from uncounted.evidence.histories import Histories, not_estimable_alone, people_on, spread_blanks, without_list
from uncounted.models.decomposable_graphs import MOST_LISTS
from uncounted.models.totals import thinned

_logger = logging.getLogger("uncounted")

QUICK = ("loglinear", "decomposable")
"""The families that are fitted to the people of each list; latent classes take too long for so many fits."""

ROUGH = {"r_hat": 1.05, "ess_reported": 100, "ess_parameter": 50, "divergences": 10, "e_bfmi": 0.2}
"""What a fit of few draws must satisfy to have a part in an average: as in the calibration, not as in a study."""

HELD_OUT = {"list": str, "model": str, "chain": "int64", "draw": "int64", "total": "float64"}
"""Columns of the draws of how many people a list holds."""

SIMULATED = {
    "number": "int64",
    "people": "int64",
    "seen": "int64",
    "chain": "int64",
    "draw": "int64",
    "total": "float64",
}
"""Columns of the draws of how many people a simulated table stands for; `people` is the truth. Of a table that cannot
be estimated there is one row, without a total."""


def held_out_studies(histories):
    """Take the people of each list for a study of their own.

    Parameters
    ----------
    histories : uncounted.evidence.histories.Histories

    Returns
    -------
    dict of str to HeldOut
        By list. Where a stratum says nothing on its own, strata are added up.
    """
    return {name: _held_out(histories, name) for name in histories.lists}


@dataclass(frozen=True)
class HeldOut:
    """The people of one list as a population of their own.

    Attributes
    ----------
    histories : uncounted.evidence.histories.Histories
        Their histories on the other lists.
    people : float
        How many they are; of several tables, the mean by weight.
    aside : tuple of str
        Other lists that share nobody of them with any further list, and say nothing of those on none: left out.
    reason : str
        Why they cannot be estimated, or "".
    """

    histories: Histories
    people: float
    aside: tuple[str, ...]
    reason: str


def _held_out(histories, name):
    others, people = people_on(histories, name)
    people = float(people @ histories.weights)
    if others.n_lists < 2:
        return HeldOut(others, people, (), "one other list says nothing about people who are not on it")
    aside = []
    while others.n_lists > 2 and (lonely := _sharing_nobody(others)):
        aside.append(lonely[0])
        others = without_list(others, lonely[0])
    others = others if not not_estimable_alone(spread_blanks(others)) else added_up(others)
    reason = not_estimable_alone(others).get(0, "") if len(others.labels) == 1 else ""
    return HeldOut(others, people, tuple(aside), reason)


def _sharing_nobody(histories):
    """Name the lists that share nobody with another one, in one of the tables at least."""
    counts = added_up(histories).counts[:, 0]
    cells = np.arange(counts.shape[1])
    several = np.array([int(cell).bit_count() > 1 for cell in cells])
    shared = counts @ ((cells[:, None] >> np.arange(histories.n_lists) & 1) * several[:, None])
    return [name for name, number in zip(histories.lists, shared.min(axis=0), strict=True) if number == 0]


def models_of_held_out(models, n_lists):
    """Name the models that are fitted to the people of one list.

    Parameters
    ----------
    models : list of str
        Those of the study.
    n_lists : int
        How many lists remain.

    Returns
    -------
    list of str
        The average first, if there is one. Of a study for which the config names one model, that one, if it is for so
        many lists.
    """
    if n_lists == 2:
        return ["two_lists"]
    families = [name for name in models if name in QUICK and (name != "decomposable" or n_lists <= MOST_LISTS)]
    families = families or [name for name in models if name != "average"][:1]
    return ["average", *families] if len(families) > 1 else families


def added_up(histories):
    """One stratum of all, people whose stratum is not known included.

    Parameters
    ----------
    histories : uncounted.evidence.histories.Histories

    Returns
    -------
    uncounted.evidence.histories.Histories
    """
    n_tables, _, n_cells = histories.counts.shape
    everyone = histories.counts.sum(axis=1, keepdims=True) + histories.blank.sum(axis=1, keepdims=True)
    return replace(
        histories,
        strata=(),
        labels=((),),
        counts=everyone,
        possible=histories.possible.any(axis=0, keepdims=True),
        blank=np.zeros((n_tables, 0, n_cells), dtype=np.int64),
        blank_strata=np.zeros((0, 1), dtype=bool),
    )


def simulate(posterior, histories, number, rng):
    """Draw tables from a posterior, each with the number of people that it stands for.

    Parameters
    ----------
    posterior : xarray.Dataset
        Of one table without strata: ``cell_rate`` (chain, kept, stratum, cell), and ``unseen`` (chain, draw), whose
        draws those of the cells are every so many of.
    histories : uncounted.evidence.histories.Histories
        The table that it was fitted to.
    number : int
        How many tables.
    rng : numpy.random.Generator

    Returns
    -------
    list of tuple
        Table and number of people, seen and unseen.
    """
    rates = posterior["cell_rate"].transpose("chain", "kept", "stratum", "cell").values
    unseen = thinned(posterior["unseen"].transpose("chain", "draw").values)
    chosen = rng.choice(unseen.size, size=number, replace=unseen.size < number)
    found = []
    for chain, place in zip(*np.unravel_index(chosen, unseen.shape), strict=True):
        # The number unseen is a Poisson draw already, given the same rates.
        counts = np.zeros_like(histories.counts[:1])
        counts[0, 0, 1:] = rng.poisson(rates[chain, place, 0])
        table = replace(histories, counts=counts, weights=np.ones(1), blank=histories.blank[:1])
        found.append((table, int(counts.sum() + unseen[chain, place])))
    return found


# Fitting


def hold_out(histories, models, fit, average):
    """Estimate from the other lists how many people each list holds.

    Parameters
    ----------
    histories : uncounted.evidence.histories.Histories
    models : list of str
        Those of the study.
    fit : callable
        ``fit(name, model, histories)`` gives the fit of a family.
    average : callable
        ``average(name, fits, histories)`` gives the average over several.

    Returns
    -------
    pandas.DataFrame
        Draws, see :data:`HELD_OUT`. What cannot be estimated, or has no answer by a model, has no row.
    """
    studies = {name: held.histories for name, held in held_out_studies(histories).items() if not held.reason}
    tables = []
    with Progress(len(studies), "estimating from the other lists how many people each list holds", "lists") as seen:
        for number, (name, other) in enumerate(studies.items()):
            seen(number)
            wanted = models_of_held_out(models, other.n_lists)
            fits = {model: fit(name, model, other) for model in wanted if model != "average"}
            if "average" in wanted:
                try:
                    fits["average"] = average(name, fits, spread_blanks(other))
                except UserError as problem:
                    # Then the list has no estimate by the average, and its row says so.
                    _logger.info(f"people on {name}: {problem}")
            for model, found in fits.items():
                total = getattr(found, "posterior", found)["total"].astype(float)
                if total.notnull().all():
                    tables.append(total.to_dataframe(name="total").reset_index().assign(list=name, model=model))
    return _table(tables, HELD_OUT)


def simulate_and_fit(posterior, histories, number, rng, fit):
    """Simulate tables like one that was fitted, and fit the model to each.

    Parameters
    ----------
    posterior : xarray.Dataset
    histories : uncounted.evidence.histories.Histories
        As in :func:`simulate`.
    number : int
        How many tables.
    rng : numpy.random.Generator
    fit : callable
        ``fit(name, histories)`` gives a fit.

    Returns
    -------
    pandas.DataFrame
        Draws, see :data:`SIMULATED`.
    """
    tables = []
    with Progress(number, "fitting tables simulated from the fit", "tables") as seen:
        for place, (table, people) in enumerate(simulate(posterior, histories, number, rng)):
            seen(place)
            about = {"number": place, "people": people, "seen": table.seen}
            draws = pd.DataFrame([{"chain": 0, "draw": 0, "total": np.nan}])
            if not not_estimable_alone(table):
                found = fit(str(place), table)
                draws = getattr(found, "posterior", found)["total"].astype(float).to_dataframe("total").reset_index()
            tables.append(draws.assign(**about))
    return _table(tables, SIMULATED)


def no_simulations():
    """Give the table of draws without a row."""
    return _table([], SIMULATED)


def _table(tables, columns):
    drawn = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(columns))
    return drawn[list(columns)].astype(columns)
