"""Which rows at the top of delimited text name the columns, and which stand above those: found by what differs below."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from engine.wording import Sentence, say
from store.formats.cell_types import TYPED, is_name_like_number, type_of
from store.formats.sampling import Row

BELOW, COLUMNS, CELLS = 200, 2_000, 20_000
"""How many rows below the top are looked at, columns of each, and cells of all."""
MAX_NAMING = 5
COMMENTS = ("#", "%", "//")
RULER = re.compile(r"\s*[-:=+]*\s*")
"""A cell of a line that is drawn below the header."""


@dataclass
class Top:
    """The rows at the top, as places among the sample's rows."""

    width: int
    titles: list[int] = field(default_factory=list)
    """Rows above the header that are none of the table."""
    names: list[int] = field(default_factory=list)
    """Rows that name the columns."""
    ruler: int | None = None
    """A line that is drawn below these."""
    why: Sentence | None = None
    """The evidence for the header, if it is not sure."""


def width_of(rows: Sequence[Row]) -> int:
    """How many cells most rows have; the first row's where no two others agree."""
    widths = Counter(len(row.cells) for row in rows if not row.is_blank and (len(row.cells) > 1 or not row.is_ruler))
    width = max(widths, key=lambda cells: (widths[cells], cells)) if widths else 1
    first = next((len(row.cells) for row in rows if not row.is_blank), 1)
    below = len(rows) - 1
    return width if widths[width] > 1 and (widths[width] > widths[first] or width == first or below < 2) else first


def trimmed(rows: Sequence[Row]) -> list[Row]:
    """The rows without cells at their ends that hold nothing, where most rows have fewer."""
    width = width_of(rows)
    return [
        replace(row, cells=row.cells[:width]) if len(row.cells) > width and not "".join(row.cells[width:]).strip() else row
        for row in rows
    ]


def top_of(rows: Sequence[Row], header: bool | None, keep_titles: bool) -> Top:
    """The meaning of the rows at the top. `keep_titles`: none of them is left out."""
    there = [place for place, row in enumerate(rows) if not row.is_blank]
    width = width_of(rows)
    full = [place for place in there if len(rows[place].cells) == width]
    top = Top(width)
    if not full:
        return top
    if not keep_titles and width > 1 and len(full) > 1:
        top.titles = _titles(rows, there, full, width)
    start = next(place for place in there if place not in set(top.titles))
    if len(rows[start].cells) != width:  # a header with a cell less than the rows, or rows that do not agree
        if header is not False and _is_short_header(rows, start, full, width):
            top.names = [start]
        return top
    body = [place for place in full if place >= start]
    if header is not None:
        top.names = body[:1] if header else []
        return top
    below = [rows[place].cells for place in body]
    count, top.why = _naming_rows(below)
    top.names = body[:count]
    while len(top.names) > 1 and rows[top.names[0]].filled <= 1:
        top.titles.append(top.names.pop(0))
    under = next((place for place in there if top.names and place > top.names[-1]), None)
    if under is not None and width > 1 and len(rows[under].cells) != width and rows[under].is_ruler:
        top.ruler = under
    return top


def _titles(rows: Sequence[Row], there: list[int], full: list[int], width: int) -> list[int]:
    """Rows above the first that has all cells, or that hold one cell alone above a header."""
    first = full[0]
    above = [place for place in there if place < first]
    if above and len(rows[above[-1]].cells) >= 2 and _is_short_header(rows, above[-1], full, width):
        above.pop()
    elif above and len(rows[above[-1]].cells) < width - 1 and len(rows[above[-1]].cells) > 1:
        last = rows[above[-1]]
        if all(not "".join(rows[place].cells[len(last.cells) :]).strip() for place in full):
            above.pop()  # a header with fewer delimiters than the rows, whose last cells are all empty
    if any(_is_data(rows[place].cells) or len(rows[place].cells) > width for place in above):
        return []
    if len(above) >= max(2, len(full)) and len(above) > 30:
        return []
    padded: list[int] = []
    if not above or above[-1] < first:
        for here, after in pairwise(full):
            cells = rows[here].cells
            if width < 3 and rows[after].filled > 1 and here == full[0] and not _is_title_of_two(rows, full):
                break
            if rows[here].filled > 1 or type_of(cells[0]) in TYPED or (rows[here].filled == 0 and not padded):
                break
            padded.append(here)
    if len(full) - len(padded) < 2:
        padded = []
    return above + padded


def _is_title_of_two(rows: Sequence[Row], full: list[int]) -> bool:
    """Whether the first of rows with two cells, whose second is empty, is a title: a header follows it, or an empty row."""
    if len(full) < 3:
        return False
    after = next((place for place in full[1:] if rows[place].filled), None)
    if after is None:
        return False
    kinds = [type_of(cell) for cell in rows[after].cells]
    return after != full[1] or (
        all(kind in ("words", "code") for kind in kinds) and _has_typed([rows[place].cells for place in full[2:]])
    )


def _has_typed(below: Sequence[Sequence[str]]) -> bool:
    return any(kind is not None for kind in kinds_of(below))


def _is_data(cells: Sequence[str]) -> bool:
    """Whether a row has more numbers, dates and the like than words, of two cells or more."""
    kinds = [type_of(cell) for cell in cells if cell.strip()]
    return len(kinds) > 1 and 2 * sum(kind in TYPED or kind == "gap" for kind in kinds) > len(kinds)


def _is_short_header(rows: Sequence[Row], place: int, full: list[int], width: int) -> bool:
    """Whether a row names all columns but the first, which then names the rows as R writes it, or but last ones that are
    empty.
    """
    cells = rows[place].cells
    body = [rows[at].cells for at in full if at > place]
    if len(cells) >= width or not body or _is_data(cells) or not all(cell.strip() for cell in cells):
        return False
    if all(not "".join(row[len(cells) :]).strip() for row in body):
        return True
    if len(cells) != width - 1 or len(body) < 2:
        return False
    if any(type_of(cell) in TYPED and not is_name_like_number(cell) for cell in cells):
        return False
    firsts = [row[0] for row in body]
    if len(set(firsts)) < len(firsts) or not all(cell.strip() for cell in firsts):
        return False
    spaced = [column for column in range(1, width) if all(row[column].startswith(" ") for row in body)]
    some = any(row[column].startswith(" ") for row in body for column in range(1, width) if column not in spaced)
    if some or (spaced and not all(cell.startswith(" ") for cell in cells[1:])):
        return False  # a delimiter with a space after it, in words that are not quoted
    return _has_typed([row[1:] for row in body]) or all(row[0].isdigit() for row in body) or rows[full[-1]].quoted


def kinds_of(below: Sequence[Sequence[str]], width: int = 0) -> list[str | None]:
    """The look of the cells of each column, None for words and if they differ: for `width` columns if there is no
    row.
    """
    if not below:
        return [None] * width
    found: list[str | None] = []
    rows = below[: min(BELOW, max(5, CELLS // max(1, len(below[0]))))]
    for column in zip(*(cells[:COLUMNS] for cells in rows), strict=True):
        kinds = Counter(type_of(cell) for cell in column)
        del kinds["gap"]
        kind, times = kinds.most_common(1)[0] if kinds else (None, 0)
        found.append(kind if kind in TYPED and times >= min(0.8 * kinds.total(), max(2, kinds.total() - 1)) else None)
    return found


def _naming_rows(rows: Sequence[Sequence[str]]) -> tuple[int, Sentence | None]:
    """How many of the first rows name columns, and what told it where it is not sure."""
    if len(rows) == 1:
        return (0, None) if any(type_of(cell) in ("number", "date", "time") for cell in rows[0]) else (1, None)
    first = rows[0][:COLUMNS]
    below = rows[min(len(rows) - 1, max(1, min(MAX_NAMING, len(rows) // 2))) :]
    kinds = kinds_of([row for row in below if row != rows[0]] or below)
    if not any(kinds):
        return _of_words(rows)
    words, same, others = _compared(first, kinds)
    why: Sentence | None = None
    if _counts(first) and not any(_counts(row[:COLUMNS]) for row in rows[1:3]):
        return 1, say("its cells are whole numbers that count, and the rows below do not")
    if not words and not same:
        plain = [cell for cell, kind in zip(first, kinds, strict=True) if kind is None]
        if not any(cell.strip() for cell in plain):
            return 0, None
        count, why = _of_words(rows)
        return (
            (count, why)
            if count and all(not cell.strip() for cell, kind in zip(first, kinds, strict=True) if kind)
            else (0, None)
        )
    if same:
        why = (
            say("1 of its cells is a number, as below")
            if same == 1
            else say("{same} of its cells are numbers, as below", same=same)
        )
        if not others or not _may_be_names(first, [row[:COLUMNS] for row in rows[1:]], kinds, words, same):
            return 0, why if words else None
        words = words or 1
    if not words:
        return 0, None
    count = 1
    while count < min(MAX_NAMING, len(rows) - 1) and list(rows[count]) != list(rows[0]):
        more, numbers, _ = _compared(rows[count][:COLUMNS], kinds)
        is_ruler = all(RULER.fullmatch(cell) for cell in rows[count])
        gaps = [place for place, name in enumerate(first) if not name.strip()]
        fills = more > 0 and len(gaps) > 1 and all(rows[count][place].strip() for place in gaps)  # as below merged cells
        if not is_ruler and (numbers or (not fills and (more < 2 or 2 * more < sum(map(bool, kinds))))):
            break
        count += 1
    if 1 < count < len(rows) - 1 and not any(row[0].strip() for row in rows[:count]):
        name, *rest = rows[count]
        if type_of(name) == "words" and not "".join(rest).strip():
            count += 1  # the index's name, as pandas writes it below names in several rows
    return count, why


def _compared(cells: Sequence[str], kinds: Sequence[str | None]) -> tuple[int, int, bool]:
    """Counts of columns that are no words: in how many the cell is one, in how many it is as below, and whether all of these
    could be names.
    """
    words = same = 0
    name_like = True
    for cell, kind in zip(cells, kinds, strict=True):
        if kind is None:
            continue
        found = type_of(cell)
        if found in ("date", "address") and kind == "number":
            words += 1  # as names of days above counts
        elif found == kind or (found in TYPED and found != "boolean"):
            same += 1
            name_like = name_like and is_name_like_number(cell)
        elif found not in ("gap",) or (cell.strip().isalpha() and len(cell.strip()) > 4):
            words += 1
    return words, same, name_like


def second_table(rows: Sequence[Row], body: Sequence[Row]) -> int | None:
    """The line below a blank one that holds words in all columns that held numbers, dates or the like above it."""
    places = {id(row): place for place, row in enumerate(rows)}
    for number in range(2, len(body) - 1):
        place = places[id(body[number])]
        if rows[place - 1].is_blank:
            kinds = kinds_of([row.cells for row in body[:number]])
            words, same, _ = _compared(body[number].cells[:COLUMNS], kinds)
            if words and not same and words == sum(map(bool, kinds)) and body[number].filled == len(body[number].cells):
                return body[number].line
    return None


def _counts(cells: Sequence[str]) -> bool:
    """Whether the cells count up by one, as names of columns may that have none: three or more."""
    bare = [cell.strip() for cell in cells]
    if bare and type_of(bare[0]) not in TYPED:
        bare = bare[1:]
    if len(bare) < 3 or not all(map(is_name_like_number, bare)):
        return False
    return all(int(cell) == int(bare[0]) + place for place, cell in enumerate(bare))


def _may_be_names(
    first: Sequence[str], below: Sequence[Sequence[str]], kinds: Sequence[str | None], words: int, same: int
) -> bool:
    """Whether a first row with whole numbers above numbers names columns: more of its cells are words above what is none, or
    its numbers are years, rise above fractions, or are codes of one length. It does not where a word of it comes again below,
    in a column of words.
    """
    if any(kind is None and first[at].strip() and any(row[at] == first[at] for row in below) for at, kind in enumerate(kinds)):
        return False
    numbers = [at for at, cell in enumerate(first) if is_name_like_number(cell) and kinds[at] is not None]
    names = {first[at].strip() for at in numbers}
    if len(names) < len(numbers) or same == len(first):
        return False
    under = [row[at] for row in below for at in numbers]
    are_years = all(map(_is_year, names)) and not any(map(_is_year, under))
    rise = len(numbers) > 1 and all(int(first[at]) < int(first[after]) for at, after in pairwise(numbers))
    above_fractions = rise and all("." in cell or "," in cell for cell in under if cell.strip())
    return are_years or above_fractions or words > same or (words > 0 and same > 1 and len({len(name) for name in names}) == 1)


def _is_year(cell: str) -> bool:
    return len(cell.strip()) == 4 and cell.strip().isdigit() and 1500 <= int(cell) <= 2200


def _of_words(rows: Sequence[Sequence[str]]) -> tuple[int, Sentence | None]:
    """Whether the first row of a table of words is data: a word of it comes again below, in its column."""
    first = list(rows[0])
    below = [row for row in rows[1:] if list(row) != first] or rows[1:]
    for place, cell in enumerate(first[:COLUMNS]):
        if cell.strip() and any(row[place] == cell for row in below):
            return 0, say("'{cell}' comes again below it", cell=cell.strip()[:50])
    if any(type_of(cell) in ("number", "date", "time", "address") for cell in first):
        return 0, say("it holds numbers or dates")
    return 1, say("the columns hold words alone, and none of the first row comes again below it")


def names_of(rows: Sequence[Row], places: Sequence[int], width: int) -> tuple[list[str], bool]:
    """The columns' names as the file has them, of several rows joined; and whether the first has none because the header is
    a cell short.
    """
    if len(places) == 1:
        cells = rows[places[0]].cells
        if len(cells) == width - 1 and len(cells) > 0 and _first_is_missing(rows, places[0], width):
            return ["", *cells], True
        return [*cells, *[""] * (width - len(cells))][: max(width, len(cells))], False
    filled = []
    for number, place in enumerate(places):
        cells = ["" if RULER.fullmatch(cell) else cell.strip() for cell in rows[place].cells]
        if number < len(places) - 1 and "" in cells[1:]:  # as merged cells are written
            for at in range(1, len(cells)):
                if not cells[at] and cells[at - 1] and rows[places[-1]].cells[at].strip():
                    cells[at] = cells[at - 1]
        filled.append(cells)
    joined = []
    for column in zip(*filled, strict=True):
        parts = [part for place, part in enumerate(column) if part and part not in column[:place]]
        joined.append(" ".join(parts))
    return joined, False


def _first_is_missing(rows: Sequence[Row], place: int, width: int) -> bool:
    return any(row.cells[-1].strip() for row in rows[place + 1 :] if len(row.cells) == width)


def named(names: Sequence[str], dropped: frozenset[int]) -> tuple[list[str], dict[str, str], list[int], list[str]]:
    """Names that differ, of columns that stay: the names, those of the file that became others, places that had no name, and
    names that came twice.
    """
    bare = [name.strip() for name in names]
    taken = set(bare)
    found: list[str] = []
    seen: set[str] = set()
    numbers: Counter[str] = Counter()
    renamed: dict[str, str] = {}
    unnamed: list[int] = []
    twice: list[str] = []
    for place, name in enumerate(bare):
        if place in dropped:
            continue
        ours = name
        if not name:
            unnamed.append(place)
            ours = f"column_{place}"
            while ours in taken:
                ours += "_"
        elif name in seen:
            twice.append(name)
            numbers[name] = max(2, numbers[name] + 1)
            while f"{name}_{numbers[name]}" in taken:
                numbers[name] += 1
            ours = f"{name}_{numbers[name]}"
        if ours != names[place]:
            key = names[place] if names[place] not in renamed else f"{names[place]} (column {place + 1})"
            renamed[key] = ours
        seen.add(ours)
        taken.add(ours)
        found.append(ours)
    return found, renamed, unnamed, twice
