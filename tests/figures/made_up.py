"""Tables of a case as the stages before would write them, with made-up numbers that look like real ones."""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from made_up_lists import power_scaling, tornado

from uncounted.checks.backtest_dates import PUBLISHED_SCHEMA, SCHEMA, as_table
from uncounted.evidence.clean import clean_case
from uncounted.models.synthesis_evidence import SOURCES

PROJECT = Path(__file__).resolve().parents[2]

AGES = ["15-19", "20-24", "25-29", "30-34", "35-39", "40-44", "45-49", "50-54", "55-59", "60+"]
MONTHS = [str(month) for month in pd.period_range("2022-02", "2024-04", freq="M")]
STRATA = ["month", "calendar_year", "war_year", "age", "day", "service"]
SERVICES = ["professional", "prisoners", "volunteers", "mobilised", "private_company", "guard_and_police"]
NAMED = 50_471
CUT_OFF = "2024-04-07"


def russia():
    """The config of the case as the workflow passes it: days as text."""
    with open(PROJECT / "config/cases/russia.yaml", encoding="utf-8") as file:
        return _plain(yaml.safe_load(file))


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def make_case(folder, seed=1):
    """Write all tables of the Russian case: evidence for real, everything after it made up."""
    folder, rng = Path(folder), np.random.default_rng(seed)
    (folder / "checks").mkdir(parents=True)
    config = russia()
    clean_case(config, PROJECT / "data/russia", folder / "evidence")
    draws = _draws(rng)
    draws.to_parquet(folder / "draws.parquet", index=False)
    _estimates(draws, rng).to_parquet(folder / "estimates.parquet", index=False)
    for name, table in _checks(config, rng).items():
        table.to_parquet(folder / "checks" / f"{name}.parquet", index=False)
    return config


def _draws(rng):
    size = 2000
    deaths = NAMED + np.exp(rng.normal(np.log(45_500), 0.22, size))
    draws = {
        "chain": np.repeat(np.arange(4), size // 4),
        "draw": np.tile(np.arange(size // 4), 4),
        "deaths": deaths.round(),
        "deaths_beyond_named": deaths.round() - NAMED,
        "share_named": NAMED / deaths,
    }
    shape = np.array([0.2, 1, 0.6, 0.6, 0.5, 0.5, 0.6, 0.6, 0.6, 0.8, 1, 1.2, 2.2, 1.9, 1.8, 1.4])
    shape = np.concatenate([shape, [1.1, 1.0, 0.9, 0.9, 1.5, 1.5, 1.4, 1.3, 1.5, 1.1, 0.25]])
    ages = np.array([0.7, 16, 17, 17, 15, 12, 9, 6, 4, 2])
    parts = {"month": (MONTHS, shape), "age": (AGES, ages), "war_year": (["1", "2", "3"], [33, 55, 8])}
    parts["calendar_year"] = (["2022", "2023", "2024"], [25, 55, 16])
    for stratum, (labels, weights) in parts.items():
        weights = np.array(weights, float) / np.sum(weights)
        for label, weight in zip(labels, weights, strict=True):
            draws[f"deaths {stratum}={label}"] = (deaths * weight * rng.lognormal(0, 0.06, size)).round()
    return pd.DataFrame(draws)


def _rows(quantity, values, **strata):
    rows = []
    for level in (0.5, 0.95):
        low, middle, high = np.quantile(values, [(1 - level) / 2, 0.5, (1 + level) / 2])
        rows.append(
            {
                **{"case": "russia", "model": "synthesis", "quantity": quantity},
                **{column: strata.get(column, "") for column in STRATA},
                **{"mean": np.mean(values), "sd": np.std(values), "median": middle},
                **{"lower": low, "upper": high, "level": level, "ess_bulk": 2100.0, "ess_tail": 1800.0},
                **{"r_hat": 1.002, "mcse_mean": 90.0, "mcse_median": 110.0, "mcse_lower": 150.0},
                "mcse_upper": 300.0,
            }
        )
    return rows


def _estimates(draws, rng):
    rows = []
    for quantity in ("deaths", "deaths_beyond_named", "share_named"):
        rows += _rows(quantity, draws[quantity])
    for column in draws.columns[draws.columns.str.contains("=")]:
        stratum, label = column.split(" ")[1].split("=")
        rows += _rows("deaths", draws[column], **{stratum: label})
        if stratum in ("month", "age"):
            share = {"month": 0.53, "age": 0.4 + 0.3 / (1 + AGES.index(label)) if stratum == "age" else 0}
            named = draws[column].median() * share[stratum] * rng.lognormal(0, 0.02, 500)
            rows += _rows("named", named, **{stratum: label})
            if stratum == "age":
                rows += _rows("share_named", named.mean() / draws[column], age=label)
    until = draws[[f"deaths month={month}" for month in MONTHS]].cumsum(axis=1)
    for month, total in zip(MONTHS, until, strict=True):
        end = min(pd.Period(month, "M").end_time, pd.Timestamp(CUT_OFF))
        rows += _rows("deaths_until", until[total], day=f"{end:%Y-%m-%d}")
    for day in ("2022-07-08", "2022-12-09", "2023-04-12", "2023-09-15", "2023-12-01", "2024-04-07"):
        rows += _rows("share_named", 0.3 + 0.03 * int(day[5:7]) / 12 + 0.4 * draws["share_named"], day=day)
    rows += _of_services(draws, rng) + _of_years(draws)
    months = draws[[f"deaths month={month}" for month in MONTHS]].to_numpy()
    for place, month in enumerate(MONTHS):
        rows += _rows("most_deaths", (months.argmax(axis=1) == place).astype(float), month=month)
    for quantity, most in (("largest_share_named", "20-24"), ("smallest_share_named", "60+")):
        for age in AGES:
            rows += _rows(quantity, np.repeat([0.0, 1.0], [1, 3] if age == most else [3, 1]), age=age)
    for year, total in (("2022", 17_500), ("2023", 37_800)):
        for quantity, middle in (("registered_war_deaths_summed", total), ("male_deaths_without_war_summed", 150_000)):
            rows += _rows(quantity, rng.normal(middle, 1_500, 500), age="15-49", calendar_year=year)
    for year in ("2022", "2023"):
        for place, age in enumerate(AGES[:-1]):
            middle = (3 + 2 * (year == "2023")) * 1000 * np.exp(-((place - 3) ** 2) / 6)
            rows += _rows("registered_war_deaths", rng.normal(middle, 300, 500), age=age, calendar_year=year)
            usual = rng.normal(9000 * (place + 1), 300, 500)
            rows += _rows("male_deaths_without_war", usual, age=age, calendar_year=year)
    return pd.DataFrame(rows)


def _of_services(draws, rng):
    rows = []
    for weight, kind in zip((0.28, 0.27, 0.15, 0.17, 0.11, 0.02), SERVICES, strict=True):
        deaths = draws["deaths"] * weight * rng.lognormal(0, 0.2, len(draws))
        named = NAMED * weight * rng.lognormal(0, 0.1, len(draws))
        rows += _rows("deaths", deaths, service=kind) + _rows("named", named, service=kind)
        rows += _rows("recorded", 0.75 * named, service=kind)
        rows += _rows("share_named", np.minimum(named / deaths, 1), service=kind)
    return rows + _rows("recorded", rng.normal(12_500, 800, len(draws)), service="unknown")


def _of_years(draws):
    rows = []
    first, second, third = (draws[f"deaths war_year={year}"] for year in "123")
    for year, rate in (("1", first / 365), ("2", second / 365), ("3", third / 44)):
        rows += _rows("deaths_a_day", rate, war_year=year)
    for year, times in (("2", second / first), ("3", third / 44 / (second / 365))):
        rows += _rows("times_year_before", times, war_year=year)
        rows += _rows("deadlier_than_year_before", (times > 1).astype(float), war_year=year)
    return rows + _rows("more_than_year_before", second - first, war_year="2")


def _checks(config, rng):
    convergence = [
        ("R-hat of reported quantities", "deaths in April 2024", 1.004, "at most 1.01", True, ""),
        ("bulk ESS of reported quantities", "deaths in all", 1890.0, "at least 400", True, ""),
        ("tail ESS of parameters", "ceiling", 640.0, "at least 100", True, ""),
        ("divergences", "all chains", 0.0, "none", True, ""),
        ("E-BFMI", "chain 2", 0.81, "at least 0.3", True, ""),
    ]
    items = [("named_totals", "list_increments", f"{d}") for d in pd.date_range("2022-07-08", periods=14, freq="45D")]
    items = [(source, variable, item[:10]) for source, variable, item in items]
    items += [("named_by_week", "dated_by_month", month) for month in MONTHS[:22]]
    items += [
        ("named_by_week", "dated_total", "in all"),
        ("named_in_year", "named_in_year", "24 Feb 2023 on"),
    ]
    items += [("named_by_age", "named_ages", age) for age in AGES]
    items += [("registered_deaths", "registered_male", f"{a}, {y}") for y in (2022, 2023) for a in AGES[:-1]]
    items += [("graves", "graves_share", "2023-09-15")]
    items += [("ledger", "ledger_share", day) for day in ("2023-06-02", "2023-09-15")]
    predictive = []
    for source, variable, item in items:
        middle = 0.5 if source in ("graves", "ledger") else float(rng.lognormal(8, 0.6))
        spread = {"list_increments": 0.3, "registered_male": 0.03}.get(variable, 0.08)
        predictive.append(
            {
                **{"source": source, "variable": variable, "item": item},
                **{"observed": middle * np.exp(0.5 * spread * rng.normal()), "median": middle},
                **{"lower": middle * np.exp(-2 * spread), "upper": middle * np.exp(2 * spread)},
                **{"p_value": 0.4, "passed": True},
            }
        )
    sensitivity = []
    for left_out, moved in zip(["", *SOURCES], [0, 0.08, 0.01, -0.03, 0.02, -0.24, 0.13, 0.01], strict=True):
        for level, half in ((0.5, 0.07), (0.95, 0.22)):
            middle = 96_000 * (1 + moved)
            sensitivity.append(
                {
                    **{"left_out": left_out, "median": middle, "lower": middle * (1 - half)},
                    **{"upper": middle * (1 + 1.2 * half), "level": level, "moved": moved},
                    **{"mcse_moved": 0.004 if left_out else 0.0},
                    **{"r_hat": 1.004, "ess_bulk": 900.0},
                }
            )
    survival = [row for recruiter in config["survival"]["recruiters"] for row in _survival(recruiter)]
    backtest = [
        (
            "named by 25 April 2025 of those who died up to 7 April 2024",
            "2025-04-25",
            67_900,
            6.1e4,
            6.9e4,
            7.9e4,
        ),
        ("size of the list", "2024-06-21", 56_585, 54_000.0, 56_300.0, 59_500.0),
        ("size of the list", "2024-08-30", 66_471, 58_000.0, 62_300.0, 67_500.0),
    ]
    backtest = pd.DataFrame(backtest, columns=["what", "day", "observed", "lower", "median", "upper"])
    backtest["passed"] = pd.Series([True, None, None], dtype="boolean")
    backtest["text"] = "The later list is within what the fit allows."
    return {
        "convergence": pd.DataFrame(convergence, columns=["check", "item", "seen", "wanted", "passed", "do"]),
        "predictive": pd.DataFrame(predictive),
        "sensitivity": pd.DataFrame(sensitivity),
        "backtest": backtest,
        "backtest_dates": backtest_dates(),
        "backtest_published": backtest_published(),
        "prior_posterior": _prior_posterior(config, rng),
        "power_scaling": power_scaling("deaths", [("synthesis", 0.18, 0.17, "prior and data conflict")], 96_000.0),
        "tornado": tornado(
            [name for name, prior in config["priors"].items() if prior["distribution"] != "fixed"],
            [(row["left_out"], row["moved"]) for row in sensitivity if row["left_out"] and row["level"] == 0.95],
            96_000.0,
            "synthesis",
            rng,
        ),
        "survival": pd.DataFrame(survival),
    }


def backtest_dates(named_later=(36_000, 52_200, 60_500)):
    """What would have been estimated on three days."""
    days = ("2023-07-01", "2024-01-15", "2024-04-17")
    cut_offs, named = ("2023-06-30", "2024-01-15", "2024-04-07"), (26_800, 42_284, 50_471)
    sources = ("named_totals named_by_age", "named_totals named_by_age graves", "named_totals named_by_age graves")
    rows = []
    for i, (day, half) in enumerate(zip(days, (0.8, 0.25, 0.2), strict=True)):
        for j, until in enumerate(cut_offs[: i + 1]):
            middle, own = 1.5 * (36_000, 52_200, 60_500)[j], i == j
            foreseen = (0.8 * middle, 0.55 * middle, 0.95 * middle) if own else (np.nan,) * 3
            rows.append(
                {
                    **{"case": "russia", "known_on": day, "cut_off": cut_offs[i], "until": until},
                    **{"sources": sources[i], "named": named[i], "median": middle},
                    **{f"lower_{level}": middle / (1 + part * half) for level, part in ((50, 0.3), (95, 1))},
                    **{f"upper_{level}": middle * (1 + part * half) for level, part in ((50, 0.3), (95, 1))},
                    **{"later_list": "2025-04-25", "named_later": named_later[j]},
                    **{"share_below": 0.07 * (i == 0), "passed": bool(middle * (1 + half) >= named_later[j])},
                    **dict(zip(("forecast_median", "forecast_lower", "forecast_upper"), foreseen, strict=True)),
                    **{"r_hat": 1.003, "ess": 700.0, "failed_checks": "", "seconds": 81.0, "seed": 20240407},
                    **{"commit": "0123456789abcdef", "clean": True},
                }
            )
    return as_table(SCHEMA, rows)


def backtest_published():
    """What others published by then or soon after."""
    rows = [
        ("2023-07-01", "2023-02-15", "an assessment", "2023-02-15", np.nan, 35_500, 43_500),
        ("2023-07-01", "2023-05-27", "a registry", "2023-05-27", 47_000, 40_000, 55_000),
        ("2024-01-15", "2023-11-30", "a ministry", "2023-11-30", 70_000, np.nan, np.nan),
        ("2024-04-17", "2024-04-07", "a registry", "2024-04-17", 85_000, np.nan, np.nan),
    ]
    names = ("known_on", "until", "by", "deaths_to", "point", "low", "high")
    rows = [dict(zip(names, row, strict=True)) for row in rows]
    ours = {"median": 60_000, "lower_50": 55_000, "upper_50": 66_000, "lower_95": 45_000, "upper_95": 80_000}
    about = {"case": "russia", "what": "killed", "published": "2024-04-17", "published_as": "2024-04-17"}
    return as_table(PUBLISHED_SCHEMA, [about | ours | row for row in rows])


def _survival(recruiter):
    """How soon recruits died: Wagner's by both laws, the others' dead only."""
    reason = "" if recruiter == "wagner" else "Not published: how many were recruited."
    for law, power in (("weibull", 0.6), ("piecewise", 0.7)):
        wanted = [("alive", day, np.exp(-0.3 * (day / 91) ** power)) for day in range(0, 190, 7)]
        wanted += [("share_dead", month, 0.1 * month**power) for month in (1, 2, 3, 6)]
        wanted += [("dead_of_named", day, 1 - np.exp(-0.7 * (day / 91) ** power)) for day in range(0, 190, 7)]
        wanted += [
            (f"median_{name}", np.nan, days)
            for name, days in (("named", 62), ("dead", 68), ("followed", 113), ("half_year", 50))
        ]
        wanted += [("median_short", np.nan, 51), ("median_published", np.nan, 63), ("died_published", np.nan, 17_200)]
        for quantity, at, middle in wanted:
            known = not reason or quantity.startswith(("median", "dead_of"))
            seen = {"median_published": 61.0, "died_published": 17_175.0 if known else np.nan}.get(quantity, np.nan)
            for level, half in ((0.5, 0.07), (0.95, 0.2)):
                low, high = middle * (1 - half), middle * (1 + half)
                yield {
                    **{"recruiter": recruiter, "law": law, "quantity": quantity, "at": float(at)},
                    **dict(
                        zip(("median", "lower", "upper"), (middle, low, high) if known else (np.nan,) * 3, strict=True)
                    ),
                    **{"level": level, "observed": seen, "reason": "" if known else reason},
                }


def _prior_posterior(config, rng):
    rows = []
    parameters = {"deaths": ("deaths", "what the priors alone say"), **config["priors"]}
    for place, (name, about) in enumerate(parameters.items()):
        unit, reason = about if isinstance(about, tuple) else (about["unit"], about["reason"])
        for kind, spread in (("prior", 0.8), ("posterior", 0.2)):
            middle = 9e4 if name == "deaths" else 0.1 * (place + 1)
            values = middle * rng.lognormal(0, spread * (3 if name == "deaths" else 1), 400)
            for quantile in (0.005, 0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975, 0.995):
                value = float(np.quantile(values, quantile))
                rows.append((name, unit, reason, kind, quantile, value))
    return pd.DataFrame(rows, columns=["parameter", "unit", "reason", "kind", "quantile", "value"])
