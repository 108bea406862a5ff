"""Slices of a job's loss."""

from typing import Annotated, Literal

from pydantic import Field

from engine.glass.directions import Directions
from engine.spec import WHOLE, NonNegativeInt, PositiveFloat, PositiveInt, spec
from service.schemas.parts import Formula, Number, Resource


@spec
class LandscapeRequest:
    """Which slice of a job's loss is wanted."""

    epoch: NonNegativeInt | Literal["model", "last", "best"] = Field(
        default="model",
        description="through the weights of which epoch: 0 is before training; model: the one that the job's model has",
    )
    directions: Directions | None = Field(default=None, description="along what; random by default")
    resolution: Annotated[int, Field(strict=True, ge=2, le=200), WHOLE] = Field(default=25, description="points a side")
    extent: PositiveFloat | None = Field(
        default=None,
        le=1e6,
        description="how far to either side, in lengths of the directions: 1 by default, and of principal "
        "ones as far as the run's path",
    )
    split: Literal["train", "validation", "test"] = Field(default="train", description="the rows whose loss it is")
    rows: PositiveInt = Field(default=1000, le=1_000_000, description="about so many of them, evenly taken")


class PathPoint(Resource):
    """Where a run was after an epoch, seen on the plane."""

    epoch: int
    alpha: Number = Field(description="of the point of the plane that is nearest to its weights")
    beta: Number
    distance: Number = Field(description="how far its weights lie off the plane")
    cost: Number = Field(description="at its weights themselves, not at that point")


class JobLandscape(Resource):
    """The cost of a job's network on a plane through its weights."""

    job_id: str
    epoch: int = Field(description="the one whose weights are at alpha = beta = 0")
    directions: Directions
    split: Literal["train", "validation", "test"]
    rows: int = Field(description="rows that the cost is the mean of")
    rows_left_out: int
    cost: Number = Field(description="at those weights")
    alpha: list[float]
    beta: list[float]
    costs: list[list[Number]] = Field(description="beta down, alpha across")
    lengths: list[Number] = Field(description="of the two directions, as vectors of all parameters")
    explained: list[float] | None = Field(
        description="of principal directions: the share of the checkpoints' variance that each has"
    )
    path: list[PathPoint] = Field(description="the epochs that are kept, in order")
    path_left_out: int = Field(description="epochs that are kept and not shown")
    formulas: dict[str, Formula]
