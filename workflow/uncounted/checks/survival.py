"""How soon recruits died: the table of a survival model's results, and Kaplan-Meier curves beside them."""

import numpy as np
import pandas as pd
import pandera.pandas as pa

KAPLAN_MEIER = "kaplan_meier"
"""Stands in the place of a law where individual times were counted and no law was fitted."""

LEVELS = (0.5, 0.95)

MEDIANS = ("median_named", "median_dead", "median_followed", "median_half_year")
"""The medians, of fewer and fewer that the closing day cuts off; the last is of the same time for all recruiters."""

SCHEMA = pa.DataFrameSchema(
    {
        "recruiter": pa.Column(str),
        "law": pa.Column(str),
        "quantity": pa.Column(str),
        "at": pa.Column(float, nullable=True),
        **{name: pa.Column(float, nullable=True) for name in ("median", "lower", "upper")},
        "level": pa.Column(float, pa.Check.isin(LEVELS)),
        "observed": pa.Column(float, nullable=True),
        "reason": pa.Column(str),
    },
    checks=[
        pa.Check(
            lambda t: t["median"].notna() == (t["reason"] == ""), error="a number, or the reason why there is none"
        ),
        pa.Check(lambda t: t["median"].isna() | ((t["lower"] <= t["median"]) & (t["median"] <= t["upper"]))),
    ],
    unique=["recruiter", "law", "quantity", "at", "level"],
    strict=True,
    ordered=True,
)
"""One row a recruiter, law, quantity, place and level.

The quantities are those of :func:`uncounted.models.survival.summarise`; `at` is the day of a curve, or the months of
`share_dead`. `observed` is the published figure, of `median_published` and `died_published`. Without a number, `reason`
says why."""

_AT = ("curve_day", "months")
_OBSERVED = {"median_published": "half", "died_published": "died"}


def reported_of(results):
    """The quantities that are reported, for the checks of convergence: where there is a number, that is.

    Parameters
    ----------
    results : xarray.Dataset
        See :func:`uncounted.models.survival.summarise`.

    Returns
    -------
    xarray.Dataset
    """
    reported = results[list(MEDIANS)]
    shares = results["share_dead"].dropna("recruiter").rename(recruiter="counted_recruiter")
    return reported.assign(share_dead=shares) if shares.size else reported


def survival_table(results, layout):
    """Summarise the results by median and intervals, with Kaplan-Meier curves where there are individual times.

    Parameters
    ----------
    results : xarray.Dataset
        See :func:`uncounted.models.survival.summarise`.
    layout : Layout

    Returns
    -------
    pandas.DataFrame
        See :data:`SCHEMA`.
    """
    rows = [row for name in results.data_vars for row in _rows(name, results[name], layout)]
    rows += [row for name, times in layout.kaplan_meier.items() for row in _kaplan_meier(name, times, results)]
    table = pd.DataFrame(rows, columns=list(SCHEMA.columns))
    return SCHEMA.validate(table.astype({name: column.dtype.type for name, column in SCHEMA.columns.items()}))


def _rows(name, array, layout):
    at = next((dim for dim in _AT if dim in array.dims), None)
    places = array[at].values if at else [np.nan]
    for law in array["law"].values:
        for number, recruiter in enumerate(array["recruiter"].values):
            for place in places:
                drawn = array.sel({"law": law, "recruiter": recruiter} | ({at: place} if at else {})).values
                common = {"recruiter": recruiter, "law": law, "quantity": name, "at": float(place)}
                common["observed"] = layout.facts[_OBSERVED[name]][number] if name in _OBSERVED else np.nan
                yield from _levels(common, drawn, layout.unknown.get(recruiter, ""))


def _levels(common, drawn, unknown):
    known = bool(np.isfinite(drawn).all())
    if not known and not unknown:
        raise ValueError(f"no number, and no reason: {common}")
    for level in LEVELS:
        low, middle, high = (
            np.quantile(drawn, [(1 - level) / 2, 0.5, (1 + level) / 2]) if known else (np.nan, np.nan, np.nan)
        )
        yield common | {
            **{"median": middle, "lower": low, "upper": high, "level": level},
            "reason": "" if known else unknown,
        }


def _kaplan_meier(recruiter, times, results):
    """Share of the dead in the table who had died by each day (Kaplan and Meier 1958, J. Am. Stat. Assoc. 53:457)."""
    # Here, since it takes a second to import and few studies have individual times.
    from lifelines import KaplanMeierFitter

    days = results["curve_day"].values
    for level in LEVELS:
        fitted = KaplanMeierFitter(alpha=1 - level).fit(times["days"])
        interval = fitted.confidence_interval_
        # On a curve of steps a day has the value of the last step before it.
        steps = np.clip(np.searchsorted(interval.index, days, side="right") - 1, 0, None)
        alive = fitted.survival_function_.to_numpy()[steps, 0]
        lower, upper = (np.nan_to_num(interval.to_numpy()[steps, column], nan=0.0) for column in (0, 1))
        for place, day in enumerate(days):
            yield {
                **{"recruiter": recruiter, "law": KAPLAN_MEIER, "quantity": "dead_of_named", "at": float(day)},
                **{"median": 1 - alive[place], "lower": 1 - upper[place], "upper": 1 - lower[place]},
                **{"level": level, "observed": np.nan, "reason": ""},
            }
