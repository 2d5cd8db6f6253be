"""What each table of evidence looks like: written and read through here, so that both ends validate."""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pandera.pandas as pa

from uncounted.evidence.values import AGES, LIST_PARTS, WIDE_AGES

DAY = "datetime64[us]"
TEXT = "str"
MONTH = pa.Check.str_matches(r"^[0-9]{4}-(0[1-9]|1[0-2])$")
COUNTED = (
    "killed",
    "excess male deaths",
    "killed and wounded",
    "killed, wounded and captured",
    "other side",
)
"""What a published estimate may count; only the first two can stand beside an estimate of deaths."""


def _text(*checks: pa.Check) -> pa.Column:
    return pa.Column(TEXT, [pa.Check.str_length(min_value=1), *checks])


def _one_of(values: Iterable[str]) -> pa.Column:
    return pa.Column(TEXT, pa.Check.isin(list(values)))


def _people() -> pa.Column:
    return pa.Column("int64", pa.Check.ge(0))


def _people_if_known() -> pa.Column:
    return pa.Column("Int64", pa.Check.ge(0), nullable=True)


def _share() -> pa.Column:
    return pa.Column("float64", pa.Check.in_range(0, 1))


def _day() -> pa.Column:
    return pa.Column(DAY)


def _in_order(*columns: str) -> pa.Check:
    """Check that each column is at most the next, row by row."""

    def check(frame: pd.DataFrame) -> bool:
        return all(bool((frame[a] <= frame[b]).all()) for a, b in pairwise(columns))

    return pa.Check(check, error=f"not in order: {' <= '.join(columns)}")


def _table(columns: dict[str, pa.Column], key: list[str], *checks: pa.Check) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(columns, checks=list(checks), unique=key, strict=True, ordered=True)


SCHEMAS = {
    "named_totals": _table(
        {"published": _day(), "closed": _day(), "part": _one_of(("all", *LIST_PARTS)), "named": _people()},
        ["published", "part"],
        _in_order("closed", "published"),
    ),
    "named_by_week": _table(
        {
            "published": _day(),
            "month": _text(MONTH),
            "kind": _text(),
            "named": _people(),
            "first_day": _day(),
            "last_day": _day(),
        },
        ["published", "month", "kind"],
        _in_order("first_day", "last_day", "published"),
    ),
    "named_by_age": _table(
        {"published": _day(), "age": _one_of(AGES), "kind": _text(), "named": _people()},
        ["published", "age", "kind"],
    ),
    "named_in_year": _table(
        {
            "published": _day(),
            "closed": _day(),
            "died_from": _day(),
            "died_to": _day(),
            "more_than": _people(),
        },
        ["published", "died_from", "died_to"],
        _in_order("died_from", "died_to", "closed", "published"),
    ),
    "registered_deaths": _table(
        {
            "published": _day(),
            "age": _one_of(AGES),
            "year": pa.Column("int64"),
            "male": _people(),
            "female": _people(),
            "male_hiv": _people(),
            "female_hiv": _people(),
        },
        ["age", "year"],
    ),
    "graves": _table(
        {"published": _day(), "what": _text(), "low": _share(), "high": _share(), "source": _text()},
        ["published", "what"],
        _in_order("low", "high"),
    ),
    "published_estimates": _table(
        {
            "deaths_from": _day(),
            "deaths_to": _day(),
            "what": _text(),
            "counts": _one_of(COUNTED),
            "point": _people_if_known(),
            "low": _people_if_known(),
            "high": _people_if_known(),
            "published": _day(),
            "published_as": _text(),
            "by": _text(),
        },
        ["deaths_from", "deaths_to", "what", "published", "by"],
        _in_order("deaths_from", "deaths_to", "published"),
    ),
    "published_excess_male_deaths": _table(
        {
            "published": _day(),
            "age": _one_of(AGES + WIDE_AGES),
            "year": pa.Column("int64"),
            "variant": _text(),
            "excess": pa.Column("int64"),
            "sd": _people(),
        },
        ["published", "age", "year", "variant"],
    ),
    "prisoners": _table(
        {
            "published": _day(),
            "cohort": _text(),
            "recruited_from": _day(),
            "recruited_to": _day(),
            "recruited": _people_if_known(),
            "died": _people_if_known(),
            "died_by": _day(),
            "half_of_deaths_within_days": _people_if_known(),
            "sample": _people_if_known(),
            "source": _text(),
        },
        ["cohort"],
        _in_order("recruited_from", "recruited_to"),
        _in_order("died_by", "published"),
    ),
    "ledger": _table(
        {
            "published": _day(),
            "cohort": _text(),
            "recruited_from": _day(),
            "recruited_to": _day(),
            "recruited": _people_if_known(),
            "died": _people(),
            "died_by": _day(),
            "half_of_deaths_within_days": pa.Column("int64", pa.Check.gt(0)),
        },
        ["cohort"],
        _in_order("recruited_from", "recruited_to"),
        _in_order("died_by", "published"),
    ),
    "prisoner_times": pa.DataFrameSchema(
        {
            "published": _day(),
            "cohort": _text(),
            # First and last day of when it may have been: the same where the day is known, empty where nothing is.
            **{
                f"{what}_{end}": pa.Column(DAY, nullable=True)
                for what in ("recruited", "died")
                for end in ("from", "to")
            },
        },
        strict=True,
        ordered=True,
    ),
    "named_by_region": _table({"published": _day(), "region": _text(), "named": _people()}, ["published", "region"]),
    "men_by_region": _table(
        {"published": _day(), "region": _text(), "men": pa.Column("int64", pa.Check.gt(0))}, ["published", "region"]
    ),
    "named_by_number_of_sources": _table(
        {
            "published": _day(),
            "kind": _text(),
            "sources_archived": pa.Column("int64", pa.Check.in_range(0, 6)),
            "named": _people(),
        },
        ["published", "kind", "sources_archived"],
    ),
    "named_by_month_confirmed": _table(
        {"published": _day(), "month": _text(MONTH), "kind": _text(), "named": _people()},
        ["published", "month", "kind"],
    ),
}
SCHEMAS["named_by_week_2025"] = SCHEMAS["named_by_week"]


def frame(name: str, records: Iterable[tuple]) -> pd.DataFrame:
    """Make a table of evidence from its rows, with the types of its schema, validated.

    Parameters
    ----------
    name
        Which table: a key of `SCHEMAS`.
    records
        One tuple a row, in the order of the schema's columns.
    """
    columns = SCHEMAS[name].columns
    table = pd.DataFrame.from_records(list(records), columns=list(columns))
    types = {column: _type(spec) for column, spec in columns.items()}
    return SCHEMAS[name].validate(table.astype(types))


def _type(column: pa.Column) -> str:
    """Choose the pandas type of a column: pandera accepts several for days and text, we write one of each."""
    name = str(column.dtype)
    return DAY if name.startswith("datetime64") else TEXT if name.startswith("str") else name


def write(name: str, table: pd.DataFrame, path: Path) -> None:
    """Validate a table of evidence and write it as Parquet."""
    SCHEMAS[name].validate(table).to_parquet(path, engine="pyarrow", index=False)


def read(name: str, path: Path | str) -> pd.DataFrame:
    """Read a table of evidence from Parquet and validate it.

    Parameters
    ----------
    name
        Which table: a key of `SCHEMAS`; `<source>_later.parquet` is read as its source is.
    path
        The Parquet file.

    Returns
    -------
    pandas.DataFrame
        With exactly the columns of the schema.
    """
    return SCHEMAS[name].validate(pd.read_parquet(path, engine="pyarrow"))


def read_tables(case_config: dict, folder: Path | str) -> dict[str, pd.DataFrame]:
    """Read the evidence tables of one case, by source name, and validate them.

    Parameters
    ----------
    case_config : dict
        Its ``sources`` name the tables.
    folder : Path or str
        Where cleaning wrote them.

    Returns
    -------
    dict of str to pandas.DataFrame
    """
    return {name: read(name, Path(folder) / f"{name}.parquet") for name in case_config["sources"]}
