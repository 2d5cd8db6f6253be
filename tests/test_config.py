"""Each mistake in a config gives one message that says what, where, and what was expected."""

from pathlib import Path

import pytest
import yaml

from uncounted import config
from uncounted.config import part, place_in_case, read_case, read_config, tables, without
from uncounted.errors import UserError
from uncounted.evidence.readings import READINGS
from uncounted.evidence.schemas import SCHEMAS

CONFIG = """\
release: "2026.11"
seed: 1
cases: [toy]
"""
CASE = """\
title: A toy
kind: evidence_synthesis
model: simple
war: {from: 2022-02-24}
cut_off: 2024-04-07
sources:
  list: {table: list.csv, reads: named_totals, used_until: 2024-04-19}
"""


LISTS = """\
title: A toy
kind: multiple_systems_estimation
tables: [histories.csv]
lists: [a, b, c]
strata: [sex]
count: n
structural_zeros:
  - {where: {sex: f}, lists: [b]}
"""
DEFAULTS = """\
priors:
  pairs: {distribution: half_normal, scale: 1, unit: log odds, reason: most are small}
  classes: 10
sampling: {draws: 1000, cautious: false, seeds: [1, 2]}
checks: {r_hat: 1.01, also: }
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "cases").mkdir()
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "cases" / "toy.yaml").write_text(CASE)
    return tmp_path


def message(folder, **options):
    with pytest.raises(UserError) as caught:
        read_config(folder / "config.yaml", **options)
    return str(caught.value)


def edited(folder, path, old, new):
    text = (folder / path).read_text()
    assert old in text
    (folder / path).write_text(text.replace(old, new))
    return message(folder)


def test_plain_values_with_defaults(folder):
    values = read_config(folder / "config.yaml")
    assert values["release"] == "2026.11"
    assert values["allow_unconverged"] is False
    case = values["cases"]["toy"]
    assert case["cut_off"] == "2024-04-07"
    assert case["war"] == {"from": "2022-02-24"}
    assert case["refused_rows_allowed"] == 0
    assert case["headers"] == case["priors"] == case["sampling"] == case["checks"] == {}


def test_two_reads_share_nothing(folder):
    first = read_config(folder / "config.yaml")
    first["cases"]["toy"]["priors"]["x"] = 1
    assert read_config(folder / "config.yaml")["cases"]["toy"]["priors"] == {}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seed: 1", "sead: 1", ["line 2", "unknown key 'sead'", "did you mean seed?", "release, seed"]),
        ("seed: 1\n", "", ["the key 'seed' is missing", "a whole number"]),
        ("seed: 1", "seed: 1.5", ["line 2", "seed is 1.5", "a whole number"]),
        ("seed: 1", "seed: 1.0", ["line 2", "seed is 1.0", "a whole number"]),
        ("seed: 1", "seed: .inf", ["line 2", "seed is .inf", "a number that is finite"]),
        ("seed: 1", f"seed: {'1' * 401}", ["line 2", "seed is a number of 401 digits", "fewer digits"]),
        ("seed: 1", f"seed: {'1' * 5001}", ["line 2", "seed is 111", "4300 digits"]),
        ("seed: 1", "seed: !!binary aGVsbG8=", ["line 2", "seed has the tag", "without a tag"]),
        ("seed: 1", "seed: !!set {1}", ["line 2", "seed has the tag", "without a tag"]),
        ("seed: 1", "seed: 1 # \x01", ["line 2", "the character U+0001", "UTF-8"]),
        ("seed: 1", "seed: &a [*a]", ["config.yaml: ", "a value holds itself"]),
        ("seed: 1", "seed: " + 3000 * "[" + 3000 * "]", ["config.yaml: ", "too deeply"]),
        ("seed: 1", "seed: -1", ["line 2", "seed is -1"]),
        ("seed: 1", "seed:", ["line 2", "seed is empty"]),
        ("seed: 1", "seed: 1\nseed: 2", ["line 3", "twice", "line 2"]),
        ("seed: 1", "seed: 1\nno: 2", ["line 3", 'in quotes: "no"']),
        ("seed: 1", "seed: [1", ["line 3", "not YAML"]),
        ("seed: 1", "seed: 1\nallow_unconverged: yes please", ["line 3", "true or false"]),
        ('"2026.11"', "2026.11", ["line 1", "a number to YAML", 'release: "2026.10"', "in quotes"]),
        ('"2026.11"', '"a/b"', ["line 1", 'release is "a/b"', "letters, digits, dots"]),
        ('"2026.11"', '"../up"', ["line 1", "letters, digits, dots"]),
        ('"2026.11"', '"a b"', ["line 1", "letters, digits, dots"]),
        ('"2026.11"', '"a\\n"', ["line 1", "letters, digits, dots"]),
        ('"2026.11"', '""', ["line 1", "release is empty"]),
        ("[toy]", "[toi]", ["line 3", "unknown case 'toi'", "did you mean toy?", "one of toy"]),
        ("[toy]", f"[{'t' * 300}]", ["line 3", "cases.0 is", "in config/cases/"]),
        ("[toy]", "[../toy]", ["line 3", "in config/cases/"]),
        ("[toy]", "[]", ["line 3", "cases is empty", "a list of studies"]),
        ("[toy]", "toy", ["line 3", 'cases is "toy"', "a list of studies"]),
        ("[toy]", "[toy, toy]", ["line 3", "cases"]),
    ],
)
def test_mistakes_in_config(folder, old, new, said):
    text = edited(folder, "config.yaml", old, new)
    assert "config.yaml" in text
    for words in said:
        assert words in text


def test_a_reason_is_for_a_key_that_is_another_one(folder):
    (folder / "cases" / "toy.yaml").write_text(LISTS + "sampling: {classes: 5}\nreasons: {classes: chains agree}\n")
    assert read_config(folder / "config.yaml")["cases"]["toy"]["reasons"] == {"classes": "chains agree"}
    text = edited(folder, "cases/toy.yaml", "reasons: {classes", "reasons: {clases")
    assert "line 10" in text and "reasons.clases is about no key of sampling (did you mean classes?)" in text


def test_another_study_of_the_same_people_is_one_that_there_is(folder):
    (folder / "cases" / "toy.yaml").write_text(LISTS + "same_people_as: [other]\n")
    text = message(folder)
    assert "'other' in same_people_as is no other study" in text and "toy.yaml, line 9" in text
    (folder / "cases" / "other.yaml").write_text(CASE)
    # Not in this run, but a study: nothing is wrong.
    assert read_config(folder / "config.yaml")["cases"]["toy"]["same_people_as"] == ["other"]
    assert "did you mean other?" in edited(folder, "cases/toy.yaml", "[other]", "[othr]")
    assert "is no other study" in edited(folder, "cases/toy.yaml", "[othr]", "[toy]")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("title: A toy", "titel: A toy", ["line 1", "unknown key 'titel'", "did you mean title?"]),
        ("title: A toy", "title: 3", ["line 1", "title is 3"]),
        ("evidence_synthesis", "guesswork", ["line 2", "the kind of study"]),
        ("{from: 2022-02-24}", "{form: 2022-02-24}", ["line 4", "war.form", "did you mean from?"]),
        ("2022-02-24", "2022-02-30", ["line 4", "war.from is 2022-02-30", "day is out of range"]),
        ("2022-02-24", '"2022-02-30"', ["line 4", "war.from", "a day, as in 2024-04-07"]),
        ("2022-02-24", "24.02.2022", ["line 4", "war.from", "a day, as in 2024-04-07"]),
        ("cut_off: 2024-04-07", "cut_off: 2021-04-07", ["line 5", "before the first day of the war"]),
        (", used_until: 2024-04-19", "", ["line 7", "list has neither used_until nor kept_for"]),
        ("used_until: 2024-04-19", "used_until: 2024-04-19, kept_for: later", ["line 7", "both"]),
        ("used_until: 2024-04-19", "kept_for: fun", ["line 7", "sources.list.kept_for", "back_test"]),
        ("used_until", "used_untill", ["line 7", "did you mean used_until?"]),
        ("list.csv", "../list.csv", ["line 7", "sources.list.table", "data/<case>/"]),
        ("list.csv", "'list_{a}.csv'", ["line 7", "sources.list.table", "without / \\ { } < >"]),
        ("list.csv", '"list.csv\\n"', ["line 7", "sources.list.table", "data/<case>/"]),
        ("list.csv", f"{300 * 'l'}.csv", ["line 7", "sources.list.table", "data/<case>/"]),
        ("used_until: 2024-04-19", "published: 9999-12-31", ["line 7", "sources.list.published", "a day, as in"]),
        ("cut_off: 2024-04-07", "cut_off: 2031-04-07", ["line 5", "after the last day", "2024-04-19 or earlier"]),
        ("sources:", "kinds_of_service: {a: ''}\nsources:", ["line 6", "kinds_of_service.a is empty", "not blank"]),
        ("list:", f"{'l' * 61}:", ["sources", "at most 60"]),
        ("sources:", "checks: {r_hatt: 1}\nsources:", ["line 6", "'checks.r_hatt'", "did you mean r_hat?"]),
        ("sources:", "checks: {r_hat: 0.9}\nsources:", ["line 6", "checks.r_hat is 0.9", "1 or more"]),
        ("sources:", "sampling: {posterio: {}}\nsources:", ["line 6", "did you mean posterior?"]),
        (
            "sources:",
            "sampling: {posterior: {draws: 9, tune: 9}}\nsources:",
            ["line 6", "'sampling.posterior.chains' is missing"],
        ),
        ("sources:", "measurement: {ledger: 1}\nsources:", ["line 6", "did you mean ledger_sd?"]),
        ("sources:", "baseline: {from: 2006, pandemic_years: []}\nsources:", ["line 6", "pandemic_years is empty"]),
    ],
)
def test_mistakes_in_case(folder, old, new, said):
    text = edited(folder, "cases/toy.yaml", old, new)
    assert "toy.yaml" in text
    for words in said:
        assert words in text


def test_a_source_that_would_write_over_another(folder):
    other = "  list_later: {table: b.csv, reads: named_totals, used_until: 2024-04-19}\n"
    (folder / "cases" / "toy.yaml").write_text(CASE + other)
    text = message(folder)
    assert "line 8: the source list_later would take the place of what was published later" in text


def test_text_is_what_people_see(folder):
    (folder / "cases" / "toy.yaml").write_text(CASE.replace("A toy", "Cafe\u0301 \u200bA\u00ad toy"))
    assert read_config(folder / "config.yaml")["cases"]["toy"]["title"] == "Caf\u00e9 A toy"


RUSSIA = (Path(__file__).parents[1] / "config/cases/russia.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  kind: prisoners ", "  kind: prisonerz ", ["ledger.kind is 'prisonerz'", "did you mean prisoners?"]),
        (
            "kind_unknown: unknown ",
            "kind_unknown: unknow ",
            ["ledger.kind_unknown is 'unknow'", "did you mean unknown?"],
        ),
        ("  part: inmates ", "  part: inmatez ", ["ledger.part is", "a part of the list"]),
        ("    inmates: prisoners\n", "    inmates: prisoner\n", ["services.parts.inmates is 'prisoner'"]),
        ("  list: named_by_number_of_sources ", "  list: named_by_number ", ["services.list is", "no source"]),
        ("  named_totals:\n", "  totals:\n", ["'sources.totals'", "did you mean named_totals?"]),
        ("reads: coverage_checks", "reads: named_totals", ["sources.graves.reads", "coverage_checks"]),
        ("kept_for: back_test", "kept_for: later", ["0 sources are kept for the back-test"]),
        ("  scatter_of_months:", "  scatter_of_month:", ["did you mean scatter_of_months?"]),
        ("  scatter_of_ages: 0.03 ", "  ", ["'measurement.scatter_of_ages' is missing"]),
        ("  ledger_sd: 0.2 ", "  ledger_sd: -1 ", ["measurement.ledger_sd is -1", "a number above 0"]),
        ("  from: 2006\n", "", ["'baseline.from' is missing"]),
        ("  from: 2006\n", "  from: 2019\n", ["baseline.from is 2019", "at least 3 years before 2020"]),
        ("  pandemic_years: [2020, 2021]\n", "", ["'baseline.pandemic_years' is missing"]),
        ("  ratio_memory:\n", "  ratio_memori:\n", ["priors.ratio_memor"]),
        ("  service_drift:\n", "  service_drif:\n", ["did you mean service_drift?"]),
        ("    hazard_step:\n", "    hazard_steps:\n", ["survival.priors.hazard_step"]),
        ("predictive_draws: 400", "predictive_draw: 400", ["sampling.predictive_draw"]),
        ("target_accept: 0.9}", "target_accept: 2}", ["sampling.posterior.target_accept is 2", "between 0 and 1"]),
        ("  divergences: 0 ", "  ", ["'checks.divergences' is missing"]),
    ],
)
def test_mistakes_in_a_case_of_the_model_of_record(folder, old, new, said):
    assert old in RUSSIA
    (folder / "cases" / "toy.yaml").write_text(RUSSIA.replace(old, new, 1), encoding="utf-8")
    text = message(folder)
    assert "toy.yaml, line " in text
    for words in said:
        assert words in text


def test_the_sources_of_the_model_have_the_kind_that_their_evidence_has():
    named = config._schema("case.evidence_synthesis")["then"]["properties"]["sources"]["properties"]
    assert set(named) <= set(SCHEMAS)
    for name, entry in named.items():
        for reads in entry["properties"]["reads"]["enum"]:
            assert SCHEMAS[name] is SCHEMAS[READINGS[reads].schema]


SURVIVAL = """\
survival:
  summaries: prisoners
  closing_day: 2024-04-07
  recruiters: {a: {title: A}}
  laws: [weibull]
  breaks: [30, 76]
  reading_error_days: 9
  scatter_of_toll: 0.1
  priors: {}
  sampling: {}
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("summaries: prisoners", "summaries: list", ["line 10", "no source that reads prisoners"]),
        (
            "closing_day",
            "times: prisoners\n  closing_day",
            ["survival.times is", "no source that reads prisoner_times"],
        ),
        ("[30, 76]", "[76, 30]", ["line 14", "rising order"]),
        ("weibull", "weibul", ["survival.laws.0", "weibull or piecewise"]),
        ("{a: {title: A}}", "{}", ["survival.recruiters is empty", "those who recruited them"]),
    ],
)
def test_mistakes_in_the_survival_of_recruits(folder, old, new, said):
    case = CASE + "  prisoners: {table: list.csv, reads: prisoners, kept_for: later}\n" + SURVIVAL
    (folder / "cases" / "toy.yaml").write_text(case)
    assert read_config(folder / "config.yaml")["cases"]["toy"]["survival"]["laws"] == ["weibull"]
    text = edited(folder, "cases/toy.yaml", old, new)
    for words in said:
        assert words in text, text


def test_several_mistakes_are_counted(folder):
    (folder / "config.yaml").write_text("sead: 1\nrelease: a/b\ncases: []\n")
    assert "3 more after it" in message(folder)


def test_missing_empty_and_undecodable_files(folder):
    path = folder / "config.yaml"
    path.write_bytes(b"seed: 1\n\xff\xfe")
    assert "line 2: not UTF-8" in message(folder) and "save the file as UTF-8" in message(folder)
    path.write_text("")
    assert "the file is empty" in message(folder)
    path.write_text("- a\n")
    assert "not a set of keys" in message(folder)
    path.write_text("a: !!python/object:os.system {}\n")
    assert "not YAML" in message(folder)
    path.unlink()
    assert "there is no such file" in message(folder)
    path.mkdir()
    assert "cannot be read" in message(folder)


def test_command_line_takes_the_place_of_the_file(folder):
    assert read_config(folder / "config.yaml", {"seed": 5})["seed"] == 5
    assert "--config sead=..." in message(folder, overrides={"sead": 5})


def test_release_on_the_command_line_stays_as_typed(folder):
    # Snakemake has made numbers of them.
    for typed in ("release=2026.10", "release='2026.10'", 'release="2026.10"'):
        values = read_config(folder / "config.yaml", {"release": 2026.1}, typed=["seed=1", typed])
        assert values["release"] == "2026.10"
    text = message(folder, overrides={"release": "a/b"}, typed=["release=a/b"])
    assert "--config release=..." in text


def test_command_line_is_yaml(folder):
    # Snakemake has left the text as it was.
    overrides = {"allow_unconverged": "true", "cases": "[toy]"}
    typed = ["allow_unconverged=true", "cases=[toy]"]
    assert read_config(folder / "config.yaml", overrides, typed)["allow_unconverged"] is True
    text = message(folder, overrides={"cases": "[toy"}, typed=["cases=[toy"])
    assert "is not YAML" in text and "brackets and quotes closed" in text


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("title: A toy", "title: Deaths: a study", ["line 1", "put the text in quotes"]),
        ("title: A toy", "title: %T", ["line 1", "put the text in quotes"]),
        ("title: A toy", "title: @T", ["line 1", "put the text in quotes"]),
        ("strata: [sex]", "strata:\n\t- sex", ["line 6", "put spaces in place of the tab"]),
        ("lists: [a, b, c]", "lists: [a, b, c", ["look at line 4, column 8, too"]),
        ("title: A toy", 'title: "A toy', ["look at line 1, column 8, too"]),
    ],
)
def test_what_is_not_yaml_has_a_remedy(lists, old, new, said):
    text = edited(lists, "cases/toy.yaml", old, new)
    for words in ["toy.yaml", "this is not YAML", *said]:
        assert words in text


def test_the_name_of_a_case_is_said_to_be_of_small_letters(folder):
    (folder / "cases" / "Any-town.yaml").write_text(CASE)
    assert "small letters, digits and underscores" in message(folder, overrides={"cases": ["Any-town"]})


def test_unknown_case_when_there_is_none(tmp_path):
    with pytest.raises(UserError, match="unknown case 'x'"):
        read_case(tmp_path / "nothing", "x")


def test_tables(tmp_path):
    case = {"sources": {"list": {"table": "list.csv"}, "more": {"table": "list.csv"}}}
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "lists.csv").write_text("")
    with pytest.raises(UserError) as caught:
        tables("toy", case, tmp_path)
    assert "missing table" in str(caught.value)
    assert "did you mean lists.csv?" in str(caught.value)
    assert "list.csv: missing" in str(caught.value)
    (tmp_path / "toy" / "list.csv").write_text("")
    assert tables("toy", case, tmp_path) == [str(tmp_path / "toy" / "list.csv")]


def test_a_table_that_cannot_be_read(tmp_path):
    case = {"sources": {"list": {"table": "list.csv"}}}
    (tmp_path / "toy" / "list.csv").mkdir(parents=True)
    with pytest.raises(UserError, match="this is no file"):
        tables("toy", case, tmp_path)
    case["sources"]["list"]["table"] = f"{300 * 'a'}.csv"
    with pytest.raises(UserError, match="cannot be looked at"):
        tables("toy", case, tmp_path)


def test_place_of_a_key(folder):
    assert place_in_case("toy", "model", folder=folder / "cases") == f"{folder / 'cases' / 'toy.yaml'}, line 3"


def test_part_takes_only_what_is_asked_for():
    assert part({"a": 1, "b": 2}, "a") == {"a": 1}
    assert without({"a": 1, "b": 2}, "a", "c") == {"b": 2}


PRIOR = "  rate: {distribution: lognormal, median: 55, sd_log: 1, unit: a day, reason: wide}\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("sd_log: 1, ", "", ["the key 'priors.rate.sd_log' is missing"]),
        ("sd_log: 1", "sd: 1", ["the key 'priors.rate.sd_log' is missing"]),
        ("sd_log: 1", "sd_log: 0", ["priors.rate.sd_log is 0", "a number above 0"]),
        ("lognormal", "lognormall", ["priors.rate.distribution", "one of normal, half_normal, lognormal"]),
        ("lognormal, median: 55, sd_log", "logit_normal, median: 55, sd_logit", ["a number between 0 and 1"]),
        (", reason: wide", "", ["the key 'priors.rate.reason' is missing", "a sentence that says why"]),
        ("median: 55", "median: 55, mode: 50", ["unknown key 'priors.rate.mode'"]),
    ],
)
def test_mistakes_in_priors(folder, old, new, said):
    with (folder / "cases" / "toy.yaml").open("a") as file:
        file.write(f"priors:\n{PRIOR}")
    read_config(folder / "config.yaml")
    text = edited(folder, "cases/toy.yaml", old, new)
    for words in ["toy.yaml, line 9", *said]:
        assert words in text


# Cases of multiple systems estimation


@pytest.fixture
def lists(folder, monkeypatch):
    """A case of lists, and defaults that do not change with the project's."""
    (folder / "cases" / "toy.yaml").write_text(LISTS)
    (folder / "defaults.yaml").write_text(DEFAULTS)
    monkeypatch.setattr(config, "DEFAULTS", folder / "defaults.yaml")
    return folder


def case_with(folder, text):
    with (folder / "cases" / "toy.yaml").open("a") as file:
        file.write(text)
    return read_case(folder / "cases", "toy")


def test_a_case_of_lists_with_defaults(lists):
    case = read_case(lists / "cases", "toy")
    assert case["model"] == "average"
    assert case["data"] == "toy"
    assert case["blank_strata"] == "impute"
    assert case["people"] == "people"
    assert case["published"] is None
    assert case["unseen_odds"] == case["refused_rows_allowed"] == 0
    assert case["priors"]["classes"] == 10
    assert case["sampling"] == {"draws": 1000, "cautious": False, "seeds": [1, 2]}
    assert case["checks"] == {"r_hat": 1.01, "also": None}


def test_a_case_of_four_keys(lists):
    (lists / "cases" / "toy.yaml").write_text("\n".join(LISTS.splitlines()[:4]))
    case = read_case(lists / "cases", "toy")
    assert case["count"] is None
    assert case["strata"] == case["structural_zeros"] == []


def test_keys_of_the_case_take_the_place_of_defaults(lists):
    case = case_with(lists, "priors: {pairs: {scale: 0.5}}\nsampling: {draws: 2000, seeds: [3]}\nchecks: {also: 1}\n")
    assert case["priors"]["pairs"] == {
        "distribution": "half_normal",
        "scale": 0.5,
        "unit": "log odds",
        "reason": "most are small",
    }
    assert case["priors"]["classes"] == 10
    assert case["sampling"] == {"draws": 2000, "cautious": False, "seeds": [3]}
    assert case["checks"] == {"r_hat": 1.01, "also": 1}


def test_another_distribution_takes_nothing_of_the_default(lists):
    prior = "{distribution: normal, mean: 0, sd: 1, unit: log odds, reason: wide}"
    assert case_with(lists, f"priors: {{pairs: {prior}}}\n")["priors"]["pairs"] == yaml.safe_load(prior)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("priors: {pears: 1}", ["line 9", "unknown key 'priors.pears'", "did you mean pairs?", "classes, pairs"]),
        ("priors: {pairs: {sd: 1}}", ["line 9", "unknown key 'priors.pairs.sd'"]),
        ("priors: {pairs: {scale: -1}}", ["line 9", "priors.pairs.scale is -1", "a number above 0"]),
        ("priors: {pairs: 3}", ["line 9", "priors.pairs is 3", "keys with values"]),
        ("priors: {pairs: {distribution: normal, mean: 0}}", ["the key 'priors.pairs.unit' is missing"]),
        ("priors: {classes: many}", ["line 9", 'priors.classes is "many"', "a number, such as 10"]),
        ("sampling: {draws: yes}", ["line 9", "sampling.draws is true", "a number, such as 1000"]),
        ("sampling: {drawz: 5}", ["line 9", "did you mean draws?"]),
        ("checks: 3", ["line 9", "checks is 3"]),
    ],
)
def test_mistakes_in_what_takes_the_place_of_defaults(lists, text, said):
    with pytest.raises(UserError) as caught:
        case_with(lists, text)
    for words in ["toy.yaml", *said]:
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("multiple_systems_estimation", "guesswork", ["line 2", "the kind of study", "multiple_systems_estimation"]),
        ("kind: multiple_systems_estimation\n", "", ["the key 'kind' is missing", "the kind of study"]),
        ("lists: [a, b, c]\n", "", ["the key 'lists' is missing", "2 to 10 columns"]),
        ("tables: [histories.csv]\n", "", ["the key 'tables' is missing", "a list of tables"]),
        ("count: n", "count: n\ncut_off: 2024-04-07", ["line 7", "unknown key 'cut_off'", "one of blank_strata"]),
        ("count: n", "count: n\nsources: {}", ["line 7", "unknown key 'sources'"]),
        ("count: n", "cuont: n", ["line 6", "did you mean count?"]),
        ("[a, b, c]", "[a]", ["line 4", 'lists is ["a"]', "2 to 10 columns"]),
        ("[a, b, c]", "[a, b, c, d, e, f, g, h, i, j, k]", ["line 4", "2 to 10 columns"]),
        ("[a, b, c]", "[a, b, a]", ["line 4", 'in which "a" stands twice', "each named once"]),
        ("[a, b, c]", "[a, b, no]", ["line 4", "lists.2 is false", "in quotes"]),
        ("[a, b, c]", "[a, b, sex]", ["line 5", "strata names the column 'sex', and so does lists"]),
        ("count: n", "count: a", ["line 6", "count names the column 'a', and so does lists"]),
        ("strata: [sex]", "strata: [sex, sex]", ["line 5", "each named once"]),
        ("[histories.csv]", "histories.csv", ["line 3", "a list of tables"]),
        ("[histories.csv]", "[../histories.csv]", ["line 3", "tables.0", "the name of a file"]),
        ("[histories.csv]", "[{table: h.csv}]", ["line 3", "the key 'tables.0.weight' is missing", "above 0"]),
        ("[histories.csv]", "[{table: h.csv, weight: 0}]", ["line 3", "tables.0.weight is 0", "above 0"]),
        ("[histories.csv]", "[{table: h.csv, weight: 1}, g.csv]", ["line 3", "some tables have a weight"]),
        ("[histories.csv]", "[{table: h.csv, weight: 1}, {table: h.csv, weight: 2}]", ["line 3", "stands twice"]),
        ("[histories.csv]", "[{table: h.csv, weight: 1.0e+300}]", ["tables.0.weight is 1e+300", "at most 1e9"]),
        ("[histories.csv]", "[{table: h.csv, weight: .nan}]", ["line 3", "tables.0.weight is .nan", "finite"]),
        ("count: n", "sampling: {loglinear: {draws: -5}}", ["line 6", "sampling.loglinear.draws is -5", "4 or more"]),
        ("count: n", "sampling: {exact: {chains: 0}}", ["line 6", "sampling.exact.chains is 0", "from 2 to 100"]),
        ("count: n", "sampling: {refits: {target_accept: 2}}", ["sampling.refits.target_accept is 2"]),
        (
            "count: n",
            "priors: {pair_slab: {distribution: normal, mean: 0, sd: 1, unit: a, reason: b}}",
            ["line 6", 'priors.pair_slab.distribution is "normal"', "fixed: a value that is stated"],
        ),
        ("count: n", "sampling: {classes: 0}", ["line 6", "sampling.classes is 0", "from 2 to 100"]),
        ("count: n", "sampling: {interactions: [foo]}", ["line 6", "[pairs, triples]"]),
        ("count: n", "checks: {r_hat: -1}", ["line 6", "checks.r_hat is -1", "1 or more"]),
        ("count: n", "blank_strata: drop", ["line 6", "impute", "spread"]),
        ("count: n", "unseen_odds: high", ["line 6", "a number from -10 to 10, the dial"]),
        ("count: n", "unseen_odds: 70", ["line 6", "unseen_odds is 70", "a number from -10 to 10"]),
        ("count: n", "count: 5", ["line 6", "count is 5", "text: the column"]),
        ("title: A toy", "title: 2024", ["line 1", "title is 2024", "text, in quotes if it holds a colon"]),
        ("strata: [sex]", "strata: sex", ["line 5", 'strata is "sex"', "a list of the columns", "as in [sex, age]"]),
        ("lists: [a, b, c]", "lists: a, b, c", ["line 4", "a list of 2 to 10 columns"]),
        ("count: n", "refused_rows_allowed: -1", ["line 6", "a whole number, 0 or more"]),
        ("count: n", "headers: [x]", ["line 6", "keys with values: headers"]),
        ("count: n", "people: 3", ["line 6", "text: what is counted"]),
        ("count: n", "priors: {class_concentration_rate: {value: -1}}", ["class_concentration_rate.value is -1"]),
        ("count: n", "priors: {pair_slab: {value: 0}}", ["line 6", "priors.pair_slab.value is 0", "above 0"]),
        (
            "count: n",
            "priors: {coverage_by_stratum: {distribution: normal, mean: 0, sd: 1, unit: a, reason: b}}",
            ["line 6", "coverage_by_stratum.distribution", "half_normal or lognormal: it is above 0"],
        ),
        (
            "count: n",
            "priors: {ease_level: {distribution: fixed, value: 0, unit: a, reason: b}}",
            ["line 6", "ease_level.distribution", "it is estimated, not stated"],
        ),
        (
            "count: n",
            "priors: {log_odds_ratio: {distribution: beta, alpha: 1, beta: 1, unit: a, reason: b}}",
            ["line 6", "log_odds_ratio.distribution", "normal or fixed"],
        ),
        ("count: n", "data: ../x", ["line 6", "the name of the folder in data/"]),
        ("sex: f", "age: f", ["line 8", "'age' in structural_zeros.0.where is none of strata", "one of sex"]),
        ("lists: [b]", "lists: [bb]", ["line 8", "'bb' in structural_zeros.0.lists is none of lists"]),
        (", lists: [b]", "", ["line 8", "structural_zeros.0 has neither lists nor history"]),
        ("lists: [b]", "lists: [b], history: {a: 1}", ["line 8", "has both lists and history"]),
        ("lists: [b]", "history: {a: 2}", ["line 8", "structural_zeros.0.history.a is 2", "1 for on the list"]),
        ("lists: [b]", "list: [b]", ["line 8", "unknown key 'structural_zeros.0.list'", "did you mean lists?"]),
    ],
)
def test_mistakes_in_a_case_of_lists(lists, old, new, said):
    text = edited(lists, "cases/toy.yaml", old, new)
    for words in ["toy.yaml", *said]:
        assert words in text


def test_keys_of_lists_in_the_other_kind(folder):
    text = edited(folder, "cases/toy.yaml", "title: A toy", "title: A toy\nlists: [a, b]")
    assert "unknown key 'lists'" in text
    assert "cut_off" in text


def test_tables_of_lists(lists):
    case = case_with(lists, "published: p.csv\ndata: elsewhere\n")
    (lists / "elsewhere").mkdir()
    (lists / "elsewhere" / "histories.csv").write_text("")
    with pytest.raises(UserError, match=r"p\.csv: missing table") as caught:
        tables("toy", case, lists)
    assert "the table of published estimates in config/cases/toy.yaml" in str(caught.value)
    (lists / "elsewhere" / "p.csv").write_text("")
    assert tables("toy", case, lists) == [str(lists / "elsewhere" / name) for name in ("histories.csv", "p.csv")]


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[1] / "config/cases").glob("*.yaml")), ids=lambda p: p.stem
)
def test_the_cases_of_the_project(path):
    case = read_case(path.parent, path.stem)
    assert tables(path.stem, case, path.parents[2] / "data")
