"""A case with made-up tables, once for all tests of the figures."""

import shutil

import made_up
import pytest

from uncounted.figures.tables import open_tables


@pytest.fixture(scope="session")
def finished_case(tmp_path_factory):
    """The folder of a case. Not to be changed: copy it."""
    folder = tmp_path_factory.mktemp("release") / "russia"
    made_up.make_case(folder)
    return folder


@pytest.fixture
def case_folder(finished_case, tmp_path):
    """A copy of the folder of a case, for tests that change it."""
    return shutil.copytree(finished_case, tmp_path / "russia")


@pytest.fixture
def tables(finished_case):
    """The tables of the case."""
    return open_tables("russia", made_up.russia(), finished_case)
