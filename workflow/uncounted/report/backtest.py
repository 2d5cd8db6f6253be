"""What is said of the back-test at earlier dates: in the report of its case, and on the page that git keeps."""

from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from uncounted.checks import backtest_dates as checks
from uncounted.figures import backtest as figures
from uncounted.figures import style, words
from uncounted.files import atomic_path
from uncounted.models.synthesis_evidence import SOURCES

HERE = Path(__file__).resolve().parent


def view(dates, published, config):
    """Bring the tables of one case into words and rows.

    Parameters
    ----------
    dates, published : pandas.DataFrame
        See :mod:`uncounted.checks.backtest_dates`.
    config : dict
        That of the case.

    Returns
    -------
    dict
    """
    used = [name for name in config["sources"] if name in SOURCES]
    own = [_own(row, used) for row in dates[dates["until"] == dates["cut_off"]].to_dict("records")]
    first = [_with_numbers(row) for row in dates[dates["until"] == dates["until"].min()].to_dict("records")]
    beside = [_beside(row) | {"number": number} for number, row in enumerate(published.to_dict("records"), start=1)]
    made = dates.iloc[0]
    return {
        "own": own,
        "first": first,
        "first_until": first[0]["until"],
        "failed": [_with_numbers(row) for row in dates[~dates["passed"]].to_dict("records")],
        "reaching_below": [row for row in own if row["passed"] and row["reaches_below"]],
        "not_foreseen": [row for row in own if row["forecast_verdict"] == "more were named"],
        "unsettled": [row for row in own if row["failed_checks"]],
        "later_list": made["later_list"],
        "published": beside,
        "outside": [row for row in beside if row["outside"]],
        "commit": "; ".join(dates["commit"].replace("", "unknown").unique()),
        "clean": bool(dates["clean"].all()),
        "seed": ", ".join(map(str, dates["seed"].unique())),
        "sampling": config["backtest"]["sampling"],
        "in_words": "; ".join(
            f"on {words.day(row['known_on'])}, {row['about']} ({row['range']}), "
            f"of whom {words.count(row['named_later'])} were named later"
            for row in own
        ),
    }


def doubts(seen, anchor):
    """List what has to be read before the numbers: intervals that end below what was named later."""
    return [
        {
            "text": f"From what was published by {words.day(row['known_on'])}, the whole interval of the deaths until "
            f"{words.day(row['until'])} ({row['range']}) would have been below the {words.count(row['named_later'])} "
            "who were named later",
            "anchor": anchor,
            "see": "the back-test",
        }
        for row in seen["failed"]
    ]


def _with_numbers(row):
    """Write the numbers of a row as far as its interval deserves."""
    width = figures.width_of(row)

    def about(name):
        return words.about(row[name], width)

    return row | {
        "about": about("median"),
        "range": f"{about('lower_95')} to {about('upper_95')}",
        "inner_range": f"{about('lower_50')} to {about('upper_50')}",
        **_verdict(bool(row.get("passed", True)), bool(row.get("failed_checks"))),
    }


def _verdict(passed, unsettled):
    """Say whether an interval passed; one of a fit whose own checks failed is not simply called so."""
    verdict = "passed" if passed else "failed"
    if unsettled:
        verdict += "; checks of the fit failed"
    return {"verdict": verdict, "sound": passed and not unsettled}


def _own(row, used):
    """The row of a day's own cut-off, with what was not known, and whether what was named was foreseen."""
    known = row["sources"].split()
    lower, upper, seen = row["forecast_lower"], row["forecast_upper"], row["named_later"]
    verdict = "foreseen" if lower <= seen <= upper else "more were named" if seen > upper else "fewer were named"
    return _with_numbers(row) | {
        "known": [words.source(name) for name in known],
        "unknown": [words.source(name) for name in used if name not in known],
        "reaches_below": row["lower_95"] < seen,
        "forecast_about": words.about(row["forecast_median"], upper - lower),
        "forecast_range": f"{words.about(lower, upper - lower)} to {words.about(upper, upper - lower)}",
        "forecast_verdict": verdict,
    }


def _beside(row):
    ends = [words.count(row[name]) for name in ("low", "high") if not pd.isna(row[name])]
    said = [row[name] for name in ("low", "point", "high") if not pd.isna(row[name])]
    return _with_numbers(row) | {
        "point_text": "–" if pd.isna(row["point"]) else words.count(row["point"]),
        "range_text": " to ".join(ends) if ends else "–",
        # Not where the two merely differ: their ranges have nothing in common.
        "outside": "above" if min(said) > row["upper_95"] else "below" if max(said) < row["lower_95"] else "",
    }


def write_page(*, cases, dates, published, out_folder):
    """Write the page that git keeps, its tables and its figures.

    Parameters
    ----------
    cases : dict of str to dict
        The config of each case.
    dates, published : list of str
        The tables of each day, as Parquet.
    out_folder : str or Path
        Receives ``backtest.md``, and in ``backtest/`` ``table.csv``, ``published.csv`` and a figure for each case.
    """
    folder = Path(out_folder)
    whole, beside = checks.write_kept(dates=dates, published=published, out_folder=folder / "backtest")
    seen = {}
    with style.applied():
        for name, config in cases.items():
            own, theirs = whole[whole["case"] == name], beside[beside["case"] == name]
            seen[name] = view(own, theirs, config)
            drawn = style.rendered(figures.as_knowledge_grew(own, theirs))["svg"]
            _write(folder / "backtest" / f"{name}.svg", drawn)
    _write(folder / "backtest.md", render(cases, seen).encode())


def _write(path, content):
    with atomic_path(path) as part:
        part.write_bytes(content)


def render(cases, seen):
    """Write the text of the page.

    Parameters
    ----------
    cases : dict of str to dict
        The config of each case.
    seen : dict of str to dict
        What :func:`view` made of each.

    Returns
    -------
    str
    """
    made = Environment(
        loader=FileSystemLoader(HERE), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    made.filters |= {
        "day": words.day,
        "count": words.count,
        "number": words.number,
        "share": words.percent,
        "listed": ", ".join,
    }
    return made.get_template("backtest.md.j2").render(cases=cases, seen=seen)
