"""The sections on kinds of service, years of war and regions, and what the report says of the ledger."""

import pandas as pd
import pytest
from reader import Reader

from uncounted.report import own_table
from uncounted.report.years import probability


@pytest.fixture(scope="module")
def text(html):
    return Reader(html).text


def between(text, start, end):
    return text[text.rindex(start) : text.rindex(end)]


def rewritten(release, change):
    """The report once the config of the case has been changed."""
    config = release.provenance["config"]
    case = config["cases"]["russia"]
    change(case)
    release.write_provenance(config=config)
    return Reader(release.report())


def change_of(release, table, change):
    release.change("russia", table, change)
    return Reader(release.report()).text


# The ledger


def test_the_ledger_is_said_with_its_own_last_day_of_use(text):
    assert "the ledger of prisoners (public on 10 June 2024), which is used until 27 June 2024" in text
    assert "the list as published until 19 April 2024" in text


def test_a_table_that_is_read_twice_is_told_apart_by_what_it_is_read_for(text):
    assert ": ledger of prisoners" in text and ": how soon prisoners died" in text


def test_what_share_of_the_ledgers_dead_was_named_is_said(text):
    assert "holds 17,175 of them" in text
    assert "4,500 people as prisoners on 2 June 2023 (26" in text and "6,073 people as prisoners on 15" in text


def test_how_far_the_ledger_carries_is_shown_before_and_after_the_figures(text):
    assert "odds relative to all dead: before the figures" in text
    assert "ledger carries" in text and "share of the ledger’s dead named" in text.lower()


# Kinds of service


def test_services_say_what_the_list_shows_before_what_is_estimated(text):
    section = between(text, "In which service they were", "Where they came from")
    assert section.index("held 20,253 names") < section.index("What follows is estimated")
    assert "Professional soldiers 6,741" in section and "Kind not known 5,048" in section
    assert "Prisoners 15 Sep 2023 6,073" in section and "Mobilised 15 Dec 2023 4,787" in section


def test_services_follow_the_tables(release):
    def double(rows):
        mine = (rows["quantity"] == "deaths") & (rows["service"] == "mobilised")
        rows.loc[mine, ["median", "lower", "upper"]] = [90_000.0, 80_000.0, 99_000.0]
        return rows

    assert "highest median is “mobilised”: an estimated 90,000 dead" in change_of(release, "estimates", double)


def test_assumptions_of_the_split_are_listed_with_their_reasons(text, release):
    priors = release.provenance["config"]["cases"]["russia"]["priors"]
    for name in ("service_drift", "service_unknown_spread", "service_coverage_spread", "later_recruits_spread"):
        assert priors[name]["reason"] in text


def test_case_without_services_or_regions_has_no_such_section(release):
    def change(case):
        del case["services"], case["sources"]["named_by_region"]

    page = rewritten(release, change)
    assert {"russia-services", "russia-regions"}.isdisjoint(page.ids) and page.wrong == []
    assert "russia-years" in page.ids and "In which service they were" not in page.text


def test_deaths_by_service_and_month_are_shown_where_a_later_list_was_let_in(release):
    def add_months(rows):
        mine = rows[(rows["quantity"] == "deaths") & (rows["service"] != "")]
        return pd.concat([rows, *(mine.assign(month=month) for month in ("2022-09", "2022-10"))], ignore_index=True)

    release.change("russia", "estimates", add_months)
    page = rewritten(release, lambda case: case["services"].update(by_month="named_by_week_2025"))
    assert "Deaths by month and kind of service" in page.text and page.wrong == []


# Years


def test_years_are_compared_with_probability_and_size(text):
    section = between(text, "The years of the war", "How old they were")
    assert "more than 27,300 died from 24 February 2023 to 23 February 2024" in section
    assert "year 2 of the war was deadlier than the year before with a probability of more than 99.9" in section
    assert "times as many a day" in section
    assert "Of year 3 only the 44 days up to 7 April 2024 are counted" in section


@pytest.mark.parametrize(
    ("share", "said"), [(1.0, "more than 99.9"), (0.0, "less than 0.1"), (0.9731, "97.3"), (0.5, "50.0")]
)
def test_no_probability_from_draws_is_certain(share, said):
    assert probability(share).startswith(said)


# Regions


def test_regions_are_counts_and_no_number_of_deaths_is_claimed(text):
    section = between(text, "Where they came from", "What each source says")
    assert "42,284 people in 87 regions" in section
    assert "No number of deaths by region is estimated." in section
    assert "Kuban 1,640" in section and "interval" not in section.replace("Counts have no interval", "")


def test_rates_are_shown_once_there_is_a_table_of_men(release, text):
    assert "named per 10,000 men" not in text
    men = pd.DataFrame({"published": pd.Timestamp("2021-12-31"), "region": ["Tyva"], "men": [158_000]})
    men.to_parquet(release.case() / "evidence" / "men_by_region.parquet")
    entry = {"table": "men.csv", "reads": "men_by_region", "published": "2021-12-31", "kept_for": "comparison"}
    page = rewritten(release, lambda case: case["sources"].update(men_by_region=entry))
    assert "named per 10,000 men" in page.text and "Tyva 486 158,000 30.8" in page.text


def test_markup_in_the_name_of_a_region_is_text(release):
    evil = "<script>alert(1)</script>"

    def change(rows):
        rows.loc[0, "region"] = evil
        return rows

    release.change("russia", "evidence/named_by_region", change)
    page = Reader(release.report())
    assert "script" not in page.tags and evil in page.text


@pytest.mark.parametrize(("people", "shown"), [(-0.4, "0"), (0.4, "0"), (-1_200.2, "−1,200"), (3.0, "+3")])
def test_a_difference_that_is_written_as_nothing_has_no_sign(people, shown):
    assert own_table._difference(people) == shown
