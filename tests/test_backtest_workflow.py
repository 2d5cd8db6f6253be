"""The back-test of earlier days in the workflow: made on request, kept by git, recalled by every run."""

import shutil
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parents[1] / "workflow" / "uncounted"
REAL = ["checks/backtest.py", "checks/backtest_dates.py", "figures/backtest.py", "report/backtest.py"]
KEYS = """\
backtest:
  dates: [2023-07-01]
  sampling: {draws: 10, tune: 10, chains: 2}
"""
RECALLED = "results/draft/toy/checks/backtest_dates.parquet"


@pytest.fixture
def asked(project):
    """A project after one whole run, in whose config days of a back-test are named since."""
    for name in REAL:
        shutil.copy2(LIBRARY / name, project / "workflow" / "uncounted" / name)
    file = project / "config" / "cases" / "toy.yaml"
    file.write_text(file.read_text() + KEYS)
    return project


def test_a_run_recalls_the_back_test_and_makes_no_fit_for_it(asked):
    (asked / "docs" / "backtest").mkdir(parents=True)
    for name in ("table", "published"):
        (asked / "docs" / "backtest" / f"{name}.csv").write_text("kept")
    status, said = asked.snakemake("-n")
    assert status == 0, said
    assert "Recall what would have been estimated earlier of toy" in said
    assert "Write the report" in said and "Record code, figures and settings" in said
    # Checks are made again, since their room has new files; a fit of minutes is not.
    assert "Draw from the posterior of toy" not in said
    assert "Estimate toy as of" not in said


def test_the_back_test_is_a_target_of_its_own(asked):
    status, said = asked.snakemake("-n", "backtest")
    assert status == 0, said
    assert "Estimate toy as of 2023-07-01" in said and "Copy the page to docs/" in said
    assert "Write the report" not in said


def test_a_back_test_that_was_never_made_stops_the_run_with_what_to_do(asked):
    status, said = asked.snakemake(RECALLED)
    assert status != 0
    assert "there is no back-test at earlier dates yet" in said and "make it: snakemake backtest" in said
    assert "Traceback" not in said
