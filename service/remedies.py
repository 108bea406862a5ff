"""Corrections that do what a warning of a dataset advises: bodies of PATCH /v1/datasets/{id}, read off the warning's English
sentence, which names the form field and its value.
"""

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Remedy = dict[str, Any]
KINDS = {"FREE_TEXT": "categorical", "LEADING_ZEROS": "integer"}
"""By code, the kind that the warning advises for its column."""


def _text(value: str) -> Any:
    return value


READ: tuple[tuple[re.Pattern[str], str, Callable[[str], Any]], ...] = (
    (re.compile(r"upload it again with missing=(.+?)(?:, which reads them as gaps)?$", re.DOTALL), "missing", _text),
    (re.compile(r"upload it again with an empty 'missing'()$"), "missing", _text),
    (re.compile(r"upload it again with 'decimal' set to ([.,])$"), "decimal", _text),
    (re.compile(r"upload it again with 'quote' set to (')$"), "quote", _text),
    (re.compile(r"upload it again with 'header' (true|false)$"), "header", lambda value: value == "true"),
    (re.compile(r"upload it again with 'delimiter' ('.+'|\".+\")$"), "delimiter", ast.literal_eval),
    (re.compile(r"'skip_footer' (\d+) leaves it out$"), "skip_footer", int),
    (re.compile(r"set 'skip_lines' to (\d+)$"), "skip_lines", int),
)
"""How a sentence ends that names a field, and how its value is read."""


def advised(warnings: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Warnings of a dataset, each with the `remedy` that it advises, where that can be sent."""
    found = []
    for warning in warnings:
        remedy = remedy_of(warning)
        found.append({**warning, "remedy": remedy} if remedy else dict(warning))
    return found


def remedy_of(warning: Mapping[str, Any]) -> Remedy | None:
    """The correction that a warning advises; None where it advises none that can be sent."""
    code, column, detail = warning["code"], warning.get("column"), str(warning["detail"])
    if code in KINDS and column is not None:
        return {"columns": [{"name": column, "kind": KINDS[code]}]}
    for pattern, name, value_of in READ:
        found = pattern.search(detail)
        if found:
            return {"read": {name: value_of(found[1])}}
    return None
