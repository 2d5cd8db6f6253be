"""The models. One table turns the name in a config into the module; adding a model adds a file and a line here."""

import importlib

from uncounted.errors import UserError

MODULES = {
    "synthesis": "uncounted.models.synthesis",
    "average": "uncounted.models.average",
    "loglinear": "uncounted.models.loglinear",
    "latent_class": "uncounted.models.latent_class",
    "decomposable": "uncounted.models.decomposable",
    "two_lists": "uncounted.models.two_lists",
}
"""Model name in the config to module."""

LISTS = {"average": (2, 10), "loglinear": (3, 10), "latent_class": (3, 10), "decomposable": (3, 7), "two_lists": (2, 2)}
"""How many lists each model of multiple systems estimation can be fitted to: the fewest and the most."""

_FITS_OF_LISTS = "uncounted.models.multiple_systems"
_SERVICES = "uncounted.models.services"
_SURVIVAL = "uncounted.models.survival"


def model_named(name):
    """The module of the model `name`.

    Raises
    ------
    UserError
        There is no such model.
    """
    if name not in MODULES:
        raise UserError(
            f"there is no model '{name}'",
            where="config, key model",
            expected="one of " + ", ".join(sorted(MODULES)),
        )
    return importlib.import_module(MODULES[name])


def models_of(case_config):
    """Name the models that are fitted for a case.

    Parameters
    ----------
    case_config : dict
        ``kind``, ``model`` and, of multiple systems estimation, ``lists``.

    Returns
    -------
    list of str
        The one that the report leads with first. Of multiple systems estimation: the average, then the families that
        it is made of, or the one that the config names. Two lists have one model, and nothing to average.

    Raises
    ------
    UserError
        There is no such model of lists, or it is not for so many lists.
    """
    named = case_config["model"]
    if case_config["kind"] != "multiple_systems_estimation":
        return [named]
    number = len(case_config["lists"])
    if named not in LISTS:
        raise UserError(
            f"there is no model '{named}' of lists", where="config of the case, key model", expected=", ".join(LISTS)
        )
    fewest, most = LISTS[named]
    if not fewest <= number <= most:
        raise UserError(
            f"the model {named} is for {fewest} {f'to {most} lists' if most > fewest else 'lists'}, "
            f"and the case has {number}",
            where="config of the case, key model",
            expected=", ".join(name for name, (least, top) in LISTS.items() if least <= number <= top),
        )
    if named != "average":
        return [named]
    families = [name for name, (least, top) in LISTS.items() if name != "average" and least <= number <= top]
    return families if number == 2 else ["average", *families]


def fit_case(*, case_name, case_config, evidence_folder, out_folder, seed):
    """Fit the models of one case.

    Parameters
    ----------
    case_name : str
    case_config : dict
        ``kind``, ``model``, ``priors``, ``sampling`` and what the models read beside them.
    evidence_folder : str or Path
        The evidence tables of the case.
    out_folder : str or Path
        Receives the posterior of each model, ``<model>.nc``, and the tables that go with them: of an evidence synthesis
        ``<model>_without.parquet``, draws of the number of deaths without each source in turn (left_out, chain, draw,
        deaths), and where the config asks how soon recruits died, ``survival.nc``; of multiple systems estimation those
        of :func:`uncounted.models.multiple_systems.fit_lists`.
    seed : int
        The run's seed.

    Raises
    ------
    UserError
        The config lacks a prior, or names no known model; or the lists do not say how many people are on none.
    """
    if case_config["kind"] == "multiple_systems_estimation":
        # By its name, so that a synthesis need not be fitted again when a model of lists changes.
        fit = importlib.import_module(_FITS_OF_LISTS).fit_lists
    else:
        fit = _fit_sources
    fit(case_name, case_config, models_of(case_config), evidence_folder, out_folder, seed)


def _fit_sources(case_name, case_config, models, evidence_folder, out_folder, seed):
    """Fit a model to all sources, then without each in turn.

    One compiled model serves all fits; sources are switched off in its data.
    """
    from pathlib import Path

    from uncounted.evidence.schemas import read_tables
    from uncounted.files import atomic_path
    from uncounted.inference import seed_for

    (model,) = models
    module = model_named(model)
    # By its name, so that no study of lists is fitted again when it changes.
    services = importlib.import_module(_SERVICES)
    tables = read_tables(case_config, evidence_folder)
    layout = module.lay_out(case_config, tables)
    # Before the minutes of a fit: what is wrong with the list by kind of service is said at once.
    kinds = services.lay_out(case_config, tables) if case_config.get("services") else None
    trace, without = _fit(module, layout, case_config, seed, (case_name, model))
    if kinds is not None:
        own = seed_for(seed, case_name, model, "services")
        trace.posterior = trace.posterior.merge(services.spread(trace.posterior, kinds, case_config["priors"], own))
    if "survival" in case_config:
        fitted = _fit_survival(case_name, case_config["survival"], tables, trace, seed)
        with atomic_path(Path(out_folder) / "survival.nc") as path:
            fitted.to_netcdf(str(path))
    with atomic_path(Path(out_folder) / f"{model}.nc") as path:
        trace.to_netcdf(str(path))
    with atomic_path(Path(out_folder) / f"{model}_without.parquet") as path:
        without.to_parquet(path, index=False)


def _fit_survival(case_name, settings, tables, trace, seed):
    """Fit the model of how soon recruits died, with the naming delay of a synthesis."""
    import logging

    from uncounted.inference import compile_model, draw, seed_for

    survival = importlib.import_module(_SURVIVAL)
    layout = survival.lay_out(settings, tables, survival.naming_of(trace.posterior, settings))
    logging.getLogger("uncounted").info("compiling the model of how soon recruits died")
    return draw(
        compile_model(survival.build(layout, settings["priors"])),
        **settings["sampling"],
        seed=seed_for(seed, case_name, "survival"),
        what="drawing how soon recruits died",
    )


def _fit(module, layout, case_config, seed, names):
    import logging

    import numpy as np
    import pandas as pd

    from uncounted.inference import compile_model, draw, predict, seed_for

    logger = logging.getLogger("uncounted")
    model = module.build(layout, case_config["priors"])
    logger.info("compiling the model: half a minute, or two the first time")
    compiled = compile_model(model)
    sampling = case_config["sampling"]
    trace = draw(
        compiled,
        **sampling["posterior"],
        seed=seed_for(seed, *names),
        what="drawing from the posterior",
        keep_positions=True,
    )
    start = trace.unconstrained_posterior
    del trace.unconstrained_posterior
    counted = module.count_deaths(trace.posterior, layout, seed_for(seed, *names, "count"))
    trace.posterior = trace.posterior.merge(counted)
    logger.info("drawing predictions")
    predict(model, trace, draws=sampling["predictive_draws"], seed=seed_for(seed, *names, "predict"))
    without = []
    sources = layout.coords["source"]
    for i, source in enumerate(sources):
        use = np.ones(len(sources))
        use[i] = 0.0
        refit = draw(
            compiled.with_data(use=use),
            **sampling["without_a_source"],
            seed=seed_for(seed, *names, source),
            what=f"drawing without {source}",
            start=start,
        )
        deaths = module.count_deaths(refit.posterior, layout, seed_for(seed, *names, source, "count"))
        without.append(deaths[module.DEATHS].to_dataframe(name="deaths").reset_index().assign(left_out=source))
    return trace, pd.concat(without)[["left_out", "chain", "draw", "deaths"]]
