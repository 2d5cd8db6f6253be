from pathlib import Path

from uncounted.errors import UserError

NAMES = {
    "evidence_synthesis": [
        *("convergence", "predictive", "sensitivity", "backtest", "prior_posterior"),
        *("power_scaling", "tornado"),
    ],
    "multiple_systems_estimation": [
        *("convergence", "predictive", "sensitivity", "dial", "weights", "power_scaling"),
        *("pareto_k", "not_estimable", "strata_alone", "classical"),
        *("tornado", "held_out_lists", "last_person", "parametric"),
    ],
}


def check_case(*, case_name, case_config, evidence_folder, fits_folder, out_folder, seed):
    r_hat = case_config["checks"].get("r_hat", 1.0)
    for name in NAMES[case_config["kind"]]:
        (Path(out_folder) / f"{name}.parquet").write_text(str(r_hat))


def judge_case(*, case_name, convergence_parquet, allow_unconverged, weights_parquet=None):
    if float(Path(convergence_parquet).read_text()) > 1.01 and not (allow_unconverged or weights_parquet):
        raise UserError("R-hat of deaths_total is 1.2", expected="at most 1.01", do="draw more")
