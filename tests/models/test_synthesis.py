"""The parts of the synthesis against calculations made another way."""

import math

import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
import xarray as xr
from pytensor.compile.mode import Mode
from scipy import stats

from uncounted.errors import UserError
from uncounted.models import MODULES, model_named, synthesis, synthesis_counts
from uncounted.models.priors import FORMS, lognormal_on_log_scale, prior
from uncounted.models.switch import log_exceedance, observe
from uncounted.models.synthesis_evidence import AGES, SOURCES, centred, share_named_after
from uncounted.models.transforms import common_level, from_zero

# A few evaluations do not pay for a compiler.
PLAIN = Mode(linker="py", optimizer="fast_compile")
DAY = np.timedelta64(1, "D")


# Registered deaths


def forecast(women, seen, war, ratio, last, memory, own_variance, gap):
    """`_forecast_registered` for one age, as numbers."""
    d = {
        "women": pt.as_tensor(women[None, :]),
        "registered_male_seen": pt.as_tensor(seen[None, :]),
        "gap_years": pt.as_tensor(gap),
    }
    outputs = synthesis._forecast_registered(
        d,
        pt.as_tensor(ratio[None, :]),
        pt.as_tensor(np.array([last])),
        pt.as_tensor(memory),
        pt.as_tensor(np.array([own_variance])),
        pt.as_tensor(war[None, :]),
    )
    return [values[0] for values in pytensor.function([], list(outputs), mode=PLAIN)()]


MADE_UP = {
    "women": np.array([5_000.0, 5_200.0, 4_900.0]),
    "seen": np.array([16_800.0, 21_500.0, 19_000.0]),
    "war": np.array([1_900.0, 5_300.0, 4_000.0]),
    "ratio": np.array([1.08, 1.06, 1.05]),
    "last": 0.03,
    "memory": 0.6,
    "own_variance": 0.03**2,
    "gap": 3.0,
}


def dense(expected, women, war, last, memory, own_variance, gap, **_):
    """Joint mean and covariance of (departures, male deaths) of the same linear model, all years at once."""
    years = len(women)
    kept = memory**gap
    mean = np.array([kept * last * memory**t for t in range(years)])
    noise = np.array([(1 - kept**2) * own_variance] + [(1 - memory**2) * own_variance] * (years - 1))
    lags = np.subtract.outer(np.arange(years), np.arange(years))
    chain = np.where(lags >= 0, memory ** np.maximum(lags, 0), 0.0)
    departures = chain @ np.diag(noise) @ chain.T
    usual = expected - war
    chance = np.diag(expected + usual**2 / women)
    slopes = np.diag(usual)
    return mean, departures, slopes, slopes @ departures @ slopes + chance


def linearised_at(usual, women, ratio, **_):
    """The departure around which each year is made linear."""
    return np.log(usual / women) - ratio


def test_sequential_density_of_registered_deaths_equals_the_dense_normal():
    expected, sd, _, _ = forecast(**MADE_UP)
    mean, _, slopes, covariance = dense(expected, **MADE_UP)
    at = linearised_at(expected - MADE_UP["war"], **MADE_UP)
    seen = MADE_UP["seen"]
    step_by_step = stats.norm.logpdf(seen, expected, sd).sum()
    at_once = stats.multivariate_normal.logpdf(seen, expected + slopes @ (mean - at), covariance)
    assert step_by_step == pytest.approx(at_once, abs=1e-8)


def test_deaths_without_war_in_the_last_year_equal_the_dense_conditional():
    expected, _, middle, sd = forecast(**MADE_UP)
    mean, departures, slopes, covariance = dense(expected, **MADE_UP)
    usual = expected - MADE_UP["war"]
    at = linearised_at(usual, **MADE_UP)
    surprise = MADE_UP["seen"] - (expected + slopes @ (mean - at))
    gain = departures @ slopes @ np.linalg.inv(covariance)
    given = mean + gain @ surprise
    left = departures - gain @ slopes @ departures
    assert middle[-1] == pytest.approx(usual[-1] * (1 + given[-1] - at[-1]), rel=1e-9)
    assert sd[-1] == pytest.approx(usual[-1] * math.sqrt(left[-1, -1]), rel=1e-9)


def test_years_before_the_first_of_the_war_carry_the_last_departure_over():
    expected, *_ = forecast(**MADE_UP)
    departure = MADE_UP["memory"] ** MADE_UP["gap"] * MADE_UP["last"]
    without = MADE_UP["women"][0] * np.exp(MADE_UP["ratio"][0] + departure)
    assert expected[0] == pytest.approx(without + MADE_UP["war"][0])


# Naming


@pytest.mark.parametrize("tail", [0.4, 1.5, 6.0])
def test_none_are_named_at_once_and_half_after_the_median_delay(tail):
    delay = 60.0
    scale = delay / (tail * (2.0 ** (1.0 / tail) - 1.0))
    assert share_named_after(0.0, tail) == 0.0
    assert share_named_after(delay / scale, tail) == pytest.approx(0.5)


@pytest.mark.parametrize("tail", [0.4, 1.5, 6.0])
def test_share_named_grows_towards_one(tail):
    shares = share_named_after(np.geomspace(1e-3, 1e2, 100), tail)
    assert (np.diff(shares) > 0).all()
    assert shares[-1] < 1.0
    assert share_named_after(1e12, tail) == pytest.approx(1.0, abs=1e-4)


def test_share_named_is_that_of_lomax_in_numpy_and_in_pytensor():
    exposure, tail = np.array([0.0, 0.5, 2.0, 40.0]), 1.5
    expected = stats.lomax.cdf(exposure, c=tail, scale=tail)
    np.testing.assert_allclose(share_named_after(exposure, tail), expected)
    np.testing.assert_allclose(share_named_after(pt.as_tensor(exposure), tail).eval(mode=PLAIN), expected)


# The coordinates of the random walk


def transform_functions(count):
    x, transform = pt.vector("x"), common_level(count)
    there = pytensor.function([x], transform.forward(x), mode=PLAIN)
    back = pytensor.function([x], transform.backward(x), mode=PLAIN)
    declared = pytensor.function([x], transform.log_jac_det(x), mode=PLAIN, on_unused_input="ignore")
    return there, back, declared


def jacobian(function, at):
    return np.stack([(function(at + step) - function(at - step)) / 2 for step in np.eye(len(at))], axis=1)


@pytest.mark.parametrize("count", [2, 4, 7])
def test_common_level_comes_back_to_where_it_began(count):
    there, back, _ = transform_functions(count)
    x = np.random.default_rng(1).normal(size=7)
    np.testing.assert_allclose(back(there(x)), x)
    np.testing.assert_allclose(there(back(x)), x)


def test_common_level_begins_with_the_mean_of_the_first_and_ends_with_the_later_steps():
    there, _, _ = transform_functions(4)
    x = np.random.default_rng(2).normal(size=7)
    assert there(x)[0] == pytest.approx(x[:4].mean())
    np.testing.assert_allclose(there(x)[4:], np.diff(x)[3:])


def test_common_level_has_a_constant_jacobian_determinant_so_that_none_need_be_declared():
    _, back, declared = transform_functions(4)
    rng = np.random.default_rng(3)
    places = rng.normal(size=(3, 7), scale=5.0)
    determinants = [abs(np.linalg.det(jacobian(back, x))) for x in places]
    # Departures in an orthonormal basis, and a mean of four: the square root of four.
    np.testing.assert_allclose(determinants, 2.0)
    assert {float(declared(x)) for x in places} == {0.0}


def test_density_of_a_walk_does_not_depend_on_its_coordinates():
    with pm.Model() as model:
        start = pm.Normal.dist(4.0, 1.0)
        pm.GaussianRandomWalk("walk", mu=0.0, sigma=0.4, init_dist=start, steps=6, transform=common_level(4))
    density = model.compile_logp(mode=PLAIN)
    _, back, _ = transform_functions(4)
    for x in np.random.default_rng(4).normal(size=(3, 7)):
        walk = back(x)
        expected = stats.norm.logpdf(walk[0], 4.0, 1.0) + stats.norm.logpdf(np.diff(walk), 0.0, 0.4).sum()
        assert density({"walk_commonlevel__": x}) == pytest.approx(expected)


@pytest.mark.parametrize("scale", [0.01, 0.25, 3.0])
def test_a_quantity_above_zero_comes_back_to_where_it_began_by_a_map_with_the_declared_jacobian(scale):
    x, transform = pt.vector("x"), from_zero(scale)
    there, back, declared = (
        pytensor.function([x], function(x), mode=PLAIN)
        for function in (transform.forward, transform.backward, transform.log_jac_det)
    )
    values = scale * np.array([1e-9, 1e-3, 0.5, 1.0, 4.0, 1e4])
    np.testing.assert_allclose(back(there(values)), values, rtol=1e-6)
    places = np.array([-20.0, -3.0, 0.0, 0.7, 5.0])
    slopes = (back(places + 1e-5) - back(places - 1e-5)) / 2e-5
    np.testing.assert_allclose(declared(places), np.log(slopes), atol=1e-5)


def test_near_zero_a_quantity_is_walked_by_its_logarithm_and_far_from_zero_by_itself():
    x = pt.vector("x")
    there = pytensor.function([x], from_zero(0.25).forward(x), mode=PLAIN)
    near, far = there(np.array([1e-6, 2e-6])), there(np.array([2.0, 4.0]))
    assert np.diff(near) == pytest.approx(np.log(2) / 2, rel=1e-4)
    np.testing.assert_allclose(far, [8.0, 16.0], rtol=1e-4)


def test_a_half_normal_prior_is_the_same_whatever_it_is_walked_by():
    with pm.Model() as model:
        prior("step", {"step": {"distribution": "half_normal", "scale": 0.25}})
    density = model.compile_logp(mode=PLAIN, jacobian=False)
    for x in (-3.0, 0.0, 2.0):
        value = from_zero(0.25).backward(pt.as_tensor(x)).eval(mode=PLAIN)
        assert density({"step_fromzero__": x}) == pytest.approx(stats.halfnorm.logpdf(value, scale=0.25))


# Sources that are switched off


@pytest.fixture(scope="module")
def density(model):
    """Each variable's own term of the log density, given which sources are used."""
    variables = model.basic_RVs
    function = model.compile_fn(model.logp(vars=variables, sum=False), mode=PLAIN)
    point = model.initial_point(random_seed=1)

    def evaluate(use):
        model.set_data("use", np.asarray(use, dtype=float))
        terms = function(point)
        return {rv.name: float(np.sum(term)) for rv, term in zip(variables, terms, strict=True)}

    yield evaluate
    model.set_data("use", np.ones(len(SOURCES)))


@pytest.mark.parametrize("source", SOURCES)
def test_switching_a_source_off_removes_its_terms_and_no_others(density, source):
    terms = density(np.ones(len(SOURCES)))
    without = density([name != source for name in SOURCES])
    own = synthesis.OBSERVED[source]
    if source == "named_totals":
        # How many of the dated there are in all is relative to the sizes of the list.
        own += ("dated_total",)
    assert np.isfinite(list(terms.values())).all()
    assert all(terms[name] != 0.0 for name in own)
    assert without == {name: 0.0 if name in own else value for name, value in terms.items()}


@pytest.mark.parametrize("used", [0.0, 1.0])
def test_observed_figure_has_the_density_of_its_distribution_or_that_it_exceeds_a_bound(used):
    with pm.Model() as model:
        at = pm.Normal("at", 0.0, 1.0)
        observe("figure", pm.Normal.dist, (at, 2.0), use=pt.as_tensor(used), observed=np.array(1.5))
        observe(
            "bound",
            pm.Logistic.dist,
            (at, 0.7),
            use=pt.as_tensor(used),
            observed=np.array(1.5),
            log_density=log_exceedance,
        )
    terms = model.compile_fn(model.logp(vars=model.observed_RVs, sum=False), mode=PLAIN)
    for place in (-1.0, 0.3, 4.0):
        figure, bound = terms({"at": place})
        assert figure == pytest.approx(used * stats.norm.logpdf(1.5, place, 2.0))
        assert bound == pytest.approx(used * stats.logistic.logsf(1.5, place, 0.7))


def test_every_observed_variable_but_the_line_belongs_to_a_source(model):
    observed = [name for names in synthesis.OBSERVED.values() for name in names]
    assert sorted([*observed, "ratio_before_war"]) == sorted(rv.name for rv in model.observed_RVs)
    assert tuple(synthesis.OBSERVED) == SOURCES


def test_every_sampled_variable_is_named_as_a_parameter(model):
    assert set(synthesis.PARAMETERS) == {rv.name for rv in model.free_RVs}


# The evidence as arrays


def segments_of(layout):
    table = layout.facts["segments"]
    return table["first"].to_numpy("datetime64[D]"), table["last"].to_numpy("datetime64[D]")


def test_segments_tile_the_war_without_gap_or_overlap(layout):
    first, last = segments_of(layout)
    assert first[0] == np.datetime64("2022-02-24")
    assert last[-1] == layout.facts["days"]["last"]
    assert (first[1:] == last[:-1] + DAY).all()
    assert (layout.data["days"] == (last - first).astype(int) + 1).all()
    assert layout.data["days"].min() >= 1


def test_no_segment_crosses_a_month_an_anniversary_a_list_day_or_the_cut_off(layout, case):
    first, last = segments_of(layout)
    assert (first.astype("datetime64[M]") == last.astype("datetime64[M]")).all()
    ends = [*layout.facts["days"]["list_days"], layout.facts["days"]["dated_last"], np.datetime64(case["cut_off"])]
    begins = [end + DAY for end in ends] + [np.datetime64("2023-02-24"), np.datetime64("2024-02-24")]
    for begin in begins:
        assert not ((first < begin) & (begin <= last)).any(), begin


def test_months_are_settled_half_a_year_before_days_of_death_were_published(layout):
    assert layout.coords["month"][layout.places["settled"] - 1] == "2023-04"


def test_ages_of_the_list_stand_for_the_quarters_until_they_were_published(layout):
    weights = dict(zip(layout.coords["quarter"], layout.data["quarters_with_ages"], strict=True))
    assert [quarter for quarter, weight in weights.items() if weight > 0] == [
        "2022Q1",
        "2022Q2",
        "2022Q3",
        "2022Q4",
        "2023Q1",
        "2023Q2",
    ]
    assert sum(weights.values()) == pytest.approx(1)
    assert layout.coords["later_quarter"] == layout.coords["quarter"][1:]


def test_segments_are_called_by_their_first_day(layout):
    assert layout.coords["segment"][:2] == ["2022-02-24", "2022-03-01"]


def test_segments_sum_to_the_days_of_each_month_and_period(layout):
    of_month = layout.data["segments_of_month"]
    assert (of_month.sum(axis=0) == 1).all()
    assert (layout.data["period_of_segment"].sum(axis=0) == 1).all()
    days = dict(zip(layout.coords["month"], of_month @ layout.data["days"], strict=True))
    assert days.pop("2022-02") == 5
    assert days.pop("2024-04") == 19
    assert days == {month: pd.Period(month).days_in_month for month in days}


def test_months_of_quarter_gives_each_month_one_quarter(layout):
    of_quarter = layout.data["months_of_quarter"]
    assert (of_quarter.sum(axis=0) == 1).all()
    assert of_quarter.sum() == len(layout.coords["month"])


def test_periods_are_counted_up_to_the_cut_off_only(layout):
    table = layout.facts["segments"]
    assert table.groupby("period")["counted"].nunique().eq(1).all()
    assert (
        table.loc[table["counted"], "days"].sum() == (pd.Timestamp("2024-04-07") - pd.Timestamp("2022-02-24")).days + 1
    )


def test_increments_sum_to_the_last_size_of_the_list(layout):
    sizes = np.cumsum(np.exp(layout.data["log_increments_seen"]))
    np.testing.assert_allclose(sizes[[0, -2, -1]], [4_515, 50_471, 51_096])
    np.testing.assert_allclose(sizes, list(layout.facts["named_by_day"].values()))
    assert layout.facts["named"] == 50_471
    assert layout.data["interval_days"].sum() == (pd.Timestamp("2024-04-19") - pd.Timestamp("2022-02-24")).days + 1


def test_exposure_is_the_time_between_death_and_list_day(layout):
    first, last = segments_of(layout)
    middle = first.astype(float) + layout.data["days"] / 2
    for i, day in enumerate(layout.facts["days"]["list_days"]):
        until = np.clip(float(day.astype(int)) + 1 - middle, 0, None)
        np.testing.assert_allclose(layout.data["exposure"][i].sum(axis=1), until)
        np.testing.assert_array_equal(layout.data["counts_until"][i] == 1, last <= day)


@pytest.mark.parametrize(("logs", "sd"), [("dated_by_month_seen", "dated_sd"), ("named_ages_seen", "ages_sd")])
def test_compositions_are_centred_with_the_weights_of_their_precision(layout, logs, sd):
    weights = layout.data[sd] ** -2.0
    assert np.average(layout.data[logs], weights=weights) == pytest.approx(0.0, abs=1e-12)


def test_centred_says_nothing_about_the_total():
    logs, sd = np.log([10.0, 200.0, 3_000.0]), np.array([0.3, 0.1, 0.05])
    np.testing.assert_allclose(centred(logs + np.log(7.0), sd), centred(logs, sd))


def test_ledger_is_the_share_of_its_dead_who_stood_on_the_list_as_prisoners(layout):
    shares = 1 / (1 + np.exp(-layout.data["ledger_logit_seen"]))
    np.testing.assert_allclose(shares, [4_500 / 17_175, 6_073 / 17_175])
    assert layout.coords["ledger_day"] == ["2023-06-02", "2023-09-15"]
    assert (layout.data["ledger_sd"] > 0.2).all()
    assert float(layout.data["ledger_kind_known"]) == pytest.approx(1 - 5_048 / 20_253)
    assert layout.data["ledger_ages"].sum() == pytest.approx(1)


def test_ledgers_deaths_fall_between_the_first_recruit_and_the_last_day_of_the_figures(layout):
    first, last = segments_of(layout)
    shares = layout.data["ledger_deaths"]
    assert shares.sum() == pytest.approx(1)
    inside = (last >= np.datetime64("2022-07-01")) & (first <= np.datetime64("2023-08-31"))
    assert (shares[inside] > 0).all() and (shares[~inside] == 0).all()


def test_ledgers_deaths_are_those_of_recruits_drawn_one_by_one(layout):
    rng = np.random.default_rng(6)
    recruited = rng.uniform(0, (np.datetime64("2023-02-08") - np.datetime64("2022-07-01")).astype(int), 400_000)
    died = recruited + rng.exponential(91 / np.log(2), recruited.size)
    end = (np.datetime64("2023-09-01") - np.datetime64("2022-07-01")).astype(int)
    first, _ = segments_of(layout)
    until = (first - np.datetime64("2022-07-01")).astype(float)
    expected = [(died < min(day, end)).sum() / (died < end).sum() for day in until[1:]]
    np.testing.assert_allclose(np.cumsum(layout.data["ledger_deaths"])[:-1], expected, atol=0.003)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"cohort": "army"}, "the ledger has no dead of the cohort 'army'"),
        ({"part": "cooks"}, "the size of the part 'cooks' of the list on 2023-06-02 was not published"),
        ({"named_on": ["2023-06-03"]}, "the size of the part 'inmates' of the list on 2023-06-03 was not published"),
    ],
)
def test_ledger_that_does_not_fit_the_list_is_refused(case, tables, changes, what):
    with pytest.raises(UserError, match=what):
        synthesis.lay_out(case | {"ledger": case["ledger"] | changes}, tables)


def test_ledger_with_fewer_dead_than_the_list_names_is_refused(case, tables):
    few = tables | {"ledger": tables["ledger"].assign(died=6_000)}
    with pytest.raises(UserError, match="6073 under 'inmates', and the ledger 6000 dead"):
        synthesis.lay_out(case, few)


def test_ledgers_dead_are_expected_on_the_list_as_others_are_when_it_carries_over(model, layout):
    named = model["ledger_share_at_cut_off"]
    carries, ceiling, step = (model[name] for name in ("ledger_carries", "ceiling", "ceiling_step"))
    given = {carries: 1.0, ceiling: 0.6, step: 1e-9, model["naming_delay"]: 1e-6, model["naming_tail"]: 50.0}
    given |= {model[name]: np.zeros(model[name].type.shape) for name in ("effort_moves", "ceiling_steps")}
    fixed = {rv: pt.as_tensor(np.asarray(value, dtype=float)) for rv, value in given.items()}
    share = pytensor.graph.replace.graph_replace(named, fixed, strict=False).eval(mode=PLAIN)
    assert share == pytest.approx(0.6 * float(layout.data["ledger_kind_known"]), rel=1e-3)


def test_packed_evidence_comes_apart_as_it_was(layout):
    packed = pt.as_tensor(synthesis.pack(layout.data))
    apart = synthesis.unpack(packed, layout.data)
    assert list(apart) == list(layout.data)
    values = pytensor.function([], list(apart.values()), mode=PLAIN)()
    for name, value in zip(apart, values, strict=True):
        np.testing.assert_array_equal(value, layout.data[name], err_msg=name)


# Numbers of people


@pytest.fixture(scope="module")
def posterior(layout):
    """Draws made up so that about 60 of 100 deaths are named."""
    rng = np.random.default_rng(5)
    chains, draws = 2, 20
    periods, ages, list_days = (layout.coords[name] for name in ("period", "age", "list_day"))
    named = rng.gamma(4.0, size=(chains, draws, len(periods), len(ages)))
    named *= layout.facts["named"] / named.sum(axis=(2, 3), keepdims=True)
    size = np.sort(rng.uniform(4_000, 50_000, size=(chains, draws, len(list_days))), axis=-1)
    years = ("registered_age", "war_year")
    shape = (chains, draws, *(len(layout.coords[name]) for name in years))
    return xr.Dataset(
        {
            "expected_deaths": (("chain", "draw", "period", "age"), named / rng.uniform(0.4, 0.8, size=named.shape)),
            "expected_named": (("chain", "draw", "period", "age"), named),
            "list_size": (("chain", "draw", "list_day"), size),
            "expected_deaths_until": (("chain", "draw", "list_day"), size * 1.7),
            "male_deaths_without_war_mean": (("chain", "draw", *years), np.full(shape, 9_000.0)),
            "male_deaths_without_war_sd": (("chain", "draw", *years), np.full(shape, 300.0)),
        },
        coords={
            "chain": range(chains),
            "draw": range(draws),
            "period": periods,
            "age": ages,
            "list_day": list_days,
            **{name: layout.coords[name] for name in years},
        },
    )


@pytest.fixture(scope="module")
def counted(posterior, layout):
    return synthesis.count_deaths(posterior, layout, seed=7)


def test_deaths_are_the_named_and_those_beyond(counted, layout):
    assert (counted["named"] == layout.facts["named"]).all()
    assert (counted["deaths"] == counted["named"] + counted["deaths_beyond_named"]).all()
    assert counted["deaths"].min() > layout.facts["named"]
    np.testing.assert_allclose(counted["share_named"], counted["named"] / counted["deaths"])


@pytest.mark.parametrize("quantity", ["deaths", "named"])
@pytest.mark.parametrize(
    ("by", "dim"),
    [("month", "month"), ("calendar_year", "calendar_year"), ("war_year", "death_war_year"), ("age", "age")],
)
def test_parts_sum_to_the_whole_in_every_draw(counted, quantity, by, dim):
    parts = counted[f"{quantity}_by_{by}"]
    assert np.issubdtype(parts.dtype, np.integer)
    assert (parts.sum(dim) == counted[quantity]).all()


@pytest.mark.parametrize("by", ["month", "calendar_year", "war_year", "age"])
def test_no_part_has_fewer_deaths_than_named(counted, by):
    assert (counted[f"deaths_by_{by}"] >= counted[f"named_by_{by}"]).all()


def test_named_by_month_is_at_least_what_is_dated_and_by_age_what_has_an_age(counted, layout):
    for month, dated in layout.facts["dated_by_month"].items():
        assert counted["named_by_month"].sel(month=month).min() >= dated
    for age, named in layout.facts["named_by_age"].items():
        assert counted["named_by_age"].sel(age=age).min() >= named


def test_deaths_after_the_cut_off_are_not_counted(counted, posterior, layout):
    inside = layout.facts["periods"]["counted"].to_numpy()
    assert not inside.all()
    cells = posterior.isel(period=inside)
    missed = cells["expected_deaths"].sum(("period", "age")) - layout.facts["named"]
    beyond = counted["deaths_beyond_named"]
    assert (abs(beyond - missed) < 6 * np.sqrt(missed)).all()
    in_all = cells["expected_deaths"].sum(("period", "age")).values.ravel()
    np.testing.assert_allclose(synthesis.deaths_expected(posterior, layout), in_all)


def test_deaths_until_the_end_of_each_month_grow_to_the_whole(counted):
    until = counted["deaths_until"]
    assert list(until["month_end"].values[[0, 1, -2, -1]]) == ["2022-02-28", "2022-03-31", "2024-03-31", "2024-04-07"]
    assert (until.isel(month_end=-1) == counted["deaths"]).all()
    np.testing.assert_array_equal(np.diff(until.values, axis=-1), counted["deaths_by_month"].values[..., 1:])


def test_share_named_by_day_is_of_the_deaths_until_that_day(counted, posterior, layout):
    days = list(counted["day"].values)
    assert days == [str(day) for day in layout.facts["days"]["total_days"] if day <= np.datetime64("2024-04-07")]
    named = np.array([layout.facts["named_by_day"][np.datetime64(day)] for day in days])
    until = posterior["expected_deaths_until"].sel(list_day=days).values
    np.testing.assert_allclose(counted["share_named_by_day"], named / np.maximum(until, named), rtol=0.05)


def test_years_of_war_are_compared_by_deaths_a_day(counted):
    deaths = counted["deaths_by_war_year"].values
    rate = counted["deaths_a_day_by_war_year"].values
    np.testing.assert_allclose(rate, deaths / [365, 365, 44])
    np.testing.assert_allclose(counted["times_year_before"], rate[..., 1:] / rate[..., :-1])
    np.testing.assert_array_equal(counted["deadlier_than_year_before"] == 1, rate[..., 1:] > rate[..., :-1])
    assert counted["later_war_year"].values.tolist() == ["2", "3"]


def test_only_whole_years_are_compared_by_deaths(counted):
    deaths = counted["deaths_by_war_year"].sel(death_war_year=["1", "2"]).values
    assert counted["whole_later_war_year"].values.tolist() == ["2"]
    np.testing.assert_array_equal(counted["more_than_year_before"].values[..., 0], deaths[..., 1] - deaths[..., 0])


def test_probability_that_a_year_was_deadlier_is_the_share_of_draws(layout):
    deaths = np.array([[[100, 101, 50], [100, 99, 1], [100, 120, 50], [100, 130, 50]]])
    years = synthesis_counts.compare_years(deaths, ["1", "2", "3"], layout.facts)
    assert years["deadlier_than_year_before"].mean(("chain", "draw")).values.tolist() == [0.75, 0.75]


def test_first_year_of_a_war_is_compared_with_nothing(layout):
    years = synthesis_counts.compare_years(np.full((1, 3, 1), 40), ["1"], layout.facts)
    assert list(years) == ["deaths_a_day_by_war_year"]


def test_no_deaths_are_beyond_the_named_where_fewer_are_expected_than_named(posterior, layout):
    few = synthesis.count_deaths(posterior.assign(expected_deaths=posterior["expected_deaths"] * 0.3), layout, seed=7)
    assert (few["deaths"] == layout.facts["named"]).all()
    assert (few["deaths_by_month"] == few["named_by_month"].values).all()


def test_batch_of_names_adds_no_deaths(posterior, layout):
    ahead = posterior.assign(expected_named=posterior["expected_named"] * 0.9)
    expected = synthesis.deaths_expected(posterior, layout).mean()
    for draws in (posterior, ahead):
        deaths = synthesis.count_deaths(draws, layout, seed=7)["deaths"]
        assert float(deaths.mean()) == pytest.approx(expected, rel=0.005)


def test_same_seed_counts_the_same_people_and_another_seed_others(posterior, layout, counted):
    xr.testing.assert_identical(synthesis.count_deaths(posterior, layout, seed=7), counted)
    assert not synthesis.count_deaths(posterior, layout, seed=8)["deaths"].equals(counted["deaths"])


def test_compositions_in_natural_units_sum_to_the_people_published(layout):
    for name, logs, total in (
        ("dated_by_month", "dated_by_month_seen", layout.facts["dated_by_month"]),
        ("named_ages", "named_ages_seen", layout.facts["named_by_age"]),
    ):
        people = synthesis.in_natural_units(name, layout.data[logs], layout)
        np.testing.assert_allclose(people, [count for count in total.values() if count > 0], rtol=1e-9)
    sizes = synthesis.in_natural_units("list_increments", layout.data["log_increments_seen"], layout)
    assert sizes.sum() == pytest.approx(51_096)
    assert synthesis.in_natural_units("graves_share", np.array(0.0), layout) == 0.5


def test_forecast_of_the_dated_is_the_nameable_by_shares_named_and_dated(layout):
    shape = (2, 200)
    rate, delay, tail, dated, slope = 100.0, 60.0, 1.5, 0.7, 0.4
    sample = ("chain", "draw")
    months, halves = len(layout.coords["month"]), len(layout.coords["half_year"])
    draws = xr.Dataset(
        {
            "log_rate": ((*sample, "month"), np.full((*shape, months), np.log(rate))),
            "effort": ((*sample, "half_year"), np.ones((*shape, halves))),
            "effort_step": (sample, np.zeros(shape)),
            "naming_tail": (sample, np.full(shape, tail)),
            "naming_delay": (sample, np.full(shape, delay)),
            "dated_share": (sample, np.full(shape, dated)),
            "dated_slope": (sample, np.full(shape, slope)),
        }
    )
    later = np.datetime64("2025-04-25")
    forecast = synthesis.forecast_dated(draws, layout, later, seed=1)
    days = np.arange(np.datetime64("2022-02-24"), np.datetime64("2024-04-08"))
    since = (later - days).astype(int) + 0.5
    named = stats.lomax.cdf(since, c=tail, scale=delay / (2 ** (1 / tail) - 1))
    with_day = 1 / (1 + np.exp(-(np.log(dated / (1 - dated)) + slope * np.log(since / 180))))
    expected = (rate * named * with_day).sum()
    assert forecast.shape == shape
    assert forecast.mean() == pytest.approx(expected, rel=0.002)
    assert forecast.std() == pytest.approx(np.sqrt(expected), rel=0.15)


# Priors and models by name


def test_missing_prior_is_named():
    with pm.Model(), pytest.raises(UserError, match="the prior 'ceiling' is missing") as error:
        prior("ceiling", {})
    assert error.value.where == "config, key priors"


@pytest.mark.parametrize("form", ["cauchy", "fixed", None])
def test_distribution_that_a_parameter_cannot_have_is_named_with_its_key(form):
    with pm.Model(), pytest.raises(UserError, match=f"the prior 'ceiling' has the distribution '{form}'") as error:
        prior("ceiling", {"ceiling": {"distribution": form, "value": 1.0}})
    assert error.value.where == "config, key priors.ceiling.distribution"
    assert "logit_normal" in error.value.expected


@pytest.mark.parametrize(
    ("form", "value"), [(form, value) for form, values in FORMS.items() for value in values if form != "fixed"]
)
def test_value_that_a_prior_lacks_is_named_with_its_key(form, value):
    spec = {"distribution": form} | {name: 0.5 for name in FORMS[form] if name != value}
    with pm.Model(), pytest.raises(UserError, match=f"lacks {value}") as error:
        prior("ceiling", {"ceiling": spec})
    assert error.value.what == f"the prior 'ceiling' ({form}) lacks {value}"
    assert error.value.where == "config, key priors.ceiling"


def test_medians_in_the_config_are_the_medians_of_the_priors():
    priors = {
        "delay": {"distribution": "lognormal", "median": 60, "sd_log": 0.8},
        "share": {"distribution": "logit_normal", "median": 0.73, "sd_logit": 0.8},
    }
    assert lognormal_on_log_scale("delay", priors) == {"mu": pytest.approx(np.log(60)), "sigma": 0.8}
    with pm.Model():
        delay, share = (prior(name, priors) for name in priors)
    assert pm.logcdf(delay, 60.0).eval(mode=PLAIN) == pytest.approx(np.log(0.5))
    draws = pm.draw(share, draws=4_000, random_seed=1, mode=PLAIN)
    assert np.median(draws) == pytest.approx(0.73, abs=0.02)


def test_unknown_model_is_named_with_those_that_exist():
    with pytest.raises(UserError, match="there is no model 'synthesys'") as error:
        model_named("synthesys")
    assert error.value.where == "config, key model"
    assert error.value.expected == "one of " + ", ".join(sorted(MODULES))


def test_known_model_is_its_module():
    assert model_named("synthesis") is synthesis


def test_ages_of_the_model_are_those_of_the_evidence(tables):
    assert set(tables["named_by_age"]["age"]) <= set(AGES)
