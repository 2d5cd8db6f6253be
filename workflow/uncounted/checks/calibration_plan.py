"""What calibration has to do, for the rules: light to import, since Snakemake reads it each time."""

import hashlib
from pathlib import Path

from uncounted.config import DEFAULTS, _check, _read_yaml
from uncounted.provenance import LOCK, PACKAGE, _imports, sha256

CONFIG = "config/calibration.yaml"

RUNS = ("development", "published")
"""Two sets of populations: models are developed on the first, and judged by the second."""

_FITTED = ("loglinear", "latent_class", "decomposable", "decomposable_graphs", "average", "classical")
_NO_PART_IN_NUMBERS = {"uncounted.config", "uncounted.console", "uncounted.errors", "uncounted.files"}


def read_calibration(path=CONFIG):
    """Read the config of the calibration, and check it against its schema.

    Parameters
    ----------
    path : str or Path, optional

    Returns
    -------
    dict

    Raises
    ------
    UserError
        For whatever is wrong, with file, line and key.
    """
    path = Path(path)
    values, lines = _read_yaml(path)
    return _check(values, lines, path, "calibration")


def batches_of(config, run):
    """List the batches of populations of a run.

    Parameters
    ----------
    config : dict
    run : str
        One of :data:`RUNS`.

    Returns
    -------
    list of str
        Such as ``4_lists_0``.
    """
    return [f"{lists}_lists_{batch}" for batch in range(config["batches"][run]) for lists in config["lists"]]


def rank_batches_of(config, run):
    """List the batches of simulation-based calibration of a run.

    Parameters
    ----------
    config : dict
    run : str

    Returns
    -------
    list of str
        Such as ``loglinear_4_lists_1_strata_0``.
    """
    return [
        f"{one['model']}_{one['lists']}_lists_{one['strata']}_strata_{batch}"
        for batch in range(config["ranks"]["batches"][run])
        for one in config["ranks"]["models"]
    ]


def synthesis_batches_of(config, run):
    """List the batches of worlds that are simulated for the synthesis in a run.

    Parameters
    ----------
    config : dict
    run : str

    Returns
    -------
    list of str
        Such as ``synthesis_0``.
    """
    return [f"synthesis_{batch}" for batch in range(config["synthesis"]["batches"][run])]


def figures_of(config):
    """Name the figures of the page.

    Parameters
    ----------
    config : dict

    Returns
    -------
    list of str
        Without suffix.
    """
    return ["coverage", *dict.fromkeys(f"ranks_{one['model']}" for one in config["ranks"]["models"])]


def code_of(*modules, fitted=_FITTED):
    """Put the code that a batch's numbers follow from into one short value.

    Unlike :func:`uncounted.provenance.digest` it leaves the packages' own ``__init__`` out: hours of fits need not be
    done again for a change to a check or a figure that has no part in them.

    Parameters
    ----------
    *modules : str
        Such as ``checks.calibration``; what they import of the library counts too, as do the models and their defaults.
    fitted : sequence of str, optional
        The models.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    ahead = [f"uncounted.{name}" for name in (*modules, *(f"models.{model}" for model in fitted))]
    files, seen = {LOCK, Path(DEFAULTS)}, set(_NO_PART_IN_NUMBERS)
    while ahead:
        name = ahead.pop()
        file = PACKAGE.joinpath(*name.split(".")[1:]).with_suffix(".py")
        if name not in seen and file.is_file():
            files.add(file)
            ahead += _imports(file)
        seen.add(name)
    return hashlib.sha256("".join(sha256(file) for file in sorted(files)).encode()).hexdigest()[:16]
