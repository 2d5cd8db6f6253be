"""A release with made-up tables."""

import json
import shutil
import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parent / "figures"))

import made_up
import made_up_lists

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

    def change(self, case, table, change):
        """Write a table anew, as a function of it has it."""
        file = self.case(case) / f"{table}.parquet"
        change(pd.read_parquet(file)).to_parquet(file)

    def copy(self, folder):
        return Release(shutil.copytree(self.folder, folder))


def files_of(folder):
    """Give the content of each file of a folder, by name."""
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def new_release(folder):
    """Make a release of the Russian case, with figures."""
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


def new_release_of_lists(release, data):
    """Add studies of lists to a release; some of them have tables of their own, in the folder `data`."""
    made = {
        "kosovo": (*made_up_lists.study("kosovo"), {}),
        "gaza_by_age_and_sex": (*made_up_lists.study("gaza_by_age_and_sex"), {}),
        "split": (*made_up_lists.study("kosovo"), {"disagrees": True}),
        "evil": (*made_up_lists.evil(data / "evil"), {}),
        "two": (*made_up_lists.two_lists(data / "two"), {}),
        "none": (*made_up_lists.study("kosovo"), {"answered": False}),
    }
    config = release.provenance["config"]
    for name, (case, tables, options) in made.items():
        made_up_lists.make_case(release.case(name), case, tables, **options)
        draw_case(name, case, release.case(name), release.case(name) / "figures")
        config["cases"][name] = case
    described = made_up_lists.PROJECT / "data" / "kosovo" / "datapackage.json"
    release.write_provenance(config=config, inputs={str(described): "ab" * 32})
    return release
