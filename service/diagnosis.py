"""A job's diagnosis: what is wrong with its run, and the request that mends it. Knows no HTTP."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from engine.glass.diagnosis.case import Case, Course, most_rows
from engine.glass.diagnosis.curvature import PASSES, PRODUCTS, ROWS
from engine.glass.diagnosis.finding import Finding, Rule
from engine.glass.diagnosis.rules import RULES, diagnose
from engine.training.fork import FIXED
from engine.wording import Sentence
from service.schemas.diagnosis import Diagnosis, FindingResource, NotAskedResource, PatchResource
from service.work import refuse_too_much
from store import checkpoints, curves, datasets, jobs
from store.connections import Store
from store.datasets import JobTable
from store.errors import NotFound
from store.forks import overridden
from store.job_request import JobRequest, document_of, training_of
from store.predictors import predictor_of
from store.states import DONE
from store.tables import Checkpoint, Job

Spoken = Callable[[Sentence], str]
"""How a sentence is put into the reader's language."""
MOST_EPOCHS = 2000
"""Epochs, the last ones, whose curves are looked at."""
LEFT_TO_DEFAULTS = (
    "loss", "optimizer", "schedule", "regularization", "epochs", "batch_size", "shuffle", "class_weight", "early_stopping",
    "seed", "precision", "record",
)  # fmt: skip
"""Fields of a request that mean something else for a model of another kind."""


@dataclass(frozen=True)
class Recorded:
    """What is stored of a run that is to be diagnosed."""

    job: Job
    table: JobTable
    dataset_rows: int
    checkpoint: Checkpoint | None
    arrays: Mapping[str, np.ndarray] | None
    course: Course
    start: np.ndarray | None
    started_at: float | None


def looked_up(session: Session, job: Job, epoch: str) -> Checkpoint | None:
    """The checkpoint of the epoch; None for the weights before training, which are looked at, too, while no others are kept.

    Raises NotFound, also of a job that has not begun, Removed, or InvalidSpec for a job that trains nothing.
    """
    jobs.refuse_slice(job)
    if job.fitted is None:
        raise NotFound(f"job '{job.id}' has not begun, and there is nothing to diagnose; ask once it runs")
    has_none = not checkpoints.of_job(session, job.number) and job.checkpoints_removed_at is None
    if epoch == "model" and has_none and checkpoints.has_start(job):
        return None
    return checkpoints.find(session, job, epoch)


def recorded(session: Session, store: Store, job: Job, checkpoint: Checkpoint | None) -> Recorded:
    """All that is read of the job. Raises NotFound where its dataset is gone."""
    dataset = datasets.of_job(session, job)
    table = datasets.table_of(session, store.files, job, dataset)
    arrays = None if checkpoint is None else checkpoints.load(session, store.files, job, checkpoint)
    origin = None if job.forked_from is None else checkpoints.get(session, job.number, job.forked_epoch)
    start, started_at = None, None
    if origin is not None:
        start, started_at = checkpoints.load(session, store.files, job, origin)["theta"], origin.values.get("train_loss")
    return Recorded(job, table, dataset.rows, checkpoint, arrays, _course(session, job), start, started_at)


def _course(session: Session, job: Job) -> Course:
    if job.curves_removed_at is not None:
        return {}
    last = curves.last_step(session, job.number, "train_loss") or curves.last_step(session, job.number, "pocket_mistakes")
    by_epoch = curves.values(session, job.number, max(1, last - MOST_EPOCHS + 1), last)
    names = {name for values in by_epoch.values() for name in values}
    steps = np.array(list(by_epoch), np.int64)
    return {
        name: (steps, np.array([values.get(name) for values in by_epoch.values()], np.float64)) for name in sorted(names)
    }  # a gap becomes NaN


def diagnosis_of(limit: int, found: Recorded, said: Spoken) -> Diagnosis:
    """Ask every rule, and tell what it found as `said` puts sentences. Raises TooMuchWork, at no place, before anything is
    looked at.
    """
    job, training = found.job, training_of(found.job.request)
    _refuse_too_much(limit, found, training)
    case = Case.of(
        training,
        found.table.columns(training.columns),
        found.arrays,
        0 if found.checkpoint is None else found.checkpoint.epoch,
        found.start,
        course=found.course,
        values=None if found.checkpoint is None else found.checkpoint.values,
        error=(job.error or {}).get("code"),
        started_at=found.started_at,
    )
    findings, skipped = diagnose(case)
    left_out = {each.code for each in skipped}
    return Diagnosis(
        job_id=job.id,
        state=job.state,
        epoch=case.epoch,
        rows=case.rows,
        findings=[_told(job, training, rule, finding, said) for rule, finding in findings],
        asked=[rule.code for rule in RULES if rule.code not in left_out],
        not_asked=[NotAskedResource(rule=each.code, reason=said(each.sentence)) for each in skipped],
    )


def _refuse_too_much(limit: int, found: Recorded, training: JobRequest) -> None:
    predictor = predictor_of(found.job.request, found.job.fitted or {}, {})
    width, products = predictor.features.width, predictor.learner.products
    rows = sum(min(most_rows(width, products), count) for count in (found.job.fitted or {})["rows"].values())
    around = min(PRODUCTS, products * PASSES * ROWS)
    counts = {"values": found.dataset_rows * len(training.columns), "cells": rows * width}
    counts["products"] = 4 * rows * products + 2 * around
    refuse_too_much(limit, "", "whoever runs the server can raise the limit", counts)


def _told(job: Job, training: JobRequest, rule: Rule, finding: Finding, said: Spoken) -> FindingResource:
    return FindingResource(
        rule=finding.code or rule.code,
        severity=finding.severity,
        epochs=None if finding.epochs is None else list(finding.epochs),
        layer=finding.layer,
        column=finding.column,
        evidence=dict(finding.evidence),
        explanation=said(finding.explanation).rstrip(". "),
        suggestion=said(finding.remedy.said),
        patch=patch_of(job, training, finding),
        formula=rule.formula,
        source=rule.source,
    )


def patch_of(job: Job, training: JobRequest, finding: Finding) -> PatchResource | None:
    """The request that does what the finding suggests: a fork where the weights can stay, else a new job."""
    changes = finding.remedy.changes
    if changes is None:
        return None
    can_go_on = training.epochs is not None and training.model.solved_by.descends and job.error is None
    if not finding.anew and can_go_on and not changes.keys() & {*FIXED}:
        overrides = {"epochs": 2 * (training.epochs or 1), **changes} if job.state in DONE else dict(changes)
        return PatchResource(by="fork", path=f"/v1/jobs/{job.id}/fork", body={"epoch": "last", "overrides": overrides})
    return PatchResource(by="job", path="/v1/jobs", body=_new_job(training, changes))


def _new_job(training: JobRequest, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a job like this one but for the changes; of a model of another kind, what depends on that is left to it."""
    request = document_of(training)
    kind = (changes.get("model") or {}).get("kind")
    if kind not in (None, request["model"]["kind"]):
        request = {name: value for name, value in request.items() if name not in LEFT_TO_DEFAULTS}
        request["preprocessing"] = {**request["preprocessing"], "target_scaling": None}
    return {name: value for name, value in overridden(request, dict(changes)).items() if value is not None}
