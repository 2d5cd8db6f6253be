"""The tables of one case, read once, with a clear message when one is missing or lacks a column."""

from pathlib import Path

import pandas as pd

from uncounted.errors import UserError

STRATA = ("month", "calendar_year", "war_year", "age", "day")
"""Columns of the estimates that say which part of the deaths a row is about."""

CHECKS = ("convergence", "predictive", "sensitivity", "backtest", "prior_posterior")
"""The tables of checks."""

_COLUMNS = {
    "estimates": ("quantity", *STRATA, "mean", "median", "lower", "upper", "level"),
    "draws": ("deaths",),
    "convergence": ("check", "item", "seen", "wanted", "passed", "do"),
    "predictive": ("source", "variable", "item", "observed", "median", "lower", "upper", "p_value", "passed"),
    "sensitivity": ("left_out", "median", "lower", "upper", "level", "moved", "mcse_moved"),
    "backtest": ("what", "day", "observed", "lower", "median", "upper", "passed", "text"),
    "prior_posterior": ("parameter", "unit", "reason", "kind", "quantile", "value"),
}


class CaseTables:
    """The tables of one case.

    Parameters
    ----------
    name : str
        The case.
    config : dict
        Its config.
    folder : str or Path
        Where its tables are: `estimates.parquet`, `draws.parquet`, `checks/`, `evidence/`.
    """

    def __init__(self, name, config, folder):
        self.name, self.config, self.folder = name, config, Path(folder)
        self._read = {}

    def __getattr__(self, name):
        if name in _COLUMNS:
            return self.table(f"checks/{name}" if name in CHECKS else name)
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
        wanted = _COLUMNS.get(path.split("/")[-1], ())
        lacking = [column for column in wanted if column not in table]
        if lacking:
            raise UserError(f"the table lacks the column {lacking[0]!r}", where=str(file), expected=", ".join(wanted))
        if wanted and table.empty:
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

    def pick(self, quantity, *by):
        """Pick the rows of a quantity, by strata.

        Parameters
        ----------
        quantity : str
        *by : str
            Strata that tell the rows apart, such as "month"; all others are empty in the rows picked.

        Returns
        -------
        pandas.DataFrame
            In the order of the table, indexed by the strata, with `mean`, `median`, `lower`, `upper` (wide
            interval), `inner_lower` and `inner_upper` (narrow).
        """
        rows = self.estimates
        rows = rows[rows["quantity"] == quantity]
        for column in STRATA:
            empty = rows[column].fillna("") == ""
            rows = rows[~empty if column in by else empty]
        narrow, wide = self.levels
        key = list(by) or ["quantity"]
        inner = rows[rows["level"] == narrow].set_index(key)[["lower", "upper"]]
        outer = rows[rows["level"] == wide].set_index(key)
        if outer.empty or len(inner) != len(outer):
            part = f" by {' and '.join(by)}" if by else " in all"
            raise UserError(f"no estimate of {quantity!r}{part}", where=str(self.folder / "estimates.parquet"))
        return outer.join(inner.add_prefix("inner_"))

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

    def one(self, quantity):
        """Pick the row of a quantity in all."""
        return self.pick(quantity).iloc[0]
