"""The figures of the Russian case, cleaned: numbers that must not change."""

from pathlib import Path

import pandas as pd
import pytest

from uncounted.evidence import schemas
from uncounted.evidence.clean import clean_case

PROJECT = Path(__file__).parents[2]


def outputs(case: dict) -> list[str]:
    """Name the files that cleaning a case writes."""
    sources = case["sources"]
    later = [f"{name}_later" for name, entry in sources.items() if "used_until" in entry]
    return [
        *(f"{name}.parquet" for name in [*sources, *later]),
        "refused.csv",
        "questions.csv",
        "reconciliation.csv",
    ]


def evidence(cleaned, name: str, later: bool = False) -> pd.DataFrame:
    """A table of the Russian case."""
    schema = {"named_by_week_2025": "named_by_week"}.get(name, name)
    return schemas.read(schema, cleaned / f"{name}{'_later' if later else ''}.parquet")


def test_all_outputs_are_written_and_no_others(cleaned, russia):
    assert sorted(path.name for path in cleaned.iterdir()) == sorted(outputs(russia))


def test_no_row_is_refused(cleaned):
    assert pd.read_csv(cleaned / "refused.csv").empty


def test_the_only_questions_are_the_two_empty_weeks_ahead(cleaned):
    questions = pd.read_csv(cleaned / "questions.csv")
    assert questions["value"].tolist() == ["2025-05-01", "2025-05-08"]
    assert questions["question"].str.startswith("a week in the future").all()


def test_named_totals(cleaned):
    known, later = evidence(cleaned, "named_totals"), evidence(cleaned, "named_totals", later=True)
    totals = pd.concat([known, later])
    whole = totals[totals["part"] == "all"].set_index("published")
    assert len(whole.loc[:"2024-04-19"]) == 14
    assert whole.loc["2024-04-17", "named"] == 50471
    assert whole.loc["2024-04-17", "closed"] == pd.Timestamp("2024-04-07")
    assert whole.loc["2024-04-19", "named"] == 51096
    assert whole.loc["2025-03-28", "named"] == 100001
    assert whole["named"].is_monotonic_increasing


def test_totals_published_later_are_kept_apart(cleaned, russia):
    known, later = evidence(cleaned, "named_totals"), evidence(cleaned, "named_totals", later=True)
    used_until = pd.Timestamp(russia["sources"]["named_totals"]["used_until"])
    assert known["published"].max() <= used_until < later["published"].min()


def test_weeks_of_2023_as_months(cleaned):
    months = evidence(cleaned, "named_by_week")
    assert months["named"].sum() == 26939
    assert set(months["kind"]) == {"all"}
    assert months["month"].iloc[[0, -1]].tolist() == ["2022-02", "2023-11"]
    assert months["first_day"].min() == pd.Timestamp("2022-02-24")
    assert months["last_day"].max() == pd.Timestamp("2023-11-01")
    # 544 in the first week, 5 of whose 7 days are in February.
    assert months.loc[0, "named"] == 389


def test_weeks_of_2025_as_months(cleaned):
    months = evidence(cleaned, "named_by_week_2025")
    people = months.pivot(index="month", columns="kind", values="named")
    assert people["all"].sum() == 84492
    assert (people.drop(columns="all").sum(axis=1) == people["all"]).all()
    assert set(people.columns) == {
        "all",
        "guard_and_police",
        "mobilised",
        "prisoners",
        "private_company",
        "professional",
        "unknown",
        "volunteers",
    }
    assert months["last_day"].max() == pd.Timestamp("2025-04-25")


def test_branches_of_2025_sum_to_the_total_in_every_week():
    table = pd.read_csv(PROJECT / "data/russia/named_by_week_and_branch_as_of_2025-04-25.csv")
    assert (table.drop(columns=["week_start", "total"]).sum(axis=1) == table["total"]).all()
    assert len(table) == 168


def test_ages(cleaned):
    ages = evidence(cleaned, "named_by_age")
    assert ages["named"].sum() == 13737
    assert ages["age"].nunique() == 10
    assert ages.set_index(["age", "kind"]).loc[("15-19", "professional"), "named"] == 70


def test_more_than_27300_in_the_second_twelve_months(cleaned):
    (row,) = evidence(cleaned, "named_in_year").itertuples(index=False)
    days = [f"{day:%Y-%m-%d}" for day in (row.published, row.closed, row.died_from, row.died_to)]
    assert days == ["2024-04-17", "2024-04-07", "2023-02-24", "2024-02-23"]
    assert row.more_than == 27300


def test_registered_deaths(cleaned):
    deaths = evidence(cleaned, "registered_deaths")
    assert len(deaths) == 162
    published = deaths.groupby("year")["published"].agg(["min", "max"])
    assert (published.loc[:2022] == pd.Timestamp("2023-07-10")).all(axis=None)
    assert (published.loc[2023] == pd.Timestamp("2024-06-27")).all()
    row = deaths.set_index(["age", "year"]).loc[("35-39", 2023)]
    assert row[["male", "female", "male_hiv", "female_hiv"]].tolist() == [38480, 11379, 2316, 1381]


def test_graves_and_what_experts_said_later(cleaned):
    graves, later = evidence(cleaned, "graves"), evidence(cleaned, "graves", later=True)
    assert graves[["low", "high"]].to_numpy().tolist() == [[0.45, 0.55]]
    assert later["published"].tolist() == [pd.Timestamp("2025-01-24")]


def test_published_estimates(cleaned):
    estimates = evidence(cleaned, "published_estimates")
    assert len(estimates) == 14
    assert estimates["counts"].value_counts().to_dict() == {
        "killed": 7,
        "excess male deaths": 3,
        "killed and wounded": 1,
        "killed, wounded and captured": 1,
        "other side": 2,
    }
    leaked = estimates[estimates["by"].str.startswith("leaked")].iloc[0]
    assert pd.isna(leaked["point"])
    assert (leaked["published"], leaked["published_as"]) == (pd.Timestamp("2023-04-30"), "2023-04")


def test_published_excess_male_deaths(cleaned):
    excess = evidence(cleaned, "published_excess_male_deaths").set_index(["age", "year", "variant"])["excess"]
    assert excess["35-39", 2022, "hiv_subtracted"] == 4466
    assert excess["35-39", 2023, "hiv_subtracted"] == 9068
    assert excess["15-19", 2023, "raw"] == -52


@pytest.mark.parametrize(
    ("name", "people"),
    [("named_by_region", 42284), ("named_by_number_of_sources", 20253), ("named_by_month_confirmed", 20188)],
)
def test_tables_kept_for_later(cleaned, name, people):
    assert evidence(cleaned, name)["named"].sum() == people


def test_prisoners(cleaned):
    prisoners = evidence(cleaned, "prisoners").set_index("cohort")
    assert prisoners.loc["wagner", "died"] == 17175
    assert pd.isna(prisoners.loc["defence_ministry", "died"])


def test_the_ledger_holds_the_cohort_whose_dead_were_counted(cleaned):
    (row,) = evidence(cleaned, "ledger").itertuples(index=False)
    assert (row.cohort, row.recruited, row.died) == ("wagner", 48366, 17175)
    assert row.published == pd.Timestamp("2024-06-10")
    assert evidence(cleaned, "ledger", later=True).empty


def test_rows_and_people_are_reconciled(cleaned, russia):
    table = pd.read_csv(cleaned / "reconciliation.csv").set_index("source")
    assert list(table.index) == list(russia["sources"])
    assert (table["rows_in"] == table["rows_kept"] + table["rows_refused"]).all()
    counted = table.dropna(subset=["people_in"])
    assert (counted["people_in"] == counted["people_out"]).all()
    later = {name: evidence(cleaned, name, later=True) for name in ("named_totals", "graves")}
    days_later = {name: frame["published"].nunique() for name, frame in later.items()}
    assert table["rows_later"].to_dict() == dict.fromkeys(table.index, 0) | days_later
    assert table["checks_questioned"].dropna().to_dict() == {"named_by_week_2025": "no week in the future"}


def test_the_same_figures_give_the_same_bytes(cleaned, russia, tmp_path):
    clean_case(russia, PROJECT / "data/russia", tmp_path)
    for name in outputs(russia):
        assert (tmp_path / name).read_bytes() == (cleaned / name).read_bytes(), name


def test_days_of_the_config_may_be_text(cleaned, russia, tmp_path):
    as_text = {name: {key: str(value) for key, value in entry.items()} for name, entry in russia["sources"].items()}
    clean_case(russia | {"sources": as_text}, PROJECT / "data/russia", tmp_path)
    for name in outputs(russia):
        assert (tmp_path / name).read_bytes() == (cleaned / name).read_bytes(), name
