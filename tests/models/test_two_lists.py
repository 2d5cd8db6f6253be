"""Two lists: the draws against exact numbers, the special cases, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import dirichlet, kstest, nbinom, norm

from uncounted.errors import UserError
from uncounted.evidence.histories import table_from_frame, tabulate
from uncounted.models import two_lists
from uncounted.report import modeltext


def settings(log_odds_ratio, **more):
    return {"priors": {"log_odds_ratio": log_odds_ratio}, "sampling": {"exact": {"chains": 4, "draws": 2000}}} | more


INDEPENDENT = settings({"distribution": "fixed", "value": 0.0})
NORMAL = settings({"distribution": "normal", "mean": 0.3, "sd": 0.5})


def histories_of(*strata, lists=("first", "second"), **more):
    rows = [
        {name: cell >> j & 1 for j, name in enumerate(lists)} | {"place": f"p{number}", "count": people}
        for number, counts in enumerate(strata)
        for cell, people in enumerate(counts)
        if people
    ]
    table = table_from_frame(pd.DataFrame(rows), list(lists), strata=["place"], count="count")
    return tabulate(table, list(lists), ["place"], **more)


SEEN = [0, 60, 40, 20]


def test_draws_are_those_of_the_exact_posterior():
    draws = two_lists.fit(histories_of(SEEN), INDEPENDENT, seed=1)
    # The shares on a fine grid, and given them the negative binomial: no draw is made here.
    one = (np.arange(400) + 0.5) / 400
    first, second = (axis.ravel() for axis in np.meshgrid(one, one))
    inside = first + second < 1
    first, second = first[inside], second[inside]
    both = 1 - first - second
    weight = dirichlet.pdf([first, second, both], [60.5, 40.5, 20.5])
    likely = weight > 1e-6 * weight.max()
    odds = (first * second / both)[likely]
    weight = weight[likely] / weight[likely].sum()
    unseen = np.arange(0, 800)
    cumulative = np.array([(weight * nbinom.cdf(u, 120, 1 / (1 + odds))).sum() for u in unseen[::5]])
    for quantile in (0.025, 0.25, 0.5, 0.75, 0.975):
        exact = 120 + np.interp(quantile, cumulative, unseen[::5])
        assert np.quantile(draws.total, quantile) == pytest.approx(exact, rel=0.02)


def test_the_mean_is_the_one_in_closed_form():
    draws = two_lists.fit(histories_of([0, 600, 400, 200]), INDEPENDENT, seed=2)
    exact = 1200 * 600.5 * 400.5 / (199.5 * 1201.5)
    error = draws.unseen.std().item() / np.sqrt(8000)
    assert draws.unseen.mean().item() == pytest.approx(exact, abs=4 * error)


def test_the_posterior_of_the_odds_ratio_is_its_prior():
    for counts in (SEEN, [0, 600_000, 400_000, 200_000]):
        draws = two_lists.fit(histories_of(counts), NORMAL, seed=3)
        assert kstest(draws.log_odds_ratio.values.ravel(), norm(0.3, 0.5).cdf).pvalue > 0.01
    # With many people all that is left is what was assumed.
    spread = np.log(draws.unseen).std().item()
    assert spread == pytest.approx(0.5, rel=0.05)
    assert np.log(draws.unseen).mean().item() == pytest.approx(np.log(1.2e6) + 0.3, abs=0.03)


def test_independence_is_close_to_lincoln_petersen_and_chapman():
    draws = two_lists.fit(histories_of([0, 600, 400, 200]), INDEPENDENT, seed=1)
    lincoln, low, high = two_lists.lincoln_petersen(800, 600, 200)
    assert lincoln == 2400
    assert draws.total.median().item() == pytest.approx(lincoln, rel=0.01)
    assert np.quantile(draws.total, [0.025, 0.975]) == pytest.approx([low, high], rel=0.02)
    estimate, low, high = two_lists.chapman(800, 600, 200)
    assert estimate == pytest.approx(801 * 601 / 201 - 1)
    assert low < estimate < high and high - low == pytest.approx(2 * 1.959964 * np.sqrt(14_141.4), rel=0.001)


def test_special_cases_at_the_edge():
    assert np.isnan(two_lists.lincoln_petersen(50, 30, 0)).all()
    estimate, low, high = two_lists.chapman(50, 30, 0)
    assert estimate == 51 * 31 - 1 and low == 80 and high > estimate
    estimate, low, high = two_lists.lincoln_petersen(50, 30, 30)
    assert estimate == 50 and 50 <= low < high < 100
    assert two_lists.chapman(50, 30, 30) == pytest.approx((50, 50, 50))


def test_intervals_hold_the_truth_where_the_assumption_does():
    rng = np.random.default_rng(5)
    prior = settings({"distribution": "normal", "mean": 0.4, "sd": 0.3})
    held = 0
    for seed in range(60):
        odds_ratio = np.exp(rng.normal(0.4, 0.3))
        cells = np.array([odds_ratio * 0.5 * 0.3 / 0.2, 0.5, 0.3, 0.2])
        counts = rng.multinomial(1000, cells / cells.sum())
        truth, counts[0] = counts.sum(), 0
        draws = two_lists.fit(histories_of(counts), prior, seed=seed)
        low, high = np.quantile(draws.total, [0.05, 0.95])
        held += low <= truth <= high
    assert 47 <= held <= 60  # 54 are expected


def test_the_answer_has_the_shape_of_all_models():
    draws = two_lists.fit(histories_of(SEEN, [0, 30, 30, 30]), NORMAL, seed=1)
    assert draws.total.dims == ("chain", "draw") and draws.total.shape == (4, 2000)
    assert draws.cell_rate.dims == ("chain", "kept", "stratum", "cell")
    assert list(draws.cell.values) == ["10", "01", "11"] and list(draws.stratum.values) == ["p0", "p1"]
    assert (draws.total == draws.total_by_stratum.sum("stratum")).all()
    assert (draws.unseen_by_stratum == draws.total_by_stratum - [120, 90]).all()
    middle = draws.cell_rate.mean(("chain", "kept")).values
    assert middle == pytest.approx(np.array([[60, 40, 20], [30, 30, 30]]), rel=0.02)


def test_strata_share_one_odds_ratio():
    draws = two_lists.fit(histories_of([0, 60_000, 40_000, 20_000], [0, 40_000, 40_000, 40_000]), NORMAL, seed=1)
    unseen = draws.unseen_by_stratum.values.reshape(-1, 2)
    assert np.corrcoef(np.log(unseen).T)[0, 1] > 0.95


def test_the_dial_is_a_log_odds_ratio():
    still = two_lists.fit(histories_of([0, 6000, 4000, 2000]), INDEPENDENT, seed=1)
    turned = two_lists.fit(histories_of([0, 6000, 4000, 2000]), INDEPENDENT | {"unseen_odds": 0.5}, seed=1)
    assert turned.unseen.median().item() == pytest.approx(np.exp(0.5) * still.unseen.median().item(), rel=0.005)
    assert (turned.log_odds_ratio == 0).all()


def test_the_same_seed_gives_the_same_draws_and_another_seed_others():
    first, again, other = (two_lists.fit(histories_of(SEEN), NORMAL, seed) for seed in (1, 1, 2))
    assert first.identical(again)
    assert not (first.total == other.total).all()


def test_another_stratum_changes_nothing_in_the_first():
    alone, both = (two_lists.fit(histories_of(*strata), NORMAL, 1) for strata in ([SEEN], [SEEN, [0, 30, 30, 30]]))
    assert (alone.total_by_stratum.sel(stratum="p0") == both.total_by_stratum.sel(stratum="p0")).all()


def test_a_stratum_with_nobody_on_both_lists_has_no_answer():
    draws = two_lists.fit(histories_of(SEEN, [0, 30, 30, 0]), NORMAL, seed=1)
    assert list(draws.no_answer.values) == ["", "nobody is on two lists"]
    assert np.isnan(draws.total).all() and np.isnan(draws.cell_rate.sel(stratum="p1")).all()
    assert np.isfinite(draws.total_by_stratum.sel(stratum="p0")).all()


def test_a_list_that_did_not_exist_has_no_answer():
    zeros = [{"where": {"place": "p1"}, "lists": ["second"]}]
    draws = two_lists.fit(histories_of(SEEN, [0, 30, 0, 0], structural_zeros=zeros), NORMAL, seed=1)
    assert draws.no_answer.values[0] == "" and draws.no_answer.values[1]
    assert np.isnan(draws.unseen_by_stratum.sel(stratum="p1")).all()


def test_people_without_a_stratum_are_spread():
    rows = [("a", 1, 0, 60), ("a", 0, 1, 40), ("a", 1, 1, 20), ("b", 1, 0, 30), ("b", 0, 1, 30), ("b", 1, 1, 10)]
    frame = pd.DataFrame([*rows, ("", 1, 1, 12)], columns=["place", "first", "second", "count"])
    table = table_from_frame(frame, ["first", "second"], strata=["place"], count="count")
    draws = two_lists.fit(tabulate(table, ["first", "second"], ["place"]), NORMAL, seed=1)
    assert (draws.total - draws.unseen == 202).all()
    assert (draws.total_by_stratum - draws.unseen_by_stratum == [128, 74]).all()


def test_nobody_is_unseen_where_all_of_one_list_are_on_the_other():
    counts = [0, 60, 0, 60]
    draws = two_lists.fit(histories_of([0, 60, 40, 60], counts), INDEPENDENT, seed=1).sel(stratum="p1")
    assert draws.unseen_by_stratum.median().item() <= 1


@pytest.mark.parametrize(
    "prior",
    [None, {"distribution": "normal", "mean": 0}, {"distribution": "beta", "alpha": 1, "beta": 1}],
)
def test_a_prior_has_to_be_stated(prior):
    with pytest.raises(UserError, match="the config states no prior") as caught:
        two_lists.fit(histories_of(SEEN), settings(prior), seed=1)
    assert "priors.log_odds_ratio" in str(caught.value)


def test_three_lists_are_refused():
    with pytest.raises(UserError, match="for two lists, and there are 3"):
        two_lists.fit(histories_of([0, 9, 9, 9, 9, 9, 9, 9], lists=("a", "b", "c")), NORMAL, seed=1)


def test_the_model_is_stated_in_mathematics_that_the_report_can_set():
    assert modeltext.as_html(modeltext.docstring("two_lists")).count("<math") > 10
