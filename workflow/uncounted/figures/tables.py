"""The tables of one case, read once, with a clear message when one is missing or lacks a column."""

from importlib import import_module
from pathlib import Path
from typing import ClassVar

import pandas as pd

from uncounted.errors import UserError

STRATA = ("month", "calendar_year", "war_year", "age", "day", "service", "stratum")
"""Columns of the estimates that say which part of the people a row is about; a kind of study has some of them."""

POWER_SCALING = (
    *("model", "quantity", "prior", "likelihood", "verdict"),
    *("median", "lower", "upper"),
    *(f"{part}_{end}" for end in ("less", "more") for part in ("weight", "median", "lower", "upper")),
)
"""Columns of the table of power-scaling."""

TORNADO = ("kind", "item", "change", "model", "from_median", "median", "moved", "mcse_moved", "pareto_k", "trusted")
"""Columns of the table of what moves the answer."""

KINDS = {
    "evidence_synthesis": ("uncounted.figures.tables", "SynthesisTables"),
    "multiple_systems_estimation": ("uncounted.figures.lists_tables", "ListsTables"),
}
"""The class that reads the tables of each kind of study."""


def open_tables(name, config, folder):
    """Open the tables of a case, as its kind of study has them.

    Parameters
    ----------
    name : str
        The case.
    config : dict
        Its config.
    folder : str or Path
        Where its tables are: `estimates.parquet`, `draws.parquet`, `checks/`, `evidence/`.

    Returns
    -------
    CaseTables
    """
    module, kind = KINDS[config["kind"]]
    return getattr(import_module(module), kind)(name, config, folder)


class CaseTables:
    """The tables of one case, of whatever kind: each is an attribute, read when it is first asked for.

    Parameters
    ----------
    name : str
        The case.
    config : dict
        Its config.
    folder : str or Path
        Where its tables are: `estimates.parquet`, `draws.parquet`, `checks/`, `evidence/`.
    """

    COLUMNS: ClassVar[dict] = {}
    """The tables, and the columns that each must have."""

    CHECKS = ()
    """Those of them that are tables of checks."""

    MAY_BE_EMPTY = ()
    """Those of them that may have no row."""

    def __init__(self, name, config, folder):
        self.name, self.config, self.folder = name, config, Path(folder)
        self._read = {}

    def __getattr__(self, name):
        if name in type(self).COLUMNS:
            return self.table(f"checks/{name}" if name in self.CHECKS else name)
        raise AttributeError(name)

    def evidence(self, name):
        """Read a table of evidence, by the name of its source."""
        return self.table(f"evidence/{name}")

    def table(self, path):
        """Read a table by its path without the suffix.

        Raises
        ------
        UserError
            If it is missing, cannot be read, has no row, or lacks a column.
        """
        if path not in self._read:
            self._read[path] = self._fresh(path)
        return self._read[path]

    def _fresh(self, path):
        file = self.folder / f"{path}.parquet"
        try:
            table = pd.read_parquet(file, engine="pyarrow")
        except FileNotFoundError:
            raise UserError(
                "this table is missing", where=str(file), do="run `snakemake`: it makes what is missing"
            ) from None
        except ValueError as error:
            raise UserError(f"this table cannot be read: {error}", where=str(file)) from None
        name = path.split("/")[-1]
        wanted = self.COLUMNS.get(name, ())
        lacking = [column for column in wanted if column not in table]
        if lacking:
            raise UserError(f"the table lacks the column {lacking[0]!r}", where=str(file), expected=", ".join(wanted))
        if wanted and table.empty and name not in self.MAY_BE_EMPTY:
            raise UserError("the table has no row", where=str(file))
        return table

    @property
    def levels(self):
        """The narrow and the wide level of the intervals, such as 0.5 and 0.95."""
        levels = sorted(self.estimates["level"].unique())
        if len(levels) != 2:
            raise UserError(
                f"the estimates have intervals of {len(levels)} levels",
                where=str(self.folder / "estimates.parquet"),
                expected="two, a narrow and a wide one",
            )
        return levels

    def pick(self, quantity, *by, **of):
        """Pick the rows of a quantity, by strata.

        Parameters
        ----------
        quantity : str
        *by : str
            Strata that tell the rows apart, such as "month"; all others are empty in the rows picked.
        **of : str
            What other columns must be, such as ``model="average"``.

        Returns
        -------
        pandas.DataFrame
            In the order of the table, indexed by the strata, with `mean`, `median`, `lower`, `upper` (wide
            interval), `inner_lower` and `inner_upper` (narrow).
        """
        rows = self.estimates
        rows = rows[rows["quantity"] == quantity]
        for column, value in of.items():
            rows = rows[rows[column] == value]
        for column in (name for name in STRATA if name in rows):
            empty = rows[column].fillna("") == ""
            rows = rows[~empty if column in by else empty]
        picked = self.with_inner(rows, list(by) or ["quantity"])
        if picked.empty:
            part = f" by {' and '.join(by)}" if by else " in all"
            raise UserError(f"no estimate of {quantity!r}{part}", where=str(self.folder / "estimates.parquet"))
        return picked

    def with_inner(self, rows, key):
        """Put the narrow interval beside the wide one.

        Parameters
        ----------
        rows : pandas.DataFrame
            A row for each of the two levels.
        key : list of str
            The columns that tell rows of one level apart.

        Returns
        -------
        pandas.DataFrame
            Indexed by the key, with `inner_lower` and `inner_upper` beside `lower` and `upper`; empty where one of
            the levels is missing.
        """
        narrow, wide = self.levels
        inner = rows[rows["level"] == narrow].set_index(key)[["lower", "upper"]]
        outer = rows[rows["level"] == wide].set_index(key)
        if len(inner) != len(outer):
            return outer.iloc[:0].join(inner.iloc[:0].add_prefix("inner_"))
        return outer.join(inner.add_prefix("inner_"))

    def one(self, quantity, **of):
        """Pick the row of a quantity in all."""
        return self.pick(quantity, **of).iloc[0]


class SynthesisTables(CaseTables):
    """The tables of an evidence synthesis."""

    COLUMNS: ClassVar[dict] = {
        "estimates": (
            *("quantity", "month", "calendar_year", "war_year", "age", "day", "service"),
            *("mean", "median", "lower", "upper", "level"),
        ),
        "draws": ("deaths",),
        "convergence": ("check", "item", "seen", "wanted", "passed", "do"),
        "predictive": ("source", "variable", "item", "observed", "median", "lower", "upper", "p_value", "passed"),
        "sensitivity": (
            *("left_out", "median", "lower", "upper", "level"),
            *("moved", "mcse_moved", "r_hat", "ess_bulk"),
        ),
        "backtest": ("what", "day", "observed", "lower", "median", "upper", "passed", "text"),
        "survival": ("recruiter", "law", "quantity", "at", "median", "lower", "upper", "level", "observed", "reason"),
        "prior_posterior": ("parameter", "unit", "reason", "kind", "quantile", "value"),
        "power_scaling": POWER_SCALING,
        "tornado": TORNADO,
        "backtest_dates": ("known_on", "cut_off", "until", "median", "named_later", "passed"),
        "backtest_published": ("known_on", "until", "deaths_to", "median", "point", "low", "high"),
    }
    CHECKS = tuple(name for name in COLUMNS if name not in ("estimates", "draws"))
    MAY_BE_EMPTY = ("backtest_published",)

    @property
    def last_list(self):
        """The last list closed by the cut-off, whose size is the number of the named: a row of `named_totals`."""
        table = self.evidence("named_totals")
        cut_off = pd.Timestamp(self.config["cut_off"])
        rows = table[(table["part"] == "all") & (table["closed"] <= cut_off)].sort_values("closed")
        if rows.empty:
            raise UserError(
                "no size of the whole list up to the cut-off",
                where=str(self.folder / "evidence" / "named_totals.parquet"),
            )
        return rows.iloc[-1]
