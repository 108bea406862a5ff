"""Gradient descent as pictures: paths over the true cost of a model of two parameters."""

from typing import Annotated, Any

from fastapi import APIRouter, Body

from service.dependencies import Reader, StoreOf
from service.descents import descents_of
from service.examples import DESCENTS
from service.responses import answering
from service.routing import Route, works_on
from service.schemas.descents import DescentsRequest, DescentsResource

router = APIRouter(prefix="/v1", tags=["glass box"], route_class=Route)
WEIGHTS = {"dataset_id": "ds_01937b2e", "feature": "months", "target": "weight"}
EXAMPLES: Any = {
    "batches": {
        "summary": "Batch, mini-batch and stochastic gradient descent",
        "value": {**WEIGHTS, "descents": [{"batch_size": "full"}, {"batch_size": 4}, {"batch_size": 1}]},
    },
    "rates": {
        "summary": "A learning rate that is too low, right, too high",
        "value": {
            **WEIGHTS,
            "descents": [{"optimizer": {"kind": "gradient_descent", "learning_rate": rate}} for rate in (0.01, 0.5, 2.5)],
        },
    },
    "scaling": {
        "summary": "With and without feature scaling",
        "value": {
            **WEIGHTS,
            "descents": [
                {"preprocessing": {"scaling": scaling}, "optimizer": {"kind": "gradient_descent", "learning_rate": 0.005}}
                for scaling in ("none", "standard")
            ],
        },
    },
    "tangents": {"summary": "The cost of w alone, with its tangents", "value": {**WEIGHTS, "hold": "b", "start": [20, 8]}},
}


@router.post("/descents", responses=answering(DESCENTS, 413))
@works_on("computations")
def compare_descents(
    store: StoreOf, caller: Reader, request: Annotated[DescentsRequest, Body(openapi_examples=EXAMPLES)]
) -> DescentsResource:
    """Descents of a linear or logistic regression of one feature over its true cost J(w, b): every step that training takes
    with these batches, rates, optimizers and scalings, and the cost around them. Nothing is stored.
    """
    return descents_of(store, caller, request)
