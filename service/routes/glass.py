"""The glass box: what there is, with its formulas, the curves of functions, and landscapes to watch optimizers on."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Body, Query, Request

from engine.catalog import catalog
from engine.errors import within
from engine.glass.function_values import ActivationAt, LossAt, NeuronAt
from engine.glass.functions import FUNCTIONS, Function, curve, given
from engine.glass.landscapes import LANDSCAPES, Landscape, grid, path
from engine.glass.trace import Quantity
from engine.spec import heading
from service.dependencies import Reader, StoreOf
from service.language import language, translation
from service.parameters import takes_any
from service.responses import problems
from service.routing import Route, works_on
from service.schemas.glass import (
    CatalogEntry,
    Descent,
    DescentPath,
    FunctionCurve,
    FunctionQuantity,
    FunctionValues,
    LandscapeGrid,
    LandscapeResource,
    Minimum,
)
from service.schemas.landscapes import DescendRequest
from service.schemas.parts import Listing
from service.work import refuse_too_much
from store.connections import Store
from store.errors import NotFound

router = APIRouter(prefix="/v1", tags=["glass box"], route_class=Route)


@router.get("/catalog", responses=problems())
def get_catalog(caller: Reader) -> dict[str, list[CatalogEntry]]:
    """Every model, loss, optimizer, schedule, initializer, activation, scaler and metric, by family. Titles, summaries and
    the descriptions of fields are in Portuguese or English, by Accept-Language.
    """
    return _catalog(language())


@lru_cache
def _catalog(language: str) -> dict[str, list[CatalogEntry]]:
    entries = catalog(translation(language))
    return {family: [CatalogEntry(**entry) for entry in of_family] for family, of_family in entries.items()}


@router.get("/functions/{family}/{name}", responses=problems(404))
@takes_any
@works_on("computations")
def get_function(
    store: StoreOf,
    caller: Reader,
    request: Request,
    family: Literal["activation", "loss"],
    name: str,
    from_: Annotated[float, Query(alias="from", ge=-1e6, le=1e6)] = -5.0,
    to: Annotated[float, Query(ge=-1e6, le=1e6)] = 5.0,
    points: Annotated[int, Query(ge=2, le=10_000)] = 201,
    target: Annotated[float | None, Query(ge=-1e6, le=1e6, description="of a loss: 0 by default, 1 for classes")] = None,
) -> FunctionCurve:
    """An activation or a loss, and its derivative, between two points. Its own numbers go beside, as in `?delta=2`.

    What is of several outputs at once is shown for the first of two, z and 0: softmax, and the losses of classes, whose
    target is that output's share.
    """
    if name not in FUNCTIONS[family]:
        raise NotFound(f"no {family} '{name}'; there are {', '.join(FUNCTIONS[family])}")
    fields = {key: value for key, value in request.query_params.items() if key not in ("from", "to", "points", "target")}
    with within("query"):
        function = given(family, name, fields)
    refuse_too_much(store.settings.max_work, "/query/points", "ask for fewer points", {"numbers": 3 * points})
    z = np.linspace(from_, to, points)
    with within("query"):
        target, value, slope = curve(function, z, target)
    return FunctionCurve(
        family=family,
        kind=name,
        summary=translation(language())(function.summary()),
        formula=function.formula,
        derivative=function.derivative,
        parameters={name: value for name, value in vars(function).items() if name != "kind"},
        target=target,
        z=z.tolist(),
        value=value.tolist(),
        slope=slope.tolist(),
    )


LOSS_EXAMPLES: Any = {
    "scores": {
        "summary": "The hinge of three rows of scores",
        "value": {
            "loss": {"kind": "hinge", "margin": 1},
            "z": [[-0.39, 1.49, 4.21], [-4.61, 3.28, 1.46], [1.03, -2.37, -2.27]],
            "targets": [0, 1, 2],
        },
    },
    "probabilities": {
        "summary": "The cross-entropy of probabilities",
        "value": {"loss": {"kind": "cross_entropy"}, "probabilities": [[0.7, 0.2, 0.1]], "targets": [0]},
    },
}
ACTIVATION_EXAMPLES: Any = {
    "softmax": {"summary": "Softmax and its Jacobian", "value": {"activation": "softmax", "z": [[1.0, 2.0, 3.0]]}},
    "relu": {"summary": "Number by number", "value": {"activation": "relu", "z": [[-1.0, 2.0]]}},
}
NEURON_EXAMPLES: Any = {
    "sigmoid": {"summary": "σ(wᵀx + b)", "value": {"weights": [2.0, -3.0], "inputs": [-1.0, -2.0], "bias": -3.0}},
}


@router.post("/functions/loss", responses=problems(413))
@works_on("computations")
def evaluate_loss(
    store: StoreOf, caller: Reader, request: Annotated[LossAt, Body(openapi_examples=LOSS_EXAMPLES)]
) -> FunctionValues:
    """A loss of given raw outputs, or of probabilities, held against targets: what each row costs, their mean J, and each
    row's gradient, with formulas.
    """
    _refuse_too_many(store, 4 * _size(request.z or request.probabilities))
    return _values(request.loss, request.quantities())


@router.post("/functions/activation", responses=problems(413))
@works_on("computations")
def evaluate_activation(
    store: StoreOf, caller: Reader, request: Annotated[ActivationAt, Body(openapi_examples=ACTIVATION_EXAMPLES)]
) -> FunctionValues:
    """An activation of given numbers, with the slope at each; of softmax, which is of a whole row, the Jacobian."""
    units = 1 if request.activation.is_elementwise else len(request.z[0])
    _refuse_too_many(store, (2 + units) * _size(request.z))
    return _values(request.activation, request.quantities())


@router.post("/functions/neuron", responses=problems(413))
@works_on("computations")
def evaluate_neuron(
    store: StoreOf, caller: Reader, request: Annotated[NeuronAt, Body(openapi_examples=NEURON_EXAMPLES)]
) -> FunctionValues:
    """One neuron f(wᵀx + b), σ by default: every product, their sum, z, a, and how a moves with each w, x and b."""
    _refuse_too_many(store, 5 * len(request.inputs))
    return _values(request.activation, request.quantities())


def _size(matrix: Sequence[Sequence[float]] | None) -> int:
    return sum(map(len, matrix or ()))


def _refuse_too_many(store: Store, numbers: int) -> None:
    refuse_too_much(store.settings.max_work, "", "give fewer numbers", {"numbers": numbers})


def _values(function: Function, quantities: Sequence[Quantity]) -> FunctionValues:
    return FunctionValues(
        function=asdict(function),  # type: ignore[call-overload]
        formula=function.formula,
        derivative=function.derivative,
        quantities=[FunctionQuantity.of(each) for each in quantities],
    )


@router.get("/landscapes", responses=problems())
def list_landscapes(caller: Reader) -> Listing[LandscapeResource]:
    """Cost landscapes of two parameters, each with its formula, its minima and a range to draw."""
    return Listing(items=[_resource(landscape) for landscape in LANDSCAPES.values()], next_page_token=None)


def _resource(landscape: type[Landscape]) -> LandscapeResource:
    translated = translation(language())
    return LandscapeResource(
        kind=landscape.name,
        title=translated(heading(landscape.name)),
        summary=translated(landscape.summary()),
        formula=landscape.formula,
        derivative=landscape.derivative,
        source=landscape.source,
        minima=[Minimum(point=list(point), cost=float(landscape.cost(*point))) for point in landscape.minima],  # type: ignore[arg-type]
        range=[list(span) for span in landscape.span],
        start=list(landscape.start),
    )


def _landscape(name: str) -> type[Landscape]:
    if name not in LANDSCAPES:
        raise NotFound(f"no landscape '{name}'; there are {', '.join(LANDSCAPES)}")
    return LANDSCAPES[name]


@router.get("/landscapes/{name}", responses=problems(404))
@works_on("computations")
def get_landscape(
    store: StoreOf,
    caller: Reader,
    name: str,
    resolution: Annotated[int, Query(ge=2, le=500, description="points a side")] = 50,
) -> LandscapeGrid:
    """The cost on a grid over the landscape's range."""
    landscape = _landscape(name)
    numbers = {"numbers": resolution**2}
    refuse_too_much(store.settings.max_work, "/query/resolution", "ask for fewer points a side", numbers)
    w1, w2, cost = grid(landscape, resolution)
    return LandscapeGrid(
        **_resource(landscape).model_dump(exclude={"name"}), w1=w1.tolist(), w2=w2.tolist(), costs=cost.tolist()
    )


@router.post("/landscapes/{name}/descend", responses=problems(404, 413))
@works_on("computations")
def descend(store: StoreOf, caller: Reader, name: str, request: Annotated[DescendRequest, Body()]) -> Descent:
    """Each optimizer's path: point, cost, gradient and the optimizer's vectors at every step. A path that diverges ends early
    and says so.
    """
    landscape = _landscape(name)
    steps_in_all = {"steps": len(request.optimizers) * request.steps}
    refuse_too_much(store.settings.max_work, "/steps", "ask for fewer steps or optimizers", steps_in_all)
    w1, w2 = request.start or landscape.start
    paths = []
    for optimizer in request.optimizers:
        steps = list(path(landscape, optimizer, (w1, w2), request.steps, request.schedule))
        paths.append(
            DescentPath(
                optimizer=optimizer,
                points=[list(step.point) for step in steps],
                costs=[step.cost for step in steps],
                gradients=[list(step.gradient) for step in steps],
                states={name: [list(step.state[slot]) for step in steps] for slot, name in enumerate(optimizer.slots)},
                learning_rates=[step.rate for step in steps if step.rate is not None],
                diverged=len(steps) <= request.steps,
            )
        )
    return Descent(kind=name, schedule=request.schedule, paths=paths)
