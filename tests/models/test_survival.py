"""How soon recruits die: laws, truncation, what cannot be known, bad input."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from uncounted.checks import survival_calibration as calibration
from uncounted.checks.survival import KAPLAN_MEIER, survival_table
from uncounted.compiling import compile_model
from uncounted.errors import UserError
from uncounted.inference import draw
from uncounted.models import survival
from uncounted.models.packing import pack
from uncounted.models.survival_laws import REFERENCE, cells, dead_between, log_days, share_named, weibull
from uncounted.models.synthesis_evidence import share_named_after

NAMING = survival.naming_stated(32.0, 1.85, (0.3, 0.5))
TIMES = [
    ("2022-09-05", "2022-09-05", "2022-11-20", "2022-11-20"),
    ("2022-09-01", "2022-09-30", "2022-12-01", "2022-12-31"),
    (None, None, "2023-01-05", "2023-01-05"),
    ("2022-10-01", "2022-10-01", None, None),
]


@pytest.fixture(scope="session")
def settings(case):
    return case["survival"]


@pytest.fixture(scope="session")
def prisoners(settings, tables):
    """The layout of the Russian case."""
    return survival.lay_out(settings, tables, NAMING)


@pytest.fixture(scope="session")
def fitted(prisoners, settings):
    """What the published summaries alone say."""
    compiled = compile_model(survival.build(prisoners, settings["priors"]))
    trace = draw(compiled, draws=500, tune=500, chains=2, seed=1, target_accept=0.95, what="a fit")
    return trace, survival.summarise(trace.posterior, prisoners, settings["priors"], 1)


def times_of(rows, cohort="wagner"):
    table = pd.DataFrame(rows, columns=["recruited_from", "recruited_to", "died_from", "died_to"])
    table = table.apply(lambda column: pd.to_datetime(column)).astype("datetime64[us]")
    table.insert(0, "cohort", cohort)
    table.insert(0, "published", pd.Timestamp("2024-04-17"))
    return table


def with_times(settings, tables, rows, cohort="wagner"):
    return settings | {"times": "times"}, tables | {"times": times_of(rows, cohort)}


# Laws


def test_the_weibull_law_is_weibulls():
    days = np.array([0.5, 30.0, REFERENCE, 400.0])
    cumulative = weibull(np, 0.3, 0.7, log_days(days))
    scale = REFERENCE / 0.3 ** (1 / 0.7)
    np.testing.assert_allclose(-np.expm1(-cumulative), stats.weibull_min.cdf(days, 0.7, scale=scale))


def test_small_differences_keep_their_digits():
    assert dead_between(np, 1e-12, 3e-12) == pytest.approx(2e-12, rel=1e-9)


def test_naming_is_that_of_the_synthesis():
    days, delay, tail = np.array([1.0, 60.0, 900.0]), 60.0, 1.5
    scale = delay / (tail * (2 ** (1 / tail) - 1))
    np.testing.assert_allclose(share_named(np, delay, tail, days), share_named_after(days / scale, tail))
    assert share_named(np, delay, tail, -3.0) == 0 and share_named(np, delay, tail, delay) == pytest.approx(0.5)


def test_cells_cover_all_and_sum_without_harm_from_a_density_without_bound():
    edges, _ = cells(24)
    assert edges[0] == 0 and edges[-1] == 1
    cumulative = weibull(np, 0.3, 0.4, log_days(400 * edges))
    total = dead_between(np, cumulative[:-1], cumulative[1:]).sum()
    assert total == pytest.approx(-np.expm1(-cumulative[-1]), abs=1e-3)


@pytest.mark.parametrize("law", ["weibull", "piecewise"])
def test_the_named_dead_are_distributed_as_men_who_are_made_up_one_by_one(law):
    rng = np.random.default_rng(5)
    settings = calibration.SETTINGS | {"laws": [law], "reading_error_days": 1e-3}
    truth = calibration._draw_truth(rng, law, settings)
    truth["naming"][:] = 0.0
    layout = survival.lay_out(settings, calibration._made_up(rng, truth, settings, law), calibration._NAMING)
    found = survival.summarise(truth, layout, calibration.PRIORS, 1).isel(chain=0, draw=0, law=0)
    end = pd.Timestamp(settings["closing_day"]) + pd.Timedelta(days=1)
    for place in (0, 1):
        sent, died, named = calibration._send(rng, truth, place, settings, law)
        days = np.asarray((died - sent) / pd.Timedelta(days=1))
        seen = (died < end) & (named < end)
        curve = [(days[seen] <= day).mean() for day in survival.CURVE_DAYS]
        np.testing.assert_allclose(found["dead_of_named"][place], curve, atol=0.02)
        assert found["median_dead"][place] == pytest.approx(np.median(days[died < end]), rel=0.06)
        longest = layout.facts["days"][place, -1]
        assert found["median_half_year"][place] == pytest.approx(np.median(days[days <= 182.6]), rel=0.06)
        assert found["median_followed"][place] == pytest.approx(np.median(days[days <= longest]), rel=0.06)


# What is known and what is not


def test_the_published_medians_are_reproduced_from_the_summaries_alone(fitted):
    _, results = fitted
    published = {"wagner": 91, "defence_ministry": 61}
    for recruiter, days in published.items():
        for law in ("weibull", "piecewise"):
            replicated = results["median_published"].sel(recruiter=recruiter, law=law).values
            low, middle, high = np.quantile(replicated, [0.025, 0.5, 0.975])
            assert low < days < high
            assert middle == pytest.approx(days, rel=0.12)
    died = results["died_published"].sel(recruiter="wagner").quantile([0.025, 0.975], ("chain", "draw", "law"))
    assert died[0] < 17_175 < died[1]


def test_a_sample_that_is_cut_off_seems_to_die_sooner(fitted):
    _, results = fitted
    middle = results.median(("chain", "draw"))
    assert (middle["median_named"] < middle["median_dead"]).all()
    assert (middle["median_dead"] < middle["median_followed"]).all()
    assert (results["median_short"] > 0).mean() > 0.99


def test_nothing_diverges(fitted):
    trace, _ = fitted
    assert int(trace.sample_stats["diverging"].sum()) == 0


def test_without_the_number_of_recruits_there_is_a_reason_and_no_share(fitted, prisoners):
    _, results = fitted
    table = survival_table(results, prisoners).set_index("recruiter")
    own = table.loc["defence_ministry"]
    unknown = own[own["quantity"].isin(["alive", "share_dead", "died_published"])]
    assert unknown[["median", "lower", "upper"]].isna().all(axis=None)
    assert unknown["reason"].str.startswith("Not published: how many were recruited").all()
    assert own.loc[own["quantity"] == "median_named", "median"].notna().all()
    assert table.loc["wagner", "median"].notna().all()


def test_kaplan_meier_of_individual_times_is_the_share_of_the_dead(settings, tables, fitted):
    _, results = fitted
    layout = survival.lay_out(*with_times(settings, tables, TIMES[:2]), NAMING)
    rows = survival_table(results, layout).query(f"law == '{KAPLAN_MEIER}' and level == 0.95").set_index("at")
    assert set(rows["recruiter"]) == {"wagner"}
    # 76 days, and 92 from the middle of a month to that of another.
    assert rows.loc[[70.0, 77.0, 98.0], "median"].tolist() == [0.0, 0.5, 1.0]
    assert (rows["lower"] <= rows["median"]).all() and (rows["median"] <= rows["upper"]).all()


def test_a_missing_day_of_death_leaves_nothing_to_learn(settings, tables):
    layout = survival.lay_out(*with_times(settings, tables, TIMES), NAMING)
    assert layout.recruits.tolist() == [[1.0, 0.0]] * 3
    # One of the three has no day of being sent, and is not counted by Kaplan and Meier.
    assert len(layout.kaplan_meier["wagner"]) == 2
    # The median of the same dead is not used twice.
    assert layout.data["use_half"].tolist() == [0.0, 1.0]


def test_the_naming_of_a_synthesis_is_taken_at_its_mean_effort(settings):
    shape = (2, 50)
    rng = np.random.default_rng(1)
    dims = ("chain", "draw")
    posterior = xr.Dataset(
        {
            "naming_delay": (dims, 60 * np.exp(0.2 * rng.normal(size=shape))),
            "naming_tail": (dims, 1.5 * np.exp(0.1 * rng.normal(size=shape))),
            "effort": ((*dims, "half_year"), np.full((*shape, 3), [1.0, 3.0, 9.0])),
        },
        {"half_year": ["2023-01-01", "2024-01-01", "2024-07-01"]},
    )
    mean, factor = survival.naming_of(posterior, settings)
    # The last half-year begins after the closing day.
    np.testing.assert_allclose(np.exp(mean), [30.0, 1.5], rtol=0.1)
    np.testing.assert_allclose(np.sqrt(np.diag(factor @ factor.T)), [0.2, 0.1], rtol=0.3)


# Bad input


def changed(tables, values):
    table = tables["prisoners"].copy()
    for column, value in values.items():
        table.loc[table["cohort"] == "wagner", column] = value
    return tables | {"prisoners": table}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"died": 48_367}, "48367 died, more than were recruited, 48366"),
        ({"cohort": "storm"}, "the recruiter 'storm' is not known"),
        ({"sample": pd.NA}, "the number of dead is missing"),
        ({"half_of_deaths_within_days": 647}, "half of the dead within 647 days, beyond the closing day"),
        ({"died_by": pd.Timestamp("2022-06-30")}, "deaths up to 2022-06-30, before anybody was recruited"),
    ],
)
def test_summaries_that_cannot_be(settings, tables, values, words):
    with pytest.raises(UserError) as error:
        survival.lay_out(settings, changed(tables, values), NAMING)
    assert words in str(error.value) and "source prisoners" in str(error.value)


def test_a_recruiter_without_a_row(settings, tables):
    alone = tables | {"prisoners": tables["prisoners"].query("cohort == 'wagner'")}
    with pytest.raises(UserError, match="the recruiter 'defence_ministry' has no row"):
        survival.lay_out(settings, alone, NAMING)


@pytest.mark.parametrize(
    ("row", "cohort", "words"),
    [
        (("2022-09-05",) * 2 + ("2022-09-04",) * 2, "wagner", "a death on 2022-09-04, before recruitment"),
        ((None, None) + ("2022-06-30",) * 2, "wagner", "a death on 2022-06-30, before recruitment"),
        (("2022-09-05",) * 2 + ("2024-04-08",) * 2, "wagner", "a death on 2024-04-08, beyond the closing day"),
        (("2024-04-09",) * 2 + (None, None), "wagner", "a recruitment on 2024-04-09, beyond the closing day"),
        (TIMES[0], "storm", "the recruiter 'storm' is not known"),
    ],
)
def test_times_that_cannot_be(settings, tables, row, cohort, words):
    with pytest.raises(UserError) as error:
        survival.lay_out(*with_times(settings, tables, [row], cohort), NAMING)
    assert words in str(error.value) and "source times" in str(error.value)


# Recovery


def test_intervals_hold_what_was_made_up():
    table = calibration.coverage("weibull", 20, seed=2)
    # 0.95 wanted; of 20 simulations of a few quantities, which go together, 0.85 is a matter of chance.
    assert table["covered"].mean() >= 0.85
    assert table.groupby("quantity")["covered"].mean().min() >= 0.75
    assert np.isfinite(table[["truth", "lower", "upper"]].to_numpy()).all()


def test_other_times_of_the_same_number_need_no_new_model(settings, tables):
    one, other = (
        survival.lay_out(*with_times(settings, tables, rows), NAMING)
        for rows in (TIMES[:2], [TIMES[0], ("2023-01-01", "2023-01-31", "2023-03-01", "2023-03-31")])
    )
    assert pack(one.data).shape == pack(other.data).shape
