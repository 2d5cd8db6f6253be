"""All checks of a study of lists, each question in a file of its own."""

from dataclasses import asdict
from pathlib import Path


def check_lists(case_name, case_config, evidence_folder, fits_folder, seed):
    """Put the fits of a case of multiple systems estimation to every check.

    Parameters
    ----------
    case_name : str
    case_config : dict
    evidence_folder, fits_folder : str or Path
        What cleaning and fitting wrote.
    seed : int
        The run's seed.

    Returns
    -------
    dict of str to pandas.DataFrame
        Each table by its name.
    """
    import arviz as az
    import pandas as pd

    from uncounted.checks import older, tornado
    from uncounted.checks.dial import turn_dial
    from uncounted.checks.held_out_lists import check_held_out
    from uncounted.checks.last_person import check_last_person
    from uncounted.checks.lists_predictive import check_cells
    from uncounted.checks.not_estimable import check_answers
    from uncounted.checks.parametric import check_parametric
    from uncounted.checks.pareto_k import check_pareto_k
    from uncounted.checks.power_scaling import check_power_scaling
    from uncounted.checks.refits import check_refits
    from uncounted.evidence.histories import spread_blanks
    from uncounted.inference import seed_for
    from uncounted.models import models_of
    from uncounted.models.multiple_systems import SAMPLED, read_histories, refits, refitting_model, simulating_model
    from uncounted.models.own_table import held_out_studies, models_of_held_out

    fits = Path(fits_folder)
    histories = read_histories(case_config, evidence_folder)
    spread = spread_blanks(histories)
    models = models_of(case_config)
    traces = {model: az.from_netcdf(fits / f"{model}.nc") for model in models}
    posteriors = {model: trace.posterior for model, trace in traces.items()}
    families = {model: posteriors[model] for model in models if model != "average"}
    sampled = {model: traces[model] for model in families if model in SAMPLED}
    lead = posteriors[models[0]]
    refitted_name = refitting_model(models, histories)
    if refitted_name not in posteriors:
        # Two lists are left of three: they are held against the answer of all three.
        refitted_name = "loglinear" if "loglinear" in posteriors else models[0]
    refitted = posteriors[refitted_name]
    found = {
        "convergence": _convergence(sampled, histories, case_config["checks"]),
        "predictive": check_cells(families, spread, seed_for(seed, case_name, "predict")),
        "sensitivity": check_refits(
            refitted["total"], pd.read_parquet(fits / "without.parquet"), list(refits(histories))
        ),
        "dial": turn_dial(
            lead["total"].values,
            lead["unseen"].values,
            case_config["unseen_odds"],
            _published(case_config, evidence_folder),
        ),
        "power_scaling": check_power_scaling(sampled),
        "pareto_k": check_pareto_k(families, spread),
        "not_estimable": check_answers(families),
        "strata_alone": _strata_alone(pd.read_parquet(fits / "strata_alone.parquet"), spread),
        "classical": older.SCHEMA.validate(pd.read_parquet(fits / "classical.parquet")),
    }
    found["weights"] = _weights(models, posteriors, found, fits)
    found["held_out_lists"] = check_held_out(
        held_out_studies(histories),
        pd.read_parquet(fits / "held_out.parquet"),
        lambda number: models_of_held_out(models, number),
    )
    found["parametric"] = check_parametric(
        pd.read_parquet(fits / "simulated.parquet"), simulating_model(models, histories)
    )
    shares = found["weights"].set_index("model")["weight"].to_dict()
    found["last_person"] = check_last_person(families, shares, histories, models[0], case_config["unseen_odds"])
    found["tornado"] = tornado.together(
        tornado.turn_priors(families, shares, case_config["priors"], "total", models[0]),
        tornado.leave_out(found["sensitivity"], refitted_name, case_config["checks"]),
    )
    return found


def _convergence(sampled, histories, bounds):
    from uncounted.checks.families import check_families
    from uncounted.checks.result import SCHEMA
    from uncounted.checks.typed import typed
    from uncounted.models.cells import lay_out
    from uncounted.models.multiple_systems import SAMPLED

    shape = lay_out(histories).shape
    parameters = {model: SAMPLED[model].parameters(shape) for model in sampled}
    return typed([asdict(result) for result in check_families(sampled, parameters, bounds)], SCHEMA)


def _published(case_config, evidence_folder):
    """Others' estimates of all people, by what they are called."""
    import pandas as pd

    if not case_config["published"]:
        return {}
    table = pd.read_parquet(Path(evidence_folder) / "published_estimates.parquet")
    of_all = (table[case_config["strata"]] == "").all(axis=1) & table["estimate"].notna()
    return {f"{row.method} ({row.source})": float(row.estimate) for row in table[of_all].itertuples()}


def _strata_alone(alone, histories):
    from uncounted.checks.refits import check_strata
    from uncounted.evidence.histories import not_estimable_alone

    names = list(histories.stratum_names)
    reasons = {names[number]: reason for number, reason in not_estimable_alone(histories).items()}
    several = len(names) > 1 and histories.n_lists > 2
    return check_strata(alone, names if several else [], reasons)


def _weights(models, posteriors, found, fits):
    import pandas as pd

    from uncounted.checks.weights import SCHEMA, weights_of_one

    if "average" in models:
        return SCHEMA.validate(pd.read_parquet(fits / "weights.parquet"))
    model = models[0]
    worst = found["pareto_k"]["pareto_k"].max()
    return weights_of_one(model, posteriors[model]["total"].values, bool(found["convergence"]["passed"].all()), worst)
