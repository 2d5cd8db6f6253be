"""Fit a model of lists to each table of a study, and make one posterior of them."""

import numpy as np

from uncounted.errors import UserError
from uncounted.models.cells import lay_out
from uncounted.models.totals import draw_totals, mix_tables

DENSITIES = {"log_prior": "density_of_prior", "log_likelihood": "density_of_likelihood"}
"""The variables of a posterior that hold the log density of each draw, by the group that they become."""

_INNER = ("log_odds_unseen", "log_cells", "log_seen")


def fit_each_table(histories, settings, seed, name, sample):
    """Fit a model to each table of a study, and make one posterior of them.

    Parameters
    ----------
    histories : uncounted.evidence.histories.Histories
    settings : dict
        ``unseen_odds``.
    seed : int
    name : str
        The model's name.
    sample : callable
        From a layout and a seed to draws: an InferenceData with ``sample_stats`` and in ``posterior`` the parameters,
        ``log_odds_unseen`` and ``log_cells``, ``log_seen`` where the model says how many are seen, and the densities
        of :data:`DENSITIES`.

    Returns
    -------
    arviz.InferenceData
        Group ``posterior``: ``total``, ``unseen``, ``total_by_stratum``, ``unseen_by_stratum``, ``cell_rate`` and the
        parameters; ``sample_stats``; ``log_prior`` and ``log_likelihood``.

    Raises
    ------
    UserError
        With fewer than three lists.
    """
    import arviz as az

    from uncounted.inference import seed_for

    if histories.n_lists < 3:
        raise UserError(
            f"the model {name} needs three lists or more, and there are {histories.n_lists}",
            where="lists",
            do="use the model two_lists, and state what you assume about dependence",
        )
    traces, parts = [], []
    for number in range(len(histories.weights)):
        layout = lay_out(histories, number)
        trace = sample(layout, seed_for(seed, name, str(number)))
        traces.append(trace)
        parts.append(_counted(trace.posterior, layout, settings, np.random.default_rng([seed, number])))
    rng = np.random.default_rng([seed, len(parts)])
    posterior = mix_tables(parts, histories.weights, rng)
    densities = {group: posterior[[name]].rename({name: "all"}) for group, name in DENSITIES.items()}
    return az.InferenceData(
        posterior=posterior.drop_vars(DENSITIES.values()), sample_stats=_worst_of_tables(traces), **densities
    )


def _counted(posterior, layout, settings, rng):
    """The draws of one table: parameters and numbers of people."""
    numbers = draw_totals(
        posterior["log_odds_unseen"].values,
        posterior["log_cells"].values,
        layout,
        settings.get("unseen_odds", 0.0),
        rng,
        posterior["log_seen"].values if "log_seen" in posterior else None,
    )
    rest = posterior.drop_vars([name for name in _INNER if name in posterior])
    # Strata and lists may have other labels than the table that the model was compiled for.
    rest = rest.drop_vars([name for name in rest.coords if name not in ("chain", "draw")])
    labels = {"stratum": list(layout.strata), "list": list(layout.lists)}
    rest = rest.assign_coords({dim: names for dim, names in labels.items() if dim in rest.dims})
    return numbers.merge(rest)


def _worst_of_tables(traces):
    """What the sampler said of all tables: divergences of any, everything else of the first."""
    stats = traces[0].sample_stats
    if "diverging" in stats:
        diverging = np.any([trace.sample_stats["diverging"].values for trace in traces], axis=0)
        stats = stats.assign(diverging=(("chain", "draw"), diverging))
    return stats[[name for name in ("diverging", "energy", "n_steps", "sweeps") if name in stats]]
