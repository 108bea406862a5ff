"""Readers of dataset files: one function and one entry in FORMATS each (rule 2). Libraries parse; this finds out how."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from store.errors import UnknownFormat, UnreadableFile
from store.formats.archives import archive_format, compound_format
from store.formats.arff import read_arff
from store.formats.arrays import read_idx, read_npy, read_npz
from store.formats.assembly import assemble, beside
from store.formats.columnar import read_arrow, read_parquet
from store.formats.delimited import read_csv, read_tsv
from store.formats.documents import read_json, read_lines
from store.formats.packing import PACKINGS, packing_of, unpack
from store.formats.pictures import read_images
from store.formats.reading import Found, Source
from store.formats.spreadsheets import read_ods, read_xls, read_xlsx
from store.readings.options import CELLS, IMAGES, NAMES, SHEET, ReadOptions

HEAD_BYTES = 4096


@dataclass(frozen=True)
class Format:
    """A form of file: its reader, the endings of its names, how its first bytes tell it, and what options mean for it."""

    read: Callable[[Source], Found]
    endings: tuple[str, ...]
    begins: Callable[[bytes], bool] = lambda head: False
    options: tuple[str, ...] = ()


def _magic(*found: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(found)


def _is_idx(head: bytes) -> bool:
    return len(head) >= 8 and head[:2] == b"\0\0" and head[2] in (8, 9, 11, 12, 13, 14) and 0 < head[3] < 8


def _is_arff(head: bytes) -> bool:
    lines = (line.strip().lower() for line in head.removeprefix(b"\xef\xbb\xbf").split(b"\n"))
    return next((line for line in lines if line and not line.startswith(b"%")), b"").startswith(b"@relation")


SHEETS = (*(name for name in NAMES if name not in ("delimiter", "quote", "encoding")), *SHEET)
"""Options on a sheet, which has cells of its own."""
FORMATS: dict[str, Format] = {
    "csv": Format(read_csv, ("csv", "txt", "data", "dat", ""), options=NAMES),
    "tsv": Format(read_tsv, ("tsv", "tab"), options=NAMES),
    "json": Format(read_json, ("json",), options=("encoding",)),
    "jsonl": Format(read_lines, ("jsonl", "ndjson"), options=("encoding",)),
    "parquet": Format(read_parquet, ("parquet", "pq"), _magic(b"PAR1")),
    "arrow": Format(read_arrow, ("arrow", "ipc", "feather", "arrows"), _magic(b"ARROW1", b"\xff\xff\xff\xff")),
    "npy": Format(read_npy, ("npy",), _magic(b"\x93NUMPY")),
    "npz": Format(read_npz, ("npz",)),
    "idx": Format(read_idx, ("idx", "ubyte", "idx1-ubyte", "idx2-ubyte", "idx3-ubyte"), _is_idx),
    "arff": Format(read_arff, ("arff",), _is_arff, ("encoding", *CELLS, "words")),
    "xlsx": Format(read_xlsx, ("xlsx", "xlsm", "xltx", "xltm"), options=SHEETS),
    "xls": Format(read_xls, ("xls", "xlt"), options=SHEETS),
    "ods": Format(read_ods, ("ods", "ots"), options=SHEETS),
    "images": Format(read_images, ("zip",), options=IMAGES),
}
CONTAINERS: dict[bytes, Callable[[Path, str], str]] = {
    b"PK\x03\x04": archive_format,
    b"PK\x05\x06": archive_format,
    b"\xd0\xcf\x11\xe0": compound_format,
}
"""Forms of file that several formats share: what is within tells which it is."""
CONTAINED = ("xlsx", "xls", "ods")
PICTURE = "a picture; upload a ZIP archive of pictures, a folder a class, or all of them as one NPZ or IDX array"
FOREIGN = {
    b"%PDF": "a PDF; export its table as CSV",
    b"\x89PNG": PICTURE,
    b"\xff\xd8\xff": PICTURE,
    b"GIF89a": PICTURE,
    b"II*\x00": PICTURE,
    b"MM\x00*": PICTURE,
    b"SQLite format 3": "an SQLite database; export a table as CSV, as in: sqlite3 -csv -header FILE 'select * from TABLE'",
    b"\x89HDF": "an HDF5 file; save its arrays as NPZ (numpy.savez), or its table as Parquet",
    b"CDF\x01": "a NetCDF file; save its arrays as NPZ (numpy.savez)",
    b"CDF\x02": "a NetCDF file; save its arrays as NPZ (numpy.savez)",
    b"MATLAB 5.0 MAT-file": "a MATLAB file; save its arrays as NPZ or CSV (writematrix, writetable)",
    b"RDX3\n": "R's data; save it as CSV (write.csv) or Parquet",
    b"RDX2\n": "R's data; save it as CSV (write.csv) or Parquet",
    b"X\n\x00\x00": "R's data; save it as CSV (write.csv) or Parquet",
    b"<stata_dta>": "a Stata file; save it as CSV (export delimited)",
    b"$FL2": "an SPSS file; save it as CSV",
    b"Obj\x01": "an Avro file; save it as Parquet or JSON Lines",
    b"{\\rtf": "a rich text document; save its table as CSV",
    b"<!DOCTYPE": "a web page and no data; download the file itself",
    b"<!doctype": "a web page and no data; download the file itself",
    b"<html": "a web page and no data; download the file itself",
    b"<?xml": "an XML file; save its table as CSV or JSON",
    b"version https://git-lfs": "a pointer of Git LFS and not the file; fetch it by: git lfs pull",
    b"\x7fELF": "a program",
    b"7z\xbc\xaf": "a 7z archive; unpack it and upload the file within, or pack that by gzip or zstd",
    b"Rar!\x1a": "a RAR archive; unpack it and upload the file within, or pack that by gzip or zstd",
    b"BZh": "packed by bzip2; pack it by gzip or zstd",
    b"\xfd7zXZ": "packed by xz; pack it by gzip or zstd",
    b"\x04\x22\x4d\x18": "packed by lz4; pack it by gzip or zstd",
    **{
        bytes(
            [0x80, protocol]
        ): "a pickle, which is never read, as it can run programs; save its columns as CSV or Parquet, or its arrays as NPZ"
        for protocol in range(2, 6)
    },
}
"""Formats that are sent by mistake, and what to do instead."""
ENDINGS = {ending: name for name, form in FORMATS.items() for ending in form.endings}


def read_file(
    path: Path, name: str, given: str | None, options: ReadOptions, target: Path, limit: int
) -> tuple[dict[str, Any], pl.DataFrame, list[dict[str, Any]]]:
    """How a file was read, its table as a mapped Arrow file in the folder, and what is worth a look.

    The format is the one that is given, else what the first bytes tell, else the ending of the name. Raises UnknownFormat,
    TooLarge, or UnreadableFile with the row and column that are wrong and what to do.
    """
    if path.stat().st_size == 0:
        raise UnreadableFile(f"the file '{name}' is empty; upload a file with a header and at least one row")
    folder = target.parent
    packing = packing_of(path)
    if packing is not None:
        unpacked = folder / f"{path.name}.unpacked"
        unpack(path, packing, unpacked, limit)
        path, name = unpacked, name.removesuffix(PACKINGS[packing][1])
        if path.stat().st_size == 0:
            raise UnreadableFile(f"the file '{name}' is empty within its {packing}; upload a file with at least one row")
    form = format_of(path, name, given)
    meaningless = [option for option in options.given if option not in (*FORMATS[form].options, "columns")]
    if meaningless:
        raise UnreadableFile(f"'{meaningless[0]}' means nothing for {form}; leave it out", f"/{meaningless[0]}")
    stem = name.partition(".")[0][:100]
    found = FORMATS[form].read(Source(path, stem, options, folder, limit))
    table = assemble(found, target)
    packed = {"packing": packing} if packing else {}
    return {"format": form, **packed, "read": found.read}, table, found.warnings


def format_of(path: Path, name: str, given: str | None) -> str:
    """The name of the file's format. Raises UnknownFormat."""
    if given is not None:
        if given not in FORMATS:
            raise UnknownFormat(f"'{given[:50]}' is no format read here; name one of {', '.join(FORMATS)}")
        return given
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    for form, entry in FORMATS.items():
        if entry.begins(head):
            return form
    for magic, look in CONTAINERS.items():
        if head.startswith(magic):
            return look(path, name)
    for magic, remedy in FOREIGN.items():
        if head.startswith(magic):
            raise UnknownFormat(f"'{name}' is {remedy}")
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if ENDINGS.get(ending) in CONTAINED and b"\0" not in head:
        raise UnknownFormat(f"'{name}' is text, whatever its name says; upload it with 'format' set to csv, or to what it is")
    if ending in ENDINGS and ENDINGS[ending] not in ("csv", "tsv"):
        return ENDINGS[ending]
    if ending not in ENDINGS:
        known = ", ".join(FORMATS)
        raise UnknownFormat(f"'{ending[:50] or name}' is no format read here; upload {known}, or name one of them in 'format'")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if ending not in ("csv", "tsv", "tab") and start[:1] in (b"{", b"["):
        return "jsonl" if start[:1] == b"{" and b"}\n{" in start.replace(b"\r", b"") else "json"
    return ENDINGS[ending]


def read_files(
    files: Sequence[tuple[Path, str]], given: str | None, options: ReadOptions, target: Path, limit: int
) -> tuple[dict[str, Any], pl.DataFrame, list[dict[str, Any]]]:
    """Several files as one table, the columns of each beside those of the others; one file as it is. The table lies at
    `target`, an Arrow file, and is mapped.
    """
    folder = target.parent
    if len(files) == 1:
        return read_file(*files[0], given, options, target, limit)
    tables, sources, warnings = [], [], []
    for path, name in files:
        try:
            source, table, found = read_file(path, name, given, options, folder / f"{path.name}.arrow", limit)
        except UnreadableFile as error:
            raise UnreadableFile(f"'{name}': {error}") from None
        tables.append((name, table))
        sources.append({"filename": name, **source})
        warnings += found
    table = beside(tables, target)
    return {"format": sources[0]["format"], "files": sources}, table, warnings
