"""The models. One table turns the name in a config into the module; adding a model adds a file and a line here."""

import importlib

from uncounted.errors import UserError

MODULES = {"synthesis": "uncounted.models.synthesis"}
"""Model name in the config to module."""


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


def fit_case(*, case_name, case_config, evidence_folder, out_nc, out_without, seed):
    """Fit the model of one case to all its sources, then without each source in turn.

    One compiled model serves all fits; sources are switched off in its data.

    Parameters
    ----------
    case_name : str
    case_config : dict
        ``model``, ``priors``, ``sampling`` and what the model reads beside them.
    evidence_folder : str or Path
        The evidence tables of the case.
    out_nc : str or Path
        Posterior, predictions and log likelihood, as NetCDF.
    out_without : str or Path
        Draws of the number of deaths without each source, as Parquet: left_out, chain, draw, deaths.
    seed : int
        The run's seed.

    Raises
    ------
    UserError
        The config lacks a prior, or names no known model.
    """
    from uncounted.evidence.schemas import read_tables
    from uncounted.files import atomic_path

    module = model_named(case_config["model"])
    layout = module.lay_out(case_config, read_tables(case_config, evidence_folder))
    trace, without = _fit(module, layout, case_config, seed, (case_name, case_config["model"]))
    with atomic_path(out_nc) as path:
        trace.to_netcdf(str(path))
    with atomic_path(out_without) as path:
        without.to_parquet(path, index=False)


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
    for i, source in enumerate(module.SOURCES):
        use = np.ones(len(module.SOURCES))
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
