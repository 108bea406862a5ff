"""How delimited text is laid out, found out from its first and last rows."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl

from engine.wording import Sentence, say
from store.errors import UnreadableFile
from store.formats.cell_types import TYPED, type_of
from store.formats.dialect import ROW_BYTES, Dialect, Relaid, unreadable
from store.formats.footer import Bottom, bottom_of
from store.formats.header import COMMENTS, Top, kinds_of, named, names_of, second_table, top_of, trimmed, width_of
from store.formats.quotes import line_at, quotes_of
from store.formats.reading import CELL_BYTES, MAX_COLUMNS
from store.formats.sampling import SPACES, Row, rows_of_sample
from store.formats.separators import COMMON, RARE, Separators, mark_of, separators_of
from store.formats.text import Text
from store.readings.options import ReadOptions

SAMPLE_BYTES, SAMPLE_ROWS = 64 * 1024, 20
"""The sample has so many bytes, and more where these are fewer rows."""
HINT = re.compile(r'"?sep=(.|\\t)"?[;,\t|]*\r?\n', re.IGNORECASE)
MARKS = np.zeros(256, bool)
"""Letters that may part cells, or end a line."""
MARKS[list(b"\t ,;|:~^\r\n")] = True
APOSTROPHES = re.compile(r"\s*'(?:[^'\\]|''|\\.)*'\s*")
SAYS = {None: None, "doubled": False, "backslash": True}


def dialect_of(text: Text, options: ReadOptions, delimiter: str | None) -> tuple[Dialect, Text, int]:
    """The dialect, the rows below any header, and the line they begin in. Raises UnreadableFile."""
    text, line = _below(text, options.skip_lines or 0)
    sample, is_whole = _sample(text)
    hint = HINT.match(sample) if options.skip_lines is None and delimiter is None else None
    if hint:
        delimiter = "\t" if hint[1] == "\\t" else hint[1]
    comment = None if options.comment == "none" else options.comment
    bare, start = _without_comments(sample, comment), hint.end() if hint else 0
    separators = separators_of(bare[start:], delimiter, options.quote, SAYS[options.escape])
    rows = rows_of_sample(sample[start:], separators.delimiter, separators.quote, separators.escape, line=line + bool(hint))
    if len(rows) > 1 and not is_whole:
        rows.pop()
    if options.comment is None:
        comment = _comment(rows)
    comments = [row for row in rows if comment and _begins(row, comment)]
    rows = [row for row in rows if not (comment and _begins(row, comment))]
    if all(row.is_blank for row in rows):
        raise UnreadableFile("the file holds blank lines alone; upload a file with a header and at least one row")
    untrimmed = {row.line: len(row.cells) for row in rows}
    rows = trimmed(rows)
    top = top_of(rows, options.header, options.skip_lines is not None)
    drawn = [top.ruler] if top.ruler is not None else []
    above = rows[max([*top.titles, *top.names, *drawn])] if top.titles or top.names else None
    end = start + (above.end if above else 0)
    _check_top(sample[: end or start + rows[0].end], line, separators, is_whole)
    below = above.after if above else line + bool(hint)
    rest = Text(text.path, text.encoding, text.start + len(sample[:end].encode()), text.end)
    body = [row for place, row in enumerate(rows) if place not in {*top.names, *top.titles} and len(row.cells) == top.width]
    bottom = bottom_of(
        rest, separators, kinds_of([row.cells for row in body[: (len(body) + 1) // 2]], top.width), options.skip_footer, below
    )
    if bottom.notes:
        rest = replace(rest, end=bottom.end)
        body = [row for row in body if row.line < bottom.notes[0]]
    again = second_table(rows, [row for row in body if not top.names or row.cells != rows[top.names[-1]].cells])
    if again:
        raise UnreadableFile(
            f"line {again}, below a blank one, looks like the names of a second table; upload each table as a file of its own, "
            "or leave out the blank line if the rows belong together"
        )
    dialect = _dialect(rows, body, top, separators, options)
    dialect.comment = comment
    there = [place for place, row in enumerate(rows) if place not in top.titles and not row.is_blank]
    first = rows[(top.names or there)[0]]
    dialect.header_line = first.line
    if top.names and len(first.cells) != top.width:  # a header that is a cell short says nothing about the rows
        dialect.header_line = next((row.line for row in rows if len(row.cells) == top.width), first.line)
    if len(top.names) == 1 and first.after == first.line + 1:
        dialect.header = sample[start:end].rstrip("\r\n").rpartition("\n")[2].encode() or None
    for place in top.names:
        if len(rows[place].cells) < untrimmed[rows[place].line]:
            dialect.note(rows[place].line, "delimiters at the end")
    _tell_top(dialect, rows, top, comments, below, hint is not None, line, separators, options)
    _tell_bottom(dialect, bottom)
    return dialect, rest, below


def _tell_bottom(dialect: Dialect, bottom: Bottom) -> None:
    for place in bottom.notes:
        dialect.note(place, "footnote")
    if bottom.notes:
        dialect.report["skip_footer"] = len(bottom.notes)
    if bottom.total:
        detail = say(
            "line {line} looks like a total of the rows above and was read as a row; 'skip_footer' {skip} leaves it out",
            line=bottom.total,
            skip=bottom.skip,
        )
        dialect.warn("TOTAL_ROW", detail)


def _below(text: Text, lines: int) -> tuple[Text, int]:
    """The text below so many lines, and the line it begins in."""
    if not lines:
        return text, 1
    with text.path.open("rb") as file:
        file.seek(text.start)
        for number in range(lines):
            if not file.readline(ROW_BYTES):
                raise UnreadableFile(f"the file has {number} lines, and 'skip_lines' is {lines}; set it lower", "/skip_lines")
        return replace(text, start=file.tell()), lines + 1


def _sample(text: Text) -> tuple[str, bool]:
    """The first rows, and whether they are all."""
    size = SAMPLE_BYTES
    while True:
        data = text.sample(size)
        is_whole = len(data) < size
        if size > 2 * CELL_BYTES:
            _check_length(data)
        if (
            is_whole
            or (data.count(b"\n") >= SAMPLE_ROWS and data.strip())
            or (size > 4 << 20 and data.lstrip(b"\r\n").count(b"\n") > 2)
        ):
            return data.decode("utf-8", "ignore"), is_whole
        if size > ROW_BYTES:
            raise UnreadableFile(f"the first line is longer than {ROW_BYTES} bytes; shorten it, or end it")
        size *= 2


def _check_length(data: bytes) -> None:
    """Raise UnreadableFile for a cell that is too long, before it is looked at in every way that it may be parted."""
    letters = np.frombuffer(data, np.uint8)
    ends = np.concatenate(([-1], np.flatnonzero(MARKS[letters]), [len(letters)]))
    longest = int(np.diff(ends).argmax())
    if ends[longest + 1] - ends[longest] > CELL_BYTES + 2:
        line = 1 + data.count(b"\n", 0, int(ends[longest]) + 1)
        which = "the first line" if not data[: int(ends[longest + 1])].strip(b"\r\n").count(b"\n") else f"line {line}"
        raise UnreadableFile(f"{which} holds more than {CELL_BYTES} bytes in one cell; end it, or shorten that cell")


def _begins(row: Row, comment: str) -> bool:
    return row.cells[0].lstrip().startswith(comment) and not row.quoted


def _without_comments(sample: str, comment: str | None) -> str:
    """The sample without lines that look like comments, where other lines are more."""
    marks = (comment,) if comment else COMMENTS
    lines = sample.split("\n")
    rest = [line for line in lines if not line.startswith(marks)]
    return "\n".join(rest) if 2 * sum(map(bool, rest)) > len([line for line in lines if line]) else sample


def _comment(rows: Sequence[Row]) -> str | None:
    """The prefix of lines that are comments: few of the sample, of another width than the rows, or words above these."""
    there = [row for row in rows if not row.is_blank]
    width = width_of([row for row in there if not row.cells[0].startswith(COMMENTS)] or there)
    for mark in COMMENTS:
        marked = [place for place, row in enumerate(there) if _begins(row, mark)]
        if not marked or 2 * len(marked) > len(there) + (marked[-1] == len(marked) - 1) * len(there):
            continue
        other = [place for place in marked if len(there[place].cells) != width or width == 1]
        leading = marked[-1] == len(marked) - 1
        if leading and len(marked) < len(there):
            last, after = there[marked[-1]], there[marked[-1] + 1]
            if marked[-1] not in other and width > 1 and _holds_data(after) and not last.cells[0].startswith(mark + " "):
                return None  # names of columns
            if marked[-1] not in other and width > 1 and _holds_data(after) and len(marked) == 1:
                return None
            return mark
        if width > 1 and len(other) == len(marked):
            return mark
    return None


def _holds_data(row: Row) -> bool:
    return any(type_of(cell) in TYPED for cell in row.cells)


def _check_top(top: str, line: int, separators: Separators, is_whole: bool) -> None:
    """Raise UnreadableFile for quotes that are wrong above the rows, and for a cell that is too long."""
    if separators.quote and separators.quote in top:
        data = top.encode()
        found = quotes_of(data, mark_of(separators.delimiter), separators.quote.encode(), separators.escape, separators.padded)
        wrong = found.wrong if found.wrong is not None else found.open
        if wrong is not None:
            reason = (
                "its quote does not close"
                if found.wrong is None
                else "letters stand behind a quote that closes, or it does not close"
            )
            raise UnreadableFile(unreadable(line_at(data, wrong, line), reason))


def _dialect(rows: Sequence[Row], body: Sequence[Row], top: Top, separators: Separators, options: ReadOptions) -> Dialect:
    width = top.width
    if width > MAX_COLUMNS:
        raise UnreadableFile(f"the first line has {width} cells; at most {MAX_COLUMNS} columns are read, leave some out")
    if top.names:
        names, row_names = names_of(rows, top.names, width)
    else:
        names, row_names = [f"column_{place}" for place in range(width)], False
    for name in names:
        if len(name.encode()) > CELL_BYTES:
            raise UnreadableFile(f"the first line holds more than {CELL_BYTES} bytes in one cell; end it, or shorten it")
    if len(names) > width:
        if "".join(names[width:]).strip():
            width = len(names)
        else:
            names = names[:width]
    dropped = _empty(names, body, width, bool(top.names))
    found, renamed, unnamed, twice = named(names, dropped)
    dialect = Dialect(
        separators.delimiter, separators.quote, found, bool(top.names), options.markers,
        escape=separators.escape, padded=separators.padded, dropped=dropped, leaves_out=width > 1,
    )  # fmt: skip
    if top.names:
        dialect.report["renamed"] = renamed
        _tell_names(dialect, names, body, row_names, unnamed, twice, found)
    if dropped:
        numbers = [str(place + 1) for place in sorted(dropped)]
        first, more = ", ".join(numbers[:5]), len(numbers) - 5
        some = say("{first} and {more} more", first=first, more=more) if more > 0 else first
        detail = (
            say("columns {some} have no name and hold nothing, as where rows end in a delimiter: left out", some=some)
            if len(numbers) > 1
            else say("column {some} has no name and holds nothing, as where rows end in a delimiter: left out", some=some)
        )
        dialect.warn("EMPTY_COLUMN", detail)
    return dialect


def _empty(names: Sequence[str], body: Sequence[Row], width: int, has_header: bool) -> frozenset[int]:
    """Places of columns with no name that hold nothing; with no header, of the last one."""
    if not body or width < 2:
        return frozenset()
    places = [place for place, name in enumerate(names) if not name.strip()] if has_header else [width - 1] * (len(body) > 1)
    empty = frozenset(place for place in places if place < width and not any(row.cells[place].strip() for row in body))
    return empty if len(empty) < width else frozenset()


def _tell_names(
    dialect: Dialect,
    names: Sequence[str],
    body: Sequence[Row],
    row_names: bool,
    unnamed: Sequence[int],
    twice: Sequence[str],
    found: Sequence[str],
) -> None:
    """Warnings about columns with no name, and about names that come twice."""
    if 0 in unnamed and len(found) > 1:
        cells = [row.cells[0].strip() for row in body]
        if row_names or _is_index(cells):
            dialect.index = found[0]
    elif len(found) > 1 and re.fullmatch(r"Unnamed: 0(\.\d+)?", found[0]) and _is_index([row.cells[0].strip() for row in body]):
        dialect.index = found[0]
    kept = [place for place in range(len(names)) if place not in dialect.dropped]
    for place in unnamed[:20]:
        ours = found[kept.index(place)]
        if ours != dialect.index:
            _tell_unnamed(dialect, place, ours)
    if twice:
        given = ", ".join(f"'{name[:50]}'" for name in list(dict.fromkeys(twice))[:5])
        detail = say(
            "the header names {names} more than once; the later ones got a number, as in '{example}'",
            names=given,
            example=f"{twice[0][:50]}_2",
        )
        dialect.warn("REPEATED_NAME", detail)


def _tell_unnamed(dialect: Dialect, place: int, ours: str) -> None:
    detail = say("column {number} has no name in the header and is called '{name}'", number=place + 1, name=ours)
    dialect.warn("UNNAMED_COLUMN", detail, ours)


def _is_index(cells: Sequence[str]) -> bool:
    """Whether the cells count from 0 or 1, as often as they like, or are words that all differ."""
    if not cells:
        return False
    if all(cell.isdigit() for cell in cells):
        numbers = [int(cell) for cell in cells]
        return numbers[0] in (0, 1) and all(after in (before + 1, numbers[0]) for before, after in pairwise(numbers))
    return len(set(cells)) == len(cells) and all(type_of(cell) in ("words", "code") for cell in cells)


def _tell_top(
    dialect: Dialect,
    rows: Sequence[Row],
    top: Top,
    comments: Sequence[Row],
    below: int,
    has_hint: bool,
    line: int,
    separators: Separators,
    options: ReadOptions,
) -> None:
    if has_hint:
        dialect.note(line, "hint")
    for place in top.titles:
        dialect.note(rows[place].line, "title")
    if top.ruler is not None:
        dialect.note(rows[top.ruler].line, "ruler")
    for row in comments:
        if row.line < below:
            dialect.note(row.line, "comment")
    if top.names and (top.titles or has_hint or options.skip_lines):
        dialect.report["skip_lines"] = rows[top.names[0]].line - 1
    elif top.titles:
        dialect.report["skip_lines"] = rows[top.titles[-1]].after - 1
    if len(top.names) > 1:
        last = rows[top.names[-1]].line
        detail = say(
            "lines {first} to {last} were read as names of columns, joined, as in '{example}'; to take those of the last "
            "alone, set 'skip_lines' to {skip}",
            first=rows[top.names[0]].line,
            last=last,
            example=dialect.names[0][:80],
            skip=last - 1,
        )
        dialect.warn("HEADER_ROWS", detail)
    if top.why and options.header is None:
        if top.names:
            detail = say(
                "the first row was read as names of the columns: {why}; if that is wrong, upload it again with 'header' false",
                why=top.why,
            )
        else:
            detail = say(
                "the first row was read as data, and columns were numbered: {why}; if that is wrong, upload it again with "
                "'header' true",
                why=top.why,
            )
        dialect.warn("READ_AS", detail)
    if separators.rival and options.delimiter is None:
        detail = say(
            "cells are parted by {delimiter}, though {rival} fits nearly as well; if that is wrong, upload it again with "
            "'delimiter' set",
            delimiter=_name(separators.delimiter),
            rival=_name(separators.rival),
        )
        dialect.warn("READ_AS", detail)
    quoted = next((row for row in rows if _has_apostrophes(row.cells)), None)
    if quoted and separators.quote != "'" and options.quote is None:
        detail = say(
            "line {line} holds a cell in apostrophes, which were read as letters; if they enclose cells, upload it again with "
            "'quote' set to '",
            line=quoted.line,
        )
        dialect.warn("QUOTES", detail)
    if top.width == 1:
        _tell_one_column(dialect, rows)


def _has_apostrophes(cells: Sequence[str]) -> bool:
    """Whether apostrophes enclose a cell, or several as they would one that holds the delimiter."""
    if any(APOSTROPHES.fullmatch(cell) for cell in cells):
        return True
    opening = next((place for place, cell in enumerate(cells) if cell.lstrip().startswith("'")), len(cells))
    return any(cell.rstrip().endswith("'") for cell in cells[opening + 1 :])


def _name(delimiter: str) -> Sentence:
    return {"\t": say("tabs"), SPACES: say("spaces")}.get(delimiter) or say("'{delimiter}'", delimiter=delimiter)


def _tell_one_column(dialect: Dialect, rows: Sequence[Row]) -> None:
    """Warn where something that is no letter stands equally often in most rows: it may part cells."""
    cells = [row.cells[0].strip() for row in rows if not row.is_blank][:200]
    if len(cells) < 2:
        return
    for mark in sorted({letter for cell in cells[:20] for letter in cell if not letter.isalnum() and letter not in "\"'"}):
        counts = [len(cell.split()) - 1 if mark == " " else cell.count(mark) for cell in cells]
        often = max(set(counts) - {0}, key=counts.count, default=0)
        is_typed = sum(type_of(cell) in TYPED for cell in cells) > len(cells) / 2
        if not often or counts.count(often) < 0.8 * len(counts) or (is_typed and mark not in (*COMMON, *RARE)):
            continue  # a point or a dash within numbers and dates, but not 0:10, which may be two columns
        field = SPACES if mark == " " else mark
        detail = say(
            "the file was read as one column, though {mark} would part most rows into {parts}; if so, upload it again with "
            "'delimiter' {field}",
            mark=_name(field),
            parts=often + 1,
            field=repr(field),
        )
        dialect.warn("ONE_COLUMN", detail, dialect.names[0])
        return
    counts = [len(re.split(r"\s{2,}", cell)) for cell in cells]
    often = max(set(counts), key=counts.count)
    if often > 1 and counts.count(often) >= 0.8 * len(counts):
        detail = say(
            "the file was read as one column, though two spaces or more part most rows into {parts}; if so, write a delimiter "
            "between cells, for words hold single spaces",
            parts=often,
        )
        dialect.warn("ONE_COLUMN", detail, dialect.names[0])


def relaid(dialect: Dialect, other: Relaid) -> Dialect:
    """The dialect as a later row shows it to be. A column that held nothing in the first rows gets a name."""
    changes = dict(other.changes)
    if "dropped" in changes:
        names: list[str] = []
        before = iter(dialect.names)
        for place in range(dialect.cells):
            if place not in dialect.dropped:
                names.append(next(before))
            elif place not in changes["dropped"]:
                ours = f"column_{place}"
                while ours in dialect.names:
                    ours += "_"
                names.append(ours)
                _tell_unnamed(dialect, place, ours)
        changes["names"] = names
        dialect.warnings = [warning for warning in dialect.warnings if warning["code"] != "EMPTY_COLUMN"]
    return replace(dialect, **changes)


class Index:
    """A column that may number or name the rows, where there is one, looked at batch by batch."""

    def __init__(self, name: str | None) -> None:
        self.name = name
        self.forget()

    def forget(self) -> None:
        """Begin again: forget the batches seen so far."""
        self.is_one = self.name is not None
        self.first: int | None = None
        self.last: int | None = None

    def look(self, batch: pl.DataFrame) -> None:
        if self.name is None or not self.is_one:
            return
        column = batch[self.name]
        if column.null_count():
            self.is_one = False
        elif column.dtype.is_integer() and len(column):
            numbers = column.to_numpy().astype(np.int64)
            self.first = int(numbers[0]) if self.first is None else self.first
            if self.first is not None:
                before = np.append(self.first - 1 if self.last is None else self.last, numbers[:-1])
                self.is_one = bool(((numbers == before + 1) | (numbers == self.first)).all())
                self.last = int(numbers[-1])
        else:
            self.is_one = column.n_unique() == len(column)

    def tell(self, dialect: Dialect) -> None:
        """Warn that it is one, or that it has no name and is none."""
        if self.name is None:
            return
        if not self.is_one:
            detail = say("the first column has no name in the header and is called '{name}'", name=self.name)
            dialect.warn("UNNAMED_COLUMN", detail, self.name)
            dialect.index = None
            return
        what = say("names the rows") if self.first is None else say("counts the rows from {first}", first=self.first)
        detail = say(
            "the first column {what} and is called '{name}': it is no feature unless it is asked for", what=what, name=self.name
        )
        dialect.warn("INDEX_COLUMN", detail, self.name)
