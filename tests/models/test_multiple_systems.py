"""Which models a study of lists has, what is fitted again, and what cannot be fitted at all."""

import numpy as np
import pandas as pd
import pytest

from uncounted.errors import UserError
from uncounted.evidence.histories import table_from_frame, tabulate
from uncounted.models import models_of
from uncounted.models.multiple_systems import only_stratum, refits, refitting_model, refuse_without_answer

KIND = "multiple_systems_estimation"


def case(model, number):
    return {"kind": KIND, "model": model, "lists": [f"list {i}" for i in range(number)]}


def histories_of(counts, number):
    """Count people by stratum and cell; cells that are not named are empty."""
    lists = [f"list {i}" for i in range(number)]
    rows = [
        {"where": where, "count": people} | {name: int(digit) for name, digit in zip(lists, history, strict=True)}
        for where, cells in counts.items()
        for history, people in cells.items()
    ]
    return tabulate(table_from_frame(pd.DataFrame(rows), lists, ["where"], count="count"), lists, ["where"])


FOUR = {"1000": 30, "0100": 25, "0010": 20, "0001": 15, "1100": 9, "1010": 8, "0101": 7, "0011": 6, "1111": 2}


# Which models


def test_average_comes_first_and_then_what_it_is_made_of():
    assert models_of(case("average", 3)) == ["average", "loglinear", "latent_class", "decomposable"]
    assert models_of(case("average", 7)) == models_of(case("average", 3))


def test_many_lists_have_no_graphs_and_two_lists_nothing_to_average():
    assert models_of(case("average", 8)) == ["average", "loglinear", "latent_class"]
    assert models_of(case("average", 2)) == ["two_lists"]


def test_model_that_is_named_is_the_only_one():
    assert models_of(case("decomposable", 4)) == ["decomposable"]
    assert models_of({"kind": "evidence_synthesis", "model": "synthesis"}) == ["synthesis"]


@pytest.mark.parametrize(
    ("model", "number", "message", "expected"),
    [
        ("two_lists", 3, "the model two_lists is for 2 lists, and the case has 3", "average, loglinear"),
        ("loglinear", 2, "the model loglinear is for 3 to 10 lists, and the case has 2", "two_lists"),
        ("decomposable", 8, "the model decomposable is for 3 to 7 lists", "latent_class"),
        ("loglinaer", 4, "there is no model 'loglinaer' of lists", "loglinear"),
        ("synthesis", 4, "there is no model 'synthesis' of lists", "loglinear"),
    ],
)
def test_model_that_does_not_fit_the_lists_is_refused(model, number, message, expected):
    with pytest.raises(UserError, match=message) as error:
        models_of(case(model, number))
    assert expected in error.value.expected


# What is fitted again


def test_four_lists_are_refitted_without_each_and_with_each_pair_merged():
    others = refits(histories_of({"x": FOUR}, 4))
    assert [name for name in others if name.startswith("without")] == [f"without list {i}" for i in range(4)]
    merged = [name for name in others if name.endswith("merged")]
    assert len(merged) == 6
    assert merged[0] == "list 0 and list 1 merged"
    # Whoever was on the first list alone drops out, and nobody does where two lists become one.
    assert others["without list 0"].seen == sum(FOUR.values()) - 30
    assert others["list 0 and list 1 merged"].seen == sum(FOUR.values())
    assert {other.n_lists for other in others.values()} == {3}


def test_three_lists_are_left_with_two_and_two_lists_alone():
    three = histories_of({"x": {"100": 9, "010": 8, "001": 7, "110": 3, "011": 2}}, 3)
    others = refits(three)
    assert list(others) == ["without list 0", "without list 1", "without list 2"]
    assert refits(others["without list 0"]) == {}


def test_refits_are_by_the_log_linear_model_where_three_lists_are_left():
    average, four = models_of(case("average", 4)), histories_of({"x": FOUR}, 4)
    assert refitting_model(average, four) == "loglinear"
    assert refitting_model(["decomposable"], four) == "decomposable"
    assert refitting_model(average, refits(four)["without list 0"]) == "two_lists"


def test_one_stratum_is_a_study_of_its_own():
    both = histories_of({"x": FOUR, "y": {"1100": 12, "0011": 4}}, 4)
    one = only_stratum(both, 1)
    assert one.stratum_names == ("y",)
    assert one.seen == 16
    np.testing.assert_array_equal(one.counts[:, 0], both.counts[:, 1])
    assert one.possible.shape == (1, 16)


# What cannot be fitted


def test_lists_that_share_nobody_are_refused_with_the_reason():
    alone = histories_of({"x": {"100": 9, "010": 8, "001": 7}}, 3)
    with pytest.raises(UserError, match="cannot be estimated: nobody is on two lists") as error:
        refuse_without_answer(alone)
    assert error.value.where == "the lists list 0, list 1, list 2"


def test_list_without_overlap_is_named():
    with pytest.raises(UserError, match="list 2 shares nobody with another list"):
        refuse_without_answer(histories_of({"x": {"100": 9, "010": 8, "110": 5, "001": 7}}, 3))


def test_stratum_that_says_nothing_alone_does_not_stop_a_study_that_does():
    refuse_without_answer(histories_of({"x": FOUR, "y": {"1000": 12, "0010": 4}}, 4))
