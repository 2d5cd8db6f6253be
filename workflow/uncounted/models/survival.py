r"""How soon people who were sent to the front died, by who recruited them.

The dead are known only so far: who dies after the closing day, or has died and is not yet named, is in no sample of the
dead. Late recruits could only die soon to be in it, so that the dead seem to have died sooner than they did (right
truncation; Kalbfleisch and Lawless 1989, J. Am. Stat. Assoc. 84:360).

Time to death
    :math:`T` is the time from being sent to the front to death, :math:`F_g` its distribution among the men of
    recruiter :math:`g`. Two laws of the hazard stand side by side, with no parameter in common, so that each has the
    posterior that it has alone. With :math:`\tau = 91` days and :math:`p_g` the share who are dead by then:

    .. math::
        F_g(t) &= 1 - \exp(-\Lambda_g(t)), \quad \Lambda_g(\tau) = -\log(1 - p_g) \\
        \text{Weibull:} \quad \Lambda_g(t) &= \Lambda_g(\tau) \, (t / \tau)^{k_g} \\
        \text{piecewise constant:} \quad \Lambda_g(t) &= \Lambda_g(\tau) \, L_g(t) / L_g(\tau), \quad
            L_g(t) = \textstyle\sum_j e^{u_{g,j}} \max(0, \min(t, b_{j + 1}) - b_j) \\
        u_{g,0} &= 0, \quad u_{g,j} \sim \mathrm{Normal}(u_{g,j-1}, \sigma_u)

    (Weibull 1951, J. Appl. Mech. 18:293; Friedman 1982, Ann. Stat. 10:101). The laws know of no end of service: that a
    man may go home is a hazard that falls.

Recruits
    They are sent on any day of a known period alike, from :math:`a_g` to :math:`b_g`.

Naming
    Of those who are ever named, the share :math:`Q(x)` is named within :math:`x` days of death: Lomax's distribution
    with half after :math:`\tau_{1/2}` days and shape :math:`\kappa`, as in the synthesis.
    :math:`(\log \tau_{1/2}, \log \kappa)` is Normal with mean and covariance of the synthesis' posterior, the delay
    taken at the mean effort until the closing day; :math:`\log Q` is taken to be linear in its two standard normal
    directions. What is seen here does not change the synthesis. The share that is ever named is the same whenever
    a man died, and drops out. With closing day :math:`C`, the share of the men sent who are dead within :math:`t` days
    and named is

    .. math::
        H_g(t) = \int_0^t f_g(s) \, q_g(s) \, ds, \quad
        q_g(s) = \frac{1}{b_g - a_g} \int_{a_g}^{b_g} Q(C - r - s) \, dr

Published summaries
    Of :math:`n_g` recruits, :math:`d_g` had died by the day :math:`D_g`, named or not: binomial, with a stated error of
    the share, of standard deviation :math:`\sigma_d` in log odds, because a ledger is never whole. On the scale of log
    odds, with :math:`\hat p` the share seen:

    .. math::
        \mathrm{logit} \, \hat p_g &\sim \mathrm{Normal}\Bigl(\mathrm{logit} \, p_g, \; \mathrm{var} = \sigma_d^2 +
            \frac{1}{n_g \hat p_g (1 - \hat p_g)}\Bigr), \quad
        p_g = \frac{1}{b_g - a_g} \int_{a_g}^{b_g} F_g(D_g - r) \, dr

    Half of a sample of :math:`m_g` dead were dead within :math:`h_g` days, published to the month, so read with an
    error of standard deviation :math:`w`. Among the dead and named the time has the distribution
    :math:`G_g(t) = H_g(t) / H_g(C - a_g)`. How many of the sample died within a time is binomial, so that the log odds
    of :math:`G_g` at a sample's median have variance :math:`4 / m_g`; with :math:`\ell_g` these log odds, nearly a line
    from :math:`h_g - w` to :math:`h_g + w`, the median's error in days has the variance of both (David and Nagaraja
    2003, *Order Statistics*, sec. 10.2):

    .. math::
        \ell_g(h_g) / \beta_g &\sim \mathrm{Normal}\Bigl(0, \; \mathrm{var} = w^2 + \frac{4}{m_g \, \beta_g^2}\Bigr),
            \quad \beta_g = \frac{\ell_g(h_g + w) - \ell_g(h_g - w)}{2 w}

Individual times
    Each dead man :math:`i` who is named by the closing day was sent in an interval :math:`R_i` of days and died in an
    interval :math:`D_i`; a day that is missing stands for the whole period. Given when he was sent, and that he is
    among the dead and named:

    .. math::
        P(i) = \frac{\int_{R_i} \int_{D_i} f_g(s - r) \, Q(C - s) \, ds \, dr}
            {\int_{R_i} \int_0^{C - r} f_g(t) \, Q(C - r - t) \, dt \, dr}

    A missing day of death leaves nothing to learn. Where there are individual times, the median of the same dead is not
    used a second time.

What is not known
    A sample of the dead shows how soon they died, and not what share of those sent. Where the number of recruits or of
    their dead is not known, no share and no survival curve is given: only the times of those who died.
"""

from uncounted.models.packing import pack, unpack
from uncounted.models.survival_evidence import (  # noqa: F401 - the model's interface
    CELLS,
    RECRUITS,
    lay_out,
    naming_of,
    naming_stated,
)
from uncounted.models.survival_laws import dead_between, hazards
from uncounted.models.survival_results import CURVE_DAYS, summarise  # noqa: F401

PARAMETERS = ("early_deaths", "hazard_shape", "hazard_moves", "naming")
"""The sampled variables, each of which must have converged; a fit of one law has some of them."""

_CELLS_OF_RESULTS = 160
_SMALLEST = 1e-300
_EDGE = 1e-12


def build(layout, priors):
    """Write down the model.

    Parameters
    ----------
    layout : Layout
    priors : dict of str to dict
        ``early_deaths``, between 0 and 1, ``hazard_shape`` and ``hazard_step``, which is fixed; see
        :func:`uncounted.models.priors.prior`.

    Returns
    -------
    pymc.Model
        ``early_deaths`` (law, recruiter), ``hazard_shape`` (recruiter,), ``hazard_moves`` (recruiter, piece_after) in
        units of ``hazard_step``, ``naming`` (law, naming_part). The data ``evidence`` may be replaced by those of a
        layout of the same shape.
    """
    import pymc as pm
    import pytensor.tensor as pt

    from uncounted.models.priors import prior

    with pm.Model(coords=layout.coords) as model:
        d = unpack(pm.Data("evidence", pack(layout.data)), layout.data)
        early = prior("early_deaths", priors, dims=("law", "recruiter"))
        own = {law: _own_parameter(law, priors) for law in layout.laws}
        hazard = hazards(pt, layout.breaks, -pt.log1p(-early), own)
        moves = pm.Normal("naming", 0.0, 1.0, dims=("law", "naming_part"))

        def named(logs):
            terms = [moves[:, part].reshape((-1, *[1] * (logs.ndim - 1))) * logs[..., 1 + part] for part in (0, 1)]
            return pt.exp(logs[..., 0] + terms[0] + terms[1])

        _observe_summaries(d, hazard, named, layout)
        if len(layout.recruits):
            _observe_times(d, hazard, named, layout)
    return model


def _own_parameter(law, priors):
    """What a law has beside its level; (recruiter,) or, of log hazards, (recruiter, piece)."""
    import pymc as pm
    import pytensor.tensor as pt

    from uncounted.models.priors import prior

    if law == "weibull":
        return prior("hazard_shape", priors, dims="recruiter")
    moves = pm.Normal("hazard_moves", 0.0, 1.0, dims=("recruiter", "piece_after"))
    walk = priors["hazard_step"]["value"] * pt.cumsum(moves, axis=1)
    return pt.concatenate([pt.zeros_like(walk[:, :1]), walk], axis=1)


def _observe_summaries(d, hazard, named, layout):
    """Add the likelihood of how many of the recruits died, and within how many days half of the dead had."""
    import pymc as pm
    import pytensor.tensor as pt

    laws, recruiters = (len(layout.coords[dim]) for dim in ("law", "recruiter"))
    cumulative = hazard(d["log_days"], d["in_pieces"], lambda values: pt.expand_dims(values, 1))
    dead = -pt.expm1(-cumulative[..., :RECRUITS]).mean(axis=-1)
    dead = pt.clip(dead, _EDGE, 1 - _EDGE)
    gap = (d["toll_seen"] - pt.log(dead) + pt.log1p(-dead)) / d["toll_sd"]
    pm.Potential("toll", (d["use_toll"] * gap**2).sum() / -2.0)
    at_edges = cumulative[..., RECRUITS:].reshape((laws, recruiters, 3, CELLS + 1))
    share = named(d["log_named"]).reshape((laws, recruiters, 3, CELLS))
    until = (dead_between(pt, at_edges[..., :-1], at_edges[..., 1:]) * share).sum(axis=-1)
    of_dead = until / until[..., 2:]
    logits = pt.log(of_dead[..., :2] + _SMALLEST) - pt.log1p(-pt.minimum(of_dead[..., :2], 1 - _EDGE))
    slope = (logits[..., 1] - logits[..., 0]) / d["half_width"] + _EDGE
    variance = d["reading_sd"] ** 2 + 4.0 / (d["sample"] * slope**2)
    half = ((logits.mean(axis=-1) / slope) ** 2 / variance + pt.log(variance)) / -2.0
    pm.Potential("half", (d["use_half"] * half).sum())


def _observe_times(d, hazard, named, layout):
    """Add the likelihood of the individual times."""
    import pymc as pm
    import pytensor.tensor as pt

    def of_person(values):
        values = pt.dot(layout.recruits, values)
        return pt.shape_padaxis(pt.shape_padaxis(values, 1), 1)

    own = hazard(d["own_log_days"], d["own_in_pieces"], of_person)
    dead = (dead_between(pt, own[..., 0], own[..., 1]) * named(d["own_log_named"])).mean(axis=-1)
    on_grid = hazard(
        d["grid_log_days"][None],
        d["grid_in_pieces"][None],
        lambda values: pt.shape_padaxis(pt.shape_padaxis(values, 1), 1),
    )
    possible = dead_between(pt, on_grid[..., :-1], on_grid[..., 1:]) * named(d["grid_log_named"])[:, None]
    logs = pt.dot(pt.log(possible.sum(axis=-1) + _SMALLEST).transpose(0, 2, 1), layout.recruits.T)
    follow_up = pt.exp((d["grid_weights"][None] * logs.transpose(0, 2, 1)[:, :, None, :]).sum(axis=-1)).mean(axis=-1)
    pm.Potential("times", (pt.log(dead + _SMALLEST) - pt.log(follow_up + _SMALLEST)).sum())
