"""Compiled models that are kept: the same draws as from the compiler, and never those of another model."""

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import psutil
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
import xarray as xr
from numba.core import event

from uncounted import compiling, compiling_process
from uncounted.compiling import compile_model, kept_models
from uncounted.inference import draw
from uncounted.model_key import NoKey, model_key

SEEN = np.array([1.0, 2.0, 3.0, 2.5])
SAMPLING = {"draws": 50, "tune": 50, "chains": 2, "target_accept": 0.9, "what": "drawing a toy"}


def toy(sd=10.0, name="level", figures=SEEN, more=False):
    with pm.Model(coords={"figure": list("abcdefg"[: len(figures)])}) as model:
        level = pm.Normal(name, 0.0, sd)
        scale = pm.HalfNormal("scale", 1.0)
        if more:
            pm.Deterministic("twice", 2 * level)
            pm.Deterministic("each", level * pt.ones(model.dim_lengths["figure"]))
        pm.Potential("seen", pm.logp(pm.Normal.dist(level, scale), pm.Data("figures", figures)).sum())
    return model


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(compiling, "kept_models", lambda: tmp_path / "kept")
    monkeypatch.setattr(compiling_process, "_ON_LINUX", True)
    return tmp_path / "kept"


@pytest.fixture(scope="module")
def kept_before(tmp_path_factory):
    """Folder of the toy that was compiled and kept, and its draws. Not to be changed: copy it."""
    folder = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiling, "kept_models", lambda: folder)
        return folder, drawn(toy())


@pytest.fixture
def here(monkeypatch):
    """Compile in this process."""
    monkeypatch.setattr(compiling_process, "_may_fork", lambda: False)


@pytest.fixture
def compilers(tmp_path, monkeypatch):
    """Numbers of the processes that compiled, in turn."""
    told, compile_ = tmp_path / "compilers", compiling._compile

    def tell(model):
        with open(told, "a") as lines:
            lines.write(f"{os.getpid()}\n")
        return compile_(model)

    monkeypatch.setattr(compiling, "_compile", tell)
    return lambda: [int(line) for line in told.read_text().split()]


def drawn(model, seed=1):
    return draw(compile_model(model), **SAMPLING, seed=seed).posterior.drop_attrs()


def kept_in(folder):
    return list(folder.glob("*.model"))


def test_a_kept_model_gives_the_same_draws_under_the_same_names(folder, here, monkeypatch):
    fresh = compile_model(toy(more=True))
    first = draw(fresh, **SAMPLING, seed=1).posterior.drop_attrs()
    assert len(kept_in(folder)) == 1
    monkeypatch.setattr(compiling, "_compile", lambda model: pytest.fail("compiled again"))
    kept = compile_model(toy(more=True))
    assert_of_the_same_names_and_sizes(fresh, kept)
    xr.testing.assert_identical(draw(kept, **SAMPLING, seed=1).posterior.drop_attrs(), first)
    assert not drawn(toy(more=True), seed=2).equals(first)


def assert_of_the_same_names_and_sizes(fresh, kept):
    assert fresh.shapes == kept.shapes
    assert fresh.n_dim == kept.n_dim
    assert fresh.dims == kept.dims
    assert json.dumps({k: list(map(str, v)) for k, v in fresh.coords.items()}) == json.dumps(
        {k: list(map(str, v)) for k, v in kept.coords.items()}
    )
    np.testing.assert_array_equal(fresh.initial_point_func(3), kept.initial_point_func(3))


def test_a_kept_model_serves_the_data_that_are_given(folder, kept_before):
    shutil.copytree(kept_before[0], folder)
    other = draw(compile_model(toy(figures=SEEN + 50.0)), **SAMPLING, seed=1).posterior
    assert len(kept_in(folder)) == 1
    assert float(other["level"].mean()) > 20
    again = compile_model(toy()).with_data(figures=SEEN + 50.0)
    np.testing.assert_array_equal(draw(again, **SAMPLING, seed=1).posterior["level"], other["level"])


@pytest.mark.parametrize(
    "other",
    [{"sd": 10.5}, {"name": "height"}, {"figures": SEEN[:3]}, {"more": True}],
    ids=["prior", "name", "size of the data", "a variable more"],
)
def test_another_model_has_another_key(other):
    assert model_key(toy(**other)) != model_key(toy())


def test_a_model_built_again_has_the_same_key_and_figures_count_with_their_size_only():
    assert model_key(toy()) == model_key(toy()) == model_key(toy(figures=SEEN * 2))


def test_constants_count_with_every_digit():
    assert model_key(toy(sd=10.0)) != model_key(toy(sd=np.nextafter(10.0, 11.0)))


def test_another_release_of_a_compiler_has_another_key(monkeypatch):
    before = model_key(toy())
    monkeypatch.setattr("uncounted.model_key.version", lambda name: "0")
    assert model_key(toy()) != before


def test_the_level_of_optimising_is_part_of_the_key(monkeypatch):
    import numba

    before = model_key(toy())
    monkeypatch.setattr(numba.config, "OPT", type(numba.config.OPT)(2))
    assert model_key(toy()) != before


def test_a_key_is_the_same_in_every_process():
    code = "import sys; sys.path.insert(0, sys.argv[1]); import test_compiling; print(test_compiling.key_as_compiled())"
    command = [sys.executable, "-W", "ignore", "-c", code, str(Path(__file__).parent)]
    other = subprocess.run(
        command, check=True, capture_output=True, text=True, env=os.environ | {"PYTHONHASHSEED": "7"}
    )
    assert other.stdout.split()[-1] == key_as_compiled()


def key_as_compiled():
    with compiling._settings():
        return model_key(toy())


def loop(model):
    """Add a loop, whose graph within the graph has no key."""
    with model:
        steps = pytensor.scan(
            lambda before: before * 0.5, outputs_info=[model["level"]], n_steps=3, return_updates=False
        )
        pm.Deterministic("halved", steps)
    return model


def test_a_model_that_has_no_key_is_compiled_every_time(folder):
    with pytest.raises(NoKey, match="Scan"):
        model_key(loop(toy()))
    first = drawn(loop(toy()))
    assert not folder.exists()
    np.testing.assert_allclose(first["halved"][..., 0], first["level"] * 0.5)


@pytest.mark.parametrize(
    "damage", [lambda code: code[:-9], lambda code: code[:99] + b"?" + code[100:], lambda code: b""]
)
def test_a_damaged_file_is_told_of_and_compiled_again(folder, kept_before, caplog, damage):
    whole, first = kept_before
    (file,) = kept_in(shutil.copytree(whole, folder))
    file.write_bytes(damage(file.read_bytes()))
    xr.testing.assert_identical(drawn(toy()), first)
    assert any("damaged" in message for message in caplog.messages)
    caplog.clear()
    xr.testing.assert_identical(drawn(toy()), first)
    assert not caplog.messages or not any("damaged" in message for message in caplog.messages)


def test_models_are_kept_where_pytensor_keeps_its_code():
    assert kept_models().parent == type(kept_models())(pytensor.config.base_compiledir)


def test_a_process_of_its_own_compiles_and_ends(folder, compilers):
    """What compiling takes of memory is given back; and the next process does not take its functions for others."""
    first, second = drawn(toy()), drawn(toy(more=True))
    assert len(set(compilers())) == 2
    assert os.getpid() not in compilers()
    assert len(kept_in(folder)) == 2
    np.testing.assert_allclose(second["twice"], 2 * second["level"])
    np.testing.assert_array_equal(first["level"], second["level"])
    assert not any(map(psutil.pid_exists, compilers()))


def test_a_model_is_compiled_ahead_while_another_one_is(folder, compilers):
    with compiling.compiling_ahead(toy()):
        drawn(toy(more=True))
    drawn(toy())
    assert len(compilers()) == 2


def test_a_compiling_process_that_ends_is_replaced_by_this_one(folder, monkeypatch):
    first = os.getpid()
    compile_ = compiling._compile
    monkeypatch.setattr(
        compiling, "_compile", lambda model: compile_(model) if os.getpid() == first else os.kill(os.getpid(), 9)
    )
    assert drawn(toy())["level"].size == 100


def test_an_array_of_another_shape_is_an_error_for_which_no_text_is_compiled():
    with compiling._settings(), event.install_recorder("numba:compile") as compiled:

        @numba.njit
        def put(target, source):
            target[...] = source

        with pytest.raises(ValueError, match="an array of another shape"):
            put(np.zeros(3), np.zeros(2))
    names = {told.data["dispatcher"].py_func.__qualname__ for _, told in compiled.buffer}
    assert any("raise_" in name for name in names)
    assert not any("unicode" in name or "ol_str" in name for name in names), names


def test_what_is_compiled_for_the_disk_is_compiled_by_another_process(folder, tmp_path):
    compiling.compile_for_disk(lambda file: file.write_text(str(os.getpid())), tmp_path / "called")
    assert int((tmp_path / "called").read_text()) != os.getpid()


def test_what_is_compiled_for_the_disk_is_not_compiled_again(folder, tmp_path, monkeypatch):
    module = tmp_path / "toy_on_disk.py"
    module.write_text("import numba\n\n\n@numba.njit(cache=True)\ndef twice(x):\n    return 2 * x\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "numba"))
    twice = importlib.import_module(module.stem).twice
    compiling.compile_for_disk(twice, 1.0)
    assert twice(2.0) == 4.0
    assert (sum(twice.stats.cache_hits.values()), sum(twice.stats.cache_misses.values())) == (1, 0)
