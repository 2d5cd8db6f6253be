"""Named deaths by region of origin, and per so many men where a table of men by region is there."""

import pandas as pd

from uncounted.errors import UserError

PER = 10_000
"""Named deaths are given per so many men."""


def by_region(named, men=None):
    """Put the named of each region beside its men.

    Parameters
    ----------
    named : pandas.DataFrame
        The table of evidence ``named_by_region``: ``region`` and ``named``.
    men : pandas.DataFrame, optional
        The table of evidence ``men_by_region``: ``region`` and ``men``.

    Returns
    -------
    pandas.DataFrame
        ``region``, ``named``, ``men`` and ``per_men``, named deaths per :data:`PER` men; the region with the most named
        first. The last two are missing where no men are known, as of those from abroad.

    Raises
    ------
    UserError
        A region of the men is not among those of the named, or has fewer men than named.
    """
    table = named[["region", "named"]].copy()
    known = pd.Series(dtype="float64") if men is None else men.set_index("region")["men"]
    strange = sorted(set(known.index) - set(table["region"]))
    if strange:
        raise UserError(
            f"nobody is named from the region {strange[0]!r}",
            where="the table of men by region",
            expected="regions spelt as in the table of the named by region",
        )
    table["men"] = table["region"].map(known).astype("float64")
    few = table[table["named"] > table["men"]]
    if not few.empty:
        row = few.iloc[0]
        raise UserError(
            f"the region {row['region']!r} has {row['men']:.0f} men, and {row['named']} named",
            where="the table of men by region",
            expected="at least as many men as named",
        )
    table["per_men"] = PER * table["named"] / table["men"]
    return table.sort_values(["named", "region"], ascending=[False, True], ignore_index=True)
