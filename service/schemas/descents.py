"""Descents over the cost of a model of two parameters: what is asked for, and their paths."""

from typing import Annotated, Any, Literal

from pydantic import Field

from engine.models.linear import LinearRegression
from engine.models.logistic import LogisticRegression, Penalty
from engine.parts.losses import Loss
from engine.parts.optimizers import Optimizer
from engine.parts.schedules import Schedule
from engine.spec import WHOLE, FiniteFloat, Flag, PositiveInt, Seed, spec
from engine.training.spec import Preprocessing
from service.schemas.models import FittedScaling
from service.schemas.parts import Formula, Notice, Number, Resource


@spec
class DescentSettings:
    """The settings of one descent: the fields of a job that decide its steps, with a job's defaults."""

    optimizer: Optimizer | None = Field(default=None, description="how a step is made of the gradient")
    schedule: Schedule | None = Field(default=None, description="how the learning rate changes from epoch to epoch")
    batch_size: PositiveInt | Literal["full"] | None = Field(
        default=None, description="rows of one step; full: batch gradient descent; 1: stochastic; between: by mini-batches"
    )
    shuffle: Flag | None = Field(default=None, description="take the rows in another order in every epoch")
    seed: Seed | None = Field(default=None, description="draws the order of the rows")
    preprocessing: Preprocessing = Preprocessing()


@spec
class DescentsRequest:
    """A model of one feature, and descents over its cost to compare."""

    dataset_id: Annotated[str, Field(description="all of its rows are trained on", examples=["ds_01937b2e"])]
    feature: Annotated[str, Field(description="the column to predict by", examples=["months"])]
    target: Annotated[str, Field(description="the column to predict", examples=["weight"])]
    model: Literal["linear_regression", "logistic_regression"] | None = Field(
        default=None, description="by default read off the target: numbers, or two classes"
    )
    penalty: Penalty | None = Field(default=None, description="of logistic_regression alone, as in a job's model")
    loss: Loss | None = Field(default=None, description="of linear_regression: half_mse by default, as in a job")
    epochs: Annotated[int, Field(strict=True, ge=1, le=10_000), WHOLE] = 20
    start: Annotated[list[FiniteFloat], Field(min_length=2, max_length=2)] | None = Field(
        default=None,
        description="[w, b] of the feature as it is scaled, where every descent starts; by default where a job does, [0, 0]",
        examples=[[1.0, -2.0]],
    )
    hold: Literal["w", "b"] | None = Field(
        default=None, description="a parameter that stays as it is at the start: the cost is a curve of the other one then"
    )
    descents: Annotated[list[DescentSettings], Field(min_length=1, max_length=20)] | None = Field(
        default=None, description="by default one, with a job's defaults"
    )
    resolution: Annotated[int, Field(strict=True, ge=2, le=200, description="points of the cost a side"), WHOLE] = 40


class CostMinimum(Resource):
    """The point where the cost is least."""

    point: list[Number] = Field(description="[w, b] of the feature as it is scaled")
    coefficients: list[Number] = Field(description="[w, b] in the data's own units")
    cost: Number


class CostSurface(Resource):
    """The cost of a model over w and b."""

    preprocessing: dict[str, Any] = Field(description="as in a job")
    scaling: FittedScaling
    rows: int = Field(description="rows that the cost is the mean of")
    w: list[float] = Field(description="of the feature as it is scaled; one number where w is held")
    b: list[float] = Field(description="one number where b is held")
    costs: list[list[Number]] = Field(description="J, b down and w across")
    minimum: CostMinimum | None = Field(
        description="null where the cost falls without end, as of classes that a line parts without a penalty, where a "
        "parameter is held, and for a loss that only descent makes small"
    )


class CostPath(Resource):
    """A descent over a surface, a point a step."""

    settings: dict[str, Any] = Field(description="completed: a job with these takes these very steps")
    surface: int = Field(description="which of `surfaces` it is on, from 0")
    formula: str = Field(description="LaTeX: the optimizer's step")
    points: list[list[float]] = Field(description="[w, b] of the feature as it is scaled: the start, then a point a step")
    coefficients: list[list[Number]] = Field(
        description="the same in the data's own units: the line or the curve at each point"
    )
    costs: list[float] = Field(description="J over all rows at each point, whatever the batches were")
    gradients: list[list[float]] = Field(description="its slope by w and by b; a step goes by that of its batch")
    tangents: list[list[Number]] | None = Field(
        description="with a parameter held: [slope, intercept] of the line over the other one that touches J at each point"
    )
    epochs: list[int] = Field(description="of each step: one fewer than there are points")
    learning_rates: list[float] = Field(description="of each step")
    states: dict[str, list[list[Number]]] = Field(
        description="the optimizer's vectors by name, as velocity: at each point, after the step that led to it"
    )
    diverged: bool = Field(description="training would have failed there: the path ends early")
    warnings: list[Notice] = Field(description="why it ended early, and what to try")


class DescentsResource(Resource):
    """Descents over the true cost of a model, and the cost itself."""

    dataset_id: str
    feature: str
    target: str
    model: LinearRegression | LogisticRegression
    loss: Loss
    epochs: int
    hold: Literal["w", "b"] | None
    classes: list[Any] | None = Field(description="of a logistic regression: y = 0 and y = 1")
    surfaces: list[CostSurface] = Field(description="one for each way in which the feature is scaled and its gaps are filled")
    paths: list[CostPath] = Field(description="in the order of `descents`")
    formulas: dict[str, Formula] = Field(description="of costs, gradients, tangents and coefficients")
