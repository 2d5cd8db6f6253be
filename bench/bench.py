"""Measure how long things take here and how good they are, and write it down beside what is wanted: `make bench`.

The report is made in a copy of the project under bench/work/, so that results stay as they are. One part alone:
`python bench/bench.py --only lists`; what bench/results.md says of the others stays.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psutil
from comparison import MISSED, as_markdown, compared
from lists import MEASUREMENTS, TWICE

from uncounted.compiling_process import held
from uncounted.config import read_config
from uncounted.console import duration
from uncounted.provenance import ROOT, STUDIED, code_state, installed_versions

WORK = ROOT / "bench" / "work"
RESULTS = ROOT / "bench" / "results.md"
README = ROOT / "README.md"
CORES = 2
NAMED = ("numba", "nutpie", "pymc", "pytensor", "snakemake")

TITLES = {"report": "The report", "tests": "The tests", "lists": "Multiple systems estimation"}
"""The parts of bench/results.md, in their order."""

_MARKS = re.compile(r"(<!-- bench:.*?-->\n).*?(\n<!-- /bench -->)", re.S)


@dataclass
class Measured:
    """How long something took, and the most memory that all its processes held at once."""

    seconds: float
    bytes: int


def measure(words, folder, environment):
    """Run a command to its end.

    Parameters
    ----------
    words : list of str
    folder : Path
        Where it runs.
    environment : dict

    Returns
    -------
    Measured
    """
    began = time.monotonic()
    process = subprocess.Popen(words, cwd=folder, env=environment)
    most = _Most(process.pid)
    status = process.wait()
    seconds = time.monotonic() - began
    if status:
        raise SystemExit(f"{' '.join(map(str, words))} ended with status {status}: nothing to measure")
    return Measured(seconds, most.stop())


class _Most(threading.Thread):
    """Watch the memory of a process and all that it starts."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.most, self.over = psutil.Process(process), 0, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(1.0):  # more often, watching would take a part of what it measures
            try:
                family = [self.process, *self.process.children(recursive=True)]
            except psutil.Error:
                continue
            self.most = max(self.most, sum(map(held, family)))

    def stop(self):
        self.over.set()
        self.join()
        return self.most


def measure_report(cases):
    """Measure the report in a copy of the project: cold, warm, with nothing to do, with a new template.

    Parameters
    ----------
    cases : list of str
        The studies that the config names. Of several, the first is measured alone as well.

    Returns
    -------
    dict of Measured
    """
    copy = WORK / "project"
    copy.mkdir(parents=True)
    for name in filter(lambda name: (ROOT / name).exists(), STUDIED):
        copied(ROOT / name, copy / name)
    snakemake = [sys.executable, "-m", "snakemake", "--cores", str(CORES)]

    def run(*words, caches="caches"):
        environment = with_caches(WORK / caches) | {"PYTHONPATH": str(copy / "workflow")}
        return measure([*snakemake, *words], copy, environment)

    measured = {
        "cold": run("--config", "release=cold"),
        "warm": run("--config", "release=warm"),
        "nothing": run("--config", "release=warm"),
        "dry": run("--config", "release=other", "-n"),
    }
    template = next((copy / "workflow" / "uncounted" / "report").rglob("*.j2"))
    template.write_text(template.read_text(encoding="utf-8") + "<!-- changed -->\n", encoding="utf-8")
    measured["template"] = run("--config", "release=warm")
    if len(cases) > 1:
        alone = ("--config", f"cases=[{cases[0]}]")
        measured["cold alone"] = run(*alone, "release=alone_cold", caches="caches_alone")
        measured["warm alone"] = run(*alone, "release=alone_warm", caches="caches_alone")
    return measured


def copied(source, target):
    """Copy a file or a folder, without what Python has compiled.

    Parameters
    ----------
    source, target : Path
        Folders above the target are made.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy2(source, target)


def with_caches(folder):
    """Give the environment in which all that is compiled or made once is kept in a folder.

    Parameters
    ----------
    folder : Path
        Empty for a cold start.

    Returns
    -------
    dict of str
    """
    flags = filter(None, [os.environ.get("PYTENSOR_FLAGS"), f"base_compiledir={folder / 'pytensor'}"])
    return os.environ | {
        "NUMBA_CACHE_DIR": str(folder / "numba"),
        "PYTENSOR_FLAGS": ",".join(flags),
        "MPLCONFIGDIR": str(folder / "matplotlib"),
        "XDG_CACHE_HOME": str(folder / "other"),
    }


def measure_tests():
    """Measure `make test` with cold caches, and again with those that it left.

    Returns
    -------
    dict of Measured
    """
    environment = with_caches(WORK / "caches_of_tests")
    return {name: measure(["make", "test"], ROOT, environment) for name in ("cold", "warm")}


def measure_lists():
    """Make each measurement of multiple systems estimation in a process of its own.

    Returns
    -------
    dict
        What `comparison.as_markdown` takes.
    """
    environment = with_caches(WORK / "caches_lists")
    found = {}
    for name in MEASUREMENTS:
        times = []
        for _ in range(2 if name in TWICE else 1):
            print(f"measuring {name}", file=sys.stderr, flush=True)
            began = time.monotonic()
            words = [sys.executable, str(ROOT / "bench" / "lists.py"), name]
            process = subprocess.run(words, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False)
            times.append(time.monotonic() - began)
            if process.returncode:
                raise SystemExit(f"{name} ended with status {process.returncode}: nothing to measure")
        found[name] = json.loads(process.stdout.splitlines()[-1])
        # Told at once: a run that is stopped later has not been for nothing.
        print(f"{name}: {json.dumps(found[name])}, {times}", file=sys.stderr, flush=True)
        if name in TWICE:
            found[f"{name}_seconds"] = times
    return found


def machine():
    """Describe this machine.

    Returns
    -------
    dict
    """
    versions = installed_versions()
    state = code_state()
    commit = state["commit"] or "none"
    return {
        "Processor": _processor(),
        "Cores": f"{len(_cores())} used of {os.cpu_count()}",
        "Memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "System": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "Packages": ", ".join(f"{name} {versions[name]}" for name in NAMED if name in versions),
        "Commit": commit if state["clean"] else f"{commit}, and changes that no commit holds",
        "Day": date.today().isoformat(),
    }


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _cores():
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))


def report_table(measured, cases):
    """Set how long the report took beside what it may take.

    Parameters
    ----------
    measured : dict of Measured
    cases : list of str
        The studies that it was made of.

    Returns
    -------
    str
        A Markdown table.
    """
    whole = "The whole report" if len(cases) == 1 else f"The whole report, {len(cases)} studies"
    # A study alone has its limits; all together may take twice as long.
    more = 1 if len(cases) == 1 else 2
    rows = [
        (f"{whole}, cold caches", "cold", 360 * more),
        (f"{whole}, warm caches", "warm", 180 * more),
        (f"The study {cases[0]} alone, cold caches", "cold alone", 360),
        (f"The study {cases[0]} alone, warm caches", "warm alone", 180),
        ("`snakemake` with nothing to do", "nothing", 3),
        ("`snakemake -n` before a whole run", "dry", 3),
        ("After a change of the report's template alone", "template", 15),
    ]
    lines = [_line(words, allowed, measured[name].seconds) for words, name, allowed in rows if name in measured]
    most = max(measured[name].bytes for name in ("cold", "warm"))
    held_at_most = f"{most / 1e9:.1f} GB{_mark(most > 2e9)}"
    lines.append(f"| Most memory of a whole run, what processes share counted once | 2.0 GB | {held_at_most} |")
    return "\n".join([_HEADING, *lines])


def tests_table(measured):
    """Write what the tests took, beside what is allowed.

    Parameters
    ----------
    measured : dict of Measured
        ``cold`` and ``warm``.

    Returns
    -------
    str
    """
    lines = [_line(f"`make test`, {name} caches", 480, found.seconds) for name, found in measured.items()]
    return "\n".join([_HEADING, *lines])


_HEADING = "| | allowed | here |\n|---|---:|---:|"


def _line(words, allowed, seconds):
    return f"| {words} | {duration(allowed)} | {_time(seconds)}{_mark(seconds > allowed)} |"


def _time(seconds):
    return f"{seconds:.1f} s" if seconds < 60 else duration(seconds)


def _mark(over):
    return " **too much**" if over else ""


def measured_part(name):
    """Measure one part, and write what was found.

    Parameters
    ----------
    name : str
        A key of :data:`TITLES`.

    Returns
    -------
    str
        Its text in bench/results.md.
    """
    if name == "tests":
        return tests_table(measure_tests())
    if name == "report":
        cases = list(read_config(ROOT / "config" / "config.yaml")["cases"])
        return report_table(measure_report(cases), cases)
    found = measure_lists()
    README.write_text(with_table(README.read_text(encoding="utf-8"), compared(found)), encoding="utf-8")
    return as_markdown(found)


def with_table(text, table):
    """Put a table where the README keeps it.

    Parameters
    ----------
    text : str
        With the comments ``<!-- bench: ... -->`` and ``<!-- /bench -->`` around the place.
    table : str

    Returns
    -------
    str
    """
    return _MARKS.sub(lambda marks: marks[1] + table + marks[2], text)


def with_part(results, name, text):
    """Put a part into the results, and leave the others as they are.

    Parameters
    ----------
    results : str
        What bench/results.md holds; it may be empty.
    name : str
        A key of :data:`TITLES`.
    text : str

    Returns
    -------
    str
    """
    parts = dict(part.split("\n", 1) for part in results.split("\n## ")[1:])
    parts[TITLES[name]] = f"\n{text}\n"
    lines = [f"## {title}\n{parts[title].rstrip()}\n" for title in TITLES.values() if title in parts]
    return "# Measured by `make bench`\n\nOn 2 cores, installation aside.\n\n" + "\n".join(lines)


def main():
    """Measure, and write bench/results.md.

    Returns
    -------
    int
        The exit status: 1 if something took more than it may, or is not as good as wanted.
    """
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", choices=TITLES, default=list(TITLES), help="measure these parts alone")
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(_cores())[:CORES])
    shutil.rmtree(WORK, ignore_errors=True)
    texts = []
    for name in arguments.only:
        where = "\n".join(f"| {about} | {value} |" for about, value in machine().items())
        texts.append(f"{measured_part(name)}\n\n| | |\n|---|---|\n{where}")
        earlier = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
        RESULTS.write_text(with_part(earlier, name, texts[-1]), encoding="utf-8")
        print(texts[-1], flush=True)
    shutil.rmtree(WORK, ignore_errors=True)
    return int(any(mark in text for text in texts for mark in ("too much", MISSED)))


if __name__ == "__main__":
    raise SystemExit(main())
