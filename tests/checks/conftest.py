"""The evidence of the Russian case, and its model, once for all tests of checks."""

from pathlib import Path

import pytest

from uncounted.config import read_case
from uncounted.evidence.clean import clean_case
from uncounted.evidence.schemas import read_tables
from uncounted.models import synthesis

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def russia():
    """The config of the Russian case. Not to be changed."""
    return read_case(PROJECT / "config" / "cases", "russia")


@pytest.fixture(scope="session")
def evidence(russia, tmp_path_factory):
    """The evidence of the Russian case by source. Not to be changed."""
    folder = tmp_path_factory.mktemp("evidence")
    clean_case(russia, PROJECT / "data" / "russia", folder)
    return read_tables(russia, folder)


@pytest.fixture(scope="session")
def russian_layout(russia, evidence):
    return synthesis.lay_out(russia, evidence)


@pytest.fixture(scope="session")
def russian_model(russia, russian_layout):
    return synthesis.build(russian_layout, russia["priors"])
