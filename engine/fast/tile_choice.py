# mypy: ignore-errors
# (Numba compiles part of this file and checks its types itself.)
"""Which tile is the fastest on this processor: a program that times those for its registers and prints their rates as JSON.

What is timed are the products of a layer of 1,024 × 1,024 weights, of 128 rows forward and back, on one thread. The tiles take
turns, and the best turn of each counts, for what else the machine does only slows a turn down.
"""

import json
import sys
import time

import numpy as np

from engine.fast import packing
from engine.fast.gemm import products
from engine.fast.jit import call, driver
from engine.fast.team_step import DEPTH
from engine.fast.tiles import TILES, candidates

TURNS = 30
ROWS, UNITS = 128, 1024


@driver
def multiply_layer(multiply, transposed, A, W, Z, gradient, scratch, rows, units, strip, height, depth, tile):
    """Z = A W, then ∇W = Aᵀ Z, of a layer of as many inputs as outputs, all in strips."""
    block_gap = (height - 1) * strip
    for first in range(0, units, depth):
        many = min(depth, units - first)
        for left in range(0, units, strip):
            width = min(strip, units - left)
            w = W[left * units + first * width :]
            call(multiply, (Z[left * height :], A[first * height :], block_gap, rows, w, width, many, first, w))
    for left in range(0, units, strip):
        width = min(strip, units - left)
        for row in range(0, units, tile):
            limit, some = strip - row % strip, gradient[left * units + row * width :]
            jump = block_gap if row + limit < units else 0
            a, many = A[row // strip * strip * height + row % strip :], min(tile, units - row)
            call(transposed, (some, many, width, a, limit, jump, Z[left * height :], rows, np.int64(0), scratch))


def turn_of(name: str):
    """A function that has the products taken once over that tile."""
    tile, dtype = TILES[name], np.float32
    strip, height = tile.strip // 4, ROWS + 2 * tile.rows
    area = -(-UNITS // strip) * strip * height
    A, Z = (packing.zeros(area + strip, dtype) for _ in range(2))
    W, gradient = (packing.zeros(UNITS * (UNITS + strip), dtype) for _ in range(2))
    scratch = packing.zeros(tile.rows * strip, dtype)
    A[:], W[:] = 0.5, 0.25
    kernels = products(tile)
    addresses = (kernels.multiply.address(dtype), kernels.multiply_transposed.address(dtype))
    depth = max(1, DEPTH // tile.strip // strip) * strip
    sizes = (ROWS, UNITS, strip, height, depth, tile.rows)
    return lambda: multiply_layer(*addresses, A, W, Z, gradient, scratch, *sizes)


def rates(names: list[str]) -> dict[str, float]:
    """Operations a second over each tile."""
    turns = {name: turn_of(name) for name in names}
    best = dict.fromkeys(names, float("inf"))
    for _ in range(1 + TURNS):
        for name, turn in turns.items():
            started = time.perf_counter()
            turn()
            best[name] = min(best[name], time.perf_counter() - started)
    return {name: 4 * ROWS * UNITS**2 / seconds for name, seconds in best.items()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(rates(candidates())))
