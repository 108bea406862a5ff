"""A stored file read anew, all of it or the text of some columns: what store/reader.py does with a request to correct."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from store.described import Correction, Described, corrected
from store.errors import UnreadableFile
from store.findings import OF_TABLE, warnings_of
from store.formats.assembly import map_table, written

REMEDY = "send `read` too, and all of the file is read anew"
"""Remedy if a column alone cannot be taken from the file."""


def with_texts(
    current: Mapping[str, Any], reread: pl.DataFrame, source: Mapping[str, Any], path: Path, corrections: Sequence[Correction]
) -> dict[str, Any]:
    """The parts of a dataset when some columns of its `current` table hold the cells of the file as `reread`, whose
    reading is `source`; the table is written to the path. Raises UnreadableFile where the two do not agree.
    """
    table = map_table(Path(current["table"]))
    if table.height != reread.height:
        detail = f"the file is read as {reread.height} rows now, and the dataset has {table.height}; {REMEDY}"
        raise UnreadableFile(detail, "/columns")
    found = {name: _place_of(name, reread.columns) for name in current["texts"]}
    taken = {name: reread.to_series(place).alias(name) for name, place in found.items()}
    table = written(table.with_columns(*taken.values()), path)
    told = _with_readings(current["source"], source, {name: reread.columns[place] for name, place in found.items()})
    columns, _ = corrected(current["columns"], table, corrections, told)
    kept = [
        warning for warning in current["warnings"] if warning["code"] not in OF_TABLE and warning.get("column") not in taken
    ]
    return {"source": told, "rows": table.height, "columns": columns, "warnings": kept + warnings_of(columns, table, kept)}


def _place_of(name: str, names: Sequence[str]) -> int:
    """The index of a column in the file, which may have been read with the spaces around its name before."""
    for wanted in (name, name.strip()):
        if wanted in names:
            return names.index(wanted)
    raise UnreadableFile(f"the file is read without a column '{name}' now; {REMEDY}", "/columns")


def _with_readings(before: Mapping[str, Any], after: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The source with the readings of the named columns as they are in `after`, there by the names given."""
    changed = dict(before)
    if "files" in before:
        pairs = zip(before["files"], after["files"], strict=True)
        changed["files"] = [_with_readings(file, again, names) for file, again in pairs]
    if "read" in before:
        columns = {name: entry for name, entry in before["read"].get("columns", {}).items() if name not in names}
        again = after["read"].get("columns", {})
        columns |= {name: again[there] for name, there in names.items() if there in again}
        changed["read"] = {**before["read"], "columns": columns}
    return changed


def whole(
    table: pl.DataFrame, source: Mapping[str, Any], columns: Described, warnings: Described, corrections: Sequence[Correction]
) -> dict[str, Any]:
    """The parts of a dataset that was read whole, with the corrections that came with the file or before."""
    columns, left_out = corrected(columns, table, corrections, source)
    told = [*warnings, *left_out, *warnings_of(columns, table, warnings)]
    return {"source": source, "rows": table.height, "columns": columns, "warnings": told}
