"""Archives of pictures: an array each, and the folder as its label."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from store.errors import StoreError, TooLarge, UnreadableFile
from tests.store.formats import read, read_all
from tests.store.formats.files import archive, picture, pictures

GREY = np.arange(12, dtype=np.uint8).reshape(3, 4)
COLOURS = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)


@pytest.mark.parametrize(("array", "dtype"), [(GREY, pl.UInt8), (COLOURS, pl.UInt8), (GREY.astype(np.uint16) * 5000, pl.Int32)])
def test_pictures_come_back_with_their_folders_as_labels(tmp_path: Path, array: np.ndarray, dtype: Any) -> None:
    members = {"pets/0/1.png": picture(array), "pets/dog/2.PNG": picture(array[::-1].copy())}
    source, table, warnings = read_all(tmp_path, {"pets.zip": archive(members)})
    assert table.schema == {"image": pl.Array(dtype, array.shape), "label": pl.String}
    np.testing.assert_array_equal(table["image"].to_numpy(), np.stack([array, array[::-1]]))
    assert table["label"].to_list() == ["0", "dog"]
    assert (source["format"], source["read"]["classes"], source["read"]["size"]) == ("images", 2, "4x3")
    assert warnings == []


def test_what_systems_put_into_archives_is_no_picture(tmp_path: Path) -> None:
    members = {"a/": b"", "a/1.png": picture(GREY), "__MACOSX/a/._1.png": b"x", "a/.DS_Store": b"x", "b/Thumbs.db": b"",
               "b/2.jpg": picture(GREY, "jpg")}  # fmt: skip
    _, table, warnings = read_all(tmp_path, {"t.zip": archive(members)})
    assert (table["label"].to_list(), warnings) == (["a", "b"], [])
    _, table, warnings = read_all(tmp_path, {"t.zip": archive(members | {"README.txt": b"x"})})
    assert [found["code"] for found in warnings] == ["OTHER_FILES"]


def test_folders_say_what_the_label_is(tmp_path: Path) -> None:
    assert read(tmp_path, pictures({"1.png": (2, 2), "2.png": (2, 2)}), "t.zip").columns == ["image"]
    _, table, warnings = read_all(tmp_path, {"t.zip": pictures({"all/1.png": (2, 2), "all/2.png": (2, 2)})})
    assert (table.columns, [found["code"] for found in warnings]) == (["image"], ["NO_LABELS"])
    nested = {"train/cat/1.png": (2, 2), "train/dog/2.png": (2, 2), "test/cat/3.png": (2, 2)}
    _, table, warnings = read_all(tmp_path, {"t.zip": pictures(nested)})
    assert table["label"].to_list() == ["cat", "dog", "cat"]
    assert [found["code"] for found in warnings] == ["NESTED_FOLDERS"]
    assert "test, train" in warnings[0]["detail"]


def test_sizes_and_modes_are_made_one_where_that_is_asked_for(tmp_path: Path) -> None:
    mixed = archive({"a/1.png": picture(GREY), "b/2.png": picture(np.full((6, 8, 3), 100, np.uint8))})
    with pytest.raises(UnreadableFile, match=r"'a/1.png' is 4 × 3 pixels and 'b/2.png' 8 × 6; .* 'image_size' set, as in 4x3"):
        read(tmp_path, mixed, "t.zip")
    with pytest.raises(UnreadableFile, match=r"'a/1.png' is grey and 'b/2.png' RGB; .* 'image_mode' set to grey or rgb"):
        read(tmp_path, mixed, "t.zip", image_size="4x3")
    found = read(tmp_path, mixed, "t.zip", image_size="4x3", image_mode="rgb")["image"].to_numpy()
    np.testing.assert_array_equal(found[0], np.repeat(GREY[:, :, None], 3, axis=2))
    assert (found[1] == 100).all()
    assert read(tmp_path, mixed, "t.zip", image_size="2x5", image_mode="grey")["image"].dtype == pl.Array(pl.UInt8, (5, 2))


def test_palettes_and_bits_are_the_colors_they_stand_for(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.fromarray(COLOURS).quantize(16).save(out, "png")
    shown = np.asarray(Image.open(io.BytesIO(out.getvalue())).convert("RGB"))
    np.testing.assert_array_equal(read(tmp_path, archive({"1.png": out.getvalue()}), "t.zip")["image"].to_numpy()[0], shown)
    assert read(tmp_path, archive({"1.png": picture(GREY > 5)}), "t.zip")["image"].to_numpy().tolist() == [
        (255 * (GREY > 5)).tolist()
    ]


def test_a_picture_stands_as_its_camera_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    content = archive({"1.jpg": picture(np.zeros((3, 4), np.uint8), "jpg", exif=exif)})
    source, table, _ = read_all(tmp_path, {"t.zip": content})
    assert (table["image"].dtype, source["read"]["rotated"]) == (pl.Array(pl.UInt8, (4, 3)), 1)


def png(width: int, height: int, depth: int = 8, colors: int = 0) -> bytes:
    """A PNG whose header claims a size, and that holds next to nothing."""
    chunks = b"\x89PNG\r\n\x1a\n"
    header = struct.pack(">IIBBBBB", width, height, depth, colors, 0, 0, 0)
    for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b"")):
        chunks += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return chunks


REFUSED: dict[str, tuple[dict[str, bytes], type[StoreError], str]] = {
    "a claim of many pixels": ({"1.png": png(60_000, 60_000)}, TooLarge, "'1.png' has more than 16777216 pixels"),
    "a picture that breaks off": ({"1.png": picture(GREY)[:50]}, UnreadableFile, "'1.png' is broken or cut off"),
    "another form": ({"1.png": picture(GREY, "gif")}, UnreadableFile, "'1.png' is no PNG or JPEG picture"),
    "colors of 16 bits": ({"1.png": png(2, 2, 16, 2)}, UnreadableFile, "16 bits, which would be rounded to 8"),
    "folders of several depths": (
        {"a/1.png": picture(GREY), "b/c/2.png": picture(GREY)},
        UnreadableFile,
        "not lie equally deep",
    ),
    "folders too deep": ({"a/b/c/1.png": picture(GREY), "d/b/c/2.png": picture(GREY)}, UnreadableFile, "too deep"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused_by_name(tmp_path: Path, case: str) -> None:
    members, error, said = REFUSED[case]
    with pytest.raises(error, match=said):
        read(tmp_path, archive(members), "t.zip")
