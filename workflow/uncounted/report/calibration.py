"""The page on the calibration of models of lists: what was simulated, how often intervals held, where they do not."""

import inspect
from pathlib import Path

import numpy as np
import pandas as pd

from uncounted.checks import calibration_table, simulation_based
from uncounted.checks.calibration import AVERAGES, FAMILIES, LEVELS, MODELS, OLDER
from uncounted.checks.populations import KINDS
from uncounted.figures import calibration as figures
from uncounted.figures import style
from uncounted.provenance import code_state
from uncounted.report import calibration_words
from uncounted.report.calibration_words import write


def write_page(*, config, run, fits, ranks, out_folder):
    """Write the page, its tables and its figures.

    Parameters
    ----------
    config : dict
        That of the calibration.
    run : str
        Which of its seeds.
    fits, ranks : list of str
        The batches, as Parquet; of `ranks` there may be none.
    out_folder : str or Path
        Receives ``calibration.md``, and in ``calibration/`` ``table.csv``, ``ranks.csv`` and the figures.
    """
    rows = pd.concat([pd.read_parquet(path) for path in fits], ignore_index=True)
    ranked = pd.concat([pd.read_parquet(path) for path in ranks], ignore_index=True) if ranks else None
    table = calibration_table.summarise(rows)
    judged = None if ranked is None else simulation_based.judge_uniformity(ranked)
    folder = Path(out_folder)
    with style.applied():
        drawn = {"coverage": style.rendered(figures.coverage(table, calibration_table.LEAST))["svg"]}
        for model in [] if judged is None else judged["model"].unique():
            drawn[f"ranks_{model}"] = style.rendered(_draw_ranks(ranked, judged, model))["svg"]
    for name, content in drawn.items():
        write(folder / "calibration" / f"{name}.svg", content)
    write(folder / "calibration" / "table.csv", table.to_csv(index=False, float_format="%.5g").encode())
    uniformity = pd.DataFrame(columns=list(simulation_based.UNIFORMITY.columns)) if judged is None else judged
    write(folder / "calibration" / "ranks.csv", uniformity.to_csv(index=False).encode())
    write(folder / "calibration.md", render(config, run, rows, table, judged, code_state()).encode())


def _draw_ranks(ranked, judged, model):
    """Draw the ranks of all quantities of one model."""
    found, uniform, bands = [], [], []
    for row in judged[judged["model"] == model].itertuples():
        same = (ranked["model"] == model) & (ranked["lists"] == row.lists) & (ranked["strata"] == row.strata)
        some = ranked.loc[same & (ranked["quantity"] == row.quantity), "rank"].to_numpy()
        places, lower, upper = simulation_based.bands(len(some))
        counts, _ = np.histogram(some, bins=simulation_based.BINS, range=(0, simulation_based.RANKS))
        label = f"{figures.quantity_label(row.quantity)}\n{row.lists} lists" + (
            f", {row.strata} strata" * (row.strata > 1)
        )
        found.append((label, counts, simulation_based.share_below(some) - places))
        bands.append((places, lower - places, upper - places))
        uniform.append(row.uniform)
    return figures.ranks(found, uniform, bands, simulation_based.BINS)


def render(config, run, rows, table, judged, state):
    """Write the text of the page.

    Parameters
    ----------
    config : dict
    run : str
    rows, table, judged : pandas.DataFrame
        Fits, their sums, and the uniformity of ranks (None if there are no ranks).
    state : dict
        The commit, see :func:`uncounted.provenance.code_state`.

    Returns
    -------
    str
    """
    one_each = rows.drop_duplicates(["kind", "lists", "batch", "number"])
    return calibration_words.render(
        "calibration.md.j2",
        config=config,
        run=run,
        state=state,
        select=lambda **wanted: _select(table, wanted),
        judged=judged,
        verdicts=calibration_table.verdicts(table),
        least=calibration_table.LEAST,
        levels=LEVELS,
        kinds=list(one_each["kind"].unique()),
        described={kind: " ".join(inspect.getdoc(function).split()) for kind, function in KINDS.items()},
        populations=len(one_each),
        most_of_average=int((rows["model"] == "average").sum()),
        lists=[str(number) for number in sorted(rows["lists"].unique())],
        redrawn=one_each.groupby("kind")["redrawn"].agg(lambda some: some.sum() / (some.sum() + len(some))).to_dict(),
        beside=calibration_table.side_by_side(rows),
        models=[model for model in MODELS if model in set(rows["model"])],
        averages=AVERAGES,
        families=FAMILIES,
        older=OLDER,
    )


def _select(table, wanted):
    """Rows of the table, of all kinds and numbers of lists together unless told."""
    wanted = {"kind": calibration_table.EVERY, "lists": calibration_table.EVERY} | wanted
    for column, value in wanted.items():
        table = table[table[column] == value]
    return list(table.itertuples())
