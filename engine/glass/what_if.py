"""A row with some of its cells changed."""

from collections.abc import Mapping
from typing import Any

from engine.errors import InvalidSpec
from engine.tables.features import Column, Features, pointer
from engine.training.predict import columns_of

FORMULA = r"\Delta = f(x') - f(x)"


def changed(features: Features, columns: Mapping[str, Column], changes: Mapping[str, Any]) -> dict[str, Column]:
    """The one row of the columns with other cells in those of the changes, as JSON has them or as they were read.

    Raises InvalidSpec at `/changes/…` for a column that the model does not read, and UnusableData at `/records/0/…` for a
    cell that is not as its column's are.
    """
    names = [entry.name for entry in features.inputs]
    unknown = [name for name in changes if name not in names]
    if unknown:
        told = ", ".join(names[:20]) + (" …" if len(names) > 20 else "")
        raise InvalidSpec(
            [(pointer("changes", name), f"the model reads no column '{name[:50]}'; it reads {told}") for name in unknown[:20]]
        )
    some = Features(tuple(entry for entry in features.inputs if entry.name in changes))
    return {**columns, **columns_of(some, [changes])}
