"""Where compiled kernels are kept, and when they are made. Light to import: Numba itself comes only with the first kernel."""

import hashlib
import os
import sys
import tempfile
import time
from pathlib import Path

SOURCES = ("compiled.py", "micro.py", "kernels.py", "drivers.py", "team.py")
"""What compiled code is made of: a change in any of them makes a cache of its own."""


def cache_in(folder: Path) -> None:
    """Keep compiled kernels under that folder, as in a container whose code is read-only. Call it before any training."""
    if "numba" in sys.modules:
        import numba

        numba.config.CACHE_DIR = str(folder / _digest())  # type: ignore[attr-defined]
    os.environ["NUMBA_CACHE_DIR"] = str(folder / _digest())


def prepare() -> None:
    """Settle the folder before Numba reads it: the one asked for, or beside the code, or a new one of this process alone."""
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    here = Path(__file__).parent / "__pycache__"
    here.mkdir(exist_ok=True) if os.access(here.parent, os.W_OK) else None
    # Compiled code is loaded as it lies: a folder that others could have filled is no place for it.
    cache_in(here if os.access(here, os.W_OK) else Path(tempfile.mkdtemp(prefix="vidro-kernels-")))


def _digest() -> str:
    """The kernels' version: Numba looks at one file at a time, and would keep code whose callees have changed."""
    content = b"".join((Path(__file__).parent / name).read_bytes() for name in SOURCES)
    return f"kernels-{hashlib.sha256(content).hexdigest()[:16]}"


def warm_up() -> float:
    """Compile every kernel, or load it from the cache, and give the seconds that took."""
    started = time.perf_counter()
    from engine.fast import compile_all

    compile_all()
    return time.perf_counter() - started
