r"""One posterior for a growing list of names, a death registry and counts of graves.

The dead are looked at through several sources, none of which sees them all. Each source is a small function below
that says how it comes about; all share the same unknown deaths.

Unknown deaths
    Days are cut into *segments* :math:`s` (at most sixteen days) of month :math:`m(s)`. Ages are bands :math:`a`.
    *Nameable* deaths are those that open sources will name one day; :math:`c_a` is their share, the ceiling:

    .. math::
        \log \nu_m &\sim \mathrm{Normal}(\log \nu_{m-1}, \sigma_\nu) &&\text{nameable deaths a day} \\
        \eta_s &= \nu_{m(s)} \, \mathrm{days}_s \\
        \pi_{q,a} &= \mathrm{softmax}_a(\alpha_a + \sigma_\pi (v_{q,a} - \bar v_a)), \quad
            v_{q,a} - v_{q-1,a} \sim \mathrm{Normal}(0, 1) &&\text{age mix, by quarter} \\
        \mathrm{logit}\, c_a &= \mathrm{logit}\, c + u_a, \quad u_a - u_{a-1} \sim \mathrm{Normal}(0, \sigma_c),
            \quad \textstyle\sum_a u_a = 0 \\
        \lambda_{s,a} &= \eta_s \, \pi_{q(s),a} / c_a &&\text{expected deaths}

    with :math:`\bar v_a` the mean of the walk over the quarters until the ages on the list were published, so that
    :math:`\alpha_a` is the age mix of those quarters. Log deaths follow a random walk too: they differ from
    :math:`\log\nu` by the ceilings, which do not change, and by the slow drift of the ages. Written this way the list
    informs :math:`\nu` and :math:`\pi` and the other sources :math:`c`, and the sampler meets no ridge.

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
    enter, never two of its states as independent counts. Compositions are compared as log ratios (clr) to their mean,
    so that they say nothing about totals (after Aitchison 1986, *The Statistical Analysis of Compositional Data*, sec.
    4.6; here the mean of the logarithms is weighted by precision):

    .. math::
        \log (n(t_i) - n(t_{i-1})) &\sim \mathrm{Normal}(\log \mu_i, \; \mathrm{var} = 1/\mu_i +
            \beta^2 \, 30 / \mathrm{days}_i), \quad \mu_i = L(t_i) - L(t_{i-1}) \\
        \mathrm{clr}(\text{dated by month})_m &\sim \mathrm{Normal}(\mathrm{clr}(
            \textstyle\sum_{s \in m} \eta_s Q_s(t)\,\delta(t - s)), \; \mathrm{var} = 1/n_m + r^2) \\
        \log(\text{dated in all}) &\sim \mathrm{Normal}(\log (\bar\delta \, n(t)), r_n), \quad
            \mathrm{logit}\,\delta(\tau) = \delta_0 + \delta_1 \log(\tau / 180\,\mathrm{days}) \\
        \mathrm{clr}(\text{by age})_a &\sim \mathrm{Normal}(\mathrm{clr}(\textstyle\sum_s \eta_s Q_s(t)
            \pi_{q(s),a}), \; \mathrm{var} = 1/n_a + r^2) \\
        P(\text{more than } k \text{ of } n \text{ died in a period}) &= \mathrm{logit}^{-1}\Bigl(
            \frac{n p - k}{k \, r' \sqrt{3} / \pi}\Bigr)

    :math:`\beta` is the overdispersion of a month's additions; :math:`\bar\delta` the expected share of the list with a
    day of death in the months of the table; :math:`p` is the expected share of the period. The
    others are relative standard deviations that the config states: :math:`r` of a share that comes from days and ages
    of death that are guessed or misread, :math:`r_n` of the list's size on a day between two publications, :math:`r'`
    of the bound (the standard deviation of a logistic distribution is its scale times :math:`\pi / \sqrt{3}`, here the
    number :math:`\pi`).

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

    The line's residuals are taken as observed: the noise of small numbers in one year passes into the expectation of
    the next, and is in the variance of each. The own part of :math:`\epsilon` in the years of war is integrated out
    year by year (a Kalman filter, linear in departures of a few per cent). :math:`W_{a,y}` are the war deaths whose
    registration, delayed by an exponential time, falls into year :math:`y`; :math:`\rho` is the share registered at
    all. Pandemic years do not inform the line; :math:`S_a`, their last departure from it, carries over into the first
    year of the war by a share :math:`k`.

Graves (source `graves`)
    :math:`\mathrm{logit}(\text{seen share}) \sim \mathrm{Normal}(\mathrm{logit}(n(t) / \sum_{s \le t, a}
    \lambda_{s,a}), \; \mathrm{sd})`, with the published size :math:`n(t)` of the list.

Ledger (source `ledger`)
    Of one cohort, prisoners recruited by a private company, the number of dead :math:`N` is nearly known: it was paid
    for each. How many of them the list holds is therefore nearly measured, if the prisoners on the list are those of
    the cohort: recruits of the defence ministry stand among them, and that they do not change the share by more than
    the stated error is an assumption. The cohort was recruited evenly over the days of recruiting and died after an
    exponential time with the published median, so that a share :math:`w_s` of them died in segment :math:`s`; their
    ages :math:`p_a` are those of the prisoners on the list. Of those named, a share :math:`u` stands there under a kind
    of service at all:

    .. math::
        \mathrm{logit}(n_P(t) / N) \sim \mathrm{Normal}\Bigl(\mathrm{logit}\Bigl(u \,
            \frac{\sum_s w_s Q_s(t)}{\sum_a p_a / c_a}\Bigr) + \log \omega, \; \mathrm{sd}\Bigr)

    with :math:`n_P(t)` the prisoners on the list. :math:`\omega` is how far their coverage carries over to all the
    dead of the same ages and months: the odds of being named and known as what they were, relative to the others'. At
    1 they were found like all others. Two states of the list stand here, of which the second holds the first: they
    share :math:`\omega`, which is far less certain than either, so that little is counted twice.

Number of deaths
    Deaths are the published number of the named, :math:`n`, plus a Poisson number with mean
    :math:`\max(0, \sum \lambda_{s,a} - n)`, spread over months and ages as :math:`\lambda_{s,a} (1 - c_a Q_s)`: never
    fewer than were named. That the list is ahead of its expected size, or behind, moves people between the named and
    the unnamed and adds no deaths.
"""

import numpy as np

from uncounted.models.packing import pack, unpack
from uncounted.models.synthesis_counts import (  # noqa: F401 - the model's interface
    DEATHS,
    LOWER_BOUNDS,
    OBSERVED,
    count_deaths,
    deaths_expected,
    forecast_dated,
    in_natural_units,
)
from uncounted.models.synthesis_evidence import AGES, SOURCES, centred, lay_out, share_named_after  # noqa: F401

PARAMETERS = (
    "log_rate",
    "rate_step",
    "age_mix_level",
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
    "ratio_in_war_common",
    "pandemic_left",
    "ledger_carries",
)
"""The sampled variables, each of which must have converged."""


_BURST_DAYS = 30.0
_LOGISTIC_SCALE = np.sqrt(3) / np.pi  # of a logistic distribution with standard deviation 1


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
        ``expected_deaths`` and ``expected_named`` (period, age), ``expected_deaths_until`` and ``list_size`` (list_day)
        are what :func:`count_deaths` reads; the data ``use`` (source,) of 0 and 1 switches each source. Parameters that
        speak of a source alone are there with it, but for those of the days of death: a forecast asks for them.
    """
    import pymc as pm

    with pm.Model(coords=layout.coords) as model:
        d = unpack(pm.Data("evidence", pack(layout.data)), layout.data)
        d |= layout.places
        sources = layout.coords["source"]
        use = pm.Data("use", np.ones(len(sources)), dims="source")
        d |= {f"use_{source}": use[i] for i, source in enumerate(sources)}
        nameable, mix = _nameable_deaths(d, priors)
        ceiling = _ceiling(priors)
        named_share = _naming(d, priors, layout.coords)
        listed = pm.Deterministic("list_size", named_share @ nameable, dims="list_day")
        _observe_growth(d, priors, listed)
        _observe_dated(d, priors, nameable, named_share, listed)
        if "named_by_age" in sources:
            _observe_ages(d, nameable, named_share, mix)
        if "named_in_year" in sources:
            _observe_bound(d, nameable, named_share, listed)
        deaths_a_nameable = pm.math.dot(d["segments_of_month"].T, (mix / ceiling).sum(axis=1))
        if "graves" in sources:
            _observe_graves(d, nameable * deaths_a_nameable)
        if "ledger" in sources:
            _observe_ledger(d, priors, named_share, ceiling)
        if "registered_deaths" in sources:
            _observe_registered(d, priors, nameable, mix, ceiling)
        _derive(d, nameable, mix, ceiling, named_share, nameable * deaths_a_nameable)
    return model


def _nameable_deaths(d, priors):
    """Nameable deaths by segment, and their age mix by month; (segment,), (month, age)."""
    import pymc as pm
    import pytensor.tensor as pt

    from uncounted.models.priors import prior

    rate = (_walk_of_known_months if "dated" in d else _walk_of_unknown_months)(d, priors)
    nameable = pt.dot(d["segments_of_month"].T, pt.exp(rate)) * d["days"]
    drift = prior("age_drift", priors)
    level = pm.ZeroSumNormal("age_mix_level", sigma=priors["age_mix_spread"]["value"], dims="age")
    moves = pm.ZeroSumNormal("age_mix_moves", sigma=1.0, dims=("later_quarter", "age"), n_zerosum_axes=1)
    walk = pt.concatenate([pt.zeros_like(moves[:1]), drift * pt.cumsum(moves, axis=0)])
    # The list's ages pin the mean of the quarters they cover: a walk from the first quarter would be a ridge.
    logits = level + walk - pt.dot(d["quarters_with_ages"], walk)
    mix = pt.dot(d["months_of_quarter"].T, pm.math.softmax(logits, axis=1))
    return nameable, mix


def _walk_of_known_months(d, priors):
    """Log nameable deaths a day, month by month, where days of death tell the months apart; (month,)."""
    import pymc as pm

    from uncounted.models.priors import lognormal_on_log_scale, prior
    from uncounted.models.transforms import common_level

    step = prior("rate_step", priors)
    start = pm.Normal.dist(**lognormal_on_log_scale("rate_start", priors))
    return pm.GaussianRandomWalk(
        "log_rate",
        mu=0.0,
        sigma=step,
        init_dist=start,
        dims="month",
        transform=common_level(d["settled"]),
    )


def _walk_of_unknown_months(d, priors):
    """The same walk in its steps, where nothing tells the months apart: the sampler then meets no funnel; (month,)."""
    import pymc as pm
    import pytensor.tensor as pt

    from uncounted.models.priors import lognormal_on_log_scale, prior

    step = prior("rate_step", priors)
    start = pm.Normal("rate_first", **lognormal_on_log_scale("rate_start", priors))
    moves = pm.Normal("rate_moves", 0.0, 1.0, shape=d["segments_of_month"].type.shape[0] - 1)
    walk = pt.concatenate([[0.0], step * pt.cumsum(moves)])
    return pm.Deterministic("log_rate", start + walk, dims="month")


def _ceiling(priors):
    """Share of the dead that open sources will ever name, by age; (age,)."""
    import pymc as pm
    import pytensor.tensor as pt

    from uncounted.models.priors import prior

    middle = prior("ceiling", priors)
    steps = pm.Normal("ceiling_steps", 0.0, 1.0, shape=len(AGES) - 1)
    moves = pt.concatenate([[0.0], pt.cumsum(prior("ceiling_step", priors) * steps)])
    return pm.Deterministic("ceiling_by_age", pm.math.sigmoid(pm.math.logit(middle) + moves - moves.mean()), dims="age")


def _naming(d, priors, coords):
    """Share of the nameable deaths of each segment that is named by each list day; (list_day, segment)."""
    import pymc as pm
    import pytensor.tensor as pt

    from uncounted.models.priors import prior

    half_after = prior("naming_delay", priors)
    tail = prior("naming_tail", priors)
    step = prior("effort_step", priors)
    moves = pm.Normal("effort_moves", 0.0, 1.0, shape=len(coords["half_year"]) - 1)
    effort = pm.Deterministic("effort", pt.exp(pt.concatenate([[0.0], pt.cumsum(step * moves)])), dims="half_year")
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
    if "dated" not in d:
        return
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
        (pt.log(size * dated.sum() / listed[at]), d["size_between_days_sd"]),
        use=d["use_named_by_week"] * d["use_named_totals"],
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
        (share * d["bound_of"], d["more_than_seen"] * d["scatter_of_bound"] * _LOGISTIC_SCALE),
        use=d["use_named_in_year"],
        observed=d["more_than_seen"],
        log_density=log_exceedance,
    )


def _observe_graves(d, deaths):
    import pymc as pm
    import pytensor.tensor as pt

    from uncounted.models.switch import observe

    at = d["graves"]
    share = pt.clip(d["graves_list_size"] / (deaths * d["counts_until"][at]).sum(), 1e-4, 1 - 1e-4)
    observe(
        "graves_share",
        pm.Normal.dist,
        (pm.math.logit(share), d["graves_sd"]),
        use=d["use_graves"],
        observed=d["graves_logit_seen"],
    )


def _observe_ledger(d, priors, named_share, ceiling):
    import pymc as pm
    import pytensor.tensor as pt

    from uncounted.models.priors import prior
    from uncounted.models.switch import observe

    carries = prior("ledger_carries", priors)
    ever = d["ledger_kind_known"] / (d["ledger_ages"] / ceiling).sum()

    def shifted(share):
        return pm.math.logit(ever * share) + pt.log(carries)

    observe(
        "ledger_share",
        pm.Normal.dist,
        (shifted(pt.dot(d["ledger_days"], pt.dot(named_share, d["ledger_deaths"]))), d["ledger_sd"]),
        use=d["use_ledger"],
        observed=d["ledger_logit_seen"],
        dims="ledger_day",
    )
    at_cut_off = shifted(pt.dot(named_share[d["named"]], d["ledger_deaths"]))
    pm.Deterministic("ledger_share_at_cut_off", pm.math.sigmoid(at_cut_off))


def _observe_registered(d, priors, nameable, mix, ceiling):
    import pymc as pm
    import pytensor.tensor as pt

    from uncounted.models.priors import prior
    from uncounted.models.switch import observe

    line, scatter, memory, shared = _ratio_line(d, priors)
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
    share = prior("share_registered", priors)
    lag = prior("registration_delay", priors)
    in_year = pt.exp(-d["days_to_year_start"] / lag) - pt.exp(-d["days_to_year_end"] / lag)
    by_month = pt.dot(d["segments_of_month"], nameable[:, None] * in_year)
    war = (share * pt.dot(mix.T, by_month) / ceiling[:, None])[: d["women"].type.shape[0]]
    pm.Deterministic("registered_war_deaths", war, dims=("registered_age", "war_year"))
    carried = prior("pandemic_left", priors) * (d["pandemic_log_ratio"] - line(d["pandemic_time"][None])[:, 0])
    ratio = line(d["war_time"]) + carried[:, None] * d["carries_pandemic"]
    shared_part = _shared_departure(d, scatter, memory, shared)
    own_variance = scatter**2 * (1 - shared)
    expected, sd, usual, usual_sd = _forecast_registered(
        d, ratio + shared_part, residual[:, -1], memory, own_variance, war
    )
    pm.Deterministic("male_deaths_without_war_mean", usual, dims=("registered_age", "war_year"))
    pm.Deterministic("male_deaths_without_war_sd", usual_sd, dims=("registered_age", "war_year"))
    observe(
        "registered_male",
        pm.Normal.dist,
        (expected, sd),
        use=d["use_registered_deaths"],
        observed=d["registered_male_seen"],
        dims=("registered_age", "war_year"),
    )


def _shared_departure(d, scatter, memory, shared):
    """What all ages have in common of the departure from the line in the years of war; (age, war_year)."""
    import pymc as pm
    import pytensor.tensor as pt

    common = pm.Normal("ratio_in_war_common", 0.0, 1.0, dims="war_year")
    kept = memory ** d["gap_years"]
    series = [pt.sqrt(1 - kept**2) * common[0]]
    for year in range(1, d["women"].type.shape[1]):
        series.append(memory * series[-1] + pt.sqrt(1 - memory**2) * common[year])
    return scatter[:, None] * pt.sqrt(shared) * pt.stack(series)[None, :]


def _forecast_registered(d, ratio, last, memory, own_variance, war):
    """Integrate over each age's own departure from the line, year by year (a Kalman filter, Kalman 1960).

    The departure is a few per cent, so male deaths are linear in it to within a tenth of a per cent.

    Returns
    -------
    tuple of tensors, each (age, war_year)
        Mean and standard deviation of the registered male deaths, each year given those before; and mean and standard
        deviation of the deaths that there would have been without war, given the registered.
    """
    import pytensor.tensor as pt

    kept = memory ** d["gap_years"]
    middle, variance = kept * last, (1 - kept**2) * own_variance
    columns = []
    for year in range(d["women"].type.shape[1]):
        women = d["women"][:, year]
        usual = women * pt.exp(ratio[:, year] + middle)
        expected = usual + war[:, year]
        spread = usual**2 * variance + expected + usual**2 / women
        gain = usual * variance / spread
        surprise = gain * (d["registered_male_seen"][:, year] - expected)
        left = variance * (1 - gain * usual)
        columns.append((expected, pt.sqrt(spread), usual * (1 + surprise), usual * pt.sqrt(left)))
        middle = memory * (middle + surprise)
        variance = memory**2 * left + (1 - memory**2) * own_variance
    return tuple(pt.stack(series, axis=1) for series in zip(*columns, strict=True))


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

    return line, scatter, memory, shared


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
