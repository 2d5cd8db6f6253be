"""Models of lists that are drawn from by NUTS: compiled once for a shape, used for every table of that shape."""

import json

import numpy as np

from uncounted.errors import UserError
from uncounted.models.cells import lay_out
from uncounted.models.totals import draw_totals, mix_tables

_INNER = ("log_odds_unseen", "log_cells", "log_seen")
_DENSITIES = {"log_prior": "density_of_prior", "log_likelihood": "density_of_likelihood"}


def add_densities(model):
    """Keep the log density of the prior and of the likelihood of each draw, for power-scaling.

    Parameters
    ----------
    model : pymc.Model
        Its potential ``likelihood`` is the likelihood, all others are of the prior.
    """
    import pymc as pm

    likelihood = next(potential for potential in model.potentials if potential.name == "likelihood")
    terms = [potential for potential in model.potentials if potential is not likelihood]
    terms += [pm.logp(variable, variable).sum() for variable in model.free_RVs]
    with model:
        pm.Deterministic(_DENSITIES["log_prior"], sum(terms))
        pm.Deterministic(_DENSITIES["log_likelihood"], likelihood)


def fit_tables(histories, settings, seed, *, name, key, compiled, build, evidence):
    """Fit a model to each table of a study, and make one posterior of them.

    Parameters
    ----------
    histories : uncounted.evidence.histories.Histories
    settings : dict
        ``sampling`` with a key `name`, ``priors``, ``unseen_odds``.
    seed : int
    name : str
        The model's name.
    key : hashable
        What the compiled model depends on beside the shape of the table and the priors.
    compiled : dict
        Compiled models by what they depend on; kept by the model's module.
    build, evidence : callable
        From a layout to the model, and to the vector of its data.

    Returns
    -------
    arviz.InferenceData

    Raises
    ------
    UserError
        With fewer than three lists.
    """
    import arviz as az

    from uncounted.inference import compile_model, draw, seed_for

    if histories.n_lists < 3:
        raise UserError(
            f"the model {name} needs three lists or more, and there are {histories.n_lists}",
            where="lists",
            do="use the model two_lists, and state what you assume about dependence",
        )
    layouts = [lay_out(histories, table) for table in range(len(histories.weights))]
    shape = (layouts[0].shape, key, json.dumps(settings["priors"], sort_keys=True, default=str))
    if shape not in compiled:
        compiled[shape] = compile_model(build(layouts[0]))
    traces, parts = [], []
    for number, layout in enumerate(layouts):
        trace = draw(
            compiled[shape].with_data(evidence=evidence(layout)),
            **settings["sampling"][name],
            seed=seed_for(seed, name, str(number)),
            what=f"drawing from the posterior ({name})",
        )
        traces.append(trace)
        parts.append(_counted(trace.posterior, layout, settings, np.random.default_rng([seed, number])))
    rng = np.random.default_rng([seed, len(layouts)])
    posterior = mix_tables(parts, histories.weights, rng)
    densities = {group: posterior[[name]].rename({name: "all"}) for group, name in _DENSITIES.items()}
    return az.InferenceData(
        posterior=posterior.drop_vars(_DENSITIES.values()), sample_stats=_worst_of_tables(traces), **densities
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
    """Sampler statistics of all tables: divergences of any, the energy of the first."""
    import xarray as xr

    first = traces[0].sample_stats
    diverging = np.any([trace.sample_stats["diverging"].values for trace in traces], axis=0)
    return xr.Dataset(
        {"diverging": (("chain", "draw"), diverging), "energy": first["energy"], "n_steps": first["n_steps"]},
        coords={"chain": first["chain"], "draw": first["draw"]},
    )
