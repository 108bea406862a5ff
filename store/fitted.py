"""Features, target and readings as they were fitted to the training rows of a job: the form in which they are stored with
the job and its model.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter

from engine.tables.features import Features
from engine.tables.target import Target
from engine.training.prepare import Prepared
from store.readings.stored import Readings

FEATURES: TypeAdapter[Features] = TypeAdapter(Features)
TARGET: TypeAdapter[Target] = TypeAdapter(Target)


def fitted_of(prepared: Prepared, columns: Iterable[str], read: Mapping[str, Any] | None) -> dict[str, Any]:
    """The fit to the training rows, the names of all of the table's `columns`, and how the cells of those that the
    job reads were `read`, as JSON.
    """
    return {
        "features": FEATURES.dump_python(prepared.features, mode="json"),
        "target": TARGET.dump_python(prepared.target, mode="json"),
        "rows": {split: len(rows) for split, rows in prepared.rows.items()},
        "kinds": prepared.kinds,
        "words": prepared.words,
        "columns": list(columns),
        "read": read,
    }


def stored_readings(fitted: Mapping[str, Any]) -> Readings | None:
    """How the columns were read that a model, or a job, was fitted to; None where they were no text, or that is not known."""
    return Readings.of_document(fitted["read"]) if fitted["read"] else None
