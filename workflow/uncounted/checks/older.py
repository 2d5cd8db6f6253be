"""What older methods say, for comparison: see :mod:`uncounted.models.classical`."""

import pandera.pandas as pa

SCHEMA = pa.DataFrameSchema(
    {
        "method": pa.Column(str),
        "stratum": pa.Column(str),
        **{name: pa.Column(float, nullable=True) for name in ("estimate", "lower", "upper")},
        "level": pa.Column(float),
        "detail": pa.Column(str),
    },
    strict=True,
    ordered=True,
    unique=["method", "stratum", "detail"],
)
"""One row a method and stratum: people, seen and unseen; missing where there is no estimate."""
