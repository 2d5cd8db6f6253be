"""Models of lists that are drawn from by NUTS: compiled once for a shape, used for every table of that shape."""

import json

from uncounted.models.each_table import DENSITIES, fit_each_table


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
        pm.Deterministic(DENSITIES["log_prior"], sum(terms))
        pm.Deterministic(DENSITIES["log_likelihood"], likelihood)


def fit_tables(histories, settings, seed, *, name, key, compiled, build, evidence):
    """Fit a model to each table of a study by NUTS, and make one posterior of them.

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
    from uncounted.compiling import compile_model
    from uncounted.inference import draw

    def sample(layout, seed):
        shape = (layout.shape, key, json.dumps(settings["priors"], sort_keys=True, default=str))
        if shape not in compiled:
            compiled[shape] = compile_model(build(layout))
        return draw(
            compiled[shape].with_data(evidence=evidence(layout)),
            **settings["sampling"][name],
            seed=seed,
            what=f"drawing from the posterior ({name})",
        )

    return fit_each_table(histories, settings, seed, name, sample)
