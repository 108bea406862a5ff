"""Everything registered, described from its one declaration: a form can be built from it."""

import re
from typing import Any, get_args

from pydantic import TypeAdapter

from engine.models.kinds import AnyModel
from engine.network.layers import Layer
from engine.parts.activations import Activation
from engine.parts.initializers import Initializer
from engine.parts.losses import Loss
from engine.parts.metrics import METRICS
from engine.parts.optimizers import Optimizer
from engine.parts.scaling import Scaling
from engine.parts.schedules import Schedule
from engine.spec import Described, kind_of, members
from engine.tables.samples import Sample
from engine.training.completion import losses_of, without_meaning
from engine.wording import Translation

FAMILIES: dict[str, Any] = {
    "models": AnyModel,
    "layers": Layer,
    "losses": Loss,
    "optimizers": Optimizer,
    "schedules": Schedule,
    "initializers": Initializer,
    "activations": Activation,
    "scalers": Scaling,
}


def catalog(translation: Translation = str) -> dict[str, list[dict[str, Any]]]:
    """By family: kind, title, summary, formula and derivative in LaTeX, source, and the JSON Schema of the fields."""
    entries = {family: [_described(cls, translation) for cls in members(union)] for family, union in FAMILIES.items()}
    entries["metrics"] = [
        {
            "kind": metric.name,
            "title": translation(metric.heading()),
            "summary": translation(metric.summary),
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
    """The choices that each model, solver and task leaves: the losses, and pointers to the fields that mean nothing."""
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


def _described(cls: Any, translation: Translation) -> dict[str, Any]:
    return {
        "kind": kind_of(cls),
        "title": translation(cls.heading()),
        "summary": translation(cls.summary()),
        "formula": cls.formula,
        "derivative": cls.derivative or None,
        "source": cls.source or None,
        "schema": schema_in(TypeAdapter(cls).json_schema(), translation),
    }


UNIONS = (*FAMILIES.values(), Sample)
TITLES = {cls.__name__: cls.heading() for union in UNIONS for cls in members(union) if issubclass(cls, Described)}
"""Names for people, by that of the class, which is a schema's title."""
WORDS = re.compile(r"[A-Z][a-z0-9]*|[a-z0-9]+")
TEXTS = ("title", "description")
VALUES = ("default", "examples", "const", "enum")


def schema_in(schema: Any, translation: Translation) -> Any:
    """A JSON Schema with its titles and descriptions translated."""
    if isinstance(schema, list):
        return [schema_in(each, translation) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: _entry_in(name, entry, translation) for name, entry in schema.items()}


def _title(name: str) -> str:
    """The name for people of a class or a field, whose own is LikeThis or Like This."""
    return TITLES.get(name) or " ".join(WORDS.findall(name)).capitalize()


def _entry_in(name: str, entry: Any, translation: Translation) -> Any:
    if name in TEXTS and isinstance(entry, str):
        return translation(_title(entry) if name == "title" else entry)
    return entry if name in VALUES and not isinstance(entry, dict) else schema_in(entry, translation)
