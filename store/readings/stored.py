"""How a file's columns were read, as its dataset and the models trained on it keep it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import polars as pl

from store.readings.column import BOOLEAN, INTEGER, NUMBER, WORDS, ColumnReading


@dataclass(frozen=True)
class Readings:
    """The reading of each column that held text, by name, and the cells that stand for nothing: in any column, and in those
    of numbers, dates and yes and no besides.

    `bare` says that words were stored without the spaces around them, and in Unicode's normal form C.
    """

    columns: Mapping[str, ColumnReading]
    missing: tuple[str, ...] = ()
    missing_in_numbers: tuple[str, ...] = ()
    bare: bool = True

    @cached_property
    def document(self) -> dict[str, Any]:
        """The readings as JSON."""
        return {
            "missing": list(self.missing),
            "missing_in_numbers": list(self.missing_in_numbers),
            "columns": {name: reading.document for name, reading in self.columns.items()},
            "bare": self.bare,
        }

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "Readings":
        """The readings that were stored as JSON."""
        columns = {name: ColumnReading.of_document(reading) for name, reading in document["columns"].items()}
        return cls(columns, tuple(document["missing"]), tuple(document["missing_in_numbers"]), document["bare"])

    def markers(self, reading: ColumnReading) -> tuple[str, ...]:
        """The markers of the file for a column of that reading; what the reading says of markers itself comes on top."""
        return self.missing if reading.kind == "words" else (*self.missing, *self.missing_in_numbers)


def readings_of(source: Mapping[str, Any], dtypes: Mapping[str, Any], names: Iterable[str]) -> Readings | None:
    """How the named columns of a dataset were read, from what is stored of its `source` and the `dtypes` of its table; None
    where its cells were never text. A column that the source does not list is plain.
    """
    texts = [read for read in _reads(source) if "missing" in read]
    if not texts:
        return None
    told = listed(source)
    integer = _integer(source, told, dtypes)
    found = {}
    for name in names:
        reading = told.get(name) or _plain(dtypes[name], integer)
        if reading is not None:
            found[name] = reading
    missing, further = (
        tuple(dict.fromkeys(word for read in texts for word in read.get(key, ()))) for key in ("missing", "missing_in_numbers")
    )
    return Readings(found, missing, further, bare=all("missing_in_numbers" in read for read in texts))


def listed(source: Mapping[str, Any]) -> dict[str, ColumnReading]:
    """The readings of the columns of a dataset that are not plain, by name."""
    entries = {name: entry for read in _reads(source) for name, entry in read.get("columns", {}).items()}
    return {name: ColumnReading.of_document(entry) for name, entry in entries.items()}


def indexes(source: Mapping[str, Any]) -> set[str]:
    """The columns that number or name the rows, as a library that wrote the file does."""
    return {read["index"] for read in _reads(source) if read.get("index")}


def _reads(source: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """How each file of the dataset was read."""
    return [file["read"] for file in (source, *source.get("files", ())) if "read" in file]


def _plain(dtype: Any, integer: ColumnReading) -> ColumnReading | None:
    """The reading of a column that was read as it stands; None of arrays."""
    if dtype == pl.Boolean:
        return BOOLEAN
    if dtype == pl.String:
        return WORDS
    if dtype.is_integer():
        return integer
    return NUMBER if dtype.is_numeric() or dtype == pl.Null else None


def _integer(source: Mapping[str, Any], told: Mapping[str, ColumnReading], dtypes: Mapping[str, Any]) -> ColumnReading:
    """How plain whole numbers are read: with the marks that the file's other numbers have, where these agree."""
    given = source.get("given", {})
    numbers = [reading for reading in told.values() if reading.kind == "number" or reading.thousands]
    decimals = {reading.decimal for reading in numbers}
    decimals |= {"." for name, dtype in dtypes.items() if name not in told and dtype.is_float()}
    groups = {reading.thousands for reading in numbers} - {None}
    decimal = given.get("decimal") or (decimals.pop() if len(decimals) == 1 else ".")
    thousands = given.get("thousands") or (groups.pop() if len(groups) == 1 else None)
    return replace(INTEGER, decimal=decimal, thousands=None if thousands in ("none", decimal) else thousands)
