"""Every model that is drawn from by NUTS has a key, by which its machine code is kept."""

import numpy as np
import pytest
import yaml

from uncounted.evidence.histories import Histories
from uncounted.library import DEFAULTS
from uncounted.model_key import model_key
from uncounted.models import loglinear, survival, synthesis
from uncounted.models.cells import lay_out

PRIORS = yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))["priors"]


def of_lists(n_strata, blanks):
    """The layout of a table of four lists."""
    rng = np.random.default_rng(1)
    counts = rng.integers(1, 50, (1, n_strata, 16))
    counts[..., 0] = 0
    blank = rng.integers(1, 5, (1, blanks, 16))
    blank[..., 0] = 0
    return lay_out(
        Histories(
            lists=tuple("ABCD"),
            strata=("place",) if n_strata > 1 else (),
            labels=tuple((str(number),) for number in range(n_strata)) if n_strata > 1 else ((),),
            counts=counts,
            weights=np.ones(1),
            possible=np.ones((n_strata, 16), dtype=bool),
            blank=blank,
            blank_strata=np.ones((blanks, n_strata), dtype=bool),
        )
    )


def test_synthesis(layout, priors, model):
    assert model_key(synthesis.build(layout, priors)) == model_key(model)


def test_survival(case, tables):
    prisoners = survival.lay_out(case["survival"], tables, survival.naming_stated(32.0, 1.85, (0.3, 0.5)))
    first, again = (survival.build(prisoners, case["survival"]["priors"]) for _ in range(2))
    assert model_key(first) == model_key(again)


SHAPES = {"one stratum": (1, 0), "strata": (3, 0), "blank strata": (3, 1)}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("kinds", [("pairs",), ("pairs", "triples")])
def test_loglinear(shape, kinds):
    first, again = (loglinear.build(of_lists(*shape), PRIORS, kinds) for _ in range(2))
    assert model_key(first) == model_key(again)


def test_loglinear_has_another_key_with_another_shape_prior_or_kind_of_interactions():
    wider = PRIORS | {"ease_level": PRIORS["ease_level"] | {"sd": 1.7}}
    models = [loglinear.build(of_lists(*shape), PRIORS) for shape in SHAPES.values()]
    models += [loglinear.build(of_lists(1, 0), wider), loglinear.build(of_lists(1, 0), PRIORS, ("pairs", "triples"))]
    assert len({model_key(model) for model in models}) == len(models)
