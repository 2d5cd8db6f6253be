"""Measure multiple systems estimation: how fast it is, how near its peers, and whether its chains agree.

`python bench/lists.py NAME` makes one measurement in a process of its own and prints it as JSON on its last line;
bench.py runs them all, and comparison.py sets them beside what is wanted and what other software does.
"""

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from uncounted.provenance import ROOT

LISTS = list("abcd")
CASES = ("kosovo", "uk_5_lists", "uk_6_lists", "gaza_by_age_and_sex", "gaza_by_month")
SEEDS = (1, 2, 3, 4, 5)

SHORT = {"draws": 110, "tune": 160, "chains": 2}
"""Draws from each of ten imputed tables of the same people, whose draws are put together: a tenth of those of one."""

_KINDS = ("independent", "pairs", "classes", "ease", "ease_and_pairs")
_STRATA, _IMPUTED = 20, 10
_POPULATIONS = 400


def one_table():
    """Estimate the number of people behind Kosovo's four lists, as in a notebook."""
    return _estimated(kosovo())[0]


def hundred_tables():
    """Estimate a hundred simulated tables of four lists, one after the other; the first compiles."""
    rng = np.random.default_rng(1)
    tables = [frame(_population(rng, kind, (1_000, 20_000))) for kind in _KINDS * 20]
    found = [_estimated(table, seed=number)[0] for number, table in enumerate(tables)]
    seconds, ess = ([each[name] for each in found] for name in ("seconds", "ess"))
    return {
        "hundredth": seconds[-1],
        "median": float(np.median(seconds[1:])),
        "ess": ess[-1],
        "median_ess": float(np.median(ess)),
        "lowest_ess": min(ess),
    }


def strata_pooled():
    """Estimate 100 simulated strata together, of 100 to 3,000 people each, on four lists."""
    rng = np.random.default_rng(2)
    sizes = np.exp(rng.uniform(np.log(100), np.log(3_000), 100)).astype(int)
    coverage = rng.normal(-1.2, 0.5, len(LISTS)) + rng.normal(0, 0.4, (len(sizes), len(LISTS)))
    people = [_found(rng, size, logits) for size, logits in zip(sizes, coverage, strict=True)]
    table = pd.concat([part.assign(place=f"place {number}") for number, part in enumerate(people)])
    told, found = _estimated(table, strata=["place"])
    held = sum(row.lower <= size <= row.upper for row, size in zip(_by_place(found), sizes, strict=True))
    worst = {row.check: row.seen for row in found.checks.itertuples()}
    return told | {
        "r_hat_of_strata": worst["R-hat of reported quantities"],
        "ess_of_strata": worst["effective draws (bulk) of reported quantities"],
        "strata_held": int(held),
        "strata": len(sizes),
    }


def sampling_speed():
    """Sample Kosovo's four lists with the draws of a report; timed is the sampler alone, tuning and draws."""
    from uncounted.models import loglinear

    settings, histories = _settings("kosovo"), _histories("kosovo")
    speeds = []
    with _sampler_timed() as took:
        for seed in range(6):
            trace = loglinear.fit(histories, settings, seed)
            speeds.append({"ess": _ess(trace.posterior["total"].values)} | took.pop())
    # The first one may still compile.
    kept = pd.DataFrame(speeds[1:])
    sampling = settings["sampling"]["loglinear"]
    return {
        "ess": float(kept["ess"].median()),
        "a_second": float((kept["ess"] / kept["seconds"]).median()),
        "a_second_of_one_core": float((kept["ess"] / kept["work"]).median()),
        "draws": sampling["chains"] * sampling["draws"],
        "tune": sampling["chains"] * sampling["tune"],
    }


def many_tables():
    """Estimate 20 strata times 10 imputed tables, each table by itself, one after the other on each of two cores."""
    with ProcessPoolExecutor(2) as workers:
        # So that both have compiled.
        list(workers.map(_stratum, [(0, 2)] * 4))
        began = time.perf_counter()
        sampled = [table for stratum in workers.map(_stratum, _jobs("loglinear")) for table in stratum]
        middle = time.perf_counter()
        list(workers.map(_stratum, _jobs("decomposable")))
        ended = time.perf_counter()
    ess = np.array([table["ess"] for table in sampled]).reshape(_STRATA, _IMPUTED)
    return {
        "tables": len(sampled),
        "loglinear": middle - began,
        "decomposable": ended - middle,
        "ess": float(np.median(ess)),
        "ess_of_ten": float(np.median(ess.sum(axis=1))),
        "lowest_ess_of_ten": float(ess.sum(axis=1).min()),
        "divergences": sum(table["divergences"] for table in sampled),
    }


def _jobs(model):
    return [(number, _IMPUTED, model) for number in range(_STRATA)]


def _stratum(job):
    """Estimate the imputed tables of one stratum of 300 to 5,000 people, each by itself."""
    number, tables, model = (*job, "loglinear")[:3]
    rng = np.random.default_rng([3, number])
    counts = _population(rng, _KINDS[number % len(_KINDS)], (300, 5_000))
    told = []
    for seed in range(tables):
        # One person in twenty has another history in each table.
        imputed = rng.binomial(counts, 0.95)
        imputed += rng.multinomial(counts.sum() - imputed.sum(), counts / counts.sum())
        told.append(_estimated(frame(imputed), seed=seed, model=model, sampling={"loglinear": SHORT})[0])
    return told


def populations():
    """Fit 400 simulated populations of four lists as a calibration does, half of them in each of two processes."""
    began = time.perf_counter()
    with ProcessPoolExecutor(2) as workers:
        rows = [row for half in workers.map(_half_of_populations, (0, 1)) for row in half]
    return {
        "populations": len(rows),
        "seconds": time.perf_counter() - began,
        "passed": sum(row["passed"] for row in rows),
        "held": sum(row["lower_95"] <= row["total"] <= row["upper_95"] for row in rows if row["passed"]),
    }


def _half_of_populations(half):
    """Every other population of the calibration's kinds, by the log-linear model; compiled in this process."""
    from uncounted.checks import calibration
    from uncounted.checks.calibration_plan import read_calibration

    plan = read_calibration(ROOT / "config" / "calibration.yaml")
    settings, strata = calibration.settings_of(plan), calibration.strata_of_batch(len(LISTS), 0)
    rows = []
    for number in range(half, _POPULATIONS, 2):
        kind = plan["kinds"][number // 2 % len(plan["kinds"])]
        population, _ = calibration.draw_estimable(kind, len(LISTS), np.random.default_rng([5, number]), strata)
        rows += calibration.fit_population(population, settings, number, families=("loglinear",), older=False)
    return rows


def graphs():
    """Average over all decomposable graphs on four to seven lists; the first time the graphs are read or made."""
    from uncounted.models.decomposable import posterior
    from uncounted.models.decomposable_graphs import HOW_MANY

    tables = {4: _counts("kosovo"), 5: _counts("uk_5_lists"), 6: _counts("uk_6_lists")}
    found = _found(np.random.default_rng(4), 20_000, np.linspace(-2.5, -1.0, 7))
    tables[7] = np.bincount(found.to_numpy() @ (1 << np.arange(7)), minlength=128)
    return {
        str(lists): {"graphs": HOW_MANY[lists], "first": _took(posterior, counts, times=1)}
        | {"next": _took(posterior, counts, times=3 if lists == 7 else 9)}
        for lists, counts in tables.items()
    }


def people():
    """Estimate from Kosovo's four lists as if they held 1,000 people, and as if they held 100,000,000."""
    from uncounted.models.decomposable import posterior

    counts, answers = _counts("kosovo"), {}
    _estimated(frame(counts))
    for number in (1_000, 100_000_000):
        scaled = np.round(counts * (number / counts.sum())).astype(np.int64)
        posterior(scaled)
        told = [_estimated(frame(scaled), seed=seed)[0] for seed in range(5)]
        answers[str(number)] = {
            "loglinear": float(np.median([each["seconds"] for each in told])),
            "ess": float(np.median([each["ess"] for each in told])),
            "decomposable": _took(posterior, scaled, times=9),
        }
    return answers


def answers():
    """Answer what peers have answered, with the same model, and the same grid where there is one."""
    from uncounted.models import classical, latent_class
    from uncounted.models.decomposable import dga_grid, posterior

    found = {}
    for case in ("kosovo", "uk_5_lists"):
        counts = _counts(case)
        found[f"decomposable, {case}"] = list(posterior(counts, dga_grid(counts.sum())).quantile([0.5, 0.025, 0.975]))
        table = classical.fit(_histories(case)).set_index("method")
        for method in ("best_bic", "best_bic_pairs", "independence"):
            found[f"{method}, {case}"] = list(table.loc[method, ["estimate", "lower", "upper"]].astype(float))
    trace = latent_class.fit(_histories("kosovo"), _settings("kosovo"), 1)
    total = trace.posterior["total"].values
    found["latent_class, kosovo"] = [float(np.quantile(total, q)) for q in (0.5, 0.025, 0.975)]
    return found


def chains():
    """Fit the log-linear model to each study with its defaults and five seeds."""
    return [_checked("loglinear", case, seed) for case in CASES for seed in SEEDS]


def latent_chains():
    """Fit latent classes to each study with its defaults, once."""
    return [_checked("latent_class", case, SEEDS[0]) for case in CASES]


MEASUREMENTS = {
    measurement.__name__: measurement
    for measurement in (
        *(one_table, hundred_tables, strata_pooled, sampling_speed, many_tables, populations),
        *(graphs, people, answers, chains, latent_chains),
    )
}
"""All measurements by name."""

TWICE = ("one_table", "graphs")
"""Measured in two processes one after the other: the first fills the caches on disk."""


# Tables


def kosovo():
    """Kosovo's four lists, as someone in a notebook reads them."""
    table = pd.read_csv(ROOT / "data" / "kosovo" / "capture_histories.csv")
    return table.rename(columns=dict(zip(["EXH", "ABA", "OSCE", "HRW"], LISTS, strict=True)))


def frame(counts):
    """Write the counts of the cells of a table as a data frame.

    Parameters
    ----------
    counts : numpy.ndarray of int, (2**lists,)

    Returns
    -------
    pandas.DataFrame
        A column for each list, and ``count``.
    """
    cells = np.arange(1, len(counts))
    lists = LISTS[: len(counts).bit_length() - 1]
    on = {name: cells >> j & 1 for j, name in enumerate(lists)}
    return pd.DataFrame(on).assign(count=counts[1:])


def _population(rng, kind, sizes):
    """The cells of a simulated population whose size is between two numbers, even on the logarithm."""
    from uncounted.checks.populations import draw_population

    size = int(np.exp(rng.uniform(*np.log(sizes))))
    return draw_population(kind, len(LISTS), rng, total=size).counts[0]


def _found(rng, people, logits):
    """One row a person who is on a list; some are easier to find than others."""
    ease = rng.normal(0, 0.7, (people, 1))
    on = rng.random((people, len(logits))) < 1 / (1 + np.exp(-(logits + ease)))
    return pd.DataFrame(on[on.any(axis=1)].astype(int), columns=[chr(ord("a") + j) for j in range(len(logits))])


def _by_place(found):
    """The rows of the strata, in the order in which they were simulated."""
    table = found.by_stratum
    return [table.loc[f"place {number}"] for number in range(len(table))]


def _counts(case):
    return _histories(case).counts[0, 0]


def _histories(case):
    """Clean a study's tables, as the workflow does, and read what its models read."""
    from uncounted.evidence.clean import clean_case
    from uncounted.models.multiple_systems import read_histories

    settings = _settings(case)
    with TemporaryDirectory() as folder:
        clean_case(settings, ROOT / "data" / settings["data"], folder)
        return read_histories(settings, folder)


def _settings(case):
    from uncounted.config import read_case

    return read_case(ROOT / "config" / "cases", case)


# What is told of a fit


@contextmanager
def _sampler_timed():
    """Note how long each call of the sampler takes, by the clock and in work of all cores."""
    from uncounted import inference

    draw, took = inference.draw, []

    def timed(*arguments, **settings):
        began, worked = time.perf_counter(), time.process_time()
        trace = draw(*arguments, **settings)
        took.append({"seconds": time.perf_counter() - began, "work": time.process_time() - worked})
        return trace

    inference.draw = timed
    try:
        yield took
    finally:
        inference.draw = draw


def _estimated(table, strata=(), **more):
    """Call `estimate`, and tell how long it took and how well the draws determine the total."""
    from uncounted import estimate

    seed = more.pop("seed", 1)
    began = time.perf_counter()
    found = estimate(table, LISTS, strata, seed=seed, **more)
    seconds = time.perf_counter() - began
    chains = more.get("sampling", {}).get("loglinear", {}).get("chains", 4)
    total = found.draws["total"].to_numpy().reshape(chains, -1)
    divergent = found.checks.loc[found.checks["check"] == "divergences", "seen"].sum() if len(found.checks) else 0
    return {"seconds": seconds, "ess": _ess(total), "r_hat": _r_hat(total), "divergences": int(divergent)}, found


def _checked(model, case, seed):
    """Fit a model to a study as the workflow does with this seed of a run, and put it to the checks."""
    from uncounted.checks.families import check_families
    from uncounted.inference import seed_for
    from uncounted.models.cells import lay_out
    from uncounted.models.multiple_systems import SAMPLED

    settings, histories = _settings(case), _histories(case)
    bounds = settings["checks"]
    trace = SAMPLED[model].fit(histories, settings, seed_for(seed, case, model))
    parameters = SAMPLED[model].parameters(lay_out(histories).shape)
    results = check_families({model: trace}, {model: parameters}, bounds)
    worst = {result.check.removeprefix(f"{model}: "): result.seen for result in results}
    total = trace.posterior["total"].values
    return {
        "case": case,
        "seed": seed,
        "median": float(np.median(total)),
        "r_hat": worst["R-hat of reported quantities"],
        # None where no parameter has to converge, as of latent classes.
        "r_hat_of_parameters": worst["R-hat of parameters"] if parameters else None,
        "ess": _ess(total),
        "divergences": int(worst.get("divergences", 0)),
        # A family of which a check failed has no part in an average.
        "usable": all(result.passed for result in results),
    }


def _ess(draws):
    import arviz as az

    return float(az.ess(draws.astype(float), method="bulk"))


def _r_hat(draws):
    import arviz as az

    return float(az.rhat(draws.astype(float)))


def _took(function, *arguments, times):
    """Median time of some calls, in seconds."""
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        function(*arguments)
        seconds.append(time.perf_counter() - began)
    return float(np.median(seconds))


def main():
    """Make one measurement, and print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", choices=MEASUREMENTS, help="the measurement to make")
    arguments = parser.parse_args()
    print(json.dumps(MEASUREMENTS[arguments.name]()))


if __name__ == "__main__":
    main()
