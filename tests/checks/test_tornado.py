"""What moves the answer: posteriors that are known, under priors that are changed."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import integrate, stats

from uncounted.checks import tornado
from uncounted.checks.calibration import histories_of
from uncounted.checks.tornado import CHANGES, HALF, HIGHER, LOWER, SCHEMA, TWICE, changed, changes_of, density
from uncounted.models import two_lists

PRIORS = {
    "middle": {"distribution": "normal", "mean": 0.0, "sd": 1.0},
    "spread": {"distribution": "half_normal", "scale": 2.0},
    "size": {"distribution": "lognormal", "median": 3.0, "sd_log": 0.5},
    "share": {"distribution": "logit_normal", "median": 0.3, "sd_logit": 0.8},
    "part": {"distribution": "beta", "alpha": 12.0, "beta": 2.0},
}


def sd_of(spec):
    """Mean and standard deviation on the scale on which a prior's width is stated."""
    form = spec["distribution"]
    if form == "normal":
        return spec["mean"], spec["sd"]
    if form == "lognormal":
        return np.log(spec["median"]), spec["sd_log"]
    if form == "logit_normal":
        return stats.logistic.ppf(spec["median"]), spec["sd_logit"]
    if form == "half_normal":
        return stats.halfnorm(scale=spec["scale"]).stats("m"), spec["scale"]
    return stats.beta(spec["alpha"], spec["beta"]).mean(), stats.beta(spec["alpha"], spec["beta"]).std()


@pytest.mark.parametrize("name", PRIORS)
def test_priors_get_half_and_twice_the_width_and_move_by_one_sd(name):
    spec = PRIORS[name]
    mean, sd = sd_of(spec)
    assert sd_of(changed(spec, HALF))[1] == pytest.approx(sd / 2)
    assert sd_of(changed(spec, TWICE))[1] == pytest.approx(2 * sd)
    if name == "spread":
        assert changes_of("half_normal") == (HALF, TWICE)
        return
    assert changes_of(spec["distribution"]) == CHANGES
    assert sd_of(changed(spec, LOWER))[0] == pytest.approx(mean - sd)
    assert sd_of(changed(spec, HIGHER))[0] == pytest.approx(mean + sd)
    if name != "part":
        assert sd_of(changed(spec, HIGHER))[1] == pytest.approx(sd)


@pytest.mark.parametrize("name", PRIORS)
def test_ratios_of_densities_are_those_of_proper_densities(name):
    """On whatever scale a density is given, the ratio of two of them weighs their mass right."""
    spec = PRIORS[name]
    low, high = (0.0, 1.0) if name in ("share", "part") else (-12.0, 12.0) if name == "middle" else (1e-9, 60.0)
    old, new = density(spec), density(changed(spec, HALF))
    own = {"size": lambda x: 1 / x, "share": lambda x: 1 / (x * (1 - x))}.get(name, lambda x: 1.0)
    mass, _ = integrate.quad(
        lambda x: np.exp(new.logpdf(x) - old.logpdf(x)) * np.exp(old.logpdf(x)) * own(x), low, high, limit=400
    )
    assert mass == pytest.approx(1.0, abs=1e-4)


def normal_posterior(observed=1.0, error=0.5, draws=4_000):
    """Draws of a mean with the prior `middle`, of which one noisy figure is known; people grow with it."""
    precision = 1 + 1 / error**2
    mean = observed / error**2 / precision
    values = np.random.default_rng(3).normal(mean, precision**-0.5, (4, draws))
    total = 1_000 * np.exp(0.1 * values)
    return xr.Dataset({"middle": (("chain", "draw"), values), "total": (("chain", "draw"), total)})


def exact(prior_mean, prior_sd, observed=1.0, error=0.5):
    precision = 1 / prior_sd**2 + 1 / error**2
    return 1_000 * np.exp(0.1 * (prior_mean / prior_sd**2 + observed / error**2) / precision)


def test_moves_are_those_of_the_posterior_under_the_other_prior():
    table = tornado.turn_priors({"one": normal_posterior()}, {"one": 1.0}, PRIORS, "total", "one")
    assert list(table.columns) == list(SCHEMA.columns)
    rows = table.set_index("change")
    assert set(table["item"]) == {"middle"} and table["trusted"].all()
    for change, wanted in ((HALF, exact(0, 0.5)), (TWICE, exact(0, 2)), (LOWER, exact(-1, 1)), (HIGHER, exact(1, 1))):
        assert rows.loc[change, "median"] == pytest.approx(wanted, rel=0.003), change
        assert abs(rows.loc[change, "moved"] - (wanted / exact(0, 1) - 1)) < 5 * rows.loc[change, "mcse_moved"]


def test_an_average_moves_as_far_as_the_family_with_the_parameter_counts():
    other = normal_posterior().drop_vars("middle")
    posteriors = {"one": normal_posterior(), "other": other, "unused": normal_posterior() * np.nan}
    shares = {"one": 0.5, "other": 0.5, "unused": 0.0}
    both = tornado.turn_priors(posteriors, shares, PRIORS, "total", "average").set_index("change")
    alone = tornado.turn_priors(posteriors, {"one": 1.0}, PRIORS, "total", "one").set_index("change")
    assert (both["model"] == "average").all()
    ratio = both.loc[HIGHER, "moved"] / alone.loc[HIGHER, "moved"]
    assert 0.3 < ratio < 0.7


def test_a_prior_far_from_the_draws_is_not_trusted():
    posterior = normal_posterior(observed=5.0, error=0.1)
    wide = PRIORS["middle"] | {"sd": 4.0}
    fine = tornado.turn_priors({"one": posterior}, {"one": 1.0}, {"middle": wide}, "total", "one")
    assert fine["trusted"].all()
    posterior = normal_posterior(observed=12.0, error=2.0)
    rows = tornado.turn_priors({"one": posterior}, {"one": 1.0}, PRIORS, "total", "one").set_index("change")
    assert not rows.loc[TWICE, "trusted"] and rows.loc[TWICE, "pareto_k"] > 0.7


def test_fixed_values_and_answers_that_are_none_have_no_row():
    fixed = {"middle": {"distribution": "fixed", "value": 1.0}}
    assert tornado.turn_priors({"one": normal_posterior()}, {"one": 1.0}, fixed, "total", "one").empty
    nothing = normal_posterior() * np.nan
    assert tornado.turn_priors({"one": nothing}, {"one": 1.0}, PRIORS, "total", "one").empty


def test_fits_without_a_list_are_taken_over_and_unsettled_ones_marked():
    columns = ["left_out", "median", "lower", "upper", "level", "moved", "mcse_moved", "r_hat", "ess_bulk"]
    rows = [
        (name, median, 900.0, 1200.0, level, median / 1000 - 1, 0.01, r_hat, draws)
        for name, median, r_hat, draws in (
            *(("", 1000.0, 1.0, 2000.0), ("without a", 1100.0, 1.01, 400.0), ("without b", 700.0, 1.011, 900.0)),
            ("a and b merged", 900.0, 1.0, 399.0),
        )
        for level in (0.5, 0.95)
    ] + [("without c", *(np.nan,) * 3, 0.95, *(np.nan,) * 4)]
    bounds = {"r_hat": 1.01, "ess_reported": 400}
    table = tornado.leave_out(pd.DataFrame(rows, columns=columns), "loglinear", bounds).set_index("item")
    assert table.index.tolist() == ["without a", "without b", "a and b merged"]
    assert table["change"].tolist() == ["left out", "left out", "merged"]
    assert table["moved"].tolist() == pytest.approx([0.1, -0.3, -0.1])
    assert table["trusted"].tolist() == [True, False, False]
    assert tornado.leave_out(pd.DataFrame(columns=columns), "loglinear", bounds).empty
    assert len(tornado.together(table.reset_index()[list(SCHEMA.columns)], tornado.together())) == 3


def test_two_lists_follow_the_prior_of_their_odds_ratio_exactly():
    spec = {"distribution": "normal", "mean": 0.0, "sd": 0.3, "unit": "", "reason": ""}
    histories = histories_of(np.array([[0, 400, 600, 90]]))

    def fitted(prior, seed):
        settings = {"sampling": {"exact": {"chains": 4, "draws": 5_000}}, "priors": {"log_odds_ratio": prior}}
        return two_lists.fit(histories, settings, seed)

    posteriors, priors = {"two_lists": fitted(spec, 1)}, {"log_odds_ratio": spec}
    table = tornado.turn_priors(posteriors, {"two_lists": 1.0}, priors, "total", "two_lists")
    assert table["trusted"].all() and (table["pareto_k"] == 0).all()
    for row in table.itertuples():
        wanted = float(fitted(changed(spec, row.change), 2)["total"].median())
        assert row.median == pytest.approx(wanted, rel=0.03), row.change
