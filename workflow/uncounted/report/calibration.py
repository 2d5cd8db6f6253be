"""The page of the calibration: what was simulated, how often intervals held, and where they do not."""

import inspect
from pathlib import Path

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from uncounted.checks import calibration_table, simulation_based, synthesis_calibration
from uncounted.checks.calibration import AVERAGES, FAMILIES, LEVELS, MODELS, OLDER
from uncounted.checks.populations import KINDS
from uncounted.figures import calibration as figures
from uncounted.figures import style, words
from uncounted.files import atomic_path
from uncounted.provenance import code_state
from uncounted.report import calibration_synthesis

HERE = Path(__file__).resolve().parent


def write_page(*, config, run, fits, ranks, synthesis, out_folder):
    """Write the page, its tables and its figures.

    Parameters
    ----------
    config : dict
        That of the calibration.
    run : str
        Which of its seeds.
    fits, ranks, synthesis : list of str
        The batches, as Parquet; of `ranks` and `synthesis` there may be none.
    out_folder : str or Path
        Receives ``calibration.md``, and in ``calibration/`` ``table.csv``, ``ranks.csv``, ``synthesis.csv`` and the
        figures.
    """
    rows = pd.concat([pd.read_parquet(path) for path in fits], ignore_index=True)
    ranked = pd.concat([pd.read_parquet(path) for path in ranks], ignore_index=True) if ranks else None
    table = calibration_table.summarise(rows)
    judged = None if ranked is None else simulation_based.judge_uniformity(ranked)
    worlds = pd.concat([pd.read_parquet(path) for path in synthesis], ignore_index=True) if synthesis else None
    summary = None if worlds is None else synthesis_calibration.summarise(worlds)
    folder = Path(out_folder)
    with style.applied():
        drawn = {"coverage": style.rendered(figures.coverage(table, calibration_table.LEAST))["svg"]}
        for model in [] if judged is None else judged["model"].unique():
            drawn[f"ranks_{model}"] = style.rendered(_draw_ranks(ranked, judged, model))["svg"]
    for name, content in drawn.items():
        _write(folder / "calibration" / f"{name}.svg", content)
    _write(folder / "calibration" / "table.csv", table.to_csv(index=False, float_format="%.5g").encode())
    uniformity = pd.DataFrame(columns=list(simulation_based.UNIFORMITY.columns)) if judged is None else judged
    _write(folder / "calibration" / "ranks.csv", uniformity.to_csv(index=False).encode())
    columns = list(synthesis_calibration.SUMMARY.columns)
    summed = pd.DataFrame(columns=columns) if summary is None else summary
    _write(folder / "calibration" / "synthesis.csv", summed.to_csv(index=False, float_format="%.5g").encode())
    of_worlds = None if worlds is None else calibration_synthesis.view(worlds, summary, config["synthesis"])
    _write(folder / "calibration.md", render(config, run, rows, table, judged, code_state(), of_worlds).encode())


def _write(path, content):
    with atomic_path(path) as part:
        part.write_bytes(content)


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


def render(config, run, rows, table, judged, state, worlds=None):
    """Write the text of the page.

    Parameters
    ----------
    config : dict
    run : str
    rows, table, judged : pandas.DataFrame
        Fits, their sums, and the uniformity of ranks (None if there are no ranks).
    state : dict
        The commit, see :func:`uncounted.provenance.code_state`.
    worlds : dict, optional
        What :func:`uncounted.report.calibration_synthesis.view` says of the synthesis.

    Returns
    -------
    str
    """
    made = Environment(
        loader=FileSystemLoader(HERE), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    made.filters |= _FILTERS
    one_each = rows.drop_duplicates(["kind", "lists", "batch", "number"])
    return made.get_template("calibration.md.j2").render(
        config=config,
        run=run,
        state=state,
        select=lambda **wanted: _select(table, wanted),
        judged=judged,
        worlds=worlds,
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


def _share(value, digits=0):
    return "–" if value is None or not np.isfinite(value) else words.percent(value, digits)


def _factor(log_ratio):
    """Write a log ratio as a factor: `1.35`."""
    return words.number(np.exp(log_ratio)) if np.isfinite(log_ratio) else "–"


def _relative(log_ratio):
    return words.signed_percent(np.expm1(log_ratio)) if np.isfinite(log_ratio) else "–"


def _listed(names):
    """Join names as a sentence has them."""
    names = list(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


_FILTERS = {
    "share": _share,
    "with_error": words.with_error,
    "factor": _factor,
    "relative": _relative,
    "listed": _listed,
    "count": words.count,
    "parameter": words.parameter,
    "number": words.number,
    "kind": figures.kind_label,
    "quantity": figures.quantity_label,
    "label": figures.LABELS.get,
    "opening": words.capital,
}
