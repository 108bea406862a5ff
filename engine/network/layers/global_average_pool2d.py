"""Global average pooling: the mean of each channel over the whole image."""

from typing import ClassVar, Literal

from engine.network.layer_pass import LayerPass
from engine.network.layers.base import LayerRule, image
from engine.network.parameters import Shape
from engine.spec import spec


@spec
class GlobalAveragePool2d(LayerRule):
    """Makes one number of each channel, its mean over the image: the shortest way from filters to a row of numbers."""

    formula: ClassVar[str] = r"A_c = \frac{1}{h w} \sum_{y, x} X_{y x c}"
    derivative: ClassVar[str] = r"dX_{y x c} = \frac{1}{h w}\, dA_c"
    title: ClassVar[str] = "Global average pooling"
    source: ClassVar[str] = "Lin, Chen and Yan, Network in Network (2014), section 3.2"
    kind: Literal["global_average_pool2d"] = "global_average_pool2d"

    def output_shape(self, shape: Shape) -> Shape:
        *_, channels = image(shape)
        return (channels,)

    def forward(self, at: LayerPass) -> None:
        at.xp.mean(at.X, axis=(1, 2), out=at.A)

    def backward(self, at: LayerPass) -> None:
        if at.dX is not None:
            height, width, _ = at.input_shape
            at.xp.multiply(at.dA[:, None, None, :], 1.0 / (height * width), out=at.dX)
