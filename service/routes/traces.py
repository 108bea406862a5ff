"""Training looked into: traces of steps, and gradient checks, of given numbers or of a job's checkpoint."""

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Body, Response

from engine.glass.gradient_check import check_gradient, count_products
from engine.glass.trace import count_numbers, trace
from engine.glass.trace_input import Moment
from engine.network.backpropagation import Backpropagation
from service.alternatives import ByFields
from service.dependencies import Reader, ResourceResponse, StoreOf
from service.responses import problems
from service.routing import Route, works_on
from service.schemas.glass import GradientCheck, SlopeResource, Trace, TraceQuantity, TraceStep
from service.schemas.traces import GivenCheck, GivenTrace, JobCheck, JobMoment, JobTrace
from service.work import most, refuse_too_much
from store import checkpoints, datasets, jobs
from store.connections import Store
from store.job_request import training_of
from store.keys import Caller

router = APIRouter(prefix="/v1", tags=["glass box"], route_class=Route)
WORKED = {
    "layers": [{"weights": [[0.11, 0.12], [0.21, 0.08]]}, {"weights": [[0.14], [0.15]]}],
    "loss": {"kind": "half_mse"},
    "inputs": [[2, 3]],
    "targets": [[1]],
}
OF_JOB = {"job_id": "job_01937b2e", "epoch": "last", "rows": [0, 1]}
BY_RATE = {"optimizer": {"kind": "gradient_descent", "learning_rate": 0.05}, "steps": 2}
TRACES: Any = {
    "given": {"summary": "A worked example of backpropagation", "value": {**WORKED, **BY_RATE}},
    "job": {"summary": "A job's next step", "value": OF_JOB},
}
CHECKS: Any = {"given": {"summary": "Given numbers", "value": WORKED}, "job": {"summary": "A job", "value": OF_JOB}}


@router.post("/traces", response_model=Trace, responses=problems(404, 410, 413, 429))
@works_on("tables")
def trace_steps(
    store: StoreOf,
    caller: Reader,
    request: Annotated[
        JobTrace | GivenTrace,
        ByFields(),
        Body(openapi_examples=TRACES),
    ],
) -> Response:
    """Every number of some steps of gradient descent, in the order in which they are worked out: Z, A, the loss, dA, dZ, dW,
    db, the optimizer's vectors, the change and the new weights, each with its shape and formula. Nothing is stored.
    """
    if isinstance(request, JobTrace):
        moment, looked_at = _moment(store, caller, request)
        descent, update = moment.descent(looked_at["rows"]), moment.update()
    else:
        descent, update, looked_at = request.descent(), request.update(), {}
    numbers = {"traced numbers": count_numbers(descent, update) * request.steps}
    refuse_too_much(store.settings.max_work, "/steps", "ask for fewer steps or rows, or a smaller network", numbers)
    steps: list[TraceStep] = []
    diverged = False
    while len(steps) < request.steps and not diverged:
        found = trace(descent, update, request.bias_form)
        steps.append(TraceStep(step=update.step, quantities=[TraceQuantity.of(each) for each in found]))
        diverged = not all(np.isfinite(each.values).all() for each in found)
    parameters = descent.network.parameters.size
    answer = Trace(**looked_at, parameters=parameters, bias_form=request.bias_form, steps=steps, diverged=diverged)
    return ResourceResponse(answer.document())


@router.post("/gradient_checks", response_model=GradientCheck, responses=problems(404, 410, 413, 429))
@works_on("tables")
def check_gradients(
    store: StoreOf,
    caller: Reader,
    request: Annotated[
        JobCheck | GivenCheck,
        ByFields(),
        Body(openapi_examples=CHECKS),
    ],
) -> Response:
    """The gradient that backpropagation finds beside finite differences of the cost, parameter by parameter, in float64."""
    looked_at: dict[str, Any] = {}
    if isinstance(request, JobCheck):
        moment, looked_at = _moment(store, caller, request)
        descent = moment.descent(looked_at["rows"], np.float64)
    else:
        descent = request.descent()
    slopes = check_gradient(descent, _affordable(store, descent, request.parameters))
    answer = GradientCheck(
        **looked_at,
        parameters=descent.network.parameters.size,
        cost=descent.forward(),
        agrees=all(slope.agrees for slope in slopes),
        slopes=[SlopeResource.model_validate(slope) for slope in slopes],
    )
    return ResourceResponse(answer.document())


def _affordable(store: Store, descent: Backpropagation, wanted: int) -> int:
    each, checked = count_products(descent), min(wanted, descent.network.parameters.size)
    affordable = most(store.settings.max_work, "slopes' products") // each
    remedy = f"check {affordable} parameters or fewer" if affordable else "take fewer rows, or a smaller network"
    refuse_too_much(store.settings.max_work, "/parameters", remedy, {"slopes' products": each * checked})
    return wanted


def _moment(store: Store, caller: Caller, request: JobMoment) -> tuple[Moment, dict[str, Any]]:
    """The job as it stood, and what of it is looked at."""
    with store.database.reading() as session:
        job = jobs.get(session, request.job_id, caller.sees)
        epoch, arrays = 0, None
        checkpoint = checkpoints.find(session, job, str(request.epoch)) if request.epoch or job.forked_from else None
        if checkpoint is not None:
            epoch, arrays = checkpoint.epoch, checkpoints.load(session, store.files, job, checkpoint)
        dataset = datasets.of_job(session, job)
        table = datasets.table_of(session, store.files, job, dataset)
    training = training_of(job.request)
    moment = Moment.of(training, table.columns(training.columns), arrays)
    rows = moment.batch() if request.rows is None else list(request.rows)
    return moment, {"job_id": job.id, "epoch": epoch, "rows": rows}
