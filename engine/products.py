# mypy: ignore-errors
# (Numba compiles this file and checks its types itself.)
"""Products of matrices for compiled code, each on the thread that asks, over the tile of micro.py.

The right factor B is packed: its columns in strips as wide as a tile, each of them row after row and filled up with zeros,
so that it is read as it lies. A packed matrix serves as many products as there are. Every number is one sum over the terms
in their order, wherever in the matrix it stands. All are kernels (see compiled.py): matrices are C pointers.
"""

from engine.compiled import Kernel
from engine.micro import STRIP, TILE, copy_strip, strip_of, tile, turn


def packed_size(rows: int, columns: int, itemsize: int) -> int:
    """How many values a packed matrix takes."""
    strip = STRIP // itemsize
    return rows * -(-columns // strip) * strip


def pack(B, width, first, rows, columns, packed, whole):
    """Pack B (rows, columns), which lies in rows of that width, as rows `first`… of a matrix of `whole` rows."""
    strip = strip_of(B)
    full = columns // strip * strip
    for s in range(rows):
        row, place = s * width, (first + s) * strip
        for left in range(0, full, strip):
            copy_strip(packed, place + left * whole, B, row + left)
        for i in range(full, columns):
            packed[place + full * whole + i - full] = B[row + i]
        if full < columns:
            for i in range(columns - full, strip):
                packed[place + full * whole + i] = 0


def pack_turned(B, width, first, rows, columns, packed):
    """Pack Bᵀ for the same B as columns `first`… of a matrix of `columns` rows. `first` begins a tile.

    What is left over in the last tile must be zero beforehand.
    """
    strip = strip_of(B)
    for s in range(0, rows, TILE):
        column = first + s
        place, row, j = column // strip * strip * columns + column % strip, s * width, 0
        if s + TILE <= rows:
            while j + TILE <= columns:
                turn(packed, place + j * strip, strip, B, row + j, width)
                j += TILE
        while j < columns:
            for i in range(min(TILE, rows - s)):
                packed[place + j * strip + i] = B[row + i * width + j]
            j += 1


def multiply(C, c_width, A, across, along, rows, packed, terms, columns, scratch):
    """C (rows, columns), in rows of that width, = A B. A lies in strides, B (terms, columns) is packed; `scratch` is a tile."""
    strip = strip_of(C)
    for left in range(0, columns, strip):
        wide, row = min(strip, columns - left), 0
        while row < rows:
            many = TILE if rows >= TILE else 1
            row = min(row, rows - many)  # the last tile does rows of the one before once more
            out, place, width = (C, row * c_width + left, c_width) if wide == strip else (scratch, 0, strip)
            if many == TILE:
                tile(TILE, out, place, width, A, row * across, across, along, packed, left * terms, terms)
            else:
                tile(1, out, place, width, A, row * across, across, along, packed, left * terms, terms)
            if wide < strip:
                for r in range(many):
                    for i in range(wide):
                        C[(row + r) * c_width + left + i] = scratch[r * strip + i]
            row += many


PACK = Kernel(pack, ("reals", "int", "int", "int", "int", "reals", "int"))
PACK_TURNED = Kernel(pack_turned, ("reals", "int", "int", "int", "int", "reals"))
MULTIPLY = Kernel(multiply, ("reals", "int", "reals", "int", "int", "int", "reals", "int", "int", "reals"))
KERNELS = (MULTIPLY, PACK, PACK_TURNED)
