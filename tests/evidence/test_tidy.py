"""From a data frame to the tidy table: what can be read is counted once, and each mistake gets one message."""

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandera.errors import SchemaError

from uncounted.errors import UserError
from uncounted.evidence.tidy import (
    MOST_PEOPLE,
    RESERVED,
    histories_schema,
    in_natural_order,
    join_tables,
    table_from_frame,
    tidy_table,
)

LISTS = ["a", "b", "c"]


def frame(**columns) -> pd.DataFrame:
    """Four histories of three lists."""
    histories = {"a": [1, 0, 1, 0], "b": [0, 1, 1, 0], "c": [0, 0, 1, 1], "n": [5, 6, 7, 8]}
    return pd.DataFrame(histories | columns)


def message(given_frame, *args, **options) -> str:
    with pytest.raises(UserError) as caught:
        table_from_frame(given_frame, *(args or (LISTS, (), "n")), **options)
    return str(caught.value)


def test_counts_of_histories():
    tidy = table_from_frame(frame(), LISTS, count="n")
    assert tidy.columns.tolist() == ["table", "weight", "history", "count"]
    assert tidy["history"].tolist() == ["001", "010", "100", "111"]
    assert tidy["count"].tolist() == [8, 6, 5, 7]
    assert tidy["weight"].tolist() == [1.0] * 4
    histories_schema(LISTS).validate(tidy)


def test_one_row_a_person():
    people = frame().loc[np.repeat(np.arange(4), frame()["n"])].sample(frac=1, random_state=1)
    people = people.drop(columns="n")
    pd.testing.assert_frame_equal(table_from_frame(people, LISTS), table_from_frame(frame(), LISTS, count="n"))


@pytest.mark.parametrize(
    "values",
    [
        [True, False, True, False],
        [1.0, 0.0, 1.0, 0.0],
        ["1", "0", " 1", "0 "],
        pd.array([1, 0, 1, 0], dtype="Int64"),
        pd.Categorical(["1", "0", "1", "0"]),
    ],
)
def test_zeros_and_ones_of_any_type(values):
    tidy = table_from_frame(frame(a=values), LISTS, count="n")
    pd.testing.assert_frame_equal(tidy, table_from_frame(frame(), LISTS, count="n"))


@pytest.mark.parametrize("values", [[5.0, 6.0, 7.0, 8.0], ["5", "6", "7", "8"], pd.array([5, 6, 7, 8], dtype="Int64")])
def test_counts_of_any_type(values):
    assert table_from_frame(frame(n=values), LISTS, count="n")["count"].tolist() == [8, 6, 5, 7]


def test_labels_of_any_type_become_text_and_blanks_stay_blank():
    labels = [2023.0, np.nan, " north ", pd.Timestamp("2023-10-01")]
    tidy = table_from_frame(frame(where=pd.Series(labels, dtype=object)), LISTS, ["where"], "n")
    assert dict(zip(tidy["where"], tidy["count"], strict=True)) == {"2023": 5, "": 6, "north": 7, "2023-10-01": 8}
    for blank in (None, pd.NA, "", "  ", float("nan")):
        tidy = table_from_frame(frame(where=["x", "x", "x", blank]), LISTS, ["where"], "n")
        assert tidy["where"].tolist() == ["", "x", "x", "x"]


def test_strange_names_and_labels_are_kept():
    names = ['<b>"мемориал"</b>', "two\nlines", "it's, a; list"]
    label = '<script>alert("x")</script>\n"; DROP, Хан Юнис'
    table = frame(**{"район": [label, "b", "b", "b"]}).rename(columns=dict(zip(LISTS, names, strict=True)))
    tidy = table_from_frame(table, names, ["район"], "n")
    assert set(tidy["район"]) == {label, "b"}
    assert tidy["count"].sum() == 26


def test_empty_histories_drop_out_when_nobody_has_them():
    tidy = table_from_frame(frame(n=[5, 6, 0, 8]), LISTS, count="n")
    assert tidy["history"].tolist() == ["001", "010", "100"]
    unseen = pd.concat([frame(), pd.DataFrame({"a": [0], "b": [0], "c": [0], "n": [0]})])
    assert len(table_from_frame(unseen, LISTS, count="n")) == 4


@pytest.mark.parametrize("name", ["n", "Count", "number", "dead", 7])
@pytest.mark.parametrize("values", [[5, 6, 7, 8], ["5", "6", "1,007", ""], [5.0, None, 7.0, 1.0]])
def test_counts_that_nobody_asked_to_read(name, values):
    table = frame(n=values).rename(columns={"n": name})
    assert f"column {str(name)!r} is not read" in message(table, LISTS)
    both = pd.concat([table.assign(t=1), table.assign(t=2)])
    assert "table 1: column" in message(both, LISTS, table="t")


def test_columns_of_fractions_or_text_are_not_taken_for_counts():
    ten = pd.concat([frame().drop(columns="n").assign(part=number, share=0.5, what="x") for number in range(3)])
    assert table_from_frame(ten, LISTS, ["part"])["count"].sum() == 12


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"n": [5, 6, -7, 8]}, ["row 2, column n", "-7 is negative", "a whole number of people"]),
        ({"n": [5, 6.5, 7, 8]}, ["row 1, column n", "6.5 is no whole number"]),
        ({"n": [5, None, 7, 8]}, ["row 1, column n", "missing"]),
        ({"n": ["5", "many", "7", "8"]}, ["row 1, column n", "'many' is no count"]),
        ({"n": [5, 6, 7, np.inf]}, ["row 3, column n", "more people than can be counted"]),
        ({"n": [5, 6, 7, 10**30]}, ["row 3, column n", "more people than can be counted"]),
        ({"n": [MOST_PEOPLE, MOST_PEOPLE, 7, 8]}, ["more people than can be counted"]),
        ({"n": [True, False, True, True]}, ["row 0, column n", "True is no count"]),
        ({"n": [5, 6, 7 + 1j, 8]}, ["row 0, column n", "is no count"]),
        ({"n": pd.to_timedelta([5, 6, 7, 8], unit="s")}, ["row 0, column n", "is no count"]),
        ({"n": pd.to_datetime(["2024-01-01"] * 4)}, ["row 0, column n", "is no count"]),
        ({"a": [1, 0, [1], 0]}, ["row 2, column a", "[1] is neither 0 nor 1"]),
        ({"n": [1, 2, 3, 3]}, ["9 people in all", "at least 10"]),
        ({"n": [0, 0, 0, 0]}, ["0 people in all", "at least 10"]),
        ({"a": [2, 0, 1, 0]}, ["row 0, column a", "2 is neither 0 nor 1"]),
        ({"a": [1, 0, None, None]}, ["row 2, column a", "an empty cell", "1 more after it"]),
        ({"a": ["yes", "0", "1", "0"]}, ["row 0, column a", "'yes' is neither 0 nor 1"]),
        ({"c": [0, 0, 1, 0]}, ["row 3", "people on no list"]),
        ({"b": [0, 1, 1, 0], "a": [1, 0, 1, 0], "c": [0, 0, 0, 1], "n": [5, 6, 0, 8]}, None),
        ({"a": [0, 0, 0, 0], "b": [1, 1, 1, 0], "c": [0, 1, 0, 1]}, ["row 2", "the same history in the same stratum"]),
        ({"a": [0, 0, 0, 0], "b": [1, 1, 0, 0], "c": [0, 1, 1, 1], "n": [5, 6, 7, 0]}, ["row 3", "the same history"]),
        ({"a": [0] * 4, "b": [1, 1, 0, 0], "c": [0, 1, 1, 1], "s": [*"xxxy"]}, ["'a' holds nobody", "column a"]),
        ({"a": [1] * 4, "b": [0, 1, 1, 0], "c": [0, 0, 1, 1]}, ["'a' holds everybody", "column a"]),
    ],
)
def test_bad_rows(columns, said):
    strata = ["s"] if "s" in columns else []
    if said is None:
        assert len(table_from_frame(frame(**columns), LISTS, strata, "n")) == 3
        return
    text = message(frame(**columns), LISTS, strata, "n")
    for words in said:
        assert words in text


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((["a"], (), "n"), ["1 list", "2 to 10 lists"]),
        (([], (), "n"), ["0 lists", "2 to 10 lists"]),
        (([f"list {i}" for i in range(11)], (), "n"), ["11 lists", "2 to 10 lists", "merge"]),
        (("abc", (), "n"), ["lists is 'abc'", "a list of names"]),
        ((["a", ""], (), "n"), ["a list of names"]),
        ((None, (), "n"), ["lists is None", "a list of names"]),
        ((LISTS, 3, "n"), ["strata is 3", "a list of names"]),
        ((["a", "b", "a"], (), "n"), ["'a' is named twice"]),
        ((LISTS, ["a"], "n"), ["'a' is named twice"]),
        ((LISTS, ["n"], "n"), ["'n' is named twice"]),
        ((["a", "b", "C"], (), "n"), ["unknown list 'C'", "one of a, b, c, n"]),
        ((LISTS, ["sexx"], "n"), ["unknown stratum column 'sexx'", "did you mean sex?"]),
        ((LISTS, ["sex"], "m"), ["unknown count column 'm'"]),
        ((LISTS, ["level"], "n"), ["'level'", "another name"]),
    ],
)
def test_bad_names(args, said):
    text = message(frame(sex=["m", "f", "m", "f"], level=1), *args)
    for words in said:
        assert words in text


def test_columns_without_names_that_are_text():
    levels = frame()
    levels.columns = pd.MultiIndex.from_product([["x"], levels.columns])
    assert "names of 2 levels" in message(levels, LISTS, count="n")
    assert "no column has a name that is text; the first is 0" in message(pd.DataFrame(np.eye(3)), LISTS)
    assert "the table is empty" in message(pd.DataFrame(), LISTS)
    assert "the table is empty" in message([frame(), pd.DataFrame()], LISTS, count="n")


def test_counts_in_the_index_are_not_overlooked():
    assert "the index 'count' is not read" in message(frame().rename(columns={"n": "count"}).set_index("count"), LISTS)


def test_names_in_no_order_are_refused_and_those_given_once_are_kept():
    assert "a list of names" in message(frame(), set(LISTS), count="n")
    once = table_from_frame(frame(), (name for name in LISTS), iter(()), "n")
    pd.testing.assert_frame_equal(once, table_from_frame(frame(), LISTS, count="n"))


def test_a_column_that_stands_twice():
    table = frame()
    table.columns = ["a", "b", "c", "a"]
    assert "'a' stands twice" in message(table, LISTS)


@pytest.mark.parametrize("weights", [3, [1e300, 1e-300], [10**401, 1], [1e308, 1e308]])
def test_weights_that_cannot_be_summed(weights):
    with pytest.raises(UserError, match="weight"):
        table_from_frame([frame(), frame()], LISTS, count="n", weights=weights)


def test_what_is_no_label_and_what_is_no_table():
    odd = frame(sex=["m", ["f"], "m", "f"])
    assert "the table, row 1, column sex" in message(odd, LISTS, ["sex"], "n")
    assert "these are no tables" in message(None, LISTS)


def test_labels_of_thousands_of_digits_have_an_order():
    assert in_natural_order(["9" * 5000, "10", "9", "a"]) == ["9", "10", "9" * 5000, "a"]


def test_no_strata_are_none():
    pd.testing.assert_frame_equal(
        table_from_frame(frame(), LISTS, None, "n"), table_from_frame(frame(), LISTS, (), "n")
    )


def test_reserved_names_are_those_of_the_tables():
    assert {"table", "weight", "history", "count"} <= set(RESERVED)


def test_several_tables_have_weights_that_sum_to_one():
    tidy = table_from_frame([frame(), frame(n=[6, 5, 7, 8])], LISTS, count="n", weights=[1, 3])
    assert tidy.groupby("table")["weight"].first().tolist() == [0.25, 0.75]
    long = pd.concat([frame(t=10, w=3), frame(t=9, w=1, n=[6, 5, 7, 8])])
    tidy = table_from_frame(long, LISTS, count="n", table="t", weights="w")
    assert tidy.groupby("table")["weight"].first().tolist() == [0.25, 0.75]  # table 9 comes before table 10
    assert tidy.loc[tidy["table"] == 0, "count"].tolist() == [8, 5, 6, 7]


@pytest.mark.parametrize("weight", [0, -1, np.nan, np.inf, "1", True, None])
def test_weights_not_positive(weight):
    assert "a number above 0" in message([frame(), frame()], LISTS, (), "n", weights=[1, weight])


def test_bad_tables():
    assert "3 weights for 2 tables" in message([frame(), frame()], LISTS, (), "n", weights=[1, 1, 1])
    assert "2 different weights" in message(frame(w=[1, 1, 2, 2]), LISTS, (), "n", weights="w")
    assert "belongs to no table" in message(frame(t=[1, 1, 2, None]), LISTS, (), "n", table="t")
    assert "a list of data frames" in message([], LISTS, (), "n")
    assert "table 2: unknown list 'c'" in message([frame(), frame().drop(columns="c")], LISTS, (), "n")


def test_tables_hold_the_same_strata():
    first = frame(sex=["m", "f", "m", "f"])
    text = message([first, frame(sex=["M", "f", "M", "f"])], LISTS, ["sex"], "n")
    assert "table 1, column sex" in text
    assert "nobody has sex 'M' here; 12 people have it in table 2" in text
    # Few people may fall into another stratum where it was imputed; many are a matter of spelling.
    few = frame(sex=["m", "f", "m", "x"], n=[5, 6, 7, 3])
    assert set(table_from_frame([first, few], LISTS, ["sex"], "n")["sex"]) == {"f", "m", "x"}


def test_joined_tables_keep_what_they_hold():
    parts = [tidy_table(frame(), LISTS, count="n"), tidy_table(frame(n=[9, 1, 1, 1]), LISTS, count="n")]
    joined = join_tables(parts, ["one", "two"], [1, 1])
    assert joined.groupby("table")["count"].sum().tolist() == [26, 12]
    assert "table" not in parts[0]


@pytest.mark.parametrize(
    ("labels", "ordered"),
    [
        (["15-29", "0-14", "60+", "5-9"], ["0-14", "5-9", "15-29", "60+"]),
        (["2024-01", "2023-12", "2023-02"], ["2023-02", "2023-12", "2024-01"]),
        (["Jan 2024", "Oct 2023", "", "April 2024"], ["", "Oct 2023", "Jan 2024", "April 2024"]),
        (["18+", "<18", "under 5"], ["<18", "under 5", "18+"]),
        (["b", "A", "б", "а"], ["A", "b", "а", "б"]),
        (["district 10", "district 9"], ["district 9", "district 10"]),
    ],
)
def test_natural_order(labels, ordered):
    assert in_natural_order(labels) == ordered


@given(st.lists(st.text(max_size=8), unique=True))
def test_natural_order_takes_any_labels_in_any_order(labels):
    ordered = in_natural_order(labels)
    assert sorted(ordered) == sorted(labels)
    assert in_natural_order(reversed(labels)) == ordered


@pytest.mark.parametrize(
    "wrong",
    [{"history": "000"}, {"history": "1"}, {"count": 0}, {"weight": 0.4}, {"table": -1}, {"history": "012"}],
)
def test_the_schema_refuses(wrong):
    tidy = table_from_frame(frame(), LISTS, count="n")
    name, value = next(iter(wrong.items()))
    tidy.loc[0, name] = value
    with pytest.raises(SchemaError, match=name if name != "weight" else "do not sum to 1"):
        histories_schema(LISTS).validate(tidy)


def test_the_schema_refuses_a_history_that_stands_twice():
    tidy = table_from_frame(frame(), LISTS, count="n")
    with pytest.raises(SchemaError, match="not unique"):
        histories_schema(LISTS).validate(pd.concat([tidy, tidy], ignore_index=True))


def test_many_strata_and_tables_take_no_time():
    cells = pd.DataFrame([[k >> j & 1 for j in range(4)] for k in range(1, 16)], columns=[*"abcd"])
    many = pd.concat([cells.assign(place=f"place {g}", n=g + 1) for g in range(1000)], ignore_index=True)
    long = pd.concat([many.assign(t=t) for t in range(10)], ignore_index=True)
    began = time.perf_counter()
    tidy = table_from_frame(long, [*"abcd"], ["place"], "n", table="t")
    assert len(tidy) == 150_000
    assert time.perf_counter() - began < 5
