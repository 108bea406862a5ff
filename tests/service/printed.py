"""Calls that a document prints, each with the answer printed after it, and how a printed answer is held to a real one.

Both are indented by four spaces. `ds_…`, `job_…`, `mdl_…` and `grp_…` in a call stand for the last such id that was answered.
In an answer `…` stands for what is left out: members, elements, or letters. A number is right where the real one rounds to it.
"""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

BLOCK = re.compile(r"^(?: {4}\S.*\n)(?: {4,}\S.*\n)*", re.M)
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|…|[{}\[\]:,]|[^\s{}\[\]:,"…]+')
MORE = "…"
PROCESSORS_DIFFER = Decimal("1e-5")
"""Relative, a hundred roundings of float32: so far runs of some hundred steps may part where sums are taken otherwise."""


@dataclass(frozen=True)
class Call:
    """A request as curl's words say it."""

    method: str
    path: str
    headers: dict[str, str]
    body: str | None
    file: str | None


@dataclass
class Example:
    """A call, where the document prints it, and what it prints as its answer."""

    line: int
    call: Call
    answer: str | None = field(default=None)


def examples(document: Path) -> list[Example]:
    """What a document prints, in order."""
    text, found = document.read_text(), list[Example]()
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start()) + 1
        if block[0].lstrip().startswith("curl"):
            found += [Example(line, call) for call in calls(block[0])]
        elif block[0].lstrip()[0] in "{[":
            assert found and found[-1].answer is None, f"{document.name}:{line} answers no call"
            found[-1].answer = block[0]
    return found


def calls(block: str) -> Iterator[Call]:
    words = shlex.split(block, comments=True)
    starts = [place for place, word in enumerate(words) if word == "curl"]
    for start, end in zip(starts, [*starts[1:], len(words)], strict=True):
        yield call(words[start + 1 : end])


def call(words: list[str]) -> Call:
    """Of curl's options those that the documents use; any other is an error."""
    headers, method, body, file, path = dict[str, str](), None, None, None, None
    rest = iter(words)
    for word in rest:
        if word == "-H":
            name, _, value = next(rest).partition(": ")
            headers[name] = value
        elif word == "-X":
            method = next(rest)
        elif word == "-d":
            body = next(rest)
        elif word == "-F":
            file = next(rest).removeprefix("file=@")
        elif word == "-o":
            next(rest)
        else:
            assert path is None and word.startswith("localhost:8000/"), word
            path = word.removeprefix("localhost:8000")
    assert path is not None
    return Call(method or ("GET" if body is None and file is None else "POST"), path, headers, body, file)


class Number(str):
    """A number with its digits as printed."""

    def is_of(self, real: Any) -> bool:
        """Whether the real number rounds to it, on this processor or another; a whole number is itself."""
        if isinstance(real, bool) or not isinstance(real, int | float):
            return False
        unit = Decimal(1).scaleb(int(Decimal(self).as_tuple().exponent))
        rounded = unit / 2 + abs(Decimal(real)) * PROCESSORS_DIFFER
        return abs(Decimal(real) - Decimal(self)) <= (0 if self.lstrip("-").isdigit() else rounded)


def parsed(printed: str) -> Any:
    """A printed answer, with `…` as a key or a value where something is left out."""
    out, inside, before = list[str](), list[str](), ""
    for token in TOKEN.findall(printed):
        if token == MORE:
            is_member = inside[-1] == "{" and before != ":"
            out.append('"…": "…"' if is_member else '"…"')
        else:
            out.append(re.sub(r"\s+", " ", token))  # a text may go on in the next line
        if token in "{[":
            inside.append(token)
        elif token in "}]":
            inside.pop()
        before = token
    return json.loads(" ".join(out), parse_float=Number, parse_int=Number)


def agree(printed: Any, real: Any, place: str = "") -> None:
    """Assert that a printed answer is what the real one is, but for what it leaves out."""
    if printed == MORE:
        return
    if isinstance(printed, Number):
        assert printed.is_of(real), f"{place}: {printed} is printed, and it is {real}"
    elif isinstance(printed, dict):
        assert isinstance(real, dict), place
        named = printed.keys() - {MORE}
        assert named <= real.keys(), f"{place}: there is no {named - real.keys()}"
        assert MORE in printed or named == real.keys(), f"{place}: {real.keys() - named} is left out without …"
        for name in named:
            agree(printed[name], real[name], f"{place}/{name}")
    elif isinstance(printed, list):
        assert isinstance(real, list), place
        agree_in_order(printed, real, place)
    elif isinstance(printed, str):
        assert isinstance(real, str), place
        pattern = ".*".join(re.escape(part) for part in printed.split(MORE))
        assert re.fullmatch(pattern, real, re.S), f"{place}: '{printed}' is printed, and it is '{real}'"
    else:
        assert printed is real, f"{place}: {printed} is printed, and it is {real}"


def agree_in_order(printed: list[Any], real: list[Any], place: str) -> None:
    """Lists: where `…` stands between elements, those after it are somewhere behind those before it, side by side."""
    cuts = [place for place, one in enumerate(printed) if one == MORE]
    if not cuts:
        assert len(printed) == len(real), f"{place}: {len(real)} elements, not {len(printed)}"
    ends = [*cuts, len(printed)]
    pieces = [printed[start:end] for start, end in zip([0, *(cut + 1 for cut in cuts)], ends, strict=True)]
    at = 0
    for number, piece in enumerate(pieces):
        if number == len(pieces) - 1 and cuts:
            assert len(real) - len(piece) >= at, f"{place}: only {len(real)} elements"
            at = len(real) - len(piece)
        elif number > 0:
            at = next((start for start in range(at, len(real)) if fits(piece, real[start:])), at)
        for index, one in enumerate(piece):
            assert at + index < len(real), f"{place}: only {len(real)} elements"
            agree(one, real[at + index], f"{place}/{at + index}")
        at += len(piece)


def fits(piece: list[Any], real: list[Any]) -> bool:
    """Whether the real elements begin with what is printed."""
    try:
        for one, other in zip(piece, real[: len(piece)], strict=True):
            agree(one, other)
    except (AssertionError, ValueError):
        return False
    return True
