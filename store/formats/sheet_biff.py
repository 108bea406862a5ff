"""Sheets of .xls looked through, a record at a time, before a library loads them ([MS-XLS], BIFF5 and BIFF8)."""

import struct
from collections.abc import Iterator
from pathlib import Path

from store.errors import UnreadableFile
from store.formats.archives import broken
from store.formats.sheet_facts import SheetFacts

BOUNDSHEET, BOF, EOF, FILEPASS, DIMENSIONS, ROW, COLINFO, MERGED = 0x85, 0x809, 0x0A, 0x2F, 0x200, 0x208, 0x7D, 0xE5
FORMULA, BOOLERR, MULRK = 0x06, 0x205, 0xBD
CELLS = {0x203, 0x27E, 0xFD, 0x204, 0xD6, FORMULA, BOOLERR}
"""Records of one cell: numbers, words, formulas, booleans and errors."""
CALCULATED_ON_LOAD = 0x0002
ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
Record = tuple[int, bytes]


def scan_xls(path: Path, index: int, sheet: str) -> SheetFacts:
    """The facts of the sheet of that index. Raises UnreadableFile where records lie, or are encrypted."""
    data = _stream(path)
    starts, version = [], 0
    try:
        for kind, body in _records(data, 0):
            if kind == BOF:
                version = version or struct.unpack_from("<H", body)[0]
            elif kind == FILEPASS:
                raise UnreadableFile("the Excel file is encrypted by a password; save it without one, and upload it again")
            elif kind == BOUNDSHEET:
                starts.append(struct.unpack_from("<I", body)[0])
            elif kind == EOF:
                break
        if index >= len(starts):
            raise UnreadableFile(f"the Excel file lists a sheet '{sheet[:50]}' and does not hold it; write it again")
        return _facts(_records(data, starts[index]), sheet, is_wide=version >= 0x600)
    except (struct.error, IndexError) as error:
        raise broken("Excel file", error) from None


def _stream(path: Path) -> bytes:
    import olefile

    try:
        with olefile.OleFileIO(str(path)) as file:
            name = "Workbook" if file.exists("Workbook") else "Book"
            found: bytes = file.openstream(name).read()
            return found
    except Exception as error:  # olefile raises of many kinds over bytes that lie
        raise broken("Excel file", error) from None


def _records(data: bytes, place: int) -> Iterator[Record]:
    while place + 4 <= len(data):
        kind, size = struct.unpack_from("<HH", data, place)
        yield kind, data[place + 4 : place + 4 + size]
        place += 4 + size


def _facts(records: Iterator[Record], sheet: str, is_wide: bool) -> SheetFacts:
    facts, rows, columns = SheetFacts(), 0, 0
    depth = 0
    for kind, body in records:
        if kind == BOF:
            depth += 1
        elif kind == EOF:
            depth -= 1
            if depth <= 0:
                break
        elif depth != 1:  # a chart within
            continue
        elif kind in CELLS:
            _cell(facts, kind, body)
        elif kind == MULRK:
            row, column = struct.unpack_from("<HH", body)
            facts.hold((row, column), across=max(1, struct.unpack_from("<H", body, len(body) - 2)[0] - column + 1))
        elif kind == DIMENSIONS:
            first, rows, left, columns = struct.unpack_from("<IIHH" if is_wide else "<HHHH", body)
            rows, columns = max(0, rows - first), max(0, columns - left)
        elif kind == ROW and len(body) >= 14 and struct.unpack_from("<H", body, 12)[0] & 0x20:
            facts.hidden_rows.add((struct.unpack_from("<H", body)[0], 0))
        elif kind == COLINFO and struct.unpack_from("<H", body, 8)[0] & 1:
            left, right = struct.unpack_from("<HH", body)
            facts.hidden_columns.add((0, left), max(1, right - left + 1))
    facts.check_area(sheet, rows, columns)
    return facts


def _cell(facts: SheetFacts, kind: int, body: bytes) -> None:
    place = struct.unpack_from("<HH", body)
    facts.hold(place)
    if kind == BOOLERR and body[7]:
        facts.error(place, ERRORS.get(body[6], "error"))
    elif kind == FORMULA:
        result, flags = body[6:14], struct.unpack_from("<H", body, 14)[0]
        if result[6:8] == b"\xff\xff":  # no number
            if result[0] == 2:
                facts.error(place, ERRORS.get(result[2], "error"))
            elif result[0] == 3:  # empty, as writers that calculate nothing have it
                facts.unanswered.add(place)
        elif flags & CALCULATED_ON_LOAD and result == bytes(8):
            facts.doubtful.add(place)
