"""The form inside: the rows of all batches as one Arrow file, mapped into memory."""

from collections.abc import Iterator
from mmap import ACCESS_READ, MADV_DONTNEED, mmap
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakSet

import polars as pl

from engine.wording import notice, say
from store.errors import UnreadableFile
from store.formats.conversion import WHOLE, leaf, stored_columns
from store.formats.reading import MAX_COLUMNS, Found, batches_of

HELD_BYTES, COLUMN_BYTES = 8 << 20, 8 << 10
"""Rows are held until they take so much, and so much a column: a batch of the file costs some time for each column."""


def assemble(found: Found, path: Path) -> pl.DataFrame:
    """Write the rows to an Arrow IPC file, uncompressed, and map it. Raises UnreadableFile with column and row."""
    rows = _Rows(path)
    found.restart = rows.forget
    long: set[str] = set()
    """Columns of whole numbers that became words."""
    for batch in found.batches:
        if batch.width > MAX_COLUMNS:
            raise UnreadableFile(f"the file has {batch.width} columns; at most {MAX_COLUMNS} are read, leave some out")
        nul = next((place for place, name in enumerate(batch.columns, start=1) if "\0" in name), None)
        if nul is not None:  # which no database and no C library would keep
            raise UnreadableFile(f"the name of column {nul} holds a NUL character; give it another name")
        if batch.height:
            stored = pl.DataFrame(stored_columns(batch, rows.count))
            rows.add(stored)
            kinds = zip(stored.columns, batch.dtypes, stored.dtypes, strict=True)
            long |= {name for name, before, after in kinds if after == pl.String and _is_whole(before)}
    if not rows.count:
        raise UnreadableFile("the file holds a header and no rows; add at least one row below it")
    rows.finish()
    for name in sorted(long):
        detail = say(
            "column '{name}' holds whole numbers beyond 64 bits, which no number here holds exactly: it is read as words",
            name=name,
        )
        found.warnings.append(notice("LARGE_NUMBERS", detail, column=name))
    return map_table(path)


def _is_whole(dtype: Any) -> bool:
    return bool(dtype.is_integer() or dtype.is_decimal())


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
    return written(pl.concat([table for _, table in tables], how="horizontal"), path)


def written(table: pl.DataFrame, path: Path) -> pl.DataFrame:
    """The table as an Arrow IPC file, mapped."""
    file = _ArrowFile(path, dict(table.schema))
    for batch in batches_of(table):
        file.write(batch)
    file.close()
    return map_table(path)


def map_table(path: Path) -> pl.DataFrame:
    """The table of an Arrow file, mapped into memory: what is not looked at is not read."""
    pa = arrow()
    with path.open("rb") as file:
        mapping = mmap(file.fileno(), 0, access=ACCESS_READ)
    with _LOCK:
        _MAPPINGS.add(mapping)
    return _frame(pa.ipc.open_file(pa.BufferReader(pa.py_buffer(mapping))).read_all())


def let_go() -> None:
    """Have no page of a mapped table count as this process's until it is looked at again, as may be soon: the system maps
    some hundred kilobytes around every cell, so that who looks at cells all over a table would seem to hold all of it.
    """
    with _LOCK:
        mappings = list(_MAPPINGS)
    for mapping in mappings:
        mapping.madvise(MADV_DONTNEED)


def arrow() -> Any:
    """PyArrow, which takes 30 MB: an API that has not looked into a table yet does without."""
    import pyarrow.ipc

    return pyarrow


def _frame(table: Any) -> pl.DataFrame:
    found = pl.from_arrow(table, rechunk=False)
    assert isinstance(found, pl.DataFrame)
    found.columns = table.schema.names  # where Polars gives one of its own to a column named ''
    return found


_MAPPINGS: WeakSet[mmap] = WeakSet()
_LOCK = Lock()
"""Tables that this process has mapped, as long as they are used."""


class _Rows:
    """The rows so far: the last are held in memory, those before lie in files. A file ends where a column needs a wider
    type than its batches have; mostly none does, and the one file is the table.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.count = path, 0
        self._held: list[pl.DataFrame] = []
        self._held_bytes = 0
        self._files: list[_ArrowFile] = []

    def add(self, batch: pl.DataFrame) -> None:
        self._held.append(batch)
        self._held_bytes += int(batch.estimated_size())
        self.count += batch.height
        if self._held_bytes > max(HELD_BYTES, batch.width * COLUMN_BYTES):
            self._put_down()

    def forget(self) -> None:
        """All of it: a reader begins anew."""
        for file in self._files:
            file.close()
            file.path.unlink()
        self.count, self._held, self._held_bytes, self._files = 0, [], 0, []

    def _put_down(self) -> None:
        """Write what is held to the last file, or to a new one."""
        schema = _common([table.schema for table in self._held], pl.Null)
        wider = _common([self._files[-1].schema, schema], pl.Null) if self._files else None
        if not self._files or wider != self._files[-1].schema:
            self._files.append(_ArrowFile(self.path.with_name(f"{self.path.name}.{len(self._files)}"), schema))
        self._files[-1].write(*self._held)
        self._held, self._held_bytes = [], 0

    def finish(self) -> None:
        """Write the rest, and make one file of several."""
        if self._held:
            self._put_down()
        for file in self._files:
            file.close()
        schema = _common([file.schema for file in self._files])
        if len(self._files) == 1 and schema == self._files[0].schema:
            self._files[0].path.replace(self.path)
            return
        whole = _ArrowFile(self.path, schema)
        for file in self._files:
            for batch in _batches_in(file.path):
                whole.write(batch)
            file.path.unlink()
        whole.close()


class _ArrowFile:
    """An Arrow file on its way: each column has one type in all its batches."""

    def __init__(self, path: Path, schema: dict[str, Any]) -> None:
        self.path, self.schema = path, schema
        self._file: Any = arrow().OSFile(str(path), "wb")
        self._writer: Any = None

    def write(self, *tables: pl.DataFrame) -> None:
        """Add tables, as one batch of rows."""
        cast = [_cast(table, self.schema) for table in tables]
        whole = cast[0] if len(cast) == 1 else pl.concat(cast, rechunk=True)
        rows = whole.to_arrow(compat_level=pl.CompatLevel.newest())
        self._writer = self._writer or arrow().ipc.new_file(self._file, rows.schema)
        self._writer.write_table(rows)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._file.close()


def _batches_in(path: Path) -> Iterator[pl.DataFrame]:
    pa = arrow()
    with pa.memory_map(str(path)) as source:
        reader = pa.ipc.open_file(source)
        for place in range(reader.num_record_batches):
            yield _frame(reader.get_batch(place))


def _common(schemas: list[Any], gaps: Any = pl.Float64) -> dict[str, Any]:
    """One type for each column that holds all its batches' values; `gaps` for one that has none."""
    found = {}
    for name in schemas[0]:
        dtypes = {schema[name] for schema in schemas} - {pl.Null}
        found[name] = _widest(dtypes) if dtypes else gaps
        if found[name] is None:
            shown = ", ".join(sorted(map(str, dtypes)))
            raise UnreadableFile(f"column '{name}' holds values of several types ({shown}); give it one")
    return found


def _widest(dtypes: set[Any]) -> Any:
    """The type that holds what all of these hold; None where there is none."""
    if len(dtypes) == 1:
        return next(iter(dtypes))
    if all(dtype in WHOLE for dtype in dtypes):
        return max(dtypes, key=WHOLE.index)
    if all(dtype.is_numeric() for dtype in dtypes):
        return pl.Float64
    if all(dtype in WHOLE or dtype == pl.String for dtype in dtypes):
        return pl.String  # whole numbers of which some are too long for any number
    shapes = {dtype.shape if isinstance(dtype, pl.Array) else None for dtype in dtypes}
    if len(shapes) > 1 or None in shapes:
        return None
    return pl.Array(_widest({leaf(dtype) for dtype in dtypes}), shapes.pop())


def _cast(table: pl.DataFrame, schema: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(
        [column if column.dtype == schema[column.name] else column.cast(schema[column.name]) for column in table.iter_columns()]
    )
