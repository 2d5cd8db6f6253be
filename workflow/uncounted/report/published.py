"""Tables of the published calibration, as a release has them among its inputs."""

import pandas as pd

from uncounted.errors import UserError


def published(provenance, name, needed, **how):
    """Read a table that docs/ publishes.

    Parameters
    ----------
    provenance : dict
        What the release follows from: the table is read if it is among its inputs.
    name : str
        Its path in the project.
    needed : sequence of str
        Columns that it must have.
    **how
        For :func:`pandas.read_csv`.

    Returns
    -------
    pandas.DataFrame or None
        None where it is not published with this copy.

    Raises
    ------
    UserError
        The file is gone, or lacks a column.
    """
    path = next((path for path in provenance["inputs"] if str(path).endswith(name)), None)
    if path is None:
        return None
    try:
        table = pd.read_csv(path, **how)
    except FileNotFoundError:
        raise UserError(
            "the table of the calibration is missing", where=str(path), do="run `snakemake`: the inputs have changed"
        ) from None
    lacking = [column for column in needed if column not in table]
    if lacking:
        raise UserError(
            f"the table lacks the column {lacking[0]!r}",
            where=str(path),
            expected=", ".join(needed),
            do="make it again: snakemake calibration",
        )
    return table
