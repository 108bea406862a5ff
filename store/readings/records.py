"""The cells of records read exactly as those of the file were that a model was trained on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from unicodedata import normalize

import polars as pl

from engine.tables.features import BOOLEANS, Features, Input, word
from engine.training.predict import Unread, Word
from store.readings.column import BOOLEAN, NUMBER, TIMED, ColumnReading, numbers_in
from store.readings.stored import Readings

Record = Mapping[str, Any]
DAYS = ("%Y-%m-%d",)
MOMENTS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%#z")
"""Dates and moments as ISO 8601 has them."""
NO, YES = ([text for text, meaning in BOOLEANS.items() if meaning is wanted] for wanted in (False, True))


def read_records(readings: Readings, features: Features, records: Sequence[Record]) -> Sequence[Record]:
    """The records with each cell of a column that the model reads as the file's was: numbers, true and false, words, None
    for a gap, and what cannot be read so as Unread. A number is taken as it is, unless it stands for nothing.
    """
    if readings.bare:
        records = _named({*readings.columns, *(entry.name for entry in features.inputs)}, records)
    read = {}
    for entry in features.inputs:
        reading = readings.columns.get(entry.name)
        if reading is not None and not entry.shape and (readings.bare or reading.kind != "words"):
            cells = _read([record.get(entry.name) for record in records], entry, reading, readings.markers(reading))
            if cells is not None:
                read[entry.name] = cells
    if not read:
        return records
    return [
        {**record, **{name: cells[row] for name, cells in read.items() if name in record}} for row, record in enumerate(records)
    ]


def _named(known: set[str], records: Sequence[Record]) -> Sequence[Record]:
    """The records with the names of known columns as the file's were read: without spaces around, in normal form C."""
    others = {name for record in records for name in record.keys() - known}
    names = {name: bare for name in others if (bare := normalize("NFC", name).strip()) in known}
    if not names:
        return records
    return [
        {names[name] if name in names and names[name] not in record else name: cell for name, cell in record.items()}
        for record in records
    ]


def _read(cells: list[Any], entry: Input, reading: ColumnReading, markers: Sequence[str]) -> list[Any] | None:
    """The cells (n,) of a column; None where none of them changes."""
    types = set(map(type, cells))
    meant = {} if types.isdisjoint((int, float)) else _numbers(reading, markers)
    if str not in types and not meant:
        return None
    if meant:
        cells = [meant.get(cell, cell) if type(cell) in (int, float) else cell for cell in cells]
    places = [place for place, cell in enumerate(cells) if type(cell) is str] if str in types else []
    if places:
        texts = pl.Series(entry.name, [cells[place] for place in places], pl.String)
        values = _values(texts, _as_trained(reading, entry), markers, entry)
        for place, value in zip(places, values, strict=True):
            cells[place] = value
    return cells


def _numbers(reading: ColumnReading, markers: Sequence[str]) -> dict[float, bool | None]:
    """The numbers that stand for something else in a column: for nothing, or for false and true."""
    found: dict[float, bool | None] = {}
    for text, meaning in zip(reading.words or (), (False, True), strict=False):
        found |= dict.fromkeys(numbers_in((text,)), meaning)
    return found | dict.fromkeys(numbers_in(tuple(markers)))


def _as_trained(reading: ColumnReading, entry: Input) -> ColumnReading:
    """The reading of a column that may have been corrected to another kind since it was read: words as numbers."""
    if reading.kind == "words":
        return {"numeric": NUMBER, "integer": NUMBER, "boolean": BOOLEAN}.get(entry.kind, reading)
    return reading


def _values(texts: pl.Series, reading: ColumnReading, markers: Sequence[str], entry: Input) -> list[Any]:
    """The values of a column's texts (n,)."""
    is_word = entry.kind in ("categorical", "text")
    values, unread = _finite(*reading.apply(texts, markers))
    found = values.to_list()
    for way in _ways(reading, entry) if unread.any() else ():
        places = unread.arg_true()
        again, still = _finite(*way.apply(texts.gather(places), markers))
        for place, value in zip(places, again, strict=True):
            found[place] = value
        unread = unread.scatter(places, still)
        if not unread.any():
            break
    if is_word:
        found = [value if value is None else Word(word(value)) for value in found]
    for place in unread.arg_true():
        found[place] = Unread(texts[place], written(reading))
    return found


def _finite(values: pl.Series, unread: pl.Series) -> tuple[pl.Series, pl.Series]:
    if values.dtype.is_float():
        unread |= ~values.is_finite().fill_null(True)
    return values, unread


def _ways(reading: ColumnReading, entry: Input) -> Iterator[ColumnReading]:
    """Other ways to write a cell of that column, which no cell of the file can be mistaken for."""
    if reading.kind == "integer":
        yield replace(reading, kind="number")
    if reading.unit is not None:
        yield replace(reading, kind="number", unit=None)
    if reading.kind == "date":
        form = reading.format or ""
        is_timed = any(mark in form for mark in TIMED)
        forms = () if form.startswith("%Y-%d") else (*DAYS, *MOMENTS) if reading.days else MOMENTS if is_timed else DAYS
        for iso in forms:
            yield replace(reading, format=iso)
    if reading.kind == "boolean" or entry.kind == "boolean":
        for words in zip(NO, YES, strict=True):
            yield replace(BOOLEAN, words=words)


def written(reading: ColumnReading) -> str:
    """How the cells of such a column are written."""
    return WRITTEN[reading.kind](reading)


def _number_written(reading: ColumnReading) -> str:
    marks = f"decimal '{reading.decimal}'"
    if reading.thousands:
        marks += f" and thousands '{reading.thousands}'"
    unit = f" and unit '{reading.unit}'" if reading.unit else ""
    return f"a finite number written with {marks}{unit}"


def _boolean_written(reading: ColumnReading) -> str:
    no, yes = reading.words or ("false", "true")
    return f"yes or no written as '{yes}' or '{no}'"


def _date_written(reading: ColumnReading) -> str:
    return f"a date written as {reading.format} or as in 2024-12-31"


WRITTEN: dict[str, Callable[[ColumnReading], str]] = {
    "integer": _number_written,
    "number": _number_written,
    "boolean": _boolean_written,
    "date": _date_written,
    "words": lambda reading: "a word",
}
