"""Figures: the same bytes twice, an error where a table is missing, text that stays text."""

import subprocess
import sys

import made_up
import pandas as pd
import pytest

from made_up_release import files_of
from uncounted.errors import UserError
from uncounted.figures import NAMES, answer, checks, draw_case, others, sources, style
from uncounted.figures.tables import open_tables

ALL = NAMES["evidence_synthesis"]


def draw(folder, out):
    draw_case("russia", made_up.russia(), folder, out)
    return files_of(out)


def test_every_figure_is_drawn_twice_with_the_same_bytes(finished_case, tmp_path):
    first = files_of(finished_case / "figures")
    assert sorted(first) == sorted(f"{name}.{suffix}" for name in ALL for suffix in ("svg", "png"))
    assert first == draw(finished_case, tmp_path / "again")
    for name, content in first.items():
        assert b"<dc:date>" not in content, name


@pytest.mark.parametrize(
    "missing",
    ["draws", "estimates", "evidence/named_totals_later"],
)
def test_a_missing_table_is_named_and_leaves_earlier_figures(case_folder, tmp_path, missing):
    out = tmp_path / "figures"
    out.mkdir()
    (out / "headline.svg").write_text("earlier")
    (case_folder / f"{missing}.parquet").unlink()
    with pytest.raises(UserError, match="missing") as failure:
        draw(case_folder, out)
    assert f"{missing}.parquet" in str(failure.value)
    assert (out / "headline.svg").read_text() == "earlier"


@pytest.mark.parametrize(
    ("figure", "missing"),
    [(checks.backtest, "checks/backtest"), (others.published_estimates, "evidence/published_estimates")],
)
def test_no_figure_is_left_blank(case_folder, figure, missing):
    (case_folder / f"{missing}.parquet").unlink()
    with pytest.raises(UserError, match="missing"), style.applied():
        figure(open_tables("russia", made_up.russia(), case_folder))


def test_a_missing_column_is_named(case_folder):
    file = case_folder / "checks" / "sensitivity.parquet"
    pd.read_parquet(file).drop(columns="moved").to_parquet(file)
    with pytest.raises(UserError, match="lacks the column 'moved'"):
        checks.sensitivity(open_tables("russia", made_up.russia(), case_folder))


def test_a_quantity_that_was_not_estimated_is_named(case_folder, tmp_path):
    file = case_folder / "estimates.parquet"
    rows = pd.read_parquet(file)
    rows[(rows["quantity"] != "named") | (rows["age"] == "")].to_parquet(file)
    with pytest.raises(UserError, match="no estimate of 'named' by age"):
        draw(case_folder, tmp_path / "figures")


def test_a_table_that_is_no_parquet_is_named(case_folder, tmp_path):
    (case_folder / "draws.parquet").write_text("half a table")
    with pytest.raises(UserError, match="cannot be read"):
        draw(case_folder, tmp_path / "figures")


def test_dollar_signs_in_names_are_text(tables):
    table = tables.backtest.copy()
    table["what"] = r"a $\frac{1}{0}$ in a name_with_underscores"
    tables._read["checks/backtest"] = table
    with style.applied():
        figure = checks.backtest(tables)
        style.rendered(figure)
        titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert r"A $\frac{1}{0}$ in a" in titles[0]


def test_the_headline_says_the_answer_with_its_interval(tables):
    with style.applied():
        figure = answer.headline(tables)
        title = figure.axes[0].get_title(loc="left")
        texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    deaths = tables.one("deaths")
    assert f"{round(deaths['median'], -3):,.0f} estimated" in title
    assert f"{round(deaths['lower'], -3):,.0f} to {round(deaths['upper'], -3):,.0f}" in title
    assert "50,471\nnamed" in texts


def test_what_counts_something_else_has_an_axis_of_its_own(tables):
    with style.applied():
        figure = others.published_estimates(tables)
    counts = tables.evidence("published_estimates")["counts"]
    assert len(figure.axes) == counts.nunique()
    killed = figure.axes[0]
    letters = [text.get_text() for text in killed.texts]
    assert len(letters) == (counts == "killed").sum()
    assert killed.get_ylim()[1] < 200_000


def test_what_was_not_as_expected_is_marked_and_in_the_key(tables):
    def marks(figure):
        return [text.get_text() for text in figure.legends[0].get_texts()]

    with style.applied():
        assert "not as expected" not in marks(sources.predictive(tables))
        table = tables.predictive.copy()
        table.loc[3, "passed"] = False
        tables._read["checks/predictive"] = table
        assert "not as expected" in marks(sources.predictive(tables))


def test_a_persons_own_settings_of_matplotlib_do_not_count(tables):
    import matplotlib

    with style.applied():
        plain = style.rendered(answer.headline(tables))
    with matplotlib.rc_context({"font.size": 20, "axes.grid": True, "svg.fonttype": "none"}), style.applied():
        assert style.rendered(answer.headline(tables)) == plain


def test_the_names_of_the_figures_cost_no_import_of_matplotlib():
    code = "import sys, uncounted.figures; sys.exit('matplotlib' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
