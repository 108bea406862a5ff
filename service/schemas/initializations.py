"""Spreads of numbers through deep networks before any training."""

from pydantic import Field

from engine.parts.activations import Activation
from engine.parts.initializers import Initializer
from service.schemas.parts import Number, Resource


class Spread(Resource):
    """How many numbers are spread. Those beyond 1e100 and what is no number are left out."""

    count: int
    mean: Number
    std: Number
    min: Number
    max: Number
    edges: list[Number]
    counts: list[int]


class LayerSpreadResource(Resource):
    """A hidden layer before any training."""

    layer: str = Field(examples=["hidden_1"])
    weighted_sums: Spread = Field(description="Z")
    activations: Spread = Field(description="A = f(Z)")
    gradients: Spread = Field(description="dZ")
    zero: float = Field(description="the share of activations that are exactly 0")
    dead: float = Field(description="the share of units whose slope f'(z) is 0 at every row")
    saturated: float = Field(description="the share of units and rows where the slope is under 0.01")
    expected_weighted_sum_std: Number | None = Field(
        description="the standard deviation of Z by the variance of the weights; null where they are not drawn one by one "
        "around 0"
    )
    expected_gradient_std: Number | None = Field(description="the same of dZ")


class Initialization(Resource):
    """How numbers spread through a deep network before any training."""

    initializer: Initializer
    activation: Activation
    width: int
    depth: int
    rows: int
    seed: int
    weight_variance: float | None = Field(
        description="Var(w) of each weight; null where they are not drawn one by one around 0"
    )
    forward_formula: str = Field(description="LaTeX: what is expected of Z, layer by layer")
    backward_formula: str = Field(description="LaTeX: what is expected of dZ")
    layers: list[LayerSpreadResource]
