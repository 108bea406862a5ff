"""Replays of jobs: what is asked, and what came of it."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from engine.spec import WHOLE
from service.schemas.parts import Number, Resource

EpochNumber = Annotated[int, Field(strict=True, ge=0, lt=2**31), WHOLE]


class ReplayRequest(Resource):
    """The stretch of epochs to train again."""

    model_config = ConfigDict(extra="forbid")
    from_epoch: EpochNumber | None = Field(
        default=None,
        description="begin with the weights after that epoch, one of /checkpoints, or 0 for before training; by default where "
        "the job began",
    )
    to_epoch: EpochNumber | None = Field(default=None, description="end after that epoch; by default the last recorded one")


class Compared(Resource):
    """How much of a replay was held against what its job recorded."""

    curve_points: int
    series: list[str] = Field(description="every curve but that of the seconds")
    weights_of_epochs: list[int] = Field(description="epochs whose weights and optimizer's vectors both jobs have kept")


class FirstDifference(Resource):
    """The earliest number that came out otherwise."""

    what: Literal["curve", "weights"]
    name: str = Field(description="the curve, or the array of the checkpoint", examples=["train_loss", "theta"])
    at: int = Field(description="the epoch; of a curve of batches, the step")
    index: list[int] | None = Field(description="where in the array; null of a curve, and of an array that only one has")
    then: Number | None
    now: Number | None


class ReplayVersions(Resource):
    """The libraries and the processor that each run had."""

    then: dict[str, str] | None = Field(description="null where the job is from before they were kept, and has no model")
    now: dict[str, str]


class ReplayResult(Resource):
    """Whether a stretch of training, run again, gives the same bits."""

    agrees: bool
    from_epoch: int
    to_epoch: int = Field(description="the last epoch that was compared")
    compared: Compared
    first_difference: FirstDifference | None
    versions: ReplayVersions
