"""Tables are read the way people paste them."""

import pytest

from uncounted.errors import UserError

HEADER = "published,closed_on,named,inmates,volunteers,mobilised,private_military_company,officers"
ROWS = ("2022-07-08,,4515,,,,,", "2023-04-12,,20253,2949,2049,1856,1091,")
PLAIN = "\n".join((HEADER, *ROWS)) + "\n"


def listed(case) -> list[tuple[str, str, int]]:
    """The cleaned totals, as plain values."""
    table = case.evidence("named_totals")
    return [(f"{row.published:%Y-%m-%d}", row.part, row.named) for row in table.itertuples()]


EXPECTED = [
    ("2022-07-08", "all", 4515),
    ("2023-04-12", "all", 20253),
    ("2023-04-12", "inmates", 2949),
    ("2023-04-12", "volunteers", 2049),
    ("2023-04-12", "mobilised", 1856),
    ("2023-04-12", "private_military_company", 1091),
]


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.rstrip("\n"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        "\ufeff\ufeff" + PLAIN,
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        "sep=;\r\n" + PLAIN.replace(",", ";"),
        "\n \n" + PLAIN.replace("\n", "\n\n") + ",,,,,,,\n",
        PLAIN.replace("2022-07-08", "08.07.2022").replace("2023-04-12", "12 Apr 2023"),
        PLAIN.replace("20253", '"20,253"'),
        PLAIN.replace("20253", "20.253"),
        PLAIN.replace("20253", "20 253").replace("2949", "2\u00a0949").replace("1856", "1\u2009856"),
        PLAIN.replace(HEADER, HEADER.upper()).replace("NAMED", " named\u00a0"),
        "\n".join('"' + line.replace(",", '";"') + '"' for line in PLAIN.splitlines()),
        "\n".join(line + ";" for line in PLAIN.replace(",", ";").splitlines()),
        "\n".join((HEADER, *reversed(ROWS))),
    ],
    ids=[
        "plain",
        "no newline at the end",
        "CRLF",
        "CR",
        "byte-order mark",
        "two byte-order marks",
        "semicolons",
        "tabs",
        "the line of Excel that names the separator",
        "blank lines",
        "days in words and points",
        "1,234",
        "1.234",
        "1 234",
        "headings in capitals",
        "all quoted",
        "a separator at the end of lines",
        "latest row first",
    ],
)
def test_however_it_is_pasted_it_is_the_same_table(totals, content):
    case = totals(content)
    assert listed(case) == EXPECTED
    assert case.findings("refused").empty


CYRILLIC = {
    "Дата": "published",
    "Закрыт": "closed_on",
    "Имён": "named",
    "Заключённые": "inmates",
    "Добровольцы": "volunteers",
    "Мобилизованные": "mobilised",
    "ЧВК": "private_military_company",
    "Офицеры": "officers",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
def test_cyrillic_headings_are_read_as_the_config_says(totals, encoding):
    content = ";".join(CYRILLIC) + "\r\n" + "\r\n".join(ROWS).replace(",", ";")
    case = totals(content.encode(encoding), headers=CYRILLIC)
    assert listed(case) == EXPECTED
    asked = case.findings("questions")["question"].str.contains("Windows-1251").sum()
    assert asked == (encoding == "cp1251")


def test_lines_are_counted_as_an_editor_does(small_case):
    table = (
        "published,what,low,high,source\r\n"
        '2023-09-15,graves,0.45,0.55,"two\r\nlines, and ""quotes"""\r\n'
        "\r\n"
        "2023-10-15,graves,4.5,0.55,BBC\r\n"
    )
    small_case.config["refused_rows_allowed"] = 1
    small_case.add("graves", "coverage_checks", table, used_until="2024-04-19")
    small_case.clean()
    refused = small_case.findings("refused").iloc[0]
    assert (refused["file"], refused["line"], refused["column"], refused["value"]) == (
        "table.csv",
        "5",
        "low",
        "4.5",
    )
    assert small_case.evidence("graves")["source"].tolist() == ['two\r\nlines, and "quotes"']


def test_markup_and_quotes_are_carried_as_text(small_case):
    what = "<script>alert('x')</script> & =1+1"
    table = f'published,what,low,high,source\n2023-09-15,"{what}",0.45,0.55,BBC\n'
    small_case.add("graves", "coverage_checks", table, used_until="2024-04-19")
    small_case.clean()
    assert small_case.evidence("graves")["what"].tolist() == [what]


def test_a_thousand_that_breaks_a_row_apart_is_refused_and_not_misread(totals):
    with pytest.raises(UserError, match="9 cells where the heading has 8"):
        totals(PLAIN.replace("4515", "4,515"))


def test_lines_are_counted_from_that_which_names_the_separator(totals):
    with pytest.raises(UserError, match="line 3, column named"):
        totals("sep=;\n" + PLAIN.replace("4515", "x").replace(",", ";"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",officers\n", ",officers,\n", "the heading ends with a separator too many"),
        ("1091,\n", "1091,,\n", "a separator too many, at the end of the row"),
    ],
)
def test_a_separator_too_many_at_the_end_is_told(totals, old, new, said):
    with pytest.raises(UserError, match=said):
        totals(PLAIN.replace(old, new))


def test_a_row_with_too_few_cells_is_refused(totals):
    with pytest.raises(UserError, match="4 cells where the heading has 8"):
        totals(PLAIN.replace("4515,,,,,", "4515,"))


def test_an_empty_week_counts_nobody_and_is_asked_about(weeks):
    case = weeks("week_start,named,exact\n2022-03-03,614,1\n2022-03-10,,0\n")
    assert case.evidence("named_by_week")["named"].sum() == 614
    assert case.findings("questions")["question"].tolist() == ["empty: read as nobody"]


def test_a_column_that_is_not_read_is_asked_about(weeks):
    case = weeks("week_start,named,exakt\n2022-03-03,614,1\n")
    question = case.findings("questions").iloc[0]
    assert question["column"] == "exakt"
    assert "not read" in question["question"]


def test_empty_branches_count_nobody(small_case):
    table = "week_start;total;rifle;tank;mob\n2022-03-03;5;3;;2\n"
    small_case.add("by_branch", "named_by_week_and_branch", table, published="2023-11-17", kept_for="back_test")
    small_case.clean()
    people = small_case.evidence("by_branch", "named_by_week").set_index("kind")["named"]
    assert people.to_dict() == {"all": 5, "mobilised": 2, "professional": 3}
    assert small_case.findings("questions").empty
