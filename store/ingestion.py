"""Files read in processes of their own (store/reader.py), so that no file can take this one down: decision 0008."""

import atexit
import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import structlog

from engine.wording import to_notices
from store.described import Correction
from store.errors import ColumnMisfit, NotFound, StoreError, TooLarge, TooManyRequests, UnknownFormat, UnreadableFile
from store.files import Hashed
from store.readings.options import ReadOptions
from store.settings import Settings

TABLE = "table.arrow"
FRUGAL = "narenas:2,dirty_decay_ms:50,muzzy_decay_ms:0"
"""Setting by which Polars' allocator soon returns memory that it keeps for later."""
log = structlog.get_logger()


@dataclass(frozen=True)
class Ingested:
    """The parts of a dataset, besides its original: how it was read, its profile, and its table as an Arrow file."""

    source: dict[str, Any]
    rows: int
    columns: list[dict[str, Any]]
    warnings: list[dict[str, Any]]
    table: Hashed


class Readers:
    """Processes that read files, kept for the next one; at most as many at once as the settings say."""

    def __init__(self) -> None:
        self._idle: list[Reader] = []
        self._lock, self._room = threading.Lock(), threading.Condition()
        self._busy = 0

    def read(
        self,
        setting: Settings,
        files: Sequence[tuple[Path, str]],
        given: str | None,
        options: ReadOptions,
        folder: Path,
        corrections: Sequence[Correction] | None = None,
        current: dict[str, Any] | None = None,
    ) -> Ingested:
        """The files as one table, written into the folder, with the corrections given, by default those of the options; or
        the `current` table with some columns read anew: `with_texts` says what of it is needed.

        Raises UnreadableFile, UnknownFormat, TooLarge, ColumnMisfit, or NotFound where a correction names no column.
        """
        if corrections is None:
            corrections = [Correction(entry.name, entry.kind, place) for place, entry in enumerate(options.columns or ())]
            try:
                return self.read(setting, files, given, options, folder, corrections)
            except NotFound as error:  # what is wrong with an upload is the upload
                raise UnreadableFile(str(error), error.errors[0][0]) from None
        request = {
            "corrections": [asdict(correction) for correction in corrections],
            "current": current,
            "files": [(str(path), name) for path, name in files],
            "format": given,
            "options": options.given,
            "table": str(folder / TABLE),
            "limit": setting.max_unpacked_bytes,
        }
        with self._room:
            if not self._room.wait_for(lambda: self._busy < setting.readers, setting.wait_seconds):
                raise TooManyRequests.waited("files", setting.readers, setting.wait_seconds)
            self._busy += 1
        try:
            try:
                found = self._ask(self._take(setting), request, setting.reader_seconds)
            except ReaderDied as error:
                if error.was_new:
                    raise
                # What broke it may be what an earlier file left in it: one that has read nothing yet is asked again.
                found = self._ask(Reader(self._limits(setting)), request, setting.reader_seconds)
        finally:
            with self._room:
                self._busy -= 1
                self._room.notify()
        table = Hashed(folder / TABLE, found.pop("digest"))
        warnings = to_notices(found.pop("warnings"))
        return Ingested(**found, warnings=warnings, table=table)

    def _ask(self, reader: "Reader", request: dict[str, Any], seconds: float) -> dict[str, Any]:
        try:
            return reader.ask(request, seconds)
        finally:
            self._give(reader)

    @staticmethod
    def _limits(setting: Settings) -> tuple[int, int]:
        return setting.reader_bytes, 4 * setting.max_unpacked_bytes

    def _take(self, setting: Settings) -> "Reader":
        limits = self._limits(setting)
        with self._lock:
            while self._idle:
                reader = self._idle.pop()
                if reader.process.poll() is None and reader.limits == limits:
                    return reader
                reader.close()
        return Reader(limits)

    def _give(self, reader: "Reader") -> None:
        with self._lock:
            self._idle.append(reader)

    def close(self) -> None:
        """End the processes that wait."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()


class ReaderDied(UnreadableFile):
    """A reader ended over a file, the first that it was asked to read where `was_new`."""

    def __init__(self, was_new: bool) -> None:
        super().__init__("the file broke the process that read it; write it again, or in another format")
        self.was_new = was_new


class Reader:
    """One such process."""

    def __init__(self, limits: tuple[int, int]) -> None:
        self.limits, self.is_new = limits, True
        self.errors: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the process)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "store.reader", *map(str, limits), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=_environment(),
        )

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The answer to a request. Raises what it was refused with; a process that gives none is ended."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
            answer = json.loads(self._line(seconds))
        except (BrokenPipeError, EOFError):
            raise self._died() from None
        except BaseException:
            self.close()
            raise
        self.is_new = False
        if answer["last"]:
            self.close()
        if "broken" in answer:
            log.error("a reader broke", trace=answer["broken"])
            raise UnreadableFile("the file is not what its format allows, in a way that no reader expected; write it again")
        if "refused" in answer:
            refused = answer["refused"]
            kind = REFUSALS[refused["code"]]
            error = kind.__new__(kind, refused["detail"])
            error.errors = [(pointer, detail) for pointer, detail in refused.get("errors", [])]
            raise error
        found: dict[str, Any] = answer["found"]
        return found

    def _line(self, seconds: float) -> bytes:
        assert self.process.stdout is not None
        until, found = time.monotonic() + seconds, b""
        descriptor = self.process.stdout.fileno()
        while not found.endswith(b"\n"):
            if not select.select([descriptor], [], [], max(0.0, until - time.monotonic()))[0]:
                raise TooLarge(f"the file was not read within {seconds:g} seconds; send less, or raise VIDRO_READER_SECONDS")
            piece = os.read(descriptor, 1 << 20)
            if not piece:
                raise EOFError
            found += piece
        return found

    def _died(self) -> StoreError:
        """The error for a process that ended over a file."""
        status = self.process.wait()
        self.errors.seek(0)
        said = self.errors.read()[-2000:].decode("utf-8", "replace")
        self.close()
        log.error("a reader died", status=status, said=said)
        if "memory allocation" in said or "MemoryError" in said or "bad_alloc" in said or status == -9:
            return TooLarge("reading the file takes more memory than there is for it; send less, or raise VIDRO_READER_BYTES")
        return ReaderDied(self.is_new)

    def close(self) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()


def _environment() -> dict[str, str]:
    """This process's, without the settings: a reader is to know no secret. With a backtrace, what it died of would not be
    what it said last.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VIDRO_")}
    return {**kept, "_RJEM_MALLOC_CONF": FRUGAL, "RUST_BACKTRACE": "0"}


REFUSALS: dict[str, type[StoreError]] = {
    cls.code: cls for cls in (UnreadableFile, UnknownFormat, TooLarge, ColumnMisfit, NotFound)
}
READERS = Readers()
"""This process's."""
atexit.register(READERS.close)
