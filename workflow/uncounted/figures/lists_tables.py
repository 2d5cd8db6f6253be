"""The tables of a study by multiple systems estimation: lists, families of models, strata, published estimates."""

from functools import cached_property
from typing import ClassVar

import numpy as np
import pandas as pd

from uncounted.errors import UserError
from uncounted.estimates import LEVELS
from uncounted.evidence.histories import tabulate
from uncounted.figures.tables import POWER_SCALING, TORNADO, CaseTables

ALL = "all"
"""What tables that have a row for every stratum call all people together."""

FOR_THIS_PROJECT = "for this project"
"""What the source of an estimate says that another program gave for this project: nobody published it."""

_AGAINST = ("median", *(f"{part}_{level}" for level in (50, 80, 95) for part in ("lower", "upper", "held")), "reason")
"""Columns of an estimate that is held against a known number."""


class ListsTables(CaseTables):
    """The tables of a study by multiple systems estimation.

    Attributes
    ----------
    lead : str
        The model that the report leads with.
    """

    COLUMNS: ClassVar[dict] = {
        "estimates": ("model", "quantity", "stratum", "median", "lower", "upper", "level", "mcse_median"),
        "convergence": ("check", "item", "seen", "wanted", "passed", "do"),
        "predictive": ("source", "variable", "item", "observed", "median", "lower", "upper", "p_value", "passed"),
        "sensitivity": ("left_out", "median", "lower", "upper", "level", "moved", "r_hat", "ess_bulk"),
        "dial": ("unseen_odds", "median", "lower", "upper", "level", "needed_for"),
        "weights": ("model", "weight", "elpd", "worst_pareto_k", "passed", "reason", "disagrees"),
        "power_scaling": POWER_SCALING,
        "tornado": TORNADO,
        "held_out_lists": ("list", "people", "alone", "aside", "model", *_AGAINST),
        "last_person": (
            *("model", "stratum", "history", "observed", "from_median", "median"),
            *("moved", "mcse_moved", "pareto_k", "trusted"),
        ),
        "parametric": ("model", "number", "people", "seen", *_AGAINST),
        "pareto_k": ("model", "stratum", "history", "observed", "pareto_k"),
        "not_estimable": ("model", "stratum", "reason"),
        "strata_alone": ("stratum", "median", "lower", "upper", "level", "reason"),
        "classical": ("method", "stratum", "estimate", "lower", "upper", "level", "detail"),
    }
    CHECKS = tuple(name for name in COLUMNS if name != "estimates")
    # What a study with one model, with two lists or without an answer has nothing to say of.
    MAY_BE_EMPTY = COLUMNS.keys()

    @property
    def levels(self):
        """The narrow and the wide level of the intervals; of a study without any estimate, those that others have."""
        return list(LEVELS) if self.estimates.empty else super().levels

    # The people

    @cached_property
    def histories(self):
        """The capture histories, counted: an `uncounted.evidence.histories.Histories`."""
        config = self.config
        return tabulate(
            self.evidence("histories"),
            config["lists"],
            config.get("strata") or (),
            config.get("structural_zeros") or (),
        )

    @property
    def seen(self):
        """How many people are on a list."""
        return self.histories.seen

    def counted(self, by="history"):
        """Count the people by history, most people first; of several tables, the mean by weight.

        Returns
        -------
        pandas.Series
            Indexed by the history, such as "0110".
        """
        table = self.evidence("histories")
        people = (table["count"] * table["weight"]).groupby(table[by]).sum()
        return people.sort_index().sort_values(ascending=False, kind="stable")

    def list_sizes(self):
        """Count how many people are on each list, and on it alone.

        Returns
        -------
        pandas.DataFrame
            `name`, `size`, `alone`, in the order of the config.
        """
        people = self.counted()
        rows = []
        for place, name in enumerate(self.config["lists"]):
            on = people[people.index.str[place] == "1"]
            rows.append((name, on.sum(), on[on.index.str.count("1") == 1].sum()))
        return pd.DataFrame(rows, columns=["name", "size", "alone"])

    def seen_by_stratum(self):
        """Count the people of each stratum whose stratum is known.

        Returns
        -------
        pandas.Series
            Indexed by the stratum, in natural order.
        """
        histories = self.histories
        people = np.tensordot(histories.weights, histories.counts.sum(axis=2), axes=1)
        return pd.Series(people, index=list(histories.stratum_names))

    @property
    def strata(self):
        """The names of the strata; none in a study without strata."""
        return list(self.histories.stratum_names) if self.config.get("strata") else []

    # What the models say

    @property
    def models(self):
        """The models that have estimates, the one that the report leads with first."""
        models = dict.fromkeys(self.estimates["model"])
        return sorted(models, key=lambda name: name != self.lead)

    @property
    def lead(self):
        """The model that the report leads with; where there is only one, that one."""
        models = list(dict.fromkeys(self.estimates["model"]))
        return models[0] if len(models) == 1 else self.config["model"]

    @property
    def families(self):
        """The models that the average is made of, or the only one."""
        return [name for name in self.models if name != "average"]

    def totals(self, quantity="total"):
        """Pick a quantity in all, by model; a model that has no answer is not there."""
        rows = self.estimates
        rows = rows[(rows["quantity"] == quantity) & (rows["stratum"] == "")]
        return self.with_inner(rows, ["model"])

    def pooled(self, model=None, quantity="total"):
        """Pick a quantity by stratum, as a model of all strata together has it; of the leading one by default."""
        rows = self.estimates
        rows = rows[(rows["quantity"] == quantity) & (rows["stratum"] != "") & (rows["model"] == (model or self.lead))]
        return self.with_inner(rows, ["stratum"])

    def separate(self):
        """Pick the estimates of each stratum on its own; one that has none is not there."""
        rows = self.strata_alone
        return self.with_inner(rows[rows["median"].notna()], ["stratum"])

    @cached_property
    def total(self):
        """The answer in all by the leading model: a row of :meth:`totals`, or None where there is no answer."""
        totals = self.totals()
        if self.lead in totals.index:
            return totals.loc[self.lead]
        if not self.why_not():
            raise UserError(
                f"no estimate of 'total' by {self.lead!r}, and no reason why",
                where=str(self.folder / "estimates.parquet"),
                expected="a row, or a reason in checks/not_estimable.parquet",
            )
        return None

    def why_not(self, stratum=None, model=None):
        """Say why there is no estimate.

        Parameters
        ----------
        stratum : str, optional
            Of this stratum; by default, of all people together.
        model : str, optional
            By this model; by default, by the leading one, or by any if nothing is said of that one.

        Returns
        -------
        str
            Empty if no reason is known.
        """
        rows = self.not_estimable
        rows = rows[rows["stratum"] == stratum] if stratum is not None else rows[rows["stratum"].isin(["", ALL])]
        own = rows[rows["model"] == (model or self.lead)]
        if own.empty and model is not None:
            return ""
        reasons = (own if len(own) else rows)["reason"]
        if reasons.empty and stratum is None and not self.not_estimable.empty:
            # A sum over strata has no answer where one of them has none.
            first = self.not_estimable.iloc[0]
            return f"{first['stratum']}: {first['reason']}"
        return str(reasons.iloc[0]) if len(reasons) else ""

    def why_not_alone(self, stratum):
        """Say why a stratum has no estimate of its own."""
        rows = self.strata_alone
        reasons = rows.loc[rows["stratum"] == stratum, "reason"]
        return next(filter(None, reasons), "") or self.why_not(stratum) or "no reason is known"

    def older(self):
        """Pick what older methods say of all people together, one row a method."""
        rows = self.classical
        # Where strata are added up before the fit, that row stands last.
        rows = rows[rows["stratum"].isin(["", ALL])].drop_duplicates("method", keep="last")
        return rows.reset_index(drop=True)

    # What others published

    @cached_property
    def published(self):
        """What others estimated.

        Returns
        -------
        pandas.DataFrame
            `letter`, `about` ("" for all people, the name of a stratum, or in words what else), `is_stratum`,
            `is_run` (by another program, for this project: not published), `method`, `source`, `estimate`, `lower`,
            `upper`, `level`, `credit`. Those of all people come first, and of them those that were published; those
            of a stratum have no letter. Empty where the study has no such table.
        """
        columns = ["method", "source", "estimate", "lower", "upper", "level", "credit"]
        if not self.config.get("published"):
            # Of a type that can be negated, as the rows of a table would be.
            nothing = pd.DataFrame(columns=["letter", "about", "is_stratum", "is_run", *columns])
            return nothing.astype({"is_stratum": bool, "is_run": bool})
        table = self.evidence("published_estimates")
        table = table.assign(about=self._about(table), credit=table.get("credit", ""))
        table["is_stratum"] = table["about"].isin(self.strata)
        table["is_run"] = table["source"].str.contains(FOR_THIS_PROJECT, regex=False)
        rank = np.where(table["about"] == "", 0, np.where(table["is_stratum"], 4, 2)) + table["is_run"].to_numpy()
        table = table.iloc[np.argsort(rank, kind="stable")].reset_index(drop=True)
        lettered = [_letter(place) if not own else "" for place, own in enumerate(table["is_stratum"])]
        return table.assign(letter=lettered)[["letter", "about", "is_stratum", "is_run", *columns]]

    def _about(self, table):
        """Say which people each published estimate is about."""
        columns = self.config.get("strata") or []
        about = []
        for labels in table[columns].itertuples(index=False, name=None) if columns else [()] * len(table):
            given = [label for label in labels if label]
            # As strata are named where a comma in a label would make two names alike.
            quoted = repr(tuple(labels))
            whole = quoted if quoted in self.strata else ", ".join(labels)
            named = ", ".join(f"{column}: {label}" for column, label in zip(columns, labels, strict=True) if label)
            about.append(whole if given and len(given) == len(columns) else named)
        return about

    @property
    def published_totals(self):
        """The estimates of all people together that others published, then those of other programs."""
        return self.published[self.published["about"] == ""]

    def look_of(self, letter):
        """Say how the estimate with this letter is marked in figures: `published` or `software`."""
        rows = self.published
        return "software" if rows.loc[rows["letter"] == letter, "is_run"].any() else "published"

    def letter_of(self, label):
        """Give the letter of a published estimate, by what the table of the dial calls it; empty if it is unknown."""
        for _, row in self.published_totals.iterrows():
            method, source = row["method"], row["source"]
            if label in (f"{method} ({source})", f"{method}, {source}", f"{source}, {method}", f"{source}: {method}"):
                return row["letter"]
        for column in ("method", "source"):
            alike = self.published_totals[self.published_totals[column] == label]
            if len(alike) == 1:
                return alike["letter"].iloc[0]
        return ""


def _letter(place):
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return alphabet[place] if place < 26 else alphabet[place // 26 - 1] + alphabet[place % 26]
