"""Readiness of the service and of its parts."""

from typing import Literal

from pydantic import Field

from service.schemas.parts import Resource, Time


class Part(Resource):
    status: Literal["ok", "failing"]
    detail: str | None = None


class ProcessExit(Resource):
    at: Time
    code: int | None = Field(description="null where a signal ended it")
    signal: str | None


class ProcessSeen(Resource):
    name: str
    state: Literal["starting", "up", "waiting"] = Field(description="`waiting`: it died and is about to be started again")
    up_since: Time | None
    restarts_last_hour: int
    last_exit: ProcessExit | None


class Supervision(Resource):
    """The report of the supervisor of `vidro up`. `degraded` while a process is not up; what that one does is then told by the
    parts beside this, which alone decide whether all is ready.
    """

    status: Literal["ok", "degraded"]
    processes: list[ProcessSeen]


class Readiness(Resource):
    status: Literal["ok", "failing"]
    database: Part
    broker: Part
    worker: Part
    supervisor: Supervision | None = Field(default=None, description="null where none runs, as with `vidro serve` alone")
