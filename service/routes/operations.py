"""For those who run it: is the process up, are its parts, how much does it do."""

from typing import Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from service.dependencies import StoreOf
from service.routing import Route, works_on
from service.schemas.operations import Part, ProcessSeen, Readiness, Supervision
from store import queue, supervised, workers
from store.connections import Store
from store.errors import says_damaged

router = APIRouter(tags=["operations"], route_class=Route)


@router.get("/healthz")
async def healthz() -> Part:
    """The process answers. This waits for nobody: no thread, no database."""
    return Part(status="ok")


@router.get("/readyz", responses={503: {"model": Readiness, "description": "a part is failing; each is named"}})
@works_on("probes")
def readyz(store: StoreOf, response: Response) -> Readiness:
    """Database, broker and a live worker, each by name; 503 while one is failing."""
    database = _database(store)
    broker = Part(status="ok") if queue.reachable() else Part(status="failing", detail="the broker does not answer")
    worker = _worker(store) if database.status == "ok" else Part(status="failing", detail="not known without the database")
    parts = (database, broker, worker)
    status = "ok" if all(part.status == "ok" for part in parts) else "failing"
    response.status_code = 200 if status == "ok" else 503
    return Readiness(status=status, database=database, broker=broker, worker=worker, supervisor=_supervisor())


def _supervisor() -> Supervision | None:
    found = supervised.read()
    if found is None:
        return None
    status: Literal["ok", "degraded"] = "ok" if all(process.state == "up" for process in found) else "degraded"
    return Supervision(status=status, processes=[ProcessSeen.model_validate(process) for process in found])


def _database(store: Store) -> Part:
    try:
        with store.database.reading() as session:
            session.execute(text("SELECT 1 FROM jobs LIMIT 1"))
    except SQLAlchemyError as error:
        if says_damaged(error):
            return Part(status="failing", detail="the database is damaged; restore a backup")
        return Part(status="failing", detail="the database does not answer, or `vidro migrate` has not been run")
    return Part(status="ok")


def _worker(store: Store) -> Part:
    within = store.settings.presence_seconds
    with store.database.reading() as session:
        names = workers.live(session, within)
    if not names:
        return Part(status="failing", detail=f"no worker was heard of in the last {within:g} s; start `vidro worker`")
    return Part(status="ok", detail=f"{len(names)} alive")


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"description": "in Prometheus' text format", "content": {"text/plain": {"schema": {"type": "string"}}}}},
)
@works_on("probes")
def metrics() -> Response:
    """Counts and times for Prometheus."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
