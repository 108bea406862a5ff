"""What a model's predictions rest on: a row with changes, the dependence on a feature, importances and contributions."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.spec import NonNegativeInt
from service.schemas.models import Cell
from service.schemas.parts import Formula, Notice, Number, Resource
from service.schemas.predictions import Shares

SplitName = Literal["train", "validation", "test"]
Epoch = NonNegativeInt | Literal["model", "last", "best"]


class WhatIfRequest(BaseModel):
    """A row of a job's dataset, and other cells for it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    row: NonNegativeInt = Field(description="of the dataset, as /rows counts them")
    changes: Annotated[dict[str, Cell], Field(min_length=1)] = Field(
        description="by column: cells as JSON has them, or text, which is read as the file's was",
        examples=[{"petal_width": 2.1}],
    )
    epoch: Epoch = Field(default="model", description="whose weights answer, as in /predictions")


class Change(Resource):
    column: str
    before: Any
    after: Any = Field(description="as it was read: text of a column of numbers is a number")


class Answer(Resource):
    """What the weights answer to a row."""

    prediction: Any = Field(description="as a model's predictions")
    probabilities: Shares = None
    distances: list[Number] | None = Field(default=None, description="of a clustering: to every centroid")
    loss: Number | None = Field(description="by the job's loss, against what the table says; null of a row in no split")


class WhatIf(Resource):
    """A row as it is and with changes."""

    job_id: str
    epoch: int
    row: int
    split: SplitName | None = Field(description="that the row is in; null where a missing cell keeps it out of all")
    target: Any = Field(description="what the table says of the row")
    changes: list[Change]
    before: Answer | None = Field(description="null where the row has a gap that a change fills")
    after: Answer
    difference: Number | dict[str, Number | dict[str, Number]] | None = Field(
        description="after less before: of the prediction, of several numbers by name, of classes and tags of the "
        "probabilities; null where there are neither"
    )
    formula: str = Field(description="LaTeX, of the difference")
    warnings: list[Notice] = Field(default_factory=list, description="categories without a feature of their own")


class OfRows(Resource):
    """A model, and the rows of the job's dataset that it was asked about."""

    model_id: str
    split: SplitName
    rows: int = Field(description="that it was worked out over")
    of_rows: int = Field(description="of the split; where these are more than `rows` allows, so many are drawn by the seed")
    seed: int


class DependenceResource(OfRows):
    """The average answer as one feature takes each of its values in turn, while the others stay as the rows have them."""

    feature: str
    kind: str = Field(description="of the column")
    values: list[Any] = Field(description="numbers over the feature's range, or its categories")
    of: Literal["prediction", "probability", "score", "share"] = Field(
        description="what is averaged: numbers, probabilities, raw scores where there are none, or the shares of clusters"
    )
    averages: dict[str, list[Number]] = Field(description="by target, class, tag or cluster: one for each of `values`")
    formula: str = Field(description="LaTeX")
    source: str


class ColumnImportanceResource(Resource):
    column: str
    importance: Number = Field(description="the mean of `losses`; about 0 where the column tells nothing")
    std: Number = Field(description="their standard deviation, over the repeats")
    losses: list[Number] = Field(description="what the metric lost at each repeat")


class ImportanceResource(OfRows):
    """What a metric loses as the cells of one column change places."""

    metric: str
    better: Literal["higher", "lower"]
    value: Number = Field(description="the metric on the rows as they are")
    repeats: int
    columns: list[ColumnImportanceResource] = Field(description="the most important first")
    formula: str = Field(description="LaTeX; of a metric of which less is better, with the other sign")
    source: str


class OutputSum(Resource):
    """An output of a linear model, as a sum."""

    bias: Number
    mean_output: Number = Field(description="the answer to the mean training row")
    output: Number = Field(
        description="the model's own: bias and contributions, or mean_output and those from the mean, add up to it"
    )


class FeatureContribution(Resource):
    feature: str = Field(description="a column, or one category or number of it")
    column: str
    value: Number = Field(description="of the row, in the data's own units; 1 or 0 of a category")
    mean: Number = Field(description="of the training rows")
    weights: dict[str, Number] = Field(description="by output, in the data's own units")
    contributions: dict[str, Number] = Field(description="by output: weight × value")
    from_mean: dict[str, Number] = Field(description="by output: weight × (value − mean)")


class ContributionsResource(Resource):
    """One prediction of a linear model, taken apart."""

    model_id: str
    row: int
    split: SplitName | None = Field(description="that the row is in; null where a missing cell keeps it out of all")
    target: Any = Field(description="what the table says of the row")
    prediction: Any
    probabilities: Shares = None
    outputs: dict[str, OutputSum] = Field(
        description="by target; of classes, the raw outputs that the loss turns into probabilities, by class"
    )
    features: list[FeatureContribution] = Field(description="in the model's order")
    formulas: dict[str, Formula] = Field(description="of contributions and from_mean")
