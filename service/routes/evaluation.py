"""Histograms of a job while it trained, and the evaluation of what it has learned."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from sqlalchemy import select

from engine.errors import within
from engine.parts.metrics import metric_units
from engine.training.evaluation import LARGEST, evaluate, products_of_silhouettes
from service.asked_rows import Split, without_rows
from service.caching import identify
from service.dependencies import Reader, StoreOf
from service.epochs import AtEpoch
from service.layers import entry_of, refuse_unknown_layer, refuse_without_layers
from service.resources import listing
from service.responses import problems
from service.routing import Route, works_on
from service.schemas.parts import Listing
from service.schemas.results import EpochHistograms, EvaluationResource, LayerHistogramResource
from service.work import refuse_too_much
from store import checkpoints, datasets, jobs
from store.errors import NotFound
from store.predictors import open_predictor
from store.tables import Histograms

router = APIRouter(prefix="/v1/jobs", tags=["results"], route_class=Route)


@router.get("/{job_id}/histograms", responses=problems(404, 410))
def get_histograms(
    store: StoreOf,
    caller: Reader,
    job_id: str,
    epoch: Annotated[int | None, Query(ge=0, le=2**31 - 1, description="one epoch, 0 before training; by default all")] = None,
    layer: Annotated[str | None, Query(description="one layer by its name")] = None,
    of: Literal["weights", "gradients", "activations"] | None = None,
) -> Listing[EpochHistograms]:
    """How every layer's weights, gradients and activations were spread, through the epochs, oldest first: before training,
    every `record.histograms_every`, and at the end. Each in bins of its own; …/layers gives all epochs in common ones.
    """
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        refuse_without_layers(job)
        query = select(Histograms).where(Histograms.job_number == job.number).order_by(Histograms.epoch)
        kept = session.scalars(query if epoch is None else query.where(Histograms.epoch == epoch)).all()
    refuse_unknown_layer(layer, kept)
    if epoch is not None and not kept:
        raise NotFound(f"no histograms of epoch {epoch} are kept; record.histograms_every says which are", "/query/epoch")
    items = []
    for row in kept:
        layers = [entry for entry in row.layers if layer in (None, entry["layer"]) and of in (None, entry["of"])]
        items.append(EpochHistograms(epoch=row.epoch, layers=[LayerHistogramResource(**entry_of(entry)) for entry in layers]))
    return Listing(**listing(items, None))


@router.get("/{job_id}/evaluation", responses=problems(404, 410, 429))
@works_on("tables")
def get_evaluation(
    request: Request,
    store: StoreOf,
    caller: Reader,
    job_id: str,
    split: Annotated[Split | None, Query(description="test, else validation, else train")] = None,
    epoch: AtEpoch = "model",
    largest: Annotated[
        int, Query(ge=0, le=1000, description="rows to name whose residuals are the largest, of a regression")
    ] = LARGEST,
    top_k: Annotated[
        int | None,
        Query(ge=1, le=10_000, description="the k of top_k_accuracy, of a classification; 5 where there are more classes"),
    ] = None,
) -> EvaluationResource:
    """Every metric of the task on one split's rows; confusion matrix, ROC and precision-recall points, or residuals and
    the rows where they are largest, or the clusters and what is in them.
    """
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        checkpoint = checkpoints.find(session, job, epoch)
        dataset = datasets.of_job(session, job)
        if checkpoint is not None:
            digests = (checkpoint.digest, job.table_digest or dataset.table_digest)
            identify(request, "evaluation", job.id, checkpoint.epoch, *digests, split, largest, top_k)
        moment = open_predictor(session, store.files, job, checkpoint)
        table = datasets.table_of(session, store.files, job, dataset)
    predictor = moment.predictor
    work = {"products": dataset.rows * predictor.learner.parameters.size + products_of_silhouettes(predictor, dataset.rows)}
    refuse_too_much(store.settings.max_work, "/query/split", "whoever runs the server can raise the limit", work)
    with within("query"):
        found = evaluate(predictor, table.columns(predictor.training.columns), split, largest, top_k)
    if found is None:
        raise NotFound(without_rows(predictor.training, split or "train"), "/query/split")
    return EvaluationResource(job_id=job.id, epoch=moment.epoch, units=metric_units(found.metrics), **vars(found))
