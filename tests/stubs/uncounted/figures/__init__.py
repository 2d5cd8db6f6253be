from pathlib import Path

NAMES = {"evidence_synthesis": ["headline", "by_month"]}


def draw_case(*, case_name, case_config, case_folder, out_folder):
    for name in NAMES[case_config["kind"]]:
        for suffix in ("svg", "png"):
            (Path(out_folder) / f"{name}.{suffix}").write_text(name)
