"""Sheets of .xlsx and .ods looked through, a piece of their XML at a time, before a library loads them."""

import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import ClassVar
from xml.etree import ElementTree
from xml.parsers import expat

from store.errors import UnreadableFile
from store.formats.archives import pieces, whole
from store.formats.sheet_facts import SheetFacts, place_of

PART_BYTES = 16 << 20
"""Largest part of a workbook that lists its sheets."""
LONG = re.compile(r"[+-]?\d{16,}")
MAX_ROW, MAX_COLUMN = 1 << 20, 1 << 14
"""As many rows and columns as a spreadsheet has."""

Meanings = dict[str, Callable[..., None]]
"""Handlers of elements, by name."""


class Scan:
    """The facts of the sheet whose XML is fed. A subclass says what an element means."""

    def __init__(self, what: str) -> None:
        self.what, self.facts = what, SheetFacts()
        self.row = self.column = -1
        self._text: list[str] = []
        self._collects = False
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._refuse

    def feed(self, parts: Iterator[bytes]) -> SheetFacts:
        """Raises UnreadableFile where it is no XML, or none that a spreadsheet program writes."""
        try:
            for part in parts:
                self._parser.Parse(part)
            self._parser.Parse(b"", True)
        except (expat.ExpatError, ValueError) as error:
            raise UnreadableFile(f"the {self.what} holds a sheet that is broken ({str(error)[:200]}); write it again") from None
        return self.facts

    def _refuse(self, *_: object) -> None:
        raise UnreadableFile(f"the {self.what} declares entities, as no spreadsheet program does; write it again")

    def _characters(self, text: str) -> None:
        if self._collects:
            self._text.append(text)

    def _start(self, name: str, given: dict[str, str]) -> None:
        opening = self.STARTS.get(name.rpartition(":")[2])
        if opening is not None:
            opening(self, given)

    def _end(self, name: str) -> None:
        closing = self.ENDS.get(name.rpartition(":")[2])
        if closing is not None:
            closing(self)

    STARTS: ClassVar[Meanings] = {}
    ENDS: ClassVar[Meanings] = {}


class XlsxScan(Scan):
    """A worksheet of Office Open XML (ECMA-376, part 1, 18.3)."""

    def __init__(self, recalculates: bool) -> None:
        super().__init__("Excel file")
        self._recalculates, self._type = recalculates, "n"
        self._has_formula = self._has_value = False

    def _row(self, given: dict[str, str]) -> None:
        self.row, self.column = int(given["r"]) - 1 if "r" in given else self.row + 1, -1
        if given.get("hidden") in ("1", "true"):
            self.facts.hidden_rows.add((self.row, 0))

    def _columns(self, given: dict[str, str]) -> None:
        if given.get("hidden") in ("1", "true"):
            first, last = int(given["min"]), int(given["max"])
            self.facts.hidden_columns.add((0, first - 1), max(1, last - first + 1))

    def _cell(self, given: dict[str, str]) -> None:
        place = place_of(given["r"]) if "r" in given else (self.row, self.column + 1)
        if place is None:
            raise ValueError(f"no cell is called {given['r'][:20]}")
        self.row, self.column = place
        self._type, self._has_formula, self._has_value = given.get("t", "n"), False, False
        self._text.clear()

    def _formula(self, _: dict[str, str]) -> None:
        self._has_formula = True

    def _value(self, _: dict[str, str]) -> None:
        self._has_value = self._collects = True

    def _value_ends(self) -> None:
        self._collects = False

    def _merged(self, given: dict[str, str]) -> None:
        first, _, last = given["ref"].partition(":")
        ends = place_of(first), place_of(last or first)
        if ends[0] is not None and ends[1] is not None:
            self.facts.merged.append((ends[0], ends[1]))

    def _cell_ends(self) -> None:
        text, place, facts = "".join(self._text), (self.row, self.column), self.facts
        if self._has_formula and (not self._has_value or (not text and self._type != "str")):
            facts.unanswered.add(place)
        elif not text:
            return
        facts.hold(place)
        if self._type == "e":
            facts.error(place, text[:20])
        if self._has_formula and self._recalculates and text == "0" and self._type == "n":
            facts.doubtful.add(place)
        if self._type == "n" and len(text) >= 16 and LONG.fullmatch(text) and int(float(text)) != int(text):
            facts.exact[place] = text

    STARTS: ClassVar[Meanings] = {
        "row": _row,
        "col": _columns,
        "c": _cell,
        "f": _formula,
        "v": _value,
        "t": _value,
        "mergeCell": _merged,
    }
    ENDS: ClassVar[Meanings] = {"v": _value_ends, "t": _value_ends, "c": _cell_ends}


class OdsScan(Scan):
    """The tables of an OpenDocument spreadsheet (ODF 1.3, part 3, 9.1)."""

    def __init__(self) -> None:
        super().__init__("OpenDocument file")
        self.sheets: list[tuple[str, SheetFacts]] = []
        self._depth = 0
        self._down = self._across = 1
        self._type = self._value_text = ""
        self._has_formula = False
        self._spans = (1, 1)

    def _table(self, given: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1:
            self.facts = SheetFacts()
            self.sheets.append((given.get("table:name", ""), self.facts))
            self.row, self._down = -1, 1

    def _table_ends(self) -> None:
        self._depth -= 1

    def _row(self, given: dict[str, str]) -> None:
        if self._depth == 1:
            self.row += self._down if self.row >= 0 else 1
            self.column, self._across = -1, 1
            self._down = _count(given.get("table:number-rows-repeated"), MAX_ROW)
            if given.get("table:visibility", "visible") != "visible" and self._down < MAX_ROW // 2:
                self.facts.hidden_rows.add((self.row, 0), self._down)

    def _cell(self, given: dict[str, str]) -> None:
        if self._depth != 1:
            return
        self.column += self._across if self.column >= 0 else 1
        self._across = _count(given.get("table:number-columns-repeated"), MAX_COLUMN)
        self._type = "error" if given.get("calcext:value-type") == "error" else given.get("office:value-type", "")
        self._has_formula = "table:formula" in given
        self._value_text = given.get("office:value", "")
        down = _count(given.get("table:number-rows-spanned"), MAX_ROW)
        self._spans = (down, _count(given.get("table:number-columns-spanned"), MAX_COLUMN))
        self._text.clear()
        self._collects = True

    def _cell_ends(self) -> None:
        if self._depth != 1:
            return
        self._collects = False
        facts, place = self.facts, (self.row, self.column)
        if self._spans != (1, 1):
            facts.merged.append((place, (self.row + self._spans[0] - 1, self.column + self._spans[1] - 1)))
        text = "".join(self._text).strip()
        if self._type or text or self._has_formula:
            facts.hold(place, self._down, self._across)
        if self._type == "error" or (self._has_formula and text.startswith(("#", "Err:")) and self._type in ("", "string")):
            facts.error(place, text[:20] or "error", self._down * self._across)
        elif self._has_formula and not self._type:
            facts.unanswered.add(place, self._down * self._across)
        written = self._value_text
        if len(written) >= 16 and LONG.fullmatch(written) and int(float(written)) != int(written):
            facts.exact[place] = written

    STARTS: ClassVar[Meanings] = {"table": _table, "table-row": _row, "table-cell": _cell, "covered-table-cell": _cell}
    ENDS: ClassVar[Meanings] = {"table": _table_ends, "table-cell": _cell_ends, "covered-table-cell": _cell_ends}


def _count(written: str | None, most: int) -> int:
    return min(most, max(1, int(written))) if written else 1


def scan_xlsx(archive: zipfile.ZipFile, sheet: str, limit: int) -> SheetFacts:
    """The facts of that worksheet. Raises UnreadableFile, TooLarge."""
    workbook = _tree(archive, "xl/workbook.xml")
    relations = _tree(archive, "xl/_rels/workbook.xml.rels")
    targets = {relation.get("Id"): relation.get("Target", "") for relation in relations.iter() if relation.get("Id")}
    recalculates = any(_local(node) == "calcPr" and node.get("fullCalcOnLoad") in ("1", "true") for node in workbook.iter())
    for node in workbook.iter():
        if _local(node) == "sheet" and node.get("name") == sheet:
            key = next((value for name, value in node.items() if name.rpartition("}")[2] == "id"), None)
            part = posixpath.normpath(posixpath.join("/xl", targets.get(key, ""))).lstrip("/")
            found = next((member for member in archive.infolist() if member.filename.lower() == part.lower()), None)
            if found is not None:
                return XlsxScan(recalculates).feed(pieces(archive, found, limit, "Excel file"))
    raise UnreadableFile(f"the Excel file lists a sheet '{sheet[:50]}' and does not hold it; write it again")


def scan_ods(archive: zipfile.ZipFile, limit: int) -> list[tuple[str, SheetFacts]]:
    """Every table with its facts: the library loads them all at once. Raises UnreadableFile, TooLarge."""
    scan = OdsScan()
    scan.feed(pieces(archive, _member(archive, "content.xml"), limit, "OpenDocument file"))
    for name, facts in scan.sheets:
        facts.check_area(name)
    return scan.sheets


def is_encrypted(archive: zipfile.ZipFile) -> bool:
    """Whether an OpenDocument file's manifest says that its parts are encrypted."""
    names = archive.namelist()
    if "META-INF/manifest.xml" not in names:
        return False
    data = whole(archive, archive.getinfo("META-INF/manifest.xml"), PART_BYTES, "OpenDocument file")
    return b":encryption-data" in data


def _member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    try:
        return archive.getinfo(name)
    except KeyError:
        raise UnreadableFile(f"the archive lacks '{name}', so it is no whole spreadsheet; write it again") from None


def _tree(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    data = whole(archive, _member(archive, name), PART_BYTES, "Excel file")
    try:
        if b"<!DOCTYPE" in data:
            raise ElementTree.ParseError("it declares entities")
        return ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise UnreadableFile(f"'{name}' in the Excel file is broken ({str(error)[:200]}); write it again") from None


def _local(node: ElementTree.Element) -> str:
    return node.tag.rpartition("}")[2]
