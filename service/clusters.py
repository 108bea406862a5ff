"""The clusters of a job on the plane of two features: its rows and its centroids. Knows no HTTP."""

from engine.errors import InvalidSpec
from engine.glass.clusters import Along, clusters
from engine.training.evaluation import thinned
from engine.training.prepare import usable_rows
from service.schemas.results import AlongResource, ClustersResource
from service.work import refuse_too_much
from store import datasets, jobs
from store.connections import Store
from store.keys import Caller
from store.predictors import predictor_at

MOST_POINTS = 20_000
USUAL_POINTS = 1000


def clusters_of(
    store: Store,
    caller: Caller,
    job_id: str,
    x: str | None = None,
    y: str | None = None,
    *,
    points: int = USUAL_POINTS,
    epoch: str = "model",
) -> ClustersResource:
    """The rows that a job can use, each with its cluster after an epoch, and the centroids, along the features that are named
    or the first two. Of more rows than `points`, so many are taken, evenly spread.

    Raises NotFound, Removed, or InputError, which names the argument: `/x`, `/y`, `/points`, `/job_id`.
    """
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        moment = predictor_at(session, store.files, job, epoch)
        dataset = datasets.of_job(session, job)
        table = datasets.table_of(session, store.files, job, dataset)
    predictor = moment.predictor
    training = predictor.training
    usable = usable_rows(training, table.table.height, table.each_column(training.trained_columns))
    rows = usable[thinned(len(usable), points)]
    counts = {
        "products": len(rows) * predictor.learner.products,
        "cells": 2 * len(rows) * predictor.features.width,
        "numbers": 4 * len(rows) + 2 * predictor.learner.outputs,
    }
    refuse_too_much(store.settings.max_work, "/points", "ask for fewer points", counts)
    names = [entry.name for entry in predictor.features.inputs]
    columns = {column.name: column.take(rows) for column in table.each_column(names)}
    try:
        found = clusters(predictor, columns, x, y)
    except InvalidSpec as error:
        raise InvalidSpec([(at or "/job_id", detail) for at, detail in error.errors]) from None
    return ClustersResource(
        job_id=job.id,
        epoch=moment.epoch,
        x=_along(found.x),
        y=None if found.y is None else _along(found.y),
        rows=rows.tolist(),
        clusters=found.clusters.tolist(),
        of_rows=len(usable),
    )


def _along(found: Along) -> AlongResource:
    return AlongResource(feature=found.feature, rows=found.rows.tolist(), centroids=found.centroids.tolist())
