"""Who has no estimate by which model, and why: a reason, never a number."""

import numpy as np
import pandera.pandas as pa

from uncounted.checks.typed import typed

ALL = "all"
"""Stands for all people together."""

SCHEMA = pa.DataFrameSchema(
    {"model": pa.Column(str), "stratum": pa.Column(str), "reason": pa.Column(str)},
    strict=True,
    ordered=True,
    unique=["model", "stratum"],
)
"""One row a model and stratum without an estimate; :data:`ALL` where the total has none."""


def check_answers(posteriors):
    """List the strata of which a model says nothing.

    Parameters
    ----------
    posteriors : dict of str to xarray.Dataset
        With ``no_answer`` (stratum), the reason or "", if the model may have none.

    Returns
    -------
    pandas.DataFrame
        See :data:`SCHEMA`; may be empty.
    """
    rows = []
    for model, posterior in posteriors.items():
        if "no_answer" not in posterior:
            continue
        given = zip(posterior["stratum"].values, posterior["no_answer"].values, strict=True)
        reasons = {str(name): str(reason) for name, reason in given if reason}
        rows += [(model, name, reason) for name, reason in reasons.items() if name != ALL]
        if not np.isfinite(posterior["total"]).all():
            rows.append((model, ALL, _of_all(reasons, posterior.sizes["stratum"])))
    return typed(rows, SCHEMA)


def _of_all(reasons, n_strata):
    if n_strata == 1:
        return next(iter(reasons.values()), "the model has no answer")
    name, reason = next(iter(reasons.items()), ("", ""))
    first = f": {name} ({reason})" if len(reasons) == 1 else f", {name} ({reason}) among them" if reasons else ""
    return f"no answer for {len(reasons)} of {n_strata} strata{first}"
