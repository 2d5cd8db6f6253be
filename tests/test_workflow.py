"""The workflow as a person meets it: whole runs of a toy study, with everything that can go wrong."""

import csv
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

STEPS = [
    "Clean the tables of toy",
    "Draw from the posterior of toy (model simple)",
    "Check the fit of toy",
    "Judge whether the fit of toy may be reported",
    "Estimate the numbers of toy",
    "Collect the estimates of all cases",
    "Draw the figures of toy",
    "Set the headline figure of the release",
    "Record code, figures and settings",
    "Write the report",
    "Write the manifest",
]
NOTHING = "Nothing to do: everything is there and up to date."


def steps(said):
    """The steps that were done or would be, without their numbers."""
    return {line.split("] ", 1)[1] for line in said.splitlines() if line[:1] == "[" and line[1:2].isdigit()}


def refused(project, *words, options=()):
    """Expect a run to end with one clear message, and all results to be as they were."""
    before = project.files()
    status, said = project.snakemake(*options)
    assert status != 0, said
    assert "Traceback" not in said
    assert "RuleException" not in said
    for word in words:
        assert word in said, said
    after = project.files()
    # What was refused is what the person wants to see now.
    for files in (before, after):
        files.pop("draft/toy/evidence/refused.csv", None)
    assert after == before
    return said


def copies(project, folder, edits):
    """Copy a project once for each edit: path, old text, new text, and what is expected of it."""
    made = [project.copy(folder / str(number)) for number, _ in enumerate(edits)]
    for copy, (path, old, new, _) in zip(made, edits, strict=True):
        text = (copy / path).read_text()
        assert old in text
        (copy / path).write_text(text.replace(old, new, 1))
    return made


def run_all(projects, *words):
    """Run Snakemake in several projects at once."""
    processes = [project.start("snakemake", *words) for project in projects]
    for process in processes:
        said, _ = process.communicate(timeout=120)
        yield process.returncode, said


def test_whole_run_says_what_it_does(finished_project):
    said = (finished_project / "said.txt").read_text()
    assert steps(said) == set(STEPS)
    assert "[1/11] Clean the tables of toy" in said
    assert "[fit toy] drawing: 5 of 10 draws (50%)" in said
    assert "The report: results/draft/report.html" in said
    assert "Done in" in said
    assert "rule " not in said
    assert "jobid" not in said
    log = (finished_project / "results/draft/toy/logs/fit.log").read_text()
    assert "drawing: 5 of 10 draws (50%)" in log


def test_nothing_to_do(project):
    before = project.files()
    status, said = project.snakemake()
    assert (status, NOTHING in said, steps(said)) == (0, True, set())
    assert project.files() == before


def test_second_run_gives_the_same_bytes(project):
    before = project.files()
    status, said = project.snakemake("--forceall")
    assert (status, steps(said)) == (0, set(STEPS))
    assert project.files() == before


def test_release_named_on_the_command_line_keeps_its_zero(project):
    status, said = project.snakemake("--config", "release=2026.10", "-n")
    assert status == 0
    assert steps(said) == set(STEPS)
    assert not (project / "results" / "2026.1").exists()


def test_mistakes_in_the_config_stop_before_anything_runs(finished_project, tmp_path):
    mistakes = [
        ("config/config.yaml", "seed:", "sead:", ["line 2", "unknown key 'sead'"]),
        ("config/cases/toy.yaml", "list.csv", "lost.csv", ["data/toy/lost.csv: missing table"]),
    ]
    before = finished_project.files()
    projects = copies(finished_project, tmp_path, mistakes)
    for project, (status, said), (*_, words) in zip(projects, run_all(projects), mistakes, strict=True):
        assert (status, steps(said)) == (1, set())
        for word in [*words, "expected" if "lost" in str(words) else ""]:
            assert word in said
        assert "Traceback" not in said
        assert ".smk" not in said
        assert "Snakefile" not in said
        assert project.files() == before


def test_release_with_a_slash(project):
    refused(project, "--config release=...", 'release is "a/b"', options=["--config", "release=a/b"])


def test_missing_config(project):
    (project / "config" / "config.yaml").unlink()
    refused(project, "config/config.yaml: there is no such file")


def test_place_of_results_is_taken_by_a_file(project):
    shutil.rmtree(project / "results")
    (project / "results").write_text("")
    refused(project, "results: this is a file")


def test_no_permission_to_write(project):
    forbidden = project / "results" / "draft" / "toy"
    forbidden.chmod(0o555)
    # Root may write anywhere, unless it gives up that right.
    rights = "-dac_override,-dac_read_search"
    humble = ["setpriv", "--bounding-set", rights, "--inh-caps", rights] if os.geteuid() == 0 else []
    if humble and not shutil.which("setpriv"):
        pytest.skip("root cannot give up its rights here")
    project.edit("data/toy/list.csv", "50", "51")
    run = subprocess.run(
        [*humble, sys.executable, "-m", "snakemake"],
        cwd=project.folder,
        env=project.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    forbidden.chmod(0o755)
    assert run.returncode != 0
    assert "results/draft/toy: no permission to write in this folder" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_published_calibration_is_among_the_inputs_and_nothing_is_calibrated_for_it(project):
    listed = json.loads((project / "results/draft/provenance.json").read_text())["inputs"]
    assert "docs/calibration/table.csv" not in listed
    (project / "docs/calibration").mkdir(parents=True)
    for text in ("model,kind\n", "model,kind\naverage,all\n"):
        for name in ("table", "synthesis"):
            (project / f"docs/calibration/{name}.csv").write_text(text)
        status, said = project.snakemake()
        assert status == 0, said
        assert {"Record code, figures and settings", "Write the report"} <= steps(said)
        assert not any("alibrat" in step or "Fit " in step for step in steps(said))
        listed = json.loads((project / "results/draft/provenance.json").read_text())["inputs"]
        for name in ("table", "synthesis"):
            assert listed[f"docs/calibration/{name}.csv"] == hashlib.sha256(text.encode()).hexdigest()
    assert steps(project.snakemake("-n")[1]) == set()


def test_bad_table_is_told_again_until_it_is_mended(project):
    before = project.files()
    project.edit("data/toy/list.csv", "50", "bad")
    words = ["[clean toy] data/toy/list.csv, line 1: 'bad' is not a count", "expected: a whole number"]
    for _ in range(2):
        text = refused(project, *words, "Stopped at clean_toy", "Earlier results are as they were")
        assert steps(text) == {"Clean the tables of toy"}
    assert (project / "results/draft/toy/evidence/refused.csv").read_text() == "file,line\nlist.csv,1\n"
    project.edit("data/toy/list.csv", "bad", "50")
    assert steps(project.snakemake("-n")[1]) == set(STEPS)
    assert project.files()["draft/report.html"] == before["draft/report.html"]


def test_full_disk_and_fault_of_the_program(finished_project, tmp_path):
    edits = [("data/toy/list.csv", "50", word, "") for word in ("full", "bug")]
    projects = copies(finished_project, tmp_path, edits)
    (full, said_full), (bug, said_bug) = run_all(projects)
    assert full == bug == 1
    assert "no space left on the disk" in said_full
    assert "free some space" in said_full
    assert "Traceback" not in said_full
    assert "KeyError: 'bug'" in said_bug
    for project, said in zip(projects, (said_full, said_bug), strict=True):
        assert "RuleException" not in said
        assert project.files() == finished_project.files()


def test_too_little_space_to_start(project):
    project.edit("workflow/uncounted/files.py", "ROOM_FOR_A_RUN = ", "ROOM_FOR_A_RUN = 10**18 + ")
    project.edit("data/toy/list.csv", "50", "51")
    text = refused(project, "MB are free on the disk")
    assert steps(text) == set()


def test_fit_that_has_not_converged_is_not_reported(project):
    with (project / "config/cases/toy.yaml").open("a") as file:
        file.write("checks: {r_hat: 1.2}\n")
    status, said = project.snakemake()
    assert status != 0
    assert "[judge toy] R-hat of deaths_total is 1.2" in said
    assert "Write the report" not in said
    status, said = project.snakemake("--config", "allow_unconverged=true", "-n")
    assert status == 0, said
    assert "Check the fit of toy" not in steps(said)
    assert "Write the report" in steps(said)


REPORTED = {"Record code, figures and settings", "Write the report", "Write the manifest"}


def test_a_change_makes_run_again_what_depends_on_it_and_only_that(finished_project, tmp_path):
    case, library = "config/cases/toy.yaml", "workflow/uncounted"
    clean, fit = STEPS[:2]
    changes = [
        (f"{library}/report/report.html.j2", "A report", "Another", REPORTED),
        (f"{library}/inference.py", "", "# changed", set(STEPS) - {clean}),
        (f"{library}/console.py", "Every", "Each", REPORTED),
        (case, "sources:", "checks: {r_hat: 1.0}\nsources:", set(STEPS) - {clean, fit}),
    ]
    projects = copies(finished_project, tmp_path, changes)
    for (status, said), (*change, expected) in zip(run_all(projects, "-n"), changes, strict=True):
        assert status == 0, said
        assert steps(said) == expected, change
        assert not expected or "because: " in said


def test_a_table_replaced_by_an_older_file_is_read_again(project):
    for path, cleaned in (("data/toy/list.csv", True), ("data/toy/datapackage.json", False)):
        file = project / path
        old = file.stat().st_mtime - 10_000
        file.write_text(file.read_text().replace("50", "51").replace("{}", "{ }"))
        os.utime(file, (old, old))
        status, said = project.snakemake("-n")
        assert status == 0, said
        assert "Record code, figures and settings" in steps(said)
        assert ("Clean the tables of toy" in steps(said)) == cleaned
        assert project.snakemake()[0] == 0
        listed = json.loads((project / "results/draft/provenance.json").read_text())["inputs"]
        assert listed[path] == hashlib.sha256(file.read_bytes()).hexdigest()
        assert steps(project.snakemake("-n")[1]) == set()
    assert (project / "results/draft/toy/evidence/list.parquet").read_text() == "51"


def test_sealed_release_cannot_be_changed_but_made_again(project, tmp_path):
    status, said = project.run("uncounted.provenance", "seal")
    assert status == 0, said
    assert NOTHING in project.snakemake()[1]
    project.edit("data/toy/list.csv", "50", "51")
    text = refused(project, "results/draft: the release draft was sealed on", "name a new release")
    assert steps(text) == set()
    status, said = project.snakemake("--config", "release=next", "-n")
    assert (status, steps(said)) == (0, set(STEPS))
    project.edit("data/toy/list.csv", "51", "50")

    # A fresh clone holds what a reviewer should see, and no more.
    project.git(
        "add",
        "--force",
        *(f"results/draft/{name}" for name in ("manifest.json", "estimates.csv", "report.html")),
    )
    project.git("commit", "--quiet", "--message", "release")
    clone = type(project)(tmp_path / "clone")
    project.git("clone", "--quiet", ".", str(clone.folder))
    refused(clone, "was sealed on")
    status, said = clone.run("uncounted.provenance", "verify", "draft")
    assert status == 0, said
    assert "The release draft agrees with the same run made again here." in said
    assert "DIFFERS" not in said


def wait_for(path):
    for _ in range(300):
        if path.exists():
            return
        time.sleep(0.1)
    raise AssertionError(f"{path} did not come")


@pytest.fixture
def running(project):
    """A run that takes long at its first step, and what the results were before it."""
    before = project.files()
    project.edit("data/toy/list.csv", "50", "slow")
    process = project.start("snakemake", start_new_session=True)
    slow = project / "results/draft/toy/evidence/slow"
    wait_for(slow)
    slow.unlink()
    yield project, process, before
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def goes_on(project, before):
    """The next run does what is left, without being asked, and ends in the same bytes."""
    assert project.files() == before
    project.edit("data/toy/list.csv", "slow", "50")
    status, said = project.snakemake()
    assert (status, steps(said)) == (0, set(STEPS)), said
    assert project.files() == before


def test_interrupted_run_leaves_results_and_goes_on(running):
    project, process, before = running
    # As Ctrl-C does: the terminal interrupts all that runs in it.
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "Stopped. The next `snakemake` goes on from here." in said
    assert "Traceback" not in said
    assert project.files() == before
    project.edit("data/toy/list.csv", "slow", "50")
    assert steps(project.snakemake("-n")[1]) == set(STEPS)


def test_interrupt_of_snakemake_alone_reaches_its_steps(running):
    project, process, before = running
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "Traceback" not in said
    assert project.files() == before


def test_killed_run_goes_on(running):
    project, process, before = running
    process.kill()
    # The pipe ends when the step that was left alone has ended, too.
    process.communicate(timeout=30)
    goes_on(project, before)


def test_second_run_at_the_same_time_is_refused(running):
    project, process, _ = running
    status, said = project.snakemake()
    assert status != 0
    assert f"another run (process {process.pid}) is at work in this folder" in said
    assert "Traceback" not in said
    assert process.poll() is None


# Both kinds of study, side by side

LISTS = """\
title: Lists
kind: multiple_systems_estimation
data: lists
tables: [lists.csv]
lists: [a, b, c]
published: others.csv
"""
STEPS_OF_A_CASE = [
    "Clean the tables of {}",
    "Draw from the posterior of {} (model average)",
    "Check the fit of {}",
    "Judge whether the fit of {} may be reported",
    "Estimate the numbers of {}",
    "Draw the figures of {}",
]
BOTH = ["--config", "cases=[toy,lists,by_age]"]


def steps_of(*cases):
    return {step.format(case) for case in cases for step in STEPS_OF_A_CASE}


@pytest.fixture(scope="module")
def finished_both(finished_project, tmp_path_factory):
    """A toy study, and two of the same lists whose data nobody described, after one run of all."""
    project = finished_project.copy(tmp_path_factory.mktemp("both") / "project")
    (project / "data/lists").mkdir()
    (project / "data/lists/lists.csv").write_text("30")
    (project / "data/lists/others.csv").write_text("90")
    (project / "config/cases/lists.yaml").write_text(LISTS)
    (project / "config/cases/by_age.yaml").write_text(LISTS + "strata: [age]\n")
    status, said = project.snakemake(*BOTH)
    assert status == 0, said
    (project / "said.txt").write_text(said)
    return project


def test_studies_of_both_kinds_stand_side_by_side(finished_both):
    said = (finished_both / "said.txt").read_text()
    of_toy = {step for step in STEPS if "toy" in step}
    # The first study is the headline, and nothing of it has changed.
    assert steps(said) == steps_of("lists", "by_age") | set(STEPS) - of_toy - {"Set the headline figure of the release"}
    release = finished_both / "results/draft"
    listed = json.loads((release / "manifest.json").read_text())
    assert {"toy/fits/simple.nc", "toy/fits/simple_without.parquet", "toy/checks/backtest.parquet"} <= set(
        listed["outputs"]
    )
    for case in ("lists", "by_age"):
        beside = [f"fits/{name}.parquet" for name in ("without", "strata_alone", "classical", "weights")]
        wanted = ["fits/average.nc", "fits/family.nc", *beside, "checks/dial.parquet", "checks/power_scaling.parquet"]
        assert {f"{case}/{name}" for name in wanted} <= set(listed["outputs"])
    assert "by_age/figures/strata.svg" in listed["outputs"]
    assert "lists/figures/strata.svg" not in listed["outputs"]
    # The folder of both is described nowhere, and listed once.
    assert {path for path in listed["inputs"] if path.startswith("data/")} == {
        *(f"data/toy/{name}" for name in ("datapackage.json", "graves.csv", "list.csv")),
        *(f"data/lists/{name}" for name in ("lists.csv", "others.csv")),
    }
    with open(release / "estimates.csv") as file:
        assert [row["case"] for row in csv.DictReader(file)] == ["toy", "lists", "by_age"]


def test_one_study_can_be_made_alone(finished_both, tmp_path):
    project = finished_both.copy(tmp_path / "project")
    status, said = project.snakemake("--config", "cases=[lists]", "release=alone")
    assert status == 0, said
    of_all = {step for step in STEPS if "toy" not in step}
    assert steps(said) == steps_of("lists") | of_all
    assert sorted(path.name for path in (project / "results/alone").iterdir() if path.is_dir()) == ["lists", "logs"]
    assert (project / "results/alone/report.html").read_text().count("lists,deaths") == 1


def test_a_change_makes_one_kind_of_study_run_again_and_not_the_other(finished_both, tmp_path):
    fit_lists, fit_by_age = (STEPS_OF_A_CASE[1].format(case) for case in ("lists", "by_age"))
    fit_toy = next(step for step in STEPS if "Draw from the posterior of toy" in step)
    clean_lists, clean_by_age = (STEPS_OF_A_CASE[0].format(case) for case in ("lists", "by_age"))
    library, case = "workflow/uncounted", "config/cases/lists.yaml"
    changes = [
        (f"{library}/models/multiple_systems.py", "fits", "estimates", ({fit_lists, fit_by_age}, {fit_toy})),
        (f"{library}/models/simple.py", "", "# changed", ({fit_toy}, {fit_lists, fit_by_age})),
        (case, "title: Lists", "title: Others", ({"Draw the figures of lists"}, {clean_lists, fit_lists, fit_toy})),
        (case, "published:", "unseen_odds: 1\npublished:", ({fit_lists}, {clean_lists, fit_by_age, fit_toy})),
        ("data/lists/lists.csv", "30", "31", ({clean_lists, clean_by_age, fit_lists, fit_by_age}, {fit_toy})),
    ]
    projects = copies(finished_both, tmp_path, changes)
    for (status, said), (*change, expected) in zip(run_all(projects, *BOTH, "-n"), changes, strict=True):
        assert status == 0, said
        again, not_again = expected
        assert again <= steps(said), change
        assert not not_again & steps(said), change


def test_a_family_of_models_may_fail_where_others_are_left(finished_both, tmp_path):
    # The stand-in lets through what has a table of weights: that it is asked is what counts here.
    project = finished_both.copy(tmp_path / "project")
    with (project / "config/cases/lists.yaml").open("a") as file:
        file.write("checks: {r_hat: 1.2}\n")
    status, said = project.snakemake(*BOTH)
    assert status == 0, said
    assert "Judge whether the fit of lists may be reported" in steps(said)
