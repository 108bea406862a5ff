"""A folder of pictures in a ZIP archive: PNG or JPEG, a folder a class, as a column `image` and a column `label`."""

import io
import re
import struct
import warnings
import zipfile
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import polars as pl

from engine.wording import notice, say
from store.errors import TooLarge, UnreadableFile
from store.formats.archives import PICTURES, is_junk, opened, whole
from store.formats.reading import BATCH_BYTES, Found, Source
from store.readings.options import ReadOptions

MAX_PIXELS = 1 << 24
"""Maximum pixels of one picture, which its header tells before it is decoded."""
FILE_BYTES = 256 << 20
MODES = {"grey": "L", "rgb": "RGB"}
KEPT = {"L": "grey", "RGB": "RGB", "RGBA": "RGB with transparency", "LA": "grey with transparency", "I;16": "grey of 16 bits"}
"""Modes of Pillow's that are read as they are."""
SAME = {"1": "L", "P": "RGB", "PA": "RGBA"}
"""Modes that are read as another, in which nothing is lost."""


def read_images(source: Source) -> Found:
    """Read pictures of one size and mode as arrays of (h, w) or (h, w, c); the folder that each lies in is its label.

    `image_size` resizes them and `image_mode` makes all of them grey or colored, where that is asked for. Raises
    UnreadableFile with the picture's name, TooLarge over the bounds on pixels and bytes.
    """
    archive = opened(source.path)
    members = [member for member in archive.infolist() if not member.is_dir() and not is_junk(member.filename)]
    pictures = [member for member in members if member.filename.lower().endswith(PICTURES)]
    if not pictures:
        raise UnreadableFile("the archive holds no PNG or JPEG picture; pack the folders of pictures")
    labels, told = _labels([member.filename for member in pictures])
    found = Found(iter(()), {"pictures": len(pictures), "classes": len(set(labels or ()))})
    if told:
        found.warnings.append(told)
    others = [member.filename for member in members if not member.filename.lower().endswith(PICTURES)]
    if others:
        detail = say(
            "{count} files in the archive are no PNG or JPEG pictures and were left out, the first '{first}'",
            count=len(others),
            first=others[0][:100],
        )
        found.warnings.append(notice("OTHER_FILES", detail, column=None))
    found.batches = _batches(archive, pictures, labels, source, found)
    return found


def _labels(names: list[str]) -> tuple[list[str] | None, dict[str, Any] | None]:
    """The folder of each picture, None where there are no classes; and a warning where folders may be meant otherwise."""
    paths = [name.replace("\\", "/").removeprefix("./").split("/") for name in names]
    while all(len(path) > 1 for path in paths) and len({path[0] for path in paths}) == 1:
        folder, paths = paths[0][0], [path[1:] for path in paths]
    depths = {len(path) for path in paths}
    if depths == {1}:
        if "/" not in names[0].removeprefix("./"):
            return None, None
        detail = say(
            "all pictures lie in one folder, '{folder}', so they have no label; pack a folder for each class beside one "
            "another",
            folder=folder,
        )
        return None, notice("NO_LABELS", detail, column=None)
    if len(depths) > 1:
        shallow, deep = (names[[len(path) for path in paths].index(depth)] for depth in (min(depths), max(depths)))
        raise UnreadableFile(
            f"'{shallow[:100]}' and '{deep[:100]}' do not lie equally deep in folders; put every picture into the folder "
            f"of its class"
        )
    if depths == {2}:
        return [path[0] for path in paths], None
    if depths == {3}:
        outer = sorted({path[0] for path in paths})
        detail = say(
            "the pictures of {count} folders ({folders}) became one table, labelled by the folders within; to keep them apart, "
            "upload each folder as a dataset of its own",
            count=len(outer),
            folders=", ".join(outer[:5]),
        )
        return [path[1] for path in paths], notice("NESTED_FOLDERS", detail, column="label")
    raise UnreadableFile(f"'{names[0][:100]}' lies too deep in folders; pack a folder for each class, with its pictures in it")


def _batches(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], labels: list[str] | None, source: Source, found: Found
) -> Iterator[pl.DataFrame]:
    decoder = _Decoder(source, len(members))
    pictures = (decoder.decode(member.filename, whole(archive, member, FILE_BYTES, "archive")) for member in members)
    place = 0
    with archive:
        while held := list(islice(pictures, decoder.at_once)):
            images = np.stack(held)
            columns = [pl.Series("image", images)]
            if labels is not None:
                columns.append(pl.Series("label", labels[place : place + len(held)], pl.String))
            place += len(held)
            yield pl.DataFrame(columns)
    found.read |= decoder.read


class _Decoder:
    """Decodes pictures, each as the first: of one size and mode."""

    def __init__(self, source: Source, count: int) -> None:
        options: ReadOptions = source.options
        self._mode = MODES[options.image_mode] if options.image_mode else None
        size = re.fullmatch(r"(\d+)x(\d+)", options.image_size or "")
        self._size = (int(size[1]), int(size[2])) if size else None
        self._limit, self._count = source.limit, count
        self._first: tuple[str, tuple[int, int], str] | None = None
        self.at_once = 1
        """Pictures of a batch, known once the first has been decoded."""
        self.read: dict[str, Any] = {"rotated": 0}

    def decode(self, name: str, data: bytes) -> np.ndarray:
        """The picture as (h, w) or (h, w, c)."""
        from PIL import Image, ImageOps, UnidentifiedImageError

        Image.MAX_IMAGE_PIXELS = MAX_PIXELS
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                warnings.filterwarnings("ignore", category=UserWarning)
                with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as picture:
                    self._check_header(name, picture, data)
                    upright = ImageOps.exif_transpose(picture)
                    self.read["rotated"] += picture.getexif().get(0x0112, 1) not in (0, 1)
                    return self._array(name, upright)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise TooLarge(f"'{name[:100]}' has more than {MAX_PIXELS} pixels; make it smaller") from None
        except UnidentifiedImageError:
            raise UnreadableFile(
                f"'{name[:100]}' is no PNG or JPEG picture, whatever its name; save it anew, or leave it out"
            ) from None
        except (OSError, SyntaxError, ValueError, struct.error, EOFError, IndexError, KeyError, TypeError) as error:
            reason = str(error)[:200]
            raise UnreadableFile(f"'{name[:100]}' is broken or cut off ({reason}); save it anew, or leave it out") from None

    def _check_header(self, name: str, picture: Any, data: bytes) -> None:
        if getattr(picture, "n_frames", 1) > 1:
            raise UnreadableFile(f"'{name[:100]}' holds {picture.n_frames} pictures; save each as one")
        if picture.format == "PNG" and data[24] == 16 and data[25] != 0:
            raise UnreadableFile(
                f"'{name[:100]}' has colors of 16 bits, which would be rounded to 8; save it with 8 bits a color"
            )

    def _array(self, name: str, picture: Any) -> np.ndarray:
        mode = "RGBA" if picture.mode == "P" and "transparency" in picture.info else SAME.get(picture.mode, picture.mode)
        mode = self._mode or mode
        if mode not in KEPT:
            raise UnreadableFile(
                f"'{name[:100]}' has colors of kind {picture.mode}; upload it with 'image_mode' set to rgb or grey"
            )
        if picture.mode == "I;16" and mode != "I;16":
            raise UnreadableFile(
                f"'{name[:100]}' has 16 bits a pixel, which would be rounded to 8; save it with 8, or leave 'image_mode'"
            )
        if picture.mode != mode:
            picture = picture.convert(mode)
        if self._size is not None and picture.size != self._size:
            from PIL import Image

            picture = picture.resize(self._size, Image.Resampling.BILINEAR)
        self._compare(name, picture.size, mode)
        return np.asarray(picture)

    def _compare(self, name: str, size: tuple[int, int], mode: str) -> None:
        if self._first is None:
            self._first = (name, size, mode)
            each = size[0] * size[1] * (2 if mode == "I;16" else len(mode))
            if each * self._count > self._limit:
                raise TooLarge(
                    f"{self._count} pictures of {each} bytes take {each * self._count} bytes; at most {self._limit} are "
                    f"read; make them "
                    "smaller by 'image_size', or send fewer"
                )
            self.at_once = max(1, BATCH_BYTES // each)
            self.read |= {"size": f"{size[0]}x{size[1]}", "mode": KEPT[mode]}
            return
        first, first_size, first_mode = self._first
        if size != first_size:
            raise UnreadableFile(
                f"'{first[:100]}' is {first_size[0]} × {first_size[1]} pixels and '{name[:100]}' {size[0]} × {size[1]}; "
                f"give all one size, "
                f"or upload them with 'image_size' set, as in {first_size[0]}x{first_size[1]}, which resizes them",
                "/image_size",
            )
        if mode != first_mode:
            raise UnreadableFile(
                f"'{first[:100]}' is {KEPT[first_mode]} and '{name[:100]}' {KEPT[mode]}; upload them with 'image_mode' "
                f"set to grey or rgb, "
                "which makes all of one kind",
                "/image_mode",
            )
