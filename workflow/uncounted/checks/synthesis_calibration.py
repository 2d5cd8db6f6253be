"""Whether the intervals of the synthesis hold what they promise: known deaths, and all figures made of them.

Truths are drawn, the model's own functions draw from them what each source would have published, and the model is
fitted to that. The shapes of the tables, the days of publication, the stated errors and the women in the registry are
those of the study. Two kinds of truths answer two questions:

`fast`, `slow`
    How far the share that is ever named, the share registered, the delay of naming and the number of deaths can be told
    apart where they may be anything within wide ranges (evenly drawn); all other parameters come from the prior. How
    often intervals hold there depends on how the ranges lie to the prior.
`prior`
    All parameters come from the model's own prior. Ranks of the truth among the draws are uniform if sampler and
    densities agree (Talts et al. 2018, arXiv:1804.06788). The figures are drawn through the model's code: an equation
    that is wrong in the same way in both is not noticed, nor is one that is wrong for the world.

Worlds are drawn again where the figures are none that a study would have: too few names or too many, or not more than
the published share of them dead in the second year of the war. That depends on the figures alone, so that ranks remain
uniform.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa

from uncounted.checks.calibration import LEVELS, judge_fit, timed_fit
from uncounted.checks.calibration_table import monte_carlo_error
from uncounted.checks.simulation_based import LEVEL, RANKS, rank_of, uniformity
from uncounted.errors import UserError
from uncounted.inference import seed_for

DEATHS = "deaths"
RANKED = (
    *(DEATHS, "ceiling", "share_registered", "naming_delay", "naming_tail", "naming_burst", "rate_step"),
    *("age_drift", "ceiling_step", "effort_step", "dated_share", "dated_slope", "registration_delay", "ratio_memory"),
    *("ratio_shared", "pandemic_left", "ledger_carries"),
)
"""The quantities of which truth and posterior are compared."""

KINDS = ("fast", "slow", "prior")
"""Where truths come from."""

EVERY = "fast and slow"
"""Stands for both kinds whose truths come from stated ranges."""

_MOST_TRIES = 500
_ENDS = {f"{end}_{level}": pa.Column(float, nullable=True) for level in LEVELS for end in ("lower", "upper")}

SCHEMA = pa.DataFrameSchema(
    {
        "kind": pa.Column(str, pa.Check.isin(KINDS)),
        "batch": pa.Column(int),
        "number": pa.Column(int),
        "redrawn": pa.Column(int, pa.Check.ge(0)),
        "named": pa.Column(int),
        "quantity": pa.Column(str, pa.Check.isin(RANKED)),
        "truth": pa.Column(float),
        "median": pa.Column(float, nullable=True),
        **_ENDS,
        "rank": pa.Column(int, pa.Check.in_range(-1, RANKS - 1)),
        "passed": pa.Column(bool),
        "reason": pa.Column(str),
        "seconds": pa.Column(float),
        "whole_seconds": pa.Column(float),
    },
    strict=True,
)
"""One row a world and quantity. `redrawn`: worlds refused before it; `rank`: of the truth among the draws, -1 without a
fit; `passed`: whether the fit passed its checks; `seconds` of the fit, `whole_seconds` of the batch, with compiling."""

SUMMARY = pa.DataFrameSchema(
    {
        "kind": pa.Column(str),
        "quantity": pa.Column(str),
        "fits": pa.Column(int),
        "answered": pa.Column(int),
        **{f"coverage_{level}": pa.Column(float, nullable=True) for level in LEVELS},
        **{f"error_{level}": pa.Column(float, nullable=True) for level in LEVELS},
        "too_low": pa.Column(float, nullable=True),
        "too_high": pa.Column(float, nullable=True),
        "bias": pa.Column(float, nullable=True),
        "width": pa.Column(float, nullable=True),
        "failed": pa.Column(float),
        "p_value": pa.Column(float, nullable=True),
        "uniform": pa.Column("boolean", nullable=True),
        "seconds": pa.Column(float),
        "fits_a_minute": pa.Column(float),
    },
    strict=True,
)
"""One row a kind (or :data:`EVERY`) and quantity.

`coverage_<level>`: the share of intervals that hold the truth, and its Monte Carlo error; `too_low`, `too_high`: the
shares of 95 % intervals that end below it, or begin above; `bias`: the mean of the log of median over truth; `width`:
the median of the log of upper over lower end at 95 %; `failed`: the share of fits that failed a check; `p_value`,
`uniform`: of the ranks, for truths from the prior alone. `uniform` if the p-value is above 0.05 divided by the number
of quantities.
"""


@dataclass(frozen=True)
class World:
    """What was true, and the figures that were published of it.

    Attributes
    ----------
    deaths : int
        Up to the cut-off.
    expected : numpy.ndarray, (period, age)
        Expected deaths up to the cut-off.
    truth : dict
        Parameters by name.
    layout : Layout
        With the simulated figures in the place of the published.
    """

    deaths: int
    expected: np.ndarray
    truth: dict
    layout: object


# From parameters to figures

_TAKEN_AS_DRAWN = {
    "graves_share": "graves_logit_seen",
    "dated_total": "log_dated_total_seen",
    "ledger_share": "ledger_logit_seen",
}
"""Observed variables that need no more than the sizes of the list, and the arrays of the evidence that they become."""

_OWN_WAY = {"list_increments", "dated_by_month", "named_ages", "named_in_year", "registered_male", "ratio_before_war"}
"""Observed variables that :func:`simulate` brings into the evidence each in its own way."""


def figures_function(model):
    """Compile the model forwards: from parameters to what each source would have published.

    Parameters
    ----------
    model : pymc.Model
        As :func:`uncounted.models.synthesis.build` returns it; its evidence is left as it was.

    Returns
    -------
    callable
        ``(truth, evidence, seed)`` to a dict of the observed variables and ``expected_deaths``; the same for the same
        seed, whatever was drawn before.

    Raises
    ------
    ValueError
        The model observes something that :func:`simulate` has no place for.
    """
    import pymc as pm
    from pymc.pytensorf import find_rng_nodes, reseed_rngs
    from pytensor.compile.mode import Mode

    unknown = {rv.name for rv in model.observed_RVs} - {*_TAKEN_AS_DRAWN, *_OWN_WAY}
    if unknown:
        raise ValueError(f"simulate has no place for {', '.join(sorted(unknown))}")
    names = [rv.name for rv in model.free_RVs]
    outputs = [rv.name for rv in model.observed_RVs] + ["expected_deaths"]
    nodes = [model[name] for name in outputs]
    # A few hundred evaluations pay for no compiler.
    plain = Mode(linker="py", optimizer="fast_compile")
    function = pm.compile(model.free_RVs, nodes, mode=plain, on_unused_input="ignore")
    generators = find_rng_nodes(nodes)

    def evaluate(truth, evidence, seed):
        as_published = model["evidence"].get_value()
        reseed_rngs(generators, seed)
        model.set_data("evidence", evidence)
        try:
            values = function(*[np.asarray(truth[name], dtype=float) for name in names])
        finally:
            model.set_data("evidence", as_published)
        return dict(zip(outputs, values, strict=True))

    return evaluate


def prior_function(model):
    """Compile the prior of the model.

    Parameters
    ----------
    model : pymc.Model

    Returns
    -------
    callable
        From a seed to parameters by name.
    """
    import pymc as pm
    from pymc.pytensorf import find_rng_nodes, reseed_rngs
    from pytensor.compile.mode import Mode

    function = pm.compile([], model.free_RVs, mode=Mode(linker="py", optimizer="fast_compile"))
    generators = find_rng_nodes(model.free_RVs)

    def draw_parameters(seed):
        reseed_rngs(generators, seed)
        return {rv.name: value for rv, value in zip(model.free_RVs, function(), strict=True)}

    return draw_parameters


def simulate(rng, truth, layout, figures_of, listed=(0, np.inf)):
    """Draw every figure that would have been published; those that depend on others come after them.

    Parameters
    ----------
    rng : numpy.random.Generator
    truth : dict
        Parameters by name.
    layout : Layout
        Of the study.
    figures_of : callable
        From :func:`figures_function`.
    listed : tuple of float, optional
        The fewest and the most names that the list may have at the cut-off.

    Returns
    -------
    World or None
        None if the figures are none that a study would have.
    """
    from uncounted.models.synthesis import pack
    from uncounted.models.synthesis_evidence import centred

    data = {name: value.copy() for name, value in layout.data.items()}

    def figures():
        return figures_of(truth, pack(data), int(rng.integers(2**31)))

    # The list, and what is read off it: no name is lost, so sizes add up.
    first = figures()
    data["log_increments_seen"] = first["list_increments"]
    sizes = _sizes(first["list_increments"])
    if sizes is None or not listed[0] <= _size_on(sizes, layout, layout.facts["named_closed"]) <= listed[1]:
        return None
    _read_off_the_list(data, sizes, layout)
    data["dated_by_month_seen"] = centred(first["dated_by_month"], data["dated_sd"])
    data["named_ages_seen"] = centred(first["named_ages"], data["ages_sd"])
    second = figures()
    data |= {array: second[name] for name, array in _TAKEN_AS_DRAWN.items()}
    # 'More than' a number is a lower bound: of the worlds in which it holds, the model says just that.
    if second["named_in_year"] <= data["more_than_seen"]:
        return None
    _simulate_registry(rng, data, figures)
    if not all(np.isfinite(values).all() for values in data.values()) or data["registered_male_seen"].min() <= 0:
        return None
    return _world(rng, truth, replace(layout, data=data), sizes, figures()["expected_deaths"])


def _sizes(log_increments):
    """Sizes of the list, from its increments; None where there are none that people could count."""
    increments = np.exp(np.minimum(log_increments, 40.0))
    if not np.isfinite(increments).all() or increments.sum() > 1e9:
        return None
    return np.rint(np.cumsum(increments)).astype(int)


def _size_on(sizes, layout, day):
    return int(sizes[layout.facts["days"]["total_days"].index(day)])


def _read_off_the_list(data, sizes, layout):
    """Set what other figures take from the size of the list."""
    from uncounted.models.synthesis_evidence import as_day

    totals = layout.facts["days"]["total_days"]
    after = int(np.searchsorted(totals, layout.facts["days"]["dated"]))
    data["size_around_dated"] = sizes[after - 1 : after + 1].astype(float)
    on = {name: as_day(layout.coords["list_day"][layout.places[name]]) for name in ("bound", "graves")}
    data["graves_list_size"] = np.array(float(_size_on(sizes, layout, on["graves"])))
    share = layout.data["more_than_seen"] / layout.data["bound_of"]
    data["bound_of"] = np.array(float(_size_on(sizes, layout, on["bound"])))
    data["more_than_seen"] = np.floor(share * data["bound_of"])


def _simulate_registry(rng, data, figures):
    """Draw the registry, each year given the one before."""
    for year in range(data["log_ratio"].shape[1]):
        data["log_ratio"][:, year] = figures()["ratio_before_war"][:, year]
    # How the last pandemic year departs from the line that can be seen: nothing else is said of the true one.
    slope, level = np.polyfit(data["line_time"], data["log_ratio"].T, 1)
    data["pandemic_log_ratio"] = level + slope * data["pandemic_time"] + rng.normal(-0.05, 0.02, size=len(level))
    for year in range(data["registered_male_seen"].shape[1]):
        data["registered_male_seen"][:, year] = figures()["registered_male"][:, year]


def _world(rng, truth, layout, sizes, expected):
    """Count: the dead, the named, and whom the tables hold of them."""
    facts, data = layout.facts, layout.data
    named = _size_on(sizes, layout, facts["named_closed"])
    with_age = sum(facts["named_by_age"].values()) / facts["named"] * named
    tables = {
        "dated_by_month": _whole(layout.coords["dated_month"], data["dated_by_month_seen"], _dated_in_all(data)),
        "named_by_age": _whole(layout.coords["age"], data["named_ages_seen"], with_age),
    }
    if sum(tables["dated_by_month"].values()) > named:
        return None
    days = facts["days"]["total_days"]
    facts = facts | tables | {"named": named, "named_by_day": dict(zip(days, sizes.tolist(), strict=True))}
    counted = expected[facts["periods"]["counted"].to_numpy()]
    deaths = named + int(rng.poisson(max(0.0, counted.sum() - named)))
    return World(deaths, counted, truth, replace(layout, facts=facts))


def _dated_in_all(data):
    return float(np.exp(data["log_dated_total_seen"]))


def _whole(labels, logs, total):
    """Whole people in proportion to the exponential of `logs`."""
    shares = np.exp(logs)
    return dict(zip(labels, np.floor(total * shares / shares.sum()).astype(int).tolist(), strict=True))


# Truths


def draw_world(kind, config, layout, prior_of, figures_of, seed, tries=_MOST_TRIES):
    """Draw a truth of one kind, and its figures.

    Parameters
    ----------
    kind : str
        One of :data:`KINDS`.
    config : dict
        ``ceiling``, ``share_registered``, ``deaths`` and, by kind, ``naming_delay``: least and most; ``listed``.
    layout : Layout
    prior_of, figures_of : callable
        From :func:`prior_function` and :func:`figures_function`.
    seed : int
    tries : int, optional
        How many worlds to draw at most.

    Returns
    -------
    World
    redrawn : int
        How many were refused before.

    Raises
    ------
    UserError
        None of many was one that a study would have.
    """
    rng = np.random.default_rng(seed)
    for redrawn in range(tries):
        truth = prior_of(int(rng.integers(2**31)))
        if kind != "prior":
            truth = within_ranges(truth, kind, config, layout, rng)
        world = simulate(rng, truth, layout, figures_of, config["listed"])
        if world is not None:
            return world, redrawn
    raise UserError(
        f"none of {tries} worlds of the kind {kind} has figures that a study would have",
        where="config/calibration.yaml, key synthesis",
        do="widen the ranges",
    )


def within_ranges(truth, kind, config, layout, rng):
    """Draw what decides the answer evenly from stated ranges instead; of deaths and delay, the logarithm.

    Parameters
    ----------
    truth : dict
        Parameters from the prior.
    kind, config, layout
        As for :func:`draw_world`.
    rng : numpy.random.Generator

    Returns
    -------
    dict
    """
    truth = dict(truth)
    for name in ("ceiling", "share_registered"):
        truth[name] = rng.uniform(*config[name])
    truth["naming_delay"] = np.exp(rng.uniform(*np.log(config["naming_delay"][kind])))
    deaths = np.exp(rng.uniform(*np.log(config["deaths"])))
    days = layout.data["segments_of_month"] @ layout.data["days"]
    expected = (np.exp(truth["log_rate"]) * days).sum() / truth["ceiling"]
    truth["log_rate"] = truth["log_rate"] + np.log(deaths / expected)
    return truth


# Batches


def run_batch(*, config, seed, case_config, evidence_folder, batch, out_parquet):
    """Simulate and fit one batch of worlds, with one compiled model.

    Parameters
    ----------
    config : dict
        The key ``synthesis`` of the calibration's config, with its ``checks``.
    seed : int
    case_config : dict
        The study whose tables are simulated.
    evidence_folder : str or Path
    batch : int
        Its number, which with the seed says which worlds it holds.
    out_parquet : str or Path
        Receives the table of :data:`SCHEMA`.
    """
    from uncounted.compiling import compile_model
    from uncounted.console import Progress
    from uncounted.evidence.schemas import read_tables
    from uncounted.files import atomic_path
    from uncounted.models import model_named

    began = time.perf_counter()
    module = model_named(case_config["model"])
    layout = module.lay_out(case_config, read_tables(case_config, evidence_folder))
    model = module.build(layout, case_config["priors"])
    figures_of, prior_of = figures_function(model), prior_function(model)
    compiled = compile_model(model)
    worlds = [(kind, number) for kind in KINDS for number in range(config["populations"].get(kind, 0))]
    rows = []
    with Progress(len(worlds), f"batch {batch}: worlds fitted", "worlds") as told:
        for done, (kind, number) in enumerate(worlds, start=1):
            own = seed_for(seed, "synthesis", kind, str(batch), str(number))
            world, redrawn = draw_world(kind, config, layout, prior_of, figures_of, own)
            about = {"kind": kind, "batch": batch, "number": number, "redrawn": redrawn}
            rows += [about | row for row in fit_world(world, compiled, config, seed_for(own, "fit"))]
            told(done)
    table = as_table(rows, time.perf_counter() - began)
    with atomic_path(Path(out_parquet)) as path:
        table.to_parquet(path, index=False)


def as_table(rows, whole_seconds):
    """Rows of fits as a table.

    Parameters
    ----------
    rows : list of dict
    whole_seconds : float
        How long the batch took.

    Returns
    -------
    pandas.DataFrame
        See :data:`SCHEMA`.
    """
    return SCHEMA.validate(pd.DataFrame(rows).assign(whole_seconds=float(whole_seconds))[list(SCHEMA.columns)])


def fit_world(world, compiled, config, seed):
    """Fit the model to the figures of a world, and hold what it says against what is true.

    Parameters
    ----------
    world : World
    compiled : nutpie.CompiledModel
    config : dict
        ``sampling``, ``checks``.
    seed : int

    Returns
    -------
    list of dict
        The columns of :data:`SCHEMA` but for those that say where in a batch it stands; one a quantity.
    """
    fit, reason, seconds = timed_fit(_sample, world, compiled, config["sampling"], seed)
    judged = judge_fit(fit, reason, config["checks"])
    rng = np.random.default_rng(seed)
    about = {"named": world.layout.facts["named"], "seconds": seconds}
    about |= {name: judged[name] for name in ("passed", "reason")}
    truth = {name: float(world.truth[name]) for name in RANKED if name != DEATHS} | {DEATHS: float(world.deaths)}
    return [about | {"quantity": name, "truth": truth[name], **_seen(fit, name, truth[name], rng)} for name in RANKED]


def _sample(world, compiled, sampling, seed):
    """Draw from the posterior, and count; the number of deaths is also called `total`, for the checks."""
    from uncounted.inference import draw
    from uncounted.models import synthesis

    evidence = synthesis.pack(world.layout.data)
    trace = draw(compiled.with_data(evidence=evidence), **sampling, seed=seed, what="drawing from the posterior")
    counted = synthesis.count_deaths(trace.posterior, world.layout, seed_for(seed, "count"))
    trace.posterior = trace.posterior.assign({DEATHS: counted[synthesis.DEATHS], "total": counted[synthesis.DEATHS]})
    return trace


def _seen(fit, name, truth, rng):
    """What the posterior says of one quantity."""
    if fit is None:
        return {"median": np.nan, **dict.fromkeys(_ENDS, np.nan), "rank": -1}
    draws = fit.posterior[name].values.astype(float).ravel()
    tails = {f"lower_{level}": (100 - level) / 200 for level in LEVELS}
    tails |= {f"upper_{level}": (100 + level) / 200 for level in LEVELS}
    ends = {end: float(np.quantile(draws, tail)) for end, tail in tails.items()}
    return {"median": float(np.median(draws)), **ends, "rank": rank_of(truth, draws, rng)}


# The table


def summarise(rows):
    """Sum up fits by kind and quantity.

    Parameters
    ----------
    rows : pandas.DataFrame
        See :data:`SCHEMA`.

    Returns
    -------
    pandas.DataFrame
        See :data:`SUMMARY`.
    """
    found = []
    kinds = [kind for kind in KINDS if (rows["kind"] == kind).any()]
    stated = [kind for kind in kinds if kind != "prior"]
    groups = {kind: [kind] for kind in kinds} | ({EVERY: stated} if len(stated) > 1 else {})
    a_minute = 60 * len(_fits(rows)) / rows.groupby("batch")["whole_seconds"].first().sum()
    for label, members in groups.items():
        for quantity in RANKED:
            some = rows[rows["kind"].isin(members) & (rows["quantity"] == quantity)]
            found.append({"kind": label, "quantity": quantity, **_summed_up(some), "fits_a_minute": a_minute})
    table = pd.DataFrame(found)[list(SUMMARY.columns)]
    return SUMMARY.validate(table.astype({"uniform": "boolean"}))


def _fits(rows):
    return rows.drop_duplicates(["kind", "batch", "number"])


def _summed_up(some):
    answered = some[some["median"].notna()]
    truth = answered["truth"]
    holds = {level: (answered[f"lower_{level}"] <= truth) & (truth <= answered[f"upper_{level}"]) for level in LEVELS}
    return {
        "fits": len(some),
        "answered": len(answered),
        **{f"coverage_{level}": _mean(held) for level, held in holds.items()},
        **{f"error_{level}": monte_carlo_error(held) for level, held in holds.items()},
        "too_low": _mean(answered["upper_95"] < truth),
        "too_high": _mean(answered["lower_95"] > truth),
        "bias": _mean(np.log(answered["median"] / truth)),
        "width": float(np.log(answered["upper_95"] / answered["lower_95"]).median()),
        "failed": float((~some["passed"]).mean()),
        "seconds": float(some["seconds"].median()),
        **_ranks(answered),
    }


def _ranks(answered):
    """Whether ranks are uniform, where all truths are from the prior."""
    if answered.empty or (answered["kind"] != "prior").any():
        return {"p_value": np.nan, "uniform": None}
    p_value = uniformity(answered["rank"].to_numpy())
    return {"p_value": p_value, "uniform": p_value > (1 - LEVEL) / len(RANKED)}


def _mean(values):
    return float(values.mean()) if len(values) else np.nan
