"""Which code, which figures and which settings a release was made of; sealing it; making it again.

A release is the folder results/<release>/. Its `manifest.json` lists every file in it with its SHA-256,
and everything that the files follow from. Once it is sealed, the workflow refuses to change it.
"""

import argparse
import ast
import csv
import hashlib
import importlib.metadata
import json
import math
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from uncounted.errors import UserError
from uncounted.files import atomic_path

PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.parents[1]
LOCK = ROOT / "envs" / "requirements.txt"

CALIBRATION = "docs/calibration/table.csv"
"""The table of the published calibration. A copy may have none; reports show what it says of studies like theirs."""

SYNTHESIS_CALIBRATION = "docs/calibration/synthesis.csv"
"""The same of the model that puts sources together."""

# What the results follow from. A commit that changes nothing else makes no other release.
STUDIED = (
    *("Snakefile", "config", "data", "docs/backtest", "envs", "profiles", "pyproject.toml", "workflow"),
    *(CALIBRATION, SYNTHESIS_CALIBRATION),
)

# What is kept in git of a release, so that a reviewer sees it without running anything.
KEPT = ("manifest.json", "estimates.csv", "headline.svg", "headline.png", "report.html")

# Modules that decide what a person sees while waiting, and nothing about the results.
_ONLY_TALK = {"uncounted", "uncounted.console", "uncounted.errors", "uncounted.files"}

# These name the commit, which may be another one with the same results.
_NAME_THE_COMMIT = {"provenance.json", "report.html"}

# Columns by which rows of estimates.csv are compared, and the error of each.
_ERRORS = {"mean": "mcse_mean", "median": "mcse_median", "lower": "mcse_lower", "upper": "mcse_upper"}
_NOT_KEYS = {*_ERRORS, *_ERRORS.values(), "sd", "ess_bulk", "ess_tail", "r_hat"}


def sha256(path):
    """Compute the SHA-256 of a file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(*rooms):
    """Put the code that a step depends on, and the lock, into one short value.

    Snakemake runs a step again when its parameters change: with this value among them, it does so when
    the library or a package changes, and only for the steps that depend on the change.

    Parameters
    ----------
    *rooms : str
        Modules and packages of the library, as in "models", "inference". What they import of the library
        counts too; what only talks to the person (`console`, `errors`, `files`) does not.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    files = {file for room in rooms for file in _files_of(f"uncounted.{room}")}
    if not files:
        raise ValueError(f"no code in {rooms}")
    whole = hashlib.sha256(_content_hash(LOCK).encode())
    for file in sorted(files):
        whole.update(f"{file.relative_to(PACKAGE)} {_content_hash(file)}\n".encode())
    return whole.hexdigest()[:16]


@cache
def _content_hash(file):
    return sha256(file)


def _files_of(module):
    """List the files of a module or package, and of what it imports of the library, and so on."""
    files, seen, ahead = set(), set(), [module]
    while ahead:
        name = ahead.pop()
        if name in seen or name in _ONLY_TALK:
            continue
        seen.add(name)
        own = _own_files(name)
        files |= own
        for file in own:
            if file.suffix == ".py":
                ahead += _imports(file)
    return files


def _own_files(module):
    """List the files of one module; of a package, all that is in its folder."""
    names = module.split(".")[1:]
    path = PACKAGE.joinpath(*names)
    if path.is_dir():
        return {
            file
            for file in path.rglob("*")
            if file.is_file() and "__pycache__" not in file.parts and not file.name.startswith(".")
        }
    if not path.with_suffix(".py").is_file():
        return set()
    # Importing a module runs the packages that it is in.
    packages = {PACKAGE.joinpath(*names[:depth], "__init__.py") for depth in range(1, len(names))}
    return {path.with_suffix(".py"), *(file for file in packages if file.is_file())}


@cache
def _imports(file):
    """List the modules of the library that a file imports."""
    found = set()
    here = ["uncounted", *file.relative_to(PACKAGE).with_suffix("").parts]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*here[: -node.level], *([base] if base else [])])
            parts = {f"{base}.{alias.name}" for alias in node.names}
            # Of a package from which only modules are taken, the other modules do not count.
            found |= parts if all(_own_files(part) for part in parts) else {base} | parts
    return sorted(name for name in found if name.split(".")[0] == "uncounted")


def code_state():
    """Tell which commit the code, the config and the figures are of.

    Returns
    -------
    dict
        `commit`: the last commit that changed what results follow from, or None outside a git checkout;
        `clean`: whether that is all there is, or the tree has changes that no commit holds.
    """
    there = [name for name in STUDIED if (ROOT / name).exists()]
    commit = _git("log", "-1", "--format=%H", "--", *there)
    changes = _git("status", "--porcelain", "--", *there)
    return {"commit": commit or None, "clean": bool(commit) and changes == ""}


def _git(*words):
    """Run git in the folder of the project; None if it cannot answer."""
    if not (ROOT / ".git").exists():
        return None
    try:
        answer = subprocess.run(
            ["git", "-C", str(ROOT), *words], capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


def locked_versions(lock=LOCK):
    """Read the names and versions of the packages in the lock.

    Parameters
    ----------
    lock : str or Path, optional

    Returns
    -------
    dict
    """
    text = Path(lock).read_text(encoding="utf-8")
    return dict(re.findall(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)", text, flags=re.M))


def installed_versions():
    """Find which versions of the packages in the lock are installed here.

    Returns
    -------
    dict
        Packages that are not installed are left out.
    """
    versions = {}
    for name in sorted(locked_versions()):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def describe(config, inputs):
    """Describe all that a release follows from.

    Parameters
    ----------
    config : dict
        The whole config, as `config.read_config` gives it.
    inputs : iterable of str
        The files that the study reads: tables, their descriptions, and the config files.

    Returns
    -------
    dict
    """
    installed, locked = installed_versions(), locked_versions()
    return {
        "release": config["release"],
        **code_state(),
        "seed": config["seed"],
        "inputs": {str(path): sha256(path) for path in sorted(map(str, inputs))},
        "code": digest(*_rooms()),
        "lock": {"file": "envs/requirements.txt", "sha256": sha256(LOCK)},
        "not_as_locked": {name: version for name, version in installed.items() if version != locked[name]},
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        # Compiled code, and with it the last digit of a number, follows from the kind of processor.
        "processor": _processor(),
        "packages": installed,
        "config": config,
    }


def _processor():
    from llvmlite.binding import get_host_cpu_name

    return get_host_cpu_name()


def _rooms():
    return sorted(
        path.stem for path in PACKAGE.iterdir() if path.name != "__pycache__" and not path.name.startswith(".")
    )


def write_provenance(*, config, inputs, out_json):
    """Write what a release follows from into a file, for the report and the manifest.

    Parameters
    ----------
    config : dict
    inputs : iterable of str
    out_json : str or Path
    """
    _write_json(describe(config, inputs), out_json)


def write_manifest(*, provenance_json, release_folder, files, out_json):
    """Write the manifest of a release: what it follows from, and every file of it with its SHA-256.

    Parameters
    ----------
    provenance_json : str or Path
        The file that `write_provenance` wrote.
    release_folder : str or Path
        The folder of the release.
    files : iterable of str
        The files of the release. What else lies in its folder is no part of it.
    out_json : str or Path
    """
    folder = Path(release_folder)
    manifest = json.loads(Path(provenance_json).read_text(encoding="utf-8"))
    listed = sorted(Path(file).relative_to(folder).as_posix() for file in files)
    outputs = {path: _file_entry(folder / path) for path in listed}
    _write_json({**manifest, "sealed": None, "outputs": outputs}, out_json)


def _file_entry(path):
    return {"sha256": sha256(path), "bytes": path.stat().st_size}


def _strangers(folder, manifest):
    """List the files in the folder of a release that its manifest does not list; logs apart."""
    inside = (file.relative_to(folder) for file in sorted(folder.rglob("*")) if file.is_file())
    return [
        path.as_posix()
        for path in inside
        if path.as_posix() not in {*manifest["outputs"], "manifest.json"}
        and "logs" not in path.parts
        and not any(name.startswith(".") for name in path.parts)
    ]


def _write_json(value, path):
    with atomic_path(path) as part:
        part.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_manifest(release_folder):
    """Read the manifest of a release.

    Parameters
    ----------
    release_folder : str or Path

    Returns
    -------
    dict or None
        None if there is none.
    """
    path = Path(release_folder) / "manifest.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        raise UserError(
            "the manifest is not what the workflow wrote", where=str(path), do="remove it, and run again"
        ) from None


def refuse_if_sealed(release_folder):
    """Refuse to go on if a release is sealed.

    Parameters
    ----------
    release_folder : str or Path

    Raises
    ------
    UserError
    """
    manifest = read_manifest(release_folder)
    if manifest and manifest.get("sealed"):
        release = Path(release_folder).name
        raise UserError(
            f"the release {release} was sealed on {manifest['sealed']}, and this run would change it",
            where=str(release_folder),
            do="name a new release: `release:` in config/config.yaml, or make report RELEASE=<name>\n"
            f"  to make this one again and compare: make verify RELEASE={release}",
        )


def seal(release_folder):
    """Seal a release, so that the workflow refuses to change it from now on.

    Parameters
    ----------
    release_folder : str or Path

    Raises
    ------
    UserError
        If there is nothing to seal, if it is sealed already, if no commit holds what it was made of, or if
        a file is not the one that the manifest lists.
    """
    folder = Path(release_folder)
    manifest = _manifest_or_error(folder)
    where = str(folder)
    again = f"run again: make report RELEASE={folder.name}"
    if manifest.get("sealed"):
        raise UserError(f"sealed already, on {manifest['sealed']}", where=where)
    if not manifest["clean"]:
        raise UserError(
            "made from files that no commit holds, so nobody could make it again",
            where=where,
            do=f"commit them, {again}, and seal it then",
        )
    state = code_state()
    if not state["clean"] or state["commit"] != manifest["commit"]:
        raise UserError(
            f"code, config or figures have changed since it was made from commit {manifest['commit'][:12]}",
            where=where,
            do=f"commit, {again}, and seal it then",
        )
    listed = manifest["outputs"]
    for path, entry in listed.items():
        if not (folder / path).is_file() or _file_entry(folder / path) != entry:
            raise UserError(f"{path} is not the file that the manifest lists", where=where, do=again)
    strangers = _strangers(folder, manifest)
    if strangers:
        others = f", nor are {len(strangers) - 1} other files" if len(strangers) > 1 else ""
        raise UserError(
            f"{strangers[0]} is no part of it{others}",
            where=where,
            expected="the files of the release and nothing else",
            do=f"remove what is no part of it, or {again} under another name",
        )
    manifest["sealed"] = datetime.now(UTC).date().isoformat()
    _write_json(manifest, folder / "manifest.json")
    for path in [*listed, "manifest.json"]:
        file = folder / path
        file.chmod(file.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))


def _manifest_or_error(folder):
    manifest = read_manifest(folder)
    if manifest is None:
        made = sorted(file.parent.name for file in folder.parent.glob("*/manifest.json"))
        raise UserError(
            "there is no such release",
            where=str(folder),
            expected=f"one of {', '.join(made)}" if made else "",
            do=f"make it first: make report RELEASE={folder.name}",
        )
    return manifest


def newest_sealed(results="results"):
    """Find the release that was sealed last.

    Parameters
    ----------
    results : str or Path, optional

    Returns
    -------
    str

    Raises
    ------
    UserError
        If no release is sealed.
    """
    sealed = []
    for path in Path(results).glob("*/manifest.json"):
        manifest = read_manifest(path.parent)
        if manifest.get("sealed"):
            sealed.append((manifest["sealed"], path.parent.name))
    if not sealed:
        raise UserError("no release is sealed", where=str(results), do="make report RELEASE=<name>, then make seal")
    return max(sealed)[1]


def verify(release_folder, elsewhere):
    """Make a release again in another folder, and compare.

    Parameters
    ----------
    release_folder : str or Path
        The release as it is.
    elsewhere : str or Path
        A folder for the run; what it held before is removed.

    Returns
    -------
    tuple
        Whether the two agree; and the comparison, a list of dicts with `file`, `same`, `seen` and
        `counts` (whether a difference there means that they do not agree).

    Raises
    ------
    UserError
        If the inputs of the release are not the ones here, or the run fails.
    """
    folder, elsewhere = Path(release_folder), Path(elsewhere)
    manifest = _manifest_or_error(folder)
    changed = [path for path, known in manifest["inputs"].items() if _hash_or_none(path) != known]
    if changed:
        raise UserError(
            f"not the figures and settings of the release any more: {', '.join(changed)}",
            where=str(folder),
            do=f"git checkout {manifest['commit']}, and make verify there",
        )
    shutil.rmtree(elsewhere, ignore_errors=True)
    elsewhere.mkdir(parents=True)
    for name in ("config", "data", "docs"):
        if Path(name).is_dir():
            (elsewhere / name).symlink_to(Path(name).absolute())
    snakemake = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    config = manifest["config"]
    settings = [
        f"release={folder.name}",
        f"seed={config['seed']}",
        f"allow_unconverged={config['allow_unconverged']}",
        f"cases=[{','.join(config['cases'])}]",
    ]
    run = [*snakemake, "--directory", str(elsewhere), "--config", *settings]
    if subprocess.run(run, check=False).returncode:
        raise UserError("the run ended early, see above", where=str(elsewhere))
    return compare(folder, elsewhere / "results" / folder.name)


def _hash_or_none(path):
    return sha256(path) if Path(path).is_file() else None


def compare(release_folder, again_folder):
    """Compare a release with the same one made again.

    On the same platform (kind of processor and versions of packages included), every file must have the
    same bytes, but for the posteriors (NetCDF holds the time of its making) and, if the commit is another
    one, the files that name it. Elsewhere chains take another path after the first rounding, and each
    number of `estimates.csv` must be within four Monte Carlo standard errors (of the difference of two
    runs) of the one in the release.

    Parameters
    ----------
    release_folder, again_folder : str or Path

    Returns
    -------
    tuple
        As in `verify`.
    """
    folder, again_folder = Path(release_folder), Path(again_folder)
    manifest, again = read_manifest(folder), read_manifest(again_folder)
    settings = ("platform", "processor", "python", "packages")
    same_machine = all(manifest[name] == again[name] for name in settings)
    same_commit = manifest["commit"] == again["commit"] and manifest["clean"] and again["clean"]
    rows = []
    for path in sorted({*manifest["outputs"], *again["outputs"]}):
        before, after = manifest["outputs"].get(path), again["outputs"].get(path)
        same = bool(before and after and before["sha256"] == after["sha256"])
        exempt = path.endswith(".nc") or (path in _NAME_THE_COMMIT and not same_commit)
        seen = "same bytes" if same else "other bytes"
        if before is None or after is None:
            seen = "only now" if before is None else "not made"
            rows.append({"file": path, "same": False, "seen": seen, "counts": True})
            continue
        rows.append({"file": path, "same": same, "seen": seen, "counts": same_machine and not exempt})
    if not same_machine or _differs(rows, "estimates.csv"):
        rows += compare_estimates(folder / "estimates.csv", again_folder / "estimates.csv", not same_machine)
    return not any(row["counts"] and not row["same"] for row in rows), rows


def _differs(rows, path):
    return any(row["file"] == path and not row["same"] for row in rows)


def compare_estimates(release_csv, again_csv, counts=True):
    """Compare the numbers of two runs, each within four Monte Carlo standard errors.

    Parameters
    ----------
    release_csv, again_csv : str or Path
    counts : bool, optional
        Whether a larger difference means that the two do not agree.

    Returns
    -------
    list of dict
        One row for each number that differs by more, and one that says how far the numbers are apart at most.
    """
    first, second = _estimates(release_csv), _estimates(again_csv)
    rows, largest, compared = [], 0.0, 0
    for key in sorted({*first, *second}):
        if key not in first or key not in second:
            seen = "not in the release" if key not in first else "not made"
            rows.append({"file": _named(release_csv, key), "same": False, "seen": seen, "counts": counts})
            continue
        for column, error in _ERRORS.items():
            before, after = _number(first[key], column), _number(second[key], column)
            if before == after or (math.isnan(before) and math.isnan(after)):
                compared += 1
                continue
            spread = math.hypot(_number(first[key], error), _number(second[key], error))
            apart = abs(after - before) / spread if spread > 0 else math.inf
            compared += 1
            if not apart <= 4:
                seen = f"{column} {before:,.6g}, now {after:,.6g}: {apart:.1f} Monte Carlo standard errors"
                rows.append({"file": _named(release_csv, key), "same": False, "seen": seen, "counts": counts})
            largest = max(largest, apart)
    seen = f"{compared:,} numbers, at most {largest:.1f} Monte Carlo standard errors apart"
    return [{"file": Path(release_csv).name, "same": largest <= 4, "seen": seen, "counts": counts}, *rows]


def _estimates(path):
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {tuple((k, v) for k, v in row.items() if k not in _NOT_KEYS): row for row in rows}


def _number(row, column):
    text = row.get(column) or ""
    return float(text) if text else math.nan


def _named(path, key):
    return f"{Path(path).name}: " + " ".join(value for _, value in key if value)


def main(arguments=None):
    """Do one of the things that the Makefile offers.

    Parameters
    ----------
    arguments : list of str, optional

    Returns
    -------
    int
        The exit status.
    """
    parser = argparse.ArgumentParser(prog="python -m uncounted.provenance", description=__doc__.split("\n")[0])
    parser.add_argument("action", choices=["where", "seal", "verify"])
    parser.add_argument("release", nargs="?", default="", help="name of the release")
    parsed = parser.parse_args(arguments)
    try:
        return _act(parsed.action, parsed.release)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1


def _act(action, release):
    if action == "verify":
        return _verify(release or newest_sealed())
    if not release:
        from uncounted.config import read_config

        release = read_config()["release"]
    folder = Path("results") / release
    if action == "where":
        report = (folder / "report.html").absolute()
        if not report.is_file():
            raise UserError("there is no report", where=str(report), do="make report")
        print(f"The report: {report}")
        return 0
    seal(folder)
    kept = " ".join(str(folder / name) for name in KEPT if (folder / name).is_file())
    print(f"Sealed: {folder}. What a reviewer should see without running anything:")
    print(f"    git add --force {kept}")
    return 0


def _verify(release):
    elsewhere = Path(tempfile.gettempdir()) / f"uncounted-verify-{os.getuid()}" / release
    folder = Path("results") / release
    agrees, rows = verify(folder, elsewhere)
    width = max(len(row["file"]) for row in rows)
    for row in rows:
        mark = "same  " if row["same"] else "DIFFERS" if row["counts"] else "differs"
        print(f"{row['file']:<{width}}  {mark:<7}  {row['seen']}")
    print(f"\nMade again in {elsewhere / 'results' / release}")
    print(f"The release {release} {'agrees' if agrees else 'DOES NOT AGREE'} with the same run made again here.")
    return 0 if agrees else 1


if __name__ == "__main__":
    raise SystemExit(main())
