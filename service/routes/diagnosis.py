"""A job's diagnosis."""

from typing import Any

from fastapi import APIRouter, Request, Response

from service.caching import identify
from service.dependencies import Reader, ResourceResponse, StoreOf
from service.diagnosis import diagnosis_of, looked_up, recorded
from service.epochs import AtEpoch
from service.language import language, said
from service.responses import answering
from service.routing import Route, works_on
from service.schemas.diagnosis import Diagnosis
from store import jobs
from store.states import DONE

router = APIRouter(prefix="/v1/jobs", tags=["glass box"], route_class=Route)
EXAMPLE: dict[str, Any] = {
    "job_id": "job_01937b2e",
    "state": "failed",
    "epoch": 0,
    "rows": {"train": 160, "validation": 40},
    "findings": [
        {
            "rule": "DIVERGED",
            "severity": "error",
            "epochs": [1, 9],
            "layer": None,
            "column": None,
            "evidence": {"learning_rate": 3.0, "loss": 4.1e12, "curvature": 1.2, "largest_rate": 1.67},
            "explanation": "the loss grew until it was no number of use, in epoch 9: the learning rate was 3, and the "
            "curvature of the cost, 1.2, allows 1.67",
            "suggestion": "Set optimizer.learning_rate to 0.8 or lower",
            "patch": {"by": "job", "path": "/v1/jobs", "body": {"dataset_id": "ds_01937b2e", "target": "y"}},
            "formula": r"\eta < \frac{2}{\kappa}",
            "source": "Nocedal and Wright, Numerical Optimization (2006), 3.3",
        }
    ],
    "asked": ["DIVERGED"],
    "not_asked": [{"rule": "NOT_SEPARABLE", "reason": "the model is no perceptron"}],
}


@router.get(
    "/{job_id}/diagnosis",
    response_model=Diagnosis,
    responses=answering(EXAMPLE, 410),
)
@works_on("computations")
def get_diagnosis(request: Request, store: StoreOf, caller: Reader, job_id: str, epoch: AtEpoch = "model") -> Response:
    """What is wrong with a run, and what helps: each finding with the numbers that show it, a sentence in the reader's
    language, and the request that does what it suggests, of a fork where the weights can stay. A job that still runs can be
    asked, too.
    """
    readers = language()
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        checkpoint = looked_up(session, job, epoch)
        if job.state in DONE:
            digest = None if checkpoint is None else (checkpoint.epoch, checkpoint.digest)
            identify(request, "diagnosis", job.id, digest, job.curves_removed_at, readers)
        found = recorded(session, store, job, checkpoint)
    return ResourceResponse(diagnosis_of(store.settings.max_work, found, said).document())
