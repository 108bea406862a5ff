"""How words in cells are read: found out, forced, and told."""

from pathlib import Path
from typing import Any

import pytest

from tests.store.formats import read_all

N = None
CASES: dict[str, tuple[str, dict[str, Any], list[tuple[Any, ...]], dict[str, Any] | None]] = {
    # what it is: (the file, the options, the rows, how column a is said to have been read)
    "yes and no": (
        "a,b\nyes,1\nno,2\nYes,3\n",
        {},
        [(True, 1), (False, 2), (True, 3)],
        {"kind": "boolean", "words": ["no", "Yes"]},
    ),
    "yes, no and perhaps": ("a,b\nyes,1\nno,2\nperhaps,3\n", {}, [("yes", 1), ("no", 2), ("perhaps", 3)], None),
    "yes and true": ("a,b\nyes,1\ntrue,2\n", {}, [("yes", 1), ("true", 2)], None),
    "yes and no kept": ("a,b\nyes,1\nno,2\n", {"booleans": "keep"}, [("yes", 1), ("no", 2)], None),
    "ja and nein": (
        "a,b\nja,1\nnein,2\n",
        {"booleans": "ja/nein"},
        [(True, 1), (False, 2)],
        {"kind": "boolean", "words": ["nein", "ja"]},
    ),
    "ones and noughts": ("a,b\n1,x\n0,y\n", {}, [(1, "x"), (0, "y")], None),
    "ones and noughts forced": (
        "a,b\n1,7\n0,8\n",
        {"booleans": "1/0"},
        [(True, 7), (False, 8)],
        {"kind": "boolean", "words": ["0", "1"]},
    ),
    "decimal commas": (
        "a;b\n1,5;x\n-2;y\n",
        {},
        [(1.5, "x"), (-2.0, "y")],
        {"kind": "number", "decimal": ",", "thousands": "."},
    ),
    "decimal commas and points": (
        "a;b\n1.234,5;x\n2,25;y\n",
        {},
        [(1234.5, "x"), (2.25, "y")],
        {"kind": "number", "decimal": ",", "thousands": "."},
    ),
    "decimal commas and spaces": (
        "a;b\n1 234,5;x\n2,25;y\n",
        {},
        [(1234.5, "x"), (2.25, "y")],
        {"kind": "number", "decimal": ",", "thousands": " "},
    ),
    "thousands": (
        'a,b\n"1,234",x\n56,y\n',
        {},
        [(1234, "x"), (56, "y")],
        {"kind": "integer", "decimal": ".", "thousands": ","},
    ),
    "thousands and fractions": (
        'a,b\n"1,234.5",x\n56,y\n',
        {},
        [(1234.5, "x"), (56, "y")],
        {"kind": "number", "decimal": ".", "thousands": ","},
    ),
    "Swiss thousands": (
        "a,b\n1'234.5,x\n7,y\n",
        {},
        [(1234.5, "x"), (7.0, "y")],
        {"kind": "number", "decimal": ".", "thousands": "'"},
    ),
    "thousands with points forced": (
        "a;b\n1.234;x\n5.678;y\n",
        {"thousands": "."},
        [(1234, "x"), (5678, "y")],
        {"kind": "integer", "decimal": ",", "thousands": "."},
    ),
    "no thousands forced": ('a,b\n"1,234",x\n', {"decimal": ".", "thousands": "none"}, [("1,234", "x")], None),
    "dates": (
        "a,b\n2024-02-29,1\n2023-12-31,2\n",
        {},
        [("2024-02-29", 1), ("2023-12-31", 2)],
        {"kind": "date", "format": "%Y-%m-%d"},
    ),
    "German dates": ("a,b\n29.02.2024,1\n,2\n", {}, [("2024-02-29", 1), (N, 2)], {"kind": "date", "format": "%d.%m.%Y"}),
    "British dates": (
        "a,b\n29/02/2024,1\n1/3/2024,2\n",
        {},
        [("2024-02-29", 1), ("2024-03-01", 2)],
        {"kind": "date", "format": "%d/%m/%Y"},
    ),
    "American dates": (
        "a,b\n02/29/2024,1\n1/3/2024,2\n",
        {},
        [("2024-02-29", 1), ("2024-01-03", 2)],
        {"kind": "date", "format": "%m/%d/%Y"},
    ),
    "times": ("a,b\n2024-02-29 10:30,1\n", {}, [("2024-02-29 10:30", 1)], {"kind": "date", "format": "%Y-%m-%d %H:%M"}),
    "dates in days": (
        "a,b\n1970-01-02,1\n1969-12-31,2\n",
        {"dates": "days"},
        [(1, 1), (-1, 2)],
        {"kind": "date", "format": "%Y-%m-%d", "days": True},
    ),
    "times in days": (
        "a,b\n1970-01-02T12:00:00,1\n",
        {"dates": "days"},
        [(1.5, 1)],
        {"kind": "date", "format": "%Y-%m-%dT%H:%M:%S", "days": True},
    ),
    "dates kept": ("a,b\n29.02.2024,1\n", {"dates": "keep"}, [("29.02.2024", 1)], None),
    "dates of a pattern": (
        "a,b\n29 Feb 2024,1\n",
        {"date_format": "%d %b %Y"},
        [("2024-02-29", 1)],
        {"kind": "date", "format": "%d %b %Y"},
    ),
    "missing markers": ("a,b\n-,1\n-999,2\nNA,3\n", {"missing": "-,-999"}, [(N, 1), (N, 2), ("NA", 3)], None),
    "another delimiter": ("a:b\n1:2\n", {"delimiter": ":"}, [(1, 2)], None),
    "another quote": ("a,b\n'x,y',2\n", {"quote": "'"}, [("x,y", 2)], None),
    "no quote": ('a,b\n"x,2\n', {"quote": "none"}, [('"x', 2)], None),
    "no header": ("a,b\nc,d\n", {"header": False}, [("a", "b"), ("c", "d")], None),
    "a header of numbers": ("1,2\n3,4\n", {"header": True}, [(3, 4)], None),
}


@pytest.mark.parametrize("case", CASES)
def test_cells_mean(tmp_path: Path, case: str) -> None:
    content, options, rows, report = CASES[case]
    source, table, warnings = read_all(tmp_path, {"t.csv": content}, **options)
    assert table.rows() == rows
    assert source["read"]["columns"].get(table.columns[0]) == report
    assert warnings == []


@pytest.mark.parametrize(
    ("content", "option"),
    [("a,b\n01/02/2024,1\n03/04/2024,2\n", "date_format"), ("a;b\n1,234;x\n5,678;y\n", "decimal")],
)
def test_what_could_be_read_in_two_ways_is_said(tmp_path: Path, content: str, option: str) -> None:
    warnings = read_all(tmp_path, {"t.csv": content})[2]
    assert [(warning["code"], warning["column"]) for warning in warnings] == [("READ_AS", "a")]
    assert f"'{option}'" in warnings[0]["detail"]


@pytest.mark.parametrize(
    ("encoding", "word", "found"),
    [
        ("utf-8", "né", "utf-8"), ("utf-8-sig", "né", "utf-8"), ("utf-16", "né", "utf-16"), ("latin-1", "né", "latin-1"),
        ("windows-1252", "né €", "windows-1252"),
    ],
)  # fmt: skip
def test_encodings_are_found(tmp_path: Path, encoding: str, word: str, found: str) -> None:
    source, table, _ = read_all(tmp_path, {"t.csv": f"a,b\n{word},1\n".encode(encoding)})
    assert source["read"]["encoding"] == found
    assert table.rows() == [(word, 1)]


@pytest.mark.parametrize("encoding", ["shift_jis", "gb18030", "utf-16-be", "windows-1251"])
def test_encodings_are_forced(tmp_path: Path, encoding: str) -> None:
    word = "мир" if encoding == "windows-1251" else "日本"
    table = read_all(tmp_path, {"t.csv": f"a,b\n{word},1\n".encode(encoding)}, encoding=encoding)[1]
    assert table.rows() == [(word, 1)]


def test_a_late_row_changes_how_all_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the first rows suggest is given up where a later one does not fit: nothing is lost, not even leading zeros."""
    monkeypatch.setattr("store.formats.stretches.FIRST_BYTES", 1000)
    monkeypatch.setattr("store.formats.stretches.BLOCK_BYTES", 4000)
    monkeypatch.setattr("store.formats.assembly.HELD_BYTES", 2000)
    monkeypatch.setattr("store.formats.assembly.COLUMN_BYTES", 0)
    lines = [f"{place:05},{place},{place % 2},yes,{place},1\n" for place in range(3000)]
    lines[2900] = '00x,1.5,,perhaps,"2,900",\n'
    table = read_all(tmp_path, {"t.csv": "code,x,y,w,n,m\n" + "".join(lines)})[1]
    assert table["code"].to_list()[:2] == ["00000", "00001"]
    assert table["code"][2900] == "00x"
    assert table["x"][2900] == 1.5
    assert (table["y"][2900], table["m"][2900]) == (None, None)
    assert table["w"].unique().sort().to_list() == ["perhaps", "yes"]
    assert (table["n"][2900], table["n"][2999], table.height) == (2900, 2999, 3000)
