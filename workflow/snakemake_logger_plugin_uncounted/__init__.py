"""What a person sees of Snakemake in the terminal (`logger: uncounted` in the profile).

One line for each step as it starts, plain words at the end. A script tells itself why it failed, see
`uncounted.console`, so the lines that Snakemake adds about the command that ran it are left out. The
whole of what Snakemake says is in `.snakemake/log/`, and `snakemake --verbose` shows it in the terminal.
"""

import logging
import re
import sys
import textwrap
import time

from snakemake.logging import DefaultFormatter
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from uncounted.console import duration

# What Snakemake says in every run, and nobody who runs a study can use.
_ROUTINE = re.compile(
    "Assuming unrestricted shared|Building DAG|Using shell:|Provided |Rules claiming more|Conda environments:"
    "|Select jobs|Execute |Shutting down|Complete log|Elapsed time|Exiting because a job|Job stats"
    "|Restored previous version|Cannot restore|Removing output files of failed job|Touching output"
    "|Finished jobid|Group jobs|Waiting at most|At least one job did not complete"
    "|WorkflowError:\nAt least one job|This was a dry-run|Some jobs were triggered by provenance"
    "|Ignore corrupted or currently written metadata|Rules with|Reasons:|Warning: the following output files"
)
_FULL = ("No space left on device", "Disk quota exceeded")
_NOTHING = "Nothing to be done"
_MESSAGES = {
    _NOTHING: "Nothing to do: everything is there and up to date.",
    "Terminating processes on user request": "Stopped. The next `snakemake` goes on from here.",
    "Will exit after finishing": "Stopping, once the running steps have ended.",
}


class LogHandler(LogHandlerBase):
    """Write what happens to the terminal, one line at a time."""

    def __post_init__(self):
        self.setFormatter(DefaultFormatter())
        # A log that cannot be written, on a full disk say, is told once by the step that needs the space.
        logging.raiseExceptions = False
        self.stream = sys.stdout if self.common_settings.dryrun else sys.stderr
        self.steps = self.step = 0
        self.failed = self.stopped = self.full = False
        self.began = time.monotonic()

    @property
    def writes_to_stream(self):
        return True

    @property
    def writes_to_file(self):
        return False

    @property
    def has_filter(self):
        # With --verbose, Snakemake's own filter and words.
        return not self.common_settings.verbose

    @property
    def has_formatter(self):
        return True

    @property
    def needs_rulegraph(self):
        return False

    def emit(self, record):
        """Write one record, if it is for people."""
        try:
            text = self.format(record) if self.common_settings.verbose else self.words(record)
            if text:
                print(text, file=self.stream, flush=True)
        except BrokenPipeError:
            pass
        except Exception:
            self.handleError(record)

    def words(self, record):
        """Put a record into words.

        Parameters
        ----------
        record : logging.LogRecord

        Returns
        -------
        str or None
            None if it is not worth a line.
        """
        event = getattr(record, "event", None)
        message = str(record.msg or "").strip()
        if event == LogEvent.RUN_INFO:
            # A dry run gives it twice, before and after.
            self.steps = record.stats["total"] - record.stats.get("all", 0)
            return None
        if event == LogEvent.JOB_INFO:
            return self.words_for_step(record)
        if event in (LogEvent.JOB_ERROR, LogEvent.GROUP_ERROR):
            return self.words_for_failure(record)
        if event == LogEvent.SHELLCMD:
            return record.shellcmd if self.common_settings.printshellcmds else None
        if event == LogEvent.DEBUG_DAG:
            return self.format(record) if self.common_settings.debug_dag else None
        if event == LogEvent.ERROR:
            return self.words_for_error(record, message)
        if message.startswith("Elapsed time") and not self.failed:
            return f"Done in {duration(time.monotonic() - self.began)}."
        for begins, words in _MESSAGES.items():
            if message.startswith(begins):
                self.stopped = self.stopped or begins != _NOTHING
                return words
        if event in (None, LogEvent.JOB_STARTED) and not _ROUTINE.match(message):
            return message or None
        return None

    def words_for_step(self, record):
        """Say which step starts; in a dry run, also why it would."""
        if record.rule_name == "all":
            return None
        self.step += 1
        words = record.rule_msg or " ".join([record.rule_name, *record.wildcards.values()])
        line = f"[{self.step}/{self.steps}] {words}"
        if self.common_settings.dryrun:
            reason = " ".join(str(record.reason).split())
            line += f"\n      because: {textwrap.shorten(reason, 100, placeholder=' ...')}"
        return line

    def words_for_failure(self, record):
        """Say what was stopped, and where to read more."""
        self.failed = True
        if self.stopped:
            return None
        line = f"Stopped at {getattr(record, 'rule_name', 'a group of steps')}."
        logs = getattr(record, "log", None)
        if logs:
            line += f" Its log: {', '.join(logs)}"
        return line + "\nEarlier results are as they were; the next `snakemake` goes on from here."

    def words_for_error(self, record, message):
        """Leave out what the script that failed has said already."""
        exception = getattr(record, "exception", "")
        if "CalledProcessError in file" in message or _ROUTINE.match(message):
            self.failed = True
            return None
        if any(words in message for words in _FULL):
            said, self.full = self.full, True
            self.failed = True
            return None if said else "No space left on the disk. Free some, then start again: it goes on from here."
        if exception in ("OSError", "PermissionError"):
            # Snakemake itself could not write; the last line of its traceback says what.
            self.failed = True
            return message.splitlines()[-1]
        return message
