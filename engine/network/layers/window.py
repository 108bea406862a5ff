"""Windows that slide over an image: where each stands, of convolution and of pooling."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from engine.backend import Array
from engine.network.layers.base import DoesNotFit, image, spelled
from engine.network.parameters import Shape
from engine.spec import WHOLE

MOST = 10_000
Extent = Annotated[int, Field(strict=True, ge=1, le=MOST), WHOLE]
Pair = Extent | tuple[Extent, Extent]
"""One number for height and width alike, or two, the height's first."""
Margin = Annotated[int, Field(strict=True, ge=0, le=MOST), WHOLE]
Padding = Literal["valid", "same"] | Margin
"""valid: none; same: as many zeros around the image as a stride of 1 keeps its size with; or a number on each side."""
Index = tuple[int | slice, ...]


def pair(value: Any) -> tuple[int, int]:
    """Height and width of a Pair."""
    return (value, value) if isinstance(value, int) else (value[0], value[1])


@dataclass(frozen=True)
class Window:
    """A window of `kernel` numbers, `dilation` apart, that moves by `stride`, over an image of (height, width) padded by
    `before` at the top and left and by `after` at the bottom and right, and so stands in `out` places. Pairs are height, width.
    """

    size: tuple[int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    before: tuple[int, int]
    after: tuple[int, int]
    out: tuple[int, int]

    @classmethod
    def over(cls, shape: Shape, kernel: Any, stride: Any, padding: Any, dilation: Any = 1) -> "Window":
        """The window over images of that shape. Raises DoesNotFit where it has no place there."""
        height, width, _ = image(shape)
        sizes, kernels, strides, dilations = (height, width), pair(kernel), pair(stride), pair(dilation)
        before, after, out = [0, 0], [0, 0], [0, 0]
        for axis in range(2):
            reach = dilations[axis] * (kernels[axis] - 1) + 1
            if padding == "same":
                places = -(-sizes[axis] // strides[axis])
                around = max(0, (places - 1) * strides[axis] + reach - sizes[axis])
                before[axis], after[axis] = around // 2, around - around // 2
            else:
                before[axis] = after[axis] = 0 if padding == "valid" else padding
            room = sizes[axis] + before[axis] + after[axis] - reach
            if room < 0:
                wide = "" if dilations[axis] == 1 else f", which a dilation of {dilations[axis]} widens to {reach}"
                raise DoesNotFit(
                    f"has a kernel of {spelled(kernels)}{wide}, larger than the images of {spelled(shape)} that reach it; "
                    "take a smaller kernel, padding same, or fewer and smaller strides before it"
                )
            out[axis] = room // strides[axis] + 1
        return cls(sizes, kernels, strides, dilations, (before[0], before[1]), (after[0], after[1]), (out[0], out[1]))

    @property
    def padded(self) -> tuple[int, int]:
        """The padded image's height and width."""
        return (self.size[0] + self.before[0] + self.after[0], self.size[1] + self.before[1] + self.after[1])

    @property
    def is_padded(self) -> bool:
        return self.padded != self.size

    def inside(self, padded: Array) -> Array:
        """The image (n, height, width, c) within a padded one."""
        (top, left), (height, width) = self.before, self.size
        return padded[:, top : top + height, left : left + width]

    def patches(self, padded: Array, xp: Any) -> Array:
        """What it shows wherever it stands: a view (n, *out, *kernel, c) of a padded image, to be read alone."""
        image, down, right, channel = padded.strides
        shape = (padded.shape[0], *self.out, *self.kernel, padded.shape[3])
        (step_down, step_right), (apart_down, apart_right) = self.stride, self.dilation
        strides = (image, step_down * down, step_right * right, apart_down * down, apart_right * right, channel)
        view: Array = xp.lib.stride_tricks.as_strided(padded, shape, strides)
        return view

    def shares(self, by_column: bool) -> Iterator[tuple[Index, Index]]:
        """Indices into patches and into the padded image: the same pixels, each once in a share. All shares are all patches.

        A share is one place in the kernel or, `by_column`, one of its rows where the window stands in one column. A pixel is
        met in the same order either way: by the kernel's rows and, in a row, from the left.
        """
        (down, right), (rows, columns), width = self.stride, self.out, self.kernel[1]
        (apart_down, apart_right), everything = self.dilation, slice(None)
        for i in range(self.kernel[0]):
            lines = slice(i * apart_down, i * apart_down + down * (rows - 1) + 1, down)
            for j in () if by_column else range(width):
                start = j * apart_right
                seen = slice(start, start + right * (columns - 1) + 1, right)
                yield (everything, everything, everything, i, j), (everything, lines, seen)
            for x in reversed(range(columns)) if by_column else ():
                seen = slice(x * right, x * right + apart_right * (width - 1) + 1, apart_right)
                yield (everything, everything, x, i), (everything, lines, seen)

    def offsets(self) -> Iterator[tuple[int, int]]:
        """The places (row, column) in the kernel, row by row."""
        return ((i, j) for i in range(self.kernel[0]) for j in range(self.kernel[1]))

    def at(self, padded: Array, i: int, j: int) -> Array:
        """The numbers under the kernel's place (i, j), wherever the window stands: a view (n, *out, c) of a padded image."""
        (down, right), (rows, columns) = self.stride, self.out
        top, left = i * self.dilation[0], j * self.dilation[1]
        return padded[:, top : top + down * (rows - 1) + 1 : down, left : left + right * (columns - 1) + 1 : right]
