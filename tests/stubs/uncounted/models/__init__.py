import random
from pathlib import Path

from uncounted.console import Progress


def fit_case(*, case_name, case_config, evidence_folder, out_nc, out_without, seed):
    values = [int((Path(evidence_folder) / f"{name}.parquet").read_text()) for name in case_config["sources"]]
    with Progress(10, "drawing", "draws", every=0) as seen:
        for step in range(10):
            seen(step)
    noise = random.Random(f"{seed} {case_name}").random()
    Path(out_nc).write_text(f"{sum(values) + noise}")
    Path(out_without).write_text("")
