"""Predictions of a job's weights for the rows of a split, one by one."""

from typing import Annotated, Any, Literal

from pydantic import Field

from service.schemas.parts import Formula, Notice, Number, Resource

Shares = Annotated[
    dict[str, Number | dict[str, Number]] | None,
    Field(description="by class or tag, of a tag of words by word, as the model's predictions have them; null without any"),
]


class RowPrediction(Resource):
    """A row of the dataset, and what the weights answer to it."""

    row: int = Field(description="of the dataset, as /rows counts them")
    target: Any = Field(description="what the table says: a class, a number, or one by name of several; null of a clustering")
    prediction: Any = Field(description="in the same form; of a clustering the cluster, from 0")
    right: bool | None = Field(
        default=None, description="whether they agree, of tags all of them; null of numbers and clusters"
    )
    confidence: Number | None = Field(
        default=None,
        description="the probability of what is predicted, of tags that of the least sure one; null without probabilities",
    )
    probabilities: Shares = None
    loss: Number = Field(description="by the job's loss, in its unit (see a job's units), without the row's weight")
    weight: Number | None = Field(
        default=None, description="what class_weight makes it count in training; null without, and of other rows"
    )
    residual: Number | dict[str, Number] | None = Field(
        default=None, description="target less prediction, in the target's unit; null of classes"
    )
    leverage: Number | None = Field(
        default=None, description="of a linear model of numbers: how far the row pulls its own prediction; else null"
    )
    distances: list[Number] | None = Field(
        default=None, description="of a clustering: to every centroid, as features are scaled"
    )
    cells: dict[str, Any] | None = Field(default=None, description="the whole row by column, where `cells` asks for it")


class SplitPredictions(Resource):
    """The rows of a split, or some of them, with what the weights after an epoch answer to each."""

    job_id: str
    epoch: int
    split: Literal["train", "validation", "test"]
    rows: int = Field(description="of the split")
    total: int = Field(description="rows of it that are as asked; `items` are a page of them")
    offset: int
    mean_loss: Number = Field(
        description="of all rows of the split, each loss times its weight: what the curves hold of the epoch. (The train_loss "
        "of gradient descent is that of each row just before the step that it took part in.)"
    )
    classes: list[Any] | dict[str, list[Any]] | None = Field(description="as the model's")
    formulas: dict[str, Formula] = Field(description="of loss, mean_loss, confidence, residual, leverage: those that there are")
    items: list[RowPrediction] = Field(description="in the order that `sort` and `order` ask for; a picture has the same")
    warnings: list[Notice] = Field(default_factory=list, description="what was left out")
