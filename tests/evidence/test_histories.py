"""Capture histories as arrays: nobody is lost, whatever is done with lists and strata."""

import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from uncounted.errors import UserError
from uncounted.evidence.histories import (
    Histories,
    lists_of,
    merge_lists,
    not_estimable_alone,
    people_on,
    spread_blanks,
    table_from_frame,
    tabulate,
    without_list,
)

LISTS = ["a", "b", "c"]


def tidy(rows, strata=(), weights=None) -> pd.DataFrame:
    """A tidy table from rows of table, labels, history and count."""
    frame = pd.DataFrame(rows, columns=["table", *strata, "history", "count"])
    weights = weights or [1 / frame["table"].nunique()] * frame["table"].nunique()
    frame.insert(1, "weight", [weights[number] for number in frame["table"]])
    return frame.astype(dict.fromkeys([*strata, "history"], "str"))


def of_counts(counts, lists=None) -> Histories:
    """Histories of one table from counts of cells 1, 2, ... of each stratum."""
    counts = np.atleast_2d(counts)
    full = np.column_stack([np.zeros(len(counts), dtype=np.int64), counts])[None]
    n_lists = full.shape[2].bit_length() - 1
    return Histories(
        lists=tuple(lists or LISTS[:n_lists]),
        strata=("place",),
        labels=tuple((f"place {number}",) for number in range(len(counts))),
        counts=full,
        blank=np.zeros((1, 0, full.shape[2]), dtype=np.int64),
        blank_strata=np.zeros((0, len(counts)), dtype=bool),
        weights=np.ones(1),
        possible=np.ones(full.shape[1:], dtype=bool),
    )


@st.composite
def histories(draw):
    """Two tables, two strata, three or four lists, with and without blanks."""
    n_lists, n_patterns = draw(st.integers(3, 4)), draw(st.integers(0, 2))
    cells = 2**n_lists
    people = st.integers(0, 2**50) | st.integers(0, 3)
    counts = draw(arrays(np.int64, (2, 2, cells), elements=people))
    blank = draw(arrays(np.int64, (2, n_patterns, cells), elements=people))
    counts[..., 0], blank[..., 0] = 0, 0
    fits = np.array([[True, True], [False, True]])[:n_patterns]
    start = of_counts(counts[0, :, 1:], "abcd"[:n_lists])
    return replace(start, counts=counts, blank=blank, blank_strata=fits, weights=np.array([0.5, 0.5]))


def test_importing_it_needs_no_sampler():
    code = "import sys, uncounted.evidence.histories; sys.exit(any(m in sys.modules for m in ('pymc', 'pytensor')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_bit_j_is_list_j():
    made = tabulate(tidy([(0, "100", 5), (0, "011", 7), (0, "111", 2)]), LISTS)
    assert made.counts.tolist() == [[[0, 5, 0, 0, 0, 0, 7, 2]]]
    assert made.counts.dtype == np.int64
    assert made.n_lists == 3
    assert made.seen == 14
    assert made.labels == ((),)
    assert made.stratum_names == ("all",)
    assert made.blank.shape == (1, 0, 8)
    assert made.blank_strata.shape == (0, 1)
    assert made.weights.tolist() == [1.0]
    assert made.possible.all()
    assert lists_of(made, 6) == "b and c"


def test_strata_in_natural_order_and_tables_with_their_weights():
    rows = [
        (0, "m", "10-14", "10", 1),
        (0, "m", "5-9", "11", 2),
        (0, "f", "60+", "01", 3),
        (1, "m", "5-9", "01", 4),
    ]
    made = tabulate(tidy(rows, ["sex", "age"], [0.25, 0.75]).sample(frac=1, random_state=3), ["a", "b"], ["sex", "age"])
    assert made.labels == (("f", "60+"), ("m", "5-9"), ("m", "10-14"))
    assert made.stratum_names == ("f, 60+", "m, 5-9", "m, 10-14")
    assert made.weights.tolist() == [0.25, 0.75]
    assert made.counts.tolist() == [
        [[0, 0, 3, 0], [0, 0, 0, 2], [0, 1, 0, 0]],
        [[0, 0, 0, 0], [0, 0, 4, 0], [0, 0, 0, 0]],
    ]


def test_names_of_strata_are_all_different():
    rows = [(0, "a, b", "c", "10", 1), (0, "a", "b, c", "11", 2)]
    names = tabulate(tidy(rows, ["x", "y"]), ["a", "b"], ["x", "y"]).stratum_names
    assert len(set(names)) == 2


def test_blanks_may_belong_where_what_is_known_fits():
    rows = [
        *[(0, sex, age, "110", 10) for sex in ("f", "m") for age in ("0-14", "15+")],
        (0, "", "0-14", "010", 3),
        (0, "m", "", "010", 4),
        (0, "", "", "001", 5),
    ]
    made = tabulate(tidy(rows, ["sex", "age"]), LISTS, ["sex", "age"])
    assert made.labels == (("f", "0-14"), ("f", "15+"), ("m", "0-14"), ("m", "15+"))
    found = {int(made.blank[0, i].sum()): made.blank_strata[i].tolist() for i in range(3)}
    assert found == {3: [True, False, True, False], 4: [False, False, True, True], 5: [True] * 4}
    assert made.seen == 52


def test_blanks_that_fit_nowhere():
    rows = [(0, "f", "0-14", "110", 10), (0, "", "90+", "010", 3)]
    with pytest.raises(UserError, match=r"people with age '90\+' .* fit no stratum"):
        tabulate(tidy(rows, ["sex", "age"]), LISTS, ["sex", "age"])
    with pytest.raises(UserError, match="nobody's stratum is known"):
        tabulate(tidy([(0, "", "110", 10)], ["sex"]), LISTS, ["sex"])


class TestStructuralZeros:
    """Cells that cannot hold anybody."""

    rows = ((0, "2023-10", "100", 9), (0, "2023-10", "101", 9), (0, "2023-11", "110", 9), (0, "2023-11", "011", 9))

    def made(self, *zeros) -> Histories:
        return tabulate(tidy(list(self.rows), ["month"]), LISTS, ["month"], zeros)

    def test_a_list_that_did_not_exist(self):
        possible = self.made({"where": {"month": "2023-10"}, "lists": ["b"]}).possible
        assert possible.tolist() == [[True, True, False, False, True, True, False, False], [True] * 8]

    def test_a_combination(self):
        possible = self.made({"where": {"month": ["2023-10", "2023-11"]}, "history": {"a": 1, "b": 1, "c": 1}}).possible
        assert np.flatnonzero(~possible[0]).tolist() == np.flatnonzero(~possible[1]).tolist() == [7]
        possible = self.made({"where": {"month": "2023-10"}, "history": {"b": 1, "c": 0}}).possible
        assert np.flatnonzero(~possible[0]).tolist() == [2, 3]

    def test_nobody_is_always_possible(self):
        assert self.made({"where": {"month": "2023-10"}, "history": {"a": 0, "b": 1}}).possible[:, 0].all()

    @pytest.mark.parametrize(
        ("zero", "said"),
        [
            ({"lists": ["b"]}, "9 people in 2023-11 are on a and b"),
            ({"where": {"month": "2023-12"}, "lists": ["b"]}, "unknown label in month '2023-12' .did you mean"),
            ({"where": {"mouth": "2023-10"}, "lists": ["b"]}, "unknown stratum column 'mouth' .did you mean month"),
            ({"lists": ["d"]}, "unknown list 'd'"),
            ({"history": {"d": 1}}, "unknown list 'd'"),
            ({"history": {"a": 0}}, "a history without a 1"),
            ({"where": {}}, "both or neither"),
        ],
    )
    def test_mistakes(self, zero, said):
        with pytest.raises(UserError, match=said) as caught:
            self.made(zero)
        assert "structural_zeros" in str(caught.value)

    def test_blank_people_need_a_stratum_that_may_hold_them(self):
        rows = tidy([*self.rows, (0, "", "010", 2)], ["month"])
        here = {"where": {"month": "2023-10"}, "history": {"a": 0, "b": 1, "c": 0}}
        made = tabulate(rows, LISTS, ["month"], [here])
        spread = spread_blanks(made)
        assert spread.counts[0, :, 2].tolist() == [0, 2]
        with pytest.raises(UserError, match="2 people in blank are on b"):
            tabulate(rows, LISTS, ["month"], [{"history": {"a": 0, "b": 1, "c": 0}}])


def test_without_a_list_those_on_it_alone_drop_out():
    left = without_list(of_counts([1, 2, 3, 4, 5, 6, 7]), "b")
    assert left.lists == ("a", "c")
    assert left.counts.tolist() == [[[0, 1 + 3, 4 + 6, 5 + 7]]]


def test_merged_lists_lose_nobody():
    merged = merge_lists(of_counts([1, 2, 3, 4, 5, 6, 7]), "a", "c")
    assert merged.lists == ("a + c", "b")
    assert merged.counts.tolist() == [[[0, 1 + 4 + 5, 2, 3 + 6 + 7]]]
    merged = merge_lists(of_counts([1, 2, 3, 4, 5, 6, 7]), "c", "a")
    assert merged.lists == ("b", "c + a")
    assert merged.counts.tolist() == [[[0, 2, 1 + 4 + 5, 3 + 6 + 7]]]


@given(histories(), st.data())
def test_lists_left_out_or_merged_cell_by_cell(made, data):
    first, second = data.draw(st.permutations(range(made.n_lists)))[:2]
    names = made.lists
    left, merged = without_list(made, names[first]), merge_lists(made, names[first], names[second])
    for cell in range(1, 2**made.n_lists):
        on = {name for j, name in enumerate(names) if cell >> j & 1}
        new = f"{names[first]} + {names[second]}"
        after = {new if name in (names[first], names[second]) else name for name in on}
        assert lists_of(merged, sum(1 << merged.lists.index(name) for name in after)) == " and ".join(
            name for name in merged.lists if name in after
        )
    alone = made.counts[..., 1 << first].sum() + made.blank[..., 1 << first].sum()
    assert left.counts.sum() + left.blank.sum() + alone == made.counts.sum() + made.blank.sum()
    assert merged.counts.sum() == made.counts.sum()
    assert merged.seen == made.seen
    for j, name in enumerate(left.lists):
        bit = names.index(name)
        assert left.counts[..., np.arange(len(left.possible[0])) >> j & 1 == 1].sum() == on_list(made, bit)


def on_list(made, bit) -> int:
    return made.counts[..., np.arange(2**made.n_lists) >> bit & 1 == 1].sum()


@given(histories(), st.data())
def test_people_on_a_list_keep_their_other_lists(made, data):
    bit = data.draw(st.integers(0, made.n_lists - 1))
    others, people = people_on(made, made.lists[bit])
    assert others.lists == tuple(name for j, name in enumerate(made.lists) if j != bit)
    on = [cell for cell in range(1 << made.n_lists) if cell >> bit & 1]
    assert people.tolist() == (made.counts[..., on].sum(axis=(1, 2)) + made.blank[..., on].sum(axis=(1, 2))).tolist()
    for cell in on:
        left = cell & ((1 << bit) - 1) | cell >> (bit + 1) << bit
        assert (others.counts[..., left] == (made.counts[..., cell] if left else 0)).all()
        assert (others.blank[..., left] == (made.blank[..., cell] if left else 0)).all()


def test_possible_stays_where_there_was_a_way():
    made = replace(of_counts([1, 2, 0, 4, 5, 6, 0]), possible=np.array([[True] * 3 + [False] + [True] * 3 + [False]]))
    assert merge_lists(made, "a", "b").possible.tolist() == [[True] * 4]
    assert without_list(made, "c").possible.tolist() == [[True, True, True, False]]
    gone = replace(of_counts([1, 0, 0, 4, 5, 0, 0]), possible=np.array([[True, True, False, False] * 2]))
    assert merge_lists(gone, "a", "c").possible.tolist() == [[True, True, False, False]]


def test_lists_that_cannot_be_left_out_or_merged():
    three, two = of_counts([1, 2, 3, 4, 5, 6, 7]), of_counts([1, 2, 3])
    with pytest.raises(UserError, match="unknown list 'd'"):
        without_list(three, "d")
    with pytest.raises(UserError, match="with itself"):
        merge_lists(three, "a", "a")
    for fails in (lambda: without_list(two, "a"), lambda: merge_lists(two, "a", "b")):
        with pytest.raises(UserError, match="only one list would remain"):
            fails()


def test_blanks_are_spread_by_largest_remainders():
    made = of_counts([[6, 3, 0], [3, 0, 0], [1, 0, 0]])
    blank, fits = np.array([[[0, 5, 4, 2]]]), np.array([[True, True, True]])
    spread = spread_blanks(replace(made, blank=blank, blank_strata=fits))
    added = spread.counts - made.counts
    # Cell 1 holds 6, 3, 1 of ten; cell 2 only people of the first; cell 3 nobody: then all cells count, 9, 3, 1.
    assert added[0].tolist() == [[0, 3, 4, 1], [0, 2, 0, 1], [0, 0, 0, 0]]
    assert spread.blank.shape == (1, 0, 4)
    assert spread.blank_strata.shape == (0, 3)


def test_blanks_go_somewhere_even_where_nobody_is():
    made = of_counts([[0, 0, 0], [0, 0, 0]])
    spread = spread_blanks(replace(made, blank=np.array([[[0, 3, 0, 0]]]), blank_strata=np.array([[True, True]])))
    assert spread.counts[0, :, 1].tolist() == [2, 1]


@given(histories())
def test_no_blank_is_lost_or_goes_where_it_cannot_belong(made):
    spread = spread_blanks(made)
    assert (spread.counts >= made.counts).all()
    assert (spread.counts.sum(axis=1) == made.counts.sum(axis=1) + made.blank.sum(axis=1)).all()
    allowed = (made.blank * 1.0).sum(axis=(0, 2)) @ made.blank_strata > 0
    assert not (spread.counts - made.counts)[:, ~allowed].any()


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ([9, 9, 9, 9, 9, 9, 9], None),
        ([9, 9, 9, 9, 0, 9, 0], None),
        ([9, 0, 0, 0, 0, 0, 0], "only one list found anyone: a"),
        ([9, 9, 9, 0, 0, 0, 0], "only two lists found anyone: a, b"),
        ([9, 9, 0, 9, 0, 0, 0], "nobody is on two lists"),
        ([9, 9, 9, 9, 0, 0, 0], "c shares nobody with another list"),
        ([0, 0, 0, 0, 0, 0, 0], "no list found anyone"),
        ([9, 9, 9], None),
        ([9, 9, 0], "nobody is on two lists"),
        ([9, 0, 0], "only one list found anyone: a"),
        ([9, 9, 9, 9, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0], "c, d share nobody with another list"),
    ],
)
def test_what_cannot_be_estimated_alone(counts, reason):
    enough = [9] * len(counts)
    made = of_counts([enough, counts], "abcd"[: (len(counts) + 1).bit_length() - 1])
    assert not_estimable_alone(made) == ({} if reason is None else {1: reason})


def test_one_table_in_which_it_cannot_be_estimated_is_enough():
    made = of_counts([9, 9, 9, 9, 9, 9, 9])
    worse = made.counts.copy()
    worse[..., 3:] = 0
    both = replace(made, counts=np.concatenate([made.counts, worse]), weights=np.array([0.5, 0.5]))
    assert not_estimable_alone(both) == {0: "only two lists found anyone: a, b (in table 2 of 2)"}


def test_large_numbers_stay_exact():
    table = pd.DataFrame({"a": [1, 0, 1], "b": [0, 1, 1], "s": ["x", "y", None], "n": [2**38 + 1, 2**38, 2**38 - 1]})
    made = tabulate(table_from_frame(table, ["a", "b"], ["s"], "n"), ["a", "b"], ["s"])
    assert made.seen == 3 * 2**38
    assert spread_blanks(made).seen == made.seen


def test_a_thousand_strata_in_ten_tables_take_no_time():
    cells = [f"{k:04b}" for k in range(1, 16)]
    rows = [(t, f"place {g}", cell, g + 1) for t in range(10) for g in range(1000) for cell in cells]
    frame = tidy(rows, ["place"])
    began = time.perf_counter()
    made = tabulate(frame, [*"abcd"], ["place"])
    not_estimable_alone(made)
    assert time.perf_counter() - began < 4
    assert made.counts.shape == (10, 1000, 16)
    assert made.stratum_names[:3] == ("place 0", "place 1", "place 2")
