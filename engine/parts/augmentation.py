"""Augmentation: each epoch trains on other views of the training images, drawn from the seed and the epoch alone."""

from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import Field

from engine.backend import Array
from engine.randomness import generator
from engine.spec import WHOLE, Flag, spec

MOST_PIXELS = 10_000
Pixels = Annotated[int, Field(strict=True, ge=1, le=MOST_PIXELS), WHOLE]


class Draws(NamedTuple):
    """Each row's view (n,): the row and column of the image that its upper left pixel shows, which may lie outside, and
    whether left and right are swapped.
    """

    top: np.ndarray
    left: np.ndarray
    flipped: np.ndarray


@spec
class Augmentation:
    """Other views of the training images in every epoch: shifted, mirrored or cropped at random (Krizhevsky, Sutskever and
    Hinton 2012, section 4.1). Validation, evaluation and predictions see the image as it is; with `crop`, its middle.
    """

    shift: Annotated[int, Field(strict=True, ge=0, le=MOST_PIXELS), WHOLE] = Field(
        default=0,
        description="move the image by up to so many pixels, up or down and left or right; what is uncovered is 0 in the "
        "data's units",
    )
    horizontal_flip: Flag = Field(default=False, description="swap left and right of every other image, by chance")
    crop: tuple[Pixels, Pixels] | None = Field(
        default=None,
        description="height and width of the part of the image that the model reads: in training at random, else the middle",
    )

    def draw(self, seed: int, epoch: int, rows: int, room: tuple[int, int]) -> Draws:
        """The views of that many rows in an epoch; `room` is how many more rows and columns the image has than the view."""
        rng = generator(seed, "augmentation", epoch)
        top, left = (rng.integers(0, space + 1, rows) for space in room)
        top += rng.integers(-self.shift, self.shift + 1, rows)
        left += rng.integers(-self.shift, self.shift + 1, rows)
        flipped = rng.random(rows) < 0.5 if self.horizontal_flip else np.zeros(rows, bool)
        return Draws(top, left, flipped)


class Augmenter:
    """The training rows' images (n, h, w, c), and the views of them (n, d) that an epoch trains on, written in place.

    `fill` is what stands where a view reaches beyond the image.
    """

    def __init__(
        self, augmentation: Augmentation, seed: int, images: Array, view: tuple[int, int], fill: float, xp: Any
    ) -> None:
        self.augmentation, self.seed, self.images, self.fill, self.xp = augmentation, seed, images, fill, xp
        n, height, width, channels = images.shape
        self.view, self.room = view, (height - view[0], width - view[1])
        self.X = xp.empty((n, view[0] * view[1] * channels), images.dtype)

    def __call__(self, epoch: int) -> None:
        """Write the views of that epoch. Rows with the same view are taken together."""
        n, height, width, channels = self.images.shape
        top, left, flipped = self.augmentation.draw(self.seed, epoch, n, self.room)
        views = self.X.reshape(n, *self.view, channels)
        order = np.lexsort((flipped, left, top))
        steps = [np.diff(drawn[order].astype(np.int64)) != 0 for drawn in (top, left, flipped)]
        for rows in np.split(order, np.flatnonzero(np.any(steps, axis=0)) + 1):
            first, taken = rows[0], self.xp.asarray(rows)
            y, seen_y = _overlap(int(top[first]), self.view[0], height)
            x, seen_x = _overlap(int(left[first]), self.view[1], width)
            seen = self.images[taken, seen_y, seen_x]
            if seen.shape[1:3] != self.view:
                views[taken] = self.fill
            if flipped[first]:
                seen, x = seen[:, :, ::-1], slice(self.view[1] - x.stop, self.view[1] - x.start)
            views[taken, y, x] = seen


def _overlap(start: int, view: int, size: int) -> tuple[slice, slice]:
    """The overlap of a view that begins at `start` and an image: within the view, and within the image."""
    low, high = max(0, start), min(size, start + view)
    return slice(low - start, high - start), slice(low, high)
