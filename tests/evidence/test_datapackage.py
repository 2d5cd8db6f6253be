"""Every table of every study is described, column by column, and the descriptions hold."""

import csv
import json
import re
from pathlib import Path

import frictionless
import pytest

from uncounted.config import read_case, tables
from uncounted.evidence.readings import READINGS

PROJECT = Path(__file__).parents[2]
CASES = sorted(path.parent for path in (PROJECT / "data").glob("*/datapackage.json"))


def described(case) -> dict[str, dict]:
    """The description of each table, by its path."""
    package = json.loads((case / "datapackage.json").read_text(encoding="utf-8"))
    return {resource["path"]: resource for resource in package["resources"]}


def heading(path) -> list[str]:
    """The columns of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file))


def test_there_are_studies():
    assert {case.name for case in CASES} == {"russia", "kosovo", "gaza", "uk"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
class TestDataPackage:
    """Of one study."""

    def test_it_is_valid(self, case):
        report = frictionless.validate(str(case / "datapackage.json"))
        assert report.valid, report.flatten(["type", "title", "message"])

    def test_every_table_is_described_and_present(self, case):
        assert sorted(described(case)) == sorted(path.name for path in case.glob("*.csv"))

    def test_every_column_is_described_with_type_unit_and_meaning(self, case):
        for path, table in described(case).items():
            fields = table["schema"]["fields"]
            assert [field["name"] for field in fields] == heading(case / path), path
            for field in fields:
                assert field["type"], (path, field["name"])
                assert field["unit"], (path, field["name"])
                assert field["description"].endswith("."), (path, field["name"])

    def test_every_table_says_where_it_comes_from(self, case):
        for path, table in described(case).items():
            assert table["sources"], path
            assert table["credit"], path
            assert table["description"], path

    def test_the_figures_keep_their_owners_terms(self, case):
        package = json.loads((case / "datapackage.json").read_text(encoding="utf-8"))
        assert "owners' terms" in package["licenses"][0]["title"]


def test_a_wrong_table_would_be_noticed(tmp_path):
    for path in (PROJECT / "data/russia").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    table = tmp_path / "named_totals.csv"
    table.write_text(table.read_text().replace("4515", "many"))
    assert not frictionless.validate(str(tmp_path / "datapackage.json")).valid


def test_every_table_of_the_config_is_described(russia):
    tables = {entry["table"] for entry in russia["sources"].values()}
    assert tables == set(described(PROJECT / "data/russia"))


def test_the_config_asks_for_columns_that_are_described(russia):
    tables = described(PROJECT / "data/russia")
    for entry in russia["sources"].values():
        layout = READINGS[entry["reads"]].layout
        fields = {field["name"] for field in tables[entry["table"]]["schema"]["fields"]}
        assert {column.name for column in layout.columns} <= fields


def test_every_source_is_used_until_a_day_or_kept_for_something(russia):
    for name, entry in russia["sources"].items():
        assert ("used_until" in entry) != ("kept_for" in entry), name


def test_the_readme_names_every_table():
    readme = (PROJECT / "data/README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `([^`]+\.csv)`", readme, flags=re.MULTILINE))
    others = [case for case in CASES if case.name != "russia"]
    paths = {f"{case.name}/{path}" for case in others for path in described(case)}
    assert set(described(PROJECT / "data/russia")) | paths <= named


@pytest.mark.parametrize("name", ["kosovo", "gaza_by_age_and_sex", "gaza_by_month", "uk_6_lists", "uk_5_lists"])
def test_the_lists_and_strata_of_the_config_are_described(name):
    case = read_case(PROJECT / "config/cases", name)
    folder = PROJECT / "data" / case["data"]
    assert all(Path(path).is_file() for path in tables(name, case, PROJECT / "data"))
    for table in case["tables"]:
        fields = [field["name"] for field in described(folder)[table]["schema"]["fields"]]
        assert fields == [*case["strata"], *case["lists"], case["count"]]
    assert case["published"] in described(folder)


def test_the_configs_of_lists_are_short():
    for name in ("kosovo", "gaza_by_age_and_sex", "gaza_by_month", "uk_6_lists", "uk_5_lists"):
        text = (PROJECT / f"config/cases/{name}.yaml").read_text(encoding="utf-8")
        assert sum(not line.startswith("#") for line in text.splitlines()) <= 14, name


def test_gaza_by_month_needs_no_structural_zeros():
    text = (PROJECT / "data/gaza/capture_histories_by_month.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    months = {row["month"] for row in rows}
    assert len(rows) == 7 * len(months) == 63
    assert read_case(PROJECT / "config/cases", "gaza_by_month")["structural_zeros"] == []
