"""Compiling PyMC models for the sampler, once for every machine.

nutpie compiles a model for every process anew: numba keeps the parts on disk, and what joins them has to be compiled
again, after PyTensor has rewritten the graph again. Here the joined machine code of a model is kept, under the key of
what it computes (:mod:`uncounted.model_key`), in PyTensor's folder of compiled code.

A process of its own compiles (:mod:`uncounted.compiling_process`), and this one takes the machine code from the file
that was kept.
"""

import contextlib
import itertools
import logging
import os
import pickle
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np

from uncounted.compiling_process import in_a_copy
from uncounted.files import atomic_path
from uncounted.model_key import NoKey, model_key

_logger = logging.getLogger("uncounted")
_SUFFIX = ".model"  # another one whenever what is written changes, so that old files are not read
_DIGEST = 32


def compile_model(model):
    """Compile a model once, for any number of data sets of the same shape.

    Parameters
    ----------
    model : pymc.Model

    Returns
    -------
    nutpie.CompiledModel
        ``with_data(name=value)`` gives the same model for other data, without compiling again.
    """
    with _settings():
        file = _file_of(model)
        if file is None:
            return _compile(model)
        with _kept_by_another(model, file):
            pass  # nothing else to do until it is there
        kept = _read(file)
        if kept is not None:
            return _load(model, kept)
        compiled = _compile(model)
        _keep(compiled, file)
        return compiled


@contextmanager
def compiling_ahead(model):
    """Have another process compile and keep a model, for a :func:`compile_model` that comes later.

    At the end of the block it is waited for. Nothing is done where the model has been kept before, where it has no key,
    and where there can be no other process (:func:`uncounted.compiling_process.in_a_copy`).

    Parameters
    ----------
    model : pymc.Model
    """
    with _settings():
        file = _file_of(model)
        with contextlib.nullcontext() if file is None else _kept_by_another(model, file):
            yield


def compile_for_disk(function, *arguments):
    """Have another process call a function, for what numba compiles and keeps on disk when it is called.

    Nothing is done where there can be no other process.

    Parameters
    ----------
    function : callable
    *arguments
        What it is called with.
    """
    with in_a_copy(_places(), _compile_for_disk, function, *arguments):
        pass  # nothing else to do until it has ended


def kept_models():
    """Folder of the models compiled before.

    Returns
    -------
    Path
        Within PyTensor's own (``base_compiledir`` in PYTENSOR_FLAGS), and may be removed at any time.
    """
    import pytensor

    return Path(pytensor.config.base_compiledir) / "uncounted"


def _file_of(model):
    """Where a compiled model is kept; None if it cannot be."""
    try:
        return kept_models() / (model_key(model) + _SUFFIX)
    except NoKey as reason:
        _logger.debug(f"the compiled model is not kept: {reason} has no key")
        return None


def _places():
    return kept_models() / "cores"


def _kept_by_another(model, file):
    """Have another process compile a model and keep it, unless it is kept; at the end of the block it is waited for."""
    return contextlib.nullcontext() if file.exists() else in_a_copy(_places(), _compile_and_keep, model, file)


def _compile_and_keep(model, file):
    with _settings():
        _keep(_compile(model), file)


def _compile_for_disk(function, *arguments):
    _number_functions_apart()
    # The latent classes' sampler draws as fast as with all optimisations, and compiles in two thirds of the time.
    with _optimising(2):
        function(*arguments)


def _compile(model):
    import nutpie

    return nutpie.compile_pymc_model(model)


@contextmanager
def _settings():
    """How models are compiled."""
    import pytensor
    from numba.np import arrayobj

    pytensor.config.mode = "NUMBA"
    # Sums in any order would come out in another one from the cache than from the compiler, and so would every draw.
    pytensor.config.numba__fastmath = False
    _number_functions_apart()
    usual = arrayobj.raise_with_shape_context
    arrayobj.raise_with_shape_context = _error_of_shapes()
    try:
        # Optimising less takes less time and memory; drawing takes no longer, and the draws are the same.
        with _optimising(1):
            yield
    finally:
        arrayobj.raise_with_shape_context = usual


@contextmanager
def _optimising(level):
    """Have numba optimise by so much, of 3."""
    import numba

    usual = numba.config.OPT
    numba.config.OPT = type(usual)(level)
    try:
        yield
    finally:
        numba.config.OPT = usual


@cache
def _error_of_shapes():
    """What compiled code calls where it assigns an array of another shape.

    numba's own puts both shapes into words, and compiles all that it has for text into every model, for an error that
    the sampler takes for a draw to reject, whatever it says.
    """
    from numba.extending import overload

    def raise_without_shapes(source, target):
        """Stands for what is compiled below."""

    @overload(raise_without_shapes)
    def compiled(source, target):
        def raise_(source, target):
            raise ValueError("cannot assign an array of another shape")

        return raise_

    return raise_without_shapes


def _number_functions_apart():
    """Number compiled functions as no other process does.

    numba counts functions from 1 in every process, and compiled code on disk bears these numbers: two processes could
    take each other's functions for their own (numba issue 10486).
    """
    from numba.core import bytecode

    first = int.from_bytes(os.urandom(6), "big") + 1
    bytecode.FunctionIdentity._unique_ids = itertools.count(first)


# Keeping


class _Code:
    """A function in machine code, as the sampler takes it."""

    def __init__(self, library, name):
        self._library = library  # the code stands as long as this does
        self.address = library.get_pointer_to_function(name)


def _keep(compiled, file):
    code = {name: _written(getattr(compiled, name)) for name in ("compiled_logp_func", "compiled_expand_func")}
    if None in code.values():
        _logger.debug("the compiled model is not kept: it holds addresses of this process")
        return
    written = pickle.dumps(
        {
            "code": code,
            "data": list(compiled.shared_data),
            "n_dim": compiled.n_dim,
            "n_expanded": compiled.n_expanded,
            "shape_info": compiled.shape_info,
        }
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(file) as part:
        Path(part).write_bytes(sha256(written).digest() + written)


def _written(function):
    """Machine code of a numba callback, with the environments it refers to; None if it holds addresses."""
    from numba.core.environment import lookup_environment

    library = function._library
    if library.has_dynamic_globals:
        return None
    names = [variable.name for variable in library._final_module.global_variables]
    environments = [lookup_environment(name) for name in names if name.startswith("_ZN08NumbaEnv")]
    return (
        library.serialize_using_object_code(),
        [environment for environment in environments if environment is not None and environment.can_cache()],
        function.native_name,
    )


def _read(file):
    """What was kept in a file; None if there is no such file, or its bytes are not those that were written."""
    if not file.exists():
        return None
    content = file.read_bytes()
    if sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
        _logger.warning(f"{file}: damaged; the model is compiled again")
        return None
    return pickle.loads(content[_DIGEST:])


def _load(model, kept):
    """The compiled model of :func:`nutpie.compile_pymc_model`, its machine code taken from what was kept."""
    from nutpie.compile_pymc import CompiledPyMCModel, _prepare_dims_and_coords, make_user_data

    names, _, shapes = kept["shape_info"]
    dims, coords = _prepare_dims_and_coords(model, kept["shape_info"])
    # Lengths of dimensions are read while drawing, too.
    readable = model.named_vars | model.dim_lengths
    data = {name: readable[name] for name in kept["data"]}
    values = {name: _frozen(variable.get_value()) for name, variable in data.items()}
    return CompiledPyMCModel(
        _n_dim=kept["n_dim"],
        dims=dims,
        _coords=coords,
        _shapes=dict(zip(names, map(tuple, shapes), strict=True)),
        initial_point_func=_initial_point(model, kept["shape_info"]),
        shared_data=values,
        user_data=make_user_data(data, values),
        n_expanded=kept["n_expanded"],
        shape_info=kept["shape_info"],
        logp_func=None,
        expand_func=None,
        **{name: _loaded(code) for name, code in kept["code"].items()},
    )


def _frozen(array):
    array = np.array(array, order="C", copy=True)
    array.flags.writeable = False
    return array


def _loaded(code):
    from numba.core.registry import cpu_target

    library, environments, name = code
    codegen = cpu_target.target_context.codegen()
    loaded = codegen.unserialize_library(library)
    for environment in environments:
        codegen.set_env(environment.env_name, environment)
    return _Code(loaded, name)


def _initial_point(model, shape_info):
    """Where chains start: as nutpie has it, the support points, each moved by up to 1."""
    from nutpie.compile_pymc import _rv_dict_to_flat_array_wrapper, _wrap_with_lock
    from pymc.initial_point import make_initial_point_fn

    names, _, shapes = shape_info
    point = make_initial_point_fn(
        model=model, default_strategy="support_point", jitter_rvs=set(model.free_RVs), return_transformed=True
    )
    free = len(model.free_RVs)
    return _rv_dict_to_flat_array_wrapper(_wrap_with_lock(point), names=names[:free], shapes=shapes[:free])
