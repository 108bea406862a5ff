"""gzip and zstd around a file, undone to disk under bounds on size and ratio."""

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import zstandard

from store.errors import TooLarge, UnreadableFile

PIECE = 1 << 20
RATIO = 100
FREE_BYTES = 64 << 20
"""Up to so many bytes a file may unpack to at any ratio."""
ZSTD_WINDOW = 1 << 27


def _gzip(file: BinaryIO) -> Any:
    return gzip.GzipFile(fileobj=file)


def _zstd(file: BinaryIO) -> Any:
    return zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).stream_reader(file, read_across_frames=True)


PACKINGS: dict[str, tuple[bytes, str, Callable[[BinaryIO], Any]]] = {
    "gzip": (b"\x1f\x8b", ".gz", _gzip),
    "zstd": (b"\x28\xb5\x2f\xfd", ".zst", _zstd),
}
"""Each with the bytes it begins with, the ending it adds, and a stream of what it holds."""


def packing_of(path: Path) -> str | None:
    """How the file is packed, by its first bytes."""
    with path.open("rb") as file:
        head = file.read(4)
    return next((name for name, (magic, _, _) in PACKINGS.items() if head.startswith(magic)), None)


def unpack(path: Path, packing: str, target: Path, limit: int) -> None:
    """Write what the file holds to `target`. Raises TooLarge over `limit` bytes, UnreadableFile where it is broken."""
    with path.open("rb") as file, target.open("wb") as out:
        bounded(lambda: PACKINGS[packing][2](file), out, path.stat().st_size, limit, packing)
    if packing_of(target):
        raise UnreadableFile(f"the file is packed twice; unpack it once, and upload the {packing_of(target)} file within")


def bounded(opened: Callable[[], Any], out: BinaryIO, packed: int, limit: int, what: str) -> int:
    """Copy a stream that unpacks `packed` bytes, and return how many it gave."""
    written, most = 0, max(FREE_BYTES, RATIO * packed)
    try:
        stream = opened()
        while piece := stream.read(PIECE):
            written += len(piece)
            if written > limit:
                raise TooLarge(
                    f"the {what} file unpacks to more than {limit} bytes; send less, or raise VIDRO_MAX_UNPACKED_BYTES"
                )
            if written > most:
                raise TooLarge(f"the {what} file unpacks to more than {RATIO} times its size; upload it less packed")
            out.write(piece)
    except (EOFError, OSError, zlib.error, zstandard.ZstdError, ValueError, NotImplementedError) as error:
        raise UnreadableFile(f"the {what} file is broken or cut off ({str(error)[:200]}); pack it again") from None
    return written
