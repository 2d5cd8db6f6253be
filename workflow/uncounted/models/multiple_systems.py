"""Fitting a study of lists: each family of models, and what they say without a list, with two merged, by stratum.

Without a list, and with two lists merged
    Where that leaves three lists or more, the log-linear model is fitted again. A study of three lists is left with
    two, which say nothing about how they depend on each other: what they say then, given what the config assumes of
    them (`log_odds_ratio`), is by the model `two_lists`, and lists are not merged. Two lists are not refitted.

Each stratum alone
    By the log-linear model, which otherwise lets strata borrow from each other. A stratum whose lists say nothing on
    their own has no number.

The people of each list, and tables like the study's own
    See :mod:`uncounted.models.own_table`.

A study for which the config names one model has its refits by that model, if it is one for so many lists.
"""

import logging
from contextlib import contextmanager
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np

from uncounted.errors import UserError
from uncounted.evidence.histories import (
    merge_lists,
    not_estimable_alone,
    spread_blanks,
    tabulate,
    without_list,
)
from uncounted.models import average, classical, decomposable, latent_class, loglinear, own_table, two_lists

SAMPLED = {"loglinear": loglinear, "latent_class": latent_class}
"""The models that are drawn from by chains, which may fail to converge."""

EXACT = {"decomposable": decomposable, "two_lists": two_lists}
"""The models whose draws are independent of each other."""

_FAMILIES = SAMPLED | EXACT

_logger = logging.getLogger("uncounted")


def fit_lists(case_name, case_config, models, evidence_folder, out_folder, seed):
    """Fit the models of a case of multiple systems estimation.

    Parameters
    ----------
    case_name : str
    case_config : dict
        ``lists``, ``strata``, ``structural_zeros``, ``blank_strata``, ``unseen_odds``, ``priors``, ``sampling``,
        ``checks``.
    models : list of str
        As :func:`uncounted.models.models_of` names them.
    evidence_folder : str or Path
        With ``histories.parquet``.
    out_folder : str or Path
        Receives ``<model>.nc`` for each model; ``weights.parquet``, what each family counts for, if there is an
        average; ``classical.parquet`` (:mod:`uncounted.models.classical`); and draws of the number of people,
        ``without.parquet`` (left_out, chain, draw, total), ``strata_alone.parquet`` (stratum, chain, draw, total),
        ``held_out.parquet`` and ``simulated.parquet`` (:mod:`uncounted.models.own_table`). A refit or a stratum that
        cannot be estimated has no row.
    seed : int
        The run's seed.

    Raises
    ------
    UserError
        The lists do not say how many people are on none.
    """
    histories = read_histories(case_config, evidence_folder)
    refuse_without_answer(histories)
    fits, weights = fit_models(models, histories, case_config, seed, case_name)
    _logger.info("applying the older methods")
    tables = weights | {
        "classical": classical.fit(histories),
        "without": _refit(refits(histories), refitting_model(models, histories), case_config, seed, case_name),
        "strata_alone": _alone(models, histories, case_config, seed, case_name),
        "held_out": _held_out(models, histories, case_config, seed, case_name),
        "simulated": _simulated(models, fits, histories, case_config, seed, case_name),
    }
    _write(fits, tables, Path(out_folder))


def read_histories(case_config, evidence_folder):
    """Read the capture histories of a case as its models take them.

    Parameters
    ----------
    case_config : dict
    evidence_folder : str or Path

    Returns
    -------
    uncounted.evidence.histories.Histories
        Without blanks, if the config says that they be spread.
    """
    import pandas as pd

    frame = pd.read_parquet(Path(evidence_folder) / "histories.parquet")
    histories = tabulate(frame, case_config["lists"], case_config["strata"], case_config["structural_zeros"])
    return spread_blanks(histories) if case_config["blank_strata"] == "spread" else histories


def refuse_without_answer(histories):
    """Stop where the lists say nothing about people on none, strata added up.

    Parameters
    ----------
    histories : uncounted.evidence.histories.Histories

    Raises
    ------
    UserError
        Names the reason.
    """
    reason = not_estimable_alone(own_table.added_up(histories)).get(0)
    if reason:
        raise UserError(
            f"cannot be estimated: {reason}",
            where=f"the lists {', '.join(histories.lists)}",
            expected="lists each of which shares people with another one",
            do="take out a list that shares nobody, or look whether the same people were matched",
        )


def refits(histories):
    """List the studies that differ from this one by a list.

    Parameters
    ----------
    histories : uncounted.evidence.histories.Histories

    Returns
    -------
    dict of str to Histories
        "without EXH" for each list, then "EXH and ABA merged" for each pair. Of three lists none are merged, and two
        lists have no refit.
    """
    if histories.n_lists < 3:
        return {}
    others = {f"without {name}": without_list(histories, name) for name in histories.lists}
    if histories.n_lists > 3:
        others |= {f"{a} and {b} merged": merge_lists(histories, a, b) for a, b in combinations(histories.lists, 2)}
    return others


def refitting_model(models, histories):
    """Name the model of the refits.

    Parameters
    ----------
    models : list of str
        The models of the case.
    histories : uncounted.evidence.histories.Histories

    Returns
    -------
    str
    """
    if histories.n_lists <= 3:
        return "two_lists"
    return "loglinear" if "loglinear" in models else models[0]


def only_stratum(histories, stratum):
    """Take one stratum for a study of its own.

    Parameters
    ----------
    histories : uncounted.evidence.histories.Histories
        Blanks are left out: spread them first.
    stratum : int
        Its number.

    Returns
    -------
    uncounted.evidence.histories.Histories
    """
    n_tables, _, n_cells = histories.counts.shape
    return replace(
        histories,
        labels=(histories.labels[stratum],),
        counts=histories.counts[:, [stratum]],
        possible=histories.possible[[stratum]],
        blank=np.zeros((n_tables, 0, n_cells), dtype=np.int64),
        blank_strata=np.zeros((0, 1), dtype=bool),
    )


# Fitting


def fit_models(models, histories, settings, seed, name):
    """Fit each family, then their average.

    Parameters
    ----------
    models : list of str
        As of :func:`uncounted.models.models_of`.
    histories : uncounted.evidence.histories.Histories
    settings : dict
        ``priors``, ``sampling``, ``checks``, ``unseen_odds``.
    seed : int
    name : str
        Of the study: each fit has a seed of its own.

    Returns
    -------
    fits : dict of str to arviz.InferenceData or xarray.Dataset
        The one that leads comes first.
    tables : dict of str to pandas.DataFrame
        ``weights``, if there is an average.
    """
    from uncounted.inference import seed_for

    families, found = [model for model in models if model != "average"], {}
    # The one that takes long to draw from comes first: another study may compile a large model meanwhile.
    for model in sorted(families, key=lambda model: model != "latent_class"):
        _logger.info(f"fitting the model {model}")
        found[model] = _FAMILIES[model].fit(histories, settings, seed_for(seed, name, model))
    fits = {model: found[model] for model in families}
    if "average" not in models:
        return fits, {}
    posterior, weights = average.fit(fits, spread_blanks(histories), settings, seed_for(seed, name, "average"))
    return {"average": posterior} | fits, {"weights": weights}


def _refit(studies, model, case_config, seed, case_name):
    """Fit a model to each of several studies; draws of the total."""
    from uncounted.inference import seed_for

    settings = _settings_of_refits(case_config)
    return _draws_of(
        studies,
        "left_out",
        f"fitting again without a list or with two merged ({model})",
        lambda name, other: _FAMILIES[model].fit(other, settings, seed_for(seed, case_name, model, name)),
    )


def _alone(models, histories, case_config, seed, case_name):
    """Fit the log-linear model to each stratum on its own; draws of the total."""
    from uncounted.inference import seed_for

    model = "loglinear" if "loglinear" in models else models[0]
    settings, spread = _settings_of_refits(case_config), spread_blanks(histories)
    several = len(histories.labels) > 1 and model != "two_lists"
    numbers = range(len(histories.labels)) if several else ()
    return _draws_of(
        {histories.stratum_names[number]: only_stratum(spread, number) for number in numbers},
        "stratum",
        f"fitting each stratum on its own ({model})",
        lambda name, other: _FAMILIES[model].fit(other, settings, seed_for(seed, case_name, model, "alone", name)),
    )


def _held_out(models, histories, case_config, seed, case_name):
    """Estimate from the other lists how many people each list holds; draws."""
    from uncounted.inference import seed_for

    # The dial is of people on no list at all: those of a list are on one.
    settings = _settings_of_refits(case_config) | {"unseen_odds": 0.0}
    settings["checks"] = case_config["checks"] | own_table.ROUGH

    def fit(name, model, other):
        with _in_silence():
            return _FAMILIES[model].fit(other, settings, seed_for(seed, case_name, "people on", name, model))

    def mean(name, fits, other):
        return average.fit(fits, other, settings, seed_for(seed, case_name, "people on", name, "average"))[0]

    return own_table.hold_out(histories, models, fit, mean)


def _simulated(models, fits, histories, case_config, seed, case_name):
    """Simulate tables like the study's own and fit them, strata added up; draws. None of several tables."""
    from uncounted.inference import seed_for

    rough = dict(case_config["sampling"]["simulated"])
    number, model = rough.pop("tables"), simulating_model(models, histories)
    if len(histories.weights) > 1 or not number:
        return own_table.no_simulations()
    settings, whole = _settings_of_refits(case_config, rough), own_table.added_up(histories)

    def fit(name, table):
        with _in_silence():
            return _FAMILIES[model].fit(table, settings, seed_for(seed, case_name, model, "simulated", name))

    of_study = len(histories.labels) == 1 and not len(histories.blank[0]) and model in fits
    posterior = _posterior(fits[model] if of_study else fit("from", whole))
    if not posterior["total"].notnull().all():
        return own_table.no_simulations()
    rng = np.random.default_rng(seed_for(seed, case_name, model, "simulate"))
    return own_table.simulate_and_fit(posterior, whole, number, rng, fit)


def simulating_model(models, histories):
    """Name the model that tables are simulated from and fitted by.

    Parameters
    ----------
    models : list of str
        The models of the case.
    histories : uncounted.evidence.histories.Histories

    Returns
    -------
    str
        The log-linear model if it is among them.
    """
    if histories.n_lists == 2:
        return "two_lists"
    return "loglinear" if "loglinear" in models else next(name for name in models if name != "average")


def _settings_of_refits(case_config, fewer=None):
    """Fewer draws, by default those of a refit: it shows how far the answer moves."""
    sampling = case_config["sampling"]
    fewer = fewer or sampling["refits"]
    exact = sampling["exact"] | {"draws": fewer["draws"]}
    classes = sampling["latent_class"] | {"draws": fewer["draws"], "chains": fewer["chains"]}
    return case_config | {"sampling": sampling | {"loglinear": fewer, "latent_class": classes, "exact": exact}}


def _draws_of(studies, key, what, fit):
    """Draws of the total of several studies, one row a draw; those without an answer are left out."""
    import pandas as pd

    from uncounted.console import Progress

    columns = {key: str, "chain": "int64", "draw": "int64", "total": "float64"}
    if not studies:
        return pd.DataFrame(columns=list(columns)).astype(columns)
    tables = []
    with Progress(len(studies), what, "fits") as seen:
        for number, (name, histories) in enumerate(studies.items()):
            seen(number)
            if 0 in not_estimable_alone(own_table.added_up(histories)):
                continue
            with _in_silence():
                total = _posterior(fit(name, histories))["total"]
            if total.notnull().all():
                tables.append(total.to_dataframe(name="total").reset_index().assign(**{key: name}))
    drawn = pd.concat(tables) if tables else pd.DataFrame(columns=list(columns))
    return drawn[list(columns)].astype(columns)


@contextmanager
def _in_silence():
    """Let each of many fits say nothing: how far all of them are is said once."""
    level = _logger.level
    _logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        _logger.setLevel(level)


def _posterior(fit):
    return getattr(fit, "posterior", fit)


def _write(fits, tables, folder):
    import arviz as az

    from uncounted.files import atomic_path

    for model, fit in fits.items():
        trace = az.InferenceData(posterior=fit) if model in ("average", *EXACT) else fit
        with atomic_path(folder / f"{model}.nc") as path:
            trace.to_netcdf(str(path))
    for name, table in tables.items():
        with atomic_path(folder / f"{name}.parquet") as path:
            table.to_parquet(path, index=False)
