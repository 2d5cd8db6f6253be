"""The number of people along the dial, and where published estimates would need it to stand."""

import numpy as np
import pytest

from uncounted.checks.dial import POSITIONS, SCHEMA, turn_dial

RNG = np.random.default_rng(1)
UNSEEN = RNG.lognormal(np.log(6_000), 0.3, size=(4, 500)).round()
TOTAL = UNSEEN + 4_400


def turned(stands=0.0, **published):
    return turn_dial(TOTAL, UNSEEN, stands, published)


def at(table, position, level=0.95):
    return table[np.isclose(table["unseen_odds"], position) & (table["level"] == level)].iloc[0]


def test_dial_runs_from_minus_two_to_two_through_where_it_stands():
    table = turned()
    assert list(table.columns) == list(SCHEMA.columns)
    assert sorted(set(table["unseen_odds"])) == POSITIONS.tolist()
    assert sorted(set(turned(stands=0.7)["unseen_odds"])) == sorted([*POSITIONS, 0.7])


def test_unseen_are_multiplied_by_the_odds_and_the_seen_stay():
    table = turned()
    for position in (-2.0, 0.0, 1.5):
        expected = np.quantile(4_400 + UNSEEN * np.exp(position), [0.025, 0.5, 0.975])
        found = at(table, position)[["lower", "median", "upper"]].astype(float)
        np.testing.assert_allclose(found, expected)


def test_where_it_stands_the_answer_is_the_one_that_was_drawn():
    row = at(turned(stands=0.7), 0.7, level=0.5)
    assert row["median"] == np.median(TOTAL)
    assert (row["lower"], row["upper"]) == tuple(np.quantile(TOTAL, [0.25, 0.75]))
    assert at(turned(stands=0.7), 0.0)["median"] == pytest.approx(np.median(4_400 + UNSEEN * np.exp(-0.7)))


@pytest.mark.parametrize("stands", [0.0, 0.7])
def test_published_estimate_is_the_median_where_it_needs_the_dial(stands):
    table = turned(stands=stands, Ball=12_000.0, Below=4_000.0)
    needed = table[table["needed_for"] == "Ball"]
    assert len(needed) == 2
    assert needed["median"].tolist() == pytest.approx([12_000, 12_000])
    assert needed["unseen_odds"].iloc[0] == pytest.approx(stands + np.log(7_600 / np.median(UNSEEN)))
    # Fewer than were seen: nowhere on the dial.
    assert "Below" not in set(table["needed_for"])


def test_without_an_answer_there_is_no_dial():
    assert turn_dial(TOTAL * np.nan, UNSEEN, 0.0, {}).empty
    assert turn_dial(TOTAL, UNSEEN * 0, 0.0, {"Ball": 12_000.0}).empty
