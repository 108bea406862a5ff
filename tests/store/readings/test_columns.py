"""What cells mean, with the whole file as evidence: each table as a person would read it, and what is told of it."""

from pathlib import Path
from typing import Any

import pytest

from store.findings import warnings_of
from store.profile import profile
from tests.store.formats import read_all

N = None
READ: dict[str, tuple[str, dict[str, list[Any]], list[str]]] = {
    # what it is: (the file, the columns of which something is expected, the codes and columns that are told)
    "one column settles another's marks": (
        "a;b\n2.155;19,47\n12.345;5,5\n",
        {"a": [2155, 12345], "b": [19.47, 5.5]},
        [],
    ),
    "one column settles another's marks, the other way": (
        "a;b\n2,155;19.47\n12,345;5.5\n",
        {"a": [2155, 12345], "b": [19.47, 5.5]},
        [],
    ),
    "below and above a thousand": ("a;b\n996;x\n1.090;y\n", {"a": [996, 1090]}, ["READ_AS a"]),
    "below and above a thousand, with commas": ("a;b\n996;x\n1,090;y\n", {"a": [996, 1090]}, ["READ_AS a"]),
    "three digits after every point": ("a,b\n2.155,x\n1.881,y\n", {"a": [2.155, 1.881]}, ["READ_AS a"]),
    "three digits after every point, and a zero before": ("a,b\n2.155,x\n0.881,y\n", {"a": [2.155, 0.881]}, []),
    "three digits after most points": ("a,b\n2.155,x\n1.8,y\n", {"a": [2.155, 1.8]}, []),
    "Indian thousands": ('a,b\n"1,23,456",x\n"12,34,567.5",y\n', {"a": [123456.0, 1234567.5]}, []),
    "thousands parted by thin spaces": ("a,b\n1\u202f234,x\n5,y\n", {"a": [1234, 5]}, []),
    "the typographer's minus": ("a,b\n\u22121.5,x\n2,y\n", {"a": [-1.5, 2.0]}, []),
    "several notations": ('a;b\n1.234,5;x\n1,234.5;y\n', {"a": ["1.234,5", "1,234.5"]}, ["MIXED_NUMBERS a"]),
    "postcodes": ("a,b\n01730,1\n10001,2\n", {"a": ["01730", "10001"]}, ["LEADING_ZEROS a"]),
    "numbers with a leading zero and a fraction": ("a,b\n0.5,1\n00.25,2\n", {"a": [0.5, 0.25]}, []),
    "identifiers of twenty digits": (
        "a,b\n11898508762506083000,1\n11898508762506083001,2\n",
        {"a": ["11898508762506083000", "11898508762506083001"]},
        ["LARGE_NUMBERS a"],
    ),
    "identifiers within 64 bits": ("a\n9007199254740993\n9007199254740992\n", {"a": [9007199254740993, 9007199254740992]}, []),
    "parts that look like powers of ten": ("a,b\n1E999,1\n47E590003,2\n", {"a": ["1E999", "47E590003"]}, ["LARGE_NUMBERS a"]),
    "percent": ("a,b\n5%,1\n12 %,2\n", {"a": [5, 12]}, []),
    "prices": ('a,b\n"$1,000.50",1\n-$3,2\n', {"a": [1000.5, -3.0]}, []),
    "prices in euros": ('a,b\n"9,10 €",1\n"1.010,11 €",2\n', {"a": [9.1, 1010.11]}, []),
    "weights": ("a,b\n3 kg,1\n12 kg,2\n", {"a": [3, 12]}, []),
    "weights in two units": ("a,b\n3 kg,1\n12 lb,2\n", {"a": ["3 kg", "12 lb"]}, ["MIXED_NUMBERS a"]),
    "what an accountant writes": ("a,b\n(3),1\n4,2\n", {"a": [-3, 4]}, []),
    "a minus behind": ("a,b\n3-,1\n4,2\n", {"a": [-3, 4]}, []),
    "rooms that are no units": ("a,b\n12B,1\n3B,2\n", {"a": ["12B", "3B"]}, []),
    "almost numbers": ("a,b\n1,1\n2,2\n3,3\n4,4\nunknown,5\n", {"a": ["1", "2", "3", "4", "unknown"]}, ["ALMOST_NUMBERS a"]),
    "errors of a spreadsheet": ("a,b\n#N/A,x\n#DIV/0!,y\n3,z\n", {"a": [N, N, 3]}, []),
    "dashes in numbers": ("a,b\n-,x\n2.5,y\n..,z\n", {"a": [N, 2.5, N]}, []),
    "dashes beside plus signs": ("a,b\n-,1\n+,2\n", {"a": ["-", "+"]}, ["READ_AS a"]),
    "stars beside nothing": ("a,b\n*,1\n,2\n", {"a": ["*", N]}, ["READ_AS a"]),
    "Namibia": ("a,b\nNA,1\nUS,2\nAF,3\n", {"a": ["NA", "US", "AF"]}, ["READ_AS a"]),
    "NA among words": ("a,b\nNA,1\nred,2\n", {"a": [N, "red"]}, ["READ_AS a"]),
    "yes, no and nothing": ("a,b\nyes,1\n-,2\nno,3\n", {"a": [True, N, False]}, []),
    "days first, as another column shows": (
        "a,b\n01/02/2024,29/02/2024\n03/04/2024,01/03/2024\n",
        {"a": ["2024-02-01", "2024-04-03"], "b": ["2024-02-29", "2024-03-01"]},
        [],
    ),
    "months first, as another column shows": (
        "a,b\n01/02/2024,02/29/2024\n03/04/2024,01/03/2024\n",
        {"a": ["2024-01-02", "2024-03-04"], "b": ["2024-02-29", "2024-01-03"]},
        [],
    ),
    "years of two digits": ("a,b\n31.01.02,1\n18.04.96,2\n", {"a": ["2002-01-31", "1996-04-18"]}, ["READ_AS a"]),
    "months by name": ("a,b\n1-Jan-2024,1\n29-Feb-2024,2\n", {"a": ["2024-01-01", "2024-02-29"]}, []),
    "spaces around words": ("a,b\n red ,1\nred,2\n", {"a": ["red", "red"]}, ["SPACES a"]),
    "accents put together": ("a,b\ncafe\u0301,1\ncafé,2\n", {"a": ["café", "café"]}, ["ACCENTS a"]),
    "spaces within words": ("a,b\nred  blue,1\n", {"a": ["red  blue"]}, []),
}  # fmt: skip


@pytest.mark.parametrize("case", READ)
def test_a_file_is_one_witness(tmp_path: Path, case: str) -> None:
    content, columns, told = READ[case]
    _, table, warnings = read_all(tmp_path, {"t.csv": content})
    assert {name: table[name].to_list() for name in columns} == columns
    assert [f"{warning['code']} {warning['column']}" for warning in warnings] == told


GIVEN: dict[str, tuple[str, dict[str, str], dict[str, list[Any]]]] = {
    # what it is: (the file, the form's fields, the columns)
    "no marker but nothing": ("a,b\nNA,1\n,2\n?,3\n", {"missing": ""}, {"a": ["NA", N, "?"]}),
    "words for yes and no besides those known": (
        "a,b,c\nja,true,yes\nnein,FALSE,no\n",
        {"booleans": "ja/nein"},
        {"a": [True, False], "b": [True, False], "c": [True, False]},
    ),
    "1 and 0 for yes and no": ("a,b\n1,true\n0,false\n", {"booleans": "1/0"}, {"a": [True, False], "b": [True, False]}),
    "a number that stands for nothing": ("a,b\n-9999,1.5\n1,-9999\n", {"missing": "-9999"}, {"a": [N, 1], "b": [1.5, N]}),
    "a number that stands for nothing, in other notations": (
        "a;b\n-9999,0;-9999\n1,5;2\n-9999,00;-9999,0\n",
        {"missing": "-9999"},
        {"a": [N, 1.5, N], "b": [N, 2, N]},
    ),
    "an odd word that stands for nothing": ("a,b\n1,x\nunknown,y\n", {"missing": "unknown"}, {"a": [1, N]}),
    "a decimal comma in a file of whole numbers": ("a;b\n2.155;x\n", {"decimal": ","}, {"a": [2155]}),
}


def test_a_column_that_is_given_as_numbers_is_read_as_such(tmp_path: Path) -> None:
    """Leading zeros, and units that are not known, are no reason to keep it as words."""
    columns = [{"name": "a", "kind": "integer"}, {"name": "b", "kind": "numeric"}]
    table = read_all(tmp_path, {"t.csv": "a,b\n007,1.5 th\n12,2 th\n"}, columns=columns)[1]
    assert table.rows() == [(7, 1.5), (12, 2.0)]


def test_given_words_are_spelled_as_the_file_spells_them(tmp_path: Path) -> None:
    source = read_all(tmp_path, {"t.csv": "a,b\nJa,1\nNein,0\nJa,1\n"}, booleans="ja/nein")[0]
    assert source["read"]["columns"]["a"]["words"] == ["Nein", "Ja"]


def test_a_late_cell_in_another_notation_is_told_beside_one_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.formats.stretches.FIRST_BYTES", 1000)
    monkeypatch.setattr("store.formats.stretches.BLOCK_BYTES", 4000)
    lines = ["n;w", ";x", *(f"{n % 7}.25;w{n % 5}" for n in range(1000)), "1,5;x", ""]
    told = read_all(tmp_path, {"t.csv": "\n".join(lines)})[2]
    assert [warning["code"] for warning in told] == ["MIXED_NUMBERS"]
    assert "'0.25' in row 1 and '1,5' in row 1001" in told[0]["detail"]


def test_of_what_nearly_is_numbers_nothing_is_said_that_holds_of_words(tmp_path: Path) -> None:
    lines = ["price", *(f"{n}.5" for n in range(100)), "unknown", ""]
    _, table, told = read_all(tmp_path, {"t.csv": "\n".join(lines)})
    assert [warning["code"] for warning in told + warnings_of(profile(table), table, told)] == ["ALMOST_NUMBERS"]


def test_a_remedy_keeps_the_gaps_of_other_columns(tmp_path: Path) -> None:
    """'missing' replaces all markers, so what it is to be set to names those that the rest of the file needs."""
    content = "a,b,c\n1,?,-\n2,5,1\n3,NA,2\n4,7,3\nunknown,8,*\n"
    _, table, warnings = read_all(tmp_path, {"t.csv": content})
    assert [warning["code"] for warning in warnings] == ["ALMOST_NUMBERS"]
    remedy = warnings[0]["detail"].partition("missing=")[2].partition(", which")[0]
    _, table, warnings = read_all(tmp_path, {"t.csv": content}, missing=remedy)
    assert (table.rows(), warnings) == ([(1, N, N), (2, 5, 1), (3, N, 2), (4, 7, 3), (N, 8, N)], [])


def test_what_usually_stands_for_nothing_is_told_where_other_markers_were_given(tmp_path: Path) -> None:
    _, _, warnings = read_all(tmp_path, {"t.csv": "a,b\n1,?\n2,5\nunknown,NA\n"}, missing="unknown")
    assert [warning["code"] for warning in warnings] == ["ALMOST_NUMBERS"]
    assert warnings[0]["detail"].endswith("missing=unknown,?,NA, which reads them as gaps")


@pytest.mark.parametrize("case", GIVEN)
def test_what_is_given_is_kept_to(tmp_path: Path, case: str) -> None:
    content, given, columns = GIVEN[case]
    table = read_all(tmp_path, {"t.csv": content}, **given)[1]
    assert {name: table[name].to_list() for name in columns} == columns


def test_the_odd_word_is_named_with_its_row_and_a_remedy_that_works(tmp_path: Path) -> None:
    lines = ["age,y", *(f"{n % 60 + 20},{n % 2}" for n in range(2600))]
    lines.insert(2501, "unknown,1")
    content = "\n".join([*lines, "NA,0", ""])
    _, table, warnings = read_all(tmp_path, {"t.csv": content})
    assert table["age"][2500] == "unknown"
    detail = next(warning["detail"] for warning in warnings if warning["code"] == "ALMOST_NUMBERS")
    assert "holds 2600 numbers in 2601 cells" in detail
    assert "row 2500 holds 'unknown'" in detail
    remedy = detail.partition("missing=")[2].partition(",")[0] + ",unknown"
    assert remedy == "NA,unknown"
    table = read_all(tmp_path, {"t.csv": content}, missing=remedy)[1]
    assert (table["age"].dtype.is_integer(), table["age"].null_count(), table["age"][2500]) == (True, 2, None)


@pytest.mark.parametrize(
    ("late", "column", "expected"),
    [
        ("007,1.5,x", "n", "007"),
        ('"1,090",1.5,x', "n", 1090),
        ("5,1E999,x", "f", "1E999"),
        ("12345678901234567890,1.5,x", "n", "12345678901234567890"),
        ("-,1.5,x", "n", None),
        ('5,"1,5",x', "f", "1,5"),
    ],
)
def test_a_cell_is_not_lost_wherever_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: str, column: str, expected: Any
) -> None:
    """Evidence is gathered from the whole file: the only odd cell stands in the last of many stretches."""
    monkeypatch.setattr("store.formats.stretches.FIRST_BYTES", 1000)
    monkeypatch.setattr("store.formats.stretches.BLOCK_BYTES", 4000)
    lines = ["n,f,w", *(f"{n % 900 + 1},{n % 7}.2{n % 9 + 1},w{n % 5}" for n in range(3000)), late, ""]
    table = read_all(tmp_path, {"t.csv": "\n".join(lines)})[1]
    assert table[column][3000] == expected
    assert table.height == 3001
