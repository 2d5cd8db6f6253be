r"""One posterior for a growing list of names, a death registry and counts of graves.

The dead are looked at through several sources, none of which sees them all. Each source is a small function below
that says how it comes about; all share the same unknown deaths.

Unknown deaths
    Days are cut into *segments* :math:`s` (at most eight days) of month :math:`m(s)`. Ages are bands :math:`a`.
    *Nameable* deaths are those that open sources will name one day; :math:`c_a` is their share, the ceiling:

    .. math::
        \log \nu_m &\sim \mathrm{Normal}(\log \nu_{m-1}, \sigma_\nu) &&\text{nameable deaths a day} \\
        \eta_s &= \nu_{m(s)} \, \mathrm{days}_s \\
        \pi_{q,a} &= \mathrm{softmax}_a(\alpha_a + \textstyle\sum_{q' \le q} \sigma_\pi z_{q',a})
            &&\text{age mix, by quarter} \\
        \mathrm{logit}\, c_a &= \mathrm{logit}\, c + u_a, \quad u_a - u_{a-1} \sim \mathrm{Normal}(0, \sigma_c),
            \quad \textstyle\sum_a u_a = 0 \\
        \lambda_{s,a} &= \eta_s \, \pi_{q(s),a} / c_a &&\text{expected deaths}

    Log deaths so follow a random walk: they differ from :math:`\log\nu` by the ceilings, which do not change, and by
    the slow drift of the ages. Written this way the list informs :math:`\nu` and :math:`\pi` and the other sources
    :math:`c`, and the sampler meets no ridge.

Naming
    A nameable death meets a hazard of being named that differs between people (gamma with shape :math:`\kappa` and
    mean 1) and is raised or lowered by the *effort* :math:`e_h` of the half-year :math:`h`. With :math:`x_{s,h}(t)`
    the days that a death of segment :math:`s` spent in half-year :math:`h` until day :math:`t`, the share named is
    Lomax's distribution (Lomax 1954, J. Am. Stat. Assoc. 49:847) in effort-weighted time:

    .. math::
        Q_s(t) = 1 - \Bigl(1 + \frac{1}{\kappa}\sum_h e_h x_{s,h}(t) / \theta\Bigr)^{-\kappa}, \qquad
        \log e_h \sim \mathrm{Normal}(\log e_{h-1}, \sigma_e)

    with :math:`\theta` such that half of the nameable are named after :math:`\tau_{1/2}` days at the first
    half-year's effort. The share of all dead that is named by :math:`t` is :math:`c_a Q_s(t)`.

The list (sources `named_totals`, `named_by_week`, `named_by_age`, `named_in_year`)
    One list grows; with :math:`L(t) = \sum_s \eta_s Q_s(t)` its expected size, its increments and its composition
    enter, never two of its states as independent counts. Compositions are compared as centred log ratios (Aitchison
    1986, *The Statistical Analysis of Compositional Data*, sec. 4.6), so that they say nothing about totals:

    .. math::
        \log (n(t_i) - n(t_{i-1})) &\sim \mathrm{Normal}(\log \mu_i, \; \mathrm{var} = 1/\mu_i +
            \beta^2 \, 30 / \mathrm{days}_i), \quad \mu_i = L(t_i) - L(t_{i-1}) \\
        \mathrm{clr}(\text{dated by month})_m &\sim \mathrm{Normal}(\mathrm{clr}(
            \textstyle\sum_{s \in m} \eta_s Q_s(t)\,\delta(t - s)), \; \mathrm{var} = 1/n_m + r^2) \\
        \log(\text{dated in all}) &\sim \mathrm{Normal}(\log \bar\delta \, n(t), 0.02), \quad
            \mathrm{logit}\,\delta(\tau) = \delta_0 + \delta_1 \log(\tau / 180\,\mathrm{days}) \\
        \mathrm{clr}(\text{by age})_a &\sim \mathrm{Normal}(\mathrm{clr}(\textstyle\sum_s \eta_s Q_s(t)
            \pi_{q(s),a}), \; \mathrm{var} = 1/n_a + r^2) \\
        P(\text{more than } k \text{ of } n \text{ died in a period}) &= \mathrm{logit}^{-1}((n p - k) / (k \, r'))

    :math:`\beta` is the overdispersion of a month's additions, :math:`r` the relative error of a share that comes
    from days and ages of death that are guessed or misread, :math:`r'` that of the bound; :math:`p` is the expected
    share of the period.

Registered deaths (source `registered_deaths`)
    :math:`M_{a,y}` and :math:`F_{a,y}` are registered male and female deaths without HIV. Before the war, as in
    Kobak et al. 2025 (Demography 62:335) the ratio follows a line, here with scatter around it that is shared in part
    by all ages and lasts (autoregressive, order 1):

    .. math::
        \log (M/F)_{a,y} &= \alpha_a + \beta_a y + \epsilon_{a,y}, \quad
        \epsilon_{a,y} = \phi \epsilon_{a,y-1} + \tau_a\sqrt{1-\phi^2}\,
            (\sqrt{w} \, \xi_y + \sqrt{1-w} \, \xi_{a,y}) \\
        M_{a,y} &\sim \mathrm{Normal}(B_{a,y} + \rho W_{a,y}, \; \mathrm{var} = B + \rho W + B^2 / F), \quad
        B_{a,y} = F_{a,y} \exp(\alpha_a + \beta_a y + \epsilon_{a,y} + k S_a)

    :math:`W_{a,y}` are the war deaths whose registration, delayed by an exponential time, falls into year :math:`y`;
    :math:`\rho` is the share registered at all. Pandemic years do not inform the line; :math:`S_a`, their last
    departure from it, carries over into the first year of the war by a share :math:`k`.

Graves (source `graves`)
    :math:`\mathrm{logit}(\text{seen share}) \sim \mathrm{Normal}(\mathrm{logit}(L(t) / \sum_{s \le t, a}
    \lambda_{s,a}), \; \mathrm{sd})`.

Number of deaths
    With Poisson deaths, each named or not by chance, the named and the unnamed are independent given the expected
    numbers (Poisson thinning, Kingman 1993, *Poisson Processes*, sec. 5.1). So deaths are those who were named plus a
    Poisson number with mean :math:`\sum \lambda_{s,a} (1 - c_a Q_s)`: never fewer than were named.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

AGES = ("15-19", "20-24", "25-29", "30-34", "35-39", "40-44", "45-49", "50-54", "55-59", "60+")
"""Age bands, as in the evidence tables. The last has no registered deaths."""

SOURCES = ("named_totals", "named_by_week", "named_by_age", "named_in_year", "registered_deaths", "graves")
"""Sources that can be switched off, by their names in the config."""

OBSERVED = {
    "named_totals": ("list_increments",),
    "named_by_week": ("dated_by_month", "dated_total"),
    "named_by_age": ("named_ages",),
    "named_in_year": ("named_in_year",),
    "registered_deaths": ("registered_male",),
    "graves": ("graves_share",),
}
"""The observed variables of each source."""

LOWER_BOUNDS = ("named_in_year",)
"""Observed variables of which only a lower bound was published."""

PARAMETERS = (
    "log_rate",
    "rate_step",
    "age_mix_start",
    "age_mix_moves",
    "age_drift",
    "ceiling",
    "ceiling_step",
    "ceiling_steps",
    "naming_delay",
    "naming_tail",
    "effort_step",
    "effort_moves",
    "naming_burst",
    "dated_share",
    "dated_slope",
    "share_registered",
    "registration_delay",
    "ratio_level",
    "ratio_trend",
    "ratio_trend_mean",
    "ratio_trend_spread",
    "ratio_scatter",
    "ratio_memory",
    "ratio_shared",
    "ratio_common",
    "ratio_in_war",
    "ratio_in_war_common",
    "pandemic_left",
)
"""The sampled variables, each of which must have converged."""

DEATHS = "deaths"
"""The variable of :func:`count_deaths` that is the number of deaths in all."""

_SEGMENT_STARTS = (0, 10, 20)
_DATED_AFTER = 180.0
_BURST_DAYS = 30.0
_INTERPOLATION_SD = 0.02


@dataclass(frozen=True)
class Layout:
    """The evidence as arrays, ready for the model.

    Attributes
    ----------
    data : dict of str to numpy.ndarray
        Every array of floats that the model reads.
    places : dict of str to int
        Which list day a table stands for.
    coords : dict of str to list of str
        Labels of the dimensions.
    facts : dict
        Counts and days that the answer needs beside the posterior (the named, by period and age).
    """

    data: dict
    places: dict
    coords: dict
    facts: dict


# ---------------------------------------------------------------- evidence to arrays


def lay_out(case, tables):
    """Arrange the evidence tables of one case as arrays.

    Parameters
    ----------
    case : dict
        The case's config: ``war``, ``cut_off``, ``baseline``, ``measurement``.
    tables : dict of str to pandas.DataFrame
        The evidence tables by source name; see :mod:`uncounted.evidence.schemas`.

    Returns
    -------
    Layout
    """
    days = _days_of_note(case, tables)
    segments = _cut_segments(days)
    months = sorted(set(segments["month"]))
    quarters = sorted(set(segments["quarter"]))
    efforts = _effort_edges(days)
    coords = {
        "segment": [str(d) for d in segments["first"]],
        "month": months,
        "quarter": quarters,
        "period": list(dict.fromkeys(segments["period"])),
        "age": list(AGES),
        "list_day": [str(d) for d in days["list_days"]],
        "total_day": [str(d) for d in days["total_days"]],
        "source": list(SOURCES),
        "half_year": [str(edge) for edge in efforts[:-1]],
    }
    data = {
        "days": segments["days"].to_numpy(float),
        "months_of_quarter": _membership([_quarter(m) for m in months], quarters),
        "segments_of_month": _membership(segments["month"], months),
        "period_of_segment": _membership(segments["period"], coords["period"]),
        "exposure": np.stack([_exposure(segments, efforts, day) for day in days["list_days"]]),
        "counts_until": np.stack([segments["last"] <= day for day in days["list_days"]]).astype(float),
    }
    data |= _lay_out_totals(tables["named_totals"], days)
    sizes = tables["named_totals"].query("part == 'all'").sort_values("closed")["named"].to_numpy()
    dated, dated_coords = _lay_out_dated(
        tables["named_by_week"], sizes, segments, months, days, case["measurement"]
    )
    data |= dated
    coords |= dated_coords
    data |= _lay_out_ages(tables["named_by_age"], days, case["measurement"])
    data |= _lay_out_period_bound(
        tables["named_in_year"], tables["named_totals"], segments, days, case["measurement"]
    )
    data |= _lay_out_graves(tables["graves"], days, case["measurement"])
    registered, registered_coords = _lay_out_registered(
        tables["registered_deaths"], segments, case["baseline"]
    )
    data |= registered
    coords |= registered_coords
    data = {name: np.asarray(value, dtype=float) for name, value in data.items()}
    return Layout(data, _places(tables, days), coords, _facts(case, tables, days, segments, efforts))


def _day(value):
    return np.datetime64(pd.Timestamp(value), "D")


def _quarter(month):
    return str(pd.Period(month, "M").asfreq("Q"))


def _days_of_note(case, tables):
    totals = tables["named_totals"].query("part == 'all'").sort_values("closed")
    total_days = [_day(d) for d in totals["closed"]]
    dated = tables["named_by_week"]
    list_days = sorted({*total_days, _day(dated["published"].iloc[0])})
    return {
        "start": _day(case["war"]["from"]),
        "cut_off": _day(case["cut_off"]),
        "last": max(list_days[-1], _day(case["cut_off"])),
        "total_days": total_days,
        "list_days": list_days,
        "dated": _day(dated["published"].iloc[0]),
        "dated_last": _day(dated["last_day"].max()),
        "ages": _day(tables["named_by_age"]["published"].iloc[0]),
        "anniversaries": _anniversaries(case),
    }


def _anniversaries(case):
    start, last = pd.Timestamp(case["war"]["from"]), pd.Timestamp(case["cut_off"])
    return [_day(start + pd.DateOffset(years=k)) for k in range(1, last.year - start.year + 1)]


def _cut_segments(days):
    """Cut the war into segments that no month, year, anniversary, list day or cut-off divides."""
    day = np.timedelta64(1, "D")
    cuts = {days["start"], days["last"] + day, days["cut_off"] + day, days["dated_last"] + day}
    cuts |= {d + day for d in days["list_days"]} | set(days["anniversaries"])
    for month in pd.period_range(pd.Timestamp(days["start"]), pd.Timestamp(days["last"]), freq="M"):
        cuts |= {_day(month.start_time) + np.timedelta64(k, "D") for k in _SEGMENT_STARTS}
    edges = np.array(sorted(c for c in cuts if days["start"] <= c <= days["last"] + day))
    first, last = edges[:-1], edges[1:] - day
    stamp = pd.DatetimeIndex(first)
    war_year = (
        np.searchsorted(np.array(days["anniversaries"], dtype="datetime64[D]"), first, side="right") + 1
    )
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


def _effort_edges(days):
    """Half-years of the calendar; the first begins with the war, the last ends with the list."""
    edges = pd.date_range(pd.Timestamp(days["start"]), pd.Timestamp(days["last"]), freq="6MS")
    halves = [_day(f"{y}-{m:02d}-01") for y in range(edges[0].year, edges[-1].year + 2) for m in (1, 7)]
    inner = [h for h in halves if days["start"] < h <= days["last"]]
    return [days["start"], *inner, days["last"] + np.timedelta64(1, "D")]


def _exposure(segments, edges, day):
    """Days between a death in the middle of each segment and the end of `day`, by half-year; (segment, half_year)."""
    end = float(day.astype(int)) + 1.0
    middle = segments["middle"].to_numpy()
    spans = [
        np.minimum(end, float(b.astype(int))) - np.maximum(middle, float(a.astype(int)))
        for a, b in zip(edges[:-1], edges[1:], strict=True)
    ]
    return np.clip(np.stack(spans, axis=1), 0.0, None)


def _places(tables, days):
    """Which of the list days each table stands for."""
    return {
        "dated": days["list_days"].index(days["dated"]),
        "ages": days["list_days"].index(days["ages"]),
        "bound": days["list_days"].index(_day(tables["named_in_year"]["closed"].iloc[0])),
        "graves": days["list_days"].index(_nearest(tables["graves"]["published"].iloc[0], days["list_days"])),
        "named": days["list_days"].index(max(d for d in days["total_days"] if d <= days["cut_off"])),
    }


def _membership(labels, groups):
    """Matrix (group, segment) of 0 and 1 that sums segments to groups."""
    return (np.asarray(groups, dtype=object)[:, None] == np.asarray(labels, dtype=object)[None, :]).astype(
        float
    )


def _lay_out_totals(totals, days):
    totals = totals.query("part == 'all'").sort_values("closed")
    closed = np.array(days["total_days"])
    before = np.concatenate([[days["start"]], closed[:-1] + np.timedelta64(1, "D")])
    return {
        "log_increments_seen": np.log(np.diff(totals["named"].to_numpy(), prepend=0)),
        "interval_days": (closed - before).astype(int) + 1.0,
        "total_days": _membership(days["list_days"], closed),
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
    sizes = sizes_published[after - 1 : after + 1]
    data = {
        "dated_sd": sd,
        "dated_by_month_seen": centred(np.log(seen), sd),
        "log_dated_total_seen": np.array(np.log(seen.sum())),
        "months_dated": _membership(segments["month"], covered) * in_table,
        "log_time_since_death": np.log(since / _DATED_AFTER),
        "size_around_dated": sizes,
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
    sd = _share_sd(np.maximum(seen, 1), measurement["scatter_of_ages"])
    return {
        "ages_sd": sd,
        "named_ages_seen": centred(np.log(np.maximum(seen, 1)), sd),
    }


def _lay_out_period_bound(bounds, totals, segments, days, measurement):
    bound = bounds.iloc[0]
    inside = (segments["first"] >= _day(bound["died_from"])) & (segments["last"] <= _day(bound["died_to"]))
    return {
        "more_than_seen": np.array(float(bound["more_than"])),
        "bound_of": np.array(
            float(totals.query("part == 'all' and closed == @bound['closed']")["named"].iloc[0])
        ),
        "scatter_of_bound": np.array(measurement["scatter_of_bound"]),
        "bound_segments": inside.to_numpy(float),
    }


def _lay_out_graves(graves, days, measurement):
    seen = graves.iloc[0]
    low, high = np.log(seen["low"] / (1 - seen["low"])), np.log(seen["high"] / (1 - seen["high"]))
    reading = (high - low) / 2
    return {
        "graves_logit_seen": np.array((low + high) / 2),
        "graves_sd": np.array(np.hypot(reading, measurement["graves_sample_sd"])),
    }


def _nearest(day, among):
    return min(among, key=lambda d: abs((d - _day(day)).astype(int)))


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
    ratio, noise = np.log(men / women), 1 / men + 1 / women
    centre = float(np.mean(line_years))
    first = np.array([_day(f"{y}-01-01").astype(float) for y in war_years])
    end = np.array([_day(f"{y + 1}-01-01").astype(float) for y in war_years])
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
    totals = (
        tables["named_totals"].query("part == 'all' and closed <= @case['cut_off']").sort_values("closed")
    )
    dated = tables["named_by_week"].query("kind == 'all'").groupby("month")["named"].sum()
    periods = segments.groupby("period", sort=False).agg(
        month=("month", "first"),
        year=("year", "first"),
        war_year=("war_year", "first"),
        counted=("counted", "first"),
    )
    ages = tables["named_by_age"].groupby("age")["named"].sum().reindex(AGES, fill_value=0)
    by_day = tables["named_totals"].query("part == 'all'").sort_values("closed")
    return {
        "named": int(totals["named"].iloc[-1]),
        "named_closed": _day(totals["closed"].iloc[-1]),
        "named_by_day": dict(zip(map(_day, by_day["closed"]), by_day["named"].astype(int), strict=True)),
        "dated_by_month": dated.astype(int).to_dict(),
        "named_by_age": ages.astype(int).to_dict(),
        "periods": periods,
        "segments": segments,
        "effort_edges": efforts,
        "days": days,
    }


# ---------------------------------------------------------------- model


def build(layout, priors):
    """Write down the model.

    Parameters
    ----------
    layout : Layout
    priors : dict of str to dict
        The config's priors; see :func:`uncounted.models.priors.prior`.

    Returns
    -------
    pymc.Model
        Variables ``unnamed`` (period, age), ``expected_deaths`` (period, age) and ``unnamed_until`` (list_day) are
        what :func:`count_deaths` reads; one ``use_<source>`` (0 or 1) switches each source.
    """
    import pymc as pm

    with pm.Model(coords=layout.coords) as model:
        d = _unpack(pm.Data("evidence", pack(layout.data)), layout.data)
        d |= layout.places
        use = pm.Data("use", np.ones(len(SOURCES)), dims="source")
        d |= {f"use_{source}": use[i] for i, source in enumerate(SOURCES)}
        nameable, mix = _nameable_deaths(d, priors)
        ceiling = _ceiling(priors)
        named_share = _naming(d, priors, layout.coords)
        listed = pm.Deterministic("list_size", named_share @ nameable, dims="list_day")
        _observe_growth(d, priors, listed)
        _observe_dated(d, priors, nameable, named_share, listed)
        _observe_ages(d, nameable, named_share, mix)
        _observe_bound(d, nameable, named_share, listed)
        deaths_a_nameable = pm.math.dot(d["segments_of_month"].T, (mix / ceiling).sum(axis=1))
        _observe_graves(d, nameable * deaths_a_nameable, listed)
        _observe_registered(d, priors, nameable, mix, ceiling)
        _derive(d, nameable, mix, ceiling, named_share, nameable * deaths_a_nameable)
    return model


def pack(data):
    """All arrays in one vector: the time to compile grows with the number of shared arrays (nutpie issue 339)."""
    return np.concatenate([np.ravel(value) for value in data.values()])


def _unpack(vector, data):
    ends = np.cumsum([value.size for value in data.values()])
    return {
        name: vector[int(end) - value.size : int(end)].reshape(value.shape)
        if value.ndim
        else vector[int(end) - 1]
        for (name, value), end in zip(data.items(), ends, strict=True)
    }


def _nameable_deaths(d, priors):
    """Nameable deaths by segment, and their age mix by month; (segment,), (month, age)."""
    import pymc as pm
    import pytensor.tensor as pt

    from uncounted.models.priors import lognormal_on_log_scale, prior
    from uncounted.models.transforms import common_level

    step = prior("rate_step", priors)
    start = pm.Normal.dist(**lognormal_on_log_scale("rate_start", priors))
    rate = pm.GaussianRandomWalk(
        "log_rate",
        mu=0.0,
        sigma=step,
        init_dist=start,
        dims="month",
        transform=common_level(d["dated_sd"].type.shape[0]),
    )
    nameable = pt.dot(d["segments_of_month"].T, pt.exp(rate)) * d["days"]
    drift = prior("age_drift", priors)
    first = pm.ZeroSumNormal("age_mix_start", sigma=priors["age_mix_spread"]["value"], dims="age")
    moves = pm.ZeroSumNormal("age_mix_moves", sigma=1.0, dims=("quarter", "age"), n_zerosum_axes=1)
    logits = first + pt.cumsum(drift * moves, axis=0)
    mix = pt.dot(d["months_of_quarter"].T, pm.math.softmax(logits, axis=1))
    return nameable, mix


def _ceiling(priors):
    """Share of the dead that open sources will ever name, by age; (age,)."""
    import pymc as pm
    import pytensor.tensor as pt

    from uncounted.models.priors import prior

    middle = prior("ceiling", priors)
    steps = pm.Normal("ceiling_steps", 0.0, 1.0, shape=len(AGES) - 1)
    moves = pt.concatenate([[0.0], pt.cumsum(prior("ceiling_step", priors) * steps)])
    return pm.Deterministic(
        "ceiling_by_age", pm.math.sigmoid(pm.math.logit(middle) + moves - moves.mean()), dims="age"
    )


def share_named_after(exposure, tail):
    """Lomax's distribution: share named after a cumulative hazard `exposure`, for NumPy and PyTensor alike."""
    return 1.0 - (1.0 + exposure / tail) ** (-tail)


def _naming(d, priors, coords):
    """Share of the nameable deaths of each segment that is named by each list day; (list_day, segment)."""
    import pymc as pm
    import pytensor.tensor as pt

    from uncounted.models.priors import prior

    half_after = prior("naming_delay", priors)
    tail = prior("naming_tail", priors)
    step = prior("effort_step", priors)
    moves = pm.Normal("effort_moves", 0.0, 1.0, shape=len(coords["half_year"]) - 1)
    effort = pm.Deterministic(
        "effort", pt.exp(pt.concatenate([[0.0], pt.cumsum(step * moves)])), dims="half_year"
    )
    scale = half_after / (tail * (2.0 ** (1.0 / tail) - 1.0))
    return share_named_after(pt.dot(d["exposure"], effort) / scale, tail)


def _observe_growth(d, priors, listed):
    import pymc as pm
    import pytensor.tensor as pt

    from uncounted.models.priors import prior
    from uncounted.models.switch import observe

    burst = prior("naming_burst", priors)
    sizes = pt.dot(d["total_days"], listed)
    increments = sizes - pt.concatenate([[0.0], sizes[:-1]])
    observe(
        "list_increments",
        pm.Normal.dist,
        (pt.log(increments), pt.sqrt(1 / increments + burst**2 * _BURST_DAYS / d["interval_days"])),
        use=d["use_named_totals"],
        observed=d["log_increments_seen"],
        dims="total_day",
    )


def _observe_dated(d, priors, nameable, named_share, listed):
    import pymc as pm
    import pytensor.tensor as pt

    from uncounted.models.priors import prior
    from uncounted.models.switch import observe

    half_year_share = prior("dated_share", priors)
    slope = prior("dated_slope", priors)
    dated_share = pm.math.sigmoid(pm.math.logit(half_year_share) + slope * d["log_time_since_death"])
    at = d["dated"]
    dated = pt.dot(d["months_dated"], nameable * named_share[at] * dated_share)
    observe(
        "dated_by_month",
        pm.Normal.dist,
        (centred(pt.log(dated), d["dated_sd"]), d["dated_sd"]),
        use=d["use_named_by_week"],
        observed=d["dated_by_month_seen"],
        dims="dated_month",
    )
    # The list's size on that day was not published: between the two published sizes it grows as the model says.
    size_before, size_after = d["size_around_dated"][0], d["size_around_dated"][1]
    low, high = listed[at - 1], listed[at + 1]
    size = size_before + (size_after - size_before) * (listed[at] - low) / (high - low)
    observe(
        "dated_total",
        pm.Normal.dist,
        (pt.log(size * dated.sum() / listed[at]), _INTERPOLATION_SD),
        use=d["use_named_by_week"],
        observed=d["log_dated_total_seen"],
    )


def _observe_ages(d, nameable, named_share, mix):
    import pymc as pm
    import pytensor.tensor as pt

    from uncounted.models.switch import observe

    by_month = pt.dot(d["segments_of_month"], nameable * named_share[d["ages"]])
    by_age = pt.dot(by_month, mix)
    observe(
        "named_ages",
        pm.Normal.dist,
        (centred(pt.log(by_age), d["ages_sd"]), d["ages_sd"]),
        use=d["use_named_by_age"],
        observed=d["named_ages_seen"],
        dims="age",
    )


def _observe_bound(d, nameable, named_share, listed):
    import pymc as pm

    from uncounted.models.switch import log_exceedance, observe

    at = d["bound"]
    share = (nameable * named_share[at] * d["bound_segments"]).sum() / listed[at]
    observe(
        "named_in_year",
        pm.Logistic.dist,
        (share * d["bound_of"], d["more_than_seen"] * d["scatter_of_bound"]),
        use=d["use_named_in_year"],
        observed=d["more_than_seen"],
        log_density=log_exceedance,
    )


def _observe_graves(d, deaths, listed):
    import pymc as pm

    from uncounted.models.switch import observe

    at = d["graves"]
    share = listed[at] / (deaths * d["counts_until"][at]).sum()
    observe(
        "graves_share",
        pm.Normal.dist,
        (pm.math.logit(share), d["graves_sd"]),
        use=d["use_graves"],
        observed=d["graves_logit_seen"],
    )


def _observe_registered(d, priors, nameable, mix, ceiling):
    import pymc as pm
    import pytensor.tensor as pt

    from uncounted.models.priors import prior
    from uncounted.models.switch import observe

    line, trend, scatter, memory, shared = _ratio_line(d, priors)
    residual = d["log_ratio"] - line(d["line_time"])
    expected = line(d["line_time"]) + memory * pt.concatenate(
        [pt.zeros_like(residual[:, :1]), residual[:, :-1]], axis=1
    )
    fresh = pt.concatenate([[1.0], pt.sqrt(1 - memory**2) * pt.ones_like(d["line_time"][1:])])
    common = pm.Normal("ratio_common", 0.0, 1.0, dims="line_year")
    sd = scatter[:, None] * fresh
    pm.Normal(
        "ratio_before_war",
        expected + sd * pt.sqrt(shared) * common,
        pt.sqrt(sd**2 * (1 - shared) + d["log_ratio_variance"]),
        observed=d["log_ratio"],
        dims=("registered_age", "line_year"),
    )
    departure = _ratio_in_war(d, residual[:, -1], scatter, memory, shared)
    carried = prior("pandemic_left", priors) * (
        d["pandemic_log_ratio"] - line(d["pandemic_time"][None])[:, 0]
    )
    usual = d["women"] * pt.exp(line(d["war_time"]) + departure + carried[:, None] * d["carries_pandemic"])
    pm.Deterministic("male_deaths_without_war", usual, dims=("registered_age", "war_year"))
    share = prior("share_registered", priors)
    lag = prior("registration_delay", priors)
    in_year = pt.exp(-d["days_to_year_start"] / lag) - pt.exp(-d["days_to_year_end"] / lag)
    by_month = pt.dot(d["segments_of_month"], nameable[:, None] * in_year)
    war = (share * pt.dot(mix.T, by_month) / ceiling[:, None])[: d["women"].type.shape[0]]
    pm.Deterministic("registered_war_deaths", war, dims=("registered_age", "war_year"))
    observe(
        "registered_male",
        pm.Normal.dist,
        (usual + war, pt.sqrt(usual + war + usual**2 / d["women"])),
        use=d["use_registered_deaths"],
        observed=d["registered_male_seen"],
        dims=("registered_age", "war_year"),
    )


def _ratio_line(d, priors):
    """The line of the log male/female ratio by age, and the scatter around it."""
    import pymc as pm

    from uncounted.models.priors import prior

    level = prior("ratio_level", priors, dims="registered_age")
    trend = pm.Normal(
        "ratio_trend",
        prior("ratio_trend_mean", priors),
        prior("ratio_trend_spread", priors),
        dims="registered_age",
    )
    scatter = prior("ratio_scatter", priors, dims="registered_age")
    memory = prior("ratio_memory", priors)
    shared = prior("ratio_shared", priors)

    def line(time):
        return level[:, None] + trend[:, None] * time

    return line, trend, scatter, memory, shared


def _ratio_in_war(d, last, scatter, memory, shared):
    """Departure from the line in the years of war, forward from the last year of the line; (age, war_year)."""
    import pymc as pm
    import pytensor.tensor as pt

    own = pm.Normal("ratio_in_war", 0.0, 1.0, dims=("registered_age", "war_year"))
    common = pm.Normal("ratio_in_war_common", 0.0, 1.0, dims="war_year")
    shocks = scatter[:, None] * (pt.sqrt(1 - shared) * own + pt.sqrt(shared) * common)
    kept = memory ** d["gap_years"]
    departures = [kept * last + pt.sqrt(1 - kept**2) * shocks[:, 0]]
    for year in range(1, d["women"].type.shape[1]):
        departures.append(memory * departures[-1] + pt.sqrt(1 - memory**2) * shocks[:, year])
    return pt.stack(departures, axis=1)


def _derive(d, nameable, mix, ceiling, named_share, deaths):
    """What the answer needs: expected deaths and the unnamed among them."""
    import pymc as pm
    import pytensor.tensor as pt

    mix_of_segment = pt.dot(d["segments_of_month"].T, mix)
    by_period_age = pt.dot(d["period_of_segment"] * nameable, mix_of_segment)
    named = pt.dot(d["period_of_segment"] * (nameable * named_share[d["named"]]), mix_of_segment)
    pm.Deterministic("expected_deaths", by_period_age / ceiling, dims=("period", "age"))
    pm.Deterministic("expected_named", named, dims=("period", "age"))
    pm.Deterministic("expected_deaths_until", pt.dot(d["counts_until"], deaths), dims="list_day")


# ---------------------------------------------------------------- posterior to counts


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
        age; ``share_named``, ``share_named_by_age`` and ``share_named_by_day``. Integers but for the shares.
    """
    rng = np.random.default_rng(seed)
    facts = layout.facts
    periods = facts["periods"]
    counted = periods["counted"].to_numpy()
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    named_cells = posterior["expected_named"].values[:, :, counted]
    missed = np.maximum(posterior["expected_deaths"].values[:, :, counted] - named_cells, 0.0)
    unnamed = rng.poisson(missed)
    named_periods = _spread_named(rng, named_cells.sum(axis=3), periods[counted], facts)
    known_ages = np.array([facts["named_by_age"][age] for age in AGES])
    named_ages = _spread_rest(rng, named_cells.sum(axis=2), known_ages, facts["named"])
    beyond = unnamed.sum(axis=(2, 3))
    result = {
        "deaths": (("chain", "draw"), facts["named"] + beyond),
        "deaths_beyond_named": (("chain", "draw"), beyond),
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
        sums = _membership(keys, groups)
        name = label.removeprefix("death_")
        coords[label] = groups
        for quantity, values in (("deaths", deaths_periods), ("named", named_periods)):
            result[f"{quantity}_by_{name}"] = (
                ("chain", "draw", label),
                np.rint(values @ sums.T).astype("int64"),
            )
    result["share_named_by_day"], coords["day"] = _share_by_day(rng, posterior, layout)
    coords |= {"chain": posterior["chain"].values, "draw": np.arange(draws)}
    assert chains == len(coords["chain"])
    return xr.Dataset(result, coords=coords).assign_coords(draw=posterior["draw"].values)


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


def _share_by_day(rng, posterior, layout):
    """Share of the deaths until each day for which the list's size was published, up to the cut-off."""
    facts = layout.facts
    days = [day for day in facts["named_by_day"] if day <= facts["days"]["cut_off"]]
    labels = [str(day) for day in days]
    until = posterior["expected_deaths_until"].sel(list_day=labels).values
    missed = np.maximum(until - posterior["list_size"].sel(list_day=labels).values, 0.0)
    named = np.array([facts["named_by_day"][day] for day in days])
    return (("chain", "draw", "day"), named / (named + rng.poisson(missed))), labels


def forecast_named(posterior, layout, day, seed):
    """How many of the deaths up to the cut-off the list will name by a later day, if its sources stay what they are.

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
    day = _day(day)
    segments = facts["segments"][facts["segments"]["counted"]]
    edges = _effort_edges(facts["days"] | {"last": day})
    effort = posterior["effort"].values
    steps = rng.normal(size=(*effort.shape[:2], len(edges) - 1 - effort.shape[2]))
    walk = np.cumsum(posterior["effort_step"].values[..., None] * steps, axis=-1)
    effort = np.concatenate([effort, effort[..., -1:] * np.exp(walk)], axis=-1)
    tail = posterior["naming_tail"].values
    scale = posterior["naming_delay"].values / (tail * (2.0 ** (1.0 / tail) - 1.0))
    months = {month: i for i, month in enumerate(layout.coords["month"])}
    rate = np.exp(posterior["log_rate"].values)[..., [months[m] for m in segments["month"]]]
    nameable = rate * segments["days"].to_numpy()
    later, now = (
        share_named_after((effort @ _exposure(segments, edges, d).T) / scale[..., None], tail[..., None])
        for d in (day, facts["named_closed"])
    )
    return facts["named"] + rng.poisson(np.maximum((nameable * (later - now)).sum(axis=-1), 0.0))


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
    if name == "graves_share":
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
