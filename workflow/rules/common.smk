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
# package in the lock; params: case=part(...) or without(...) when the keys of the config that it uses change.

import os
import sys
from os.path import dirname, exists

from uncounted.config import part, tables, without
from uncounted.figures import NAMES
from uncounted.provenance import code_state, digest, refuse_if_sealed

# The compiler of the models walks through Python sets: with hashes that differ from process to process, sums are taken
# in another order, and the chains part ways. Every job inherits this.
os.environ.update(PYTHONHASHSEED="0")

CASES = STUDY["cases"]
with console.plain_errors():
    TABLES = {case: tables(case, study) for case, study in CASES.items()}
RUN = f"results/{STUDY['release']}"

# Keys of a case that have done their work once the tables are clean.
CLEANED = ["headers", "kinds_of_service", "refused_rows_allowed"]

CHECKS = ["convergence", "predictive", "sensitivity", "backtest", "prior_posterior"]


def evidence_of(case):
    """List the tables that cleaning makes of the sources of a case."""
    sources = CASES[case]["sources"]
    later = [f"{name}_later" for name, source in sources.items() if "used_until" in source]
    return [f"{RUN}/{case}/evidence/{name}.parquet" for name in [*sources, *later]]


def fit_of(case):
    """Name the posterior of a case."""
    return f"{RUN}/{case}/fits/{CASES[case]['model']}.nc"


def figures_of(case):
    """List the figures of a case: which there are follows from its kind."""
    names = NAMES[CASES[case]["kind"]]
    return [f"{RUN}/{case}/figures/{name}.{suffix}" for name in names for suffix in ("svg", "png")]


def done():
    """List what says that each step went well."""
    steps = ["clean", "check", "judge", "estimate", "draw"]
    return [
        *(f"{RUN}/{case}/logs/fit_{study['model']}.done" for case, study in CASES.items()),
        *(f"{RUN}/{case}/logs/{step}.done" for case in CASES for step in steps),
        *(f"{RUN}/logs/{step}.done" for step in ["collect", "headline", "record", "report"]),
    ]
