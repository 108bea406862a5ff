"""The answer to what is wrong with a run."""

from typing import Any, Literal

from pydantic import Field

from service.schemas.parts import Number, Resource


class PatchResource(Resource):
    """The request that does what a finding suggests: it can be sent as it is."""

    by: Literal["fork", "job"] = Field(description="job: only a new one can do it, for the weights were made for what changes")
    path: str = Field(description="where to POST the body", examples=["/v1/jobs/job_01937b2e/fork"])
    body: dict[str, Any] = Field(description="of a fork its epoch and overrides, of a job its whole request")


class FindingResource(Resource):
    rule: str = Field(description="the code of what was found", examples=["LEARNING_RATE_TOO_HIGH"])
    severity: Literal["info", "warning", "error"] = Field(
        description="info: worth knowing; warning: it could be better, and how; error: the run is of no use"
    )
    epochs: list[int] | None = Field(
        default=None, description="the first and the last epoch that show it; null where it is of the table"
    )
    layer: str | None = None
    column: str | None = None
    evidence: dict[str, Number | int | None] = Field(description="the numbers that show it, by name")
    explanation: str = Field(description="in a sentence, by Accept-Language")
    suggestion: str = Field(description="what helps, by Accept-Language")
    patch: PatchResource | None = Field(
        default=None, description="null where no request can do it, as where more rows are wanted"
    )
    formula: str = Field(description="LaTeX: when the rule speaks")
    source: str | None = Field(default=None, description="whose method it is")


class NotAskedResource(Resource):
    rule: str
    reason: str = Field(description="why the rule could not be asked of this job, by Accept-Language")


class Diagnosis(Resource):
    """What is wrong with a run, and what helps, the gravest first."""

    job_id: str
    state: str
    epoch: int = Field(description="whose weights were looked at; curves were looked at up to the last epoch recorded")
    rows: dict[str, int] = Field(description="how many rows of each split were looked at, evenly over it")
    findings: list[FindingResource] = Field(description="none where nothing was found")
    asked: list[str] = Field(description="the rules that were asked; VERDICTS stands for those of the job's own warnings")
    not_asked: list[NotAskedResource]
