"""Files are whole or not there, locks end with their process, and a lack of permission or space is told."""

import os
import shutil
import subprocess
import sys

import pytest

from uncounted import files
from uncounted.errors import UserError


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_file_takes_its_place_at_the_end(tmp_path):
    target = tmp_path / "new" / "x.csv"
    with files.atomic_path(target) as part:
        part.write_text("whole")
        assert part.suffix == ".csv"
        assert not target.exists()
    assert target.read_text() == "whole"
    assert names(target.parent) == ["x.csv"]


def test_failure_leaves_the_old_file(tmp_path):
    target = tmp_path / "x.csv"
    target.write_text("old")
    with pytest.raises(KeyError), files.atomic_path(target) as part:
        part.write_text("half")
        raise KeyError
    assert target.read_text() == "old"
    assert names(tmp_path) == ["x.csv"]


def test_several_files_take_their_places_together(tmp_path):
    (tmp_path / "a.csv").write_text("old")
    with pytest.raises(KeyError), files.atomic_files(tmp_path) as place:
        place("a.csv").write_text("new")
        place("b.csv").write_text("new")
        raise KeyError
    assert names(tmp_path) == ["a.csv"]
    with files.atomic_files(tmp_path) as place:
        place("a.csv").write_text("new")
        place("b.csv").write_text("new")
        assert (tmp_path / "a.csv").read_text() == "old"
    assert names(tmp_path) == ["a.csv", "b.csv"]
    assert (tmp_path / "a.csv").read_text() == "new"


def test_what_a_killed_process_left_is_cleared(tmp_path):
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    (tmp_path / f".x.part{killed.pid}.csv").write_text("half")
    alive = tmp_path / f".x.part{os.getppid()}.csv"
    alive.write_text("of another process")
    with files.atomic_path(tmp_path / "x.csv") as part:
        part.write_text("whole")
    assert names(tmp_path) == sorted([alive.name, "x.csv"])


def test_folder_takes_its_place_at_the_end(tmp_path):
    target = tmp_path / "evidence"
    target.mkdir()
    (target / "old").write_text("")
    with pytest.raises(KeyError), files.atomic_folder(target):
        raise KeyError
    assert names(target) == ["old"]
    with files.atomic_folder(target) as part:
        (part / "new").write_text("")
    assert names(target) == ["new"]
    assert names(tmp_path) == ["evidence"]


def test_lock_is_told_and_ends_with_its_process(tmp_path):
    lock = tmp_path / ".snakemake" / "lock"
    hold = "import sys; from uncounted import files; files.hold_lock(sys.argv[1]); print('held', flush=True);"
    other = subprocess.Popen(
        [sys.executable, "-c", f"{hold} sys.stdin.read()", str(lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout.readline() == "held\n"
    with pytest.raises(UserError, match=f"another run \\(process {other.pid}\\) is at work"):
        files.hold_lock(lock)
    other.kill()
    other.communicate()
    files.hold_lock(lock)
    assert lock.read_text() == f"{os.getpid()}\n"
    files._held_locks.pop().close()


def test_writable_folder_need_not_exist(tmp_path):
    files.check_writable(tmp_path / "a" / "b")
    assert names(tmp_path) == []


def test_file_in_the_place_of_a_folder(tmp_path):
    (tmp_path / "results").write_text("")
    with pytest.raises(UserError, match="this is a file"):
        files.check_writable(tmp_path / "results" / "draft")


@pytest.mark.parametrize("forbidden", ["", "draft", "draft/toy"])
def test_no_permission_to_write(tmp_path, monkeypatch, forbidden):
    # Whoever runs the tests may be root, who may write anywhere.
    (tmp_path / "draft" / "toy").mkdir(parents=True)
    place = tmp_path / forbidden
    monkeypatch.setattr(os, "access", lambda path, mode: os.fspath(path) != os.fspath(place))
    with pytest.raises(UserError, match="no permission to write") as caught:
        files.check_writable(tmp_path / ("draft" if forbidden else "new"))
    assert str(caught.value).startswith(f"{place}: ")


def test_too_little_space(tmp_path):
    files.check_space(tmp_path, needed=1)
    with pytest.raises(UserError, match="MB are free"):
        files.check_space(tmp_path, needed=shutil.disk_usage(tmp_path).total * 2)
