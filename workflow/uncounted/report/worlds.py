"""How the model that puts sources together fared in simulated worlds: from the table that docs/ publishes."""

from uncounted.checks.synthesis_calibration import DEATHS, KINDS, LEVELS
from uncounted.figures import words
from uncounted.provenance import SYNTHESIS_CALIBRATION
from uncounted.report.published import published

_NEEDED = ("kind", "quantity", "fits", "answered", *(f"coverage_{level}" for level in LEVELS), "failed")

_LABELS = {
    "fast": "names come fast",
    "slow": "names come slowly",
    "prior": "all drawn from the priors",
}


def view(provenance):
    """Say in how many simulated worlds the intervals held the number of deaths.

    Parameters
    ----------
    provenance : dict
        What the release follows from: the table is read if it is among its inputs.

    Returns
    -------
    dict or None
        None where no calibration of this model is published with this copy. ``fits``, ``answered``, ``failed`` as
        words, ``held`` with a level and a number each, all over the kinds of world; ``kinds``, one row a kind.
    """
    table = published(provenance, SYNTHESIS_CALIBRATION, _NEEDED)
    if table is None:
        return None
    table = table[(table["quantity"] == DEATHS) & table["kind"].isin(KINDS)]
    kinds = [_numbers(row) | {"label": _LABELS[row["kind"]]} for row in table.to_dict("records")]
    if not kinds:
        return None
    whole = {name: sum(row[name] for row in kinds) for name in kinds[0] if name != "label"}
    return {
        **_written(whole),
        "kinds": [_written(row) | {"label": row["label"]} for row in kinds],
    }


def _numbers(row):
    """Turn shares of fits into numbers of fits."""
    held = {level: round(row[f"coverage_{level}"] * row["answered"]) if row["answered"] else 0 for level in LEVELS}
    return {"fits": row["fits"], "answered": row["answered"], "failed": round(row["failed"] * row["fits"]), **held}


def _written(numbers):
    return {
        **{name: words.count(numbers[name]) for name in ("fits", "answered", "failed")},
        "held": [{"level": words.percent(level / 100), "fits": words.count(numbers[level])} for level in LEVELS],
    }
