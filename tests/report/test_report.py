"""The report: one file, no network, no script; every number from a table; warnings that stand first."""

import re
from pathlib import Path

import made_up
import pandas as pd
import pytest
from reader import Reader

import uncounted.report
from uncounted.checks.backtest import FORECAST
from uncounted.errors import UserError
from uncounted.figures import words
from uncounted.figures.checks import quantiles
from uncounted.figures.tables import open_tables
from uncounted.report.evidence_synthesis import parameters

# The page on calibration is none of them: it explains what an interval of 95 % should do.
TEMPLATES = sorted(Path(uncounted.report.__file__).parent.glob("*.html.j2"))


@pytest.fixture(scope="module")
def page(html):
    return Reader(html)


def test_tags_match_and_ids_are_unique(page):
    assert page.wrong == [] and page.open == []
    assert len(page.ids) == len(set(page.ids))
    inner = [link[1:] for link in page.links if link.startswith("#")]
    assert inner and set(inner) <= set(page.ids)


def test_it_needs_no_network_and_no_script(html, page):
    assert not {"script", "link", "iframe", "object", "embed"} & page.tags
    assert page.loads and all(address.startswith("data:image/svg+xml;base64,") for address in page.loads)
    assert "@import" not in html and not re.search(r"url\(", html)


def test_every_image_says_what_it_shows_with_numbers(page):
    assert len(page.images) == 17
    for image in page.images:
        assert len(image["alt"]) > 60 and re.search(r"\d", image["alt"])
        assert int(image["width"]) > 0 and int(image["height"]) > 0


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_the_templates_hold_no_number(template):
    prose = re.sub(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", " ", template.read_text(encoding="utf-8"), flags=re.S)
    prose = re.sub(r"<[^>]*>", " ", prose).replace("SHA-256", "")
    assert re.findall(r".{0,30}\d.{0,30}", prose) == []


def test_no_number_hides_in_an_expression():
    allowed = {"number(2)", "number(4)", "> 1", "== 2", "cases[0]", "sha256"}
    for template in TEMPLATES:
        text = template.read_text(encoding="utf-8").replace(".j2", "")
        for expression in re.findall(r"\{\{.*?\}\}|\{%.*?%\}", text, flags=re.S):
            for harmless in allowed:
                expression = expression.replace(harmless, "")
            assert not re.search(r"\d", expression), expression


def test_the_answer_follows_the_tables(release):
    before = Reader(release.report()).text
    file = release.case() / "estimates.parquet"
    rows = pd.read_parquet(file)
    whole = (rows["quantity"] == "deaths") & (rows[made_up.STRATA] == "").all(axis=1)
    rows.loc[whole, ["median", "lower", "upper"]] *= 2
    rows.to_parquet(file)
    after = Reader(release.report()).text
    deaths = rows[whole & (rows["level"] == 0.95)].iloc[0]
    assert f"an estimated {round(deaths['median'], -3):,.0f} died" in after
    assert f"an estimated {round(deaths['median'], -3):,.0f} died" not in before


def test_it_says_which_days_figures_were_used(page):
    assert "the list as published until 19 April 2024" in page.text
    assert "2022 (public on 10 July 2023) and 2023 (public on 27 June 2024)" in page.text
    assert "50,471 are named" in page.text.replace(" are", " are")


def test_the_prior_of_the_deaths_has_no_more_digits_than_it_deserves(finished_release):
    config = finished_release.provenance["config"]["cases"]["russia"]
    tables = open_tables("russia", config, finished_release.case())
    shown = {row["name"]: row for row in parameters(tables)}["deaths"]
    for name in ("lower", "median", "upper"):
        exact = quantiles(tables, "deaths", "prior")[name]
        digits = shown["prior"][name].replace(",", "")
        assert len(digits.rstrip("0")) <= 2
        assert float(digits) == pytest.approx(exact, rel=0.05)
    assert shown["posterior"]["median"].endswith(",000")


def test_the_named_of_a_month_and_of_an_age_are_estimates_with_an_interval(finished_release, page):
    assert page.text.count("named (estimated) 95 % interval median") == 2
    rows = pd.read_parquet(finished_release.case() / "estimates.parquet")
    rows = rows[(rows["quantity"] == "named") & (rows["level"] == 0.95)]
    for column, label, shown in (("month", "2024-01", "January 2024"), ("age", "20-24", "20–24")):
        row = rows[rows[column] == label].iloc[0]
        assert f"{shown} {row['median']:,.0f} {row['lower']:,.0f} to {row['upper']:,.0f}" in page.text


def test_what_is_called_the_largest_has_its_probability(finished_release, page):
    rows = pd.read_parquet(finished_release.case() / "estimates.parquet")
    rows = rows[rows["level"] == 0.95].set_index("quantity")
    medians = rows.loc["deaths"].query("month != ''").set_index("month")["median"]
    chance = rows.loc["most_deaths"].set_index("month")["mean"]
    peak = medians.idxmax()
    next_most = chance.drop(peak).idxmax()
    text = page.text.replace("\u202f", " ")
    assert f"The probability that it was the deadliest is {100 * chance[peak]:.0f} %" in text
    assert f"{words.month(next_most)} ({100 * chance[next_most]:.0f} %)" in text
    assert "The probability that the largest share is at 15–19 is 25 %; next come 20–24 (75 %)" in text


def test_registered_war_deaths_are_summed_beside_the_published_excess(release, page):
    text = page.text.replace("\u202f", " ")
    assert len(re.findall(r"15–49, summed \d", text)) == 2
    assert "published is an excess of 20,618 ± 1,374. The intervals overlap." in text

    def lower(rows):
        ours = rows["quantity"] == "registered_war_deaths_summed"
        rows.loc[ours, ["median", "lower", "upper"]] /= 2
        return rows

    release.change("russia", "estimates", lower)
    assert "20,618 ± 1,374. The two differ by more than their intervals." in Reader(release.report()).text


def test_the_ledger_is_said_to_rest_on_an_assumption(page):
    assert "nearly measured, if the prisoners on the list are the men of the ledger" in page.text
    assert "measured, not assumed" not in page.text


def test_the_picture_of_the_months_tells_every_month(page):
    (alt,) = (image["alt"] for image in page.images if image["alt"].startswith("Deaths by month"))
    assert all(f"{words.month(month)}, " in alt for month in made_up.MONTHS)


def test_a_good_release_opens_without_a_warning(html, page):
    assert 'class="warning' not in html
    assert "Draft." not in page.text
    assert "Yes: all 5 checks passed" in page.text


def test_a_fit_that_has_not_converged_is_said_before_anything_else(release):
    file = release.case() / "checks" / "convergence.parquet"
    rows = pd.read_parquet(file)
    rows.loc[1, ["seen", "passed", "do"]] = [120.0, False, "draw more"]
    rows.to_parquet(file)
    html = release.report()
    text = Reader(html).text
    assert text.index("Do not quote any number of this report") < text.index("an estimated")
    assert html.index('class="warning stop"') < html.index("<h1>")
    assert "bulk ESS of reported quantities, deaths in all . Seen: 120" in text.replace("all.", "all .")
    assert "draw more" in text and "No: 1 of 5 checks failed." in text


def test_other_checks_that_failed_are_said_first_too(release):
    for name in ("predictive", "backtest"):
        file = release.case() / "checks" / f"{name}.parquet"
        rows = pd.read_parquet(file)
        rows.loc[0, "passed"] = False
        rows.to_parquet(file)
    text = Reader(release.report()).text
    assert text.index("Not all checks passed.") < text.index("an estimated")
    assert "1 of 69 are not what the fitted model expects" in text
    assert "A figure that was kept out of the fit is not as expected" in text


def test_an_interval_of_an_earlier_day_that_failed_is_said_first(release):
    file = release.case() / "checks" / "backtest_dates.parquet"
    made_up.backtest_dates(named_later=(99_000, 52_200, 60_500)).to_parquet(file)
    text = Reader(release.report()).text
    assert text.index("would have been below the 99,000 who were named later") < text.index("an estimated")
    assert "3 of the intervals end below the number of deaths that were named later" in text


def forecast(release, **changes):
    """Make the last row of the figures kept out of the fit the forecast of the later list, and read the page."""
    file = release.case() / "checks" / "backtest.parquet"
    rows = pd.read_parquet(file)
    last = rows.index[-1]
    rows.loc[last, ["what", "day", *changes]] = [FORECAST, "2025-04-25", *changes.values()]
    rows.to_parquet(file)
    return Reader(release.report())


@pytest.mark.parametrize(
    ("observed", "expected", "compared"),
    [(60_097.0, "fewer names than came", "more than foreseen"), (40_000.0, "more names than came", "fewer than")],
)
def test_a_forecast_that_missed_is_said_in_the_answer(release, observed, expected, compared):
    text = forecast(release, observed=observed, lower=42_554.0, median=48_084.0, upper=54_810.0).text
    answer = text[text.index("an estimated") : text.index("The answer as calculated")]
    assert f"The model expected {expected}: of these deaths it foresaw 48,000" in answer
    assert "interval 43,000 to 55,000) on the list of 25 April 2025" in answer
    assert f"{observed:,.0f} were there" in answer and "is not certain" in answer
    assert f"{observed:,.0f} were there: {compared}" in text
    assert "forecast missed" in text and "bound passed" in text


def test_a_forecast_that_held_is_told_with_the_test_alone(release):
    text = forecast(release, observed=48_000.0, lower=42_554.0, median=48_084.0, upper=54_810.0).text
    assert "The model expected" not in text
    assert "48,000 were there: as foreseen" in text and "forecast held" in text


def test_what_would_have_been_estimated_earlier_is_told_with_its_commit(html, page):
    assert "No interval ends below the number of deaths that the list of 25 April 2025 names." in page.text
    assert "commit 0123456789abcdef , seed 20240407" in page.text.replace("abcdef,", "abcdef ,")
    assert "russia-earlier" in page.ids


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"release": "draft"}, "it has no release name of its own"),
        ({"clean": False}, "had changes that no commit holds"),
        ({"commit": None, "clean": False}, "its code has no commit"),
    ],
)
def test_a_draft_says_so(release, changes, reason):
    release.write_provenance(**changes)
    text = Reader(release.report()).text
    assert "Draft." in text and reason in text
    assert text.index("Draft.") < text.index("an estimated")


def test_markup_in_a_name_is_shown_as_text(release):
    evil = "<script>alert(1)</script><b>&amp;"
    provenance = release.provenance
    sources = provenance["config"]["cases"]["russia"]["sources"]
    provenance["config"]["cases"]["russia"]["title"] = evil
    sources["graves"]["table"] = evil
    sources["graves"]["kept_for"] = evil
    release.write_provenance(config=provenance["config"], packages={evil: evil})
    for name, column in (("sensitivity", "left_out"), ("convergence", "item"), ("backtest", "what")):
        file = release.case() / "checks" / f"{name}.parquet"
        rows = pd.read_parquet(file)
        rows.loc[rows.index[-2:], column] = evil
        rows.to_parquet(file)
    page = Reader(release.report())
    assert not {"script", "b"} & page.tags and page.wrong == []
    assert f"without: {evil}" in page.text
    assert page.text.count(evil) > 5


def publish_worlds(release, text):
    """Publish a calibration in simulated worlds, and write the page with it."""
    file = release.folder / "docs" / "calibration" / "synthesis.csv"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    release.write_provenance(inputs=release.provenance["inputs"] | {str(file): "ab" * 32})
    return Reader(release.report()).text


WORLDS = """kind,quantity,fits,answered,coverage_50,coverage_80,coverage_95,failed
fast,deaths,3,3,0,0.66667,1,0.66667
fast,ceiling,3,3,1,1,1,0.66667
prior,deaths,40,39,0.51282,0.76923,0.97436,0.25
fast and slow,deaths,6,6,0,0.5,0.83333,0.5
"""


def test_simulated_worlds_are_told_in_numbers_of_fits(release, page):
    assert "Does it find the number where the number is known?" not in page.text
    text = publish_worlds(release, WORLDS).replace("\u202f", " ")
    assert "Worlds were simulated whose dead are known: 43 of them." in text
    assert (
        "Of 42 fits that gave an answer, the 50 % interval held the number of deaths in 20, the 80 % interval held the "
        "number of deaths in 32 and the 95 % interval held the number of deaths in 41." in text
    )
    assert "In 12 of 43 fits a check of the calculation failed" in text
    assert "names come fast 3 0 2 3 2" in text and "all drawn from the priors 40 20 30 38 10" in text
    assert "simulated by the model’s own equations" in text


def test_a_table_of_worlds_that_lacks_a_column_or_is_gone_is_named(release):
    with pytest.raises(UserError, match="lacks the column 'failed'"):
        publish_worlds(release, WORLDS.replace("failed", "other"))
    release.write_provenance(inputs={"nowhere/docs/calibration/synthesis.csv": "ab" * 32})
    with pytest.raises(UserError, match="the table of the calibration is missing"):
        release.report()


def test_two_cases_have_a_section_each(release):
    provenance = release.provenance
    release.copy(release.folder / "copy").case().rename(release.case("other"))
    provenance["config"]["cases"]["other"] = provenance["config"]["cases"]["russia"] | {"title": "Another war"}
    release.write_provenance(config=provenance["config"])
    page = Reader(release.report())
    assert {"russia-answer", "other-answer"} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids)) and page.wrong == []
    assert "Another war" in page.text


@pytest.mark.parametrize(
    "missing", ["figures/headline.svg", "checks/predictive.parquet", "evidence/reconciliation.csv"]
)
def test_what_is_missing_is_named_and_the_earlier_report_stays(release, missing):
    (release.folder / "report.html").write_text("earlier")
    (release.case() / missing).unlink()
    with pytest.raises(UserError, match="missing") as failure:
        release.report()
    assert missing in str(failure.value)
    assert (release.folder / "report.html").read_text() == "earlier"


def test_it_says_where_each_number_comes_from(html, page):
    for fact in ("0123456789abcdef0123456789abcdef01234567", "ab" * 32, "ef" * 32, "20240407", "pymc 5.28.0"):
        assert fact in page.text
    assert "used_until: '2024-06-27'" in html.replace("&#39;", "'")


def test_the_same_tables_give_the_same_report(finished_release, html):
    assert finished_release.report() == html
