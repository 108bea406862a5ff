"""The forms that stored JSON has had, and the steps from each to the next: whatever else reads it knows the present form only.

The `form` of a row says which form its documents have. `bring_up`, which `store.migrate` calls after the tables are those of
today, takes every row from its form to the present one. Who changes a stored document adds a step here and, so that processes
wait for it, a migration beside it, which may be empty. A step is never changed later, and calls no code that may be.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, select, update

from store.tables import FORM, Dataset, Job, Model, Table

Documents = dict[str, Any]
"""The documents of a row, by column."""
AT_ONCE = 100
"""Rows that are read and written at a time."""
DOCUMENTS: dict[type[Table], tuple[str, ...]] = {
    Dataset: ("source", "columns"),
    Job: ("request", "fitted"),
    Model: ("request", "fitted"),
}
"""Documents that have forms. All other stored JSON has had one only: the values of epochs, warnings, errors, histograms."""


def bring_up(connection: Connection) -> int:
    """Rewrite the rows whose documents have an earlier form. Returns how many there were."""
    return sum(_bring_up(connection, table, names) for table, names in DOCUMENTS.items())


def _bring_up(connection: Connection, table: Any, names: tuple[str, ...]) -> int:
    count, last = 0, 0
    columns = [table.number, table.form, *(getattr(table, name) for name in names)]
    columns += [] if table is Dataset else [table.dataset_id]
    query = select(*columns).where(table.form < FORM).order_by(table.number).limit(AT_ONCE)
    while rows := connection.execute(query.where(table.number > last)).all():
        for row in rows:
            documents = {name: getattr(row, name) for name in names}
            for step in STEPS[row.form :]:
                step[table](connection, row, documents)
            connection.execute(update(table).where(table.number == row.number).values(form=FORM, **documents))
        count, last = count + len(rows), rows[-1].number
    return count


# --- to form 1, of version 0.3, from what commit f1865d1 and versions 0.1 and 0.2 stored ---

REPORT = re.compile(
    r"(?P<number>integer|number) \(decimal '(?P<decimal>.)'(?:, thousands '(?P<thousands>.)'|, thousands \"(?P<quote>')\")?\)"
    r"|boolean \((?P<yes>[^/]+)/(?P<no>[^/]+)\)"
    r"|date \((?P<format>.+?)\)(?P<days>, as days since 1970)?"
)
"""How the readings of columns were written before they were objects."""
INPUT: Mapping[str, Any] = {"shape": [], "other": False, "words": None, "rare": None}
"""The kind of an input of the features from before the field existed."""


def _dataset_1(connection: Connection, row: Row[Any], documents: Documents) -> None:
    source = documents["source"] = dict(documents["source"])
    if isinstance(source.get("sample"), dict):
        _rename(source["sample"], "blobs", "deviation", "std")
    if source.get("kind") == "upload" and "given" not in source:
        source["given"] = _given_1(source)
    for file in (source, *source.get("files", ())):
        if "read" in file:
            columns = {name: reading_1(entry) for name, entry in file["read"].get("columns", {}).items()}
            told = {name: entry for name, entry in columns.items() if entry is not None}
            file["read"] = {**file["read"], "columns": told}
    documents["columns"] = [{"shape": None, **column} for column in documents["columns"]]


def _given_1(source: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an upload's form that its file would have been read alike with."""
    read = source.get("read", {})
    given = {name: read[name] for name in ("encoding", "delimiter", "header") if read.get(name) is not None}
    if "quote" in read:
        given["quote"] = read["quote"] or "none"
    if "missing" in read and source.get("format") in ("csv", "tsv"):
        given["missing"] = ",".join(read["missing"])
    return given


def reading_1(entry: Any) -> dict[str, Any] | None:
    """A column's reading as an object; None where its words do not tell it."""
    if isinstance(entry, dict):
        return entry
    found = REPORT.fullmatch(str(entry))
    if found is None:
        return None
    if found["number"]:
        thousands = found["thousands"] or found["quote"]
        told = {"kind": found["number"], "decimal": found["decimal"], "thousands": thousands}
        return {name: value for name, value in told.items() if value is not None}
    if found["yes"]:
        return {"kind": "boolean", "words": [found["no"], found["yes"]]}
    return {"kind": "date", "format": found["format"]} | ({"days": True} if found["days"] else {})


def _trained_1(connection: Connection, row: Row[Any], documents: Documents) -> None:
    """A job or a model."""
    documents["request"] = _request_1(documents["request"])
    if documents["fitted"] is not None:
        documents["fitted"] = _fitted_1(documents["fitted"], documents["request"], _names(connection, row.dataset_id))


def _request_1(request: Mapping[str, Any]) -> dict[str, Any]:
    found = {**request, "split": {"rounding": "class", **(request.get("split") or {})}}
    if isinstance(found["model"], dict):
        _rename(found["model"].get("initializer"), "normal", "deviation", "std")
    _rename(found.get("optimizer"), "rmsprop", "decay", "rho")
    _rename(found.get("schedule"), "inverse_time", "decay", "decay_rate")
    return found


def _rename(document: Any, kind: str, earlier: str, name: str) -> None:
    if isinstance(document, dict) and document.get("kind") == kind and earlier in document:
        document[name] = document.pop(earlier)


def _fitted_1(fitted: Mapping[str, Any], request: Mapping[str, Any], columns: list[str]) -> dict[str, Any]:
    inputs = [{**INPUT, **entry} for entry in fitted["features"]["inputs"]]
    target = fitted["target"]
    if "kind" not in target:
        is_class = target["classes"] is not None
        target = {"names": [target["name"]], "kind": "classes" if is_class else "numbers"}
        target |= {"classes": fitted["target"]["classes"]} if is_class else {}
    read = [entry["name"] for entry in inputs] + target["names"]
    return {
        "kinds": {entry["name"]: entry["kind"] for entry in inputs},
        "words": {},
        "columns": list(dict.fromkeys([*columns, *read])),
        "read": None,
        **fitted,
        "features": {"renamed": [], **fitted["features"], "inputs": inputs},
        "target": target,
    }


def _names(connection: Connection, dataset_id: str) -> list[str]:
    """The columns of a dataset; none where it is gone."""
    columns = connection.execute(select(Dataset.columns).where(Dataset.id == dataset_id)).scalar_one_or_none()
    return [column["name"] for column in columns or ()]


Step = Mapping[type[Table], Callable[[Connection, Row[Any], Documents], None]]
STEPS: tuple[Step, ...] = ({Dataset: _dataset_1, Job: _trained_1, Model: _trained_1},)
"""The step that leads from each form to the next."""
assert len(STEPS) == FORM
