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

_FITS = {
    "evidence_synthesis": ("uncounted.models.evidence_synthesis", "fit_sources"),
    "multiple_systems_estimation": ("uncounted.models.multiple_systems", "fit_lists"),
}
"""What fits a study of each kind; by its name, so that no study waits for models of the other kind."""


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
        others = sorted(set(MODULES) - set(LISTS))
        if named not in others:
            raise UserError(
                f"there is no model '{named}' of several sources",
                where="config of the case, key model",
                expected="one of " + ", ".join(others),
            )
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
        Receives the posterior of each model, ``<model>.nc``, and what goes with them: of an evidence synthesis that of
        :func:`uncounted.models.evidence_synthesis.fit_sources`, of multiple systems estimation that of
        :func:`uncounted.models.multiple_systems.fit_lists`.
    seed : int
        The run's seed.

    Raises
    ------
    UserError
        The config lacks a prior, or names no known model; or the lists do not say how many people are on none.
    """
    module, function = _FITS[case_config["kind"]]
    fit = getattr(importlib.import_module(module), function)
    fit(case_name, case_config, models_of(case_config), evidence_folder, out_folder, seed)
