"""What would have been estimated on earlier days, from what was public by then, and how it stands to what came later.

Figures are held back by the day on which they were published. The model, its priors and the rules of cleaning are those
of today: what was learned from later figures about how to model may still be in them.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa

from uncounted.checks.backtest import named_until
from uncounted.errors import UserError

NAME = "backtest_dates"
PUBLISHED = "backtest_published"
"""The two tables, as the figures and the report know them."""

KILLED = "killed"
"""What a published estimate must count to stand beside ours."""

_DAY = "datetime64[us]"
_LEVELS = (50, 95)
_INTERVALS = {f"{end}_{level}": pa.Column(float) for level in _LEVELS for end in ("lower", "upper")}

SCHEMA = pa.DataFrameSchema(
    {
        "case": pa.Column(str),
        "known_on": pa.Column(_DAY),
        "cut_off": pa.Column(_DAY),
        "until": pa.Column(_DAY),
        "sources": pa.Column(str),
        "named": pa.Column(int),
        "median": pa.Column(float),
        **_INTERVALS,
        "later_list": pa.Column(_DAY),
        "named_later": pa.Column(float),
        "share_below": pa.Column(float, pa.Check.in_range(0, 1)),
        "passed": pa.Column(bool),
        "forecast_median": pa.Column(float, nullable=True),
        "forecast_lower": pa.Column(float, nullable=True),
        "forecast_upper": pa.Column(float, nullable=True),
        "r_hat": pa.Column(float),
        "ess": pa.Column(float),
        "failed_checks": pa.Column(str),
        "seconds": pa.Column(float),
        "seed": pa.Column(int),
        "commit": pa.Column(str),
        "clean": pa.Column(bool),
    },
    strict=True,
    unique=["case", "known_on", "until"],
)
"""One row a day of knowledge and a day until which deaths are counted.

`cut_off` is the last day that the list of `known_on` covered, `named` its size; `until` is the cut-off of this day or
of an earlier one. `named_later`: of the deaths until then, those whom the list of `later_list` names with a day of
death; `passed`: the 95 % interval does not end below it; `share_below`: how much of the posterior lies below it.
`forecast_...`: what the fit foresaw of that number (95 %), for its own cut-off. `r_hat` and `ess` are of the deaths in
all.
"""

PUBLISHED_SCHEMA = pa.DataFrameSchema(
    {
        "case": pa.Column(str),
        "known_on": pa.Column(_DAY),
        "until": pa.Column(_DAY),
        "median": pa.Column(float),
        **_INTERVALS,
        "by": pa.Column(str),
        "what": pa.Column(str),
        "deaths_to": pa.Column(_DAY),
        "published": pa.Column(_DAY),
        "published_as": pa.Column(str),
        "point": pa.Column(float, nullable=True),
        "low": pa.Column(float, nullable=True),
        "high": pa.Column(float, nullable=True),
    },
    strict=True,
)
"""One row a published estimate of the killed, beside ours until the last day that both count."""


# What was known


def known_on(case_config, tables, day):
    """Keep what was published by a day of what enters the fit.

    Parameters
    ----------
    case_config : dict
        ``sources``, ``war``.
    tables : dict of str to pandas.DataFrame
        The evidence by source name.
    day : datetime-like

    Returns
    -------
    case_config : dict
        With the last day that the list then covered as its cut-off.
    tables : dict of str to pandas.DataFrame
        Without the sources of which nothing was published, and without a registry that has no year of war.

    Raises
    ------
    UserError
        There was no list yet.
    """
    day = pd.Timestamp(day)
    known = {}
    for name, source in case_config["sources"].items():
        rows = tables[name][tables[name]["published"] <= day].reset_index(drop=True)
        if "used_until" in source and not rows.empty:
            known[name] = rows
    war_from = pd.Timestamp(case_config["war"]["from"]).year
    if "registered_deaths" in known and known["registered_deaths"]["year"].max() < war_from:
        del known["registered_deaths"]
    sizes = known["named_totals"].query("part == 'all'") if "named_totals" in known else ()
    if len(sizes) < 2:
        raise UserError(
            f"the list had been published {len(sizes)} times by {day:%Y-%m-%d}: that says nothing of how it grows",
            where="config of the case, key backtest.dates",
            expected="a day by which two sizes of the list were public",
        )
    return case_config | {"cut_off": f"{sizes['closed'].max():%Y-%m-%d}"}, known


# One day


def run_date(*, case_name, case_config, evidence_folder, day, seed, out_folder):
    """Estimate what would have been estimated on one day, and write how it stands to what came later.

    Parameters
    ----------
    case_name : str
    case_config : dict
        ``backtest`` with ``dates`` and ``sampling``, ``sources``, ``priors``, ``checks``, and what the model reads.
    evidence_folder : str or Path
    day : str
        One of the dates.
    seed : int
        The run's seed.
    out_folder : str or Path
        Receives ``<day>.parquet`` of :data:`SCHEMA` and ``<day>_published.parquet`` of :data:`PUBLISHED_SCHEMA`.
    """
    from uncounted.evidence.schemas import read_tables
    from uncounted.files import atomic_path

    tables = read_tables(case_config, evidence_folder)
    rows, published = estimate_on(case_name, case_config, tables, day, seed)
    for name, table in ((day, rows), (f"{day}_published", published)):
        with atomic_path(Path(out_folder) / f"{name}.parquet") as path:
            table.to_parquet(path, index=False)


def estimate_on(case_name, case_config, tables, day, seed):
    """Fit the model to what was published by a day.

    Parameters
    ----------
    case_name, case_config, day, seed
        As in :func:`run_date`.
    tables : dict of str to pandas.DataFrame

    Returns
    -------
    tuple of pandas.DataFrame
        Tables of :data:`SCHEMA` and :data:`PUBLISHED_SCHEMA`.
    """
    import time

    import arviz as az

    from uncounted.checks.convergence import check_convergence
    from uncounted.compiling import compile_model
    from uncounted.inference import draw, seed_for
    from uncounted.models import model_named
    from uncounted.provenance import code_state

    began = time.perf_counter()
    module = model_named(case_config["model"])
    case, known = known_on(case_config, tables, day)
    layout = module.lay_out(case, known)
    names = (case_name, "back-test", str(day))
    trace = draw(
        compile_model(module.build(layout, case["priors"])),
        **case["backtest"]["sampling"],
        seed=seed_for(seed, *names),
        what=f"drawing from the posterior as of {day}",
    )
    counted = module.count_deaths(trace.posterior, layout, seed_for(seed, *names, "count"))
    parameters = [name for name in module.PARAMETERS if name in trace.posterior]
    trace.posterior = trace.posterior.merge(counted)
    later = _later_list(case, tables)
    forecast = module.forecast_dated(
        trace.posterior, layout, later["published"].iloc[0], seed_for(seed, *names, "forecast")
    )
    checks = check_convergence(trace, parameters, case["checks"])
    deaths, state = trace.posterior[module.DEATHS].values, code_state()
    about = {
        "case": case_name,
        "known_on": day,
        "cut_off": case["cut_off"],
        "sources": " ".join(layout.coords["source"]),
        "named": layout.facts["named"],
        "r_hat": float(az.rhat(deaths)),
        "ess": float(az.ess(deaths)),
        "failed_checks": failed_checks(checks),
        "seconds": time.perf_counter() - began,
        "seed": seed,
        "commit": state["commit"] or "",
        "clean": state["clean"],
    }
    rows = [about | row for row in _rows(case, known, trace.posterior, later, forecast, tables)]
    published = _beside_published(case_name, case_config, tables, day, trace.posterior)
    return as_table(SCHEMA, rows), as_table(PUBLISHED_SCHEMA, published)


def failed_checks(checks):
    """Write the checks that failed, with so many digits that what was wanted is visibly missed.

    Parameters
    ----------
    checks : iterable of uncounted.checks.result.Result

    Returns
    -------
    str
        Empty if all passed.
    """
    return "; ".join(
        f"{one.check} ({one.item}: {one.seen:.5g}, wanted: {one.wanted})" for one in checks if not one.passed
    )


def _rows(case, known, counted, later, forecast, tables):
    """One row for each cut-off up to this day's own."""
    cut_offs = sorted({*earlier_cut_offs(case, tables, case["cut_off"]), case["cut_off"]})
    rows = []
    for until in cut_offs:
        draws = deaths_until(counted, case, until)
        row = {"until": until, **against_later_list(draws, later, until), **_summary(draws)}
        own = until == case["cut_off"]
        lower, median, upper = np.quantile(forecast, [0.025, 0.5, 0.975]) if own else (np.nan,) * 3
        rows.append(row | {"forecast_lower": lower, "forecast_median": median, "forecast_upper": upper})
    return rows


def earlier_cut_offs(case_config, tables, cut_off):
    """List the cut-offs of all dates of the back-test that are not after a cut-off.

    Parameters
    ----------
    case_config : dict
    tables : dict of str to pandas.DataFrame
    cut_off : str

    Returns
    -------
    list of str
    """
    all_of_them = [known_on(case_config, tables, day)[0]["cut_off"] for day in case_config["backtest"]["dates"]]
    return [day for day in all_of_them if day <= cut_off]


def against_later_list(draws, later, until):
    """Hold an estimate of the deaths until a day against those of them whom a later list names.

    Parameters
    ----------
    draws : numpy.ndarray
        Of the number of deaths until the day.
    later : pandas.DataFrame
        The later list by month of death; see :func:`uncounted.checks.backtest.named_until`.
    until : datetime-like

    Returns
    -------
    dict
        ``later_list``, ``named_later``, ``share_below``, ``passed``: whether the 95 % interval ends above it.
    """
    named = named_until(later.query("kind == 'all'"), pd.Timestamp(until))
    return {
        "later_list": later["published"].iloc[0],
        "named_later": named,
        "share_below": float(np.mean(draws < named)),
        "passed": bool(np.quantile(draws, 0.975) >= named),
    }


def _later_list(case_config, tables):
    name = next(name for name, source in case_config["sources"].items() if source.get("kept_for") == "back_test")
    return tables[name]


def _summary(draws):
    ends = {}
    for level in _LEVELS:
        tail = (100 - level) / 200
        ends[f"lower_{level}"], ends[f"upper_{level}"] = np.quantile(draws, [tail, 1 - tail])
    return {"median": float(np.median(draws)), **ends}


def deaths_until(counted, case_config, until):
    """Deaths until a day, in each draw; a month that it divides is shared out by days.

    Parameters
    ----------
    counted : xarray.Dataset
        ``deaths_by_month`` (chain, draw, month).
    case_config : dict
        ``war``, ``cut_off``.
    until : datetime-like
        At most the cut-off.

    Returns
    -------
    numpy.ndarray, shape (chain * draw,)
    """
    first, cut_off, until = (pd.Timestamp(day) for day in (case_config["war"]["from"], case_config["cut_off"], until))
    shares = []
    for month in counted["month"].values:
        begin = max(pd.Period(month, "M").start_time, first)
        end = min(pd.Period(month, "M").end_time.normalize(), cut_off)
        shares.append(np.clip(((until - begin).days + 1) / ((end - begin).days + 1), 0.0, 1.0))
    return (counted["deaths_by_month"].values @ np.array(shares)).ravel()


def _beside_published(case_name, case_config, tables, day, counted):
    """Put beside ours the published estimates that no earlier day of the back-test reaches."""
    case, _ = known_on(case_config, tables, day)
    rows = []
    for row in tables["published_estimates"].query("counts == @KILLED").itertuples():
        if first_to_reach(case_config, tables, row.deaths_to) != str(day):
            continue
        until = min(row.deaths_to, pd.Timestamp(case["cut_off"]))
        theirs = {name: getattr(row, name) for name in ("by", "what", "deaths_to", "published", "published_as")}
        theirs |= {name: _or_missing(getattr(row, name)) for name in ("point", "low", "high")}
        ours = _summary(deaths_until(counted, case, until))
        rows.append({"case": case_name, "known_on": day, "until": until} | ours | theirs)
    return rows


def _or_missing(value):
    return np.nan if pd.isna(value) else float(value)


def first_to_reach(case_config, tables, deaths_to):
    """Name the first date of the back-test whose cut-off reaches a day, or else the last date.

    Parameters
    ----------
    case_config : dict
    tables : dict of str to pandas.DataFrame
    deaths_to : datetime-like

    Returns
    -------
    str
    """
    dates = sorted(case_config["backtest"]["dates"])
    for day in dates:
        if pd.Timestamp(known_on(case_config, tables, day)[0]["cut_off"]) >= pd.Timestamp(deaths_to):
            return str(day)
    return str(dates[-1])


def as_table(schema, rows):
    """Rows as a table with the types of its schema, validated.

    Parameters
    ----------
    schema : pandera.DataFrameSchema
    rows : list of dict, or pandas.DataFrame

    Returns
    -------
    pandas.DataFrame
    """
    table = pd.DataFrame(rows, columns=list(schema.columns))
    types = {name: str(column.dtype) for name, column in schema.columns.items()}
    for name in (name for name, kind in types.items() if kind.startswith("str")):
        table[name] = table[name].astype(object).where(table[name].notna(), "")
    return schema.validate(table.astype({name: _DAY if "datetime" in kind else kind for name, kind in types.items()}))


# What git keeps


def write_kept(*, dates, published, out_folder):
    """Write the tables of all dates as CSV.

    Parameters
    ----------
    dates, published : list of str
        Parquet files of :func:`run_date`.
    out_folder : str or Path
        Receives ``table.csv`` and ``published.csv``.

    Returns
    -------
    tuple of pandas.DataFrame
    """
    from uncounted.files import atomic_path

    tables = []
    for name, schema, files in (("table", SCHEMA, dates), ("published", PUBLISHED_SCHEMA, published)):
        whole = pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)
        tables.append(as_table(schema, whole.sort_values(["case", "known_on", "until"], kind="stable")))
        with atomic_path(Path(out_folder) / f"{name}.csv") as path:
            tables[-1].to_csv(path, index=False, float_format="%.6g", date_format="%Y-%m-%d")
    return tuple(table.reset_index(drop=True) for table in tables)


def recall(*, case_name, dates, kept, out_folder):
    """Read what git keeps of one case, for its figures and its report.

    Parameters
    ----------
    case_name : str
    dates : list of str
        Those of its config.
    kept : list of str
        ``table.csv`` and ``published.csv``.
    out_folder : str or Path
        Receives ``backtest_dates.parquet`` and ``backtest_published.parquet``.

    Raises
    ------
    UserError
        There is no back-test of this case, or it was made at other dates.
    """
    from uncounted.files import atomic_path

    for name, schema, file in zip((NAME, PUBLISHED), (SCHEMA, PUBLISHED_SCHEMA), kept, strict=True):
        whole = as_table(schema, _read_kept(file))
        own = whole[whole["case"] == case_name].reset_index(drop=True)
        if name == NAME and {f"{day:%Y-%m-%d}" for day in own["known_on"]} != set(map(str, dates)):
            raise UserError(
                f"the back-test that git keeps is not of {case_name} at the dates of its config",
                where=str(file),
                expected=", ".join(map(str, dates)),
                do="make it: snakemake backtest",
            )
        with atomic_path(Path(out_folder) / f"{name}.parquet") as path:
            own.to_parquet(path, index=False)


def _read_kept(file):
    try:
        return pd.read_csv(file)
    except FileNotFoundError:
        raise UserError(
            "there is no back-test at earlier dates yet",
            where=str(file),
            do="make it: snakemake backtest; or take the key backtest out of the config of the case",
        ) from None
