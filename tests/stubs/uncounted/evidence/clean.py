"""Stands in for the real one: each table holds one number, or a word that says what should go wrong."""

import errno
import time
from pathlib import Path

from uncounted.errors import UserError


def clean_case(case, data_folder, out_folder):
    folder = Path(out_folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "refused.csv").write_text("file,line\n")
    total = 0
    for name, table in _tables(case).items():
        path = Path(data_folder) / table
        value = path.read_text().strip()
        if value == "bad":
            (folder / "refused.csv").write_text(f"file,line\n{path.name},1\n")
            raise UserError("'bad' is not a count", where=f"{path}, line 1", expected="a whole number")
        if value == "full":
            raise OSError(errno.ENOSPC, "No space left on device", str(folder / "x.parquet"))
        if value == "slow":
            (folder / "slow").write_text("")
            time.sleep(60)
        if value == "bug":
            raise KeyError("bug")
        total += int(value)
        (folder / f"{name}.parquet").write_text(value)
        if "used_until" in case.get("sources", {}).get(name, {}):
            (folder / f"{name}_later.parquet").write_text("0")
    (folder / "questions.csv").write_text("")
    (folder / "reconciliation.csv").write_text(f"{total}\n")


def _tables(case):
    if case["kind"] == "evidence_synthesis":
        return {name: source["table"] for name, source in case["sources"].items()}
    published = {"published_estimates": case["published"]} if case["published"] else {}
    return {"histories": case["tables"][0]} | published
