"""Fits that must not be believed, each for one reason, and one that may."""

import logging

import arviz as az
import numpy as np
import pandas as pd
import pytest

from uncounted.checks import judge_case
from uncounted.checks.convergence import check_convergence
from uncounted.checks.result import SCHEMA, Result, results_table
from uncounted.errors import UserError

BOUNDS = {"r_hat": 1.01, "ess_reported": 400, "ess_parameter": 100, "divergences": 0, "e_bfmi": 0.3}
MONTHS = ["2022-03", "2022-04", "2022-05"]


def fit(draws=500, **changes):
    """Four chains that agree; `changes` takes the place of what it names."""
    rng = np.random.default_rng(1)
    arrays = {
        "deaths": rng.normal(90_000, 5_000, size=(4, draws)),
        "deaths_by_month": rng.normal(3_000, 300, size=(4, draws, len(MONTHS))),
        "named": np.full((4, draws), 50_471.0),
        "ceiling": rng.normal(0.6, 0.05, size=(4, draws)),
        "ceiling_steps": rng.normal(size=(4, draws, 2)),
        "energy": rng.normal(size=(4, draws)),
        "diverging": np.zeros((4, draws), dtype=bool),
    } | changes
    stats = {name: arrays.pop(name) for name in ("energy", "diverging")}
    return az.from_dict(
        posterior=arrays, sample_stats=stats, coords={"month": MONTHS}, dims={"deaths_by_month": ["month"]}
    )


def found(trace):
    """Results by the name of the check."""
    return {result.check: result for result in check_convergence(trace, ["ceiling", "ceiling_steps"], BOUNDS)}


def failed(results):
    return {name for name, result in results.items() if not result.passed}


def moved(values, **by):
    """A copy of the draws in which one chain is somewhere else."""
    values = values.copy()
    values[by["chain"]] += by["by"]
    return values


def test_good_draws_pass_every_check():
    results = found(fit())
    assert failed(results) == set()
    assert len(results) == 8


def test_stuck_chain_of_a_reported_quantity_is_flagged_and_the_quantity_named():
    months = fit().posterior["deaths_by_month"].values.copy()
    months[2, :, 1] += 2_000
    results = found(fit(deaths_by_month=months))
    result = results["R-hat of reported quantities"]
    assert not result.passed
    assert result.item == "deaths_by_month[2022-04]"
    assert result.seen > 1.5
    assert result.wanted == "at most 1.01"
    assert results["R-hat of parameters"].passed


def test_chain_that_stands_still_is_flagged():
    ceiling = fit().posterior["ceiling"].values.copy()
    ceiling[0] = 0.9
    result = found(fit(ceiling=ceiling))["R-hat of parameters"]
    assert not result.passed
    assert result.item == "ceiling"


def test_worst_of_several_is_the_one_named():
    good = fit().posterior
    steps = good["ceiling_steps"].values.copy()
    steps[1, :, 1] += 5.0
    result = found(fit(ceiling=moved(good["ceiling"].values, chain=0, by=0.05), ceiling_steps=steps))
    assert result["R-hat of parameters"].item == "ceiling_steps[1]"


def test_too_few_draws_are_flagged_for_what_is_reported_and_not_for_parameters():
    results = found(fit(draws=80))
    assert {"effective draws (bulk) of reported quantities", "effective draws (tail) of reported quantities"} <= failed(
        results
    )
    assert results["effective draws (bulk) of parameters"].passed
    assert results["effective draws (bulk) of reported quantities"].wanted == "at least 400"
    assert results["effective draws (bulk) of reported quantities"].seen < 400


def test_draws_that_follow_each_other_count_for_fewer():
    rng = np.random.default_rng(2)
    slow = np.zeros((4, 500))
    for i in range(1, 500):
        slow[:, i] = 0.97 * slow[:, i - 1] + rng.normal(size=4)
    result = found(fit(ceiling=slow))["effective draws (bulk) of parameters"]
    assert not result.passed
    assert result.item == "ceiling"


def test_one_divergence_is_flagged():
    diverging = np.zeros((4, 500), dtype=bool)
    diverging[3, 17] = True
    results = found(fit(diverging=diverging))
    assert failed(results) == {"divergences"}
    assert results["divergences"].seen == 1
    assert "target_accept" in results["divergences"].do


def test_low_energy_is_flagged_with_its_chain():
    energy = fit().sample_stats["energy"].values.copy()
    energy[1] = np.cumsum(energy[1])
    results = found(fit(energy=energy))
    assert failed(results) == {"E-BFMI"}
    assert results["E-BFMI"].item == "chain 2"
    assert results["E-BFMI"].seen < 0.3


def test_number_that_is_known_is_not_held_against_the_fit():
    results = found(fit())
    assert all(result.item != "named" for result in results.values())


def test_number_that_is_known_in_one_month_only_is_not_held_against_the_fit():
    months = fit().posterior["deaths_by_month"].values.copy()
    months[..., 1] = 1.0
    assert failed(found(fit(deaths_by_month=months))) == set()


def test_quantity_that_is_not_a_number_in_some_months_is_flagged():
    months = fit().posterior["deaths_by_month"].values.copy()
    months[:, 100:, 2] = np.nan
    results = found(fit(deaths_by_month=months))
    assert not results["R-hat of reported quantities"].passed
    assert results["R-hat of reported quantities"].item == "deaths_by_month[2022-05]"


def test_parameter_that_never_moved_is_flagged():
    results = found(fit(ceiling=np.full((4, 500), 0.6), ceiling_steps=np.full((4, 500, 2), 0.1)))
    assert not results["R-hat of parameters"].passed


def test_results_become_a_table_of_the_schema():
    results = list(found(fit(draws=80)).values())
    table = results_table(results)
    assert list(table.columns) == list(SCHEMA.columns)
    assert table["passed"].tolist() == [result.passed for result in results]
    assert table["seen"].tolist() == [result.seen for result in results]


# What becomes of it


@pytest.fixture
def judge(tmp_path):
    """Write results as a table and judge the case by them."""

    def written(*results, allow_unconverged=False):
        path = tmp_path / "convergence.parquet"
        results_table(results).to_parquet(path, index=False)
        judge_case(case_name="russia", convergence_parquet=path, allow_unconverged=allow_unconverged)

    return written


GOOD = Result("divergences", "all chains", 0.0, "at most 0", True, "raise target_accept")
STUCK = Result("R-hat of parameters", "ceiling", 1.53, "at most 1.01", False, "look at the trace")
FEW = Result("E-BFMI", "chain 2", 0.1, "at least 0.3", False, "look for a heavy tail")


def test_converged_case_is_let_through_in_silence(judge, caplog):
    with caplog.at_level(logging.INFO, logger="uncounted"):
        judge(GOOD)
    assert caplog.messages == []


def test_unconverged_case_stops_with_the_quantity_what_was_wanted_and_what_to_try(judge, tmp_path):
    with pytest.raises(UserError) as error:
        judge(GOOD, STUCK)
    assert error.value.what == "the fit of russia has not converged: R-hat of parameters, ceiling: 1.53"
    assert error.value.expected == "at most 1.01"
    assert error.value.do.startswith("look at the trace; ")
    assert "allow_unconverged: true" in error.value.do
    assert error.value.where == str(tmp_path / "convergence.parquet")


def test_number_of_further_failures_is_told(judge):
    with pytest.raises(UserError, match=r"ceiling: 1\.53 \(1 more check failed\)"):
        judge(GOOD, STUCK, FEW)


def test_unconverged_case_only_warns_if_allowed(judge, caplog):
    with caplog.at_level(logging.WARNING, logger="uncounted"):
        judge(STUCK, FEW, allow_unconverged=True)
    assert len(caplog.records) == 1
    assert caplog.records[0].levelno == logging.WARNING
    assert "R-hat of parameters, ceiling: 1.53" in caplog.messages[0]


def test_judging_reads_what_checking_wrote(tmp_path):
    path = tmp_path / "convergence.parquet"
    results_table(list(found(fit(draws=80)).values())).to_parquet(path, index=False)
    assert not pd.read_parquet(path)["passed"].all()
    with pytest.raises(UserError, match="the fit of russia has not converged"):
        judge_case(case_name="russia", convergence_parquet=path, allow_unconverged=False)
