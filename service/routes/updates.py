"""The updates of a perceptron, one by one."""

from typing import Annotated

from fastapi import APIRouter, Query

from engine.errors import within
from service.dependencies import Reader, StoreOf
from service.epochs import AtEpoch
from service.examples import UPDATES
from service.responses import answering
from service.routing import Route, works_on
from service.schemas.updates import PerceptronUpdates
from service.updates import updates_of

router = APIRouter(prefix="/v1/jobs", tags=["glass box"], route_class=Route)


@router.get("/{job_id}/updates", responses=answering(UPDATES, 410))
@works_on("computations")
def get_updates(
    store: StoreOf,
    caller: Reader,
    job_id: str,
    epoch: AtEpoch = "0",
    offset: Annotated[int, Query(ge=0, le=2**53, description="updates after that epoch that are passed over")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000, description="updates of the answer at most")] = 50,
) -> PerceptronUpdates:
    """Each update of a perceptron after an epoch, by default from the beginning: the row that was wrong, wᵀx, the weights
    before and after, how many rows the new line gets wrong, and where it runs. They are the steps that training took.
    """
    with within("query", but="job_id"):
        return updates_of(store, caller, job_id, epoch, offset, limit)
