"""The average over decomposable graphs: against dga's figures, against sums done by hand, and on known truth."""

import io
import itertools

import networkx
import numpy as np
import pandas as pd
import pytest
from scipy.special import gammaln
from scipy.stats import kstest

from uncounted.errors import UserError
from uncounted.evidence.histories import table_from_frame, tabulate
from uncounted.models import decomposable, decomposable_graphs
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
SETTINGS = {"sampling": {"exact": {"chains": 4, "draws": 1000}}, "unseen_odds": 0}


def histories_of(*strata, lists="ABCD", **more):
    """Histories of one or several strata from their counts by cell."""
    rows = [
        {name: cell >> j & 1 for j, name in enumerate(lists)} | {"place": f"p{number}", "count": people}
        for number, counts in enumerate(strata)
        for cell, people in enumerate(counts)
        if people
    ]
    table = table_from_frame(pd.DataFrame(rows), list(lists), strata=["place"], count="count")
    return tabulate(table, list(lists), ["place"], **more)


def simulated(rng, people, probabilities):
    """Draw a table of independent lists."""
    on = rng.random((people, len(probabilities))) < probabilities
    counts = np.bincount(on @ (1 << np.arange(len(probabilities))), minlength=2 ** len(probabilities))
    counts[0] = 0
    return counts


def expected(people, probabilities):
    """Give the table of independent lists without chance."""
    on = np.arange(2 ** len(probabilities))[:, None] >> np.arange(len(probabilities)) & 1
    counts = np.round(people * np.where(on, probabilities, 1 - np.array(probabilities)).prod(axis=1)).astype(int)
    counts[0] = 0
    return counts


# The graphs


@pytest.mark.parametrize("n_lists", [3, 4, 5, 6])
def test_there_are_as_many_graphs_as_known(n_lists):
    graphs = decomposable_graphs.enumerate_graphs(n_lists)
    assert len(np.unique(graphs.edges)) == len(graphs.edges) == decomposable_graphs.HOW_MANY[n_lists]


def test_the_graphs_are_the_chordal_ones():
    pairs = decomposable_graphs.pairs_of(6)
    graphs = decomposable_graphs.enumerate_graphs(6)
    place = {int(edges): row for row, edges in enumerate(graphs.edges)}
    for edges in range(0, 2**15, 37):
        graph = networkx.Graph(pair for k, pair in enumerate(pairs) if edges >> k & 1)
        graph.add_nodes_from(range(6))
        assert networkx.is_chordal(graph) == (edges in place)
        if edges in place:
            cliques = {sum(1 << j for j in clique) for clique in networkx.find_cliques(graph)}
            assert cliques == {int(clique) for clique in graphs.cliques[place[edges]] if clique}


def test_cliques_and_separators_count_every_list_once():
    graphs = decomposable_graphs.enumerate_graphs(5)
    for j in range(5):
        on = [(sets >> j & 1).sum(axis=1) for sets in (graphs.cliques, graphs.separators)]
        assert (on[0].astype(int) - on[1] == 1).all()


def test_a_graph_that_is_not_decomposable_is_refused():
    circle = sum(1 << k for k, pair in enumerate(decomposable_graphs.pairs_of(4)) if pair not in [(0, 2), (1, 3)])
    with pytest.raises(ValueError, match="not decomposable"):
        decomposable_graphs.elimination_order(circle, 4)


def test_the_cache_is_read_and_when_broken_made_again(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    decomposable_graphs.all_graphs.cache_clear()
    made = decomposable_graphs.all_graphs(4)
    file = tmp_path / "uncounted" / "decomposable_graphs_4.npz"
    whole = file.read_bytes()
    for broken in (b"", b"no archive", whole[: len(whole) // 2], whole[:90] + b"?" + whole[91:]):
        file.write_bytes(broken)
        decomposable_graphs.all_graphs.cache_clear()
        again = decomposable_graphs.all_graphs(4)
        assert (again.edges == made.edges).all() and (again.cliques == made.cliques).all()
        assert np.load(io.BytesIO(file.read_bytes()))["edges"].shape == (61,)
    np.savez(file, edges=made.edges[:5], cliques=made.cliques[:5], separators=made.separators[:5])
    decomposable_graphs.all_graphs.cache_clear()
    assert len(decomposable_graphs.all_graphs(4).edges) == 61


def test_without_a_place_for_the_cache_all_goes_on(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    decomposable_graphs.all_graphs.cache_clear()
    assert len(decomposable_graphs.all_graphs(5).edges) == 822


@pytest.mark.parametrize("n_lists", [2, 8])
def test_other_numbers_of_lists_have_no_graphs(n_lists):
    with pytest.raises(ValueError, match="3 to 7 lists"):
        decomposable_graphs.all_graphs(n_lists)


# The posterior


@pytest.mark.parametrize(
    ("counts", "figures"),
    [(KOSOVO, (9_818, 12_593, 16_557)), (UK, (10_408, 23_016, 33_481))],
    ids=["Kosovo", "UK"],
)
def test_the_figures_of_dga(counts, figures):
    answer = decomposable.posterior(counts, decomposable.dga_grid(np.sum(counts)))
    assert answer.quantile([0.025, 0.5, 0.975]) == pytest.approx(figures, rel=0.005)
    # dga gives the step at which the cumulative probability passes the quantile: the very same numbers.
    steps = answer.unseen[np.searchsorted(np.cumsum(answer.mass), [0.025, 0.5, 0.975])]
    assert tuple(answer.seen + steps) == figures


def test_three_lists_as_summed_by_hand():
    counts = np.array([0, 40, 25, 9, 30, 12, 8, 5])
    n, u = counts.sum(), np.arange(0, 400_001)
    cube = counts.reshape(2, 2, 2)  # axes: list 2, list 1, list 0

    def marginal(*lists):
        return cube.sum(axis=tuple(2 - j for j in range(3) if j not in lists)).ravel()

    def log_probability(cells, alpha):  # of a sequence of people, Dirichlet prior
        rest = sum(gammaln(people + alpha) for people in cells[1:])
        total = gammaln(len(cells) * alpha) - gammaln(n + u + len(cells) * alpha) - len(cells) * gammaln(alpha)
        return gammaln(cells[0] + u + alpha) + rest + total

    one = [log_probability(marginal(j), 1 / 2) for j in range(3)]
    two = {pair: log_probability(marginal(*pair), 1 / 4) for pair in itertools.combinations(range(3), 2)}
    scores = {"[A] [B] [C]": sum(one), "[A B C]": log_probability(counts, 1 / 8)}
    for (i, j), pair in two.items():
        k = 3 - i - j
        scores[f"{i}-{j}"] = pair + one[k]
        others = [other for key, other in two.items() if k in key]
        scores[f"through {k}"] = sum(others) - one[k]
    common = gammaln(n + u + 1) - gammaln(u + 1) - np.log(n + u)
    joint = np.exp(np.array(list(scores.values())) + common - max((s + common).max() for s in scores.values()))
    joint /= joint.sum()
    answer = decomposable.posterior(counts)
    assert np.sort(answer.graph_mass) == pytest.approx(np.sort(joint.sum(axis=1)), rel=2e-3)
    cumulative = np.cumsum(joint.sum(axis=0))
    for quantile in (0.025, 0.5, 0.975):
        assert answer.quantile(quantile) == pytest.approx(n + np.searchsorted(cumulative, quantile), abs=0.6)
    exact = decomposable.posterior(counts, u)
    assert exact.mass == pytest.approx(joint.sum(axis=0), abs=1e-12)


@pytest.mark.parametrize("counts", [KOSOVO, UK], ids=["Kosovo", "UK"])
def test_the_grid_is_fine_enough_and_wide_enough(counts):
    answer = decomposable.posterior(counts)
    every = decomposable.posterior(counts, np.arange(0, 60_000, 1 if len(counts) == 16 else 4))
    for quantile in (0.025, 0.25, 0.5, 0.75, 0.975):
        assert answer.quantile(quantile) == pytest.approx(every.quantile(quantile), rel=1e-3)
    assert answer.graph_mass == pytest.approx(every.graph_mass, abs=1e-4)
    assert answer.mass.sum() == pytest.approx(1) and answer.mass[-1] < 1e-6


def test_the_grid_widens_for_a_table_that_says_little():
    counts = np.array([0, 3, 2, 0, 4, 1, 1, 0])
    answer = decomposable.posterior(counts)
    assert answer.unseen[-1] > 1e6
    assert answer.quantile(0.5) < 1e3


def test_the_cost_does_not_grow_with_the_number_of_people():
    table = np.array(KOSOVO, dtype=np.int64)
    sizes = [len(decomposable.posterior(factor * table).unseen) for factor in (1, 100, 10**4, 10**8)]
    assert max(sizes) < 1000


def test_a_hundred_million_people_are_counted_right():
    rng = np.random.default_rng(5)
    shares = np.array([0.3, 0.2, 0.25, 0.1])
    cells = np.arange(16)[:, None] >> np.arange(4) & 1
    counts = rng.multinomial(10**8, np.where(cells, shares, 1 - shares).prod(axis=1))
    low, high = decomposable.posterior(counts).quantile([0.025, 0.975])
    assert low < 10**8 < high
    assert 2e4 < high - low < 2e5


def test_a_link_that_is_in_the_data_is_found():
    rng = np.random.default_rng(2)
    on = rng.random((3000, 4)) < 0.3
    on[:, 1] |= on[:, 0] & (rng.random(3000) < 0.5)
    counts = np.bincount(on @ (1 << np.arange(4)), minlength=16)
    answer = decomposable.posterior(counts)
    links = answer.link_probability()
    assert links[0, 1] > 0.99 and links[2, 3] < 0.2
    assert (links == links.T).all()
    best = answer.graphs.cliques[answer.graph_mass.argmax()]
    assert decomposable_graphs.cliques_as_text(best, "ABCD") == "[A B] [C] [D]"


def test_intervals_hold_a_known_truth():
    rng = np.random.default_rng(8)
    held = 0
    for _ in range(60):
        answer = decomposable.posterior(simulated(rng, 800, np.array([0.3, 0.2, 0.25, 0.15])))
        low, high = answer.quantile([0.05, 0.95])
        held += low <= 800 <= high
    assert 47 <= held <= 60  # 54 are expected; fewer than 47 one time in five hundred


def test_no_people_no_posterior():
    with pytest.raises(ValueError, match="empty"):
        decomposable.posterior(np.zeros(16))


# The fit


def test_draws_have_the_posterior_that_was_summed():
    draws = decomposable.fit(histories_of(KOSOVO), SETTINGS, seed=3)
    answer = decomposable.posterior(KOSOVO)
    edges = answer.quantile(np.linspace(0, 1, 2001))
    test = kstest(draws.total.values.ravel(), lambda total: np.interp(total, edges, np.linspace(0, 1, 2001)))
    assert test.pvalue > 0.01
    assert (draws.total == 4400 + draws.unseen).all()
    rates = draws.cell_rate.sel(stratum="p0")
    assert list(rates.cell.values[:3]) == ["1000", "0100", "1100"]
    assert rates.sum("cell").mean().item() == pytest.approx(4400, rel=0.002)
    # The graph that has nearly all the probability keeps the table of its largest clique.
    seen = sum(people for cell, people in enumerate(KOSOVO) if cell & 7 == 7)
    of_all_three = rates.sel(cell=["1110", "1111"]).sum("cell")
    assert of_all_three.mean().item() == pytest.approx(seen, rel=0.02)
    assert draws.graph.values[0, 0] == "[A B C] [A C D]"
    assert draws.graph_probability.values[0, 0] == pytest.approx(0.9855, abs=0.0005)
    assert draws.link_probability.sel(list="B", other_list="D").item() < 0.01
    assert (draws.no_answer == "").all()


def test_probabilities_of_cells_are_those_of_the_graph():
    # Independent lists, nearly sure: a person on two lists is as common as the product says.
    counts = 100 * np.array([0, 30, 20, 10, 15, 7, 5, 2, 12, 6, 4, 2, 3, 2, 1, 1])
    answer = decomposable.posterior(counts)
    logs = decomposable._draw_cells(answer, counts, 4000, np.random.default_rng(1))
    assert np.exp(logs).sum(axis=1) == pytest.approx(np.ones(4000))
    graph, unseen = answer.draw(4000, np.random.default_rng(1))
    people = counts + np.where(np.arange(16) == 0, unseen[:, None], 0)
    assert (np.diff(graph) >= 0).all()
    expected = people.mean(axis=0) / people.sum(axis=1).mean()
    # Margins of single lists are those of the table, whatever the graph.
    for j in range(4):
        on = np.arange(16) >> j & 1 == 1
        assert np.exp(logs)[:, on].sum(axis=1).mean() == pytest.approx(expected[on].sum(), rel=0.01)


def test_the_same_seed_gives_the_same_draws_and_another_seed_others():
    histories = histories_of(UK, lists=["LA", "NG", "PFNCA", "GO", "GP"])
    first, again, other = (decomposable.fit(histories, SETTINGS, seed) for seed in (1, 1, 2))
    assert first.identical(again)
    assert not (first.total == other.total).all()
    assert np.median(first.total) == pytest.approx(np.median(other.total), rel=0.1)


def test_draws_are_independent_of_each_other():
    draws = decomposable.fit(histories_of(UK, lists="ABCDE"), SETTINGS, seed=1)
    rank = np.argsort(np.argsort(draws.total.values, axis=1), axis=1)
    following = [np.corrcoef(chain[:-1], chain[1:])[0, 1] for chain in rank]
    assert np.abs(following).max() < 4 / np.sqrt(1000)
    assert np.ptp(draws.total.median("draw").values) < 0.2 * draws.total.std().item()


def test_the_dial_multiplies_the_odds_of_being_on_no_list():
    still = decomposable.fit(histories_of(KOSOVO), SETTINGS, seed=1)
    turned = decomposable.fit(histories_of(KOSOVO), SETTINGS | {"unseen_odds": np.log(2)}, seed=1)
    ratio = turned.unseen.values / still.unseen.values
    assert np.mean(ratio) == pytest.approx(2, rel=0.01)
    assert (turned.cell_rate == still.cell_rate).all()


def test_strata_stand_alone_and_add_up():
    other = simulated(np.random.default_rng(0), 2000, np.array([0.3, 0.2, 0.25, 0.15]))
    both = decomposable.fit(histories_of(KOSOVO, other), SETTINGS, seed=1)
    assert both.total.values == pytest.approx(both.total_by_stratum.sum("stratum").values)
    median = both.total_by_stratum.median(("chain", "draw")).values
    wanted = [decomposable.posterior(counts).quantile(0.5) for counts in (KOSOVO, other)]
    assert median == pytest.approx(wanted, rel=0.02)


def test_a_stratum_that_says_nothing_has_no_answer_and_the_reason():
    alone = [0, 5, 4, 0, 3, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0]
    draws = decomposable.fit(histories_of(KOSOVO, alone), SETTINGS, seed=1)
    assert draws.no_answer.values[0] == "" and draws.no_answer.values[1] == "nobody is on two lists"
    assert np.isfinite(draws.total_by_stratum.sel(stratum="p0")).all()
    for name in ("total_by_stratum", "unseen_by_stratum", "cell_rate", "graph_probability", "link_probability"):
        assert np.isnan(draws[name].sel(stratum="p1")).all()
    assert np.isnan(draws.total).all()


def test_a_list_that_did_not_exist_is_left_out():
    three = [people if cell < 8 else 0 for cell, people in enumerate(KOSOVO)]
    zeros = [{"where": {"place": "p1"}, "lists": ["D"]}]
    draws = decomposable.fit(histories_of(KOSOVO, three, structural_zeros=zeros), SETTINGS, seed=1)
    wanted = decomposable.posterior(KOSOVO[:8]).quantile(0.5)
    assert draws.total_by_stratum.sel(stratum="p1").median().item() == pytest.approx(wanted, rel=0.03)
    rates = draws.cell_rate.sel(stratum="p1")
    assert (rates[..., 7:] == 0).all() and (rates[..., :7] > 0).all()
    assert np.isnan(draws.link_probability.sel(stratum="p1", list="D")).all()
    assert "D" not in str(draws.graph.sel(stratum="p1").values)


def test_a_combination_that_cannot_be_has_no_answer():
    counts = [0 if cell & 3 == 3 else people for cell, people in enumerate(KOSOVO)]
    zeros = [{"history": {"A": 1, "B": 1}}]
    draws = decomposable.fit(histories_of(counts, structural_zeros=zeros), SETTINGS, seed=1)
    assert "do not fit a decomposable graph" in draws.no_answer.item()
    assert np.isnan(draws.total).all()


def test_several_tables_are_mixed_by_weight():
    tables = [expected(3000, [0.5, 0.4, 0.45]), expected(4000, [0.3, 0.25, 0.28])]
    tables[1][1] += tables[0].sum() - tables[1].sum()  # the same people in both
    rows = [
        {name: cell >> j & 1 for j, name in enumerate("ABC")} | {"table": t, "weight": weight, "count": people}
        for t, (counts, weight) in enumerate(zip(tables, (0.75, 0.25), strict=True))
        for cell, people in enumerate(counts)
        if people
    ]
    frame = pd.DataFrame(rows).assign(history=lambda f: f[list("ABC")].astype(str).agg("".join, axis=1))
    frame = frame[["table", "weight", "history", "count"]].sort_values(["table", "history"]).reset_index(drop=True)
    histories = tabulate(frame.astype({"weight": float}), list("ABC"))
    draws = decomposable.fit(histories, SETTINGS, seed=1)
    apart = [decomposable.posterior(counts).quantile(0.5) for counts in tables]
    assert apart[1] > 1.2 * apart[0] > 3000
    nearer_first = np.mean(np.abs(draws.total - apart[0]) < np.abs(draws.total - apart[1])).item()
    assert nearer_first == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize("n_lists", [2, 8])
def test_two_lists_or_eight_are_refused(n_lists):
    counts = np.zeros(2**n_lists, dtype=np.int64)
    counts[1:] = 10
    with pytest.raises(UserError, match=f"3 to 7 lists, and there are {n_lists}"):
        decomposable.fit(histories_of(counts, lists="ABCDEFGH"[:n_lists]), SETTINGS, seed=1)


def test_the_answer_survives_the_disk(tmp_path):
    import xarray as xr

    draws = decomposable.fit(histories_of(KOSOVO), SETTINGS, seed=1)
    draws.to_netcdf(tmp_path / "fit.nc")
    with xr.open_dataset(tmp_path / "fit.nc") as read:
        assert (read.total == draws.total).all()
        assert read.graph.values[0, 0] == draws.graph.values[0, 0]


def test_the_model_is_stated_in_mathematics_that_the_report_can_set():
    html = modeltext.as_html(modeltext.docstring("decomposable"))
    assert html.count("<math") > 20
