"""Whether to believe a fit: one file a question, one kind of result."""

_CHECKS_OF_LISTS = "uncounted.checks.lists"


def check_case(*, case_name, case_config, evidence_folder, fits_folder, out_folder, seed):
    """Put the fits of one case to every check.

    Parameters
    ----------
    case_name : str
    case_config : dict
    evidence_folder, fits_folder : str or Path
        What cleaning and fitting wrote.
    out_folder : str or Path
        Receives a Parquet table for each question: of an evidence synthesis convergence, predictive, sensitivity,
        prior_posterior, backtest, power_scaling and tornado, and survival where the config asks how soon recruits
        died; of multiple systems estimation those of :func:`uncounted.checks.lists.check_lists`.
    seed : int
        The run's seed.
    """
    from importlib import import_module
    from pathlib import Path

    from uncounted.files import atomic_path

    if case_config["kind"] == "multiple_systems_estimation":
        # By its name, so that a synthesis need not be checked again when a model of lists changes.
        check = import_module(_CHECKS_OF_LISTS).check_lists
    else:
        check = _check_sources
    for name, table in check(case_name, case_config, evidence_folder, fits_folder, seed).items():
        with atomic_path(Path(out_folder) / f"{name}.parquet") as path:
            table.to_parquet(path, index=False)


def _check_sources(case_name, case_config, evidence_folder, fits_folder, seed):
    """Put the fit of an evidence synthesis to every check; tables by name."""
    from pathlib import Path

    import arviz as az
    import pandas as pd

    from uncounted.checks import tornado
    from uncounted.checks.backtest import check_against_later_list
    from uncounted.checks.convergence import check_convergence
    from uncounted.checks.power_scaling import check_power_scaling, with_densities
    from uncounted.checks.predictive import check_predictive
    from uncounted.checks.result import results_table
    from uncounted.checks.sensitivity import check_sources, compare_priors
    from uncounted.evidence.schemas import read_tables
    from uncounted.inference import seed_for
    from uncounted.models import model_named

    model, fits = case_config["model"], Path(fits_folder)
    module = model_named(model)
    tables = read_tables(case_config, evidence_folder)
    layout = module.lay_out(case_config, tables)
    trace = az.from_netcdf(fits / f"{model}.nc")
    deaths = trace.posterior[module.DEATHS]
    parameters = [name for name in trace.prior if name in trace.posterior and name in module.PARAMETERS]
    expected = module.deaths_expected(trace.prior, layout)
    later = _kept_for_back_test(case_config, tables)
    day = later["published"].iloc[0]
    forecast = module.forecast_dated(trace.posterior, layout, day, seed_for(seed, case_name, "back-test"))
    priors = case_config["priors"]
    sensitivity = check_sources(deaths, pd.read_parquet(fits / f"{model}_without.parquet"))
    densities = with_densities(trace, priors, case_config["sampling"]["predictive_draws"])
    convergence = check_convergence(trace, parameters, case_config["checks"])
    more = {}
    if "survival" in case_config:
        converged, more["survival"] = _check_survival(case_name, case_config, tables, trace, fits, seed)
        convergence += converged
    return more | {
        "convergence": results_table(convergence),
        "predictive": check_predictive(trace, module, layout),
        "sensitivity": sensitivity,
        "prior_posterior": compare_priors(trace, priors, (expected, deaths.values)),
        "power_scaling": check_power_scaling({model: densities}, (module.DEATHS,)),
        "tornado": tornado.together(
            tornado.turn_priors({model: trace.posterior}, {model: 1.0}, priors, module.DEATHS, model),
            tornado.leave_out(sensitivity, model, case_config["checks"]),
        ),
        "backtest": check_against_later_list(deaths.values, forecast, later, case_config["cut_off"]),
    }


def _check_survival(case_name, case_config, tables, trace, fits, seed):
    """Results of the convergence checks of the model of how soon recruits died, and the table of what it says."""
    import dataclasses

    import arviz as az

    from uncounted.checks.convergence import check_convergence
    from uncounted.checks.survival import reported_of, survival_table
    from uncounted.inference import seed_for
    from uncounted.models import survival

    settings = case_config["survival"]
    layout = survival.lay_out(settings, tables, survival.naming_of(trace.posterior, settings))
    fitted = az.from_netcdf(fits / "survival.nc")
    summary = survival.summarise(
        fitted.posterior, layout, settings["priors"], seed_for(seed, case_name, "survival", "count")
    )
    parameters = [name for name in survival.PARAMETERS if name in fitted.posterior]
    results = check_convergence(fitted, parameters, case_config["checks"], reported_of(summary))
    named = [dataclasses.replace(result, check=f"survival of recruits: {result.check}") for result in results]
    return named, survival_table(summary, layout)


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


def judge_case(*, case_name, convergence_parquet, allow_unconverged, weights_parquet=None):
    """Stop if the fit has not converged, unless the config allows it.

    Parameters
    ----------
    case_name : str
    convergence_parquet : str or Path
    allow_unconverged : bool
    weights_parquet : str or Path, optional
        Of multiple systems estimation: the families of models that the answer is made of. A family that has no part in
        the average may have failed: the report says so.

    Raises
    ------
    UserError
        Names the quantity that failed, what was seen, what was wanted and what to try.
    """
    import logging

    import pandas as pd

    from uncounted.checks.families import failed_families
    from uncounted.errors import UserError

    failed = pd.read_parquet(convergence_parquet).query("not passed")
    logger = logging.getLogger("uncounted")
    if weights_parquet:
        unused = _without_weight(failed, pd.read_parquet(weights_parquet))
        if unused.any():
            names = ", ".join(sorted(failed_families(failed[unused])))
            logger.warning(f"{case_name}: {names} failed checks, and has no part in the average")
        failed = failed[~unused]
    if failed.empty:
        return
    first = failed.iloc[0]
    what = f"the fit of {case_name} has not converged: {first['check']}, {first['item']}: {first['seen']:.4g}"
    if allow_unconverged:
        logger.warning(f"{what}; reported with a warning, as the config allows")
        return
    more = len(failed) - 1
    others = f" ({more} more {'check' if more == 1 else 'checks'} failed)" if more else ""
    raise UserError(
        what + others,
        where=str(convergence_parquet),
        expected=str(first["wanted"]),
        do=f"{first['do']}; `allow_unconverged: true` in config/config.yaml reports it with a warning",
    )


def _without_weight(failed, weights):
    """Which failed checks are of families that have no part in the average."""
    unused = set(weights.loc[weights["weight"] == 0, "model"])
    return failed["check"].str.split(": ").str[0].isin(unused)
