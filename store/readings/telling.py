"""Warnings about how a column was read: a guess, with its evidence and the form field that settles it."""

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce

from engine.wording import Sentence, say
from store.readings.column import ColumnReading
from store.readings.evidence import Evidence, Seen
from store.readings.markers import GAPS, OF_NUMBERS
from store.readings.notation import MARK, is_number, leading_zero, parts_of

Told = tuple[str, Sentence]
"""A warning's code, and its text from the column's name on."""
MOSTLY = 0.8
"""Such a share of numbers makes the other cells of a column of words worth a look; half, where they all are one word."""
MOST_SHOWN, MOST_NAMED = 3, 20
KNOWN = frozenset((*GAPS, *OF_NUMBERS))


def told_of_numbers(evidence: Evidence, reading: ColumnReading) -> Told:
    """A column whose marks could as well mean something else."""
    marked = next(seen for shape, seen in evidence.shapes.items() if "." in shape or "," in shape)
    found = (
        say("decimal '{decimal}', thousands '{thousands}'", decimal=reading.decimal, thousands=reading.thousands)
        if reading.thousands
        else say("decimal '{decimal}'", decimal=reading.decimal)
    )
    detail = say(
        "was read as {kind} ({found}), and nothing in the file tells whether '{cell}' in row {row} has a fraction; if that is "
        "wrong, upload it again with 'decimal' set to {other}",
        kind=reading.kind,
        found=found,
        cell=marked.cell,
        row=marked.row,
        other="," if reading.decimal == "." else ".",
    )
    return "READ_AS", detail


def is_doubtful(evidence: Evidence) -> bool:
    """Whether a column of words may be told to be one of numbers, so that all rows are to be looked at."""
    return any(True for _ in _nearly_numbers(evidence, ()))


def told_of_words(evidence: Evidence, has_known_markers: bool, used: Iterable[str] = ()) -> Iterator[Told]:
    """A column of words that nearly is one of numbers; and markers in it that may be words, where they were not given.

    `used` are the markers of the whole file that were read as gaps: 'missing' replaces them all, so a remedy names them.
    """
    nearly = list(_nearly_numbers(evidence, used))
    yield from nearly
    read = {mark: seen for mark, seen in evidence.gaps.items() if mark}
    if read and has_known_markers:
        others = [mark for mark in used if mark not in read]
        remedy = f"missing={','.join(others)}" if others else say("an empty 'missing'")
        detail = say(
            "holds {marks}, read as gaps; if they are words, upload it again with {remedy}", marks=_listed(read), remedy=remedy
        )
        yield "READ_AS", detail
    if evidence.doubtful and not any(code == "ALMOST_NUMBERS" for code, _ in nearly):
        detail = say(
            "holds {marks}, kept as words; if they stand for nothing, upload it again with missing={missing}",
            marks=_listed(evidence.doubtful),
            missing=_joined(used, evidence.doubtful),
        )
        yield "READ_AS", detail


def _joined(*marks: Iterable[str]) -> str:
    return ",".join(dict.fromkeys(mark for some in marks for mark in some))


def _nearly_numbers(evidence: Evidence, used: Iterable[str]) -> Iterator[Told]:
    zero = leading_zero(evidence)
    if zero is not None:
        detail = say(
            "holds whole numbers with leading zeros, such as '{cell}', and is kept as words, for a number would lose them; "
            "correct its kind to integer if it counts something",
            cell=zero,
        )
        yield "LEADING_ZEROS", detail
    elif evidence.beyond is not None and is_number_like(evidence):
        detail = say(
            "holds numbers of more digits than are kept, such as '{cell}' in row {row}, and is kept as words, so that none "
            "becomes another",
            cell=evidence.beyond.cell[:50],
            row=evidence.beyond.row,
        )
        yield "LARGE_NUMBERS", detail
    elif evidence.shapes and not evidence.wide:
        numbers = [seen for shape, seen in evidence.shapes.items() if is_number(shape)]
        others = {shape: seen for shape, seen in evidence.shapes.items() if not is_number(shape)}
        count, cells = sum(seen.count for seen in numbers), evidence.cells
        if not others and len(numbers) > 1:
            yield "MIXED_NUMBERS", _mixed(list(evidence.shapes.values()))
        elif not others or not numbers:
            return
        elif (
            count >= MOSTLY * cells
            or (count >= cells / 2 and len(others) == 1)
            or all(s.cell in KNOWN for s in others.values())
        ):
            yield "ALMOST_NUMBERS", _almost(count, cells, others, _joined(used, evidence.doubtful))


def _listed(marks: Mapping[str, Seen]) -> tuple[Sentence, ...]:
    return tuple(
        say("'{mark}' in {count} rows (the first is {first})", mark=mark, count=seen.count, first=seen.row)
        for mark, seen in marks.items()
    )


def is_number_like(evidence: Evidence) -> bool:
    """Whether every cell is a number in some notation."""
    return not evidence.wide and all(map(is_number, evidence.shapes))


def _mixed(seen: list[Seen]) -> Sentence:
    units: dict[str | None, Seen] = {}
    marks: dict[str, Seen] = {}
    for one in sorted(seen, key=lambda first: first.row):
        parts = parts_of(one.cell)
        units.setdefault(parts.unit if parts else None, one)
        marks.setdefault("".join(MARK.findall(one.cell)), one)
    what, different = (say("units"), units) if len(units) > 1 else (say("notations"), marks)
    cells = [say("'{cell}' in row {row}", cell=one.cell[:50], row=one.row) for one in list(different.values())[:MOST_SHOWN]]
    shown = reduce(lambda earlier, one: say("{earlier} and {one}", earlier=earlier, one=one), cells)
    return say(
        "holds numbers in several {what}, such as {cells}, and is kept as words; write all in one", what=what, cells=shown
    )


def _almost(count: int, cells: int, others: Mapping[str, Seen], marks: str) -> Sentence:
    odd = sorted(others.values(), key=lambda seen: seen.row)
    shown = [say("row {row} holds '{cell}'", row=one.row, cell=one.cell[:50]) for one in odd[:MOST_SHOWN]]
    shown += [say("and there are more")] if len(odd) > MOST_SHOWN else []
    if len(odd) > MOST_NAMED or any("," in one.cell or len(one.cell) > 50 or "9" in shape for shape, one in others.items()):
        remedy = say("if they stand for nothing, replace them by empty cells")
    else:
        marks = _joined(filter(None, [marks]), (one.cell for one in odd))
        remedy = say(
            "if they stand for nothing, upload it again with missing={missing}, which reads them as gaps", missing=marks
        )
    return say(
        "holds {count} numbers in {cells} cells and is kept as words: {shown}; {remedy}",
        count=count,
        cells=cells,
        shown=tuple(shown),
        remedy=remedy,
    )
