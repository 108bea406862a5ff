"""The language of an answer's texts: Brazilian Portuguese or English, by Accept-Language (RFC 9110, section 12.5.4).

Texts are made in English everywhere, and put into the reader's language here, where an answer is made. An answer that has
such texts says so: Content-Language, and Vary.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.wording import Sentence, Translation
from service.negotiation import best_language
from service.portuguese import PORTUGUESE_TEXTS
from service.schemas.parts import Notice

ENGLISH, PORTUGUESE = "en", "pt-BR"
LANGUAGES = (ENGLISH, PORTUGUESE)
DECIMALS = {ENGLISH: ".", PORTUGUESE: ","}


@dataclass
class Asked:
    """The language that a request asks for, and whether its answer has texts in it."""

    language: str
    is_spoken: bool = False


_ASKED: ContextVar[Asked] = ContextVar("language")


def language() -> str:
    """The language of the answer that is being made, which has texts in it."""
    asked = _ASKED.get(None)
    if asked is None:
        return ENGLISH
    asked.is_spoken = True
    return asked.language


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Have texts that are made within in that language, whoever asks: for answers that many readers share."""
    token = _ASKED.set(Asked(language))
    try:
        yield
    finally:
        _ASKED.reset(token)


def translation(language: str) -> Translation:
    """How texts are put into that language."""
    return _portuguese if language == PORTUGUESE else str


def _portuguese(text: str) -> str:
    return PORTUGUESE_TEXTS.get(text, text)


def spoken(warnings: Iterable[Mapping[str, Any]]) -> list[Notice]:
    """Warnings as they go out, in the reader's language."""
    readers = language()
    return [Notice(**{**warning, "detail": _said(warning["detail"], readers)}) for warning in warnings]


def said(text: str) -> str:
    """A sentence in the reader's language."""
    return _said(text, language())


def _said(text: str, language: str) -> str:
    """A sentence in that language; one that was stored without its template stays as it is."""
    return text.spoken(translation(language), DECIMALS[language]) if isinstance(text, Sentence) else text


@lru_cache(256)
def _chosen(header: str) -> str:
    return best_language(header, LANGUAGES)


class Languages:
    """Notes the language that each request asks for, and says in its answer which one its texts have."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = Asked(_chosen(",".join(Headers(scope=scope).getlist("accept-language"))))

        async def send_told(message: Message) -> None:
            if message["type"] == "http.response.start" and asked.is_spoken:
                headers = MutableHeaders(scope=message)
                headers["Content-Language"] = asked.language
                headers.add_vary_header("Accept-Language")
            await send(message)

        token = _ASKED.set(asked)
        try:
            await self.app(scope, receive, send_told)
        finally:
            _ASKED.reset(token)
