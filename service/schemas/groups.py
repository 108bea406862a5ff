"""Groups of jobs that repeat one: what is asked, and what they come to together."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, model_validator

from engine.spec import WHOLE
from service.schemas.jobs import JobSummary
from service.schemas.parts import Number, Resource, Time
from store.groups import Varied


class RepeatRequest(Resource):
    """What to vary: seeds alone, the share of the training rows, or one setting; each value with `seeds` seeds."""

    model_config = ConfigDict(extra="forbid")
    seeds: Annotated[int, Field(strict=True, ge=1, le=100), WHOLE] = Field(
        default=5, description="runs of each value, the first with the job's own seeds"
    )
    vary: Varied = Field(
        default="all",
        description="what other seeds change: split, which rows go where (`split.seed`); weights, the first weights alone "
        "(`weights_seed`); order, the order of rows alone (`order_seed`); training, all that training draws, dropout and "
        "augmentation too (`seed`); all, split and training",
    )
    shares: Annotated[list[Annotated[float, Field(gt=0, le=1)]], Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="shares of the training rows to train on, for a curve of learning; the split stays"
    )
    setting: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9_]+)+$")] | None = Field(
        default=None, description="a JSON pointer into the job's request", examples=["/optimizer/learning_rate"]
    )
    values: Annotated[list[Any], Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="the values of that setting to try", examples=[[0.001, 0.01, 0.1]]
    )

    @model_validator(mode="after")
    def _one_thing(self) -> "RepeatRequest":
        if (self.setting is None) != (self.values is None):
            raise ValueError("setting and values belong together; give both, or neither")
        if self.shares is not None and self.setting is not None:
            raise ValueError("give shares, or a setting with its values, not both")
        return self


class SpreadResource(Resource):
    """The spread of a number over runs."""

    count: int = Field(description="runs that have the number")
    mean: Number
    deviation: Number | None = Field(description="of the sample: √(Σ (x − mean)² / (n − 1)); null of one run")
    low: Number
    high: Number
    interval: list[Number] | None = Field(
        description="mean ± t s / √n with Student's t at 95 %: were the runs repeated often, 95 of 100 such intervals would "
        "hold the mean of all; null of one run"
    )


class TriedValue(Resource):
    """What the runs of one value came to."""

    value: Any = Field(description="of the setting, or the share; null where only seeds vary")
    jobs: int
    succeeded: int
    metrics: dict[str, SpreadResource] = Field(description="every loss and metric after the last epoch of those that succeeded")


class GroupResource(Resource):
    id: str
    kind: str
    parent: str = Field(description="the job that is repeated")
    asked: dict[str, Any]
    done: bool
    result: list[TriedValue] = Field(description="by value, of what has succeeded so far")
    jobs: list[JobSummary] = Field(description="those that were not deleted, in the order in which they were started")
    created_at: Time


class Band(Resource):
    """The spread of one curve over the runs of a value, epoch by epoch."""

    value: Any
    epoch: list[int]
    count: list[int]
    mean: list[Number]
    deviation: list[Number | None]
    low: list[Number]
    high: list[Number]


class GroupCurves(Resource):
    series: str
    bands: list[Band]
