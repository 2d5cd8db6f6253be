"""Do the intervals of how soon recruits die hold? Recruits and deaths are made up from the priors, and estimated.

``python -m uncounted.checks.survival_calibration weibull 100 1`` says what share of the intervals of so many
simulations with this seed hold the truth.
"""

import sys
from dataclasses import replace

import numpy as np
import pandas as pd

from uncounted.models import survival
from uncounted.models.survival_laws import days_in_pieces, hazards, log_days

SETTINGS = {
    "summaries": "made_up",
    "times": "made_up_times",
    "closing_day": "2023-06-30",
    "recruiters": {"a": {"title": "a"}, "b": {"title": "b"}},
    "breaks": [30, 76],
    "reading_error_days": 9,
    "scatter_of_toll": 0.1,
    "sampling": {"draws": 200, "tune": 200, "chains": 2, "target_accept": 0.9},
}
"""A study of two recruiters: of the one, recruits and dead are counted and some dead have dates; of the other only the
half of the dead is known."""

PRIORS = {
    "early_deaths": {"distribution": "logit_normal", "median": 0.25, "sd_logit": 0.7},
    "hazard_shape": {"distribution": "lognormal", "median": 1.0, "sd_log": 0.35},
    "hazard_step": {"distribution": "fixed", "value": 0.7},
}

PEOPLE = 120
"""Dead with dates."""

_PERIOD = ("2022-07-01", "2023-04-30")
_NAMING = survival.naming_stated(40.0, 1.8, (0.3, 0.3))
_RECRUITS = 40_000
_SAMPLE = 400
_DAY = pd.Timedelta(days=1)


def coverage(law, simulations, seed, level=0.95):
    """Estimate made-up parameters again and again, with one compiled model.

    Parameters
    ----------
    law : str
        The law that makes the deaths and is fitted.
    simulations : int
    seed : int
    level : float, optional
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        simulation, quantity, truth, lower, upper, covered: of the share dead after 91 days and the law's own parameters
        of the recruiter whose deaths are counted, and of the medians of both.
    """
    from uncounted.compiling import compile_model
    from uncounted.inference import draw, seed_for
    from uncounted.models.packing import pack

    settings = SETTINGS | {"laws": [law]}
    compiled, rows = None, []
    for number in range(simulations):
        rng = np.random.default_rng([seed, number])
        truth = _draw_truth(rng, law, settings)
        layout = survival.lay_out(settings, _made_up(rng, truth, settings, law), _NAMING)
        if compiled is None:
            compiled = compile_model(survival.build(layout, PRIORS))
        fit = draw(
            compiled.with_data(evidence=pack(layout.data)),
            **settings["sampling"],
            seed=seed_for(seed, str(number)),
            what=f"simulation {number + 1}",
        )
        rows += _compare(number, truth, fit.posterior, layout, level)
    return pd.DataFrame(rows)


def _draw_truth(rng, law, settings):
    """Parameters from the priors, as a posterior of one draw."""
    import xarray as xr

    def spread(name, size):
        form = PRIORS[name]
        return rng.normal(0.0, form.get("sd_logit", form.get("sd_log", 1.0)), size)

    middle = PRIORS["early_deaths"]["median"]
    odds = np.log(middle / (1 - middle)) + spread("early_deaths", (1, 1, 1, 2))
    values = {
        "early_deaths": (("chain", "draw", "law", "recruiter"), 1 / (1 + np.exp(-odds))),
        "naming": (("chain", "draw", "law", "naming_part"), rng.normal(size=(1, 1, 1, 2))),
    }
    if law == "weibull":
        values["hazard_shape"] = (("chain", "draw", "recruiter"), np.exp(spread("hazard_shape", (1, 1, 2))))
    else:
        moves = rng.normal(size=(1, 1, 2, len(settings["breaks"])))
        values["hazard_moves"] = (("chain", "draw", "recruiter", "piece_after"), moves)
    return xr.Dataset(values, {"chain": [0], "draw": [0]})


def _made_up(rng, truth, settings, law):
    """Tables of evidence as cleaning would write them."""
    people = {name: _send(rng, truth, place, settings, law) for place, name in enumerate(settings["recruiters"])}
    closing = pd.Timestamp(settings["closing_day"])
    rows, times = [], None
    for name, (sent, died, named_by) in people.items():
        seen = np.flatnonzero((died < closing + _DAY) & (named_by < closing + _DAY))
        sample = rng.choice(seen, min(_SAMPLE, len(seen)), replace=False)
        half = np.median((died - sent)[sample] / _DAY) + rng.normal(0.0, settings["reading_error_days"])
        counted = name == "a"
        toll = 1 / (1 + np.exp(-rng.normal(0.0, settings["scatter_of_toll"])))
        share = (died < closing + _DAY).mean()
        share = share * toll / (share * toll + (1 - share) * (1 - toll))
        rows.append(
            {
                "cohort": name,
                "recruited_from": pd.Timestamp(_PERIOD[0]),
                "recruited_to": pd.Timestamp(_PERIOD[1]),
                "recruited": _RECRUITS if counted else pd.NA,
                "died": round(_RECRUITS * share) if counted else pd.NA,
                "died_by": closing,
                "half_of_deaths_within_days": max(1, round(half)),
                "sample": len(sample),
            }
        )
        if counted:
            times = _dates(rng.choice(seen, PEOPLE, replace=len(seen) < PEOPLE), sent, died, name)
    return {"made_up": pd.DataFrame(rows), "made_up_times": times}


def _send(rng, truth, place, settings, law):
    """Days on which men were sent, died and were named."""
    first, last = pd.Timestamp(_PERIOD[0]), pd.Timestamp(_PERIOD[1])
    sent = first + pd.to_timedelta(rng.uniform(0, (last - first) / _DAY + 1, _RECRUITS), unit="D")
    days = np.concatenate([[0.0], np.geomspace(1e-3, 1e5, 4000)])
    hazard = _hazard_of(truth, place, settings, law)(days)
    alive_for = np.interp(rng.exponential(size=_RECRUITS), hazard, days, right=1e5)
    delay, tail = np.exp(_NAMING[0] + _NAMING[1] @ truth["naming"].values[0, 0, 0])
    named_after = delay / (2 ** (1 / tail) - 1) * ((1 - rng.uniform(size=_RECRUITS)) ** (-1 / tail) - 1)
    died = sent + pd.to_timedelta(np.minimum(alive_for, 20_000), unit="D")
    return sent, died, died + pd.to_timedelta(np.minimum(named_after, 20_000), unit="D")


def _hazard_of(truth, place, settings, law):
    level = -np.log1p(-truth["early_deaths"].values[0, 0, :, place])
    if law == "weibull":
        own = truth["hazard_shape"].values[0, 0, place]
    else:
        walk = np.cumsum(truth["hazard_moves"].values[0, 0, place])
        own = PRIORS["hazard_step"]["value"] * np.concatenate([[0.0], walk])
    cumulative = hazards(np, settings["breaks"], level, {law: own})
    return lambda days: cumulative(log_days(days), days_in_pieces(days, settings["breaks"]), lambda value: value)[0]


def _dates(chosen, sent, died, name):
    """Two thirds of the dates to the day, the others to the month."""
    table = {"published": pd.Timestamp("2024-01-01"), "cohort": name}
    by_day = np.arange(len(chosen)) % 3 > 0
    for what, days in (("recruited", sent[chosen].normalize()), ("died", died[chosen].normalize())):
        months = days.to_period("M")
        table[f"{what}_from"] = np.where(by_day, days, months.start_time)
        table[f"{what}_to"] = np.where(by_day, days, months.end_time.normalize())
    return pd.DataFrame(table)


def _compare(number, truth, posterior, layout, level):
    known = replace(layout, unknown={})
    found, true = (survival.summarise(values, known, PRIORS, number) for values in (posterior, truth))
    own = "hazard_shape" if "hazard_shape" in posterior else "hazard_moves"
    pairs = {
        "early_deaths": (posterior["early_deaths"][..., 0, 0], truth["early_deaths"][..., 0, 0]),
        own: (posterior[own][:, :, 0], truth[own][:, :, 0]),
        "median_named of a": (found["median_named"][..., 0, 0], true["median_named"][..., 0, 0]),
        "median_followed of b": (found["median_followed"][..., 0, 1], true["median_followed"][..., 0, 1]),
    }
    for quantity, (drawn, value) in pairs.items():
        drawn, value = drawn.values.reshape(-1, value.size), value.values.ravel()
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
        for part in range(len(value)):
            yield {
                **{"simulation": number, "quantity": f"{quantity}{part}" if len(value) > 1 else quantity},
                **{"truth": value[part], "lower": low[part], "upper": high[part]},
                "covered": bool(low[part] <= value[part] <= high[part]),
            }


if __name__ == "__main__":
    table = coverage(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    print(table.groupby("quantity")["covered"].agg(["mean", "size"]).to_string())
