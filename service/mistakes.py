"""The mistakes that validation found in a request, in words that need no knowledge of what validates: where, and the remedy."""

from collections.abc import Mapping, Sequence
from typing import Any

Entry = Mapping[str, Any]
TRIED = ("_type", "literal_error", "none_required")
"""Ends of the types of mistakes that say that a value is of another kind: in a union, of each kind that was tried."""


def told(entries: Sequence[Entry], body: Any) -> list[tuple[str, str]]:
    """Each place as a JSON pointer, once, in the order of the entries, with what is wrong there.

    Where a value may be of several kinds and is of none, that is told as an alternative. Where it is of a kind and
    something within it is wrong, the kinds that it is not are not told.
    """
    found: dict[str, dict[str, bool]] = {}
    for entry in entries:
        if entry["type"] == "too_short" and len(entry["input"]) >= entry["ctx"]["min_length"]:
            continue  # it is short only of the entries that are wrong, which are named themselves
        place = found.setdefault(_pointer(entry, body), {})
        place[_remedy(entry)] = entry["type"].endswith(TRIED)
    within = {pointer[:end] for pointer in found for end, letter in enumerate(pointer) if letter == "/"}
    return [
        (pointer, _alternatives(list(texts)))
        for pointer, texts in found.items()
        if not (pointer in within and all(texts.values()))
    ]


def _alternatives(texts: list[str]) -> str:
    if len(texts) == 1:
        return texts[0]
    if all(text.startswith("must be ") for text in texts):
        return f"must be either {' or '.join(text.removeprefix('must be ') for text in texts)}"
    return f"either {', or '.join(texts)}"


def _pointer(entry: Entry, body: Any) -> str:
    """A pydantic location as a JSON pointer: a union's tags and branches, which are not in the body, are left out."""
    loc = entry["loc"]
    if not loc or loc[0] != "body":
        return "/" + "/".join(str(part) for part in loc)  # a query parameter, a header or a part of the path
    value, parts = body, []
    for part in loc[1:]:
        if (isinstance(value, dict) and part in value) or (
            isinstance(value, list) and isinstance(part, int) and part < len(value)
        ):
            value = value[part]
        elif not (entry["type"].startswith("missing") and part == loc[-1]):
            continue
        parts.append(str(part).replace("~", "~0").replace("/", "~1"))
    return "".join(f"/{part}" for part in parts)


WORDS = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "dataclass_type": "must be a JSON object",
    "dict_type": "must be a JSON object",
    "extra_forbidden": "there is no such field; remove it or mend its name",
    "float_parsing": "must be a valid number",
    "float_type": "must be a valid number",
    "int_from_float": "must be an integer",
    "int_parsing": "must be an integer",
    "int_parsing_size": "must be an integer of fewer digits",
    "int_type": "must be an integer",
    "list_type": "must be a JSON array",
    "missing": "this field is needed; add it",
    "missing_keyword_only_argument": "this field is needed; add it",
    "model_attributes_type": "must be a JSON object",
    "model_type": "must be a JSON object",
    "multiple_argument_values": "this field is given twice; give it once",
    "none_required": "must be null",
    "string_pattern_mismatch": "is not written as this field is; /docs has its pattern",
    "string_type": "must be text",
    "string_unicode": "must be text of whole characters",
    "tuple_type": "must be a JSON array",
    "unexpected_keyword_argument": "there is no such field; remove it or mend its name",
}


def _remedy(entry: Entry) -> str:
    kind, context = entry["type"], entry.get("ctx", {})
    if kind in ("missing", "missing_keyword_only_argument") and tuple(entry["loc"]) == ("body",):
        return "a body is needed; send JSON with -H 'Content-Type: application/json'"
    if kind in ("too_short", "too_long"):
        what, count = ("at least", context["min_length"]) if kind == "too_short" else ("at most", context["max_length"])
        return f"must hold {what} {count}; it holds {len(entry['input'])}"
    if kind in ("string_too_short", "string_too_long"):
        what, count = ("at least", context["min_length"]) if kind == "string_too_short" else ("at most", context["max_length"])
        characters = "character" if count == 1 else "characters"
        return f"must have {what} {count} {characters}; it has {len(entry['input'])}"
    return WORDS.get(kind) or str(entry["msg"]).removeprefix("Value error, ").replace("Input should", "must")
