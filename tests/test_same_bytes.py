"""The same commit, config and seed give the same bytes."""

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
import sys
from pathlib import Path

import pandas as pd

from uncounted import compiling, estimate

compiling.kept_models = lambda: Path(sys.argv[1])
histories = [[int(on) for on in f"{cell:03b}"] for cell in range(1, 8)]
table = pd.DataFrame(histories, columns=list("ABC"))
table["people"] = [60, 50, 12, 45, 14, 11, 6]
sampling = {"loglinear": {"draws": 100, "tune": 100, "chains": 2, "target_accept": 0.8}}
found = estimate(table, list("ABC"), count="people", sampling=sampling)
print(hashlib.sha256(found.draws.to_csv(index=False).encode()).hexdigest())
"""


def test_the_compiler_and_its_cache_give_the_same_draws(tmp_path):
    """The first process compiles the model, the second takes it from the cache on disk."""
    command = [sys.executable, "-W", "ignore", "-c", FIT, str(tmp_path)]
    seen, kept = [], []
    for _ in range(2):
        seen.append(subprocess.run(command, check=True, capture_output=True).stdout)
        kept.append([(file.name, file.stat().st_mtime_ns) for file in tmp_path.glob("*.model")])
    assert len(kept[0]) == 1 and kept[0] == kept[1]
    assert seen[0].strip() and seen[0] == seen[1]
