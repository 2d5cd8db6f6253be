"""Calibration: the small one that every run of the tests does, and the table, page and plan of the full one."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from uncounted.checks import calibration, calibration_plan, synthesis_calibration
from uncounted.checks.calibration import LEVELS, MODELS, SCHEMA, as_table, fit_population, histories_of
from uncounted.checks.calibration_table import EVERY, monte_carlo_error, side_by_side, summarise, verdicts
from uncounted.checks.populations import KINDS, draw_population
from uncounted.errors import UserError
from uncounted.models import classical, each_table, loglinear
from uncounted.report import calibration as page
from uncounted.report import calibration_synthesis as page_of_synthesis

ROOT = Path(__file__).resolve().parents[2]
CONFIG = {
    "kinds": ["independent"],
    "populations": 1,
    "latent_class_share": 0.0,
    "sampling": {
        "loglinear": {"draws": 250, "tune": 250, "chains": 2, "target_accept": 0.85},
        "exact": {"draws": 500, "chains": 2},
    },
    "checks": {"r_hat": 1.05, "ess_reported": 100, "ess_parameter": 20, "divergences": 10, "e_bfmi": 0.1},
}
SETTINGS = calibration.settings_of(CONFIG)


# A wrong model is noticed


def calibrate(kind, number=8):
    """Fit the log-linear model to large populations of one kind, on four lists; the row of the table.

    With so many people intervals are as narrow as the model allows: what is wrong with it shows in few fits.
    """
    rows = []
    for i in range(number):
        population = draw_population(kind, 4, np.random.default_rng([11, i]), total=100_000)
        found = fit_population(population, SETTINGS, i, ("loglinear",), older=False)
        rows += [row | {"lists": 4, "batch": 0, "number": i, "redrawn": 0} for row in found]
    table = summarise(as_table(rows))
    return table[(table["kind"] == kind) & (table["lists"] == EVERY)].iloc[0]


def is_amiss(row):
    """Whether most intervals miss the truth, and miss it on the side on which people are overlooked."""
    return row["coverage_95"] <= 0.5 and row["too_low"] >= 0.5


@pytest.fixture
def mutant(monkeypatch):
    """Put a mutant in the place of a part of the log-linear model, or of what is counted from its draws.

    What is put in the place of what goes in or comes out needs no other compiled model.
    """

    def put(module, name, mutated):
        original = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given: mutated(original, *given))

    return put


def test_the_model_as_it_is_holds():
    by_ease = calibrate("ease")
    assert by_ease["coverage_95"] >= 0.75
    assert by_ease["failed"] <= 0.25
    assert not is_amiss(by_ease)
    independent = calibrate("independent")
    assert independent["too_low"] <= 0.25
    assert not is_amiss(independent)


def test_it_is_noticed_when_people_are_all_alike_to_the_model(mutant, monkeypatch):
    monkeypatch.setattr(loglinear, "_COMPILED", {})
    mutant(loglinear, "_ease", lambda original, *given: 0 * original(*given))
    assert is_amiss(calibrate("ease"))


def test_it_is_noticed_when_the_factor_of_the_unseen_is_forgotten(mutant):
    def forgotten(original, posterior, *rest):
        factor = posterior["ease"].isel(steps=0).values
        return original(posterior.assign(log_odds_unseen=posterior["log_odds_unseen"] - factor), *rest)

    mutant(each_table, "_counted", forgotten)
    assert is_amiss(calibrate("ease"))


def test_it_is_noticed_when_a_list_counts_twice(mutant):
    def twice(original, layout, kinds):
        arrays = original(layout, kinds)
        longest = (layout.counts.sum(axis=0) @ layout.on).argmax()
        return arrays | {"counts": arrays["counts"] * (1 + layout.on[:, longest])}

    # Of few lists that look independent, intervals leave room for a short one that does.
    mutant(loglinear, "evidence", twice)
    assert is_amiss(calibrate("independent"))


# Batches


def test_a_batch_is_written_whole_and_is_the_same_again(tmp_path):
    settings = {"config": CONFIG, "seed": 5, "lists": 4, "batch": 2}
    calibration.run_batch(**settings, out_parquet=tmp_path / "one.parquet")
    calibration.run_batch(**settings, out_parquet=tmp_path / "two.parquet")
    one, two = (SCHEMA.validate(pd.read_parquet(tmp_path / f"{name}.parquet")) for name in ("one", "two"))
    times = ["seconds", "ended"]
    pd.testing.assert_frame_equal(one.drop(columns=times), two.drop(columns=times))
    assert set(one["model"]) == set(MODELS) - {"latent_class", "average"}
    assert one[["lists", "batch", "number", "strata"]].drop_duplicates().values.tolist() == [[4, 2, 0, 1]]
    assert one["passed"].all() and (one["reason"] == "").all()
    assert (one["lower_95"] <= one["lower_80"]).all() and (one["upper_80"] <= one["upper_95"]).all()
    assert (one["lower_50"] <= one["median"]).all() and (one["median"] <= one["upper_50"]).all()
    sampled = one.set_index("model").loc["loglinear"]
    assert 0.9 < sampled["r_hat"] < 1.05 and sampled["ess"] > 100


def test_other_seeds_and_batches_have_other_populations():
    def population(*names):
        return calibration.draw_estimable("ease", 4, np.random.default_rng(calibration.seed_for(*names)))[0]

    totals = {population(seed, "x", batch).total for seed in (1, 2) for batch in ("0", "1")}
    assert len(totals) == 4


def test_strata_of_all_numbers_come_round():
    for lists in (3, 4, 5, 6):
        assert {calibration.strata_of_batch(lists, batch) for batch in range(6)} == {3, 4, 5, 6, 7, 8}
    population, _ = calibration.draw_estimable("strata", 4, np.random.default_rng(1), strata=7)
    assert population.counts.shape == (7, 16)


def test_what_a_study_refuses_is_drawn_again(monkeypatch):
    lonely = np.array([[0, 9, 8, 5, 7, 0, 0, 0]])  # the third list shares nobody
    shared = np.array([[0, 9, 8, 5, 7, 3, 2, 1]])
    tables = iter([lonely, lonely, shared])
    monkeypatch.setattr(
        calibration,
        "draw_population",
        lambda kind, lists, rng: calibration_population(next(tables)),
    )
    population, redrawn = calibration.draw_estimable("sparse", 3, np.random.default_rng(1))
    assert redrawn == 2
    np.testing.assert_array_equal(population.counts, shared)


def calibration_population(counts):
    from uncounted.checks.populations import Population

    return Population("sparse", 100, counts, np.array([100]))


def test_a_fit_that_fails_is_told_and_the_rest_goes_on(monkeypatch):
    def gives_up(*_):
        raise RuntimeError("no way on\nat all")

    monkeypatch.setattr(loglinear, "fit", gives_up)
    population = draw_population("independent", 4, np.random.default_rng(1), total=2_000)
    rows = {row["model"]: row for row in fit_population(population, SETTINGS, 1, ("loglinear", "decomposable"))}
    assert rows["loglinear"]["reason"] == "no way on" and not rows["loglinear"]["passed"]
    assert np.isnan(rows["loglinear"]["median"])
    # The average is then of what is left.
    average = rows["average_without_latent_class"]
    assert average["passed"]
    assert average["median"] == pytest.approx(rows["decomposable"]["median"], rel=0.02)


def test_an_interrupt_in_the_middle_of_a_fit_ends_the_batch(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(loglinear, "fit", interrupted)
    population = draw_population("independent", 4, np.random.default_rng(1), total=2_000)
    with pytest.raises(KeyboardInterrupt):
        fit_population(population, SETTINGS, 1, ("loglinear",))


def test_chains_that_disagree_are_told():
    import xarray as xr

    total = np.concatenate([np.full((1, 200), 1_000), np.full((1, 200), 2_000)]) + np.arange(200)
    posterior = xr.Dataset({"total": (("chain", "draw"), total)})
    fit = type("Fit", (), {"posterior": posterior, "sample_stats": {"diverging": np.ones(20, dtype=bool)}})
    found = calibration.judge_fit(fit, "", SETTINGS["checks"])
    assert not found["passed"]
    assert re.fullmatch(r"R-hat \d+\.\d+, \d effective draws, 20 divergences", found["reason"])
    assert found["divergences"] == 20 and found["lower_95"] < found["median"] < found["upper_95"]


@pytest.mark.parametrize("lists", [3, 4, 6])
def test_older_methods_are_those_of_a_study(lists):
    population, _ = calibration.draw_estimable("pairs", lists, np.random.default_rng(3))
    rows = {row["model"]: row for row in fit_population(population, SETTINGS, 1, ())}
    table = classical.fit(histories_of(population.counts)).set_index("method")
    for method in calibration.OLDER:
        wanted = table.loc["best_bic_pairs" if method == "best_bic" and lists == 6 else method]
        found = [rows[method][name] for name in ("median", "lower_95", "upper_95")]
        assert found == pytest.approx([wanted["estimate"], wanted["lower"], wanted["upper"]], rel=1e-6)
        assert rows[method]["upper_50"] < rows[method]["upper_80"] < rows[method]["upper_95"]


# The table


def made_up(model="loglinear", kind="ease", total=1_000, **changes):
    """One fit that holds the truth, and what is to be different about it."""
    about = {"kind": kind, "lists": 4, "strata": 1, "batch": 0, "number": 0, "redrawn": 0, "total": total, "seen": 500}
    ends = {f"lower_{level}": total / (1 + level / 100) for level in LEVELS}
    ends |= {f"upper_{level}": total * (1 + level / 100) for level in LEVELS}
    found = {"model": model, "median": float(total), "r_hat": 1.0, "ess": 400.0, "divergences": 0, "passed": True}
    return about | ends | found | {"reason": "", "seconds": 2.0, "ended": 100.0} | changes


def summed(rows, **wanted):
    wanted = {"model": "loglinear", "kind": EVERY, "lists": EVERY} | wanted
    table = summarise(as_table(rows))
    for column, value in wanted.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_coverage_bias_width_and_score_by_hand():
    low = {"lower_95": 400.0, "upper_95": 500.0, "median": 500.0}
    found = summed([made_up(), made_up(number=1, **low)])
    assert (found["coverage_50"], found["coverage_95"], found["too_low"]) == (1.0, 0.5, 0.5)
    assert found["bias"] == pytest.approx(np.log(0.5) / 2)
    assert found["rmse"] == pytest.approx(np.log(2) / np.sqrt(2))
    wide = [2 * np.log(1.95), np.log(500 / 400)]
    assert found["width"] == pytest.approx(np.mean(wide))
    # Below the truth by a factor of two: 2 over 5 % for each unit of the logarithm.
    assert found["score"] == pytest.approx((wide[0] + wide[1] + 40 * np.log(2)) / 2)
    assert found["error_95"] == pytest.approx(monte_carlo_error([True, False]))


def test_a_fit_without_an_answer_has_failed_and_counts_in_nothing_else():
    nothing = dict.fromkeys(["median", *(f"{end}_{level}" for level in LEVELS for end in ("lower", "upper"))], np.nan)
    found = summed([made_up(), made_up(number=1, passed=False, reason="no answer", **nothing)])
    assert (found["populations"], found["answered"], found["failed"]) == (2, 1, 0.5)
    assert found["coverage_95"] == 1.0 and found["bias"] == 0.0


def test_an_interval_without_an_upper_end_holds_but_has_no_score():
    found = summed([made_up(), made_up(number=1), made_up(number=2, upper_95=np.inf)])
    assert found["coverage_95"] == 1.0
    assert (found["answered"], found["scored"]) == (3, 2)
    assert found["score"] == found["width"] == pytest.approx(2 * np.log(1.95))


def test_scores_are_of_populations_that_all_models_were_put_to():
    rows = [made_up(), made_up("latent_class"), made_up(number=1, upper_95=9_000.0)]
    found = summed(rows)
    assert (found["populations"], found["scored"]) == (2, 1)
    assert found["score"] == pytest.approx(summed(rows, model="latent_class")["score"])


def test_kinds_and_numbers_of_lists_are_told_apart():
    rows = [made_up(), made_up(kind="pairs", lists=5, upper_95=900.0)]
    assert summed(rows)["populations"] == 2
    assert summed(rows, kind="ease")["coverage_95"] == 1.0
    assert summed(rows, kind="pairs", lists="5")["coverage_95"] == 0.0
    assert summed(rows, lists="4")["coverage_95"] == 1.0


def test_monte_carlo_error():
    assert monte_carlo_error(np.arange(400) < 360) == pytest.approx(np.sqrt(0.9 * 0.1 / 400), rel=0.01)
    assert 0 < monte_carlo_error(np.ones(100, dtype=bool)) < 0.02
    assert np.isnan(monte_carlo_error([]))


def test_fits_a_minute_count_what_ran_side_by_side():
    # Two batches of 10 seconds, at the same time: each fit took 2 seconds, and one came out every second.
    rows = [made_up(batch=b, number=i, ended=2.0 * (i + 1)) for b in (0, 1) for i in range(5)]
    assert side_by_side(as_table(rows)) == pytest.approx(2.0)
    assert summed(rows)["fits_a_minute"] == pytest.approx(60.0)
    later = [row | {"ended": row["ended"] + 100 * row["batch"]} for row in rows]
    assert summed(later)["fits_a_minute"] == pytest.approx(30.0)


def test_verdicts_say_what_is_not_held():
    rows = [made_up("average", kind, number=i) for kind in ("ease", "pairs") for i in range(20)]
    rows += [made_up("average", "sparse", number=i, upper_95=900.0 if i < 10 else 1_100.0) for i in range(20)]
    rows += [row | {"model": "independence", "lower_95": 1.0} for row in rows]
    found = verdicts(summarise(as_table(rows)))
    assert [kind for kind, *_ in found["held"]] == ["ease", "pairs"]
    assert [kind for kind, *_ in found["not_held"]] == found["clearly"] == ["sparse"]
    assert found["better_than"] == ["independence"] and found["worse_than"] == []


# The page and the plan


@pytest.fixture
def config():
    return calibration_plan.read_calibration(ROOT / "config" / "calibration.yaml")


def made_up_worlds():
    """Fits of the synthesis: those of slow naming miss the truth."""
    rows = []
    for kind in synthesis_calibration.KINDS:
        for number in range(4):
            for quantity in synthesis_calibration.RANKED:
                miss = 2.0 if kind == "slow" else 1.0
                ends = {f"{e}_{level}": f for level in LEVELS for e, f in (("lower", 0.9), ("upper", 1.1))}
                about = {"kind": kind, "batch": 0, "number": number, "redrawn": number, "named": 9, "rank": 25 * number}
                seen = {
                    "quantity": quantity,
                    "truth": miss,
                    "median": 1.0,
                    "passed": True,
                    "reason": "",
                    "seconds": 9.0,
                }
                rows.append(about | seen | ends)
    return synthesis_calibration.as_table(rows, 200.0)


def test_the_page_says_what_was_found(tmp_path, config):
    rng = np.random.default_rng(1)
    rows = [
        made_up(model, kind, lists=lists, number=i, upper_95=(900.0 if kind == "only_missed" else 1_100.0) + i)
        for model in MODELS
        for kind in KINDS
        for lists in (3, 4)
        for i in range(3)
    ]
    as_table(rows).to_parquet(tmp_path / "fits.parquet")
    about = {"model": "loglinear", "lists": 4, "strata": 1, "batch": 0, "passed": True, "seconds": 1.0, "truth": 0.0}
    ranked = pd.DataFrame(
        [
            about | {"number": i, "quantity": name, "rank": rank}
            for i in range(40)
            for name, rank in (("total", rng.integers(100)), ("pairs", 99))
        ]
    )
    ranked.to_parquet(tmp_path / "ranks.parquet")
    for again in ("one", "two"):
        page.write_page(
            config=config,
            run="published",
            fits=[tmp_path / "fits.parquet"],
            ranks=[tmp_path / "ranks.parquet"],
            out_folder=tmp_path / again,
        )
    names = [
        "calibration.md",
        *(f"calibration/{n}" for n in ("table.csv", "ranks.csv", "coverage.svg", "ranks_loglinear.svg")),
    ]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    text = (tmp_path / "one" / "calibration.md").read_text()
    assert "nan" not in text.lower().replace("unanswered", "")
    assert "in 8 of the 9 kinds of populations below" in text
    not_held = text[text.index("**Not held.**") : text.index("## All kinds")]
    assert "only missed: 0 ±" in not_held and KINDS["only_missed"].__doc__ in not_held
    assert "| odds ratio of a pair | 40 | 0\u202f% | 0.00025 | **amiss** |" in text
    assert str(config["seeds"]["published"]) in text
    assert_whole(text, tmp_path / "one")


def assert_whole(text, folder):
    """Every link leads to a file, and every row of every table has as many cells as its head."""
    for link in re.findall(r"\]\((calibration/[^)]*)\)", text):
        assert (folder / link).is_file()
    for block in re.findall(r"(?:^\|.*\n)+", text, flags=re.M):
        assert len({line.count("|") for line in block.splitlines()}) == 1
        assert block.splitlines()[1].startswith("|---")


def test_the_page_of_the_synthesis_says_what_was_found(tmp_path, config):
    made_up_worlds().to_parquet(tmp_path / "worlds.parquet")
    worlds = [tmp_path / "worlds.parquet"]
    for again in ("one", "two"):
        page_of_synthesis.write_page(config=config, run="published", worlds=worlds, out_folder=tmp_path / again)
    for name in ("calibration_synthesis.md", "calibration/synthesis.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    text = (tmp_path / "one" / "calibration_synthesis.md").read_text()
    assert "nan" not in text.lower()
    assert "12 worlds in 1 batch" in text and "| fast and slow | 8 |" in text
    assert "**Not held**" in text and "slow 0 ±" in text
    assert "| deaths in all | 4 |" in text and "between 40\u202f% and 90\u202f%" in text
    assert str(config["seeds"]["published"]) in text
    assert_whole(text, tmp_path / "one")


def test_batches_are_named_once_and_grow(config):
    names = calibration_plan.batches_of(config, "published")
    assert len(names) == len(set(names)) == len(config["lists"]) * config["batches"]["published"]
    more = config | {"batches": config["batches"] | {"published": config["batches"]["published"] + 1}}
    assert set(names) < set(calibration_plan.batches_of(more, "published"))
    ranks = calibration_plan.rank_batches_of(config, "published")
    assert len(ranks) == len(set(ranks)) == len(config["ranks"]["models"]) * config["ranks"]["batches"]["published"]
    figures = calibration_plan.figures_of(config)
    assert figures[0] == "coverage" and len(figures) == len(set(figures))
    assert set(figures[1:]) == {f"ranks_{one['model']}" for one in config["ranks"]["models"]}


def test_models_are_judged_by_populations_they_were_not_developed_on(config):
    assert config["seeds"]["development"] != config["seeds"]["published"]
    assert set(config["kinds"]) == set(KINDS)


def test_a_mistake_in_the_config_is_told_with_its_line(tmp_path):
    text = (ROOT / "config" / "calibration.yaml").read_text()
    file = tmp_path / "calibration.yaml"
    for old, new, words in [
        ("kinds: [independent", "kinds: [indepedent", "indepedent"),
        ("populations:", "popultions:", "did you mean"),
        ("chains: 2", "chains: 1", "chains"),
    ]:
        assert old in text
        file.write_text(text.replace(old, new, 1))
        with pytest.raises(UserError, match=r"line \d+") as failure:
            calibration_plan.read_calibration(file)
        assert words in str(failure.value)


def test_worlds_are_fitted_again_for_a_change_of_the_synthesis_alone(config):
    files = set()
    original = calibration_plan.sha256
    try:
        calibration_plan.sha256 = lambda file: files.add(Path(file).name) or original(file)
        calibration_plan.code_of("checks.synthesis_calibration", fitted=["synthesis"])
    finally:
        calibration_plan.sha256 = original
    assert {"synthesis.py", "synthesis_evidence.py", "synthesis_counts.py", "synthesis_calibration.py"} <= files
    assert not files & {"loglinear.py", "latent_class.py", "backtest_dates.py"}
    two = config | {"synthesis": config["synthesis"] | {"batches": {"published": 2}}}
    assert calibration_plan.synthesis_batches_of(two, "published") == ["synthesis_0", "synthesis_1"]


def test_hours_of_fits_hang_on_the_models_and_not_on_other_checks():
    files = set()
    original = calibration_plan.sha256
    try:
        calibration_plan.sha256 = lambda file: files.add(Path(file).name) or original(file)
        assert len(calibration_plan.code_of("checks.calibration")) == 16
    finally:
        calibration_plan.sha256 = original
    wanted = {"calibration.py", "populations.py", "loglinear.py", "latent_class.py", "decomposable.py", "average.py"}
    assert wanted | {"nuts.py", "totals.py", "inference.py", "histories.py", "multiple_systems.yaml"} <= files
    assert not files & {"__init__.py", "sensitivity.py", "synthesis.py", "calibration_table.py", "config.py"}
