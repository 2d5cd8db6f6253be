"""The evidence of how soon recruits die, as arrays: published summaries, individual times, the delay of naming."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from uncounted.errors import UserError
from uncounted.models.survival_laws import cells, days_in_pieces, log_days, share_named

RECRUITS = 24
"""Days of recruitment that stand for all of a recruiter's, evenly spread over the period."""

_SPANS = {"day": 1.0, "month": 31.0}
_NODES = {"day": 1, "month": 6, "missing": RECRUITS}
"""Days that stand for one on which somebody was sent, by how well that is known."""

CELLS = 24
"""Cells into which a time is cut for a sum over the days of death."""

_FOLLOW_UPS = 48
_SHORTEST = 0.25
_NOBODY = 1e-12
_CELLS_OF_RESULTS = 160
_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Layout:
    """The evidence as arrays, ready for the model.

    Attributes
    ----------
    data : dict of str to numpy.ndarray
        Every array of floats that the model reads.
    recruits : numpy.ndarray, shape (person, recruiter)
        Whose recruit each person is: 1, else 0.
    coords : dict of str to list
        Labels of the dimensions.
    laws : tuple of str
        The laws of the hazard.
    breaks : tuple of float
        Days on which the piecewise constant hazard changes.
    unknown : dict of str to str
        The recruiters for whom no share of the recruits can be given, and why.
    facts : dict of str to numpy.ndarray
        What the results need beside the posterior: ``days`` (recruiter, edge) from none to the longest that anybody can
        have been seen; in the cells between them ``log_named`` (recruiter, cell, 3) and ``seen_share`` (recruiter,
        cell), the share of recruits whose death would have come by the closing day; ``toll_after`` (recruiter, day of
        recruitment); the published ``recruited``, ``died``, ``half``, ``sample``, not a number where there is none; the
        stated ``reading_error`` and ``scatter_of_toll``.
    kaplan_meier : dict of str to pandas.DataFrame
        Of the recruiters with individual times, for comparison: `days` from being sent to death, and `follow_up`, the
        days from being sent to the end of the closing day. Months stand for their middle.
    """

    data: dict
    recruits: np.ndarray
    coords: dict
    laws: tuple
    breaks: tuple
    unknown: dict
    facts: dict
    kaplan_meier: dict


def lay_out(survival, tables, naming):
    """Arrange what is known of recruits and deaths as arrays.

    Parameters
    ----------
    survival : dict
        The config's key ``survival``.
    tables : dict of str to pandas.DataFrame
        The evidence tables by source name: that of ``survival.summaries``, and that of ``survival.times`` if there is
        one; see :mod:`uncounted.evidence.schemas`.
    naming : tuple of numpy.ndarray
        Mean (2,) and Cholesky factor of the covariance (2, 2) of the logarithms of the naming delay and tail; see
        :func:`naming_of` and :func:`naming_stated`.

    Returns
    -------
    Layout

    Raises
    ------
    UserError
        A cohort is not among ``survival.recruiters``, or a recruiter has no cohort; more died than were recruited;
        half of the dead within so many days, without the number of dead; a death or a median beyond the closing day,
        or before recruitment.
    """
    recruiters = list(survival["recruiters"])
    cohorts = _cohorts(survival, tables)
    closing = _day(survival["closing_day"]) + _DAY
    breaks = tuple(float(day) for day in survival["breaks"])
    times = _times(survival, tables, cohorts)
    data = _summaries(survival, cohorts, closing, breaks, naming, has_times=set(times["cohort"]))
    longest = _longest(cohorts, closing).max()
    persons, recruits, middles = _persons(times, recruiters, closing, longest, breaks, naming)
    data |= persons
    coords = {
        "law": list(survival["laws"]),
        "recruiter": recruiters,
        "piece_after": [str(day) for day in survival["breaks"]],
        "naming_part": ["delay", "tail"],
    }
    return Layout(
        data={name: np.asarray(value, dtype=float) for name, value in data.items()},
        recruits=recruits,
        coords=coords,
        laws=tuple(survival["laws"]),
        breaks=breaks,
        unknown=_unknown(survival, cohorts),
        facts=_facts(survival, cohorts, closing, naming),
        kaplan_meier=middles,
    )


def naming_of(posterior, survival):
    """Summarise the naming delay of a synthesis for the survival of recruits.

    Parameters
    ----------
    posterior : xarray.Dataset
        ``naming_delay``, ``naming_tail`` (chain, draw) and ``effort`` (chain, draw, half_year).
    survival : dict
        The config's key ``survival``: its ``closing_day``.

    Returns
    -------
    tuple of numpy.ndarray
        Mean (2,) and Cholesky factor (2, 2) of the logarithms of delay and tail, the delay at the mean effort of the
        half-years until the closing day. Nothing flows back: the survival of recruits does not change the synthesis
        (a cut; Plummer 2015, Stat. Comput. 25:37).
    """
    until = np.array([_day(day) <= _day(survival["closing_day"]) for day in posterior["half_year"].values])
    effort = posterior["effort"].values[..., until].mean(axis=-1)
    logs = np.log([(posterior["naming_delay"].values / effort).ravel(), posterior["naming_tail"].values.ravel()])
    return logs.mean(axis=1), np.linalg.cholesky(np.cov(logs))


def naming_stated(delay, tail, sd_log=(0.0, 0.0)):
    """State the naming delay where no synthesis has estimated it.

    Parameters
    ----------
    delay : float
        Days until half of the nameable are named.
    tail : float
        Shape of Lomax's distribution; a large one is an exponential delay.
    sd_log : tuple of float, optional
        Standard deviations of their logarithms.

    Returns
    -------
    tuple of numpy.ndarray
        As :func:`naming_of`.
    """
    return np.log([delay, tail]), np.diag(np.asarray(sd_log, dtype=float))


def _day(value):
    return np.datetime64(pd.Timestamp(value), "D")


def _days(values, origin):
    """Days since `origin`, as floats."""
    return (np.asarray(values, dtype="datetime64[D]") - np.asarray(origin, dtype="datetime64[D]")) / _DAY


def _toll_after(cohorts):
    """Days between being sent and the end of the day of the toll; (recruiter, day of recruitment)."""
    toll = _days(cohorts["died_by"].to_numpy(), cohorts["recruited_from"].to_numpy()) + 1.0
    return np.maximum(toll[:, None] - sent_on(cohorts), 0.0)


def _cohorts(survival, tables):
    """The published summaries, one row a recruiter, in the config's order."""
    source = survival["summaries"]
    table = tables[source].set_index("cohort")
    _check_known(table.index, survival, source)
    lacking = [name for name in survival["recruiters"] if name not in table.index]
    if lacking:
        raise UserError(
            f"the recruiter '{lacking[0]}' has no row",
            where=f"source {source}",
            expected="one row for every recruiter of the config (key survival.recruiters)",
        )
    table = table.loc[list(survival["recruiters"])]
    for name, row in table.iterrows():
        _check_cohort(name, row, survival, source)
    return table


def _check_known(cohorts, survival, source):
    unknown = sorted(set(cohorts) - set(survival["recruiters"]))
    if unknown:
        raise UserError(
            f"the recruiter '{unknown[0]}' is not known",
            where=f"source {source}, column cohort",
            expected="one of " + ", ".join(survival["recruiters"]),
            do="correct the table, or add the recruiter to survival.recruiters of the case's config",
        )


def _check_cohort(name, row, survival, source):
    where = f"source {source}, cohort {name}"
    if not pd.isna(row["died"]) and not pd.isna(row["recruited"]) and row["died"] > row["recruited"]:
        raise UserError(
            f"{row['died']} died, more than were recruited, {row['recruited']}",
            where=where,
            expected="at most as many dead as recruits",
        )
    if row["recruited_from"] > row["died_by"]:
        raise UserError(
            f"deaths up to {row['died_by']:%Y-%m-%d}, before anybody was recruited",
            where=where,
            expected=f"{row['recruited_from']:%Y-%m-%d} or later",
        )
    if pd.isna(row["half_of_deaths_within_days"]):
        return
    if pd.isna(row["sample"]):
        raise UserError(
            "half of the dead within so many days, and the number of dead is missing",
            where=f"{where}, column sample",
            expected="in how many dead the half was found",
            do="fill it in, or empty half_of_deaths_within_days",
        )
    longest = (pd.Timestamp(survival["closing_day"]) - row["recruited_from"]).days
    if row["half_of_deaths_within_days"] > longest:
        raise UserError(
            f"half of the dead within {row['half_of_deaths_within_days']} days, beyond the closing day",
            where=f"{where}, column half_of_deaths_within_days",
            expected=f"at most {longest} days, from the first recruit to the closing day (survival.closing_day)",
        )


def _unknown(survival, cohorts):
    """Why no share of a recruiter's men can be given, where their number or their deaths are missing."""
    unknown = {}
    for name, row in cohorts.iterrows():
        lacking = [
            what
            for column, what in (("recruited", "how many were recruited"), ("died", "how many of them died"))
            if pd.isna(row[column])
        ]
        if lacking:
            unknown[name] = (
                f"Not published: {' and '.join(lacking)}. The dead alone show how soon they died, and not what share."
            )
    return unknown


def _longest(cohorts, closing):
    """Days from the first recruits to the end of the closing day."""
    return _days(np.repeat(closing, len(cohorts)), cohorts["recruited_from"].to_numpy())


def sent_on(cohorts):
    """Days that stand for those on which men were sent, counted from the first; (recruiter, day)."""
    first, last = (cohorts[column].to_numpy().astype("datetime64[D]") for column in ("recruited_from", "recruited_to"))
    # The last day of the period included.
    length = (last - first) / _DAY + 1.0
    return length[:, None] * (np.arange(RECRUITS) + 0.5) / RECRUITS


def _summaries(survival, cohorts, closing, breaks, naming, has_times):
    sent, longest = sent_on(cohorts), _longest(cohorts, closing)
    toll_after = _toll_after(cohorts)
    counts = cohorts[["recruited", "died"]].astype("Float64")
    known = counts.notna().all(axis=1).to_numpy()
    half = cohorts["half_of_deaths_within_days"].astype("Float64")
    use_half = half.notna().to_numpy() & ~cohorts.index.isin(list(has_times))
    half = half.fillna(1.0).to_numpy(float)
    error = float(survival["reading_error_days"])
    until = np.stack([np.maximum(half - error, 0.5), np.minimum(half + error, longest), longest], axis=1)
    edges, middles = cells(CELLS)
    days = np.concatenate([toll_after, (until[:, :, None] * edges).reshape(len(cohorts), -1)], axis=1)
    died_after = (until[:, :, None] * middles).reshape(len(cohorts), -1)
    return {
        "log_days": log_days(days),
        "in_pieces": days_in_pieces(days, breaks),
        "log_named": _log_named((longest[:, None] - sent)[:, None, :] - died_after[:, :, None], naming, over=-1),
        **_toll(counts.where(counts.notna().all(axis=1), 1.0).to_numpy(float), survival["scatter_of_toll"]),
        "use_toll": known,
        "sample": _samples(survival, cohorts),
        "half_width": until[:, 1] - until[:, 0],
        "reading_sd": np.array(error),
        "use_half": use_half,
    }


def _samples(survival, cohorts):
    """Dead of each recruiter in the sample; one where there is no sample."""
    shares = np.array([survival["recruiters"][name].get("share_of_sample", 1.0) for name in cohorts.index])
    return np.maximum(cohorts["sample"].astype("Float64").fillna(1).to_numpy(float) * shares, 1.0)


def _facts(survival, cohorts, closing, naming):
    edges, middles = cells(_CELLS_OF_RESULTS)
    longest, sent = _longest(cohorts, closing), sent_on(cohorts)
    since_death = (longest[:, None] - sent)[:, None, :] - (longest[:, None] * middles)[:, :, None]
    counts = cohorts[["recruited", "died", "half_of_deaths_within_days"]].astype("Float64").astype(float)
    return {
        "days": longest[:, None] * edges,
        "log_named": _log_named(since_death, naming, over=-1),
        "seen_share": (since_death > 0).mean(axis=-1),
        "toll_after": _toll_after(cohorts),
        "recruited": counts["recruited"].to_numpy(),
        "died": counts["died"].to_numpy(),
        "half": counts["half_of_deaths_within_days"].to_numpy(),
        "sample": _samples(survival, cohorts),
        "reading_error": np.array(float(survival["reading_error_days"])),
        "scatter_of_toll": np.array(float(survival["scatter_of_toll"])),
    }


def _toll(counts, scatter):
    """Log odds of dying among the recruits, and their standard deviation: chance, and the stated error."""
    recruited, died = counts.T
    share = (died + 0.5) / (recruited + 1.0)
    return {
        "toll_seen": np.log(share / (1 - share)),
        "toll_sd": np.sqrt(1.0 / (recruited * share * (1 - share)) + scatter**2),
    }


def _log_named(since_death, naming, over=None):
    """Log share named at the mean naming delay, and its change with each of the two directions; (..., 3).

    The change is that between one standard deviation below and above, per standard deviation.
    """
    mean, factor = naming

    def log_share(move):
        delay, tail = np.exp(mean + factor @ move)
        share = share_named(np, delay, tail, since_death)
        share = share if over is None else share.mean(axis=over)
        return np.log(share + _NOBODY)

    changes = [(log_share(step) - log_share(-step)) / 2.0 for step in np.eye(2)]
    return np.stack([log_share(np.zeros(2)), *changes], axis=-1)


def _times(survival, tables, cohorts):
    """Individual times; of a dead man whose day of death is missing nothing is left to learn."""
    source = survival.get("times")
    if source is None:
        columns = ("cohort", "recruited_from", "recruited_to", "died_from", "died_to")
        return pd.DataFrame({name: pd.Series(dtype="object") for name in columns})
    times = tables[source]
    _check_known(times["cohort"], survival, source)
    closing = pd.Timestamp(survival["closing_day"])
    for column, what in (("died_from", "a death"), ("recruited_from", "a recruitment")):
        late = times[times[column] > closing]
        if len(late):
            raise UserError(
                f"{what} on {late[column].iloc[0]:%Y-%m-%d}, beyond the closing day",
                where=f"source {source}",
                expected=f"{closing:%Y-%m-%d} or earlier (survival.closing_day)",
            )
    times = times[times["died_from"].notna()].copy()
    period = cohorts.loc[times["cohort"]].reset_index(drop=True)
    for column in ("recruited_from", "recruited_to"):
        times[column] = times[column].reset_index(drop=True).fillna(period[column]).to_numpy()
    for column in ("recruited_to", "died_to"):
        times[column] = times[column].clip(upper=closing)
    early = times[times["died_to"] < times["recruited_from"]]
    if len(early):
        raise UserError(
            f"a death on {early['died_to'].iloc[0]:%Y-%m-%d}, before recruitment",
            where=f"source {source}",
            expected=f"{early['recruited_from'].iloc[0]:%Y-%m-%d} or later",
        )
    return times


def _persons(times, recruiters, closing, longest, breaks, naming):
    """Arrays of the individual times (person, node): an interval of days to death for each day of being sent."""
    if times.empty:
        return {}, np.zeros((0, len(recruiters))), {}
    sent_from, sent_to, died_from, died_to = (
        times[column].to_numpy().astype("datetime64[D]")
        for column in ("recruited_from", "recruited_to", "died_from", "died_to")
    )
    widths = (sent_to - sent_from) / _DAY + 1.0
    known = next((name for name, span in _SPANS.items() if widths.max() <= span), "missing")
    steps = (np.arange(_NODES[known]) + 0.5) / _NODES[known]
    sent = _days(sent_from, closing)[:, None] + widths[:, None] * steps
    begin, end = (_days(days, closing)[:, None] for days in (died_from, died_to + _DAY))
    died_after = np.stack([np.maximum(begin - sent, 0.0), np.maximum(end - sent, 0.0)], axis=-1)
    grid = np.geomspace(_SHORTEST, max(longest, -sent.min()), _FOLLOW_UPS)
    edges, middles = cells(CELLS)
    data = {
        "own_log_days": log_days(died_after),
        "own_in_pieces": days_in_pieces(died_after, breaks),
        "own_log_named": _log_named(np.broadcast_to(-(begin + end) / 2, sent.shape), naming),
        "grid_log_days": log_days(grid[:, None] * edges),
        "grid_in_pieces": days_in_pieces(grid[:, None] * edges, breaks),
        "grid_log_named": _log_named(grid[:, None] * (1.0 - middles), naming),
        "grid_weights": _interpolation(np.log(np.clip(-sent, grid[0], grid[-1])), np.log(grid)),
    }
    recruits = (times["cohort"].to_numpy()[:, None] == np.array(recruiters, dtype=object)).astype(float)
    own = pd.DataFrame(
        {
            "cohort": times["cohort"].to_numpy(),
            "days": np.maximum((begin + end)[:, 0] / 2 - sent.mean(axis=1), 0.0),
            "follow_up": -sent.mean(axis=1),
        }
    )[widths <= _SPANS["month"]]
    return data, recruits, {name: rows[["days", "follow_up"]] for name, rows in own.groupby("cohort")}


def _interpolation(at, grid):
    """Weights of linear interpolation between the points of a grid; (*at.shape, grid)."""
    place = np.clip(np.searchsorted(grid, at, side="right") - 1, 0, len(grid) - 2)
    fraction = (at - grid[place]) / (grid[place + 1] - grid[place])
    weights = np.zeros((*at.shape, len(grid)))
    np.put_along_axis(weights, place[..., None], (1.0 - fraction)[..., None], axis=-1)
    np.put_along_axis(weights, place[..., None] + 1, fraction[..., None], axis=-1)
    return weights
