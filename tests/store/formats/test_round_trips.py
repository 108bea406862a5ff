"""Every format, written by its own library and read back: the same names, types and cells. And what else may be in one."""

import gzip
import io
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet
import pytest
import zstandard
from scipy.io import arff

from tests.store.formats import read, read_all

TABLE = pl.DataFrame(
    {
        "n": [1.5, None, -2.0],
        "i": pl.Series([3, 1, None], dtype=pl.UInt8),
        "w": pl.Series([70_000, -1, 0], dtype=pl.Int32),
        "b": [True, None, False],
        "t": ["é, x", "plain", None],
    }
)
ARROW = TABLE.to_arrow()


def written(write: Callable[[Any], Any]) -> bytes:
    out = io.BytesIO()
    write(out)
    return out.getvalue()


def arrow_stream() -> bytes:
    out = io.BytesIO()
    with pa.ipc.new_stream(out, ARROW.schema) as writer:
        writer.write_table(ARROW, max_chunksize=2)
    return out.getvalue()


FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "CSV by Polars": ("t.csv", lambda: TABLE.write_csv().encode()),
    "CSV by PyArrow": ("t.csv", lambda: written(lambda out: pyarrow.csv.write_csv(ARROW, out))),
    "TSV by Polars": ("t.tsv", lambda: TABLE.write_csv(separator="\t").encode()),
    "JSON by the standard library": ("t.json", lambda: json.dumps(TABLE.to_dicts()).encode()),
    "JSON columns": ("t.json", lambda: json.dumps(TABLE.to_dict(as_series=False)).encode()),
    "JSON Lines by Polars": ("t.jsonl", lambda: written(TABLE.write_ndjson)),
    "Parquet by PyArrow": ("t.parquet", lambda: written(lambda out: pa.parquet.write_table(ARROW, out, row_group_size=2))),
    "Parquet by Polars": ("t.parquet", lambda: written(TABLE.write_parquet)),
    "Parquet by the older book": ("t.pq", lambda: written(lambda out: pa.parquet.write_table(ARROW, out, version="1.0"))),
    "Arrow file by Polars": ("t.arrow", lambda: written(TABLE.write_ipc)),
    "Arrow file, packed within": ("t.arrow", lambda: written(lambda out: TABLE.write_ipc(out, compression="zstd"))),
    "Feather by PyArrow": ("t.feather", lambda: written(lambda out: pyarrow.feather.write_feather(ARROW, out))),
    "Arrow stream by PyArrow": ("t.arrows", arrow_stream),
}


@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
@pytest.mark.parametrize("case", FILES)
def test_a_table_comes_back(tmp_path: Path, case: str, packing: str) -> None:
    name, write = FILES[case]
    data = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress}[packing](write())
    found = read(tmp_path, data, name + packing)
    assert found.columns == TABLE.columns
    assert found.dtypes == [pl.Float64, pl.UInt8, pl.Int32, pl.Boolean, pl.String]
    assert found.rows() == TABLE.rows()


@pytest.mark.parametrize("case", [case for case in FILES if "Parquet" in case or "Arrow" in case])
def test_what_begins_like_a_format_is_it_whatever_its_name(tmp_path: Path, case: str) -> None:
    assert read(tmp_path, FILES[case][1](), "table.csv").rows() == TABLE.rows()


def save(array: Any) -> bytes:
    return written(lambda out: np.save(out, array))


IMAGES = np.arange(3 * 2 * 2, dtype=np.uint8).reshape(3, 2, 2)
ARRAYS: dict[str, Any] = {
    "bytes": np.array([0, 255, 7], np.uint8),
    "wide": np.array([-(2**40), 1, 2**40]),
    "big end first": np.array([1, 2, 70_000], ">i4"),
    "floats": np.array([1.5, np.nan, 2.5]),
    "halves": np.array([0.5, 1, 2], np.float16),
    "booleans": np.array([True, False, True]),
    "words": np.array(["a", "é", ""]),
    "a column of one": np.array([[1], [2], [3]]),
    "in Fortran's order": np.asfortranarray(IMAGES.astype(np.float32)),
    "images": IMAGES,
    "colors": np.zeros((3, 2, 2, 3), np.uint8),
    "vectors": np.arange(6.0).reshape(3, 2),
}


@pytest.mark.parametrize("compressed", [False, True])
def test_arrays_come_back_as_columns(tmp_path: Path, compressed: bool) -> None:
    save_all = np.savez_compressed if compressed else np.savez
    found = read(tmp_path, written(lambda out: save_all(out, **ARRAYS)), "arrays.npz")
    assert found.columns == list(ARRAYS)
    for name, array in ARRAYS.items():
        cells = found[name].to_numpy() if array.ndim > 1 else np.array(found[name].to_list(), array.dtype.newbyteorder("="))
        np.testing.assert_array_equal(cells, array.squeeze(axis=1) if name == "a column of one" else array)
    assert found["images"].dtype == pl.Array(pl.UInt8, (2, 2))
    assert found["colors"].dtype == pl.Array(pl.UInt8, (2, 2, 3))
    assert found["vectors"].dtype == pl.Array(pl.Float64, (2,))


def test_an_array_alone_is_a_table(tmp_path: Path) -> None:
    assert read(tmp_path, save(np.arange(6.0).reshape(3, 2)), "x.npy").rows() == [(0, 1), (2, 3), (4, 5)]
    assert read(tmp_path, save(IMAGES), "digits.npy").columns == ["digits"]
    records = np.array([(1, 2.5), (3, 4.5)], [("a", "i4"), ("b", "f8")])
    assert read(tmp_path, save(records), "x.npy").to_dicts() == [{"a": 1, "b": 2.5}, {"a": 3, "b": 4.5}]


def idx(array: np.ndarray, kind: int) -> bytes:
    """As LeCun's page has it."""
    return bytes([0, 0, kind, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.mark.parametrize(("kind", "dtype"), [(8, "u1"), (9, "i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")])
def test_every_idx_type_comes_back(tmp_path: Path, kind: int, dtype: str) -> None:
    array = np.array([[[1, 2], [3, 4]], [[5, 6], [7, 100]]], dtype)
    found = read(tmp_path, idx(array, kind), "t10k-images-idx3-ubyte")
    assert found.columns == ["image"]
    np.testing.assert_array_equal(found["image"].to_numpy(), array)


def test_images_and_labels_as_they_are_distributed(tmp_path: Path) -> None:
    labels = np.array([3, 1, 2], np.uint8)
    source, found, _ = read_all(
        tmp_path,
        {
            "train-images-idx3-ubyte.gz": gzip.compress(idx(IMAGES, 8)),
            "train-labels-idx1-ubyte.gz": gzip.compress(idx(labels, 8)),
        },
    )
    assert found.schema == {"image": pl.Array(pl.UInt8, (2, 2)), "label": pl.UInt8}
    np.testing.assert_array_equal(found["image"].to_numpy(), IMAGES)
    assert found["label"].to_list() == [3, 1, 2]
    assert [(file["filename"], file["format"], file["packing"]) for file in source["files"]] == [
        ("train-images-idx3-ubyte.gz", "idx", "gzip"),
        ("train-labels-idx1-ubyte.gz", "idx", "gzip"),
    ]


IRIS = """% comments
@RELATION iris
@ATTRIBUTE 'sepal length' NUMERIC
@attribute width real
@attribute class {Iris-setosa, Iris-versicolor}
% more
@DATA
5.1,3.5,Iris-setosa
% in between
?,3.0,Iris-versicolor
"""


def test_arff_reads_as_scipy_reads_it(tmp_path: Path) -> None:
    found = read(tmp_path, IRIS, "iris.arff")
    data, meta = arff.loadarff(io.StringIO(IRIS))
    assert found.columns == meta.names()
    assert found["width"].to_list() == data["width"].tolist()
    assert found["sepal length"].to_list() == [5.1, None]
    assert np.isnan(data["sepal length"][1])
    assert found["class"].to_list() == [word.decode() for word in data["class"]]


def test_nominal_values_are_words_whatever_they_look_like(tmp_path: Path) -> None:
    text = "@relation r\n@attribute a {yes, no}\n@attribute b {0, 01, 1}\n@attribute c string\n@data\nyes,01,1\nno,1,2\n"
    assert read(tmp_path, text, "t.arff").rows() == [("yes", "01", "1"), ("no", "1", "2")]


def test_lists_of_one_length_are_vectors(tmp_path: Path) -> None:
    found = read(tmp_path, '[{"v": [1, 2], "m": [[1.5], [2]]}, {"v": [3, 400], "m": [[0], [1]]}]', "t.json")
    assert found.schema == {"v": pl.Array(pl.Int16, (2,)), "m": pl.Array(pl.Float64, (2, 1))}
    assert found["v"].to_list() == [[1, 2], [3, 400]]


def test_what_parquet_has_and_no_kind_has(tmp_path: Path) -> None:
    from datetime import date, datetime
    from decimal import Decimal

    table = pl.DataFrame({"d": [date(2024, 2, 29)], "m": [datetime(2024, 1, 2, 3, 4, 5)], "x": [Decimal("1.25")]})
    table = table.with_columns(c=pl.Series(["a"], dtype=pl.Categorical), u=pl.Series([2**63], dtype=pl.UInt64))
    found = read(tmp_path, written(table.write_parquet), "t.parquet")
    assert found.rows() == [("2024-02-29", "2024-01-02T03:04:05", 1.25, "a", str(2**63))]
