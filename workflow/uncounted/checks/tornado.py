"""Which prior and which source moves the answer, and how far: all that there is on one scale.

Priors
    Each prior of the config is made half as wide and twice as wide, and moved down and up by one standard deviation of
    its own (of a scale that is never negative, which has no centre, only the width). Nothing is fitted again: the joint
    draws are weighed by the ratio of the new density to the old one, at the draw's value of the parameter
    (:mod:`uncounted.checks.reweighing`).

    A beta prior keeps its mean when its width changes, with the sum of its two values chosen so that its standard
    deviation is half or twice what it was. Log-normal and logit-normal priors change on their own scale. Where an
    answer averages over families of models, each of those that have the parameter is weighed anew, and the weights of
    the families stay as they are. Values that are fixed have no density, and are not moved here.

    Two lists say nothing of their odds ratio, whose posterior is its prior. There, each draw of it takes the place that
    it would have under the other prior, and the people on neither list are as many times more or fewer.

Sources and lists
    The fits without each of them, which there are already (:mod:`uncounted.checks.refits`).
"""

import numpy as np
import pandas as pd
import pandera.pandas as pa

from uncounted.checks.reweighing import even, median_moved, mixed, reweighed
from uncounted.checks.typed import typed

HALF, TWICE, LOWER, HIGHER = "half as wide", "twice as wide", "one sd lower", "one sd higher"

CHANGES = (HALF, TWICE, LOWER, HIGHER)
"""What is done to a prior."""

LEFT_OUT, MERGED = "left out", "merged"
"""What is done to sources and lists."""

SCHEMA = pa.DataFrameSchema(
    {
        "kind": pa.Column(str, pa.Check.isin(["prior", "source"])),
        "item": pa.Column(str),
        "change": pa.Column(str, pa.Check.isin([*CHANGES, LEFT_OUT, MERGED])),
        "model": pa.Column(str),
        **{name: pa.Column(float, nullable=True) for name in ("from_median", "median", "moved", "mcse_moved")},
        "pareto_k": pa.Column(float, nullable=True),
        "trusted": pa.Column(bool),
    },
    strict=True,
    ordered=True,
)
"""One row a change. `median` is that of the number of people after it, `from_median` before it, `moved` the relative
difference; `model` is whose answer moves. `pareto_k` is of priors only; a refit is trusted if
it keeps the limits for what is reported."""

_ELSEWHERE = {"coverage": "coverage_mean", "rate_start": "log_rate"}
"""Variables of the posterior that have another name than their prior."""


def turn_priors(posteriors, shares, priors, quantity, model):
    """Change each prior in turn, and see how far the answer moves.

    Parameters
    ----------
    posteriors : dict of str to xarray.Dataset
        The families that the answer is made of, each with `quantity` and its parameters (chain, draw, ...).
    shares : dict of str to float
        What each of them counts for.
    priors : dict of str to dict
        The config's priors.
    quantity : str
        The number of people.
    model : str
        What the answer is called.

    Returns
    -------
    pandas.DataFrame
        See :data:`SCHEMA`. Priors that no family with a share has among its parameters have no row.
    """
    used = {name: share for name, share in shares.items() if share > 0 and name in posteriors}
    people = {name: posteriors[name][quantity].values.astype(float).ravel() for name in used}
    if not used or not all(np.isfinite(draws).all() for draws in people.values()):
        return typed([], SCHEMA)
    whole = sum(used.values())
    counts_for = [share / whole for share in used.values()]
    before = mixed([even(draws) for draws in people.values()], counts_for)
    rows = []
    for name, spec in priors.items():
        values = {family: values_of(name, posteriors[family]) for family in used}
        if spec["distribution"] == "fixed" or all(found is None for found in values.values()):
            continue
        for change in changes_of(spec["distribution"]):
            parts = [
                _carried(posteriors[family], people[family], spec, change)
                if (family, name) == ("two_lists", "log_odds_ratio")
                else _weighed(people[family], values[family], spec, change)
                for family in used
            ]
            after = mixed(parts, counts_for)
            moved, error = median_moved(before, after)
            numbers = (before.median, after.median, moved, error, after.pareto_k)
            rows.append(("prior", name, change, model, *numbers, after.trusted))
    return typed(rows, SCHEMA)


def leave_out(sensitivity, model, bounds):
    """Take over what the fits without each source or list have found.

    Parameters
    ----------
    sensitivity : pandas.DataFrame
        See :data:`uncounted.checks.refits.SCHEMA`.
    model : str
        The model of the refits.
    bounds : dict
        The config's ``checks``: ``r_hat`` at most and ``ess_reported`` at least, of a number that is reported.

    Returns
    -------
    pandas.DataFrame
        See :data:`SCHEMA`.
    """
    table = sensitivity[sensitivity["level"] == sensitivity["level"].max()]
    joint = table.loc[table["left_out"] == "", "median"]
    rows = [
        ("source", row.left_out, MERGED if row.left_out.endswith(" merged") else LEFT_OUT, model)
        + (joint.iloc[0], row.median, row.moved, row.mcse_moved, np.nan)
        + (bool(row.r_hat <= bounds["r_hat"] and row.ess_bulk >= bounds["ess_reported"]),)
        for row in table[table["left_out"] != ""].itertuples(name="Refit")
        if np.isfinite(row.moved)
    ]
    return typed(rows, SCHEMA)


def together(*tables):
    """Put the rows of several tables of :data:`SCHEMA` below each other."""
    filled = [table for table in tables if len(table)]
    return typed(pd.concat(filled, ignore_index=True) if filled else [], SCHEMA)


def changes_of(distribution):
    """Name what can be done to a prior."""
    return (HALF, TWICE) if distribution == "half_normal" else CHANGES


def values_of(name, posterior):
    """Draws of the parameter that a prior is of, one row a draw; None if the model has it not."""
    variable = name if name in posterior else _ELSEWHERE.get(name)
    if variable not in posterior:
        return None
    values = posterior[variable].transpose("chain", "draw", ...).values
    values = values.reshape(values.shape[0] * values.shape[1], -1).astype(float)
    # The walk over the months starts at this prior.
    return np.exp(values[:, :1]) if name == "rate_start" else values


def _carried(posterior, people, spec, change):
    """Move the draws of two lists with their odds ratio; the prior is normal."""
    new = changed(spec, change)
    old_ratio = posterior["log_odds_ratio"].values.ravel()
    ratio = new["mean"] + (old_ratio - spec["mean"]) * new["sd"] / spec["sd"]
    return even(people + posterior["unseen"].values.ravel() * np.expm1(ratio - old_ratio))


def _weighed(people, values, spec, change):
    """Weigh the draws of one family as if the prior had been another one."""
    if values is None:
        return even(people)
    old, new = density(spec), density(changed(spec, change))
    return reweighed(people, (new.logpdf(values) - old.logpdf(values)).sum(axis=1))


def density(spec):
    """The density of a prior on the scale on which it is stated.

    Parameters
    ----------
    spec : dict
        ``distribution`` and its values; see :data:`uncounted.models.priors.FORMS`.

    Returns
    -------
    object
        With ``logpdf``; of a log-normal or logit-normal prior but for the factor that no change of its values changes.
    """
    from scipy import stats

    form = spec["distribution"]
    if form == "half_normal":
        return stats.halfnorm(scale=spec["scale"])
    if form == "beta":
        return stats.beta(spec["alpha"], spec["beta"])
    if form == "normal":
        return stats.norm(spec["mean"], spec["sd"])
    if form == "lognormal":
        return _On(np.log, stats.norm(np.log(spec["median"]), spec["sd_log"]))
    return _On(_logit, stats.norm(_logit(spec["median"]), spec["sd_logit"]))


class _On:
    """A density on another scale."""

    def __init__(self, scale, inner):
        self._scale, self._inner = scale, inner

    def logpdf(self, values):
        return self._inner.logpdf(self._scale(values))


def _logit(share):
    return np.log(share) - np.log1p(-share)


_WIDTH = {"normal": "sd", "lognormal": "sd_log", "logit_normal": "sd_logit", "half_normal": "scale"}


def changed(spec, change):
    """Change a prior.

    Parameters
    ----------
    spec : dict
    change : str
        One of :func:`changes_of` its distribution.

    Returns
    -------
    dict
        The prior that takes its place.
    """
    form = spec["distribution"]
    if form == "beta":
        return spec | _changed_beta(spec["alpha"], spec["beta"], change)
    if change in (HALF, TWICE):
        return spec | {_WIDTH[form]: spec[_WIDTH[form]] * (0.5 if change == HALF else 2.0)}
    step = spec[_WIDTH[form]] * (1 if change == HIGHER else -1)
    if form == "normal":
        return spec | {"mean": spec["mean"] + step}
    if form == "lognormal":
        return spec | {"median": spec["median"] * float(np.exp(step))}
    return spec | {"median": float(1 / (1 + np.exp(-(_logit(spec["median"]) + step))))}


def _changed_beta(alpha, beta, change):
    whole, mean = alpha + beta, alpha / (alpha + beta)
    if change in (HALF, TWICE):
        # The variance of a beta distribution is mean (1 - mean) / (whole + 1).
        wanted = (whole + 1) * (4.0 if change == HALF else 0.25) - 1
        whole = max(wanted, 0.1)
    else:
        sd = np.sqrt(mean * (1 - mean) / (whole + 1))
        mean = float(np.clip(mean + (sd if change == HIGHER else -sd), 0.01, 0.99))
    return {"alpha": whole * mean, "beta": whole * (1 - mean)}
