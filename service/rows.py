"""Rows of tables as they go out, and columns that requests name."""

import math

import polars as pl

from service.schemas.datasets import RowsPage
from store.errors import NotFound
from store.tables import Dataset


def refuse_unknown_column(dataset: Dataset, name: str, pointer: str) -> None:
    """Raise NotFound, at the pointer, where the dataset has no such column."""
    names = [column["name"] for column in dataset.columns]
    if name not in names:
        raise NotFound(f"no column '{name}'; there are {', '.join(names[:20])}", pointer)


def rows_page(stretch: pl.DataFrame, offset: int, total: int) -> RowsPage:
    """A stretch of a table of `total` rows, which begins at the offset."""
    rows = [list(row) for row in stretch.iter_rows()]
    return RowsPage(columns=stretch.columns, rows=rows, offset=offset, total=total)


def numbers_a_row(table: pl.DataFrame) -> int:
    """One a column, and of arrays as many as they hold."""
    shapes = (kind.shape if isinstance(kind, pl.Array) else () for kind in table.dtypes)
    return sum(math.prod(shape) for shape in shapes)
