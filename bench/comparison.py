"""What was measured of multiple systems estimation, beside what is wanted and what other software does.

The others' figures were measured on one 2-core machine (R 4.2, one thread, the authors' defaults or recommendations)
with LCMCR, dga, Rcapture, MultipleSystemsEstimation and conting.
"""

from dataclasses import dataclass

from uncounted.console import duration

HEADING = "| | wanted | here | others |\n|---|---|---|---|"
MISSED = "**missed**"

NAMES = {
    "kosovo": "Kosovo",
    "uk_5_lists": "UK, 5 lists",
    "uk_6_lists": "UK, 6 lists",
    "gaza_by_age_and_sex": "Gaza by age and sex",
    "gaza_by_month": "Gaza by month",
}

_PEERS = {
    "decomposable, kosovo": ("Decomposable graphs, Kosovo", (12_593, 9_818, 16_557), 0.005, "dga"),
    "decomposable, uk_5_lists": ("Decomposable graphs, UK, 5 lists", (23_016, 10_408, 33_481), 0.005, "dga"),
    "best_bic, kosovo": ("Best BIC of all 113 models, Kosovo", (10_357, 8_994, 12_110), 0.001, "Rcapture"),
    "best_bic_pairs, uk_5_lists": ("Best BIC, pairs only, UK, 5 lists", (22_991,), 0.001, "maximum likelihood"),
    "best_bic, uk_5_lists": ("Best BIC of all orders, UK, 5 lists", (25_311,), 0.001, "maximum likelihood"),
    "independence, uk_5_lists": ("Independent lists, UK, 5 lists", (13_444,), 0.001, "Poisson regression"),
    "latent_class, kosovo": ("Latent classes, Kosovo", (10_413, 8_882, 13_982), 0.03, "LCMCR"),
}

_GRAPHS = {4: (0.005, "dga 2 ms"), 5: (0.05, "dga 22 ms"), 6: (1.0, "not offered"), 7: (30.0, "not offered")}

_NO_SLOWER = 1.5
"""Times that differ by less are the same, considering that samplers take more steps for one table than for another."""


@dataclass(frozen=True)
class Row:
    """One line of a table: what was measured, what is wanted, what was found, and what others do."""

    what: str
    wanted: str
    here: str
    others: str
    missed: bool = False

    def __str__(self):
        mark = f" {MISSED}" if self.missed else ""
        return f"| {self.what} | {self.wanted} | {self.here}{mark} | {self.others} |"


def as_markdown(found):
    """Set all that was measured beside what is wanted.

    Parameters
    ----------
    found : dict
        What each of `lists.MEASUREMENTS` returned, by name; ``one_table_seconds``, the seconds that its whole process
        took, without caches and with them.

    Returns
    -------
    str
        Markdown: the speed, the answers, and how well the chains of each study agree.
    """
    return "\n\n".join([compared(found), "Each fit of the committed studies:", chains_table(found)])


def compared(found):
    """Write the table that the README shows, too.

    Parameters
    ----------
    found : dict
        As for :func:`as_markdown`.

    Returns
    -------
    str
    """
    rows = [*speed(found), *answers(found), *convergence(found)]
    return "\n".join([HEADING, *map(str, rows)])


def speed(found):
    """Write the rows of how fast it is.

    Parameters
    ----------
    found : dict
        As for :func:`as_markdown`.

    Returns
    -------
    list of Row
    """
    of_many = [_strata(found["strata_pooled"]), *_many(found), _populations(found["populations"])]
    return [*_single_tables(found), *of_many, *_graphs(found), *_people(found)]


def _single_tables(found):
    one, hundred, sampling = found["one_table"], found["hundred_tables"], found["sampling_speed"]
    cold, warm = found["one_table_seconds"]
    return [
        Row(
            "Four lists (Kosovo), one process from its start to the answer: imports, compiling, sampling",
            "at most 15 s, to a bulk ESS of 1,000",
            f"{seconds(warm)}, bulk ESS of N {one['ess']:,.0f} (without caches {seconds(cold)})",
            "LCMCR 12.7 s, bulk ESS 620",
            warm > 15 or one["ess"] < 1_000,
        ),
        Row(
            "The hundredth table of four lists in one process",
            "at most 1.5 s",
            f"{seconds(hundred['hundredth'])}, bulk ESS of N {hundred['ess']:,.0f} (median of all but the first "
            f"{seconds(hundred['median'])}; ESS {hundred['median_ess']:,.0f}, lowest {hundred['lowest_ess']:,.0f})",
            "–",
            hundred["hundredth"] > 1.5,
        ),
        Row(
            "Bulk ESS of N for each second of sampling, Kosovo, tuning included",
            "at least 700",
            f"{sampling['a_second']:,.0f} ({sampling['ess']:,.0f} from {sampling['draws']:,} draws after "
            f"{sampling['tune']:,} of tuning; {sampling['a_second_of_one_core']:,.0f} for each second of one core)",
            "LCMCR 49; MultipleSystemsEstimation, whose model is fixed first, 600; conting 0.7 (one core each)",
            sampling["a_second"] < 700,
        ),
    ]


def _strata(found):
    return Row(
        f"{found['strata']} strata pooled, four lists (simulated), compiling included",
        "at most 60 s",
        f"{seconds(found['seconds'])}; of the total R-hat {found['r_hat']:.3f}, bulk ESS {found['ess']:,.0f}; of the "
        f"worst stratum {found['r_hat_of_strata']:.3f}, {found['ess_of_strata']:,.0f}; {found['divergences']} "
        f"divergences; the 95 % intervals of {found['strata_held']} hold the truth",
        "not offered",
        found["seconds"] > 60,
    )


def _many(found):
    many, each = found["many_tables"], found["hundred_tables"]["median"]
    whole = 1_000 * 10 / many["tables"]
    return [
        Row(
            "1,000 strata times 10 imputed tables one by one, log-linear, a tenth of the draws from each table",
            "at most 30 min",
            f"{duration(whole * many['loglinear'])}, reckoned from {many['tables']} tables, two at a time; "
            f"bulk ESS of N of a stratum's ten tables {many['ess_of_ten']:,.0f} "
            f"(lowest {many['lowest_ess_of_ten']:,.0f}); with all draws from each table {duration(1e4 * each)}",
            "LCMCR 35 h (10,000 times 12.7 s)",
            whole * many["loglinear"] > 1_800,
        ),
        Row(
            "The same by decomposable graphs",
            "at most 30 min",
            f"{duration(whole * many['decomposable'])}, reckoned in the same way",
            "–",
            whole * many["decomposable"] > 1_800,
        ),
    ]


def _populations(found):
    return Row(
        f"{found['populations']} simulated populations of four lists, as the calibration fits them, in two processes "
        "that compile first",
        "at most 10 min",
        f"{duration(found['seconds'])}; {found['passed']} fits passed, and {found['held']} of their 95 % intervals "
        "hold the truth",
        "–",
        found["seconds"] > 600,
    )


def _graphs(found):
    rows = []
    for lists, (allowed, others) in _GRAPHS.items():
        told = found["graphs"][str(lists)]
        rows.append(
            Row(
                f"Decomposable graphs, {lists} lists ({told['graphs']:,} graphs, cached)",
                f"at most {seconds(allowed)}",
                f"{seconds(told['next'])} (the first time in a process {seconds(told['first'])})",
                others,
                told["next"] > allowed,
            )
        )
    return rows


def _people(found):
    few, many = found["people"]["1000"], found["people"]["100000000"]
    return [
        Row(
            f"{model} with 100,000,000 people in place of 1,000",
            "the same time",
            f"{seconds(many[name])} in place of {seconds(few[name])}",
            "–",
            many[name] > _NO_SLOWER * few[name],
        )
        for model, name in (("Log-linear", "loglinear"), ("Decomposable graphs", "decomposable"))
    ]


def answers(found):
    """Write the rows of what peers answered with the same model.

    Parameters
    ----------
    found : dict
        As for :func:`as_markdown`.

    Returns
    -------
    list of Row
    """
    rows = []
    for name, (what, theirs, allowed, peer) in _PEERS.items():
        ours = found["answers"][name][: len(theirs)]
        off = max((mine / their - 1 for mine, their in zip(ours, theirs, strict=True)), key=abs)
        here = f"{_interval(ours)}; off by {100 * off:+.2f} %{' at most' if len(theirs) > 1 else ''}"
        wanted = f"within {100 * allowed:g} %"
        rows.append(Row(what, wanted, here.replace("-", "−"), f"{peer} {_interval(theirs)}", abs(off) > allowed))
    return rows


def convergence(found):
    """Write the rows of how well chains agree: the worst of all studies and seeds.

    Parameters
    ----------
    found : dict
        As for :func:`as_markdown`.

    Returns
    -------
    list of Row
    """
    fits = found["chains"]
    latent = found["latent_chains"]
    agreeing = sum(fit["usable"] for fit in latent)
    return [
        Row(
            f"Log-linear, {len({fit['case'] for fit in fits})} studies, "
            f"{len({fit['seed'] for fit in fits})} seeds each, defaults: the worst of all",
            "R-hat at most 1.01, bulk ESS of N at least 1,000, no divergences",
            f"R-hat {max(map(_worst_r_hat, fits)):.3f}, bulk ESS {min(fit['ess'] for fit in fits):,.0f}, "
            f"{sum(fit['divergences'] for fit in fits)} divergences",
            "LCMCR, UK, 6 lists: R-hat 1.030, bulk ESS 99 after 53 s; conting, UK, 5 lists: R-hat 1.61",
            any(map(_fails, fits)),
        ),
        Row(
            "Latent classes, the same studies once",
            "weight 0 in the average where chains do not agree",
            f"{agreeing} of {len(latent)} agree",
            "LCMCR prints its answer either way",
        ),
    ]


def chains_table(found):
    """Write a row for each fit of a committed study.

    Parameters
    ----------
    found : dict
        As for :func:`as_markdown`.

    Returns
    -------
    str
        A Markdown table.
    """
    lines = [
        "| study | model | seed | median of N | R-hat of numbers | of parameters | bulk ESS of N | divergences | |",
        "|---|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    rows = [("log-linear", fit, MISSED if _fails(fit) else "") for fit in found["chains"]]
    # Latent classes often do not settle, and then have no part in an average: that is said, and nothing is missed.
    rows += [("latent classes", fit, "" if fit["usable"] else "weight 0") for fit in found["latent_chains"]]
    return "\n".join([*lines, *(_chains_line(*row) for row in rows)])


def _chains_line(model, fit, verdict):
    of_parameters = "–" if fit["r_hat_of_parameters"] is None else f"{fit['r_hat_of_parameters']:.3f}"
    numbers = f"{fit['r_hat']:.3f} | {of_parameters} | {fit['ess']:,.0f} | {fit['divergences']}"
    study = NAMES.get(fit["case"], fit["case"])
    return f"| {study} | {model} | {fit['seed']} | {fit['median']:,.0f} | {numbers} | {verdict} |"


def _fails(fit):
    # What is not a number fails, too.
    agree = all(fit[name] <= 1.01 for name in ("r_hat", "r_hat_of_parameters"))
    return not (agree and fit["ess"] >= 1_000 and fit["divergences"] == 0)


def _worst_r_hat(fit):
    return max(fit["r_hat"], fit["r_hat_of_parameters"])


def _interval(numbers):
    median, *ends = [f"{number:,.0f}" for number in numbers]
    return f"{median} ({' to '.join(ends)})" if ends else median


def seconds(value):
    """Write a short time with as many digits as it deserves.

    Parameters
    ----------
    value : float
        Seconds.

    Returns
    -------
    str

    Examples
    --------
    >>> seconds(0.0031), seconds(0.05), seconds(1.5), seconds(15), seconds(75)
    ('3.1 ms', '50 ms', '1.5 s', '15 s', '1 min 15 s')
    """
    if value >= 60:
        return duration(value)
    number, unit = (1000 * value, "ms") if value < 1 else (value, "s")
    return f"{number:.{int(number < 10 or unit == 's')}f}".removesuffix(".0") + f" {unit}"
