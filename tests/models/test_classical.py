"""Older methods: against published and peers' figures, closed forms and a general optimiser."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import gammaln

from uncounted.evidence.histories import table_from_frame, tabulate
from uncounted.models import classical
from uncounted.report import modeltext

# Killings in Kosovo, 20 March to 22 June 1999 (Ball et al. 2002), cells 1 to 15: EXH, ABA, OSCE, HRW.
KOSOVO = [0, 1131, 845, 177, 936, 228, 217, 181, 306, 106, 31, 18, 123, 42, 32, 27]
# Suspected victims of modern slavery in the United Kingdom, 2013 (Bales et al. 2015): LA, NG, PFNCA, GO, GP.
UK = np.zeros(32, dtype=np.int64)
UK[[1, 2, 4, 8, 16, 3, 5, 9, 6, 10, 18, 12, 20, 24, 7, 11, 14, 15]] = [
    54,
    463,
    995,
    695,
    316,
    15,
    19,
    3,
    62,
    19,
    1,
    76,
    11,
    8,
] + [1, 1, 4, 1]
NAMES = {16: ["EXH", "ABA", "OSCE", "HRW"], 32: ["LA", "NG", "PFNCA", "GO", "GP"], 8: list("ABC"), 4: list("AB")}


def histories_of(*strata, lists=None, **more):
    """Histories of one stratum, or of several, from their counts by cell."""
    lists = lists or NAMES[len(strata[0])]
    rows = [
        {name: cell >> j & 1 for j, name in enumerate(lists)} | {"place": f"p{number}", "count": people}
        for number, counts in enumerate(strata)
        for cell, people in enumerate(counts)
        if people
    ]
    columns = ["place"] if len(strata) > 1 else []
    frame = pd.DataFrame(rows)[[*lists, *columns, "count"]]
    return tabulate(table_from_frame(frame, lists, strata=columns, count="count"), lists, columns, **more)


def answers(*strata, **more):
    return classical.fit(histories_of(*strata, **more)).set_index(["stratum", "method"])


@pytest.fixture(scope="module")
def kosovo():
    return answers(KOSOVO).loc["all"]


@pytest.fixture(scope="module")
def uk():
    return answers(UK).loc["all"]


# Against the peers


def test_kosovo_is_as_published(kosovo):
    best = kosovo.loc["best_bic"]
    assert best.estimate == pytest.approx(10_357, rel=0.001)
    assert (best.lower, best.upper) == pytest.approx((8_994, 12_110), rel=0.001)
    assert best.detail.startswith("[EXH ABA OSCE] [EXH HRW] [OSCE HRW];")
    # Two others have hardly a larger BIC, and another answer: the reader is told.
    assert "3 models within 2 of its BIC give 10,357 to 18,393" in best.detail
    assert kosovo.loc["best_bic_pairs"].estimate == pytest.approx(14_342, rel=0.001)


def test_the_uk_is_as_published(uk):
    assert uk.loc["independence"].estimate == pytest.approx(13_444, rel=0.001)
    assert uk.loc["best_bic_pairs"].estimate == pytest.approx(22_991, rel=0.001)
    interval = uk.loc["best_bic_pairs", ["lower", "upper"]].astype(float)
    assert list(interval) == pytest.approx([17_991, 30_142], rel=0.001)
    assert uk.loc["best_bic"].estimate == pytest.approx(25_311, rel=0.001)
    assert uk.loc["best_bic"].detail.startswith("[LA NG PFNCA] [NG GP] [PFNCA GO];")


def test_the_table_says_what_its_numbers_are(uk):
    assert list(uk.index) == ["independence", "best_bic", "best_bic_pairs", "chao_lower_bound"]
    assert set(uk.index) <= set(classical.LABELS)
    assert (uk.level == 0.95).all()
    assert ((uk.lower < uk.estimate) & (uk.estimate < uk.upper)).all()
    assert "models have no estimate" in uk.loc["best_bic"].detail


# Against other ways to the same number


@pytest.mark.parametrize(("n_lists", "models"), [(2, 1), (3, 8), (4, 113), (5, 6893)])
def test_there_are_as_many_hierarchical_models_as_known(n_lists, models):
    found = classical.hierarchical_models(n_lists)
    assert len(set(found)) == len(found) == models
    for model in found[:: max(1, models // 100)]:
        parts = {p for term in model for p in range(1, term) if p & term == p and p.bit_count() > 1}
        assert parts <= model


def test_three_lists_in_closed_form():
    counts = np.array([0, 40, 25, 9, 30, 12, 8, 5])
    a, b, ab, c, ac, bc, abc = counts[1:].astype(float)
    n = counts.sum()
    every_pair, low, high = classical.log_linear(counts, [3, 5, 6])
    assert every_pair == pytest.approx(n + a * b * c * abc / (ab * ac * bc))
    assert low < every_pair < high
    # The third list against the other two as one: Lincoln and Petersen.
    joint, _, _ = classical.log_linear(counts, [3])
    assert joint == pytest.approx((a + b + ab + ac + bc + abc) * (c + ac + bc + abc) / (ac + bc + abc))


def test_the_fit_is_the_maximum_of_the_likelihood():
    terms = [0, 1, 2, 4, 8, 3, 5, 6, 9, 12]
    design = np.array([[float(cell & term == term) for term in terms] for cell in range(1, 16)])
    seen = np.array(KOSOVO[1:], dtype=float)

    def loss(beta):
        return np.exp(design @ beta).sum() - seen @ design @ beta

    def slope(beta):
        return design.T @ (np.exp(design @ beta) - seen)

    start = np.linalg.lstsq(design, np.log(seen), rcond=None)[0]
    best = minimize(loss, start, jac=slope, method="BFGS", options={"gtol": 1e-4})
    assert classical.log_linear(KOSOVO, terms[5:])[0] == pytest.approx(4400 + np.exp(best.x[0]), rel=1e-4)


def test_the_ends_of_the_interval_have_the_likelihood_that_the_level_says():
    # Independent lists: given N, the terms are at their best where each list has its share of the people.
    counts = np.array([0, 40, 25, 9, 30, 12, 8, 5])
    sizes = np.array([sum(counts[c] for c in range(8) if c >> j & 1) for j in range(3)])

    def profile(people):
        shares = sizes / people
        return (
            gammaln(people + 1)
            - gammaln(people - counts.sum() + 1)
            + (sizes * np.log(shares) + (people - sizes) * np.log1p(-shares)).sum()
        )

    for level, drop in ((0.95, 1.920729), (0.8, 0.821187)):
        _, low, high = classical.log_linear(counts, [], level=level)
        top = max(profile(people) for people in np.linspace(counts.sum() + 1, 600, 20_000))
        assert [profile(low), profile(high)] == pytest.approx([top - drop] * 2, abs=1e-4)


def test_chao_in_closed_form_for_lists_of_one_size():
    counts = np.array([0, 50, 50, 12, 50, 12, 12, 9, 50, 12, 12, 9, 12, 9, 9, 30])
    once, twice = 200, 72
    estimate, low, high = classical.chao_lower_bound(counts)
    assert estimate == pytest.approx(counts.sum() + 3 / 8 * once**2 / twice)
    assert low < estimate < high
    # Those on three lists or more do not enter but as people seen.
    more = np.where(np.bitwise_count(np.arange(16)) > 2, 10 * counts, counts)
    assert classical.chao_lower_bound(more)[0] - more.sum() == pytest.approx(estimate - counts.sum())


# Against a known truth


def simulated(rng, people, probabilities, ease=None):
    chances = np.broadcast_to(probabilities, (people, len(probabilities)))
    if ease is not None:
        chances = 1 / (1 + np.exp(-(np.log(chances / (1 - chances)) + ease[:, None])))
    on = rng.random(chances.shape) < chances
    counts = np.bincount(on @ (1 << np.arange(len(probabilities))), minlength=2 ** len(probabilities))
    counts[0] = 0
    return counts


def test_intervals_of_the_true_model_hold_the_truth():
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(60):
        _, low, high = classical.log_linear(simulated(rng, 800, [0.3, 0.2, 0.25, 0.15]), [], level=0.9)
        held += low <= 800 <= high
    assert 47 <= held <= 60  # 54 are expected


def test_chao_stays_below_where_people_differ():
    rng = np.random.default_rng(4)
    counts = simulated(rng, 40_000, [0.3, 0.25, 0.2, 0.3], ease=rng.normal(0, 1.0, 40_000))
    independent, bound = classical.log_linear(counts, [])[0], classical.chao_lower_bound(counts)[0]
    assert counts.sum() < independent < bound < 40_000


def test_a_million_times_as_many_people():
    once, many = classical.log_linear(KOSOVO, [7, 9, 12]), classical.log_linear(np.array(KOSOVO) * 10**6, [7, 9, 12])
    assert many[0] == pytest.approx(1e6 * once[0], rel=1e-6)
    assert many[1] < many[0] < many[2]
    assert many[2] - many[1] == pytest.approx(1e3 * (once[2] - once[1]), rel=0.1)


# Tables that leave something undetermined


def test_a_pair_that_shares_nobody_is_left_out_with_its_cells():
    counts = np.array([0, 40, 25, 0, 30, 12, 8, 0])
    # With a term for lists A and B, no cell with both is fitted; the rest is as if A and B were one list.
    estimate, _, _ = classical.log_linear(counts, [3])
    assert estimate == pytest.approx(115 + (40 + 25) * 30 / 20)


def test_an_estimate_that_is_not_determined_is_missing():
    counts = np.array([0, 40, 25, 0, 30, 12, 8, 0])
    assert np.isnan(classical.log_linear(counts, [3, 5, 6])).all()
    assert np.isnan(classical.log_linear(counts, [3, 5])[0]) or classical.log_linear(counts, [3, 5])[0] > 115


def test_an_estimate_that_runs_to_infinity_is_missing():
    nobody_twice = np.array([0, 40, 25, 0, 30, 0, 0, 5])
    assert np.isnan(classical.chao_lower_bound(nobody_twice)).all()


def test_the_interval_reaches_far_up_where_few_are_on_two_lists():
    estimate, low, high = classical.log_linear([0, 20, 20, 1, 20, 1, 1, 1], [3, 5, 6])
    assert estimate == pytest.approx(64 + 20**3)
    assert 64 < low < 200 and high > 50 * estimate


def test_a_list_that_did_not_exist_is_left_out():
    three = np.array([people if cell < 8 else 0 for cell, people in enumerate(KOSOVO)])
    possible = np.arange(16) < 8
    estimate = classical.log_linear(three, [3], possible=possible)
    assert estimate == pytest.approx(classical.log_linear(three[:8], [3]))


def test_a_combination_that_cannot_be_is_not_an_observed_zero():
    expected = 5000 * np.array([0.7 if not cell & 1 else 0.3 for cell in range(8)])
    expected *= [0.8 if not cell & 2 else 0.2 for cell in range(8)]
    expected *= [0.6 if not cell & 4 else 0.4 for cell in range(8)]
    counts = np.where(np.arange(8) & 3 == 3, 0, np.round(expected))
    possible = np.arange(8) & 3 != 3
    right, observed = classical.log_linear(counts, [], possible=possible)[0], classical.log_linear(counts, [])[0]
    counts[0] = 0
    assert right == pytest.approx(counts.sum() + expected[0], rel=0.002)
    assert observed > 1.1 * right


# The table of several strata


def test_strata_stand_alone_and_are_added_up():
    other = [0, 30, 20, 10, 15, 7, 5, 2, 12, 6, 4, 2, 3, 2, 1, 1]
    found = answers(KOSOVO, other)
    assert set(found.index.get_level_values("stratum")) == {"p0", "p1", "all"}
    assert found.loc[("p0", "best_bic")].estimate == pytest.approx(10_357, rel=0.001)
    together = classical.log_linear(np.array(KOSOVO) + other, [])
    assert tuple(found.loc[("all", "independence"), ["estimate", "lower", "upper"]]) == pytest.approx(together)
    assert found.loc[("all", "independence")].detail.endswith("strata added up before the fit")


def test_a_stratum_that_says_nothing_is_there_with_the_reason():
    alone = [0, 5, 4, 0, 3, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0]
    found = answers(KOSOVO, alone).loc["p1"]
    assert len(found) == 4 and found[["estimate", "lower", "upper"]].isna().all(axis=None)
    assert (found.detail == "nobody is on two lists").all()


def test_six_lists_are_searched_step_by_step():
    names = [f"L{j}" for j in range(6)]
    rng = np.random.default_rng(6)
    on = rng.random((4000, 6)) < 0.2
    on[:, 3] |= on[:, 1] & (rng.random(4000) < 0.6)
    counts = np.bincount(on @ (1 << np.arange(6)), minlength=64)
    counts[0] = 0
    found = answers(counts, lists=names).loc["all"]
    assert list(found.index) == ["independence", "best_bic_pairs", "chao_lower_bound"]
    assert found.loc["best_bic_pairs"].detail.startswith("[L1 L3] [L0] [L2] [L4] [L5]")
    assert found.loc["best_bic_pairs"].estimate == pytest.approx(4000, rel=0.05)


def test_ten_lists_are_fitted():
    rng = np.random.default_rng(7)
    counts = simulated(rng, 3000, np.linspace(0.05, 0.2, 10))
    found = answers(counts, lists=[f"L{j}" for j in range(10)]).loc["all"]
    assert found.loc["independence"].estimate == pytest.approx(3000, rel=0.1)
    assert found.loc["best_bic_pairs"].estimate == pytest.approx(3000, rel=0.2)


def test_two_lists_have_lincoln_petersen_and_chapman():
    found = answers([0, 60, 40, 20]).loc["all"]
    assert list(found.index) == ["lincoln_petersen", "chapman"]
    assert found.loc["lincoln_petersen"].estimate == pytest.approx(80 * 60 / 20)
    assert found.loc["chapman"].estimate == pytest.approx(81 * 61 / 21 - 1)


def test_the_mean_of_several_tables_is_fitted_and_said_so():
    rows = [
        {"table": table, "weight": weight, "history": "".join(str(cell >> j & 1) for j in range(3)), "count": people}
        for table, weight, counts in ((0, 0.75, [40, 25, 9, 30, 12, 8, 5]), (1, 0.25, [36, 29, 9, 34, 8, 8, 5]))
        for cell, people in enumerate(counts, 1)
    ]
    frame = pd.DataFrame(rows).sort_values(["table", "history"], ignore_index=True)
    found = classical.fit(tabulate(frame, list("ABC"))).set_index("method")
    mean = [0, 39, 26, 9, 31, 11, 8, 5]
    assert found.loc["independence"].estimate == pytest.approx(classical.log_linear(mean, [])[0])
    assert found.loc["independence"].detail.endswith("mean of 2 tables")


def test_the_model_is_stated_in_mathematics_that_the_report_can_set():
    assert modeltext.as_html(modeltext.docstring("classical")).count("<math") > 15
