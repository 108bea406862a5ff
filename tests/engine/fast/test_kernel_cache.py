"""Where compiled kernels are kept, and that what they cost is told apart from training."""

import dataclasses
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from numba.core.event import install_recorder

from engine.fast import kernel_cache, paths, tile_choice, warm_up
from engine.models.linear import LinearRegression
from engine.network.network import Network
from tests.engine.fast.test_kernels import posed


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Kernels beside the code, as an image has them."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    monkeypatch.setattr(kernel_cache, "BESIDE", tmp_path / "code")
    monkeypatch.setattr("numba.config.CACHE_DIR", "")
    place = tmp_path / "code" / kernel_cache._digest() / "engine_0"
    place.mkdir(parents=True)
    (place / "kernels.nbi").write_bytes(b"index")
    return place


def test_a_folder_starts_with_the_kernels_that_came_with_the_code(shipped: Path, tmp_path: Path) -> None:
    kernel_cache.cache_in(tmp_path / "data")
    place = Path(os.environ["NUMBA_CACHE_DIR"])
    assert place.parent == tmp_path / "data"
    assert [file.read_bytes() for file in place.rglob("*.nbi")] == [b"index"]
    (place / "more.nbc").write_bytes(b"made since")
    kernel_cache.cache_in(tmp_path / "data")
    assert (place / "more.nbc").read_bytes() == b"made since"
    assert [folder.name for folder in place.parent.iterdir()] == [place.name]


def test_kernels_beside_the_code_stay_there(shipped: Path) -> None:
    kernel_cache.cache_in(kernel_cache.BESIDE)
    assert Path(os.environ["NUMBA_CACHE_DIR"]) == shipped.parent


@pytest.fixture
def timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """A fresh process whose kernels are kept under tmp_path / "data", and the environments in which tiles are timed."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    monkeypatch.setattr("numba.config.CACHE_DIR", "")
    monkeypatch.delenv(kernel_cache.TILE_VARIABLE, raising=False)
    monkeypatch.setattr(kernel_cache, "BESIDE", tmp_path / "code")
    monkeypatch.delitem(sys.modules, "engine.fast.tiles")
    environments: list[dict[str, str]] = []

    def answer(command: list[str], env: dict[str, str], text: bool) -> str:
        environments.append(env)
        return '{"slow": 1e9, "quick": 3e9, "middling": 2e9}'

    monkeypatch.setattr("subprocess.check_output", answer)
    kernel_cache.cache_in(tmp_path / "data")
    return environments


def test_the_fastest_tile_is_taken_from_then_on(timed: list[dict[str, str]], tmp_path: Path) -> None:
    before = os.environ["NUMBA_CACHE_DIR"]
    assert kernel_cache.chosen_tile() == ""
    assert kernel_cache.choose_tile() == {"slow": 1e9, "quick": 3e9, "middling": 2e9}
    assert kernel_cache.chosen_tile() == "quick"
    assert os.environ["NUMBA_CACHE_DIR"] != before  # kernels for another tile are apart
    assert timed[0]["NUMBA_CACHE_DIR"] not in (before, os.environ["NUMBA_CACHE_DIR"])
    kernel_cache.cache_in(tmp_path / "data")  # as the next process does
    assert kernel_cache.chosen_tile() == "quick"
    assert kernel_cache.choose_tile() == {}
    assert len(timed) == 1


def test_a_choice_is_for_one_kind_of_processor(
    timed: list[dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel_cache.choose_tile()
    monkeypatch.setenv("NUMBA_CPU_FEATURES", "+sse2")
    kernel_cache.cache_in(tmp_path / "data")
    assert kernel_cache.chosen_tile() == ""
    kernel_cache.choose_tile()
    assert kernel_cache.chosen_tile() == "quick"
    monkeypatch.delenv("NUMBA_CPU_FEATURES")
    kernel_cache.cache_in(tmp_path / "data")
    assert kernel_cache.chosen_tile() == "quick"


def test_a_choice_that_came_with_the_code_is_taken(timed: list[dict[str, str]], tmp_path: Path) -> None:
    kernel_cache.cache_in(kernel_cache.BESIDE)
    kernel_cache.choose_tile()
    kernel_cache.cache_in(tmp_path / "data")
    assert kernel_cache.chosen_tile() == "quick"


def test_a_tile_that_is_forced_is_not_chosen(
    timed: list[dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel_cache.choose_tile()
    monkeypatch.setenv(kernel_cache.TILE_VARIABLE, "sse-4x2")
    kernel_cache.cache_in(tmp_path / "data")
    assert (kernel_cache.chosen_tile(), kernel_cache.choose_tile()) == ("", {})


def test_a_process_that_has_a_tile_keeps_it(timed: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "engine.fast.tiles", None)
    assert (kernel_cache.choose_tile(), timed) == ({}, [])


def test_tiles_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tile_choice, "TURNS", 1)
    found = tile_choice.rates(["sse-4x2", "avx-6x2"])
    assert found.keys() == {"sse-4x2", "avx-6x2"}
    assert all(1e8 < rate < 1e13 for rate in found.values())


def test_what_is_ready_is_not_compiled_again() -> None:
    paths.make_ready(posed())
    with install_recorder("numba:compiler_lock") as compiled:  # taken by whatever compiles, or loads what was compiled
        paths.make_ready(posed())
    assert compiled.buffer == []


def test_a_closed_form_waits_for_no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = posed()
    spec = dataclasses.replace(problem.spec, model=LinearRegression(), optimizer=None)
    monkeypatch.setattr("engine.fast.warm_up.compile_for", lambda _: pytest.fail("compiled"))
    paths.make_ready(dataclasses.replace(problem, spec=spec))


def test_a_network_that_runs_by_its_definition_waits_for_no_kernel_of_other_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = posed()
    hidden = tuple(dataclasses.replace(layer, dropout=0.5) for layer in problem.spec.model.hidden)
    network = Network(dataclasses.replace(problem.spec.model, hidden=hidden).bound_layers(3, 4), np.float64, np)
    monkeypatch.setattr(warm_up, "call_layerwise", lambda _: pytest.fail("compiled"))
    warm_up.compile_for(dataclasses.replace(problem, learner=network))
