"""Whether the intervals hold what they promise: populations whose number is known, through the models of the studies.

Coverage says whether a model is right for the world; whether its code is right is the question of
:mod:`uncounted.checks.simulation_based`. The populations are those of :mod:`uncounted.checks.populations`. One process
fits many of them, with one compiled model for each shape of table.

What a study refuses, because its lists say nothing about the unseen, is refused here too, and another population of the
kind is drawn. A fit that fails a check is counted as failed, and its interval counts all the same.
"""

import importlib
import logging
import math
import re
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa
import yaml

from uncounted.checks.populations import draw_population
from uncounted.config import DEFAULTS
from uncounted.errors import UserError
from uncounted.evidence.histories import Histories, not_estimable_alone
from uncounted.inference import seed_for

LEVELS = (50, 80, 95)
"""The intervals that are looked at, in per cent."""

FAMILIES = ("loglinear", "latent_class", "decomposable")
"""The families of models; the slow one, latent classes, is fitted to a share of the populations."""

AVERAGES = {"average": FAMILIES, "average_without_latent_class": ("loglinear", "decomposable")}
"""The averages over families: the one that reports lead with, and one that can be had for every population."""

OLDER = ("best_bic", "chao_lower_bound", "independence")
"""The older methods. Strata are added up for them."""

MODELS = (*AVERAGES, *FAMILIES, *OLDER)
"""All models, in the order of the tables."""

NUMBERS_OF_STRATA = (3, 8)
"""Strata are fixed in number within a batch, so that one compiled model serves them, and differ between batches."""

SCHEMA = pa.DataFrameSchema(
    {
        "kind": pa.Column(str),
        "lists": pa.Column(int),
        "strata": pa.Column(int),
        "batch": pa.Column(int),
        "number": pa.Column(int),
        "redrawn": pa.Column(int, pa.Check.ge(0)),
        "total": pa.Column(int),
        "seen": pa.Column(int),
        "model": pa.Column(str, pa.Check.isin(MODELS)),
        "median": pa.Column(float, nullable=True),
        **{f"{end}_{level}": pa.Column(float, nullable=True) for level in LEVELS for end in ("lower", "upper")},
        "r_hat": pa.Column(float, nullable=True),
        "ess": pa.Column(float, nullable=True),
        "divergences": pa.Column(int),
        "passed": pa.Column(bool),
        "reason": pa.Column(str),
        "seconds": pa.Column(float),
        "ended": pa.Column(float),
    },
    strict=True,
)
"""One row a population and model. `redrawn`: tables refused before this one; `ended`: seconds since 1970."""

_logger = logging.getLogger("uncounted")


def run_batch(*, config, seed, lists, batch, out_parquet):
    """Simulate and fit one batch of populations.

    Parameters
    ----------
    config : dict
        ``kinds``, ``populations`` (of each kind), ``latent_class_share``, ``sampling``, ``checks``.
    seed : int
    lists : int
        How many lists.
    batch : int
        Its number, which with the seed says which populations it holds.
    out_parquet : str or Path
        Receives the table of :data:`SCHEMA`.
    """
    from uncounted.console import Progress
    from uncounted.files import atomic_path

    settings = settings_of(config)
    strata = strata_of_batch(lists, batch)
    slow = math.ceil(config["latent_class_share"] * config["populations"])
    rows, done = [], 0
    many = len(config["kinds"]) * config["populations"]
    with Progress(many, f"{lists} lists, batch {batch}: populations fitted", "populations") as told:
        for kind in config["kinds"]:
            for number in range(config["populations"]):
                names = ("calibration", kind, str(lists), str(batch), str(number))
                rng = np.random.default_rng(seed_for(seed, *names))
                population, redrawn = draw_estimable(kind, lists, rng, strata)
                families = FAMILIES if number < slow else AVERAGES["average_without_latent_class"]
                found = fit_population(population, settings, seed_for(seed, *names, "fit"), families)
                about = {"lists": lists, "batch": batch, "number": number, "redrawn": redrawn}
                rows += [row | about for row in found]
                done += 1
                told(done)
    with atomic_path(Path(out_parquet)) as path:
        as_table(rows).to_parquet(path, index=False)


def as_table(rows):
    """Rows of fits as a table.

    Parameters
    ----------
    rows : list of dict

    Returns
    -------
    pandas.DataFrame
        See :data:`SCHEMA`.
    """
    return SCHEMA.validate(pd.DataFrame(rows)[list(SCHEMA.columns)])


def settings_of(config):
    """Settings as a study has them: the defaults, with what the config of the calibration says of draws and checks.

    Parameters
    ----------
    config : dict
        ``sampling``, ``checks``.

    Returns
    -------
    dict
    """
    settings = yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))
    settings["checks"] |= config["checks"]
    for model, chains in config["sampling"].items():
        settings["sampling"][model] = settings["sampling"][model] | chains
    return settings | {"unseen_odds": 0.0, "blank_strata": "impute"}


def strata_of_batch(lists, batch):
    """Number of strata of the populations that have any; all numbers come round in turn.

    Parameters
    ----------
    lists, batch : int

    Returns
    -------
    int
    """
    fewest, most = NUMBERS_OF_STRATA
    return fewest + (lists + batch) % (most - fewest + 1)


def draw_estimable(kind, lists, rng, strata=None):
    """Draw a population whose lists a study would not refuse.

    Parameters
    ----------
    kind : str
    lists : int
    rng : numpy.random.Generator
    strata : int, optional
        Of the kind `strata`: so many.

    Returns
    -------
    population : uncounted.checks.populations.Population
    redrawn : int
        How many were refused before.
    """
    redrawn = 0
    while True:
        population = draw_population(kind, lists, rng)
        if kind == "strata" and strata is not None and len(population.counts) != strata:
            continue
        if not not_estimable_alone(histories_of(population.counts.sum(axis=0, keepdims=True))):
            return population, redrawn
        redrawn += 1


def histories_of(counts):
    """Capture histories from counts.

    Parameters
    ----------
    counts : numpy.ndarray of int, (stratum, 2**lists)

    Returns
    -------
    uncounted.evidence.histories.Histories
        Lists are called A, B, ...; strata, if there are several, 1, 2, ...
    """
    n_strata, n_cells = counts.shape
    several = n_strata > 1
    return Histories(
        lists=tuple("ABCDEFGHIJ"[: n_cells.bit_length() - 1]),
        strata=("stratum",) if several else (),
        labels=tuple((str(g + 1),) for g in range(n_strata)) if several else ((),),
        counts=np.asarray(counts, dtype=np.int64)[None],
        blank=np.zeros((1, 0, n_cells), dtype=np.int64),
        blank_strata=np.zeros((0, n_strata), dtype=bool),
        weights=np.ones(1),
        possible=np.ones((n_strata, n_cells), dtype=bool),
    )


# Fitting


def fit_population(population, settings, seed, families=FAMILIES, older=True):
    """Fit all models to one population.

    Parameters
    ----------
    population : uncounted.checks.populations.Population
    settings : dict
        As a study has them.
    seed : int
    families : sequence of str, optional
        Which of :data:`FAMILIES`; those averages are made for which all families are there.
    older : bool, optional
        Whether to apply the older methods.

    Returns
    -------
    list of dict
        One for each model: the columns of :data:`SCHEMA` but for those that say where in a batch it stands.
    """
    histories = histories_of(population.counts)
    fits, rows = {}, []
    for name in families:
        module = importlib.import_module(f"uncounted.models.{name}")
        fit, reason, seconds = timed_fit(module.fit, histories, settings, seed_for(seed, name))
        if fit is not None:
            fits[name] = fit
        rows.append({"model": name, "seconds": seconds} | judge_fit(fit, reason, settings["checks"]))
    for name, parts in AVERAGES.items():
        if len(families) > 1 and set(parts) <= set(families):
            seconds = sum(row["seconds"] for row in rows if row["model"] in parts)
            chosen = {part: fits[part] for part in parts if part in fits}
            rows.append({"model": name} | _averaged(chosen, histories, settings, seed_for(seed, name), seconds))
    if older:
        rows += _older(histories)
    about = {
        "kind": population.kind,
        "strata": len(population.counts),
        "total": int(population.total),
        "seen": int(population.counts.sum()),
    }
    ended = time.time()
    return [about | row | {"ended": ended} for row in rows]


def _averaged(fits, histories, settings, seed, seconds):
    """Average over families that are fitted; its time is theirs too."""
    from uncounted.models import average

    both, reason, own = timed_fit(average.fit, fits, histories, settings, seed)
    posterior = None if both is None else both[0]
    return {"seconds": seconds + own} | judge_fit(posterior, reason, settings["checks"])


def timed_fit(fit, *given):
    """Fit, without a word in the terminal.

    Parameters
    ----------
    fit : callable
    *given
        What it is given.

    Returns
    -------
    tuple
        What came out, or None; the reason if nothing did; and how many seconds it took.
    """
    began = time.perf_counter()
    try:
        with _quietly():
            result, reason = fit(*given), ""
    # The sampler raises RuntimeError where it finds no way on: one fit of thousands must not end them all.
    except (UserError, RuntimeError) as error:
        result, reason = None, str(error).splitlines()[0]
        _logger.warning(f"no answer: {reason}")
    return result, reason, time.perf_counter() - began


@contextmanager
def _quietly():
    """Leave out what each single fit has to say."""
    level = _logger.level
    _logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        _logger.setLevel(level)


def judge_fit(fit, reason, bounds):
    """Say what a fit says of the number of people, and whether it passed.

    Parameters
    ----------
    fit : arviz.InferenceData, xarray.Dataset or None
        A data set holds independent draws.
    reason : str
        Why there is none, if there is none.
    bounds : dict
        ``r_hat`` and ``divergences`` at most, ``ess_reported`` at least.

    Returns
    -------
    dict
        The columns of :data:`SCHEMA` from `median` to `reason`.
    """
    if fit is None:
        return _NOTHING | {"reason": reason}
    posterior = getattr(fit, "posterior", fit)
    total = posterior["total"].values.astype(float)
    if not np.isfinite(total).all():
        return _NOTHING | {"reason": "no answer for one of the strata"}
    tails = [tail for level in LEVELS for tail in ((100 - level) / 200, (100 + level) / 200)]
    median, *ends = np.quantile(total, [0.5, *tails])
    return _NOTHING | _named(median, ends) | _checked(fit, total, bounds)


def _named(median, ends):
    names = [f"{end}_{level}" for level in LEVELS for end in ("lower", "upper")]
    return {"median": float(median)} | dict(zip(names, map(float, ends), strict=True))


_NOTHING = _named(np.nan, [np.nan] * 2 * len(LEVELS)) | {
    "r_hat": np.nan,
    "ess": np.nan,
    "divergences": 0,
    "passed": False,
    "reason": "",
}


def _checked(fit, total, bounds):
    """Whether the chains found the number of people; draws that do not come from chains have nothing to check."""
    import arviz as az

    if not hasattr(fit, "sample_stats"):
        return {"passed": True}
    found = {
        "r_hat": float(az.rhat(total)),
        "ess": float(az.ess(total)),
        "divergences": int(fit.sample_stats["diverging"].sum()) if "diverging" in fit.sample_stats else 0,
    }
    # R-hat is missing where all draws are the same number, as where nobody is unseen: nothing is wrong with that.
    wrong = [
        f"R-hat {found['r_hat']:.3f}" if found["r_hat"] > bounds["r_hat"] else "",
        f"{found['ess']:.0f} effective draws" if found["ess"] < bounds["ess_reported"] else "",
        f"{found['divergences']} divergences" if found["divergences"] > bounds["divergences"] else "",
    ]
    reason = ", ".join(filter(None, wrong))
    return found | {"passed": not reason, "reason": reason}


# Older methods


def _older(histories):
    """Apply the older methods to all strata added up."""
    from uncounted.models import classical

    counts = histories.counts[0].sum(axis=0)
    began = time.perf_counter()
    table = classical.fit(histories_of(counts[None])).set_index("method")
    best = table.loc["best_bic" if "best_bic" in table.index else "best_bic_pairs"]
    terms = _terms(best["detail"], histories.lists)
    by_method = {
        "best_bic": lambda level: classical.log_linear(counts, terms, level=level),
        "chao_lower_bound": lambda level: classical.chao_lower_bound(counts, level=level),
        "independence": lambda level: classical.log_linear(counts, (), level=level),
    }
    if not np.isfinite(best["estimate"]):
        by_method["best_bic"] = lambda level: (np.nan,) * 3
    answers = {name: [by_method[name](level / 100) for level in LEVELS] for name in OLDER}
    seconds = (time.perf_counter() - began) / len(OLDER)
    return [{"model": name, "seconds": seconds} | _of_method(found) for name, found in answers.items()]


def _terms(formula, lists):
    """Read the largest sets of a formula such as "[A B] [C]", as numbers of cells."""
    sets = re.findall(r"\[([^\]]*)\]", formula.split(";")[0])
    return [sum(1 << lists.index(name) for name in one.split()) for one in sets if " " in one]


def _of_method(answers):
    """Columns of one method, from its estimate and ends at each level; an upper end may be infinite."""
    estimate = answers[0][0]
    if not np.isfinite([estimate, *(lower for _, lower, _ in answers)]).all():
        return _NOTHING | {"reason": "no estimate"}
    ends = [end for _, lower, upper in answers for end in (lower, upper)]
    return _NOTHING | _named(estimate, ends) | {"passed": True}
