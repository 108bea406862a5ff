# mypy: ignore-errors
# (Numba compiles this file and checks its types itself.)
"""Products of matrices in strips, for compiled code, each on the thread that asks, over the tiles of microkernel.py.

A matrix lies in strips: its columns, as many at a time as a tile is wide, strip after strip, each of them row after row. The
rows of the last strip are as short as what is left (weights), or as wide as all others, whatever stands behind the last
column (a batch). Every number is one sum over the terms in their order, wherever in the matrix it stands and whatever the
tile. All are kernels (see jit.py): matrices are C pointers, and may be read up to a strip's width behind their end.
"""

from functools import cache
from typing import NamedTuple

from engine.fast.jit import Kernel
from engine.fast.microkernel import ask_for, tile_columns, tile_rows, turn, values_in
from engine.fast.tiles import USED, Tile

HALF = 4
"""Rows of a smaller tile, for what is left over by a taller one."""
SHARE = 2 * HALF
"""A product of so many rows, or a multiple, writes no row behind the last; one of others writes fewer than so many."""


class Products(NamedTuple):
    """The kernels of products over one tile, in the order in which team_step.py names their addresses."""

    multiply: Kernel
    multiply_transposed: Kernel
    transpose_part: Kernel


@cache
def products(shape: Tile) -> Products:
    """The kernels for a tile of that shape."""
    register, rows_of_tile, vectors = shape
    size, side, half = shape.strip, shape.side, min(HALF, shape.rows)
    low = rows_of_tile if rows_of_tile < SHARE else half
    high = half if rows_of_tile in (half, SHARE) else SHARE  # two smaller tiles are better at more than `low`, to so many

    def multiply(C, A, block_gap, rows, B, b_width, terms, more, ahead):
        """A strip of C = A B: C (rows, strip), A (rows, terms) of a batch, whose strips lie `block_gap` apart, and the
        strip B (terms, b_width). If `more` is not 0, the sums go on from what stands in C. C has room for a tile's rows
        behind its own (see SHARE). As many values as B has, from `ahead` on, are asked for
        meanwhile: the next product reads them.
        """
        strip, line = values_in(size, C), values_in(64, C)
        row, asked = 0, 0
        share = (terms * b_width * rows_of_tile // rows // line + 1) * line
        while row < rows:
            left, at = rows - row, row * strip
            for offset in range(asked, min(asked + share, terms * b_width), line):
                ask_for(ahead, offset, 0)
            asked += share
            if b_width <= values_in(register, C):
                tile_rows(register, half, 1, size, C, at, more, A, at, block_gap, B, 0, b_width, terms)
                row += half
            elif left == 1:
                tile_rows(register, 1, vectors, size, C, at, more, A, at, block_gap, B, 0, b_width, terms)
                row += 1
            elif left <= half or low < left <= high:
                tile_rows(register, half, vectors, size, C, at, more, A, at, block_gap, B, 0, b_width, terms)
                row += half
            elif b_width == strip:
                tile_rows(register, rows_of_tile, vectors, size, C, at, more, A, at, block_gap, B, 0, strip, terms)
                row += rows_of_tile
            else:
                tile_rows(register, rows_of_tile, vectors, size, C, at, more, A, at, block_gap, B, 0, b_width, terms)
                row += rows_of_tile

    def multiply_transposed(C, rows, width, A, limit, jump, B, terms, more, scratch):
        """C (rows, width), row by row, = a part of Aᵀ B, or adds it if `more` is not 0: as many columns of A (terms, …) as a
        tile has rows, or fewer, of which those from `limit` on stand `jump` further on, in the next strip; and a strip of
        B (terms, …), both of batches. `scratch` is a tile.
        """
        strip = values_in(size, C)
        if rows == rows_of_tile and width == strip and more == 0:
            tile_columns(register, rows_of_tile, vectors, size, C, 0, strip, A, 0, limit, jump, B, 0, terms)
        else:
            if width <= values_in(register, C):
                tile_columns(register, rows_of_tile, 1, size, scratch, 0, strip, A, 0, limit, jump, B, 0, terms)
            else:
                tile_columns(register, rows_of_tile, vectors, size, scratch, 0, strip, A, 0, limit, jump, B, 0, terms)
            for r in range(rows):
                for i in range(width):
                    total = scratch[r * strip + i]
                    C[r * width + i] = C[r * width + i] + total if more else total

    def transpose_part(packed, B, first, rows, width, of, left, columns):
        """Write rows `first`… of a strip B (rows, width), whose columns begin at `left`, into the transpose in strips of a
        matrix (of, columns). `first` is a multiple of the tile's `side`.
        """
        strip = values_in(size, B)
        for row in range(0, rows, side):
            column = (first + row) // strip * strip
            wide, many = min(strip, of - column), min(side, rows - row)
            offset, j = column * columns + left * wide + (first + row) % strip, 0
            if many == side:
                while j + side <= width:
                    turn(side, packed, offset + j * wide, wide, B, row * width + j, width)
                    j += side
            while j < width:
                for r in range(many):
                    packed[offset + j * wide + r] = B[(row + r) * width + j]
                j += 1

    return Products(
        Kernel(multiply, ("reals", "reals", "int", "int", "reals", "int", "int", "int", "reals")),
        Kernel(multiply_transposed, ("reals", "int", "int", "reals", "int", "int", "reals", "int", "int", "reals")),
        Kernel(transpose_part, ("reals", "reals", "int", "int", "int", "int", "int", "int")),
    )


IN_USE = products(USED)
MULTIPLY, MULTIPLY_TRANSPOSED, TRANSPOSE_PART = IN_USE
