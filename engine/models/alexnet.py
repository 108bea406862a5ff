"""AlexNet, the convolutional network that won the ImageNet challenge of 2012."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from engine.models.network import ShortForm
from engine.network.layers.base import LayerRule
from engine.network.layers.conv2d import Conv2d
from engine.network.layers.dense import Dense
from engine.network.layers.flatten import Flatten
from engine.network.layers.local_response_normalization import LocalResponseNormalization
from engine.network.layers.max_pool2d import MaxPool2d
from engine.parts.activations import Activation, Relu
from engine.parts.initializers import HeNormal, Initializer
from engine.spec import WHOLE, Share, spec
from engine.tables.images import ImageSize

FIRST: tuple[tuple[int, int, int, Any], ...] = ((127, 11, 4, "valid"), (63, 5, 2, 2), (0, 3, 1, 1))
"""The first convolution by the image's smaller side: that side at least, kernel, stride and padding."""


@spec
class AlexNet(ShortForm):
    """Five convolutions, two of them normalized and three pooled, and two dense layers with dropout.

    On images of 227 × 227 × 3, with 1,000 classes, 62,378,344 parameters, 60,965,224 in two groups. Images under 127 pixels a
    side get a first convolution of 5 × 5 at a stride of 2, those under 63 one of 3 × 3 at a stride of 1.
    """

    formula: ClassVar[str] = (
        r"C_1: 96 @ 11 \times 11 / 4,\; C_2: 256 @ 5 \times 5,\; C_3, C_4: 384 @ 3 \times 3,\; C_5: 256 @ 3 \times 3,\;"
        r" F_6, F_7: 4096"
    )
    source: ClassVar[str] = (
        "Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep Convolutional Neural Networks, 2012"
    )
    title: ClassVar[str] = "AlexNet"
    kind: Literal["alexnet"] = "alexnet"
    groups: Annotated[int, Field(strict=True, ge=1, le=2), WHOLE] = Field(
        default=1,
        description="2: the second, fourth and fifth convolutions in two groups, as on the paper's two graphics cards",
    )
    width: Annotated[float, Field(strict=True, gt=0, le=1)] = Field(
        default=1.0, description="the share of its filters and units that each layer has"
    )
    dropout: Share = Field(default=0.5, description="the share of the dense layers' units that each step silences by chance")
    activation: Activation = Field(default=Relu(), description="the function after convolutions and dense layers")
    initializer: Initializer = Field(default=HeNormal(), description="how the first weights are drawn")

    def layers_for(self, image: ImageSize) -> list[LayerRule]:
        _, kernel, stride, padding = next(first for first in FIRST if min(image.height, image.width) >= first[0])
        bent: dict[str, Any] = {"activation": self.activation}
        pool = MaxPool2d(kernel=3, stride=2)
        return [
            Conv2d(filters=self._scaled(96), kernel=kernel, stride=stride, padding=padding, **bent),
            LocalResponseNormalization(),
            pool,
            Conv2d(filters=self._scaled(256), kernel=5, padding=2, groups=self.groups, **bent),
            LocalResponseNormalization(),
            pool,
            Conv2d(filters=self._scaled(384), kernel=3, padding=1, **bent),
            Conv2d(filters=self._scaled(384), kernel=3, padding=1, groups=self.groups, **bent),
            Conv2d(filters=self._scaled(256), kernel=3, padding=1, groups=self.groups, **bent),
            pool,
            Flatten(),
            Dense(units=self._scaled(4096), dropout=self.dropout, **bent),
            Dense(units=self._scaled(4096), dropout=self.dropout, **bent),
        ]

    def _scaled(self, full: int) -> int:
        """So many filters or units of the full number, equally many in each group."""
        return max(1, round(full * self.width / self.groups)) * self.groups
