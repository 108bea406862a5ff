import json
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from engine.catalog import FAMILIES, catalog, choices
from engine.errors import InvalidSpec
from engine.parts.metrics import METRICS
from engine.spec import kind_of, members
from engine.tables.samples import IrisSample
from tests.engine import Table, completed, table
from tests.engine.several import DATA, TAGS

CATALOG = catalog()
ENTRIES = [(family, entry) for family, entries in CATALOG.items() for entry in entries]
every_entry = pytest.mark.parametrize(("family", "entry"), ENTRIES, ids=[f"{f}-{e['kind']}" for f, e in ENTRIES])


def test_the_contracts_families() -> None:
    assert set(CATALOG) == {
        "models", "layers", "losses", "optimizers", "schedules", "initializers", "activations", "scalers", "metrics",
    }  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_everything_registered_is_there(family: str) -> None:
    assert [entry["kind"] for entry in CATALOG[family]] == [kind_of(cls) for cls in members(FAMILIES[family])]


def test_every_metric_is_there() -> None:
    assert [entry["kind"] for entry in CATALOG["metrics"]] == list(METRICS)
    assert {(entry["task"], entry["better"]) for entry in CATALOG["metrics"]} <= {
        (task, better) for task in ("classification", "regression", "tagging", "clustering") for better in ("higher", "lower")
    }


@every_entry
def test_an_entry_is_whole(family: str, entry: dict[str, Any]) -> None:
    assert {"kind", "summary", "formula", "derivative", "source", "schema"} <= set(entry)
    assert entry["summary"].endswith(".")
    assert entry["formula"].strip()
    assert entry["source"]
    assert entry["derivative"] is None or entry["derivative"].strip()
    assert (entry["schema"] is None) == (family == "metrics")


def test_it_is_json() -> None:
    assert json.loads(json.dumps(CATALOG, allow_nan=False)) == CATALOG


@every_entry
def test_the_schemas_defaults_make_a_valid_one(family: str, entry: dict[str, Any]) -> None:
    """As a form does that is built from the schema and sent back as it stands."""
    if family == "metrics":
        return
    schema = entry["schema"]
    assert "kind" in schema["required"]
    assert schema["properties"]["kind"]["const"] == entry["kind"]
    document = {name: field["default"] for name, field in schema["properties"].items() if "default" in field}
    adapter: TypeAdapter[Any] = TypeAdapter(FAMILIES[family])
    made = adapter.validate_python({"kind": entry["kind"], **document})
    assert made == adapter.validate_python({"kind": entry["kind"]})
    assert set(schema["required"]) == {"kind"}


def test_each_call_makes_its_own() -> None:
    catalog()["models"].clear()
    assert catalog() == CATALOG


IRIS = table(IrisSample().columns())
TARGETS: dict[str, list[tuple[Table, Any]]] = {
    "regression": [(IRIS, "petal_width")],
    "classification": [(DATA, TAGS[0]), (IRIS, "species")],
    "tagging": [(DATA, list(TAGS))],
    "clustering": [(IRIS, None)],
}
"""What may be trained, by task: of two classes, and of three; without a target."""
ROWS = 60
PIXELS = {f"pixel_{row}_{column}": (np.arange(ROWS) * (row + column)) % 17 for row in range(16) for column in range(16)}
SEEN = table(PIXELS | {"size": np.arange(ROWS) / 7, "pair": np.arange(ROWS) % 2, "kind": np.arange(ROWS) % 3})
IMAGES = [*PIXELS]
OF_IMAGES: dict[str, list[tuple[Table, Any]]] = {
    "regression": [(SEEN, "size")],
    "classification": [(SEEN, "pair"), (SEEN, "kind")],
    "tagging": [(SEEN, ["pair"])],
}
"""The same of images of 16 × 16, for models that read nothing else."""
VALUES: dict[str, Any] = {
    "/optimizer": "momentum", "/schedule": "cosine", "/regularization": {"l2": 0.1}, "/epochs": 7, "/batch_size": 4,
    "/shuffle": False, "/class_weight": "balanced", "/early_stopping": {"monitor": "train_loss"}, "/seed": 5,
    "/weights_seed": 6, "/order_seed": 7,
    "/precision": "float32", "/preprocessing/target_scaling": "standard", "/split/stratify": True,
    "/record/histograms_every": 7, "/record/curves": "batch",
}  # fmt: skip
"""Another value than any default, by pointer."""


def is_taken(choice: dict[str, Any], pose: tuple[Table, Any], **fields: Any) -> bool:
    if pose[0] is SEEN:
        fields["features"] = IMAGES
    model = {"kind": choice["model"]} | ({"solver": choice["solver"]} if choice["solver"] else {})
    try:
        completed(pose[0], **{"target": pose[1], "task": choice["task"], "model": model} | fields)
    except InvalidSpec:
        return False
    return True


@pytest.mark.parametrize("choice", choices(), ids=lambda choice: f"{choice['model']}-{choice['solver']}-{choice['task']}")
def test_choices_are_those_that_a_job_has(choice: dict[str, Any]) -> None:
    poses = (OF_IMAGES if choice["model"] in ("lenet5", "alexnet") else TARGETS)[choice["task"]]
    assert is_taken(choice, poses[0])
    for pointer, value in VALUES.items():
        _, field, *rest = pointer.split("/")
        taken = is_taken(choice, poses[0], **{field: {rest[0]: value} if rest else value})
        assert taken == (pointer not in choice["without"]), pointer
    for loss in (entry["kind"] for entry in CATALOG["losses"]):
        taken = any(is_taken(choice, pose, loss=loss) for pose in poses)
        assert taken == (loss in choice["losses"]), loss
