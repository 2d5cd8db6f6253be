"""The report of a release with made-up tables."""

import json
import shutil

import pytest

from made_up_release import Release


@pytest.fixture
def study_of(finished_lists, tmp_path):
    """A release of one study, copied from those of the fixture: change its tables, and write its report."""

    def chosen(name):
        release = Release(tmp_path / "release")
        shutil.copytree(finished_lists.case(name), release.case(name))
        provenance = finished_lists.provenance
        provenance["config"]["cases"] = {name: provenance["config"]["cases"][name]}
        (release.folder / "provenance.json").write_text(json.dumps(provenance))
        return release

    return chosen


@pytest.fixture(scope="session")
def html(finished_release):
    """The report of the release."""
    return finished_release.report()


@pytest.fixture
def release(finished_release, tmp_path):
    """A copy of the release, for tests that change it."""
    return finished_release.copy(tmp_path / "release")
