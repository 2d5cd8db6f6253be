"""The section on prisoners: what was published first, no share where none can be given, every number from a table."""

from reader import Reader


def test_what_the_list_shows_comes_before_what_is_estimated(html):
    text = Reader(html).text
    shown = text.index("What the open list and others show")
    estimated = text.index("What is estimated", shown)
    assert shown < text.index("48,366", shown) < text.index("17,175", shown) < estimated
    assert "6,073" in text[shown:estimated] and "had died and were named by 7 April 2024" in text


def test_without_the_number_of_recruits_no_share_is_given(html):
    text = Reader(html).text
    assert "Defence ministry: no share of the recruits is given." in text
    assert "Not published: how many were recruited." in text
    assert "Wagner: no share" not in text
    assert "nan" not in text.lower().split("prisoners")[1]


def test_its_numbers_follow_the_table(release):
    release.change("russia", "checks/survival", lambda rows: rows.assign(observed=rows["observed"] * 2))
    text = Reader(release.report()).text
    assert "34,350" in text and "outside" in text


def test_a_study_that_does_not_ask_has_no_section(release):
    config = release.provenance["config"]
    del config["cases"]["russia"]["survival"]
    release.write_provenance(config=config)
    page = Reader(release.report())
    assert "russia-prisoners" not in page.ids and "#russia-prisoners" not in page.links
    assert "no share of the recruits" not in page.text
