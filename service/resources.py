"""From rows to the resources that go out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy.orm import Session, load_only

from engine.network.network import layer_names
from engine.parts.scaling import Scaling
from engine.spec import Described, kind_of, members
from engine.training.estimate import Estimated
from engine.training.spec import units_of
from service.language import spoken
from service.remedies import advised
from service.schemas.datasets import ColumnResource, DatasetResource, DatasetSummary
from service.schemas.jobs import Estimate, EstimatedLayer, JobResource, JobSummary, Origin, Progress, Timings, Transition
from service.schemas.models import FittedScaling, InputColumn, ModelResource, ModelSummary, ScaledColumn, TargetScaling
from service.schemas.parts import Problem
from store import best_values, jobs, journal, turns
from store.cursors import Cursor
from store.fitted import TARGET
from store.job_request import JobRequest, document_of
from store.states import DONE
from store.tables import Dataset, Entry, Job, Model

FORMULAS = {kind_of(cls): cls.formula for cls in members(Scaling) if issubclass(cls, Described)}
MOST_SCALED = 100
"""Numbers that are scaled each by itself, and still told with a job, which is listed with many others."""


def dataset_resource(dataset: Dataset) -> DatasetResource:
    return DatasetResource(
        id=dataset.id,
        name=dataset.name,
        source=dataset.source,
        sha256=dataset.digest,
        bytes=dataset.size,
        rows=dataset.rows,
        column_count=dataset.column_count,
        columns=[ColumnResource(**column) for column in dataset.columns],
        warnings=spoken(advised(dataset.warnings)),
        created_at=dataset.created_at,
    )


BRIEF_DATASET = load_only(
    Dataset.id, Dataset.name, Dataset.source, Dataset.digest, Dataset.size, Dataset.rows, Dataset.column_count,
    Dataset.warnings, Dataset.created_at, raiseload=True,
)  # fmt: skip


def dataset_summary(dataset: Dataset) -> DatasetSummary:
    return DatasetSummary(
        id=dataset.id,
        name=dataset.name,
        source={name: value for name, value in dataset.source.items() if name != "read"},
        sha256=dataset.digest,
        bytes=dataset.size,
        rows=dataset.rows,
        column_count=dataset.column_count,
        warnings=spoken(advised(dataset.warnings)),
        created_at=dataset.created_at,
    )


BRIEF_JOB = load_only(
    Job.id, Job.name, Job.tags, Job.owner, Job.queue, Job.kind, Job.parent, Job.group_id, Job.asked, Job.state,
    Job.model_kind, Job.dataset_id, Job.epoch, Job.epochs,
    Job.fraction, Job.eta_seconds, Job.latest, Job.best, Job.model_id, Job.error, Job.created_at, Job.started_at,
    Job.finished_at, raiseload=True,
)  # fmt: skip
LEARNED = ("epoch", "train_", "validation_")


def job_summaries(session: Session, rows: Sequence[Job]) -> list[JobSummary]:
    """The jobs as lines of a table, in as many queries as one job."""
    positions = turns.positions(session, rows)
    numbers = [row.number for row in rows]
    targets, best = jobs.targets(session, numbers), best_values.of_jobs(session, numbers)
    return [
        JobSummary(
            id=job.id,
            name=job.name,
            tags=job.tags,
            owner=job.owner,
            kind=job.kind,
            parent=job.parent,
            state=job.state,
            done=job.state in DONE,
            model_kind=job.model_kind,
            dataset_id=job.dataset_id,
            target=targets[job.number],
            queue_position=positions.get(job.number),
            progress=_progress(job, job.epoch, job.state, job.fraction),
            latest=learned(job.latest),
            best=None if job.best is None else learned(job.best),
            best_values=best[job.number],
            model_id=job.model_id,
            error_code=(job.error or {}).get("code"),
            created_at=job.created_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
        )
        for job in rows
    ]


def learned(values: Mapping[str, Any]) -> dict[str, Any]:
    """The losses and metrics among an epoch's values, with the epoch."""
    return {name: value for name, value in values.items() if name.startswith(LEARNED)}


def job_resources(session: Session, rows: Sequence[Job]) -> list[JobResource]:
    """The jobs as they are, in as many queries as for one."""
    entries = journal.entries_of_jobs(session, [row.number for row in rows])
    positions = turns.positions(session, rows)
    return [job_resource(session, row, entries=entries[row.number], positions=positions) for row in rows]


def job_resource(
    session: Session,
    job: Job,
    upto: Entry | None = None,
    entries: Sequence[Entry] | None = None,
    positions: Mapping[int, int] | None = None,
) -> JobResource:
    """The job as it is, or as it was when the journal's entry `upto` was written; with the `entries` of its journal, where they
    are known, and its position among the `positions` in its queue, where those are.
    """
    entries = journal.entries(session, job.number) if entries is None else entries
    entries = [entry for entry in entries if upto is None or entry.sequence <= upto.sequence]
    states = [entry for entry in entries if entry.kind == "state"]
    last = states[-1]
    is_now = upto is None or last.state == job.state
    positions = turns.positions(session, [job]) if positions is None and is_now else positions or {}
    done = last.state in DONE
    queued = None if job.started_at is None else max(0.0, job.started_at - job.created_at)
    return JobResource(
        id=job.id,
        name=job.name,
        tags=job.tags,
        dataset_id=job.dataset_id,
        owner=job.owner,
        request=job.request,
        state=last.state,
        state_reason=last.message,
        done=done,
        attempt=job.attempt,
        queue_position=positions.get(job.number) if is_now else None,
        progress=_progress(job, last.epoch, last.state or "") if upto else _progress(job, job.epoch, job.state, job.fraction),
        latest=job.latest,
        best=job.best,
        units=units_of(job.request),
        target_scaling=_target_scaling(job.fitted),
        parameters=job.parameters,
        scaling=scaling_resource(job.request, job.fitted, MOST_SCALED),
        device=job.device,
        model_id=job.model_id if done else None,
        kind=job.kind,
        parent=job.parent,
        asked=job.asked,
        group_id=job.group_id,
        forked_from=Origin(job_id=job.forked_from, epoch=job.forked_epoch) if job.forked_from else None,
        error=None if job.error is None or not done else Problem(**job.error),
        warnings=spoken(job.warnings),
        checkpoints_removed_at=job.checkpoints_removed_at,
        curves_removed_at=job.curves_removed_at,
        timings=Timings(
            queued_seconds=queued,
            load_seconds=job.load_seconds,
            compile_seconds=job.compile_seconds,
            train_seconds=job.train_seconds,
        ),
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at if done else None,
        transitions=[Transition(state=entry.state or "", at=entry.at, reason=entry.message) for entry in states],
        event_id=Cursor(entries[-1].sequence, max(job.forked_epoch, last.epoch if upto else job.epoch)).id,
    )


def _progress(job: Job, epoch: int, state: str, fraction: float = 0.0) -> Progress:
    fraction = 1.0 if state == "succeeded" else min(1.0, max(fraction, epoch / job.epochs))
    eta = {"running": job.eta_seconds}.get(state, 0.0 if state in DONE else None)
    return Progress(epoch=epoch, epochs=job.epochs, fraction=fraction, eta_seconds=eta)


def _target_scaling(fitted: dict[str, Any] | None) -> list[TargetScaling] | None:
    target = (fitted or {}).get("target", {})
    if not target.get("scale"):
        return None
    columns = zip(target["names"], target["center"], target["scale"], strict=True)
    return [TargetScaling(column=column, center=center, scale=scale) for column, center, scale in columns]


def scaling_resource(request: dict[str, Any], fitted: dict[str, Any] | None, most: int | None = None) -> FittedScaling | None:
    """The scaling as it was fitted, of what is stored of a job or a model; None before, and beyond `most` numbers."""
    inputs = [entry for entry in (fitted or {"features": {"inputs": []}})["features"]["inputs"] if not entry["categories"]]
    numbers = sum(np.size(entry["center"]) for entry in inputs)
    if fitted is None or (most is not None and numbers > most):
        return None
    scaling = request["preprocessing"]["scaling"]
    kind = scaling if isinstance(scaling, str) else scaling["kind"]
    columns = [ScaledColumn(column=entry["name"], center=entry["center"], scale=entry["scale"]) for entry in inputs]
    return FittedScaling(kind=kind, formula=FORMULAS[kind], columns=columns)


def estimate_resource(request: JobRequest, found: Estimated, warnings: Sequence[Mapping[str, Any]]) -> Estimate:
    """The job that a completed request would be."""
    names = layer_names(found.layers) if found.layers else []
    layers = [
        EstimatedLayer(
            name=name,
            kind=layer.kind,
            input_shape=list(layer.input_shape),
            output_shape=list(layer.output_shape),
            inputs=layer.inputs,
            outputs=layer.outputs,
            activation=layer.activation.kind if layer.has_activation and name != names[-1] else None,
            parameters=layer.size,
        )
        for name, layer in zip(names, found.layers, strict=True)
    ]
    told = {"request": document_of(request), "warnings": spoken(warnings), "layers": layers}
    return Estimate(**vars(found) | told)


def model_resource(model: Model) -> ModelResource:
    read = (model.fitted["read"] or {}).get("columns", {})
    inputs = [
        InputColumn(
            name=entry["name"],
            kind=entry["kind"],
            required=entry["fill"] is None,
            categories=list(entry["categories"]) or None,
            other=entry["other"],
            shape=list(entry["shape"]) or None,
            words=entry["words"],
            read=read.get(entry["name"]),
        )
        for entry in model.fitted["features"]["inputs"]
    ]
    return ModelResource(
        id=model.id,
        name=model.name,
        kind=model.kind,
        job_id=model.job_id,
        dataset_id=model.dataset_id,
        dataset_sha256=model.dataset_sha256,
        request=model.request,
        task=model.request["task"],
        inputs=inputs,
        target=model.request["target"],
        scaling=scaling_resource(model.request, model.fitted),
        classes=TARGET.validate_python(model.fitted["target"]).labels,
        epoch=model.epoch,
        target_scaling=_target_scaling(model.fitted),
        metrics=model.metrics,
        units={name: unit for name, unit in units_of(model.request).items() if name in model.metrics},
        parameters=model.parameters,
        versions=model.versions,
        created_at=model.created_at,
    )


BRIEF_MODEL = load_only(
    Model.id, Model.name, Model.kind, Model.job_id, Model.dataset_id, Model.dataset_sha256, Model.epoch, Model.metrics,
    Model.parameters, Model.created_at, raiseload=True,
)  # fmt: skip


def model_summary(model: Model) -> ModelSummary:
    return ModelSummary.model_validate(model)


def listing(items: Sequence[Any], next_page_token: str | None) -> dict[str, Any]:
    return {"items": list(items), "next_page_token": next_page_token}
