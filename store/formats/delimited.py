"""Delimited text: each column read in the one way that fits all its cells, a stretch of rows at a time."""

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from store.formats.cells import NUMBERS, TEXT, Reading, readings
from store.formats.dialect import Dialect, dialect_of
from store.formats.options import ReadOptions
from store.formats.parsing import Misfit, Parser, rows_of
from store.formats.reading import Found, Source
from store.formats.stretches import blocks_of
from store.formats.text import Text, as_utf8


def read_csv(source: Source) -> Found:
    """Delimited text: delimiter, header and encoding are found out, every row must have as many cells as the first."""
    return _read(source, source.options.delimiter)


def read_tsv(source: Source) -> Found:
    return _read(source, source.options.delimiter or "\t")


def _read(source: Source, delimiter: str | None) -> Found:
    text = as_utf8(source.path, source.folder, source.options.encoding)
    dialect, rows, line = dialect_of(text, source.options, delimiter)
    return table_of(rows, dialect, source.options, line)


def table_of(text: Text, dialect: Dialect, options: ReadOptions, line: int) -> Found:
    """The rows of a text that begins in that line, below any header."""
    ways = readings(options, dialect.delimiter)
    found = Found(batches=iter(()), read={}, warnings=[])
    found.batches = _batches(text, dialect, ways, line, found)
    found.read = {
        "encoding": text.encoding,
        "delimiter": dialect.delimiter,
        "quote": dialect.quote,
        "header": dialect.has_header,
        "missing": list(dialect.markers),
        "columns": {},
    }
    return found


def _batches(text: Text, dialect: Dialect, ways: list[Reading], line: int, found: Found) -> Iterator[pl.DataFrame]:
    """Every row, each column read in the one way that fits all of it. What the first rows suggest is tried first; where
    a later row does not fit, all rows are looked at, and the batches begin anew.
    """
    chosen: list[Reading] = []
    for look in (_first_look, _whole_look, _careful_look):
        chosen = look(text, dialect, ways, line, chosen)
        found.restart()
        try:
            parser = Parser(dialect, [way.dtype for way in chosen])
            for block in blocks_of(text, dialect, line):
                yield _typed(parser.parse(block), chosen, dialect)
        except Misfit:
            continue
        _report(found, text, dialect, ways, chosen, line)
        return
    raise AssertionError("a column of text always fits")


def _first_look(text: Text, dialect: Dialect, ways: list[Reading], line: int, _: list[Reading]) -> list[Reading]:
    """What fits the first rows."""
    block = next(blocks_of(text, dialect, line), None)
    if block is None:
        return [TEXT] * dialect.width
    table = rows_of(block, dialect, [pl.String] * dialect.width)
    return [TEXT if cells.name in dialect.texts else _way_of(cells, ways, dialect) for cells in table.iter_columns()]


def _way_of(cells: pl.Series, ways: list[Reading], dialect: Dialect) -> Reading:
    """The first way that fits. Whether these are plain numbers is asked first: it is quickly answered."""
    if tuple(ways[: len(NUMBERS)]) == NUMBERS:
        for way in NUMBERS:
            if way.convert(cells).null_count() == cells.null_count():
                return way
    return next(way for way in ways if _fits(way, cells, dialect))


def _whole_look(text: Text, dialect: Dialect, ways: list[Reading], line: int, first: list[Reading]) -> list[Reading]:
    """What fits all rows: of the ways that the first rows left open, plain numbers first, the others where those fail."""
    left = [ways[ways.index(way) :] for way in first]
    for wanted in (NUMBERS, ways):
        if wanted is ways and all(still[0] in NUMBERS or len(still) == 1 for still in left):
            break
        for block in blocks_of(text, dialect, line):
            table = rows_of(block, dialect, [pl.String] * dialect.width)
            left = [
                [way for way in still if (way in NUMBERS) != (wanted is NUMBERS) or _fits(way, cells, dialect)]
                if wanted is NUMBERS or still[0] not in NUMBERS
                else still
                for still, cells in zip(left, table.iter_columns(), strict=True)
            ]
    return [still[0] for still in left]


def _careful_look(text: Text, dialect: Dialect, ways: list[Reading], line: int, whole: list[Reading]) -> list[Reading]:
    """The same, with nothing parsed as a number that Polars' parser may see otherwise than its cast."""
    return [replace(way, dtype=pl.String) for way in whole]


def _fits(way: Reading, cells: pl.Series, dialect: Dialect) -> bool:
    return way is TEXT or way.apply(cells, dialect.markers) is not None


def _typed(table: pl.DataFrame, chosen: list[Reading], dialect: Dialect) -> pl.DataFrame:
    if pl.String not in table.dtypes:
        return table
    columns = []
    for way, cells in zip(chosen, table.iter_columns(), strict=True):
        values = way.apply(cells, dialect.markers) if cells.dtype == pl.String else cells
        if values is None:
            raise Misfit
        columns.append(values)
    return pl.DataFrame(columns)


def _report(found: Found, text: Text, dialect: Dialect, ways: list[Reading], chosen: list[Reading], line: int) -> None:
    """Name what is not read as it stands, and warn where the first rows could as well be read in another way."""
    named = {name: way for name, way in zip(dialect.names, chosen, strict=True) if way.report}
    found.read["columns"] = {name: way.report for name, way in named.items()}
    if not any(way.ambiguous for way in named.values()):
        return
    sample = rows_of(next(blocks_of(text, dialect, line)), dialect, [pl.String] * dialect.width)
    for name, way in named.items():
        rivals = [other for other in ways if other.ambiguous == way.ambiguous and other.notation != way.notation]
        if way.ambiguous and any(_fits(rival, sample[name], dialect) for rival in rivals):
            detail = f"column '{name}' was read as {way.report}; if that is wrong, upload it again with '{way.ambiguous}' set"
            found.warnings.append({"code": "READ_AS", "column": name, "detail": detail})
