"""Writing files so that a killed run leaves either the old file or the new one, never half of one."""

import fcntl
import os
import shutil
from contextlib import ExitStack, contextmanager
from pathlib import Path

from uncounted.errors import UserError

ROOM_FOR_A_RUN = 300_000_000
"""Bytes that a run may need on the disk: posteriors, their predecessors while they are replaced, figures."""

_held_locks = []


@contextmanager
def atomic_path(path):
    """Write a file whole or not at all.

    Parameters
    ----------
    path : str or Path
        The file to write. Its folder is made if need be.

    Yields
    ------
    Path
        A temporary name in the same folder, with the same suffix (libraries choose a format by it).
        It takes the place of `path` when the block ends well, and is removed when it does not.
    """
    path = Path(path)
    part = _part(path)
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def atomic_files(folder):
    """Write several files of a folder, or none of them: `atomic_path` for all at once.

    Parameters
    ----------
    folder : str or Path
        Other files in it stay as they are.

    Yields
    ------
    function
        Gives the temporary name to write to for the name of a file. All take their places when the block ends well.
    """
    with ExitStack() as files:
        yield lambda name: files.enter_context(atomic_path(Path(folder) / name))


@contextmanager
def atomic_folder(path):
    """Write a folder whole or not at all: `atomic_path` for a folder of files.

    Parameters
    ----------
    path : str or Path
        The folder to write. Files that it held before are gone when the block ends well.

    Yields
    ------
    Path
        An empty temporary folder beside it.
    """
    path = Path(path)
    part = _part(path)
    part.mkdir()
    try:
        yield part
        old = part.with_name(part.name + ".old")
        if path.exists():
            os.replace(path, old)
        os.replace(part, path)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _part(path):
    """Name a temporary neighbour of `path`, and clear away those that killed processes left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mark = f".{path.stem}.part"
    for stale in path.parent.glob(f"{mark}*"):
        owner = stale.name[len(mark) :].split(".")[0]
        if not (owner.isdigit() and _alive(int(owner))):
            shutil.rmtree(stale) if stale.is_dir() else stale.unlink(missing_ok=True)
    return path.with_name(f"{mark}{os.getpid()}{path.suffix}")


def _alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def hold_lock(path):
    """Hold a lock until this process ends, however it ends.

    Snakemake's own lock outlives a run that was killed, and then has to be removed by hand; this one
    goes with its process.

    Parameters
    ----------
    path : str or Path
        The lock file. Its content, the number of the process, is for people.

    Raises
    ------
    UserError
        If another process holds it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = open(path, "a+")  # noqa: SIM115 (stays open: closing it gives up the lock)
    if not locked(lock):
        lock.seek(0)
        holder = lock.read().strip()
        lock.close()
        raise UserError(
            f"another run{f' (process {holder})' if holder else ''} is at work in this folder",
            where=str(path.parent.absolute().parent),
            do="wait until it has ended, or stop it, then start again",
        )
    sign(lock)
    _held_locks.append(lock)


def locked(file):
    """Lock an open file, unless another process holds it. Closing it gives the lock up.

    Parameters
    ----------
    file : file object

    Returns
    -------
    bool
        Whether it is locked now.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def sign(file):
    """Write the number of this process into a file, open for appending, in place of what was there."""
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()


def check_writable(folder):
    """Make sure that files can be written in a folder, or that the folder can be made.

    Parameters
    ----------
    folder : str or Path
        It need not exist yet.

    Raises
    ------
    UserError
        If the folder, one in it, or the nearest one above it that exists, cannot be written to.
    """
    nearest = Path(folder).absolute()
    while not nearest.exists():
        nearest = nearest.parent
    if not nearest.is_dir():
        raise UserError(
            "this is a file, where results need a folder",
            where=str(nearest),
            do="move the file away",
        )
    within = [Path(place) for place, _, _ in os.walk(folder)]
    for place in [nearest, *within]:
        if not os.access(place, os.W_OK | os.X_OK):
            raise UserError(
                "no permission to write in this folder",
                where=str(place),
                expected="a folder that you may write to: results go there",
                do=f"give yourself the permission (`ls -ld {place}` shows who has it), or run the study in "
                "a copy of your own",
            )


def check_space(folder, needed=ROOM_FOR_A_RUN):
    """Make sure that there is room on the disk for what a run writes.

    Parameters
    ----------
    folder : str or Path
        A folder on the disk.
    needed : int, optional
        Bytes.

    Raises
    ------
    UserError
        If there is less.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UserError(
            f"only {free / 1e6:,.0f} MB are free on the disk",
            where=str(Path(folder).absolute()),
            expected=f"at least {needed / 1e6:,.0f} MB",
            do="free some space, then start again",
        )
