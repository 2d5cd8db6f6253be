r"""Which histories decide the answer? The number of people without the last person of each cell.

Of each cell that holds people, one is taken out, and the answer is looked at again. All models take the counts of the
cells for Poisson given their expected numbers :math:`\lambda`, so that a draw's density with :math:`n_h - 1` people in
cell :math:`h` is its density with :math:`n_h`, times a constant over :math:`\lambda_h`. Draws that there are, weighed
by :math:`1 / \lambda_h`, are draws of the posterior without that person (:mod:`uncounted.checks.reweighing`); the
person is missing from the total too.

Where a cell has one person only, the posterior without it may lie where few draws do: Pareto's k says so. Decomposable
graphs on few lists are summed exactly once more, without that person. The weights of an average stay as they are.
"""

import numpy as np
import pandera.pandas as pa

from uncounted.checks.reweighing import Draws, even, median_moved, mixed, reweighed
from uncounted.checks.typed import typed
from uncounted.models.decomposable import posterior as sum_over_graphs
from uncounted.models.totals import thinned

MOST_SUMMED = 5
"""Decomposable graphs on so many lists at most are summed again: 822 of them take some hundredths of a second."""

_STEPS = 4000

SCHEMA = pa.DataFrameSchema(
    {
        "model": pa.Column(str),
        "stratum": pa.Column(str),
        "history": pa.Column(str),
        "observed": pa.Column(int),
        **{name: pa.Column(float) for name in ("from_median", "median", "moved", "mcse_moved", "pareto_k")},
        "trusted": pa.Column(bool),
    },
    strict=True,
    ordered=True,
    unique=["model", "stratum", "history"],
)
"""One row a model and cell that holds people: the median with all of them and without the last one of the cell.

`moved` is the relative difference, `mcse_moved` its Monte Carlo standard error; `pareto_k` is the worst of the models
that the answer is made of, infinite where it cannot be had."""


def check_last_person(posteriors, shares, histories, lead, dial=0.0):
    """Take the last person out of each cell.

    Parameters
    ----------
    posteriors : dict of str to xarray.Dataset
        The families of models: ``total`` (chain, draw), and ``cell_rate`` (chain, kept, stratum, cell) of every so many
        of these draws.
    shares : dict of str to float
        What each counts for in the answer.
    histories : uncounted.evidence.histories.Histories
        People whose stratum is not known are not taken out.
    lead : str
        What the answer is called: the name of the family, where there is one.
    dial : float, optional
        The config's ``unseen_odds``.

    Returns
    -------
    pandas.DataFrame
        See :data:`SCHEMA`: the answer that leads, then each family in it. Empty without an answer, and where there are
        several tables of the same people, which have no one count of a cell.
    """
    used = {name: share for name, share in shares.items() if share > 0 and _answered(posteriors.get(name))}
    if len(histories.weights) > 1 or not used:
        return typed([], SCHEMA)
    whole = sum(used.values())
    summed = len(histories.labels) == 1 and histories.n_lists <= MOST_SUMMED and histories.possible.all() and not dial
    families = {
        name: _Summed(histories) if name == "decomposable" and summed else _Drawn(posteriors[name]) for name in used
    }
    answers = {lead: {name: share / whole for name, share in used.items()}}
    answers |= {name: {name: 1.0} for name in used if name != lead}
    counts = histories.counts[0, :, 1:]
    spelt = posteriors[next(iter(used))]["cell"].values
    places = np.argwhere(counts > 0)
    without = {name: [family.without(*place) for place in places] for name, family in families.items()}
    rows = []
    for model, parts in answers.items():
        before = mixed([families[name].draws for name in parts], list(parts.values()))
        for number, (stratum, cell) in enumerate(places):
            after = mixed([without[name][number] for name in parts], list(parts.values()))
            moved, error = median_moved(before, after)
            rows.append(
                (model, histories.stratum_names[stratum], str(spelt[cell]), counts[stratum, cell])
                + (before.median, after.median, moved, error, after.pareto_k, after.trusted)
            )
    return typed(rows, SCHEMA)


def _answered(posterior):
    return posterior is not None and bool(np.isfinite(posterior["total"].astype(float)).all())


class _Drawn:
    """A family by its draws: those whose rates were kept."""

    def __init__(self, posterior):
        rates = posterior["cell_rate"].transpose("chain", "kept", "stratum", "cell").values
        self.draws = even(thinned(posterior["total"].transpose("chain", "draw").values))
        self._rates = rates.reshape(len(self.draws.values), *rates.shape[2:])

    def without(self, stratum, cell):
        """Weigh the draws as if one person of a cell were missing."""
        total, rates = self.draws.values, self._rates[:, stratum, cell]
        draws = reweighed(total, -np.log(np.maximum(rates, 1e-300)))
        return Draws(draws.values - 1, draws.weights, draws.pareto_k)


class _Summed:
    """Decomposable graphs, summed exactly: even steps of probability stand for draws."""

    def __init__(self, histories):
        self._counts = histories.counts[0, 0].copy()
        self.draws = self._of(self._counts)

    def without(self, _stratum, cell):
        """Sum without one person of a cell."""
        counts = self._counts.copy()
        counts[cell + 1] -= 1
        return self._of(counts)

    def _of(self, counts):
        return even(sum_over_graphs(counts).quantile((np.arange(_STEPS) + 0.5) / _STEPS))
