"""Whether to believe a fit: one file a question, one kind of result."""


def check_case(*, case_name, case_config, evidence_folder, fit_nc, without_parquet, out_folder, seed):
    """Put the fit of one case to every check.

    Parameters
    ----------
    case_name : str
    case_config : dict
    evidence_folder, fit_nc, without_parquet : str or Path
        What cleaning and fitting wrote.
    out_folder : str or Path
        Receives convergence, predictive, sensitivity, prior_posterior and backtest, as Parquet.
    seed : int
        The run's seed.
    """
    from pathlib import Path

    import arviz as az
    import pandas as pd

    from uncounted.checks.backtest import check_against_later_list
    from uncounted.checks.convergence import check_convergence
    from uncounted.checks.predictive import check_predictive
    from uncounted.checks.result import results_table
    from uncounted.checks.sensitivity import check_sources, compare_priors
    from uncounted.evidence.schemas import read_tables
    from uncounted.files import atomic_path
    from uncounted.inference import seed_for
    from uncounted.models import model_named

    module = model_named(case_config["model"])
    tables = read_tables(case_config, evidence_folder)
    layout = module.lay_out(case_config, tables)
    trace = az.from_netcdf(fit_nc)
    deaths = trace.posterior[module.DEATHS]
    parameters = [name for name in trace.prior if name in trace.posterior and name in module.PARAMETERS]
    expected = module.deaths_expected(trace.prior, layout)
    found = {
        "convergence": results_table(check_convergence(trace, parameters, case_config["checks"])),
        "predictive": check_predictive(trace, module, layout),
        "sensitivity": check_sources(deaths, pd.read_parquet(without_parquet)),
        "prior_posterior": compare_priors(trace, case_config["priors"], (expected, deaths.values)),
    }
    later = _kept_for_back_test(case_config, tables)
    day = later["published"].iloc[0]
    forecast = module.forecast_dated(trace.posterior, layout, day, seed_for(seed, case_name, "back-test"))
    found["backtest"] = check_against_later_list(deaths.values, forecast, later, case_config["cut_off"])
    for name, table in found.items():
        with atomic_path(Path(out_folder) / f"{name}.parquet") as path:
            table.to_parquet(path, index=False)


def _kept_for_back_test(case_config, tables):
    from uncounted.errors import UserError

    kept = [name for name, source in case_config["sources"].items() if source.get("kept_for") == "back_test"]
    if len(kept) != 1:
        raise UserError(
            f"{len(kept)} sources are kept for the back-test",
            where="config of the case, key sources",
            expected="one with kept_for: back_test",
        )
    return tables[kept[0]]


def judge_case(*, case_name, convergence_parquet, allow_unconverged):
    """Stop if the fit has not converged, unless the config allows it.

    Parameters
    ----------
    case_name : str
    convergence_parquet : str or Path
    allow_unconverged : bool

    Raises
    ------
    UserError
        Names the quantity that failed, what was seen, what was wanted and what to try.
    """
    import logging

    import pandas as pd

    from uncounted.errors import UserError

    failed = pd.read_parquet(convergence_parquet).query("not passed")
    if failed.empty:
        return
    first = failed.iloc[0]
    what = f"the fit of {case_name} has not converged: {first['check']}, {first['item']}: {first['seen']:.4g}"
    if allow_unconverged:
        logging.getLogger("uncounted").warning(f"{what}; reported with a warning, as the config allows")
        return
    more = len(failed) - 1
    others = f" ({more} more {'check' if more == 1 else 'checks'} failed)" if more else ""
    raise UserError(
        what + others,
        where=str(convergence_parquet),
        expected=str(first["wanted"]),
        do=f"{first['do']}; `allow_unconverged: true` in config/config.yaml reports it with a warning",
    )
