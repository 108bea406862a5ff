# mypy: ignore-errors
# (Numba compiles this file and checks its types itself.)
"""Products of matrices in strips, for compiled code, each on the thread that asks, over the tile of microkernel.py.

A matrix lies in strips: its columns, as many at a time as a tile is wide, strip after strip, each of them row after row. The
rows of the last strip are as short as what is left (weights), or as wide as all others, whatever stands behind the last
column (a batch). Every number is one sum over the terms in their order, wherever in the matrix it stands. All are kernels
(see jit.py): matrices are C pointers, and may be read up to a strip's width behind their end.
"""

from engine.fast.jit import Kernel
from engine.fast.microkernel import TILE, strip_of, tile, turn

FEW = 2
"""Rows left over that are worked out one by one: of more, a whole tile is."""


def multiply(C, A, leap, rows, B, b_width, terms):
    """A strip of C = A B: C (rows, strip), A (rows, terms) of a batch, `leap` from strip to strip beyond its own width, and
    the strip B (terms, b_width). C has room for a whole tile's rows at its end, which is written.
    """
    strip = strip_of(C)
    row = 0
    while row < rows:
        if rows - row > FEW:
            tile(TILE, C, row * strip, strip, A, row * strip, strip, 1, leap, B, 0, b_width, terms)
            row += TILE
        else:
            tile(1, C, row * strip, strip, A, row * strip, strip, 1, leap, B, 0, b_width, terms)
            row += 1


def multiply_turned(C, rows, width, A, B, terms, more, scratch):
    """C (rows, width), row by row, = a part of Aᵀ B, or adds it if `more` is not 0: as many columns of A (terms, …) as a
    tile has rows, or fewer, which begin a tile, and a strip of B (terms, …), both of batches. `scratch` is a tile.
    """
    strip = strip_of(C)
    if rows == TILE and width == strip and more == 0:
        tile(TILE, C, 0, width, A, 0, 1, strip, 0, B, 0, strip, terms)
    else:
        tile(TILE, scratch, 0, strip, A, 0, 1, strip, 0, B, 0, strip, terms)
        for r in range(rows):
            for i in range(width):
                total = scratch[r * strip + i]
                C[r * width + i] = C[r * width + i] + total if more else total


def turn_part(packed, B, first, rows, width, of, left, columns):
    """Write rows `first`… of a strip B (rows, width), whose columns begin at `left`, into the transpose in strips of a
    matrix (of, columns). `first` begins a tile.
    """
    strip = strip_of(B)
    for row in range(0, rows, TILE):
        column = (first + row) // strip * strip
        wide, many = min(strip, of - column), min(TILE, rows - row)
        place, j = column * columns + left * wide + (first + row) % strip, 0
        if many == TILE:
            while j + TILE <= width:
                turn(packed, place + j * wide, wide, B, row * width + j, width)
                j += TILE
        while j < width:
            for r in range(many):
                packed[place + j * wide + r] = B[(row + r) * width + j]
            j += 1


MULTIPLY = Kernel(multiply, ("reals", "reals", "int", "int", "reals", "int", "int"))
MULTIPLY_TURNED = Kernel(multiply_turned, ("reals", "int", "int", "reals", "reals", "int", "int", "reals"))
TURN_PART = Kernel(turn_part, ("reals", "reals", "int", "int", "int", "int", "int", "int"))
KERNELS = (MULTIPLY, MULTIPLY_TURNED, TURN_PART)
