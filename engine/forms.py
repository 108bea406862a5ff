"""Annotations of how a spec may be written: a member of a union by its name alone, an object by its one number, text by a
pattern that messages tell in words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, get_args

from pydantic import Discriminator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from engine.spec import kind_of

MOST_SHOWN = 50
"""Characters of a wrong value that a message repeats."""


@dataclass(frozen=True)
class ByKind:
    """Tells the members of a union apart by `kind`, and takes the bare name of one for the member with its defaults: "adam"
    for {"kind": "adam"}. It goes out whole, or with `is_brief` as its name where it has nothing but its kind.
    """

    is_brief: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        classes = get_args(source)
        names = [kind_of(cls) for cls in classes]

        def read(value: Any) -> Any:
            if isinstance(value, classes):
                return value
            if isinstance(value, str):
                value = {"kind": value}
            if not isinstance(value, Mapping):
                raise _wrong(f'must be a JSON object with its kind, or its name alone, as in "{names[0]}"; {_choice(names)}')
            if "kind" not in value:
                raise _wrong(f'say which kind, as in {{"kind": "{names[0]}"}}; {_choice(names)}')
            if not isinstance(value["kind"], str):
                raise _wrong(f"its kind must be text; {_choice(names)}")
            if value["kind"] not in names:
                raise _wrong(_unknown(value["kind"], names))
            return value

        told_apart = handler.generate_schema(Annotated[source, Discriminator("kind")])
        serialization = core_schema.wrap_serializer_function_ser_schema(_to_name, schema=told_apart) if self.is_brief else None
        return core_schema.no_info_before_validator_function(read, told_apart, serialization=serialization)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        whole = handler(schema["schema"] if schema["type"] == "function-before" else schema)
        if handler.mode == "serialization" and not self.is_brief:
            return whole
        kinds = {reference: kind for kind, reference in whole["discriminator"]["mapping"].items()}
        return {"anyOf": [{"type": "string", "enum": [kinds[member["$ref"]] for member in whole["oneOf"]]}, whole]}


def _to_name(value: Any, serialize: Any) -> Any:
    document = serialize(value)
    return document["kind"] if set(document) == {"kind"} else document


def _unknown(kind: str, names: list[str]) -> str:
    shown = kind[:MOST_SHOWN]
    near = get_close_matches(shown.lower().replace("-", "_").replace(" ", "_"), names, 1)
    meant = f"did you mean '{near[0]}'? " if near else ""
    return f"'{shown}' is not known; {meant}{_choice(names)}"


def _choice(names: list[str]) -> str:
    *most, last = [f"'{name}'" for name in names]
    return f"choose {', '.join(most)} or {last}"


def _wrong(text: str) -> PydanticCustomError:
    return PydanticCustomError("wrong_form", "{text}", {"text": text})


@dataclass(frozen=True)
class ByNumber:
    """Takes a number alone for the object that has it in the field of that name: 16 for {"units": 16}."""

    field: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def read(value: Any) -> Any:
            if isinstance(value, int | float) and not isinstance(value, bool):
                return {self.field: value}
            if not isinstance(value, Mapping | source):
                raise _wrong(f'must be a number of {self.field}, as in 16, or a JSON object, as in {{"{self.field}": 16}}')
            return value

        return core_schema.no_info_before_validator_function(read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        whole = handler(schema)
        if handler.mode == "serialization":
            return whole
        number = handler.resolve_ref_schema(whole)["properties"][self.field]
        return {"anyOf": [{name: value for name, value in number.items() if name != "title"}, whole]}


@dataclass(frozen=True)
class Matching:
    """Holds text to a pattern, and tells in words what is wrong: `words` goes on from "must be"."""

    pattern: str
    words: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        matching = core_schema.custom_error_schema(
            core_schema.str_schema(pattern=self.pattern), "wrong_form", custom_error_message=f"must be {self.words}"
        )
        return core_schema.chain_schema([handler(source), matching])

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "pattern": self.pattern}
