"""Rows of tables as they go out, and columns that requests name."""

import math
import re

import polars as pl

from service.schemas.datasets import RowsPage
from store.database import to_json
from store.errors import NotFound, UnreadableFile
from store.tables import Dataset

FORMULA = r"^[=+\-@\t\r]"
"""Characters that a spreadsheet takes for the beginning of a formula."""


def refuse_unknown_column(dataset: Dataset, name: str, pointer: str) -> None:
    """Raise NotFound, at the pointer, where the dataset has no such column."""
    names = [column["name"] for column in dataset.columns]
    if name not in names:
        raise NotFound(f"no column '{name}'; there are {', '.join(names[:20])}", pointer)


def numeric_columns(dataset: Dataset, wanted: list[str] | None, pointer: str) -> list[str]:
    """The columns asked for, by default all that hold numbers. Raises NotFound or UnreadableFile, at the pointer, for one that
    does not.
    """
    kinds = {column["name"]: column["kind"] for column in dataset.columns}
    numeric = [name for name, kind in kinds.items() if kind in ("numeric", "integer", "boolean")]
    names = wanted or numeric
    for name in names:
        if name not in kinds:
            refuse_unknown_column(dataset, name, pointer)
        if kinds[name] not in ("numeric", "integer", "boolean"):
            raise UnreadableFile(f"column '{name}' holds no numbers; choose among {', '.join(numeric[:20])}", pointer)
    if not names:
        raise UnreadableFile("no column of this dataset holds numbers", pointer)
    return names


def kind_of_column(dataset: Dataset, name: str) -> str:
    """The kind that the column is read as."""
    return str(next(column["kind"] for column in dataset.columns if column["name"] == name))


def rows_page(stretch: pl.DataFrame, offset: int, total: int) -> RowsPage:
    """A stretch of a table of `total` rows, which begins at the offset."""
    rows = [list(row) for row in stretch.iter_rows()]
    return RowsPage(columns=stretch.columns, rows=rows, offset=offset, total=total)


def numbers_a_row(table: pl.DataFrame) -> int:
    """One a column, and of arrays as many as they hold."""
    shapes = (kind.shape if isinstance(kind, pl.Array) else () for kind in table.dtypes)
    return sum(math.prod(shape) for shape in shapes)


def spreadsheet(table: pl.DataFrame) -> bytes:
    """The table as CSV, arrays as JSON, formulas escaped as OWASP advises (CSV injection)."""
    columns = []
    for column in table.iter_columns():
        if isinstance(column.dtype, pl.Array):
            column = pl.Series(column.name, [cell if cell is None else to_json(cell) for cell in column.to_list()], pl.String)
        if column.dtype == pl.String:
            column = column.str.replace(FORMULA, "'$0")
        columns.append(column)
    names = [f"'{name}" if re.match(FORMULA, name) else name for name in table.columns]
    return pl.DataFrame(columns).rename(dict(zip(table.columns, names, strict=True))).write_csv().encode()
