from pathlib import Path

from uncounted.errors import UserError


def check_case(*, case_name, case_config, evidence_folder, fit_nc, without_parquet, out_folder, seed):
    r_hat = case_config["checks"].get("r_hat", 1.0)
    for name in ("convergence", "predictive", "sensitivity", "backtest", "prior_posterior"):
        (Path(out_folder) / f"{name}.parquet").write_text(str(r_hat))


def judge_case(*, case_name, convergence_parquet, allow_unconverged):
    if float(Path(convergence_parquet).read_text()) > 1.01 and not allow_unconverged:
        raise UserError("R-hat of deaths_total is 1.2", expected="at most 1.01", do="draw more")
