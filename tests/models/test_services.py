"""The dead by kind of service: what is published holds in every draw, and known shares are found again."""

import arviz as az
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from uncounted import models
from uncounted.errors import UserError
from uncounted.models import evidence_synthesis, services
from uncounted.models.priors import stated

NAMED = 50_471


def draws_of(deaths, named, share, draws=300, **more):
    """A posterior in which little varies."""
    sample = ("chain", "draw")
    return xr.Dataset(
        {
            "deaths": (sample, np.full((2, draws), deaths)),
            "named": (sample, np.full((2, draws), named)),
            "ledger_share_at_cut_off": (sample, np.full((2, draws), share)),
            **more,
        },
        coords={"chain": [0, 1], "draw": range(draws)},
    )


@pytest.fixture(scope="module")
def kinds(case, tables):
    return services.lay_out(case, tables)


@pytest.fixture(scope="module")
def parts(kinds, priors):
    return services.spread(draws_of(95_000, NAMED, 0.37), kinds, priors, seed=3)


def test_the_whole_list_of_one_day_is_the_start(kinds):
    first = dict(zip([*kinds.kinds, "unknown"], kinds.first.tolist(), strict=True))
    assert sum(first.values()) == 20_253
    assert (first["prisoners"], first["volunteers"], first["unknown"]) == (2_949, 2_049, 5_048)
    assert kinds.first.sum() + kinds.added[: kinds.intervals].sum() == NAMED


def test_what_was_added_to_a_part_is_between_the_days_of_its_sizes(kinds):
    found = [part for part in kinds.parts if kinds.kinds[part[0]] == "prisoners"]
    assert [people for *_, people in found] == [4_500 - 2_949, 6_073 - 4_500, 9_372 - 6_073]
    assert [(begin, end) for _, begin, end, _ in found] == [(0, 1), (1, 2), (2, 5)]
    assert found[-1][2] > kinds.intervals


def test_kinds_sum_to_the_whole_in_every_draw(parts):
    assert (parts["deaths_by_service"].sum("service") == 95_000).all()
    assert (parts["named_by_service"].sum("service") == NAMED).all()
    assert (parts["recorded_by_service"].sum("recorded_service") == NAMED).all()
    for name in ("deaths_by_service", "named_by_service", "recorded_by_service"):
        assert np.issubdtype(parts[name].dtype, np.integer)


def test_no_kind_has_fewer_deaths_than_named_or_fewer_named_than_recorded(parts):
    recorded = parts["recorded_by_service"].values[..., :-1]
    assert (parts["named_by_service"].values >= recorded).all()
    assert (parts["deaths_by_service"] >= parts["named_by_service"]).all()
    np.testing.assert_allclose(parts["share_named_by_service"], parts["named_by_service"] / parts["deaths_by_service"])


def test_published_sizes_hold_in_every_draw(case, tables, priors):
    # The list of the cut-off is then one of which the number of prisoners was published.
    later = services.lay_out(case | {"cut_off": "2024-04-19"}, tables)
    found = services.spread(draws_of(96_000, 51_096, 0.37), later, priors, seed=4)
    assert (abs(found["recorded_by_service"].sel(recorded_service="prisoners") - 9_372) <= 1).all()


def test_part_to_which_nobody_was_added_stays_as_it_was(case, tables, priors):
    totals = tables["named_totals"].copy()
    totals.loc[(totals["part"] == "inmates") & (totals["closed"] == pd.Timestamp("2023-09-15")), "named"] = 4_500
    layout = services.lay_out(case | {"cut_off": "2023-09-15"}, tables | {"named_totals": totals})
    found = services.spread(draws_of(70_000, 32_164, 0.3), layout, priors, seed=2)
    assert (abs(found["recorded_by_service"].sel(recorded_service="prisoners") - 4_500) <= 1).all()


def test_kind_without_later_figures_is_known_less_and_less(parts, case, tables, priors):
    spread_at_cut_off = parts["recorded_by_service"].sel(recorded_service="volunteers").std()
    soon = services.lay_out(case | {"cut_off": "2023-06-02"}, tables)
    found = services.spread(draws_of(50_000, 24_470, 0.25), soon, priors, seed=5)
    assert found["recorded_by_service"].sel(recorded_service="volunteers").std() < 0.2 * spread_at_cut_off


def test_prisoners_are_the_ledgers_dead_and_those_recruited_later(parts):
    prisoners = parts.sel(service="prisoners", recorded_service="prisoners")
    assert prisoners["deaths_by_service"].min() > 17_175
    later = prisoners["recorded_by_service"] - 0.37 * 17_175
    assert float(prisoners["deaths_by_service"].median()) == pytest.approx(
        17_175 + float(later.median()) / 0.37, rel=0.02
    )


def test_prisoners_are_never_more_than_all_who_are_not_named(kinds, priors):
    found = services.spread(draws_of(NAMED + 100, NAMED, 0.37), kinds, priors, seed=6)
    assert (found["deaths_by_service"].sum("service") == NAMED + 100).all()
    assert (found["deaths_by_service"] >= found["named_by_service"]).all()


def test_the_same_seed_gives_the_same_people(kinds, priors, parts):
    xr.testing.assert_identical(services.spread(draws_of(95_000, NAMED, 0.37), kinds, priors, seed=3), parts)


# Known shares from simulated lists


def simulated(rng, priors):
    """A list by kind of service whose truth is known: (layout, deaths by kind, named, share of the ledger)."""
    kinds, ledger, deaths_of_ledger, share = 4, 1, 6_000, 0.4
    sds = {name: stated(name, priors) for name in priors if name.startswith("service_") or name.startswith("later_")}
    recent = rng.dirichlet(np.full(kinds + 1, 8.0))
    first = rng.multinomial(20_000, rng.dirichlet([20, 8, 10, 10, 12]))
    added, steps = np.array([8_000.0, 9_000.0, 11_000.0]), np.array([60.0, 90.0, 120.0])
    walk = np.cumsum(sds["service_drift"] * np.sqrt(steps / 91)[:, None] * rng.normal(size=(3, kinds + 1)), axis=0)
    shares = recent * np.exp(walk)
    cells = np.rint(added[:, None] * shares / shares.sum(axis=1, keepdims=True))
    added = cells.sum(axis=1)
    recorded = (first + cells.sum(axis=0)).astype(int)
    parts = [(ledger, 0, 1, cells[0, ledger]), (ledger, 1, 3, cells[1:, ledger].sum()), (2, 0, 2, cells[:2, 2].sum())]
    weights = recorded[:-1] * np.exp(sds["service_unknown_spread"] * rng.normal(size=kinds))
    named = recorded[:-1] + rng.multinomial(recorded[-1], weights / weights.sum())
    later = max(recorded[ledger] - rng.binomial(deaths_of_ledger, share), 0)
    logit = np.log(share / (1 - share)) + sds["later_recruits_spread"] * rng.normal()
    unnamed = 0.9 * named * np.exp(-sds["service_coverage_spread"] * rng.normal(size=kinds))
    unnamed[ledger] = max(deaths_of_ledger + later * (1 + np.exp(-logit)) - named[ledger], 0)
    layout = services.ServicesLayout(
        kinds=("a", "b", "c", "d"),
        first=first,
        recent=recent,
        added=added,
        steps=steps,
        parts=parts,
        intervals=3,
        ledger_kind=ledger,
        ledger_deaths=deaths_of_ledger,
        by_month=None,
    )
    return layout, named + np.rint(unnamed).astype(int), named, share


def test_known_shares_are_inside_the_95_per_cent_interval_about_as_often_as_it_says(priors):
    inside = {"deaths_by_service": [], "named_by_service": [], "share_named_by_service": []}
    for number in range(150):
        layout, deaths, named, share = simulated(np.random.default_rng([11, number]), priors)
        found = services.spread(draws_of(deaths.sum(), named.sum(), share), layout, priors, seed=number)
        truths = {"deaths_by_service": deaths, "named_by_service": named, "share_named_by_service": named / deaths}
        for name, truth in truths.items():
            low, high = found[name].quantile([0.025, 0.975], ("chain", "draw")).values
            inside[name].append((low <= truth) & (truth <= high))
    for name, hits in inside.items():
        assert 0.90 <= np.mean(hits) <= 0.99, name
        assert np.mean(hits, axis=0).min() > 0.86, name


def test_with_nothing_left_uncertain_the_split_is_the_lists(kinds, priors):
    still = {name: {**prior, "value": 1e-9} for name, prior in priors.items() if prior["distribution"] == "fixed"}
    found = services.spread(draws_of(95_000, NAMED, 0.37, draws=2_000), kinds, priors | still, seed=8)
    named, deaths = (found[f"{name}_by_service"].mean(("chain", "draw")).values for name in ("named", "deaths"))
    recorded = found["recorded_by_service"].values[0, 0]
    np.testing.assert_allclose(named, recorded[:-1] * NAMED / recorded[:-1].sum(), rtol=0.005)
    others = [kind != "prisoners" for kind in kinds.kinds]
    coverage = (named / deaths)[others]
    np.testing.assert_allclose(coverage, coverage.mean(), rtol=0.01)


# Beside the fit


@pytest.fixture
def fit_of(monkeypatch, tables, tmp_path):
    """Fit a case with the sampling left out."""
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    for name, table in tables.items():
        table.to_parquet(evidence / f"{name}.parquet", index=False)
    asked = []

    def drawn(*_):
        asked.append("draws")
        return az.InferenceData(posterior=draws_of(95_000, NAMED, 0.37)), pd.DataFrame({"left_out": ["graves"]}), None

    monkeypatch.setattr(evidence_synthesis, "_fit", drawn)

    def fit(case):
        case = {name: part for name, part in case.items() if name != "survival"}
        models.fit_case(case_name="toy", case_config=case, evidence_folder=evidence, out_folder=tmp_path, seed=1)
        return az.from_netcdf(tmp_path / "synthesis.nc").posterior

    fit.asked = asked
    return fit


def test_a_fit_has_the_deaths_by_service_where_the_case_asks_for_them(fit_of, case):
    posterior = fit_of(case)
    assert (posterior["deaths_by_service"].sum("service") == posterior["deaths"]).all()
    assert "deaths_by_service" not in fit_of({name: part for name, part in case.items() if name != "services"})


def test_what_is_wrong_with_the_services_is_said_before_the_fit(fit_of, case):
    with pytest.raises(UserError, match="cooks"):
        fit_of(case | {"services": case["services"] | {"parts": {"inmates": "cooks"}}})
    assert fit_of.asked == []


# By month


def test_deaths_by_service_and_month_sum_to_both(case, tables, priors):
    asked = case | {"services": case["services"] | {"by_month": "named_by_week_2025"}}
    layout = services.lay_out(asked, tables)
    months = list(layout.by_month.index)
    assert (months[0], months[-1]) == ("2022-02", "2024-04")
    by_month = np.full((2, 300, len(months)), 95_000 // len(months))
    by_month[..., 0] += 95_000 - by_month.sum(axis=-1)
    posterior = draws_of(95_000, NAMED, 0.37, deaths_by_month=(("chain", "draw", "month"), by_month))
    found = services.spread(posterior.assign_coords(month=months), layout, priors, seed=9)
    cells = found["deaths_by_service_month"]
    np.testing.assert_array_equal(cells.sum("service"), by_month)
    assert (abs(cells.sum("month") - found["deaths_by_service"]) <= len(months)).all()
    # No prisoner was recruited before July 2022.
    assert cells.sel(service="prisoners", month="2022-03").max() < 200


# Bad input


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"parts": {"inmates": "cooks"}}, "nobody on the list is of the kind of service 'cooks'"),
        ({"list": "named_by_age"}, "the list by kind of service has 13737 people, and the list of that day 20253"),
        ({"by_month": "graves"}, "'graves' is no source by month and kind of service"),
    ],
)
def test_services_that_are_not_on_the_list_are_refused(case, tables, changes, what):
    with pytest.raises(UserError, match=what):
        services.lay_out(case | {"services": case["services"] | changes}, tables)


def test_part_of_the_list_that_falls_is_refused(case, tables):
    totals = tables["named_totals"].copy()
    totals.loc[(totals["part"] == "inmates") & (totals["closed"] == pd.Timestamp("2023-09-15")), "named"] = 4_400
    with pytest.raises(UserError, match="the part 'inmates' of the list falls from 4500 to 4400"):
        services.lay_out(case, tables | {"named_totals": totals})


def test_spread_that_is_not_stated_is_named(kinds, priors):
    lacking = {name: prior for name, prior in priors.items() if name != "service_drift"}
    with pytest.raises(UserError, match="the prior 'service_drift' is missing, or has no fixed value"):
        services.spread(draws_of(95_000, NAMED, 0.37), kinds, lacking, seed=1)
