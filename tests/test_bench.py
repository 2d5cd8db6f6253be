"""The measurements: what is written down, and that the README says the same."""

import copy
import doctest
import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
STUDY = {"case": "kosovo", "seed": 1, "median": 15_000.0, "r_hat": 1.002, "r_hat_of_parameters": 1.004}
FOUND = {
    "one_table": {"seconds": 7.0, "ess": 2_900.0},
    "one_table_seconds": [31.0, 9.04],
    "hundred_tables": {
        **{"hundredth": 0.9, "median": 1.0, "ess": 1_500.0},
        **{"median_ess": 1_200.0, "lowest_ess": 500.0},
    },
    "strata_pooled": {
        **{"seconds": 40.0, "ess": 3_000.0, "r_hat": 1.001, "divergences": 0, "r_hat_of_strata": 1.006},
        **{"ess_of_strata": 2_500.0, "strata_held": 97, "strata": 100},
    },
    "sampling_speed": {
        **{"ess": 5_400.0, "a_second": 2_500.0, "a_second_of_one_core": 1_300.0},
        **{"draws": 6_000, "tune": 2_400},
    },
    "many_tables": {
        **{"tables": 200, "loglinear": 30.0, "decomposable": 4.0, "ess": 105.0},
        **{"ess_of_ten": 1_050.0, "lowest_ess_of_ten": 700.0, "divergences": 0},
    },
    "populations": {"populations": 400, "seconds": 480.0, "passed": 399, "held": 390},
    "graphs": {
        "4": {"graphs": 61, "first": 0.004, "next": 0.0012},
        "5": {"graphs": 822, "first": 0.02, "next": 0.0082},
        "6": {"graphs": 18_154, "first": 0.2, "next": 0.06},
        "7": {"graphs": 617_675, "first": 4.0, "next": 2.5},
    },
    "people": {
        "1000": {"loglinear": 1.1, "ess": 1_800.0, "decomposable": 0.002},
        "100000000": {"loglinear": 0.9, "ess": 4_000.0, "decomposable": 0.0021},
    },
    "answers": {
        "decomposable, kosovo": [12_594.6, 9_824.0, 16_544.8],
        "decomposable, uk_5_lists": [22_990.4, 10_386.6, 33_510.0],
        "best_bic, kosovo": [10_356.5, 8_994.3, 12_110.4],
        "best_bic, uk_5_lists": [25_311.3, 19_389.3, 34_111.1],
        "best_bic_pairs, uk_5_lists": [22_991.3, 17_991.0, 30_141.9],
        "independence, uk_5_lists": [13_444.1, 11_985.1, 15_165.9],
        "latent_class, kosovo": [10_455.5, 8_900.0, 14_049.5],
    },
    "chains": [STUDY | {"seed": seed, "ess": 5_000.0, "divergences": 0, "usable": True} for seed in (1, 2)],
    "latent_chains": [STUDY | {"r_hat": 1.2, "ess": 40.0, "divergences": 3, "usable": False}],
}


@pytest.fixture(scope="module")
def modules():
    sys.path.insert(0, str(ROOT / "bench"))
    try:
        yield {name: importlib.import_module(name) for name in ("bench", "comparison", "lists")}
    finally:
        sys.path.remove(str(ROOT / "bench"))


@pytest.fixture(scope="module")
def bench(modules):
    return modules["bench"]


@pytest.fixture(scope="module")
def comparison(modules):
    return modules["comparison"]


def changed(*path, to):
    """What was found, with one number changed."""
    found = copy.deepcopy(FOUND)
    place = found
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return found


def test_the_readme_has_the_table_that_was_measured(bench):
    readme = bench.README.read_text(encoding="utf-8")
    kept = bench._MARKS.search(readme)
    results = bench.RESULTS.read_text(encoding="utf-8") if bench.RESULTS.exists() else ""
    table = kept[0].removeprefix(kept[1]).removesuffix(kept[2])
    assert table in results or table == "Not measured yet: `make bench`."


def test_what_is_as_wanted_has_no_mark(comparison):
    text = comparison.as_markdown(FOUND)
    assert comparison.MISSED not in text
    rows = comparison.compared(FOUND).splitlines()
    assert len(rows) == 2 + 3 + 1 + 2 + 1 + 4 + 2 + 7 + 2
    assert {row.count("|") for row in rows} == {5}
    # Latent classes that do not settle are told, and are no fault.
    assert "0 of 1 agree" in text and "| weight 0 |" in text


@pytest.mark.parametrize(
    ("path", "to", "row"),
    [
        (("one_table_seconds", 1), 15.1, "Four lists"),
        (("one_table", "ess"), 999.0, "Four lists"),
        (("hundred_tables", "hundredth"), 1.6, "The hundredth table"),
        (("strata_pooled", "seconds"), 61.0, "100 strata pooled"),
        (("sampling_speed", "a_second"), 699.0, "Bulk ESS of N for each second"),
        (("many_tables", "loglinear"), 36.1, "1,000 strata times 10"),
        (("populations", "seconds"), 601.0, "400 simulated populations"),
        (("graphs", "4", "next"), 0.0051, "Decomposable graphs, 4 lists"),
        (("graphs", "7", "next"), 31.0, "Decomposable graphs, 7 lists"),
        (("people", "100000000", "decomposable"), 0.0031, "Decomposable graphs with 100,000,000"),
        (("answers", "decomposable, kosovo", 2), 16_700.0, "Decomposable graphs, Kosovo"),
        (("answers", "best_bic, uk_5_lists", 0), 25_400.0, "Best BIC of all orders"),
        (("answers", "latent_class, kosovo", 1), 8_500.0, "Latent classes, Kosovo"),
        (("chains", 0, "r_hat"), 1.011, "Log-linear, 1 studies"),
        (("chains", 0, "r_hat_of_parameters"), float("nan"), "Log-linear, 1 studies"),
        (("chains", 1, "ess"), 999.0, "Log-linear, 1 studies"),
        (("chains", 1, "divergences"), 1, "Log-linear, 1 studies"),
    ],
)
def test_what_misses_its_limit_is_marked(comparison, path, to, row):
    marked = [line for line in comparison.compared(changed(*path, to=to)).splitlines() if comparison.MISSED in line]
    assert len(marked) == 1 and marked[0].startswith(f"| {row}")


def test_numbers_are_written_as_people_read_them(comparison):
    assert doctest.testmod(comparison).failed == 0
    text = comparison.compared(FOUND)
    assert "12,595 (9,824 to 16,545); off by −0.07 % at most" in text
    assert "25 min" in text and "LCMCR 35 h" in text


def test_one_part_measured_again_leaves_the_others(bench):
    results = bench.with_part("", "lists", "lists, first")
    results = bench.with_part(results, "report", "report, first\n\n| a |")
    results = bench.with_part(results, "lists", "lists, second")
    assert results.count("\n## ") == 2
    assert results.index("report, first\n\n| a |") < results.index("lists, second")
    assert "lists, first" not in results
    assert bench.with_part(results, "lists", "lists, second") == results


def test_the_table_goes_where_the_readme_keeps_it(bench):
    text = "before\n<!-- bench: a word -->\nold\nold\n<!-- /bench -->\nafter\n"
    once = bench.with_table(text, r"| \1 new |")
    assert once == "before\n<!-- bench: a word -->\n| \\1 new |\n<!-- /bench -->\nafter\n"


@pytest.mark.parametrize(("cases", "allowed"), [(["one"], "6 min"), (["one", "two"], "12 min")])
def test_all_studies_may_take_twice_as_long_as_one(bench, cases, allowed):
    took = bench.Measured(400.0, 10**9)
    names = ["cold", "warm", "nothing", "dry", "template"] + (["cold alone"] if len(cases) > 1 else [])
    table = bench.report_table(dict.fromkeys(names, took), cases).splitlines()
    cold = next(line for line in table if "whole report" in line)
    assert f"| {allowed} |" in cold and ("too much" in cold) == (len(cases) == 1)
    assert all("too much" in line for line in table if "alone, cold" in line)


def test_the_tests_may_take_eight_minutes_whatever_was_compiled_before(bench):
    table = bench.tests_table({"cold": bench.Measured(490.0, 10**9), "warm": bench.Measured(300.0, 10**9)}).splitlines()
    assert [("caches | 8 min |" in line, "too much" in line) for line in table[2:]] == [(True, True), (True, False)]


def test_measurements_that_take_no_time_give_what_the_table_needs(modules):
    lists = modules["lists"]
    counts = lists._counts("kosovo")
    assert counts.sum() == 4_400 == lists.frame(counts)["count"].sum() == lists.kosovo()["count"].sum()
    told, found = lists._estimated(lists.frame(counts), model="decomposable")
    assert told["divergences"] == 0 and told["seconds"] > 0 and found.seen == 4_400
    assert json.loads(json.dumps(told)) == told
    assert set(lists.TWICE) <= set(lists.MEASUREMENTS)
    assert set(lists.MEASUREMENTS) | {"one_table_seconds"} == set(FOUND)


def test_a_simulated_table_holds_those_who_were_found(modules):
    found = modules["lists"]._found(np.random.default_rng(1), 1_000, np.zeros(3))
    assert list(found.columns) == ["a", "b", "c"]
    assert 800 < len(found) < 950 and found.sum(axis=1).min() == 1


def test_a_file_is_copied_into_folders_that_are_not_there_yet(bench, tmp_path):
    (tmp_path / "docs/calibration").mkdir(parents=True)
    (tmp_path / "docs/calibration/table.csv").write_text("model\n")
    bench.copied(tmp_path / "docs/calibration/table.csv", tmp_path / "copy/docs/calibration/table.csv")
    bench.copied(tmp_path / "docs", tmp_path / "again/docs")
    for place in ("copy", "again"):
        assert (tmp_path / place / "docs/calibration/table.csv").read_text() == "model\n"


def test_memory_that_processes_share_counts_once(bench):
    """100 MB in three processes, two of them copies of the first."""
    program = (
        "import os, time\n"
        "held = bytes(range(256)) * 400_000\n"
        "if os.fork() and os.fork():\n"
        "    os.wait(), os.wait()\n"
        "time.sleep(1.5)\n"
    )
    measured = bench.measure([sys.executable, "-S", "-c", program], ROOT, {})
    assert measured.seconds > 1.5
    assert 100e6 < measured.bytes < 150e6
