"""What is taken for an image: cells of arrays by their shape, and columns of pixels by their names."""

import numpy as np
import pytest

from engine.parts.scaling import MeanNormalization, NoScaling
from engine.tables.features import Column, Features
from engine.tables.images import ImageSize, image_cells, pixel_grids, pixels_in_order
from engine.tables.samples import DigitsSample

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("shape", "size", "channels_first"), [
    ((28, 28), (28, 28, 1), False), ((28, 28, 1), (28, 28, 1), False), ((32, 30, 3), (32, 30, 3), False),
    ((3, 32, 30), (32, 30, 3), True), ((1, 8, 8), (8, 8, 1), True), ((4, 4, 7), (4, 7, 4), True),
    ((8, 8, 7), (8, 8, 7), False),
])  # fmt: skip
def test_cells_of_arrays_are_images(shape: tuple[int, ...], size: tuple[int, ...], channels_first: bool) -> None:
    assert image_cells(shape) == (ImageSize(*size), channels_first)


@pytest.mark.parametrize("shape", [(), (64,), (2, 3, 4, 5)])
def test_other_cells_are_none(shape: tuple[int, ...]) -> None:
    assert image_cells(shape) is None


def test_columns_of_pixels_are_found_by_their_names() -> None:
    names = [name for name in DigitsSample().columns() if name != "digit"]
    assert pixels_in_order(names) == (8, 8, 1)
    assert pixels_in_order(names[::-1]) is None
    assert pixels_in_order(names[:-1]) is None
    assert pixels_in_order([f"pixel{n}" for n in range(784)]) == (28, 28, 1)
    assert pixels_in_order([f"x{n}" for n in range(25)]) is None
    assert [grid.prefix for grid in pixel_grids([*names, "digit"])] == ["pixel_"]


@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 3), (3, 5, 6)])
@pytest.mark.parametrize("crop", [None, (3, 2)])
def test_an_image_is_read_row_by_row_whatever_comes_first(shape: tuple[int, ...], crop: tuple[int, int] | None) -> None:
    """With a crop, its middle; all numbers on one scale; each feature by the name of its place in the cell."""
    cells = RNG.integers(0, 256, (6, *shape)).astype(np.uint8)
    column = Column("pixels", "image", cells.reshape(6, -1), shape=shape)
    features = Features.fit([column], "error", MeanNormalization(), as_image=True, crop=crop)
    images = np.moveaxis(cells, 1, -1) if shape[0] == 3 else cells.reshape(6, *image_cells(shape).size)  # type: ignore[union-attr]
    left = (images.shape[2] - 2) // 2
    images = images[:, 1:4, left : left + 2] if crop else images
    scaled = (images - cells.mean()) / (float(cells.max()) - float(cells.min()))
    X = features.transform({"pixels": column})
    np.testing.assert_allclose(X.reshape(images.shape), scaled, rtol=1e-12, atol=1e-12)
    assert features.width == len(features.names) == X.shape[1]
    places = [tuple(map(int, name.removeprefix("pixels[").rstrip("]").split(","))) for name in features.names]
    np.testing.assert_array_equal([cells[0][place] for place in places], images[0].reshape(-1))
    raw = Features.fit([column], "error", NoScaling(), as_image=True, crop=crop)
    np.testing.assert_array_equal(raw.transform({"pixels": column}).reshape(images.shape), images)
    np.testing.assert_allclose(features.unscaled.transform({"pixels": column}), raw.transform({"pixels": column}))


def test_columns_of_pixels_are_on_one_scale() -> None:
    cells = RNG.integers(0, 17, (9, 4))
    columns = [Column(f"p{at}", "integer", cells[:, at]) for at in range(4)]
    features = Features.fit(iter(columns), "error", MeanNormalization(), as_image=True)
    X = features.transform({column.name: column for column in columns})
    np.testing.assert_allclose(X, (cells - cells.mean()) / (cells.max() - cells.min()))
    vector = Column("v", "vector", cells, shape=(4,))
    np.testing.assert_allclose(Features.fit([vector], "error", MeanNormalization(), as_image=True).transform({"v": vector}), X)
    assert len(set(Features.fit(columns, "error", MeanNormalization()).scale)) > 1
