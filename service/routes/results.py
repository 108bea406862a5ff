"""What jobs about other jobs came to."""

from fastapi import APIRouter

from service.dependencies import Reader, StoreOf
from service.examples import REPLAY_RESULT
from service.responses import answering
from service.routing import Route
from service.schemas.job_landscapes import JobLandscape
from service.schemas.replays import ReplayResult
from store import jobs, replays
from store.results import result_of

router = APIRouter(prefix="/v1/jobs", tags=["glass box"], route_class=Route)


@router.get("/{job_id}/result", responses=answering(REPLAY_RESULT))
def get_result(store: StoreOf, caller: Reader, job_id: str) -> ReplayResult | JobLandscape:
    """What a job about another job came to: of a replay, whether it agrees with its parent; of a slice, its costs."""
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        found = result_of(session, store.files, job)
    return ReplayResult(**found) if job.kind == replays.KIND else JobLandscape(**found)
