"""Latent classes: the sampler against posteriors that are known otherwise."""

import os
import subprocess
import sys

import numpy as np
import pytest
import yaml
from scipy.special import betaln, gammaln

from uncounted import compiling
from uncounted.checks.simulation_based import draw_prior_classes
from uncounted.evidence.histories import Histories
from uncounted.library import DEFAULTS
from uncounted.models import class_sampler, latent_class
from uncounted.models.cells import lay_out

QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95]


def settings(classes, sweeps=3000):
    defaults = yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))
    defaults["sampling"]["latent_class"] |= {"chains": 2, "draws": 1500, "sweeps": sweeps, "sweeps_at_most": 2 * sweeps}
    defaults["sampling"]["classes"] = classes
    return defaults | {"unseen_odds": 0.0}


def histories_of(counts, possible=None):
    counts = np.asarray(counts, dtype=np.int64)
    strata, cells = counts.shape
    return Histories(
        lists=tuple("ABCDEF"[: int(np.log2(cells))]),
        strata=("place",) if strata > 1 else (),
        labels=tuple((name,) for name in "xyz"[:strata]) if strata > 1 else ((),),
        counts=counts[None],
        blank=np.zeros((1, 0, cells), dtype=np.int64),
        blank_strata=np.zeros((0, strata), dtype=bool),
        weights=np.ones(1),
        possible=np.ones(counts.shape, dtype=bool) if possible is None else possible,
    )


def test_one_class_is_independence_whose_posterior_is_exact():
    """With 1/N and uniform coverage: p(N | n) is prop. to (N-1)! / (N-n)! times a beta function for each list."""
    counts = np.array([0, 40, 30, 11, 22, 9, 6, 2])
    on = (np.arange(8)[:, None] >> np.arange(3)) & 1
    found, seen = counts @ on, counts.sum()
    total = np.arange(seen, 5_000)
    log_p = gammaln(total) - gammaln(total - seen + 1)
    log_p += sum(betaln(1 + found[j], 1 + total - found[j]) for j in range(3))
    p = np.exp(log_p - log_p.max())
    exact = np.interp(QUANTILES, np.cumsum(p) / p.sum(), total)
    drawn = latent_class.fit(histories_of([counts]), settings(1), 1).posterior["total"].values
    np.testing.assert_allclose(np.quantile(drawn, QUANTILES), exact, rtol=0.03)


def weighted_prior(counts, classes, simulations, rng):
    """Draws from the prior, weighed by their likelihood: an answer that owes nothing to the sampler."""
    config, lists = settings(classes), int(np.log2(counts.shape[1]))
    drawn = [draw_prior_classes(lists, len(counts), config, rng) for _ in range(simulations)]
    log_cells = np.stack([one["log_cells"] for one in drawn])
    log_strata = np.log(np.stack([one["share_of_seen"] for one in drawn]))
    log_weight = (counts[:, 1:] * log_cells).sum(axis=(1, 2)) + (counts.sum(axis=1) * log_strata).sum(axis=1)
    weight = np.exp(log_weight - log_weight.max())
    odds = (np.exp(log_strata + np.stack([one["log_odds_unseen"] for one in drawn]))).sum(axis=1)
    return weight / weight.sum(), np.log(odds), np.array([one["log_concentration"] for one in drawn])


@pytest.mark.parametrize("counts", [[[0, 6, 4, 2, 3, 1, 1, 2]], [[0, 4, 3, 1, 2, 1, 1, 2], [0, 1, 3, 0, 3, 0, 0, 1]]])
def test_a_small_table_has_the_posterior_of_its_weighted_prior(counts):
    counts = np.array(counts)
    weight, log_odds, log_concentration = weighted_prior(counts, 3, 60_000, np.random.default_rng(3))
    assert 1 / (weight**2).sum() > 500
    posterior = latent_class.fit(histories_of(counts), settings(3), 2).posterior
    # People on no list are Poisson given a gamma number of people: their odds are known up to that noise.
    noise = np.random.default_rng(4)
    seen = counts.sum()
    chosen = noise.choice(len(weight), 40_000, p=weight)
    expected = noise.poisson(noise.gamma(seen, size=len(chosen)) * np.exp(np.minimum(log_odds[chosen], 20)))
    shares = [(expected <= limit).mean() for limit in (3, 8, 20, 60)]
    found = [(posterior["unseen"].values <= limit).mean() for limit in (3, 8, 20, 60)]
    np.testing.assert_allclose(found, shares, atol=0.07)
    limits = np.log([0.1, 0.5, 1.0])
    below = [weight[log_concentration <= limit].sum() for limit in limits]
    np.testing.assert_allclose([(posterior["log_concentration"].values <= x).mean() for x in limits], below, atol=0.07)


def test_a_list_that_did_not_exist_says_nothing_of_its_stratum():
    """In x only A and B existed; people of y on A, B and C tell of the class that x shares."""
    possible = np.ones((2, 8), dtype=bool)
    possible[0, 4:] = False
    counts = np.array([[0, 300, 200, 100, 0, 0, 0, 0], [0, 300, 200, 100, 150, 75, 50, 25]])
    posterior = latent_class.fit(histories_of(counts, possible), settings(4, 500), 3).posterior
    middle = posterior["unseen_by_stratum"].median(("chain", "draw")).values
    # A finds a third, B a quarter and C a fifth: 300 * 200 / 100 are on none in x, and as many on none of three in y.
    assert middle == pytest.approx([600, 600], rel=0.15)
    assert (posterior["cell_rate"].sel(stratum="x", cell=["001", "111"]).values == 0).all()


def test_chains_go_on_until_they_agree_and_the_same_seed_gives_the_same_draws():
    counts = np.array([[0, 60, 40, 20, 30, 10, 10, 9]])
    config = settings(5, 200)
    config["sampling"]["latent_class"] |= {"sweeps_at_most": 20_000, "draws": 800}
    one, two = (latent_class.fit(histories_of(counts), config, 5) for _ in range(2))
    sweeps = int(one.sample_stats["sweeps"].max())
    assert 200 < sweeps <= 20_000
    np.testing.assert_array_equal(one.posterior["total"].values, two.posterior["total"].values)


@pytest.mark.parametrize(
    ("draws", "sweeps", "most"), [(100, 1000, 64_000), (20, 1000, 64_000), (300, 300, 300), (80, 20, 2_000), (8, 3, 50)]
)
def test_of_a_chain_the_first_quarter_is_left_out_and_the_rest_kept_evenly(draws, sweeps, most):
    chain, done = latent_class._Chain(), 0
    looks = latent_class._looks({"sweeps": sweeps, "sweeps_at_most": most})
    assert (looks[0], looks[-1]) == (sweeps, most)
    for look in looks:
        number = max(1, (look - done) // latent_class._every(look, draws))
        # What the sampler keeps of `look - done` sweeps: those after which it has one more.
        taken = [
            done + 1 + i for i in range(look - done) if (i + 1) * number // (look - done) > i * number // (look - done)
        ]
        chain.add([np.array(taken), np.array(taken)], look - done)
        done = look
        (kept, again) = chain.evenly(draws)
        np.testing.assert_array_equal(kept, again)
        assert kept[0] > done / 4 and kept[-1] == done
        assert 0.85 * min(draws, int(0.75 * done)) <= len(kept) <= draws
        assert np.diff(kept).min() >= 1
        assert np.diff(kept).max() <= max(2, 3.5 * 0.75 * done / draws)


def test_chains_too_far_apart_to_agree_in_time_stop():
    counts = np.array([[0, 9000, 4000, 2000, 3000, 1000, 1000, 900]])
    config = settings(5, 5)
    config["sampling"]["latent_class"] |= {"tune": 1, "sweeps_at_most": 40}
    assert int(latent_class.fit(histories_of(counts), config, 5).sample_stats["sweeps"].max()) < 40


SMALL = histories_of([[0, 50, 40, 10, 30, 10, 5, 3]])


def few_sweeps():
    config = settings(3, 20)
    config["sampling"]["latent_class"] |= {"draws": 20, "tune": 5}
    return config


@pytest.mark.parametrize("before", [False, True])
def test_the_sampler_is_compiled_by_another_process_where_it_was_not_before(monkeypatch, before):
    asked = []
    monkeypatch.setattr(class_sampler, "is_compiled", lambda: before)
    monkeypatch.setattr(compiling, "compile_for_disk", lambda function, *given: asked.append(function))
    latent_class.fit(SMALL, few_sweeps(), 1)
    assert asked == ([] if before else [latent_class._take_a_step])


def test_one_step_compiles_all_that_chains_of_any_study_call():
    latent_class._take_a_step(latent_class._table(lay_out(SMALL)), (3, 10), [0.25, 0.25])
    latent_class.fit(histories_of([[0, 9, 8, 3, 7, 2, 2, 1], [0, 5, 6, 2, 4, 1, 1, 1]]), few_sweeps(), 1)
    assert [len(f.signatures) for f in (class_sampler.start, class_sampler.tune, class_sampler.advance)] == [1, 1, 1]


def test_other_processes_know_whether_the_sampler_is_compiled(tmp_path):
    latent_class.fit(SMALL, few_sweeps(), 1)
    ask = [sys.executable, "-c", "from uncounted.models import class_sampler; print(class_sampler.is_compiled())"]
    for other, expected in (({}, "True"), ({"NUMBA_CACHE_DIR": str(tmp_path)}, "False")):
        done = subprocess.run(ask, env=os.environ | other, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == expected
