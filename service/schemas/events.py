"""Events of jobs, lines of their logs, and the feed that tells of several."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from service.schemas.jobs import JobResource, Progress, State
from service.schemas.parts import Resource, Time, Values


class JobProgress(Resource):
    """How far a job is, as in its line of a table."""

    id: str
    owner: str
    state: State
    progress: Progress
    latest: Values
    best: Values | None
    best_values: dict[str, float]


class JobGone(Resource):
    """A job that was deleted."""

    id: str


class MetricEvent(Resource):
    """An epoch's values, as in a job's `latest`."""

    model_config = ConfigDict(extra="allow")
    epoch: int


class LogEvent(Resource):
    message: str
    at: Time


class LogEntry(Resource):
    """Something that happened to a job: it came to a state, a message was written, or a checkpoint taken."""

    at: Time
    kind: Literal["state", "message", "checkpoint"]
    epoch: int = Field(description="the last epoch that had been recorded; of a checkpoint, its own")
    state: str | None = Field(description="of a state")
    message: str | None = Field(description="of a message; of a state, why the job came to it")


class EventResource(Resource):
    id: int = Field(description="rises with every event of a job; the same event keeps its id")
    event: Literal["state", "metric", "log"]
    data: JobResource | MetricEvent | LogEvent


class JobEvent(Resource):
    """An event of one of several jobs."""

    id: str = Field(description="of this event and of the place that every job has come to")
    event: Literal["state", "metric", "log", "deleted"]
    data: dict[str, Any] = Field(description="as in the job's own events, with `job_id`")
