"""The lock, the environment for conda, and how the Makefile sets things up."""

import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from uncounted.provenance import KEPT, locked_versions

ROOT = Path(__file__).resolve().parents[1]
LOCK = (ROOT / "envs" / "requirements.txt").read_text(encoding="utf-8")
ENVIRONMENT = (ROOT / "envs" / "environment.yaml").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def entries():
    """Each package of the lock with its marker and its hashes."""
    return re.findall(r"^([a-z0-9][^\s=]*)==(\S+)(?: ; ([^\\]+?))? \\\n((?:    --hash=.*\n?)+)", LOCK, flags=re.M)


def test_lock_has_hashes_and_one_version_of_each_package():
    names = [name for name, *_ in entries()]
    assert len(names) == LOCK.count("==") - LOCK.count(" == ")
    assert len(set(names)) == len(names) > 100
    for _, _, _, hashes in entries():
        assert "sha256:" in hashes


def test_lock_holds_on_linux_and_macos_from_311_to_313():
    for _, _, marker, _ in entries():
        for system, machine in [
            ("linux", "x86_64"),
            ("linux", "aarch64"),
            ("darwin", "arm64"),
            ("darwin", "x86_64"),
        ]:
            for python in ("3.11", "3.12", "3.13"):
                where = {"sys_platform": system, "platform_machine": machine}
                where |= {"python_version": python, "python_full_version": f"{python}.0"}
                # One package is compiled for some machines only, and optional on the others.
                assert Marker(marker).evaluate(where) or "platform_machine" in marker


def test_lock_names_no_index():
    assert "://" not in LOCK
    assert "index" not in LOCK
    assert not re.search(r"^\s*-[^-]|^--", LOCK, flags=re.M)


def test_lock_satisfies_the_project():
    locked = {canonicalize_name(name): version for name, version in locked_versions().items()}
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)]), requirement


def test_conda_users_get_the_same_versions():
    environment = yaml.safe_load(ENVIRONMENT)
    pins = next(item["pip"] for item in environment["dependencies"] if isinstance(item, dict))
    versions = dict(pin.split(" ; ")[0].split("==") for pin in pins)
    assert versions == locked_versions()
    python = next(item for item in environment["dependencies"] if str(item).startswith("python "))
    assert python.removeprefix("python ") == PROJECT["requires-python"]


def test_environment_is_what_the_lock_makes_of_it():
    environment = runpy.run_path(str(ROOT / "envs" / "environment.py"))["environment"]
    assert environment(LOCK) == ENVIRONMENT, "run make lock"


def test_installed_packages_are_the_locked_ones():
    if os.environ.get("CONDA_PREFIX") or sys.prefix != str(ROOT / ".venv"):
        pytest.skip("not in the environment that make setup makes")
    from uncounted.provenance import installed_versions

    locked = locked_versions()
    assert {n: v for n, v in installed_versions().items() if v != locked[n]} == {}


FAKE_PYTHON = """\
#!/bin/sh
# Stands in for Python: notes what is asked of it, and makes an environment with itself in it.
echo "$*" >> "$NOTES"
case "$*" in
  *"-m venv"*) for folder; do :; done
    rm -rf "$folder"; mkdir -p "$folder/bin"; cp "$0" "$folder/bin/python" ;;
  *"$FAILS"*) exit 1 ;;
esac
"""


@pytest.fixture
def house(tmp_path):
    """A place to set up, where Python is only a stand-in."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy2(ROOT / name, tmp_path / name)
    (tmp_path / "envs").mkdir()
    (tmp_path / "envs" / "requirements.txt").write_text(
        "a==1 \\\n    --hash=sha256:0\nsetuptools==84 \\\n    --hash=sha256:1\n    --hash=sha256:2\nz==1 \\\n"
    )
    fake = tmp_path / "fake-python"
    fake.write_text(FAKE_PYTHON)
    fake.chmod(0o755)
    return tmp_path


def make(folder, *words, fails="never"):
    notes = folder / "notes"
    notes.unlink(missing_ok=True)
    environment = {"PATH": os.environ["PATH"], "NOTES": str(notes), "FAILS": fails}
    made = subprocess.run(["make", *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return made, notes.read_text() if notes.exists() else ""


def test_setup_is_made_once_and_mended_if_cut_short(house):
    words = ("setup", "PYTHON=./fake-python")
    made, notes = make(house, *words, fails="envs/requirements.txt")
    assert made.returncode != 0
    assert not (house / ".venv" / ".ready").exists()

    (house / ".venv" / "half-made").write_text("")
    made, notes = make(house, *words)
    assert made.returncode == 0, made.stderr
    assert "--require-hashes" in notes
    assert "--editable ." in notes
    assert not (house / ".venv" / "half-made").exists()
    assert (house / ".venv" / "setuptools.txt").read_text() == (
        "setuptools==84 \\\n    --hash=sha256:1\n    --hash=sha256:2\n"
    )

    assert make(house, *words)[1] == ""

    later = (house / ".venv" / ".ready").stat().st_mtime + 10
    os.utime(house / "pyproject.toml", (later, later))
    notes = make(house, *words)[1]
    assert "--editable ." in notes
    assert "venv" not in notes

    os.utime(house / "envs" / "requirements.txt", (later + 10, later + 10))
    assert "-m venv --clear .venv" in make(house, *words)[1]


def test_a_kill_while_renewing_leaves_no_mark(house):
    words = ("setup", "PYTHON=./fake-python")
    make(house, *words)
    later = (house / ".venv" / ".ready").stat().st_mtime + 10
    os.utime(house / "envs" / "requirements.txt", (later, later))
    assert make(house, *words, fails="setuptools.txt")[0].returncode != 0
    assert not (house / ".venv" / ".ready").exists()
    assert "--editable ." in make(house, *words)[1]


@pytest.mark.parametrize("python", ["PYTHON=false", "PYTHON=", "PYTHON=no-such-python"])
def test_a_missing_python_is_told(house, python):
    made, _ = make(house, "report", python)
    assert made.returncode != 0
    assert "This needs Python 3.11, 3.12 or 3.13, and none was found" in made.stderr
    assert "make report PYTHON=" in made.stderr


def test_make_alone_says_what_there_is(house):
    made, notes = make(house)
    assert made.returncode == 0
    assert notes == ""
    for target in ("report", "test", "seal", "verify", "bench", "lock", "setup"):
        assert f"make {target}" in made.stdout


def test_git_keeps_what_a_reviewer_should_see(tmp_path):
    shutil.copy2(ROOT / ".gitignore", tmp_path / ".gitignore")
    release = [f"results/2026.11/{name}" for name in KEPT]
    ignored = [
        "results/2026.11/estimates.parquet",
        "results/2026.11/russia/fits/synthesis.nc",
        "results/draft/report.html",
        ".snakemake/log/x",
        ".venv/bin/python",
        "bench/work/project/Snakefile",
    ]
    for name in [*release, *ignored, "bench/results.md"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    asked = [*git, "ls-files", "--others", "--exclude-standard"]
    kept = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    assert sorted(kept) == sorted([".gitignore", "bench/results.md", *release])


def test_continuous_integration_runs_tests_and_report():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = script.read_text(encoding="utf-8").splitlines()
    assert "set -euo pipefail" in lines
    assert lines.index("make test") < lines.index("make report")
