"""Which cells carry the fit? Pareto's k of leaving one out (Vehtari, Gelman and Gabry 2017, Stat. Comput. 27:1413).

A k above 0.7 says that the model would be another one without that cell, and that the weight of the model in an average
is known less well than it seems.
"""

import numpy as np
import pandera.pandas as pa

from uncounted.checks.typed import typed

SCHEMA = pa.DataFrameSchema(
    {
        "model": pa.Column(str),
        "stratum": pa.Column(str),
        "history": pa.Column(str),
        "observed": pa.Column(float),
        "pareto_k": pa.Column(float, nullable=True),
    },
    strict=True,
    ordered=True,
)
"""One row a model and cell: people counted, and k (missing or infinite where too few draws differ)."""


def check_pareto_k(posteriors, histories):
    """Leave out each cell by weighing the draws anew, and see how far the weights can be trusted.

    Parameters
    ----------
    posteriors : dict of str to xarray.Dataset
        With ``cell_rate`` (chain, kept, stratum, cell).
    histories : uncounted.evidence.histories.Histories
        Without blanks.

    Returns
    -------
    pandas.DataFrame
        See :data:`SCHEMA`. Structural zeros, and strata of which a model says nothing, are left out.
    """
    import arviz as az

    from uncounted.models.totals import cell_log_likelihood

    counts = np.tensordot(histories.weights, histories.counts, axes=1)[:, 1:]
    rows = []
    for model, posterior in posteriors.items():
        density = cell_log_likelihood(posterior, histories).transpose("stratum", "cell", ...)
        spelt = density["cell"].values
        density = density.values.reshape(*counts.shape, -1)
        answered = np.isfinite(density).all(axis=(1, 2))
        places = np.argwhere(histories.possible[:, 1:] & answered[:, None])
        if len(places):
            _, found = az.psislw(-density[tuple(places.T)])
            rows += [
                (model, histories.stratum_names[stratum], str(spelt[cell]), float(counts[stratum, cell]), float(k))
                for (stratum, cell), k in zip(places, np.atleast_1d(found), strict=True)
            ]
    return typed(rows, SCHEMA)
