"""The pages of studies of lists: the answer first, in words that follow the tables; names as text; reasons."""

import importlib
import re

import made_up_lists
import numpy as np
import pandas as pd
import pytest
from reader import Reader

from uncounted.errors import UserError
from uncounted.figures import words
from uncounted.figures.tables import open_tables
from uncounted.models import LISTS
from uncounted.report import modeltext
from uncounted.report.lists_others import difference, in_words


@pytest.fixture(scope="module")
def html(finished_lists):
    return finished_lists.report()


@pytest.fixture(scope="module")
def page(html):
    return Reader(html)


def section(html, anchor):
    """The text of one section."""
    begins = html.index(f'<section id="{anchor}"')
    return Reader(html[begins : html.index("</section>", begins)]).text


# All studies on one page


def test_studies_of_both_kinds_stand_on_one_page(html, page):
    assert page.wrong == [] and page.open == []
    assert len(page.ids) == len(set(page.ids))
    inner = {link[1:] for link in page.links if link.startswith("#")}
    assert inner <= set(page.ids)
    for name in ("russia", "kosovo", "gaza_by_age_and_sex", "split", "evil", "two", "none"):
        assert {name, f"{name}-answer"} <= inner
    assert html.count('class="study"') == 7


def test_the_studies_are_listed_first_with_their_answers(html):
    text = section(html, "studies")
    assert "Seven studies" in text and "the models disagree" in text
    assert "cannot be estimated" in text
    assert html.index('id="studies"') < html.index('id="russia"')


def test_one_study_needs_no_list_of_studies(study_of):
    release = study_of("kosovo")
    page = Reader(release.report())
    assert "studies" not in page.ids and "kosovo-lists" in page.ids
    assert [link for link in page.links if link == "#kosovo-checks"]


def test_it_needs_no_network_and_no_script(html, page):
    assert not {"script", "iframe", "object", "embed", "form"} & page.tags
    assert page.loads and all(address.startswith("data:image/svg+xml;base64,") for address in page.loads)


def test_every_image_says_what_it_shows_with_numbers(page):
    for image in page.images:
        assert len(image["alt"]) > 60 and re.search(r"\d", image["alt"]), image["alt"]


def test_figures_are_made_smaller_and_stay_pictures(finished_lists, html):
    import base64
    from xml.dom import minidom

    embedded = re.findall(r'base64,([^"]+)"', html)
    assert all(minidom.parseString(base64.b64decode(one)).documentElement.tagName == "svg" for one in embedded)
    written = finished_lists.case("kosovo") / "figures" / "headline.svg"
    assert any(len(base64.b64decode(one)) < 0.9 * written.stat().st_size for one in embedded)
    # The scale of letters is no number to round.
    assert b"scale(0.085 -0.085)" in b"".join(map(base64.b64decode, embedded))


def test_the_same_tables_give_the_same_report(finished_lists, html):
    assert finished_lists.report() == html


# The answer


def test_the_answer_stands_first_and_follows_the_table(study_of):
    release = study_of("kosovo")
    before = section(release.report(), "kosovo-answer")

    def doubled(rows):
        whole = (rows["quantity"] == "total") & (rows["stratum"] == "") & (rows["model"] == "average")
        rows.loc[whole, ["median", "lower", "upper"]] *= 2
        return rows

    release.change("kosovo", "estimates", doubled)
    after = section(release.report(), "kosovo-answer")
    numbers = [re.search(r"The estimate is ([0-9,]+) people killed in all", text)[1] for text in (before, after)]
    first, second = (int(number.replace(",", "")) for number in numbers)
    assert second == pytest.approx(2 * first, rel=0.05)
    assert "On at least one of the four lists stand 4,400 of them" in before


def test_where_the_models_disagree_the_first_sentence_says_so(html):
    text = section(html, "split-answer")
    assert text.strip().startswith("The models disagree about the number of people killed")
    assert text.index("disagree") < text.index("Averaged, the estimate is")
    for model in ("log-linear", "latent classes", "decomposable graphs"):
        assert re.search(rf"{model} [0-9,]+ \(95.% interval", text), model
    assert "What the disagreement means" in text
    assert "disagree" not in section(html, "kosovo-answer")


def test_a_model_whose_checks_failed_has_no_voice_in_the_disagreement(study_of):
    release = study_of("split")
    reason = "its chains did not find the same answer"

    def failed(rows):
        rows.loc[1, ["passed", "weight", "reason"]] = [False, 0.0, reason]
        return rows

    release.change("split", "checks/weights", failed)
    html = release.report()
    first = section(html, "split-answer").split("Averaged")[0]
    assert "latent classes" not in first and "decomposable graphs" in first
    assert re.search(rf"Latent classes 0.% .* failed : {reason}", section(html, "split-models"))


def test_without_an_answer_there_is_a_reason_and_no_number(html):
    text = section(html, "none-answer")
    assert "cannot be estimated from these lists: nobody is on two lists" in text
    assert "On at least one of the four lists stand 4,400 of them" in text
    assert "The estimate is" not in text and "interval runs" not in text
    dial = section(html, "none-dial")
    assert "the number cannot be estimated (nobody is on two lists)" in dial


def test_two_lists_have_no_refits(html):
    assert "Neither of two lists can be left out" in section(html, "two-hangs")
    assert "Two lists say nothing about how they depend on each other" in section(html, "two-how")
    assert "the draws are independent of each other" in section(html, "two-checks")


def test_studies_of_the_same_people_name_each_other(finished_lists, tmp_path):
    release = finished_lists.copy(tmp_path / "release")
    config = release.provenance["config"]
    config["cases"]["kosovo"]["same_people_as"] = ["split", "gaza_by_month"]
    config["cases"]["split"]["same_people_as"] = ["kosovo", "none"]
    release.write_provenance(config=config)
    html = release.report()
    text, of_others = section(html, "kosovo-answer"), section(html, "split-answer")
    other = re.search(r"The estimate is (\S+) ", section(html, "kosovo-answer"))[1]
    assert text.count("do not add them") == 1 and of_others.count("do not add them") == 2
    assert f"{config['cases']['kosovo']['title']} : {other} (" in of_others
    medians = [
        open_tables(name, config["cases"][name], release.case(name)).total["median"] for name in ("kosovo", "split")
    ]
    moved = words.signed_percent(medians[1] / medians[0] - 1).replace("\u202f", " ")
    assert f"changes the median by {moved}" in text
    assert "no number can be given there" in of_others
    # The study that is in no run of this release is not mentioned.
    assert "by month" not in text
    assert section(html, "studies").count("do not add the two") == 3


# Lists, models, strata


def test_lists_and_sources_have_their_descriptions(html):
    text = section(html, "kosovo-lists")
    assert "the list of exhumations 1,910 1,131" in text
    assert "P. Ball et al." in text and "Killings and refugee flow in Kosovo" in text
    assert "1,182 (26.9 %) are on two lists or more" in text


def test_models_older_methods_and_published_estimates_stand_in_tables(html):
    text = section(html, "kosovo-models")
    assert "Average of the models – " in text and "Log-linear 55 %" in text
    assert "Chao’s lower bound 9,680" in text and "8,800 to no end" in text
    assert "B near-complete count Kosovo Memory Book, for the same period, as quoted by HRDAG 10,401 –" in text
    theirs, programs = text.index("What others published"), text.index("Other software, run for this project")
    assert theirs < text.index("Of two published estimates, A and B lie ") < programs
    assert (
        programs
        < text.index("Of four estimates by other software, C, D, E and F lie ")
        < text.index("C log-linear, best")
    )
    assert "nobody published these numbers" in text


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((np.nan, 10_000, 13_000), "The published estimate (A, its range) lies within our"),
        ((np.nan, 10, 13_000), "The published estimate (A, its range) lies partly within our"),
        ((np.nan, 10, 20), "The published estimate (A, its range) lies below our"),
        ((10**7, np.nan, np.nan), "The published estimate (A) lies above our"),
        ((np.nan, np.nan, np.nan), ""),
    ],
)
def test_a_range_without_a_number_is_compared_too(finished_lists, numbers, said):
    config = finished_lists.provenance["config"]["cases"]["kosovo"]
    tables = open_tables("kosovo", config, finished_lists.case("kosovo"))
    table = tables.evidence("published_estimates").iloc[:1].copy()
    table.loc[:, ["estimate", "lower", "upper"]] = numbers
    tables._read["evidence/published_estimates"] = table
    found = in_words(tables)
    assert found[True] == "" and found[False].startswith(said) and bool(found[False]) == bool(said)


def test_who_cannot_see_the_models_is_told_of_older_methods_and_of_other_software(finished_lists, html):
    alt = next(image["alt"] for image in Reader(html).images if "Chao" in image["alt"])
    assert "then by older methods, then as others published it, then by other software, run for this project" in alt
    assert "Chao’s lower bound, an older method, 9,680 (9,240 to 10,120)" in alt
    assert "A, published by Ball et al. 2002, 10,356" in alt and "published by Rcapture" not in alt


def test_fewer_latent_classes_than_usual_are_said_with_the_reason(html):
    for anchor in ("gaza_by_age_and_sex-how", "gaza_by_age_and_sex-models"):
        text = section(html, anchor)
        assert "five at most, in place of ten" in text and "the chains did not agree within the sweeps" in text
    assert "in place of ten" not in section(html, "kosovo-models")


@pytest.mark.parametrize(("highest", "said"), [(0.81, True), (0.5, False)])
def test_scores_are_said_to_be_unreliable_where_pareto_k_is_high(study_of, highest, said):
    release = study_of("kosovo")
    release.change("kosovo", "checks/weights", lambda rows: rows.assign(worst_pareto_k=[0.3, highest, 0.4]))
    text = section(release.report(), "kosovo-models")
    assert ("The scores cannot be relied on." in text) == said
    assert ("for 1 of 2 counts by latent classes (up to 0.81). So differences" in text) == said
    assert ("they can be relied on" in text) != said


def test_every_stratum_that_differs_from_the_published_has_a_sentence(study_of):
    release = study_of("gaza_by_age_and_sex")

    def moved(rows):
        one = (rows["stratum"] == "male, 45-59") & (rows["quantity"] == "total") & (rows["model"] == "average")
        rows.loc[one, ["median", "lower", "upper"]] *= 0.25
        return rows

    release.change("gaza_by_age_and_sex", "estimates", moved)
    html = release.report()
    begins = re.search(
        r"Of ten parts with a published estimate, there [\w ]+ where the published number lies outside our interval",
        html,
    ).end()
    sentences = re.findall(r"<li>(.*?)</li>", html[begins : html.index("</ul>", begins)])
    own = [sentence for sentence in sentences if sentence.startswith("Male, 45–59: ")]
    assert len(own) == 1
    assert "the estimate published by Jamaluddine et al. 2025, 2,859, is above our 95\u202f% interval (" in own[0]
    assert own[0].endswith("is below the published interval (2,573 to 3,285).")


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        ((100, 90, 110), ""),
        (
            (130, 120, 140),
            "is above our 95 % interval (80 to 120), and our 100 is below the published interval (120 to 140).",
        ),
        (
            (130, 90, 140),
            "is above our 95 % interval (80 to 120); our 100 is within the published interval (90 to 140).",
        ),
        ((115, 105, 125), "is within our 95 % interval (80 to 120), but our 100 is below the published interval"),
        ((70, np.nan, np.nan), "is below our 95 % interval (80 to 120)."),
        ((110, np.nan, np.nan), ""),
    ],
)
def test_a_difference_is_what_lies_outside_an_interval(published, expected):
    names = dict(zip(("estimate", "lower", "upper"), published, strict=True))
    ours = {"median": 100.0, "lower": 80.0, "upper": 120.0, "inner_lower": 90.0, "inner_upper": 110.0}
    said = difference({"about": "a", "method": "m", "source": "others"} | names, ours, "95 %")
    assert expected in said if expected else said == ""


def test_a_difference_is_true_of_the_numbers_that_are_printed():
    theirs = {"about": "a", "method": "m", "source": "others", "estimate": 10_394, "lower": 8_968, "upper": 12_456}
    ours = {"median": 8_706.0, "lower": 7_400.0, "upper": 13_600.0, "inner_lower": 8_000.0, "inner_upper": 9_900.0}
    said = "within our 95 % interval (7,400 to 13,600), but our 8,706 is below the published interval (8,968 to 12,456)"
    assert said in difference(theirs, ours, "95 %")


def test_a_stratum_without_an_estimate_of_its_own_has_the_reason(html):
    assert "not estimable alone: nobody is on two lists" in section(html, "evil-strata")
    assert "tiny nobody is on two lists decomposable graphs" in section(html, "evil-checks")


def test_people_whose_stratum_is_not_known_are_mentioned(html):
    assert "Of 1,014 people it is not known, or not wholly known" in section(html, "gaza_by_age_and_sex-lists")


def test_structural_zeros_are_put_into_words(study_of):
    release = study_of("gaza_by_age_and_sex")
    provenance = release.provenance
    case = provenance["config"]["cases"]["gaza_by_age_and_sex"]
    case["structural_zeros"] = [{"where": {"age": ["60+"]}, "history": {"survey": 1, "hospital": 0, "social_media": 0}}]
    release.write_provenance(config=provenance["config"])
    release.change(
        "gaza_by_age_and_sex",
        "evidence/histories",
        lambda rows: rows[~((rows["age"] == "60+") & (rows["history"] == "010"))],
    )
    expected = "age 60+: nobody can be on survey and not on hospital and not on social_media"
    assert expected in section(release.report(), "gaza_by_age_and_sex-lists")


# The dial, the refits, the checks


def test_the_dial_says_where_published_estimates_need_it(html, finished_lists):
    text = section(html, "kosovo-dial")
    assert "At ×1 stand the models as they are" in text
    for letter in "ABCDEF":
        assert re.search(rf"\b{letter} .* [×÷]1(\.\d+)? [+−]?0(\.\d\d)?", text), letter


def test_a_published_estimate_of_no_more_than_the_seen_is_nowhere_on_the_dial(html):
    text = section(html, "evil-dial")
    assert text.count("nowhere: not more than the people on the lists") == 2


def test_three_lists_without_one_are_said_to_be_two(html):
    assert "Here two lists are left, which say nothing" in section(html, "gaza_by_age_and_sex-hangs")
    assert "These refits are by the log-linear model alone" in section(html, "kosovo-hangs")


def test_a_refit_without_an_estimate_has_no_number(study_of):
    release = study_of("kosovo")

    def without_answer(rows):
        numbers = ["median", "lower", "upper", "moved", "r_hat", "ess_bulk"]
        rows.loc[rows["left_out"] == "without EXH", numbers] = np.nan
        return rows

    release.change("kosovo", "checks/sensitivity", without_answer)
    assert "without EXH not estimable – –" in section(release.report(), "kosovo-hangs")


def test_good_studies_open_without_a_warning(study_of):
    html = study_of("kosovo").report()
    assert 'class="warning' not in html
    assert "Yes: all 6 checks passed." in section(html, "kosovo-checks")


def _with_one_failed(study_of, weight):
    release = study_of("kosovo")
    release.change("kosovo", "checks/convergence", _failing("loglinear: divergences"))
    release.change("kosovo", "checks/weights", lambda rows: rows.assign(weight=[weight, 0.3, 0.15]))
    return release.report()


def test_a_model_in_the_average_that_has_not_converged_is_said_first(study_of):
    html = _with_one_failed(study_of, 0.55)
    text = Reader(html).text
    assert 'class="warning' in html and 'class="warning stop"' not in html
    said = text.index("Log-linear: one check of convergence failed; 55 % of the average is its answer")
    assert said < text.index("The estimate is")


def test_a_model_without_weight_that_has_not_converged_is_said_without_a_warning(study_of):
    html = _with_one_failed(study_of, 0.0)
    assert 'class="warning' not in html
    said = "Log-linear: one check of convergence failed; it has no part in the average"
    assert said in section(html, "kosovo-answer")


def test_if_no_model_has_converged_nothing_may_be_quoted(study_of):
    release = study_of("kosovo")
    release.change("kosovo", "checks/convergence", _failing("loglinear: divergences", "latent_class: divergences"))
    release.change("kosovo", "checks/weights", lambda rows: rows.assign(passed=[True, True, False]))
    html = release.report()
    assert html.index('class="warning stop"') < html.index("<h1>")
    assert "Do not quote any number of this report" in Reader(html).text


def _failing(*checks):
    def change(rows):
        rows.loc[rows["check"].isin(checks), ["seen", "passed"]] = [7.0, False]
        return rows

    return change


def test_counts_that_no_model_expects_are_said_first(study_of):
    release = study_of("kosovo")

    def wrong(rows):
        rows.loc[2, ["observed", "p_value", "passed"]] = [9000.0, 0.0001, False]
        return rows

    release.change("kosovo", "checks/predictive", wrong)
    html = release.report()
    text = Reader(html).text
    assert text.index("Of 57 comparisons of models with counts, 1 are not") < text.index("The estimate is")
    assert "EXH and ABA 9,000" in section(html, "kosovo-checks")


def test_verdicts_are_put_into_words(study_of):
    release = study_of("kosovo")
    verdicts = ["prior and data conflict", "robust", "the prior matters"]
    release.change("kosovo", "checks/power_scaling", lambda rows: rows.assign(verdict=verdicts))
    text = section(release.report(), "kosovo-hangs")
    assert "Prior and data conflict : prior and lists pull the answer in different directions" in text
    assert "Robust: the answer hardly follows the prior" in text
    assert "The prior matters: the answer follows the prior" in text


def test_a_sensitivity_that_is_not_to_be_had_has_the_reason_and_no_number(study_of):
    release = study_of("kosovo")

    def broken(rows):
        return rows.assign(prior=[np.nan, 0.1, 0.1], verdict=["not to be had", "robust", "robust"])

    release.change("kosovo", "checks/power_scaling", broken)
    text = section(release.report(), "kosovo-hangs")
    assert "latent classes not to be had 0.31 Not to be had: the measure breaks down here." in text
    assert "too few draws count (Pareto k above 0.7)" in text


def test_a_pareto_k_that_is_not_to_be_had_counts_as_high(study_of):
    release = study_of("kosovo")
    release.change("kosovo", "checks/pareto_k", lambda rows: rows.assign(pareto_k=[np.nan, 0.1, 0.2, 0.3, 0.4, 0.5]))
    text = section(release.report(), "kosovo-checks")
    assert "log-linear 2 1 not to be had EXH and ABA and OSCE and HRW 27" in text
    assert "latent classes 2 0 0.30" in text


def test_long_tables_of_predictions_show_the_worst(html):
    text = section(html, "gaza_by_age_and_sex-checks")
    assert "those by number of lists, and those that fit worst" in text


# The study's own table, what moves the answer, and calibration


def test_the_test_on_the_own_table_counts_what_held_and_names_what_did_not(html):
    text = section(html, "kosovo-own")
    # Of four lists one has no estimate, and one is far too low.
    assert "By the average of the models, the 50 % interval held none of three counts, the 80" in text
    assert "It missed OSCE: 500 counted, 250 estimated" in text
    assert "For ABA the others give no estimate: none of its people is on two of the other lists." in text
    assert "ABA 400 200 – not estimable: none of its people is on two of the other lists" in text
    assert "For EXH, ABA was not used: nobody who is on EXH and on ABA is on a further list" in text


def test_the_person_who_moves_most_is_one_whose_weights_can_be_trusted(study_of):
    release = study_of("kosovo")
    release.change("kosovo", "checks/last_person", lambda rows: rows.assign(moved=[0.5, -0.03] * (len(rows) // 2)))
    text = section(release.report(), "kosovo-own")
    assert "It moves most without one of the 26 on EXH and ABA and OSCE and HRW" in text
    assert "−3.0" in text and "one combinations" not in text


def test_simulated_tables_say_how_often_intervals_held_with_the_error_of_so_few(html):
    text = section(html, "kosovo-own")
    assert "Of five such tables, the 50 % interval held the number in" in text and "±" in text
    assert "A further one could not be estimated." in text
    assert "No table was simulated" in section(html, "none-own")


@pytest.mark.parametrize(("held", "too_narrow"), [(16, True), (19, False)])
def test_intervals_that_hold_too_seldom_are_said_to_be_too_narrow(study_of, held, too_narrow):
    release = study_of("gaza_by_age_and_sex")

    def change(rows):
        many = pd.concat([rows.iloc[:1]] * 20, ignore_index=True).assign(number=range(20), held_80=True)
        return many.assign(held_95=pd.array([number < held for number in range(20)], dtype="boolean"))

    release.change("gaza_by_age_and_sex", "checks/parametric", change)
    text = section(release.report(), "gaza_by_age_and_sex-own")
    assert ("The intervals are too narrow for tables like this one." in text) == too_narrow
    assert ("the intervals are wide enough for tables like this one" in text) != too_narrow
    assert ("so few of the 95 % intervals, or fewer, would hold in 1.6 % of all such series" in text) == too_narrow
    assert "The model that was tested is the log-linear model, with all parts added up. It is not the average" in text


def test_of_two_lists_no_list_is_a_population_of_its_own(html):
    text = section(html, "two-own")
    assert "One list says nothing about people who are not on it" in text
    assert "Which people decide the answer?" in text


def test_the_largest_move_that_can_be_trusted_is_told(study_of):
    release = study_of("kosovo")

    def change(rows):
        rows.loc[rows["item"] == "coverage", "moved"] = [3.0, 3.0, 0.2, -0.1]
        return rows

    release.change("kosovo", "checks/tornado", change)
    text = section(release.report(), "kosovo-hangs")
    assert "Of the priors, it is “prior: coverage”, one sd lower: by +20" in text
    assert "what that prior does is not known: coverage (half as wide, twice as wide)." in text
    assert "all of them keep these" in text and "left out or merged" in text
    assert "not to be had" in text  # what more weight of the prior would do, by one of the models


def test_refits_that_miss_the_limits_of_the_answer_are_named_with_the_reason(study_of):
    release = study_of("kosovo")

    def missed(rows):
        return rows.assign(trusted=rows["trusted"] & (rows["item"] != "EXH and ABA merged"))

    def unsettled(rows):
        rows.loc[rows["left_out"] == "EXH and ABA merged", ["r_hat", "ess_bulk"]] = [1.013, 250.0]
        return rows

    release.change("kosovo", "checks/tornado", missed)
    release.change("kosovo", "checks/sensitivity", unsettled)
    text = section(release.report(), "kosovo-hangs")
    assert "(R-hat of 1.01 at most, 400 effective draws at least): EXH and ABA merged." in text
    assert "R-hat 1.013, 250 effective draws" in text and "EXH and ABA merged merged" in text
    assert "or the calculation misses the limits that hold for the answer" in text


def test_what_moves_the_answer_stands_in_the_order_of_its_size(html):
    text = section(html, "kosovo-hangs")
    table = text[text.index("Each change, and the median before and after it") : text.index("Does the answer follow")]
    moves = [float(found.replace("−", "-")) for found in re.findall(r"([+−]\d+(?:\.\d)?) % \d", table)]
    assert len(moves) > 15 and moves == sorted(moves, key=abs, reverse=True)
    assert "The median from which the priors move, 11,000, is that of all draws" in text


CALIBRATED = """\
model,kind,lists,populations,answered,coverage_50,coverage_95,error_95,width,too_low
average,all,4,40,40,0.55,0.925,0.04,0.69,0.05
average,independent,4,20,20,0.5,0.95,0.05,0.5,0.0
average,only_missed,4,20,20,0.2,0.4,0.11,0.8,0.1
loglinear,all,4,90,90,0.5,0.9,0.03,1.1,0.05
average,all,all,99,99,0.1,0.11,0.03,1.1,0.05
"""


def calibrated(release, table=CALIBRATED):
    """Publish a calibration, and write the report with it."""
    file = release.folder / "docs" / "calibration" / "table.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(table)
    release.write_provenance(inputs={str(file): "ab" * 32})
    return release.report()


def test_the_calibration_of_as_many_lists_is_shown(study_of):
    page = calibrated(study_of("kosovo"))
    answer = section(page, "kosovo-answer")
    assert re.search(
        r"the 50 % interval from [0-9,]+ to [0-9,]+\. How often such intervals hold", answer.replace("\u202f", " ")
    )
    assert "held the number in 40 ± 11 % of 20 populations; its upper end was ×2.2 the lower" in section(
        page, "kosovo-assumed"
    )
    text = section(page, "kosovo-own")
    assert "four lists, as here" in text
    assert "in at least" not in text and "less often than in 90 % of the populations of such kinds: only missed" in text
    assert "Average of the families 40 55 % 92 ± 4 % 5 % ×2.0" in text
    assert "Log-linear with shrinkage 90" in text and "11 ±" not in text
    assert "Only missed 20 20 % 40 ± 11 %" in text


def test_without_a_calibration_for_so_many_lists_there_is_a_sentence(study_of):
    assert "has no population of two lists" in section(calibrated(study_of("two")), "two-own")
    release = study_of("kosovo")
    assert "No calibration is published with this copy" in section(release.report(), "kosovo-own")


def test_a_calibration_that_lacks_a_column_or_is_gone_is_named(study_of):
    release = study_of("kosovo")
    with pytest.raises(UserError, match="lacks the column 'too_low'"):
        calibrated(release, CALIBRATED.replace(",too_low", ",else"))
    release.write_provenance(inputs={"nowhere/docs/calibration/table.csv": "ab" * 32})
    with pytest.raises(UserError, match="the table of the calibration is missing"):
        release.report()


# Names, and models in full


def test_names_are_text_wherever_they_stand(html, page):
    assert not {"script", "b", "i"} & page.tags
    for name in made_up_lists.EVIL:
        assert " ".join(name.split()) in page.text, name
    assert "<em>People</em> & others" in page.text and "people <killed>" in page.text
    assert "<i>method 0</i> $\\alpha$" in page.text
    assert "without <script>alert(1)</script>" in page.text


def test_each_model_is_described_once_for_all_studies(html, page):
    text = section(html, "models")
    assert html.count("<code>loglinear</code>)") == 1
    for name in ("average", "loglinear", "latent_class", "decomposable", "two_lists", "classical"):
        assert f"( {name} )" in text, name


@pytest.mark.parametrize("model", [*LISTS, "classical"])
def test_the_description_of_every_model_of_lists_becomes_html(model):
    text = modeltext.docstring(model)
    assert importlib.import_module(f"uncounted.models.{model}").__doc__.strip().startswith(text.split("\n")[0])
    html = modeltext.as_html(text)
    assert html.count("<math") == text.count(":math:`") + text.count(".. math::")
    assert ":math:" not in html and ".. math" not in html and "`" not in html and "\\" not in html
    assert Reader(html).wrong == []
