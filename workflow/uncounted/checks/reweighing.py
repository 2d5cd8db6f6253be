"""A posterior under another prior, or other data, from draws that there are: importance weights that are smoothed.

Pareto smoothed importance sampling (Vehtari, Simpson, Gelman, Yao and Gabry 2024, J. Mach. Learn. Res. 25:72). Its k
says how far the result can be trusted: beyond :data:`HIGH_K` too few draws lie where the other posterior has its mass.
"""

from dataclasses import dataclass

import numpy as np

HIGH_K = 0.7
"""A Pareto k above this says that the weighed draws are no sample of the other posterior (Vehtari et al. 2024)."""

_EVEN = 1e-10


@dataclass(frozen=True)
class Draws:
    """Draws of one number, each with a weight.

    Attributes
    ----------
    values : numpy.ndarray, (draw,)
    weights : numpy.ndarray, (draw,)
        They sum to 1.
    pareto_k : float
        0 where all weights are the same; infinite where so few draws carry the weight that it cannot be had.
    middle : float
        Which quantile is the median of the answer: of a mixture of families another one than the half
        (:func:`uncounted.models.average.transformed`).
    """

    values: np.ndarray
    weights: np.ndarray
    pareto_k: float = 0.0
    middle: float = 0.5

    @property
    def trusted(self):
        """Whether the weights can be trusted."""
        return bool(self.pareto_k <= HIGH_K)

    @property
    def median(self):
        """The median of the answer."""
        return self.quantile(self.middle)

    def quantile(self, probability):
        """Find the weighted quantile, without interpolation between draws of one value.

        Parameters
        ----------
        probability : float

        Returns
        -------
        float
        """
        order = np.argsort(self.values, kind="stable")
        # Each draw stands in the middle of its own weight: with even weights, the usual quantile of order statistics.
        middle = np.cumsum(self.weights[order]) - self.weights[order] / 2
        return float(np.interp(probability, middle, self.values[order]))


def even(values):
    """Give all draws the same weight.

    Parameters
    ----------
    values : array_like, (draw,)

    Returns
    -------
    Draws
    """
    values = np.ravel(np.asarray(values, dtype=float))
    return Draws(values, np.full(len(values), 1 / len(values)))


def reweighed(values, log_ratio):
    """Weigh draws by the ratio of another density to the one that they were drawn from.

    Parameters
    ----------
    values : array_like, (draw,)
    log_ratio : array_like, (draw,)
        Log of the ratio of the densities, but for a constant.

    Returns
    -------
    Draws
    """
    import arviz as az

    values, log_ratio = np.ravel(np.asarray(values, dtype=float)), np.ravel(np.asarray(log_ratio, dtype=float))
    # What has no density under the other prior has no weight.
    log_ratio = np.where(np.isnan(log_ratio), -np.inf, log_ratio)
    finite = np.isfinite(log_ratio)
    if finite.all() and np.ptp(log_ratio) < _EVEN:
        return even(values)
    lowest = log_ratio[finite].min() if finite.any() else 0.0
    # Where hardly a draw has any weight, ArviZ adds up exponentials beyond what a float holds, and k comes out large.
    with np.errstate(over="ignore"):
        smoothed, k = az.psislw(np.where(finite, log_ratio, lowest - 700.0))
    weights = np.exp(smoothed)
    k = float(k)
    return Draws(values, weights / weights.sum(), k if np.isfinite(k) else np.inf)


def mixed(parts, shares):
    """Mix draws of several families by given shares, as their average does.

    Parameters
    ----------
    parts : list of Draws
    shares : sequence of float
        What each counts for; they sum to 1.

    Returns
    -------
    Draws
        With the worst k of those that count for anything.
    """
    from uncounted.models.average import transformed

    used = [(part, share) for part, share in zip(parts, shares, strict=True) if share > 0]
    return Draws(
        np.concatenate([part.values for part, _ in used]),
        np.concatenate([share * part.weights for part, share in used]),
        max(part.pareto_k for part, _ in used),
        float(transformed(0.5)) if len(used) > 1 else 0.5,
    )


def median_moved(before, after):
    """How far the median moves from one weighing of the same draws to another, relative to where it was.

    Parameters
    ----------
    before, after : Draws
        In the same order.

    Returns
    -------
    moved : float
    error : float
        Its Monte Carlo standard error, by the delta method; draws are taken to be independent.
    """
    old, new = before.median, after.median
    influence = after.weights * (after.middle - (after.values <= new)) / _density(after)
    influence -= before.weights * (before.middle - (before.values <= old)) / _density(before)
    return new / old - 1, float(np.sqrt((influence**2).sum()) / old)


def _density(draws):
    """Density at the median, from the distance of the quantiles around it."""
    low, high = draws.quantile(draws.middle - 0.1), draws.quantile(draws.middle + 0.1)
    return 0.2 / (high - low) if high > low else np.inf
