"""Delimited text: each column read in the one way that fits all its cells, a stretch of rows at a time."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, repeat

import numpy as np
import polars as pl

from engine.wording import notice, say, template
from store.formats.dialect import Dialect, Relaid
from store.formats.layout import Index, dialect_of, relaid
from store.formats.parsing import Misfit, Parser, rows_of
from store.formats.reading import Found, Source
from store.formats.stretches import LEAD, Block, blocks_of
from store.formats.text import Text, as_utf8
from store.readings.choice import Choice, Chooser
from store.readings.column import AROUND, BOOLEAN, INTEGER, NUMBER, WORDS
from store.readings.evidence import Evidence, has_leading_zeros, is_canonical, look, marks_of, plain, some_columns
from store.readings.options import ReadOptions
from store.readings.telling import is_doubtful, told_of_words

USUAL = (INTEGER, NUMBER, BOOLEAN, WORDS)
"""Readings that are not named: each follows from the column's kind."""


def read_csv(source: Source) -> Found:
    """Delimited text: delimiter, header and encoding are found out, every row must have as many cells as the first."""
    return _read(source, source.options.delimiter)


def read_tsv(source: Source) -> Found:
    return _read(source, source.options.delimiter or "\t")


def _read(source: Source, delimiter: str | None) -> Found:
    return read_rows(as_utf8(source.path, source.folder, source.options.encoding), source.options, delimiter)


def read_rows(text: Text, options: ReadOptions, delimiter: str | None) -> Found:
    """A text whose layout is found out. How it was read is known once all batches are there."""
    dialect, rows, line = dialect_of(text, options, delimiter)
    dialect.warnings[:0] = text.warnings
    found = Found(batches=iter(()), read={}, warnings=[])
    found.batches = _laid_out(found, rows, dialect, options, line)
    return found


def _laid_out(found: Found, rows: Text, dialect: Dialect, options: ReadOptions, line: int) -> Iterator[pl.DataFrame]:
    """Every row; anew where a later row shows that the text is laid out otherwise. Then tells how it was."""
    index = Index(dialect.index)

    def restart() -> None:
        index.forget()
        found.restart()

    while True:
        inner = table_of(rows, dialect, options, line)
        inner.restart = restart
        try:
            for batch in inner.batches:
                index.look(batch)
                yield batch
            break
        except Relaid as other:
            restart()
            dialect = relaid(dialect, other)
    index.tell(dialect)
    found.read = {**inner.read, **dialect.read()}
    found.warnings += [*dialect.told(), *inner.warnings]


def table_of(text: Text, dialect: Dialect, options: ReadOptions, line: int) -> Found:
    """The rows of a text that begins in that line, below any header."""
    dialect.texts |= options.texts
    chooser = Chooser(options, dialect.delimiter, dialect.markers, dialect.texts, options.numeric)
    found = Found(batches=iter(()), read={}, warnings=[])
    found.batches = Columns(text, dialect, chooser, line, found).batches()
    found.read = {
        "encoding": text.encoding,
        "delimiter": dialect.delimiter,
        "quote": dialect.quote,
        "header": dialect.has_header,
        "missing": list(dialect.markers),
        "missing_in_numbers": list(chooser.doubtful),
        "columns": {},
    }
    return found


CHANGES = (
    (
        "SPACES",
        template("spaces around words in column '{name}' were left away"),
        template("spaces around words in column '{name}' and {more} more columns were left away"),
    ),
    (
        "ACCENTS",
        template("letters and accents that stood apart (NFC) in column '{name}' were put together"),
        template("letters and accents that stood apart (NFC) in column '{name}' and {more} more columns were put together"),
    ),
)
"""How words may be changed: the warning's code, and its words for one column and for several."""


class Columns:
    """The columns of a text, each read in the one way that fits all of it.

    What the first rows suggest is tried first. Where a later row does not fit, or the first leave something open, all rows
    are looked at, and the batches begin anew.
    """

    def __init__(self, text: Text, dialect: Dialect, chooser: Chooser, line: int, found: Found) -> None:
        self.text, self.dialect, self.chooser, self.line, self.found = text, dialect, chooser, line, found
        self.evidence: dict[str, Evidence] = {}
        self.changed: dict[str, set[str]] = {}
        self.misfits: set[str] = set()
        self._is_whole = False  # whether the evidence is of all rows

    def batches(self) -> Iterator[pl.DataFrame]:
        """Every row. Raises UnreadableFile with the line that is wrong."""
        for look_at in (self._first_look, self._whole_look, *repeat(self._careful_look, self.dialect.width + 1)):
            choices = look_at()
            if choices is None:
                continue
            self.found.restart()
            try:
                parser, row = Parser(self.dialect, [choice.dtype for choice in choices.values()]), 0
                for block in blocks_of(self.text, self.dialect, self.line):
                    table = parser.parse(block)
                    yield self._typed(block, table, choices, row)
                    row += table.height
            except Misfit:
                continue
            self._report(choices)
            return
        raise AssertionError("a column of words always fits")

    def _first_look(self) -> dict[str, Choice] | None:
        """The choices that the first rows suggest; None if further rows have to settle them."""
        first = list(islice(blocks_of(self.text, self.dialect, self.line), 2))
        self.evidence = {name: Evidence() for name in self.dialect.names}
        if first:
            self._look_at(first[0].data, rows_of(first[0], self.dialect, [pl.String] * self.dialect.width), 0)
        choices = self.chooser.choose(self.evidence)
        is_open = any(choice.told or self._is_doubtful(name, choice) for name, choice in choices.items())
        return None if is_open and len(first) > 1 else choices

    def _is_doubtful(self, name: str, choice: Choice) -> bool:
        return choice.reading.kind == "words" and name not in self.dialect.texts and is_doubtful(self.evidence[name])

    def _whole_look(self) -> dict[str, Choice]:
        """The choices by all rows."""
        self._is_whole, self.misfits = True, set()
        self.evidence = {name: Evidence() for name in self.dialect.names}
        row = 0
        for block in blocks_of(self.text, self.dialect, self.line):
            table = rows_of(block, self.dialect, [pl.String] * self.dialect.width)
            self._look_at(block.data, table, row)
            row += table.height
        return self.chooser.choose(self.evidence)

    def _careful_look(self) -> dict[str, Choice]:
        """The same, with nothing parsed as a number that Polars' parser may see otherwise than its cast; a column that still
        holds what does not fit is one of words.
        """
        self.chooser = replace(self.chooser, texts=self.chooser.texts | self.misfits)
        self.misfits = set()
        return {name: replace(choice, dtype=pl.String) for name, choice in self.chooser.choose(self.evidence).items()}

    def _look_at(self, data: bytes, table: pl.DataFrame, row: int) -> None:
        """Gather the evidence of a stretch that begins in that row."""
        zeros = has_leading_zeros(data, self.dialect.mark)
        known = {} if self.chooser.is_particular else plain(table, row)
        for cells in table.iter_columns():
            if cells.name in self.dialect.texts:
                continue
            seen = None if zeros and _leading_zero(cells) else known.get(cells.name)
            self.evidence[cells.name].add(seen or self._look_closer(cells, row))

    def _look_closer(self, cells: pl.Series, row: int) -> Evidence:
        chooser = self.chooser
        return look(cells, row, chooser.markers, chooser.doubtful, chooser.pair, chooser.options.date_format)

    def _typed(self, block: Block, table: pl.DataFrame, choices: dict[str, Choice], row: int) -> pl.DataFrame:
        """The values of a stretch that begins in that row. Raises Misfit."""
        if row and not self._is_whole:
            self._check_numbers(block, table)
        fractions = some_columns(table, [place for place, dtype in enumerate(table.dtypes) if dtype == pl.Float64])
        if fractions.width and np.isinf(fractions.to_numpy()).any():
            raise Misfit  # 1E999 is no number; nor is "inf", which the careful look lets through to be refused
        if pl.String not in table.dtypes:
            return table
        columns = []
        for choice, cells in zip(choices.values(), table.iter_columns(), strict=True):
            values = cells
            if cells.dtype == pl.String:
                values, unread = choice.reading.apply(cells, self.chooser.markers)
                if unread.any():
                    self.misfits.add(cells.name)
                if choice.reading.kind == "words":
                    self._note_changes(cells, values)
                if row and choice.reading.kind == "words" and not self._is_whole and cells.name not in self.dialect.texts:
                    self.evidence[cells.name].add(marks_of(cells, row, self.chooser.markers, self.chooser.doubtful))
            columns.append(values)
        if self.misfits:
            raise Misfit
        return pl.DataFrame(columns)

    def _note_changes(self, cells: pl.Series, words: pl.Series) -> None:
        """Note whether words lost spaces around them, or had letters put together with their accents."""
        noted = self.changed.setdefault(cells.name, set())
        if len(noted) < 2 and (cells != words).any():
            changed = cells.filter((cells != words).fill_null(False))
            bare = changed.str.strip_chars(AROUND)
            noted |= ({"SPACES"} if (bare != changed).any() else set()) | (
                {"ACCENTS"} if (bare.str.normalize("NFC") != bare).any() else set()
            )

    def _check_numbers(self, block: Block, table: pl.DataFrame) -> None:
        """Raises Misfit where a whole number was more in the file's text, as 007 is."""
        whole = [cells.name for cells in table.iter_columns() if cells.dtype.is_integer()]
        if not whole or is_canonical(table, block.data, len(LEAD)) or not has_leading_zeros(block.data, self.dialect.mark):
            return
        text = rows_of(block, self.dialect, [pl.String] * self.dialect.width)
        if any(_leading_zero(text[name]) for name in whole):
            raise Misfit

    def _report(self, choices: dict[str, Choice]) -> None:
        """Name what is not read as it stands, and tell what was guessed."""
        self.found.read["columns"] = {
            name: choice.reading.document for name, choice in choices.items() if choice.reading not in USUAL
        }
        seen = [(self.evidence[name], choice.reading.kind) for name, choice in choices.items()]
        used = [
            *(mark for one, _ in seen for mark in one.gaps if mark),
            *(m for one, kind in seen if kind != "words" for m in one.doubtful),
        ]
        for name, choice in choices.items():
            told = list(choice.told)
            if choice.reading.kind == "words" and name not in self.dialect.texts:
                told += told_of_words(self.evidence[name], self.chooser.options.missing is None, dict.fromkeys(used))
            for code, detail in told:
                told_of = say("column '{name}' {detail}", name=name, detail=detail)
                self.found.warnings.append(notice(code, told_of, column=name))
        for code, one, several in CHANGES:
            changed = [name for name in self.dialect.names if code in self.changed.get(name, ())]
            if changed:
                detail = say(several if len(changed) > 1 else one, name=changed[0], more=len(changed) - 1)
                self.found.warnings.append(notice(code, detail, column=changed[0]))


def _leading_zero(cells: pl.Series) -> bool:
    return bool(cells.str.contains(r"^\s*[+-]?0[0-9]").any())
