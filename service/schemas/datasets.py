"""Datasets: columns with their statistics, rows, images, corrections, samples."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue

from engine.tables.features import ColumnKind
from service.schemas.parts import Notice, Number, Resource, Time
from store.corrections import Wanted
from store.described import Correction
from store.readings.options import ReadOptions

READ_OPTIONS = TypeAdapter(ReadOptions)
READ_SCHEMA: JsonSchemaValue = {
    "type": "object",
    "additionalProperties": False,
    "description": "the upload's form fields, null for one that is to be found out again",
    "properties": {name: field for name, field in READ_OPTIONS.json_schema()["properties"].items() if name != "columns"},
}


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
    """The dataset as it would be once it is corrected, and its first rows."""

    source: dict[str, Any] = Field(description="as a dataset's, with how the file was read")
    rows: int
    column_count: int
    columns: list[ColumnResource]
    warnings: list[Notice]
    preview: RowsPage


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


class SampleResource(Resource):
    kind: str
    title: str = Field(description="its name for people, by Accept-Language, as the other texts are")
    summary: str
    description: str = Field(description="the summary and what else there is to say: of generated data, from what")
    formula: str = Field(description="LaTeX")
    source: str | None
    parameters: dict[str, Any] = Field(description="JSON Schema of what goes beside the kind")


class ColumnCorrection(BaseModel):
    """A correction of a column's kind."""

    model_config = ConfigDict(extra="forbid", strict=True)
    name: str
    kind: ColumnKind


class ReadingCorrection(BaseModel):
    """The kinds of some columns, how the file is to be read, or both."""

    model_config = ConfigDict(extra="forbid", strict=True)
    columns: Annotated[list[ColumnCorrection], Field(max_length=1_000_000)] = Field(default_factory=list)
    read: Annotated[dict[str, Any], WithJsonSchema(READ_SCHEMA)] | None = None

    def wanted(self) -> Wanted:
        columns = [Correction(entry.name, entry.kind, place) for place, entry in enumerate(self.columns)]
        return Wanted(columns, self.read)


class DatasetCorrection(ReadingCorrection):
    """A new name, the kinds of some columns, how the file is to be read, or several of these."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
