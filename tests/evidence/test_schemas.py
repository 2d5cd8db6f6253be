"""Both ends of a table validate it."""

import subprocess
import sys

import pandas as pd
import pandera.errors
import pytest

from uncounted.evidence import schemas

INVALID = (pandera.errors.SchemaError, pandera.errors.SchemaErrors)


def totals(**changes) -> pd.DataFrame:
    """A table of one total, with changes."""
    row = {"published": "2024-04-17", "closed": "2024-04-07", "part": "all", "named": 50471} | changes
    return pd.DataFrame([row]).astype({"published": schemas.DAY, "closed": schemas.DAY})


def test_what_is_written_is_read(tmp_path):
    table = schemas.frame("named_totals", [tuple(totals().iloc[0])])
    schemas.write("named_totals", table, tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(schemas.read("named_totals", tmp_path / "t.parquet"), table)
    assert table.dtypes.astype(str).tolist() == [schemas.DAY, schemas.DAY, "str", "int64"]


@pytest.mark.parametrize(
    "table",
    [
        totals(named=-1),
        totals(named=1.5),
        totals(part="ghosts"),
        totals(closed="2024-04-18"),
        totals().drop(columns="closed"),
        totals(extra=1),
        pd.concat([totals(), totals()], ignore_index=True),
    ],
    ids=["negative", "fractional", "unknown part", "closed later", "missing", "extra", "twice"],
)
def test_what_does_not_fit_is_neither_written_nor_read(tmp_path, table):
    with pytest.raises(INVALID):
        schemas.write("named_totals", table, tmp_path / "t.parquet")
    assert not (tmp_path / "t.parquet").exists()
    table.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(INVALID):
        schemas.read("named_totals", tmp_path / "t.parquet")


@pytest.mark.parametrize("name", schemas.SCHEMAS)
def test_tables_may_be_empty_and_keep_their_types(tmp_path, name):
    empty = schemas.frame(name, [])
    schemas.write(name, empty, tmp_path / "t.parquet")
    read = schemas.read(name, tmp_path / "t.parquet")
    assert read.empty
    assert read.dtypes.equals(empty.dtypes)


def test_importing_the_package_costs_nothing():
    program = "import sys, uncounted, uncounted.evidence; print('pandas' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
