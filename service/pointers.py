"""Pointers of errors: the engine's and the store's name a field; where that stands in a request is known here."""

from collections.abc import Iterator
from contextlib import contextmanager

from engine.errors import InputError


@contextmanager
def within(place: str) -> Iterator[None]:
    """Have the pointers of an input's errors lead into that place: a part of the body, or the query."""
    try:
        yield
    except InputError as error:
        error.errors = [(f"/{place}{pointer}", detail) for pointer, detail in error.errors]
        raise
