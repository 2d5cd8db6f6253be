"""Measure how long the study takes here, and write it down beside what it may take: `make bench`.

Everything but the tests runs in a copy of the project under bench/work/, so that results stay as they are.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psutil

from uncounted.console import duration
from uncounted.provenance import ROOT, STUDIED, code_state, installed_versions

WORK = ROOT / "bench" / "work"
CORES = 2
NAMED = ("numba", "nutpie", "pymc", "pytensor", "snakemake")


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
    """Watch the memory of a process and all that it starts. What two of them share counts twice."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.most, self.over = psutil.Process(process), 0, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.1):
            total = 0
            try:
                family = [self.process, *self.process.children(recursive=True)]
            except psutil.Error:
                continue
            for member in family:
                try:
                    total += member.memory_info().rss
                except psutil.Error:
                    continue
            self.most = max(self.most, total)

    def stop(self):
        self.over.set()
        self.join()
        return self.most


def measure_study():
    """Measure the study in a copy of the project: cold, warm, with nothing to do, with a new template.

    Returns
    -------
    dict of Measured
    """
    shutil.rmtree(WORK, ignore_errors=True)
    copy, caches = WORK / "project", WORK / "caches"
    copy.mkdir(parents=True)
    for name in STUDIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, copy / name)
    environment = os.environ | {
        "PYTHONPATH": str(copy / "workflow"),
        "NUMBA_CACHE_DIR": str(caches / "numba"),
        "PYTENSOR_FLAGS": ",".join(
            filter(None, [os.environ.get("PYTENSOR_FLAGS"), f"base_compiledir={caches / 'pytensor'}"])
        ),
        "MPLCONFIGDIR": str(caches / "matplotlib"),
        "XDG_CACHE_HOME": str(caches / "other"),
    }
    snakemake = [sys.executable, "-m", "snakemake", "--cores", str(CORES)]

    def run(*words):
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
    return measured


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


def table(measured):
    """Set what was measured beside what is allowed.

    Parameters
    ----------
    measured : dict of Measured

    Returns
    -------
    str
        A Markdown table.
    """
    rows = [
        ("The whole report, cold caches", "cold", 360),
        ("The whole report, warm caches", "warm", 180),
        ("`snakemake` with nothing to do", "nothing", 3),
        ("`snakemake -n` before a whole run", "dry", 3),
        ("After a change of the report's template alone", "template", 15),
        ("`make test`", "test", 480),
    ]
    lines = ["| | allowed | here |", "|---|---:|---:|"]
    for words, name, allowed in rows:
        if name in measured:
            seconds = measured[name].seconds
            lines.append(f"| {words} | {duration(allowed)} | {_time(seconds)}{_mark(seconds > allowed)} |")
    most = max(measured[name].bytes for name in ("cold", "warm") if name in measured)
    lines.append(f"| Most memory of a whole run | 2.0 GB | {most / 1e9:.1f} GB{_mark(most > 2e9)} |")
    return "\n".join(lines)


def _time(seconds):
    return f"{seconds:.1f} s" if seconds < 60 else duration(seconds)


def _mark(over):
    return " **too much**" if over else ""


def main():
    """Measure, and write bench/results.md.

    Returns
    -------
    int
        The exit status: 1 if something took more than it may.
    """
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--without-tests", action="store_true", help="leave out `make test`")
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(_cores())[:CORES])
    measured = measure_study()
    if not arguments.without_tests:
        measured["test"] = measure(["make", "test"], ROOT, dict(os.environ))
    rows = "\n".join(f"| {name} | {value} |" for name, value in machine().items())
    text = (
        "# How long it takes\n\nMeasured by `make bench` on 2 cores, installation aside.\n\n"
        f"{table(measured)}\n\n| | |\n|---|---|\n{rows}\n"
    )
    (ROOT / "bench" / "results.md").write_text(text, encoding="utf-8")
    print(text)
    shutil.rmtree(WORK, ignore_errors=True)
    return int("too much" in text)


if __name__ == "__main__":
    raise SystemExit(main())
