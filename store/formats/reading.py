"""The input and output of a reader: a file, and its rows in batches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from store.readings.options import ReadOptions

MAX_COLUMNS = 50_000
CELL_BYTES = 1 << 20
BATCH_BYTES = 16 << 20


@dataclass(frozen=True)
class Source:
    """A file to read: where it lies, its name without endings, what the upload says of it, a folder for what is written on
    the way, and how many bytes it may unpack to.
    """

    path: Path
    stem: str
    options: ReadOptions
    folder: Path
    limit: int


@dataclass
class Found:
    """The result of a reader: rows in batches, how it read them, and warnings.

    A reader that has to begin its batches anew calls `restart`: what it gave so far is forgotten.
    """

    batches: Iterator[pl.DataFrame]
    read: dict[str, Any]
    warnings: list[dict[str, Any]] = field(default_factory=list)
    restart: Callable[[], None] = lambda: None


def batches_of(table: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """A table in memory by the stretch."""
    rows = max(1, BATCH_BYTES // max(1, int(table.estimated_size()) // max(1, table.height)))
    return table.iter_slices(rows)
