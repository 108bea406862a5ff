"""Spreadsheets: one sheet of an .xlsx, .xls or .ods file, its cells as text for the reader of delimited rows."""

import csv
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from engine.wording import notice, say
from store.errors import StoreError, UnreadableFile
from store.formats.archives import opened, pieces
from store.formats.delimited import read_rows
from store.formats.reading import MAX_COLUMNS, Found, Source
from store.formats.sheet_biff import scan_xls
from store.formats.sheet_facts import SheetFacts, Tally, a1
from store.formats.sheet_xml import is_encrypted, scan_ods, scan_xlsx
from store.formats.text import Text

CHUNK_ROWS = 4096
NAMED = 10
"""As many other sheets are named."""


def read_xlsx(source: Source) -> Found:
    """Read a sheet of an Excel workbook, the first that is not hidden or the one that 'sheet' names; macros are ignored.

    Raises UnreadableFile with the sheet and the cell, TooLarge where cells lie too far apart or the archive unpacks to too
    much.
    """
    with opened(source.path, "Excel file") as archive:
        _check_parts(archive, source.limit)
        return _read(source, "xlsx", "Excel file", lambda index, name: scan_xlsx(archive, name, source.limit))


def read_ods(source: Source) -> Found:
    """Read a sheet of an OpenDocument spreadsheet, as `read_xlsx` does."""
    with opened(source.path, "OpenDocument file") as archive:
        if is_encrypted(archive):
            raise UnreadableFile("the OpenDocument file is encrypted by a password; save it without one, and upload it again")
        _check_parts(archive, source.limit)
        sheets = dict(scan_ods(archive, source.limit))
    return _read(source, "ods", "OpenDocument file", lambda index, name: sheets.get(name, SheetFacts()))


def read_xls(source: Source) -> Found:
    """Read a sheet of an old Excel workbook (BIFF5 or BIFF8), as `read_xlsx` does."""
    return _read(source, "xls", "Excel file", lambda index, name: scan_xls(source.path, index, name))


def _check_parts(archive: zipfile.ZipFile, limit: int) -> None:
    """Unpack all that is no sheet or picture once, to nowhere: a library would, and ask for no limit."""
    left = limit
    for member in archive.infolist():
        if (
            member.filename.endswith((".xml", ".rels"))
            and not member.filename.startswith("xl/worksheets/")
            and member.filename != "content.xml"
        ):
            left -= sum(map(len, pieces(archive, member, left, "workbook")))


def _read(source: Source, form: str, what: str, scan: Callable[[int, str], SheetFacts]) -> Found:
    import python_calamine as calamine

    try:
        with calamine.CalamineWorkbook.from_path(_with_ending(source, form)) as workbook:
            index, name, others = _chosen(workbook, source.options.sheet)
            facts = scan(index, name)
            facts.check_area(name)
            if not facts.cells:
                shown = "; there are " + ", ".join(others) if others else ""
                raise UnreadableFile(f"sheet '{name}' is empty{shown}; name another in 'sheet', or fill it", "/sheet")
            sheet = workbook.get_sheet_by_index(index)
            if not facts.merged:
                facts.merged = list(sheet.merged_cell_ranges or ())
            cells = _Cells(sheet, facts)
            target = source.folder / f"{source.path.name}.rows"
            cells.write(target)
    except calamine.PasswordError:
        raise UnreadableFile(f"the {what} is encrypted by a password; save it without one, and upload it again") from None
    except (calamine.CalamineError, OSError, ValueError, OverflowError) as error:
        if isinstance(error, StoreError):
            raise
        if "password" in str(error).lower():
            raise UnreadableFile(f"the {what} is encrypted by a password; save it without one, and upload it again") from None
        raise UnreadableFile(f"the {what} is broken or cut off ({str(error)[:200]}); save it again") from None
    return _found(source, target, cells, name, others, facts)


def _with_ending(source: Source, form: str) -> Path:
    """The file under a name that tells the library what it is."""
    link = source.folder / f"{source.path.name}.{form}"
    link.symlink_to(source.path.absolute())
    return link


def _found(source: Source, target: Path, cells: "_Cells", name: str, others: list[str], facts: SheetFacts) -> Found:
    found = read_rows(Text(target, "utf-8"), replace(source.options, quote='"'), ",")
    if others:
        shown = ", ".join(others[:NAMED]) + (" …" if len(others) > NAMED else "")
        detail = say(
            "sheet '{name}' was read; the file has others: {others}; upload it again with 'sheet' set to read one of them",
            name=name,
            others=shown,
        )
        found.warnings.append(notice("OTHER_SHEETS", detail, column=None))
    found.warnings += facts.warnings(name)
    found.batches = _told(found, found.batches, cells, name)
    return found


def _told(found: Found, batches: Iterator[pl.DataFrame], cells: "_Cells", sheet: str) -> Iterator[pl.DataFrame]:
    """The rows; then how they were read, and a warning for each column of numbers that the sheet holds as words."""
    dtypes: dict[str, Any] = {}
    for batch in batches:
        dtypes = {name: dtype for name, dtype in batch.schema.items() if dtype != pl.Null or name not in dtypes}
        yield batch
    layout = {name: value for name, value in found.read.items() if name not in ("encoding", "delimiter", "quote")}
    found.read = {"sheet": sheet, "range": cells.range, **layout}
    names = list(dtypes)
    for place, tally in cells.written_numbers.items():
        if len(names) == cells.width and dtypes[names[place]].is_numeric():
            assert tally.first is not None
            detail = say(
                "sheet '{sheet}' holds {count} numbers of column '{name}' as words, the first in {cell}: they are read as "
                "numbers; correct the column's kind to categorical where they are names",
                sheet=sheet,
                count=tally.count,
                name=names[place],
                cell=a1(tally.first),
            )
            found.warnings.append(notice("NUMBERS_AS_WORDS", detail, column=names[place]))


def _chosen(workbook: Any, wanted: str | None) -> tuple[int, str, list[str]]:
    """The index and the name of the sheet to read, and the others as they are shown."""
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    sheets = [(place, each) for place, each in enumerate(workbook.sheets_metadata) if each.typ == SheetTypeEnum.WorkSheet]
    shown = {
        place: f"'{each.name[:50]}'" + ("" if each.visible == SheetVisibleEnum.Visible else " (hidden)")
        for place, each in sheets
    }
    if not sheets:
        raise UnreadableFile("the workbook holds no worksheet; save a table in one")
    if wanted is None:
        place, chosen = next((pair for pair in sheets if pair[1].visible == SheetVisibleEnum.Visible), sheets[0])
    else:
        named = [pair for pair in sheets if pair[1].name == wanted] or [
            pair for pair in sheets if pair[1].name.strip() == wanted.strip()
        ]
        if not named and wanted.isdecimal() and 1 <= int(wanted) <= len(sheets):
            named = [sheets[int(wanted) - 1]]
        if not named:
            listed = ", ".join(list(shown.values())[:NAMED])
            raise UnreadableFile(
                f"there is no sheet '{wanted[:50]}'; there are {listed}; name one, or give its number from 1", "/sheet"
            )
        place, chosen = named[0]
    return place, chosen.name, [text for other, text in shown.items() if other != place]


class _Cells:
    """The cells of a sheet on their way to delimited text."""

    def __init__(self, sheet: Any, facts: SheetFacts) -> None:
        self._sheet = sheet
        start: tuple[int, int] = sheet.start or (0, 0)
        self._row, self._column = start
        self.width = int(sheet.width)
        if self.width > MAX_COLUMNS:
            raise UnreadableFile(f"the sheet has {self.width} columns; at most {MAX_COLUMNS} are read, leave some out")
        last = sheet.end or (0, 0)
        self.range = f"{a1((self._row, self._column))}:{a1(last)}"
        self._exact: dict[int, dict[int, str]] = {}
        for (row, column), text in facts.exact.items():
            self._exact.setdefault(row - self._row, {})[column - self._column] = text
        self._kinds: list[set[type]] = [set() for _ in range(self.width)]
        self.written_numbers: dict[int, Tally] = {}
        """The words that are numbers, of each column that has some."""

    def _chunks(self) -> Iterator[list[list[Any]]]:
        held: list[list[Any]] = []
        for row in islice(self._sheet.iter_rows(), self._row, None):  # it gives those above the first cell, too
            held.append(row)
            if len(held) == CHUNK_ROWS:
                yield held
                held = []
        if held:
            yield held

    def write(self, target: Path) -> None:
        """The rows, comma-separated. A column with a time of day anywhere has one everywhere."""
        first = self._row
        for rows in self._chunks():
            for place, cells in enumerate(zip(*rows, strict=True)):
                kinds = set(map(type, cells))
                self._kinds[place] |= kinds
                if str in kinds:
                    self._count_numbers(place, cells, first)
            first += len(rows)
        writers = [{**AS_TEXT, date: _midnight} if datetime in kinds else AS_TEXT for kinds in self._kinds]
        first = 0
        with target.open("w", encoding="utf-8", errors="replace", newline="") as file:
            file.write("\n" * self._row)  # so that lines are called as the sheet's rows are
            out = csv.writer(file, lineterminator="\n")
            for rows in self._chunks():
                columns = zip(zip(*rows, strict=True), writers, strict=True)
                texts = [[way[type(cell)](cell) for cell in cells] for cells, way in columns]
                for row in self._exact.keys() & range(first, first + len(rows)) if self._exact else ():
                    for place, text in self._exact[row].items():
                        texts[place][row - first] = text
                out.writerows(zip(*texts, strict=True))
                first += len(rows)

    def _count_numbers(self, place: int, cells: tuple[Any, ...], first: int) -> None:
        for row, cell in enumerate(cells):
            if (
                type(cell) is str
                and cell
                and (cell[0].isdigit() or cell[0] in "+-.")
                and first + row > self._row
                and _is_number(cell)
            ):
                self.written_numbers.setdefault(place, Tally()).add((first + row, self._column + place))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(value: float) -> str:
    """The shortest decimal that is this number; a whole one as such."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e22 else repr(value)


def _moment(value: datetime) -> str:
    text = value.isoformat()
    return text.rstrip("0") if value.microsecond else text


def _midnight(value: date) -> str:
    return f"{value.isoformat()}T00:00:00"


def _clock(value: time) -> str:
    text = value.isoformat()
    return text.rstrip("0") if value.microsecond else text


AS_TEXT: dict[type, Callable[[Any], str]] = {
    str: str,
    float: _number,
    int: str,
    bool: lambda value: "true" if value else "false",
    date: date.isoformat,
    datetime: _moment,
    time: _clock,
    timedelta: lambda value: _number(value.total_seconds()),
}
"""A cell as text: dates as ISO 8601 has them, durations in seconds."""
