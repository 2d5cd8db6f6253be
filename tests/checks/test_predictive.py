"""Figures that the model could have produced, and figures that it could not."""

from types import SimpleNamespace

import arviz as az
import numpy as np
import pytest
from scipy import stats

from uncounted.checks.predictive import SCHEMA, check_predictive

MONTHS = ["2022-03", "2022-04", "2022-05", "2022-06"]
MODULE = SimpleNamespace(
    OBSERVED={"list": ("by_month",), "graves": ("share",), "year": ("more_than",)},
    LOWER_BOUNDS=("more_than",),
    in_natural_units=lambda name, values, layout: np.exp(values) if name == "by_month" else values,
)


def checked(by_month=(0.1, -0.2, 0.3, 0.0), share=0.5, more_than=0.0):
    """Check observed figures against standard normal replicates; `share` is around a half."""
    rng = np.random.default_rng(1)
    replicates = {
        "by_month": rng.normal(size=(2, 2_000, 4)),
        "share": rng.normal(0.5, 0.1, size=(2, 2_000)),
        "more_than": rng.normal(size=(2, 2_000)),
    }
    trace = az.from_dict(
        posterior_predictive=replicates,
        observed_data={
            "by_month": np.array(by_month),
            "share": np.array(float(share)),
            "more_than": np.array(float(more_than)),
        },
        coords={"month": MONTHS},
        dims={"by_month": ["month"]},
    )
    return check_predictive(trace, MODULE, layout=None)


def row(table, variable, item=""):
    return table.set_index(["variable", "item"]).loc[(variable, item)]


def test_figures_that_the_model_could_have_produced_pass():
    table = checked()
    assert table["passed"].all()
    assert list(table.columns) == list(SCHEMA.columns)
    assert table["item"].tolist() == [*MONTHS, "", ""]
    assert table["source"].tolist() == ["list"] * 4 + ["graves", "year"]


def test_figure_far_outside_is_flagged_and_no_other():
    table = checked(by_month=(0.1, -5.0, 0.3, 0.0))
    assert table.loc[~table["passed"], "item"].tolist() == ["2022-04"]
    assert row(table, "by_month", "2022-04")["p_value"] == 0.0


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_figure_is_flagged_on_either_side(share):
    assert not row(checked(share=share), "share")["passed"]


def test_p_value_is_twice_the_smaller_tail():
    table = checked(share=0.5 + 0.1 * 1.5)
    assert row(table, "share")["p_value"] == pytest.approx(2 * stats.norm.sf(1.5), abs=0.02)


def test_bound_is_shared_among_the_figures_of_a_source():
    # One in forty: rare for one figure, not for the rarest of four.
    place = stats.norm.isf(0.0125)
    assert row(checked(by_month=(place, 0.0, 0.0, 0.0)), "by_month", "2022-03")["passed"]
    assert not row(checked(share=0.5 + 0.1 * stats.norm.isf(0.0125)), "share")["passed"]


def test_lower_bound_is_violated_from_below_only():
    assert row(checked(more_than=-5.0), "more_than")["passed"]
    assert row(checked(more_than=-5.0), "more_than")["p_value"] == 1.0
    assert not row(checked(more_than=5.0), "more_than")["passed"]


def test_figures_and_intervals_are_in_the_units_in_which_they_were_published():
    table = checked()
    march = row(table, "by_month", "2022-03")
    assert march["observed"] == pytest.approx(np.exp(0.1))
    assert march["median"] == pytest.approx(1.0, rel=0.1)
    assert march["lower"] == pytest.approx(np.exp(-1.96), rel=0.1)
    assert march["upper"] == pytest.approx(np.exp(1.96), rel=0.1)
