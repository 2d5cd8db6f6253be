"""Could the model have produced the figures that were published? (Gelman, Meng and Stern 1996, Statistica Sinica 6:733)

Each observed figure is held against its posterior predictive distribution. The two-sided p-value is twice the smaller
tail; with many figures a source, a source passes if none is rarer than 0.05 divided by their number.
"""

import numpy as np
import pandas as pd
import pandera.pandas as pa

SCHEMA = pa.DataFrameSchema(
    {
        "source": pa.Column(str),
        "variable": pa.Column(str),
        "item": pa.Column(str),
        "observed": pa.Column(float),
        "median": pa.Column(float),
        "lower": pa.Column(float),
        "upper": pa.Column(float),
        "p_value": pa.Column(float),
        "passed": pa.Column(bool),
    },
    strict=True,
)
"""One row an observed figure, in the units in which it was published; 95 % interval."""


def check_predictive(trace, module, layout):
    """Hold each observed figure against its posterior predictive distribution.

    Parameters
    ----------
    trace : arviz.InferenceData
        Groups ``observed_data`` and ``posterior_predictive``.
    module : module
        The model: ``OBSERVED``, ``in_natural_units``.
    layout : object
        What the model made of the evidence.

    Returns
    -------
    pandas.DataFrame
        See :data:`SCHEMA`.
    """
    tables = [
        _of_variable(source, name, trace, module, layout) for source, names in module.OBSERVED.items() for name in names
    ]
    table = pd.concat(tables, ignore_index=True)
    number = table.groupby("source")["item"].transform("size")
    table["passed"] = table["p_value"] >= 0.05 / number
    return SCHEMA.validate(table)


def _of_variable(source, name, trace, module, layout):
    array = trace.posterior_predictive[name]
    dims = array.dims[2:]
    replicated = module.in_natural_units(name, array.values.reshape(-1, *array.shape[2:]), layout)
    observed = module.in_natural_units(name, trace.observed_data[name].values, layout)
    replicated, observed = replicated.reshape(len(replicated), -1), np.ravel(observed)
    above = (replicated > observed).mean(axis=0) + (replicated == observed).mean(axis=0) / 2
    if name in getattr(module, "LOWER_BOUNDS", ()):
        # 'More than' is violated only from below.
        p_value = above
    else:
        p_value = np.minimum(1.0, 2 * np.minimum(above, 1 - above))
    labels = [array[dim].values for dim in dims]
    items = [
        ", ".join(str(values[i]) for values, i in zip(labels, place, strict=True))
        for place in np.ndindex(*[len(values) for values in labels])
    ]
    lower, median, upper = np.quantile(replicated, [0.025, 0.5, 0.975], axis=0)
    return pd.DataFrame(
        {
            "source": source,
            "variable": name,
            "item": items,
            "observed": observed.astype(float),
            "median": median,
            "lower": lower,
            "upper": upper,
            "p_value": p_value,
        }
    )
