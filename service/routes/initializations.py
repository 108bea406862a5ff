"""Deep networks before any training: what initializers and activations do to the numbers that pass through."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body

from engine.glass.propagation import BACKWARD, FORWARD, Propagation
from service.dependencies import Reader, StoreOf
from service.responses import problems
from service.routing import Route, works_on
from service.schemas.initializations import Initialization, LayerSpreadResource
from service.work import refuse_too_much

router = APIRouter(prefix="/v1", tags=["glass box"], route_class=Route)


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
