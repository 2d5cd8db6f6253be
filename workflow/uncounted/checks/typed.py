"""Tables that may have no row: they have the types of their schema all the same."""

import pandas as pd


def typed(rows, schema):
    """Make a table from rows, with the types of a schema, validated.

    Parameters
    ----------
    rows : pandas.DataFrame or list
        Rows, as tuples in the order of the schema's columns, or as dicts; there may be none.
    schema : pandera.DataFrameSchema

    Returns
    -------
    pandas.DataFrame
    """
    table = pd.DataFrame(rows, columns=list(schema.columns))
    return schema.validate(table.astype({name: column.dtype.type for name, column in schema.columns.items()}))
