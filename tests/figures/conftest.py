"""A case with made-up tables."""

import shutil

import made_up
import pytest

from uncounted.figures.tables import open_tables


@pytest.fixture(scope="session")
def finished_case(finished_release):
    """The folder of a case, with its figures. Not to be changed: copy it."""
    return finished_release.case()


@pytest.fixture
def case_folder(finished_case, tmp_path):
    """A copy of the folder of a case, for tests that change it."""
    return shutil.copytree(finished_case, tmp_path / "russia")


@pytest.fixture
def tables(finished_case):
    """The tables of the case."""
    return open_tables("russia", made_up.russia(), finished_case)
