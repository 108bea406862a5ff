"""A multipart form that streams to disk: each file hashed on its way, nothing larger than a block in memory."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from fastapi.concurrency import run_in_threadpool
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from store.errors import TooLarge, UnreadableFile
from store.files import Hashed

BLOCK_BYTES = 1 << 20
MAX_FILES, MAX_FIELDS = 16, 32
FIELD_BYTES, HEADER_BYTES = 64 << 10, 16 << 10
REMEDY = "send it as curl -F file=@iris.csv does"


@dataclass
class Form:
    """The contents of a form: its files, each with the name it was sent by and the field it came in, and its other fields."""

    files: list[tuple[str, str, Hashed]] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)


async def read_form(content_type: str, blocks: AsyncIterator[bytes], folder: Path) -> Form:
    """The form, its files written into the folder. Raises UnreadableFile for a broken one, TooLarge for too many parts."""
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise UnreadableFile(f"the body cannot be read (its Content-Type names no boundary); {REMEDY}")
    parts = _Parts(boundary, folder)
    pending, size = [], 0
    try:
        async for block in blocks:
            pending.append(block)
            size += len(block)
            if size >= BLOCK_BYTES:
                await run_in_threadpool(parts.write, b"".join(pending))
                pending, size = [], 0
        await run_in_threadpool(parts.finish, b"".join(pending))
    except FormParserError as error:
        raise UnreadableFile(f"the body cannot be read ({error}); {REMEDY}") from None
    finally:
        parts.close()
    return parts.form


class _Parts:
    """Takes the body block by block; the parser calls back for each piece of a part."""

    def __init__(self, boundary: bytes, folder: Path) -> None:
        self.folder, self.form = folder, Form()
        self.is_whole = False
        self._file: BinaryIO | None = None
        self._headers: dict[bytes, bytes] = {}
        self._header = [b"", b""]
        self._name = self._filename = ""
        self._value = bytearray()
        self._digest: Any = None
        callbacks = {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._add_header(0, data[start:end]),
            "on_header_value": lambda data, start, end: self._add_header(1, data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._open,
            "on_part_data": self._take,
            "on_part_end": self._end,
            "on_end": self._end_all,
        }
        self.parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]

    def write(self, block: bytes) -> None:
        self.parser.write(block)

    def finish(self, block: bytes) -> None:
        self.parser.write(block)
        if not self.is_whole:
            raise FormParserError("it ends before the form does")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _begin(self) -> None:
        self._headers, self._header = {}, [b"", b""]

    def _add_header(self, place: int, piece: bytes) -> None:
        self._header[place] += piece
        if len(self._header[place]) > HEADER_BYTES:
            raise FormParserError(f"a header of a part is longer than {HEADER_BYTES} bytes")

    def _end_header(self) -> None:
        self._headers[self._header[0].lower()] = self._header[1]
        self._header = [b"", b""]

    def _open(self) -> None:
        options = parse_options_header(self._headers.get(b"content-disposition", b""))[1]
        if b"name" not in options:
            raise FormParserError("a part has no name in its Content-Disposition")
        self._name = options[b"name"].decode("utf-8", "replace")
        self._value = bytearray()
        if b"filename" not in options:
            if len(self.form.fields) >= MAX_FIELDS:
                raise TooLarge(f"the form has more than {MAX_FIELDS} fields; send fewer")
            return
        if len(self.form.files) >= MAX_FILES:
            raise TooLarge(f"the form has more than {MAX_FILES} files; send fewer")
        sent = options[b"filename"].decode("utf-8", "replace").replace("\\", "/")
        self._filename = Path(sent.replace("\0", "")).name[:200] or "upload"
        self._file = (self.folder / f"file-{len(self.form.files)}").open("wb")
        self._digest = hashlib.sha256()

    def _take(self, data: bytes, start: int, end: int) -> None:
        piece = memoryview(data)[start:end]
        if self._file is not None:
            self._digest.update(piece)
            self._file.write(piece)
            return
        self._value += piece
        if len(self._value) > FIELD_BYTES:
            raise TooLarge(f"the form field '{self._name[:50]}' is longer than {FIELD_BYTES} bytes; send a file as a file")

    def _end(self) -> None:
        if self._file is None:
            self.form.fields[self._name] = self._value.decode("utf-8", "replace")
            return
        path = Path(self._file.name)
        self._file.close()
        self._file = None
        self.form.files.append((self._name, self._filename, Hashed(path, self._digest.hexdigest())))

    def _end_all(self) -> None:
        self.is_whole = True
