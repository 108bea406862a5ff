"""Jobs: their state and progress, what a caller may change, and what a form for one is built from."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from engine.spec import WHOLE
from service.schemas.models import FittedScaling, TargetScaling
from service.schemas.parts import Notice, Problem, Resource, Time, Values
from store.job_request import Name, Tags
from store.states import STATES


class Progress(Resource):
    epoch: int = Field(description="of a slice: lines of points that are worked out")
    epochs: int
    fraction: float
    eta_seconds: float | None = Field(
        description="until the last epoch or max_seconds; null where it does not run, its pace is not known yet, or a solver "
        "decides when it ends"
    )


class Timings(Resource):
    queued_seconds: float | None
    load_seconds: float | None
    compile_seconds: float | None = Field(description="kernels compiled, or loaded from the cache, before the first epoch")
    train_seconds: float | None


class Transition(Resource):
    state: str
    at: Time
    reason: str | None


if TYPE_CHECKING:
    State = str
else:
    State = Literal[STATES]


JobKind = Literal["training", "replay", "slice", "repeat"]
"""Kinds of jobs, by what they do."""


class Origin(Resource):
    """The job and epoch that a fork began from."""

    job_id: str
    epoch: int


class ForkRequest(Resource):
    """From where to go on, and what to change."""

    model_config = ConfigDict(extra="forbid")
    epoch: Annotated[int, Field(strict=True, ge=1, lt=2**31), WHOLE] | Literal["last", "best"] = Field(
        default="last", description="an epoch of /checkpoints, last, or best"
    )
    overrides: dict[str, Any] = Field(
        default_factory=dict,
        description="fields of the job's request to change, as a JSON merge patch: null takes the default again",
        examples=[{"epochs": 200, "optimizer": {"learning_rate": 0.001}}],
    )


class JobChange(BaseModel):
    """A job's new name and tags; what is left out stays, null takes it away."""

    model_config = ConfigDict(extra="forbid")
    name: Name | None = None
    tags: Tags | None = Field(default=None, description="all of them, in the place of those before")


class JobResource(Resource):
    id: str
    kind: JobKind = Field(description="training, or something about the job `parent`; GET …/result has what came of that")
    parent: str | None = Field(description="the job that this one is about; null of training")
    asked: dict[str, Any] | None = Field(
        default=None, description="what it was asked to do with that one: a slice's fields, the stretch of a replay, seeds"
    )
    group_id: str | None = Field(description="the group of jobs that it was started in")
    name: str | None
    tags: list[str]
    dataset_id: str
    owner: str
    request: dict[str, Any] = Field(
        description="the body of POST /v1/jobs with every default filled in; a later name or tags do not change it"
    )
    state: State
    state_reason: str | None
    done: bool = Field(description="true once the state is succeeded, failed or cancelled")
    attempt: int
    queue_position: int | None = Field(
        description="1 starts next: how many jobs of its queue start before this one, plus one, if nothing else comes in; "
        "owners take turns, each with its oldest job first. Null once it has started"
    )
    progress: Progress
    latest: Values = Field(description="the values of the last epoch recorded")
    best: Values | None = Field(
        description="the values of the epoch with the lowest loss: the one that early stopping watches, else of the validation "
        "rows, else of the training rows; of a perceptron, of the first with the fewest mistakes that its pocket has held"
    )
    scaling: FittedScaling | None = Field(
        default=None,
        description="as fitted; null before, and where over 100 numbers are scaled each by itself, which the model has",
    )
    units: dict[str, str] = Field(
        default_factory=dict,
        description="the unit of each loss of a regression: target, or scaled_target where preprocessing.target_scaling "
        "has it learned as (y - center) / scale, to the first or second power; min_delta is in that of the loss, Huber's "
        "delta in the first power",
        examples=[{"train_loss": "scaled_target^2"}],
    )
    target_scaling: list[TargetScaling] | None = Field(
        default=None,
        description="what was fitted to the training rows, each target by itself, where the target is scaled",
    )
    parameters: int | None = Field(
        description="how many numbers are trained; null while only the training rows, once drawn, can tell"
    )
    device: str | None
    model_id: str | None
    forked_from: Origin | None
    error: Problem | None
    warnings: list[Notice] = Field(
        description="what is worth a look: of the table (TARGET_LEAK …), of the run (EARLY_STOPPED …), and where it learned "
        "nothing: WORSE_THAN_MEAN, WORSE_THAN_COMMONEST, LOSS_ROSE, NOT_FINITE, WEIGHTS_ZERO, SEPARABLE, CONSTANT_TARGET, each "
        "once, with its numbers and a remedy"
    )
    checkpoints_removed_at: Time | None = Field(
        default=None, description="when its checkpoints, but its model's, were removed (VIDRO_KEEP_CHECKPOINTS_DAYS)"
    )
    curves_removed_at: Time | None = Field(
        default=None, description="when its curves and histograms were removed (VIDRO_KEEP_CURVES_DAYS)"
    )
    timings: Timings
    created_at: Time
    started_at: Time | None
    finished_at: Time | None
    transitions: list[Transition]
    event_id: int = Field(description="the event up to which this tells: GET …/events?from= this id gives what follows")


class JobSummary(Resource):
    """A job as a line of a table."""

    id: str
    kind: JobKind
    parent: str | None
    name: str | None
    tags: list[str]
    owner: str
    state: State
    done: bool
    model_kind: str
    dataset_id: str
    target: str | list[str] | None
    queue_position: int | None = Field(description="as in a whole job")
    progress: Progress
    latest: Values = Field(description="the losses and metrics of the last epoch recorded")
    best: Values | None = Field(description="those of the epoch with the lowest loss, as in a whole job")
    best_values: dict[str, float] = Field(
        description="the best value of each loss and metric, whichever epoch it is of: what `order_by` orders by"
    )
    model_id: str | None
    error_code: str | None = Field(description="why it failed", examples=["WORKER_LOST"])
    created_at: Time
    started_at: Time | None
    finished_at: Time | None


if TYPE_CHECKING:
    StateCounts = Resource
else:
    StateCounts = create_model(
        "StateCounts", __base__=Resource, __doc__="How many jobs are in each state.", **dict.fromkeys(STATES, (int, ...))
    )


class JobsSummary(Resource):
    """Jobs counted by state."""

    total: int
    states: StateCounts


class EstimatedLayer(Resource):
    """A layer of the network that would be trained."""

    name: str = Field(description="hidden_1, hidden_2, …, output of dense layers alone; else by kind, conv2d_1, …, output")
    kind: str = Field(description="dense, conv2d, …")
    input_shape: list[int] = Field(description="of a row: [numbers], or of an image [height, width, channels]")
    output_shape: list[int]
    inputs: int = Field(description="numbers of a row that come in")
    outputs: int = Field(description="numbers of a row that go out")
    activation: str | None = Field(
        description="null for the output, whose raw numbers the loss reads, and for a layer that has none"
    )
    parameters: int = Field(description="trained numbers")


class Estimate(Resource):
    """The job as it would be: nothing is stored."""

    request: dict[str, Any]
    parameters: int
    memory_bytes: int = Field(description="of the training process, estimated")
    seconds: float | None = Field(
        description="of training, estimated from the shapes, for two cores; null where a solver decides"
    )
    rows: dict[str, int] = Field(description="how many rows train, validate and test")
    layers: list[EstimatedLayer]
    warnings: list[Notice] = Field(description="what is worth a look first: leaks of the target, classes out of balance")


class ModelChoices(Resource):
    """The choices left once a model, its solver and a task are chosen."""

    model: str
    solver: str | None = Field(description="null where the model has no choice of them")
    task: str
    losses: list[str] = Field(description="kinds of losses to choose from")
    without: list[str] = Field(description="JSON pointers to the fields that mean nothing, or leave no choice")


class JobSchema(Resource):
    """The material for a job's form."""

    json_schema: dict[str, Any] = Field(alias="schema", description="the JSON Schema of the body of POST /v1/jobs")
    choices: list[ModelChoices]
    fixed: list[str] = Field(description="JSON pointers to what a fork keeps as it is")
