"""Could the models have produced the counts of the lists? Each cell, and how many are seen once, twice, and so on.

Counts are drawn from the rates of the cells, Poisson, and held against what was counted; p-values and what passes are
as in :mod:`uncounted.checks.predictive`.
"""

import numpy as np
import pandas as pd

from uncounted.checks.predictive import SCHEMA
from uncounted.checks.typed import typed


def check_cells(posteriors, histories, seed):
    """Hold the count of each cell, and the numbers seen so many times, against what each model says.

    Parameters
    ----------
    posteriors : dict of str to xarray.Dataset
        With ``cell_rate`` (..., stratum, cell).
    histories : uncounted.evidence.histories.Histories
        Without blanks: the rates are those of all people. Of several tables, the weighted mean is held against them.
    seed : int

    Returns
    -------
    pandas.DataFrame
        See :data:`uncounted.checks.predictive.SCHEMA`: `source` is the model, `variable` "cell" (`item` as in
        "female: 0110") or "seen_on" (`item` as in "2 lists"). Structural zeros, and strata of which a model says
        nothing, are left out.
    """
    counts = np.tensordot(histories.weights, histories.counts, axes=1)[:, 1:]
    tables = [pd.DataFrame(columns=list(SCHEMA.columns))]
    for number, (model, posterior) in enumerate(posteriors.items()):
        rate = posterior["cell_rate"].transpose(..., "stratum", "cell").values.reshape(-1, *counts.shape)
        answered = ~np.isnan(rate).any(axis=(0, 2))
        if answered.any():
            drawn = np.random.default_rng([seed, number]).poisson(np.where(answered[:, None], rate, 0.0))
            tables.append(_of_model(model, histories, counts, drawn, answered))
    table = pd.concat(tables[1:] or tables, ignore_index=True)
    table["passed"] = table["p_value"] >= 0.05 / table.groupby("source")["item"].transform("size")
    return typed(table, SCHEMA)


def _of_model(model, histories, counts, drawn, answered):
    """Rows of one model: the cells of the strata that it has an answer for, then how often people are seen."""
    cells = np.arange(1, 1 << histories.n_lists)
    spelt = ["".join(str(cell >> j & 1) for j in range(histories.n_lists)) for cell in cells]
    rows = []
    for stratum, name in enumerate(histories.stratum_names):
        for place in np.flatnonzero(histories.possible[stratum, 1:] & answered[stratum]):
            found = counts[stratum, place], drawn[:, stratum, place]
            rows.append(("cell", f"{name}: {spelt[place]}", *_compared(*found)))
    times = np.array([int(cell).bit_count() for cell in cells])
    for number in range(1, histories.n_lists + 1):
        on = answered[:, None] & (times == number)
        found = counts[on].sum(), drawn[:, on].sum(axis=1)
        rows.append(("seen_on", f"{number} list{'s' if number > 1 else ''}", *_compared(*found)))
    columns = ["variable", "item", "observed", "median", "lower", "upper", "p_value"]
    return pd.DataFrame(rows, columns=columns).assign(source=model, passed=True)[list(SCHEMA.columns)]


def _compared(observed, drawn):
    above = (drawn > observed).mean() + (drawn == observed).mean() / 2
    lower, median, upper = np.quantile(drawn, [0.025, 0.5, 0.975])
    return float(observed), float(median), float(lower), float(upper), float(min(1.0, 2 * min(above, 1 - above)))
