"""How tests read a file as an upload would be."""

import tempfile
from pathlib import Path
from typing import Any

import polars as pl

from store.formats import read_files
from store.readings.options import ReadOptions

LIMIT = 1 << 28


def read_all(
    folder: Path, files: dict[str, str | bytes], given: str | None = None, **options: Any
) -> tuple[dict[str, Any], pl.DataFrame, list[dict[str, Any]]]:
    """How the files were read, their table, and what is worth a look."""
    place = Path(tempfile.mkdtemp(dir=folder))
    paths = []
    for number, (name, content) in enumerate(files.items()):
        path = place / f"file-{number}"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        paths.append((path, name))
    return read_files(paths, given, ReadOptions.of(options), place / "table.arrow", LIMIT)


def read(folder: Path, content: str | bytes, name: str = "table.csv", given: str | None = None, **options: Any) -> pl.DataFrame:
    """The table of one file."""
    return read_all(folder, {name: content}, given, **options)[1]
