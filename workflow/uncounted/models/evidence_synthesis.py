"""From the evidence of several sources to the posteriors of a study: of all sources, and without each in turn.

One compiled model serves all fits; sources are switched off in its data. What need not wait for the last of them is
done by a second process: drawing predictions, and how soon recruits died.
"""

import contextlib
import importlib
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from uncounted.compiling import compile_model, compiling_ahead
from uncounted.evidence.schemas import read_tables
from uncounted.files import atomic_path
from uncounted.inference import draw, predict, seed_for, thin
from uncounted.models.packing import pack
from uncounted.second_process import SecondProcess

logger = logging.getLogger("uncounted")

# By their names, so that a study is not fitted again when a model changes that it does without.
_MODELS = "uncounted.models"
_SERVICES = "uncounted.models.services"
_SURVIVAL = "uncounted.models.survival"


def fit_sources(case_name, case_config, models, evidence_folder, out_folder, seed):
    """Fit a model to all sources, then without each in turn.

    Parameters
    ----------
    case_name : str
    case_config : dict
    models : list of str
        The one model of an evidence synthesis.
    evidence_folder : str or Path
    out_folder : str or Path
        Receives ``<model>.nc``, the posterior of all sources; ``<model>_without.parquet``, draws of the number of
        deaths without each source in turn (left_out, chain, draw, deaths); and where the config asks how soon recruits
        died, ``survival.nc``.
    seed : int
        The run's seed.

    Raises
    ------
    UserError
        The config lacks a prior, or the evidence does not say what the model has to know.
    """
    (model,) = models
    module = _module(model)
    services = importlib.import_module(_SERVICES)
    tables = read_tables(case_config, evidence_folder)
    layout = module.lay_out(case_config, tables)
    # Before the minutes of a fit: what is wrong with the list by kind of service is said at once.
    kinds = services.lay_out(case_config, tables) if case_config.get("services") else None
    trace, without, survived = _fit(case_name, case_config, model, tables, layout, seed)
    if kinds is not None:
        own = seed_for(seed, case_name, model, "services")
        trace.posterior = trace.posterior.merge(services.spread(trace.posterior, kinds, case_config["priors"], own))
    if survived is not None:
        with atomic_path(Path(out_folder) / "survival.nc") as path:
            survived.to_netcdf(str(path))
    with atomic_path(Path(out_folder) / f"{model}.nc") as path:
        trace.to_netcdf(str(path))
    with atomic_path(Path(out_folder) / f"{model}_without.parquet") as path:
        without.to_parquet(path, index=False)


def _module(model):
    return importlib.import_module(_MODELS).model_named(model)


def _fit(case_name, case_config, model, tables, layout, seed):
    """Draw from the posterior, and without each source; in a second process predictions, and how soon recruits died."""
    module, sampling, recruits = _module(model), case_config["sampling"], case_config.get("survival")
    compiled = _compile(module.build(layout, case_config["priors"]), recruits, tables)
    trace = draw(
        compiled,
        **sampling["posterior"],
        seed=seed_for(seed, case_name, model),
        what="drawing from the posterior",
        keep_positions=True,
    )
    start = trace.unconstrained_posterior
    del trace.unconstrained_posterior
    with SecondProcess() as beside:
        predicted = beside.call(
            __name__,
            "draw_predictions",
            model,
            layout,
            case_config["priors"],
            thin(trace, sampling["predictive_draws"]),
            seed_for(seed, case_name, model, "predict"),
        )
        if recruits:
            naming = importlib.import_module(_SURVIVAL).naming_of(trace.posterior, recruits)
            own = seed_for(seed, case_name, "survival")
            survived = beside.call(__name__, "draw_survival", recruits, tables, naming, own)
        counted = module.count_deaths(trace.posterior, layout, seed_for(seed, case_name, model, "count"))
        trace.posterior = trace.posterior.merge(counted)
        without = _without_each_source(compiled, start, model, layout, sampling["without_a_source"], seed, case_name)
        trace.extend(predicted.result())
        return trace, without, survived.result() if recruits else None


def _compile(built, recruits, tables):
    """Compile the model, and for the second process the one of how soon recruits died: beside it if there is room."""
    logger.info("compiling the model: half a minute, or three the first time")
    with compiling_ahead(built), contextlib.ExitStack() as later:
        if recruits:
            logger.info("compiling the model of how soon recruits died")
            later.enter_context(compiling_ahead(_build_survival(recruits, tables)))
    return compile_model(built)


def _build_survival(settings, tables):
    """The model of how soon recruits died. Only shapes matter: the delay of naming is among the data."""
    survival = importlib.import_module(_SURVIVAL)
    layout = survival.lay_out(settings, tables, survival.naming_stated(1.0, 1.0))
    return survival.build(layout, settings["priors"])


def _without_each_source(compiled, start, model, layout, sampling, seed, case_name):
    """Draws of the number of deaths without each source in turn (left_out, chain, draw, deaths)."""
    module, without = _module(model), []
    sources = layout.coords["source"]
    for i, source in enumerate(sources):
        use = np.ones(len(sources))
        use[i] = 0.0
        refit = draw(
            compiled.with_data(use=use),
            **sampling,
            seed=seed_for(seed, case_name, model, source),
            what=f"drawing without {source}",
            start=start,
        )
        deaths = module.count_deaths(refit.posterior, layout, seed_for(seed, case_name, model, source, "count"))
        without.append(deaths[module.DEATHS].to_dataframe(name="deaths").reset_index().assign(left_out=source))
    return pd.concat(without)[["left_out", "chain", "draw", "deaths"]]


def draw_predictions(model, layout, priors, trace, seed):
    """Draw from the prior, and predict from each draw of a posterior, of the model that is so named.

    Parameters
    ----------
    model : str
    layout : Layout
    priors : dict
    trace : arviz.InferenceData
    seed : int

    Returns
    -------
    arviz.InferenceData
        See :func:`uncounted.inference.predict`.
    """
    logger.info("drawing predictions")
    return predict(_module(model).build(layout, priors), trace, seed=seed)


def draw_survival(settings, tables, naming, seed):
    """Draw how soon recruits died.

    Parameters
    ----------
    settings : dict
    tables : dict of str to pandas.DataFrame
    naming : tuple of numpy.ndarray
        See :func:`uncounted.models.survival.naming_of`.
    seed : int

    Returns
    -------
    arviz.InferenceData
    """
    compiled = compile_model(_build_survival(settings, tables))
    layout = importlib.import_module(_SURVIVAL).lay_out(settings, tables, naming)
    return draw(
        compiled.with_data(evidence=pack(layout.data)),
        **settings["sampling"],
        seed=seed,
        what="drawing how soon recruits died",
    )
