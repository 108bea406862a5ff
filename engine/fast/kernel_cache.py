"""Where compiled kernels are kept, and when they are made. Light to import: Numba itself comes only with the first kernel."""

import hashlib
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

COMPILED = b"numba"
"""What a file holds that is compiled, or says how: a change in any of them makes a cache of its own."""

TILE_VARIABLE = "VIDRO_TILE"
"""Names a tile of microkernel.py to work in instead of the processor's own, for tests."""
BESIDE = Path(__file__).parent / "__pycache__"
"""Where kernels are kept if the code may be written to, as when an image is built."""


def cache_in(folder: Path) -> None:
    """Keep compiled kernels under that folder, as in a container whose code is read-only. Call it before any training.

    It starts with those that came with the code. They are for the kind of processor that they were made on; Numba passes
    over them on another, and makes its own.
    """
    shipped, place = BESIDE / _digest(), folder / _digest()
    if shipped.is_dir() and shipped != place and not place.exists():
        folder.mkdir(parents=True, exist_ok=True)
        copy = Path(tempfile.mkdtemp(dir=folder))
        shutil.copytree(shipped, copy, dirs_exist_ok=True)
        for each in (copy, *copy.iterdir()):
            each.chmod(each.stat().st_mode | stat.S_IWUSR)  # Numba passes over a folder that it could add nothing to
        try:
            copy.rename(place)  # whole, or not at all
        except OSError:  # another process was faster
            shutil.rmtree(copy)
    if "numba" in sys.modules:
        import numba

        numba.config.CACHE_DIR = str(folder / _digest())  # type: ignore[attr-defined]
    os.environ["NUMBA_CACHE_DIR"] = str(folder / _digest())


def prepare() -> None:
    """Settle the folder before Numba reads it: the one asked for, or beside the code, or a new one of this process alone."""
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    BESIDE.mkdir(exist_ok=True) if os.access(BESIDE.parent, os.W_OK) else None
    # Compiled code is loaded as it lies: a folder that others could have filled is no place for it.
    cache_in(BESIDE if os.access(BESIDE, os.W_OK) else Path(tempfile.mkdtemp(prefix="vidro-kernels-")))


def chosen_tile() -> str:
    """The tile that the kernels in the cache's folder are for, or "" where none was chosen: the folder's name ends in it."""
    return Path(os.environ.get("NUMBA_CACHE_DIR", "")).name.partition("+")[2]


def _digest() -> str:
    """The kernels' version: Numba looks at one file at a time, and would keep code whose callees have changed."""
    sources = (path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    content = b"".join(source for source in sources if COMPILED in source.lower())
    content += os.environ.get(TILE_VARIABLE, "").encode()
    return f"kernels-{hashlib.sha256(content).hexdigest()[:16]}"
