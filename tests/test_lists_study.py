"""Whole studies of lists, from the table to the estimates, with models that take no time or few draws."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from uncounted.checks import check_case, judge_case
from uncounted.checks.dial import POSITIONS
from uncounted.config import read_case
from uncounted.errors import UserError
from uncounted.estimates import SCHEMA, collect_estimates, estimate_case
from uncounted.evidence.clean import clean_case
from uncounted.models import fit_case, models_of

CASE = """\
title: A study of lists
kind: multiple_systems_estimation
tables: [lists.csv]
count: count
people: people killed
sampling:
  loglinear: {draws: 300, tune: 300, chains: 2}
  latent_class: {draws: 300, chains: 2, sweeps: 300, sweeps_at_most: 300}
  exact: {draws: 500, chains: 2}
  refits: {draws: 150, tune: 150, chains: 2}
  simulated: {tables: 2, draws: 150, tune: 150, chains: 2}
"""
THREE = """\
where,a,b,c,count
north,1,0,0,300
north,0,1,0,250
north,0,0,1,200
north,1,1,0,60
north,1,0,1,50
north,0,1,1,40
north,1,1,1,12
south,1,0,0,90
south,0,1,0,80
south,0,0,1,70
south,1,1,0,20
south,1,0,1,15
south,0,1,1,12
south,1,1,1,4
"""
NOBODY_SHARED = "east,1,0,0,7\neast,0,1,0,5\neast,0,0,1,2\n"
NOT_KNOWN = ",1,0,0,9\n,1,1,0,4\n"
PUBLISHED = """\
method,source,estimate,lower,upper,level
by hand,Elsewhere 2020,3000,2500,4000,0.95
a guess,Nobody 2021,500,,,
"""


def study(folder, changes, table=THREE, published=""):
    """Run a study as the workflow does; its config, and the tables that it made."""
    (folder / "data").mkdir(parents=True)
    (folder / "data/lists.csv").write_text(table)
    (folder / "case.yaml").write_text(CASE + changes)
    if published:
        (folder / "data/published.csv").write_text(published)
    config = read_case(folder, "case")
    evidence, fits, checks = (folder / name for name in ("evidence", "fits", "checks"))
    for made in (evidence, fits, checks):
        made.mkdir()
    clean_case(config, folder / "data", evidence)
    fit_case(case_name="lists", case_config=config, evidence_folder=evidence, out_folder=fits, seed=1)
    check_case(
        case_name="lists",
        case_config=config,
        evidence_folder=evidence,
        fits_folder=fits,
        out_folder=checks,
        seed=1,
    )
    estimate_case(
        case_name="lists",
        fits={model: fits / f"{model}.nc" for model in models_of(config)},
        out_estimates=folder / "estimates.parquet",
        out_draws=folder / "draws.parquet",
    )
    names = [path.stem for path in checks.iterdir()]
    tables = {name: pd.read_parquet(checks / f"{name}.parquet") for name in names}
    return config, tables | {name: pd.read_parquet(folder / f"{name}.parquet") for name in ("estimates", "draws")}


def estimate(tables, quantity="total", model="decomposable", stratum="", level=0.95):
    rows = tables["estimates"].set_index(["model", "quantity", "stratum", "level"])
    return rows.loc[(model, quantity, stratum, level)]


CHECKS = {
    *("convergence", "predictive", "sensitivity", "dial", "weights", "power_scaling"),
    *("pareto_k", "not_estimable", "strata_alone", "classical"),
    *("tornado", "held_out_lists", "last_person", "parametric"),
}


# One exact model


@pytest.fixture(scope="module")
def exact(tmp_path_factory):
    """Four lists without strata, by graphs."""
    table = "a,b,c,d,count\n" + "".join(
        f"{cell >> 3 & 1},{cell >> 2 & 1},{cell >> 1 & 1},{cell & 1},{int(400 / 3 ** cell.bit_count()) + cell}\n"
        for cell in range(1, 16)
    )
    changes = "lists: [a, b, c, d]\nmodel: decomposable\npublished: published.csv\n"
    return study(tmp_path_factory.mktemp("exact"), changes, table, PUBLISHED)[1]


def test_there_is_a_table_for_every_question(exact):
    assert set(exact) == CHECKS | {"estimates", "draws"}


def test_estimates_are_of_all_people_and_agree_with_the_draws(exact):
    table = SCHEMA.validate(exact["estimates"])
    assert set(table["model"]) == {"decomposable"}
    assert set(table["quantity"]) == {"total", "unseen", "share_seen"}
    assert (table["stratum"] == "").all()
    seen = exact["draws"]["total"] - exact["draws"]["unseen"]
    assert seen.nunique() == 1
    total = estimate(exact)
    np.testing.assert_allclose(
        total[["lower", "median", "upper"]].astype(float), exact["draws"]["total"].quantile([0.025, 0.5, 0.975])
    )
    assert estimate(exact, "unseen")["median"] == total["median"] - seen.iloc[0]
    assert estimate(exact, "share_seen")["median"] == pytest.approx(seen.iloc[0] / total["median"], rel=1e-3)


def test_exact_model_has_nothing_to_converge_and_is_let_through(exact, tmp_path):
    assert exact["convergence"].empty
    assert exact["power_scaling"].empty
    for name in ("convergence", "weights"):
        exact[name].to_parquet(tmp_path / f"{name}.parquet")
    judge_case(
        case_name="lists",
        convergence_parquet=tmp_path / "convergence.parquet",
        weights_parquet=tmp_path / "weights.parquet",
        allow_unconverged=False,
    )
    row = exact["weights"].iloc[0]
    assert (row["model"], row["weight"], row["passed"]) == ("decomposable", 1.0, True)
    assert row["median"] == estimate(exact)["median"]


def test_refits_are_by_the_model_that_the_config_names(exact):
    table = exact["sensitivity"]
    assert len(table) == 2 * (1 + 4 + 6)
    assert table["left_out"].iloc[0] == ""
    assert table["median"].iloc[0] == estimate(exact)["median"]
    assert table.notna().all(axis=None)


def test_dial_passes_through_the_answer_and_the_published_estimate(exact):
    table = exact["dial"]
    assert len(table) == 2 * (len(POSITIONS) + 1)
    middle = table[(table["unseen_odds"] == 0) & (table["level"] == 0.95)].iloc[0]
    assert middle["median"] == estimate(exact)["median"]
    needed = table[table["needed_for"] != ""]
    # The guess is below the number seen.
    assert set(needed["needed_for"]) == {"by hand (Elsewhere 2020)"}
    assert needed["median"].tolist() == pytest.approx([3000, 3000])


def test_model_fits_its_cells_and_older_methods_stand_beside_it(exact):
    assert set(exact["predictive"]["variable"]) == {"cell", "seen_on"}
    assert exact["predictive"]["passed"].all()
    assert len(exact["pareto_k"]) == 15
    assert {"independence", "best_bic", "chao_lower_bound"} <= set(exact["classical"]["method"])


# Strata


def test_stratum_that_cannot_be_estimated_has_a_reason_and_never_a_number(tmp_path):
    changes = "lists: [a, b, c]\nstrata: [where]\nmodel: decomposable\n"
    _, tables = study(tmp_path, changes, THREE + NOBODY_SHARED)
    table = tables["estimates"]
    # Without one of the strata there is no total either.
    assert set(table["stratum"]) == {"north", "south"}
    assert list(tables["draws"].filter(regex="^total").columns) == ["total stratum=north", "total stratum=south"]
    reasons = tables["not_estimable"].set_index("stratum")["reason"]
    assert reasons["east"] == "nobody is on two lists"
    assert "1 of 3 strata" in reasons["all"]
    assert not tables["predictive"]["item"].str.startswith("east").any()
    assert tables["dial"].empty
    assert tables["weights"]["median"].isna().all()
    alone = tables["strata_alone"].query("stratum == 'east'")
    assert alone["median"].isna().all()
    assert set(alone["reason"]) == {"nobody is on two lists"}


def test_two_lists_are_what_is_assumed_of_them(tmp_path):
    table = "where,a,b,count\nx,1,0,90\nx,0,1,80\nx,1,1,30\ny,1,0,50\ny,0,1,40\ny,1,1,12\n"
    config, tables = study(tmp_path, "lists: [a, b]\nstrata: [where]\n", table)
    assert models_of(config) == ["two_lists"]
    assert set(tables["estimates"]["model"]) == {"two_lists"}
    lincoln_petersen = 120 * 110 / 30 + 62 * 52 / 12
    assert estimate(tables, model="two_lists")["median"] == pytest.approx(lincoln_petersen, rel=0.05)
    assert estimate(tables, model="two_lists", stratum="x")["median"] == pytest.approx(120 * 110 / 30, rel=0.05)
    assert tables["sensitivity"].empty
    assert tables["strata_alone"].empty
    assert not tables["dial"].empty


def test_lists_that_share_nobody_stop_the_study(tmp_path):
    table = "a,b,c,count\n1,0,0,30\n0,1,0,20\n0,0,1,10\n"
    with pytest.raises(UserError, match="cannot be estimated: nobody is on two lists"):
        study(tmp_path, "lists: [a, b, c]\n", table)
    assert list(Path(tmp_path / "fits").iterdir()) == []


# The average


@pytest.fixture(scope="module")
def average(tmp_path_factory):
    """Three lists, three strata of which one says nothing alone, and people whose stratum is not known."""
    # So few draws differ from one kind of machine to the next: no bound may hang on them.
    bounds = "{r_hat: 10.0, ess_reported: 1, ess_parameter: 1, divergences: 10000, e_bfmi: 0.0}"
    changes = f"lists: [a, b, c]\nstrata: [where]\nchecks: {bounds}\n"
    return study(tmp_path_factory.mktemp("average"), changes, THREE + NOBODY_SHARED + NOT_KNOWN)[1]


def test_average_leads_and_each_family_that_has_an_answer_stands_beside_it(average):
    totals = average["estimates"].query("quantity == 'total' and stratum == '' and level == 0.95")
    assert totals["model"].tolist() == ["average", "loglinear", "latent_class"]
    assert set(average["weights"]["model"]) == {"loglinear", "latent_class", "decomposable"}
    weights = average["weights"].set_index("model")
    assert weights.loc["decomposable", "weight"] == 0
    assert not weights.loc["decomposable", "passed"]
    assert weights["weight"].sum() == pytest.approx(1)
    low, high = totals["median"].iloc[1:].min(), totals["median"].iloc[1:].max()
    assert 0.95 * low <= totals["median"].iloc[0] <= 1.05 * high


def test_families_that_pool_have_a_number_for_every_stratum(average):
    by_stratum = average["estimates"].query("quantity == 'total' and level == 0.95").set_index(["model", "stratum"])
    assert {"north", "south", "east"} <= set(by_stratum.loc["loglinear"].index)
    assert set(by_stratum.loc["decomposable"].index) == {"north", "south"}
    seen = {"north": 912, "south": 291, "east": 14}
    for name, people in seen.items():
        assert by_stratum.loc[("average", name), "lower"] >= people
    # Nobody is lost whose stratum is not known.
    assert by_stratum.loc[("average", ""), "lower"] >= sum(seen.values()) + 13


def test_checks_are_put_to_each_family(average):
    models = set(average["convergence"]["check"].str.split(": ").str[0])
    assert models == {"loglinear", "latent_class"}
    assert set(average["predictive"]["source"]) == {"loglinear", "latent_class", "decomposable"}
    assert set(average["pareto_k"]["model"]) == {"loglinear", "latent_class", "decomposable"}
    assert set(average["power_scaling"]["model"]) == {"loglinear", "latent_class"}
    assert set(average["not_estimable"]["model"]) == {"decomposable"}


def test_three_lists_are_refitted_as_two_and_strata_alone(average):
    assert list(dict.fromkeys(average["sensitivity"]["left_out"])) == ["", "without a", "without b", "without c"]
    # East has no answer of two lists, and with it nor has the total.
    assert average["sensitivity"].query("left_out != ''")["median"].isna().all()
    alone = average["strata_alone"].set_index(["stratum", "level"])
    assert alone.loc[("north", 0.95), "median"] > 916
    assert alone.loc[("east", 0.95), "reason"] == "nobody is on two lists"


def test_estimates_of_all_kinds_go_into_one_table(average, exact, tmp_path):
    for number, tables in enumerate((average, exact)):
        tables["estimates"].assign(case=f"case {number}").to_parquet(tmp_path / f"{number}.parquet", index=False)
    out = {f"out_{kind}": tmp_path / f"all.{kind}" for kind in ("parquet", "csv", "json")}
    collect_estimates(estimates=[tmp_path / f"{number}.parquet" for number in range(2)], **out)
    assert len(pd.read_parquet(tmp_path / "all.parquet")) == len(average["estimates"]) + len(exact["estimates"])
