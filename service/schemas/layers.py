"""The answer about a job's layers through time: columns of numbers, an entry an epoch."""

from typing import Literal

from pydantic import Field

from service.schemas.parts import Number, Resource

Of = Literal["weights", "gradients", "activations"]
Course = list[Number | None]
"""A number of each epoch; null where it was not kept, or means nothing."""


class LayerSeries(Resource):
    """One layer's weights, gradients or activations: each list has an entry for each of the answer's `epochs`."""

    layer: str
    of: Of
    count: list[int | None] = Field(description="how many numbers they are; those beyond 1e100 are left out")
    mean: Course
    std: Course
    norm: Course
    min: Course
    max: Course
    dead: Course | None = Field(
        default=None, description="of activations: share of hidden units that are flat at every row looked at"
    )
    saturated: Course | None = Field(
        default=None, description="of activations: share of hidden units and rows where f' is under 0.01"
    )
    update_ratio: Course | None = Field(
        default=None,
        description="of weights: how far the optimizer's next step would move them on the rows looked at, beside their norm",
    )
    alike: Course | None = Field(
        default=None, description="of weights: share of hidden units that have the weights of another, to 0.1%"
    )
    edges: list[float] | None = Field(
        default=None, description="common to all epochs, one more than counts has numbers; with `bins` alone"
    )
    counts: list[list[int] | None] | None = Field(
        default=None,
        description="of each epoch, between the edges; null for an epoch that an earlier version kept, in bins of its own",
    )


class LayersResource(Resource):
    """What a job's layers were like through the epochs at which they were looked at."""

    job_id: str
    rows: int = Field(description="training rows, the first ones, that activations and gradients are of, at most")
    epochs: list[int] = Field(description="0 is before training; of a fork, where it began")
    formulas: dict[str, str] = Field(description="LaTeX by the name of a number; w_i are its numbers, n of them")
    layers: list[LayerSeries]
