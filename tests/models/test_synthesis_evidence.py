"""Evidence that can be read row by row, and that the model cannot use all the same, is refused with its source."""

import numpy as np
import pytest

from uncounted.errors import UserError
from uncounted.models.synthesis_evidence import lay_out


def set_named(day, named):
    """Give the size of the whole list on one day."""

    def change(table):
        table.loc[(table["part"] == "all") & (table["closed"] == day), "named"] = named
        return table

    return change


def without(query):
    return lambda table: table.query(f"not ({query})").reset_index(drop=True)


def only(**values):
    return lambda table: table.assign(**values)


def test_the_committed_evidence_is_finite(layout):
    assert all(np.isfinite(value).all() for value in layout.data.values())


@pytest.mark.parametrize(
    ("source", "change", "said"),
    [
        ("named_totals", set_named("2023-04-12", 4000), ["4000 people on 2023-04-12", "leave one of the two days out"]),
        ("named_totals", set_named("2023-04-12", 0), ["0 people on 2023-04-12", "sizes of the list that grow"]),
        ("named_by_week", only(named=0), ["named_by_week", "dated", "at least one month"]),
        ("named_by_age", only(named=0), ["named_by_age", "nobody in the table has an age"]),
        ("named_in_year", only(more_than=0), ["named_in_year", "nobody"]),
        ("graves", only(low=0.0), ["graves", "graves_logit_seen", "shares above 0"]),
        ("registered_deaths", without("age == '20-24' and year == 2015"), ["registered_deaths", "20-24 in 2015"]),
        ("registered_deaths", without("year == 2010"), ["15-19 in 2010"]),
        ("registered_deaths", without("year == 2021"), ["15-19 in 2021"]),
        ("registered_deaths", without("year >= 2022"), ["no deaths of a year of the war"]),
        ("registered_deaths", only(male_hiv=10**6), ["no deaths other than from HIV"]),
    ],
)
def test_what_the_model_cannot_use_is_refused(case, tables, source, change, said):
    with pytest.raises(UserError) as error:
        lay_out(case, tables | {source: change(tables[source].copy())})
    for words in ["table of the source", *said]:
        assert words in str(error.value)


def test_people_to_whom_the_dead_of_the_ledger_are_likened_are_there(case, tables):
    ledger = case["ledger"] | {"kind": "prisonerz"}
    with pytest.raises(UserError, match="named_by_age has nobody of the kind 'prisonerz'"):
        lay_out(case | {"ledger": ledger}, tables)
    source = "named_by_number_of_sources"
    with pytest.raises(UserError, match=f"{source} has nobody"):
        lay_out(case, tables | {source: tables[source].assign(named=0)})


def test_a_list_of_one_day_is_too_little_for_the_table_by_week(case, tables):
    kept = {name: tables[name] for name in ("named_totals", "named_by_week")}
    kept["named_totals"] = kept["named_totals"].query("closed <= '2022-07-08'")
    assert len(kept["named_totals"]) == 1
    with pytest.raises(UserError, match="one day alone"):
        lay_out(case, kept)


def test_a_size_of_the_list_that_the_bound_needs_is_named(case, tables):
    bound = tables["named_in_year"].assign(closed=np.datetime64("2023-01-01", "us"))
    with pytest.raises(UserError, match="named_totals has no size of the list on 2023-01-01"):
        lay_out(case, tables | {"named_in_year": bound})


def test_a_cut_off_before_the_list_is_refused(case, tables):
    with pytest.raises(UserError, match="before the first day on which the size of the list is known"):
        lay_out(case | {"cut_off": "2022-03-01"}, tables)
