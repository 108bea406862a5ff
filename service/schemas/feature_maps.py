"""Answers about a network's images: the filters of a convolution, and the maps that a layer makes of one image."""

from typing import Annotated, Any

from pydantic import Field

from service.schemas.parts import NESTED, Number, Resource


class ActivationResource(Resource):
    """The function that bends what a layer has summed up."""

    kind: str
    formula: str


class OfLayer(Resource):
    """A layer of a job's network after an epoch, with where it is from."""

    job_id: str
    epoch: int
    layer: str = Field(examples=["conv2d_1"])
    kind: str = Field(description="conv2d, max_pool2d, …; input for the image itself")
    layers: list[str] = Field(description="the layers that can be asked for, in their order")
    formula: str | None = Field(description="of what the layer answers; null for the image itself")
    source: str | None
    activation: ActivationResource | None = Field(description="null where nothing is bent")
    low: float = Field(description="the number that a picture draws black")
    high: float = Field(description="the number that a picture draws white")


class FiltersResource(OfLayer):
    """The filters of a convolution."""

    shape: list[int] = Field(description="[height, width, channels that a filter reads, filters]")
    weights: Annotated[list[Any], NESTED] = Field(description="W, as `shape` says; 0 where a filter does not read a channel")
    bias: list[Number] | None = Field(description="b, a number a filter; null where the layer has none")
    reads: list[list[int]] | None = Field(
        description="for each filter, the channels that it is connected to; null where it reads all of its group's"
    )


class FeatureMapsResource(OfLayer):
    """What the filters of a layer answer to one image."""

    row: int
    shape: list[int] = Field(description="[height, width, maps]: a map a filter, or of the image itself a channel")
    maps: Annotated[list[Any], NESTED] = Field(description="A, as `shape` says")
    sums: Annotated[list[Any], NESTED] | None = Field(
        description="Z, of which the activation makes A, as `shape` says; null where nothing is bent"
    )
