"""From posteriors to the tables that people quote: every estimate with its uncertainty and its Monte Carlo error."""

import json

import numpy as np
import pandas as pd
import pandera.pandas as pa
import xarray as xr

from uncounted.files import atomic_path

STRATA = ("month", "calendar_year", "war_year", "age", "day", "service", "stratum")
"""Columns that say what a row is about; empty where it is about all."""

LEVELS = (0.5, 0.95)
"""Probability of the intervals; the report leads with the last."""

QUANTITIES = {
    "deaths": (
        "deaths",
        "deaths_by_month",
        "deaths_by_calendar_year",
        "deaths_by_war_year",
        "deaths_by_age",
        "deaths_by_service",
        "deaths_by_service_month",
    ),
    "deaths_beyond_named": ("deaths_beyond_named",),
    "named": (
        "named",
        "named_by_month",
        "named_by_calendar_year",
        "named_by_war_year",
        "named_by_age",
        "named_by_service",
    ),
    "recorded": ("recorded_by_service",),
    "share_named": ("share_named", "share_named_by_day", "share_named_by_age", "share_named_by_service"),
    "deaths_until": ("deaths_until",),
    "deaths_a_day": ("deaths_a_day_by_war_year",),
    "times_year_before": ("times_year_before",),
    "deadlier_than_year_before": ("deadlier_than_year_before",),
    "more_than_year_before": ("more_than_year_before",),
    "registered_war_deaths": ("registered_war_deaths",),
    "male_deaths_without_war": ("male_deaths_without_war",),
    "registered_war_deaths_summed": ("registered_war_deaths_summed",),
    "male_deaths_without_war_summed": ("male_deaths_without_war_summed",),
    "most_deaths": ("most_deaths_by_month",),
    "largest_share_named": ("largest_share_named_by_age",),
    "smallest_share_named": ("smallest_share_named_by_age",),
    "total": ("total", "total_by_stratum"),
    "unseen": ("unseen", "unseen_by_stratum"),
    "share_seen": ("share_seen", "share_seen_by_stratum"),
}
"""Quantity to the variables of the posterior that hold it."""

SUMMED_AGES = "15-49"
"""The ages over which the excess of male deaths is published in one number."""

_NO_STRATA = "all"
"""What models call the one stratum of a study without strata."""

_DIMS = {
    "month": "month",
    "calendar_year": "calendar_year",
    "death_war_year": "war_year",
    "later_war_year": "war_year",
    "whole_later_war_year": "war_year",
    "service": "service",
    "recorded_service": "service",
    "age": "age",
    "day": "day",
    "month_end": "day",
    "registered_age": "age",
    "summed_age": "age",
    "war_year": "calendar_year",
    "stratum": "stratum",
}

_DRAWN = ("deaths", "deaths_beyond_named", "share_named", "total", "unseen", "share_seen")
"""Quantities whose draws are written out."""

SCHEMA = pa.DataFrameSchema(
    {
        **{name: pa.Column(str) for name in ("case", "model", "quantity", *STRATA)},
        **{name: pa.Column(float) for name in ("mean", "sd", "median", "lower", "upper")},
        "level": pa.Column(float, pa.Check.isin(LEVELS)),
        **{name: pa.Column(float) for name in ("ess_bulk", "ess_tail")},
        # Not defined where all draws are the same: the number of those named is known.
        "r_hat": pa.Column(float, nullable=True),
        **{f"mcse_{name}": pa.Column(float) for name in ("mean", "median", "lower", "upper")},
    },
    checks=pa.Check(lambda t: (t["lower"] <= t["median"]) & (t["median"] <= t["upper"])),
    unique=["case", "model", "quantity", *STRATA, "level"],
    strict=True,
    ordered=True,
)
"""The table of estimates."""


def reported(posterior):
    """The reported quantities of a posterior.

    Parameters
    ----------
    posterior : xarray.Dataset

    Returns
    -------
    xarray.Dataset
        The variables named in :data:`QUANTITIES`, those that the posterior has.
    """
    names = [name for variables in QUANTITIES.values() for name in variables if name in posterior]
    return _with_shares(posterior[names].astype(float))


def _with_shares(quantities):
    """Add what share of the people is on a list, to those of a study of lists."""
    for end in ("", "_by_stratum"):
        total, unseen = (quantities.get(f"{name}{end}") for name in ("total", "unseen"))
        if total is not None and unseen is not None:
            quantities[f"share_seen{end}"] = 1 - unseen / total
    return quantities


def with_derived(quantities):
    """Add what follows from the draws and is asked of them once they are judged.

    Parameters
    ----------
    quantities : xarray.Dataset
        See :func:`reported`.

    Returns
    -------
    xarray.Dataset
        Also, where there is what they follow from: registered deaths summed over :data:`SUMMED_AGES`, and in each draw
        1 for the month with the most deaths and the age with the largest and the smallest share named, 0 for the
        others: their means are probabilities. A rare 1 would look like a chain that has not converged.
    """
    more = {}
    for name in ("registered_war_deaths", "male_deaths_without_war"):
        if name in quantities:
            ages = [age for age in quantities["registered_age"].values if _within(age, SUMMED_AGES)]
            total = quantities[name].sel(registered_age=ages).sum("registered_age")
            more[f"{name}_summed"] = total.expand_dims(summed_age=[SUMMED_AGES], axis=2)
    for name, of, dim, pick in (
        ("most_deaths_by_month", "deaths_by_month", "month", "argmax"),
        ("largest_share_named_by_age", "share_named_by_age", "age", "argmax"),
        ("smallest_share_named_by_age", "share_named_by_age", "age", "argmin"),
    ):
        if of in quantities:
            place = getattr(quantities[of], pick)(dim)
            labels = quantities[dim]
            more[name] = (labels == labels[place]).astype(float).transpose("chain", "draw", dim)
    return quantities.assign(more)


def _within(band, whole):
    """Whether a band of ages, such as `20-24`, lies in another; one without an end lies in none."""
    ends = [str(ages).split("-") for ages in (band, whole)]
    if any(len(pair) != 2 for pair in ends):
        return False
    (first, last), (low, high) = ([int(end) for end in pair] for pair in ends)
    return low <= first and last <= high


def estimate_case(*, case_name, fits, out_estimates, out_draws):
    """Summarise the posteriors of one case.

    Parameters
    ----------
    case_name : str
    fits : dict of str to str or Path
        The posterior of each model; the one that the report leads with comes first.
    out_estimates : str or Path
        The table of :data:`SCHEMA`, as Parquet.
    out_draws : str or Path
        One row a draw of the first model, as Parquet.
    """
    quantities = {model: _read(path) for model, path in fits.items()}
    tables = [summarise(found, case_name, model) for model, found in quantities.items()]
    with atomic_path(out_estimates) as path:
        SCHEMA.validate(pd.concat(tables, ignore_index=True)).to_parquet(path, index=False)
    with atomic_path(out_draws) as path:
        draws_table(next(iter(quantities.values()))).to_parquet(path, index=False)


def _read(fit_nc):
    """Read the reported quantities of a posterior; those by stratum only if there are strata."""
    with xr.open_dataset(fit_nc, group="posterior") as posterior:
        quantities = with_derived(reported(posterior).load())
    if "stratum" in quantities.dims and quantities["stratum"].values.tolist() == [_NO_STRATA]:
        quantities = quantities.drop_dims("stratum")
    return quantities


def summarise(quantities, case_name, model_name):
    """Summarise draws by mean, median and intervals, with convergence and Monte Carlo error.

    Parameters
    ----------
    quantities : xarray.Dataset
        Variables of :data:`QUANTITIES`, each (chain, draw) or (chain, draw, stratum, ...).
    case_name, model_name : str

    Returns
    -------
    pandas.DataFrame
        A row for each quantity, stratum and level; see :data:`SCHEMA`. What the model has no answer for (draws that
        are not numbers) has no row.
    """
    import arviz as az

    tails = {level: ((1 - level) / 2, (1 + level) / 2) for level in LEVELS}
    known = quantities.notnull().all(("chain", "draw"))
    quantities = quantities.where(known, 0.0)
    common = {
        "mean": quantities.mean(("chain", "draw")),
        "sd": quantities.std(("chain", "draw")),
        "median": quantities.median(("chain", "draw")),
        "ess_bulk": az.ess(quantities, method="bulk"),
        "ess_tail": az.ess(quantities, method="tail"),
        "r_hat": az.rhat(quantities),
        "mcse_mean": az.mcse(quantities, method="mean"),
        "mcse_median": az.mcse(quantities, method="median"),
    }
    rows = []
    for level, (low, high) in tails.items():
        stats = common | {
            "lower": quantities.quantile(low, ("chain", "draw")).drop_vars("quantile"),
            "upper": quantities.quantile(high, ("chain", "draw")).drop_vars("quantile"),
            "mcse_lower": az.mcse(quantities, method="quantile", prob=low),
            "mcse_upper": az.mcse(quantities, method="quantile", prob=high),
        }
        for quantity, variables in QUANTITIES.items():
            for variable in (v for v in variables if v in quantities):
                rows += _rows(quantity, variable, stats, known, level)
    table = pd.DataFrame(rows, columns=list(SCHEMA.columns)).assign(case=case_name, model=model_name)
    table = table.sort_values("quantity", kind="stable", ignore_index=True)
    return SCHEMA.validate(table.astype({name: column.dtype.type for name, column in SCHEMA.columns.items()}))


def _rows(quantity, variable, stats, known, level):
    dims = stats["mean"][variable].dims
    arrays = {name: dataset[variable].values for name, dataset in stats.items()}
    labels = [stats["mean"][variable][dim].values for dim in dims]
    for place in np.argwhere(known[variable].values):
        place = tuple(place)
        strata = dict.fromkeys(STRATA, "")
        strata |= {_DIMS[dim]: str(values[i]) for dim, values, i in zip(dims, labels, place, strict=True)}
        yield {"quantity": quantity, **strata, "level": level} | {
            name: float(values[place]) for name, values in arrays.items()
        }


def draws_table(quantities):
    """One row a draw: the number of deaths, or of people, in all and by each stratum.

    Parameters
    ----------
    quantities : xarray.Dataset

    Returns
    -------
    pandas.DataFrame
        chain, draw, then a column for each number, such as ``deaths month=2022-03``. What the model has no answer
        for has no column.
    """
    columns = {}
    for quantity in _DRAWN:
        for variable in (name for name in QUANTITIES[quantity] if name in quantities):
            values = quantities[variable].stack(sample=("chain", "draw"))
            dims = [dim for dim in values.dims if dim != "sample"]
            if len(dims) > 1:
                continue
            for label in values[dims[0]].values if dims else [None]:
                name = quantity if label is None else f"{quantity} {_DIMS[dims[0]]}={label}"
                drawn = (values if label is None else values.sel({dims[0]: label})).values
                if not np.isnan(drawn).any():
                    columns[name] = drawn
    sample = quantities.stack(sample=("chain", "draw"))["sample"]
    table = pd.DataFrame({"chain": sample["chain"].values, "draw": sample["draw"].values} | columns)
    whole = [name for name in table if not name.startswith("share")]
    return table.astype(dict.fromkeys(whole, "int64"))


def collect_estimates(*, estimates, out_parquet, out_csv, out_json):
    """Put the estimates of all cases into one table, as Parquet, CSV and JSON.

    Parameters
    ----------
    estimates : list of str or Path
    out_parquet, out_csv, out_json : str or Path
    """
    table = SCHEMA.validate(pd.concat([pd.read_parquet(path) for path in estimates], ignore_index=True))
    with atomic_path(out_parquet) as path:
        table.to_parquet(path, index=False)
    with atomic_path(out_csv) as path:
        table.to_csv(path, index=False, float_format="%.10g", lineterminator="\n")
    records = [
        {name: value for name, value in record.items() if value != "" and not pd.isna(value)}
        for record in table.to_dict("records")
    ]
    with atomic_path(out_json) as path:
        path.write_text(json.dumps(records, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
