"""What the report shows of the named by region of origin."""

import pandas as pd

from uncounted.evidence.regions import PER
from uncounted.figures import words
from uncounted.figures.regions import region_table


def view(tables):
    """Prepare the section on regions; none where the case has no table of them.

    Parameters
    ----------
    tables : uncounted.figures.tables.CaseTables

    Returns
    -------
    dict or None
    """
    if "named_by_region" not in tables.config["sources"]:
        return None
    table = region_table(tables)
    rows = [
        {
            "region": row["region"],
            "named": int(row["named"]),
            "men": "–" if pd.isna(row["men"]) else words.count(row["men"]),
            "per_men": "–" if pd.isna(row["men"]) else words.number(row["per_men"]),
        }
        for _, row in table.iterrows()
    ]
    return {
        "day": tables.evidence("named_by_region")["published"].iloc[0],
        "size": int(table["named"].sum()),
        "rows": rows,
        "most": rows[0],
        "fewest": rows[-1],
        "with_men": bool(table["men"].notna().any()),
        "per": PER,
    }
