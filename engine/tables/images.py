"""Images in a table: the size of an array's cells, and columns that hold a pixel each, found out by their names."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

CHANNELS = (1, 2, 3, 4)
"""Grey, grey with transparency, RGB, RGB with transparency."""
FIRST_CHANNELS = (1, 3, 4)
"""Channels that come first where none come last, as PyTorch has them."""
FEWEST_PIXELS = 25
"""Columns that hold a pixel each are found out from so many on."""
BY_PLACE = re.compile(r"(.*?)(\d+)([^\d]+)(\d+)$", re.DOTALL)
BY_NUMBER = re.compile(r"(.*?)(\d+)$", re.DOTALL)
PIXEL = re.compile(r"pix|px", re.IGNORECASE)
MOST_DIGITS = 5
"""Digits of a pixel's number."""


class ImageSize(NamedTuple):
    """How many pixels an image has, and numbers a pixel."""

    height: int
    width: int
    channels: int = 1


class ImageCells(NamedTuple):
    """Cells of images of one size; `channels_first` where they are stored as (channels, height, width)."""

    size: ImageSize
    channels_first: bool = False


class RowShape(NamedTuple):
    """The features of a row, as a model that may read images has to know them."""

    numbers: int
    """How many there are, at most: each category may be one."""
    image: ImageSize | None = None
    """The image that they form: one column of images, or columns of pixels."""
    is_cell: bool = False
    """Whether that is one column's, whose cells have that size."""
    is_image: bool = False
    """Whether they have to be read as an image."""


class PixelGrid(NamedTuple):
    """Columns that hold a pixel each, row by row of the image, and what their names begin with."""

    prefix: str
    size: ImageSize
    columns: tuple[str, ...]


def image_cells(shape: Sequence[int]) -> ImageCells | None:
    """The images in cells of (h, w), (h, w, c) or (c, h, w); None of any other shape."""
    if len(shape) == 2:
        return ImageCells(ImageSize(*shape))
    if len(shape) != 3:
        return None
    if shape[2] not in CHANNELS and shape[0] in FIRST_CHANNELS:
        return ImageCells(ImageSize(shape[1], shape[2], shape[0]), channels_first=True)
    return ImageCells(ImageSize(*shape))


def pixel_grids(names: Iterable[str]) -> Iterator[PixelGrid]:
    """Columns of pixels among the names: those that are named for row and column, as `pixel_0_0`, and fill a rectangle; and
    `pixel0`, `pixel1`, …, that fill a square.
    """
    names = list(names)
    placed: dict[tuple[str, str], dict[tuple[int, int], str]] = {}
    for name in names:
        found = BY_PLACE.match(name)
        if found and len(found[2]) <= MOST_DIGITS and len(found[4]) <= MOST_DIGITS:
            placed.setdefault((found[1], found[3]), {})[int(found[2]), int(found[4])] = name
    for (prefix, _), at in placed.items():
        rows, columns = sorted({row for row, _ in at}), sorted({column for _, column in at})
        is_rectangle = len(at) == len(rows) * len(columns)
        if len(at) >= FEWEST_PIXELS and is_rectangle and _counts(rows) and _counts(columns):
            yield PixelGrid(prefix, ImageSize(len(rows), len(columns)), tuple(at[place] for place in sorted(at)))
    for prefix, numbered in numbered_columns(names).items():
        side = round(len(numbered) ** 0.5)
        if PIXEL.search(prefix) and side * side == len(numbered) >= FEWEST_PIXELS:
            yield PixelGrid(prefix, ImageSize(side, side), numbered)


def numbered_columns(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """By what they begin with, names that are numbered from 0 or 1 on without a gap, in the order of their numbers."""
    groups: dict[str, dict[int, str]] = {}
    for name in names:
        found = BY_NUMBER.match(name)
        if found and len(found[2]) <= MOST_DIGITS:
            groups.setdefault(found[1], {})[int(found[2])] = name
    return {prefix: tuple(at[number] for number in sorted(at)) for prefix, at in groups.items() if _counts(sorted(at))}


def pixels_in_order(names: Sequence[str]) -> ImageSize | None:
    """The size of the one image whose pixels these columns hold, in this order; None where they are anything else."""
    given = tuple(names)
    return next((grid.size for grid in pixel_grids(given) if grid.columns == given), None)


def _counts(numbers: list[int]) -> bool:
    return numbers[0] in (0, 1) and numbers[-1] - numbers[0] == len(numbers) - 1
