r"""Two lists: the answer is the assumption about how they depend on each other.

Two lists give three numbers: :math:`n_{10}` people on the first alone, :math:`n_{01}` on the second alone,
:math:`n_{11}` on both. The number on neither follows from these once it is said by how much being on one list raises
or lowers the odds of being on the other. Nothing in the data informs this odds ratio: its posterior is its prior,
however many people are seen. What is more, an error in it stays the same as the numbers grow. So the prior of the log
odds ratio :math:`\theta` (`log_odds_ratio` in the config) is the model's centre, and has to come from elsewhere: from
how the lists were made, or from studies of such lists where a third one showed how two of them depended.

People
    Of people seen, shares :math:`q` fall into the three cells, with the prior of Jeffreys. The number of people,
    :math:`N`, has the prior :math:`1/N`. With :math:`n` people seen,

    .. math::
        \theta &\sim \mathrm{Normal}(m, s) &&\text{log odds ratio} \\
        q &\sim \mathrm{Dirichlet}(n_{10} + 1/2, \; n_{01} + 1/2, \; n_{11} + 1/2) \\
        \Lambda &\sim \mathrm{Gamma}(n, 1), \quad \lambda_x = \Lambda q_x
            &&\text{expected number in cell } x \\
        u &\sim \mathrm{Poisson}(e^{\theta + d} \, \lambda_{10} \lambda_{01} / \lambda_{11}) &&\text{people on neither}

    which are draws from the exact posterior, independent of each other; given :math:`p_0`, the probability of being on
    neither list, :math:`u` is negative binomial with size :math:`n` and probability :math:`1 - p_0`. The dial
    :math:`d` (`unseen_odds`) moves the log odds ratio, which is the highest interaction that two lists have.

    All strata share one :math:`\theta`: if the lists depend on each other they do so everywhere, and errors that differ
    from stratum to stratum would cancel in the total as if something were known.

Special cases
    At :math:`\theta = 0` the lists are independent, and the median is close to Lincoln's and Petersen's estimate
    (Lincoln 1930, U.S. Dep. Agric. Circ. 118), and to Chapman's, which has little bias where few are on both
    (Chapman 1951, Univ. Calif. Publ. Stat. 1:131). With :math:`n_1` and :math:`n_2` people on the lists:

    .. math::
        \hat N_{\mathrm{LP}} = n_1 n_2 / n_{11}, \qquad
        \hat N_{\mathrm{C}} = (n_1 + 1)(n_2 + 1) / (n_{11} + 1) - 1
"""

import numpy as np
from scipy.stats import norm

from uncounted.errors import UserError
from uncounted.evidence.histories import not_estimable_alone, spread_blanks
from uncounted.models.totals import thinned

_FARTHEST = 1e15


def fit(histories, settings, seed):
    """Estimate from two lists, given what is assumed about how they depend on each other.

    Parameters
    ----------
    histories : Histories
        Of 2 lists. People whose stratum is not known are spread (:func:`spread_blanks`).
    settings : dict
        ``priors`` with ``log_odds_ratio`` (``normal`` with ``mean`` and ``sd``, or ``fixed`` with ``value``),
        ``sampling.exact`` with ``chains`` and ``draws`` (a chain), and the dial ``unseen_odds`` (0 if missing).
    seed : int

    Returns
    -------
    xarray.Dataset
        People, with the dims (chain, draw): ``total``, ``unseen``, with stratum ``total_by_stratum``,
        ``unseen_by_stratum``, and ``cell_rate`` (..., cell), expected counts of the observable cells;
        ``log_odds_ratio`` as drawn from its prior, without the dial. ``no_answer`` (stratum) says why a stratum has no
        answer, or "": its numbers, and the totals, are missing then.

    Raises
    ------
    UserError
        There are not two lists, or the config does not state the prior.

    Notes
    -----
    Several tables of the same people are drawn from in proportion to their weights.
    """
    if histories.n_lists != 2:
        raise UserError(
            f"this model is for two lists, and there are {histories.n_lists}",
            where="config, key model",
            expected="with three lists or more: a model that learns from them how they depend on each other",
        )
    histories = spread_blanks(histories)
    chains, draws = settings["sampling"]["exact"]["chains"], settings["sampling"]["exact"]["draws"]
    rng = np.random.default_rng([seed, 0])
    log_odds_ratio = _prior_draws(settings, chains * draws, rng)
    table = rng.choice(len(histories.weights), size=chains * draws, p=histories.weights)
    moved = log_odds_ratio + float(settings.get("unseen_odds") or 0.0)
    unanswered = _no_answer(histories)
    rates = np.full((chains * draws, len(histories.stratum_names), 3), np.nan)
    unseen = np.full(rates.shape[:2], np.nan)
    for stratum in range(rates.shape[1]):
        if stratum not in unanswered:
            people = histories.counts[table, stratum, 1:]
            # One stream a stratum: that there is one more changes nothing in the others.
            rates[:, stratum], unseen[:, stratum] = _draw(people, moved, np.random.default_rng([seed, 1, stratum]))
    seen = np.where(np.isnan(unseen), np.nan, histories.counts[table].sum(axis=2))
    return _dataset(histories, (chains, draws), log_odds_ratio, rates, seen, unseen, unanswered)


def lincoln_petersen(first, second, both, level=0.95):
    """Estimate the people on two independent lists and on neither, as Lincoln and Petersen did.

    Parameters
    ----------
    first, second : int
        People on each list.
    both : int
        People on both.
    level : float, optional
        Of the interval.

    Returns
    -------
    tuple of float
        Estimate, lower and upper end, in people: the interval is the transformed logit interval with 1/2 added to each
        cell (Sadinle 2009, Commun. Stat. Simul. Comput. 38:1909), and never below the number of people seen. All are
        missing where nobody is on both.
    """
    if both == 0:
        return np.nan, np.nan, np.nan
    seen = first + second - both
    one, two, shared = first - both + 0.5, second - both + 0.5, both + 0.5
    spread = np.sqrt(1 / one + 1 / two + 1 / shared + shared / (one * two))
    unseen = one * two / shared * np.exp(norm.ppf((1 + level) / 2) * spread * np.array([-1, 1]))
    low, high = np.maximum(seen, seen - 0.5 + unseen)
    return float(first * second / both), float(low), float(high)


def chapman(first, second, both, level=0.95):
    """Estimate the people on two independent lists and on neither, as Chapman did.

    Parameters
    ----------
    first, second : int
        People on each list.
    both : int
        People on both.
    level : float, optional
        Of the interval.

    Returns
    -------
    tuple of float
        Estimate, lower and upper end, in people: the interval is normal, with the variance of Seber (1970, Biometrics
        26:313), and never below the number of people seen.
    """
    seen = first + second - both
    estimate = (first + 1) * (second + 1) / (both + 1) - 1
    variance = (first + 1) * (second + 1) * (first - both) * (second - both) / ((both + 1) ** 2 * (both + 2))
    margin = norm.ppf((1 + level) / 2) * np.sqrt(variance)
    return float(estimate), float(max(seen, estimate - margin)), float(estimate + margin)


def _prior_draws(settings, size, rng):
    """Draw the log odds ratio from the prior that the config states; (draw,)."""
    spec = settings.get("priors", {}).get("log_odds_ratio") or {}
    if spec.get("distribution") == "normal" and {"mean", "sd"} <= spec.keys():
        return rng.normal(spec["mean"], spec["sd"], size=size)
    if spec.get("distribution") == "fixed" and "value" in spec:
        return np.full(size, float(spec["value"]))
    raise UserError(
        "two lists say nothing about how they depend on each other, and the config states no prior for it",
        where="config, key priors.log_odds_ratio",
        expected="distribution: normal with mean and sd, or distribution: fixed with value",
    )


def _no_answer(histories):
    """Which strata have no answer, and why: stratum number to text."""
    impossible = {
        stratum: "a list, or being on both, cannot be there"
        for stratum in range(len(histories.stratum_names))
        if not histories.possible[stratum].all()
    }
    return impossible | not_estimable_alone(histories)


def _draw(people, log_odds_ratio, rng):
    """Draw expected counts (draw, cell) and people on neither list (draw,), from counts (draw, cell)."""
    shares = rng.standard_gamma(people + 0.5)
    shares /= shares.sum(axis=1, keepdims=True)
    rates = rng.standard_gamma(people.sum(axis=1))[:, None] * shares
    first, second, both = rates.T
    expected = np.exp(log_odds_ratio) * first * second / both
    # The Poisson of NumPy ends near 1e19, and its spread is no longer worth a thought well before.
    unseen = np.where(expected < _FARTHEST, rng.poisson(np.minimum(expected, _FARTHEST)), np.round(expected))
    return rates, unseen


def _dataset(histories, shape, log_odds_ratio, rates, seen, unseen, unanswered):
    import xarray as xr

    draws, by_stratum = ("chain", "draw"), (*shape, -1)
    total = seen + unseen
    names = list(histories.stratum_names)
    return xr.Dataset(
        {
            "total": (draws, total.sum(axis=1).reshape(shape)),
            "total_by_stratum": ((*draws, "stratum"), total.reshape(by_stratum)),
            "unseen": (draws, unseen.sum(axis=1).reshape(shape)),
            "unseen_by_stratum": ((*draws, "stratum"), unseen.reshape(by_stratum)),
            "cell_rate": (("chain", "kept", "stratum", "cell"), thinned(rates.reshape(*shape, *rates.shape[1:]))),
            "log_odds_ratio": (draws, log_odds_ratio.reshape(shape)),
            "no_answer": ("stratum", np.array([unanswered.get(i, "") for i in range(len(names))], dtype=str)),
        },
        coords={
            "chain": np.arange(shape[0]),
            "draw": np.arange(shape[1]),
            "stratum": names,
            "cell": ["10", "01", "11"],
        },
    )
