"""Curves of one job, and of several side by side."""

from typing import Any, Literal

from pydantic import Field

from service.schemas.jobs import JobSummary, Origin
from service.schemas.parts import Number, Resource, Time, Values


class Curve(Resource):
    step: list[int]
    value: list[Number | None] = Field(description="null is a gap: a value that is undefined there, or NaN")
    min: list[Number | None] = Field(description="the smallest value of the points that this one stands for")
    max: list[Number | None] = Field(description="the largest value of the points that this one stands for")


class SmoothedCurve(Curve):
    smoothed: list[Number | None] | None = Field(
        default=None,
        description="where `smoothing` asks: the average over every point up to this one, of which one k steps back counts "
        "β^k; null where no point that counts has a value",
    )
    smoothed_weight: float | None = Field(
        default=None,
        description="w, the sum of the β^k at the last point: the average s goes on with the next value y as s + (y − s) / w, "
        "after w has become βw + 1",
    )


class JobCurve(SmoothedCurve):
    x: list[float] | None = Field(default=None, description="where `axis` asks: where the points lie on that axis")


class Sampling(Resource):
    method: Literal["none", "buckets"]
    total: int = Field(description="points in the range, over all series")
    returned: int
    exact: bool = Field(description="true where every point is returned")


class Curves(Resource):
    series: dict[str, JobCurve]
    units: dict[str, str] = Field(
        default_factory=dict,
        description="of the series that have one, as in a job's",
        examples=[{"train_loss": "scaled_target^2"}],
    )
    sampling: Sampling
    event_id: int = Field(
        description="the event up to which the curves hold: GET …/events?from= this id goes on where they end, with nothing "
        "missed and nothing twice"
    )


class ComparedCurve(SmoothedCurve):
    x: list[float] = Field(description="where the points lie on the axis")


class ComparedValues(Resource):
    """A job's losses and metrics, each time with their epoch."""

    final: Values | None = Field(
        description="of the epoch that its model has: the best with early stopping, else the last; null until it has succeeded"
    )
    best: Values | None = Field(description="of the epoch with the lowest loss, as in a job")
    last: Values = Field(description="of the last epoch recorded")


class ComparedJob(Resource):
    job: JobSummary
    metrics: ComparedValues
    series: dict[str, ComparedCurve] = Field(description="of the series asked for, those that it has")
    units: dict[str, str] = Field(default_factory=dict, description="of the losses that have one, as in a job")
    forked_from: Origin | None = Field(description="its curves begin after that epoch; their seconds count from there")
    table_sha256: str | None = Field(
        description="of the table that it was trained on, which may have been read anew since; null where the dataset is gone"
    )
    curves_removed_at: Time | None = Field(description="when its curves were removed (VIDRO_KEEP_CURVES_DAYS)")
    event_id: int = Field(description="the event up to which this tells, as in a job")


class SettingDifference(Resource):
    """A setting that is not the same in all jobs."""

    pointer: str = Field(description="JSON pointer into the completed request", examples=["/optimizer/learning_rate"])
    values: dict[str, Any] = Field(description="its value by job; a job that has no such setting is left out")


class Comparison(Resource):
    """Several jobs side by side, in the order in which they were asked for."""

    axis: Literal["step", "epoch", "seconds"]
    jobs: list[ComparedJob]
    settings: list[SettingDifference] = Field(description="only those that differ, without name and tags")
    names: list[str] = Field(description="every series that one of the jobs has")
    sampling: Sampling
