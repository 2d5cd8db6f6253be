"""From the posterior of a survival model to what people ask: how many were dead when, and how soon."""

import numpy as np
import xarray as xr

from uncounted.models.survival_laws import days_in_pieces, dead_between, hazards, log_days

MONTHS = (1, 2, 3, 6)
"""Months after which the share who are dead is reported."""

DAYS_A_MONTH = 365.25 / 12

CURVE_DAYS = tuple(range(0, 190, 7))
"""Days of the curves: up to six months."""

DIMS = ("chain", "draw", "law", "recruiter")


def summarise(posterior, layout, priors, seed):
    """Turn parameters into shares, medians, and the figures that could have been published.

    Parameters
    ----------
    posterior : xarray.Dataset
        The variables of :func:`uncounted.models.survival.build`.
    layout : Layout
    priors : dict of str to dict
        For ``hazard_step``, which is fixed.
    seed : int

    Returns
    -------
    xarray.Dataset
        All (chain, draw, law, recruiter) and more:

        ``alive`` (curve_day) and ``share_dead`` (months): share of those sent who are alive, or dead, by then; not a
        number where the recruits or their deaths are not known. ``dead_of_named`` (curve_day): of those who are dead
        and named by the closing day, the share who had died by then. ``median_named``, ``median_dead``,
        ``median_followed``: days within which half had died of those dead and named by the closing day; of those dead
        by the closing day, named or not; and of those who would have died within the longest time that the closing day
        lets anybody be seen, had all been seen so long. ``median_short``: by how many days the first falls short of the
        last. ``median_half_year``: days within which half had died of those who would have died within six months: the
        same for all recruiters, however long theirs could be seen. ``median_published`` and ``died_published``: the
        median of a sample, read with its error, and the number of dead, as they could have been published.
    """
    rng = np.random.default_rng(seed)
    facts, hazard = layout.facts, _hazard(posterior, layout, priors)
    recruiters = len(layout.coords["recruiter"])
    known = np.array([name not in layout.unknown for name in layout.coords["recruiter"]])
    on_curve = hazard(np.tile(CURVE_DAYS, (recruiters, 1)))
    after_months = hazard(np.tile(np.multiply(MONTHS, DAYS_A_MONTH), (recruiters, 1)))
    days, at_edges = facts["days"], hazard(facts["days"])
    dying = dead_between(np, at_edges[..., :-1], at_edges[..., 1:])
    of_named = _of_all(dying * _named(posterior, facts["log_named"]))
    named = _within(of_named, days, 0.5)
    of_followed = _of_all(dying)
    followed = _within(of_followed, days, 0.5)
    half_year = _at_days(of_followed, days, [MONTHS[-1] * DAYS_A_MONTH])[..., 0]
    middle = rng.beta((facts["sample"] + 1) / 2, (facts["sample"] + 1) / 2, named.shape)
    read = rng.normal(0.0, facts["reading_error"], named.shape)
    share = (-np.expm1(-hazard(facts["toll_after"]))).mean(axis=-1)
    arrays = {
        "alive": np.where(known[:, None], np.exp(-on_curve), np.nan),
        "share_dead": np.where(known[:, None], -np.expm1(-after_months), np.nan),
        "dead_of_named": _at_days(of_named, days, CURVE_DAYS),
        "median_named": named,
        "median_dead": _within(_of_all(dying * facts["seen_share"]), days, 0.5),
        "median_followed": followed,
        "median_short": followed - named,
        "median_half_year": _within(of_followed, days, half_year / 2),
        "median_published": _within(of_named, days, middle) + read,
        "died_published": np.where(known, _published_toll(rng, share, facts), np.nan),
    }
    return _dataset(arrays, posterior, layout)


def _dataset(arrays, posterior, layout):
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    more = {"alive": "curve_day", "share_dead": "months", "dead_of_named": "curve_day"}
    variables = {}
    for name, values in arrays.items():
        values = np.moveaxis(values.reshape(len(layout.laws), chains, draws, *values.shape[2:]), 0, 2)
        variables[name] = ((*DIMS, more[name]) if name in more else DIMS, values)
    coords = {name: layout.coords[name] for name in ("law", "recruiter")}
    coords |= {"curve_day": list(CURVE_DAYS), "months": list(MONTHS)}
    return xr.Dataset(variables, coords | {name: posterior[name].values for name in ("chain", "draw")})


def _hazard(posterior, layout, priors):
    """Cumulative hazards of days (recruiter, day) as (law, sample, recruiter, day)."""

    def flat(name):
        values = posterior[name].values
        return values.reshape(-1, *values.shape[2:])

    own = {}
    for law in layout.laws:
        if law == "weibull":
            own[law] = flat("hazard_shape")
        else:
            walk = priors["hazard_step"]["value"] * np.cumsum(flat("hazard_moves"), axis=-1)
            own[law] = np.concatenate([np.zeros_like(walk[..., :1]), walk], axis=-1)
    level = -np.log1p(-flat("early_deaths"))
    cumulative = hazards(np, layout.breaks, np.moveaxis(level, 1, 0), own)
    return lambda days: cumulative(
        log_days(days), days_in_pieces(days, layout.breaks), lambda values: np.expand_dims(values, 2)
    )


def _named(posterior, logs):
    """Share named by the closing day of those who die in each cell; (law, sample, recruiter, cell)."""
    moves = posterior["naming"].values
    moves = np.moveaxis(moves.reshape(-1, *moves.shape[2:]), 1, 0)[..., None, None, :]
    return np.exp(logs[..., 0] + (moves * logs[..., 1:]).sum(axis=-1))


def _of_all(cells):
    """Distribution at the edges of the cells, from what lies in each."""
    below = np.cumsum(cells, axis=-1)
    below = np.concatenate([np.zeros_like(below[..., :1]), below], axis=-1)
    return below / below[..., -1:]


def _within(distribution, days, share):
    """Days within which the share has died; (law, sample, recruiter)."""
    share = np.broadcast_to(share, distribution.shape[:-1])[..., None]
    place = np.clip((distribution < share).sum(axis=-1, keepdims=True) - 1, 0, distribution.shape[-1] - 2)
    days = np.broadcast_to(days, distribution.shape)
    low, high = (np.take_along_axis(distribution, place + step, axis=-1) for step in (0, 1))
    first, last = (np.take_along_axis(days, place + step, axis=-1) for step in (0, 1))
    return (first + (share - low) / np.maximum(high - low, 1e-300) * (last - first))[..., 0]


def _at_days(distribution, days, wanted):
    """The distribution on the days wanted; 1 beyond the longest time; (law, sample, recruiter, wanted)."""
    columns = []
    for place, own in enumerate(days):
        at = np.clip(np.searchsorted(own, wanted, side="right") - 1, 0, len(own) - 2)
        part = np.clip((np.asarray(wanted) - own[at]) / (own[at + 1] - own[at]), 0.0, 1.0)
        values = distribution[:, :, place]
        columns.append(values[..., at] + part * (values[..., at + 1] - values[..., at]))
    return np.stack(columns, axis=2)


def _published_toll(rng, share, facts):
    """Dead among the recruits as they could have been published: chance, and the stated error."""
    share = np.clip(share, 1e-12, 1 - 1e-12)
    odds = np.log(share / (1 - share)) + rng.normal(0.0, facts["scatter_of_toll"], share.shape)
    return rng.binomial(np.nan_to_num(facts["recruited"]).astype("int64"), 1 / (1 + np.exp(-odds))).astype(float)
