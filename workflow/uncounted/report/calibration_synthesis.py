"""The page on the calibration of the model that puts sources together: worlds whose deaths are known."""

from pathlib import Path

import pandas as pd

from uncounted.checks.calibration_table import LEAST
from uncounted.checks.synthesis_calibration import DEATHS, EVERY, RANKED, summarise
from uncounted.figures import words
from uncounted.provenance import code_state
from uncounted.report.calibration_words import render, write


def write_page(*, config, run, worlds, out_folder):
    """Write the page and its table.

    Parameters
    ----------
    config : dict
        That of the calibration.
    run : str
        Which of its seeds.
    worlds : list of str
        The batches, as Parquet.
    out_folder : str or Path
        Receives ``calibration_synthesis.md``, and ``calibration/synthesis.csv``.
    """
    rows = pd.concat([pd.read_parquet(path) for path in worlds], ignore_index=True)
    table = summarise(rows)
    text = render(
        "calibration_synthesis.md.j2",
        worlds=view(rows, table, config["synthesis"]),
        checks=config["checks"],
        seeds=config["seeds"],
        run=run,
        state=code_state(),
        least=LEAST,
    )
    write(Path(out_folder) / "calibration" / "synthesis.csv", table.to_csv(index=False, float_format="%.5g").encode())
    write(Path(out_folder) / "calibration_synthesis.md", text.encode())


def view(rows, table, config):
    """Bring the table of the synthesis into words and rows.

    Parameters
    ----------
    rows : pandas.DataFrame
        Fits; see :data:`uncounted.checks.synthesis_calibration.SCHEMA`.
    table : pandas.DataFrame
        Their sums; see :data:`uncounted.checks.synthesis_calibration.SUMMARY`.
    config : dict
        The key ``synthesis`` of the config.

    Returns
    -------
    dict
    """
    of_deaths = table[table["quantity"] == DEATHS]
    ranked = table[(table["kind"] == "prior") & table["p_value"].notna()]
    fits = rows.drop_duplicates(["kind", "batch", "number"])
    stated = of_deaths[of_deaths["kind"] == EVERY]
    return {
        "config": config,
        "fits": len(fits),
        "batches": fits["batch"].nunique(),
        "of_deaths": of_deaths.to_dict("records"),
        "of_parameters": table[table["quantity"] != DEATHS].to_dict("records"),
        "not_held": [row for row in of_deaths.to_dict("records") if not row["coverage_95"] >= LEAST],
        "stated": stated.to_dict("records"),
        "ranked": ranked.to_dict("records"),
        "amiss": [words.parameter(row["quantity"]) for row in ranked.to_dict("records") if not row["uniform"]],
        "bound": 0.05 / len(RANKED),
        "redrawn": fits.groupby("kind")["redrawn"].agg(lambda some: some.sum() / (some.sum() + len(some))).to_dict(),
        "reasons": sorted({reason for reason in fits["reason"] if reason}),
        "fits_a_minute": float(table["fits_a_minute"].iloc[0]),
        "seconds": float(fits["seconds"].median()),
        "seconds_to_compile": float(
            (rows.groupby("batch")["whole_seconds"].first() - fits.groupby("batch")["seconds"].sum()).median()
        ),
    }
