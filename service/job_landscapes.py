"""Slices of a job's loss, and its path drawn in. Knows no HTTP."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from sqlalchemy.orm import Session

from engine.glass.directions import Plane, RandomDirections, frame, plane_of
from engine.glass.loss_slices import COST, PROJECTION, SliceCost, network_of
from engine.network.network import Network
from service.schemas.job_landscapes import JobLandscape, LandscapeRequest, PathPoint
from service.schemas.parts import Formula
from service.work import refuse_too_much
from store import checkpoints, datasets, jobs
from store.checkpoints import Kept
from store.connections import Store
from store.files import Files
from store.keys import Caller
from store.predictors import PredictorAt, predictor_at
from store.tables import Job

MOST_PATH = 100
MOST_KEPT_NUMBERS = 10_000_000
"""Epochs that are drawn of a path, and the weights of all of them that are held at once."""


def landscape_of(store: Store, caller: Caller, job_id: str, request: LandscapeRequest) -> JobLandscape:
    """The slice that is asked for. Raises NotFound, Removed, or InputError, which names the field, or `/job_id`."""
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        moment = predictor_at(session, store.files, job, str(request.epoch))
        network, _ = network_of(moment.predictor)
        dataset = datasets.of_job(session, job)
        table = datasets.table_of(session, store.files, job, dataset)
        epochs, kept = _epochs(session, job, network.parameters.size)
        _refuse_too_much(store.settings.max_work, request, moment, min(request.rows, table.table.height), len(epochs))
        run = _networks(session, store.files, job, epochs)
    directions = request.directions or RandomDirections()
    center = network.parameters.theta.copy()
    plane = plane_of(directions, network, [each.parameters.theta for each in run.values()])
    cost = SliceCost.of(moment.predictor, table.columns(moment.predictor.training.columns), request.split, request.rows)
    path = list(_path(plane, cost, run))
    alpha, beta = frame(plane, [(point.alpha, point.beta) for point in path], request.extent, request.resolution)
    formulas = {
        "costs": Formula(formula=rf"{COST}, \quad {cost.loss.formula}", source=cost.loss.source),
        "directions": Formula(formula=directions.formula, source=directions.source or None),
        "path": Formula(formula=PROJECTION, source=None),
    }
    return JobLandscape(
        job_id=job.id,
        epoch=moment.epoch,
        directions=directions,
        split=request.split,
        rows=cost.rows.rows,
        rows_left_out=cost.split_rows - cost.rows.rows,
        cost=cost(center),
        alpha=alpha.tolist(),
        beta=beta.tolist(),
        costs=[line.tolist() for line in cost.lines(plane, alpha, beta)],
        lengths=np.linalg.norm(plane.along, axis=1).tolist(),
        explained=None if plane.explained is None else list(plane.explained),
        path=path,
        path_left_out=kept - len(epochs),
        formulas=formulas,
    )


def _epochs(session: Session, job: Job, parameters: int) -> tuple[list[int], int]:
    """The epochs of the path, the first and the last among them, and how many are kept."""
    kept = sorted(Kept.of(session, job).by_epoch)
    if checkpoints.has_start(job):
        kept = [0, *kept]
    most = max(2, min(MOST_PATH, MOST_KEPT_NUMBERS // parameters))
    places = np.unique(np.linspace(0, len(kept) - 1, min(most, len(kept))).round().astype(int)) if kept else []
    return [kept[place] for place in places], len(kept)


def _networks(session: Session, files: Files, job: Job, epochs: list[int]) -> dict[int, Network]:
    """The network after each of those epochs."""
    found = (predictor_at(session, files, job, str(epoch)) for epoch in epochs)
    return {each.epoch: each.predictor.network for each in found}


def _path(plane: Plane, cost: SliceCost, run: Mapping[int, Network]) -> Iterator[PathPoint]:
    """The run as the plane has it, and its cost as each network has it, running statistics and all."""
    for epoch, network in run.items():
        theta = network.parameters.theta.copy()
        alpha, beta, distance = plane.nearest(theta)
        yield PathPoint(epoch=epoch, alpha=alpha, beta=beta, distance=distance, cost=replace(cost, network=network)(theta))


def _refuse_too_much(limit: int, request: LandscapeRequest, moment: PredictorAt, rows: int, epochs: int) -> None:
    network = moment.predictor.network
    points = request.resolution**2 + epochs
    counts = {
        "costs": points,
        "products": points * rows * network.products + epochs**2 * network.parameters.size,
        "row losses": points * rows,
        "cells": rows * moment.predictor.features.width,
    }
    refuse_too_much(limit, "/resolution", "ask for fewer points a side, or for fewer rows", counts)
