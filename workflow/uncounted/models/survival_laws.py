"""Laws of the time to death: cumulative hazards, and the naming of the dead, for NumPy and PyTensor alike.

A function that takes `xp` computes with it: :mod:`numpy` or :mod:`pytensor.tensor`. Times are in days since somebody
was sent to the front.
"""

import numpy as np

LAWS = ("weibull", "piecewise")
"""The laws of the hazard."""

REFERENCE = 91.0
"""Days by which the level of every law is stated: the share of those sent who are dead by then."""

_FIRST = 1e-6
"""Days that stand for none at all, of which there is no logarithm."""


def log_days(days):
    """Logarithm of days in units of :data:`REFERENCE`: what :func:`weibull` needs of them.

    Parameters
    ----------
    days : numpy.ndarray

    Returns
    -------
    numpy.ndarray
        Finite for no days at all.
    """
    return np.log(np.maximum(days, _FIRST) / REFERENCE)


def days_in_pieces(days, breaks):
    """Days that fall into each piece of time: what :func:`piecewise` needs of them.

    Parameters
    ----------
    days : array
    breaks : sequence of float
        Where one piece ends and the next begins.

    Returns
    -------
    numpy.ndarray, shape (*days.shape, piece)
        One more piece than there are breaks.
    """
    starts, ends = np.array([0.0, *breaks]), np.array([*breaks, np.inf])
    return np.clip(np.asarray(days)[..., None] - starts, 0.0, ends - starts)


def weibull(xp, level, shape, logs):
    """Cumulative hazard of Weibull's distribution (Weibull 1951, J. Appl. Mech. 18:293).

    Parameters
    ----------
    xp : module
    level : array
        Cumulative hazard at :data:`REFERENCE` days.
    shape : array
        Below 1 the first days are the deadliest, above 1 the later ones.
    logs : array
        See :func:`log_days`. Broadcasts with the two.

    Returns
    -------
    array
    """
    return level * xp.exp(shape * logs)


def piecewise(xp, level, log_hazards, in_pieces, breaks):
    """Cumulative hazard where the hazard is constant in each piece (Friedman 1982, Ann. Stat. 10:101).

    Parameters
    ----------
    xp : module
    level : array
        Cumulative hazard at :data:`REFERENCE` days.
    log_hazards : array, shape (..., piece)
        Log hazard of each piece, up to a constant that `level` makes good.
    in_pieces : array, shape (..., piece)
        See :func:`days_in_pieces`. Broadcasts with `log_hazards`.
    breaks : sequence of float

    Returns
    -------
    array
    """
    hazards = xp.exp(log_hazards)
    reference = (hazards * days_in_pieces(REFERENCE, breaks)).sum(axis=-1)
    return level * (hazards * in_pieces).sum(axis=-1) / reference


def hazards(xp, breaks, level, own):
    """Cumulative hazards of all laws, as a function of days.

    Parameters
    ----------
    xp : module
    breaks : sequence of float
    level : array, shape (law, ..., recruiter)
        Cumulative hazards at :data:`REFERENCE` days.
    own : dict of str to array
        By law, what it has beside its level: shapes (..., recruiter) or log hazards (..., recruiter, piece).

    Returns
    -------
    callable
        Of :func:`log_days`, of :func:`days_in_pieces`, and of a function that gives a parameter (..., recruiter) the
        axes of the days; it returns (law, ...).
    """

    def cumulative(logs, in_pieces, at):
        laws = []
        for place, (law, values) in enumerate(own.items()):
            if law == "weibull":
                laws.append(weibull(xp, at(level[place]), at(values), logs))
            else:
                laws.append(piecewise(xp, at(level[place]), at(values), in_pieces, breaks))
        return xp.stack(laws)

    return cumulative


def share_named(xp, delay, tail, days):
    """Share of the nameable dead that is named so many days after death: Lomax's distribution.

    Parameters
    ----------
    xp : module
    delay : array
        Days until half of the nameable are named.
    tail : array
        Shape; small is a long tail.
    days : array
        None is named before the death.

    Returns
    -------
    array
        As in :mod:`uncounted.models.synthesis`, at an effort of 1.
    """
    scale = delay / xp.expm1(np.log(2.0) / tail)
    return -xp.expm1(-tail * xp.log1p(xp.maximum(days, 0.0) / scale))


def dead_between(xp, before, after):
    """Share of those sent who die between two cumulative hazards, without loss of digits where it is small."""
    return -xp.exp(-before) * xp.expm1(before - after)


def cells(number):
    r"""Edges and middles of cells between 0 and 1, narrower early on.

    With them a share of the dead who are named is a sum of differences of the distribution, which are exact, so that a
    density without bound at 0 does no harm:

    .. math::
        \int_0^d f(t) q(t) dt \approx \sum_k (F(d e_{k+1}) - F(d e_k)) \, q(d (e_k + e_{k+1}) / 2)
    """
    edges = np.linspace(0.0, 1.0, number + 1) ** 2
    return edges, (edges[1:] + edges[:-1]) / 2
