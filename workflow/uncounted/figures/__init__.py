"""One picture a question: takes the tables of a case, computes nothing, uncertainty always shown."""

NAMES = {
    "evidence_synthesis": [
        "headline",
        "deaths_by_month",
        "deaths_by_age",
        "share_named",
        "growing_list",
        "predictive",
        "registered_deaths",
        "sensitivity",
        "published_estimates",
        "prior_posterior",
        "backtest",
    ],
}
"""The figures of each kind of study."""

_PLACES = {
    "headline": "answer",
    "deaths_by_month": "answer",
    "deaths_by_age": "answer",
    "share_named": "answer",
    "growing_list": "sources",
    "predictive": "sources",
    "registered_deaths": "sources",
    "sensitivity": "checks",
    "published_estimates": "others",
    "prior_posterior": "checks",
    "backtest": "checks",
}


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
    from uncounted.figures.tables import CaseTables

    logger = logging.getLogger("uncounted")
    tables = CaseTables(case_name, case_config, case_folder)
    names = NAMES[case_config["kind"]]
    with style.applied():
        # All are drawn before the first is written: an error leaves the earlier set as it was.
        drawn = {}
        for name in names:
            module = import_module(f"uncounted.figures.{_PLACES[name]}")
            drawn[name] = style.rendered(getattr(module, name)(tables))
    for name, files in drawn.items():
        style.write(files, Path(out_folder) / name)
    logger.info(f"{len(names)} figures of {case_name} drawn")
