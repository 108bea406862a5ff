"""Models: what they take, what was fitted, and their predictions."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.models.kinds import AnyModel
from engine.spec import kind_of, members
from service.schemas.parts import Notice, Number, Resource, Time, Values

if TYPE_CHECKING:
    ModelKind = str
else:
    ModelKind = Literal[tuple(kind_of(cls) for cls in members(AnyModel))]


class TargetScaling(Resource):
    """A regression's target y is learned as (y - center) / scale."""

    column: str
    center: Number
    scale: Number


class ScaledColumn(Resource):
    column: str
    center: Number | list[Number] = Field(description="of a vector, of each of its numbers")
    scale: Number | list[Number]


class FittedScaling(Resource):
    """How the columns of numbers were scaled: x' = (x − center) / scale, fitted on the training rows."""

    kind: str
    formula: str = Field(description="LaTeX: what center and scale are")
    columns: list[ScaledColumn]


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
    task: Literal["classification", "regression", "tagging", "clustering"]
    inputs: list[InputColumn] = Field(description="the columns that a record to predict must have")
    target: str | list[str] | None = Field(description="null of a clustering")
    scaling: FittedScaling | None = Field(description="as fitted")
    classes: list[Any] | dict[str, list[Any]] | None = Field(
        description="the classes as the table writes them, in their order; of tags of words, by tag, [no, yes]; null where a "
        "tag is true or false, for a regression and for a clustering"
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
    predictions: list[Any] = Field(
        description="a value a row, a class, an object of several; of a clustering, the cluster, from 0"
    )
    probabilities: list[dict[str, Number | dict[str, Number]]] | None = Field(
        description="by class or tag, a class's name as JSON writes it: true, not True; of a tag of words, by word; null for a "
        "regression, a perceptron or a clustering"
    )
    distances: list[list[Number]] | None = Field(
        default=None,
        description="of a clustering: each row's Euclidean distance to every centroid, in the order of the clusters, as "
        "features are scaled",
    )
    warnings: list[Notice] = Field(
        default_factory=list,
        description="columns of the records that are not read, and categories without a feature of their own",
    )


Cell = Annotated[float | int | str | bool | list[Any] | None, Field(union_mode="left_to_right")]
MAX_RECORDS = 100_000


class RecordsRequest(BaseModel):
    """Raw rows, each an object by column, in the data's own units."""

    model_config = ConfigDict(extra="forbid", strict=True)
    records: list[dict[str, Cell]] = Field(min_length=1, max_length=MAX_RECORDS)


class TableRequest(BaseModel):
    """Raw rows as lists, with the columns named once."""

    model_config = ConfigDict(extra="forbid", strict=True)
    columns: list[str] = Field(min_length=1)
    data: list[list[Cell]] = Field(min_length=1, max_length=MAX_RECORDS)
