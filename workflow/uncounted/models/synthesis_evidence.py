"""The evidence of a synthesis as arrays: segments of days, list days, compositions, registered deaths."""

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd

from uncounted.errors import UserError

AGES = ("15-19", "20-24", "25-29", "30-34", "35-39", "40-44", "45-49", "50-54", "55-59", "60+")
"""Age bands, as in the evidence tables. The last has no registered deaths."""

SOURCES = ("named_totals", "named_by_week", "named_by_age", "named_in_year", "registered_deaths", "graves", "ledger")
"""Sources that can be switched off, by their names in the config."""

_WANTED = {
    "named_totals": "sizes of the list that grow from one day to the next",
    "named_by_week": "people in at least one month of the war",
    "named_by_age": "people with an age",
    "named_in_year": "a number of people, and the size of the list on the same day",
    "registered_deaths": "every age in every year from baseline.from on, and more deaths than those from HIV",
    "graves": "shares above 0 and below 1",
    "ledger": "dead of the cohort within the days of the study, and ages of their kind of service",
}
"""What the model needs of each source."""

_SEGMENT_STARTS = (0, 15)
DATED_AFTER = 180.0
"""Days after death at which the share with a known day of death is stated."""


@dataclass(frozen=True)
class Layout:
    """The evidence as arrays, ready for the model.

    Attributes
    ----------
    data : dict of str to numpy.ndarray
        Every array of floats that the model reads.
    places : dict of str to int
        Which list day a table stands for, and how many months were `settled` when days of death were published.
    coords : dict of str to list of str
        Labels of the dimensions.
    facts : dict
        Counts and days that the answer needs beside the posterior (the named, by period and age).
    """

    data: dict
    places: dict
    coords: dict
    facts: dict


@np.errstate(divide="ignore", invalid="ignore")
def lay_out(case, tables):
    """Arrange the evidence tables of one case as arrays.

    Parameters
    ----------
    case : dict
        The case's config: ``war``, ``cut_off``, ``baseline``, ``measurement``.
    tables : dict of str to pandas.DataFrame
        The evidence tables by source name; see :mod:`uncounted.evidence.schemas`. A source that is not there has no
        arrays, and no part in the model; the size of the list (`named_totals`) is always there.

    Returns
    -------
    Layout
        Its coordinate `source` names those of :data:`SOURCES` that are there.

    Raises
    ------
    UserError
        If a source, though each row of it can be read, holds what the model cannot use.
    """
    days = _days_of_note(case, tables)
    segments = _cut_segments(days)
    months = sorted(set(segments["month"]))
    quarters = sorted(set(segments["quarter"]))
    efforts = effort_edges(days)
    coords = {
        "segment": [str(as_day(d)) for d in segments["first"]],
        "month": months,
        "quarter": quarters,
        "later_quarter": quarters[1:],
        "period": list(dict.fromkeys(segments["period"])),
        "age": list(AGES),
        "list_day": [str(d) for d in days["list_days"]],
        "total_day": [str(d) for d in days["total_days"]],
        "source": [source for source in SOURCES if source in tables],
        "half_year": [str(edge) for edge in efforts[:-1]],
    }
    data = {
        "days": segments["days"].to_numpy(float),
        "months_of_quarter": membership([_quarter(m) for m in months], quarters),
        "quarters_with_ages": _evenly([q <= _quarter(days["ages"] or days["last"]) for q in quarters]),
        "segments_of_month": membership(segments["month"], months),
        "period_of_segment": membership(segments["period"], coords["period"]),
        "exposure": np.stack([exposure(segments, efforts, day) for day in days["list_days"]]),
        "counts_until": np.stack([segments["last"] <= day for day in days["list_days"]]).astype(float),
    }
    parts = {"named_totals": _lay_out_totals(tables["named_totals"], days)}
    measurement = case["measurement"]
    if "named_by_week" in tables:
        sizes = tables["named_totals"].query("part == 'all'").sort_values("closed")["named"].to_numpy()
        dated, dated_coords = _lay_out_dated(tables["named_by_week"], sizes, segments, months, days, measurement)
        parts["named_by_week"] = dated
        coords |= dated_coords
    if "named_by_age" in tables:
        parts["named_by_age"] = _lay_out_ages(tables["named_by_age"], days, measurement)
    if "named_in_year" in tables:
        parts["named_in_year"] = _lay_out_period_bound(
            tables["named_in_year"], tables["named_totals"], segments, days, measurement
        )
    if "graves" in tables:
        parts["graves"] = _lay_out_graves(tables["graves"], tables["named_totals"], days, measurement)
    if "ledger" in tables:
        ledger, ledger_coords = _lay_out_ledger(case, tables, segments, days)
        parts["ledger"] = ledger
        coords |= ledger_coords
    if "registered_deaths" in tables:
        registered, registered_coords = _lay_out_registered(tables["registered_deaths"], segments, case["baseline"])
        parts["registered_deaths"] = registered
        coords |= registered_coords
    _refuse_infinite(parts)
    data = {name: np.asarray(value, dtype=float) for part in (data, *parts.values()) for name, value in part.items()}
    return Layout(data, _places(tables, days), coords, _facts(case, tables, days, segments, efforts))


def _refuse_infinite(parts):
    """Refuse a source of which an array holds what is no number: the model would be fitted to it all the same."""
    for source, arrays in parts.items():
        for name, value in arrays.items():
            if not np.isfinite(np.asarray(value, dtype=float)).all():
                raise _unusable(source, f"the figures of {source} give no finite {name}")


def _unusable(source, what, do="correct the table, or take the source out of the config; questions.csv may say where"):
    return UserError(what, where=f"table of the source {source}", expected=_WANTED[source], do=do)


def as_day(value):
    """Any day as ``numpy.datetime64`` in days."""
    return np.datetime64(pd.Timestamp(value), "D")


def _quarter(day_or_month):
    return str(pd.Period(day_or_month, "M").asfreq("Q"))


def _days_of_note(case, tables):
    totals = tables["named_totals"].query("part == 'all'").sort_values("closed")
    total_days = [as_day(d) for d in totals["closed"]]
    if total_days[0] > as_day(case["cut_off"]):
        raise UserError(
            f"the cut-off {case['cut_off']} is before the first day on which the size of the list is known",
            where="config of the case, key cut_off",
            expected=f"{total_days[0]} or later",
        )
    dated = _published("named_by_week", tables)
    list_days = sorted({*total_days, *([dated] if dated else [])})
    return {
        "start": as_day(case["war"]["from"]),
        "cut_off": as_day(case["cut_off"]),
        "last": max(list_days[-1], as_day(case["cut_off"])),
        "total_days": total_days,
        "list_days": list_days,
        "dated": dated,
        "dated_last": as_day(tables["named_by_week"]["last_day"].max()) if dated else None,
        "ages": _published("named_by_age", tables),
        "anniversaries": _anniversaries(case),
    }


def _published(source, tables):
    """The day on which a source was published; None where it is not there."""
    return as_day(tables[source]["published"].iloc[0]) if source in tables else None


def _anniversaries(case):
    start, last = pd.Timestamp(case["war"]["from"]), pd.Timestamp(case["cut_off"])
    return [as_day(start + pd.DateOffset(years=k)) for k in range(1, last.year - start.year + 1)]


def _cut_segments(days):
    """Cut the war into segments that no month, year, anniversary, list day or cut-off divides."""
    day = np.timedelta64(1, "D")
    cuts = {days["start"], days["last"] + day, days["cut_off"] + day}
    cuts |= {days["dated_last"] + day} if days["dated"] else set()
    cuts |= {d + day for d in days["list_days"]} | set(days["anniversaries"])
    for month in pd.period_range(pd.Timestamp(days["start"]), pd.Timestamp(days["last"]), freq="M"):
        cuts |= {as_day(month.start_time) + np.timedelta64(k, "D") for k in _SEGMENT_STARTS}
    edges = np.array(sorted(c for c in cuts if days["start"] <= c <= days["last"] + day))
    first, last = edges[:-1], edges[1:] - day
    stamp = pd.DatetimeIndex(first)
    war_year = np.searchsorted(np.array(days["anniversaries"], dtype="datetime64[D]"), first, side="right") + 1
    table = pd.DataFrame({"first": first.astype(object), "last": last.astype(object)})
    table["first"], table["last"] = list(first), list(last)
    table["days"] = (last - first).astype(int) + 1
    table["middle"] = first.astype(float) + table["days"] / 2
    table["month"] = stamp.strftime("%Y-%m")
    table["quarter"] = [_quarter(m) for m in table["month"]]
    table["year"] = stamp.year
    table["war_year"] = war_year
    table["counted"] = last <= days["cut_off"]
    later = np.where(table["counted"], "", " after the cut-off")
    table["period"] = table["month"] + " of war year " + table["war_year"].astype(str) + later
    return table


def effort_edges(days):
    """Half-years of the calendar; the first begins with the war, the last ends with the list."""
    edges = pd.date_range(pd.Timestamp(days["start"]), pd.Timestamp(days["last"]), freq="6MS")
    halves = [as_day(f"{y}-{m:02d}-01") for y in range(edges[0].year, edges[-1].year + 2) for m in (1, 7)]
    inner = [h for h in halves if days["start"] < h <= days["last"]]
    return [days["start"], *inner, days["last"] + np.timedelta64(1, "D")]


def exposure(segments, edges, day):
    """Days between a death in the middle of each segment and the end of `day`, by half-year; (segment, half_year)."""
    end = float(day.astype(int)) + 1.0
    middle = segments["middle"].to_numpy()
    spans = [
        np.minimum(end, float(b.astype(int))) - np.maximum(middle, float(a.astype(int)))
        for a, b in itertools.pairwise(edges)
    ]
    return np.clip(np.stack(spans, axis=1), 0.0, None)


def _places(tables, days):
    """Which of the list days each table stands for."""
    stand_for = {
        "named": max(d for d in days["total_days"] if d <= days["cut_off"]),
        "dated": days["dated"],
        "ages": days["ages"],
    }
    if "named_in_year" in tables:
        stand_for["bound"] = as_day(tables["named_in_year"]["closed"].iloc[0])
    if "graves" in tables:
        stand_for["graves"] = _nearest(tables["graves"]["published"].iloc[0], days["total_days"])
    places = {name: days["list_days"].index(day) for name, day in stand_for.items() if day}
    return places | {"settled": _settled_months(days)}


def _evenly(chosen):
    return np.asarray(chosen, dtype=float) / np.sum(chosen)


def _settled_months(days):
    """Months that were over so long before days of death were published that most of their names had come.

    Where none were published, before the last day of the list.
    """
    until = pd.Timestamp(days["dated"] or days["list_days"][-1]) - pd.Timedelta(days=DATED_AFTER)
    months = pd.period_range(pd.Timestamp(days["start"]), until, freq="M")
    return max(2, int((months.end_time <= until).sum()))


def membership(labels, groups):
    """Matrix (group, segment) of 0 and 1 that sums segments to groups."""
    return (np.asarray(groups, dtype=object)[:, None] == np.asarray(labels, dtype=object)[None, :]).astype(float)


def _lay_out_totals(totals, days):
    totals = totals.query("part == 'all'").sort_values("closed")
    closed = np.array(days["total_days"])
    before = np.concatenate([[days["start"]], closed[:-1] + np.timedelta64(1, "D")])
    added = np.diff(totals["named"].to_numpy(), prepend=0)
    at = np.flatnonzero((added <= 0) | (closed < before))
    if len(at):
        named, day = totals["named"].iloc[at[0]], closed[at[0]]
        raise _unusable(
            "named_totals",
            f"the list has {named} people on {day}, and {named - added[at[0]]} on the day before it in the table",
            do="correct the row, or leave one of the two days out: the model is fitted to what was added between them",
        )
    return {
        "log_increments_seen": np.log(added),
        "interval_days": (closed - before).astype(int) + 1.0,
        "total_days": membership(days["list_days"], closed),
    }


def _lay_out_dated(dated, sizes_published, segments, months, days, measurement):
    by_month = dated.query("kind == 'all'").groupby("month")["named"].sum()
    covered = [m for m in months if by_month.get(m, 0) > 0]
    seen = by_month.loc[covered].to_numpy("int64")
    middle = segments["middle"].to_numpy()
    since = np.maximum(float(days["dated"].astype(int)) + 1.0 - middle, 0.5)
    in_table = (segments["last"] <= days["dated_last"]).to_numpy(float)
    totals = np.array(days["total_days"])
    after = int(np.searchsorted(totals, days["dated"]))
    if after == 0 or after == len(totals):
        after = min(max(after, 1), len(totals) - 1)
    sd = _share_sd(seen, measurement["scatter_of_months"])
    if len(totals) < 2:
        raise _unusable("named_totals", "the size of the list is known on one day alone")
    sizes = sizes_published[after - 1 : after + 1]
    data = {
        "dated_sd": sd,
        "dated_by_month_seen": centred(np.log(seen), sd),
        "log_dated_total_seen": np.array(np.log(seen.sum())),
        "months_dated": membership(segments["month"], covered) * in_table,
        "log_time_since_death": np.log(since / DATED_AFTER),
        "size_around_dated": sizes,
        "size_between_days_sd": measurement["size_between_days_sd"],
    }
    return data, {"dated_month": covered}


def _share_sd(counts, scatter):
    """Standard deviation of log counts: chance, and the stated relative error."""
    return np.sqrt(1 / counts + scatter**2)


def centred(logs, sd):
    """Centred log ratios: logs less their mean weighted by precision, for NumPy and PyTensor alike."""
    weights = sd**-2.0
    return logs - (weights * logs).sum() / weights.sum()


def _lay_out_ages(ages, days, measurement):
    seen = ages.groupby("age")["named"].sum().reindex(AGES, fill_value=0).to_numpy("int64")
    if not seen.sum():
        raise _unusable("named_by_age", "nobody in the table has an age")
    sd = _share_sd(np.maximum(seen, 1), measurement["scatter_of_ages"])
    return {
        "ages_sd": sd,
        "named_ages_seen": centred(np.log(np.maximum(seen, 1)), sd),
    }


def _lay_out_period_bound(bounds, totals, segments, days, measurement):
    bound = bounds.iloc[0]
    if bound["more_than"] <= 0:
        raise _unusable("named_in_year", "that more than nobody died says nothing")
    if as_day(bound["closed"]) not in days["total_days"]:
        raise _unusable("named_in_year", f"named_totals has no size of the list on {as_day(bound['closed'])}")
    inside = (segments["first"] >= as_day(bound["died_from"])) & (segments["last"] <= as_day(bound["died_to"]))
    return {
        "more_than_seen": np.array(float(bound["more_than"])),
        "bound_of": np.array(float(totals.query("part == 'all' and closed == @bound['closed']")["named"].iloc[0])),
        "scatter_of_bound": np.array(measurement["scatter_of_bound"]),
        "bound_segments": inside.to_numpy(float),
    }


def _lay_out_graves(graves, totals, days, measurement):
    seen = graves.iloc[0]
    low, high = np.log(seen["low"] / (1 - seen["low"])), np.log(seen["high"] / (1 - seen["high"]))
    reading = (high - low) / 2
    day = _nearest(seen["published"], days["total_days"])
    sizes = totals.query("part == 'all'").sort_values("closed")["named"].to_numpy()
    return {
        "graves_list_size": sizes[days["total_days"].index(day)],
        "graves_logit_seen": np.array((low + high) / 2),
        "graves_sd": np.array(np.hypot(reading, measurement["graves_sample_sd"])),
    }


def _lay_out_ledger(case, tables, segments, days):
    """The dead whom a ledger counts, and how many of them the list had under their kind of service."""
    ledger, asked = tables["ledger"], case["ledger"]
    cohort = ledger[ledger["cohort"] == asked["cohort"]]
    if cohort.empty:
        raise UserError(
            f"the ledger has no dead of the cohort {asked['cohort']!r}",
            where="config of the case, key ledger.cohort",
            expected="one of " + ", ".join(sorted(ledger["cohort"])),
        )
    row = cohort.iloc[0]
    named = _named_of_part(asked, tables["named_totals"])
    shares = named / float(row["died"])
    if not ((shares > 0) & (shares < 1)).all():
        raise UserError(
            f"the list has {int(named.max())} under {asked['part']!r}, and the ledger {row['died']} dead",
            where="config of the case, key ledger",
            expected="fewer named than dead, and more than none",
            do="leave out days on which the part held others than the ledger's",
        )
    ages = tables["named_by_age"].query("kind == @asked['kind']").groupby("age")["named"].sum()
    by_kind = tables["named_by_number_of_sources"].groupby("kind")["named"].sum()
    if not ages.sum():
        raise _unusable("ledger", f"named_by_age has nobody of the kind {asked['kind']!r}")
    if not by_kind.sum():
        raise _unusable("ledger", "named_by_number_of_sources has nobody")
    sd = np.sqrt(1 / named + 1 / (row["died"] - named) + case["measurement"]["ledger_sd"] ** 2)
    data = {
        "ledger_logit_seen": np.log(shares / (1 - shares)),
        "ledger_sd": sd,
        "ledger_days": membership(days["list_days"], [as_day(day) for day in asked["named_on"]]),
        "ledger_deaths": _deaths_of_cohort(row, segments),
        "ledger_ages": ages.reindex(AGES, fill_value=0).to_numpy(float) / ages.sum(),
        "ledger_kind_known": 1 - by_kind.get(asked["kind_unknown"], 0) / by_kind.sum(),
    }
    return data, {"ledger_day": [str(as_day(day)) for day in asked["named_on"]]}


def _named_of_part(asked, totals):
    """How many the list had in the part of it that the ledger is about, on the days that the config names."""
    part = totals[totals["part"] == asked["part"]].set_index("closed")["named"]
    wanted = pd.DatetimeIndex(asked["named_on"])
    lacking = [str(day.date()) for day in wanted if day not in part.index]
    if lacking:
        raise UserError(
            f"the size of the part {asked['part']!r} of the list on {lacking[0]} was not published",
            where="config of the case, key ledger.named_on",
            expected="days among " + (", ".join(str(day.date()) for day in part.index) or "none"),
        )
    return part.loc[wanted].to_numpy(float)


def _deaths_of_cohort(row, segments):
    """Share of a cohort's deaths that fell into each segment; (segment,).

    Recruited evenly over the days of recruiting, dead after an exponential time with the published median, up to the
    last day that the figures cover.
    """
    first, last, until = (as_day(row[name]) for name in ("recruited_from", "recruited_to", "died_by"))
    recruited = np.arange(first, last + np.timedelta64(1, "D")).astype(float) + 0.5
    scale = float(row["half_of_deaths_within_days"]) / np.log(2)

    def dead_by(day):
        return -np.expm1(-np.maximum(np.asarray(day, dtype=float)[:, None] - recruited, 0.0) / scale).mean(axis=1)

    end = float(until.astype(int)) + 1.0
    begins = segments["first"].to_numpy("datetime64[D]").astype(float)
    ends = np.minimum(begins + segments["days"].to_numpy(float), end)
    shares = np.maximum(dead_by(ends) - dead_by(np.minimum(begins, end)), 0.0)
    return shares / shares.sum()


def _nearest(day, among):
    return min(among, key=lambda d: abs((d - as_day(day)).astype(int)))


def _lay_out_registered(registered, segments, baseline):
    table = registered.assign(
        men=registered["male"] - registered["male_hiv"], women=registered["female"] - registered["female_hiv"]
    )
    ages = [a for a in AGES if a in set(table["age"])]
    men = table.pivot(index="age", columns="year", values="men").loc[ages]
    women = table.pivot(index="age", columns="year", values="women").loc[ages]
    war_years = [y for y in men.columns if y >= int(segments["year"].min())]
    line_years = list(range(baseline["from"], min(baseline["pandemic_years"])))
    last_pandemic = max(baseline["pandemic_years"])
    if not war_years:
        raise _unusable("registered_deaths", "no deaths of a year of the war")
    for age, year in itertools.product(ages, (*line_years, last_pandemic, *war_years)):
        if year not in men.columns or not (men.at[age, year] > 0 and women.at[age, year] > 0):
            raise _unusable("registered_deaths", f"no deaths other than from HIV of men, or of women, {age} in {year}")
    ratio, noise = np.log(men / women), 1 / men + 1 / women
    centre = float(np.mean(line_years))
    first = np.array([as_day(f"{y}-01-01").astype(float) for y in war_years])
    end = np.array([as_day(f"{y + 1}-01-01").astype(float) for y in war_years])
    middle = segments["middle"].to_numpy()[:, None]
    data = {
        "log_ratio": ratio[line_years].to_numpy(),
        "log_ratio_variance": noise[line_years].to_numpy(),
        "line_time": np.array(line_years) - centre,
        "pandemic_log_ratio": ratio[last_pandemic].to_numpy(),
        "pandemic_time": np.array(last_pandemic - centre),
        "war_time": np.array(war_years) - centre,
        "gap_years": np.array(float(war_years[0] - line_years[-1])),
        "carries_pandemic": (np.arange(len(war_years)) == 0).astype(float),
        "women": women[war_years].to_numpy(float),
        "registered_male_seen": men[war_years].to_numpy(float),
        "days_to_year_start": np.maximum(first - middle, 0.0),
        "days_to_year_end": np.maximum(end - middle, 0.0),
    }
    coords = {
        "registered_age": ages,
        "line_year": [str(y) for y in line_years],
        "war_year": [str(y) for y in war_years],
    }
    return data, coords


def _facts(case, tables, days, segments, efforts):
    totals = tables["named_totals"].query("part == 'all' and closed <= @case['cut_off']").sort_values("closed")
    dated, ages = {}, dict.fromkeys(AGES, 0)
    if "named_by_week" in tables:
        by_month = tables["named_by_week"].query("kind == 'all'").groupby("month")["named"].sum()
        dated = by_month.astype(int).to_dict()
    if "named_by_age" in tables:
        by_age = tables["named_by_age"].groupby("age")["named"].sum().reindex(AGES, fill_value=0)
        ages = by_age.astype(int).to_dict()
    periods = segments.groupby("period", sort=False).agg(
        month=("month", "first"),
        year=("year", "first"),
        war_year=("war_year", "first"),
        counted=("counted", "first"),
    )
    by_day = tables["named_totals"].query("part == 'all'").sort_values("closed")
    return {
        "named": int(totals["named"].iloc[-1]),
        "named_closed": as_day(totals["closed"].iloc[-1]),
        "named_by_day": dict(zip(map(as_day, by_day["closed"]), by_day["named"].astype(int), strict=True)),
        "dated_by_month": dated,
        "named_by_age": ages,
        "periods": periods,
        "segments": segments,
        "effort_edges": efforts,
        "days": days,
    }


def share_named_after(exposure, tail):
    """Lomax's distribution: share named after a cumulative hazard `exposure`, for NumPy and PyTensor alike."""
    return 1.0 - (1.0 + exposure / tail) ** (-tail)
