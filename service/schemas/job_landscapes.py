"""Slices of a job's loss."""

from typing import Literal

from pydantic import Field

from engine.glass.directions import Directions
from service.schemas.parts import Formula, Number, Resource


class PathPointResource(Resource):
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
    path: list[PathPointResource] = Field(description="the epochs that are kept, in order")
    path_left_out: int = Field(description="epochs that are kept and not shown")
    formulas: dict[str, Formula]
