"""Priors as the config states them: a distribution, its values in the reader's units, a unit and a reason."""

import numpy as np

from uncounted.errors import UserError

FORMS = {
    "normal": ("mean", "sd"),
    "half_normal": ("scale",),
    "lognormal": ("median", "sd_log"),
    "beta": ("alpha", "beta"),
    "logit_normal": ("median", "sd_logit"),
    "fixed": ("value",),
}
"""Distributions that a prior can have, and the values that each needs."""


def lognormal_on_log_scale(name, priors):
    """Mean and standard deviation of the logarithm of the log-normal prior `name`, as PyMC's ``mu``, ``sigma``."""
    return _values_of(name, priors)


def prior(name, priors, dims=None):
    """Add the parameter `name` with its prior to the model on the stack.

    Parameters
    ----------
    name : str
        The prior's key in the config, which becomes the variable's name.
    priors : dict of str to dict
        ``distribution`` (a key of :data:`FORMS`), its values, ``unit`` and ``reason``.
    dims : str or tuple of str, optional

    Returns
    -------
    pytensor.tensor.TensorVariable

    Raises
    ------
    UserError
        The config has no such prior, or it lacks a value.
    """
    import pymc as pm

    from uncounted.models.transforms import from_zero

    values = _values_of(name, priors)
    if priors[name]["distribution"] == "logit_normal":
        # PyMC gives it none: the sampler would walk on the share itself, and out of (0, 1).
        values["transform"] = pm.distributions.transforms.logodds
    if priors[name]["distribution"] == "half_normal":
        values["default_transform"] = from_zero(priors[name]["scale"])
    return getattr(pm, _PYMC[priors[name]["distribution"]])(name, dims=dims, **values)


def stated(name, priors):
    """The value of the prior `name` that is stated and not estimated.

    Parameters
    ----------
    name : str
    priors : dict of str to dict
        ``distribution`` is ``fixed``, beside a ``value``.

    Returns
    -------
    float

    Raises
    ------
    UserError
        The config has no such prior, or it has another distribution.
    """
    spec = priors.get(name, {})
    if spec.get("distribution") != "fixed" or "value" not in spec:
        raise UserError(
            f"the prior '{name}' is missing, or has no fixed value",
            where=f"config, key priors.{name}",
            expected="distribution: fixed, and a value",
        )
    return float(spec["value"])


_PYMC = {
    "normal": "Normal",
    "half_normal": "HalfNormal",
    "lognormal": "LogNormal",
    "beta": "Beta",
    "logit_normal": "LogitNormal",
}


def _values_of(name, priors):
    if name not in priors:
        raise UserError(
            f"the prior '{name}' is missing",
            where="config, key priors",
            expected="one entry for every parameter",
        )
    spec = priors[name]
    form = spec.get("distribution")
    if form not in FORMS or form == "fixed":
        raise UserError(
            f"the prior '{name}' has the distribution '{form}'",
            where=f"config, key priors.{name}.distribution",
            expected="one of " + ", ".join(f for f in FORMS if f != "fixed"),
        )
    missing = [value for value in FORMS[form] if value not in spec]
    if missing:
        raise UserError(
            f"the prior '{name}' ({form}) lacks {', '.join(missing)}",
            where=f"config, key priors.{name}",
            expected=", ".join(FORMS[form]),
        )
    return _pymc_values(form, spec)


def _pymc_values(form, spec):
    if form == "normal":
        return {"mu": spec["mean"], "sigma": spec["sd"]}
    if form == "half_normal":
        return {"sigma": spec["scale"]}
    if form == "lognormal":
        return {"mu": np.log(spec["median"]), "sigma": spec["sd_log"]}
    if form == "beta":
        return {"alpha": spec["alpha"], "beta": spec["beta"]}
    return {"mu": np.log(spec["median"] / (1 - spec["median"])), "sigma": spec["sd_logit"]}
