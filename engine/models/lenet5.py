"""LeNet-5, the convolutional network that read cheques."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from engine.models.network import ShortForm
from engine.network.layers.average_pool2d import AveragePool2d
from engine.network.layers.base import LayerRule
from engine.network.layers.conv2d import Conv2d
from engine.network.layers.dense import Dense
from engine.network.layers.flatten import Flatten
from engine.network.layers.max_pool2d import MaxPool2d
from engine.parts.activations import Activation, Tanh
from engine.parts.initializers import Initializer, XavierUniform
from engine.spec import spec
from engine.tables.images import ImageSize

FULL_SIZE = 32
"""Pixels a side of the images that it was made for; smaller ones get a margin."""
MARGIN = 2
CONNECTIONS = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5),
)  # fmt: skip
"""The maps of S2 that each filter of C3 reads (LeCun et al. 1998, table I)."""
POOLING = {"average": AveragePool2d, "max": MaxPool2d}


@spec
class LeNet5(ShortForm):
    """Two convolutions, each with a pooling, and two dense layers: LeNet-5 as it is taught, 61,706 parameters for 10 classes.

    Images under 32 × 32 get a margin of 2 pixels of 0. C5 is dense: on 5 × 5 maps it is the same as a convolution.
    """

    formula: ClassVar[str] = (
        r"C_1: 6 @ 5 \times 5,\; S_2: 2 \times 2,\; C_3: 16 @ 5 \times 5,\; S_4: 2 \times 2,\; C_5: 120,\; F_6: 84"
    )
    source: ClassVar[str] = (
        "LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document Recognition, 1998, section II.B"
    )
    title: ClassVar[str] = "LeNet-5"
    kind: Literal["lenet5"] = "lenet5"
    activation: Activation = Field(default=Tanh(), description="the function after convolutions and dense layers")
    pooling: Literal["average", "max"] = Field(default="average", description="what S2 and S4 keep of each 2 × 2 pixels")
    c3: Literal["full", "partial"] = Field(
        default="full",
        description="full: each filter of C3 reads all 6 maps of S2, 2,416 parameters; partial: those of the 1998 table, 1,516",
    )
    initializer: Initializer = Field(default=XavierUniform(), description="how the first weights are drawn")

    def layers_for(self, image: ImageSize) -> list[LayerRule]:
        margin: Any = MARGIN if min(image.height, image.width) < FULL_SIZE else "valid"
        connections = CONNECTIONS if self.c3 == "partial" else None
        pooling = POOLING[self.pooling]
        return [
            Conv2d(filters=6, kernel=5, padding=margin, activation=self.activation),
            pooling(kernel=2),
            Conv2d(filters=16, kernel=5, connections=connections, activation=self.activation),
            pooling(kernel=2),
            Flatten(),
            Dense(units=120, activation=self.activation),
            Dense(units=84, activation=self.activation),
        ]
