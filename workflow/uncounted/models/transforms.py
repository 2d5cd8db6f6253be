"""Coordinates in which the sampler walks. They change no model, only how easily it is sampled."""

_BEND = 2.0  # how soon :func:`from_zero` turns from the logarithm to the quantity


def common_level(count):
    """Sample a series as the mean of its first `count` values, their departures from it, and the later steps.

    Values that the data pin against each other far better than all together lie along a narrow ridge; the mean and the
    departures (in an orthonormal basis) do not. The map is linear with a constant Jacobian determinant.

    Parameters
    ----------
    count : int
        How many of the first values share a well-known pattern; at least 2.

    Returns
    -------
    pymc.distributions.transforms.Transform
    """
    import pytensor.tensor as pt
    from pymc.distributions.transforms import Transform, ZeroSumTransform

    class CommonLevel(Transform):
        name = "commonlevel"

        def forward(self, value, *inputs):
            first = value[..., :count]
            mean = first.mean(axis=-1, keepdims=True)
            departures = ZeroSumTransform.extend_axis_rev(first - mean, axis=-1)
            steps = value[..., count:] - value[..., count - 1 : -1]
            return pt.concatenate([mean, departures, steps], axis=-1)

        def backward(self, value, *inputs):
            first = value[..., 0, None] + ZeroSumTransform.extend_axis(value[..., 1:count], axis=-1)
            later = first[..., -1, None] + pt.cumsum(value[..., count:], axis=-1)
            return pt.concatenate([first, later], axis=-1)

        def log_jac_det(self, value, *inputs):
            return pt.zeros(value.shape[:-1])

    return CommonLevel()


def from_zero(scale):
    """Sample a quantity above zero, near zero by its logarithm and from about `scale` on by itself.

    On the scale of the logarithm, a half-normal prior falls off steeply above its scale and has a long tail of values
    that hardly differ from zero; here it is about a normal one.

    Parameters
    ----------
    scale : float
        Above 0.

    Returns
    -------
    pymc.distributions.transforms.Transform
    """
    import pytensor.tensor as pt
    from pymc.distributions.transforms import Transform

    class FromZero(Transform):
        name = "fromzero"

        def forward(self, value, *inputs):
            bent = _BEND * value / scale
            return (bent + pt.log1mexp(-bent)) / _BEND

        def backward(self, value, *inputs):
            return scale * pt.softplus(_BEND * value) / _BEND

        def log_jac_det(self, value, *inputs):
            return pt.log(scale) - pt.softplus(-_BEND * value)

    return FromZero()
