"""The process that reads files: a request a line in, an answer a line out (store/ingestion.py is the other end).

It holds no database and no secret, and the system bounds its memory and what it writes: a file that breaks it, breaks it alone.
"""

import hashlib
import json
import os
import resource
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from engine.wording import to_documents, to_notices
from store.described import MOST_NAMED, Correction
from store.errors import StoreError, TooLarge, UnreadableFile
from store.formats import read_files
from store.parent import watch
from store.profile import profile
from store.readings.options import ReadOptions
from store.rereading import whole, with_texts

LARGE_BYTES = 512 << 20
"""A process that has once been larger than that makes room: what allocators keep goes back to the system."""


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the end of the process that asks ends this one: its input closes,
    memory, written, parent = map(int, sys.argv[1:4])
    watch(parent, lambda: os._exit(1))  # and a file that is being read then is read for nobody
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (written, written))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    for line in sys.stdin:
        answer = _answer(json.loads(line))
        answer["last"] = _peak_bytes() > LARGE_BYTES
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
        if answer["last"]:
            return


def _peak_bytes() -> int:
    """The most memory this process has had. Linux' ru_maxrss counts that of the process it was forked from, too."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next((line for line in status.read_text().splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"found": _read(request)}
    except StoreError as error:
        return {"refused": {"code": error.code, "detail": str(error), "errors": error.errors}}
    except MemoryError:
        return {"refused": {"code": TooLarge.code, "detail": "reading the file takes more memory than VIDRO_READER_BYTES"}}
    except Exception:
        return {"broken": traceback.format_exc()}


def _read(request: dict[str, Any]) -> dict[str, Any]:
    path = Path(request["table"])
    files = [(Path(path), name) for path, name in request["files"]]
    corrections = [Correction(**entry) for entry in request["corrections"]]
    options, current = ReadOptions.of(request["options"]), request["current"]
    target = path.with_name(f"again-{path.name}") if current else path
    source, table, warnings = read_files(files, request["format"], options, target, request["limit"])
    if current:
        current["warnings"] = to_notices(current["warnings"])
        found = with_texts(current, table, source, path, corrections)
    else:
        said_before = {correction.name for correction in corrections if correction.kind is None}
        _check_words([name for name in options.words or () if name not in said_before], table.columns)
        found = whole(table, source, profile(table), warnings, corrections)
    with path.open("rb") as file:
        told = to_documents(found["warnings"])
        return {**found, "warnings": told, "digest": hashlib.file_digest(file, "sha256").hexdigest()}


def _check_words(words: list[str], columns: list[str]) -> None:
    unknown = [name for name in words if name not in columns]
    if unknown:
        detail = f"no column '{unknown[0][:100]}'; there are {', '.join(columns[:MOST_NAMED])}"
        raise UnreadableFile(detail, "/words")


if __name__ == "__main__":
    main()
