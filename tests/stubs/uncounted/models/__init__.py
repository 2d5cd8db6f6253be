import random
from pathlib import Path

from uncounted.console import Progress

BESIDE = {
    "evidence_synthesis": ["simple_without"],
    "multiple_systems_estimation": ["without", "strata_alone", "classical", "weights", "held_out", "simulated"],
}


def models_of(case_config):
    family = [] if case_config["kind"] == "evidence_synthesis" else ["family"]
    return [case_config["model"], *family]


def fit_case(*, case_name, case_config, evidence_folder, out_folder, seed):
    values = [int((Path(evidence_folder) / f"{name}.parquet").read_text()) for name in _tables(case_config)]
    with Progress(10, "drawing", "draws", every=0) as seen:
        for step in range(10):
            seen(step)
    noise = random.Random(f"{seed} {case_name}").random()
    for model in models_of(case_config):
        (Path(out_folder) / f"{model}.nc").write_text(f"{sum(values) + noise}")
    for name in BESIDE[case_config["kind"]]:
        (Path(out_folder) / f"{name}.parquet").write_text("")


def _tables(case_config):
    return case_config.get("sources", ["histories"])
