"""Where compiled kernels are kept, and that what they cost is told apart from training."""

import dataclasses
import os
from pathlib import Path

import pytest
from numba.core.event import install_recorder

from engine.fast import kernel_cache, paths
from engine.models.linear import LinearRegression
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
