"""Each bad input gives one message that says what is wrong, where, and what was expected."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncounted.errors import UserError
from uncounted.evidence.clean import clean_case
from uncounted.evidence.readings import READINGS

TOTALS = "published,closed_on,named,inmates,volunteers,mobilised,private_military_company,officers"
WEEKS = "week_start,named\n2022-02-24,544\n2022-03-03,614\n"


def message(error) -> str:
    """What the person reads; it must be short, and no traceback."""
    text = str(error.value)
    assert "Traceback" not in text
    assert len(text.splitlines()) <= 8
    return text


def test_a_message_says_what_where_and_what_to_do():
    error = UserError("it is wrong", where="a.csv, line 2", expected="right", do="correct it")
    assert str(error) == "a.csv, line 2: it is wrong\n  expected: right\n  what to do: correct it"
    assert str(UserError("it is wrong")) == "it is wrong"


def test_a_missing_table(small_case, weeks):
    small_case.config["sources"]["other"] = {
        "table": "nowhere.csv",
        "reads": "named_by_region",
        "published": "2024-01-15",
        "kept_for": "later",
    }
    with pytest.raises(UserError) as error:
        weeks(WEEKS)
    assert "nowhere.csv: the table is missing" in message(error)


def test_a_folder_where_a_table_should_be(small_case):
    small_case.add("named_by_week", "named_by_week", WEEKS, published="2023-11-17", used_until="2024-04-19")
    (small_case.data / "table.csv").unlink()
    (small_case.data / "table.csv").mkdir()
    with pytest.raises(UserError) as error:
        small_case.clean()
    assert "cannot be opened" in message(error)


@pytest.mark.parametrize("content", ["", "\n \r\n", "\ufeff"])
def test_an_empty_table(weeks, content):
    with pytest.raises(UserError) as error:
        weeks(content)
    assert "table.csv: the table is empty" in message(error)


@pytest.mark.parametrize("content", ["week_start,named\n", "week_start,named\n,\n\n"])
def test_a_table_without_rows(weeks, content):
    with pytest.raises(UserError) as error:
        weeks(content)
    assert "no rows" in message(error)


def test_a_missing_column(weeks):
    with pytest.raises(UserError) as error:
        weeks("week_start;people\n2022-02-24;544\n")
    text = message(error)
    assert "table.csv, line 1: column named is missing; the heading has week_start, people" in text
    assert "expected: columns week_start, named" in text


def test_a_column_that_stands_twice(weeks):
    with pytest.raises(UserError) as error:
        weeks("week_start,named,Named\n2022-02-24,544,544\n")
    assert "column 'named' stands twice" in message(error)


@pytest.mark.parametrize(
    "content",
    [
        b"\x98\xff\x00\x01",
        WEEKS.encode("utf-16"),
        WEEKS.encode("utf-16-le"),
        "неделя,named\n2022-02-24,544\n".encode("cp1251"),
    ],
    ids=["no text", "UTF-16", "UTF-16 without its mark", "Windows-1251 with a heading that is not listed"],
)
def test_bytes_that_are_no_text(weeks, content):
    with pytest.raises(UserError) as error:
        weeks(content)
    text = message(error)
    assert "no text that can be read" in text
    assert "UTF-8" in text
    assert text.isprintable() or "\n" in text


def test_one_bad_byte_in_a_table_of_utf_8(weeks):
    table = (WEEKS.replace("named", "named,\u0433\u043e\u0440\u043e\u0434") + "2022-03-10,5,").encode()
    with pytest.raises(UserError) as error:
        weeks(table.replace(b"544", b"544,\xd0\xb0\xff").replace(b"614", b"614,"))
    text = message(error)
    assert "table.csv, line 2: the byte 0xFF is no UTF-8, as all else in the table is" in text


def test_a_column_of_a_layout_is_no_branch(small_case):
    small_case.config["kinds_of_service"]["Total"] = "professional"
    table = "week_start,total,rifle\n2022-03-03,5,5\n"
    small_case.add("by_branch", "named_by_week_and_branch", table, published="2023-11-17", kept_for="back_test")
    with pytest.raises(UserError) as error:
        small_case.clean()
    assert "'Total' is no branch: it is a column of its own" in message(error)


def test_a_row_of_a_table_that_two_sources_read_counts_once(small_case):
    table = (
        "published,cohort,recruited_from,recruited_to,recruited,died,died_by,half_of_deaths_within_days,sample,source\n"
        "2024-04-17,a,2022-07-01,2023-02-01,100,10,2023-08-01,30,10,x\n"
        "2024-04-17,b,2022-07-01,2023-02-01,-1,10,2023-08-01,30,10,x\n"
    )
    for reads in ("prisoners", "ledger"):
        small_case.add(reads, reads, table, used_until="2024-06-10")
    with pytest.raises(UserError) as error:
        small_case.clean()
    assert "there are 1" in message(error)
    small_case.config["refused_rows_allowed"] = 1
    small_case.clean()
    assert len(small_case.findings("refused")) == 1


@pytest.mark.parametrize(
    ("row", "place", "reason"),
    [
        ("2022-03-10,-5", "line 4, column named", "'-5' is refused: negative"),
        ("2022-03-10,4.5", "line 4, column named", "'4.5' is refused: fractional"),
        ("2022-03-10,many", "line 4, column named", "'many' is refused: no count"),
        ("2022-03-10,99999999999999999999", "line 4, column named", "larger than any count"),
        ("2021-03-10,5", "line 4, column week_start", "before the war: expected 2022-02-24 or later"),
        ("2032-03-10,5", "line 4, column week_start", "after the table was published"),
        ("10/03/2022,5", "line 4, column week_start", "no day: expected a day such as 2022-02-24"),
        ("2022-02-30,5", "line 4, column week_start", "no such day in the calendar"),
        (",5", "line 4, column week_start", "'' is refused: empty"),
        ("3 Mar 2022,615", "line 4, column week_start", "the same week_start as in line 3"),
        ("2022-03-10,5,5", "line 4", "3 cells where the heading has 2"),
        ("2022-03-10", "line 4", "1 cells where the heading has 2"),
    ],
)
def test_a_row_that_cannot_be_read_or_be_true(weeks, small_case, row, place, reason):
    with pytest.raises(UserError) as error:
        weeks(f"{WEEKS}{row}\n")
    text = message(error)
    assert f"table.csv, {place}: " in text
    assert reason in text
    assert "at most 0 refused rows" in text
    refused = small_case.findings("refused")
    assert refused[["file", "line"]].to_numpy().tolist() == [["table.csv", "4"]]
    assert str(small_case.out / "refused.csv") in text


@pytest.mark.parametrize(
    ("reads", "row", "said"),
    [
        ("coverage_checks", "2023-09-15,graves,0,0.5,x", "line 2, column low: '0' is refused: none or all"),
        ("coverage_checks", "2023-09-15,graves,0.5,1,x", "line 2, column high: '1' is refused: none or all"),
        ("registered_deaths", "2023-01-10,20-24,2021,9,9,10,0", "column male_hiv: '10' is refused: no deaths left"),
        ("registered_deaths", "2023-01-10,20-24,2021,9,4,0,4", "column female_hiv: '4' is refused: no deaths left"),
        ("registered_deaths", "2023-01-10,20-24,2021,0,9,0,0", "expected fewer than of all causes, 0"),
    ],
)
def test_a_row_that_no_model_could_use(small_case, reads, row, said):
    columns = [column.name for column in READINGS[reads].layout.columns]
    small_case.add("source", reads, f"{','.join(columns)}\n{row}\n", kept_for="later")
    with pytest.raises(UserError) as error:
        small_case.clean()
    assert said in message(error)


def test_refused_rows_may_be_allowed(weeks):
    case = weeks(f"{WEEKS}2022-03-10,-5\n2022-03-17,1.5\n", refused_rows_allowed=2)
    assert case.findings("refused")["line"].tolist() == ["4", "5"]
    row = case.findings("reconciliation").iloc[0]
    assert (row["rows_in"], row["rows_kept"], row["rows_refused"]) == ("4", "2", "2")
    assert (row["people_in"], row["people_out"]) == ("1158", "1158")


def test_the_first_of_many_refused_rows_is_named(weeks):
    rows = "".join(f"2022-03-{day},x\n" for day in range(10, 20))
    with pytest.raises(UserError) as error:
        weeks(WEEKS + rows)
    text = message(error)
    assert text.startswith(f"{error.value.where}: 'x' is refused")
    assert "line 4" in error.value.where
    assert "and 5 more" in text


def test_text_of_a_cell_does_not_flood_the_message(weeks):
    with pytest.raises(UserError) as error:
        weeks(WEEKS + '2022-03-10,"<b>\n' + "long " * 500 + '</b>"\n')
    assert len(message(error)) < 700


def test_quotes_that_do_not_close(weeks):
    with pytest.raises(UserError) as error:
        weeks(WEEKS + '2022-03-10,"5\n2022-03-17,6\n')
    assert "table.csv, line 4: the row cannot be taken apart" in message(error)


def branches(small_case, content):
    small_case.add("by_branch", "named_by_week_and_branch", content, published="2025-04-25", kept_for="back_test")
    small_case.clean()


def test_a_branch_that_the_config_does_not_know(small_case):
    with pytest.raises(UserError) as error:
        branches(small_case, "week_start,total,rifle,cavalry\n2022-02-24,5,3,2\n")
    text = message(error)
    assert "column cavalry: branch 'cavalry' has no kind of service" in text
    assert "kinds_of_service" in text


def test_a_table_by_branch_without_branches(small_case):
    with pytest.raises(UserError) as error:
        branches(small_case, "week_start,total\n2022-02-24,5\n")
    assert "no column counts a branch" in message(error)


def test_a_kind_of_service_called_all(small_case, weeks):
    with pytest.raises(UserError) as error:
        weeks(WEEKS, kinds_of_service={"rifle": "all"})
    assert "kinds_of_service" in message(error)


def test_a_service_that_the_config_does_not_know(small_case):
    table = "service,0,1,2,3,4,5,6\ncavalry,1,2,3,4,5,6,7\n"
    small_case.add("by_sources", "named_by_number_of_sources", table, published="2023-04-12", kept_for="later")
    with pytest.raises(UserError) as error:
        small_case.clean()
    assert "line 2, column service: 'cavalry' is refused: no kind of service" in message(error)


def test_nothing_published_by_the_day(small_case):
    small_case.add("weekly", "named_by_week", WEEKS, published="2023-11-17", used_until="2023-11-16")
    with pytest.raises(UserError) as error:
        small_case.clean()
    text = message(error)
    assert "sources.weekly.used_until" in text
    assert "expected: 2023-11-17 or later" in text


def test_the_day_of_publication_is_missing(small_case):
    small_case.add("weekly", "named_by_week", WEEKS, used_until="2023-11-16")
    with pytest.raises(UserError) as error:
        small_case.clean()
    assert "sources.weekly in the case's config: the day of publication is missing" in message(error)


def test_an_unknown_kind_of_table(small_case):
    small_case.add("weekly", "by_weak", WEEKS, published="2023-11-17", used_until="2023-11-16")
    with pytest.raises(UserError) as error:
        small_case.clean()
    text = message(error)
    assert "sources.weekly.reads" in text
    assert "named_by_week" in text


def test_a_day_of_the_config_that_is_none(weeks):
    with pytest.raises(UserError) as error:
        weeks(WEEKS, war={"from": "soon"})
    assert "war.from in the case's config: 'soon' is no day" in message(error)


HEADINGS = {
    "named_totals": TOTALS,
    "named_in_period": "published,closed_on,died_from,died_to,more_than,source",
    "registered_deaths": "published,age,year,male,female,male_hiv,female_hiv",
    "coverage_checks": "published,what,low,high,source",
    "named_by_month_confirmed_and_service": "month_confirmed,rifle",
    "published_estimates": "deaths_from,deaths_to,what,counts,point,low,high,published,by",
    "prisoners": "published,cohort,recruited_from,recruited_to,recruited,died,died_by,"
    "half_of_deaths_within_days,sample,source",
    "prisoner_times": "cohort,recruited,died",
}
HEADINGS["ledger"] = HEADINGS["prisoners"]


@pytest.mark.parametrize(
    ("reads", "rows", "reason"),
    [
        (
            "named_totals",
            ["2021-07-08,,4515,,,,,"],
            "line 2, column published: '2021-07-08' is refused: before the war",
        ),
        ("named_totals", ["2022-07-08,2022-07-09,4515,,,,,"], "closed after it was published"),
        ("named_totals", ["2022-07-08,,,,,,,"], "column named: '' is refused: empty"),
        (
            "named_totals",
            ["2022-07-08,,4515,,,,,", "08.07.2022,,4516,,,,,"],
            "line 3, column published: '08.07.2022' is refused: the same published as in line 2",
        ),
        (
            "named_in_period",
            ["2024-04-17,2024-04-07,2023-02-24,2024-04-08,27300,M"],
            "column died_to: '2024-04-08' is refused: after the list was closed",
        ),
        ("named_in_period", ["2024-04-17,2024-04-07,2023-02-24,2023-02-23,9,M"], "before its first day"),
        (
            "registered_deaths",
            ["2023-07-10,35-39,2024,1,1,0,0"],
            "column year: '2024' is refused: after the figure was published",
        ),
        ("registered_deaths", ["2023-07-10,35-93,2022,1,1,0,0"], "no age band"),
        ("registered_deaths", ["2023-07-10,35-39,2022,1,1,0,0"] * 2, "the same age, year as in line 2"),
        ("coverage_checks", ["2023-09-15,graves,0.6,0.5,BBC"], "above the high value, 0.5"),
        ("coverage_checks", ["2023-09-15,graves,45,55,BBC"], "no share"),
        ("coverage_checks", ["2023-09-15,,0.45,0.55,BBC"], "column what: '' is refused: empty"),
        (
            "named_by_month_confirmed_and_service",
            ["2022-01,5"],
            "before the war: expected 2022-02 or later",
        ),
        (
            "named_by_month_confirmed_and_service",
            ["2023-05,5"],
            "after the table was published: expected 2023-04 or earlier",
        ),
        (
            "published_estimates",
            ["2022-02-24,2023-05-27,killed,wounded,47000,,,2023-07-10,M"],
            "column counts: 'wounded' is refused",
        ),
        ("published_estimates", ["2022-02-24,2023-05-27,killed,killed,,,,2023-07-10,M"], "no number"),
        (
            "published_estimates",
            ["2022-02-24,2023-07-11,killed,killed,5,,,2023-07-10,M"],
            "after the estimate was published",
        ),
        (
            "prisoners",
            ["2024-06-10,wagner,2022-07-01,2023-02-07,48366,17175,2024-08-31,91,1000,M"],
            "column died_by: '2024-08-31' is refused: after the table was published",
        ),
        (
            "ledger",
            ["2024-06-10,wagner,2022-07-01,2023-02-07,48366,48367,2023-08-31,91,1000,M"],
            "column died: '48367' is refused: more than were recruited, 48366",
        ),
        (
            "ledger",
            ["2024-06-10,wagner,2022-07-01,2022-06-30,48366,17175,2023-08-31,91,1000,M"],
            "column recruited_to: '2022-06-30' is refused: before its first day",
        ),
        (
            "ledger",
            ["2024-06-10,wagner,2022-07-01,2023-02-07,48366,17175,2023-08-31,0,1000,M"],
            "column half_of_deaths_within_days: '0' is refused: nobody dies at once",
        ),
        (
            "prisoners",
            ["2024-06-10,wagner,2022-07-01,2023-02-07,48366,17175,2022-06-30,91,1000,M"],
            "column died_by: '2022-06-30' is refused: before anybody was recruited",
        ),
        (
            "prisoners",
            ["2024-06-10,wagner,2022-07-01,2023-02-07,100,101,2023-08-31,91,1000,M"],
            "column died: '101' is refused: more than were recruited, 100",
        ),
        (
            "prisoners",
            ["2024-06-10,wagner,2022-07-01,2023-02-07,48366,17175,2023-08-31,91,,M"],
            "column sample: '' is refused: half of the dead within so many days, without the number of dead",
        ),
        (
            "prisoner_times",
            ["wagner,2023-02-07,2023-02-06"],
            "column died: '2023-02-06' is refused: before recruitment",
        ),
        ("prisoner_times", ["wagner,2023-02,2023-01"], "before recruitment: expected 2023-02-01 or later"),
        ("prisoner_times", ["wagner,2021-02-07,"], "column recruited: '2021-02-07' is refused: before the war"),
        ("prisoner_times", ["wagner,,2023-05"], "column died: '2023-05' is refused: after the table was published"),
    ],
)
def test_what_cannot_be_true_in_other_tables(small_case, reads, rows, reason):
    table = "\n".join((HEADINGS[reads], *rows))
    small_case.add("source", reads, table, published="2023-04-12", kept_for="later")
    with pytest.raises(UserError) as error:
        small_case.clean()
    assert reason in message(error)


def test_bad_input_leaves_earlier_evidence_as_it_was(small_case, weeks):
    weeks(WEEKS)
    before = (small_case.out / "named_by_week.parquet").read_bytes()
    with pytest.raises(UserError, match="negative"):
        weeks(WEEKS.replace("614", "-614"))
    assert (small_case.out / "named_by_week.parquet").read_bytes() == before


CELLS = st.sampled_from(["", " ", "-1", "1.5", "1,5", '"', '""', "\x00", "\ufeff", "<b>", "2099-01-01", "9" * 30])


@settings(max_examples=150)
@given(st.lists(CELLS | st.text(max_size=6), min_size=1, max_size=20), st.sampled_from(",;\t\n"))
def test_any_text_is_a_table_or_a_message(cells, separator):
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.csv"
        table.write_text(WEEKS + separator.join(cells), encoding="utf-8", errors="replace", newline="")
        source = {"table": "table.csv", "reads": "named_by_week", "published": "2023-11-17", "kept_for": "x"}
        try:
            clean_case({"war": {"from": "2022-02-24"}, "sources": {"s": source}}, Path(folder), Path(folder))
        except UserError as error:
            assert error.where.startswith(str(table))
        else:
            assert (Path(folder) / "s.parquet").exists()
