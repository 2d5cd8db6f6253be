"""Cleaning capture histories: pasted in three shapes, nobody lost, and one message for each mistake."""

import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncounted.config import read_case, tables
from uncounted.errors import UserError
from uncounted.evidence.clean import clean_case
from uncounted.evidence.clean_histories import published_schema, tables_of
from uncounted.evidence.histories import histories_schema, not_estimable_alone, tabulate

PROJECT = Path(__file__).parents[2]
CASES = {
    "kosovo": (4_400, 1, 6),
    "gaza_by_age_and_sex": (29_271, 10, 11),
    "gaza_by_month": (29_129, 9, 1),
    "uk_6_lists": (2_744, 1, 8),
    "uk_5_lists": (2_744, 1, 8),
}
"""People seen, strata, published estimates."""

COUNTS = "a,b,c,n\n1,0,0,50\n0,1,0,60\n0,0,1,70\n1,1,0,8\n1,1,1,3\n"


class Lists:
    """A case of three lists, with tables that a test writes as somebody might paste them."""

    def __init__(self, folder: Path):
        self.data, self.out = folder / "data", folder / "evidence"
        self.data.mkdir()
        self.config = {
            "kind": "multiple_systems_estimation",
            "tables": ["table.csv"],
            "lists": ["a", "b", "c"],
            "count": "n",
        }

    def clean(self, *contents: str | bytes, **config) -> "Lists":
        """Clean tables with these contents: table.csv, table_2.csv..."""
        names = [f"table_{number}.csv" if number > 1 else "table.csv" for number in range(1, len(contents) + 1)]
        for name, content in zip(names, contents, strict=True):
            (self.data / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        self.config |= {"tables": names} | config
        clean_case(self.config, self.data, self.out)
        return self

    def message(self, *contents: str | bytes, **config) -> str:
        with pytest.raises(UserError) as caught:
            self.clean(*contents, **config)
        assert not (self.out / "histories.parquet").exists()
        assert len(str(caught.value).splitlines()) <= 8
        return str(caught.value)

    @property
    def histories(self) -> pd.DataFrame:
        schema = histories_schema(self.config["lists"], self.config.get("strata") or ())
        return schema.validate(pd.read_parquet(self.out / "histories.parquet"))

    def findings(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.out / f"{name}.csv", dtype=str, keep_default_na=False)


@pytest.fixture
def lists(tmp_path) -> Lists:
    return Lists(tmp_path)


@pytest.fixture(scope="module", params=CASES)
def committed(request, tmp_path_factory):
    """A committed case, cleaned: its name, config and evidence."""
    case = read_case(PROJECT / "config/cases", request.param)
    out = tmp_path_factory.mktemp(request.param)
    clean_case(case, Path(tables(request.param, case, PROJECT / "data")[0]).parent, out)
    return request.param, case, out


def test_committed_cases_lose_nobody(committed):
    name, case, out = committed
    people, strata, _ = CASES[name]
    frame = pd.read_parquet(out / "histories.parquet")
    made = tabulate(frame, case["lists"], case["strata"], case["structural_zeros"])
    assert made.seen == frame["count"].sum() == people
    assert len(made.labels) == strata
    assert not_estimable_alone(made) == {}
    assert made.possible.all()
    assert (out / "refused.csv").read_text() == "file,line,column,value,reason\n"
    balance = pd.read_csv(out / "reconciliation.csv")
    assert balance.loc[0, ["people_in", "people_out"]].tolist() == [people, people]
    assert (balance["rows_in"] == balance["rows_kept"]).all()


def test_committed_cases_stand_beside_published_estimates(committed):
    name, case, out = committed
    published = published_schema(case["strata"]).validate(pd.read_parquet(out / "published_estimates.parquet"))
    assert len(published) == CASES[name][2]
    known = published.dropna(subset=["estimate", "lower", "upper"])
    assert (known["lower"] <= known["estimate"]).all()
    assert (known["estimate"] <= known["upper"]).all()
    whole = (published[case["strata"]] == "").all(axis=1)
    assert whole.any()
    questions = pd.read_csv(out / "questions.csv")
    assert not questions["file"].str.startswith("published").any()


def test_gaza_asks_about_those_whose_sex_or_age_is_not_known(tmp_path):
    case = read_case(PROJECT / "config/cases", "gaza_by_age_and_sex")
    clean_case(case, PROJECT / "data/gaza", tmp_path)
    questions = pd.read_csv(tmp_path / "questions.csv")
    assert questions["column"].tolist() == ["sex", "age"]
    assert "56 people" in questions["question"][0]
    assert "960 people" in questions["question"][1]
    made = tabulate(pd.read_parquet(tmp_path / "histories.parquet"), case["lists"], case["strata"])
    assert made.blank.sum() == 1014
    published = pd.read_parquet(tmp_path / "published_estimates.parquet")
    strata = published[published["sex"] != ""]
    assert list(strata[["sex", "age"]].itertuples(index=False, name=None)) == list(made.labels)
    assert strata["estimate"].sum() == 64_262


def test_counts_as_people_paste_them(lists):
    lists.clean(COUNTS)
    expected = lists.histories
    assert expected["history"].tolist() == ["001", "010", "100", "110", "111"]
    assert expected["count"].tolist() == [70, 60, 50, 8, 3]
    pasted = "\ufeff" + COUNTS.replace(",", ";").replace("\n", "\r\n").replace("n", "N", 1)
    pd.testing.assert_frame_equal(lists.clean(pasted).histories, expected)
    pasted = COUNTS.replace(",", "\t").replace("50", "1 050").replace("60", "1,060")
    assert lists.clean(pasted).histories["count"].tolist() == [70, 1060, 1050, 8, 3]


def test_windows_1251_and_names_in_cyrillic(lists):
    pasted = COUNTS.replace("a,b,c,n", "Мемориал,b,c,Число").encode("cp1251")
    lists.clean(pasted, lists=["Мемориал", "b", "c"], headers={"число": "n"})
    assert lists.histories["count"].sum() == 191
    assert "Windows-1251" in lists.findings("questions")["question"][0]


def test_strange_names_are_kept_as_they_are(lists):
    heading = '"<b>A</b>","say ""b""","two\nlines",n,район'
    rows = COUNTS.split("\n", 1)[1].replace("\n", ',"<i>Хан\n""Юнис""</i>"\n')
    names = ["<b>A</b>", 'say "b"', "two\nlines"]
    lists.clean(f"{heading}\n{rows}", lists=names, strata=["район"])
    assert lists.histories["район"].unique().tolist() == ['<i>Хан\n"Юнис"</i>']
    assert lists.histories["count"].sum() == 191


def test_lists_that_differ_in_capitals_only(lists):
    lists.clean(COUNTS.replace("a,b,c", "B,b,c"), lists=["b", "B", "c"])
    assert lists.histories["history"].tolist() == ["001", "010", "100", "110", "111"]
    assert lists.histories["count"].tolist() == [70, 50, 60, 8, 3]


def test_one_row_a_person(lists):
    lists.config.pop("count")
    people = ["1,0,0,x"] * 7 + ["0,1,0,x"] * 3 + ["0,0,1,"] * 4 + ["1,1,1,y"] * 2
    lists.clean("a,b,c,place\n" + "\n".join(people), strata=["place"])
    assert lists.histories[["place", "history", "count"]].to_numpy().tolist() == [
        ["", "001", 4],
        ["x", "010", 3],
        ["x", "100", 7],
        ["y", "111", 2],
    ]
    balance = lists.findings("reconciliation").iloc[0]
    assert balance[["rows_in", "people_in", "people_out"]].tolist() == ["16", "16", "16"]


def test_counts_that_nobody_asked_to_read(lists):
    lists.config.pop("count")
    text = lists.message(COUNTS)
    assert "column 'n' is not read" in text
    assert "`count` to name 'n'" in text


@pytest.mark.parametrize("heading", ["deaths", "total", "Anzahl"])
def test_counts_under_any_heading_that_nobody_asked_to_read(lists, heading):
    text = lists.message(STRATA.replace(",n\n", f",{heading}\n") + "m,1,1,1,\n", count=None, strata=["sex"])
    assert f"column {heading!r} is not read: without `count`, each row stands for one person" in text


def test_other_columns_of_people_are_not_taken_for_counts(lists):
    people = ["1,0,0,34", "0,1,0,61", "0,0,1,7", "1,1,1,20"] * 3
    lists.clean("a,b,c,age\n" + "\n".join(people), count=None)
    assert lists.histories["count"].sum() == 12
    assert lists.findings("questions")["column"].tolist() == ["age"]


@pytest.mark.parametrize("hidden", ["\u200b", "\u00ad", "\u200e", "\x00", "\ufeff", "\x1f"])
def test_labels_that_look_the_same_are_the_same(lists, hidden):
    table = STRATA.replace("f,", "féminin,").replace("m,1", f"fe\u0301{hidden}minin,1") + "m,1,0,1,5\n"
    lists.clean(table.replace("sex,", f"se{hidden}x,"), strata=["sex"])
    people = lists.histories.groupby("sex")["count"].sum()
    assert people.to_dict() == {"f\u00e9minin": 118, "m": 75}


def test_letters_of_another_alphabet_are_asked_about(lists):
    lists.clean(STRATA.replace("m,0", "m\u0430le,0").replace("m,1", "male,1"), strata=["sex"])
    (question,) = lists.findings("questions").itertuples(index=False)
    assert question.value == "m\u0430le"
    assert "letters of two alphabets" in question.question


def test_what_cannot_all_be_written_is_not_written(lists, monkeypatch):
    before = lists.clean(COUNTS).histories
    write = pd.DataFrame.to_parquet

    def full(table, path, **options):
        write(table, path, **options)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full)
    with pytest.raises(OSError, match="No space"):
        lists.clean(COUNTS.replace("50", "51"))
    pd.testing.assert_frame_equal(lists.histories, before)
    assert sorted(path.name for path in lists.out.iterdir()) == [
        *("histories.parquet", "questions.csv", "reconciliation.csv", "refused.csv"),
    ]


def test_several_weighted_tables(lists):
    other = COUNTS.replace("50", "49").replace("1,1,1,3", "1,1,1,4")
    lists.clean(COUNTS, other)
    lists.clean(COUNTS, other, tables=[{"table": "table.csv", "weight": 3}, {"table": "table_2.csv", "weight": 1}])
    assert lists.histories.groupby("table")["weight"].first().tolist() == [0.75, 0.25]
    assert lists.findings("reconciliation")["people_in"].tolist() == ["191", "191"]
    assert lists.findings("questions").empty
    assert tables_of({"tables": ["a.csv", "b.csv"]}) == [("a.csv", 1), ("b.csv", 1)]


def test_tables_of_different_numbers_of_people_are_a_question(lists):
    lists.clean(COUNTS, COUNTS.replace("50", "55"))
    (question,) = lists.findings("questions").itertuples(index=False)
    assert question.file == "table_2.csv"
    assert question.question.startswith("196 people here, 191 in table.csv")
    assert "same number" in lists.findings("reconciliation")["checks_questioned"][1]


def test_the_same_input_in_another_order_gives_the_same_bytes(lists):
    first = (lists.clean(COUNTS).out / "histories.parquet").read_bytes()
    heading, *rows = COUNTS.splitlines()
    again = lists.clean("\n".join([heading, *reversed(rows)]))
    assert (again.out / "histories.parquet").read_bytes() == first


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("1,1,0,8", "1,1,0,-8", ["table.csv, line 5, column n", "'-8' is refused: negative"]),
        ("1,1,0,8", "1,1,0,8.5", ["line 5, column n", "fractional"]),
        ("1,1,0,8", "1,1,0,", ["line 5, column n", "empty"]),
        ("1,1,0,8", "1,1,0,many", ["line 5, column n", "no count"]),
        ("1,1,0,8", "1,1,0,99999999999999999999", ["line 5, column n", "larger than any count of people"]),
        ("1,1,0,8", "1,2,0,8", ["line 5, column b", "'2' is refused: no flag: expected 1 or 0"]),
        ("1,1,0,8", "1,,0,8", ["line 5, column b", "empty"]),
        ("1,1,0,8", "0,0,0,8", ["line 5, column a", "people on no list"]),
        ("1,1,0,8", "1,0,0,8", ["line 5, column a", "the same a, b, c as in line 2"]),
        ("1,1,0,8", "1,1,0,8,9", ["line 5", "5 cells where the heading has 4"]),
        ("a,b,c,n", "a,b,d,n", ["line 1", "column c is missing", "correct `lists`, `strata` or `count`"]),
        ("a,b,c,n", "a,b,b,n", ["line 1", "column c is missing"]),
        ("a,b,c,n", "a,b,c,m", ["line 1", "column n is missing"]),
        (COUNTS, "a,b,c,n\n1,0,0,5\n0,1,1,4\n", ["table.csv", "9 people in all", "at least 10"]),
        (COUNTS, "a,b,c,n\n1,0,0,50\n1,1,1,4\n", ["column a", "'a' holds everybody"]),
        (COUNTS, "a,b,c,n\n1,0,0,50\n1,1,0,4\n0,1,0,4\n", ["column c", "'c' holds nobody"]),
        (COUNTS, "", ["table.csv: the table is empty"]),
    ],
)
def test_bad_tables(lists, old, new, said):
    assert old in COUNTS
    text = lists.message(COUNTS.replace(old, new))
    for words in said:
        assert words in text


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"lists": ["a"]}, ["1 list", "2 to 10 lists"]),
        ({"lists": [f"list {i}" for i in range(11)]}, ["11 lists", "2 to 10 lists"]),
        ({"lists": ["a", "b", "hospital"]}, ["column hospital is missing", "the heading has a, b, c, n"]),
        ({"strata": ["sex"]}, ["column sex is missing", "`strata`"]),
        ({"strata": ["a"]}, ["'a' is named twice"]),
        ({"strata": ["weight"]}, ["a stratum column cannot be called 'weight'"]),
        ({"tables": [{"table": "table.csv", "weight": 0}]}, ["table.csv", "the weight is 0", "above 0"]),
        ({"tables": ["nowhere.csv"]}, ["nowhere.csv", "missing"]),
        ({"structural_zeros": [{"history": {"a": 1, "b": 1}}]}, ["8 people in all are on a and b", "structural_zeros"]),
        ({"published": "nowhere.csv"}, ["nowhere.csv", "missing"]),
    ],
)
def test_bad_configs(lists, config, said):
    text = lists.message(COUNTS, **config)
    for words in said:
        assert words in text


def test_refused_rows_are_listed_and_may_be_allowed(lists):
    bad = COUNTS.replace("0,1,0,60", "0,1,0,-60").replace("1,1,0,8", "x,1,0,8")
    text = lists.message(bad)
    assert "table.csv, line 3, column n" in text
    assert "also refused: table.csv, line 5, column a" in text
    assert "at most 0 refused rows" in text
    refused = lists.findings("refused")
    assert refused["line"].tolist() == ["3", "5"]
    assert refused["value"].tolist() == ["-60", "x"]
    lists.clean(bad, refused_rows_allowed=2)
    assert lists.histories["count"].sum() == 191 - 60 - 8
    assert lists.findings("reconciliation")["rows_refused"].tolist() == ["2"]


STRATA = "sex,a,b,c,n\nf,1,0,0,50\nf,0,1,1,60\nm,0,0,1,70\nm,1,1,0,8\n"


def test_questions_about_strata(lists):
    odd = STRATA + "F ,1,1,1,3\nunknown,1,1,1,2\n,1,1,1,4\nx,1,1,1,0\n"
    lists.clean(odd, strata=["sex"])
    questions = lists.findings("questions").set_index("value")["question"]
    assert "4 people" in questions[""]
    assert "spelt much like 'F'" in questions["f"]
    assert "the cell should be empty" in questions["unknown"]
    assert "drops out" in questions["x"]
    assert len(questions) == 4
    assert lists.findings("reconciliation")["questions"].tolist() == ["4"]


def test_strata_that_differ_between_tables(lists):
    text = lists.message(STRATA, STRATA.replace("m,", "M,"), strata=["sex"])
    assert "table.csv, column sex: nobody has sex 'M' here; 78 people have it in" in text
    lists.clean(STRATA, STRATA.replace("m,1,1,0", "x,1,1,0"), strata=["sex"])
    (question,) = lists.findings("questions").itertuples(index=False)
    assert question[:4] == ("table.csv", "", "sex", "x")
    assert question.question == "nobody here; 8 people in table_2.csv"


PUBLISHED = "sex,method,source,estimate,lower,upper,level\n,x,y,900,800,1000,0.95\nf,x,y,400,,,\n"


def test_published_estimates(lists):
    (lists.data / "p.csv").write_text(PUBLISHED)
    lists.clean(STRATA, strata=["sex"], published="p.csv")
    table = published_schema(["sex"]).validate(pd.read_parquet(lists.out / "published_estimates.parquet"))
    assert table["sex"].tolist() == ["", "f"]
    assert table["estimate"].tolist() == [900, 400]
    assert table["lower"].isna().tolist() == [False, True]
    assert table["level"][0] == 0.95
    assert lists.findings("questions").empty
    assert lists.findings("reconciliation")["source"].tolist() == ["table", "p"]


def test_no_published_estimates_no_table(lists):
    assert not (lists.clean(COUNTS).out / "published_estimates.parquet").exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",400,,,", ",,,,0.95", "neither an estimate nor an interval"),
        ("1000,0.95", "1000,1", "no probability between 0 and 1"),
        ("1000,0.95", "1000,95", "no share"),
        ("f,x,y", ",x,y", "the same sex, method, source as in line 2"),
        ("f,x,y", "f,,y", "empty"),
        ("estimate,", "", "column estimate is missing"),
    ],
)
def test_bad_published_estimates(lists, old, new, said):
    (lists.data / "p.csv").write_text(PUBLISHED.replace(old, new))
    assert said in lists.message(STRATA, strata=["sex"], published="p.csv")


def test_published_estimates_of_other_strata_do_not_pass_for_totals(lists):
    (lists.data / "p.csv").write_text(PUBLISHED)
    assert "the same method, source as in line 2" in lists.message(COUNTS, published="p.csv")


def test_questions_about_published_estimates(lists):
    (lists.data / "p.csv").write_text(PUBLISHED.replace("900,800", "700,800").replace("f,x", "female,x"))
    lists.clean(STRATA, strata=["sex"], published="p.csv")
    questions = lists.findings("questions")
    assert questions["line"].tolist() == ["2", "3"]
    assert "not in order" in questions["question"][0]
    assert "no such stratum" in questions["question"][1]


CELLS = st.sampled_from(["0", "1", "", "7", "1,000", "-1", "f", "sex", '"', "\ufeff", "a,b", "\x00"])


@settings(max_examples=40)
@given(st.lists(CELLS | st.text(max_size=6), min_size=1, max_size=24), st.sampled_from(",;\t\n"), st.booleans())
def test_any_text_is_a_table_or_a_message(cells, separator, counted):
    with tempfile.TemporaryDirectory() as folder:
        made = Lists(Path(folder))
        made.config |= {"strata": ["sex"], "refused_rows_allowed": 2} | ({} if counted else {"count": None})
        rows = STRATA if counted else "sex,a,b,c\n" + "f,1,0,0\nm,0,1,1\n,1,1,0\n" * 4
        try:
            made.clean((rows + separator.join(cells)).encode(errors="replace"))
        except UserError as error:
            assert str(made.data) in error.where
        else:
            assert made.histories["count"].sum() >= 10
