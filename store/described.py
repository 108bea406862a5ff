"""The columns of a table described: with what their readings say, and as they were corrected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from engine.tables.features import ColumnKind, pointer
from engine.wording import Sentence, notice, say
from store.errors import ColumnMisfit, NotFound
from store.kinds import Misfit
from store.profile import describe
from store.readings.stored import indexes, listed

Described = list[dict[str, Any]]
NUMBERS = ("numeric", "integer")
MOST_NAMED = 20
OF_READING = ("words", "unit", "role")


@dataclass(frozen=True)
class Correction:
    """A column's kind as somebody who knows says it, None for words of whichever kind; `place` is that of the entry in what
    was sent, and None where it was said before: then what does not fit any more is left out, and told.
    """

    name: str
    kind: ColumnKind | None
    place: int | None = None


def as_read(columns: Sequence[Mapping[str, Any]], source: Mapping[str, Any]) -> Described:
    """The descriptions with what the columns' readings say: the words for false and true, a unit, that it is an index."""
    readings, names = listed(source), indexes(source)
    found = []
    for column in columns:
        added: dict[str, Any] = {}
        reading = readings.get(column["name"])
        if reading is not None and reading.words and column["kind"] == "boolean":
            added["words"] = list(reading.words)
        if reading is not None and reading.unit and column["kind"] in NUMBERS:
            added["unit"] = reading.unit
        if column["name"] in names:
            added["role"] = "index"
        found.append({**{name: value for name, value in column.items() if name not in OF_READING}, **added})
    return found


def corrected(
    columns: Sequence[dict[str, Any]], table: pl.DataFrame, corrections: Sequence[Correction], source: Mapping[str, Any]
) -> tuple[Described, Described]:
    """The descriptions, those of corrected columns made anew; and a warning of each correction that was left out.

    Raises NotFound, or ColumnMisfit with the row of each column that does not fit, pointing into the list.
    """
    described, seen = {column["name"]: column for column in columns}, set()
    errors, warnings = [], []
    for correction in corrections:
        name, at = correction.name, ("columns", correction.place)
        if name not in described:
            detail = say("no column '{name}'; there are {names}", name=name, names=", ".join(list(described)[:MOST_NAMED]))
            if correction.place is not None:
                raise NotFound(detail, pointer(*at, "name"))
            warnings.append(_left_out(name, detail))
            continue
        if name in seen:
            errors.append((pointer(*at, "name"), f"column '{name}' is named twice; name it once"))
            continue
        seen.add(name)
        if correction.kind is None:
            continue
        try:
            described[name] = describe(table[name], correction.kind)
        except Misfit as misfit:
            detail = say(
                "column '{name}' cannot be {kind}: row {row} {problem}; choose another kind",
                name=name,
                kind=correction.kind,
                row=misfit.row,
                problem=misfit.detail,
            )
            if correction.place is None:
                warnings.append(_left_out(name, detail))
            else:
                errors.append((pointer(*at, "kind"), detail))
    if errors:
        raise ColumnMisfit(errors)
    return as_read(list(described.values()), source), warnings


def _left_out(name: str, detail: Sentence) -> dict[str, Any]:
    told = say("an earlier correction no longer holds: {detail}", detail=detail)
    return notice("CORRECTION_LEFT_OUT", told, column=name)
