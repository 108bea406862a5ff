"""What the catalog shows of every family, and what the OpenAPI document asks of their names."""

import re
from collections import Counter
from typing import Any

import pytest
from pydantic import TypeAdapter

from engine.parts.activations import Activation
from engine.parts.initializers import Initializer
from engine.parts.losses import Loss
from engine.parts.metrics import METRICS
from engine.parts.optimizers import Optimizer
from engine.parts.scaling import Scaling
from engine.parts.schedules import Schedule
from engine.spec import kind_of, members
from engine.tables.samples import Sample

FAMILIES = {
    "activation": Activation,
    "loss": Loss,
    "initializer": Initializer,
    "optimizer": Optimizer,
    "schedule": Schedule,
    "scaling": Scaling,
    "sample": Sample,
}
DIFFERENTIABLE = ("activation", "loss", "scaling")
CLASSES = [(family, cls) for family, union in FAMILIES.items() for cls in members(union)]
every_class = pytest.mark.parametrize(("family", "cls"), CLASSES, ids=lambda value: getattr(value, "__name__", value))


def is_balanced(latex: str) -> bool:
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", latex):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    pairs = [(r"\\left\b", r"\\right\b"), (r"\\begin\{", r"\\end\{")]
    return depth == 0 and all(len(re.findall(a, latex)) == len(re.findall(b, latex)) for a, b in pairs)


@every_class
def test_every_class_is_described(family: str, cls: Any) -> None:
    assert re.fullmatch(r"[^.].*[^.]\.", cls.summary()), "the docstring's first line is a sentence"
    assert cls.formula
    assert re.search(r"(1[6-9]|20)\d\d", cls.source) or "course" in cls.source
    assert is_balanced(cls.formula)
    assert is_balanced(cls.derivative)


@every_class
def test_what_can_be_differentiated_says_how(family: str, cls: Any) -> None:
    assert bool(cls.derivative) == (family in DIFFERENTIABLE)


@every_class
def test_every_field_has_a_default_and_survives_the_round_trip(family: str, cls: Any) -> None:
    adapter = TypeAdapter(FAMILIES[family])
    document = adapter.dump_python(cls(), mode="json")
    assert adapter.validate_python(document) == cls()
    assert adapter.validate_python({"kind": kind_of(cls)}) == cls()


@every_class
def test_a_schema_asks_for_the_kind_and_bounds_every_number(family: str, cls: Any) -> None:
    schema = TypeAdapter(cls).json_schema()
    assert "kind" in schema["required"]
    for name, field in schema["properties"].items():
        numeric = field.get("type") in ("integer", "number")
        assert not numeric or {"minimum", "exclusiveMinimum"} & set(field), f"{name} has no lower bound"


@pytest.mark.parametrize(("family", "union"), FAMILIES.items())
def test_a_family_has_a_schema_and_refuses_strangers(family: str, union: Any) -> None:
    adapter = TypeAdapter(union)
    assert adapter.json_schema()
    for stranger in ({"kind": "nonsense"}, {}, {"kind": next(iter(kinds_of(union))), "nonsense": 1}):
        with pytest.raises(ValueError, match="validation error"):
            adapter.validate_python(stranger)


@pytest.mark.parametrize("family", ["activation", "scaling"])
def test_a_bare_name_is_accepted(family: str) -> None:
    adapter = TypeAdapter(FAMILIES[family])
    for cls in members(FAMILIES[family]):
        assert adapter.validate_python(kind_of(cls)) == cls()  # type: ignore[comparison-overlap]


def kinds_of(union: Any) -> list[str]:
    return [kind_of(cls) for cls in members(union)]


@pytest.mark.parametrize(("family", "union"), FAMILIES.items())
def test_kinds_are_unique_in_a_family(family: str, union: Any) -> None:
    assert len(set(kinds_of(union))) == len(kinds_of(union))


def test_class_names_are_unique_over_all_families() -> None:
    """They become the names of OpenAPI components."""
    counts = Counter(cls.__name__ for _, cls in CLASSES)
    assert max(counts.values()) == 1


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_described(name: str) -> None:
    metric = METRICS[name]
    assert metric.name == name
    assert metric.summary.endswith(".")
    assert metric.formula
    assert is_balanced(metric.formula)
    assert re.search(r"(19|20)\d\d", metric.source)
