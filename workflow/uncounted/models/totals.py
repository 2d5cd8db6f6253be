"""From what a model says of the cells to draws of the number of people, in each stratum and in all.

All models of lists share the prior 1/N for the number of people, and the dial: the unseen that a model expects are
multiplied by ``exp(unseen_odds)``. That multiplies the odds ratio of the interaction of all lists at once, about which
no data speak, by as much if the number of lists is even, and divides it by as much if it is odd.
"""

import numpy as np
import xarray as xr

KEPT = 1000
"""At most so many draws of the rates of the cells are kept: enough for predictions."""

_MOST = 40.0


def draw_totals(log_odds_unseen, log_cells, layout, unseen_odds, rng, log_seen=None):
    """Draw the number of people.

    Parameters
    ----------
    log_odds_unseen : numpy.ndarray, (chain, draw, stratum)
        Log of expected unseen over expected seen.
    log_cells : numpy.ndarray, (chain, draw, stratum, cell)
        Log of the expected share of each cell among the seen.
    layout : uncounted.models.cells.Layout
    unseen_odds : float
        The dial.
    rng : numpy.random.Generator
    log_seen : numpy.ndarray, (chain, draw, stratum), optional
        Log of the expected number of seen, where the strata of some people are not known.

    Returns
    -------
    xarray.Dataset
        ``total``, ``unseen`` (chain, draw); ``total_by_stratum``, ``unseen_by_stratum`` (chain, draw, stratum);
        ``cell_rate`` (chain, kept, stratum, cell), the expected number of people in each cell.
    """
    counted = layout.counts.sum(axis=1)
    if log_seen is None:
        expected = rng.gamma(np.broadcast_to(counted, log_odds_unseen.shape))
        seen = np.broadcast_to(counted, expected.shape)
    else:
        expected = np.exp(log_seen)
        seen = counted + _assign_blanks(expected, log_cells, layout, rng)
    # Beyond e^40 people the number means nothing, and the generator of Poisson numbers gives up.
    log_unseen = np.log(np.maximum(expected, 1e-300)) + log_odds_unseen + unseen_odds
    unseen = rng.poisson(np.exp(np.minimum(log_unseen, _MOST)))
    total = seen.astype(np.int64) + unseen
    rate = thinned(expected)[..., None] * np.exp(thinned(log_cells))
    data = {
        "total": (("chain", "draw"), total.sum(axis=2)),
        "unseen": (("chain", "draw"), unseen.sum(axis=2)),
        "total_by_stratum": (("chain", "draw", "stratum"), total),
        "unseen_by_stratum": (("chain", "draw", "stratum"), unseen),
        "cell_rate": (("chain", "kept", "stratum", "cell"), rate),
    }
    coords = {
        "chain": np.arange(total.shape[0]),
        "draw": np.arange(total.shape[1]),
        "stratum": list(layout.strata),
        "cell": layout.histories,
    }
    return xr.Dataset(data, coords)


def thinned(draws):
    """Keep at most :data:`KEPT` draws.

    Parameters
    ----------
    draws : numpy.ndarray, (chain, draw, ...)

    Returns
    -------
    numpy.ndarray, (chain, kept, ...)
    """
    return draws[:, :: max(1, int(np.ceil(draws.shape[0] * draws.shape[1] / KEPT)))]


def _assign_blanks(expected, log_cells, layout, rng):
    """Draw to which stratum each person belongs whose stratum is not known; (chain, draw, stratum)."""
    assigned = np.zeros(expected.shape, dtype=np.int64)
    rate = expected[..., None] * np.exp(log_cells)
    for pattern, cell in np.argwhere(layout.blank > 0):
        shares = rate[..., cell] * layout.blank_strata[pattern]
        shares = shares / shares.sum(axis=-1, keepdims=True)
        assigned += rng.multinomial(int(layout.blank[pattern, cell]), shares)
    return assigned


def mix_tables(parts, weights, rng):
    """One posterior from several tables that stand for the same people.

    Each draw comes from the posterior of one table, in proportion to the tables' weights.

    Parameters
    ----------
    parts : list of xarray.Dataset
        The posterior of each table, with the same dims.
    weights : numpy.ndarray, (table,)
        They sum to 1.
    rng : numpy.random.Generator

    Returns
    -------
    xarray.Dataset
        With ``table`` (chain, draw): which table each draw comes from.
    """
    first = parts[0]
    if len(parts) == 1:
        return first.assign(table=(("chain", "draw"), np.zeros((first.sizes["chain"], first.sizes["draw"]), dtype=int)))
    mixed = []
    for chain in range(first.sizes["chain"]):
        chosen = {dim: _allotted(first.sizes[dim], weights, rng) for dim in ("draw", "kept") if dim in first.sizes}
        pieces = {}
        for name, array in first.data_vars.items():
            dim = "kept" if "kept" in array.dims else "draw"
            stacked = np.stack([part[name].isel(chain=chain).values for part in parts])
            pieces[name] = (array.dims[1:], stacked[chosen[dim], np.arange(first.sizes[dim])])
        pieces["table"] = (("draw",), chosen["draw"])
        mixed.append(xr.Dataset(pieces, {k: v for k, v in first.coords.items() if k != "chain"}))
    return xr.concat(mixed, dim=xr.DataArray(first["chain"].values, dims="chain", name="chain"))


def _allotted(number, weights, rng):
    """Which table each of `number` draws comes from: as close to the weights as whole draws can be, in any order."""
    places = (np.arange(number) + rng.uniform()) / number
    return rng.permutation(np.minimum(np.searchsorted(np.cumsum(weights), places), len(weights) - 1))


def cell_log_likelihood(posterior, histories):
    """Log probability of the count of each cell, given each draw of its rate.

    Parameters
    ----------
    posterior : xarray.Dataset
        With ``cell_rate`` (chain, kept, stratum, cell) and ``table`` where there are several tables.
    histories : uncounted.evidence.histories.Histories
        As the model saw them. Of several tables the mean counts, weighted, stand for all.

    Returns
    -------
    xarray.DataArray, (chain, kept, stratum, cell)
        Poisson, 0 for structural zeros. Of people whose stratum is not known nothing is said.
    """
    from scipy.special import gammaln

    counts = np.round(np.tensordot(histories.weights, histories.counts, axes=1))[:, 1:]
    possible = histories.possible[:, 1:]
    rate = np.maximum(posterior["cell_rate"].values, 1e-12)
    density = counts * np.log(rate) - rate - gammaln(counts + 1)
    return posterior["cell_rate"].copy(data=np.where(possible, density, 0.0)).rename("cells")
