"""The page around the cases: templates, filters, and what is said of the release as a whole."""

from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from uncounted.figures import words

HERE = Path(__file__).resolve().parent

FILTERS = {
    "count": words.count,
    "percent": words.percent,
    "number": words.number,
    "day": words.day,
    "short_day": words.short_day,
    "month": words.month,
    "ages": words.ages,
    "source": words.source,
    "variable": words.variable,
    "parameter": words.parameter,
    "opening": words.capital,
    "signed_percent": words.signed_percent,
    "small": words.small,
    "stratum": words.stratum,
    "model": words.model,
}


def environment():
    """Make the Jinja environment: everything from tables is escaped, and what is missing is an error."""
    made = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= FILTERS
    return made


def render(provenance, cases):
    """Write the page.

    Parameters
    ----------
    provenance : dict
        What the release follows from.
    cases : list of dict
        One view a case; `template` names its template.

    Returns
    -------
    str
    """
    template = environment().get_template("report.html.j2")
    return template.render(
        release=provenance["release"],
        draft=why_draft(provenance),
        cases=cases,
        several=len(cases) > 1,
        # Studies share models: each is described once.
        model_texts=list({text["name"]: text for case in cases for text in case["model_texts"]}.values()),
        provenance=provenance,
        config_text=yaml.safe_dump(provenance["config"], sort_keys=False, allow_unicode=True, width=88),
        css=Markup((HERE / "style.css").read_text(encoding="utf-8")),
    )


def why_draft(provenance):
    """Say why nobody should cite this release; nothing if there is no reason.

    Returns
    -------
    list of str
    """
    reasons = []
    if provenance["release"] == "draft":
        reasons.append("it has no release name of its own")
    if not provenance["commit"]:
        reasons.append("its code has no commit")
    elif not provenance["clean"]:
        reasons.append("its code, figures or settings had changes that no commit holds")
    return reasons
