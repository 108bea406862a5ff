"""Which settings differ between several documents, such as the completed requests of jobs."""

from collections.abc import Iterator, Mapping
from typing import Any

from engine.tables.features import pointer

Values = Mapping[str, Any]
"""By document, what it holds at a place; a document without the place is left out."""


def differing(documents: Values) -> Iterator[tuple[str, Values]]:
    """JSON pointers to what differs, each with the values there by document. Objects, and lists of objects, are looked into
    where all documents have one; other lists differ as a whole.
    """
    return _differing(documents, list(documents), ())


def _differing(values: Values, everybody: list[str], path: tuple[object, ...]) -> Iterator[tuple[str, Values]]:
    found = list(values.values())
    is_whole = len(found) == len(everybody)
    if is_whole and all(_same(found[0], other) for other in found[1:]):
        return
    if is_whole and all(isinstance(value, Mapping) for value in found):
        names = list(dict.fromkeys(name for value in found for name in value))
        parts = [((*path, name), {each: value[name] for each, value in values.items() if name in value}) for name in names]
    elif is_whole and all(_is_list_of_objects(value) for value in found):
        places = range(max(map(len, found)))
        parts = [((*path, at), {each: value[at] for each, value in values.items() if at < len(value)}) for at in places]
    else:
        yield pointer(*path), values
        return
    for where, part in parts:
        yield from _differing(part, everybody, where)


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(entry, Mapping) for entry in value)


def _same(one: Any, other: Any) -> bool:
    """Whether both are the same JSON, in which true is not 1."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
