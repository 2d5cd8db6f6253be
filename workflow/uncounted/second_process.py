"""A second Python process for work that need not wait: plain Python keeps one core busy, and leaves the others idle.

It is a process of its own and no thread, because plain Python holds the interpreter; and it is started
afresh and not forked, because a fork of a process with threads may hang, and because the script of a job, which
:mod:`multiprocessing` would run again, does its work when it is run.
"""

import contextlib
import importlib
import logging
import logging.handlers
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import traceback
from concurrent.futures import Future

_COMMAND = "from uncounted.second_process import serve; serve()"


class SecondProcess:
    """Calls functions in another Python process, one after the other.

    What the functions log is logged here. When this process ends, in whatever way, the other one ends too.

    Examples
    --------
    >>> with SecondProcess() as beside:
    ...     answer = beside.call("math", "factorial", 20)
    ...     answer.result()
    2432902008176640000
    """

    def __enter__(self):
        self._answers = queue.SimpleQueue()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _COMMAND], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._reader = threading.Thread(target=self._read, daemon=True, name="answers of the second process")
        self._reader.start()
        return self

    def call(self, module, function, /, *arguments, **named):
        """Have a function called, and go on.

        Parameters
        ----------
        module, function : str
            Where the function stands, and its name.
        *arguments, **named
            What it is called with; can be pickled, as what it returns.

        Returns
        -------
        concurrent.futures.Future
            Its ``result()`` waits, and raises what the function raised, or `ChildProcessError` where the process ended
            before it had answered (it was killed, or ran out of memory).
        """
        answer = Future()
        self._answers.put(answer)
        # The process is gone: the reader says so in the answer.
        with contextlib.suppress(BrokenPipeError):
            pickle.dump((module, function, arguments, named), self._process.stdin)
            self._process.stdin.flush()
        return answer

    def _read(self):
        try:
            while True:
                kind, content = pickle.load(self._process.stdout)
                if kind == "log":
                    logging.getLogger(content.name).handle(content)
                elif kind == "result":
                    self._answers.get().set_result(content)
                else:
                    self._answers.get().set_exception(content)
        except EOFError:
            status = self._process.wait()
            ended = ChildProcessError(f"a second process ended before it had answered (status {status})")
        except Exception as unreadable:  # nobody may wait for ever for what cannot be read
            ended = unreadable
        while True:
            self._answers.get().set_exception(ended)

    def __exit__(self, failure, *_):
        if failure is not None:
            self._process.kill()
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()


def serve():
    """Call what is asked for on standard input, and answer on standard output, until the input ends."""
    # Ctrl-C in a terminal reaches this process too, and the first one is to say what happens.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = _Answers()
    logging.basicConfig(format="%(message)s", handlers=[logging.handlers.QueueHandler(answers)], level=logging.INFO)
    logging.captureWarnings(True)
    asked = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(asked,), daemon=True).start()
    while True:
        module, function, arguments, named = asked.get()
        try:
            result = getattr(importlib.import_module(module), function)(*arguments, **named)
        except Exception as error:  # not swallowed: the first process raises it
            error.add_note(f"in a second process:\n{traceback.format_exc()}")
            answers.tell("failure", error)
        else:
            answers.tell("result", result)


def _listen(asked):
    """Put what is asked for into a queue; at its end, leave the work that nobody waits for any more."""
    with contextlib.suppress(EOFError, pickle.UnpicklingError):
        while True:
            asked.put(pickle.load(sys.stdin.buffer))
    os._exit(0)


class _Answers:
    """What the first process reads: results and log records, on what was standard output."""

    def __init__(self):
        self._lock = threading.Lock()
        self._stream = os.fdopen(os.dup(1), "wb")
        # What libraries print must not get between the answers.
        os.dup2(2, 1)

    def tell(self, kind, content):
        with self._lock:
            pickle.dump((kind, content), self._stream)
            self._stream.flush()

    def put_nowait(self, record):
        """Take a log record, as :class:`logging.handlers.QueueHandler` gives it."""
        self.tell("log", record)
