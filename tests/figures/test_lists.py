"""Figures of lists: the same bytes twice, names that stay text, long intervals cut, and reasons where no number is."""

import made_up_lists
import numpy as np
import pandas as pd
import pytest

from made_up_release import files_of
from uncounted.errors import UserError
from uncounted.figures import NAMES, cells, draw_case, families, forest, lists, names_of, own_table, style, tornado
from uncounted.figures.tables import open_tables

KIND = "multiple_systems_estimation"


@pytest.fixture(scope="module")
def studies(finished_lists, tmp_path_factory):
    """The tables of some studies, by name. Not to be changed."""
    configs = finished_lists.provenance["config"]["cases"]
    known = {name: open_tables(name, configs[name], finished_lists.case(name)) for name in configs if name != "russia"}
    folder = tmp_path_factory.mktemp("lists") / "uk_6_lists"
    config, data = made_up_lists.study("uk_6_lists")
    made_up_lists.make_case(folder, config, data, disagrees=True)
    draw_case("uk_6_lists", config, folder, folder / "figures")
    return known | {"uk_6_lists": open_tables("uk_6_lists", config, folder)}


@pytest.fixture
def study(studies):
    """Open the tables of a study anew, so that a test may put other tables in."""

    def fresh(name):
        known = studies[name]
        return open_tables(name, known.config, known.folder)

    return fresh


def texts(figure):
    """All that is written in a figure."""
    written = [text.get_text() for axes in figure.axes for text in axes.texts]
    for axes in figure.axes:
        written += [axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()]
        written += [label.get_text() for label in [*axes.get_yticklabels(), *axes.get_xticklabels()]]
    written += [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    return "\n".join([*written, figure.get_supxlabel(), figure.get_suptitle()])


def drawn(function, tables):
    """Draw a figure, and render it: what cannot be laid out fails here."""
    with style.applied():
        figure = function(tables)
        style.rendered(figure)
    return figure


# Which figures there are


def test_which_figures_there_are_follows_from_lists_and_strata(studies):
    tested = ["held_out_lists", "last_person", "parametric"]
    of_kosovo = ["headline", "overlaps", "dial", "sensitivity", "tornado", *tested, "cells"]
    assert names_of(studies["kosovo"].config) == of_kosovo
    assert names_of(studies["gaza_by_age_and_sex"].config) == NAMES[KIND]
    assert names_of(studies["two"].config) == ["headline", "overlaps", "dial", "tornado", *tested[1:], "cells"]


def test_which_figures_of_a_synthesis_there_are_follows_from_its_config():
    of_all = {"kind": "evidence_synthesis", "services": {"list": "whole"}, "sources": {"named_by_region": {}}}
    of_all |= {"backtest": {"dates": ["2023-07-01"]}, "survival": {}}
    assert names_of(of_all) == NAMES["evidence_synthesis"]
    fewer = names_of({"kind": "evidence_synthesis", "sources": {}})
    asked_for = {"deaths_by_service", "named_by_region", "backtest_dates", "survival"}
    assert set(NAMES["evidence_synthesis"]) - set(fewer) == asked_for


@pytest.mark.parametrize("name", ["gaza_by_age_and_sex", "evil"])
def test_every_figure_is_drawn_twice_with_the_same_bytes(studies, tmp_path, name):
    tables = studies[name]
    first = files_of(tables.folder / "figures")
    assert sorted(first) == sorted(f"{figure}.{end}" for figure in NAMES[KIND] for end in ("svg", "png"))
    draw_case(name, tables.config, tables.folder, tmp_path)
    assert first == files_of(tmp_path)


@pytest.mark.parametrize("name", ["two", "none", "uk_6_lists"])
def test_studies_of_all_shapes_are_drawn(studies, name):
    tables = studies[name]
    assert {file.stem for file in (tables.folder / "figures").iterdir()} == set(names_of(tables.config))


@pytest.mark.parametrize("missing", ["checks/dial", "checks/classical", "evidence/histories", "estimates"])
def test_a_missing_table_is_named(studies, tmp_path, missing):
    import shutil

    folder = shutil.copytree(studies["kosovo"].folder, tmp_path / "kosovo")
    (folder / f"{missing}.parquet").unlink()
    with pytest.raises(UserError, match="missing") as failure:
        draw_case("kosovo", studies["kosovo"].config, folder, tmp_path / "figures")
    assert f"{missing}.parquet" in str(failure.value)
    assert not (tmp_path / "figures").exists()


def test_an_estimate_that_is_missing_without_a_reason_is_an_error(study):
    tables = study("kosovo")
    rows = tables.estimates
    tables._read["estimates"] = rows[rows["model"] != "average"]
    with pytest.raises(UserError, match="no estimate of 'total' by 'average', and no reason why"):
        drawn(families.headline, tables)


# Names


def test_names_are_shown_as_they_are(studies):
    tables = studies["evil"]
    upset, forests = texts(drawn(lists.overlaps, tables)), texts(drawn(families.strata, tables))
    assert "<script>alert(1" in upset and "said \"so\" & 'so'" in upset
    assert "two lines" in upset and "Список $\\frac{1" in upset
    assert "<b>\u202fBold</b>".replace("\u202f", " ") in forests and "ä, & $x_1$" in forests
    assert "$\\alpha$" in texts(drawn(families.headline, tables))


# The overlaps


def test_the_bars_are_the_counts_most_people_first(studies):
    tables = studies["kosovo"]
    figure = drawn(lists.overlaps, tables)
    bars = [bar.get_height() for bar in figure.axes[1].patches]
    assert bars == sorted(bars, reverse=True) and sum(bars) == 4400 and bars[0] == 1131
    assert "1,910" in texts(figure)  # people on the list EXH


def test_combinations_beyond_the_largest_are_one_bar(study):
    tables = study("uk_6_lists")
    histories = [f"{number:06b}" for number in range(1, 64)]
    table = pd.DataFrame({"table": 0, "weight": 1.0, "history": histories, "count": np.arange(163, 100, -1)})
    tables._read["evidence/histories"] = table
    figure = drawn(lists.overlaps, tables)
    bars = [bar.get_height() for bar in figure.axes[1].patches]
    assert len(bars) == lists.MOST_HISTORIES and sum(bars) == table["count"].sum()
    assert f"the last bar: {63 - lists.MOST_HISTORIES + 1} further combinations together" in texts(figure)


def test_of_several_tables_the_mean_by_weight_is_drawn(study):
    tables = study("two")
    one = pd.DataFrame({"history": ["10", "01", "11"], "count": [40, 60, 20]})
    both = [one.assign(table=0, weight=0.25), one.assign(table=1, weight=0.75, count=[48, 52, 20])]
    both = pd.concat(both, ignore_index=True)
    tables._read["evidence/histories"] = both[["table", "weight", "history", "count"]]
    assert dict(tables.counted()) == {"01": 54.0, "10": 46.0, "11": 20.0}
    assert tables.seen == 120


# Models side by side


def test_the_average_stands_on_top_and_published_estimates_below(studies):
    figure = drawn(families.headline, studies["kosovo"])
    labels = [label.get_text().replace("\n", " ") for label in figure.axes[0].get_yticklabels()]
    assert labels[:4] == ["Average of the models", "Log-linear", "Latent classes", "Decomposable graphs"]
    assert labels[4] == "Independent lists"
    assert labels[8:10] == ["A  Ball et al. 2002", "B  Kosovo Memory Book"]
    assert labels[10:] == ["C  Rcapture", "D  SparseMSE", "E  LCMCR", "F  dga"]
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend[-3:] == ["older methods", "published", "other software"]
    total = studies["kosovo"].total
    title = texts(figure)
    assert f"{round(total['median'], -2):,.0f} estimated in all" in title
    assert "disagree" not in title


def test_the_headline_says_that_the_models_disagree(studies):
    assert "The models disagree" in texts(drawn(families.headline, studies["uk_6_lists"]))


def test_a_model_that_failed_its_checks_is_marked(study):
    tables = study("kosovo")
    tables._read["checks/weights"] = tables.weights.assign(passed=[True, False, True])
    written = texts(drawn(families.headline, tables)).replace("\n", " ")
    assert "Latent classes (a check failed)" in written and "Log-linear (a" not in written


def test_without_an_answer_the_headline_gives_the_reason_and_no_number(studies):
    figure = drawn(families.headline, studies["none"])
    written = texts(figure)
    assert "Cannot be estimated: nobody is on two lists" in written
    assert written.count("no estimate: nobody is on two lists") == 4
    assert "estimated in all" not in written


def test_what_goes_on_far_beyond_is_cut_with_an_arrow_and_its_number(studies):
    tables = studies["kosovo"]
    figure = drawn(families.sensitivity, tables)
    axes = figure.axes[0]
    table = tables.sensitivity
    longest = table.loc[table["level"] == 0.95, "upper"].max()
    assert axes.get_xlim()[1] < longest / 3
    assert any(line.get_marker() == ">" for line in axes.lines)
    assert f"to {round(longest, -3):,.0f}" in texts(figure)


def test_an_interval_without_an_end_says_so(studies):
    assert "no upper end" in texts(drawn(families.headline, studies["kosovo"]))


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([(100, 90, 120), (110, 100, 130)], 130),
        ([(100, 90, 120), (110, 100, 5000)], forest.ROOM * 120),
        ([(100, 90, 5000)], forest.ROOM * forest.PEAK * 100),
        ([(100, 90, 120), (110, 100, np.inf)], 120),
        ([(100, 90, 120), (np.nan, np.nan, np.nan)], 120),
    ],
)
def test_where_the_axis_ends(numbers, expected):
    rows = [forest.Row("", dict(zip(("median", "lower", "upper"), own, strict=True))) for own in numbers]
    rows[0].leads = True
    assert forest.end_of(rows) == pytest.approx(expected)


# Strata


def test_strata_have_three_estimates_beside_each_other(studies):
    figure = drawn(families.strata, studies["gaza_by_age_and_sex"])
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels[0] == "female, 0–14" and len(labels) == 10
    diamonds = [line for line in figure.axes[0].lines if line.get_marker() == "D"]
    assert len(diamonds) == 10


def test_a_stratum_that_says_nothing_alone_has_a_reason_and_no_number(studies):
    figure = drawn(families.strata, studies["evil"])
    written = texts(figure).replace("\n", " ")
    assert "not estimable alone: nobody is on two lists" in written


def test_many_strata_are_cut_and_the_rest_counted(study, monkeypatch):
    monkeypatch.setattr(families, "MOST_STRATA", 4)
    figure = drawn(families.strata, study("gaza_by_age_and_sex"))
    assert len(figure.axes[0].get_yticklabels()) == 4
    assert "and 6 smaller strata, in the table" in texts(figure)


# The dial


def test_published_estimates_are_marked_where_the_dial_has_to_stand(studies):
    tables = studies["kosovo"]
    needed = lists.needed_positions(tables)
    assert [row["letter"] for row in needed] == ["A", "B", "C", "D", "E", "F"]
    assert [row["look"] for row in needed] == ["published"] * 2 + ["software"] * 4
    assert needed[1]["name"] == "Kosovo Memory Book" and needed[2]["name"] == "Rcapture"
    published = tables.published_totals.set_index("letter")["estimate"]
    for row in needed:
        assert row["median"] == pytest.approx(published[row["letter"]], rel=0.02)
    figure = drawn(lists.dial, tables)
    assert [line.get_marker() for line in figure.axes[0].lines].count("D") == 2
    assert [line.get_marker() for line in figure.axes[0].lines].count("o") == 4


def test_the_dial_is_labelled_by_what_it_multiplies():
    assert [lists.times(value) for value in (0.0, 1.0, -1.0, 0.04, 3.0)] == ["×1", "×2.7", "÷2.7", "×1.04", "×20"]


def test_with_nobody_missing_the_dial_says_so(study):
    tables = study("kosovo")
    tables._read["checks/dial"] = tables.dial.iloc[:0]
    figure = drawn(lists.dial, tables)
    assert "nobody is missing" in texts(figure).replace("\n", " ")


# Predictions


def test_the_cells_that_fit_worst_are_drawn(studies):
    tables = studies["gaza_by_age_and_sex"]
    items, left = cells.items_shown(tables)
    assert items[:3] == ["1 list", "2 lists", "3 lists"]
    assert len(items) == 3 + cells.MOST_CELLS and left == 70 - cells.MOST_CELLS
    of_cells = tables.predictive[tables.predictive["variable"] == "cell"]
    worst = of_cells.loc[of_cells["p_value"].idxmin(), "item"]
    assert worst in items
    assert "46 further counts" in texts(drawn(cells.cells, tables))


def test_what_was_not_as_expected_is_marked_and_in_the_key(study):
    tables = study("kosovo")
    assert "not as expected" not in texts(drawn(cells.cells, tables))
    table = tables.predictive.copy()
    table.loc[3, ["passed", "observed"]] = [False, 4000.0]
    tables._read["checks/predictive"] = table
    figure = drawn(cells.cells, tables)
    assert "not as expected" in texts(figure)
    wrong = [line for axes in figure.axes for line in axes.lines if line.get_marker() == "X"]
    # It is so far off that it stands at the edge.
    assert len(wrong) == 1 and wrong[0].get_xdata()[0] == figure.axes[0].get_xlim()[1]


def test_an_item_is_parted_at_its_last_colon():
    assert cells.cell_of("a: b, 60+: 0110") == ("a: b, 60+", "0110")
    assert cells.cell_of("2 lists") is None and cells.cell_of("a: b") is None


# The tables


def test_the_only_model_leads_whatever_the_config_calls_it(studies):
    assert studies["two"].config["model"] == "average" and studies["two"].lead == "two_lists"


def test_published_estimates_know_whom_they_are_about(study):
    tables = study("gaza_by_age_and_sex")
    assert tables.published["letter"].tolist() == ["A"] + [""] * 10
    assert tables.published["about"].iloc[1] == "female, 0-14"
    table = tables.evidence("published_estimates").copy()
    table.loc[1, "age"] = ""
    tables._read["evidence/published_estimates"] = table
    del tables.published
    assert tables.published["about"].iloc[1] == "sex: female"
    assert tables.published["letter"].tolist()[:3] == ["A", "B", ""]


def test_a_study_with_strata_needs_no_published_estimates(studies):
    known = studies["gaza_by_age_and_sex"]
    tables = open_tables("gaza_by_age_and_sex", known.config | {"published": None}, known.folder)
    assert tables.published.empty
    for figure in (families.headline, families.strata):
        drawn(figure, tables)


def test_the_sensitivity_needs_the_answer_of_all_lists(study):
    tables = study("kosovo")
    tables._read["checks/sensitivity"] = tables.sensitivity[tables.sensitivity["left_out"] != ""]
    with pytest.raises(UserError, match="no row with all lists"):
        drawn(families.sensitivity, tables)


# The study's own table


def test_a_list_that_the_others_miss_is_red_and_one_without_an_estimate_says_why(studies):
    figure = drawn(own_table.held_out_lists, studies["kosovo"])
    written = texts(figure)
    assert "95\u202f% interval misses it" in written
    assert "none of its people is on two of the other lists" in written.replace("\n", " ")
    assert "EXH\n300 counted" in written
    colours = {patch.get_facecolor() for patch in figure.axes[0].patches}
    assert len(colours) == 4  # two shades for those that hold, two for the one that misses


def test_cells_whose_weights_fail_are_hollow(studies):
    figure = drawn(own_table.last_person, studies["kosovo"])
    fills = [patch.get_facecolor()[:3] for patch in figure.axes[0].patches]
    assert fills.count((1.0, 1.0, 1.0)) == 1 and len(fills) == 2
    assert "not to be trusted" in texts(figure)


def test_the_largest_moves_stand_on_top_and_a_doubtful_prior_has_a_question_mark(studies):
    tables = studies["kosovo"]
    items, left = tornado.items_shown(tables.tornado)
    sizes = tables.tornado.assign(size=tables.tornado["moved"].abs()).groupby(["kind", "item"])["size"].max()
    shown = [sizes[item] for item in items]
    assert shown == sorted(shown, reverse=True)
    # Of the ten fits without a list or with two merged, the one that moves least is left to the table.
    assert left == 1 and set(sizes.index) - set(items) == {("source", sizes["source"].idxmin())}
    written = texts(drawn(tornado.tornado, tables))
    assert "(?)" in written and "prior: coverage" in written and "without ABA" in written
    figure = drawn(tornado.tornado, tables)
    assert figure.axes[0].get_xlabel() == "how far the median moves"
    assert figure.get_supxlabel() == "One more in the table"
    assert "left out, or merged" in written


def test_simulated_tables_without_an_estimate_are_not_drawn(studies):
    figure = drawn(own_table.parametric, studies["kosovo"])
    medians = [line for line in figure.axes[0].collections if len(line.get_segments()) == 1]
    assert len(medians) == 5


@pytest.mark.parametrize(
    "figure", [own_table.held_out_lists, own_table.last_person, own_table.parametric, tornado.tornado]
)
def test_without_an_answer_the_figure_says_so(studies, figure):
    written = texts(drawn(figure, studies["none"]))
    assert "Nothing to draw" in written or "No list" in written or "No table" in written
