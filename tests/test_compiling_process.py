"""Processes that compile: they end when they have, and with the one that started them, and wait for each other."""

import multiprocessing
import os
import threading
import time

import numba
import psutil
import pytest

from uncounted import compiling_process
from uncounted.compiling_process import held, in_a_copy


@pytest.fixture(autouse=True)
def forks(monkeypatch):
    monkeypatch.setattr(compiling_process, "_ON_LINUX", True)


@pytest.fixture
def copies(tmp_path):
    """A function that tells of the process that calls it and then works on; and the numbers of those that called."""
    told = tmp_path / "told"

    def tell(seconds):
        with open(told, "a") as lines:
            lines.write(f"{os.getpid()}\n")
        time.sleep(seconds)

    def numbers():
        until = time.monotonic() + 20
        while not told.exists() and time.monotonic() < until:
            time.sleep(0.01)
        return [int(line) for line in told.read_text().split()]

    return tell, numbers


def all_ended(processes):
    """Whether processes end within 20 seconds."""
    until = time.monotonic() + 20
    while any(map(psutil.pid_exists, processes)) and time.monotonic() < until:
        time.sleep(0.01)
    return not any(map(psutil.pid_exists, processes))


def test_another_process_calls_and_is_waited_for(tmp_path, copies):
    tell, numbers = copies
    with in_a_copy(tmp_path / "places", tell, 0.0):
        pass
    (number,) = numbers()
    assert number != os.getpid()
    assert not psutil.pid_exists(number)


def test_a_process_with_threads_of_others_is_not_copied(tmp_path, copies):
    tell, _ = copies
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    try:
        with in_a_copy(tmp_path / "places", tell, 0.0):
            pass
    finally:
        ended.set()
        thread.join()
    assert not (tmp_path / "told").exists()


def test_an_interrupt_ends_the_copy(tmp_path, copies):
    tell, numbers = copies
    with pytest.raises(KeyboardInterrupt), in_a_copy(tmp_path / "places", tell, 60.0):
        numbers()
        raise KeyboardInterrupt
    assert all_ended(numbers())


def test_the_copy_ends_with_the_process_that_started_it(tmp_path, copies):
    tell, numbers = copies

    def start():
        with in_a_copy(tmp_path / "places", tell, 60.0):
            pass

    first = multiprocessing.get_context("fork").Process(target=start)
    first.start()
    numbers()
    first.kill()
    first.join()
    assert all_ended(numbers())


def test_a_copy_keeps_its_place_as_long_as_it_runs(tmp_path, copies, monkeypatch):
    tell, numbers = copies
    monkeypatch.setattr(compiling_process, "_cores", lambda: 1)
    with in_a_copy(tmp_path / "places", tell, 1.0):
        numbers()
        began = time.monotonic()
        with compiling_process._place(tmp_path / "places"):
            assert time.monotonic() - began > 0.3


def test_the_memory_of_a_process_that_has_ended_is_none():
    process = multiprocessing.get_context("fork").Process(target=os.getpid)
    process.start()
    ended = psutil.Process(process.pid)
    process.join()
    assert held(ended) == 0
    assert held(psutil.Process()) > 1_000_000


def test_a_copy_that_has_grown_large_leaves_the_rest_to_a_second_one(tmp_path, copies, monkeypatch):
    """The second one does not end before it has done, and as much is kept for it as the first one held."""
    tell, numbers = copies
    monkeypatch.setattr(compiling_process, "_LARGE", 1_000_000)
    kept = tmp_path / "kept"

    def compiles(places):
        kept.write_text(kept.read_text() + "begun " if kept.exists() else "begun ")
        tell(0.0)
        kept.write_text(kept.read_text() + (places / "0.lock").read_text().split()[1] + " ")
        numba.njit(lambda number: number + 1)(1)
        kept.write_text(kept.read_text() + "done")

    with in_a_copy(tmp_path / "places", compiles, tmp_path / "places"):
        pass
    assert kept.read_text() == "begun 0 begun 1000000 done"
    assert len(set(numbers())) == 2


def test_what_is_kept_for_a_copy_counts_as_held(tmp_path):
    with open(tmp_path / "0.lock", "a+") as place:
        assert compiling_process.locked(place)
        compiling_process.sign(place)
        assert 0 < compiling_process._held_in(place) < 10**12
        place.write(f"{10**12}\n")
        place.flush()
        assert compiling_process._held_in(place) == 10**12


@pytest.fixture
def waits(monkeypatch):
    """How often a process waited for a place."""
    waited = []
    monkeypatch.setattr(compiling_process.time, "sleep", waited.append)
    return waited


def asked_for_while_held(tmp_path, waits):
    """Whether a place had to be waited for while there was another, and was given when that one was given back."""
    entered = []

    def enter():
        with compiling_process._place(tmp_path):
            entered.append(True)

    other = threading.Thread(target=enter, daemon=True)
    with compiling_process._place(tmp_path):
        other.start()
        until = time.monotonic() + 20
        while not waits and other.is_alive() and time.monotonic() < until:
            pass
        waited = other.is_alive() and not entered
    other.join(20)
    return waited and entered == [True]


def test_no_more_compile_at_a_time_than_there_are_cores(tmp_path, waits, monkeypatch):
    monkeypatch.setattr(compiling_process, "_cores", lambda: 1)
    assert asked_for_while_held(tmp_path, waits)


def test_none_begins_to_compile_while_others_hold_much_memory(tmp_path, waits, monkeypatch):
    monkeypatch.setattr(compiling_process, "_cores", lambda: 2)
    monkeypatch.setattr(compiling_process, "_ROOM", 1_000_000)
    assert asked_for_while_held(tmp_path, waits)
    waits.clear()
    monkeypatch.setattr(compiling_process, "_ROOM", 100_000_000_000)
    assert not asked_for_while_held(tmp_path, waits)
    assert not waits


def test_the_number_of_a_process_that_has_ended_holds_nobody_up(tmp_path, waits, monkeypatch):
    monkeypatch.setattr(compiling_process, "_cores", lambda: 2)
    monkeypatch.setattr(compiling_process, "_ROOM", 1_000_000)
    for number in range(2):
        (tmp_path / f"{number}.lock").write_text(f"{os.getpid()}\n")
    with compiling_process._place(tmp_path):
        assert not waits


def test_two_that_wait_do_not_wait_for_each_other(tmp_path, waits, monkeypatch):
    """Each holds much memory, and a place; a third one that compiles is waited for by both, and then by neither."""
    monkeypatch.setattr(compiling_process, "_cores", lambda: 3)
    monkeypatch.setattr(compiling_process, "_ROOM", 1_000_000)
    entered = []

    def enter():
        with compiling_process._place(tmp_path):
            entered.append(True)

    others = [threading.Thread(target=enter, daemon=True) for _ in range(2)]
    with compiling_process._place(tmp_path):
        for other in others:
            other.start()
        until = time.monotonic() + 20
        while len(waits) < 4 and time.monotonic() < until:
            pass
        assert waits and not entered
    for other in others:
        other.join(20)
    assert entered == [True, True]
