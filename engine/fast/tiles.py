"""The shapes of a tile, the block of a product's sums that registers hold, and the one in use.

A tile is so many rows by so many registers side by side: enough sums to keep the arithmetic busy, few enough for the 16 or 32
registers that there are. A sum's bits do not depend on it (see microkernel.py), so that another may be taken at any time.
"""

import os
import platform
from typing import NamedTuple

from llvmlite import binding  # type: ignore[import-untyped]
from numba import config

from engine.fast.kernel_cache import TILE_VARIABLE, chosen_tile


class Tile(NamedTuple):
    """A shape: bytes of a vector register, rows, and registers side by side."""

    register: int
    rows: int
    vectors: int

    @property
    def strip(self) -> int:
        """Bytes of the columns that it works on at once."""
        return self.register * self.vectors

    @property
    def side(self) -> int:
        """Rows of the squares in which a matrix is transposed; every strip and every piece of W is a multiple of them."""
        return 8 if self.register == 64 else 4


TILES = {
    "avx512-8x2": Tile(64, 8, 2),
    "avx512-12x2": Tile(64, 12, 2),
    "avx512-8x3": Tile(64, 8, 3),
    "avx-4x2": Tile(32, 4, 2),
    "avx-6x2": Tile(32, 6, 2),
    "avx-4x3": Tile(32, 4, 3),
    "sse-4x2": Tile(16, 4, 2),
    "neon-4x4": Tile(16, 4, 4),
    "neon-6x4": Tile(16, 6, 4),
}
"""By name: what registers they are for, and the shape. The first for some registers is taken where none was chosen. No strip
has fewer values than the tile rows.
"""


def instructions() -> str:
    """The widest registers that Numba compiles for: this processor's, or those of NUMBA_CPU_FEATURES."""
    if platform.machine() in ("aarch64", "arm64"):
        return "neon"
    described: str | None = config.CPU_FEATURES  # type: ignore[attr-defined]
    if described is None:
        features = {name for name, has in binding.get_host_cpu_features().items() if has}
    else:
        features = {name[1:] for name in described.split(",") if name.startswith("+")}
    return "avx512" if "avx512f" in features else "avx" if "avx" in features else "sse"


def candidates() -> list[str]:
    """The tiles for this processor's registers."""
    return [name for name in TILES if name.startswith(f"{instructions()}-")]


TILE_NAME = os.environ.get(TILE_VARIABLE) or chosen_tile() or candidates()[0]
"""Any tile runs on any processor, if slower: LLVM makes one vector of two, or half of one."""
USED = TILES[TILE_NAME]
REGISTER, TILE, VECTORS = USED
"""TILE is how many rows a tile has."""
STRIP, SIDE = USED.strip, USED.side
