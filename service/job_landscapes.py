"""Slices of a job's loss, and its path drawn in. Knows no HTTP."""

from collections.abc import Generator

import numpy as np

from engine.glass.loss_slices import COST, PROJECTION, LossSlice, Slice, count_work, network_of, slice_of
from service.schemas.job_landscapes import JobLandscape, PathPointResource
from service.schemas.parts import Formula
from service.work import refuse_too_much
from store import datasets, jobs
from store.connections import Store
from store.keys import Caller
from store.predictors import PredictorAt, Run, networks_of, predictor_at, run_of
from store.tables import Job

REMEDY = "ask for fewer points a side, or for fewer rows"


def landscape_of(store: Store, caller: Caller, job_id: str, wanted: LossSlice) -> JobLandscape:
    """The slice that is asked for. Raises NotFound, Removed, or InputError, which names the field, or `/job_id`."""
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        moment = predictor_at(session, store.files, job, str(wanted.epoch))
        network, _ = network_of(moment.predictor)
        dataset = datasets.of_job(session, job)
        table = datasets.table_of(session, store.files, job, dataset)
        run = run_of(session, job, network.parameters.size)
        counts = count_work(wanted, moment.predictor, table.table.height, len(run.epochs))
        refuse_too_much(store.settings.max_work, "/resolution", REMEDY, counts)
        networks = networks_of(session, store.files, job, run)
    columns = table.columns(moment.predictor.training.columns)
    return _resource(job, moment, wanted, run, _whole(slice_of(wanted, moment.predictor, columns, networks)))


def _whole(parts: Generator[float, None, Slice]) -> Slice:
    """The slice, line by line to its end."""
    while True:
        try:
            next(parts)
        except StopIteration as end:
            found: Slice = end.value
            return found


def _resource(job: Job, moment: PredictorAt, wanted: LossSlice, run: Run, found: Slice) -> JobLandscape:
    directions, loss = wanted.chosen, moment.predictor.training.loss
    assert loss is not None
    return JobLandscape(
        job_id=job.id,
        epoch=moment.epoch,
        directions=directions,
        split=wanted.split,
        rows=found.rows,
        rows_left_out=found.split_rows - found.rows,
        cost=found.cost,
        alpha=found.alpha.tolist(),
        beta=found.beta.tolist(),
        costs=found.costs.tolist(),
        lengths=np.linalg.norm(found.plane.along, axis=1).tolist(),
        explained=None if found.plane.explained is None else list(found.plane.explained),
        path=[PathPointResource.model_validate(point) for point in found.path],
        path_left_out=run.kept - len(run.epochs),
        formulas={
            "costs": Formula(formula=rf"{COST}, \quad {loss.formula}", source=loss.source),
            "directions": Formula(formula=directions.formula, source=directions.source or None),
            "path": Formula(formula=PROJECTION, source=None),
        },
    )
