"""A key of what a PyMC model computes: two models with the same key have the same compiled code.

The key is of the graph of the log density and of every variable that is kept, operation by operation, with all that
each operation is set to. It is not of the source: a change of a docstring keeps the key, a change of a prior's constant
does not. Data that a model reads while drawing count with their names and shapes, and not with their values.
"""

import types
from hashlib import sha256
from importlib.metadata import version

import numpy as np

_PLAIN = (type(None), bool, int, float, complex, str, bytes, np.dtype)
_COMPILERS = ("llvmlite", "numba", "numpy", "nutpie", "pymc", "pytensor")
_GRAPHS = ("pytensor", "pymc")


class NoKey(Exception):
    """Something in the model cannot be told from others that compute something else."""


def model_key(model):
    """Key of a model, of the packages that compile it, and of the processor that it is compiled for.

    Parameters
    ----------
    model : pymc.Model

    Returns
    -------
    str
        A SHA-256.

    Raises
    ------
    NoKey
        The model has an operation with an inner graph or a function without a name, which this file does not read.
    """
    values = [model.rvs_to_values[variable] for variable in model.free_RVs]
    kept = model.unobserved_value_vars
    said = [
        _of_the_compiler(),
        [(value.name, variable.name) for value, variable in zip(values, model.free_RVs, strict=True)],
        [variable.name for variable in kept],
        model.check_bounds,
        [(name, None if labels is None else len(labels)) for name, labels in model.coords.items()],
        [(data.name, data.get_value(borrow=True).shape) for data in model.data_vars],
        _graph([model.logp(), *kept]),
    ]
    return sha256(repr(said).encode()).hexdigest()


def _of_the_compiler():
    """Versions, processor, and settings that change what code comes out."""
    import pytensor
    from numba.core import config
    from numba.core.registry import cpu_target

    return [
        [(name, version(name)) for name in _COMPILERS],
        cpu_target.target_context.codegen().magic_tuple(),
        [pytensor.config.get_config_hash(), pytensor.config.optimizer, pytensor.config.numba__fastmath],
        [str(config.OPT), config.BOUNDSCHECK, config.ENABLE_AVX],
    ]


def _graph(outputs):
    """Every node of a graph in the order of computing, its inputs by number; list."""
    from pytensor.graph.basic import Constant
    from pytensor.graph.traversal import toposort

    numbers, nodes = {}, []

    def number(variable):
        if variable not in numbers:
            # What is not computed is a constant, with its value, or something with a name.
            value = variable.data if isinstance(variable, Constant) else variable.name
            nodes.append((_said(variable.type), type(variable).__qualname__, _said(value)))
            numbers[variable] = len(numbers)
        return numbers[variable]

    for node in toposort(outputs):
        inputs = [number(variable) for variable in node.inputs]
        nodes.append((_said(node.op), inputs, [_said(variable.type) for variable in node.outputs]))
        for variable in node.outputs:
            numbers[variable] = len(numbers)
    return nodes, [number(variable) for variable in outputs]


def _said(thing):
    """All that a setting of an operation holds, as nested tuples of plain values."""
    if isinstance(thing, _PLAIN):
        return type(thing).__name__, repr(thing)
    if isinstance(thing, np.ndarray | np.generic):
        value = np.ascontiguousarray(thing)
        if value.dtype.hasobject:
            raise NoKey(f"an array of {value.dtype}")
        return "array", value.dtype.str, np.shape(thing), sha256(value.tobytes()).hexdigest()
    if isinstance(thing, slice):
        return "slice", _said((thing.start, thing.stop, thing.step))
    if isinstance(thing, list | tuple):
        return type(thing).__name__, [_said(item) for item in thing]
    if isinstance(thing, set | frozenset):
        return type(thing).__name__, sorted(_said(item) for item in thing)
    if hasattr(thing, "items"):
        return "dict", sorted((_said(name), _said(value)) for name, value in thing.items())
    if isinstance(thing, type | types.FunctionType | types.BuiltinFunctionType):
        return _name(thing)
    return _object(thing)


def _object(thing):
    """An operation or a type of PyTensor by its class and properties, or by all its attributes if it has none."""
    from pytensor.graph.fg import FunctionGraph

    kind = type(thing)
    if kind.__module__.split(".")[0] not in _GRAPHS or isinstance(thing, FunctionGraph) or hasattr(thing, "fgraph"):
        raise NoKey(f"{kind.__module__}.{kind.__qualname__}")
    names = getattr(kind, "__props__", None) or sorted(set(vars(thing)) - {"name"})
    return _name(kind), [(name, _said(getattr(thing, name))) for name in names]


def _name(thing):
    if "<" in thing.__qualname__:
        raise NoKey(f"{thing.__module__}.{thing.__qualname__}")
    return thing.__module__, thing.__qualname__
