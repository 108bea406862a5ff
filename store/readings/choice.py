"""How every column of a file is read, decided together: what one column shows settles what another leaves open."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import polars as pl

from engine.wording import say
from store.readings.column import INTEGER, NUMBER, WORDS, ColumnReading, numbers_in
from store.readings.evidence import FORMS, Evidence
from store.readings.markers import GAPS, OF_NUMBERS
from store.readings.notation import GROUPED, Notations, leading_zero, notations, parts_of
from store.readings.options import ReadOptions
from store.readings.telling import Told, told_of_numbers

PAIRS = (("false", "true"), ("no", "yes"))
INFINITE = re.compile("[+-]?inf(?:inity)?", re.IGNORECASE)
CODE = re.compile("[A-Z]{2}")
PLAIN_SHAPES = {"9": INTEGER, "9999": INTEGER, "9.99": NUMBER}
"""Shapes of which nothing is to be asked; there may be very many such columns."""
DAY_FIRST, MONTH_FIRST = ("%d/%m", "%d-%m"), ("%m/%d", "%m-%d")


@dataclass(frozen=True)
class Choice:
    """How a column is read, what Polars may parse it as, and what is told of it: (code, detail)."""

    reading: ColumnReading
    dtype: Any = pl.String
    told: tuple[Told, ...] = ()


@dataclass(frozen=True)
class Chooser:
    """Decides on the columns of one file.

    `delimiter` parts the cells: who parts them by something else than a comma may do so because numbers hold commas.
    `markers` stand for nothing in any column. `texts` are columns that stay words, and `numeric` are columns that hold
    numbers, whatever they look like.
    """

    options: ReadOptions
    delimiter: str
    markers: tuple[str, ...]
    texts: frozenset[str] = frozenset()
    numeric: frozenset[str] = frozenset()

    @property
    def doubtful(self) -> tuple[str, ...]:
        """Markers in columns of numbers alone."""
        return OF_NUMBERS if self.options.missing is None and self.markers == GAPS else ()

    @cached_property
    def is_particular(self) -> bool:
        """Whether plain numbers may mean something else."""
        return self.pair is not None or bool(numbers_in(self.markers))

    @property
    def pair(self) -> tuple[str, str] | None:
        """The words given for no and yes."""
        if self.options.booleans in (None, "keep"):
            return None
        yes, no = self.options.booleans.split("/")
        return no, yes

    def choose(self, columns: Mapping[str, Evidence]) -> dict[str, Choice]:
        """The choice for every column."""
        styles = self._styles()
        possible = {
            name: notations(evidence, styles, name in self.numeric)
            for name, evidence in columns.items()
            if name not in self.texts
        }
        usual = _the_one(found.decimals for found in possible.values() if found is not None and found.marked)
        days = _the_one(_orders(evidence.dates) for evidence in columns.values())
        return {name: self._choose(name, evidence, possible.get(name), usual, days) for name, evidence in columns.items()}

    def _styles(self) -> list[tuple[str, str | None]]:
        """The notations that the options leave open."""
        decimal, thousands = self.options.decimal, self.options.thousands
        if decimal is None and thousands is None:
            return list(GROUPED)
        decimal = decimal or ("," if thousands == "." else ".")
        if thousands is None:
            return [style for style in GROUPED if style[0] == decimal]
        return [(decimal, None if thousands == "none" else thousands)]

    def _choose(self, name: str, evidence: Evidence, numbers: Notations | None, usual: str | None, days: str | None) -> Choice:
        if name in self.texts:
            return Choice(WORDS)
        if not evidence.shapes:
            if evidence.doubtful:
                return Choice(WORDS)  # a mark beside nothing, as * for what is significant
            return Choice(INTEGER, pl.String if evidence.gaps else pl.Int64)
        if evidence.pair and name not in self.numeric and self.pair is not None:
            return self._with_markers(ColumnReading("boolean", words=_written(evidence, *self.pair)), evidence)
        if _is_infinite(evidence) and notations(_finite(evidence), self._styles()) is not None:
            return Choice(NUMBER)  # which is refused with its row
        if numbers is not None and (name in self.numeric or not self._is_code(evidence)):
            return self._number(evidence, numbers, usual)
        found = self._boolean(evidence) or self._date(evidence, days)
        return found or self._words(evidence)

    def _is_code(self, evidence: Evidence) -> bool:
        """Whether the cells look like numbers, and a number would lose some of their text."""
        return evidence.beyond is not None or leading_zero(evidence) is not None

    def _with_markers(self, reading: ColumnReading, evidence: Evidence, told: Sequence[Told] = ()) -> Choice:
        """The choice, with the markers that stand for nothing in this column alone."""
        if evidence.doubtful:
            reading = replace(reading, missing=tuple(sorted(evidence.doubtful)))
        return Choice(reading, told=tuple(told))

    def _number(self, evidence: Evidence, found: Notations, usual: str | None) -> Choice:
        if usual != "," and not evidence.gaps and not evidence.doubtful and not self.is_particular:
            plain = PLAIN_SHAPES.get(next(iter(evidence.shapes))) if len(evidence.shapes) == 1 else None
            if plain is not None and plain in found.readings:
                return Choice(plain, plain.dtype)
        readings = {reading.decimal: reading for reading in found.readings}
        told: list[Told] = []
        if len(readings) == 1:
            reading = found.readings[0]
        elif not found.marked:
            reading = readings.get(usual or ".") or found.readings[0]
        elif usual in readings:
            reading = readings[usual]
        else:
            reading = readings[self._likelier(evidence)]
            if _marks(evidence) and not (self.delimiter == "," and "," in _marks(evidence)):  # 1 234 is the same in both
                told = [told_of_numbers(evidence, reading)]
        accounts = [parts for shape in evidence.shapes if (parts := parts_of(shape)) is not None and parts.accounting]
        if accounts and len(accounts) == len(evidence.shapes):
            detail = say(
                "holds cells such as '{cell}' alone, read as negative numbers; if they are words, name the column in 'words'",
                cell=_first(evidence),
            )
            told.append(("READ_AS", detail))
        choice = self._with_markers(reading, evidence, told)
        bare = replace(reading, decimal=".", thousands=None) if not found.marked or reading.thousands is None else reading
        is_native = (
            bare in (INTEGER, NUMBER) and not evidence.doubtful and not evidence.gaps and reading.decimal in (".", usual)
        )
        if is_native and not self.is_particular and not any("\u2212" in shape for shape in evidence.shapes):
            return replace(choice, dtype=bare.dtype)
        return choice

    def _likelier(self, evidence: Evidence) -> str:
        """The mark before fractions, where each mark has three digits after it."""
        marks = _marks(evidence)
        bare = [shape for shape in evidence.shapes if shape.lstrip("+-").isdigit()]
        if bare and all(len(shape.lstrip("+-")) <= 3 for shape in bare):  # 996 and 1.090: nobody writes fractions so
            return "," if "." in marks else "."
        if "," in marks:
            return "." if self.delimiter == "," else ","
        return "."

    def _words(self, evidence: Evidence) -> Choice:
        """Words; among codes of two capital letters NA is one, as that of Namibia."""
        if "NA" in evidence.gaps and self.doubtful and all(map(CODE.fullmatch, evidence.shapes)):
            evidence.doubtful["NA"] = evidence.gaps.pop("NA")
            return Choice(replace(WORDS, kept=("NA",)))
        return Choice(WORDS)

    def _boolean(self, evidence: Evidence) -> Choice | None:
        if self.options.booleans == "keep" or evidence.wide or len(evidence.shapes) > 16:
            return None
        words = {shape.casefold() for shape in evidence.shapes}
        for no, yes in PAIRS:
            if words <= {no, yes}:
                written = None if no == "false" else _written(evidence, no, yes)
                return self._with_markers(ColumnReading("boolean", words=written), evidence)
        return None

    def _date(self, evidence: Evidence, days: str | None) -> Choice | None:
        if self.options.dates == "keep" or not evidence.dates:
            return None
        fitting = sorted(evidence.dates, key=lambda form: FORMS.index(form) if form in FORMS else -1)
        form, told = fitting[0], []
        orders = _orders(evidence.dates)
        if len(orders) > 1 and days is not None:
            form = next(other for other in fitting if other.startswith(DAY_FIRST if days == "day" else MONTH_FIRST))
        is_open = len(orders) > 1 and days is None
        if self.options.date_format is None and (is_open or "%y" in form):
            detail = say(
                "was read as date ({form}), its first cell '{cell}'; if that is wrong, upload it again with 'date_format' set",
                form=form,
                cell=_first(evidence),
            )
            told = [("READ_AS", detail)]
        return self._with_markers(ColumnReading("date", format=form, days=self.options.dates == "days"), evidence, told)


def _the_one(found: Iterable[frozenset[str]]) -> str | None:
    """The reading that the unambiguous columns agree on; None if there are none, or they do not agree."""
    settled = {next(iter(options)) for options in found if len(options) == 1}
    return settled.pop() if len(settled) == 1 else None


def _orders(dates: frozenset[str] | None) -> frozenset[str]:
    """Whether days or months come first in the formats that fit: both, where the cells do not tell."""
    found = {
        "day" if form.startswith(DAY_FIRST) else "month" for form in dates or () if form.startswith(DAY_FIRST + MONTH_FIRST)
    }
    return frozenset(found)


def _is_infinite(evidence: Evidence) -> bool:
    return not evidence.wide and any(map(INFINITE.fullmatch, evidence.shapes))


def _finite(evidence: Evidence) -> Evidence:
    return Evidence({shape: seen for shape, seen in evidence.shapes.items() if not INFINITE.fullmatch(shape)})


def _marks(evidence: Evidence) -> set[str]:
    return {mark for mark in ".," if any(mark in shape for shape in evidence.shapes)}


def _written(evidence: Evidence, no: str, yes: str) -> tuple[str, str]:
    """The words for no and yes, each as the file mostly writes it; words with digits as they are given."""
    spelled = {shape: seen.count for shape, seen in evidence.shapes.items()}
    no_word, yes_word = no.casefold(), yes.casefold()
    if not {shape.casefold() for shape in spelled} <= {no_word, yes_word}:
        return no, yes
    return _spelling(spelled, no_word, yes_word), _spelling(spelled, yes_word, no_word)


def _spelling(spelled: Mapping[str, int], word: str, other: str) -> str:
    """How the file mostly writes a word; where it does not, in capitals as it writes the other."""
    mine = {written: count for written, count in spelled.items() if written.casefold() == word}
    if mine:
        return max(sorted(mine), key=mine.__getitem__)
    theirs = next(written for written in spelled if written.casefold() == other)
    return word.upper() if theirs.isupper() and len(theirs) > 1 else word.capitalize() if theirs[:1].isupper() else word


def _first(evidence: Evidence) -> str:
    return min(evidence.shapes.values(), key=lambda seen: seen.row).cell[:50]
