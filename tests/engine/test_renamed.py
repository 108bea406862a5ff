"""Fields that were called otherwise: what was stored or is sent by the earlier name is read as before."""

import dataclasses
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from engine.parts.initializers import Initializer
from engine.parts.optimizers import Optimizer
from engine.parts.schedules import Schedule
from engine.spec import present_name
from engine.tables.samples import Sample

RENAMED = [
    (Optimizer, "rmsprop", "decay", "rho"),
    (Schedule, "inverse_time", "decay", "decay_rate"),
    (Initializer, "normal", "deviation", "std"),
    (Sample, "blobs", "deviation", "std"),
]
every = pytest.mark.parametrize(("union", "kind", "earlier", "name"), RENAMED, ids=[each[1] for each in RENAMED])


@every
def test_the_earlier_name_is_taken_and_the_new_one_given_out(union: Any, kind: str, earlier: str, name: str) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(union)
    before, now = ({"kind": kind, each: 0.75} for each in (earlier, name))
    found = adapter.validate_python(before)
    assert found == adapter.validate_python(now) == adapter.validate_json(adapter.dump_json(found))
    document = adapter.dump_python(found, mode="json")
    assert document[name] == 0.75
    assert earlier not in document
    assert dataclasses.replace(found, **{name: 0.5}) == adapter.validate_python({"kind": kind, name: 0.5})
    properties = TypeAdapter(type(found)).json_schema()["properties"]
    assert earlier not in properties
    assert f"earlier name, {earlier}" in properties[name]["description"]


@every
def test_both_names_at_once_are_refused(union: Any, kind: str, earlier: str, name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(union).validate_python({"kind": kind, earlier: 0.5, name: 0.5})


def test_the_name_that_a_document_has() -> None:
    assert present_name("decay", {"kind": "rmsprop", "rho": 0.9}) == "rho"
    assert present_name("decay", {"kind": "inverse_time", "decay_rate": 0.9}) == "decay_rate"
    assert present_name("decay", {"kind": "adam"}) == "decay"
    assert present_name("epochs", {"epochs": 3}) == "epochs"
