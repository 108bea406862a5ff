"""A network of layers of every kind, in any order that fits."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from engine.errors import InvalidSpec
from engine.models.deep import DeepModel
from engine.network.layers import Layer
from engine.network.layers.base import BoundLayer, DoesNotFit, LayerRule, bind, fitted, spelled
from engine.network.layers.dense import Dense
from engine.network.layers.flatten import Flatten
from engine.network.parameters import Shape
from engine.parts.activations import Identity
from engine.parts.initializers import HeNormal, Initializer
from engine.parts.optimizers import Adam
from engine.spec import PositiveInt, spec
from engine.tables.images import ImageSize, RowShape

MAX_LAYERS = 1000
InputShape = Annotated[tuple[PositiveInt, ...], Field(min_length=1, max_length=3)]


class LayeredModel(DeepModel):
    """A network of layers of every kind, or a short form of one."""

    may_read_images: ClassVar[bool] = True
    usual: ClassVar[Mapping[str, Any]] = {"optimizer": Adam(learning_rate=0.001), "epochs": 20, "batch_size": 64}


@spec
class LayeredNetwork(LayeredModel):
    """Layers of every kind, one after the other, and a dense layer that gives the outputs; trained by backpropagation."""

    formula: ClassVar[str] = r"A^{(l)} = f_l\left(A^{(l-1)};\, \theta_l\right), \quad A^{(0)} = X, \quad Z = A^{(L)} W + b"
    derivative: ClassVar[str] = (
        r"dA^{(l-1)} = \left(\frac{\partial f_l}{\partial A^{(l-1)}}\right)^{\!\top} dA^{(l)}, \quad"
        r" \nabla_{\theta_l} = \left(\frac{\partial f_l}{\partial \theta_l}\right)^{\!\top} dA^{(l)}"
    )
    source: ClassVar[str] = "Goodfellow, Bengio and Courville, Deep Learning, 2016, section 6.5"
    title: ClassVar[str] = "Network of layers"
    widened_by: ClassVar[str] = "/model/layers"
    kind: Literal["network"] = "network"
    layers: Annotated[tuple[Layer, ...], Field(max_length=MAX_LAYERS)] = Field(
        default=(Dense(units=16),),
        description="the layers from the features on; the dense layer of the outputs comes after them by itself, and a dense "
        "layer that an image reaches has a flatten put before it",
    )
    input_shape: InputShape | None = Field(
        default=None,
        description="height, width and channels of the image that a row's features are, row by row; a column of images, and "
        "columns that are named for their pixel, say it themselves",
    )
    initializer: Initializer = Field(default=HeNormal(), description="how the first weights are drawn")

    @property
    def image(self) -> ImageSize | None:
        return ImageSize(*self.input_shape) if self.input_shape is not None and len(self.input_shape) == 3 else None

    def completed(self, row: RowShape) -> "LayeredNetwork":
        shape = self._input_shape(row)
        layers = fitted_layers(self.layers, shape)
        return dataclasses.replace(self, layers=layers, input_shape=shape if len(shape) == 3 else self.input_shape)

    def _input_shape(self, row: RowShape) -> Shape:
        """The shape that reaches the first layer. Raises InvalidSpec where `input_shape` contradicts the features."""
        if self.input_shape is None:
            as_image = row.image is not None and (row.is_image or any(map(_reads_images, self.layers)))
            return tuple(row.image) if row.image is not None and as_image else (row.numbers,)
        given = self.input_shape if len(self.input_shape) != 2 else (*self.input_shape, 1)
        if row.is_cell:
            assert row.image is not None
            if given != row.image:
                detail = f"is {spelled(given)}, and the column holds images of {spelled(row.image)}; leave it out"
                raise InvalidSpec([("/model/input_shape", detail)])
        elif math.prod(given) != row.numbers:
            detail = f"is {spelled(given)}, and the features are {row.numbers} numbers a row; choose the columns of the image"
            raise InvalidSpec([("/model/input_shape", detail)])
        return given

    def bound_layers(self, inputs: int, outputs: int) -> Sequence[BoundLayer]:
        return bind([*self.layers, Dense(units=outputs, activation=Identity())], self.input_shape or (inputs,))

    @property
    def start(self) -> Initializer:
        return self.initializer


class ShortForm(LayeredModel):
    """A network by few settings, which a completed request shows as its layers."""

    initializer: Initializer

    def layers_for(self, image: ImageSize) -> list[LayerRule]:
        """The layers that read such images, without that of the outputs."""
        raise NotImplementedError

    def completed(self, row: RowShape) -> LayeredNetwork:
        if row.image is None:
            detail = (
                f"{self.kind} reads images, and the features are {row.numbers} numbers a row; choose one column of images as "
                "the only feature, columns named for their pixel such as pixel_0_0, or kind network with input_shape"
            )
            raise InvalidSpec([("/model", detail)])
        layers = fitted_layers(self.layers_for(row.image), tuple(row.image), "/model", f"of {self.kind}, ")
        return LayeredNetwork(layers=layers, input_shape=tuple(row.image), initializer=self.initializer)


def fitted_layers(layers: Sequence[LayerRule], shape: Shape, pointer: str | None = None, of: str = "") -> tuple[LayerRule, ...]:
    """The layers with a flatten before each dense one that an image reaches, and at the end where an image comes out. Raises
    InvalidSpec for the first that does not fit, as `fitted` does.
    """
    placed: list[LayerRule] = []
    for index, rule in enumerate(layers):
        if len(shape) > 1 and isinstance(rule, Dense):
            placed.append(Flatten())
            shape = (math.prod(shape),)
        shape = fitted(rule, shape, index, pointer, of).output_shape
        placed.append(rule)
    return (*placed, Flatten()) if len(shape) > 1 else tuple(placed)


def _reads_images(layer: LayerRule) -> bool:
    """Whether it takes nothing but images."""
    try:
        layer.output_shape((1,))
    except DoesNotFit:
        return True
    return False
