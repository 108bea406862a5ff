"""Any bytes at all, as any format: they are read, or refused by name; no reader raises anything else."""

import gzip
import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.errors import StoreError
from store.formats import FORMATS
from tests.store.formats import read
from tests.store.formats.files import ods, pictures, xls, xlsx

TABLE = pl.DataFrame({"a": [1, 2, None], "b": ["x", "é", None], "c": [1.5, None, -2.0], "d": [True, False, None]})


def seeds() -> dict[str, bytes]:
    """A small good file of each format."""
    parquet, arrow, stream, npy, npz = (io.BytesIO() for _ in range(5))
    TABLE.write_parquet(parquet)
    TABLE.write_ipc(arrow)
    TABLE.write_ipc_stream(stream)
    np.save(npy, np.arange(6.0).reshape(3, 2))
    np.savez_compressed(npz, x=np.arange(8).reshape(2, 2, 2), y=np.array(["a", "b"]))
    return {
        "csv": TABLE.write_csv().encode(),
        "tsv": TABLE.write_csv(separator="\t").encode(),
        "json": TABLE.write_json().encode(),
        "jsonl": TABLE.write_ndjson().encode(),
        "parquet": parquet.getvalue(),
        "arrow": arrow.getvalue(),
        "arrows": stream.getvalue(),
        "npy": npy.getvalue(),
        "npz": npz.getvalue(),
        "idx": b"\0\0\x08\x02\0\0\0\x02\0\0\0\x03abcdef",
        "arff": b"@relation r\n@attribute a {x, 'y z'}\n@attribute b real\n@data\nx,1\n'y z',?\n",
        "sparse.arff": b"@relation r\n@attribute a {x, 'y z'}\n@attribute b real\n@data\n{0 'y z'}\n{1 3}\n",
        "xlsx": xlsx({"a": [["n", "w"], [1.5, "x"], [2, None]]}),
        "xls": xls({"a": [["n", "w"], [1.5, "x"], [2, "y"]]}),
        "ods": ods({"a": [["n", "w"], [1.5, "x"], [2, "y"]]}),
        "zip": pictures({"a/1.png": (2, 2), "b/2.jpg": (2, 2)}),
        "csv.gz": gzip.compress(b"a,b\n1,2\n", mtime=0),
        "csv.zst": zstandard.compress(b"a,b\n1,2\n"),
    }


SEEDS = seeds()


@st.composite
def damaged(draw: st.DrawFn, good: bytes) -> bytes:
    """A good file with some bytes changed, cut out, put in, or cut off."""
    data = bytearray(good)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(0, len(data) - 1)))
        action = draw(st.sampled_from(["change", "cut", "put", "end", "swell"]))
        if action == "change" and data:
            data[place] = draw(st.integers(0, 255))
        elif action == "cut":
            del data[place : place + draw(st.integers(1, 8))]
        elif action == "put":
            data[place:place] = draw(st.binary(min_size=1, max_size=8))
        elif action == "end":
            del data[place:]
        else:
            data[place : place + 4] = b"\xff\xff\xff\x7f"
    return bytes(data)


def check(folder: Path, content: bytes, name: str, form: str | None) -> None:
    """A table with something in it, or a refusal that is the sender's to mend."""
    try:
        table, refused = read(folder, content, name, form), None
    except StoreError as error:
        table, refused = None, error
    if refused is not None:
        assert refused.status in (413, 415, 422)
        assert len(str(refused)) < 600
    else:
        assert table is not None
        assert table.height > 0
        assert table.width > 0


@pytest.mark.parametrize("name", SEEDS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, name: str, data: st.DataObject) -> None:
    content = data.draw(damaged(SEEDS[name]))
    check(tmp_path, content, f"t.{name}", None)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200), form=st.sampled_from(list(FORMATS)))
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes, form: str) -> None:
    check(tmp_path, content, "t", form)
