"""What no list can tell: the number of people along the dial, and where published estimates would need it to stand.

The dial multiplies the people that a model expects to be on no list. No fit is needed to turn it: the draws of the
unseen are multiplied by as much. (The chance of a single draw, the square root of its number, is not drawn anew: it is
nothing beside what is not known about the number expected.)
"""

import numpy as np
import pandera.pandas as pa

from uncounted.checks.typed import typed

POSITIONS = np.linspace(-2.0, 2.0, 17)
"""Where the dial is turned to (log odds)."""

LEVELS = (0.5, 0.95)

SCHEMA = pa.DataFrameSchema(
    {
        "unseen_odds": pa.Column(float),
        "median": pa.Column(float),
        "lower": pa.Column(float),
        "upper": pa.Column(float),
        "level": pa.Column(float),
        "needed_for": pa.Column(str),
    },
    strict=True,
    ordered=True,
)
"""One row a position and level: people in all. `needed_for` is the published estimate that needs it."""


def turn_dial(total, unseen, stands, published):
    """Say how many people there are along the dial.

    Parameters
    ----------
    total, unseen : numpy.ndarray
        Draws of the leading model.
    stands : float
        Where the dial stood when they were drawn (log odds).
    published : dict of str to float
        Published estimates of all people, by what they are called.

    Returns
    -------
    pandas.DataFrame
        See :data:`SCHEMA`; ordered by position, then the published estimates. One that is below the number seen is at
        no position. Empty without draws.
    """
    total, unseen = np.ravel(total).astype(float), np.ravel(unseen).astype(float)
    if not np.isfinite(total).all() or not np.median(unseen) > 0:
        return typed([], SCHEMA)
    # Where it stands is a position, too: it is what the report leads with.
    places = [(float(at), "") for at in sorted({*POSITIONS, float(stands)})]
    seen, middle = np.median(total - unseen), np.median(unseen)
    places += [
        (float(stands + np.log((estimate - seen) / middle)), name)
        for name, estimate in published.items()
        if estimate > seen
    ]
    rows = [row for at, name in places for row in _rows(at, name, total - unseen, unseen * np.exp(at - stands))]
    return typed(rows, SCHEMA)


def _rows(at, name, seen, unseen):
    for level in LEVELS:
        median, lower, upper = map(float, np.quantile(seen + unseen, [0.5, (1 - level) / 2, (1 + level) / 2]))
        yield at, median, lower, upper, level, name
