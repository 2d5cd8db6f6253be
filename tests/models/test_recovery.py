"""Known deaths, every figure simulated from them: does the fit find them again?"""

import numpy as np
import pytest

from uncounted.checks.synthesis_calibration import figures_function, simulate
from uncounted.inference import draw, seed_for
from uncounted.models import synthesis

LARGE_BANDS = {"15-24": slice(0, 2), "25-34": slice(2, 4), "35-44": slice(4, 6), "45 and older": slice(6, 10)}


@pytest.fixture(scope="module")
def figures_of(model):
    """Draw all figures, given the parameters and the evidence that others depend on."""
    return figures_function(model)


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


def new_world(seed, layout, figures_of, **main):
    """A truth and its figures; drawn again where a study would not have such figures."""
    rng = np.random.default_rng(seed)
    world = None
    while world is None:
        world = simulate(rng, plausible(rng, layout, **main), layout, figures_of)
    return world


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
    true_by_age = world.expected.sum(axis=0)
    for name, ages in LARGE_BANDS.items():
        low, high = np.quantile(by_age[..., ages].sum(axis=-1), [0.001, 0.999])
        assert low <= true_by_age[ages].sum() <= high, name
