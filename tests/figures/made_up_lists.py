"""Tables of studies by multiple systems estimation as the stages before would write them, with made-up numbers."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd

from uncounted.config import read_case
from uncounted.evidence.clean_histories import clean_histories
from uncounted.evidence.histories import not_estimable_alone, tabulate

PROJECT = Path(__file__).resolve().parents[2]

FAMILIES = {"loglinear": 1.25, "latent_class": 0.95, "decomposable": 1.05}
LEVELS = (0.5, 0.95)
EVIL = ["<script>alert(1)</script>", "said \"so\" & 'so'", "two\nlines", r"Список $\frac{1}{0}$"]


def study(name):
    """The config of a committed case, and the folder of its data."""
    config = read_case(PROJECT / "config" / "cases", name)
    return config, PROJECT / "data" / config["data"]


def evil(folder):
    """A study whose lists and strata have names that are markup, mathematics and more, with its data."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(3)
    rows = []
    for label in ("<b>\u202fBold</b>", "ä, & $x_1$", "tiny"):
        for on in itertools.product((0, 1), repeat=4):
            if any(on) and not (label == "tiny" and sum(on) > 1):
                rows.append((label, *on, int(rng.integers(1, 400)) if label != "tiny" else 3))
    columns = ["where", "a", "b", "c", "d", "count"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "histories.csv", index=False)
    published = [
        (f"<i>method {n}</i> $\\alpha$", f"source & {n} $\\alpha$", 5000 + n, 4000, 7000, 0.95, "") for n in range(2)
    ]
    columns = ["method", "source", "estimate", "lower", "upper", "level", "credit"]
    pd.DataFrame(published, columns=columns).to_csv(folder / "published.csv", index=False)
    plain = {"a": EVIL[0], "b": EVIL[1], "c": EVIL[2], "d": EVIL[3]}
    config = study("kosovo")[0] | {
        "title": "<em>People</em> & others",
        "tables": ["histories.csv"],
        "lists": EVIL,
        "strata": ["where"],
        "people": "people <killed>",
        "published": "published.csv",
        "headers": plain,
    }
    return config, folder


def two_lists(folder):
    """A study of two lists."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rows = [(1, 0, 40), (0, 1, 60), (1, 1, 20)]
    pd.DataFrame(rows, columns=["first", "second", "count"]).to_csv(folder / "two.csv", index=False)
    changes = {"title": "Two lists", "tables": ["two.csv"], "lists": ["first", "second"], "published": None}
    return study("kosovo")[0] | changes, folder


def make_case(folder, config, data, seed=1, disagrees=False, answered=True):
    """Write all tables of a case: evidence for real, everything after it made up.

    Without an answer, as of lists that share nobody, no model has an estimate.
    """
    folder, rng = Path(folder), np.random.default_rng(seed)
    (folder / "checks").mkdir(parents=True)
    clean_histories(config, data, folder / "evidence")
    frame = pd.read_parquet(folder / "evidence" / "histories.parquet")
    histories = tabulate(frame, config["lists"], config["strata"], config["structural_zeros"])
    made = _Study(config, histories, rng, disagrees, answered)
    made.estimates().to_parquet(folder / "estimates.parquet", index=False)
    for name, table in made.checks(folder / "evidence").items():
        table.to_parquet(folder / "checks" / f"{name}.parquet", index=False)
    return config


class _Study:
    def __init__(self, config, histories, rng, disagrees, answered):
        self.config, self.histories, self.rng = config, histories, rng
        self.answered = answered
        self.seen = histories.counts[0].sum(axis=1)
        families = {"two_lists": 1.0} if histories.n_lists == 2 else dict(FAMILIES)
        if disagrees:
            families["loglinear"] = 4.0
        self.unseen = {name: self._unseen(times) for name, times in families.items()}
        if len(families) > 1:
            size = len(self.seen), 3 * 400
            self.unseen["average"] = np.concatenate(list(self.unseen.values()), axis=1).reshape(size)
        self.reasons = not_estimable_alone(histories)
        self.disagrees = disagrees

    def _unseen(self, times):
        wide = self.rng.normal(0, 0.25, (len(self.seen), 400)) + self.rng.normal(0, 0.15, 400)
        return (1.4 * times * np.maximum(self.seen, 1)[:, None] * np.exp(wide)).round()

    def estimates(self):
        rows = []
        blank = int(self.histories.blank[0].sum())
        for model, unseen in self.unseen.items() if self.answered else ():
            total = unseen + self.seen[:, None]
            in_all = unseen.sum(axis=0) + self.seen.sum() + blank
            rows += _rows(model, "total", in_all)
            rows += _rows(model, "unseen", in_all - self.seen.sum() - blank)
            rows += _rows(model, "share_seen", (self.seen.sum() + blank) / in_all)
            for place, name in enumerate(self.histories.stratum_names if self.config["strata"] else ()):
                if model == "decomposable" and place in self.reasons:
                    continue
                rows += _rows(model, "total", total[place], name)
                rows += _rows(model, "unseen", unseen[place], name)
                rows += _rows(model, "share_seen", self.seen[place] / total[place], name)
        return pd.DataFrame(rows, columns=list(_rows("", "", np.ones(3))[0]))

    def checks(self, evidence):
        families = [name for name in self.unseen if name != "average"]
        return {
            "convergence": self._convergence(families),
            "predictive": self._predictive(families),
            "sensitivity": self._sensitivity(),
            "dial": self._dial(evidence),
            "weights": self._weights(families),
            "power_scaling": power_scaling(
                "total",
                [(name, 0.02, 0.31, "robust") for name in families[1:]]
                + [(families[0], 0.14, 0.22, "the prior matters")],
                2.5 * self.histories.seen,
            ).iloc[: None if self.answered else 0],
            "tornado": self._tornado(families),
            "held_out_lists": self._held_out(),
            "last_person": self._last_person(families),
            "parametric": self._parametric(),
            "pareto_k": self._pareto_k(families),
            "not_estimable": self._not_estimable(families),
            "strata_alone": self._strata_alone(),
            "classical": self._classical(),
        }

    def _convergence(self, families):
        rows = []
        for name in (name for name in families if name in ("loglinear", "latent_class")):
            rows += [
                (f"{name}: R-hat of reported quantities", "total", 1.004, "at most 1.01", True, ""),
                (f"{name}: effective draws (bulk) of reported quantities", "total", 1890.0, "at least 400", True, ""),
                (f"{name}: divergences", "all chains", 0.0, "at most 0", True, ""),
            ]
        return _frame(rows, "check item seen wanted passed do")

    def _predictive(self, families):
        rows, lists = [], self.histories.n_lists
        spelt = {c: "".join(str(c >> j & 1) for j in range(lists)) for c in range(1, 2**lists)}
        for name in families if self.answered else ():
            for stratum, own in zip(self.histories.stratum_names, self.histories.counts[0], strict=True):
                for cell in range(1, 2**lists):
                    rows.append((name, "cell", f"{stratum}: {spelt[cell]}", *self._predicted(own[cell])))
            by_cell = self.histories.counts[0].sum(axis=0)
            for times in range(1, lists + 1):
                on = sum(by_cell[cell] for cell in spelt if cell.bit_count() == times)
                rows.append((name, "seen_on", f"{times} list{'s' * (times > 1)}", *self._predicted(on)))
        return _frame(rows, "source variable item observed median lower upper p_value passed")

    def _predicted(self, observed):
        middle = max(0.0, round(observed + np.sqrt(observed + 1) * 0.8 * self.rng.normal()))
        half = 2 * np.sqrt(middle + 1)
        p_value = float(np.clip(self.rng.uniform(0.05, 0.95), 0, 1))
        return float(observed), middle, max(0.0, middle - half), middle + half, p_value, True

    def _sensitivity(self):
        lists, rows = self.config["lists"], []
        labels = [""]
        if len(lists) > 2:
            labels += [f"without {name}" for name in lists]
        if len(lists) > 3:
            labels += [f"{a} and {b} merged" for a, b in itertools.combinations(lists, 2)]
        if not self.answered:
            labels = []
        whole = float(2.5 * self.histories.seen)
        for number, label in enumerate(labels):
            moved = 0.0 if not label else float(self.rng.normal(0, 0.2))
            for level, half in ((0.5, 0.07), (0.95, 0.3)):
                middle = whole * (1 + moved)
                upper = middle * (1 + half) if number != 1 or level == 0.5 else 9 * whole
                rows.append((label, middle, middle * (1 - half), upper, level, moved, 1.003, 800.0))
        return _frame(rows, "left_out median lower upper level moved r_hat ess_bulk")

    def _dial(self, evidence):
        rows = []
        if self.answered:
            unseen = next(reversed(self.unseen.values())).sum(axis=0)
            seen = self.histories.seen
            needed = [(at, "") for at in np.linspace(-2, 2, 17)]
            if self.config.get("published"):
                published = pd.read_parquet(evidence / "published_estimates.parquet")
                whole = (published[self.config["strata"]] == "").all(axis=1)
                for _, row in published[whole].dropna(subset="estimate").iterrows():
                    if row["estimate"] > seen:
                        at = np.log((row["estimate"] - seen) / np.median(unseen))
                        needed.append((at, f"{row['method']} ({row['source']})"))
            for at, label in needed:
                for level in LEVELS:
                    tails = np.quantile(seen + unseen * np.exp(at), [0.5, (1 - level) / 2, (1 + level) / 2])
                    rows.append((float(at), *map(float, tails), level, label))
        return _frame(rows, "unseen_odds median lower upper level needed_for")

    def _weights(self, families):
        shares = dict(zip(FAMILIES, (0.55, 0.3, 0.15), strict=True)) if len(families) > 1 else {families[0]: 1.0}
        rows = []
        for name in families if self.answered else ():
            total = self.unseen[name].sum(axis=0) + self.histories.seen
            tails = map(float, np.quantile(total, [0.5, 0.025, 0.975]))
            rows.append((name, shares[name], -80.0, 0.81, True, "", *tails, self.disagrees))
        return _frame(rows, "model weight elpd worst_pareto_k passed reason median lower upper disagrees")

    def _pareto_k(self, families):
        rows = []
        for name in families if self.answered else ():
            for stratum in self.histories.stratum_names:
                rows += [(name, stratum, "1" * self.histories.n_lists, 27, 0.81)]
                rows += [(name, stratum, "1" + "0" * (self.histories.n_lists - 1), 1131, 0.35)]
        return _frame(rows, "model stratum history observed pareto_k")

    def _not_estimable(self, families):
        names = self.histories.stratum_names
        rows = [("decomposable", names[place], reason) for place, reason in self.reasons.items()]
        if not self.answered:
            rows = [(name, "all", "nobody is on two lists") for name in families]
        return _frame(rows, "model stratum reason")

    def _tornado(self, families):
        without = self._sensitivity()
        without = without[(without["level"] == 0.95) & (without["left_out"] != "")]
        sources = [(row.left_out, row.moved) for row in without.itertuples()]
        priors = ["coverage", "pair_scale", "ease_level"] if len(families) > 1 else ["log_odds_ratio"]
        return tornado(priors, sources, 2.5 * self.histories.seen, "average", self.rng).iloc[
            : None if self.answered else 0
        ]

    def _held_out(self):
        rows = []
        models = ["two_lists"] if self.histories.n_lists == 3 else ["average", "loglinear", "decomposable"]
        for place, name in enumerate(self.config["lists"]):
            people = float(100 * (place + 3))
            for model in models if self.answered and self.histories.n_lists > 2 and place != 1 else ["none"]:
                median = np.nan if model == "none" else people * (0.5 if place == 2 else 1.1)
                reason = "nobody is on two lists" if model == "none" else ""
                aside = self.config["lists"][1] if place == 0 else ""
                rows.append((name, people, people / 2, aside, model, *_against(median, people), reason))
        columns = f"list people alone aside model {_AGAINST} reason"
        return _with_verdicts(_frame(rows, columns))

    def _last_person(self, families):
        rows, whole = [], 2.5 * self.histories.seen
        cells = {"1" + "0" * (self.histories.n_lists - 1): 0.9, "1" * self.histories.n_lists: 0.2}
        for model in ["average", *families] if len(families) > 1 else families:
            for name in self.histories.stratum_names:
                for number, (history, k) in enumerate(cells.items()):
                    moved = float(self.rng.normal(0, 0.02))
                    numbers = (27 - number, whole, whole * (1 + moved), moved, 0.002)
                    rows.append((model, name, history, *numbers, k, k < 0.7))
        columns = "model stratum history observed from_median median moved mcse_moved pareto_k trusted"
        return _frame(rows, columns, self.answered)

    def _parametric(self):
        rows = []
        for number in range(6):
            people = 2.4 * self.histories.seen * np.exp(0.2 * self.rng.normal())
            median = np.nan if number == 4 else people * np.exp(0.5 * self.rng.normal())
            reason = "its lists say nothing about people on none" if number == 4 else ""
            rows.append(("loglinear", number, people, people / 2.4, *_against(median, people), reason))
        return _with_verdicts(_frame(rows, f"model number people seen {_AGAINST} reason", self.answered))

    def _strata_alone(self):
        rows = []
        several = self.answered and len(self.histories.stratum_names) > 1
        for place, name in enumerate(self.histories.stratum_names if several else ()):
            middle = float(2.3 * self.seen[place] * np.exp(0.2 * self.rng.normal()))
            for level, half in ((0.5, 0.15), (0.95, 0.7)):
                numbers = (middle, middle * (1 - 0.6 * half), middle * (1 + half * (5 if place == 1 else 1)))
                reason = self.reasons.get(place, "")
                rows.append((name, *((np.nan,) * 3 if reason else numbers), level, reason))
        return _frame(rows, "stratum median lower upper level reason")

    def _classical(self):
        n, rows = float(self.histories.seen), []
        rows += [("independence", "all", 2.1 * n, 2.0 * n, 2.2 * n, 0.95, "[A] [B]")]
        rows += [("chao_lower_bound", "all", 2.2 * n, 2.1 * n, 2.3 * n, 0.95, "people on one list or two")]
        rows += [("best_bic", "all", 2.4 * n, 2.0 * n, np.inf, 0.95, "[A B] [C]")]
        rows += [("best_bic_pairs", "all", np.nan, np.nan, np.nan, 0.95, "no model has an estimate")]
        return _frame(rows, "method stratum estimate lower upper level detail", self.answered)


_AGAINST = "median lower_50 upper_50 lower_80 upper_80 lower_95 upper_95 held_50 held_80 held_95"


def _against(median, people):
    ends = [(median / factor, median * factor) for factor in (1.08, 1.2, 1.5)]
    held = [pd.NA if np.isnan(median) else low <= people <= high for low, high in ends]
    return (median, *(end for pair in ends for end in pair), *held)


def _with_verdicts(table):
    return table.astype({f"held_{level}": "boolean" for level in (50, 80, 95)})


def power_scaling(quantity, rows, median):
    """A table of power-scaling around a median; the last model's draws cannot tell what more prior would do."""
    made = []
    for place, (model, prior, likelihood, verdict) in enumerate(rows):
        ends = (0.8 * median, 1.5 * median)
        less = (0.5, 0.95 * median, *ends)
        more = (2.0, 1.05 * median, *ends) if place < len(rows) - 1 or len(rows) == 1 else (np.nan,) * 4
        made.append((model, quantity, prior, likelihood, verdict, median, *ends, *less, *more))
    columns = "model quantity prior likelihood verdict median lower upper"
    columns += "".join(f" {part}_{end}" for end in ("less", "more") for part in ("weight", "median", "lower", "upper"))
    return _frame(made, columns)


def tornado(priors, sources, median, model, rng):
    """A table of what moves the answer; the first prior's changes of width are not to be trusted."""
    rows = []
    for name in priors:
        for change in ("half as wide", "twice as wide", "one sd lower", "one sd higher"):
            moved, k = float(rng.normal(0, 0.03)), 0.9 if name == priors[0] and "wide" in change else 0.1
            rows.append(("prior", name, change, model, median, median * (1 + moved), moved, 0.004, k, k < 0.7))
    for name, moved in sources:
        change = "merged" if name.endswith(" merged") else "left out"
        rows.append(("source", name, change, "loglinear", median, median * (1 + moved), moved, 0.01, np.nan, True))
    return _frame(rows, "kind item change model from_median median moved mcse_moved pareto_k trusted")


def _frame(rows, columns, answered=True):
    return pd.DataFrame(rows if answered else [], columns=columns.split())


def _rows(model, quantity, values, stratum=""):
    rows = []
    for level in LEVELS:
        low, middle, high = np.quantile(values, [(1 - level) / 2, 0.5, (1 + level) / 2])
        rows.append(
            {
                **{"case": "made up", "model": model, "quantity": quantity},
                **{"month": "", "calendar_year": "", "war_year": "", "age": "", "day": "", "stratum": stratum},
                **{"mean": np.mean(values), "sd": np.std(values), "median": middle},
                **{"lower": low, "upper": high, "level": level, "ess_bulk": 2100.0, "ess_tail": 1800.0},
                **{"r_hat": 1.002, "mcse_mean": 9.0, "mcse_lower": 15.0, "mcse_upper": 30.0},
                **{"mcse_median": 0.001 if quantity == "share_seen" else 11.0},
            }
        )
    return rows
