"""What calibration found, as one table: how often intervals held, and how wide they had to be for it."""

import numpy as np
import pandas as pd
import pandera.pandas as pa

from uncounted.checks.calibration import AVERAGES, FAMILIES, LEVELS, MODELS, OLDER

EVERY = "all"
"""Stands for all kinds of populations, or for all numbers of lists."""

LEAST = 0.90
"""A kind of population is held if the 95 % interval holds the truth at least so often."""

SCHEMA = pa.DataFrameSchema(
    {
        "model": pa.Column(str, pa.Check.isin(MODELS)),
        "kind": pa.Column(str),
        "lists": pa.Column(str),
        "populations": pa.Column(int),
        "answered": pa.Column(int),
        **{f"coverage_{level}": pa.Column(float, nullable=True) for level in LEVELS},
        **{f"error_{level}": pa.Column(float, nullable=True) for level in LEVELS},
        "too_low": pa.Column(float, nullable=True),
        "bias": pa.Column(float, nullable=True),
        "rmse": pa.Column(float, nullable=True),
        "width": pa.Column(float, nullable=True),
        "score": pa.Column(float, nullable=True),
        "scored": pa.Column(int),
        "failed": pa.Column(float),
        "seconds": pa.Column(float),
        "fits_a_minute": pa.Column(float),
    },
    strict=True,
)
"""One row a model, kind of population (or :data:`EVERY`) and number of lists (or :data:`EVERY`).

`populations` were fitted, and `answered` of them have an interval. Of these: `coverage_<level>`, the share of intervals
that hold the truth, and `error_<level>`, its Monte Carlo standard error; `too_low`, the share of 95 % intervals that
end below the truth; `bias`, the mean of the log of median over truth; `rmse`, the root of its mean square; `width`, the
median of the log of upper over lower end at 95 %. `score` is the mean interval score (Gneiting and Raftery 2007, J. Am.
Stat. Assoc. 102:359) of the log of the number at 95 %, over those `scored`: populations that every model was put to,
intervals with an upper end. `failed` is the share of fits that failed a check or have no interval; `seconds` the median
time of a fit; `fits_a_minute` counts the time of compiling too, and that processes ran side by side.
"""


def summarise(rows):
    """Sum up fits by model, kind of population and number of lists.

    Parameters
    ----------
    rows : pandas.DataFrame
        See :data:`uncounted.checks.calibration.SCHEMA`.

    Returns
    -------
    pandas.DataFrame
        See :data:`SCHEMA`.
    """
    rows = _with_scores(rows)
    beside = side_by_side(rows)
    kinds, lists = list(rows["kind"].unique()), sorted(rows["lists"].unique())
    found = []
    for kind in (EVERY, *kinds):
        for number in (EVERY, *lists):
            here = rows[((rows["kind"] == kind) | (kind == EVERY)) & ((rows["lists"] == number) | (number == EVERY))]
            for model in MODELS:
                of_model = here[here["model"] == model]
                if len(of_model):
                    about = {"model": model, "kind": kind, "lists": str(number)}
                    found.append(about | _summed_up(of_model, beside))
    return SCHEMA.validate(pd.DataFrame(found)[list(SCHEMA.columns)])


def _with_scores(rows):
    """Add to each fit what the table is made of."""
    rows = rows.copy()
    truth = rows["total"]
    rows["answered"] = rows["median"].notna()
    rows["off"] = np.log(rows["median"].clip(lower=1) / truth)
    for level in LEVELS:
        rows[f"holds_{level}"] = (rows[f"lower_{level}"] <= truth) & (truth <= rows[f"upper_{level}"])
    rows["below"] = rows["upper_95"] < truth
    lower, upper = np.log(rows["lower_95"]), np.log(rows["upper_95"])
    rows["wide"] = upper - lower
    rows["score"] = rows["wide"] + 2 / 0.05 * (
        (lower - np.log(truth)).clip(lower=0) + (np.log(truth) - upper).clip(lower=0)
    )
    rows["common"] = _put_to_all(rows)
    return rows


def _put_to_all(rows):
    """Which rows are of a population that every model was put to."""
    population = ["kind", "lists", "batch", "number"]
    put_to = rows.groupby(population)["model"].transform("nunique")
    return put_to == rows["model"].nunique()


def _summed_up(fits, beside):
    answered = fits[fits["answered"]]
    bounded = answered[np.isfinite(answered["wide"])]
    scored = bounded[bounded["common"]]
    coverage = {f"coverage_{level}": _mean(answered[f"holds_{level}"]) for level in LEVELS}
    errors = {f"error_{level}": monte_carlo_error(answered[f"holds_{level}"]) for level in LEVELS}
    return (
        coverage
        | errors
        | {
            "populations": len(fits),
            "answered": len(answered),
            "too_low": _mean(answered["below"]),
            "bias": _mean(answered["off"]),
            "rmse": float(np.sqrt(_mean(answered["off"] ** 2))),
            "width": float(answered["wide"].median()),
            "score": _mean(scored["score"]),
            "scored": len(scored),
            "failed": float((~fits["passed"]).mean()),
            "seconds": float(fits["seconds"].median()),
            "fits_a_minute": 60 * beside * len(fits) / max(fits["seconds"].sum(), 1e-9),
        }
    )


def _mean(values):
    return float(values.mean()) if len(values) else np.nan


def monte_carlo_error(held):
    """Standard error of a share: the standard deviation of Jeffreys' posterior, which is not 0 where all held.

    Parameters
    ----------
    held : array_like of bool

    Returns
    -------
    float
        Missing without fits.
    """
    number, many = np.sum(held), len(held)
    if not many:
        return np.nan
    yes, no = number + 0.5, many - number + 0.5
    return float(np.sqrt(yes * no / ((yes + no) ** 2 * (yes + no + 1))))


def side_by_side(rows):
    """How many processes were fitting at once, on average.

    Parameters
    ----------
    rows : pandas.DataFrame
        See :data:`uncounted.checks.calibration.SCHEMA`.

    Returns
    -------
    float
        1 if no two batches were being fitted at the same time.
    """
    # All fits of a population end at the same moment, and averages count the time of their families again.
    own = rows[~rows["model"].isin(AVERAGES)]
    work = own.groupby(["kind", "lists", "batch", "number", "ended"])["seconds"].sum().reset_index()
    spans = sorted(zip(work["ended"] - work["seconds"], work["ended"], strict=True))
    covered, reached = 0.0, -np.inf
    for began, ended in spans:
        covered += max(0.0, ended - max(began, reached))
        reached = max(reached, ended)
    return max(1.0, float(work["seconds"].sum() / covered)) if covered else 1.0


def verdicts(table, model="average"):
    """Say which kinds of populations a model holds, and whether its intervals score better than those of others.

    Parameters
    ----------
    table : pandas.DataFrame
        See :data:`SCHEMA`.
    model : str, optional

    Returns
    -------
    dict
        ``held`` and ``not_held``: lists of (kind, coverage, error); ``clearly``: those kinds of ``not_held`` whose
        coverage is two errors below the bound; ``scores``: the mean of the kinds' mean scores by model, the best first;
        ``better_than``, ``worse_than``: models among those that it is to be compared with.
    """
    table = table[table["lists"] == EVERY]
    own = table[(table["model"] == model) & (table["kind"] != EVERY)]
    found = [(row.kind, row.coverage_95, row.error_95) for row in own.itertuples()]
    by_kind = table[table["kind"] != EVERY]
    scores = by_kind.groupby("model")["score"].mean().sort_values()
    others = [name for name in (*FAMILIES[1:], *OLDER) if name in scores.index and name != model]
    return {
        "held": [one for one in found if one[1] >= LEAST],
        "not_held": [one for one in found if not one[1] >= LEAST],
        "clearly": [kind for kind, share, error in found if share + 2 * error < LEAST],
        "scores": scores.to_dict(),
        "better_than": [name for name in others if scores.get(model, np.inf) < scores[name]],
        "worse_than": [name for name in others if not scores.get(model, np.inf) < scores[name]],
    }
