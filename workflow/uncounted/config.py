"""Reading the config: one clear message for each mistake, with the file, the line and the key."""

import datetime
import difflib
import json
import math
import os
from functools import cache
from pathlib import Path

import yaml

from uncounted.errors import UserError
from uncounted.text import visible

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"
DEFAULTS = Path(__file__).resolve().parent / "models" / "multiple_systems.yaml"
"""What studies by multiple systems estimation assume."""

COMMAND_LINE = "--config"

_TAGS = ("str", "int", "float", "bool", "null", "timestamp", "map", "seq", "merge")
_DEEPEST = 50
"""What YAML can say and a config may hold."""

LARGEST = 10**15
"""No whole number in a config is larger."""

FEWEST_YEARS = 3
"""Years before the pandemic that the line of registered deaths needs at least."""

_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "keys with values",
    "null": "nothing",
}


def read_config(path="config/config.yaml", overrides=None, typed=None):
    """Read config/config.yaml and the cases that it names, and check them against their schemas.

    Parameters
    ----------
    path : str or Path
        The config of the run. The cases are in the folder `cases` beside it.
    overrides : dict, optional
        Keys that take the place of those in the file: what stood on the command line after `--config`.
    typed : list of str, optional
        The same as it was typed, `key=value` each. Snakemake makes a number of `release=2026.10` and
        text of `allow_unconverged=true`; here a release stays the name that it is, and all else is YAML.

    Returns
    -------
    dict
        Plain values only: text, numbers, lists, dicts; days as text like '2024-04-07'. Under `cases`, a dict
        with the config of each case under its name. Keys that may be left out have their default.

    Raises
    ------
    UserError
        For whatever is wrong, with file, line and key.
    """
    path = Path(path)
    values, lines = _read_yaml(path, do="run from the folder of the project, or pass --directory")
    if overrides:
        values.update(_plain(dict(overrides)))
        values.update(_as_typed(typed or []))
        lines.update({(key,): COMMAND_LINE for key in overrides})
    _check_release(values.get("release"), path, lines)
    config = _check(values, lines, path, "config")
    config["cases"] = {name: read_case(path.parent / "cases", name, path, lines) for name in config["cases"]}
    return config


def read_case(folder, name, named_in="config/config.yaml", lines=None):
    """Read the config of one case.

    Parameters
    ----------
    folder : str or Path
        The folder of the cases.
    name : str
        The name of the case.
    named_in : str or Path, optional
        The file that names it, for the message if there is no such case.
    lines : dict, optional
        Where the keys of that file stand.

    Returns
    -------
    dict

    Raises
    ------
    UserError
        For an unknown case, and for whatever is wrong in its config.
    """
    path = Path(folder) / f"{name}.yaml"
    if not _is_there(path):
        known = sorted(file.stem for file in Path(folder).glob("*.yaml"))
        raise UserError(
            f"unknown case '{name}'{_suggestion(name, known)}",
            where=_place(named_in, lines or {}, ("cases",)),
            expected=f"one of {', '.join(known)}" if known else f"a file {path}",
            do=f"write {path}, or take the case out of the list",
        )
    values, lines = _read_yaml(path)
    kind = _check(values, lines, path, "case")["kind"]
    case = _check(values, lines, path, f"case.{kind}")
    if kind == "evidence_synthesis":
        _check_sources(case, lines, path)
        return case
    _check_lists(case, lines, path)
    _check_same_people(case, lines, path)
    _check_reasons(case, lines, path)
    case.setdefault("data", name)
    return case | _over_defaults({key: case[key] for key in ("priors", "sampling", "checks")}, lines, path)


def place_in_case(name, *key, folder="config/cases"):
    """Say where a key stands in the config of a case, for messages about what only other modules can judge.

    Parameters
    ----------
    name : str
    *key : str
    folder : str or Path, optional
        The folder of the cases.

    Returns
    -------
    str
        File and line.
    """
    path = Path(folder) / f"{name}.yaml"
    return _place(path, _read_yaml(path)[1], key)


def tables(case_name, case, folder="data"):
    """List the tables of a case.

    Parameters
    ----------
    case_name : str
    case : dict
        The config of the case.
    folder : str or Path, optional
        The folder of the data.

    Returns
    -------
    list of str

    Raises
    ------
    UserError
        If a table is not there.
    """
    paths = []
    for file, what in _files(case):
        path = Path(folder) / case.get("data", case_name) / file
        if not _is_there(path):
            there = sorted(file.name for file in path.parent.glob("*.csv"))
            raise UserError(
                f"missing table{_suggestion(path.name, there)}",
                where=str(path),
                expected=f"{what} in config/cases/{case_name}.yaml",
                do="put the file there, or mend its name in the config",
            )
        if not path.is_file():
            raise UserError("this is no file", where=str(path), expected=f"{what}, a CSV file", do="put the file there")
        if not os.access(path, os.R_OK):
            raise UserError("no permission to read the table", where=str(path), do="give yourself the permission")
        paths.append(str(path))
    return sorted(set(paths))


def _is_there(path):
    """Say whether there is such a file; a folder that may not be looked into is a message."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise UserError(
            f"cannot be looked at ({error.strerror})",
            where=str(path),
            expected="a file in a folder that you may read",
            do="give yourself the permission, or a shorter name to the file",
        ) from None
    return True


def _files(case):
    """List the tables of a case, and what each of them is."""
    if "sources" in case:
        return [(entry["table"], f"the table of the source {source}") for source, entry in case["sources"].items()]
    files = [(_file(entry), "one of the tables") for entry in case["tables"]]
    return files + ([(case["published"], "the table of published estimates")] if case.get("published") else [])


def _file(entry):
    return entry if isinstance(entry, str) else entry["table"]


def part(config, *keys):
    """Take out of a config what a step depends on, so that other changes do not make it run again.

    Parameters
    ----------
    config : dict
    *keys : str

    Returns
    -------
    dict
    """
    return {key: config[key] for key in keys}


def without(config, *keys):
    """Leave out of a config what a step does not depend on.

    Parameters
    ----------
    config : dict
    *keys : str

    Returns
    -------
    dict
    """
    return {key: value for key, value in config.items() if key not in keys}


def _check_sources(case, lines, path):
    """Check what a schema cannot say of a case of evidence synthesis."""
    if case["cut_off"] < case["war"]["from"]:
        raise UserError(
            f"the cut-off {case['cut_off']} is before the first day of the war, {case['war']['from']}",
            where=_place(path, lines, ("cut_off",)),
            expected="a later day",
        )
    for source, entry in case["sources"].items():
        if ("used_until" in entry) == ("kept_for" in entry):
            both = "used_until" in entry
            raise UserError(
                f"source {source} has {'both' if both else 'neither'} used_until {'and' if both else 'nor'} kept_for",
                where=_place(path, lines, ("sources", source)),
                expected="used_until with the day until which the table enters the fit, or kept_for with "
                "what it is there for",
            )
        if source.removesuffix("_later") != source and source.removesuffix("_later") in case["sources"]:
            raise UserError(
                f"the source {source} would take the place of what was published later of another source",
                where=_place(path, lines, ("sources", source)),
                expected="a name that is not that of another source with _later after it",
                do="give it another name",
            )
    _check_cut_off(case, lines, path)
    for key, name, known, what in _names(case):
        if name not in known:
            raise UserError(
                f"{_dotted(key)} is {name!r}, which is no {what}{_suggestion(name, known)}",
                where=_place(path, lines, key),
                expected=f"one of {', '.join(known)}" if known else f"a {what}: the case names none",
            )
    if "survival" in case:
        _check_survival(case, lines, path)
    if case["model"] == "synthesis":
        _check_synthesis(case, lines, path)


def _check_cut_off(case, lines, path):
    """Check that deaths are estimated up to a day by which something the fit reads was published."""
    last = max((entry["used_until"] for entry in case["sources"].values() if "used_until" in entry), default=None)
    if last is not None and case["cut_off"] > last:
        raise UserError(
            f"the cut-off {case['cut_off']} is after the last day until which a source is used, {last}",
            where=_place(path, lines, ("cut_off",)),
            expected=f"{last} or earlier: no figure speaks of deaths after it",
        )


def _names(case):
    """List the kinds of service and the sources that other keys name: key, name, those that there are, what it is."""
    kinds, sources = sorted(set(case["kinds_of_service"].values())), sorted(case["sources"])
    for key in ("kind", "kind_unknown") if "ledger" in case else ():
        yield ("ledger", key), case["ledger"][key], kinds, "kind of service in kinds_of_service"
    services = case.get("services", {})
    for part, kind in services.get("parts", {}).items():
        yield ("services", "parts", part), kind, kinds, "kind of service in kinds_of_service"
    for key in ("list", "recent", "by_month"):
        if key in services:
            yield ("services", key), services[key], sources, "source"


def _check_synthesis(case, lines, path):
    """Check what the model named synthesis, and the checks of it, cannot do without."""
    kept = [source for source, entry in case["sources"].items() if entry.get("kept_for") == "back_test"]
    if len(kept) != 1:
        raise UserError(
            f"{len(kept)} sources are kept for the back-test",
            where=_place(path, lines, ("sources",)),
            expected="one with kept_for: back_test",
        )
    if "registered_deaths" not in case["sources"]:
        return
    first, pandemic = case["baseline"]["from"], min(case["baseline"]["pandemic_years"])
    if pandemic - first < FEWEST_YEARS:
        raise UserError(
            f"baseline.from is {first}, and the pandemic began in {pandemic}",
            where=_place(path, lines, ("baseline", "from")),
            expected=f"at least {FEWEST_YEARS} years before {pandemic}: the line goes through them",
        )


def _check_survival(case, lines, path):
    """Check that the survival of recruits is fitted to sources that there are, and that time runs forward."""
    survival = case["survival"]
    for key, reads in (("summaries", "prisoners"), ("times", "prisoner_times")):
        name = survival.get(key)
        if name is not None and case["sources"].get(name, {}).get("reads") != reads:
            raise UserError(
                f"survival.{key} is {name!r}, which is no source that reads {reads}",
                where=_place(path, lines, ("survival", key)),
                expected=f"the name of a source with reads: {reads}",
            )
    if survival["breaks"] != sorted(survival["breaks"]):
        raise UserError(
            f"survival.breaks is {_shown(survival['breaks'])}",
            where=_place(path, lines, ("survival", "breaks")),
            expected="days in rising order",
        )


def _check_lists(case, lines, path):
    """Check what a schema cannot say of a case of multiple systems estimation."""
    seen = {}
    columns = [(name, key) for key in ("lists", "strata") for name in case[key]]
    for name, key in [*columns, *([(case["count"], "count")] if case["count"] else [])]:
        if name in seen:
            raise UserError(
                f"{key} names the column {name!r}, and so does {seen[name]}",
                where=_place(path, lines, (key,)),
                expected="each column for one thing",
            )
        seen[name] = key
    files = [_file(entry) for entry in case["tables"]]
    twice = next((file for file in files if files.count(file) > 1), None)
    if twice:
        raise UserError(f"the table {twice} stands twice", where=_place(path, lines, ("tables",)), expected="each once")
    if len({type(entry) for entry in case["tables"]}) > 1:
        raise UserError(
            "some tables have a weight, and some have none",
            where=_place(path, lines, ("tables",)),
            expected="a weight for each of them, or for none",
        )
    for number, zero in enumerate(case["structural_zeros"]):
        _check_structural_zero(case, zero, ("structural_zeros", number), lines, path)


def _check_same_people(case, lines, path):
    """Check that other studies of the same people are studies that there are."""
    known = sorted(file.stem for file in path.parent.glob("*.yaml") if file != path)
    for number, name in enumerate(case["same_people_as"]):
        if name not in known:
            raise UserError(
                f"{name!r} in same_people_as is no other study{_suggestion(name, known)}",
                where=_place(path, lines, ("same_people_as", number)),
                expected=f"one of {', '.join(known)}" if known else f"no such key: {path.parent} has no other study",
            )


def _check_reasons(case, lines, path):
    """Check that each reason is for a key that is not the default."""
    for name in case["reasons"]:
        if name not in case["sampling"]:
            raise UserError(
                f"reasons.{name} is about no key of sampling{_suggestion(name, case['sampling'])}",
                where=_place(path, lines, ("reasons", name)),
                expected=f"one of {', '.join(case['sampling'])}"
                if case["sampling"]
                else "no such key: none is changed",
            )


def _check_structural_zero(case, zero, key, lines, path):
    """Check that a structural zero is about lists and strata that there are."""
    if ("lists" in zero) == ("history" in zero):
        both = "lists" in zero
        raise UserError(
            f"{_dotted(key)} has {'both' if both else 'neither'} lists {'and' if both else 'nor'} history",
            where=_place(path, lines, key),
            expected="lists with those that did not exist there, or history with a combination that cannot be",
        )
    named = [("where", name, "strata") for name in zero.get("where", {})]
    named += [(part, name, "lists") for part in ("lists", "history") for name in zero.get(part, [])]
    for part, name, known in named:
        if name not in case[known]:
            raise UserError(
                f"{name!r} in {_dotted((*key, part))} is none of {known}{_suggestion(name, case[known])}",
                where=_place(path, lines, (*key, part)),
                expected=f"one of {', '.join(case[known])}" if case[known] else f"no such key: {known} is empty",
            )


def defaults():
    """Read what studies by multiple systems estimation assume unless their config says otherwise."""
    return _read_yaml(DEFAULTS)[0]


def check_changes(changes, where):
    """Check what takes the place of the defaults, as in the config of a study of lists, and put it over them.

    Parameters
    ----------
    changes : dict
        ``priors``, ``sampling`` or ``checks``, each a dict; plain values.
    where : str
        What messages call the place.

    Returns
    -------
    dict
        The defaults, and what changes them.

    Raises
    ------
    UserError
        For whatever is wrong, with the key.
    """
    schema = _schema("case.multiple_systems_estimation")
    keys = ("priors", "sampling", "checks")
    asked = {key: schema["properties"][key] for key in keys}
    own = _checked(changes, {}, where, {"type": "object", "properties": asked, "$defs": schema["$defs"]})
    return _over_defaults({key: own[key] for key in keys}, {}, where)


def _over_defaults(own, lines, path):
    """Put what a case says over the defaults, key by key."""
    given = defaults()
    merged = {key: _merged(given.get(key, {}), own[key], (key,), lines, path) for key in own}
    for name in own["priors"]:
        _check_prior(merged["priors"][name], ("priors", name), lines, path)
    return merged


def _merged(default, own, key, lines, path):
    """Put one value over its default; both have the same shape."""
    if not isinstance(default, dict):
        if default is not None and _kind(own) != _kind(default):
            raise UserError(
                f"{_dotted(key)} is {_shown(own)}",
                where=_place(path, lines, key),
                expected=f"{_TYPES[_kind(default)]}, such as {_shown(default)}",
            )
        return own
    if not isinstance(own, dict):
        raise UserError(f"{_dotted(key)} is {_shown(own)}", where=_place(path, lines, key), expected=_TYPES["object"])
    if own.get("distribution", default.get("distribution")) != default.get("distribution"):
        return own  # another distribution has other parameters: nothing of the default is left
    merged = dict(default)
    for name, value in own.items():
        if name not in default:
            raise UserError(
                f"unknown key '{_dotted((*key, name))}'{_suggestion(name, default)}",
                where=_place(path, lines, (*key, name)),
                expected=f"one of {', '.join(sorted(default))}" if default else "nothing",
            )
        merged[name] = _merged(default[name], value, (*key, name), lines, path)
    return merged


def _kind(value):
    """Name the kind of a value, as `_TYPES` does; whole numbers are numbers."""
    kinds = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return kinds.get(type(value), "null")


def _check_prior(prior, key, lines, path):
    """Check a prior of which the case says something, if it is a distribution."""
    from jsonschema import Draft202012Validator

    if not isinstance(prior, dict) or "distribution" not in prior:
        return
    schema = {"$ref": "#/$defs/prior", "$defs": _schema("definitions")["$defs"]}
    for error in Draft202012Validator(schema).iter_errors(prior):
        error.path.extendleft(reversed(key))
        raise _as_user_error(error, prior, lines, path, others=0)


def _read_yaml(path, do=""):
    """Read a YAML file into plain values, with the line of each key."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError("there is no such file", where=str(path), do=do) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"not UTF-8 text ({error.reason})",
            where=f"{path}, line {line}",
            do="save the file as UTF-8",
        ) from None
    except OSError as error:
        raise UserError(f"cannot be read ({error.strerror})", where=str(path)) from None
    lines, loader = {}, None
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise UserError("the file is empty", where=str(path), expected="keys with values")
        _walk(loader, node, (), lines, path)
        values = _plain(loader.construct_document(node))
    except yaml.reader.ReaderError as error:
        raise UserError(
            f"this is not text that YAML can hold: the character U+{error.character:04X}",
            where=f"{path}, line {text.count(chr(10), 0, error.position) + 1}",
            do="take it out, or save the file as UTF-8 if it looks right in an editor",
        ) from None
    except RecursionError:
        raise UserError(
            "brackets or lists stand in one another too deeply, or a value holds itself (`*name`)",
            where=str(path),
            expected="keys with values, as in the other cases",
        ) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UserError(
            f"this is not YAML: {error.problem or error.context}",
            where=f"{path}, line {mark.line + 1}, column {mark.column + 1}",
            expected="`key: value`, lines of a list indented alike, brackets and quotes closed",
            do=_remedy(error, text),
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        raise UserError(f"this is not YAML: {' '.join(str(error).split())}", where=str(path)) from None
    finally:
        if loader is not None:
            loader.dispose()
    if not isinstance(values, dict):
        raise UserError("this is not a set of keys with values", where=str(path), expected="`key: value`")
    return values, lines


def _remedy(error, text):
    """Say what most often mends a mistake in YAML."""
    mark, began = error.problem_mark, error.context_mark
    line = text.splitlines()[mark.line] if mark and mark.line < len(text.splitlines()) else ""
    if "\t" in line[: mark.column + 1 if mark else 0]:
        return "put spaces in place of the tab"
    problem = error.problem or ""
    if "mapping values are not allowed" in problem or "cannot start any token" in problem:
        return 'put the text in quotes, as in title: "Deaths: a study"'
    if began and mark and began.line < mark.line:
        return (
            f"look at line {began.line + 1}, column {began.column + 1}, too: what began there is not closed or goes on"
        )
    return ""


def _walk(loader, node, key, lines, path):
    """Note the line of each key; refuse a key that stands twice or is not text, and a day that is none."""
    if len(key) > _DEEPEST:  # Python's own limit is not the same everywhere: libraries raise it
        raise RecursionError
    lines[key] = node.start_mark.line + 1
    where = f"{path}, line {lines[key]}"
    if node.tag.removeprefix("tag:yaml.org,2002:") not in _TAGS:
        raise UserError(
            f"this is not YAML for a config: {_dotted(key) or 'the file'} has the tag {node.tag}",
            where=where,
            expected="text, numbers, days, lists, and keys with values, without a tag",
        )
    if isinstance(node, yaml.ScalarNode):
        _check_scalar(loader, node, key, where)
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _walk(loader, item, (*key, number), lines, path)
    if not isinstance(node, yaml.MappingNode):
        return
    seen = {}
    for name, value in node.value:
        line = name.start_mark.line + 1
        if name.tag == "tag:yaml.org,2002:merge":
            continue
        if name.tag != "tag:yaml.org,2002:str":
            raise UserError(
                f"the key {name.value} is not text to YAML",
                where=f"{path}, line {line}",
                do=f'put it in quotes: "{name.value}"',
            )
        if name.value in seen:
            raise UserError(
                f"the key '{name.value}' stands here twice, first on line {seen[name.value]}",
                where=f"{path}, line {line}",
                do="keep one of them",
            )
        seen[name.value] = line
        inner = (*key, visible(name.value))
        _walk(loader, value, inner, lines, path)
        lines[inner] = line


def _check_scalar(loader, node, key, where):
    """Refuse a day that is none, and a number that is not finite or far too long."""
    try:
        value = loader.construct_object(node)
    except ValueError as error:
        raise UserError(f"{_dotted(key)} is {node.value[:60]}: {error}", where=where) from None
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{_dotted(key)} is {node.value}", where=where, expected="a number that is finite")
    if isinstance(value, int) and abs(value) > LARGEST:
        raise UserError(f"{_dotted(key)} is a number of {len(node.value)} digits", where=where, expected="fewer digits")


def _plain(value):
    """Turn days into text, and take out of text what nobody can see; all else is plain already."""
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return visible(value) if isinstance(value, str) else value


def _as_typed(typed):
    """Read `key=value` entries of the command line."""
    values = {}
    for entry in typed:
        key, _, text = entry.partition("=")
        try:
            values[key] = text.strip("'\"") if key == "release" else _plain(yaml.safe_load(text))
        except yaml.YAMLError:
            raise UserError(
                f"{text} is not YAML",
                where=f"{COMMAND_LINE} {key}=...",
                expected=f"{key}=value, brackets and quotes closed, the whole in quotes: '{key}=[a, b]'",
            ) from None
    return values


def _check_release(release, path, lines):
    if isinstance(release, (int, float)) and not isinstance(release, bool):
        raise UserError(
            f"the release is a number to YAML, {release}: 2026.10 would become 2026.1",
            where=_place(path, lines, ("release",)),
            expected='a name in quotes, as in release: "2026.10"',
            do="put it in quotes",
        )


def _check(values, lines, path, schema_name):
    """Check values against the schema of that name; return them with the defaults filled in."""
    return _checked(values, lines, path, _schema(schema_name))


def _checked(values, lines, path, schema):
    # Loaded here: it takes a tenth of a second, which a script that never reads a config need not wait for.
    from jsonschema import Draft202012Validator, FormatChecker, validators

    # To JSON 1.0 is a whole number; it is none to those who use it.
    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
    validator = validators.extend(Draft202012Validator, type_checker=types)(
        schema, format_checker=FormatChecker(["date"])
    )
    # A key that is missing stands last: a misspelt one is what most often lacks.
    errors = sorted(
        validator.iter_errors(values),
        key=lambda error: (error.validator == "required", _line(lines, error.absolute_path) or 0),
    )
    if errors:
        raise _as_user_error(errors[0], values, lines, path, others=len(errors) - 1)
    values = dict(values)
    for key, entry in schema["properties"].items():
        if "default" in entry:
            values.setdefault(key, json.loads(json.dumps(entry["default"])))
    return values


@cache
def _schema(name):
    """Read a schema, with what all schemas have in common."""
    schema, common = (
        yaml.safe_load((SCHEMAS / f"{file}.schema.yaml").read_text(encoding="utf-8")) for file in (name, "definitions")
    )
    return schema | {"$defs": common["$defs"] | schema.get("$defs", {})}


def _as_user_error(error, values, lines, path, others):
    """Put what the validator found into words."""
    key = tuple(error.absolute_path)
    expected = error.schema.get("description", "")
    do = f"mend this one first; {others} more after it" if others else ""
    if error.validator == "additionalProperties":
        known = sorted(error.schema.get("properties", {}))
        unknown = sorted(set(error.instance) - set(known))[0]
        key = (*key, unknown)
        what = f"unknown key '{_dotted(key)}'{_suggestion(unknown, known)}"
        expected = f"one of {', '.join(known)}"
    elif error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        what = f"the key '{_dotted((*key, missing))}' is missing"
        described = _resolved(error.schema.get("properties", {}).get(missing, {}))
        expected = described.get("description", "")
    else:
        what = f"{_dotted(key) or 'the file'} is {_shown(error.instance)}"
        if error.validator == "type":
            expected = _with_type(expected, error.validator_value)
        elif error.validator == "uniqueItems":
            what += f", in which {_shown(next(i for i in error.instance if error.instance.count(i) > 1))} stands twice"
        elif not expected and error.validator in ("enum", "const"):
            allowed = error.validator_value
            expected = f"one of {', '.join(map(str, allowed if isinstance(allowed, list) else [allowed]))}"
        elif not expected:
            expected = error.message
    return UserError(what, where=_place(path, lines, key), expected=" ".join(expected.split()), do=do)


def _with_type(described, wanted):
    """Say of which type a value has to be, if its description does not begin with that."""
    wanted = [wanted] if isinstance(wanted, str) else wanted
    types = [_TYPES[kind] for kind in wanted]
    if not described:
        return " or ".join(types)
    return described if described.startswith(("a ", "text", *types)) else f"{' or '.join(types)}: {described}"


def _resolved(schema):
    """Follow a schema to what all schemas have in common, if it only points there."""
    name = schema.get("$ref", "").rpartition("/")[2]
    return _schema("definitions")["$defs"].get(name, schema)


def _dotted(key):
    return ".".join(map(str, key))


def _shown(value):
    shown = json.dumps(value, ensure_ascii=False)
    if value in ("", [], {}) or value is None:
        return "empty"
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _suggestion(word, known):
    close = difflib.get_close_matches(str(word), known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _line(lines, key):
    """Find the line of a key, or of the nearest one above it that is there."""
    key = tuple(key)
    while key and key not in lines:
        key = key[:-1]
    found = lines.get(key)
    return 0 if found == COMMAND_LINE else found


def _place(path, lines, key):
    key = tuple(key)
    if lines.get(key[:1]) == COMMAND_LINE:
        return f"{COMMAND_LINE} {key[0]}=..."
    line = _line(lines, key) if key in lines or len(key) > 1 else None
    return f"{path}, line {line}" if line else str(path)
