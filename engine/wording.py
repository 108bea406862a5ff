"""Sentences that people read, which can be put into another language after they are made: a template and its values.

`say("column '{name}' never changes", name="x")` is the English string, and remembers what it was made of. Whoever answers
a reader translates the template (service/language.py); the catalogs of translations know templates only.
"""

import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Translation = Callable[[str], str]
"""A text or a template in another language; itself, where there is no translation."""


class Sentence(str):
    """A sentence in English, with the template and the values that it was made of. A value may be a Sentence, or several."""

    template: str
    values: Mapping[str, Any]

    def __new__(cls, template: str, values: Mapping[str, Any]) -> "Sentence":
        values = {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}
        made = super().__new__(cls, _put(template, values, lambda text: text, "."))
        made.template, made.values = template, values
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return Sentence, (self.template, self.values)

    def spoken(self, translation: Translation, decimal: str) -> str:
        """The sentence by its template's translation, numbers written with that decimal mark."""
        return _put(translation(self.template), self.values, translation, decimal)

    def document(self) -> dict[str, Any]:
        """As JSON; `read` reads it."""
        return {"text": self.template, "values": {name: _document(value) for name, value in self.values.items()}}

    @staticmethod
    def read(document: Mapping[str, Any]) -> "Sentence":
        """The sentence that became this JSON."""
        return Sentence(document["text"], {name: _value(value) for name, value in document["values"].items()})


def _document(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_document(each) for each in value]
    return value.document() if isinstance(value, Sentence) else value


def _value(document: Any) -> Any:
    if isinstance(document, list):
        return tuple(map(_value, document))
    return Sentence.read(document) if isinstance(document, dict) else document


class _Filler(string.Formatter):
    """Puts values into a template."""

    def __init__(self, decimal: str) -> None:
        self.decimal = decimal

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, str):  # as a number that is not finite is, once it was stored
            return value
        written: str = super().format_field(value, format_spec)
        return written.replace(".", self.decimal) if isinstance(value, float) else written


def _put(template: str, values: Mapping[str, Any], translation: Translation, decimal: str) -> str:
    """The template with its values, several with commas between them."""

    def put(value: Any) -> Any:
        if isinstance(value, tuple):
            return ", ".join(map(str, map(put, value)))
        return value.spoken(translation, decimal) if isinstance(value, Sentence) else value

    return _Filler(decimal).vformat(template, (), {name: put(value) for name, value in values.items()})


def say(template: str, /, **values: Any) -> Sentence:
    """A sentence. The template is a literal, so that the tests find it and hold every language to it.

    A number that is told comes as a number (`{share:.1%}`); one that is to be typed into a request comes as text.
    """
    return Sentence(template, values)


@dataclass(frozen=True)
class Remedy:
    """What helps, in words, and as a merge patch (RFC 7396) of the job's request where a request can say it."""

    said: Sentence
    changes: Mapping[str, Any] | None = None


def template(text: str) -> str:
    """Mark a literal that is said later."""
    return text


def notice(code: str, detail: Sentence, **fields: Any) -> dict[str, Any]:
    """A warning as it is stored and given out: what happened by its code, and in words."""
    return {"code": code, **fields, "detail": detail}


def to_documents(notices: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Notices as JSON that keeps what their sentences were made of, beside the English; `to_notices` reads it."""
    return [
        {**each, "said": each["detail"].document()} if isinstance(each.get("detail"), Sentence) else dict(each)
        for each in notices
    ]


def to_notices(documents: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Notices from JSON. One that was stored without what its sentence was made of stays in English."""
    return [
        {name: value for name, value in each.items() if name != "said"}
        | ({"detail": Sentence.read(each["said"])} if "said" in each else {})
        for each in documents
    ]
