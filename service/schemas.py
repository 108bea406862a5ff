"""The resources that go out. Each is the same object everywhere: created, got, listed, in an event."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from engine.models.models import AnyModel
from engine.spec import WHOLE, kind_of, members
from store.requests import Name, Tags

Number = float | Literal["NaN", "Infinity", "-Infinity"]
"""A number; one that is not finite goes out as a string, so that every body is valid JSON."""
Values = dict[str, Number | int | None]


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Time = Annotated[datetime, PlainSerializer(rfc3339, return_type=str), Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339 in UTC, to the millisecond; taken from seconds since 1970, too."""


class Resource(BaseModel):
    """Something that goes out as JSON; numbers that are not finite stay what they are until they are spelled there."""

    model_config = ConfigDict(from_attributes=True, ser_json_inf_nan="strings")

    def document(self) -> dict[str, Any]:
        """The resource as JSON."""
        return self.model_dump(mode="json")


Item = TypeVar("Item")


class Listing(Resource, Generic[Item]):
    """A page, newest first."""

    items: list[Item]
    next_page_token: str | None = Field(description="send it as page_token for the next page; null at the end")


class CountedListing(Listing[Item], Generic[Item]):
    """A page of a list whose items can be counted."""

    total: int | None = Field(default=None, description="how many items all pages have; null unless `total=true` asks")


class FieldProblem(Resource):
    pointer: str = Field(description="JSON pointer into the body, or the parameter", examples=["/epochs"])
    detail: str


class Problem(Resource):
    """What went wrong and what to do about it (RFC 9457)."""

    type: str = Field(examples=["urn:vidro:problem:invalid-request"])
    title: str
    status: int
    detail: str
    code: str = Field(examples=["INVALID_REQUEST"])
    instance: str | None = None
    request_id: str | None = None
    errors: list[FieldProblem] | None = None


class Notice(BaseModel):
    """Something worth a look."""

    model_config = ConfigDict(extra="allow", ser_json_inf_nan="strings")
    code: str
    detail: str
    column: str | None = None


class ValueCount(Resource):
    value: Any
    count: int


class ColumnResource(Resource):
    name: str
    kind: Literal["numeric", "integer", "boolean", "categorical", "text", "image", "vector"]
    missing: int
    first_missing: int | None = Field(description="row of the first gap, counted from 0 below the header")
    distinct: int | None = Field(description="how many different values; not counted of images and vectors")
    shape: list[int] | None = Field(
        default=None, description="of a cell of an image or vector; its statistics are of all numbers"
    )
    min: Number | None
    max: Number | None
    mean: Number | None
    std: Number | None
    quantiles: dict[str, Number] | None = Field(examples=[{"0.5": 5.8}])
    top: list[ValueCount] | None = Field(description="the most frequent values")
    words: list[str] | None = Field(
        default=None, description="how the file writes false and true, where not so", examples=[["no", "yes"]]
    )
    unit: str | None = Field(default=None, description="what the file writes beside the numbers", examples=["%"])
    role: Literal["index"] | None = Field(
        default=None, description="`index`: it numbers or names the rows, and is no feature unless a job names it"
    )


class DatasetSummary(Resource):
    """A dataset without the profile of its columns, and without how its file was read (`source.read`)."""

    id: str
    name: str
    source: dict[str, Any] = Field(description="where it came from", examples=[{"kind": "upload", "filename": "iris.csv"}])
    sha256: str
    bytes: int
    rows: int
    column_count: int
    warnings: list[Notice] = Field(
        description="what is worth a look; where what one advises can be sent, its `remedy` is a body for PATCH that does so",
    )
    created_at: Time


class DatasetResource(DatasetSummary):
    """A dataset with its profile."""

    columns: list[ColumnResource]


class ImagesResource(Resource):
    """Images that a dataset holds, one a row."""

    name: str = Field(description="what `column` names them by")
    height: int
    width: int
    channels: int = Field(description="1: grey, 2: grey with transparency, 3: RGB, 4: RGB with transparency")
    low: float = Field(description="the number that is drawn black")
    high: float = Field(description="the number that is drawn white")


class RowsPage(Resource):
    """A stretch of a table, row by row."""

    columns: list[str]
    rows: list[list[Any]]
    offset: int
    total: int


class DatasetPreview(Resource):
    """What a dataset would be once it is corrected, and its first rows."""

    source: dict[str, Any] = Field(description="as a dataset's, with how the file was read")
    rows: int
    column_count: int
    columns: list[ColumnResource]
    warnings: list[Notice]
    preview: RowsPage


class Progress(Resource):
    epoch: int
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


State = Literal["queued", "running", "pausing", "paused", "cancelling", "succeeded", "failed", "cancelled"]


if TYPE_CHECKING:
    ModelKind = str
else:
    ModelKind = Literal[tuple(kind_of(cls) for cls in members(AnyModel))]


class Origin(Resource):
    """What a fork began from."""

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


class TargetScaling(Resource):
    """A regression's target y is learned as (y - center) / scale."""

    column: str
    center: Number
    scale: Number


class JobChange(BaseModel):
    """What a job is to be called and found by; what is left out stays, null takes it away."""

    model_config = ConfigDict(extra="forbid")
    name: Name | None = None
    tags: Tags | None = Field(default=None, description="all of them, in the place of those before")


class ScaledColumn(Resource):
    column: str
    center: Number | list[Number] = Field(description="of a vector, of each of its numbers")
    scale: Number | list[Number]


class FittedScaling(Resource):
    """How the columns of numbers were scaled: x' = (x − center) / scale, fitted on the training rows."""

    kind: str
    formula: str = Field(description="LaTeX: what center and scale are")
    columns: list[ScaledColumn]


class JobResource(Resource):
    id: str
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


class StateCounts(Resource):
    """How many jobs are in each state."""

    queued: int
    running: int
    pausing: int
    paused: int
    cancelling: int
    succeeded: int
    failed: int
    cancelled: int


class JobsSummary(Resource):
    """Jobs counted by state."""

    total: int
    states: StateCounts


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


class CheckpointResource(Resource):
    epoch: int
    sha256: str | None = Field(description="null for epoch 0, which is not kept but worked out anew")
    bytes: int | None
    values: Values
    periodic: bool
    created_at: Time


class LayerWeights(Resource):
    name: str
    inputs: list[str] | None = Field(
        default=None, description="of the first layer, the features by name, one a row of the weights; each name once"
    )
    outputs: list[str] | None = Field(default=None, description="of the last layer, what each column of the weights speaks for")
    weights: list[list[Number]] = Field(description="(inputs, outputs)")
    bias: list[Number] | None


class Coefficients(Resource):
    """A linear model's coefficients in the data's own units, before any scaling."""

    features: list[str]
    outputs: list[str]
    weights: list[list[Number]] = Field(description="(features, outputs)")
    bias: list[Number] | None


class LastWeights(Resource):
    """What a perceptron's rule arrived at after the epoch, beside the best that its pocket holds."""

    layers: list[LayerWeights]
    coefficients: Coefficients


class Weights(Resource):
    job_id: str
    epoch: int
    layers: list[LayerWeights]
    coefficients: Coefficients | None = Field(description="for models without hidden layers")
    last: LastWeights | None = Field(
        default=None, description="of a perceptron: its last weights; `layers` are those of its pocket, which the model takes"
    )


class ClassScores(Resource):
    label: Any = Field(alias="class")
    precision: float | None
    recall: float | None
    f1: float | None
    support: int = Field(description="rows of that class")


class RocCurve(Resource):
    """Of one class against the rest; null where no row is of the class, or every row is."""

    label: Any = Field(alias="class")
    false_positive_rate: list[float] | None
    true_positive_rate: list[float] | None
    threshold: list[Number] | None


class PrecisionRecallCurve(Resource):
    """Of one class against the rest; null where no row is of the class."""

    label: Any = Field(alias="class")
    recall: list[float] | None
    precision: list[float] | None
    threshold: list[Number] | None


class LargeResidual(Resource):
    row: int = Field(description="of the dataset, as /rows counts them")
    actual: Number
    predicted: Number
    residual: Number = Field(description="actual less predicted")


class Residuals(Resource):
    """Actual less predicted; the points are thinned evenly where there are many."""

    actual: list[Number]
    predicted: list[Number]
    metrics: dict[str, Number | None] = Field(description="of this target alone, in its own unit")
    mean: Number
    std: Number
    quantiles: dict[str, Number]
    largest: list[LargeResidual] = Field(description="the rows that are furthest off, the furthest first")


class EvaluationResource(Resource):
    job_id: str
    epoch: int
    split: Literal["train", "validation", "test"]
    rows: int
    metrics: Values = Field(description="of several numbers, the mean over them; residuals have those of each")
    units: dict[str, str] = Field(
        default_factory=dict,
        description="of the metrics that have one: the target's own, however it was scaled",
        examples=[{"mae": "target", "rmse": "target"}],
    )
    classes: list[Any] | None
    confusion_matrix: list[list[int]] | None = Field(description="true classes down, predicted across")
    by_class: list[ClassScores] | None
    roc: list[RocCurve] | None = Field(description="each class against the rest")
    precision_recall: list[PrecisionRecallCurve] | None
    residuals: dict[str, Residuals] | None = Field(description="by target")


class LayerHistogramResource(Resource):
    layer: str
    of: Literal["weights", "activations", "gradients"]
    count: int
    mean: float
    std: float
    min: float
    max: float
    edges: list[float] = Field(description="one more than there are counts")
    counts: list[int]
    dead: float | None = Field(description="share of hidden units whose activation is flat at every row looked at")
    saturated: float | None = Field(description="share of hidden units and rows at which the activation is nearly flat")


class EpochHistograms(Resource):
    epoch: int
    layers: list[LayerHistogramResource]


class Correlations(Resource):
    """Pearson's correlation of every pair of numeric columns, over the rows in which both are present."""

    columns: list[str]
    matrix: list[list[float | None]] = Field(description="null where it is undefined: a constant column")
    left_out: int = Field(default=0, description="columns that go less with the target than these")


class Histogram(Resource):
    column: str
    edges: list[float] = Field(description="one more than there are counts")
    counts: list[int]
    missing: int


class InputColumn(Resource):
    name: str
    kind: str
    required: bool
    categories: list[str] | None = Field(description="those that have a feature of their own")
    other: bool = Field(default=False, description="all other categories share a feature")
    shape: list[int] | None = Field(default=None, description="of an image or a vector")
    words: list[str] | None = Field(default=None, description="of yes and no: how the file wrote no and yes")
    read: dict[str, Any] | None = Field(
        default=None,
        description="how a cell of text is read: as the file's were",
        examples=[{"kind": "number", "decimal": ",", "thousands": "."}],
    )


class ModelSummary(Resource):
    """A model as a line of a table."""

    id: str
    name: str | None
    kind: str
    job_id: str
    dataset_id: str
    dataset_sha256: str
    epoch: int
    metrics: Values
    parameters: int
    created_at: Time


class ModelResource(Resource):
    id: str
    name: str | None
    kind: str
    job_id: str
    dataset_id: str
    dataset_sha256: str
    request: dict[str, Any] = Field(description="the completed body of the job that made it")
    task: Literal["classification", "regression", "tagging"]
    inputs: list[InputColumn] = Field(description="the columns that a record to predict must have")
    target: str | list[str]
    scaling: FittedScaling | None = Field(description="as fitted")
    classes: list[Any] | dict[str, list[Any]] | None = Field(
        description="the classes as the table writes them, in their order; of tags of words, by tag, [no, yes]; null where a "
        "tag is true or false, and for a regression"
    )
    target_scaling: list[TargetScaling] | None = Field(
        default=None,
        description="what was fitted to the training rows, each target by itself, where the target is scaled",
    )
    epoch: int = Field(description="the epoch whose weights these are")
    metrics: Values
    units: dict[str, str] = Field(
        default_factory=dict, description="of the metrics that have one, as in a job's", examples=[{"train_loss": "target^2"}]
    )
    parameters: int
    versions: dict[str, str]
    created_at: Time


class PredictionsResource(Resource):
    model_id: str
    predictions: list[Any]
    probabilities: list[dict[str, Number | dict[str, Number]]] | None = Field(
        description="by class or tag, a class's name as JSON writes it: true, not True; of a tag of words, by word; null for a "
        "regression or a perceptron"
    )
    warnings: list[Notice] = Field(
        default_factory=list,
        description="columns of the records that are not read, and categories without a feature of their own",
    )


class EstimatedLayer(Resource):
    """A layer of the network that would be trained."""

    name: str = Field(description="hidden_1, hidden_2, …, output")
    inputs: int
    outputs: int
    activation: str | None = Field(description="null for the output, whose raw numbers the loss reads")
    parameters: int


class Estimate(Resource):
    """What a job would be: nothing is stored."""

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
    """What is left to choose once a model, its solver and a task are chosen."""

    model: str
    solver: str | None = Field(description="null where the model has no choice of them")
    task: str
    losses: list[str] = Field(description="kinds of losses to choose from")
    without: list[str] = Field(description="JSON pointers to the fields that mean nothing, or leave no choice")


class JobSchema(Resource):
    """What a form for a job is built from."""

    json_schema: dict[str, Any] = Field(alias="schema", description="the JSON Schema of the body of POST /v1/jobs")
    choices: list[ModelChoices]
    fixed: list[str] = Field(description="JSON pointers to what a fork keeps as it is")


class SampleResource(Resource):
    kind: str
    title: str = Field(description="its name for people, by Accept-Language, as the other texts are")
    summary: str
    description: str = Field(description="the summary and what else there is to say: of generated data, from what")
    formula: str = Field(description="LaTeX")
    source: str | None
    parameters: dict[str, Any] = Field(description="JSON Schema of what goes beside the kind")


class SessionRequest(BaseModel):
    """What signs a browser in."""

    model_config = ConfigDict(extra="forbid")
    key: str = Field(min_length=1, max_length=1000, description="a key from `vidro keys create`")


class SessionResource(Resource):
    """Whom a browser speaks for."""

    needs_key: bool = Field(description="whether nobody is let in without a key")
    owner: str | None = Field(description="whose datasets, jobs and models are seen and made; null where a key is missing")
    scopes: list[Literal["read", "write", "admin"]] = Field(description="what the owner may do here")
    key_id: str | None = Field(description="the key, as `vidro keys list` names it; null without one")
    expires_at: Time | None = Field(description="when the session, or the key sent with this request, ends; null for never")


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
    """What the supervisor of `vidro up` sees. `degraded` while a process is not up; what that one does is then told by the
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
