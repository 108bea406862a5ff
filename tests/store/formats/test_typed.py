"""What files with types of their own say of their columns: categories, indices, numbers of 64 bits and more; JSON's values."""

import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from store.errors import UnreadableFile
from store.formats import documents
from tests.store.formats import read, read_all

PANDAS = {
    "index_columns": ["__index_level_0__"],
    "columns": [
        {"name": "rooms", "field_name": "rooms", "pandas_type": "categorical", "numpy_type": "int8"},
        {"name": None, "field_name": "__index_level_0__", "pandas_type": "int64", "numpy_type": "int64"},
    ],
}
BY_PANDAS = pa.table({"rooms": [3, 1, 3], "y": [1.5, 2.5, 3.5], "__index_level_0__": [7, 8, 9]}).replace_schema_metadata(
    {"pandas": json.dumps(PANDAS)}
)


def parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pa.parquet.write_table(table, out, row_group_size=1)
    return out.getvalue()


def feather(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pyarrow.feather.write_feather(table, out)
    return out.getvalue()


@pytest.mark.parametrize("write", [parquet, feather])
def test_pandas_categories_are_words_and_its_index_is_told(tmp_path: Path, write: Any) -> None:
    source, table, warnings = read_all(tmp_path, {"t": write(BY_PANDAS)}, None)
    assert table["rooms"].to_list() == ["3", "1", "3"]
    assert source["read"]["index"] == "__index_level_0__"
    assert [(found["code"], found["column"]) for found in warnings] == [("INDEX_COLUMN", "__index_level_0__")]


@pytest.mark.parametrize("write", [parquet, feather])
def test_dictionaries_are_words(tmp_path: Path, write: Any) -> None:
    cells: dict[str, list[Any]] = {"n": [30, 10, None, 30], "w": ["a", "b", "a", None], "f": [1.0, 2.0, None, 1.0]}
    table = pa.table({name: pa.array(column).dictionary_encode() for name, column in cells.items()})
    found = read(tmp_path, write(table), "t")
    assert found.to_dict(as_series=False) == cells | {"n": ["30", "10", None, "30"], "f": ["1", "2", None, "1"]}


IDS = [12345678901234567890, 12345678901234567891, 5]


@pytest.mark.parametrize("write", [parquet, feather])
def test_whole_numbers_are_exact_or_words(tmp_path: Path, write: Any) -> None:
    long, short = ([Decimal(number) for number in numbers] for numbers in (IDS, [2**53 + 1, 7, 8]))
    table = pa.table(
        {
            "u": pa.array(IDS, pa.uint64()),
            "d": pa.array(long, pa.decimal128(38, 0)),
            "s": pa.array(short, pa.decimal128(38, 0)),
            "f": pa.array([Decimal("1.25")] * 3),
        }
    )
    _, found, warnings = read_all(tmp_path, {"t": write(table)}, None)
    assert found["u"].to_list() == found["d"].to_list() == list(map(str, IDS))
    assert found["s"].to_list() == [2**53 + 1, 7, 8]
    assert found["f"].to_list() == [1.25] * 3
    assert [(told["code"], told["column"]) for told in warnings] == [("LARGE_NUMBERS", "d"), ("LARGE_NUMBERS", "u")]


@pytest.mark.parametrize("stretch", [12, 1 << 20])
@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_long_numbers_of_json_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, stretch: int) -> None:
    monkeypatch.setattr(documents, "STRETCH_BYTES", stretch)
    rows = [{"id": 5}, *({"id": number} for number in IDS), {"id": None}]
    text = json.dumps(rows) if form == "json" else "\n".join(map(json.dumps, rows))
    _, found, warnings = read_all(tmp_path, {f"t.{form}": text})
    assert found["id"].to_list() == ["5", *map(str, IDS), None]
    assert [told["code"] for told in warnings] == ["LARGE_NUMBERS"]
    rows = [{"id": 2**53 + 1}, {"id": 2**53 + 3}]
    text = json.dumps(rows) if form == "json" else "\n".join(map(json.dumps, rows))
    assert read(tmp_path, text, f"t.{form}").to_dicts() == rows


def test_json_lines_in_a_json_file(tmp_path: Path) -> None:
    source, found, _ = read_all(tmp_path, {"t.json": '{"a": 1, "b": "}\\n{"}\n\n{"a": 2, "b": "x"}\n'})
    assert found.rows() == [(1, "}\n{"), (2, "x")]
    assert source["read"]["lines"] is True
    assert read(tmp_path, '{"a": [1, 2],\n "b": [3, 4]}', "t.json").rows() == [(1, 3), (2, 4)]


TOLD: dict[str, tuple[list[dict[str, Any]], list[Any], str]] = {
    # what it is: (rows, what is read, what is said)
    "a number and a word": ([{"a": 1}, {"a": "x"}], ["1", "x"], "a number in row 0 and a word in row 1"),
    "a boolean and a word": ([{"a": "x"}, {"a": True}], ["x", "true"], "a word in row 0 and a boolean in row 1"),
}


@pytest.mark.parametrize("case", TOLD)
def test_values_of_several_types_are_told(tmp_path: Path, case: str) -> None:
    rows, cells, said = TOLD[case]
    _, found, warnings = read_all(tmp_path, {"t.json": json.dumps(rows)})
    assert found["a"].to_list() == cells
    assert [told["code"] for told in warnings] == ["MIXED_TYPES"]
    assert said in warnings[0]["detail"]


def test_what_stands_in_words_is_no_value(tmp_path: Path) -> None:
    rows = [{"a": 'NaN: true, "null": 1', "b": True, "c": None}, {"a": "x\\", "b": None, "c": 1.5}]
    _, found, warnings = read_all(tmp_path, {"t.json": json.dumps(rows)})
    assert (found.to_dicts(), warnings) == (rows, [])


REFUSED: dict[str, tuple[str, str]] = {
    "NaN": ('[{"a": 1},\n {"a": NaN}]', "line 2, column 8 holds NaN, which is no JSON; write null"),
    "Infinity": ('[{"a": "NaN"}, {"a": -Infinity}]', "line 1, column 22 holds -Infinity, which is no JSON"),
    "a number beyond all": ('[{"a": 1e400}]', "holds 1e400, which is beyond all numbers"),
    "a number of many digits": ('[{"a": 1' + "0" * 60 + "}]", "has more digits than are read here"),
    "an object and a number": ('[{"a": {"b": 1}}, {"a": 1}]', "column 'a' holds an object in row 0 and a number in row 1"),
    "objects": ('[{"a": {"b": 1, "c": 2}}]', r"column 'a' holds objects \(a.b, a.c\)"),
    "a name twice": ('[{"a": 1, "b": 2}, {"a": 1, "b": 3, "a": 2}]', "row 1 names 'a' twice"),
}


@pytest.mark.parametrize("form", ["json", "jsonl"])
@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_table_is_refused_with_its_place(tmp_path: Path, form: str, case: str) -> None:
    text, said = REFUSED[case]
    if form == "jsonl":
        text = text.strip("[]").replace("}, {", "},\n{").replace("},\n", "}\n")
        said = said.partition(" holds ")[2] if said.startswith("line") else said.partition(" an object in")[0]
    with pytest.raises(UnreadableFile, match=said):
        read(tmp_path, text, f"t.{form}")


def test_arrays_of_long_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="arrays of whole numbers beyond 64 bits"):
        read(tmp_path, parquet(pl.DataFrame({"v": [[2**64 - 1, 1]]}, schema={"v": pl.List(pl.UInt64)}).to_arrow()), "t")
