"""Did the chains find the same posterior, and are there enough draws to quote it?

R-hat and effective sample sizes by rank (Vehtari et al. 2021, Bayesian Analysis 16:667), E-BFMI (Betancourt 2016,
arXiv:1604.00695), divergences. The bounds are in the config under ``checks``.
"""

import numpy as np

from uncounted.checks.result import Result
from uncounted.estimates import reported

_TRY = {
    "r_hat": "look at the quantity's trace; change the parameterisation or a prior, and only then take more draws",
    "ess": "take more draws (sampling.posterior.draws), or change the parameterisation of the quantity",
    "divergences": "raise sampling.posterior.target_accept, or change the parameterisation of a scale",
    "energy": "look for a scale with a heavy tail; a tighter prior or another parameterisation helps",
}


def check_convergence(trace, parameters, bounds, quantities=None):
    """Put the convergence checks to a fit.

    Parameters
    ----------
    trace : arviz.InferenceData
        Groups ``posterior`` and ``sample_stats``.
    parameters : list of str
        The sampled variables; there may be none.
    bounds : dict
        ``r_hat``, ``ess_reported``, ``ess_parameter``, ``divergences``, ``e_bfmi``.
    quantities : xarray.Dataset, optional
        The reported quantities. Without it they are found in the posterior by their names.

    Returns
    -------
    list of Result
        One a question, for the quantity that answers it worst.
    """
    import arviz as az

    quantities = reported(trace.posterior) if quantities is None else quantities
    sampled = trace.posterior[parameters]
    results = []
    for kind, variables, least in (
        ("reported quantities", quantities, bounds["ess_reported"]),
        ("parameters", sampled, bounds["ess_parameter"]),
    ):
        if not variables.data_vars:
            continue
        varying = _varying(variables, kind)
        item, seen = _worst(_unless_known(az.rhat(varying), varying, kind), highest=True)
        bound = bounds["r_hat"]
        results.append(Result(f"R-hat of {kind}", item, seen, f"at most {bound}", bool(seen <= bound), _TRY["r_hat"]))
        for method in ("bulk", "tail"):
            item, seen = _worst(az.ess(varying, method=method), highest=False)
            results.append(
                Result(
                    f"effective draws ({method}) of {kind}",
                    item,
                    seen,
                    f"at least {least}",
                    bool(seen >= least),
                    _TRY["ess"],
                )
            )
    return results + _of_trajectories(trace, bounds)


def _of_trajectories(trace, bounds):
    """What only NUTS can be asked."""
    import arviz as az

    if "diverging" not in trace.sample_stats:
        return []
    divergent, most = int(trace.sample_stats["diverging"].sum()), bounds["divergences"]
    energies, least = az.bfmi(trace), bounds["e_bfmi"]
    chain = int(np.argmin(energies))
    lowest = float(energies[chain])
    return [
        Result("divergences", "all chains", divergent, f"at most {most}", divergent <= most, _TRY["divergences"]),
        Result("E-BFMI", f"chain {chain + 1}", lowest, f"at least {least}", lowest >= least, _TRY["energy"]),
    ]


def _varying(variables, kind):
    """Leave out reported quantities that are known: a count that is the same in every draw has no R-hat.

    A parameter that never moved stays in, and fails.
    """
    if kind == "parameters":
        return variables
    known = [name for name, array in variables.data_vars.items() if float(array.min()) == float(array.max())]
    return variables.drop_vars(known)


def _unless_known(r_hat, variables, kind):
    """Let elements of reported quantities pass that are the same in every draw, beside others that are not.

    That one year was deadlier than another may be certain.
    """
    if kind == "parameters":
        return r_hat
    sample = ("chain", "draw")
    return r_hat.where(variables.min(sample) != variables.max(sample), 1.0)


def _worst(dataset, highest):
    """The element that does worst, its name and value; one that is not a number does worst of all."""
    sign = 1.0 if highest else -1.0
    worst = ("", np.nan, -np.inf)
    for name, array in dataset.data_vars.items():
        badness = np.nan_to_num(sign * array.values.astype(float), nan=np.inf)
        place = np.unravel_index(np.argmax(badness), badness.shape)
        if badness[place] > worst[2]:
            labels = ", ".join(str(array[dim].values[i]) for dim, i in zip(array.dims, place, strict=True))
            worst = (f"{name}[{labels}]" if labels else name, float(array.values[place]), badness[place])
    return worst[:2]
