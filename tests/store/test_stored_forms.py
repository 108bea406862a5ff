"""Stored JSON of earlier forms is brought to the present one, once, and what is of it stays as it is."""

from typing import Any

import pytest
from sqlalchemy import insert, select, update

from store import stored_forms
from store.database import Database
from store.fitted import FEATURES, TARGET
from store.migrate import migrate
from store.tables import FORM, Blob, Dataset, Job, Model
from tests.store.staging import make_job, row

OPTIMIZER = {"kind": "rmsprop", "learning_rate": 0.01, "decay": 0.8, "epsilon": 1e-8}
REQUEST: dict[str, Any] = {
    "dataset_id": "ds_1",
    "target": "y",
    "model": {"kind": "mlp", "initializer": {"kind": "normal", "deviation": 0.2}},
    "optimizer": OPTIMIZER,
    "schedule": {"kind": "inverse_time", "decay": 0.1},
    "split": {"validation": 0.2},
}
INPUT = {"name": "x", "kind": "numeric", "fill": None, "center": 1.0, "scale": 2.0, "categories": []}


def fitted(classes: list[Any] | None) -> dict[str, Any]:
    return {"features": {"inputs": [INPUT]}, "target": {"name": "y", "classes": classes}, "rows": {"train": 3}}


def earlier(database: Database, **documents: Any) -> Job:
    """A job whose row is that of code which knew no forms."""
    job = make_job(database)
    with database.transaction() as session:
        session.execute(update(Job).where(Job.number == job.number).values(form=0, **documents))
    return job


def test_what_is_written_now_has_the_present_form(database: Database) -> None:
    job = make_job(database)
    assert row(database, job).form == FORM
    with database.transaction() as session:
        assert stored_forms.bring_up(session.connection()) == 0


@pytest.mark.parametrize(
    ("classes", "target"),
    [
        (None, {"kind": "numbers", "names": ["y"]}),
        (["no", "yes"], {"kind": "classes", "names": ["y"], "classes": ["no", "yes"]}),
    ],
)
def test_a_target_without_a_kind_gets_one(database: Database, classes: list[Any] | None, target: dict[str, Any]) -> None:
    job = earlier(database, request=REQUEST, fitted=fitted(classes))
    migrate(database)
    found = row(database, job)
    assert (found.form, found.fitted["target"]) == (FORM, target)
    assert found.fitted["kinds"] == {"x": "numeric"}
    assert found.fitted["columns"] == ["x", "y"]
    FEATURES.validate_python(found.fitted["features"])
    TARGET.validate_python(found.fitted["target"])


def test_fields_get_the_names_that_they_have_now(database: Database) -> None:
    job = earlier(database, request=REQUEST)
    migrate(database)
    found = row(database, job).request
    assert found["optimizer"] == {"kind": "rmsprop", "learning_rate": 0.01, "epsilon": 1e-8, "rho": 0.8}
    assert found["schedule"] == {"kind": "inverse_time", "decay_rate": 0.1}
    assert found["model"]["initializer"] == {"kind": "normal", "std": 0.2}
    assert found["split"] == {"validation": 0.2, "rounding": "class"}


def test_twice_changes_nothing_more(database: Database) -> None:
    job = earlier(database, request=REQUEST, fitted=fitted(None))
    migrate(database)
    once = row(database, job)
    with database.transaction() as session:
        session.execute(update(Job).values(form=0))
    migrate(database)
    again = row(database, job)
    assert (again.request, again.fitted) == (once.request, once.fitted)


def test_a_dataset_that_says_nothing_of_its_reading(database: Database) -> None:
    sources: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "sample": (
            {"kind": "sample", "sample": {"kind": "blobs", "deviation": 0.5}},
            {"kind": "sample", "sample": {"kind": "blobs", "std": 0.5}},
        ),
        "bare": ({"kind": "upload", "format": "csv"}, {"kind": "upload", "format": "csv", "given": {}}),
        "reported": (
            {
                "kind": "upload", "format": "csv",
                "read": {
                    "delimiter": ";", "quote": None, "missing": ["-", "?"],
                    "columns": {
                        "a": "number (decimal ',', thousands '.')", "b": "boolean (ja/nein)", "c": "date (%d.%m.%Y)",
                        "d": "odd",
                    },
                },
            },
            {
                "kind": "upload", "format": "csv", "given": {"delimiter": ";", "quote": "none", "missing": "-,?"},
                "read": {
                    "delimiter": ";", "quote": None, "missing": ["-", "?"],
                    "columns": {
                        "a": {"kind": "number", "decimal": ",", "thousands": "."},
                        "b": {"kind": "boolean", "words": ["nein", "ja"]},
                        "c": {"kind": "date", "format": "%d.%m.%Y"},
                    },
                },
            },
        ),
    }  # fmt: skip
    documents = {"warnings": [], "columns": [{"name": "x", "kind": "numeric"}], "rows": 1, "size": 1, "owner": "ana"}
    with database.transaction() as session:
        session.execute(insert(Blob).values(digest="d" * 64, size=1, content=b"d"))
        for name, (before, _) in sources.items():
            digests = {"digest": "d" * 64, "table_digest": "d" * 64}
            session.add(Dataset(id=name, name=name, source=before, form=0, **digests, **documents))
    migrate(database)
    with database.reading() as session:
        found = {dataset.id: dataset for dataset in session.scalars(select(Dataset))}
    for name, (_, after) in sources.items():
        assert found[name].source == after, name
        assert found[name].columns == [{"name": "x", "kind": "numeric", "shape": None}]


def test_many_rows_are_taken_some_at_a_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_forms, "AT_ONCE", 2)
    found = [earlier(database, request=REQUEST) for _ in range(5)]
    with database.transaction() as session:
        assert stored_forms.bring_up(session.connection()) == 5
    assert {row(database, job).form for job in found} == {FORM}


def test_every_document_with_forms_has_its_steps() -> None:
    assert set(stored_forms.DOCUMENTS) == {Dataset, Job, Model}
    assert [set(step) for step in stored_forms.STEPS] == [set(stored_forms.DOCUMENTS)] * FORM
