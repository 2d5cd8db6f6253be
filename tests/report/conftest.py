"""A release with made-up tables, and its report."""

import json
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "figures"))

import made_up

from uncounted.figures import draw_case
from uncounted.report import write_report


class Release:
    """A release: change its tables, and write its report."""

    def __init__(self, folder):
        self.folder = folder

    def case(self, name="russia"):
        return self.folder / name

    @property
    def provenance(self):
        return json.loads((self.folder / "provenance.json").read_text())

    def write_provenance(self, **changes):
        (self.folder / "provenance.json").write_text(json.dumps(self.provenance | changes))

    def report(self):
        write_report(self.folder / "provenance.json", self.folder, self.folder / "report.html")
        return (self.folder / "report.html").read_text(encoding="utf-8")

    def copy(self, folder):
        return Release(shutil.copytree(self.folder, folder))


@pytest.fixture(scope="session")
def finished_release(tmp_path_factory):
    """A release with figures. Not to be changed: copy it."""
    folder = tmp_path_factory.mktemp("report") / "2024.1"
    config = made_up.make_case(folder / "russia")
    draw_case("russia", config, folder / "russia", folder / "russia" / "figures")
    provenance = {
        "release": "2024.1",
        "commit": "0123456789abcdef0123456789abcdef01234567",
        "clean": True,
        "seed": 20240407,
        "inputs": {"data/russia/named_totals.csv": "ab" * 32, "config/config.yaml": "cd" * 32},
        "code": "0123456789abcdef",
        "lock": {"file": "envs/requirements.txt", "sha256": "ef" * 32},
        "not_as_locked": {},
        "python": "3.11.9",
        "platform": "Linux x86_64",
        "processor": "generic",
        "packages": {"pandas": "3.0.0", "pymc": "5.28.0"},
        "config": {"release": "2024.1", "seed": 20240407, "cases": {"russia": config}},
    }
    (folder / "provenance.json").write_text(json.dumps(provenance))
    return Release(folder)


@pytest.fixture(scope="session")
def html(finished_release):
    """The report of the release."""
    return finished_release.report()


@pytest.fixture
def release(finished_release, tmp_path):
    """A copy of the release, for tests that change it."""
    return finished_release.copy(tmp_path / "release")
