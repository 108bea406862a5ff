"""Arrays: NumPy's NPY and NPZ, never with pickles, and IDX, the form of the MNIST family. An array of (n, …) is a column."""

import math
import struct
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
import polars as pl

from store.errors import TooLarge, UnreadableFile
from store.formats.packing import bounded
from store.formats.reading import BATCH_BYTES, MAX_COLUMNS, Found, Source

MAX_MEMBERS = 256
MAX_DIMENSIONS = 4
UNREADABLE = (
    ValueError, EOFError, OSError, SyntaxError, TypeError, KeyError, OverflowError, RecursionError, MemoryError, TokenError,
    zipfile.BadZipFile,
)  # fmt: skip
"""Errors that numpy.load raises over damaged files."""
IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
IDX_NAMES = {1: "label", 2: "vector"}


def read_npy(source: Source) -> Found:
    """One array: of (n, d) d columns, of (n,) or (n, h, w) one column, of records a column a field."""
    stem = source.stem or "array"
    array = _mapped(source.path, stem)
    _check_shape(f"'{stem}'", array.shape)
    if array.dtype.names is None and array.ndim == 2:
        if array.shape[1] > MAX_COLUMNS:
            raise UnreadableFile(f"the array has {array.shape[1]} columns; at most {MAX_COLUMNS} are read")
        return _found({f"column_{place}": array[:, place] for place in range(array.shape[1])}, array.dtype)
    return _found(_fields(stem, array), array.dtype)


def read_npz(source: Source) -> Found:
    """Several arrays with as many rows, a column each, named as they are."""
    arrays: dict[str, np.ndarray] = {}
    left = source.limit
    try:
        with source.path.open("rb") as raw, zipfile.ZipFile(raw) as archive:
            members = archive.infolist()
            _check_members(members)
            for place, member in enumerate(members):
                name = member.filename.removesuffix(".npy")
                target = source.folder / f"member-{place}.npy"  # a place of our own, whatever path the archive names
                with target.open("wb") as out:
                    packed = member.compress_size
                    left -= bounded(partial(archive.open, member), out, packed, left, "NPZ")
                for column, array in _fields(name, _mapped(target, name)).items():
                    if column in arrays:
                        raise UnreadableFile(f"the NPZ file holds '{column}' twice; give every array a name of its own")
                    arrays[column] = array
    except (zipfile.BadZipFile, RuntimeError, ValueError, struct.error, EOFError, OSError) as error:
        raise UnreadableFile(f"the NPZ file is broken or cut off ({str(error)[:200]}); write it again") from None
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"'{name}' {length}" for name, length in list(lengths.items())[:6])
        raise UnreadableFile(f"the arrays differ in rows ({shown}); all must have as many")
    return _found(arrays, {name: array.dtype.name for name, array in arrays.items()})


def read_idx(source: Source) -> Found:
    """One array: (n,) as `label`, (n, d) as `vector`, (n, h, w) as `image`. Its header must agree with its size."""
    path = source.path
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(4)
        if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in IDX_TYPES or not head[3]:
            raise UnreadableFile("the IDX header names no type and dimensions that are known; write the file again")
        sizes = file.read(4 * head[3])
    if len(sizes) < 4 * head[3]:
        raise UnreadableFile("the IDX file ends within its header; write it again")
    shape = tuple(int.from_bytes(sizes[place : place + 4], "big") for place in range(0, len(sizes), 4))
    dtype, start = np.dtype(IDX_TYPES[head[2]]), 4 + len(sizes)
    wanted = start + dtype.itemsize * math.prod(shape)
    if wanted != size:
        raise UnreadableFile(
            f"the IDX header says {' × '.join(map(str, shape))} values of {dtype.itemsize} bytes, {wanted} bytes in all, and "
            f"the file has {size}; write it again"
        )
    _check_shape("the IDX file", shape)
    array = np.memmap(path, dtype, "r", start, shape)
    return _found({IDX_NAMES.get(len(shape), "image"): array}, dtype)


def _found(arrays: dict[str, np.ndarray], dtype: Any) -> Found:
    return Found(_batches(arrays), {"arrays": dtype if isinstance(dtype, dict) else np.dtype(dtype).name})


def _batches(arrays: dict[str, np.ndarray]) -> Iterator[pl.DataFrame]:
    rows = len(next(iter(arrays.values())))
    each = sum(array.itemsize * math.prod(array.shape[1:]) for array in arrays.values())
    step = max(1, BATCH_BYTES // max(1, each))
    for start in range(0, rows, step):
        yield pl.DataFrame([_series(name, array[start : start + step]) for name, array in arrays.items()])


def _series(name: str, array: np.ndarray) -> pl.Series:
    kind = array.dtype.kind
    if kind == "S":
        array = np.char.decode(array, "utf-8", "replace")
    if kind in "SU":
        return pl.Series(name, array.tolist(), pl.String)
    if kind == "M":
        return pl.Series(name, array.astype("datetime64[us]"))
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    return pl.Series(name, np.ascontiguousarray(array, array.dtype.newbyteorder("=")))


def _mapped(path: Path, name: str) -> np.ndarray:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except UNREADABLE as error:
        reason = str(error).partition("\n")[0][:200]
        if "pickle" in str(error) or "Object" in str(error) or "Python objects" in str(error):
            raise UnreadableFile(
                f"'{name}' holds pickled objects, which are never read; save numbers, or text as a string array"
            ) from None
        raise UnreadableFile(f"'{name}' is no NPY array that can be read ({reason}); write it again") from None
    if not isinstance(array, np.ndarray):
        raise UnreadableFile(f"'{name}' is no NPY array; write it with numpy.save")
    return array


def _fields(name: str, array: np.ndarray) -> dict[str, np.ndarray]:
    _check_shape(f"'{name}'", array.shape)
    if array.dtype.names is not None:
        parts = {field: array[field] for field in array.dtype.names}
    else:
        parts = {name: array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array}
    for column, part in parts.items():
        if part.dtype.kind not in "biufSUM" or (part.dtype.itemsize > 8 and part.dtype.kind == "f"):
            raise UnreadableFile(f"'{column}' is of type {part.dtype}, which is not read here; save real numbers or text")
        if part.dtype.kind in "SUM" and part.ndim > 1:
            raise UnreadableFile(f"'{column}' is an array of text of more than one dimension; save a column each")
    return parts


def _check_shape(what: str, shape: tuple[int, ...]) -> None:
    shown = " × ".join(map(str, shape))
    if not 1 <= len(shape) <= MAX_DIMENSIONS:
        raise UnreadableFile(f"{what} has {len(shape)} dimensions; save (n,), (n, d), (n, h, w) or (n, h, w, c)")
    if not math.prod(shape):
        raise UnreadableFile(f"{what} holds nothing ({shown}); save at least one row")


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    if not members:
        raise UnreadableFile("the NPZ file holds no array; write it with numpy.savez")
    if len(members) > MAX_MEMBERS:
        raise TooLarge(f"the NPZ file holds {len(members)} arrays; at most {MAX_MEMBERS} are read")
    for member in members:
        if not member.filename.endswith(".npy") or member.is_dir():
            raise UnreadableFile(
                f"'{member.filename[:100]}' in the archive is no NPY array; unpack the archive and upload one file"
            )
        if "/" in member.filename or "\\" in member.filename or ".." in member.filename:
            raise UnreadableFile(
                f"'{member.filename[:100]}' in the archive is a path and not a name; write it with numpy.savez"
            )
