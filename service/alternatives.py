"""Bodies that have one of several forms, told apart by the fields that only one of them has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args

from pydantic import Discriminator, GetCoreSchemaHandler, Tag, ValidationError
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema


@dataclass(frozen=True)
class ByFields:
    """Annotation of a union of objects: a body is of the form of which it has the most fields that no other has. One that has
    none of these is told what there is to choose from, and which of its fields no form has.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        forms: tuple[Any, ...] = get_args(source)
        names = {form: set(form.__pydantic_fields__) for form in forms}
        own = {form: names[form].difference(*(names[other] for other in forms if other is not form)) for form in forms}
        needed = [[name for name, field in form.__pydantic_fields__.items() if field.is_required()] for form in forms]
        choice = "give either " + ", or ".join(_listed([f"'{name}'" for name in each]) for each in needed)

        def form_of(body: Any) -> str | None:
            if isinstance(body, forms):
                return type(body).__name__
            if not isinstance(body, Mapping):
                return str(forms[0].__name__)
            form = max(forms, key=lambda form: len(own[form] & body.keys()))
            return str(form.__name__) if own[form] & body.keys() else None

        def check(body: Any) -> Any:
            if form_of(body) is None:
                raise ValidationError.from_exception_data("body", [*_mistakes(body)])
            return body

        def _mistakes(body: Mapping[str, Any]) -> list[InitErrorDetails]:
            unknown = [name for name in body if not any(name in names[form] for form in forms)]
            return [
                InitErrorDetails(type=PydanticCustomError("wrong_form", "{choice}", {"choice": choice}), input=body),
                *(InitErrorDetails(type="extra_forbidden", loc=(name,), input=body[name]) for name in unknown),
            ]

        tagged = [Annotated[form, Tag(form.__name__)] for form in forms]
        told_apart = handler.generate_schema(Annotated[_union(tagged), Discriminator(form_of)])
        return core_schema.no_info_before_validator_function(check, told_apart)


def _union(types: list[Any]) -> Any:
    first, *others = types
    for other in others:
        first = first | other
    return first


def _listed(names: list[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
