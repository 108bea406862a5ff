"""Answers of the glass box: the catalog, landscapes, curves of functions, traces and gradient checks."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, computed_field

from engine.glass.trace import BiasForm, Quantity, Stage
from engine.parts.optimizers import Optimizer
from engine.parts.schedules import Schedule
from service.schemas.parts import NESTED, TENSOR, Number, Resource


class Kind(Resource):
    """One of the built-in things that a request or a path chooses among."""

    kind: str

    @computed_field(description="kind, by its earlier name", json_schema_extra={"deprecated": True})  # type: ignore[prop-decorator]
    @property
    def name(self) -> str:
        return self.kind


class CatalogEntry(Kind):
    title: str = Field(description="its name for people, by Accept-Language, as the summary and the schema's texts are")
    summary: str
    formula: str
    derivative: str | None
    source: str | None
    json_schema: dict[str, Any] | None = Field(alias="schema")
    task: Literal["classification", "regression", "tagging", "clustering"] | None = Field(
        default=None, description="of a metric: what it is a number of"
    )
    better: Literal["higher", "lower"] | None = Field(default=None, description="of a metric: which way is better")
    unit: Literal["target"] | None = Field(default=None, description="of a metric: whether it is in the target's unit")


class Minimum(Resource):
    point: list[float]
    cost: float


class LandscapeResource(Kind):
    title: str = Field(description="its name for people, by Accept-Language, as the summary is")
    summary: str
    formula: str
    derivative: str
    source: str
    minima: list[Minimum] = Field(description="the lowest points, global or local; none for a saddle")
    range: list[list[float]] = Field(description="[low, high] of w1 and of w2 that is worth drawing")
    start: list[float]


class LandscapeGrid(LandscapeResource):
    w1: list[float]
    w2: list[float]
    costs: list[list[float]] = Field(description="w2 down, w1 across")


class DescentPath(Resource):
    optimizer: Optimizer
    points: list[list[float]] = Field(description="the start, then a point a step")
    costs: list[float]
    gradients: list[list[float]]
    states: dict[str, list[list[Number]]] = Field(
        description="the optimizer's vectors by name, as velocity: at each point, after the step that led to it; 0 at the start"
    )
    learning_rates: list[float] = Field(description="of each step: one fewer than there are points")
    diverged: bool


class Descent(Kind):
    schedule: Schedule
    paths: list[DescentPath]


class AxisResource(Resource):
    column: str
    values: list[Any] = Field(description="numbers over the column's range and a little beyond, or its categories")


ShareOfEach = Annotated[list[list[Number]] | list[Number], NESTED]
"""The share of a class at each point of a plane, y down and x across, or of a curve."""


class Boundary(Resource):
    """What a job's model predicts over the plane of two features, or along one."""

    job_id: str
    epoch: int
    x: AxisResource
    y: AxisResource | None = Field(description="null for a curve along x")
    fixed: dict[str, Any] = Field(description="the value of each other feature: its median, or most frequent, unless given")
    classes: list[Any] | dict[str, list[Any]] | None = Field(description="as the model's")
    predictions: list[list[Any]] | list[Any] = Field(
        description="y down, x across, or a list along x where there is no y: a class, a number, or one by name where "
        "there are several"
    )
    probabilities: dict[str, ShareOfEach | dict[str, ShareOfEach]] | None = Field(
        description="by class or tag, each as predictions; of a tag of words, by word"
    )
    units: dict[str, list[list[Any]]] | None = Field(
        description="the activation of each unit of each hidden layer, each as predictions; null unless asked for"
    )


class FunctionCurve(Kind):
    """A function and its derivative at evenly spaced points."""

    family: Literal["activation", "loss"]
    summary: str
    formula: str
    derivative: str
    parameters: dict[str, Any] = Field(description="its own numbers, such as a slope or a margin")
    target: float | None = Field(description="what a loss is held against")
    z: list[float]
    value: list[Number]
    slope: list[Number] = Field(description="the derivative by z")


class QuantityResource(Resource):
    """A number, vector or matrix with where it is from."""

    stage: Stage
    name: str
    layer: str | None = Field(examples=["hidden_1"], description="null for what belongs to none, as the inputs or J")
    formula: str = Field(description="LaTeX; layer 0 is the input")
    shape: list[int]
    values: Any

    @classmethod
    def of(cls, found: Quantity) -> Self:
        shape, values = list(found.values.shape), found.values.tolist()
        return cls(stage=found.stage, name=found.name, layer=found.layer, formula=found.formula, shape=shape, values=values)


class TraceQuantity(QuantityResource):
    """A number of a step."""

    name: str = Field(
        examples=["dW"],
        description="A, W, b, Z, mask, and what else a layer works out, as patches; targets, predictions, row_weights, "
        "row_losses, penalty, J; dA, dZ, dW, db, gradient_norm; clip, t, learning_rate, the optimizer's vectors by name, "
        "change_W, new_W and the same of b",
    )
    shape: list[int] = Field(
        description="(rows, units), (inputs, units), (units,); none for a number; (rows, height, width, channels) of images"
    )
    values: Annotated[Any, TENSOR]


class FunctionQuantity(QuantityResource):
    """A number on the way to a function's value."""

    name: str = Field(
        examples=["row_losses"],
        description="of a loss z, targets, predictions, row_losses, J, gradient; of an activation z, a, slope or jacobian; of "
        "a neuron inputs, weights, bias, products, weighted_sum, z, a, slope, da_dw, da_dx, da_db",
    )
    shape: list[int] = Field(description="(rows, outputs), (rows,), (rows, outputs, outputs) of a Jacobian; none for a number")
    values: Annotated[Number | list[Number] | list[list[Number]] | list[list[list[Number]]], TENSOR]


class FunctionValues(Resource):
    """A function at given numbers: every number on the way, with its formula."""

    function: dict[str, Any] = Field(description="the loss or activation with its own numbers")
    formula: str
    derivative: str
    quantities: list[FunctionQuantity] = Field(description="in the order in which they are worked out")


class TraceStep(Resource):
    step: int = Field(description="the optimizer's t")
    quantities: list[TraceQuantity] = Field(description="in the order in which they are worked out")


class LookedAt(Resource):
    """What was looked at: a job's weights after an epoch and rows of its table, or what the request gave."""

    job_id: str | None = None
    epoch: int | None = None
    rows: list[int] | None = Field(default=None, description="of the dataset, as /rows counts them")
    parameters: int = Field(description="trainable numbers of the network")


class Trace(LookedAt):
    """Steps of gradient descent, every number of them."""

    bias_form: BiasForm
    steps: list[TraceStep]
    diverged: bool = Field(description="not every number is finite any more, and no further step was taken")


class SlopeResource(Resource):
    """One parameter's slope of J, twice."""

    layer: str
    name: str = Field(description="W, b; gamma, beta of a batch normalization", examples=["W"])
    index: list[int] = Field(description="(input, unit) of W, (row, column, channel, filter) of a convolution's; (unit,) of b")
    value: Number = Field(description="of the parameter")
    analytic: Number = Field(description="by backpropagation")
    numeric: Number = Field(description="by a central difference of J")
    error: Number = Field(description="their difference beside the larger of them")
    agrees: bool


class GradientCheck(LookedAt):
    """The gradient of backpropagation beside finite differences of the cost, in float64 and without dropout."""

    cost: Number = Field(description="J")
    agrees: bool = Field(description="all that were checked do; at a corner, as of ReLU at 0, they may rightly not")
    slopes: list[SlopeResource]
