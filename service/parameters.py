"""Query parameters that a route does not have, or has once and was given twice: refused, as unknown fields of a body are."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar, get_args, get_origin

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from starlette.routing import BaseRoute

from service.dependencies import get_caller
from store.keys import Caller

MOST_TOLD = 20
"""Wrong parameters that one answer names."""
LONGEST_NAME = 50
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
_EXTRA: dict[Callable[..., Any], tuple[str, ...] | None] = {}
_KNOWN: dict[Callable[..., Any], dict[str, bool] | None] = {}


def also_takes(*names: str) -> Callable[[Endpoint], Endpoint]:
    """Mark an endpoint that reads these parameters from the query itself."""

    def mark(endpoint: Endpoint) -> Endpoint:
        _EXTRA[endpoint] = names
        return endpoint

    return mark


def takes_any(endpoint: Endpoint) -> Endpoint:
    """Mark an endpoint that checks the names of all its parameters itself."""
    _EXTRA[endpoint] = None
    return endpoint


def parameters_of(route: BaseRoute) -> dict[str, bool] | None:
    """The names that a route takes in its query, each with whether it may be repeated; None where the route checks them."""
    endpoint = route.endpoint  # type: ignore[attr-defined]
    if endpoint not in _KNOWN:
        extra = _EXTRA.get(endpoint, ())
        declared = dict(_declared(route.dependant))  # type: ignore[attr-defined]
        _KNOWN[endpoint] = None if extra is None else declared | dict.fromkeys(extra, False)
    return _KNOWN[endpoint]


def _declared(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    for field in dependant.query_params:
        annotation = field.field_info.annotation
        yield field.alias, any(get_origin(each) in (list, set, tuple) for each in (annotation, *get_args(annotation)))
    for dependency in dependant.dependencies:
        yield from _declared(dependency)


async def refuse_unknown(request: Request, caller: Annotated[Caller, Depends(get_caller)]) -> None:
    """A dependency of every route under /v1. The caller is decided first: who has no key learns of the key.

    Raises RequestValidationError.
    """
    await refuse_unknown_of_all(request)


async def refuse_unknown_of_all(request: Request) -> None:
    """As `refuse_unknown`, for routes that need no key."""
    if not request.scope["query_string"]:
        return
    known = parameters_of(request.scope["route"])
    counts = Counter(name for name, _ in request.query_params.multi_items())
    wrong = {name: text for name, count in counts.items() if (text := _mistake(name, count, known))}
    if wrong:
        errors = [{"type": "unknown_parameter", "loc": _location(name), "msg": text} for name, text in wrong.items()]
        raise RequestValidationError(errors[:MOST_TOLD])


def _location(name: str) -> tuple[str, str]:
    return ("query", name[:LONGEST_NAME].replace("~", "~0").replace("/", "~1"))


def _mistake(name: str, count: int, known: dict[str, bool] | None) -> str | None:
    if known is None or name in known:
        return None if count == 1 or (known or {}).get(name) else f"this parameter is given {count} times; give it once"
    name = name[:LONGEST_NAME]
    if not known:
        return f"there is no parameter '{name}'; this address takes none"
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).replace("-", "_").lower()
    near = get_close_matches(snake, known, 1)
    meant = f"did you mean '{near[0]}'? This address takes" if near else "this address takes"
    return f"there is no parameter '{name}'; {meant} {', '.join(known)}"
