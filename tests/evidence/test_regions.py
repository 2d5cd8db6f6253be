"""Named by region: counts, and rates only where the men of a region are known."""

import pandas as pd
import pytest

from uncounted.errors import UserError
from uncounted.evidence.regions import PER, by_region

NAMED = pd.DataFrame({"region": ["Tuva", "Perm", "Foreign"], "named": [486, 1_019, 243]})
MEN = pd.DataFrame({"region": ["Perm", "Tuva"], "men": [1_160_000, 158_000]})


def test_the_region_with_the_most_named_comes_first():
    assert by_region(NAMED)["region"].tolist() == ["Perm", "Tuva", "Foreign"]


def test_without_a_table_of_men_there_is_no_rate():
    assert by_region(NAMED)[["men", "per_men"]].isna().all(axis=None)


def test_rates_are_per_ten_thousand_men_and_missing_where_no_men_are_known():
    table = by_region(NAMED, MEN).set_index("region")
    assert PER == 10_000
    assert table.loc["Tuva", "per_men"] == pytest.approx(30.76, abs=0.01)
    assert table.loc["Perm", "per_men"] == pytest.approx(8.78, abs=0.01)
    assert table.loc["Foreign", ["men", "per_men"]].isna().all()


def test_region_that_nobody_is_named_from_is_refused():
    with pytest.raises(UserError, match="nobody is named from the region 'Narnia'"):
        by_region(NAMED, pd.DataFrame({"region": ["Perm", "Narnia"], "men": [1_160_000, 5]}))


def test_fewer_men_than_named_are_refused():
    with pytest.raises(UserError, match="the region 'Tuva' has 400 men, and 486 named"):
        by_region(NAMED, MEN.assign(men=[1_160_000, 400]))


def test_a_table_of_men_is_read(small_case):
    table = "region;men\nPerm;1 160 000\nTuva;158 000\n"
    small_case.add("men_by_region", "men_by_region", table, published="2021-12-31", kept_for="comparison")
    small_case.clean()
    assert small_case.evidence("men_by_region")["men"].tolist() == [1_160_000, 158_000]


@pytest.mark.parametrize(("men", "reason"), [("0", "a region without men"), ("", "empty"), ("-5", "negative")])
def test_a_region_without_men_is_refused(small_case, men, reason):
    table = f"region,men\nPerm,{men}\n"
    small_case.add("men_by_region", "men_by_region", table, published="2021-12-31", kept_for="comparison")
    with pytest.raises(UserError, match=reason):
        small_case.clean()
