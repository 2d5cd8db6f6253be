"""The evidence of the Russian case as the model sees it, and the model, compiled once for all tests."""

from pathlib import Path

import pytest

from uncounted.compiling import compile_model
from uncounted.config import read_case
from uncounted.evidence.clean import clean_case
from uncounted.evidence.schemas import read_tables
from uncounted.models import synthesis

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def case():
    """The config of the Russian case."""
    return read_case(PROJECT / "config" / "cases", "russia")


@pytest.fixture(scope="session")
def tables(case, tmp_path_factory):
    """The evidence of the Russian case."""
    folder = tmp_path_factory.mktemp("evidence")
    clean_case(case, PROJECT / "data" / "russia", folder)
    return read_tables(case, folder)


@pytest.fixture(scope="session")
def layout(case, tables):
    return synthesis.lay_out(case, tables)


@pytest.fixture(scope="session")
def priors(case):
    return case["priors"]


@pytest.fixture(scope="session")
def model(layout, priors):
    """The model of the case. Whoever changes its data puts them back."""
    return synthesis.build(layout, priors)


@pytest.fixture(scope="session")
def compiled(model):
    return compile_model(model)
