"""Contents of a sheet besides its values: where cells lie, errors, formulas without results, merged and hidden cells."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from engine.wording import Sentence, notice, say, template
from store.errors import TooLarge

MAX_AREA = 1 << 25
"""Cells of the rectangle that holds all of a sheet's: a library makes room for every one of them."""

Place = tuple[int, int]
"""Row and column, counted from 0."""


def column_name(column: int) -> str:
    """The letters of a column: A, B, … Z, AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def a1(place: Place) -> str:
    """A cell as spreadsheets name it: (0, 0) is A1."""
    return f"{column_name(place[1])}{place[0] + 1}"


def place_of(name: str) -> Place | None:
    """The cell of a name such as A1, or None for what is no name of one."""
    letters = name.rstrip("0123456789")
    if not letters.isascii() or not letters.isalpha() or not 1 <= len(letters) <= 3 or not 1 <= len(name) - len(letters) <= 7:
        return None
    column = 0
    for letter in letters.upper():
        column = 26 * column + ord(letter) - ord("A") + 1
    return int(name[len(letters) :]) - 1, column - 1


@dataclass
class Tally:
    """How many there are of something, and the first of it."""

    count: int = 0
    first: Place | None = None

    def add(self, place: Place, count: int = 1) -> None:
        self.count += count
        if self.first is None:
            self.first = place


@dataclass
class SheetFacts:
    """Facts about a sheet, found before a library loads it."""

    cells: int = 0
    lowest: Place = (-1, -1)
    """A cell of the last row that holds something."""
    rightmost: Place = (-1, -1)
    """A cell of the last column that does."""
    first_row: int = -1
    first_column: int = -1
    errors: Tally = field(default_factory=Tally)
    error_words: Counter[str] = field(default_factory=Counter)
    unanswered: Tally = field(default_factory=Tally)
    """Formulas without a stored result."""
    doubtful: Tally = field(default_factory=Tally)
    """Formulas whose stored result is 0 in a file that asks to be calculated when it is opened."""
    hidden_rows: Tally = field(default_factory=Tally)
    hidden_columns: Tally = field(default_factory=Tally)
    merged: list[tuple[Place, Place]] = field(default_factory=list)
    exact: dict[Place, str] = field(default_factory=dict)
    """Whole numbers that a float does not hold, as the file writes them."""

    def hold(self, place: Place, down: int = 1, across: int = 1) -> None:
        """A cell holds something; so do those below and beside it that repeat it."""
        row, column = place
        self.cells += down * across
        self.first_row = row if self.first_row < 0 else min(self.first_row, row)
        self.first_column = column if self.first_column < 0 else min(self.first_column, column)
        if row + down - 1 > self.lowest[0]:
            self.lowest = (row + down - 1, column)
        if column + across - 1 > self.rightmost[1]:
            self.rightmost = (row, column + across - 1)

    def error(self, place: Place, word: str, count: int = 1) -> None:
        self.errors.add(place, count)
        self.error_words[word] += count

    @property
    def area(self) -> int:
        """Cells of the rectangle that holds all of them."""
        if not self.cells:
            return 0
        return (self.lowest[0] - self.first_row + 1) * (self.rightmost[1] - self.first_column + 1)

    def check_area(self, sheet: str, rows: int = 0, columns: int = 0) -> None:
        """Raises TooLarge where the rectangle, or the one of so many rows and columns that the file claims, is too large."""
        area = max(self.area, rows * columns)
        if area <= MAX_AREA:
            return
        first = a1((max(0, self.first_row), max(0, self.first_column)))
        last = a1((max(self.lowest[0], rows - 1), max(self.rightmost[1], columns - 1)))
        detail = f"sheet '{sheet}' reaches from {first} to {last}, {area} cells of which {self.cells} hold something"
        if self.cells * 10 < area:
            far = max(self.lowest, self.rightmost, key=lambda place: place[0] + 64 * place[1])
            raise TooLarge(f"{detail}; clear what stands far away from the table, as in {a1(far)}")
        raise TooLarge(f"{detail}; at most {MAX_AREA} are read; save it as CSV or Parquet")

    def warnings(self, sheet: str) -> list[dict[str, Any]]:
        """Warnings, each with its place."""
        found = []

        def tell(code: str, tally: Tally, one: Sentence, many: str, rest: Sentence) -> None:
            if tally.count:
                assert tally.first is not None
                count = one if tally.count == 1 else say(many, count=tally.count)
                where = column_name(tally.first[1]) if code == "HIDDEN_COLUMNS" else a1(tally.first)
                where = str(tally.first[0] + 1) if code == "HIDDEN_ROWS" else where
                detail = say("sheet '{sheet}' has {count} in {where}{rest}", sheet=sheet, count=count, where=where, rest=rest)
                found.append(notice(code, detail, column=None))

        kinds = ", ".join(f"{word} {count}" for word, count in self.error_words.most_common(4))
        tell(
            "ERROR_CELLS",
            self.errors,
            say("1 cell with an error"),
            template("{count} cells with errors, the first"),
            say(" ({kinds}): read as gaps; mend the formulas", kinds=kinds),
        )
        rest = say(": read as gaps; open the file in a spreadsheet program and save it, which stores the results")
        tell(
            "FORMULA_WITHOUT_RESULT",
            self.unanswered,
            say("1 formula without a stored result"),
            template("{count} formulas without a stored result, the first"),
            rest,
        )
        rest = say(
            ", and asks to be calculated when it is opened: such a 0 may stand for no result; open the file in a spreadsheet "
            "program and save it, which stores the results"
        )
        tell(
            "FORMULA_WITHOUT_RESULT",
            self.doubtful,
            say("1 formula whose stored result is 0"),
            template("{count} formulas whose stored result is 0, the first"),
            rest,
        )
        merged = Tally(len(self.merged), min((start for start, _ in self.merged), default=None))
        rest = say(
            ": a merged range has its value in its first cell alone, the others are gaps; undo the merging where each is meant"
        )
        tell("MERGED_CELLS", merged, say("1 merged range"), template("{count} merged ranges, the first"), rest)
        tell(
            "HIDDEN_ROWS",
            self.hidden_rows,
            say("1 hidden row"),
            template("{count} hidden rows, the first"),
            say(": read as the others are; delete what is not meant"),
        )
        tell(
            "HIDDEN_COLUMNS",
            self.hidden_columns,
            say("1 hidden column"),
            template("{count} hidden columns, the first"),
            say(": read as the others are; leave out what is not meant"),
        )
        return found
