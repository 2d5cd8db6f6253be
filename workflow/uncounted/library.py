"""For notebooks: the number of people behind a table of capture histories, without a workflow."""

import copy
import difflib
import functools
from dataclasses import dataclass, field
from numbers import Integral, Real
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from uncounted.errors import UserError
from uncounted.evidence.histories import not_estimable_alone, spread_blanks, table_from_frame, tabulate
from uncounted.evidence.tidy import as_names, check_names
from uncounted.models import models_of

DEFAULTS = Path(__file__).resolve().parent / "models" / "multiple_systems.yaml"
"""Priors, sampling and checks of studies by multiple systems estimation."""

MODELS = ("loglinear", "latent_class", "decomposable", "average", "two_lists")
"""Models that can be asked for."""

MOST_ODDS = 10
"""How far the dial goes either way; configs have the same bound."""

_LARGEST_SEED = 2**32 - 1
_CHANGED = ("priors", "sampling", "checks")
_ARGUMENTS = ("table", "lists", "strata", "count", "model", "unseen_odds", "seed", *_CHANGED)
_LEVEL = 0.95

_LIGHTER = {"draws": 750, "tune": 400}
"""Of the log-linear model: enough for a thousand effective draws of the total; a report asks more of each part."""


@dataclass(frozen=True)
class Estimate:
    """The number of people, seen and unseen.

    Attributes
    ----------
    model : str
    seen : int
        People on at least one list.
    draws : pandas.DataFrame
        One row a draw: ``total``, and with strata a column for each of them.
    checks : pandas.DataFrame
        What was checked, what was seen and what was wanted; empty for exact models.
    weights : pandas.DataFrame
        Of the average: the weight of each family and its own answer; empty for other models.
    not_estimable : dict of str to str
        Strata that say nothing about the unseen on their own, and why. Models that pool strata borrow from the others;
        the exact models give no number for them.
    """

    model: str
    seen: int
    draws: pd.DataFrame = field(repr=False)
    checks: pd.DataFrame = field(repr=False)
    weights: pd.DataFrame = field(repr=False)
    not_estimable: dict = field(repr=False)

    @property
    def total(self):
        """Median and 95 % interval of the number of people; pandas.Series ``median``, ``lower``, ``upper``."""
        return _summary(self.draws["total"]).rename("total")

    @property
    def by_stratum(self):
        """The same by stratum; pandas.DataFrame, one row a stratum, empty without strata."""
        columns = {name: _summary(self.draws[name]) for name in self.draws.columns if name != "total"}
        return pd.DataFrame(columns, index=["median", "lower", "upper"]).T

    def plot(self):
        """Draw the median and the 95 % interval of the total and of each stratum.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from matplotlib.figure import Figure

        table = pd.concat([self.total.to_frame().T, self.by_stratum])
        figure = Figure(figsize=(5.0, 0.8 + 0.32 * len(table)), layout="constrained")
        axes = figure.add_subplot()
        places = np.arange(len(table))[::-1]
        axes.hlines(places, table["lower"], table["upper"], color="#5f97c2", linewidth=3)
        axes.plot(table["median"], places, "o", color="#0b3c5f")
        # A dollar sign in a name is text, not mathematics.
        axes.set_yticks(places, [str(name).replace("$", r"\$") for name in table.index])
        axes.set_xlabel("people (median and 95 % interval)")
        return figure

    def __str__(self):
        rows = [("total", self.total), *self.by_stratum.iterrows()]
        width = max(len(str(name)) for name, _ in rows)
        lines = [f"{'':{width}}  {'median':>12}  95 % interval"]
        for name, row in rows:
            if np.isnan(row["median"]):
                reason = self.not_estimable.get(name, "one of the strata is not")
                lines.append(f"{name:{width}}  not estimable: {reason}")
            else:
                lines.append(f"{name:{width}}  {row['median']:>12,.0f}  {row['lower']:,.0f} to {row['upper']:,.0f}")
        lines.append(f"{self.seen:,} were seen; model: {self.model}")
        failed = self.checks.loc[~self.checks["passed"].astype(bool)] if len(self.checks) else self.checks
        lines += [f"NOT CONVERGED: {row.check}: {row.seen:.4g}, {row.wanted}" for row in failed.itertuples()]
        return "\n".join(lines)

    __repr__ = __str__


def estimate(table, lists, strata=(), count=None, *, model="loglinear", unseen_odds=0.0, seed=20240407, **changes):
    """Estimate how many people there are, on the lists or not.

    Parameters
    ----------
    table : pandas.DataFrame
        One 0/1 column for each list, columns of strata if any, and a column of counts; or one row a person.
    lists : list of str
        The columns of the lists, 2 to 10.
    strata : list of str, optional
        The columns of the strata. A blank label is imputed.
    count : str, optional
        The column of counts; ``count`` if there is one, and otherwise each row is one person.
    model : str, optional
        One of :data:`MODELS`. With two lists ``two_lists`` is the only one.
    unseen_odds : float, optional
        The dial: by how much the log odds of being on no list are moved from where the model puts them, about which no
        data speak. 0.7 makes the unseen twice as many.
    seed : int, optional
    **changes
        ``priors``, ``sampling`` or ``checks``: keys that take the place of the defaults, as in a config.

    Returns
    -------
    Estimate

    Raises
    ------
    UserError
        For whatever is wrong with the table, and for a table that cannot tell.

    Examples
    --------
    Killings in Kosovo in 1999 on four lists (Ball et al. 2002):

    >>> import pandas as pd
    >>> from uncounted import estimate
    >>> histories = [f"{cell:04b}" for cell in range(1, 16)]
    >>> people = [306, 936, 123, 845, 31, 217, 32, 1131, 106, 228, 42, 177, 18, 181, 27]
    >>> table = pd.DataFrame([list(map(int, history)) for history in histories], columns=["EXH", "ABA", "OSCE", "HRW"])
    >>> found = estimate(table.assign(count=people), lists=list(table.columns), model="decomposable")
    >>> found.seen
    4400
    >>> found.total.round(-3)
    median    13000.0
    lower     10000.0
    upper     16000.0
    Name: total, dtype: float64
    """
    from uncounted.models.multiple_systems import fit_models

    settings = _settings(changes) | {"unseen_odds": _checked_odds(unseen_odds)}
    seed = _checked_seed(seed)
    _check_model(model)
    lists, strata = as_names(lists), as_names(() if strata is None else strata)
    check_names(lists, strata)
    if count is None and "count" in getattr(table, "columns", ()) and "count" not in [*lists, *strata]:
        count = "count"
    histories = tabulate(table_from_frame(table, lists, strata, count=count), lists, strata)
    if histories.n_lists == 2:
        model = "two_lists"
    _refuse_total(histories)
    reasons = _not_estimable(histories)
    fits, tables = fit_models(_models(model, lists), histories, settings, seed, "estimate")
    leading = next(iter(fits.values()))
    return Estimate(
        model=model,
        seen=histories.seen,
        draws=_draws(getattr(leading, "posterior", leading), histories),
        checks=_checks(fits, settings["checks"]),
        weights=tables.get("weights", pd.DataFrame()),
        not_estimable=reasons,
    )


@functools.cache
def _defaults():
    return yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))


def _settings(changes):
    """The defaults, of the log-linear model fewer draws, and what takes their place."""
    for key in changes:
        if key not in _CHANGED:
            close = difflib.get_close_matches(key, _ARGUMENTS, n=1)
            raise UserError(
                f"unknown argument {key!r}" + (f" (did you mean {close[0]}?)" if close else ""),
                where="estimate",
                expected=f"one of {', '.join(_ARGUMENTS)}",
            )
    own = _plain(changes)
    settings = _changed(own) if own else copy.deepcopy(_defaults())
    settings["sampling"]["loglinear"] |= _LIGHTER | own.get("sampling", {}).get("loglinear", {})
    return settings


def _changed(own):
    # Loaded here: who changes nothing need not wait for it.
    from uncounted.config import check_changes

    return check_changes(own, "estimate")


def _plain(value):
    """NumPy's numbers as Python's, tuples as lists."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _checked_odds(odds):
    is_number = isinstance(odds, Real) and not isinstance(odds, (bool, np.bool_))
    if not is_number or not -MOST_ODDS <= odds <= MOST_ODDS:
        raise UserError(
            f"unseen_odds is {odds!r}", where="estimate", expected=f"a number from {-MOST_ODDS} to {MOST_ODDS}"
        )
    return float(odds)


def _checked_seed(seed):
    if not isinstance(seed, Integral) or isinstance(seed, bool) or not 0 <= seed <= _LARGEST_SEED:
        raise UserError(f"the seed is {seed!r}", where="estimate", expected=f"a whole number from 0 to {_LARGEST_SEED}")
    return int(seed)


def _check_model(model):
    if model not in MODELS:
        raise UserError(f"there is no model {model!r}", where="estimate, model", expected=f"one of {', '.join(MODELS)}")


def _refuse_total(histories):
    if "total" in histories.stratum_names:
        raise UserError(
            "a stratum is called 'total': the estimates have a total of all strata",
            where="strata",
            do="give the label another name",
        )


def _not_estimable(histories):
    reasons = {histories.stratum_names[i]: why for i, why in not_estimable_alone(spread_blanks(histories)).items()}
    if len(reasons) == len(histories.stratum_names):
        name, why = next(iter(reasons.items()))
        raise UserError(
            f"the table cannot tell how many people are on no list: {why}",
            where=f"stratum {name}" if histories.strata else "the table",
        )
    return reasons


def _models(model, lists):
    try:
        return models_of({"kind": "multiple_systems_estimation", "model": model, "lists": lists})
    except UserError as error:
        error.where = "estimate, model"
        raise


def _draws(posterior, histories):
    columns = {"total": posterior["total"].values.ravel()}
    if histories.strata:
        by_stratum = posterior["total_by_stratum"].values.reshape(-1, len(histories.stratum_names))
        columns |= dict(zip(histories.stratum_names, by_stratum.T, strict=True))
    return pd.DataFrame(columns)


def _checks(fits, bounds):
    from uncounted.checks.convergence import check_convergence
    from uncounted.checks.result import results_table

    sampled = {name: trace for name, trace in fits.items() if hasattr(trace, "sample_stats")}
    tables = [results_table(check_convergence(trace, [], bounds)).assign(model=name) for name, trace in sampled.items()]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _summary(draws):
    known = draws.to_numpy(dtype=float)
    tail = (1 - _LEVEL) / 2
    median, lower, upper = np.quantile(known, [0.5, tail, 1 - tail])
    return pd.Series({"median": median, "lower": lower, "upper": upper})
