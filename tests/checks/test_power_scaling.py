"""Whether the answer follows the prior: normal data with a normal prior, of which all is known."""

import arviz as az
import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

from uncounted.checks.power_scaling import SCHEMA, check_power_scaling, verdict


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
