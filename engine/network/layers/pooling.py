"""The common part of pooling layers: a window that shrinks each channel of an image by itself."""

from pydantic import Field

from engine.network.layers.base import DoesNotFit, LayerRule, image, spelled
from engine.network.layers.window import Padding, Pair, Window, pair
from engine.network.parameters import Shape
from engine.spec import spec


@spec
class Pooling(LayerRule):
    """The settings of a pooling layer, and the shape that it makes."""

    kernel: Pair = Field(default=2, description="height and width of the window, one number for both or two")
    stride: Pair | None = Field(default=None, description="how far the window moves; by default its own size")
    padding: Padding = Field(
        default="valid",
        description="valid: the window stays within the image; same: it also stands over the edges; or by how much it reaches "
        "beyond each side. Only what lies in the image counts",
    )

    def window(self, shape: Shape) -> Window:
        """The window on images of that shape. Raises DoesNotFit."""
        return Window.over(shape, self.kernel, self.kernel if self.stride is None else self.stride, self.padding)

    def output_shape(self, shape: Shape) -> Shape:
        *_, channels = image(shape)
        if isinstance(self.padding, int) and self.padding >= min(pair(self.kernel)):
            raise DoesNotFit(
                f"has a padding of {self.padding}, with which a window of {spelled(pair(self.kernel))} may stand beyond the "
                "image altogether; take a smaller padding than the window"
            )
        return (*self.window(shape).out, channels)
