"""The formulas of the catalog with numbers of the engine: the dashboard puts numbers into these formulas, and its tests hold
what it finds against what the engine found.

`python -m tests.engine.test_formulas` writes the file again after a formula has changed.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from engine.glass.landscapes import LANDSCAPES, path
from engine.glass.trace import trace
from engine.glass.trace_input import GivenDescent
from engine.parts.activations import Activation
from engine.parts.losses import Loss
from engine.parts.optimizers import Optimizer
from engine.spec import kind_of, members

FILE = Path(__file__).parents[2] / "dashboard/tests/views/glass/formulas.json"


def described(union: Any) -> list[tuple[Any, dict[str, Any]]]:
    found = []
    for cls in members(union):
        one = TypeAdapter(union).validate_python({"kind": kind_of(cls)})
        properties = TypeAdapter(cls).json_schema()["properties"]
        fields = {
            name: {"value": getattr(one, name), "description": properties[name].get("description", "")}
            for name in vars(one)
            if name != "kind"
        }
        found.append((one, {"kind": one.kind, "formula": one.formula, "derivative": one.derivative, "fields": fields}))
    return found


def activations() -> list[dict[str, Any]]:
    found = []
    for function, entry in described(Activation):
        if not function.is_elementwise:
            continue
        Z = np.array([[-1.25, 0.5, 2.0]])
        A, slopes = np.empty_like(Z), np.ones_like(Z)
        function.apply(np, Z, A)
        function.gradient(np, Z, A, slopes, slopes)
        found.append({**entry, "z": Z[0].tolist(), "a": A[0].tolist(), "slope": slopes[0].tolist()})
    return found


def losses() -> list[dict[str, Any]]:
    found = []
    for loss, entry in described(Loss):
        Z = np.array([[0.5, -1.0, 2.5], [0.25, 0.75, -1.0]])
        Y = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
        P, rows, slopes = np.empty_like(Z), np.empty(2), np.empty_like(Z)
        loss.link(np, Z, P)
        loss.rows(np, Z, Y, rows, np.empty_like(Z))
        loss.gradient(np, Z, Y, slopes)
        numbers = {"z": Z, "y": Y, "predictions": P, "row_losses": rows, "gradient": slopes}
        found.append({**entry, **{name: array.tolist() for name, array in numbers.items()}})
    return found


def optimizers() -> list[dict[str, Any]]:
    found = []
    for optimizer, entry in described(Optimizer):
        steps = [*path(LANDSCAPES["himmelblau"], optimizer, (1.0, -2.0), 4)]
        shown = [{"point": step.point, "gradient": step.gradient, "rate": step.rate, "state": step.state} for step in steps]
        found.append({**entry, "slots": optimizer.slots, "steps": shown})
    return found


NETWORK = {
    "layers": [
        {"weights": [[0.15, 0.25], [0.2, -0.3]], "bias": [0.35, 0.1], "activation": "sigmoid"},
        {"weights": [[0.4, 0.5, -0.1], [0.45, 0.55, 0.2]], "bias": [0.6, 0.6, 0.0]},
    ],
    "loss": "cross_entropy",
    "inputs": [[0.05, 0.1], [1.0, -2.0]],
    "targets": [[0, 1, 0], [1, 0, 0]],
    "optimizer": {"kind": "adam", "learning_rate": 0.1},
}


def steps() -> list[dict[str, Any]]:
    """A trace as the API answers it."""
    given = TypeAdapter(GivenDescent).validate_python(NETWORK)
    descent, update, found = given.descent(), given.update(), []
    for _ in range(3):
        quantities = [
            {
                "stage": each.stage,
                "name": each.name,
                "layer": each.layer,
                "formula": each.formula,
                "shape": list(each.values.shape),
                "values": each.values.tolist(),
            }
            for each in trace(descent, update)
        ]
        found.append({"step": update.step, "quantities": quantities})
    return found


def written() -> str:
    document = {"activations": activations(), "losses": losses(), "optimizers": optimizers(), "steps": steps()}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def test_the_dashboard_is_tested_with_the_formulas_of_today() -> None:
    kept, found = json.loads(FILE.read_text()), json.loads(written())
    assert [[each["formula"] for each in step["quantities"]] for step in kept.pop("steps")] == [
        [each["formula"] for each in step["quantities"]] for step in found.pop("steps")
    ]
    for family, entries in found.items():
        assert [entry["kind"] for entry in kept[family]] == [entry["kind"] for entry in entries]
        for before, now in zip(kept[family], entries, strict=True):
            assert (before["formula"], before["derivative"], before["fields"]) == (
                now["formula"],
                now["derivative"],
                now["fields"],
            )


if __name__ == "__main__":
    FILE.write_text(written())
