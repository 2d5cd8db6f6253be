"""Tables of recruits: individual times to the day or the month, with either missing."""

import pandas as pd

TIMES = (
    "cohort,recruited,died\nwagner,2022-09-05,2022-11-20\nwagner,2022-09,Dec 2022\nother,,2022-11-20\nother,2022-09,\n"
)


def test_times_to_the_day_and_to_the_month_become_spans(small_case):
    small_case.add("times", "prisoner_times", TIMES, published="2024-04-07", kept_for="later")
    small_case.clean()
    times = small_case.evidence("times", "prisoner_times")
    assert times["cohort"].tolist() == ["wagner", "wagner", "other", "other"]
    spans = times[["recruited_from", "recruited_to", "died_from", "died_to"]].astype("str").to_numpy().tolist()
    assert spans[0] == ["2022-09-05", "2022-09-05", "2022-11-20", "2022-11-20"]
    assert spans[1] == ["2022-09-01", "2022-09-30", "2022-12-01", "2022-12-31"]
    assert pd.isna(times.loc[2, "recruited_from"]) and spans[2][2:] == ["2022-11-20", "2022-11-20"]
    assert pd.isna(times.loc[3, "died_to"]) and spans[3][:2] == ["2022-09-01", "2022-09-30"]


def test_two_people_with_the_same_days_are_two_people(small_case):
    small_case.add(
        "times", "prisoner_times", TIMES + "wagner,2022-09-05,2022-11-20\n", published="2024-04-07", kept_for="x"
    )
    small_case.clean()
    assert len(small_case.evidence("times", "prisoner_times")) == 5
