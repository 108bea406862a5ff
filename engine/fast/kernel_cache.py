"""The folder of compiled kernels, and when they are made. Light to import: Numba itself comes only with the first kernel."""

import hashlib
import json
import os
import platform
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

COMPILED = b"numba"
"""Files that are compiled, or say how: a change in any of them makes a cache of its own."""

TILE_VARIABLE = "VIDRO_TILE"
"""Names a tile of tiles.py to work in instead of the one chosen, for tests."""
CHOSEN = "+"
"""Stands before the chosen tile in the name of the kernels' folder."""
KIND = ("vendor_id", "cpu family", "model", "flags", "cache size", "CPU ", "Features")
"""How lines of /proc/cpuinfo begin that say which kind of processor it is."""
BESIDE = Path(__file__).parent / "__pycache__"
"""Folder of kernels if the code's folder may be written to, as when an image is built."""


def cache_in(folder: Path) -> None:
    """Keep compiled kernels under that folder, as in a container whose code is read-only. Call it before any training.

    It starts with those that came with the code. They are for the kind of processor that they were made on; Numba passes
    over them on another, and makes its own.
    """
    name = _name(folder)
    shipped, kept = BESIDE / name, folder / name
    if shipped.is_dir() and shipped != kept and not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        copy = Path(tempfile.mkdtemp(dir=folder))
        shutil.copytree(shipped, copy, dirs_exist_ok=True)
        for each in (copy, *copy.iterdir()):
            each.chmod(each.stat().st_mode | stat.S_IWUSR)  # Numba passes over a folder that it could add nothing to
        try:
            copy.rename(kept)  # whole, or not at all
        except OSError:  # another process was faster
            shutil.rmtree(copy)
    if "numba" in sys.modules:
        import numba

        numba.config.CACHE_DIR = str(kept)  # type: ignore[attr-defined]
    os.environ["NUMBA_CACHE_DIR"] = str(kept)


def prepare() -> None:
    """Settle the folder before Numba reads it: the one asked for, or beside the code, or a new one of this process alone."""
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    BESIDE.mkdir(exist_ok=True) if os.access(BESIDE.parent, os.W_OK) else None
    # Compiled code is loaded as it lies: a folder that others could have filled is no place for it.
    cache_in(BESIDE if os.access(BESIDE, os.W_OK) else Path(tempfile.mkdtemp(prefix="vidro-kernels-")))


def chosen_tile() -> str:
    """The tile that the kernels in the cache's folder are for, or "" where none was chosen: the folder's name ends in it.

    So all kernels of a folder are for one tile, and a process begun before the choice goes on with its own.
    """
    return Path(os.environ.get("NUMBA_CACHE_DIR", "")).name.partition(CHOSEN)[2]


def choose_tile() -> dict[str, float]:
    """Have the tiles for this processor timed, unless one was chosen, and let every later process take the fastest. Returns
    their rates, in operations a second; none where nothing was timed.
    """
    prepare()
    folder = Path(os.environ["NUMBA_CACHE_DIR"]).parent
    if TILE_VARIABLE in os.environ or chosen_tile() or "engine.fast.tiles" in sys.modules or not _may_write(folder):
        return {}
    with tempfile.TemporaryDirectory(prefix="vidro-kernels-") as own:  # kernels that are compiled for their timing alone
        roots = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = os.environ | {"NUMBA_CACHE_DIR": own, "PYTHONPATH": roots}
        command = [sys.executable, "-m", "engine.fast.tile_choice"]
        rates: dict[str, float] = json.loads(subprocess.check_output(command, env=environment, text=True))
    choices = _choices(folder) | {_processor(): max(rates, key=lambda name: rates[name])}
    with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as file:
        json.dump(choices, file)
    Path(file.name).chmod(0o644)
    Path(file.name).rename(folder / _choices_file())
    cache_in(folder)
    return rates


def _may_write(folder: Path) -> bool:
    """Whether files can be made in that folder, which is made itself where there is none."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _choices(folder: Path) -> dict[str, str]:
    """The tiles chosen for these kernels, by processor, that are kept in a folder."""
    try:
        found: dict[str, str] = json.loads((folder / _choices_file()).read_text())
    except (OSError, ValueError):
        return {}
    return found


def _choices_file() -> str:
    return f"tiles-{_digest()}.json"


def _processor() -> str:
    """The kind of this processor, and what Numba is told to compile for: tiles are timed for each."""
    try:
        with open("/proc/cpuinfo") as file:
            lines = [line for line in iter(file.readline, "\n") if line.startswith(KIND)]
    except OSError:
        lines = [platform.machine(), platform.processor()]
    told = [f"{name}={os.environ[name]}" for name in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES") if name in os.environ]
    return hashlib.sha256("".join([*lines, *told]).encode()).hexdigest()[:16]


def _name(folder: Path) -> str:
    """The name of the kernels' folder within that folder."""
    chosen = {} if TILE_VARIABLE in os.environ else _choices(BESIDE) | _choices(folder)
    tile = chosen.get(_processor(), "")
    return f"{_digest()}{CHOSEN}{tile}" if tile else _digest()


def _digest() -> str:
    """The kernels' version: Numba looks at one file at a time, and would keep code whose callees have changed."""
    sources = (path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    content = b"".join(source for source in sources if COMPILED in source.lower())
    content += os.environ.get(TILE_VARIABLE, "").encode()
    return f"kernels-{hashlib.sha256(content).hexdigest()[:16]}"
