"""The one form inside: an Arrow file that is written as rows come, and mapped."""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from store.formats import assembly
from store.formats.assembly import assemble, let_go, map_table
from store.formats.reading import Found

N = None
BATCHES: dict[str, tuple[list[list[Any]], Any]] = {
    # what it is: (a column's cells in batches, the type it is stored in)
    "bytes": ([[1, 2], [255, 0]], pl.UInt8),
    "wider later": ([[1, 2], [3, 4], [-1, 300], [5, 6]], pl.Int16),
    "wider at first": ([[70_000], [1], [2]], pl.Int32),
    "fractions later": ([[1, 2], [2**40, 0], [0.5, 1]], pl.Float64),
    "gaps, then numbers": ([[N, N], [N, 7], [8, N]], pl.UInt8),
    "gaps alone": ([[N], [N]], pl.Float64),
    "arrays, wider later": ([[[1, 2]], [[3, 400]], [N, [5, 6]]], pl.Array(pl.Int16, (2,))),
    "words, then gaps": ([["a", N], [N, N]], pl.String),
}


def rss(path: Path) -> int:
    """KiB of the mapped file that count as this process's."""
    lines = iter(Path("/proc/self/smaps").read_text().splitlines())
    return sum(int(next(line for line in lines if line.startswith("Rss:")).split()[1]) for line in lines if str(path) in line)


@pytest.mark.parametrize("held", [0, 1 << 20])
@pytest.mark.parametrize("case", BATCHES)
def test_batches_of_several_types_are_one_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, held: int) -> None:
    monkeypatch.setattr(assembly, "HELD_BYTES", held)
    monkeypatch.setattr(assembly, "COLUMN_BYTES", 0)
    batches, dtype = BATCHES[case]
    table = assemble(Found((pl.DataFrame({"x": cells}) for cells in batches), {}), tmp_path / "table.arrow")
    assert table["x"].to_list() == [cell for cells in batches for cell in cells]
    assert table["x"].dtype == dtype
    assert [path.name for path in tmp_path.iterdir()] == ["table.arrow"]


@pytest.mark.parametrize("held", [0, 1 << 20])
def test_a_reader_that_begins_anew_leaves_nothing_of_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    monkeypatch.setattr(assembly, "HELD_BYTES", held)
    monkeypatch.setattr(assembly, "COLUMN_BYTES", 0)
    found = Found(iter(()), {})

    def batches() -> Iterator[pl.DataFrame]:
        yield pl.DataFrame({"x": [1, 2]})
        yield pl.DataFrame({"x": [0.5]})
        found.restart()
        yield pl.DataFrame({"x": ["1", "2"]})
        yield pl.DataFrame({"x": ["0.5"]})

    found.batches = batches()
    assert assemble(found, tmp_path / "table.arrow")["x"].to_list() == ["1", "2", "0.5"]
    assert [path.name for path in tmp_path.iterdir()] == ["table.arrow"]


def test_pages_of_a_mapped_table_are_let_go_and_come_back(tmp_path: Path) -> None:
    path, cells = tmp_path / "table.arrow", np.arange(500_000.0)
    table = assemble(Found(iter([pl.DataFrame({"x": cells, "y": -cells})]), {}), path)
    total = table["x"].sum()
    assert rss(path) > 3900  # a column of 4,000,000 bytes
    let_go()
    assert rss(path) == 0
    assert table["x"].sum() == total
    assert table["y"][499_999] == -499_999
    before = len(assembly._MAPPINGS)
    del table
    gc.collect()
    assert len(assembly._MAPPINGS) == before - 1
    assert map_table(path)["y"][1] == -1
