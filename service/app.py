"""The FastAPI application, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import APIRouter, Depends, FastAPI

from service import openapi, problems
from service.caching import Caching
from service.capacity import Capacity
from service.compression import Compression
from service.dependencies import ResourceResponse
from service.hub import Hub
from service.language import Languages
from service.methods import Methods
from service.middleware import BodyLimit, Failures, RequestContext
from service.origins import Cors, ForeignPages
from service.parameters import refuse_unknown, refuse_unknown_of_all
from service.routes import (
    boundaries,
    clusters,
    comparison,
    corrections,
    curves,
    datasets,
    descents,
    diagnosis,
    documentation,
    evaluation,
    events,
    explanations,
    feature_maps,
    glass,
    groups,
    history,
    images,
    initializations,
    job_control,
    job_events,
    job_landscapes,
    jobs,
    layers,
    models,
    operations,
    pages,
    predictions,
    replays,
    results,
    samples,
    session,
    statistics,
    tables,
    traces,
    updates,
    uploads,
    weights,
)
from service.wrong_keys import WrongKey, WrongKeys
from store.connections import Store
from store.database import Database
from store.files import Files
from store.key_uses import KeyUses
from store.logs import configure_logs
from store.settings import Settings, settings

SUMMARY = "Model training in the open, over HTTP"
DESCRIPTION = """Upload a table, start a job, watch every number of its training, predict.

Every error is an `application/problem+json` that names the place and the remedy. Lists are paged with `page_token`.
Titles, summaries, explanations of fields and warnings are in Brazilian Portuguese or English, by `Accept-Language`.
Ids sort by time. Times are RFC 3339 in UTC. Numbers that are not finite are the strings "NaN", "Infinity", "-Infinity".
"""

ROUTES = APIRouter(default_response_class=ResourceResponse, generate_unique_id_function=lambda route: route.name)
"""All routes. FastAPI builds them when they are first asked for, which several applications in a process then share."""
MODULES = (
    datasets, samples, corrections, tables, statistics, images, uploads, jobs, job_control, job_events, events, curves,
    history, weights, evaluation, comparison, boundaries, clusters, feature_maps, models, glass, initializations,
    traces, predictions, explanations, layers, diagnosis, descents, updates, job_landscapes, replays, results,
    groups,
)  # fmt: skip
for module in MODULES:
    ROUTES.include_router(module.router, dependencies=[Depends(refuse_unknown)])
ROUTES.include_router(session.router, dependencies=[Depends(refuse_unknown_of_all)])
ROUTES.include_router(operations.router)
ROUTES.include_router(documentation.router)
ROUTES.include_router(pages.router)


def create_app(setting: Settings | None = None) -> FastAPI:
    """The application; connections are opened when it starts and closed when it ends."""
    setting = setting or settings()
    configure_logs(setting.log_level)
    capacity = Capacity(setting)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = Database(setting.database, setting.wait_seconds)
        app.state.store = Store(setting, database, Files(setting.files, setting.inline_bytes))
        capacity.provide_threads()
        app.state.hub = Hub(setting, database)
        with KeyUses(database) as app.state.key_uses:
            yield
        await app.state.hub.close()
        database.close()

    app = FastAPI(
        title="Vidro",
        version=version("vidro"),
        summary=SUMMARY,
        description=DESCRIPTION,
        lifespan=lifespan,
        default_response_class=ResourceResponse,
        redirect_slashes=False,
        docs_url=None,  # as in routes/documentation.py
        redoc_url=None,
    )
    app.state.capacity = capacity
    app.add_exception_handler(WrongKey, WrongKeys(setting).answer)  # type: ignore[arg-type]
    app.router.routes += ROUTES.routes
    problems.install(app)
    app.openapi = lambda: openapi.document(app)  # type: ignore[method-assign]
    app.add_middleware(BodyLimit, settings=setting)  # the innermost, and so on outwards
    app.add_middleware(Languages)
    app.add_middleware(Caching)
    app.add_middleware(Compression)
    app.add_middleware(Methods)
    app.add_middleware(ForeignPages, settings=setting)
    app.add_middleware(Failures)
    app.add_middleware(Cors, settings=setting)
    app.add_middleware(RequestContext)
    return app
