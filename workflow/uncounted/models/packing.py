"""All arrays that a model reads, in one vector: the time to compile grows with the number of shared arrays.

nutpie's issue 339 says why.
"""

import numpy as np


def pack(arrays):
    """Put arrays into one vector.

    Parameters
    ----------
    arrays : dict of str to numpy.ndarray

    Returns
    -------
    numpy.ndarray
    """
    return np.concatenate([np.ravel(array) for array in arrays.values()])


def unpack(vector, arrays):
    """Take the arrays out of the vector again, as tensors.

    Parameters
    ----------
    vector : tensor
    arrays : dict of str to numpy.ndarray
        For their names and shapes.

    Returns
    -------
    dict of str to tensor
    """
    ends = np.cumsum([array.size for array in arrays.values()])
    return {
        name: vector[int(end) - array.size : int(end)].reshape(array.shape) if array.ndim else vector[int(end) - 1]
        for (name, array), end in zip(arrays.items(), ends, strict=True)
    }
