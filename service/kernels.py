"""Kernels for the answers that take a run's own steps, made by a process of its own: what serves only loads them. To compile
them takes half a minute of a core, once for each cache.
"""

import os
import subprocess
import sys
import threading
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import structlog

from engine.fast import kernel_cache, paths

MADE = "made-to-serve"
"""The file in the folder of kernels that says so."""
DTYPE = np.dtype(np.float64)
"""What descents of two parameters and perceptrons are computed in."""
log = structlog.get_logger()
_making = threading.Lock()
_asked: set[Path] = set()


def make_kernels() -> None:
    """Have the kernels in the cache. Where that fails, the caller compiles them itself, a little later."""
    if find_spec("numba") is None:
        return
    kernel_cache.prepare()
    folder = Path(os.environ["NUMBA_CACHE_DIR"])
    with _making:
        if folder in _asked or (folder / MADE).exists():
            return
        _asked.add(folder)
        ended = subprocess.run([sys.executable, "-m", __name__], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        if ended.returncode:
            log.warning("kernels were not made ahead", status=ended.returncode)


def main() -> None:
    kernels = paths.compiled("kernels")
    paths.compiled("warm_up").call_every_driver(DTYPE)
    for table in (kernels.LOSSES, kernels.OPTIMIZERS):
        for kernel in table.values():
            kernel.address(DTYPE)
    with suppress(OSError):  # a folder that takes no kernels, either
        (Path(os.environ["NUMBA_CACHE_DIR"]) / MADE).touch()


if __name__ == "__main__":
    main()
