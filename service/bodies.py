"""JSON bodies: their depth and number of values are bounded before they are parsed; large ones are parsed and validated off
the event loop, and no more of their mistakes are worked out than are told.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

import numpy as np
from fastapi import Request
from fastapi._compat import ModelField
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json
from starlette.exceptions import HTTPException

from engine.errors import InvalidSpec
from service.capacity import capacity_of
from service.dependencies import bearer, get_caller, get_store
from service.middleware import OF_STRANGERS
from service.problems import MOST_ERRORS
from store.errors import TooLarge

LARGE_BYTES = 16 << 10
"""Bodies up to that size are parsed where they are read: that takes less time than to change threads."""
MOST_DEPTH = 64
BLOCK_BYTES = 1 << 20
PREFIX_BYTES = 16 << 10
"""Bytes of a large body that are parsed and validated before all of it is: many mistakes show among the first."""
WINDOW = 4096
"""Entries of every array and object that are validated before all of them are."""
ARTEFACTS = frozenset(
    {"missing", "missing_argument", "missing_keyword_only_argument", "too_short", "value_error", "union_tag_not_found"}
)
"""Mistakes that an array or object may have only because its end was cut off."""


async def read_body(request: Request, field: ModelField) -> None:
    """Read the body of a request and, where it is large, what the endpoint takes of it, so that FastAPI finds it there.

    Raises TooLarge, InvalidSpec or RequestValidationError.
    """
    if _may_be_large(request) and request.scope["path"] != OF_STRANGERS:  # strangers are turned away before they send it
        await run_in_threadpool(get_caller, request, await get_store(request), await bearer(request))
    body = await request.body()
    limit = (await get_store(request)).settings.max_body_values
    if len(body) <= LARGE_BYTES:
        check_shape(body, limit)
        return
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    async with capacity_of(request).turn("bodies"):
        await run_in_threadpool(check_shape, body, limit)
        if is_json:
            request._json = await run_in_threadpool(_validated, field._type_adapter, body)


def _may_be_large(request: Request) -> bool:
    length = request.headers.get("content-length", "")
    return int(length) > LARGE_BYTES if length.isdecimal() and len(length) < 20 else "transfer-encoding" in request.headers


def check_shape(body: bytes, limit: int) -> None:
    """Raises TooLarge for more values than the limit, InvalidSpec for arrays and objects more than MOST_DEPTH deep."""
    opened = body.count(b"[") + body.count(b"{")
    if opened <= MOST_DEPTH and opened + body.count(b",") < limit:
        return  # so few brackets and commas, whether or not they stand in strings
    values, depth = _measure(body)
    if values > limit:
        detail = f"the body holds {values:,} values; send at most {limit:,}, or raise VIDRO_MAX_BODY_VALUES on the server"
        raise TooLarge(detail)
    if depth > MOST_DEPTH:
        raise InvalidSpec([("", f"the body's arrays and objects are {depth:,} deep; nothing here is deeper than {MOST_DEPTH}")])


def _measure(body: bytes) -> tuple[int, int]:
    """An upper bound of how many values a JSON text holds, and how deep they lie, whatever stands in its strings."""
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")  # backslashes stand in strings alone
    values, depth, deepest, in_string = 1, 0, 0, False
    for start in range(0, len(body), BLOCK_BYTES):
        block = np.frombuffer(body, np.uint8, min(BLOCK_BYTES, len(body) - start), start)
        inside = np.logical_xor.accumulate(block == ord('"')) ^ in_string
        in_string = bool(inside[-1])
        opened = ((block == ord("[")) | (block == ord("{"))) & ~inside
        closed = ((block == ord("]")) | (block == ord("}"))) & ~inside
        values += int(np.count_nonzero(opened)) + int(np.count_nonzero((block == ord(",")) & ~inside))
        level = depth + np.cumsum(opened.astype(np.int32) - closed)
        depth, deepest = int(level[-1]), max(deepest, int(level.max()))
    return values, deepest


def _validated(adapter: TypeAdapter[Any], body: bytes) -> Any:
    """The body, validated. Raises RequestValidationError, with some of the mistakes if there are many."""
    cut: dict[int, Any] = {}
    with suppress(ValueError):  # of which all of it will say where and why
        _validate(adapter, _prefix(body, cut), cut)
    parsed = _parsed(body)
    cut = {}
    found = _validate(adapter, _first(parsed, WINDOW, cut), cut)
    return _validate(adapter, parsed, {}) if cut else found


def _validate(adapter: TypeAdapter[Any], part: Any, cut: dict[int, Any]) -> Any:
    """Raises RequestValidationError. Where ends of arrays and objects are cut off, for so many mistakes alone that what was
    cut can make none of them right: a key further on may be what tells a union's alternatives apart.
    """
    try:
        return adapter.validate_python(part, from_attributes=True)
    except ValidationError as error:
        errors = [
            {**entry, "loc": ("body", *entry["loc"])}
            for entry in error.errors(include_url=False)
            if not (id(entry["input"]) in cut and entry["type"] in ARTEFACTS)
        ]
        if not cut or len(errors) >= MOST_ERRORS:
            raise _refusal(errors, part, was_cut=bool(cut)) from None
    return None


def _prefix(body: bytes, cut: dict[int, Any]) -> Any:
    """The first bytes as far as they are whole values; `cut` takes the arrays and objects that may go on. Raises ValueError."""
    last = value = from_json(body[:PREFIX_BYTES], allow_partial=True)
    while isinstance(last, list | dict):
        cut[id(last)] = last
        if not last:
            break
        key = len(last) - 1 if isinstance(last, list) else next(reversed(last))
        if not isinstance(last[key], list | dict):
            del last[key]  # a number may go on, too
            break
        last = last[key]
    return value


def _refusal(errors: list[dict[str, Any]], body: Any, was_cut: bool) -> RequestValidationError:
    most = 10 * MOST_ERRORS  # several may be of one place, as those of a union's alternatives are
    refusal = RequestValidationError(errors[:most], body=body)
    refusal.has_more = was_cut or len(errors) > most  # type: ignore[attr-defined]
    return refusal


def _parsed(body: bytes) -> Any:
    try:
        return from_json(body)
    except ValueError:
        pass  # Python's own parser takes a little more, and says where a mistake is as it is said of small bodies
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        entry = {"type": "json_invalid", "loc": ("body", error.pos), "msg": "JSON decode error", "input": {}}
        raise RequestValidationError([{**entry, "ctx": {"error": error.msg}}]) from None
    except ValueError as error:  # not UTF-8, or a whole number of thousands of digits
        raise HTTPException(400, str(error)) from None


def _first(value: Any, most: int, cut: dict[int, Any]) -> Any:
    """The value with the first entries alone of every array and object; `cut` takes those that had more."""
    if isinstance(value, list):
        kept: Any = [_first(entry, most, cut) for entry in islice(value, most)]
    elif isinstance(value, Mapping):
        kept = {key: _first(entry, most, cut) for key, entry in islice(value.items(), most)}
    else:
        return value
    if len(value) > most:
        cut[id(kept)] = kept
    return kept
