"""Groups: jobs started together that repeat one, and what they come to."""

from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from engine.errors import InvalidSpec
from service.dependencies import IdempotencyKey, Reader, StoreOf, Writer, once
from service.examples import BANDS, GROUP_BEGUN, GROUP_CANCELLED, GROUP_ENDED
from service.resources import job_summaries
from service.responses import answering
from service.routing import Route
from service.schemas.groups import Band, GroupCurves, GroupResource, RepeatRequest
from service.work import refuse_too_much
from store import curves, groups
from store.errors import NotFound
from store.groups import Plan
from store.states import DONE
from store.tables import Group

router = APIRouter(prefix="/v1", tags=["glass box"], route_class=Route)
EXAMPLES: dict[str, Any] = {
    "seeds": {"summary": "How much of the result is luck?", "value": {"seeds": 10, "vary": "all"}},
    "weights": {"summary": "How much of it is luck with the first weights?", "value": {"seeds": 10, "vary": "weights"}},
    "shares": {"summary": "A curve of learning", "value": {"shares": [0.1, 0.3, 1.0], "seeds": 3}},
    "setting": {
        "summary": "A curve of validation over one setting",
        "value": {"setting": "/optimizer/learning_rate", "values": [0.001, 0.01, 0.1], "seeds": 1},
    },
}
SHARE = "/split/train_share"


@router.post(
    "/jobs/{job_id}/repeat",
    status_code=202,
    response_model=GroupResource,
    responses=answering(GROUP_BEGUN, 409, 413, 429, status=202),
)
def repeat_job(
    store: StoreOf,
    caller: Writer,
    job_id: str,
    repeat: Annotated[RepeatRequest, Body(openapi_examples=EXAMPLES)],
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Run a job again with other seeds, on shares of its training rows, or with other values of one setting: ordinary jobs, of
    the kind `repeat`, in a group that tells mean, deviation and interval of every metric, and bands for the curves.
    """
    setting, values = (SHARE, repeat.shares) if repeat.shares is not None else (repeat.setting, repeat.values)
    with once(store, caller, idempotency_key, f"/v1/jobs/{job_id}/repeat", repeat.document()) as answer:
        if answer.answer is not None:
            return answer.response

        def settle(session: Session, group: Group) -> None:
            answer.give(session, 202, f"/v1/groups/{group.id}", _resource(session, group).document())

        groups.start(store, caller, job_id, Plan(repeat.seeds, repeat.vary, setting, values or ()), settle)
    return answer.response


def _resource(session: Session, group: Group) -> GroupResource:
    made = groups.jobs_of(session, group)
    return GroupResource(
        id=group.id,
        kind=group.kind,
        parent=group.parent,
        asked=group.asked,
        done=all(job.state in DONE for job in made),
        result=groups.spreads(made),
        jobs=job_summaries(session, made),
        created_at=group.created_at,
    )


@router.get("/groups/{group_id}", responses=answering(GROUP_ENDED))
def get_group(store: StoreOf, caller: Reader, group_id: str) -> GroupResource:
    """A group, its jobs, and what those that have succeeded came to."""
    with store.database.reading() as session:
        return _resource(session, groups.get(session, group_id, caller.sees))


@router.get("/groups/{group_id}/curves", responses=answering(BANDS))
def get_group_curves(
    store: StoreOf,
    caller: Reader,
    group_id: str,
    series: Annotated[str, Query(description="a curve of epochs", examples=["validation_loss"])] = "train_loss",
    from_epoch: Annotated[int, Query(ge=1, le=2**31, description="the first epoch to tell of")] = 1,
    to_epoch: Annotated[int | None, Query(ge=1, le=2**31, description="the last epoch of any by default")] = None,
) -> GroupCurves:
    """One curve of all jobs of a group, as a band by epoch for each value that was tried. A job that ended earlier is missing
    from later epochs, as `count` says.
    """
    with store.database.reading() as session:
        made = groups.jobs_of(session, groups.get(session, group_id, caller.sees))
        known = curves.names(session, *(job.number for job in made))
        if known and series not in known:
            raise NotFound(f"no series '{series}'; these jobs have {', '.join(known)}", "/query/series")
        if to_epoch is not None and to_epoch < from_epoch:
            raise InvalidSpec([("/query/to_epoch", f"epoch {to_epoch} comes before from_epoch, {from_epoch}")])
        last = max((job.epoch for job in made), default=0) if to_epoch is None else to_epoch
        numbers = max(0, last - from_epoch + 1) * (len(made) + 6)
        refuse_too_much(store.settings.max_work, "/query/to_epoch", "ask for fewer epochs", {"numbers": numbers})
        found = []
        for value, tried in groupby(made, key=lambda job: (job.asked or {}).get("value")):
            spreads = groups.bands(session, list(tried), series, from_epoch, last)
            columns = {
                name: [getattr(each, name) for _, each in spreads] for name in ("count", "mean", "deviation", "low", "high")
            }
            found.append(Band(value=value, epoch=[epoch for epoch, _ in spreads], **columns))
    return GroupCurves(series=series, bands=found)


@router.post("/groups/{group_id}/cancel", status_code=202, responses=answering(GROUP_CANCELLED, 409, status=202))
def cancel_group(store: StoreOf, caller: Writer, group_id: str) -> GroupResource:
    """Cancel the jobs of a group that are not done."""
    with store.database.transaction() as session:
        groups.cancel(session, groups.get(session, group_id, caller.sees))
    with store.database.reading() as session:
        return _resource(session, groups.get(session, group_id, caller.sees))
