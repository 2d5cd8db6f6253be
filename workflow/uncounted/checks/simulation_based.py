r"""Whether the code of a model is right: simulation-based calibration (Talts et al. 2018, arXiv:1804.06788).

Parameters are drawn from the prior, a table of capture histories from the parameters, and the model is fitted to it.
If, and only if, prior, likelihood and sampler agree, the rank of each true value among the draws is uniform.

The prior is stated here a second time, from the equations in the models' docstrings and without their code.

People
    The prior :math:`1/N` of the number of people is improper. But given that :math:`n` were seen, it says the same of
    parameters and unseen whatever :math:`n` is: :math:`n` is drawn from a proper distribution instead, the cells are
    multinomial, and the unseen :math:`u \sim \mathrm{Poisson}(\Lambda \, q(0) / \sum q(h))` with
    :math:`\Lambda \sim \mathrm{Gamma}(n, 1)`. So the rank of the number of people is uniform too. Tables that a study
    refuses are left out; that depends on the table alone, and ranks remain uniform.

Ranks
    Uniformity is judged by the largest departure of the distribution function, anywhere, from what uniform ranks allow,
    with bands that hold everywhere at once (Säilynoja, Bürkner and Vehtari 2022, Stat. Comput. 32:32, sec. 2.2).
"""

import importlib
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa
from scipy.stats import binom

from uncounted.checks.calibration import histories_of, judge_fit, settings_of, timed_fit
from uncounted.evidence.histories import not_estimable_alone
from uncounted.inference import seed_for

RANKS = 100
"""A rank is a whole number below this: the truth among one draw fewer."""

BINS = 20
"""Places at which the distribution of ranks is looked at, and bars of the histogram."""

LEVEL = 0.95
"""Of the bands, over all places at once."""

_SIMULATED = 4000
_MOST = 40.0
_LOCAL_SCALES = np.tan(np.pi * (2 * np.arange(8) + 1) / 32)

SCHEMA = pa.DataFrameSchema(
    {
        "model": pa.Column(str),
        "lists": pa.Column(int),
        "strata": pa.Column(int),
        "batch": pa.Column(int),
        "number": pa.Column(int),
        "quantity": pa.Column(str),
        "truth": pa.Column(float),
        "rank": pa.Column(int, pa.Check.in_range(0, RANKS - 1)),
        "passed": pa.Column(bool),
        "seconds": pa.Column(float),
    },
    strict=True,
)
"""One row a simulation and quantity; `passed`: whether the fit passed its checks."""

UNIFORMITY = pa.DataFrameSchema(
    {
        "model": pa.Column(str),
        "lists": pa.Column(int),
        "strata": pa.Column(int),
        "quantity": pa.Column(str),
        "fits": pa.Column(int),
        "failed": pa.Column(float),
        "p_value": pa.Column(float),
        "uniform": pa.Column(bool),
    },
    strict=True,
)
"""One row a quantity; `uniform`: its p-value is above 0.05 divided by the number of rows."""


def run_ranks(*, config, seed, model, lists, strata, batch, out_parquet):
    """Simulate from the prior of one model, fit, and rank.

    Parameters
    ----------
    config : dict
        ``sampling``, ``checks``, ``simulations`` (in a batch), ``seen`` (least and most people).
    seed : int
    model : str
        ``loglinear`` or ``latent_class``.
    lists, strata : int
    batch : int
        Its number.
    out_parquet : str or Path
        Receives the table of :data:`SCHEMA`.
    """
    from uncounted.console import Progress
    from uncounted.files import atomic_path

    settings = settings_of(config)
    what = f"{model}, {lists} lists, {strata} {'strata' if strata > 1 else 'stratum'}: simulations fitted"
    rows = []
    with Progress(config["simulations"], what, "simulations") as told:
        for number in range(config["simulations"]):
            names = ("ranks", model, str(lists), str(strata), str(batch), str(number))
            found = rank_one(model, lists, strata, settings, config["seen"], seed_for(seed, *names))
            about = {"model": model, "lists": lists, "strata": strata, "batch": batch, "number": number}
            rows += [about | row for row in found]
            told(number + 1)
    table = SCHEMA.validate(pd.DataFrame(rows, columns=list(SCHEMA.columns)).astype({"rank": int, "passed": bool}))
    with atomic_path(Path(out_parquet)) as path:
        table.to_parquet(path, index=False)


def rank_one(model, lists, strata, settings, seen, seed):
    """Draw from the prior, simulate, fit, and rank the truth of each quantity among the draws.

    Parameters
    ----------
    model : str
    lists, strata : int
    settings : dict
        As a study has them.
    seen : sequence of int
        The least and the most people seen, over all strata; drawn evenly on the logarithm.
    seed : int

    Returns
    -------
    list of dict
        ``quantity``, ``truth``, ``rank``, ``passed``, ``seconds``; empty if the sampler gave up.
    """
    rng = np.random.default_rng(seed)
    truth, counts = _draw_table(model, lists, strata, settings, seen, rng)
    module = importlib.import_module(f"uncounted.models.{model}")
    fit, reason, seconds = timed_fit(module.fit, histories_of(counts), settings, seed_for(seed, "fit"))
    if fit is None:
        return []
    passed = judge_fit(fit, reason, settings["checks"])["passed"]
    about = {"passed": passed, "seconds": seconds}
    return [
        {"quantity": name, "truth": float(value), "rank": rank_of(value, draws, rng)} | about
        for name, (value, draws) in _quantities(model, truth, fit.posterior).items()
    ]


def _draw_table(model, lists, strata, settings, seen, rng):
    """Draw parameters and a table that a study would not refuse."""
    while True:
        truth = PRIORS[model](lists, strata, settings, rng)
        people = np.round(np.exp(rng.uniform(*np.log(seen), size=strata)) / strata).astype(int)
        if "share_of_seen" in truth:
            # The model says how many of those seen are in each stratum.
            people = rng.multinomial(people.sum(), truth["share_of_seen"])
        counts = np.zeros((strata, 2**lists), dtype=np.int64)
        counts[:, 1:] = [rng.multinomial(n, np.exp(p)) for n, p in zip(people, truth["log_cells"], strict=True)]
        if not not_estimable_alone(histories_of(counts.sum(axis=0, keepdims=True))):
            log_unseen = np.log(rng.gamma(people)) + truth["log_odds_unseen"]
            truth["total"] = (people + rng.poisson(np.exp(np.minimum(log_unseen, _MOST)))).sum()
            return truth, counts


def _quantities(model, truth, posterior):
    """What is ranked: the true value and its draws."""
    names = [name for name in truth if name in posterior and name != "ease"]
    pairs = {name: (np.ravel(truth[name])[0], _first(posterior[name])) for name in names}
    if model == "loglinear":
        ease = posterior["ease"].isel(stratum=0)
        steps = {f"D_{t + 1}": (truth["ease"][0, t], _flat(ease.isel(steps=t))) for t in range(truth["ease"].shape[1])}
        pairs |= steps
    return pairs


def _flat(array):
    return array.values.astype(float).ravel()


def _first(array):
    """Draws of the first element; the order of lists, pairs and strata means nothing here."""
    values = array.values.astype(float)
    return values.reshape(values.shape[0] * values.shape[1], -1)[:, 0]


def rank_of(truth, draws, rng):
    """Rank a true value among draws that stand for independent ones.

    Parameters
    ----------
    truth : float
    draws : numpy.ndarray
        At least :data:`RANKS` minus 1; thinned to that, so that draws that follow each other matter little.
    rng : numpy.random.Generator
        Breaks ties.

    Returns
    -------
    int
        From 0 to :data:`RANKS` minus 1.
    """
    kept = draws[np.linspace(0, len(draws) - 1, RANKS - 1).round().astype(int)]
    ties = (kept == truth).sum()
    return int((kept < truth).sum() + rng.integers(ties + 1))


# The priors, a second time


def draw_prior(lists, strata, settings, rng):
    """Draw from the prior of the log-linear model, as its docstring states it.

    Parameters
    ----------
    lists, strata : int
    settings : dict
        ``priors``.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        Parameters by the names of the posterior's variables; ``ease`` (stratum, step); ``log_cells`` (stratum, cell),
        logs of the shares among the seen; ``log_odds_unseen`` (stratum,).
    """
    priors = settings["priors"]
    on = _on(lists)
    level, steps = _draw_ease(lists, priors, rng)
    x = np.array([_draw_first_step(steps, rng), *steps])[None, :]
    pair_scale, pairs = _draw_pairs(lists * (lists - 1) // 2, priors, rng)
    middle, spread = (
        rng.normal(priors["coverage"]["mean"], priors["coverage"]["sd"]),
        _positive("coverage_spread", priors, rng),
    )
    common = rng.normal(middle, spread, lists)
    drawn = {
        "coverage_mean": middle,
        "coverage_spread": spread,
        "pair_scale": pair_scale,
        "pairs": pairs,
        "ease_level": level,
    }
    coverage, by_stratum = common[None, :], pairs[None, :]
    if strata > 1:
        sds = {name: _positive(name, priors, rng) for name in _BY_STRATUM}
        coverage = rng.normal(common, sds["coverage_by_stratum"], (strata, lists))
        by_stratum = rng.normal(pairs, sds["pairs_by_stratum"], (strata, len(pairs)))
        x = x + rng.normal(0, sds["ease_by_stratum"], (strata, 1))
        drawn |= sds | {"coverage_common": common}
    ease = np.logaddexp(0, x)
    log_cells = coverage @ on.T + by_stratum @ _both(on).T + ease[:, 1:] @ _easier(on).T
    log_seen = np.logaddexp.reduce(log_cells, axis=1)
    return drawn | {
        "coverage": coverage,
        "ease": ease,
        "log_cells": log_cells - log_seen[:, None],
        "log_odds_unseen": ease[:, 0] - log_seen,
    }


_BY_STRATUM = ("coverage_by_stratum", "pairs_by_stratum", "ease_by_stratum")


def _on(lists):
    """Which lists each observable cell stands for; float (cell, list)."""
    return (np.arange(1, 2**lists)[:, None] >> np.arange(lists) & 1).astype(float)


def _both(on):
    """Which cells are on both lists of each pair, in the order 0-1, 0-2, ..., 1-2, ...; (cell, pair)."""
    lists = on.shape[1]
    return np.stack([on[:, j] * on[:, k] for j in range(lists) for k in range(j + 1, lists)], axis=1)


def _easier(on):
    """How often D_2, D_3, ... count in each cell: s - t for people on s lists; (cell, step)."""
    seen_on = on.sum(axis=1, keepdims=True)
    return np.maximum(seen_on - np.arange(2, on.shape[1]), 0.0)


def _draw_ease(lists, priors, rng):
    """The ease level, and x_2, x_3, ... in their order."""
    level = rng.normal(priors["ease_level"]["mean"], priors["ease_level"]["sd"])
    steps = [level]
    for _ in range(lists - 3):
        steps.append(steps[-1] - 0.3 + priors["ease_step"]["value"] * rng.standard_t(3))
    return level, steps


def _draw_first_step(steps, rng):
    """x_1, of which no cell speaks, given x_2 and, where there are four lists or more, x_3."""
    x_2 = steps[0]
    unclear = 1 / (1 + np.exp(2 * (x_2 + 0.75))) / len(steps)
    mean = 0.8 - 0.5 * np.log1p(np.exp(2 * (0.5 - x_2))) + 0.6 * unclear
    if len(steps) > 1:
        x_3 = steps[1]
        mean -= np.tanh(0.15 * np.logaddexp(0, 4 * (x_3 - x_2))) * (1.8 + 1.2 * np.logaddexp(0, x_3 - 1.5))
    return rng.normal(mean, 0.8 + 0.6 / (1 + np.exp(-2 * (x_2 - 1.3))) + 0.5 * unclear)


def _draw_pairs(number, priors, rng):
    """The scale, and each pair's log odds ratio: from one of eight normals, each as likely."""
    tau, slab = _positive("pair_scale", priors, rng), priors["pair_slab"]["value"]
    wide = (tau * rng.choice(_LOCAL_SCALES, number)) ** 2
    return tau, rng.normal(0, np.sqrt(slab**2 * wide / (slab**2 + wide)))


def _positive(name, priors, rng):
    """A parameter that is above 0."""
    spec = priors[name]
    if spec["distribution"] == "lognormal":
        return spec["median"] * np.exp(spec["sd_log"] * rng.normal())
    return abs(rng.normal(0, spec["scale"]))


def draw_prior_classes(lists, strata, settings, rng):
    """Draw from the prior of the model of latent classes, as its docstring states it.

    Parameters
    ----------
    lists, strata, settings, rng
        As for :func:`draw_prior`; of the settings also ``sampling`` (``classes``).

    Returns
    -------
    dict
        As from :func:`draw_prior`, with ``log_concentration``. What classes are numbered is not ranked.
    """
    priors, classes = settings["priors"], settings["sampling"]["classes"]
    on = _on(lists)
    shape, rate = priors["class_concentration_shape"]["value"], priors["class_concentration_rate"]["value"]
    # With a shape this small the number itself may be below what a float can hold; its logarithm is not.
    log_alpha = np.log(rng.gamma(shape + 1)) + np.log(rng.uniform()) / shape - np.log(rate)
    log_left = -np.exp(np.log(rng.exponential(size=classes - 1)) - log_alpha)
    before = np.concatenate([[0.0], np.cumsum(log_left)])
    log_share = before + np.concatenate([np.log(-np.expm1(log_left)), [0.0]])
    logit = rng.logistic(size=(classes, lists))
    log_share = log_share + np.log(rng.dirichlet(np.ones(strata), size=classes)).T
    log_none = log_share - np.logaddexp(0, logit).sum(axis=1)
    log_cells = np.logaddexp.reduce(log_none[:, None, :] + (on @ logit.T)[None], axis=2)
    log_seen = np.logaddexp.reduce(log_cells, axis=1)
    of_strata = np.exp(log_seen - np.logaddexp.reduce(log_seen))
    return {
        "log_concentration": log_alpha,
        "share_of_seen": of_strata,
        "log_cells": log_cells - log_seen[:, None],
        "log_odds_unseen": np.logaddexp.reduce(log_none, axis=1) - log_seen,
    }


PRIORS = {"loglinear": draw_prior, "latent_class": draw_prior_classes}
"""The models that are drawn from by chains, and their priors."""


# Uniformity


def judge_uniformity(ranks):
    """Judge for each quantity of each model whether its ranks are uniform.

    Parameters
    ----------
    ranks : pandas.DataFrame
        See :data:`SCHEMA`.

    Returns
    -------
    pandas.DataFrame
        See :data:`UNIFORMITY`.
    """
    groups = list(ranks.groupby(["model", "lists", "strata", "quantity"], sort=False))
    rows = []
    for key, some in groups:
        p_value = uniformity(some["rank"].to_numpy())
        rows.append(
            dict(zip(("model", "lists", "strata", "quantity"), key, strict=True))
            | {
                "fits": len(some),
                "failed": float((~some["passed"]).mean()),
                "p_value": p_value,
                "uniform": bool(p_value > (1 - LEVEL) / len(groups)),
            }
        )
    return UNIFORMITY.validate(pd.DataFrame(rows, columns=list(UNIFORMITY.columns)))


def uniformity(ranks):
    """How likely uniform ranks are to depart, at any place, as much from uniformity as these.

    Parameters
    ----------
    ranks : numpy.ndarray of int

    Returns
    -------
    float
        A p-value.
    """
    seen = _departure(_below(np.asarray(ranks)[None, :]), len(ranks))[0]
    chance = _chance(len(ranks))
    return float((1 + (chance <= seen).sum()) / (1 + len(chance)))


def bands(many, level=LEVEL):
    """Bands within which the distribution function of uniform ranks stays at all places at once.

    Parameters
    ----------
    many : int
        How many ranks.
    level : float, optional

    Returns
    -------
    places, lower, upper : numpy.ndarray, (place,)
        Shares of ranks; subtract the place for the difference from uniformity.
    """
    tail = np.quantile(_chance(many), 1 - level) / 2
    places = np.arange(1, BINS) / BINS
    return places, binom.ppf(tail, many, places) / many, binom.ppf(1 - tail, many, places) / many


def share_below(ranks):
    """The distribution function of ranks at the places of :func:`bands`.

    Parameters
    ----------
    ranks : numpy.ndarray of int

    Returns
    -------
    numpy.ndarray, (place,)
    """
    return _below(np.asarray(ranks)[None, :])[0] / len(ranks)


def _below(ranks):
    """How many ranks are below each place; (set, place)."""
    limits = RANKS * np.arange(1, BINS) / BINS
    return (ranks[:, :, None] < limits).sum(axis=1)


def _departure(below, many):
    """Twice the smallest tail probability over all places; (set,)."""
    places = np.arange(1, BINS) / BINS
    tails = np.minimum(binom.cdf(below, many, places), binom.sf(below - 1, many, places))
    return 2 * tails.min(axis=1)


@cache
def _chance(many):
    """What the departure is for uniform ranks; (simulated set,)."""
    counts = np.random.default_rng(many).multinomial(many, np.full(BINS, 1 / BINS), size=_SIMULATED)
    return _departure(np.cumsum(counts, axis=1)[:, :-1], many)
