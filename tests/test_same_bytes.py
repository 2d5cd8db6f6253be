"""The same commit, config and seed give the same bytes."""

import os
import subprocess
import sys
from pathlib import Path

from uncounted.provenance import ROOT

SNAKEFILE = """
STUDY = {{"cases": {{}}, "release": "draft", "seed": 1, "allow_unconverged": False}}
from uncounted import console
include: "{rules}/common.smk"

rule all:
    output: "hash.txt"
    script: "hash.py"
"""


def test_jobs_hash_text_alike_in_every_process(tmp_path):
    (tmp_path / "hash.py").write_text("open(snakemake.output[0], 'w').write(str(hash('uncounted')))\n")
    (tmp_path / "Snakefile").write_text(SNAKEFILE.format(rules=Path(ROOT) / "workflow" / "rules"))
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "all", "--forceall"]
    seen = set()
    for _ in range(2):
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
        seen.add((tmp_path / "hash.txt").read_text())
    assert len(seen) == 1


FIT = """
import hashlib

import pandas as pd

from uncounted import estimate

histories = [[int(on) for on in f"{cell:04b}"] for cell in range(1, 16)]
table = pd.DataFrame(histories, columns=list("ABCD"))
table["people"] = [60, 50, 12, 45, 14, 11, 6, 40, 9, 12, 7, 10, 5, 6, 4]
sampling = {"loglinear": {"draws": 100, "tune": 100, "chains": 2, "target_accept": 0.8}}
found = estimate(table, list("ABCD"), count="people", sampling=sampling)
print(hashlib.sha256(found.draws.to_csv(index=False).encode()).hexdigest())
"""


def test_the_compiler_and_its_cache_give_the_same_draws(tmp_path):
    """The first process compiles the model, the second takes it from the cache on disk."""
    environment = os.environ | {"PYTENSOR_FLAGS": f"base_compiledir={tmp_path}"}
    command = [sys.executable, "-W", "ignore", "-c", FIT]
    seen = [subprocess.run(command, env=environment, check=True, capture_output=True).stdout for _ in range(2)]
    assert seen[0].strip()
    assert seen[0] == seen[1]
