"""From the posterior of a synthesis to numbers of people: counts, forecasts, and figures in their own units."""

import numpy as np
import pandas as pd
import xarray as xr

from uncounted.models.synthesis_evidence import (
    AGES,
    DATED_AFTER,
    as_day,
    effort_edges,
    exposure,
    membership,
    share_named_after,
)

DEATHS = "deaths"
"""The variable of :func:`count_deaths` that is the number of deaths in all."""

OBSERVED = {
    "named_totals": ("list_increments",),
    "named_by_week": ("dated_by_month", "dated_total"),
    "named_by_age": ("named_ages",),
    "named_in_year": ("named_in_year",),
    "registered_deaths": ("registered_male",),
    "graves": ("graves_share",),
    "ledger": ("ledger_share",),
}
"""The observed variables of each source."""

_WHOLE_YEAR = 365

LOWER_BOUNDS = ("named_in_year",)
"""Observed variables of which only a lower bound was published."""


def count_deaths(posterior, layout, seed):
    """Draw the number of deaths: those who were named and, from the posterior, those who were not.

    Parameters
    ----------
    posterior : xarray.Dataset
        ``expected_deaths`` and ``expected_named`` (chain, draw, period, age), ``expected_deaths_until`` and
        ``list_size`` (chain, draw, list_day).
    layout : Layout
    seed : int

    Returns
    -------
    xarray.Dataset
        ``deaths`` and ``deaths_beyond_named``; ``deaths_by_`` and ``named_by_`` month, calendar_year, war_year and
        age; ``deaths_until`` the end of each month; ``share_named``, ``share_named_by_age`` and
        ``share_named_by_day``; and, of the years of war, what :func:`compare_years` gives. Integers but for shares,
        deaths a day and their ratios.
    """
    rng = np.random.default_rng(seed)
    facts = layout.facts
    periods = facts["periods"]
    counted = periods["counted"].to_numpy()
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    named_cells = posterior["expected_named"].values[:, :, counted]
    unnamed = rng.poisson(_expected_unnamed(posterior["expected_deaths"].values[:, :, counted], named_cells, facts))
    named_periods = _spread_named(rng, named_cells.sum(axis=3), periods[counted], facts)
    known_ages = np.array([facts["named_by_age"][age] for age in AGES])
    named_ages = _spread_rest(rng, named_cells.sum(axis=2), known_ages, facts["named"])
    beyond = unnamed.sum(axis=(2, 3))
    result = {
        "deaths": (("chain", "draw"), facts["named"] + beyond),
        "deaths_beyond_named": (("chain", "draw"), beyond),
        "named": (("chain", "draw"), np.full((chains, draws), facts["named"])),
        **_without_war(rng, posterior),
        "share_named": (("chain", "draw"), facts["named"] / (facts["named"] + beyond)),
        "named_by_age": (("chain", "draw", "age"), named_ages),
        "deaths_by_age": (("chain", "draw", "age"), named_ages + unnamed.sum(axis=2)),
    }
    result["share_named_by_age"] = (
        ("chain", "draw", "age"),
        named_ages / np.maximum(result["deaths_by_age"][1], 1),
    )
    coords = {"age": list(AGES)}
    deaths_periods = named_periods + unnamed.sum(axis=3)
    for label, column in (("month", "month"), ("calendar_year", "year"), ("death_war_year", "war_year")):
        keys = periods.loc[counted, column].astype(str)
        groups = list(dict.fromkeys(keys))
        sums = membership(keys, groups)
        name = label.removeprefix("death_")
        coords[label] = groups
        for quantity, values in (("deaths", deaths_periods), ("named", named_periods)):
            result[f"{quantity}_by_{name}"] = (
                ("chain", "draw", label),
                np.rint(values @ sums.T).astype("int64"),
            )
    result["deaths_until"] = (("chain", "draw", "month_end"), result["deaths_by_month"][1].cumsum(axis=-1))
    coords["month_end"] = _month_ends(coords["month"], facts["days"]["cut_off"])
    result["share_named_by_day"], coords["day"] = _share_by_day(rng, posterior, layout)
    years = compare_years(result["deaths_by_war_year"][1], coords["death_war_year"], facts)
    coords |= {name: posterior[name].values for name in ("registered_age", "war_year") if name in posterior.coords}
    coords |= {"chain": posterior["chain"].values, "draw": posterior["draw"].values}
    return xr.Dataset(result, coords=coords).merge(years)


def compare_years(deaths, years, facts):
    """Compare each year of the war with the year before it.

    Parameters
    ----------
    deaths : numpy.ndarray of int, shape (chain, draw, year)
        Deaths in the years of war, of which the last may end at the cut-off.
    years : list of str
    facts : dict
        Its ``segments`` say how many days of each year are counted.

    Returns
    -------
    xarray.Dataset
        ``deaths_a_day_by_war_year``. Where there is an earlier year, ``times_year_before``, the ratio of deaths a day,
        and ``deadlier_than_year_before``, 1 where there were more of them a day; ``more_than_year_before``, deaths
        beyond those of the year before, of whole years only.
    """
    segments = facts["segments"]
    counted = segments[segments["counted"]]
    days = counted.groupby(counted["war_year"].astype(str))["days"].sum().loc[years].to_numpy()
    rate = deaths / days
    result = {"deaths_a_day_by_war_year": (("chain", "draw", "death_war_year"), rate)}
    coords = {"death_war_year": years}
    if len(years) > 1:
        later = ("chain", "draw", "later_war_year")
        result["times_year_before"] = (later, rate[..., 1:] / np.maximum(rate[..., :-1], 1e-9))
        result["deadlier_than_year_before"] = (later, (rate[..., 1:] > rate[..., :-1]).astype(float))
        coords["later_war_year"] = years[1:]
    whole = np.flatnonzero(days[1:] >= _WHOLE_YEAR)
    if len(whole):
        more = deaths[..., 1:][..., whole] - deaths[..., :-1][..., whole]
        result["more_than_year_before"] = (("chain", "draw", "whole_later_war_year"), more)
        coords["whole_later_war_year"] = [years[1:][i] for i in whole]
    return xr.Dataset(result, coords=coords)


def _expected_unnamed(deaths, named, facts):
    """Expected deaths less the published number of the named, by period and age.

    A batch of names moves people from the unnamed to the named and kills nobody: where the list is ahead of what was
    expected, or behind, the unnamed make up for it.
    """
    missed = np.maximum(deaths - named, 0.0)
    total = np.maximum(deaths.sum(axis=(2, 3)) - facts["named"], 0.0)
    return missed * (total / np.maximum(missed.sum(axis=(2, 3)), 1e-9))[..., None, None]


def _without_war(rng, posterior):
    """Male deaths that there would have been without war, by age and year, given the registered, if there are any."""
    if "male_deaths_without_war_mean" not in posterior:
        return {}
    middle = posterior["male_deaths_without_war_mean"]
    noise = rng.normal(size=middle.shape)
    drawn = middle.values + noise * posterior["male_deaths_without_war_sd"].values
    return {"male_deaths_without_war": (middle.dims, drawn)}


def _spread_named(rng, expected, periods, facts):
    """Whole people by period: those with a known month where it is known, the others as the model expects them."""
    months = periods["month"].to_numpy()
    fixed = np.zeros(expected.shape, dtype="int64")
    for month, count in facts["dated_by_month"].items():
        inside = np.flatnonzero(months == month)
        if len(inside):
            weights = expected[..., inside] / expected[..., inside].sum(axis=-1, keepdims=True)
            fixed[..., inside] = rng.multinomial(count, weights)
    return _spread_rest(rng, expected, fixed, facts["named"])


def _spread_rest(rng, expected, fixed, total):
    """Add to the `fixed` numbers the people who are left of `total`, in proportion to those still expected."""
    left = np.maximum(expected - fixed, 1e-9)
    weights = left / left.sum(axis=-1, keepdims=True)
    rest = np.broadcast_to(total - np.sum(fixed, axis=-1), expected.shape[:-1])
    return fixed + rng.multinomial(rest, weights)


def _month_ends(months, cut_off):
    """The last day of each month, or the cut-off where that comes first."""
    ends = [as_day(pd.Period(month, "M").end_time) for month in months]
    return [str(min(end, cut_off)) for end in ends]


def _share_by_day(rng, posterior, layout):
    """Share of the deaths until each day for which the list's size was published, up to the cut-off."""
    facts = layout.facts
    days = [day for day in facts["named_by_day"] if day <= facts["days"]["cut_off"]]
    labels = [str(day) for day in days]
    until = posterior["expected_deaths_until"].sel(list_day=labels).values
    named = np.array([facts["named_by_day"][day] for day in days])
    missed = np.maximum(until - named, 0.0)
    return (("chain", "draw", "day"), named / (named + rng.poisson(missed))), labels


def forecast_dated(posterior, layout, day, seed):
    """Deaths up to the cut-off that the list names with a day of death by a later day, if its sources stay as they are.

    Parameters
    ----------
    posterior : xarray.Dataset
    layout : Layout
    day : datetime-like
        Later than the list's last day.
    seed : int

    Returns
    -------
    numpy.ndarray of int, shape (chain, draw)
        The effort walks on by half-years as before.
    """
    rng = np.random.default_rng(seed)
    facts = layout.facts
    day = as_day(day)
    segments = facts["segments"][facts["segments"]["counted"]]
    edges = effort_edges(facts["days"] | {"last": day})
    effort = posterior["effort"].values
    steps = rng.normal(size=(*effort.shape[:2], len(edges) - 1 - effort.shape[2]))
    walk = np.cumsum(posterior["effort_step"].values[..., None] * steps, axis=-1)
    effort = np.concatenate([effort, effort[..., -1:] * np.exp(walk)], axis=-1)
    tail = posterior["naming_tail"].values
    scale = posterior["naming_delay"].values / (tail * (2.0 ** (1.0 / tail) - 1.0))
    months = {month: i for i, month in enumerate(layout.coords["month"])}
    rate = np.exp(posterior["log_rate"].values)[..., [months[m] for m in segments["month"]]]
    nameable = rate * segments["days"].to_numpy()
    hazard = (effort @ exposure(segments, edges, day).T) / scale[..., None]
    since = float(day.astype(int)) + 1.0 - segments["middle"].to_numpy()
    odds = posterior["dated_share"].values / (1 - posterior["dated_share"].values)
    odds = odds[..., None] * (since / DATED_AFTER) ** posterior["dated_slope"].values[..., None]
    dated = nameable * share_named_after(hazard, tail[..., None]) * odds / (1 + odds)
    return rng.poisson(dated.sum(axis=-1))


def in_natural_units(name, values, layout):
    """Turn an observed or predicted variable into the units in which the figure was published.

    Parameters
    ----------
    name : str
        One of the names in :data:`OBSERVED`.
    values : numpy.ndarray
        The last axes are the variable's own.
    layout : Layout

    Returns
    -------
    numpy.ndarray
        People, or a share.
    """
    if name in ("list_increments", "dated_total"):
        return np.exp(values)
    if name == "dated_by_month":
        return _people(values, sum(layout.facts["dated_by_month"].values()))
    if name == "named_ages":
        return _people(values, sum(layout.facts["named_by_age"].values()))
    if name in ("graves_share", "ledger_share"):
        return 1 / (1 + np.exp(-values))
    return values


def _people(logs, total):
    shares = np.exp(logs)
    return total * shares / shares.sum(axis=-1, keepdims=True)


def deaths_expected(draws, layout):
    """Expected deaths up to the cut-off in each draw, from the prior as from the posterior.

    Parameters
    ----------
    draws : xarray.Dataset
        ``expected_deaths`` (chain, draw, period, age).
    layout : Layout

    Returns
    -------
    numpy.ndarray, shape (chain * draw,)
    """
    counted = layout.facts["periods"]["counted"].to_numpy()
    return draws["expected_deaths"].values[:, :, counted].sum(axis=(2, 3)).ravel()
