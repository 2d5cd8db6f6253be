"""What the pages of all kinds of study share: numbers in words, rows of checks, figures, sources."""

import base64
import json
import re
from pathlib import Path

import pandas as pd

from uncounted.errors import UserError
from uncounted.figures import words

_EMPTY = ("", "nan", "None", "<NA>")


_NUMBERS = ("mean", "median", "lower", "upper", "inner_lower", "inner_upper")


def people(row):
    """Write an estimate of people, rounded as far as its interval deserves."""
    return with_ranges({name: words.rounded(row[name], row) for name in _NUMBERS if name in row})


def share(row):
    """Write an estimate of a share as percentages."""
    return with_ranges({name: words.percent(row[name]) for name in _NUMBERS if name in row})


def exactly(row):
    """Write an estimate of people to the last person, for tables."""
    return with_ranges({name: words.count(row[name]) for name in _NUMBERS if name in row})


def with_ranges(shown):
    """Put the intervals of an estimate, whose numbers are written, into words."""
    return shown | {
        "range": f"{shown['lower']} to {shown['upper']}",
        "inner_range": f"{shown['inner_lower']} to {shown['inner_upper']}",
    }


def whole_number(row, column):
    """Write a count of the reconciliation; a dash where it has none."""
    value = row.get(column, "")
    return "–" if str(value) in _EMPTY else words.count(float(value))


def descriptions(folder, provenance):
    """Read what datapackage.json says of the tables in a folder of data, if it is among the inputs.

    Parameters
    ----------
    folder : str
        The name of the folder in data/.
    provenance : dict
        What the release follows from.

    Returns
    -------
    dict
        The description of each table, by its file.
    """
    for path in provenance["inputs"]:
        if Path(path).name == "datapackage.json" and Path(path).parent.name == folder and Path(path).is_file():
            package = json.loads(Path(path).read_text(encoding="utf-8"))
            return {resource["path"]: resource for resource in package.get("resources", [])}
    return {}


def findings(tables, name):
    """Read what was found while cleaning: "refused", "questions" or "reconciliation"."""
    file = tables.folder / "evidence" / f"{name}.csv"
    try:
        return pd.read_csv(file, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise UserError(
            "this table is missing", where=str(file), do="run `snakemake`: it makes what is missing"
        ) from None


def dropped(tables):
    """List the rows that were refused, and those that raise a question."""
    return {name: findings(tables, name).to_dict("records") for name in ("refused", "questions")}


def priors(config):
    """Write each prior of the config as its distribution and its values."""
    written = {}
    for name, prior in config.get("priors", {}).items():
        values = [
            f"{key.replace('_', ' ')} {value}"
            for key, value in prior.items()
            if key not in ("distribution", "unit", "reason")
        ]
        written[name] = {**prior, "text": f"{prior['distribution'].replace('_', ' ')}: {', '.join(values)}"}
    return written


def checked(table):
    """List the rows of a check, and count those that passed, failed, or are only shown."""
    rows = table.to_dict("records")
    for row in rows:
        row["verdict"] = "shown" if pd.isna(row["passed"]) else "passed" if row["passed"] else "failed"
    counts = {verdict: sum(r["verdict"] == verdict for r in rows) for verdict in ("passed", "failed", "shown")}
    return {"rows": rows, "failed_rows": [r for r in rows if r["verdict"] == "failed"], **counts}


def figure(tables, name):
    """Read a figure for embedding: its address as data, and its size in pixels."""
    file = tables.folder / "figures" / f"{name}.svg"
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise UserError(
            "this figure is missing", where=str(file), do="run `snakemake`: it draws what is missing"
        ) from None
    box = re.search(rb'viewBox="0 0 ([0-9.]+) ([0-9.]+)"', content)
    if not box:
        raise UserError("this figure is not the SVG that was drawn", where=str(file), do="draw it again")
    width, height = (round(float(size) * 96 / 72) for size in box.groups())
    address = "data:image/svg+xml;base64," + base64.b64encode(_shorter(content)).decode()
    return {"address": address, "width": width, "height": height}


def _shorter(svg):
    """Leave out of an SVG what nobody sees: remarks, spaces, long names of letters. Saves a third of the page."""
    svg = re.sub(rb"<metadata>.*?</metadata>|<!--.*?-->|<!DOCTYPE[^>]*>", b"", svg, flags=re.S)
    svg = re.sub(rb">\s+<", b"><", re.sub(rb"\s+", b" ", svg))
    for long, short in ((b"DejaVuSans-", b"g"), (b"; ", b";"), (b": ", b":"), (b' "', b'"')):
        svg = svg.replace(long, short)
    # To a hundredth of a point; letters keep their scale.
    return re.sub(rb"scale\([^)]*\)|(-?\d+\.\d\d)\d+", lambda found: found[1] or found[0], svg)
