r"""Deaths by kind of service, given the number of deaths: conditional on the draws of a synthesis.

The posterior of both together is cut in two,

.. math::
    p(D, S \mid \text{all}) \approx p(D \mid \text{sources}) \, p(S \mid D, \omega, \text{the list by kind of service}),

deaths :math:`D` and the ledger's :math:`\omega` from the synthesis, the split :math:`S` from here. It may be cut there
because the list by kind says how the named divide and hardly how many died: coverage by kind is free up to its sum.
Only prisoners' coverage is measured, by the ledger, and the ledger has had its say in the synthesis.

The list by kind
    The whole list was published by kind of service once, on day :math:`t_0`, and later the sizes of single parts of it.
    Between the days :math:`t_i` on which something was published, :math:`A_i` names were added. Their kinds
    :math:`k`, one of which is *unknown*, follow a walk that begins with the names confirmed in the last months before
    :math:`t_0`:

    .. math::
        \log q_{i,k} = \log q_{i-1,k} + \sigma_q \sqrt{\mathrm{days} / 91} \; \epsilon_{i,k} - \mathrm{norm},
        \qquad \epsilon \sim \mathrm{Normal}(0, 1)

    The expected additions :math:`A_i q_{i,k}` are raked to the parts that were published (iterative proportional
    fitting, Deming and Stephan 1940, Ann. Math. Stat. 11:427), so that every published size holds in every draw.

Those of unknown kind
    They belong to the kinds as those who stand under them, times what sets a kind apart in being recorded:

    .. math::
        N_k = n_k + \mathrm{Multinomial}(n_{\text{unknown}}, \; \propto n_k \exp(\sigma_u u_k)),
        \qquad u_k \sim \mathrm{Normal}(0, 1)

Those who are not named
    The odds of being named differ between kinds by :math:`\sigma_s e_k` on the log scale. Given how many are not named
    in all, these are spread as

    .. math::
        D_k - N_k \sim \mathrm{Multinomial}(D - N - (D_P - N_P), \; \propto N_k \exp(-\sigma_s e_k))

    but for prisoners :math:`P`. Of them the ledger's :math:`N_W` dead are known, of whom a share :math:`f` stands on
    the list as prisoners at the cut-off (``ledger_share_at_cut_off`` of the synthesis). The other prisoners on the
    list were recruited later, and stand for :math:`1 / f'` dead each:

    .. math::
        D_P = N_W + \frac{n_P - f N_W}{f'}, \qquad \mathrm{logit} f' \sim \mathrm{Normal}(\mathrm{logit} f, \sigma_f)

    and never more than all who are not named beside those who are.

By month (an option)
    A later state of the list by kind and month of death says when those of each kind died. Its people, those of unknown
    kind spread and the unnamed added as above, are raked to the deaths by month and by kind of each draw.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from uncounted.errors import UserError
from uncounted.models.priors import stated
from uncounted.models.synthesis_evidence import as_day

_QUARTER = 91.0
_RECENT_MONTHS = 3
_RAKINGS = 60
_NOBODY = 1e-9
_WHERE = "config of the case, key services"


@dataclass(frozen=True)
class ServicesLayout:
    """The list by kind of service as arrays.

    Attributes
    ----------
    kinds : tuple of str
        Kinds of service, that of the unknown apart.
    first : numpy.ndarray of int, shape (kind + 1,)
        The whole list by kind on the day when it was published so; the last of them are of unknown kind.
    recent : numpy.ndarray of float, shape (kind + 1,)
        Shares of the kinds among those confirmed in the months before.
    added : numpy.ndarray of float, shape (interval,)
        Names added between the days on which something was published.
    steps : numpy.ndarray of float, shape (interval,)
        Days from the middle of one interval to that of the next; of the first from that of the months before.
    parts : list of tuple
        (kind, first interval, last interval + 1, names added in them) of what was published.
    intervals : int
        How many of the intervals end by the cut-off.
    ledger_kind : int
        The kind that the ledger is about.
    ledger_deaths : int
        How many dead it holds.
    by_month : pandas.DataFrame or None
        People of a later list, month by kind (the unknown last).
    """

    kinds: tuple
    first: np.ndarray
    recent: np.ndarray
    added: np.ndarray
    steps: np.ndarray
    parts: list
    intervals: int
    ledger_kind: int
    ledger_deaths: int
    by_month: pd.DataFrame | None


def lay_out(case, tables):
    """Arrange the list by kind of service.

    Parameters
    ----------
    case : dict
        The case's config: ``services``, ``ledger`` and ``cut_off``.
    tables : dict of str to pandas.DataFrame
        The evidence tables by source name; see :mod:`uncounted.evidence.schemas`.

    Returns
    -------
    ServicesLayout

    Raises
    ------
    UserError
        A kind of service is not on the list, or the parts of the list do not fit its sizes.
    """
    asked, unknown = case["services"], case["ledger"]["kind_unknown"]
    by_kind = tables[asked["list"]].groupby("kind")["named"].sum()
    kinds = tuple(kind for kind in by_kind.sort_values(ascending=False, kind="stable").index if kind != unknown)
    order = [*kinds, unknown]
    for kind in (*asked["parts"].values(), case["ledger"]["kind"], unknown):
        if kind not in by_kind.index:
            raise UserError(
                f"nobody on the list is of the kind of service {kind!r}",
                where=_WHERE,
                expected="one of " + ", ".join(sorted(by_kind.index)),
            )
    day = as_day(tables[asked["list"]]["published"].iloc[0])
    edges, sizes = _edges(tables["named_totals"], asked["parts"], day, as_day(case["cut_off"]))
    if sizes[0] != by_kind.sum():
        raise UserError(
            f"the list by kind of service has {by_kind.sum()} people, and the list of that day {sizes[0]:.0f}",
            where=_WHERE,
            expected="the whole list by kind",
        )
    confirmed = tables[asked["recent"]].query("month >= @_first_recent(@day)").groupby("kind")["named"].sum()
    confirmed = confirmed.reindex(order, fill_value=0).to_numpy(float) + 0.5
    middles = [edges[0] - _RECENT_MONTHS * _QUARTER / 6, *((edges[1:] + edges[:-1]) / 2)]
    ledger = tables["ledger"].set_index("cohort").loc[case["ledger"]["cohort"]]
    return ServicesLayout(
        kinds=kinds,
        first=by_kind.loc[order].to_numpy("int64"),
        recent=confirmed / confirmed.sum(),
        added=np.diff(sizes),
        steps=np.diff(middles),
        parts=_parts(tables["named_totals"], asked["parts"], by_kind, order, edges),
        intervals=int((edges[1:] <= as_day(case["cut_off"]).astype(float)).sum()),
        ledger_kind=kinds.index(case["ledger"]["kind"]),
        ledger_deaths=int(ledger["died"]),
        by_month=_by_month(asked, tables, order, case["cut_off"]),
    )


def _first_recent(day):
    return str(pd.Period(pd.Timestamp(day), "M") - _RECENT_MONTHS)


def _edges(totals, parts, day, cut_off):
    """Days on which a part of the list was published, or the list of the cut-off, and the sizes of the list."""
    whole = totals[totals["part"] == "all"].set_index("closed")["named"].sort_index()
    later = totals[totals["part"].isin(parts) & (totals["closed"] > pd.Timestamp(day))]["closed"]
    last = whole.index[whole.index <= pd.Timestamp(cut_off)].max()
    days = sorted({pd.Timestamp(day), last, *later})
    if pd.Timestamp(day) not in whole.index or last < pd.Timestamp(day):
        raise UserError(
            f"the size of the list on {day} was not published",
            where=_WHERE,
            expected="a list by kind of service of a day in named_totals, up to the cut-off",
        )
    return np.array([as_day(d).astype(float) for d in days]), whole.loc[days].to_numpy(float)


def _parts(totals, parts, by_kind, order, edges):
    """What was added to single kinds between days on which their size was published."""
    known = []
    for part, kind in parts.items():
        rows = totals[totals["part"] == part].sort_values("closed")
        before, size = 0, int(by_kind[kind])
        for _, row in rows.iterrows():
            place = np.searchsorted(edges, as_day(row["closed"]).astype(float))
            if place == 0:
                continue
            if row["named"] < size:
                raise UserError(
                    f"the part {part!r} of the list falls from {size} to {row['named']}",
                    where=f"named_totals, closed on {row['closed']:%Y-%m-%d}",
                    do="correct it, or leave the part out of services.parts",
                )
            known.append((order.index(kind), before, int(place), float(row["named"] - size)))
            before, size = int(place), int(row["named"])
    return known


def _by_month(asked, tables, order, cut_off):
    source = asked.get("by_month")
    if source is None:
        return None
    if source not in tables or "kind" not in tables[source]:
        raise UserError(
            f"{source!r} is no source by month and kind of service",
            where=f"{_WHERE}.by_month",
            expected="a source that reads named_by_week_and_branch",
        )
    table = tables[source].query("kind != 'all' and month <= @cut_off[:7]")
    return table.pivot(index="month", columns="kind", values="named").reindex(columns=order, fill_value=0)


def spread(posterior, layout, priors, seed):
    """Spread the deaths of each draw over the kinds of service.

    Parameters
    ----------
    posterior : xarray.Dataset
        ``deaths``, ``named`` and ``ledger_share_at_cut_off`` (chain, draw); with a list by month ``deaths_by_month``.
    layout : ServicesLayout
    priors : dict
        The config's priors.
    seed : int

    Returns
    -------
    xarray.Dataset
        ``recorded_by_service``, the list as it records them, those of unknown kind among them; ``named_by_service``,
        with those spread over the kinds; ``deaths_by_service`` and ``share_named_by_service``, each (chain, draw,
        service); with a list by month ``deaths_by_service_month`` (chain, draw, service, month).
    """
    rng = np.random.default_rng(seed)
    deaths = posterior["deaths"].values
    flat = deaths.reshape(-1)
    kinds = len(layout.kinds)
    recorded = _recorded(rng, len(flat), layout, stated("service_drift", priors))
    apart = stated("service_unknown_spread", priors) * rng.normal(size=(len(flat), kinds))
    weights = recorded[:, :-1] * np.exp(apart)
    named = recorded[:, :-1] + rng.multinomial(recorded[:, -1], weights / weights.sum(axis=1, keepdims=True))
    odds = stated("service_coverage_spread", priors) * rng.normal(size=(len(flat), kinds))
    unnamed = flat - posterior["named"].values.reshape(-1)
    of_ledger = _unnamed_of_ledger(rng, posterior, layout, recorded, named, priors)
    of_ledger = np.minimum(of_ledger, unnamed)
    weights = named * np.exp(-odds)
    weights[:, layout.ledger_kind] = 0.0
    beyond = rng.multinomial(unnamed - of_ledger, weights / weights.sum(axis=1, keepdims=True))
    beyond[:, layout.ledger_kind] = of_ledger
    dims = ("chain", "draw", "service")
    shape = (*deaths.shape, -1)
    by_kind = named + beyond
    result = {
        "recorded_by_service": (("chain", "draw", "recorded_service"), recorded.reshape(shape)),
        "named_by_service": (dims, named.reshape(shape)),
        "deaths_by_service": (dims, by_kind.reshape(shape)),
        "share_named_by_service": (dims, (named / np.maximum(by_kind, 1)).reshape(shape)),
    }
    coords = {name: posterior[name].values for name in ("chain", "draw")}
    coords |= {"service": list(layout.kinds), "recorded_service": [*layout.kinds, "unknown"]}
    if layout.by_month is not None:
        months = posterior["deaths_by_month"].sel(month=list(layout.by_month.index))
        parts = _by_kind_and_month(months.values.reshape(len(flat), -1), by_kind, layout, apart, odds)
        result["deaths_by_service_month"] = ((*dims, "month"), parts.reshape(*deaths.shape, *parts.shape[1:]))
        coords["month"] = list(layout.by_month.index)
    return xr.Dataset(result, coords=coords)


def _recorded(rng, draws, layout, drift):
    """The list of the cut-off by recorded kind, in whole people; (draw, kind + 1)."""
    kinds = len(layout.first)
    steps = rng.normal(size=(draws, len(layout.added), kinds)) * (drift * np.sqrt(layout.steps / _QUARTER))[:, None]
    logs = np.log(layout.recent) + np.cumsum(steps, axis=1)
    cells = np.exp(logs - logs.max(axis=2, keepdims=True))
    for _ in range(_RAKINGS):
        cells *= (layout.added / np.maximum(cells.sum(axis=2), _NOBODY))[:, :, None]
        for kind, begin, end, people in layout.parts:
            block = cells[:, begin:end, kind]
            block *= (people / np.maximum(block.sum(axis=1), _NOBODY))[:, None]
    total = layout.first + cells[:, : layout.intervals].sum(axis=1)
    size = layout.first.sum() + layout.added[: layout.intervals].sum()
    return _whole(total * (size / total.sum(axis=1, keepdims=True)))


def _whole(people):
    """Whole people of each draw, with the same sum."""
    return np.diff(np.rint(np.cumsum(people, axis=-1)), axis=-1, prepend=0).astype("int64")


def _unnamed_of_ledger(rng, posterior, layout, recorded, named, priors):
    """Dead of the ledger's kind who are not named, in whole people; (draw,)."""
    share = posterior["ledger_share_at_cut_off"].values.reshape(-1)
    held = rng.binomial(layout.ledger_deaths, share)
    later = np.maximum(recorded[:, layout.ledger_kind] - held, 0)
    apart = stated("later_recruits_spread", priors) * rng.normal(size=len(share))
    share_later = 1 / (1 + (1 - share) / share * np.exp(-apart))
    deaths = layout.ledger_deaths + np.rint(later / share_later).astype("int64")
    return np.maximum(deaths - named[:, layout.ledger_kind], 0)


def _by_kind_and_month(months, kinds, layout, apart, odds):
    """Deaths by kind and month, in whole people: they sum to those of each month, and nearly to those of each kind."""
    people = layout.by_month.to_numpy(float)
    known = people[None, :, :-1] + 1e-3
    weights = known * np.exp(apart)[:, None, :]
    named = known + people[None, :, -1:] * weights / weights.sum(axis=2, keepdims=True)
    missing = named * np.exp(-odds)[:, None, :]
    left = np.maximum(months - named.sum(axis=2), 0.0)
    cells = named + missing * (left / missing.sum(axis=2))[:, :, None]
    for _ in range(_RAKINGS):
        cells *= (kinds / np.maximum(cells.sum(axis=1), _NOBODY))[:, None, :]
        cells *= (months / np.maximum(cells.sum(axis=2), _NOBODY))[:, :, None]
    return _whole(cells).transpose(0, 2, 1)
