"""What a release is made of, sealing it, and comparing it with the same made again."""

import json
import shutil

import pytest

from uncounted import provenance
from uncounted.errors import UserError
from uncounted.models import LISTS

COLUMNS = "case,quantity,level,mean,median,lower,upper,mcse_mean,mcse_median,mcse_lower,mcse_upper"


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library of a few files, in place of the real one."""
    package = tmp_path / "uncounted"
    contents = {
        "__init__.py": "",
        "console.py": "",
        "errors.py": "",
        "inference.py": "from uncounted.console import job\n",
        "evidence/__init__.py": "",
        "evidence/clean.py": "from uncounted.errors import UserError\nfrom . import months\n",
        "evidence/months.py": "",
        "evidence/schemas.py": "",
        "models/__init__.py": "def fit():\n    from uncounted import inference\n",
        "models/synthesis.py": "from uncounted.evidence.schemas import X\nimport numpy\n",
        "report/__init__.py": "",
        "report/report.html.j2": "",
        "report/__pycache__/x.pyc": "",
    }
    for path, text in contents.items():
        (package / path).parent.mkdir(parents=True, exist_ok=True)
        (package / path).write_text(text)
    (tmp_path / "lock").write_text("numpy==1\n")
    monkeypatch.setattr(provenance, "PACKAGE", package)
    monkeypatch.setattr(provenance, "LOCK", tmp_path / "lock")
    monkeypatch.setattr(provenance, "_content_hash", provenance.sha256)
    monkeypatch.setattr(provenance, "_imports", provenance._imports.__wrapped__)
    return package


@pytest.mark.parametrize(
    ("edited", "changes"),
    [
        ("report/report.html.j2", {"report"}),
        ("report/__pycache__/x.pyc", set()),
        ("evidence/months.py", {"evidence"}),
        ("evidence/schemas.py", {"evidence", "models"}),
        ("evidence/__init__.py", {"evidence", "models"}),
        ("models/synthesis.py", {"models"}),
        ("inference.py", {"inference", "models"}),
        ("console.py", set()),
        ("../lock", {"evidence", "inference", "models", "report"}),
    ],
)
def test_digest_changes_with_what_a_step_depends_on(library, edited, changes):
    rooms = ("evidence", "inference", "models", "report")
    before = {room: provenance.digest(room) for room in rooms}
    file = library / edited
    file.write_text(file.read_text() + "# changed\n")
    assert {room for room in rooms if provenance.digest(room) != before[room]} == changes


def test_digest_changes_with_a_new_or_a_renamed_file(library):
    before = provenance.digest("report")
    (library / "report" / "new.css").write_text("")
    after = provenance.digest("report")
    (library / "report" / "new.css").rename(library / "report" / "other.css")
    assert len({before, after, provenance.digest("report")}) == 3


def test_of_a_package_only_the_modules_that_are_taken_from_it_count(library):
    (library / "report" / "page.py").write_text("from uncounted.evidence import months\n")
    before = provenance.digest("report")
    for edited, changes in (("clean", False), ("months", True), ("__init__", True)):
        file = library / "evidence" / f"{edited}.py"
        text = file.read_text()
        file.write_text(text + "# changed\n")
        assert (provenance.digest("report") != before) is changes, edited
        file.write_text(text)


def test_digest_of_nothing_is_a_fault(library):
    with pytest.raises(ValueError, match="no code"):
        provenance.digest("rapport")


def test_a_synthesis_depends_on_no_model_of_lists():
    files = {file.stem for file in provenance._files_of("uncounted.models.evidence_synthesis")}
    assert {"evidence_synthesis", "inference"} <= files
    assert not files & {"multiple_systems", *LISTS}


def test_every_room_of_the_library_has_a_digest():
    for room in provenance._rooms():
        if room not in ("__init__", "console", "errors", "files"):
            assert len(provenance.digest(room)) == 16


def test_locked_versions(tmp_path):
    (tmp_path / "lock").write_text(
        "a-b==1.0 ; python_version < '3' \\\n    --hash=sha256:00\nc[x]==2.0.post1 \\\n    --hash=sha256:01\nd==3\n"
    )
    assert provenance.locked_versions(tmp_path / "lock") == {"a-b": "1.0", "c": "2.0.post1", "d": "3"}


def test_outside_git_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    assert provenance.code_state() == {"commit": None, "clean": False}


@pytest.fixture
def release(tmp_path, monkeypatch):
    """A release of two files, made from a commit that is still the one."""
    state = {"commit": "a" * 40, "clean": True}
    monkeypatch.setattr(provenance, "code_state", lambda: state)
    return make_release(tmp_path / "results" / "2026.11", [["toy", "deaths", "0.95", 100, 99, 90, 110, 1, 1, 2, 2]])


def make_release(folder, rows, **made_of):
    (folder / "logs").mkdir(parents=True)
    (folder / "logs" / "x.log").write_text("")
    lines = [COLUMNS, *(",".join(map(str, row)) for row in rows)]
    (folder / "estimates.csv").write_text("\n".join(lines) + "\n")
    (folder / "report.html").write_text("a report")
    made = {
        "release": "2026.11",
        "commit": "a" * 40,
        "clean": True,
        "inputs": {},
        "platform": "Linux x86_64",
        "processor": "p",
        "python": "3.11.7",
        "packages": {},
        "config": {},
    } | made_of
    (folder / "provenance.json").write_text(json.dumps(made))
    files = [folder / name for name in ("estimates.csv", "report.html", "provenance.json")]
    provenance.write_manifest(
        provenance_json=folder / "provenance.json",
        release_folder=folder,
        files=files,
        out_json=folder / "manifest.json",
    )
    return folder


def test_manifest_lists_every_file(release):
    manifest = provenance.read_manifest(release)
    assert sorted(manifest["outputs"]) == ["estimates.csv", "provenance.json", "report.html"]
    assert manifest["outputs"]["report.html"] == {
        "sha256": provenance.sha256(release / "report.html"),
        "bytes": 8,
    }
    assert manifest["sealed"] is None


def test_sealed_release_is_refused(release):
    provenance.refuse_if_sealed(release)
    provenance.refuse_if_sealed(release / "not made yet")
    provenance.seal(release)
    with pytest.raises(UserError, match="was sealed on") as caught:
        provenance.refuse_if_sealed(release)
    assert "name a new release" in str(caught.value)
    with pytest.raises(UserError, match="sealed already"):
        provenance.seal(release)
    assert not (release / "report.html").stat().st_mode & 0o222
    assert provenance.newest_sealed(release.parent) == "2026.11"


def test_broken_manifest(release):
    (release / "manifest.json").write_text("{")
    with pytest.raises(UserError, match="not what the workflow wrote"):
        provenance.refuse_if_sealed(release)


def test_nothing_to_seal(release):
    with pytest.raises(UserError, match="no such release") as caught:
        provenance.seal(release.parent / "2026.12")
    assert "one of 2026.11" in str(caught.value)
    with pytest.raises(UserError, match="no release is sealed"):
        provenance.newest_sealed(release.parent)


def test_seal_asks_for_a_commit(tmp_path, monkeypatch):
    folder = make_release(tmp_path / "r" / "x", [], clean=False)
    with pytest.raises(UserError, match="no commit holds"):
        provenance.seal(folder)
    folder = make_release(tmp_path / "r" / "y", [])
    monkeypatch.setattr(provenance, "code_state", lambda: {"commit": "b" * 40, "clean": True})
    with pytest.raises(UserError, match="have changed since it was made from commit aaaaaaaaaaaa"):
        provenance.seal(folder)
    assert provenance.read_manifest(folder)["sealed"] is None


def test_seal_asks_for_the_files_that_are_listed(release):
    (release / "stranger.csv").write_text("")
    with pytest.raises(UserError, match=r"stranger\.csv is no part of it"):
        provenance.seal(release)
    (release / "stranger.csv").unlink()
    (release / "report.html").write_text("another")
    with pytest.raises(UserError, match=r"report\.html is not the file"):
        provenance.seal(release)
    (release / "report.html").unlink()
    with pytest.raises(UserError, match=r"report\.html is not the file"):
        provenance.seal(release)


def again(release, tmp_path, rows, **made_of):
    return provenance.compare(release, make_release(tmp_path / "again", rows, **made_of))


def differing(rows):
    return {row["file"]: row["seen"] for row in rows if not row["same"]}


SAME = ["toy", "deaths", "0.95", 100, 99, 90, 110, 1, 1, 2, 2]
NEAR = ["toy", "deaths", "0.95", 104, 99, 90, 110, 1, 1, 2, 2]
FAR = ["toy", "deaths", "0.95", 106, 99, 90, 110, 1, 1, 2, 2]
ELSEWHERE = {"processor": "q"}


def test_same_again_agrees(release, tmp_path):
    agrees, rows = again(release, tmp_path, [SAME])
    assert agrees
    assert differing(rows) == {}


def test_other_numbers_on_the_same_machine_do_not_agree(release, tmp_path):
    agrees, rows = again(release, tmp_path, [NEAR])
    assert not agrees
    assert differing(rows)["estimates.csv"] == "other bytes"
    assert any("at most 2.8 Monte Carlo standard errors apart" in row["seen"] for row in rows)


def test_elsewhere_numbers_may_differ_by_chance(release, tmp_path):
    agrees, rows = again(release, tmp_path, [NEAR], **ELSEWHERE)
    assert agrees
    assert differing(rows).keys() == {"estimates.csv", "provenance.json"}


def test_elsewhere_numbers_may_not_differ_by_more(release, tmp_path):
    agrees, rows = again(release, tmp_path, [FAR], **ELSEWHERE)
    assert not agrees
    seen = differing(rows)["estimates.csv: toy deaths 0.95"]
    assert seen == "mean 100, now 106: 4.2 Monte Carlo standard errors"


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [["toy", "others", *SAME[2:]]],
        [[*SAME[:3], "", *SAME[4:]]],
        [[*SAME[:3], 104, *SAME[4:7], 0, 0, 0, 0]],
    ],
    ids=["none", "another", "no number", "no error"],
)
def test_elsewhere_the_same_numbers_are_there(release, tmp_path, rows):
    if rows and rows[0][-1] == 0:
        shutil.rmtree(release)
        make_release(release, [[*SAME[:7], 0, 0, 0, 0]])
    assert not again(release, tmp_path, rows, **ELSEWHERE)[0]


def test_another_commit_may_be_named(release, tmp_path):
    agrees, rows = again(release, tmp_path, [SAME], commit="b" * 40)
    assert agrees
    assert differing(rows).keys() == {"provenance.json"}


def test_missing_file_does_not_agree(release, tmp_path):
    folder = make_release(tmp_path / "again", [SAME])
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["outputs"]["report.html"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    agrees, rows = provenance.compare(release, folder)
    assert not agrees
    assert differing(rows) == {"report.html": "not made"}


def test_verify_asks_for_the_inputs_of_the_release(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("1")
    folder = make_release(tmp_path / "results" / "x", [], inputs={"a.csv": "0" * 64, "b.csv": "0" * 64})
    with pytest.raises(UserError, match=r"any more: a\.csv, b\.csv") as caught:
        provenance.verify(folder, tmp_path / "elsewhere")
    assert f"git checkout {'a' * 40}" in str(caught.value)


def test_command_line(release, monkeypatch, capsys):
    monkeypatch.chdir(release.parents[1])
    assert provenance.main(["where", "2026.11"]) == 0
    assert capsys.readouterr().out == f"The report: {release / 'report.html'}\n"
    assert provenance.main(["where", "2026.12"]) == 1
    assert "there is no report" in capsys.readouterr().err
    assert provenance.main(["seal", "2026.11"]) == 0
    assert "git add --force results/2026.11/manifest.json" in capsys.readouterr().out
    assert provenance.main(["seal", "2026.11"]) == 1
    assert provenance.main(["seal"]) == 1
    assert "config/config.yaml: there is no such file" in capsys.readouterr().err
