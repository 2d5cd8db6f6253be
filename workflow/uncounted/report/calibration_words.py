"""How the pages on calibration are written: one Jinja environment, and how their numbers look."""

from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from uncounted.figures import calibration as figures
from uncounted.figures import words
from uncounted.files import atomic_path

_HERE = Path(__file__).resolve().parent


def render(template, **seen):
    """Fill a template of this folder.

    Parameters
    ----------
    template : str
        Its file.
    **seen
        What it may name; anything else is an error.

    Returns
    -------
    str
        Markdown.
    """
    made = Environment(
        loader=FileSystemLoader(_HERE),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    made.filters |= _FILTERS
    return made.get_template(template).render(**seen)


def write(path, content):
    """Write a file of a page; its folders are made.

    Parameters
    ----------
    path : Path
    content : bytes
    """
    with atomic_path(path) as part:
        part.write_bytes(content)


def _share(value, digits=0):
    return "–" if value is None or not np.isfinite(value) else words.percent(value, digits)


def _factor(log_ratio):
    """Write a log ratio as a factor: `1.35`."""
    return words.number(np.exp(log_ratio)) if np.isfinite(log_ratio) else "–"


def _relative(log_ratio):
    return words.signed_percent(np.expm1(log_ratio)) if np.isfinite(log_ratio) else "–"


def _listed(names):
    """Join names as a sentence has them."""
    names = list(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


_FILTERS = {
    "share": _share,
    "with_error": words.with_error,
    "factor": _factor,
    "relative": _relative,
    "listed": _listed,
    "count": words.count,
    "parameter": words.parameter,
    "number": words.number,
    "kind": figures.kind_label,
    "quantity": figures.quantity_label,
    "label": figures.LABELS.get,
    "opening": words.capital,
}
