"""Sheets as openpyxl, xlwt and odfpy write them: every cell as it is, and what is no value told with its place."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
import xlwt

from store.errors import StoreError, TooLarge, UnknownFormat, UnreadableFile
from store.formats import sheet_facts
from tests.store.formats import read, read_all
from tests.store.formats.files import archive, changed, ods, xls, xlsx

SHEET1 = "xl/worksheets/sheet1.xml"
ROWS: list[list[Any]] = [
    ["name", "x", "n", "ok", "day", "at"],
    ['Ünal, "A"\nB', 0.1, 3, True, date(2024, 2, 29), datetime(2024, 1, 2, 3, 4, 5)],
    ["0123x", -1e-7, 70_000, False, date(1999, 12, 31), datetime(2024, 1, 2)],
    ["plain", 12345.6789, -2, True, date(2024, 3, 1), datetime(2030, 6, 7, 23, 59, 59)],
]
MEANT = [
    ('Ünal, "A"\nB', 0.1, 3, True, "2024-02-29", "2024-01-02T03:04:05"),
    ("0123x", -1e-7, 70_000, False, "1999-12-31", "2024-01-02T00:00:00"),
    ("plain", 12345.6789, -2, True, "2024-03-01", "2030-06-07T23:59:59"),
]
WRITERS: dict[str, Callable[..., bytes]] = {"xlsx": xlsx, "xls": xls, "ods": ods}


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("ending", ["of its own", "csv"])
def test_every_kind_of_cell_comes_back(tmp_path: Path, form: str, ending: str) -> None:
    rows = (
        ROWS
        if form != "ods"
        else [[cell.replace("\n", " ") if isinstance(cell, str) else cell for cell in row] for row in ROWS]
    )
    name = f"t.{form if ending == 'of its own' else ending}"
    source, table, warnings = read_all(tmp_path, {name: WRITERS[form]({"Sheet": rows})})
    assert (source["format"], source["read"]["sheet"], source["read"]["range"]) == (form, "Sheet", "A1:F4")
    assert table.columns == ROWS[0]
    assert table.dtypes == [pl.String, pl.Float64, pl.Int32, pl.Boolean, pl.String, pl.String]
    assert table.rows() == [
        tuple(cell.replace("\n", " ") if form == "ods" and isinstance(cell, str) else cell for cell in row) for row in MEANT
    ]
    assert warnings == []


@pytest.mark.parametrize("form", WRITERS)
def test_a_table_may_stand_anywhere_below_a_title(tmp_path: Path, form: str) -> None:
    rows = [
        [None] * 3,
        [None, "Report", None],
        [None] * 3,
        [None, "h", "k"],
        *([None, place, place / 4] for place in range(9)),
        [None, "x", 1],
    ]
    source, table, warnings = read_all(tmp_path, {f"t.{form}": WRITERS[form]({"s": rows})})
    assert source["read"]["range"] == "B2:C14"
    assert table.columns == ["h", "k"]
    assert table.rows() == [*((str(place), place / 4) for place in range(9)), ("x", 1)]
    assert any("lines 2 and 3 above the header" in found["detail"] for found in warnings)


def test_times_and_durations(tmp_path: Path) -> None:
    rows = [["t", "d", "n"], [time(1, 2, 3), timedelta(hours=30, seconds=1.5), 1], [time(23, 0), timedelta(minutes=1), 2]]
    assert read(tmp_path, xlsx({"s": rows}), "t.xlsx").rows() == [("01:02:03", 108001.5, 1), ("23:00:00", 60, 2)]


@pytest.mark.parametrize("form", WRITERS)
def test_a_word_far_below_makes_words_of_its_column(tmp_path: Path, form: str) -> None:
    rows = [["a", "b"], *([place, "x"] for place in range(1800)), ["late", "y"], [7.0, "z"]]
    found = read(tmp_path, WRITERS[form]({"s": rows}), f"t.{form}")
    assert found["a"].to_list() == [*map(str, range(1800)), "late", "7"]


@pytest.mark.parametrize("form", WRITERS)
def test_a_sheet_is_chosen_by_name_or_number(tmp_path: Path, form: str) -> None:
    content = WRITERS[form]({name: [["a", "b"], [place, 1]] for place, name in enumerate(["one", "2", "three"])})
    source, table, warnings = read_all(tmp_path, {f"t.{form}": content})
    assert (source["read"]["sheet"], table["a"].to_list()) == ("one", [0])
    assert [found["code"] for found in warnings] == ["OTHER_SHEETS"]
    assert "'2', 'three'" in warnings[0]["detail"]
    for sheet, meant in (("three", 2), ("3", 2), ("2", 1), ("1", 0)):
        assert read(tmp_path, content, f"t.{form}", sheet=sheet)["a"].to_list() == [meant]
    with pytest.raises(UnreadableFile, match="no sheet 'four'; there are 'one', '2', 'three'"):
        read(tmp_path, content, f"t.{form}", sheet="four")


@pytest.mark.parametrize("form", WRITERS)
def test_an_empty_sheet_names_the_others(tmp_path: Path, form: str) -> None:
    with pytest.raises(UnreadableFile, match="sheet 'first' is empty; there are 'data'"):
        read(tmp_path, WRITERS[form]({"first": [], "data": [["a", "b"], [1, 2]]}), f"t.{form}")


def test_a_hidden_sheet_is_not_the_first(tmp_path: Path) -> None:
    def hide(workbook: openpyxl.Workbook) -> None:
        workbook["secret"].sheet_state = "hidden"

    content = xlsx({"secret": [["a", "b"], [1, 2]], "shown": [["c", "d"], [3, 4]]}, hide)
    source, table, warnings = read_all(tmp_path, {"t.xlsx": content})
    assert (source["read"]["sheet"], table.columns) == ("shown", ["c", "d"])
    assert "'secret' (hidden)" in warnings[0]["detail"]
    assert read(tmp_path, content, "t.xlsx", sheet="secret").columns == ["a", "b"]


def told(workbook: openpyxl.Workbook) -> None:
    sheet = workbook["s"]
    sheet["B3"] = "#DIV/0!"
    sheet["B3"].data_type = "e"
    sheet["C4"] = "=B2*2"
    sheet["C5"] = "=B2*2"
    sheet.merge_cells("A5:A6")
    sheet.row_dimensions[4].hidden = True
    sheet.column_dimensions["D"].hidden = True


def test_what_is_no_value_is_told_with_its_place(tmp_path: Path) -> None:
    rows = [["a", "b", "c", "d"], *([f"w{place}", place, place, place] for place in range(5))]
    _, table, warnings = read_all(tmp_path, {"t.xlsx": xlsx({"s": rows}, told)})
    assert table["b"].to_list() == [0, None, 2, 3, 4]
    assert table["c"].to_list() == [0, 1, None, None, 4]
    said = {found["code"]: found["detail"] for found in warnings}
    assert "1 cell with an error in B3 (#DIV/0! 1)" in said["ERROR_CELLS"]
    assert "2 formulas without a stored result, the first in C4" in said["FORMULA_WITHOUT_RESULT"]
    assert "1 merged range in A5" in said["MERGED_CELLS"]
    assert "1 hidden row in 4" in said["HIDDEN_ROWS"]
    assert "1 hidden column in D" in said["HIDDEN_COLUMNS"]
    assert len(warnings) == 5


def test_the_same_of_an_old_workbook(tmp_path: Path) -> None:
    def change(workbook: xlwt.Workbook) -> None:
        sheet = workbook.get_sheet(0)
        sheet.write(1, 2, xlwt.Formula("A2*2"))
        sheet.write_merge(4, 5, 0, 0, "m")
        sheet.row(2).hidden = True
        sheet.col(1).hidden = True
        sheet.row(3).set_cell_error(2, "#N/A!")

    rows = [["a", "b", "c"], ["x", 1, None], ["y", 2, 3], ["z", 3, None], [None, 4, 5]]
    _, table, warnings = read_all(tmp_path, {"t.xls": xls({"s": rows}, change)})
    assert table["c"].to_list()[:4] == [None, 3, None, 5]
    said = {found["code"]: found["detail"] for found in warnings}
    assert "in C4 (#N/A 1)" in said["ERROR_CELLS"]
    assert "in C2" in said["FORMULA_WITHOUT_RESULT"]
    assert "in A5" in said["MERGED_CELLS"]
    assert "in 3" in said["HIDDEN_ROWS"]
    assert "in B" in said["HIDDEN_COLUMNS"]


def test_results_that_may_be_none_are_told(tmp_path: Path) -> None:
    content = xlsx({"s": [["a", "b"], [1, "=A2*2"], [2, "=A3*2"]]})
    content = changed(content, SHEET1, lambda xml: re.sub(rb"</f><v ?/>|</f><v></v>", b"</f><v>0</v>", xml))
    assert "fullCalcOnLoad" in str(archive_text(content, "xl/workbook.xml"))
    _, table, warnings = read_all(tmp_path, {"t.xlsx": content})
    assert table["b"].to_list() == [0, 0]
    assert "2 formulas whose stored result is 0, the first in B2" in warnings[0]["detail"]


def archive_text(content: bytes, name: str) -> bytes:
    found = b""

    def keep(data: bytes) -> bytes:
        nonlocal found
        found = data
        return data

    changed(content, name, keep)
    return found


def test_long_whole_numbers_are_not_rounded(tmp_path: Path) -> None:
    ids = [9007199254740993, 9007199254740995, -9223372036854775807]
    rows = [["id", "n"], *([place, 1] for place in range(111, 114))]  # openpyxl rounds such numbers
    content = xlsx({"s": rows})
    for place, number in enumerate(ids):
        content = changed(
            content, SHEET1, lambda xml, place=place, number=number: xml.replace(b"<v>%d<" % (111 + place), b"<v>%d<" % number)
        )
    assert read(tmp_path, content, "t.xlsx")["id"].to_list() == ids
    assert read(tmp_path, ods({"s": [["id", "n"], *([number, 1] for number in ids)]}), "t.ods")["id"].to_list() == ids


def test_numbers_written_as_words_are_told(tmp_path: Path) -> None:
    _, table, warnings = read_all(tmp_path, {"t.xlsx": xlsx({"s": [["a", "b"], ["12", 1], ["7", 2], [3, 3]]})})
    assert table["a"].to_list() == [12, 7, 3]
    assert [(found["code"], found["column"]) for found in warnings] == [("NUMBERS_AS_WORDS", "a")]
    assert "2 numbers of column 'a' as words, the first in A2" in warnings[0]["detail"]


def test_formats_alone_do_not_widen_a_sheet(tmp_path: Path) -> None:
    content = changed(
        xlsx({"s": [["a", "b"], [1, 2]]}),
        SHEET1,
        lambda xml: xml.replace(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576" s="0"/></row></sheetData>'),
    )
    assert len(content) < 6000
    assert read(tmp_path, content, "t.xlsx").rows() == [(1, 2)]


def far(xml: bytes) -> bytes:
    return xml.replace(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>')


def repeated(xml: bytes) -> bytes:
    return xml.replace(b"<table:table-row>", b'<table:table-row table:number-rows-repeated="1048576">', 1).replace(
        b"<table:table-cell ", b'<table:table-cell table:number-columns-repeated="16384" ', 1
    )


GOOD = xlsx({"s": [["a", "b"], [1, 2]]})
REFUSED: dict[str, tuple[str, Callable[[], bytes], type[StoreError], str]] = {
    # what it is: (its name, the file, what is raised, and said)
    "a cell far away": ("t.xlsx", lambda: changed(GOOD, SHEET1, far), TooLarge, "A1 to XFD1048576, .* clear .* XFD1048576"),
    "a cell repeated far": (
        "t.ods", lambda: changed(ods({"s": [["a"], [1]]}), "content.xml", repeated), TooLarge, "reaches from A1 to XFD",
    ),
    "a cell far down": ("t.xls", lambda: xls({"s": [["a"]]}, lambda book: book.get_sheet(0).write(65535, 255, 1)), TooLarge,
                        "reaches from A1 to IV65536"),
    "strings that unpack to much": (
        "t.xlsx", lambda: changed(GOOD, "xl/styles.xml", lambda xml: b"<x>" + b" " * (65 << 20) + b"</x>"), TooLarge,
        "styles.xml' in the workbook unpacks to more",
    ),
    "entities": ("t.xlsx", lambda: changed(GOOD, SHEET1, lambda xml: b'<!DOCTYPE x [<!ENTITY a "b">]>' + xml), UnreadableFile,
                 "entities"),
    "a sheet that breaks off": ("t.xlsx", lambda: changed(GOOD, SHEET1, lambda xml: xml[:-40]), UnreadableFile,
                               "sheet that is broken"),
    "an archive that breaks off": ("t.xlsx", lambda: GOOD[:-30], UnreadableFile, "Excel file is broken or cut off"),
    "a binary workbook": ("t.xlsb", lambda: archive({"xl/workbook.bin": b""}), UnknownFormat, "save it as .xlsx"),
    "a text document": (
        "t.ods", lambda: archive({"mimetype": b"application/vnd.oasis.opendocument.text"}), UnknownFormat, "no spreadsheet"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    name, make, error, said = REFUSED[case]
    monkeypatch.setattr(sheet_facts, "MAX_AREA", 1 << 23)  # less than an old workbook has
    with pytest.raises(error, match=said):
        read(tmp_path, make(), name)


@pytest.mark.parametrize(
    ("place", "name"), [((0, 0), "A1"), ((9, 25), "Z10"), ((0, 26), "AA1"), ((1048575, 16383), "XFD1048576")]
)
def test_cells_are_named_as_in_a_spreadsheet(place: tuple[int, int], name: str) -> None:
    assert sheet_facts.a1(place) == name
    assert sheet_facts.place_of(name) == place
