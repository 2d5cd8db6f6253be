"""The estimate against a list that was published later."""

import numpy as np
import pandas as pd
import pytest

from uncounted.checks.backtest import FORECAST, SCHEMA, check_against_later_list, named_until

CUT_OFF = pd.Timestamp("2024-04-07")


def later_list(*months, kind="all"):
    """Months as (first day, last day, named)."""
    return pd.DataFrame(
        {
            "published": pd.Timestamp("2025-04-25"),
            "month": [first[:7] for first, _, _ in months],
            "kind": kind,
            "named": [named for _, _, named in months],
            "first_day": pd.to_datetime([first for first, _, _ in months]),
            "last_day": pd.to_datetime([last for _, last, _ in months]),
        }
    )


LIST = later_list(
    ("2024-02-01", "2024-02-29", 1_000), ("2024-04-01", "2024-04-30", 3_000), ("2024-05-01", "2024-05-31", 9)
)


def test_month_of_the_cut_off_is_shared_out_by_days():
    assert named_until(LIST, CUT_OFF) == pytest.approx(1_000 + 3_000 * 7 / 30)


def test_last_day_of_a_month_takes_all_of_it_and_the_first_a_day():
    assert named_until(LIST, pd.Timestamp("2024-04-30")) == pytest.approx(4_000)
    assert named_until(LIST, pd.Timestamp("2024-04-01")) == pytest.approx(1_100)
    assert named_until(LIST, pd.Timestamp("2024-01-31")) == 0.0


def test_month_of_which_the_list_has_some_days_only_is_shared_among_those():
    assert named_until(later_list(("2024-04-05", "2024-04-10", 600)), CUT_OFF) == pytest.approx(300)


def test_estimate_passes_if_its_whole_interval_is_above_what_was_named():
    rng = np.random.default_rng(1)
    table = check_against_later_list(rng.normal(3_000, 200, 4_000), rng.normal(1_700, 100, 4_000), LIST, CUT_OFF)
    assert list(table.columns) == list(SCHEMA.columns)
    assert table["passed"].tolist() == [True, pd.NA]
    np.testing.assert_allclose(table["observed"], 1_700)
    assert (table["day"] == pd.Timestamp("2025-04-25")).all()
    assert "whole interval lies above" in table["text"][0]


@pytest.mark.parametrize(
    ("middle", "passed", "words"),
    [(1_900, True, "numbers below it that are too low"), (1_200, False, "too low or too sure")],
)
def test_estimate_fails_if_its_interval_ends_below_what_was_named(middle, passed, words):
    """As on the earlier days of the back-test: one that holds the number allows it."""
    deaths = np.random.default_rng(1).normal(middle, 200, 4_000)
    table = check_against_later_list(deaths, deaths, LIST, "2024-04-07")
    assert table["passed"].tolist() == [passed, pd.NA]
    assert words in table["text"][0]


def test_interval_holds_95_per_cent_of_the_draws():
    deaths = np.random.default_rng(2).normal(3_000, 200, (2, 500))
    table = check_against_later_list(deaths, deaths - 1_000, LIST, CUT_OFF)
    np.testing.assert_allclose(table[["lower", "median", "upper"]].iloc[0], np.quantile(deaths, [0.025, 0.5, 0.975]))
    np.testing.assert_allclose(table["median"].diff().iloc[1], -1_000)


def test_kinds_of_service_are_not_counted_beside_all():
    both = pd.concat([LIST, later_list(("2024-02-01", "2024-02-29", 700), kind="mobilised")], ignore_index=True)
    deaths = np.full(100, 3_000)
    table = check_against_later_list(deaths, deaths, both, CUT_OFF)
    np.testing.assert_allclose(table["observed"], 1_700)


@pytest.mark.parametrize(
    ("forecast", "words"),
    [(1_000, "more than the fit foresaw"), (2_500, "fewer than the fit foresaw"), (1_700, "holds the figure")],
)
def test_forecast_decides_nothing_and_says_how_it_went(forecast, words):
    rng = np.random.default_rng(3)
    table = check_against_later_list(rng.normal(3_000, 100, 999), rng.normal(forecast, 50, 999), LIST, CUT_OFF)
    assert table["passed"].isna().tolist() == [False, True]
    assert words in table["text"][1]
    assert table["what"][1] == FORECAST
