"""Work beside the work."""

import doctest
import logging
import os
import subprocess
import sys
import time

import psutil
import pytest

from uncounted import second_process
from uncounted.errors import UserError
from uncounted.second_process import SecondProcess

HERE = "tests_of_second_process"
MODULE = """
import logging, os, time
from uncounted.errors import UserError

kept = []


def keep(value):
    kept.append(value)
    return list(kept)


def speak():
    print("a library prints")
    os.write(1, b"and another one")
    logging.getLogger("uncounted").info("half is done")
    return os.getpid()


def refuse():
    raise UserError("no such column", where="table, line 3", expected="one of a, b")


class Unreadable(Exception):
    def __init__(self, one, two):
        super().__init__(one)


def break_down():
    raise Unreadable(1, 2)


def fall():
    os.kill(os.getpid(), 9)


def sleep(path):
    open(path, "w").write(str(os.getpid()))
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def functions(tmp_path, monkeypatch):
    (tmp_path / f"{HERE}.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)


def test_calls_are_made_one_after_the_other_in_one_process():
    with SecondProcess() as beside:
        first, second = beside.call(HERE, "keep", "a"), beside.call(HERE, "keep", value="b")
        assert second.result() == ["a", "b"]
        assert first.result() == ["a"]


def test_the_example_runs():
    found = doctest.testmod(second_process)
    assert found.attempted and not found.failed


def test_messages_arrive_and_prints_do_no_harm(caplog):
    with caplog.at_level(logging.INFO), SecondProcess() as beside:
        assert beside.call(HERE, "speak").result() != os.getpid()
    assert ("uncounted", logging.INFO, "half is done") in caplog.record_tuples


def test_a_mistake_of_input_is_raised_as_itself():
    with SecondProcess() as beside:
        answer = beside.call(HERE, "refuse")
        with pytest.raises(UserError, match="no such column") as raised:
            answer.result()
        assert raised.value.where == "table, line 3"
        assert "in refuse" in raised.value.__notes__[0]
        assert beside.call(HERE, "keep", 1).result() == [1]


def test_a_process_that_was_killed_is_told_of():
    with SecondProcess() as beside:
        killed, never = beside.call(HERE, "fall"), beside.call(HERE, "keep", 1)
        for answer in (killed, never, beside.call(HERE, "keep", 2)):
            with pytest.raises(ChildProcessError, match="ended before it had answered"):
                answer.result(timeout=30)


def test_nobody_waits_for_an_answer_that_cannot_be_read():
    with SecondProcess() as beside:
        for answer in (beside.call(HERE, "break_down"), beside.call(HERE, "keep", 1)):
            with pytest.raises(TypeError, match="two"):
                answer.result(timeout=30)


def test_an_error_in_the_first_process_ends_the_second(tmp_path):
    with pytest.raises(ZeroDivisionError), SecondProcess() as beside:
        beside.call(HERE, "sleep", tmp_path / "pid")
        process = _started(tmp_path / "pid")
        raise ZeroDivisionError
    assert not process.is_running()


def test_the_second_process_ends_when_the_first_is_killed(tmp_path):
    program = (
        f"from uncounted.second_process import SecondProcess as P\nP().__enter__().call({HERE!r}, 'sleep', 'pid')\n"
    )
    first = subprocess.Popen([sys.executable, "-c", program + "import time; time.sleep(600)"], cwd=tmp_path)
    process = _started(tmp_path / "pid")
    first.kill()
    first.wait()
    assert psutil.wait_procs([process], timeout=30)[1] == []


def _started(path):
    for _ in range(600):
        if path.exists() and path.read_text():
            return psutil.Process(int(path.read_text()))
        time.sleep(0.05)
    raise AssertionError("the second process did not start")
