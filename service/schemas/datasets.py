"""Datasets: columns with their statistics, rows, images, corrections, samples."""

from typing import Any, Literal

from pydantic import Field

from service.schemas.common import Notice, Number, Resource, Time


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
