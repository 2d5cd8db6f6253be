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
