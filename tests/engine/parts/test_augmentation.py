"""Views of images, held against their definition pixel by pixel; what is drawn depends on seed and epoch alone."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from engine.parts.augmentation import Augmentation, Augmenter

FILL = -7.0


def augmenter(augmentation: Augmentation, images: np.ndarray, seed: int = 0, xp: Any = np) -> Augmenter:
    return Augmenter(augmentation, seed, images, augmentation.crop or images.shape[1:3], FILL, xp)


def by_definition(augmentation: Augmentation, images: np.ndarray, seed: int, epoch: int) -> np.ndarray:
    n, height, width, channels = images.shape
    view = augmentation.crop or (height, width)
    drawn = augmentation.draw(seed, epoch, n, (height - view[0], width - view[1]))
    out = np.full((n, *view, channels), FILL)
    for i, r, c in np.ndindex(n, *view):
        row, column = drawn.top[i] + r, drawn.left[i] + c
        if 0 <= row < height and 0 <= column < width:
            out[i, r, view[1] - 1 - c if drawn.flipped[i] else c] = images[i, row, column]
    return out.reshape(n, -1)


@settings(max_examples=50)
@given(
    st.integers(1, 12), st.integers(2, 6), st.integers(2, 6), st.integers(1, 3), st.integers(0, 1), st.booleans(),
    st.booleans(), st.integers(0, 2**32), st.integers(0, 100),
)  # fmt: skip
def test_a_view_is_the_image_shifted_mirrored_and_cropped(
    n: int, height: int, width: int, channels: int, shift: int, flip: bool, cut: bool, seed: int, epoch: int
) -> None:
    images = np.arange(n * height * width * channels, dtype=np.float64).reshape(n, height, width, channels)
    crop = (height - height // 2, width - width // 2) if cut else None
    shift = min(shift, min(crop or (height, width)) - 1)
    augmentation = Augmentation(shift=shift, horizontal_flip=flip, crop=crop)
    found = augmenter(augmentation, images, seed)
    found(epoch)
    np.testing.assert_array_equal(found.X, by_definition(augmentation, images, seed, epoch))


def test_an_epoch_is_drawn_anew_whatever_came_before() -> None:
    images = np.random.default_rng(0).random((50, 6, 6, 1))
    one, other = (augmenter(Augmentation(shift=2, horizontal_flip=True), images, seed=3) for _ in range(2))
    one(0)
    first = one.X.copy()
    one(1)
    assert not np.array_equal(one.X, first)
    other(1)
    np.testing.assert_array_equal(one.X, other.X)
    other(0)
    np.testing.assert_array_equal(other.X, first)
    elsewhere = augmenter(Augmentation(shift=2, horizontal_flip=True), images, seed=4)
    elsewhere(0)
    assert not np.array_equal(elsewhere.X, first)


def test_every_shift_and_crop_comes_equally_often() -> None:
    drawn = Augmentation(shift=2, horizontal_flip=True).draw(0, 0, 25_000, (0, 0))
    for values, count in ((drawn.top, 5), (drawn.left, 5), (drawn.flipped, 2)):
        expected = 25_000 / count
        found = np.unique(values, return_counts=True)[1]
        assert len(found) == count
        assert np.abs(found - expected).max() < 5 * np.sqrt(expected)  # five standard deviations of a count
    cropped = Augmentation(crop=(4, 3)).draw(0, 0, 10_000, (2, 3))
    assert (set(cropped.top), set(cropped.left), cropped.flipped.any()) == ({0, 1, 2}, {0, 1, 2, 3}, False)


@pytest.mark.parametrize("wrong", [{"shift": -1}, {"shift": 1.5}, {"crop": [0, 3]}, {"crop": [3]}, {"flip": True}])
def test_what_is_no_augmentation_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Augmentation).validate_python(wrong)
