"""A container: its code may not be written to, kernels may have come with it, and the data folder outlasts the process."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from numba.core.caching import _CacheLocator

from engine.fast import kernel_cache, paths

ROOT = Path(__file__).parents[2]
PROCESS = """
import ctypes, json, os, sys

if sys.platform == "linux":  # root without a capability: what may not be written to may not be written to
    header, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert ctypes.CDLL(None).capset(header, none) == 0

from cli.processes import keep_kernels
from engine.fast import kernel_cache, paths
from store.settings import Settings

what, code, data = sys.argv[1:]
assert kernel_cache.__file__ == f"{code}/engine/fast/kernel_cache.py"
assert not os.access(kernel_cache.__file__, os.W_OK)
keep_kernels(Settings(data=data))

import numba.core.event

from tests.end_to_end import first_jobs

with numba.core.event.install_recorder("numba:run_pass") as compiled:
    {"few": first_jobs.call_two, "warm-up": paths.warm_up, "jobs": first_jobs.train_each}[what]()
names = {event.data["qualname"] for _, event in compiled.buffer}
place = os.environ["NUMBA_CACHE_DIR"]
print(json.dumps({"compiled": sorted(names), "loaded": sorted(first_jobs.loaded()), "place": place}))
"""


def installed(folder: Path, with_kernels: bool) -> Path:
    """A copy of the code, with kernels beside it or without, that nobody may write to."""
    for package in ("cli", "engine", "service", "store", "worker"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    if with_kernels:
        paths.warm_up()  # what is there already stays there
        name = Path(os.environ["NUMBA_CACHE_DIR"]).name
        code = folder / "engine" / "fast"
        [before] = [each for each in (kernel_cache.BESIDE / name).iterdir() if each.is_dir()]
        after = _CacheLocator.get_suitable_cache_subpath(str(code / "kernels.py"))  # Numba's name for the folder
        shutil.copytree(before, code / "__pycache__" / name / after, ignore=shutil.ignore_patterns("*.tmp.*"))
        for chosen in kernel_cache.BESIDE.glob(f"tiles-{kernel_cache._digest()}.json"):
            shutil.copy(chosen, code / "__pycache__")
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode & 0o555)
    return folder


def process(what: str, code: Path, data: Path) -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    environment |= {"PYTHONPATH": f"{code}{os.pathsep}{ROOT}", "HOME": str(code), "XDG_CACHE_HOME": str(code)}
    arguments = [sys.executable, "-c", PROCESS, what, str(code), str(data)]
    ended = subprocess.run(arguments, cwd=data, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    told: dict[str, Any] = json.loads(ended.stdout)
    return told


def everything(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def test_what_is_compiled_is_kept_in_the_data_folder(tmp_path: Path, data: Path) -> None:
    code = installed(tmp_path / "code", with_kernels=False)
    before = everything(code)
    first = process("few", code, data)
    assert {"means", "adam"} <= set(first["compiled"])
    assert Path(first["place"]).parent == data / "kernels"
    kept = everything(data)
    assert len({path for path in kept if path.suffix == ".nbc"}) == len(first["loaded"]) == 2
    second = process("few", code, data)
    assert second == first | {"compiled": []}
    assert everything(data) == kept
    assert everything(code) == before


def test_the_first_jobs_of_all_find_every_kernel(tmp_path: Path, data: Path) -> None:
    """Each kind of model, small and large, in both float types, where what `vidro warm-up` makes came with the code."""
    code = installed(tmp_path / "code", with_kernels=True)
    told = process("jobs", code, data)
    assert (told["compiled"], told["place"]) == ([], str(data / "kernels" / Path(os.environ["NUMBA_CACHE_DIR"]).name))
    warm = process("warm-up", code, data)
    assert warm["compiled"] == []
    assert set(told["loaded"]) <= set(warm["loaded"])
    assert len(told["loaded"]) > 50
