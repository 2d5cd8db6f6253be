"""Seeds, drawing and predicting, on a model that takes no time."""

import logging

import numpy as np
import nutpie
import pymc as pm
import pytest
import xarray as xr
from scipy import stats

from uncounted import inference
from uncounted.compiling import compile_model
from uncounted.inference import draw, predict, seed_for, thin

SEEN = np.array([1.0, 2.0, 3.0, 2.5])
SAMPLING = {"draws": 200, "tune": 150, "chains": 2, "target_accept": 0.9, "what": "drawing a toy"}


@pytest.fixture(scope="module")
def toy():
    """The mean of four figures."""
    with pm.Model(coords={"figure": list("abcd")}) as model:
        level = pm.Normal("level", 0.0, 10.0)
        scale = pm.HalfNormal("scale", 1.0)
        pm.Deterministic("twice", 2 * level)
        pm.Normal("seen", level, scale, observed=pm.Data("figures", SEEN), dims="figure")
    return model


@pytest.fixture(scope="module")
def compiled(toy):
    return compile_model(toy)


@pytest.fixture(scope="module")
def trace(compiled):
    return draw(compiled, **SAMPLING, seed=1)


def test_each_fit_has_a_seed_of_its_own():
    names = [("russia", "synthesis"), ("russia", "synthesis", "graves"), ("russia", "count"), ("ukraine", "synthesis")]
    seeds = {seed_for(1, *name) for name in names} | {seed_for(2, *names[0])}
    assert len(seeds) == len(names) + 1
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_seed_is_the_same_in_every_run_and_whatever_other_fits_there_are():
    before = seed_for(20_240_407, "russia", "synthesis")
    for other in ("ukraine", "synthesis", "a case of tomorrow"):
        seed_for(20_240_407, other)
    assert seed_for(20_240_407, "russia", "synthesis") == before == 1_308_166_085


def test_seed_depends_on_the_order_of_the_names():
    assert seed_for(1, "a", "b") != seed_for(1, "b", "a")


def test_an_interrupt_leaves_no_posterior_of_fewer_draws(compiled, monkeypatch):
    whole = nutpie.sample
    monkeypatch.setattr("nutpie.sample", lambda model, **settings: whole(model, **settings | {"draws": 10}))
    with pytest.raises(KeyboardInterrupt):
        draw(compiled, **SAMPLING, seed=1)


def test_same_seed_gives_the_same_draws(compiled, trace):
    again = draw(compiled, **SAMPLING, seed=1)
    xr.testing.assert_identical(again.posterior, trace.posterior)


def test_same_draws_and_predictions_are_written_in_the_same_bytes(toy, compiled, trace, tmp_path):
    written = []
    for number, drawn in enumerate((trace, draw(compiled, **SAMPLING, seed=1))):
        fit = drawn.copy()
        fit.extend(predict(toy, thin(drawn, 20), seed=3))
        fit.to_netcdf(str(tmp_path / f"{number}.nc"))
        written.append((tmp_path / f"{number}.nc").read_bytes())
    assert written[0] == written[1]


def test_another_seed_gives_other_draws(compiled, trace):
    assert not draw(compiled, **SAMPLING, seed=2).posterior["level"].equals(trace.posterior["level"])


def test_chains_and_draws_are_as_many_as_asked_without_those_to_tune(trace):
    assert dict(trace.posterior.sizes) == {"chain": 2, "draw": 200}
    assert "diverging" in trace.sample_stats
    assert "energy" in trace.sample_stats


def test_draws_are_those_that_the_sampler_hands_to_arviz(compiled, trace):
    settings = {name: SAMPLING[name] for name in ("draws", "tune", "chains", "target_accept")}
    others = nutpie.sample(compiled, **settings, seed=1, cores=2, save_warmup=False, progress_bar=False)
    for group in trace.groups():
        xr.testing.assert_equal(trace[group], others[group][list(trace[group].data_vars)])


def test_only_variables_on_their_own_scale_are_kept(trace):
    assert set(trace.posterior.data_vars) == {"level", "scale", "twice"}
    assert trace.posterior["scale"].min() > 0
    np.testing.assert_allclose(trace.posterior["twice"], 2 * trace.posterior["level"])


def test_fit_starts_at_draws_of_another(compiled, trace):
    before = draw(compiled, **SAMPLING, seed=1, keep_positions=True)
    xr.testing.assert_identical(before.posterior.drop_attrs(), trace.posterior.drop_attrs())
    assert set(before.sample_stats) == set(trace.sample_stats)
    positions = before.unconstrained_posterior["unconstrained_draw"]
    np.testing.assert_allclose(positions[..., 0], before.posterior["level"])
    start = inference._starting_at(before.unconstrained_posterior, compiled).initial_point_func
    starts = np.array([start(seed) for seed in range(20)])
    assert all((start == positions.values.reshape(-1, 2)).all(axis=1).any() for start in starts)
    assert len(np.unique(starts[:, 0])) > 10


def test_fit_that_starts_at_another_gives_the_same_draws_again(compiled):
    start = draw(compiled, **SAMPLING, seed=1, keep_positions=True).unconstrained_posterior
    first, again = (draw(compiled, **SAMPLING, seed=2, start=start).posterior for _ in range(2))
    xr.testing.assert_identical(first.drop_attrs(), again.drop_attrs())
    assert not first["level"].equals(draw(compiled, **SAMPLING, seed=2).posterior["level"])
    assert float(first["level"].mean()) == pytest.approx(SEEN.mean(), abs=0.25)


def test_draws_are_of_the_posterior(trace):
    assert float(trace.posterior["level"].mean()) == pytest.approx(SEEN.mean(), abs=0.25)


def test_compiled_model_serves_other_data(compiled, trace):
    other = draw(compiled.with_data(figures=SEEN + 5.0), **SAMPLING, seed=1)
    moved = other.posterior["level"].mean() - trace.posterior["level"].mean()
    assert float(moved) == pytest.approx(5.0, abs=0.5)


def test_progress_ends_with_all_draws_of_all_chains(compiled, caplog):
    with caplog.at_level(logging.INFO, logger="uncounted"):
        draw(compiled, **SAMPLING, seed=1)
    assert any(message.startswith("drawing a toy: 700 draws in") for message in caplog.messages)


def test_progress_is_told_on_the_way(compiled, monkeypatch):
    told = []

    class Recorder(inference.Progress):
        def __call__(self, done):
            told.append(done)
            super().__call__(done)

    monkeypatch.setattr(inference, "Progress", Recorder)
    monkeypatch.setattr(inference, "_PROGRESS_EVERY_MS", 1)
    draw(compiled, **SAMPLING | {"draws": 5_000}, seed=1)
    assert told
    assert told == sorted(told)
    assert told[-1] <= 2 * (5_000 + 150)


def test_thinning_keeps_draws_spread_over_each_chain(trace):
    thinned = thin(trace, 100)
    assert thinned.groups() == ["posterior"]
    xr.testing.assert_equal(thinned.posterior, trace.posterior.isel(draw=slice(None, None, 4)))
    assert thin(trace, 1_000_000).posterior.sizes == trace.posterior.sizes


def test_each_draw_makes_one_prediction(toy, trace):
    thinned = thin(trace, 100)
    predicted = predict(toy, thinned, seed=1)
    assert {"prior", "prior_predictive", "posterior_predictive", "log_likelihood"} <= set(predicted.groups())
    assert dict(predicted.posterior_predictive.sizes) == {"chain": 2, "draw": 50, "figure": 4}
    assert predicted.prior_predictive.sizes["draw"] == 33
    assert predicted.prior.sizes["draw"] == 800
    level, scale = (thinned.posterior[name].values[..., None] for name in ("level", "scale"))
    np.testing.assert_allclose(predicted.log_likelihood["seen"], stats.norm.logpdf(SEEN, level, scale))
    np.testing.assert_array_equal(predicted.observed_data["seen"], SEEN)


def test_interval_of_a_prior_is_that_which_is_stated(toy, trace):
    prior = predict(toy, thin(trace, 400), seed=2).prior
    low, high = prior["level"].quantile([0.025, 0.975])
    assert prior["level"].size == 3200
    assert (float(low), float(high)) == pytest.approx(stats.norm(0, 10).interval(0.95), rel=0.06)


def test_what_is_derived_follows_from_the_same_draw_of_the_prior():
    with pm.Model(coords={"place": list("xyz"), "figure": list("abcd")}) as model:
        level = pm.Normal("level", 0.0, 10.0)
        scale = pm.HalfNormal("scale", 1.0)
        by_place = pm.Normal("by_place", level, scale, dims="place")
        pm.Deterministic("from_first", by_place - by_place[0], dims="place")
        pm.Deterministic("product", by_place[:, None] * np.ones((1, 2)))
        pm.Normal("seen", level, scale, observed=SEEN, dims="figure")
    prior = inference._prior(
        model, pm.sample_prior_predictive(5, model=model, random_seed=1).prior, 40, seed=1, mode="FAST_COMPILE"
    )
    assert prior["from_first"].dims == ("chain", "draw", "place") and list(prior["place"].values) == list("xyz")
    np.testing.assert_allclose(prior["from_first"], prior["by_place"] - prior["by_place"][..., 0])
    np.testing.assert_allclose(prior["product"].values, np.repeat(prior["by_place"].values[..., None], 2, axis=-1))


def test_model_without_anything_derived_has_a_prior(trace):
    with pm.Model() as model:
        level = pm.Normal("level", 0.0, 10.0)
        pm.Normal("seen", level, pm.HalfNormal("scale", 1.0), observed=SEEN)
    own = thin(trace, 20)
    own.posterior = own.posterior.drop_vars("twice")
    assert set(predict(model, own, seed=1).prior) == {"level", "scale"}


def test_same_seed_gives_the_same_predictions(toy, trace):
    first, second = (predict(toy, thin(trace, 20), seed=3) for _ in range(2))
    for group in ("prior", "prior_predictive", "posterior_predictive"):
        xr.testing.assert_equal(first[group], second[group])
