"""Parquet and Arrow IPC: files that say their own columns."""

import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import polars as pl

from engine.wording import notice, say
from store.errors import UnreadableFile
from store.formats.assembly import arrow
from store.formats.reading import BATCH_BYTES, Found, Source, batches_of

BATCH_ROWS = 131_072
MAX_CELLS_EACH = 1 << 31


def read_parquet(source: Source) -> Found:
    """Parquet, a stretch of rows at a time. Raises UnreadableFile where a page or the footer is broken."""
    import pyarrow.parquet  # which nothing else needs

    file = _opened("Parquet", lambda: pyarrow.parquet.ParquetFile(source.path, memory_map=True))
    groups = [file.metadata.row_group(place) for place in range(min(file.metadata.num_row_groups, 1000))]
    claimed, size = file.metadata.num_rows, source.path.stat().st_size
    if claimed > 0 and claimed > size * MAX_CELLS_EACH:
        raise UnreadableFile(f"the footer claims {claimed} rows in {size} bytes; write the file again")
    each = max((group.total_byte_size / max(1, group.num_rows) for group in groups), default=1)
    rows = int(min(BATCH_ROWS, max(1, BATCH_BYTES / max(1, each))))
    schema = _opened("Parquet", lambda: file.schema_arrow)
    written = (file.metadata.metadata or {}).get(b"ARROW:schema")  # in which dictionaries of numbers are still such
    given = _opened("Parquet", lambda: arrow().ipc.read_schema(arrow().py_buffer(b64decode(written)))) if written else schema
    return _found("Parquet", lambda: file.iter_batches(batch_size=rows), schema, {}, given)


def read_arrow(source: Source) -> Found:
    """Arrow IPC, as a file or as a stream."""
    with source.path.open("rb") as file:
        is_file = file.read(6) == b"ARROW1"
    pa = arrow()
    mapped = pa.memory_map(str(source.path))

    reader = _opened("Arrow", lambda: (pa.ipc.open_file if is_file else pa.ipc.open_stream)(mapped))

    def batches() -> Iterator[Any]:
        if not is_file:
            yield from reader
            return
        for place in range(reader.num_record_batches):
            yield reader.get_batch(place)

    return _found("Arrow", batches, reader.schema, {"form": "file" if is_file else "stream"})


def _found(what: str, start: Callable[[], Iterator[Any]], schema: Any, read: dict[str, Any], given: Any = None) -> Found:
    """The table, in which what the file calls categories are words, and the rows' names by pandas are no feature."""
    pandas = _pandas(schema)
    categories = {field.name for field in given or schema if str(field.type).startswith("dictionary")}
    categories |= {column["field_name"] for column in pandas.get("columns", ()) if column.get("pandas_type") == "categorical"}
    index = [name for name in pandas.get("index_columns", ()) if isinstance(name, str) and name in schema.names]
    found = Found(iter(()), {**read, "index": index[0] if len(index) == 1 else index} if index else read)
    for name in index:
        detail = say(
            "column '{name}' is the index of a pandas table: it names the rows and does not describe them; leave it out of the "
            "features, or write the file with index=False",
            name=name,
        )
        found.warnings.append(notice("INDEX_COLUMN", detail, column=name))
    found.batches = (_as_words(batch, categories) for batch in _batches(what, start))
    return found


def _pandas(schema: Any) -> dict[str, Any]:
    """The description that pandas wrote of its table, if it wrote the file and the description can be read."""
    try:
        found = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
        columns = found.get("columns", ()) if isinstance(found, dict) else (None,)
        if not all(isinstance(column, dict) and "field_name" in column for column in columns):
            return {}
    except (ValueError, TypeError, RecursionError):
        return {}
    return found if isinstance(found.get("index_columns", []), list) else {}


def _as_words(batch: pl.DataFrame, categories: set[str]) -> pl.DataFrame:
    """Categories of whole numbers are codes: words, as categories of words are."""
    columns = []
    for column in batch.iter_columns():
        if column.name in categories and column.dtype.is_numeric():
            if column.dtype.is_float() and ((column == column.round(0)) | column.is_nan()).fill_null(True).all():
                column = column.cast(pl.Int64, strict=False)
            column = column.cast(pl.String)
        columns.append(column)
    return pl.DataFrame(columns)


def _opened(what: str, action: Callable[[], Any]) -> Any:
    try:
        return action()
    except (arrow().ArrowException, OSError, ValueError, TypeError, KeyError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0][:200]
        raise UnreadableFile(f"the {what} file is broken or cut off ({reason}); write it again") from None


def _batches(what: str, start: Callable[[], Iterator[Any]]) -> Iterator[pl.DataFrame]:
    stream = _opened(what, lambda: iter(start()))
    place = 0
    while True:
        batch = _opened(f"{what} file's batch {place} is broken: the" if place else what, lambda: next(stream, None))
        if batch is None:
            return
        yield from batches_of(_opened(what, partial(_frame, batch)))
        place += 1


def _frame(batch: Any) -> pl.DataFrame:
    batch.validate(full=True)  # offsets that lie would lead Polars out of the buffer
    names = batch.schema.names
    twice = (
        next((name for place, name in enumerate(names) if name in names[:place]), None)
        if len(set(names)) < len(names)
        else None
    )
    if twice is not None:
        raise UnreadableFile(f"the file names column '{twice}' twice; give every column a name of its own")
    try:
        found = pl.from_arrow(batch, rechunk=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise UnreadableFile(f"a column is of a type that is not read here ({str(error)[:200]}); leave it out") from None
    assert isinstance(found, pl.DataFrame)
    return found
