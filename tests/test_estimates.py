"""From draws to the tables that people quote."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from uncounted.estimates import (
    LEVELS,
    QUANTITIES,
    SCHEMA,
    STRATA,
    collect_estimates,
    draws_table,
    reported,
    summarise,
    with_derived,
)

MONTHS, AGES, DAYS = ["2022-02", "2022-03"], ["20-24", "60+"], ["2022-07-08"]
CHAINS, DRAWS = 2, 200


def posterior(seed=1):
    """Draws of every reported quantity, and of one that is not reported."""
    rng = np.random.default_rng(seed)
    named_by = {"month": [300, 700], "calendar_year": [1_000], "war_year": [1_000], "age": [600, 400]}
    labels = {"month": MONTHS, "calendar_year": ["2022"], "death_war_year": ["1"], "age": AGES, "day": DAYS}
    labels["month_end"] = ["2022-02-28", "2022-03-31"]
    labels |= {"later_war_year": ["2"], "whole_later_war_year": ["2"], "service": ["mobilised", "prisoners"]}
    labels["recorded_service"] = [*labels["service"], "unknown"]
    dims = {"month": "month", "calendar_year": "calendar_year", "war_year": "death_war_year", "age": "age"}
    sample = ("chain", "draw")
    shape = (CHAINS, DRAWS)
    by_month = np.array(named_by["month"]) + rng.poisson([200, 500], size=(*shape, 2))
    deaths = by_month.sum(axis=-1)
    variables = {
        "deaths": (sample, deaths),
        "deaths_beyond_named": (sample, deaths - 1_000),
        "named": (sample, np.full(shape, 1_000)),
        "share_named": (sample, 1_000 / deaths),
        "share_named_by_day": ((*sample, "day"), rng.uniform(size=(*shape, 1))),
        "share_named_by_age": ((*sample, "age"), rng.uniform(size=(*shape, 2))),
        "deaths_by_month": ((*sample, "month"), by_month),
        "deaths_until": ((*sample, "month_end"), by_month.cumsum(axis=-1)),
        "deaths_by_calendar_year": ((*sample, "calendar_year"), deaths[..., None]),
        "deaths_by_war_year": ((*sample, "death_war_year"), deaths[..., None]),
        "deaths_by_age": ((*sample, "age"), np.stack([deaths - 450, np.full(shape, 450)], axis=-1)),
        "registered_war_deaths": ((*sample, "registered_age", "war_year"), rng.gamma(9.0, size=(*shape, 1, 2))),
        "male_deaths_without_war": ((*sample, "registered_age", "war_year"), rng.gamma(9.0, size=(*shape, 1, 2))),
        "ceiling": (sample, rng.uniform(size=shape)),
        "deaths_a_day_by_war_year": ((*sample, "death_war_year"), deaths[..., None] / 365),
        "times_year_before": ((*sample, "later_war_year"), rng.gamma(9.0, size=(*shape, 1))),
        "deadlier_than_year_before": ((*sample, "later_war_year"), rng.integers(0, 2, size=(*shape, 1))),
        "more_than_year_before": ((*sample, "whole_later_war_year"), rng.poisson(300, size=(*shape, 1))),
        "recorded_by_service": ((*sample, "recorded_service"), rng.poisson(300, size=(*shape, 3))),
        "named_by_service": ((*sample, "service"), rng.poisson(500, size=(*shape, 2))),
        "share_named_by_service": ((*sample, "service"), rng.uniform(size=(*shape, 2))),
        "deaths_by_service": ((*sample, "service"), np.stack([deaths - 450, np.full(shape, 450)], axis=-1)),
        "deaths_by_service_month": ((*sample, "service", "month"), rng.poisson(90, size=(*shape, 2, 2))),
    }
    for by, counts in named_by.items():
        variables[f"named_by_{by}"] = ((*sample, dims[by]), np.broadcast_to(counts, (*shape, len(counts))))
    coords = labels | {"registered_age": ["20-24"], "war_year": ["2022", "2023"]}
    return xr.Dataset(variables, coords=coords | {"chain": range(CHAINS), "draw": range(DRAWS)})


@pytest.fixture(scope="module")
def quantities():
    return with_derived(reported(posterior()))


@pytest.fixture(scope="module")
def table(quantities):
    return summarise(quantities, "toy", "synthesis")


def rows(table, quantity, **strata):
    """The rows of a quantity, by level."""
    wanted = dict.fromkeys(STRATA, "") | strata
    keep = table["quantity"] == quantity
    for name, value in wanted.items():
        keep &= table[name] == value
    return table[keep].set_index("level")


def test_only_what_is_reported_is_kept_and_the_rest_left(quantities):
    assert "ceiling" not in quantities
    of_sources = [name for name in QUANTITIES if name not in ("total", "unseen", "share_seen")]
    assert set(quantities.data_vars) == {name for quantity in of_sources for name in QUANTITIES[quantity]}


@pytest.mark.parametrize(
    ("quantity", "strata", "variable", "selection"),
    [
        ("deaths", {}, "deaths", {}),
        ("deaths", {"month": "2022-03"}, "deaths_by_month", {"month": "2022-03"}),
        ("deaths", {"calendar_year": "2022"}, "deaths_by_calendar_year", {"calendar_year": "2022"}),
        ("deaths", {"war_year": "1"}, "deaths_by_war_year", {"death_war_year": "1"}),
        ("deaths", {"age": "20-24"}, "deaths_by_age", {"age": "20-24"}),
        ("deaths_until", {"day": "2022-02-28"}, "deaths_until", {"month_end": "2022-02-28"}),
        ("share_named", {"day": "2022-07-08"}, "share_named_by_day", {"day": "2022-07-08"}),
        ("recorded", {"service": "unknown"}, "recorded_by_service", {"recorded_service": "unknown"}),
        (
            "deaths",
            {"service": "prisoners", "month": "2022-03"},
            "deaths_by_service_month",
            {"service": "prisoners", "month": "2022-03"},
        ),
        ("more_than_year_before", {"war_year": "2"}, "more_than_year_before", {"whole_later_war_year": "2"}),
        (
            "registered_war_deaths",
            {"age": "20-24", "calendar_year": "2023"},
            "registered_war_deaths",
            {"registered_age": "20-24", "war_year": "2023"},
        ),
    ],
)
def test_estimate_is_the_mean_and_the_quantiles_of_its_draws(table, quantities, quantity, strata, variable, selection):
    draws = quantities[variable].sel(selection).values
    found = rows(table, quantity, **strata)
    assert sorted(found.index) == sorted(LEVELS)
    for level, row in found.iterrows():
        low, middle, high = np.quantile(draws, [(1 - level) / 2, 0.5, (1 + level) / 2])
        np.testing.assert_allclose(row[["lower", "median", "upper"]].astype(float), [low, middle, high])
        assert row["mean"] == pytest.approx(draws.mean())
        assert row["sd"] == pytest.approx(draws.std())


def test_table_has_the_columns_of_the_schema_and_a_row_for_each_stratum_and_level(table, quantities):
    SCHEMA.validate(table)
    assert list(table.columns) == list(SCHEMA.columns)
    cells = sum(int(np.prod(array.shape[2:])) for array in quantities.data_vars.values())
    assert len(table) == cells * len(LEVELS)
    assert set(table["case"]) == {"toy"}
    assert set(table["model"]) == {"synthesis"}


def test_probability_of_being_the_largest_is_the_share_of_the_draws_in_which_it_is():
    deaths = xr.DataArray([[[5, 1, 2], [1, 4, 3], [9, 1, 1], [7, 6, 5]]], dims=("chain", "draw", "month"))
    shares = xr.DataArray([[[0.2, 0.6], [0.7, 0.5], [0.1, 0.3], [0.2, 0.4]]], dims=("chain", "draw", "age"))
    coords = {"month": ["2022-02", "2022-03", "2022-04"], "age": AGES}
    found = with_derived(xr.Dataset({"deaths_by_month": deaths, "share_named_by_age": shares}, coords=coords))
    chance = found.mean(("chain", "draw"))
    assert chance["most_deaths_by_month"].values.tolist() == [0.75, 0.25, 0.0]
    assert chance["largest_share_named_by_age"].values.tolist() == [0.25, 0.75]
    assert chance["smallest_share_named_by_age"].values.tolist() == [0.75, 0.25]


def test_registered_deaths_are_summed_draw_by_draw_over_the_ages_published_in_one_number():
    values = np.arange(24.0).reshape(1, 2, 4, 3)
    ages = ["15-19", "45-49", "50-54", "60+"]
    registered = xr.DataArray(values, dims=("chain", "draw", "registered_age", "war_year"))
    found = with_derived(xr.Dataset({"registered_war_deaths": registered}, coords={"registered_age": ages}))
    total = found["registered_war_deaths_summed"]
    assert total.dims == ("chain", "draw", "summed_age", "war_year") and total["summed_age"].values == ["15-49"]
    np.testing.assert_array_equal(total.values[:, :, 0], values[:, :, :2].sum(axis=2))


def test_a_study_of_lists_has_nothing_derived():
    total = xr.Dataset({"total": (("chain", "draw"), np.ones((2, 3)))})
    assert with_derived(total).equals(total)


def test_monte_carlo_error_of_the_mean_is_that_of_the_effective_draws(table):
    row = rows(table, "deaths").loc[0.95]
    assert row["mcse_mean"] == pytest.approx(row["sd"] / np.sqrt(row["ess_bulk"]), rel=0.15)
    assert row["r_hat"] == pytest.approx(1.0, abs=0.05)


def test_number_that_is_known_has_no_width_and_no_r_hat(table):
    row = rows(table, "named").loc[0.95]
    assert row["lower"] == row["median"] == row["upper"] == 1_000
    assert row["sd"] == 0
    assert np.isnan(row["r_hat"])


def test_draws_have_a_column_for_the_whole_and_each_stratum(quantities):
    table = draws_table(quantities)
    assert list(table.columns) == [
        "chain",
        "draw",
        "deaths",
        "deaths month=2022-02",
        "deaths month=2022-03",
        "deaths calendar_year=2022",
        "deaths war_year=1",
        "deaths age=20-24",
        "deaths age=60+",
        "deaths service=mobilised",
        "deaths service=prisoners",
        "deaths_beyond_named",
        "share_named",
        "share_named day=2022-07-08",
        "share_named age=20-24",
        "share_named age=60+",
        "share_named service=mobilised",
        "share_named service=prisoners",
    ]


def test_draws_are_one_row_each_and_people_are_whole(quantities):
    table = draws_table(quantities)
    assert len(table) == CHAINS * DRAWS
    assert not table.duplicated(["chain", "draw"]).any()
    whole = [name for name in table if not name.startswith("share")]
    assert (table[whole].dtypes == "int64").all()
    assert (table["deaths month=2022-02"] + table["deaths month=2022-03"] == table["deaths"]).all()
    row = table.query("chain == 1 and draw == 17").iloc[0]
    assert row["deaths"] == quantities["deaths"].sel(chain=1, draw=17)
    assert row["share_named age=60+"] == quantities["share_named_by_age"].sel(chain=1, draw=17, age="60+")


# All cases in one table


@pytest.fixture
def collected(table, tmp_path):
    """Collect two cases, twice."""
    other = summarise(reported(posterior(seed=2)), "other", "synthesis")
    paths = []
    for name, estimates in (("toy", table), ("other", other)):
        paths.append(tmp_path / f"{name}.parquet")
        estimates.to_parquet(paths[-1], index=False)
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
        outputs = {f"out_{suffix}": folder / f"estimates.{suffix}" for suffix in ("parquet", "csv", "json")}
        collect_estimates(estimates=paths, **outputs)
    return folders


def test_all_cases_are_in_one_table_in_the_order_given(collected, table):
    parquet = pd.read_parquet(collected[0] / "estimates.parquet")
    assert parquet["case"].unique().tolist() == ["toy", "other"]
    pd.testing.assert_frame_equal(parquet.iloc[: len(table)], table)


def test_three_formats_hold_the_same_numbers(collected):
    parquet = pd.read_parquet(collected[0] / "estimates.parquet")
    text = dict.fromkeys(("case", "model", "quantity", *STRATA), str)
    csv = pd.read_csv(collected[0] / "estimates.csv", dtype=text, keep_default_na=False, na_values={"r_hat": [""]})
    records = json.loads((collected[0] / "estimates.json").read_text(encoding="utf-8"))
    from_json = pd.DataFrame(records, columns=parquet.columns)
    from_json[list(text)] = from_json[list(text)].astype("str").fillna("")
    pd.testing.assert_frame_equal(csv, parquet, rtol=1e-9, check_dtype=False)
    pd.testing.assert_frame_equal(from_json, parquet, rtol=1e-12, check_dtype=False)


def test_json_is_read_by_every_parser_and_leaves_out_what_does_not_apply(collected):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    records = json.loads((collected[0] / "estimates.json").read_text(encoding="utf-8"), parse_constant=refuse)
    in_all = next(record for record in records if record["quantity"] == "deaths")
    assert not set(STRATA) & set(in_all)


def test_collecting_twice_writes_the_same_bytes(collected):
    first, second = ({file.name: file.read_bytes() for file in folder.iterdir()} for folder in collected)
    assert sorted(first) == ["estimates.csv", "estimates.json", "estimates.parquet"]
    assert first == second
