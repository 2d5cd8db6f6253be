"""Known deaths, every figure simulated from them: does the fit find them again?"""

from dataclasses import dataclass, replace

import numpy as np
import pymc as pm
import pytest
from pymc.pytensorf import find_rng_nodes, reseed_rngs
from pytensor.compile.mode import Mode

from uncounted.inference import draw, seed_for
from uncounted.models import synthesis
from uncounted.models.synthesis_evidence import Layout, as_day

PLAIN = Mode(linker="py", optimizer="fast_compile")
LARGE_BANDS = {"15-24": slice(0, 2), "25-34": slice(2, 4), "35-44": slice(4, 6), "45 and older": slice(6, 10)}


@dataclass
class World:
    """What was true, and the figures that were published of it."""

    deaths: int
    expected_by_age: np.ndarray
    layout: Layout


@pytest.fixture(scope="module")
def figures_of(model):
    """Draw all figures, given the parameters and the evidence that others depend on."""
    names = [rv.name for rv in model.free_RVs]
    outputs = [rv.name for rv in model.observed_RVs] + ["expected_deaths"]
    function = pm.compile(model.free_RVs, [model[name] for name in outputs], mode=PLAIN, on_unused_input="ignore")
    generators = find_rng_nodes([model[name] for name in outputs])
    as_published = model["evidence"].get_value()

    def evaluate(truth, evidence, seed):
        # The same figures whichever worlds are simulated before.
        reseed_rngs(generators, seed)
        model.set_data("evidence", evidence)
        values = function(*[np.asarray(truth[name], dtype=float) for name in names])
        return dict(zip(outputs, values, strict=True))

    yield evaluate
    model.set_data("evidence", as_published)


def walk(rng, start, sd, count):
    return start + np.concatenate([[0.0], np.cumsum(rng.normal(scale=sd, size=count - 1))])


def plausible(rng, layout, *, nameable_a_day, ceiling, share_registered):
    """Parameters as they may be, with about so many nameable deaths a day."""
    sizes = {name: len(labels) for name, labels in layout.coords.items()}
    log_rate = walk(rng, 0.0, 0.25, sizes["month"])
    days = layout.data["segments_of_month"] @ layout.data["days"]
    log_rate += np.log(nameable_a_day / np.average(np.exp(log_rate), weights=days))
    mix = np.array([-2.5, 0.5, 0.7, 0.8, 0.7, 0.5, 0.0, -0.4, -1.0, -1.8])
    moves = rng.normal(size=(sizes["later_quarter"], sizes["age"]))
    trend_mean, trend_spread = -0.01, 0.004
    ages = sizes["registered_age"]
    return {
        "rate_step": 0.25,
        "log_rate": log_rate,
        "age_drift": 0.08,
        "age_mix_level": mix - mix.mean(),
        "age_mix_moves": moves - moves.mean(axis=1, keepdims=True),
        "ceiling": ceiling,
        "ceiling_steps": rng.normal(size=sizes["age"] - 1),
        "ceiling_step": 0.25,
        "naming_delay": 50.0,
        "naming_tail": 1.3,
        "effort_step": 0.15,
        "effort_moves": rng.normal(size=sizes["half_year"] - 1),
        "naming_burst": 0.1,
        "dated_share": 0.7,
        "dated_slope": 0.3,
        "ratio_level": layout.data["log_ratio"].mean(axis=1),
        "ratio_trend_mean": trend_mean,
        "ratio_trend_spread": trend_spread,
        "ratio_trend": rng.normal(trend_mean, trend_spread, size=ages),
        "ratio_scatter": np.full(ages, 0.02),
        "ratio_memory": 0.5,
        "ratio_shared": 0.25,
        "ratio_common": rng.normal(size=sizes["line_year"]),
        "ratio_in_war_common": rng.normal(size=sizes["war_year"]),
        "share_registered": share_registered,
        "registration_delay": 30.0,
        "pandemic_left": 0.1,
        "ledger_carries": 0.6,
    }


def simulate(rng, truth, layout, figures_of):
    """Draw every figure; those that depend on others come after them."""
    data = {name: value.copy() for name, value in layout.data.items()}

    def figures():
        return figures_of(truth, synthesis.pack(data), int(rng.integers(2**31)))

    # The list, and what is read off it: no name is lost, so sizes add up.
    first = figures()
    data["log_increments_seen"] = first["list_increments"]
    sizes = np.rint(np.cumsum(np.exp(data["log_increments_seen"]))).astype(int)
    days = layout.facts["days"]["total_days"]
    after = int(np.searchsorted(days, layout.facts["days"]["dated"]))
    data["size_around_dated"] = sizes[after - 1 : after + 1].astype(float)
    bound_day = as_day(layout.coords["list_day"][layout.places["bound"]])
    graves_day = as_day(layout.coords["list_day"][layout.places["graves"]])
    data["graves_list_size"] = np.array(float(sizes[days.index(graves_day)]))
    data["bound_of"] = np.array(float(sizes[days.index(bound_day)]))
    data["dated_by_month_seen"] = synthesis.centred(first["dated_by_month"], data["dated_sd"])
    data["named_ages_seen"] = synthesis.centred(first["named_ages"], data["ages_sd"])
    second = figures()
    data["graves_logit_seen"] = second["graves_share"]
    data["log_dated_total_seen"] = second["dated_total"]
    data["ledger_logit_seen"] = second["ledger_share"]
    # 'More than': a round number below.
    data["more_than_seen"] = np.array(np.floor(second["named_in_year"] / 1_000) * 1_000)
    # The registry: each year depends on the one before.
    for year in range(data["log_ratio"].shape[1]):
        data["log_ratio"][:, year] = figures()["ratio_before_war"][:, year]
    line = truth["ratio_level"] + truth["ratio_trend"] * data["pandemic_time"]
    data["pandemic_log_ratio"] = line + rng.normal(0.05, 0.02, size=len(line))
    for year in range(data["registered_male_seen"].shape[1]):
        data["registered_male_seen"][:, year] = figures()["registered_male"][:, year]
    return data, sizes, figures()


def new_world(seed, layout, figures_of, **main):
    rng = np.random.default_rng(seed)
    truth = plausible(rng, layout, **main)
    data, sizes, figures = simulate(rng, truth, layout, figures_of)
    counted = layout.facts["periods"]["counted"].to_numpy()
    deaths = figures["expected_deaths"][counted]
    dated = np.exp(data["dated_by_month_seen"])
    dated = np.floor(np.exp(data["log_dated_total_seen"]) * dated / dated.sum()).astype(int)
    with_age = np.exp(data["named_ages_seen"])
    with_age = np.floor(sum(layout.facts["named_by_age"].values()) * with_age / with_age.sum()).astype(int)
    days = layout.facts["days"]["total_days"]
    size = int(sizes[days.index(layout.facts["named_closed"])])
    facts = layout.facts | {
        "named": size,
        "named_by_day": dict(zip(days, sizes.tolist(), strict=True)),
        "dated_by_month": dict(zip(layout.coords["dated_month"], dated.tolist(), strict=True)),
        "named_by_age": dict(zip(layout.coords["age"], with_age.tolist(), strict=True)),
    }
    return World(
        deaths=int(max(size, rng.poisson(deaths.sum()))),
        expected_by_age=deaths.sum(axis=0),
        layout=replace(layout, data=data, facts=facts),
    )


WORLDS = {
    "most are named one day": {"nameable_a_day": 85, "ceiling": 0.85, "share_registered": 0.9},
    "as in the estimate": {"nameable_a_day": 90, "ceiling": 0.65, "share_registered": 0.85},
    "half are never named": {"nameable_a_day": 85, "ceiling": 0.45, "share_registered": 0.8},
}


@pytest.fixture(scope="module", params=WORLDS)
def refit(request, layout, compiled, figures_of):
    """A known truth, and the posterior from its figures."""
    world = new_world(seed_for(1, request.param), layout, figures_of, **WORLDS[request.param])
    trace = draw(
        compiled.with_data(evidence=synthesis.pack(world.layout.data)),
        draws=250,
        tune=250,
        chains=2,
        seed=seed_for(2, request.param),
        target_accept=0.85,
        what="drawing again",
    )
    return world, trace.posterior


def test_true_deaths_are_inside_the_central_98_per_cent(refit):
    world, posterior = refit
    assert 60_000 < world.deaths < 200_000
    deaths = synthesis.count_deaths(posterior, world.layout, seed=3)["deaths"]
    low, high = np.quantile(deaths, [0.01, 0.99])
    assert low <= world.deaths <= high
    # An interval that holds everything would hold the truth, too.
    assert high - low < world.deaths


def test_true_deaths_of_large_age_bands_are_inside_the_central_99_8_per_cent(refit):
    world, posterior = refit
    counted = world.layout.facts["periods"]["counted"].to_numpy()
    by_age = posterior["expected_deaths"].values[:, :, counted].sum(axis=2)
    for name, ages in LARGE_BANDS.items():
        low, high = np.quantile(by_age[..., ages].sum(axis=-1), [0.001, 0.999])
        assert low <= world.expected_by_age[ages].sum() <= high, name
