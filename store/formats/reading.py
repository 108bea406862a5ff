"""What a reader gives, and the way from there to one Arrow file: checked, narrowed, a batch of rows at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.ipc

from store.errors import UnreadableFile
from store.formats.options import ReadOptions

MAX_COLUMNS = 50_000
CELL_BYTES = 1 << 20
BATCH_BYTES = 16 << 20
HELD_BYTES = 64 << 20
WHOLE = (pl.UInt8, pl.Int16, pl.Int32, pl.Int64)
"""The types of whole numbers that are stored, the narrowest first."""
BOUNDS = ((0, 2**8 - 1), (-(2**15), 2**15 - 1), (-(2**31), 2**31 - 1), (-(2**63), 2**63 - 1))


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
    """What a reader found: rows in batches, how it read them, and what is worth a look.

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


def assemble(found: Found, path: Path) -> pl.DataFrame:
    """Write the rows to an Arrow IPC file, uncompressed, and map it. Raises UnreadableFile with column and row."""
    rows = 0
    held: list[pl.DataFrame] = []
    parts: list[Path] = []

    def restart() -> None:
        nonlocal rows
        rows = 0
        held.clear()
        parts.clear()

    def put_down() -> None:
        """What is held in memory, as a part on disk."""
        parts.append(path.with_name(f"{path.name}.{len(parts)}"))
        _write(parts[-1], [_joined(held)])
        held.clear()

    found.restart = restart
    for batch in found.batches:
        if batch.height == 0:
            continue
        if batch.width > MAX_COLUMNS:
            raise UnreadableFile(f"the file has {batch.width} columns; at most {MAX_COLUMNS} are read, leave some out")
        held.append(pl.DataFrame(stored_columns(batch, rows)))
        rows += batch.height
        if sum(table.estimated_size() for table in held) > HELD_BYTES:
            put_down()
    if not rows:
        raise UnreadableFile("the file holds a header and no rows; add at least one row below it")
    if parts and held:
        put_down()
    if parts:
        tables = [map_table(part) for part in parts]
        schema = _common([table.schema for table in tables])
        _write(path, (_cast(table, schema) for table in tables))
    else:
        table = _joined(held)
        _write(path, [_cast(table, _common([table.schema]))])
    for part in parts:
        part.unlink()
    return map_table(path)


def _joined(tables: list[pl.DataFrame]) -> pl.DataFrame:
    schema = _common([table.schema for table in tables], pl.Null)
    return pl.concat([_cast(table, schema) for table in tables], rechunk=True)


def beside(tables: list[tuple[str, pl.DataFrame]], path: Path) -> pl.DataFrame:
    """The columns of several tables as one. Raises UnreadableFile where their rows or names do not agree."""
    (first_name, first), *others = tables
    seen = dict.fromkeys(first.columns, first_name)
    for name, table in others:
        if table.height != first.height:
            raise UnreadableFile(
                f"'{first_name}' has {first.height} rows and '{name}' {table.height}; files of one dataset must agree"
            )
        for column in table.columns:
            if column in seen:
                raise UnreadableFile(f"'{seen[column]}' and '{name}' both have a column '{column}'; rename one of them")
            seen[column] = name
    whole = pl.concat([table for _, table in tables], how="horizontal")
    _write(path, batches_of(whole))
    return map_table(path)


def map_table(path: Path) -> pl.DataFrame:
    """The table of an Arrow file, mapped into memory: what is not looked at is not read."""
    with pa.memory_map(str(path)) as source:
        table = pa.ipc.open_file(source).read_all()
    found = pl.from_arrow(table, rechunk=False)
    assert isinstance(found, pl.DataFrame)
    found.columns = table.schema.names  # where Polars gives one of its own to a column named ''
    return found


def _write(path: Path, tables: Any) -> None:
    with pa.OSFile(str(path), "wb") as file:
        writer = None
        for table in tables:
            arrow = table.to_arrow(compat_level=pl.CompatLevel.newest())
            writer = writer or pa.ipc.new_file(file, arrow.schema)
            writer.write_table(arrow)
        if writer is not None:
            writer.close()


def _common(schemas: list[pl.Schema], gaps: Any = pl.Float64) -> dict[str, Any]:
    """One type for each column that holds all its batches' values; `gaps` for one that has none."""
    found = {}
    for name in schemas[0]:
        dtypes = {schema[name] for schema in schemas} - {pl.Null}
        if not dtypes:
            found[name] = gaps
        elif len(dtypes) == 1:
            found[name] = dtypes.pop()
        elif all(dtype in WHOLE for dtype in dtypes):
            found[name] = max(dtypes, key=WHOLE.index)
        elif all(dtype.is_numeric() for dtype in dtypes):
            found[name] = pl.Float64
        else:
            shown = ", ".join(sorted(map(str, dtypes)))
            raise UnreadableFile(f"column '{name}' holds values of several types ({shown}); give it one")
    return found


def _cast(table: pl.DataFrame, schema: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(
        [column if column.dtype == schema[column.name] else column.cast(schema[column.name]) for column in table.iter_columns()]
    )


def stored_columns(batch: pl.DataFrame, row: int) -> list[pl.Series]:
    """The batch's columns as they are stored; fractions all at once, for a call of Polars costs more than a short column."""
    settled: dict[int, pl.Series] = {}
    fractions = [place for place, dtype in enumerate(batch.dtypes) if dtype in (pl.Float32, pl.Float64)]
    if fractions:
        table = batch.select(pl.nth(fractions)).select(pl.all().fill_nan(None))
        infinite, gaps = table.select(pl.all().is_infinite().any()).row(0), table.null_count().row(0)
        for place, column, is_odd, missing in zip(fractions, table.iter_columns(), infinite, gaps, strict=True):
            if not is_odd and missing < batch.height:
                settled[place] = column
    return [settled[place] if place in settled else stored(column, row) for place, column in enumerate(batch.iter_columns())]


def stored(column: pl.Series, row: int = 0) -> pl.Series:
    """The column of a batch, which begins in that row, as it is stored. Raises UnreadableFile where it cannot be."""
    dtype = column.dtype
    for matches, convert in CONVERSIONS:
        if matches(dtype):
            return convert(column, row)
    raise UnreadableFile(
        f"column '{column.name}' holds {_shown(dtype)}, which is no value to learn from; leave it out, or flatten it into "
        "columns of numbers or words"
    )


def _shown(dtype: Any) -> str:
    return {"Struct": "objects", "List": "lists", "Binary": "bytes"}.get(type(dtype).__name__, str(dtype))


def _whole(column: pl.Series, row: int) -> pl.Series:
    low: Any = column.min()
    high: Any = column.max()
    if low is None:
        return column.cast(pl.Null, strict=False) if column.null_count() == len(column) else column
    for dtype, (least, most) in zip(WHOLE, BOUNDS, strict=True):
        if least <= low and high <= most:
            return column.cast(dtype)
    return column.cast(pl.Float64)


def _float(column: pl.Series, row: int) -> pl.Series:
    column = column.cast(pl.Float32 if column.dtype in (pl.Float32, pl.Float16) else pl.Float64).fill_nan(None)
    infinite = column.is_infinite().fill_null(False)
    if infinite.any():
        at = row + (infinite.arg_max() or 0)
        raise UnreadableFile(
            f"column '{column.name}' holds an infinite number in row {at}; replace it by a number or leave the cell empty"
        )
    return _or_null(column)


def _or_null(column: pl.Series) -> pl.Series:
    return column.cast(pl.Null, strict=False) if column.null_count() == len(column) else column


def _text(column: pl.Series, row: int) -> pl.Series:
    column = column.cast(pl.String)
    oversized = (column.str.len_bytes() > CELL_BYTES).fill_null(False)
    if oversized.any():
        at = row + (oversized.arg_max() or 0)
        raise UnreadableFile(f"column '{column.name}' holds more than {CELL_BYTES} bytes in row {at}; shorten that cell")
    return _or_null(column)


def _moments(column: pl.Series, row: int) -> pl.Series:
    pattern = "%Y-%m-%dT%H:%M:%S%.f" if isinstance(column.dtype, pl.Datetime) else "%Y-%m-%d"
    return _or_null(column.dt.to_string(pattern))


def _list(column: pl.Series, row: int) -> pl.Series:
    """Lists of one length each as arrays; lists of lists likewise."""
    shape: list[int] = []
    flat = column
    inner: Any = column.dtype
    while isinstance(inner, pl.List):
        lengths = flat.list.len().drop_nulls()
        if lengths.len() == 0:
            return column.cast(pl.Null, strict=False) if not shape else _unequal(column, row)
        if lengths.min() != lengths.max():
            at = row + int((flat.list.len() != lengths[0]).fill_null(False).arg_max() or 0)
            raise UnreadableFile(
                f"column '{column.name}' holds lists of {lengths.min()!r} to {lengths.max()!r} items, as in row {at}; "
                "give all as many"
            )
        shape.append(int(lengths[0]))
        flat, inner = flat.list.explode(), inner.inner
    if not all(shape):
        return _unequal(column, row)
    return _array(column.cast(pl.Array(inner, tuple(shape))), row)


def _unequal(column: pl.Series, row: int) -> pl.Series:
    raise UnreadableFile(f"column '{column.name}' holds empty lists; leave it out, or fill them")


def _array(column: pl.Series, row: int) -> pl.Series:
    """Arrays of numbers, none of them missing within, in the narrowest type."""
    assert isinstance(column.dtype, pl.Array)
    shape = column.dtype.shape
    inner: Any = column.dtype
    while isinstance(inner, pl.Array):
        inner = inner.inner
    size = max(1, int(_product(shape)))
    if not (inner.is_numeric() or inner == pl.Boolean) or inner.is_decimal() or not all(shape):
        raise UnreadableFile(f"column '{column.name}' holds arrays of {inner}; give arrays of numbers, or leave it out")
    flat = column.drop_nulls().reshape((-1,))
    whole = flat.cast(pl.UInt8) if inner == pl.Boolean else stored(flat.alias(column.name), row)
    if whole.null_count() or whole.dtype == pl.Null:
        at = row + int((flat.is_null() | flat.is_nan() if flat.dtype.is_float() else flat.is_null()).arg_max() or 0) // size
        raise UnreadableFile(f"column '{column.name}' holds an array with a gap in it in row {at}; fill it")
    if column.null_count():
        return column.cast(pl.Array(whole.dtype, shape))
    return whole.reshape((len(column), *shape)).alias(column.name)


def _product(shape: tuple[int, ...]) -> int:
    result = 1
    for size in shape:
        result *= size
    return result


CONVERSIONS: tuple[tuple[Callable[[Any], bool], Callable[[pl.Series, int], pl.Series]], ...] = (
    (lambda dtype: dtype.is_integer(), _whole),
    (lambda dtype: dtype.is_float() or dtype.is_decimal(), _float),
    (lambda dtype: dtype == pl.Boolean, lambda column, row: _or_null(column)),
    (lambda dtype: dtype in (pl.String, pl.Categorical, pl.Enum, pl.Time), _text),
    (lambda dtype: dtype in (pl.Date, pl.Datetime), _moments),
    (lambda dtype: dtype == pl.Duration, lambda column, row: column.dt.total_microseconds() / 1e6),
    (lambda dtype: dtype == pl.Null, lambda column, row: column),
    (lambda dtype: dtype == pl.List, _list),
    (lambda dtype: dtype == pl.Array, _array),
)
"""How each of Polars' types is stored: the first that matches."""
