"""Deep networks before any training: what initializers and activations do to the numbers that pass through."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import Field

from engine.glass.propagation import BACKWARD, FORWARD, Propagation
from engine.parts.activations import Activation
from engine.parts.initializers import Initializer
from service.dependencies import Reader, StoreOf
from service.responses import problems
from service.routing import Route, works_on
from service.schemas.common import Number, Resource
from service.work import refuse_too_much

router = APIRouter(prefix="/v1", tags=["glass box"], route_class=Route)


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


DEEP_EXAMPLES: Any = {
    "xavier": {"summary": "Ten tanh layers", "value": {"initializer": "xavier_normal", "activation": "tanh"}},
    "small": {"summary": "Weights that are too small", "value": {"initializer": {"kind": "normal", "std": 0.01}, "depth": 10}},
    "he": {"summary": "ReLU layers", "value": {"initializer": "he_normal", "activation": "relu", "width": 200}},
}


@router.post("/initializations", responses=problems(413))
@works_on("computations")
def look_at_initialization(
    store: StoreOf, caller: Reader, request: Annotated[Propagation, Body(openapi_examples=DEEP_EXAMPLES)]
) -> Initialization:
    """How weighted sums, activations and gradients spread, layer by layer, through a deep network before any training: which
    initializer keeps their size, and which lets them vanish, explode or saturate.
    """
    layers, numbers = request.depth + 1, request.rows * request.width
    counts = {
        "products": 3 * layers * numbers * request.width,
        "values": layers * (6 * numbers + request.width**2),
    }
    refuse_too_much(store.settings.max_work, "/depth", "ask for fewer layers, units or rows", counts)
    return Initialization(
        **asdict(request),
        weight_variance=request.weight_variance(),
        forward_formula=FORWARD,
        backward_formula=BACKWARD,
        layers=[
            LayerSpreadResource.model_validate(
                {**asdict(each), "dead": each.activations.dead, "saturated": each.activations.saturated}
            )
            for each in request.layers()
        ],
    )
