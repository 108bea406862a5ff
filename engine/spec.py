"""The base of every spec of the engine: a frozen dataclass with a `kind`, bounded fields and its behavior.

One declaration gives the request schema, the OpenAPI text, the defaults, the stored JSON and the catalog entry.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, TypeVar, dataclass_transform, get_args, get_origin

from pydantic import AliasChoices, BeforeValidator, ConfigDict, Field, model_serializer
from pydantic.dataclasses import dataclass as pydantic_dataclass


def _whole(value: Any) -> Any:
    return int(value) if type(value) is float and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""Has an integer be read as JSON Schema does, to which 261.0 is one. It comes after the bounds, which see the integer."""

# Strict, so that a body is held to its schema: "3" is not 3, and true is not 1. (A whole number is a valid float.)
PositiveFloat = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
NonNegativeFloat = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
FiniteFloat = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Decay = Annotated[float, Field(strict=True, ge=0, lt=1)]
"""A share of the past that is kept at each step: momentum, moving averages."""
Share = Annotated[float, Field(strict=True, ge=0, lt=1)]
"""A share of rows or units, [0, 1)."""
PositiveInt = Annotated[int, Field(strict=True, ge=1), WHOLE]
NonNegativeInt = Annotated[int, Field(strict=True, ge=0), WHOLE]
Seed = Annotated[int, Field(strict=True, ge=0, lt=2**53), WHOLE]
Flag = Annotated[bool, Field(strict=True)]

Class = TypeVar("Class", bound=type)


def _as_sent(schema: dict[str, Any]) -> None:
    """A union is told apart by `kind`, so the schema must ask for it although Python code may leave it out; and a default
    that is nothing but a kind is written as its name.
    """
    properties = schema.get("properties", {})
    for declared in properties.values():
        if isinstance(declared.get("default"), dict) and set(declared["default"]) == {"kind"}:
            declared["default"] = declared["default"]["kind"]
    if "kind" in properties:
        properties["kind"].pop("default", None)
        schema["required"] = ["kind", *schema.get("required", [])]


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(Field,))
def spec(cls: Class) -> Class:
    """Declare a spec: frozen, keyword-only, validated when made, unknown fields refused."""
    config = ConfigDict(extra="forbid", json_schema_extra=_as_sent)
    return pydantic_dataclass(frozen=True, kw_only=True, config=config)(cls)  # type: ignore[return-value]


def without_unset(*names: str) -> Any:
    """A serializer of a spec that leaves those fields out while they are null: what most jobs do without is not shown."""

    def serialize(self: Any, handler: Any) -> Any:
        document = handler(self)
        return {name: entry for name, entry in document.items() if entry is not None or name not in names}

    return model_serializer(mode="wrap")(serialize)


_EARLIER: dict[str, set[str]] = {}
"""From a name that fields had earlier to those they go by now."""


def renamed(name: str, earlier: str, *, description: str, **given: Any) -> Any:
    """A field that stored and sent specs may also call by the name that it had earlier."""
    _EARLIER.setdefault(earlier, set()).add(name)
    told = f"{description} Its earlier name, {earlier}, is still taken."
    return Field(validation_alias=AliasChoices(name, earlier), description=told, **given)


def present_name(name: str, document: Mapping[str, Any]) -> str:
    """The name by which a field stands in the document, where it is called by an earlier one."""
    return next((now for now in _EARLIER.get(name, ()) if now in document and name not in document), name)


class Described:
    """A thing of the catalog. The first line of its docstring is its summary.

    `formula` and `derivative` are LaTeX; `source` names the paper, book or page that the definition follows.
    """

    title: ClassVar[str] = ""
    """Its name for people, where that is not its kind."""
    formula: ClassVar[str]
    derivative: ClassVar[str] = ""
    source: ClassVar[str] = ""
    kind: str

    @classmethod
    def heading(cls) -> str:
        """Its name for people."""
        return cls.title or heading(kind_of(cls))

    @classmethod
    def summary(cls) -> str:
        return (cls.__doc__ or "").strip().partition("\n")[0]


def heading(kind: str) -> str:
    """A kind as people write it."""
    return kind.replace("_", " ").capitalize()


def members(union: Any) -> Iterator[type]:
    """The classes of an annotated union, in the order in which they are declared."""
    if get_origin(union) is Annotated:
        union = get_args(union)[0]
    yield from get_args(union) or (union,)


def kind_of(cls: type) -> str:
    """The `kind` that a class of a union goes by."""
    return str(get_args(cls.__annotations__["kind"])[0])
