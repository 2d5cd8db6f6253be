"""Made-up lists, and draws of what models say of them."""

import numpy as np
import pandas as pd
import xarray as xr

from uncounted.evidence.histories import table_from_frame, tabulate

LISTS = ("a", "b", "c")
CELLS = [f"{cell:03b}"[::-1] for cell in range(1, 8)]
COUNTS = {"north": [300, 250, 60, 200, 50, 40, 12], "south": [90, 80, 20, 70, 15, 12, 4]}


def histories_of(counts=COUNTS, structural_zeros=(), lists=LISTS):
    """Count people by stratum and cell, cells in the order of their number."""
    rows = [
        {"where": stratum} | {name: cell + 1 >> j & 1 for j, name in enumerate(lists)} | {"count": people}
        for stratum, cells in counts.items()
        for cell, people in enumerate(cells)
        if people
    ]
    tidy = table_from_frame(pd.DataFrame(rows), lists, ["where"], count="count")
    return tabulate(tidy, lists, ["where"], structural_zeros)


def posterior_of(rates, unseen=(500, 150), draws=400, chains=2, seed=1, scatter=0.02):
    """Draws around given rates of the cells, (stratum, cell), and numbers of people on no list."""
    rng = np.random.default_rng(seed)
    rates, shape = np.asarray(rates, dtype=float), (chains, draws)
    missing = rng.poisson(unseen, size=(*shape, len(unseen))).astype(float)
    total = missing + rates.sum(axis=1).round()
    return xr.Dataset(
        {
            "total": (("chain", "draw"), total.sum(axis=-1)),
            "unseen": (("chain", "draw"), missing.sum(axis=-1)),
            "total_by_stratum": (("chain", "draw", "stratum"), total),
            "unseen_by_stratum": (("chain", "draw", "stratum"), missing),
            "cell_rate": (
                ("chain", "kept", "stratum", "cell"),
                rates * np.exp(scatter * rng.normal(size=(*shape, *rates.shape))),
            ),
        },
        coords={
            "chain": range(chains),
            "draw": range(draws),
            "stratum": list(COUNTS)[: len(rates)],
            "cell": CELLS[: rates.shape[1]],
        },
    )
