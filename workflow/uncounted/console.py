"""Talking to the person who waits: what is running, how far it is, and what went wrong.

Every script of the workflow runs inside `job`. Its messages go to the terminal, one line each, and with
the time to the log of the job; what libraries have to say goes to the log alone.
"""

import contextlib
import errno
import logging
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from contextlib import contextmanager
from pathlib import Path

from uncounted.errors import UserError

logger = logging.getLogger("uncounted")

WATCHER = "end when orphaned"
"""Name of the thread of a job that ends it when Snakemake is gone."""

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def job(log_path, name=None):
    """Run a script of the workflow: messages to terminal and log, mistakes of input as plain messages.

    Parameters
    ----------
    log_path : str or Path
        The log file of the job.
    name : str, optional
        Stands in brackets before each line in the terminal. Without it, it follows from the place of the
        log: `results/draft/russia/logs/fit.log` is `fit russia`.

    Yields
    ------
    logging.Logger
        `info` for what the person should know, `warning` for what the person should not overlook.

    Raises
    ------
    SystemExit
        With status 1 after a mistake that the person can mend (`UserError`, a full disk, a missing
        permission), once it has been told without a traceback. Any other exception is a fault of the
        program, and is raised again once its traceback is in the log.
    """
    log_path = Path(log_path)
    log_path.parent.mkdir(parents=True, exist_ok=True)
    terminal = sys.stderr
    with contextlib.closing(_Log(log_path)) as log:
        to_terminal = logging.StreamHandler(terminal)
        to_terminal.setFormatter(_Prefixed(f"[{name or _name_from(log_path)}]"))
        to_log = logging.StreamHandler(log)
        to_log.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S"))
        with contextlib.ExitStack() as undo:
            # The log takes everything, the terminal only what this project says.
            undo.enter_context(_handler(logging.getLogger(), to_log))
            undo.enter_context(_handler(logger, to_terminal))
            undo.enter_context(_captured_warnings())
            undo.enter_context(contextlib.redirect_stdout(log))
            undo.enter_context(contextlib.redirect_stderr(log))
            undo.enter_context(_temporary_files_apart())
            undo.enter_context(_interruptible())
            _end_when_orphaned()
            began = time.monotonic()
            try:
                yield logger
            except UserError as error:
                logger.error(str(error))
                raise SystemExit(1) from None
            except KeyboardInterrupt:
                to_log.emit(_record("stopped on request"))
                raise SystemExit(130) from None
            except Exception as error:
                plain = explain(error)
                log.write(traceback.format_exc())
                if plain is None:
                    terminal.write(f"{to_terminal.formatter.prefix} {traceback.format_exc()}")
                    raise SystemExit(1) from None
                logger.error(str(plain))
                raise SystemExit(1) from None
            to_log.emit(_record(f"done in {duration(time.monotonic() - began)}"))


@contextmanager
def _temporary_files_apart():
    """Put temporary files into a folder that goes with the job: PyTensor leaves one for each function it compiles."""
    before = tempfile.tempdir, os.environ.get("TMPDIR")
    with tempfile.TemporaryDirectory(prefix="uncounted-", ignore_cleanup_errors=True) as folder:
        tempfile.tempdir = os.environ["TMPDIR"] = folder
        try:
            yield
        finally:
            tempfile.tempdir = before[0]
            os.environ.pop("TMPDIR")
            if before[1] is not None:
                os.environ["TMPDIR"] = before[1]


def explain(error):
    """Put a failure of the machine (no space, no permission, no memory) into a message for people.

    Parameters
    ----------
    error : Exception

    Returns
    -------
    UserError or None
        None if the error is not one of these.
    """
    if isinstance(error, MemoryError):
        return UserError("not enough memory", do="close other programs, or use a machine with more")
    if isinstance(error, ChildProcessError):
        return UserError(str(error), do="if memory had run out, close other programs; then start again")
    if not isinstance(error, OSError):
        return None
    where = str(error.filename or "")
    # HDF5 and Arrow give the number of the error only inside their text.
    text = str(error)
    if error.errno in _FULL or "No space left on device" in text or "Disk quota exceeded" in text:
        return UserError(
            "no space left on the disk", where, do="free some space, then start again: it goes on from here"
        )
    if error.errno in _FORBIDDEN or "Permission denied" in text:
        return UserError("no permission to write or read", where, do="change who may write there")
    return None


@contextmanager
def plain_errors():
    """Tell a `UserError` plainly and end with status 1: for the Snakefile, before any job runs."""
    try:
        yield
    except UserError as error:
        print(error, file=sys.stderr, flush=True)
        raise SystemExit(1) from None


class Progress:
    """Say every few seconds how far a piece of work is, and how long it may still take.

    Parameters
    ----------
    total : int
        How many steps there are.
    what : str
        What the steps are, as in "drawing from the posterior".
    unit : str, optional
        What is counted, as in "draws".
    every : float, optional
        Seconds between two lines.

    Examples
    --------
    >>> with Progress(8000, "drawing from the posterior", "draws") as seen:  # doctest: +SKIP
    ...     seen(1200)
    """

    def __init__(self, total, what, unit="", every=5.0):
        self.total, self.what, self.unit, self.every = total, what, unit, every
        self.done = 0
        self.began = self.told = time.monotonic()

    def __call__(self, done):
        """Take note that `done` steps of the total are done."""
        self.done = done
        now = time.monotonic()
        if now - self.told >= self.every and done < self.total:
            self.told = now
            logger.info(self.line(now))

    def enough(self, done, unit):
        """Take note that `done` steps, counted in `unit`, were enough, where `total` was the most there could be."""
        self.done = self.total = done
        self.unit = unit

    def line(self, now):
        """Put the state of the work into one line.

        Parameters
        ----------
        now : float
            Seconds on the clock of `time.monotonic`.

        Returns
        -------
        str
        """
        share = self.done / self.total if self.total else 1.0
        line = f"{self.what}: {self.done:,} of {self.total:,} {self.unit}".rstrip() + f" ({share:.0%})"
        if 0 < share < 1:
            line += f", {duration((now - self.began) * (1 - share) / share)} left"
        return line

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        if failure is None:
            self.done = self.total
            took = duration(time.monotonic() - self.began)
            logger.info(f"{self.what}: {self.total:,} {self.unit}".rstrip() + f" in {took}")


def duration(seconds):
    """Write a length of time as people say it.

    Parameters
    ----------
    seconds : float

    Returns
    -------
    str

    Examples
    --------
    >>> duration(4.2), duration(75), duration(4000)
    ('4 s', '1 min 15 s', '1 h 6 min')
    """
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


class _Log:
    """The log of a job. That the disk is full is told in the terminal: the log must not fail over it."""

    def __init__(self, path):
        self.file = open(path, "w", encoding="utf-8", buffering=1)  # noqa: SIM115 (closed by close)

    def write(self, text):
        with contextlib.suppress(OSError):
            self.file.write(text)

    def flush(self):
        with contextlib.suppress(OSError):
            self.file.flush()

    def close(self):
        with contextlib.suppress(OSError):
            self.file.close()

    def isatty(self):
        return False


class _Prefixed(logging.Formatter):
    """Put the name of the job before the first line of a message, and the others under it."""

    def __init__(self, prefix):
        super().__init__()
        self.prefix = prefix

    def format(self, record):
        lines = record.getMessage().splitlines() or [""]
        return "\n".join([f"{self.prefix} {lines[0]}", *(f"{' ' * len(self.prefix)} {x}" for x in lines[1:])])


def _record(message):
    return logging.LogRecord("uncounted", logging.INFO, "", 0, message, None, None)


def _name_from(log_path):
    if log_path.parent.name == "logs" and log_path.parent.parent.parent.parent.name == "results":
        return f"{log_path.stem} {log_path.parent.parent.name}"
    return log_path.stem


@contextmanager
def _handler(of, handler):
    level = of.level
    of.addHandler(handler)
    of.setLevel(logging.INFO)
    try:
        yield
    finally:
        of.removeHandler(handler)
        of.setLevel(level)


@contextmanager
def _captured_warnings():
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)


@contextmanager
def _interruptible():
    """Clean up before ending when the person, the workflow or the cluster asks the job to end."""
    interrupted = threading.Event()

    def interrupt(*_):
        # Once is enough: the second of two signals must not disturb the cleaning up.
        if not interrupted.is_set():
            interrupted.set()
            raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [signal.signal(number, interrupt) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def interrupt_jobs_too():
    """Pass an interrupt of Snakemake on to its jobs.

    Ctrl-C in a terminal reaches them anyway; without this, an interrupt of Snakemake alone would wait until
    they have ended.
    """
    import psutil

    def interrupt(*_):
        for child in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                child.terminate()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)


def _end_when_orphaned(every=1.0):
    """End this job when the Snakemake that started it is gone.

    After a SIGKILL of Snakemake its jobs would go on, and could write over what the next run writes.
    """
    import psutil

    watched = []
    for ancestor in psutil.Process().parents():
        watched.append(ancestor)
        with contextlib.suppress(psutil.Error):
            if any(Path(word).name == "snakemake" for word in ancestor.cmdline()[:3]):
                break
    else:
        return  # not started by Snakemake

    def watch():
        # A signal that this thread took would not wake the main one.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
        while all(_runs(ancestor) for ancestor in watched):
            time.sleep(every)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name=WATCHER).start()


def _runs(process):
    import psutil

    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
