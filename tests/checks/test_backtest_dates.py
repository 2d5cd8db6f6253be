"""Estimates of earlier days: what was known then, how they stand to what was named later, and what is kept of them."""

import arviz as az
import numpy as np
import pandas as pd
import pymc as pm
import pytest
import xarray as xr
from pytensor.compile.mode import Mode

from uncounted import compiling, inference
from uncounted.checks import backtest_dates as dates
from uncounted.checks.result import Result
from uncounted.errors import UserError
from uncounted.models import synthesis
from uncounted.report import backtest as page

PLAIN = Mode(linker="py", optimizer=None)
FIRST, SECOND, THIRD = "2023-07-01", "2024-01-15", "2024-04-17"


# What was known


def test_only_the_list_and_its_ages_were_public_in_the_summer_of_2023(russia, evidence):
    case, known = dates.known_on(russia, evidence, FIRST)
    by_kind_of_service = {"named_by_number_of_sources", "named_by_month_confirmed"}
    assert set(known) - by_kind_of_service == {"named_totals", "named_by_age"}
    assert case["cut_off"] == "2023-06-30"
    assert known["named_totals"].query("part == 'all'")["named"].max() == 26_800


def test_the_registry_of_2022_was_public_by_january_2024_and_that_of_2023_not_even_in_april(russia, evidence):
    for day in (SECOND, THIRD):
        _, known = dates.known_on(russia, evidence, day)
        assert known["registered_deaths"]["year"].max() == 2022
    assert "named_in_year" not in dates.known_on(russia, evidence, SECOND)[1]
    assert "named_in_year" in dates.known_on(russia, evidence, THIRD)[1]
    assert dates.known_on(russia, evidence, SECOND)[0]["cut_off"] == SECOND
    assert dates.known_on(russia, evidence, THIRD)[0]["cut_off"] == "2024-04-07"


@pytest.mark.parametrize("day", [FIRST, SECOND, THIRD])
def test_nothing_published_later_enters_and_nothing_that_was_kept_out(russia, evidence, day):
    _, known = dates.known_on(russia, evidence, day)
    for name, table in known.items():
        assert (table["published"] <= pd.Timestamp(day)).all(), name
        assert "kept_for" not in russia["sources"][name], name
        before = evidence[name][evidence[name]["published"] <= pd.Timestamp(day)]
        assert len(table) == len(before), name


@pytest.mark.parametrize(
    ("source", "published"),
    [("graves", "2023-09-15"), ("named_by_week", "2023-11-17"), ("registered_deaths", "2023-07-10")],
)
def test_a_figure_is_known_on_the_day_it_was_published_and_not_the_day_before(russia, evidence, source, published):
    assert source in dates.known_on(russia, evidence, published)[1]
    before = pd.Timestamp(published) - pd.Timedelta(days=1)
    assert source not in dates.known_on(russia, evidence, before)[1]


def test_a_registry_without_a_year_of_war_is_none(russia, evidence):
    registered = evidence["registered_deaths"]
    tables = evidence | {"registered_deaths": registered[registered["year"] < 2022]}
    assert "registered_deaths" not in dates.known_on(russia, tables, THIRD)[1]


def test_a_day_before_the_list_grew_is_refused(russia, evidence):
    with pytest.raises(UserError, match="published 1 times by 2022-09-01"):
        dates.known_on(russia, evidence, "2022-09-01")


# The model of what was known


@pytest.mark.parametrize("day", [FIRST, SECOND, THIRD])
def test_the_model_has_the_parts_of_what_was_known_and_no_others(russia, evidence, day):
    case, known = dates.known_on(russia, evidence, day)
    layout = synthesis.lay_out(case, known)
    assert layout.coords["source"] == [name for name in synthesis.SOURCES if name in known]
    assert all(np.isfinite(values).all() for values in layout.data.values())
    last = layout.facts["days"]["last"]
    assert last == np.datetime64(case["cut_off"]) and max(layout.facts["days"]["list_days"]) <= last
    model = synthesis.build(layout, case["priors"])
    wanted = [name for source in layout.coords["source"] for name in synthesis.OBSERVED[source]]
    wanted += ["ratio_before_war"] if "registered_deaths" in known else []
    assert sorted(rv.name for rv in model.observed_RVs) == sorted(wanted)
    free = {rv.name for rv in model.free_RVs}
    # Where nothing tells the months apart, the walk over them is sampled by its steps.
    walked = set() if "named_by_week" in known else {"rate_first", "rate_moves"}
    assert {"dated_share", "dated_slope"} <= free and free - set(synthesis.PARAMETERS) == walked
    assert "log_rate" in model.named_vars


def test_an_estimate_is_made_of_what_was_known(russia, evidence, monkeypatch):
    """With draws from the prior in the place of the posterior's: all but the sampler."""

    def draws_from_prior(model, *, draws, tune, chains, seed, **_):
        with model:
            prior = pm.sample_prior_predictive(draws, random_seed=seed, compile_kwargs={"mode": PLAIN}).prior
        posterior = xr.concat([prior.isel(chain=0)] * chains, "chain").assign_coords(chain=range(chains))
        energy = np.random.default_rng(1).normal(size=(chains, draws))
        trace = az.from_dict(sample_stats={"diverging": np.zeros((chains, draws), bool), "energy": energy})
        trace.add_groups(posterior=posterior)
        return trace

    monkeypatch.setattr(compiling, "compile_model", lambda model: model)
    monkeypatch.setattr(inference, "draw", draws_from_prior)
    case = russia | {"backtest": russia["backtest"] | {"sampling": {"draws": 60, "tune": 1, "chains": 2}}}
    rows, published = dates.estimate_on("russia", case, evidence, FIRST, seed=1)
    assert len(rows) == 1
    row = rows.iloc[0]
    assert row["sources"] == "named_totals named_by_age" and row["named"] == 26_800
    assert row["until"] == row["cut_off"] == pd.Timestamp("2023-06-30")
    assert row["lower_95"] >= 26_800 and row["forecast_lower"] < row["forecast_upper"]
    assert row["named_later"] == pytest.approx(35_973)
    assert published["deaths_to"].max() < pd.Timestamp(FIRST)
    assert (published["lower_95"] < published["upper_95"]).all()


# Against what was named later


def later_list():
    return pd.DataFrame(
        {
            "published": pd.Timestamp("2025-04-25"),
            "kind": "all",
            "named": [600, 400],
            "first_day": pd.to_datetime(["2023-05-01", "2023-06-01"]),
            "last_day": pd.to_datetime(["2023-05-31", "2023-06-30"]),
        }
    )


@pytest.mark.parametrize(
    ("middle", "passed", "below"), [(2_000, True, 0.0), (1_050, True, 0.3), (900, True, 0.84), (700, False, 1.0)]
)
def test_an_interval_fails_if_it_ends_below_what_was_named_later(middle, passed, below):
    draws = np.random.default_rng(1).normal(middle, 100, 4_000)
    seen = dates.against_later_list(draws, later_list(), "2023-06-30")
    assert seen["named_later"] == 1_000
    assert seen["passed"] is passed
    assert seen["share_below"] == pytest.approx(below, abs=0.02)


def test_only_those_who_died_by_then_count_among_the_named():
    assert dates.against_later_list(np.ones(9), later_list(), "2023-06-15")["named_later"] == pytest.approx(800)


def test_deaths_until_a_day_share_out_its_month():
    counted = xr.Dataset(
        {"deaths_by_month": (("chain", "draw", "month"), [[[50.0, 310.0, 70.0]]])},
        coords={"month": ["2022-02", "2022-03", "2022-04"]},
    )
    case = {"war": {"from": "2022-02-24"}, "cut_off": "2022-04-07"}
    for until, wanted in [
        ("2022-02-24", 10),
        ("2022-02-28", 50),
        ("2022-03-10", 150),
        ("2022-04-01", 370),
        ("2022-04-07", 430),
    ]:
        np.testing.assert_allclose(dates.deaths_until(counted, case, until), wanted, err_msg=until)


def test_a_published_estimate_stands_beside_the_first_that_reaches_it(russia, evidence):
    for deaths_to, day in [("2023-05-27", FIRST), ("2023-08-18", SECOND), ("2024-02-24", THIRD), ("2024-04-17", THIRD)]:
        assert dates.first_to_reach(russia, evidence, deaths_to) == day


# What is kept, and what is said of it


def rows(**changed):
    about = {
        **{"case": "russia", "known_on": FIRST, "cut_off": "2023-06-30", "until": "2023-06-30"},
        **{"sources": "named_totals named_by_age", "named": 26_800, "median": 50_000, "later_list": "2025-04-25"},
        **{"lower_50": 45_000, "upper_50": 56_000, "lower_95": 34_000, "upper_95": 90_000},
        **{"named_later": 36_000.0, "share_below": 0.05, "passed": True},
        **{"forecast_median": 30_000, "forecast_lower": 20_000, "forecast_upper": 33_000},
        **{"r_hat": 1.002, "ess": 800, "failed_checks": "", "seconds": 80, "seed": 7, "commit": "abc", "clean": True},
    }
    return dates.as_table(dates.SCHEMA, [about | changed])


def none_published():
    return dates.as_table(dates.PUBLISHED_SCHEMA, [])


def test_what_is_kept_is_read_again_as_it_was(tmp_path):
    rows().to_parquet(tmp_path / "rows.parquet")
    none_published().to_parquet(tmp_path / "published.parquet")
    dates.write_kept(
        dates=[tmp_path / "rows.parquet"], published=[tmp_path / "published.parquet"], out_folder=tmp_path / "kept"
    )
    kept = [tmp_path / "kept" / f"{name}.csv" for name in ("table", "published")]
    dates.recall(case_name="russia", dates=[FIRST], kept=kept, out_folder=tmp_path / "recalled")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "recalled" / "backtest_dates.parquet"), rows())
    assert pd.read_parquet(tmp_path / "recalled" / "backtest_published.parquet").empty
    for case_name, days in (("russia", [FIRST, SECOND]), ("another", [FIRST])):
        with pytest.raises(UserError, match="not of") as failure:
            dates.recall(case_name=case_name, dates=days, kept=kept, out_folder=tmp_path / "recalled")
        assert "snakemake backtest" in str(failure.value)


def test_a_back_test_that_was_never_made_is_asked_for(tmp_path):
    kept = [tmp_path / "table.csv", tmp_path / "published.csv"]
    with pytest.raises(UserError, match="no back-test") as failure:
        dates.recall(case_name="russia", dates=[FIRST], kept=kept, out_folder=tmp_path)
    assert "snakemake backtest" in str(failure.value)


def written(table, russia):
    config = russia | {"title": "A war"}
    return page.render({"russia": config}, {"russia": page.view(table, none_published(), config)})


def test_the_page_says_that_an_interval_failed(russia):
    failed = rows(upper_95=35_000.0, upper_50=35_000.0, median=34_500.0, share_below=0.99, passed=False)
    text = written(failed, russia)
    assert text.index("**Failed.**") < text.index("| known on |")
    assert "26,800 to" not in text and "34,000 to 35,000, and 36,000 were named by 25 April 2025" in text
    doubts = page.doubts(page.view(failed, none_published(), russia), "earlier")
    assert len(doubts) == 1 and "36,000 who were named later" in doubts[0]["text"]


def test_the_page_says_how_much_is_excluded_and_what_was_not_foreseen(russia):
    text = written(rows(), russia)
    assert "No interval ends below what was named later." in text and "Failed" not in text
    assert "The interval of 1 July 2023 begins below it: 5\u202f% of what was believed" in text.replace("\n", " ")
    assert "More were named than foreseen on 1 July 2023" in text
    assert "named by week of death" in text[text.index("not yet published") :]
    assert page.doubts(page.view(rows(), none_published(), russia), "earlier") == []


def test_a_check_that_failed_is_written_so_that_it_visibly_did():
    results = [
        Result("R-hat of parameters", "effort_step", 1.0104, "at most 1.01", False, "draw more"),
        Result("divergences", "all chains", 0.0, "none", True, ""),
    ]
    assert dates.failed_checks(results) == "R-hat of parameters (effort_step: 1.0104, wanted: at most 1.01)"
    assert dates.failed_checks(results[1:]) == ""


@pytest.mark.parametrize(
    ("upper", "verdict"),
    [(90_000.0, "passed; checks of the fit failed"), (35_000.0, "failed; checks of the fit failed")],
)
def test_an_interval_of_a_fit_whose_checks_failed_is_not_simply_passed(russia, upper, verdict):
    table = rows(failed_checks="divergences", upper_95=upper, passed=upper > 36_000)
    text = written(table, russia)
    assert text.count(f"| **{verdict}** |") == 2 and "| passed |" not in text
    assert "In 1 of 1 fits a check of the calculation failed" in text
    assert "| passed |" in written(rows(), russia) and "a check of the calculation" not in written(rows(), russia)


@pytest.mark.parametrize(
    ("low", "point", "high", "where"),
    [
        (np.nan, 120_000.0, np.nan, "above"),
        (95_000.0, np.nan, 130_000.0, "above"),
        (20_000.0, 30_000.0, 33_000.0, "below"),
        (80_000.0, 95_000.0, 110_000.0, ""),
        (np.nan, 70_000.0, np.nan, ""),
    ],
)
def test_a_published_estimate_outside_our_interval_is_said(russia, low, point, high, where):
    ours = {"median": 50_000, "lower_50": 45_000, "upper_50": 56_000, "lower_95": 34_000, "upper_95": 90_000}
    theirs = {"by": "officials", "what": "killed", "deaths_to": "2023-06-30", "published_as": "2023-07"}
    theirs |= {"published": "2023-07-01", "low": low, "point": point, "high": high}
    about = {"case": "russia", "known_on": FIRST, "until": "2023-06-30"}
    table = dates.as_table(dates.PUBLISHED_SCHEMA, [about | ours | theirs])
    config = russia | {"title": "A war"}
    seen = page.view(rows(), table, config)
    assert [row["outside"] for row in seen["outside"]] == [where] * bool(where)
    text = page.render({"russia": config}, {"russia": seen}).replace("\n", " ")
    assert ("Number 1 of the next table lies" in text) == bool(where)
    said = f"lies {where} our interval: officials gave"
    assert not where or (said in text and "is 50,000 (95 % interval 34,000 to 90,000)" in text)


def test_the_page_says_which_checks_of_a_fit_failed(russia):
    text = written(rows(failed_checks="divergences", clean=False), russia)
    assert "**Checks failed** in the fit of 1 July 2023: divergences" in text
    assert "commit abc, with changes that no commit holds. Seed 7." in text
