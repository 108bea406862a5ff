"""Everything registered, described from its one declaration: a form can be built from it."""

from typing import Any, get_args

from pydantic import TypeAdapter

from engine.activations import Activation
from engine.completion import losses_of, without_meaning
from engine.initializers import Initializer
from engine.losses import Loss
from engine.metrics import METRICS
from engine.models import AnyModel
from engine.optimizers import Optimizer
from engine.scaling import Scaling
from engine.schedules import Schedule
from engine.spec import kind_of, members

FAMILIES: dict[str, Any] = {
    "models": AnyModel,
    "losses": Loss,
    "optimizers": Optimizer,
    "schedules": Schedule,
    "initializers": Initializer,
    "activations": Activation,
    "scalers": Scaling,
}


def catalog() -> dict[str, list[dict[str, Any]]]:
    """By family: kind, summary, formula and derivative in LaTeX, source, and the JSON Schema of the fields."""
    entries = {family: [_described(cls) for cls in members(union)] for family, union in FAMILIES.items()}
    entries["metrics"] = [
        {
            "kind": metric.name,
            "summary": metric.summary,
            "formula": metric.formula,
            "derivative": None,
            "source": metric.source,
            "schema": None,
            "task": metric.task,
            "better": metric.better,
            "unit": metric.unit,
        }
        for metric in METRICS.values()
    ]
    return entries


def choices() -> list[dict[str, Any]]:
    """What is left to choose for each model, solver and task: the losses, and pointers to the fields that mean nothing."""
    found = []
    for cls in members(AnyModel):
        solvers = get_args(cls.__annotations__.get("solver")) or (None,)
        for solver in solvers:
            model = cls() if solver is None else cls(solver=solver)
            for task in sorted(model.tasks):
                losses = {kind_of(loss): None for classes in (2, 3) for loss in losses_of(model, task, classes)}
                without = without_meaning(model, task)
                chosen = {"model": kind_of(cls), "solver": solver, "task": task}
                found.append(chosen | {"losses": [] if "/loss" in without else list(losses), "without": without})
    return found


def _described(cls: Any) -> dict[str, Any]:
    return {
        "kind": kind_of(cls),
        "summary": cls.summary(),
        "formula": cls.formula,
        "derivative": cls.derivative or None,
        "source": cls.source or None,
        "schema": TypeAdapter(cls).json_schema(),
    }
