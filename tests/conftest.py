"""What tests share: a small copy of the project, whose stages take no time; a release with made-up tables; an order."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from made_up_release import new_release, new_release_of_lists
from uncounted import compiling_process

ROOT = Path(__file__).resolve().parents[1]
STUBS = ROOT / "tests" / "stubs" / "uncounted"

CONFIG = """\
release: "draft"
seed: 1
cases: [toy]
"""
CASE = """\
title: A toy
kind: evidence_synthesis
model: simple
war: {from: 2022-02-24}
cut_off: 2024-04-07
sources:
  list: {table: list.csv, reads: named_totals, used_until: 2024-04-19}
  graves: {table: graves.csv, reads: coverage_checks, kept_for: comparison}
"""

# A run of the workflow keeps within 2 GB: it compiles one model after the other, and a large one in two processes.
# Tests may take more, and less time.
compiling_process._ROOM = compiling_process._LARGE = 8_000_000_000

LONGEST = (
    "test_recovery.py",
    "test_lists_study.py",
    "test_workflow.py",
    "test_lists_report.py",
    "test_same_bytes.py",
    "test_latent_class.py",
    "test_survival.py",
    "test_models_of_lists.py",
    "test_calibration.py",
    "test_compiling.py",
)
"""Files that take long. They come first, so that none is left to run alone at the end of `make test`; and those that
compile most before those to which parts of it are of use."""

TOGETHER = ("figures", "report")
"""Folders of tests that share a release, which takes long to make: one process has them all."""


def pytest_collection_modifyitems(items):
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))


def pytest_xdist_make_scheduler(config, log):
    """Give each process whole files of tests, or all files of a folder."""
    from xdist.scheduler import LoadFileScheduling

    class ByWhatTheyShare(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.split("::")[0]
            return " and ".join(TOGETHER) if Path(file).parent.name in TOGETHER else file

    return ByWhatTheyShare(config, log)


@dataclass
class Project:
    """A copy of the project, and how to run it."""

    folder: Path

    def __truediv__(self, path):
        return self.folder / path

    def environment(self):
        kept = {key: value for key, value in os.environ.items() if not key.startswith("SNAKEMAKE")}
        return kept | {"PYTHONPATH": str(self.folder / "workflow"), "XDG_CACHE_HOME": str(self / ".cache")}

    def start(self, *words, **options):
        """Start a Python module and do not wait for it."""
        return subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )

    def run(self, *words):
        """Run a Python module; return the exit status and what was said."""
        process = self.start(*words)
        said, _ = process.communicate(timeout=120)
        return process.returncode, said

    def snakemake(self, *words):
        return self.run("snakemake", *words)

    def files(self, folder="results"):
        """Give the content of every result; logs and the marks of finished steps apart."""
        files = sorted(file for file in (self / folder).rglob("*") if file.is_file())
        return {str(f.relative_to(self / folder)): f.read_bytes() for f in files if "logs" not in f.parts}

    def edit(self, path, old, new):
        file = self / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def copy(self, folder):
        """Copy the project as it is, with its results and what Snakemake remembers of them."""
        shutil.copytree(self.folder, folder, symlinks=True, copy_function=shutil.copy2)
        return Project(folder)

    def git(self, *words):
        who = ["-c", "user.name=A. Tester", "-c", "user.email=tester@example.org"]
        subprocess.run(["git", *who, *words], cwd=self.folder, check=True, capture_output=True)


@pytest.fixture(scope="session")
def finished_project(tmp_path_factory):
    """A copy of the project after one whole run. Not to be changed: copy it."""
    project = new_project(tmp_path_factory.mktemp("finished") / "project")
    status, said = project.snakemake()
    assert status == 0, said
    (project / "said.txt").write_text(said)
    return project


@pytest.fixture
def project(finished_project, tmp_path):
    """A copy of the project after one whole run."""
    return finished_project.copy(tmp_path / "project")


@pytest.fixture(scope="session")
def finished_release(tmp_path_factory):
    """A release of the Russian case, with figures. Not to be changed: copy it."""
    return new_release(tmp_path_factory.mktemp("release") / "2024.1")


@pytest.fixture(scope="session")
def finished_lists(finished_release, tmp_path_factory):
    """A release with studies of lists and one of the other kind. Not to be changed: copy it."""
    release = finished_release.copy(tmp_path_factory.mktemp("lists") / "2024.2")
    return new_release_of_lists(release, tmp_path_factory.mktemp("data"))


def new_project(folder):
    """Make a copy of the project with a toy study and stages that take no time."""
    folder.mkdir(parents=True)
    for name in ("Snakefile", "pyproject.toml", ".gitignore"):
        shutil.copy2(ROOT / name, folder / name)
    for name in ("profiles", "envs"):
        shutil.copytree(ROOT / name, folder / name)
    library = folder / "workflow" / "uncounted"
    for name in ("rules", "scripts", "schemas", "snakemake_logger_plugin_uncounted"):
        shutil.copytree(ROOT / "workflow" / name, folder / "workflow" / name)
    shutil.copytree(STUBS, library)
    single = ("config.py", "console.py", "errors.py", "files.py", "provenance.py", "text.py")
    for name in (*single, "models/multiple_systems.yaml"):
        shutil.copy2(ROOT / "workflow" / "uncounted" / name, library / name)
    # Empty modules in the place of the plugins for clusters, which cost Snakemake a third of its start.
    for name in ("slurm", "slurm_jobstep"):
        write(folder / "workflow" / f"snakemake_executor_plugin_{name}.py", "")
    write(folder / "config" / "config.yaml", CONFIG)
    write(folder / "config" / "cases" / "toy.yaml", CASE)
    write(folder / "data" / "toy" / "list.csv", "50")
    write(folder / "data" / "toy" / "graves.csv", "7")
    write(folder / "data" / "toy" / "datapackage.json", "{}")
    project = Project(folder)
    project.git("init", "--quiet")
    project.git("add", ".")
    project.git("commit", "--quiet", "--message", "toy")
    return project


def write(path, text):
    """Write a file, and its folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
