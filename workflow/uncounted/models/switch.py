"""Observed variables that can be switched off without compiling the model again."""


def observe(name, dist, parameters, *, use, observed, dims=None, log_density=None):
    """Add an observed variable whose log density is multiplied by `use`.

    Parameters
    ----------
    name : str
    dist : callable
        Makes the distribution from `parameters`, such as ``pm.Normal.dist``.
    parameters : tuple of tensors
    use : scalar tensor
        1 where the source is used, 0 where it is left out.
    observed : tensor or array
    dims : str or tuple of str, optional
    log_density : callable, optional
        ``log_density(distribution, value)``; the log density of the distribution unless told.
    """
    import pymc as pm

    density = log_density or pm.logp

    def logp(value, use, *parameters):
        return use * density(dist(*parameters), value)

    def random(use, *parameters_and_size):
        *parameters, size = parameters_and_size
        return dist(*parameters, size=size)

    return pm.CustomDist(name, use, *parameters, logp=logp, dist=random, observed=observed, dims=dims)


def log_exceedance(distribution, value):
    """Log probability that a draw exceeds `value`: a figure published as 'more than' is a lower bound."""
    import pymc as pm
    import pytensor.tensor as pt

    return pt.log1mexp(pm.logcdf(distribution, value))
