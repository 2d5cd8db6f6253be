# What the stages have in common.
#
# Two things recur in every rule:
#
# update(...)   Snakemake removes the outputs of a step before it runs it. With update() it leaves them in
#               place, so that a step that fails leaves earlier results as they were.
# done=touch()  But then it takes the earlier files for new ones, even if the step has failed. The file
#               logs/<step>.done is only there if the step went well: the steps after it ask for it, and
#               so does `all`, which makes the next run do the step again.
#
# params: code=digest(...) makes a step run again when the part of the library that it uses changes, or a
# package in the lock; params: case=part(...) or without(...) when the keys of the config that it uses change;
# params: content=content(...) when a file that a person puts there is another one. The time of a file does not tell:
# a download that is moved, copied with its times or unpacked in the place of the file before may be older than it.

import os
import sys
from os.path import dirname, exists

from uncounted.config import part, place_in_case, tables, without
from uncounted.errors import UserError
from uncounted.figures import names_of
from uncounted.models import models_of
from uncounted.provenance import CALIBRATION, SYNTHESIS_CALIBRATION, code_state, digest, refuse_if_sealed, sha256

# The compiler of the models walks through Python sets: with hashes that differ from process to process, sums are taken
# in another order, and the chains part ways. Every job inherits this.
os.environ.update(PYTHONHASHSEED="0")

CASES = STUDY["cases"]

# Above the priority of any fit: steps that may have to stop the run.
SAID_AT_ONCE = 4


def models_named(case, study):
    """List the models of a case, or say where one is named that there is not."""
    try:
        return models_of(study)
    except UserError as error:
        error.where = place_in_case(case, "model")
        raise


with console.plain_errors():
    TABLES = {case: tables(case, study) for case, study in CASES.items()}
    MODELS = {case: models_named(case, study) for case, study in CASES.items()}
    CONTENT = {path: sha256(path) for paths in TABLES.values() for path in paths}
RUN = f"results/{STUDY['release']}"

# What each kind of study is made of, in the order of its stages.

def content(paths):
    """Give the hash of each of these files, as far as they are there."""
    return {path: CONTENT.setdefault(path, sha256(path)) for path in paths if exists(path)}


# Keys of a case that cleaning reads.
TO_CLEAN = {
    "evidence_synthesis": ["kind", "war", "refused_rows_allowed", "headers", "kinds_of_service", "sources"],
    "multiple_systems_estimation": [
        *("kind", "tables", "lists", "strata", "count", "structural_zeros", "published"),
        *("refused_rows_allowed", "headers"),
    ],
}

# Keys of a case that have done their work once the tables are clean.
CLEANED = ["headers", "kinds_of_service", "refused_rows_allowed", "data", "tables", "count"]

# Keys of a case that change words and no number.
WORDS = ["title", "people", "same_people_as", "reasons"]

# Keys of a case that fitting has no use for. An average leaves out families that fail the checks.
NOT_FITTED = {
    "evidence_synthesis": ["checks", "backtest", *WORDS, *CLEANED],
    "multiple_systems_estimation": [*WORDS, *CLEANED],
}

CHECKS = {
    "evidence_synthesis": [
        *("convergence", "predictive", "sensitivity", "backtest", "prior_posterior"),
        *("power_scaling", "tornado"),
    ],
    "multiple_systems_estimation": [
        *("convergence", "predictive", "sensitivity", "dial", "weights", "power_scaling"),
        *("pareto_k", "not_estimable", "strata_alone", "classical"),
        *("tornado", "held_out_lists", "last_person", "parametric"),
    ],
}


def evidence_of(case):
    """List the tables that cleaning makes of the tables of a case."""
    study = CASES[case]
    if study["kind"] == "evidence_synthesis":
        later = [f"{name}_later" for name, source in study["sources"].items() if "used_until" in source]
        names = [*study["sources"], *later]
    else:
        names = ["histories", *(["published_estimates"] if study["published"] else [])]
    return [f"{RUN}/{case}/evidence/{name}.parquet" for name in names]


def posteriors_of(case):
    """List the posteriors of a case; of the model that the report leads with first."""
    return [f"{RUN}/{case}/fits/{model}.nc" for model in MODELS[case]]


def fits_of(case):
    """List all that fitting makes: posteriors, and the tables beside them."""
    if CASES[case]["kind"] == "evidence_synthesis":
        names = [f"{model}_without.parquet" for model in MODELS[case]]
        names += ["survival.nc"] if "survival" in CASES[case] else []
    else:
        tables = ["without", "strata_alone", "classical", "held_out", "simulated"]
        tables += ["weights"] if "average" in MODELS[case] else []
        names = [f"{name}.parquet" for name in tables]
    return [*posteriors_of(case), *(f"{RUN}/{case}/fits/{name}" for name in names)]


def fitting_code(case):
    """List the modules that fit a case, so that no study is fitted again for a model of the other kind."""
    if CASES[case]["kind"] == "evidence_synthesis":
        further = ["models.evidence_synthesis", "models.services"]
        further += ["models.survival"] if "survival" in CASES[case] else []
        return [*(f"models.{model}" for model in MODELS[case]), *further]
    return ["models.multiple_systems"]


def checks_of(case):
    """List the tables of the checks of a case."""
    names = CHECKS[CASES[case]["kind"]] + ["survival"] * ("survival" in CASES[case])
    return [f"{RUN}/{case}/checks/{name}.parquet" for name in names]


# What git keeps of the estimates of earlier days: a run reads it, and never makes it. `snakemake backtest` does.
BACKTESTED = [case for case, study in CASES.items() if "backtest" in study]
BACKTEST_KEPT = [f"docs/backtest/{name}.csv" for name in ("table", "published")] if BACKTESTED else []


def backtest_of(case):
    """List what a run recalls of the estimates of earlier days, where the config names any."""
    names = ("backtest_dates", "backtest_published") if case in BACKTESTED else ()
    return [f"{RUN}/{case}/checks/{name}.parquet" for name in names]


def weights_of(case):
    """List the table of what each model counts for, where there may be several and some may fail."""
    return [f"{RUN}/{case}/checks/weights.parquet"] if "weights" in CHECKS[CASES[case]["kind"]] else []


def figures_of(case):
    """List the figures of a case: which there are follows from its kind, its lists and its strata."""
    return [f"{RUN}/{case}/figures/{name}.{suffix}" for name in names_of(CASES[case]) for suffix in ("svg", "png")]


def descriptions():
    """List the descriptions of the data, those that there are; cases may share a folder."""
    folders = {study.get("data", case) for case, study in CASES.items()}
    return [path for path in sorted(f"data/{folder}/datapackage.json" for folder in folders) if exists(path)]


def done():
    """List what says that each step went well."""
    steps = ["clean", "fit", "check", "judge", "estimate", "draw"]
    return [
        *(f"{RUN}/{case}/logs/{step}.done" for case in CASES for step in steps),
        *(f"{RUN}/logs/{step}.done" for step in ["collect", "headline", "record", "report"]),
    ]
