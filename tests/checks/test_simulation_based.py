"""Simulation-based calibration: the prior stated twice, ranks, and what counts as uniform."""

import numpy as np
import pandas as pd
import pytensor.tensor as pt
import pytest
from scipy.stats import ks_2samp

from uncounted.checks import simulation_based as sbc
from uncounted.checks.calibration import histories_of, settings_of
from uncounted.models import loglinear

CHAINS = {"draws": 250, "tune": 250, "chains": 2, "target_accept": 0.85}
CHECKS = {"r_hat": 1.05, "ess_reported": 100, "divergences": 10}
SETTINGS = settings_of({"sampling": {"loglinear": CHAINS}, "checks": CHECKS})


# The priors


@pytest.mark.parametrize("steps", [[-3.0], [-0.75], [0.4], [2.5], [-1.5, -1.8], [0.2, 1.4], [1.9, 1.0, 0.7]])
def test_ease_is_carried_over_as_the_model_carries_it(steps):
    drawn = [sbc._draw_first_step(steps, np.random.default_rng(seed)) for seed in range(4000)]
    mean, sd = (value.eval() for value in loglinear._carried_over([pt.as_tensor(step) for step in steps]))
    assert np.mean(drawn) == pytest.approx(mean, abs=4 * sd / np.sqrt(4000))
    assert np.std(drawn) == pytest.approx(sd, rel=0.05)


@pytest.mark.parametrize("model", sbc.PRIORS)
@pytest.mark.parametrize("strata", [1, 3])
def test_a_draw_is_a_table_of_probabilities(model, strata):
    rng = np.random.default_rng(1)
    for _ in range(50):
        drawn = sbc.PRIORS[model](4, strata, SETTINGS, rng)
        assert drawn["log_cells"].shape == (strata, 15)
        np.testing.assert_allclose(np.exp(drawn["log_cells"]).sum(axis=1), 1)
        assert np.isfinite(drawn["log_odds_unseen"]).all()


def test_without_data_the_model_draws_from_the_prior_as_stated_here():
    more = SETTINGS | {
        "sampling": SETTINGS["sampling"] | {"loglinear": CHAINS | {"draws": 1_000, "target_accept": 0.9}}
    }
    posterior = loglinear.fit(histories_of(np.zeros((1, 16), dtype=int)), more, 1).posterior
    rng = np.random.default_rng(1)
    prior = [sbc.draw_prior(4, 1, SETTINGS, rng) for _ in range(2_000)]
    for name in ("coverage_mean", "coverage_spread", "coverage", "pairs", "pair_scale", "ease_level"):
        stated = [np.ravel(drawn[name])[0] for drawn in prior]
        # A thousand effective draws or so against two thousand: apart by more than 0.1 once in ten thousand times.
        assert ks_2samp(stated, sbc._first(posterior[name])).statistic < 0.1, name
    for step in range(3):
        stated = [drawn["ease"][0, step] for drawn in prior]
        assert ks_2samp(stated, posterior["ease"].values[:, :, 0, step].ravel()).statistic < 0.1, step


def test_cells_are_those_of_the_equations():
    """One draw of the log-linear model, its cells written out one by one."""
    drawn = sbc.draw_prior(4, 1, SETTINGS, np.random.default_rng(4))
    c, gamma, (d_1, d_2, d_3) = drawn["coverage"][0], drawn["pairs"], drawn["ease"][0]
    pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]

    def log_q(cell):
        on = [j for j in range(4) if cell >> j & 1]
        s = len(on)
        depends = sum(g for g, (j, k) in zip(gamma, pairs, strict=True) if j in on and k in on)
        return sum(c[j] for j in on) + max(s - 2, 0) * d_2 + max(s - 3, 0) * d_3 + depends

    logs = np.array([log_q(cell) for cell in range(1, 16)])
    everyone = np.log(np.exp(logs).sum())
    np.testing.assert_allclose(drawn["log_cells"][0], logs - everyone)
    assert drawn["log_odds_unseen"][0] == pytest.approx(d_1 - everyone)


def test_probabilities_of_classes_add_up():
    """Drawn cells against a direct sum over classes, on the natural scale."""
    rng = np.random.default_rng(2)
    state = rng.bit_generator.state
    drawn = sbc.draw_prior_classes(3, 1, SETTINGS, rng)
    rng.bit_generator.state = state
    priors, classes = SETTINGS["priors"], SETTINGS["sampling"]["classes"]
    shape, rate = (priors[f"class_concentration_{name}"]["value"] for name in ("shape", "rate"))
    alpha = rng.gamma(shape + 1) * rng.uniform() ** (1 / shape) / rate
    sticks = 1 - np.exp(-rng.exponential(size=classes - 1) / alpha)
    shares = np.append(sticks, 1) * np.concatenate([[1], np.cumprod(1 - sticks)])
    found = 1 / (1 + np.exp(-rng.logistic(size=(classes, 3))))
    on = (np.arange(8)[:, None] >> np.arange(3)) & 1
    cells = shares @ np.where(on[None], found[:, None], 1 - found[:, None]).prod(axis=2)
    assert shares.sum() == pytest.approx(1)
    np.testing.assert_allclose(np.exp(drawn["log_cells"][0]), cells[1:] / cells[1:].sum())
    assert np.exp(drawn["log_odds_unseen"][0]) == pytest.approx(cells[0] / cells[1:].sum())


# Ranks


def test_rank_counts_draws_below_and_breaks_ties_evenly():
    rng = np.random.default_rng(1)
    draws = np.arange(sbc.RANKS - 1, dtype=float)
    assert sbc.rank_of(-1.0, draws, rng) == 0
    assert sbc.rank_of(1e9, draws, rng) == sbc.RANKS - 1
    assert sbc.rank_of(9.5, draws, rng) == 10
    same = [sbc.rank_of(5.0, np.full(500, 5.0), rng) for _ in range(2_000)]
    assert np.mean(same) == pytest.approx((sbc.RANKS - 1) / 2, abs=3)
    assert min(same) < 3 and max(same) > sbc.RANKS - 4


def test_uniform_ranks_pass_as_often_as_they_should():
    rng = np.random.default_rng(1)
    p_values = [sbc.uniformity(rng.integers(sbc.RANKS, size=100)) for _ in range(200)]
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.05)
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    "place",
    [
        lambda u: u**1.5,
        lambda u: 1 - u**1.5,
        lambda u: 0.5 + (u - 0.5) * 0.6,
        lambda u: (np.sin(np.pi * (u - 0.5)) + 1) / 2,
    ],
    ids=["low", "high", "too wide", "too narrow"],
)
def test_ranks_that_are_not_uniform_are_noticed(place):
    u = (np.arange(200) + 0.5) / 200
    ranks = np.minimum((place(u) * sbc.RANKS).astype(int), sbc.RANKS - 1)
    assert sbc.uniformity(ranks) < 0.002


def test_bands_hold_everywhere_at_once_and_agree_with_the_p_value():
    rng = np.random.default_rng(3)
    places, lower, upper = sbc.bands(100)
    inside, agree = 0, 0
    for _ in range(300):
        ranks = rng.integers(sbc.RANKS, size=100)
        share = sbc.share_below(ranks)
        within = ((lower <= share) & (share <= upper)).all()
        inside += within
        agree += within == (sbc.uniformity(ranks) > 0.05)
    assert inside / 300 == pytest.approx(0.95, abs=0.04)
    assert agree / 300 > 0.98
    assert (lower < places).all() and (places < upper).all()


def test_every_quantity_is_judged():
    about = {"model": "loglinear", "lists": 4, "strata": 1, "batch": 0, "passed": True, "seconds": 1.0, "truth": 0.0}
    rows = [about | {"number": i, "quantity": "total", "rank": i % 100} for i in range(200)]
    rows += [about | {"number": i, "quantity": "pairs", "rank": i % 50, "passed": i > 49} for i in range(200)]
    found = sbc.judge_uniformity(sbc.SCHEMA.validate(pd.DataFrame(rows)[list(sbc.SCHEMA.columns)]))
    assert found["quantity"].tolist() == ["total", "pairs"]
    assert found["uniform"].tolist() == [True, False]
    assert found["failed"].tolist() == [0.0, 0.25]


def test_the_log_linear_model_ranks_its_own_truths_evenly(tmp_path):
    config = {"sampling": {"loglinear": CHAINS}, "checks": CHECKS, "simulations": 16, "seen": [500, 5_000]}
    where = tmp_path / "ranks.parquet"
    sbc.run_ranks(config=config, seed=3, model="loglinear", lists=4, strata=1, batch=0, out_parquet=where)
    ranks = sbc.SCHEMA.validate(pd.read_parquet(where))
    assert ranks["number"].nunique() == 16
    assert {"total", "D_1", "D_2", "D_3", "pairs", "coverage"} <= set(ranks["quantity"])
    assert sbc.judge_uniformity(ranks)["p_value"].min() > 1e-3
    assert ranks.groupby("number")["passed"].first().mean() > 0.8
