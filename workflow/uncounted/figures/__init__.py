"""One picture a question: takes the tables of a case, computes nothing, uncertainty always shown."""

_PLACES = {
    "evidence_synthesis": {
        "headline": "answer",
        "deaths_by_month": "answer",
        "deaths_by_age": "answer",
        "share_named": "answer",
        "deaths_a_day": "years",
        "deaths_by_service": "services",
        "named_by_region": "regions",
        "growing_list": "sources",
        "predictive": "sources",
        "registered_deaths": "sources",
        "sensitivity": "checks",
        "published_estimates": "others",
        "prior_posterior": "checks",
        "backtest": "checks",
        "tornado": "tornado",
        "backtest_dates": "backtest",
        "survival": "survival",
    },
    "multiple_systems_estimation": {
        "headline": "families",
        "overlaps": "lists",
        "strata": "families",
        "dial": "lists",
        "sensitivity": "families",
        "tornado": "tornado",
        "held_out_lists": "own_table",
        "last_person": "own_table",
        "parametric": "own_table",
        "cells": "cells",
    },
}
"""The figures of each kind of study, and the module that draws each."""

NAMES = {kind: list(places) for kind, places in _PLACES.items()}
"""The figures that a study of each kind can have: :func:`names_of` says which of them one has."""


def names_of(case_config):
    """Name the figures of a case.

    Parameters
    ----------
    case_config : dict
        Its config.

    Returns
    -------
    list of str
        Without `strata` where the study has none, and without `sensitivity` and `held_out_lists` where there are two
        lists: neither of them can be left out, and one says nothing of the people on the other. Without kinds of
        service or regions where no source has them, and without `backtest_dates` and `survival` where the config does
        not ask for them.
    """
    names = NAMES[case_config["kind"]]
    lacking = set() if case_config.get("backtest") else {"backtest_dates"}
    lacking |= set() if "survival" in case_config else {"survival"}
    if case_config["kind"] == "multiple_systems_estimation":
        lacking |= set() if case_config.get("strata") else {"strata"}
        lacking |= {"sensitivity", "held_out_lists"} if len(case_config["lists"]) == 2 else set()
    if case_config["kind"] == "evidence_synthesis":
        lacking |= set() if case_config.get("services") else {"deaths_by_service"}
        lacking |= set() if "named_by_region" in case_config["sources"] else {"named_by_region"}
    return [name for name in names if name not in lacking]


def draw_case(case_name, case_config, case_folder, out_folder):
    """Draw every figure of a case, as SVG and PNG.

    Parameters
    ----------
    case_name : str
    case_config : dict
        The config of the case.
    case_folder : str or Path
        Where its estimates, draws, checks and evidence are.
    out_folder : str or Path
        Where `<name>.svg` and `<name>.png` go.

    Raises
    ------
    UserError
        If a table is missing or lacks what a figure shows. No figure is ever left blank.
    """
    import logging
    from importlib import import_module
    from pathlib import Path

    from uncounted.figures import style
    from uncounted.figures.tables import open_tables

    logger = logging.getLogger("uncounted")
    tables = open_tables(case_name, case_config, case_folder)
    places = _PLACES[case_config["kind"]]
    names = names_of(case_config)
    with style.applied():
        # All are drawn before the first is written: an error leaves the earlier set as it was.
        drawn = {}
        for name in names:
            module = import_module(f"uncounted.figures.{places[name]}")
            drawn[name] = style.rendered(getattr(module, name)(tables))
    for name, files in drawn.items():
        style.write(files, Path(out_folder) / name)
    logger.info(f"{len(names)} figures of {case_name} drawn")
