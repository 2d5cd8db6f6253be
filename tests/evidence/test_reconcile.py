"""What is odd becomes a question; what cleaning itself loses is a bug."""

from types import SimpleNamespace

import pytest

from uncounted.evidence import reconcile

TOTALS = "published,closed_on,named,inmates,volunteers,mobilised,private_military_company,officers\n"
REGISTERED = "published,age,year,male,female,male_hiv,female_hiv\n"
ESTIMATES = "deaths_from,deaths_to,what,counts,point,low,high,published,by\n"


@pytest.mark.parametrize(
    ("reads", "table", "line", "column", "question", "check"),
    [
        (
            "named_totals",
            TOTALS + "2023-07-07,,27423,,,,,\n2023-09-15,,23164,,,,,\n",
            "3",
            "named",
            "falls: it was 27423 on 2023-07-07 (line 2)",
            reconcile.GROWTH,
        ),
        (
            "named_totals",
            TOTALS + "2023-07-07,,27423,,,,,33000\n",
            "2",
            "officers",
            "more than the whole list, 27423",
            reconcile.PARTS,
        ),
        (
            "named_totals",
            TOTALS + "2023-07-07,,27423,,,,,\n2022-09-15,,5000,,,,,\n",
            "3",
            "published",
            "earlier than the row above (2023-07-07)",
            reconcile.ORDER,
        ),
        (
            "named_totals",
            TOTALS + "2023-07-07,,27423,,,,,\n2032-09-15,,32164,,,,,\n",
            "3",
            "published",
            "more than a year after the row above",
            reconcile.ORDER,
        ),
        (
            "named_by_week",
            "week_start,named\n2023-04-06,1\n2023-04-20,2\n",
            "3",
            "week_start",
            "starts 14 days after the week of 2023-04-06",
            reconcile.WEEKS,
        ),
        (
            "named_by_week",
            "week_start,named\n2023-04-06,1\n2023-04-13,2\n",
            "3",
            "week_start",
            "a week in the future: the table was published on 2023-04-12",
            reconcile.PAST,
        ),
        (
            "named_by_week_and_branch",
            "week_start,total,rifle,mob\n2023-03-30,5,3,2\n2023-04-06,6,3,2\n",
            "3",
            "total",
            "the branches sum to 5",
            reconcile.BRANCHES,
        ),
        (
            "registered_deaths",
            REGISTERED + "".join(f"2023-01-10,{key},9,9,0,0\n" for key in ("20-24,2021", "20-24,2022", "25-29,2021")),
            "",
            "age",
            "no row, though other ages have this year",
            reconcile.GRID,
        ),
        (
            "published_estimates",
            ESTIMATES + "2022-02-24,2022-03-24,killed,killed,5,6,4,2022-04,M\n",
            "2",
            "point",
            "low, point and high are not in order: [6, 5, 4]",
            reconcile.RANGE,
        ),
    ],
)
def test_what_is_odd_is_asked_about_and_kept(small_case, reads, table, line, column, question, check):
    small_case.add("source", reads, table, published="2023-04-12", kept_for="later")
    small_case.clean()
    questions = small_case.findings("questions")
    asked = questions[questions["question"].str.startswith(question)]
    assert asked[["line", "column"]].to_numpy().tolist() == [[line, column]]
    row = small_case.findings("reconciliation").iloc[0]
    assert row["rows_kept"] == row["rows_in"]
    assert check in row["checks_questioned"]
    assert check not in row["checks_passed"]


def test_a_later_state_of_the_list_below_an_earlier_one(small_case):
    earlier = "week_start,named\n2022-02-24,544\n2022-03-03,614\n"
    later = "week_start,total,rifle\n2022-02-24,583,583\n2022-03-03,613,613\n"
    small_case.add("later", "named_by_week_and_branch", later, "b.csv", published="2025-04-25", kept_for="x")
    small_case.add("earlier", "named_by_week", earlier, "a.csv", published="2023-11-17", kept_for="x")
    small_case.clean()
    (asked,) = small_case.findings("questions").to_dict("records")
    assert asked == {
        "file": "b.csv",
        "line": "3",
        "column": "total",
        "value": "613",
        "question": "fewer than the 614 of an earlier state of the list (a.csv)",
    }


def test_a_table_with_more_people_than_the_list(small_case):
    small_case.add("list", "named_totals", TOTALS + "2023-04-12,,20253,,,,,\n2023-05-05,,22055,,,,,\n", "list.csv")
    ages = "age,rifle\n20-24,20253\n<20,1\n"
    small_case.add("ages", "named_by_age_and_service", ages, "ages.csv", published="2023-04-12", kept_for="x")
    small_case.clean()
    (asked,) = small_case.findings("questions").to_dict("records")
    assert asked["file"] == "ages.csv"
    assert asked["value"] == "20254"
    assert asked["question"] == "more people than the list has on 2023-04-12: 20253"


def test_people_of_a_week_in_the_future_are_not_lost(weeks):
    case = weeks("week_start,named\n2023-11-16,4\n2023-11-23,3\n")
    table = case.evidence("named_by_week")
    assert table[["month", "named"]].to_numpy().tolist() == [["2023-11", 7]]
    assert str(table["last_day"].max().date()) == "2023-11-17"


def test_a_lost_row_is_a_bug():
    table = SimpleNamespace(file="a.csv", rows_in=3, rows=[1], refused=[2])
    with pytest.raises(reconcile.LostError, match=r"a\.csv: 3 rows in, 2 kept or refused"):
        reconcile.balance_rows(table)


@pytest.mark.parametrize("after", [{"all": 9}, {"all": 11}, {}, {"all": 10, "mobilised": 1}])
def test_a_lost_or_invented_person_is_a_bug(after):
    with pytest.raises(reconcile.LostError, match=r"a\.csv"):
        reconcile.balance_people("a.csv", {"all": 10}, after)
