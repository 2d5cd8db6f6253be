"""Did each family of models of lists converge? The same questions as of any fit, with the model's name before them.

Only models that are drawn from by chains are asked: the draws of the others are independent of each other.
"""

from dataclasses import replace

_BY_STRATUM = "total_by_stratum"


def check_families(traces, parameters, bounds):
    """Put the convergence checks to each family.

    Parameters
    ----------
    traces : dict of str to arviz.InferenceData
        The fit of each model, with the groups ``posterior`` and ``sample_stats``.
    parameters : dict of str to list of str
        The sampled variables of each.
    bounds : dict
        As for :func:`uncounted.checks.convergence.check_convergence`.

    Returns
    -------
    list of Result
        The text of a check begins with the model, as in "loglinear: divergences".
    """
    from uncounted.checks.convergence import check_convergence

    return [
        # Each family has its own settings of the sampler.
        replace(
            result,
            check=f"{model}: {result.check}",
            do=result.do.replace("sampling.posterior", f"sampling.{model}"),
        )
        for model, trace in traces.items()
        for result in check_convergence(_quoted(trace), _there(parameters[model], trace), bounds)
    ]


def failed_families(convergence):
    """Name the families of which a check failed.

    Parameters
    ----------
    convergence : pandas.DataFrame
        Of the checks of :func:`check_families`.

    Returns
    -------
    set of str
    """
    failed = convergence.loc[~convergence["passed"], "check"]
    return set(failed.str.split(": ").str[0])


def _there(names, trace):
    return [name for name in names if name in trace.posterior]


def _quoted(trace):
    """The numbers of people that are quoted, without those that are known.

    In a stratum all of whose people are on several lists, nobody may be missing in any draw: its total has no R-hat.
    """
    import arviz as az

    posterior = trace.posterior
    by_stratum = posterior[_BY_STRATUM]
    known = by_stratum.min(("chain", "draw")) == by_stratum.max(("chain", "draw"))
    quoted = posterior.drop_vars(["unseen_by_stratum", _BY_STRATUM])
    if not known.all():
        # Of a stratum of its own name, so that parameters keep theirs.
        varying = by_stratum.isel(stratum=(~known).values).rename(stratum="of_stratum")
        quoted = quoted.assign({_BY_STRATUM: varying})
    return az.InferenceData(posterior=quoted, sample_stats=trace.sample_stats)
