"""Copies of this process that compile, and end when they have.

Compiling takes several hundred megabytes, which a process does not give back until it ends. As many copies compile at a
time as there are cores, and none begins while the others hold much memory: more at a time would take no less time.

A copy that has grown large ends before it has done: what it has compiled is on disk, and a second one takes it from
there.
"""

import contextlib
import gc
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings
from contextlib import contextmanager
from pathlib import Path

from uncounted import console
from uncounted.files import locked, sign

_logger = logging.getLogger("uncounted")
_ROOM = 500_000_000
"""Bytes that others who compile may hold when one more begins."""

_LARGE = 1_000_000_000
"""Bytes in memory of a copy from which on a second one goes on, and that the second one may come to hold."""

_GOES_ON = 75  # status of a copy that has grown large

_WAIT = 0.2  # seconds
_HARMLESS = (console.WATCHER, "Dummy-")
"""Names of threads that hold no lock: of jobs, and of the sampler when it tells how far it is."""

_ON_LINUX = sys.platform == "linux"  # elsewhere, libraries of the system may not be used after a fork


@contextmanager
def in_a_copy(places, function, *arguments):
    """Have a copy of this process call a function that compiles; at the end of the block it is waited for.

    Nothing is done where a process may not be forked: off Linux, and beside threads of others, which do not go on in
    the copy, so that what they hold is held for good. That the copy has failed is seen by what it has not left on disk.

    Parameters
    ----------
    places : str or Path
        Folder of the places to compile in, one for each core: the same for all who compile.
    function : callable
    *arguments
        What it is called with.
    """
    if not _may_fork():
        yield
        return
    copy = _start(Path(places), 0, _call_until_large, function, *arguments)
    try:
        yield
        copy.join()
        if copy.exitcode == _GOES_ON:
            copy = _start(Path(places), _LARGE, function, *arguments)
    except BaseException:
        copy.kill()
        raise
    finally:
        copy.join()
    if copy.exitcode:
        _logger.debug(f"the process that was to compile ended with status {copy.exitcode}")


def held(process):
    """Say how much memory a process holds.

    Parameters
    ----------
    process : psutil.Process

    Returns
    -------
    int
        Bytes. Of what several share, each has its part; where the system does not tell that, it is in none of them.
        0 if the process has ended.
    """
    import psutil

    try:
        memory = process.memory_full_info()
    except psutil.Error:
        return 0
    return getattr(memory, "pss", memory.uss)


def _may_fork():
    return _ON_LINUX and all(
        thread is threading.main_thread() or thread.name.startswith(_HARMLESS) for thread in threading.enumerate()
    )


def _start(places, expected, function, *arguments):
    with _place(places) as place, warnings.catch_warnings():
        # Of threads beside this one; see `_may_fork`.
        warnings.simplefilter("ignore", DeprecationWarning)
        context = multiprocessing.get_context("fork")
        copy = context.Process(target=_call, args=(place, expected, function, arguments), daemon=True)
        copy.start()
    return copy


def _call(place, expected, function, arguments):
    """Call a function, in a place that is this process's for as long as it runs; `expected` bytes are kept for it."""
    gc.freeze()  # what is collected is written to, and no longer shared with the first process
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process is interrupted, and ends this one
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()
    sign(place)
    place.write(f"{expected}\n")
    place.flush()
    function(*arguments)


def _call_until_large(function, *arguments):
    """Call a function that compiles; once this process has grown large, end it before it compiles something more."""
    import psutil
    from numba.core import event

    this = psutil.Process()

    class Watch(event.Listener):
        def on_start(self, _):
            if this.memory_info().rss > _LARGE:
                os._exit(_GOES_ON)

        def on_end(self, _):
            """Nothing: what was compiled is not on disk yet."""

    with event.install_listener("numba:compile", Watch()):
        function(*arguments)


def _end_with(process):
    process.join()
    os._exit(1)


@contextmanager
def _place(folder):
    """Wait for a place, and until those in the others hold little memory. What is forked meanwhile keeps the place."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as opened:
        places = [opened.enter_context(open(folder / f"{number}.lock", "a+")) for number in range(_cores())]
        while not (mine := next(filter(locked, places), None)):
            time.sleep(_WAIT)
        mine.truncate(0)  # who waits is not waited for
        others = [place for place in places if place is not mine]
        while sum(map(_held_in, others)) > _ROOM:
            time.sleep(_WAIT)
        sign(mine)
        yield mine


def _held_in(place):
    """Bytes that the process in a place holds, or that are kept for it; 0 if there is none."""
    import psutil

    with open(place.name, "a+") as again:
        if locked(again):  # until it is closed, at once
            return 0
    place.seek(0)
    number, expected = (*map(int, place.read().split()), 0, 0)[:2]
    try:
        return max(held(psutil.Process(number)), expected) if number else 0
    except psutil.Error:
        return 0  # ended since


def _cores():
    return len(os.sched_getaffinity(0)) if _ON_LINUX else os.cpu_count() or 1
