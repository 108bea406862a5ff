"""The images of a dataset as PNG, held against the arrays that they were made of, pixel by pixel."""

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from service.png import GAP
from store import datasets
from tests.service.conftest import Stage, stages

RNG = np.random.default_rng(7)
ROWS = 5
BYTES = RNG.integers(0, 256, (ROWS, 4, 3)).astype(np.uint8)
COLOURS = RNG.integers(0, 256, (ROWS, 4, 3, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Stage]:
    with stages(tmp_path_factory.mktemp("pictures"), migrated) as make:
        yield make()


def made(stage: Stage, **columns: Any) -> str:
    with stage.place.database.transaction() as session:
        source = {"kind": "upload", "filename": "t.npz", "format": "npz"}
        return datasets.create(session, stage.place.files, "local", "t", source, b"", pl.DataFrame(columns)).id


def png(stage: Stage, dataset_id: str, path: str = "", **asked: Any) -> np.ndarray:
    answer = stage.client.get(f"/v1/datasets/{dataset_id}/images{path}", params=asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "private, no-cache"
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def known(stage: Stage, dataset_id: str) -> list[dict[str, Any]]:
    answer = stage.client.get(f"/v1/datasets/{dataset_id}/images", headers={"Accept": "application/json"})
    return list(answer.json()["items"])


def refused(stage: Stage, dataset_id: str, path: str = "", status: int = 422, **asked: Any) -> tuple[str, str]:
    answer = stage.client.get(f"/v1/datasets/{dataset_id}/images{path}", params=asked)
    assert answer.status_code == status, answer.text
    (error,) = answer.json().get("errors") or [{"pointer": "", "detail": answer.json()["detail"]}]
    return error["pointer"], error["detail"]


FRACTIONS = RNG.random((ROWS, 4, 3)).astype(np.float32)
WIDE = np.linspace(-3, 5, ROWS * 12).reshape(ROWS, 4, 3)
DEEP = np.linspace(0, 4095, ROWS * 12).round().astype(np.uint16).reshape(ROWS, 4, 3)
CASES: dict[str, tuple[np.ndarray, np.ndarray, tuple[float, float]]] = {
    "bytes": (BYTES, BYTES, (0, 255)),
    "colors": (COLOURS, COLOURS, (0, 255)),
    "channels first": (np.moveaxis(np.tile(COLOURS, (1, 2, 3, 1)), 3, 1), np.tile(COLOURS, (1, 2, 3, 1)), (0, 255)),
    "transparent": (np.tile(COLOURS[..., :1], (1, 1, 1, 4)), np.tile(COLOURS[..., :1], (1, 1, 1, 4)), (0, 255)),
    "grey and alpha": (COLOURS[..., :2], COLOURS[..., :2], (0, 255)),
    "fractions": (FRACTIONS, np.rint(FRACTIONS.astype(np.float64) * 255), (0, 1)),
    "beyond": (WIDE, np.rint((WIDE + 3) * 255 / 8), (-3, 5)),
    "16 bits": (DEEP, np.rint(DEEP * 255.0 / 4095), (0, 4095)),
    "0 to 16": (BYTES // 16 + 1, np.rint((BYTES // 16) * 17.0), (1, 16)),
    "ink or none": (BYTES > 99, (BYTES > 99) * 255, (0, 1)),
    "all alike": (np.full((ROWS, 4, 3), 7.5), np.zeros((ROWS, 4, 3)), (7.5, 8.5)),
}


@pytest.mark.parametrize("case", CASES)
def test_a_picture_is_the_array_that_it_was_made_of(stage: Stage, case: str) -> None:
    array, expected, (low, high) = CASES[case]
    dataset_id = made(stage, x=pl.Series(array), y=list(range(ROWS)))
    (told,) = known(stage, dataset_id)
    height, width, channels = (*expected.shape[1:], 1)[:3]
    assert told == {"name": "x", "height": height, "width": width, "channels": channels, "low": low, "high": high}
    for row in (0, ROWS - 1):
        np.testing.assert_array_equal(png(stage, dataset_id, f"/{row}"), expected[row], strict=False)
    tripled = png(stage, dataset_id, "/1", column="x", scale=3)
    np.testing.assert_array_equal(tripled, np.repeat(np.repeat(expected[1], 3, 0), 3, 1))


def test_black_and_white_can_be_chosen(stage: Stage) -> None:
    dataset_id = made(stage, x=pl.Series(DEEP))
    shown = png(stage, dataset_id, "/2", low=1000, high=2000)
    np.testing.assert_array_equal(shown, np.clip(np.rint((DEEP[2] - 1000.0) * 0.255), 0, 255))
    assert refused(stage, dataset_id, "/2", low=5, high=5)[0] == "/query/high"


def test_a_sheet_has_each_row_in_its_place(stage: Stage) -> None:
    cells = [BYTES[0].tolist(), None, *BYTES[2:].tolist()]
    dataset_id = made(stage, x=pl.Series(cells, dtype=pl.Array(pl.UInt8, (4, 3))))
    scale, columns = 2, 2
    sheet = png(stage, dataset_id, offset=0, limit=9, columns=columns, scale=scale)
    assert sheet.shape == (3 * 8 + 2 * GAP, 2 * 6 + GAP, 2)
    for row in range(ROWS):
        top, left = (row // columns) * (8 + GAP), (row % columns) * (6 + GAP)
        tile = sheet[top : top + 8, left : left + 6]
        if row == 1:
            assert not tile.any()
        else:
            np.testing.assert_array_equal(tile[..., 0], np.repeat(np.repeat(BYTES[row], 2, 0), 2, 1))
            assert (tile[..., 1] == 255).all()
    assert not sheet[8 : 8 + GAP].any()
    one = png(stage, dataset_id, offset=4, limit=1)
    np.testing.assert_array_equal(one[..., 0], BYTES[4])
    assert "no image" in refused(stage, dataset_id, "/1", status=404)[1]
    assert refused(stage, dataset_id, status=404, offset=5)[0] == "/query/offset"
    assert "no row 5" in refused(stage, dataset_id, "/5", status=404)[1]


def test_the_digits_are_images_and_so_are_other_tables_of_pixels(stage: Stage) -> None:
    digits = stage.sample("digits")
    assert known(stage, digits) == [{"name": "pixel", "height": 8, "width": 8, "channels": 1, "low": 0, "high": 16}]
    rows = stage.client.get(f"/v1/datasets/{digits}/rows?offset=40&limit=30").json()
    at = [rows["columns"].index(f"pixel_{row}_{column}") for row in range(8) for column in range(8)]
    arrays = np.array([[line[place] for place in at] for line in rows["rows"]]).reshape(30, 8, 8)
    sheet = png(stage, digits, offset=40, limit=30, columns=30)
    for place, array in enumerate(arrays):
        left = place * (8 + GAP)
        np.testing.assert_array_equal(sheet[:, left : left + 8, 0], np.rint(array * 255 / 16))
    pixels = RNG.integers(0, 256, (3, 36))
    frame = pl.DataFrame({f"pixel{n + 1}": pixels[:, n] for n in reversed(range(36))} | {"label": [1, 2, 3]})
    table = stage.csv(frame.write_csv()).json()["id"]
    np.testing.assert_array_equal(png(stage, table, "/1"), pixels[1].reshape(6, 6))
    gap = stage.csv(frame.drop("pixel7").write_csv()).json()["id"]
    assert known(stage, gap) == []


def test_a_pixel_that_is_missing_is_transparent(stage: Stage) -> None:
    pixels = {f"p_{row}_{column}": [row * 5.0 + column, 50.0] for row in range(5) for column in range(5)}
    dataset_id = made(stage, **pixels | {"p_1_2": [None, 50.0]})
    shown = png(stage, dataset_id, "/0")
    assert shown.shape == (5, 5, 2)
    assert np.argwhere(shown[..., 1] == 0).tolist() == [[1, 2]]
    assert shown[4, 4, 0] == round(24 * 255 / 50)


def test_vectors_and_numbered_columns_are_shown_by_a_size(stage: Stage) -> None:
    flat = RNG.integers(0, 256, (4, 12)).astype(np.uint8)
    dataset_id = made(stage, v=pl.Series(flat), y=[1, 2, 3, 4])
    assert known(stage, dataset_id) == []
    assert "'v'" in refused(stage, dataset_id)[1]
    np.testing.assert_array_equal(png(stage, dataset_id, "/3", size="4x3"), flat[3].reshape(3, 4))
    assert refused(stage, dataset_id, "/3", size="5x3")[0] == "/query/size"
    assert refused(stage, dataset_id, "/3", size="4x3", column="y")[0] == "/query/size"
    assert refused(stage, dataset_id, "/3", status=404, size="4x3", column="w")[0] == "/query/column"
    buffer = io.BytesIO()
    np.save(buffer, flat)
    table = stage.csv(buffer.getvalue(), "flat.npy").json()["id"]
    np.testing.assert_array_equal(png(stage, table, "/2", size="6x2", column="column"), flat[2].reshape(2, 6))


def packed(array: np.ndarray, mode: str) -> bytes:
    out = io.BytesIO()
    Image.fromarray(array, mode).save(out, "PNG")
    return out.getvalue()


def test_uploaded_pictures_come_back_as_they_were(stage: Stage) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for row, array in enumerate(COLOURS):
            file.writestr(f"{'ab'[row % 2]}/{row}.png", packed(array, "RGB"))
    dataset = stage.csv(archive.getvalue(), "pets.zip").json()
    (told,) = known(stage, dataset["id"])
    assert (told["name"], told["channels"]) == ("image", 3)
    found = [png(stage, dataset["id"], f"/{row}").tolist() for row in range(ROWS)]
    assert sorted(found) == sorted(COLOURS.tolist())
    idx = b"\0\0\x08\3" + np.array(BYTES.shape, ">u4").tobytes() + BYTES.tobytes()
    images = stage.csv(idx, "train-images-idx3-ubyte").json()["id"]
    np.testing.assert_array_equal(png(stage, images, "/3"), BYTES[3])


def test_what_is_no_image_or_too_large_is_refused_with_what_is(stage: Stage) -> None:
    iris = stage.iris()
    assert refused(stage, iris) == refused(stage, iris, "/0")
    assert "column 'species' holds no images" in refused(stage, iris, column="species")[1]
    dataset_id = made(stage, x=pl.Series(BYTES), y=list(range(ROWS)), z=pl.Series(np.zeros((ROWS, 2, 2, 9))))
    assert [images["name"] for images in known(stage, dataset_id)] == ["x"]
    for name in ("y", "z"):
        pointer, detail = refused(stage, dataset_id, column=name)
        assert (pointer, "choose 'x'" in detail) == ("/query/column", True)
    assert refused(stage, dataset_id, status=404, column="w")[0] == "/query/column"
    large = made(stage, x=pl.Series(np.zeros((1, 2000, 400), np.uint8)))
    assert png(stage, large, "/0").shape == (2000, 400)
    assert refused(stage, large, "/0", scale=3)[0] == "/query/scale"
    assert "1,200 × 6,000 pixels" in refused(stage, large, scale=3)[1]
    assert stage.client.get(f"/v1/datasets/{dataset_id}/images?scale=33").status_code == 422
    assert stage.client.get(f"/v1/datasets/{dataset_id}/images/0", headers={"Accept": "text/html"}).status_code == 406
    corrected = {"columns": [{"name": "x", "kind": "vector"}]}
    assert stage.client.patch(f"/v1/datasets/{dataset_id}", json=corrected).status_code == 200
    assert known(stage, dataset_id) == []
    np.testing.assert_array_equal(png(stage, dataset_id, "/0", size="3x4"), BYTES[0])


def test_a_sheet_that_one_has_is_not_drawn_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset_id = made(stage, x=pl.Series(BYTES))
    tags = {}
    for path in ("", "?scale=2", "?offset=1", "/0", "/1", "/1?scale=2"):
        tags[path] = stage.client.get(f"/v1/datasets/{dataset_id}/images{path}").headers["etag"]
    assert len(set(tags.values())) == len(tags)
    monkeypatch.setattr(datasets, "load", None)
    for path, tag in tags.items():
        again = stage.client.get(f"/v1/datasets/{dataset_id}/images{path}", headers={"If-None-Match": tag})
        assert again.status_code == 304


def test_a_table_in_a_file_is_looked_into_where_it_lies(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(inline_bytes=100)
    dataset_id = made(stage, x=pl.Series(BYTES))
    np.testing.assert_array_equal(png(stage, dataset_id, "/4"), BYTES[4])
