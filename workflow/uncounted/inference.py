"""Drawing from the posterior of any PyMC model: seeds, progress, predictions."""

import dataclasses

import numpy as np

from uncounted.console import Progress

_PROGRESS_TEMPLATE = "{% for chain in chains %}{{ chain.finished_draws }} {% endfor %}"
_PROGRESS_EVERY_MS = 1000
_PRIOR_SHARE = 3
_PRIOR_TIMES = 8
_POSITIONS = "unconstrained_draw"
_STATS = ("depth", "diverging", "energy", "n_steps", "step_size")


def seed_for(seed, *names):
    """A seed of its own for each fit, from the run's seed and the fit's name.

    Parameters
    ----------
    seed : int
        The seed of the config.
    *names : str
        What the fit is called: case, model, what was left out.

    Returns
    -------
    int
        Below 2**31. It depends on no other fit, so that adding a case changes no other case's numbers.
    """
    words = [int.from_bytes(name.encode(), "little") for name in names]
    return int(np.random.SeedSequence([seed, *words]).generate_state(1)[0] >> 1)


def draw(compiled, *, draws, tune, chains, seed, target_accept, what, start=None, keep_positions=False):
    """Draw from the posterior by the No-U-Turn sampler (Hoffman and Gelman 2014, J. Mach. Learn. Res. 15:1593).

    Parameters
    ----------
    compiled : nutpie.CompiledModel
    draws, tune, chains : int
        Draws kept and draws to tune in each chain, and number of chains.
    seed : int
    target_accept : float
        Acceptance rate that the step size is tuned to.
    what : str
        What is being drawn, for the person who waits.
    start : xarray.Dataset, optional
        The group ``unconstrained_posterior`` of a fit to similar data. Each chain starts at one of its draws, so that
        it tunes to its own posterior and not to the way there from the priors.
    keep_positions : bool, optional
        Also return the group ``unconstrained_posterior``.

    Returns
    -------
    arviz.InferenceData
        Groups ``posterior`` and ``sample_stats``; constrained variables only.

    Raises
    ------
    KeyboardInterrupt
        It was interrupted: there is no posterior of fewer draws than were asked for.
    """
    import arviz as az
    import nutpie
    from threadpoolctl import threadpool_limits

    if start is not None:
        compiled = _starting_at(start, compiled)
    with Progress(chains * (tune + draws), what, "draws") as seen, threadpool_limits(1):
        drawn, stats = nutpie.sample(
            _Watched(compiled, chains, seen),
            draws=draws,
            tune=tune,
            chains=chains,
            cores=2,
            seed=seed,
            target_accept=target_accept,
            store_unconstrained=keep_positions,
            return_raw_trace=True,
        ).get_arrow_trace()
    # nutpie answers an interrupt with the draws that it had.
    if len(drawn) < chains or any(chain.num_rows < tune + draws for chain in drawn):
        raise KeyboardInterrupt
    names = [name for name in drawn[0].column_names if not name.endswith("__")]
    groups = {"posterior": _dataset(drawn, names, tune, compiled.coords), "sample_stats": _dataset(stats, _STATS, tune)}
    if keep_positions:
        groups["unconstrained_posterior"] = _dataset(stats, [_POSITIONS], tune)
    return az.InferenceData(**groups)


def _dataset(chains, names, tune, coords=None):
    """Variables of the tables that the sampler fills, one a chain, without the draws to tune.

    Where there are hundreds of fits of a second, nutpie's own way to ArviZ takes a fifth of the time.
    """
    import pyarrow as pa
    import xarray as xr

    found = {}
    for name in names:
        columns = [chain.column(name) for chain in chains]
        told = columns[0].field.metadata
        dims, shape = (told[key].decode().split(",") if key in told else [] for key in (b"dims", b"shape"))
        values = []
        for column in columns:
            array = pa.array(column)
            flat = array.flatten() if shape else array
            values.append(flat.to_numpy(zero_copy_only=False).reshape(len(array), *map(int, shape))[tune:])
        found[name] = (("chain", "draw", *dims), np.stack(values))
    dataset = xr.Dataset(found)
    labels = {dim: np.arange(length) for dim, length in dataset.sizes.items()}
    labels |= {dim: np.array(labelled, dtype=object) for dim, labelled in (coords or {}).items() if dim in labels}
    return dataset.assign_coords(labels)


def _undated(trace):
    """Without the time of day, so that the same run writes the same bytes."""
    for group in trace.groups():
        trace[group].attrs.pop("created_at", None)
    return trace


def _starting_at(start, compiled):
    positions = start[_POSITIONS].values.reshape(-1, start[_POSITIONS].shape[-1])

    def initial_point(seed):
        return positions[np.random.default_rng(seed).integers(len(positions))].copy()

    return dataclasses.replace(compiled, initial_point_func=initial_point)


class _Watched:
    """A compiled model whose sampler tells how far it is (nutpie's own bar draws in notebooks only)."""

    def __init__(self, compiled, chains, seen):
        self._compiled, self._chains, self._seen = compiled, chains, seen

    def __getattr__(self, name):
        return getattr(self._compiled, name)

    def _make_sampler(self, settings, init_mean, cores, _, store):
        from nutpie import _lib

        def tell(text):
            self._seen(sum(int(count) for count in text.split()))

        progress = _lib.ProgressType.template_callback(_PROGRESS_EVERY_MS, _PROGRESS_TEMPLATE, cores, tell)
        return self._compiled._make_sampler(settings, init_mean, cores, progress, store)


def thin(trace, draws):
    """Keep about so many draws of a posterior, evenly spread over it.

    Parameters
    ----------
    trace : arviz.InferenceData
    draws : int
        Of all chains together.

    Returns
    -------
    arviz.InferenceData
        The group ``posterior`` alone.
    """
    import arviz as az

    every = max(1, trace.posterior.sizes["chain"] * trace.posterior.sizes["draw"] // draws)
    return az.InferenceData(posterior=trace.posterior.isel(draw=slice(None, None, every)))


def predict(model, trace, *, seed):
    """Draw from the prior, and from the prior and the posterior predictive distribution.

    Parameters
    ----------
    model : pymc.Model
    trace : arviz.InferenceData
        Each draw of its posterior makes one prediction.
    seed : int

    Returns
    -------
    arviz.InferenceData
        The groups ``prior_predictive``, with a third as many draws; ``prior``, with eight times as many, whose draws
        are none of those behind ``prior_predictive``; ``posterior_predictive`` and ``log_likelihood``.
    """
    import pymc as pm
    from pytensor.compile.mode import Mode

    # A few thousand evaluations pay for no compiler, and for no rewriting: products of three arrays are merged into one
    # that plain Python takes number by number.
    mode = Mode(linker="py", optimizer=None)
    with model:
        draws = trace.posterior.sizes["chain"] * trace.posterior.sizes["draw"]
        predicted = pm.sample_prior_predictive(
            max(1, draws // _PRIOR_SHARE), random_seed=seed, compile_kwargs={"mode": mode}
        )
        replicated = pm.sample_posterior_predictive(
            trace, random_seed=seed, progressbar=False, compile_kwargs={"mode": mode}
        )
    density = _log_likelihood(model, trace.posterior, mode)
    predicted.prior = _prior(model, predicted.prior, _PRIOR_TIMES * draws, seed, mode)
    predicted.add_groups(posterior_predictive=replicated.posterior_predictive, log_likelihood=density)
    return _undated(predicted)


def _prior(model, few, draws, seed, mode):
    """Draw from the prior alone: an interval of it needs more draws than there is time to predict figures from.

    What is derived from the parameters is calculated for all draws at once, which takes a twentieth of the time that
    one after the other does. `few` are draws of the same variables, whose dimensions are taken over.
    """
    import pymc as pm

    free, derived = ([variable.name for variable in kind] for kind in (model.free_RVs, model.deterministics))
    with model:
        prior = pm.sample_prior_predictive(draws, var_names=free, random_seed=seed, compile_kwargs={"mode": mode}).prior
    if not derived:
        return prior
    values = _for_all_draws([model[name] for name in derived], {model[name]: prior[name] for name in free}, mode)
    labels = {name: few[name] for name in few.coords if name not in ("chain", "draw")}
    found = {name: (few[name].dims, value) for name, value in zip(derived, values, strict=True)}
    return prior.assign_coords(labels).assign(found)


def _log_likelihood(model, posterior, mode):
    """Log density of each figure in each draw, as :func:`pymc.compute_log_likelihood` has it, for all draws at once."""
    import arviz as az
    from pymc.backends.arviz import coords_and_dims_for_inferencedata
    from pymc.model.transform.conditioning import remove_value_transforms

    plain = remove_value_transforms(model)
    names = [variable.name for variable in plain.observed_RVs]
    drawn = {plain.rvs_to_values[variable]: posterior[variable.name] for variable in plain.free_RVs}
    values = _for_all_draws(plain.logp(vars=plain.observed_RVs, sum=False), drawn, mode)
    coords, dims = coords_and_dims_for_inferencedata(plain)
    return az.dict_to_dataset(dict(zip(names, values, strict=True)), coords=coords, dims=dims)


def _for_all_draws(formulas, drawn, mode):
    """Calculate tensors for all draws at once, in a tenth of the time that one after the other takes.

    Parameters
    ----------
    formulas : list of tensor
    drawn : dict of tensor to xarray.DataArray
        What they depend on, each with its draws: (chain, draw, ...).

    Returns
    -------
    list of numpy.ndarray, each (chain, draw, ...)
    """
    import pytensor
    from pytensor.graph.replace import vectorize_graph

    sizes = next(iter(drawn.values())).shape[:2]
    batched = {one: pytensor.tensor.tensor(dtype=one.dtype, shape=(None, *one.type.shape)) for one in drawn}
    calculate = pytensor.function(
        list(batched.values()), vectorize_graph(formulas, replace=batched), mode=mode, on_unused_input="ignore"
    )
    values = calculate(*[draws.values.reshape(-1, *draws.shape[2:]) for draws in drawn.values()])
    return [value.reshape(*sizes, *value.shape[1:]) for value in values]
