"""The figure of how soon recruits died: no curve where there is no number, a count of people where there is one."""

import made_up
import pandas as pd
import pytest

from uncounted.errors import UserError
from uncounted.figures import names_of, style
from uncounted.figures.survival import curve, survival
from uncounted.figures.tables import open_tables


def titles(tables):
    with style.applied():
        figure = survival(tables)
        style.rendered(figure)
    return [axes.get_title(loc="left") for axes in figure.axes], figure


def test_no_share_alive_is_drawn_where_it_is_not_known(tables):
    drawn, _ = titles(tables)
    assert [title.split(":")[0] for title in drawn] == ["Wagner", "Wagner", "Defence ministry"]
    assert "alive" in drawn[0] and "alive" not in drawn[2]
    assert curve(tables, "defence_ministry", "weibull", "alive").empty


def test_individual_times_are_drawn_beside_the_laws(tables):
    rows = tables.survival
    counted = rows[(rows["law"] == "weibull") & (rows["quantity"] == "dead_of_named")].assign(law="kaplan_meier")
    tables._read["checks/survival"] = pd.concat([rows, counted])
    _, figure = titles(tables)
    assert "Kaplan–Meier" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_missing_table_is_named(case_folder):
    (case_folder / "checks" / "survival.parquet").unlink()
    with pytest.raises(UserError, match="missing"), style.applied():
        survival(open_tables("russia", made_up.russia(), case_folder))


def test_a_case_that_does_not_ask_has_no_figure():
    config = made_up.russia()
    assert "survival" in names_of(config)
    del config["survival"]
    assert "survival" not in names_of(config)
