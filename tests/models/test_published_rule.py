"""The rule of Kobak et al. (2025) from our table of registered deaths gives the numbers that they published."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

DATA = Path(__file__).resolve().parents[2] / "data" / "russia"
LINE_YEARS = np.arange(2015, 2020)


def without_hiv():
    """Registered deaths without HIV: men and women, by age and year."""
    table = pd.read_csv(DATA / "registered_deaths_by_age_and_sex.csv").set_index(["age", "year"])
    return table["male"] - table["male_hiv"], table["female"] - table["female_hiv"]


def excess(men, women, age, year):
    """Male deaths beyond those that female deaths and the line of the ratio of 2015-2019 foretell."""
    ratio = np.array([men[age, y] / women[age, y] for y in LINE_YEARS])
    since = LINE_YEARS - LINE_YEARS.mean()
    slope = (since * ratio).sum() / (since**2).sum()
    foretold = ratio.mean() + slope * (year - LINE_YEARS.mean())
    return men[age, year] - foretold * women[age, year]


def published():
    table = pd.read_csv(DATA / "published_excess_male_deaths.csv").query("variant == 'hiv_subtracted'")
    return table[table["age"] != "15-49"]


@pytest.mark.parametrize(("year", "people"), [(2022, 4_466), (2023, 9_068)])
def test_men_of_35_to_39_as_published(year, people):
    assert round(excess(*without_hiv(), "35-39", year)) == people


@pytest.mark.parametrize("row", list(published().itertuples()), ids=lambda row: f"{row.age} in {row.year}")
def test_every_age_and_year_as_published_within_a_person(row):
    assert excess(*without_hiv(), row.age, row.year) == pytest.approx(row.excess, abs=1.0)


def test_all_ages_of_both_years_are_compared():
    assert len(published()) == 9 * 2


def test_the_model_sees_the_same_ratio(layout):
    men, women = without_hiv()
    ages, years = layout.coords["registered_age"], [int(year) for year in layout.coords["line_year"]]
    ratio = [[np.log(men[age, year] / women[age, year]) for year in years] for age in ages]
    np.testing.assert_allclose(layout.data["log_ratio"], ratio)
    foretold = [[men[age, year] for year in (2022, 2023)] for age in ages]
    np.testing.assert_array_equal(layout.data["registered_male_seen"], foretold)
