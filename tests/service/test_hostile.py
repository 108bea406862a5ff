"""Broken and hostile files through the door: the right status, the place named, the remedy, bounded memory, nothing left."""

import gzip
import io
import json
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.ipc
import pytest
import zstandard

from tests.service.conftest import Stage

MEMORY = 700 << 20
"""What the reading process may take in these tests."""


def parquet(**columns: Any) -> bytes:
    out = io.BytesIO()
    pl.DataFrame(columns).write_parquet(out)
    return out.getvalue()


def arrow(**columns: Any) -> bytes:
    out = io.BytesIO()
    pl.DataFrame(columns).write_ipc(out)
    return out.getvalue()


def npy(array: Any, allow_pickle: bool = False) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=allow_pickle)
    return out.getvalue()


def arrow_named(name: str) -> bytes:
    out, table = io.BytesIO(), pa.table({name: [1, 2]})
    with pa.ipc.new_stream(out, table.schema) as file:
        file.write_table(table)
    return out.getvalue()


def npz(**members: bytes) -> bytes:
    return archive({f"{name}.npy": data for name, data in members.items()})


def archive(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return out.getvalue()


def idx(kind: int, *shape: int, data: bytes = b"") -> bytes:
    return bytes([0, 0, kind, len(shape)]) + b"".join(struct.pack(">I", size) for size in shape) + data


def arff(header: str, rows: str) -> str:
    return f"@relation r\n{header}\n@data\n{rows}\n"


def claims(shape: str, dtype: str = "<f8") -> bytes:
    """An NPY header that claims more than there is."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + b"\0" * 64


def gzip_bomb() -> bytes:
    """Ten gigabytes of zeros in ten megabytes: one member, again and again."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    member = packer.compress(bytes(64 << 20)) + packer.flush()
    return member * 160


def zstd_bomb() -> bytes:
    return zstandard.ZstdCompressor(level=1).compress(bytes(64 << 20)) * 2000


class Evil:
    def __reduce__(self) -> Any:
        return (print, ("unpickled",))


@dataclass
class Case:
    name: str
    content: str | bytes | Callable[[], bytes]
    status: int
    says: str
    form: dict[str, str] = field(default_factory=dict)


WIDE = ",".join(f"c{place}" for place in range(1_000_000))
DEEP = "[" * 100_000
CASES = {
    # delimited text
    "nothing": Case("t.csv", "", 422, "is empty"),
    "a header and nothing below": Case("t.csv", "a,b\n", 422, "no rows"),
    "a short row": Case("t.csv", "a,b\n1,2\n3\n", 422, "line 3 has 1 cells where the first line has 2"),
    "a long row": Case("t.csv", "a,b\n1,2\n3,4,5\n", 422, "line 3 has 3 cells"),
    "a short row far down": Case("t.csv", "a,b\n" + "1,2\n" * 300_000 + "3\n", 422, "line 300002 has 1 cells"),
    "embedded NULs": Case("t.csv", b"a,b\n1,2\n3,\0\n", 422, "line 3 holds a NUL byte"),
    "an infinite number": Case("t.csv", "a,b\n1,2\n3,inf\n", 422, "column 'b' holds an infinite number in row 1"),
    "an open quote": Case("t.csv", 'a,b\n1,2\n"3,4\n', 422, "row that begins in line 3"),
    "an open quote and much below": Case("t.csv", 'a,b\n"3,4\n' + "1,2\n" * 500_000, 422, "line 2"),
    "a million columns": Case("t.csv", WIDE + "\n" + WIDE + "\n", 422, "1000000 cells; at most 50000"),
    "one enormous cell": Case("t.csv", "a,b\n1,2\n" + "x" * (8 << 20) + ",2\n", 422, "line 3 holds more than 1048576 bytes"),
    "one enormous cell in quotes": Case("t.csv", 'a,b\n1,2\n"' + "x" * (8 << 20) + '",2\n', 422, "shorten that cell"),
    "one line and no end": Case("t.csv", "x" * (80 << 20), 422, "first line holds more than 1048576 bytes in one cell"),
    "UTF-16 without its mark": Case("t.csv", "a,b\n1,2\n".encode("utf-16-le"), 422, "name its 'format' or 'encoding'"),
    "half a UTF-16 letter": Case("t.csv", "\ufeffa,b\n1,2\n".encode("utf-16-le")[:-1], 422, "is none at byte 16"),
    "not the encoding it is said to be": Case("t.csv", b"a,b\n1,\xff\n", 422, "not UTF-8 at byte 6", {"encoding": "utf-8"}),
    "not Shift JIS": Case("t.csv", b"a,b\n1,\xff\n", 422, "not shift_jis at byte", {"encoding": "shift_jis"}),
    "an unknown encoding": Case("t.csv", "a,b\n1,2\n", 422, "/encoding", {"encoding": "klingon"}),
    "a delimiter of two": Case("t.csv", "a,b\n1,2\n", 422, "/delimiter", {"delimiter": ",,"}),
    "an option of another format": Case("t.json", '[{"a":1}]', 422, "'delimiter' means nothing for json", {"delimiter": ";"}),
    "a pattern that is no date's": Case("t.csv", "a,b\n1,2\n", 422, "/date_format", {"date_format": "dd.mm"}),
    "an unknown format": Case("t.csv", "a,b\n1,2\n", 415, "name one of", {"format": "docx"}),
    "an unknown ending": Case("t.docx", "a,b\n1,2\n", 415, "upload csv, tsv"),
    # what comes by mistake
    "a picture": Case("t.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 415, "a picture"),
    "a PDF": Case("t.csv", b"%PDF-1.7\n", 415, "a PDF; export its table"),
    "a pickle": Case("t.csv", pickle.dumps([1.5] * 100, 4), 415, "a pickle, which is never read"),
    "an Excel workbook": Case("t.xlsx", archive({"xl/workbook.xml": b"<x/>"}), 422, "the Excel file is broken"),
    "a Word document": Case("t.xlsx", archive({"word/document.xml": b"<x/>"}), 415, "a Word file; save its table"),
    "text that is called a workbook": Case("t.xls", "a\tb\n1\t2\n", 415, "'format' set to csv"),
    "an archive of anything": Case("t.zip", archive({"a.exe": b"MZ"}), 415, "a ZIP archive of 'a.exe'"),
    "an old Office file": Case("t.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), 422, "OLE2 file is broken"),
    "a program": Case("t.csv", b"\x7fELF" + bytes(60), 415, "a program"),
    "a bzip2 file": Case("t.csv.bz2", b"BZh91AY&SY", 415, "gzip or zstd"),
    "an SQLite database": Case("t.db", b"SQLite format 3\0" + bytes(100), 415, "an SQLite database"),
    # JSON
    "JSON that breaks off": Case("t.json", '[{"a": 1},\n {"a": ', 422, "line 2, column 8 is no JSON"),
    "JSON with a comma too many": Case("t.json", '[{"a": 1,}]', 422, "line 1, column 10"),
    "nested JSON": Case("t.json", '[{"a": {"b": 1}}]', 422, "column 'a' holds objects"),
    "JSON nested deep": Case("t.json", DEEP, 422, "nests brackets more than 64 deep"),
    "JSON Lines nested deep": Case("t.jsonl", '{"a":' * 100_000, 422, "nests brackets more than 64 deep"),
    "JSON of one number": Case("t.json", "42", 422, "array of objects"),
    "JSON of numbers": Case("t.json", "[1, 2, 3]", 422, "array of objects"),
    "JSON of nothing": Case("t.json", "[]", 422, "array of objects"),
    "JSON columns of several lengths": Case("t.json", '{"a": [1, 2], "b": [1]}', 422, "not equally long"),
    "lists of several lengths": Case("t.json", '[{"a": [1, 2]}, {"a": [1]}]', 422, "lists of 1 to 2 items, as in row 1"),
    "a broken line": Case("t.jsonl", '{"a": 1}\n{"a": }\n', 422, "line 2 is no JSON"),
    "a line that is no object": Case("t.jsonl", '{"a": 1}\n[2]\n', 422, "line 2 is no object"),
    # Parquet and Arrow
    "truncated Parquet": Case("t.parquet", parquet(a=[1, 2, 3])[:-20], 422, "Parquet file is broken or cut off"),
    "Parquet of four bytes": Case("t.parquet", b"PAR1", 422, "Parquet file is broken"),
    "Parquet with a page of noise": Case(
        "t.parquet", b"PAR1" + b"\xff" * 40 + parquet(a=list(range(100)))[44:], 422, "Parquet file"
    ),
    "no Parquet at all": Case("t.parquet", "a,b\n1,2\n", 422, "Parquet file is broken"),
    "Parquet of objects": Case("t.parquet", parquet(a=[{"b": 1}]), 422, "column 'a' holds objects"),
    "Parquet of bytes": Case("t.parquet", parquet(a=[b"\0\1"]), 422, "column 'a' holds bytes"),
    "JSON whose name has a NUL": Case("t.json", '[{"c": 1, "a\\u0000b": 2}]', 422, "name of column 2 holds a NUL"),
    "Arrow whose name has a NUL": Case("t.arrows", arrow_named("a\0b"), 422, "name of column 1 holds a NUL"),
    "Parquet of nothing": Case("t.parquet", parquet(a=pl.Series([], dtype=pl.Int64)), 422, "no rows"),
    "truncated Arrow": Case("t.arrow", arrow(a=[1, 2, 3])[:-30], 422, "Arrow file is broken or cut off"),
    "Arrow of eight bytes": Case("t.arrow", b"ARROW1\0\0", 422, "Arrow file is broken"),
    "an Arrow stream that breaks off": Case("t.arrows", b"\xff\xff\xff\xff\xf0\0\0\0abc", 422, "Arrow file is broken"),
    "an Arrow stream that claims gigabytes": Case("t.arrows", b"\xff" * 7 + b"\x7fabc", 422, "Arrow file is broken"),
    # NPY and NPZ
    "a pickle in an NPY": Case("t.npy", npy(np.array([Evil()], object), allow_pickle=True), 422, "pickled objects"),
    "a pickle in an NPZ": Case(
        "t.npz", npz(a=npy(np.array([Evil()], object), allow_pickle=True)), 422, "'a' holds pickled objects"
    ),
    "an NPY that claims a terabyte": Case("t.npy", claims("(1000000, 125000)"), 422, "no NPY array that can be read"),
    "an NPY that claims more than there is": Case("t.npy", claims("(1 << 70,)"), 422, "no NPY array that can be read"),
    "an NPY of a negative shape": Case("t.npy", claims("(-1,)"), 422, "'t'"),
    "an NPY whose header is a program": Case("t.npy", claims("__import__('os').abort()"), 422, "no NPY array that can be read"),
    "an NPY of nothing": Case("t.npy", npy(np.zeros((0, 4))), 422, "holds nothing (0 × 4)"),
    "an NPY of complex numbers": Case("t.npy", npy(np.zeros(3, complex)), 422, "complex128"),
    "an NPY of seven dimensions": Case("t.npy", npy(np.zeros((2,) * 7)), 422, "7 dimensions"),
    "an NPY with a number missing in a picture": Case("t.npy", npy(np.full((2, 3, 3), np.nan)), 422, "gap in it in row 0"),
    "an NPZ of arrays that differ": Case("t.npz", npz(a=npy(np.zeros(3)), b=npy(np.zeros(4))), 422, "'a' 3, 'b' 4"),
    "an NPZ that breaks off": Case("t.npz", npz(a=npy(np.zeros(3)))[:-30], 422, "NPZ file is broken"),
    "an NPZ of nothing": Case("t.npz", archive({}), 422, "holds no array"),
    "path names in an archive": Case("t.npz", archive({"../../etc/x.npy": npy(np.zeros(3))}), 422, "a path and not a name"),
    "thousands of members": Case("t.npz", archive({f"m{n}.npy": b"" for n in range(3000)}), 413, "at most 256"),
    "an NPZ bomb": Case("t.npz", lambda: npz(a=npy(np.zeros(80_000_000, np.uint8))), 413, "times its size"),
    # IDX
    "an IDX that claims more": Case("t.idx", idx(8, 60000, 28, 28, data=bytes(100)), 422, "and the file has 116"),
    "an IDX that claims less": Case("t.idx", idx(8, 2, 2, data=bytes(9)), 422, "2 × 2 values of 1 bytes, 16 bytes in all"),
    "an IDX of a type unknown": Case("t.idx", idx(7, 4, data=bytes(4)), 422, "no type and dimensions"),
    "an IDX that ends in its header": Case("t.idx", idx(8, 2, 2, 2)[:9], 422, "ends within its header"),
    "an IDX of the largest sizes": Case("t.idx", idx(14, *[2**32 - 1] * 4), 422, "write it again"),
    "an IDX of nothing": Case("t.idx", idx(8, 0), 422, "holds nothing"),
    # ARFF
    "ARFF without rows": Case("t.arff", "@relation r\n@attribute a numeric\n", 422, "no line @data"),
    "ARFF without attributes": Case("t.arff", arff("", "1"), 422, "declares no attribute"),
    "ARFF of a type unknown": Case("t.arff", arff("@attribute a relational", "1"), 422, "line 2 declares type 'relational'"),
    "an ARFF cell not listed": Case("t.arff", arff("@attribute a {x, y}", "x\nz"), 422, "'a' holds 'z' in row 1"),
    "an ARFF cell that is no number": Case("t.arff", arff("@attribute a real", "1\nz"), 422, "holds 'z' in row 1"),
    "a short ARFF row": Case("t.arff", arff("@attribute a real\n@attribute b real", "1,2\n3"), 422, "line 6 has 1 cells"),
    "sparse ARFF of too many": Case("t.arff", arff("@attribute a real", "{1 1}"), 422, "line 4 names attribute 1"),
    "two ARFF attributes of a name": Case("t.arff", arff("@attribute a real\n@attribute a real", "1,2"), 422, "'a' twice"),
    # packed
    "gzip of gzip": Case("t.csv.gz", gzip.compress(gzip.compress(b"a,b\n1,2\n")), 422, "packed twice"),
    "zstd of gzip": Case("t.csv.zst", zstandard.compress(gzip.compress(b"a,b\n1,2\n")), 422, "packed twice"),
    "gzip that breaks off": Case("t.csv.gz", gzip.compress(b"a,b\n1,2\n" * 1000)[:-20], 422, "gzip file is broken or cut off"),
    "gzip with a wrong sum": Case("t.csv.gz", gzip.compress(b"a,b\n1,2\n")[:-8] + bytes(8), 422, "gzip file is broken"),
    "gzip of nothing": Case("t.csv.gz", gzip.compress(b""), 422, "is empty within its gzip"),
    "zstd that breaks": Case("t.csv.zst", zstandard.compress(b"a,b\n1,2\n")[:8] + b"\xff" * 30, 422, "zstd file is broken"),
    "zstd with a window of gigabytes": Case("t.csv.zst", b"\x28\xb5\x2f\xfd\x00\xf8" + bytes(50), 422, "zstd file is broken"),
    "a bomb of ten gigabytes": Case("t.csv.gz", gzip_bomb, 413, "unpacks to more than"),
    "a bomb of zstd": Case("t.csv.zst", zstd_bomb, 413, "unpacks to more than"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_with_its_place_and_leaves_nothing(make_stage: Callable[..., Stage], case: str) -> None:
    sent = CASES[case]
    stage = make_stage(reader_bytes=MEMORY, max_unpacked_bytes=256 << 20, reader_seconds=60, max_upload_bytes=256 << 20)
    content = sent.content() if callable(sent.content) else sent.content
    content = content.encode() if isinstance(content, str) else content
    response = stage.client.post("/v1/datasets", files={"file": (sent.name, content)}, data=sent.form)
    problem = response.json()
    assert response.status_code == sent.status, problem
    assert response.headers["content-type"] == "application/problem+json"
    assert sent.says in problem["detail"] or sent.says in json.dumps(problem.get("errors")), problem
    assert len(problem["detail"]) < 700
    assert str(stage.place.settings.data) not in response.text
    assert "Traceback" not in response.text
    assert stage.client.get("/v1/datasets").json()["items"] == []
    assert [path for path in stage.place.settings.files.rglob("*") if path.is_file()] == []
    assert stage.csv("a,b\n1,2\n").status_code == 201


FORMULAS = "name,n\n=1+1,1\n@SUM(A1),2\n-2+3,3\n+x,4\nplain,-5\n"


def test_formulas_are_cells_like_any_other_and_escaped_where_a_spreadsheet_reads_them(stage: Stage) -> None:
    dataset_id = stage.csv(FORMULAS).json()["id"]
    rows = stage.client.get(f"/v1/datasets/{dataset_id}/rows").json()["rows"]
    assert rows == [["=1+1", 1], ["@SUM(A1)", 2], ["-2+3", 3], ["+x", 4], ["plain", -5]]
    table = stage.client.get(f"/v1/datasets/{dataset_id}/rows", headers={"Accept": "text/csv"})
    assert table.headers["content-type"].startswith("text/csv")
    assert table.text == "name,n\n'=1+1,1\n'@SUM(A1),2\n'-2+3,3\n'+x,4\nplain,-5\n"
    assert stage.client.get(f"/v1/datasets/{dataset_id}/content").text == FORMULAS
