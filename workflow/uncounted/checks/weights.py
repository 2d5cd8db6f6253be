"""What each family of models counts for in the average; a study with one model has one row."""

import numpy as np
import pandas as pd

from uncounted.models.average import SCHEMA


def weights_of_one(model, total, passed, worst_pareto_k):
    """The table of weights of a study that has one model.

    Parameters
    ----------
    model : str
    total : numpy.ndarray
        Draws of the number of people.
    passed : bool
        Whether the model passed its checks.
    worst_pareto_k : float

    Returns
    -------
    pandas.DataFrame
        See :data:`uncounted.models.average.SCHEMA`.
    """
    lower, median, upper = np.quantile(total, [0.025, 0.5, 0.975])
    answered = bool(np.isfinite(median))
    reason = "" if passed else "one of its checks failed"
    row = {
        "model": model,
        "weight": 1.0,
        "elpd": np.nan,
        "worst_pareto_k": worst_pareto_k,
        "passed": passed,
        "reason": reason if answered else "it has no answer for one of the strata",
        "median": median,
        "lower": lower,
        "upper": upper,
        "disagrees": False,
    }
    return SCHEMA.validate(pd.DataFrame([row]))
