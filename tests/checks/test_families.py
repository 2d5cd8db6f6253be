"""Convergence of several families of models, and what becomes of a study of which one fails."""

import logging

import arviz as az
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from made_up_fits import COUNTS, posterior_of

from uncounted.checks import judge_case
from uncounted.checks.families import check_families, failed_families
from uncounted.checks.result import results_table
from uncounted.checks.weights import weights_of_one
from uncounted.errors import UserError

BOUNDS = {"r_hat": 1.01, "ess_reported": 400, "ess_parameter": 100, "divergences": 0, "e_bfmi": 0.3}
RATES = list(COUNTS.values())


def fit(seed=1, diverging=0, **changes):
    """A fit with one parameter, whose chains agree."""
    rng = np.random.default_rng(seed)
    posterior = posterior_of(RATES, draws=500, chains=4, seed=seed)
    posterior["pair_scale"] = (("chain", "draw"), rng.normal(size=(4, 500)))
    posterior = posterior.assign(changes)
    stats = {"diverging": np.zeros((4, 500), dtype=bool), "energy": rng.normal(size=(4, 500))}
    stats["diverging"][0, :diverging] = True
    return az.InferenceData(
        posterior=posterior, sample_stats=xr.Dataset({k: (("chain", "draw"), v) for k, v in stats.items()})
    )


def checked(**traces):
    parameters = {"loglinear": ["pair_scale", "not_in_this_study"], "latent_class": []}
    return results_table(check_families(traces, parameters, BOUNDS))


def test_each_check_begins_with_its_model():
    table = checked(loglinear=fit(), latent_class=fit(2))
    assert table["passed"].all()
    by_model = table.groupby(table["check"].str.split(": ").str[0]).size()
    # Of a model without parameters that can be compared, three questions are not asked.
    assert by_model.to_dict() == {"loglinear": 8, "latent_class": 5}


def test_failure_of_one_family_is_no_failure_of_another():
    table = checked(loglinear=fit(), latent_class=fit(2, diverging=3))
    assert failed_families(table) == {"latent_class"}
    failed = table[~table["passed"]]
    assert failed["check"].tolist() == ["latent_class: divergences"]
    assert "sampling.latent_class.target_accept" in failed["do"].iloc[0]


def test_stuck_stratum_is_flagged_and_named():
    trace = fit()
    total = trace.posterior["total_by_stratum"].copy()
    total[0, :, 1] += 500
    table = checked(loglinear=fit(total_by_stratum=total)).set_index("check")
    assert table.loc["loglinear: R-hat of reported quantities", "item"] == "total_by_stratum[south]"
    assert not table.loc["loglinear: R-hat of reported quantities", "passed"]


def test_stratum_in_which_nobody_is_missing_has_no_r_hat():
    total = fit().posterior["total_by_stratum"].copy()
    total[:, :, 1] = 40
    assert checked(loglinear=fit(total_by_stratum=total))["passed"].all()
    total[:, :, 0] = 700
    assert checked(loglinear=fit(total_by_stratum=total))["passed"].all()


# What becomes of it


@pytest.fixture
def judge(tmp_path):
    def written(weights, allow_unconverged=False, **traces):
        """Judge a study: what each family counts for, and the fits of the families that are drawn from."""
        table = checked(**traces)
        table.to_parquet(tmp_path / "convergence.parquet", index=False)
        rows = [weights_of_one(name, np.ones(10), True, 0.5).assign(weight=w) for name, w in weights.items()]
        pd.concat(rows).to_parquet(tmp_path / "weights.parquet", index=False)
        judge_case(
            case_name="kosovo",
            convergence_parquet=tmp_path / "convergence.parquet",
            weights_parquet=tmp_path / "weights.parquet",
            allow_unconverged=allow_unconverged,
        )

    return written


def test_family_without_weight_may_have_failed_and_is_named(judge, caplog):
    with caplog.at_level(logging.WARNING, logger="uncounted"):
        judge({"loglinear": 1.0, "latent_class": 0.0}, loglinear=fit(), latent_class=fit(2, diverging=3))
    assert caplog.messages == ["kosovo: latent_class failed checks, and has no part in the average"]


def test_exact_family_stands_alone_where_the_others_failed(judge, caplog):
    with caplog.at_level(logging.WARNING, logger="uncounted"):
        judge({"loglinear": 0.0, "decomposable": 1.0}, loglinear=fit(diverging=1))
    assert "loglinear failed checks" in caplog.messages[0]


def test_study_stops_where_a_family_with_weight_failed(judge):
    with pytest.raises(UserError, match="the fit of kosovo has not converged: loglinear: divergences") as error:
        judge(
            {"loglinear": 0.1, "latent_class": 0.9},
            loglinear=fit(diverging=1),
            latent_class=fit(2, diverging=3),
        )
    assert "1 more check failed" in error.value.what


def test_study_stops_with_its_model_unless_the_config_allows(judge, caplog):
    with pytest.raises(UserError, match="loglinear: divergences"):
        judge({"loglinear": 1.0}, loglinear=fit(diverging=1))
    with caplog.at_level(logging.WARNING, logger="uncounted"):
        judge({"loglinear": 1.0}, allow_unconverged=True, loglinear=fit(diverging=1))
    assert "as the config allows" in caplog.messages[0]


def test_weights_of_one_model_say_whether_it_passed_and_what_it_says():
    row = weights_of_one("decomposable", np.arange(1001.0), True, 0.4).iloc[0]
    assert (row["weight"], row["passed"], row["reason"]) == (1.0, True, "")
    assert (row["lower"], row["median"], row["upper"]) == (25, 500, 975)
    assert weights_of_one("loglinear", np.ones(10), False, 0.4).iloc[0]["reason"] == "one of its checks failed"
    row = weights_of_one("decomposable", np.full(10, np.nan), True, np.nan).iloc[0]
    assert row["reason"] == "it has no answer for one of the strata"
