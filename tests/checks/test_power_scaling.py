"""Whether the answer follows the prior: normal data with a normal prior, of which all is known."""

import arviz as az
import numpy as np
import pytest
import xarray as xr
from scipy.stats import beta, norm

from uncounted.checks.power_scaling import NO_VERDICT, POWERS, SCHEMA, check_power_scaling, verdict, with_densities


def fit(prior_mean, prior_sd, observed, error, densities=True):
    """Draws of a mean with a normal prior, of which one noisy figure is known."""
    precision = 1 / prior_sd**2 + 1 / error**2
    middle = (prior_mean / prior_sd**2 + observed / error**2) / precision
    total = np.random.default_rng(1).normal(middle, precision**-0.5, size=(4, 1_000))
    groups = {
        "posterior": {"total": total},
        "log_prior": {"all": norm.logpdf(total, prior_mean, prior_sd)},
        "log_likelihood": {"all": norm.logpdf(observed, total, error)},
    }
    sets = {
        name: xr.Dataset(
            {k: (("chain", "draw"), v) for k, v in group.items()}, {"chain": range(4), "draw": range(1_000)}
        )
        for name, group in groups.items()
        if densities or name == "posterior"
    }
    return az.InferenceData(**sets)


@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        (fit(0, 100, 1, 1), "robust"),
        (fit(0, 1, 1, 100), "the prior matters"),
        (fit(0, 1, 6, 1), "prior and data conflict"),
    ],
)
def test_verdict_follows_what_holds_the_answer(trace, expected):
    table = check_power_scaling({"loglinear": trace})
    assert list(table.columns) == list(SCHEMA.columns)
    assert table[["model", "quantity", "verdict"]].to_numpy().tolist() == [["loglinear", "total", expected]]


def test_conflict_takes_both_sensitivities():
    assert [verdict(*pair) for pair in ((0.01, 0.2), (0.2, 0.01), (0.2, 0.2), (0.01, 0.01))] == [
        "robust",
        "the prior matters",
        "prior and data conflict",
        "robust",
    ]


def test_models_without_densities_are_not_asked():
    assert check_power_scaling({"decomposable": fit(0, 1, 1, 1, densities=False)}).empty


def test_the_answer_with_other_weights_of_the_prior_is_that_of_such_a_prior():
    row = check_power_scaling({"loglinear": fit(0, 1, 2, 1)}).iloc[0]
    assert row["median"] == pytest.approx(1.0, abs=0.03)
    for end in ("less", "more"):
        weight = row[f"weight_{end}"]
        assert weight in (*POWERS, *(1 / power for power in POWERS))
        middle, sd = 2 / (weight + 1), (weight + 1) ** -0.5
        assert row[f"median_{end}"] == pytest.approx(middle, abs=0.06)
        assert row[f"lower_{end}"] == pytest.approx(middle - 1.96 * sd, abs=0.25)
        assert row[f"upper_{end}"] == pytest.approx(middle + 1.96 * sd, abs=0.25)
    assert (row["weight_less"], row["weight_more"]) == (0.5, 2.0)


def test_a_weight_that_the_draws_cannot_tell_is_brought_nearer_to_one():
    trace = fit(0, 1, 0, 1_000)
    # Many such priors at once: half their weight is far from all draws.
    trace.log_prior["all"] = 30 * trace.log_prior["all"]
    row = check_power_scaling({"loglinear": trace}).iloc[0]
    assert np.isnan(row["weight_less"]) == np.isnan(row["median_less"])
    assert np.isnan(row["weight_less"]) or row["weight_less"] > 0.5


def test_a_synthesis_gets_the_densities_of_the_priors_that_its_config_states():
    rng = np.random.default_rng(4)
    ceiling, level, log_rate = (
        rng.uniform(0.3, 0.9, (2, 50)),
        rng.normal(1, 0.3, (2, 50, 3)),
        rng.normal(4, 1, (2, 50, 5)),
    )
    dims = ("chain", "draw")
    posterior = xr.Dataset(
        {
            "deaths": (dims, rng.normal(90, 5, (2, 50))),
            "ceiling": (dims, ceiling),
            "ratio_level": ((*dims, "age"), level),
            "log_rate": ((*dims, "month"), log_rate),
        }
    )
    priors = {
        "ceiling": {"distribution": "beta", "alpha": 2, "beta": 3},
        "ratio_level": {"distribution": "normal", "mean": 1.0, "sd": 0.5},
        "rate_start": {"distribution": "lognormal", "median": 55, "sd_log": 1.0},
        "spread": {"distribution": "fixed", "value": 1.5},
    }
    likelihood = xr.Dataset({"graves": (dims, rng.normal(size=(2, 10)))})
    made = with_densities(az.InferenceData(posterior=posterior, log_likelihood=likelihood), priors, 20)
    assert set(made.log_prior) == {"ceiling", "ratio_level", "rate_start"}
    assert made.log_prior["ceiling"].values == pytest.approx(beta.logpdf(ceiling[:, ::5], 2, 3))
    assert made.log_prior["ratio_level"].values == pytest.approx(norm.logpdf(level[:, ::5], 1, 0.5).sum(axis=2))
    start = norm.logpdf(log_rate[:, ::5, 0], np.log(55), 1.0)
    assert made.log_prior["rate_start"].values == pytest.approx(start)
    assert len(check_power_scaling({"synthesis": made}, ("deaths",))) == 1


def test_where_a_hundredth_more_weight_leaves_too_few_draws_there_is_no_number():
    trace = fit(0, 1, 2, 1)
    name = next(iter(trace.log_prior.data_vars))
    # A prior whose density falls without end in a few draws, as of classes that are empty.
    values = trace.log_prior[name].values
    trace.log_prior[name].values[:] = values + 3000 * np.random.default_rng(1).standard_t(1.5, values.shape)
    row = check_power_scaling({"latent_class": trace}).iloc[0]
    assert np.isnan(row["prior"]) and row["verdict"] == NO_VERDICT
    assert np.isfinite(row["likelihood"]) and np.isfinite(row["median"])


@pytest.mark.parametrize(
    ("seen", "said"),
    [((np.nan, 0.1), NO_VERDICT), ((0.1, np.nan), NO_VERDICT), ((0.01, np.nan), "robust")],
)
def test_a_verdict_needs_what_it_rests_on(seen, said):
    assert verdict(*seen) == said
