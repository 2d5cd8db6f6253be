"""What a person sees: one line a message, plain words for what can be mended, how far a piece of work is."""

import errno
import logging
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import pytest

from uncounted import console
from uncounted.errors import UserError


@pytest.fixture
def log(tmp_path):
    return tmp_path / "results" / "draft" / "russia" / "logs" / "fit.log"


def test_messages_go_to_terminal_and_log(log, capsys):
    with console.job(log) as say:
        say.info("one\ntwo")
        logging.getLogger("uncounted.models").info("from a module")
        logging.getLogger("pymc").warning("from a library")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("a warning", stacklevel=1)
        print("printed")
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "[fit russia] one\n             two\n[fit russia] from a module\n"
    written = log.read_text()
    for words in ("one\ntwo", "from a module", "from a library", "a warning", "printed", "done in 0 s"):
        assert words in written


def test_nothing_stays_behind(log):
    before = (logging.getLogger().handlers[:], console.logger.handlers[:], logging.getLogger().level)
    with pytest.raises(SystemExit), console.job(log):
        raise UserError("x")
    assert (logging.getLogger().handlers, console.logger.handlers, logging.getLogger().level) == before


def test_temporary_files_go_with_the_job(log, monkeypatch):
    monkeypatch.setenv("TMPDIR", tempfile.gettempdir())
    before = tempfile.tempdir, os.environ["TMPDIR"]
    with console.job(log):
        with tempfile.NamedTemporaryFile(delete=False) as left:
            pass
        program = "import tempfile; print(tempfile.mkstemp()[1])"
        said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        files = [Path(left.name), Path(said.strip())]
        assert all(file.exists() for file in files)
    assert not any(file.exists() for file in files)
    assert (tempfile.tempdir, os.environ["TMPDIR"]) == before


def test_user_error_is_told_plainly(log, capsys):
    with pytest.raises(SystemExit) as caught, console.job(log):
        raise UserError("'x' is no count", where="a.csv, line 3", expected="a whole number")
    assert caught.value.code == 1
    for text in (capsys.readouterr().err, log.read_text()):
        assert "a.csv, line 3: 'x' is no count\n" in text
        assert "expected: a whole number" in text
        assert "Traceback" not in text


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a.nc"), "a.nc: no space left on the disk"),
        (OSError(errno.EDQUOT, "Disk quota exceeded", "a.nc"), "a.nc: no space left on the disk"),
        (OSError("Can't write data (No space left on device)"), "no space left on the disk"),
        (PermissionError(errno.EACCES, "Permission denied", "a.nc"), "a.nc: no permission"),
        (OSError(errno.EROFS, "Read-only file system", "a.nc"), "a.nc: no permission"),
        (MemoryError(), "not enough memory"),
        (ChildProcessError("a second process ended"), "a second process ended"),
    ],
)
def test_failures_of_the_machine_are_told_plainly(log, capsys, error, said):
    with pytest.raises(SystemExit) as caught, console.job(log):
        raise error
    assert caught.value.code == 1
    seen = capsys.readouterr().err
    assert said in seen
    assert "Traceback" not in seen
    assert "Traceback" in log.read_text()


@pytest.mark.parametrize("error", [KeyError("x"), FileNotFoundError(errno.ENOENT, "No such file", "x")])
def test_faults_of_the_program_show_their_traceback(log, capsys, error):
    with pytest.raises(SystemExit) as caught, console.job(log):
        raise error
    assert caught.value.code == 1
    for text in (capsys.readouterr().err, log.read_text()):
        assert "Traceback" in text
        assert type(error).__name__ in text


def test_interrupt_is_quiet(log, capsys):
    with pytest.raises(SystemExit) as caught, console.job(log):
        raise KeyboardInterrupt
    assert caught.value.code == 130
    assert capsys.readouterr().err == ""
    assert "stopped on request" in log.read_text()


def test_log_on_a_full_disk_does_not_fail(tmp_path, capsys):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    (tmp_path / "fit.log").symlink_to("/dev/full")
    with console.job(tmp_path / "fit.log") as say:
        say.info("goes on")
        print("and on")
    assert capsys.readouterr().err == "[fit] goes on\n"


def test_name_can_be_given(log, capsys):
    with console.job(log, "fit of russia") as say:
        say.info("x")
    assert capsys.readouterr().err == "[fit of russia] x\n"


def test_job_ends_when_its_snakemake_is_killed(tmp_path):
    job = tmp_path / "job.py"
    job.write_text(
        "import os, sys, time\n"
        "from uncounted.console import job\n"
        f"with job({str(tmp_path / 'x.log')!r}):\n"
        "    print(os.getpid(), file=sys.__stdout__, flush=True)\n"
        "    time.sleep(60)\n"
    )
    # Stands in for Snakemake: what counts is the name of the program, and that a shell is between.
    snakemake = tmp_path / "snakemake"
    snakemake.write_text(
        f"import subprocess; subprocess.run('{sys.executable} {job}; true', shell=True, check=False)\n"
    )
    parent = subprocess.Popen([sys.executable, str(snakemake)], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    parent.kill()
    # The pipe ends when the last process that holds it does.
    assert parent.stdout.read() == ""
    parent.communicate()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_plain_errors(capsys):
    with pytest.raises(SystemExit) as caught, console.plain_errors():
        raise UserError("wrong", do="mend it")
    assert caught.value.code == 1
    assert capsys.readouterr().err == "wrong\n  what to do: mend it\n"


def test_progress_says_how_far_and_how_long(log, capsys, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: clock[0])
    with console.job(log), console.Progress(8000, "drawing", "draws") as seen:
        for seconds, done in [(1, 100), (6, 1000), (8, 1500), (20, 4000), (40, 8000)]:
            clock[0] = seconds
            seen(done)
    assert capsys.readouterr().err.splitlines() == [
        "[fit russia] drawing: 1,000 of 8,000 draws (12%), 42 s left",
        "[fit russia] drawing: 4,000 of 8,000 draws (50%), 20 s left",
        "[fit russia] drawing: 8,000 draws in 40 s",
    ]


def test_progress_of_nothing():
    assert console.Progress(0, "nothing").line(0.0) == "nothing: 0 of 0 (100%)"


def test_progress_that_ends_early_tells_what_was_done(tmp_path, capsys):
    with console.job(tmp_path / "job.log"), console.Progress(64_000, "drawing", "sweeps at most") as seen:
        seen(1000)
        seen.enough(4000, "sweeps")
    assert "drawing: 4,000 sweeps in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (59.7, "1 min"), (75, "1 min 15 s"), (3600, "1 h 0 min"), (4000, "1 h 6 min")],
)
def test_duration(seconds, words):
    assert console.duration(seconds) == words
