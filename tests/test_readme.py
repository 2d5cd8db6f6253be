"""The README's answer is the release's, not somebody's memory of it; so are the numbers in the list of releases."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from uncounted.estimates import STRATA

ROOT = Path(__file__).parents[1]
RELEASE = "2026.11.6"
LISTED = (ROOT / "results" / "README.md").read_text(encoding="utf-8")
RELEASES = re.findall(r"^## \[(.*?)\]", LISTED, re.M)


def rounded(value):
    return f"{round(value, -3):,.0f}"


def test_answer_is_that_of_the_release_of_record():
    table = pd.read_csv(ROOT / "results" / RELEASE / "estimates.csv", keep_default_na=False)
    strata = [name for name in STRATA if name in table]
    whole = table[(table["case"] == "russia") & (table[strata] == "").all(axis=1)].set_index(["quantity", "level"])
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    answer = re.search(r"<!-- answer:.*?-->(.*?)<!-- /answer -->", text, re.S).group(1)
    deaths, middle = whole.loc[("deaths", 0.95)], whole.loc[("deaths", 0.5)]
    share = whole.loc[("share_named", 0.95)]
    expected = [rounded(deaths[name]) for name in ("median", "lower", "upper")]
    expected += [rounded(middle[name]) for name in ("lower", "upper")]
    expected += [f"{100 * share[name]:.0f}" for name in ("median", "lower", "upper")]
    found = re.findall(r"\d[\d,]*", answer.replace("95 %", "").replace("50,471", ""))
    assert found == expected


def test_answer_says_that_more_were_named_than_foreseen_where_the_release_does():
    report = (ROOT / "results" / RELEASE / "report.html").read_text(encoding="utf-8")
    answer = (ROOT / "README.md").read_text(encoding="utf-8").split("<!-- /answer -->")[0]
    more = "The list has named more than the fit foresaw" in report
    assert ("holds more of these dead than the model expected" in answer) == more


def leading_answers(release):
    """What each study of a release leads with: rows of the table of releases."""
    table = pd.read_csv(ROOT / "results" / release / "estimates.csv", keep_default_na=False)
    strata = [name for name in STRATA if name in table]
    whole = table[(table[strata] == "").all(axis=1) & (table["level"] == 0.95)]
    leads = {"synthesis": "deaths", "average": "total"}
    for row in whole.itertuples():
        if leads.get(row.model) == row.quantity:
            median, lower, upper = (f"{round(value, -2):,.0f}" for value in (row.median, row.lower, row.upper))
            yield f"| {row.case} | {median} | {lower} to {upper} |"


@pytest.mark.parametrize("release", RELEASES)
def test_the_list_of_releases_has_the_numbers_of_each(release):
    section = re.search(rf"^## \[{re.escape(release)}\].*?(?=^## |\Z)", LISTED, re.M | re.S).group(0)
    commit = json.loads((ROOT / "results" / release / "manifest.json").read_text(encoding="utf-8"))["commit"]
    assert commit[:7] in section
    answers = list(leading_answers(release))
    assert len(answers) == 6
    assert [line for line in section.splitlines() if re.match(r"\| \w+ \| [\d,]+ \|", line)] == answers


def test_the_release_of_record_is_the_newest_that_is_listed():
    assert RELEASES[0] == RELEASE
