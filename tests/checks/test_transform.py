"""The transform of the average: what docs/models.md says of it is what its table holds."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from uncounted.checks.calibration import draw_estimable, strata_of_batch
from uncounted.checks.calibration_plan import read_calibration
from uncounted.inference import seed_for
from uncounted.models.average import TRANSFORM, transformed

DOCS = Path(__file__).parents[2] / "docs"
TABLE = pd.read_csv(DOCS / "calibration" / "transform.csv")
ENDS = [0.025, 0.975]


def held(lower, upper):
    """Share of the numbers between two ranks, by kind."""
    return TABLE["rank"].between(lower, upper).groupby(TABLE["kind"]).mean()


def test_the_page_says_what_the_table_holds():
    page = " ".join(
        (DOCS / "models.md").read_text(encoding="utf-8").split("## The transform")[1].split("##")[0].split()
    )
    simple = TABLE[TABLE["kind"].isin(["independent", "pairs"])]
    sizes, mixture, average = TABLE["kind"].value_counts(), held(*ENDS), held(*transformed(ENDS))
    for said in (
        f"Of {len(TABLE)} simulated populations",
        f"intervals held {mixture.mean():.0%} (the mean over kinds)",
        f"{mixture['independent']:.0%} of {sizes['independent']} whose lists are independent",
        f"{mixture['classes']:.0%} of {sizes['classes']} whose people fall into classes",
        f"a beta distribution with {TRANSFORM[0]} and {TRANSFORM[1]}",
        f"where the mixture has {transformed(0.025):.0%}, the median where it has {transformed(0.5):.0%}",
        f"held {average.mean():.0%} of the same populations, {average['independent']:.0%} of independent lists and "
        f"{average['classes']:.0%} of classes",
        f"{(TABLE['rank'] > 0.5).mean():.0%} of the numbers lay in the upper half of the mixture, and "
        f"{(TABLE['rank'] < 0.025).mean():.1%} in its lowest fortieth",
        f"there {(simple['rank'] < 0.5).mean():.0%} lay in the lower half",
        f"the seed {read_calibration()['seeds']['development']}",
    ):
        assert re.sub(r"(\d)%", r"\1 %", said) in page
    assert not (TABLE.loc[TABLE["kind"] == "classes", "rank"] < 0.025).any()
    assert ((TABLE["rank"] < 0.025).groupby(TABLE["kind"]).mean() < 0.025).all()
    assert transformed(0.975) == pytest.approx(0.975, abs=0.005)


def test_with_it_intervals_hold_what_is_asked_of_them():
    average = held(*transformed(ENDS))
    assert (average >= 0.90).all()
    assert 0.93 <= average["independent"] <= 0.97


@pytest.mark.parametrize("kind", TABLE["kind"].unique().tolist())
def test_rows_are_of_the_populations_that_their_seeds_draw(kind):
    seed = read_calibration()["seeds"]["development"]
    for row in TABLE[TABLE["kind"] == kind].groupby("lists").head(1).itertuples():
        own = seed_for(seed, "calibration", kind, str(row.lists), str(row.batch), str(row.number))
        strata = strata_of_batch(row.lists, row.batch)
        population, _ = draw_estimable(kind, row.lists, np.random.default_rng(own), strata)
        assert (population.total, population.counts.sum()) == (row.total, row.seen)
