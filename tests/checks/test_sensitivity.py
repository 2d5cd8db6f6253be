"""How far the answer moves without a source, and what the priors alone say of it."""

import arviz as az
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from uncounted.checks.sensitivity import PRIOR_SCHEMA, SCHEMA, check_sources, compare_priors


@pytest.fixture(scope="module")
def joint():
    return xr.DataArray(np.random.default_rng(1).normal(90_000, 5_000, size=(4, 300)).round(), dims=("chain", "draw"))


def refit(source, values):
    chains, draws = values.shape
    index = pd.MultiIndex.from_product([range(chains), range(draws)], names=["chain", "draw"])
    return pd.DataFrame({"deaths": values.ravel()}, index=index).reset_index().assign(left_out=source)


@pytest.fixture(scope="module")
def without():
    rng = np.random.default_rng(2)
    return {
        "graves": rng.normal(99_000, 9_000, size=(2, 200)).round(),
        "registered_deaths": rng.normal(72_000, 4_000, size=(2, 200)).round(),
    }


@pytest.fixture(scope="module")
def table(joint, without):
    return check_sources(joint, pd.concat([refit(*item) for item in without.items()], ignore_index=True))


def test_there_is_a_row_for_each_fit_and_level_and_the_joint_one_comes_first(table):
    assert set(table) == set(SCHEMA.columns)
    assert table["left_out"].tolist() == ["", "", "graves", "graves", "registered_deaths", "registered_deaths"]
    assert table["level"].tolist() == [0.5, 0.95] * 3


def test_medians_and_intervals_are_quantiles_of_the_draws(table, joint, without):
    for source, draws in {"": joint.values, **without}.items():
        for level, low, high in ((0.5, 0.25, 0.75), (0.95, 0.025, 0.975)):
            row = table[(table["left_out"] == source) & (table["level"] == level)].iloc[0]
            expected = np.quantile(draws, [low, 0.5, high])
            np.testing.assert_allclose(row[["lower", "median", "upper"]].astype(float), expected)


def test_move_is_relative_to_the_median_from_all_sources(table, joint, without):
    moved = table.query("level == 0.5").set_index("left_out")["moved"]
    assert moved[""] == 0.0
    for source, draws in without.items():
        assert moved[source] == pytest.approx(np.median(draws) / np.median(joint) - 1)
    assert moved["graves"] > 0 > moved["registered_deaths"]


def test_error_of_the_move_is_how_far_it_scatters_when_drawn_again():
    rng = np.random.default_rng(4)
    fits = []
    for _ in range(60):
        joint = xr.DataArray(rng.normal(90_000, 5_000, size=(4, 300)), dims=("chain", "draw"))
        fits.append(check_sources(joint, refit("graves", rng.normal(99_000, 9_000, size=(2, 200)))))
    table = pd.concat(fits).query("level == 0.95")
    graves = table.query("left_out == 'graves'")
    assert (table.query("left_out == ''")["mcse_moved"] == 0.0).all()
    assert graves["mcse_moved"].mean() == pytest.approx(graves["moved"].std(), rel=0.25)


def test_chains_of_a_refit_stay_apart_so_that_convergence_can_be_judged(joint, without):
    apart = without["graves"] + np.array([[0.0], [50_000.0]])
    shuffled = refit("graves", apart).sample(frac=1, random_state=1)
    table = check_sources(joint, shuffled).query("left_out == 'graves'")
    assert (table["r_hat"] > 1.5).all()
    assert (table["ess_bulk"] < 20).all()


# Priors


PRIORS = {
    "ceiling": {"distribution": "beta", "unit": "share", "reason": "Some are never named."},
    "spread": {"distribution": "fixed", "value": 1.5, "unit": "log ratio", "reason": "Wide."},
}


@pytest.fixture(scope="module")
def compared():
    rng = np.random.default_rng(3)
    trace = az.from_dict(
        prior={"ceiling": rng.beta(2, 2, size=(1, 2_000)), "other": rng.normal(size=(1, 2_000))},
        posterior={"ceiling": rng.beta(40, 20, size=(2, 1_000)), "other": rng.normal(size=(2, 1_000))},
    )
    deaths = (rng.lognormal(11, 1, size=2_000), rng.normal(90_000, 5_000, size=(2, 1_000)))
    return trace, deaths, compare_priors(trace, PRIORS, deaths)


def test_parameters_with_a_prior_in_the_config_and_the_deaths_are_compared(compared):
    _, _, table = compared
    assert list(table.columns) == list(PRIOR_SCHEMA.columns)
    assert table["parameter"].unique().tolist() == ["ceiling", "deaths"]
    assert set(table["kind"]) == {"prior", "posterior"}
    assert set(table.query("parameter == 'ceiling'")["reason"]) == {"Some are never named."}


def test_quantiles_before_and_after_are_those_of_the_draws(compared):
    trace, deaths, table = compared
    for parameter, kind, draws in (
        ("ceiling", "prior", trace.prior["ceiling"]),
        ("ceiling", "posterior", trace.posterior["ceiling"]),
        ("deaths", "prior", deaths[0]),
        ("deaths", "posterior", deaths[1]),
    ):
        rows = table[(table["parameter"] == parameter) & (table["kind"] == kind)]
        np.testing.assert_allclose(rows["value"], np.quantile(draws, rows["quantile"]))
        assert {0.025, 0.25, 0.5, 0.75, 0.975} <= set(rows["quantile"])
