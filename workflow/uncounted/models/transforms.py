"""Coordinates in which the sampler walks. They change no model, only how easily it is sampled."""


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
