"""Runs tests with one kind of kernel after the other forced, and says which ran and which the processor does not have.

python -m tests.kernels [--only NAME]... [arguments of pytest]
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

FOUND = """
from engine.fast.blas import controller
from engine.fast.tiles import TILE_NAME
print(*{library.get("architecture") for library in controller().info()}, "/", TILE_NAME)
"""
"""Says which kernels of BLAS, and which tile, a process has."""
TILES = """
from engine.fast.tiles import TILES
print(*TILES)
"""
"""Names all tiles; in a process of its own, for kernels are kept where the first to ask for them has said."""
TRAINED = """
import hashlib
from engine.models.regularization import Regularization
from tests.engine.fast.test_kernels import Large, trained

digest = hashlib.sha256()
for dtype in ("float32", "float64"):
    for clip, batch in ((None, 100), (0.5, 100), (None, 600)):
        wishes = {"regularization": Regularization(clip_norm=clip), "batch": batch, "dtype": dtype}
        theta, epochs = trained(Large, sizes=(70, 90, 130, 10), rows=1300, epochs=3, **wishes)
        digest.update(theta.tobytes() + repr(epochs).encode())
print(digest.hexdigest()[:16])
"""
"""Says what a large network's training came to, to the bit."""
BLAS = {"Haswell": "AVX2", "Zen": "AVX2", "SkylakeX": "AVX512F", "Sandybridge": "AVX", "Prescott": "SSE3", "NEOVERSEN1": "NEON"}
"""OpenBLAS's kernels by the instructions that they need. Forced on a processor without them, they would end the process."""
PLAIN = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}


@dataclass(frozen=True)
class Run:
    """One kind of kernel: the variables that force it, and the instructions that it needs, if any."""

    name: str
    variables: dict[str, str]
    needs: str = ""


def runs() -> Iterator[Run]:
    """All that there are, BLAS's first."""
    yield Run("as it is", {})
    for core, needs in BLAS.items():
        yield Run(f"blas-{core}", {"OPENBLAS_CORETYPE": core}, needs)
    for index, feature in enumerate(__cpu_dispatch__):
        disabled = [name for name in __cpu_dispatch__[index:] if __cpu_features__.get(name)]
        yield Run(f"numpy-without-{feature}", {"NPY_DISABLE_CPU_FEATURES": " ".join(disabled)}, feature)
    for tile in subprocess.check_output([sys.executable, "-c", TILES], text=True).split():
        yield Run(f"tile-{tile}", {"VIDRO_TILE": tile})
    yield Run("instructions-plain", PLAIN)
    yield Run("instructions-avx2", PLAIN | {"NUMBA_CPU_FEATURES": "+avx,+avx2,+fma"}, "AVX2")


def main(arguments: list[str]) -> int:
    only = set()
    while arguments[:1] == ["--only"]:
        only.add(arguments[1])
        arguments = arguments[2:]
    failed, trained = False, {}
    for run in runs():
        if only and run.name not in only:
            continue
        if run.needs and not __cpu_features__.get(run.needs):
            print(f"{run.name}: not run, this processor has no {run.needs}", flush=True)
            continue
        environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"} | run.variables
        python = [sys.executable, "-W", "error"]
        found = subprocess.check_output([*python, "-c", FOUND], env=environment, text=True).strip()
        started = time.monotonic()
        tests = subprocess.run(
            [*python, "-m", "pytest", "-n", "2", "--tb=short", *(arguments or ["tests/engine"])],
            env=environment, capture_output=True, text=True,
        )  # fmt: skip
        failed |= tests.returncode != 0
        if tests.returncode:
            print(tests.stdout, tests.stderr, flush=True)
        summary = (tests.stdout.strip().splitlines() or ["nothing was said"])[-1]
        print(f"{run.name} (BLAS / tile: {found}): {summary}, {time.monotonic() - started:.0f} s", flush=True)
        if "VIDRO_TILE" in run.variables:
            trained[run.name] = subprocess.check_output([*python, "-c", TRAINED], env=environment, text=True).strip()
    if len(set(trained.values())) > 1:
        print(f"tiles that do not train to the same bits: {trained}", flush=True)
        failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
