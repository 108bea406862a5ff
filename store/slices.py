"""Slices of a job's loss: opened from what is stored, and, where one costs more than a moment, stored as a job of its own."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from engine.fast.threads import products_on_their_callers
from engine.glass import loss_slices
from engine.glass.loss_slices import COST, PROJECTION, LossSlice, Slice, nothing, slice_of
from engine.network.network import Network
from store import checkpoints, datasets, jobs, queue, submission, turns
from store.connections import Store
from store.datasets import JobTable
from store.files import Files
from store.keys import Caller
from store.leases import Lease
from store.predictors import PredictorAt, Run, networks_of, open_predictor, predictor_at, run_of
from store.submission import Settle
from store.tables import Job, Position
from store.tensors import pack

KIND = "slice"
WANTED: TypeAdapter[LossSlice] = TypeAdapter(LossSlice)


@dataclass
class Opened:
    """What a slice is made of: what is wanted, of which job, its model at an epoch, its table, the epochs of its run, and, once
    they are loaded, the networks of these.
    """

    wanted: LossSlice
    of: str
    moment: PredictorAt
    table: JobTable
    run: Run
    networks: dict[int, Network] = field(default_factory=dict)

    @classmethod
    def at(cls, session: Session, files: Files, job: Job, wanted: LossSlice) -> "Opened":
        """Of a job at the epoch that is wanted. Raises NotFound, Removed, or InvalidSpec at `/job_id`."""
        moment = predictor_at(session, files, job, str(wanted.epoch))
        network, _ = loss_slices.network_of(moment.predictor)
        table = datasets.table_of(session, files, job, datasets.of_job(session, job))
        return cls(wanted, job.id, moment, table, run_of(session, job, network.parameters.size))

    def count_work(self) -> dict[str, int]:
        """What it takes: by unit, how many."""
        return loss_slices.count_work(self.wanted, self.moment.predictor, self.table.table.height, len(self.run.epochs))

    def load_run(self, session: Session, files: Files, job: Job, heed: Callable[[], None] = nothing) -> None:
        """Load the networks along the run; `heed` is called before each, and may raise."""
        self.networks = networks_of(session, files, job, self.run, heed)

    def lines(self, costs: list[float], heed: Callable[[], None] = nothing) -> Generator[float, None, dict[str, Any]]:
        """The share that is done after each line of points, and in the end the slice as JSON; `costs` and `heed` as `slice_of`
        says. The same bits come of it in every process: products of matrices stay on its thread.
        """
        columns = {}
        for column in self.table.each_column(self.moment.predictor.training.columns):
            columns[column.name] = column
            heed()
        with products_on_their_callers():
            found = yield from slice_of(self.wanted, self.moment.predictor, columns, self.networks, costs, heed)
        return self._document(found)

    def whole(self) -> dict[str, Any]:
        """The slice as JSON."""
        lines = self.lines([])
        while True:
            try:
                next(lines)
            except StopIteration as end:
                found: dict[str, Any] = end.value
                return found

    def _document(self, found: Slice) -> dict[str, Any]:
        directions, loss = self.wanted.chosen, self.moment.predictor.training.loss
        assert loss is not None
        return {
            "job_id": self.of,
            "epoch": self.moment.epoch,
            "directions": _asked(self.wanted, self.moment.epoch)["directions"],
            "split": self.wanted.split,
            "rows": found.rows,
            "rows_left_out": found.split_rows - found.rows,
            "cost": found.cost,
            "alpha": found.alpha.tolist(),
            "beta": found.beta.tolist(),
            "costs": found.costs.tolist(),
            "lengths": np.linalg.norm(found.plane.along, axis=1).tolist(),
            "explained": found.plane.explained,
            "path": [asdict(point) for point in found.path],
            "path_left_out": self.run.kept - len(self.run.epochs),
            "formulas": {
                "costs": {"formula": rf"{COST}, \quad {loss.formula}", "source": loss.source},
                "directions": {"formula": directions.formula, "source": directions.source or None},
                "path": {"formula": PROJECTION, "source": None},
            },
        }


# --- as jobs of their own


def submit(store: Store, caller: Caller, job_id: str, wanted: LossSlice, settle: Settle) -> Job:
    """Store a slice of that job's loss as a job, and send it to its queue. It holds all that it is made of: what becomes of the
    other job changes nothing. Raises NotFound, Removed, TooManyQueued, ContentMissing, ContentDamaged, or InvalidSpec, which
    points at a field of what is wanted, or at `/job_id`.
    """
    with store.database.reading() as session:
        parent = jobs.get(session, job_id, caller.sees)
        opened = Opened.at(session, store.files, parent, wanted)
        opened.load_run(session, store.files, parent)
        assert parent.fitted is not None  # or it has no weights
        loss_slices.check(wanted, opened.moment.predictor, opened.networks, parent.fitted["rows"])
    with store.database.transaction() as session:
        turns.refuse_beyond(session, caller.owner, store.settings.max_queued_per_owner)
        parent = jobs.get(session, job_id, caller.sees)
        datasets.of_job(session, parent, lock=True)
        job = _create(session, store.files, caller.owner, parent, opened)
        settle(session, job)
    queue.send(job.id, job.queue)
    return job


def _create(session: Session, files: Files, owner: str, parent: Job, opened: Opened) -> Job:
    epoch, run = opened.moment.epoch, opened.run
    job = jobs.create(
        session, owner, parent.request, kind=KIND, parent=parent.id, asked=_asked(opened.wanted, epoch),
        epochs=opened.wanted.resolution, queue=submission.CPU_QUEUE, parameters=parent.parameters, fitted=parent.fitted,
        table_digest=parent.table_digest,
    )  # fmt: skip
    checkpoints.lend(session, parent, job, {epoch, *run.epochs})
    digest = files.put(session, _packed([]))
    values = {"epochs": run.epochs, "kept": run.kept}
    session.add(Position(job_number=job.number, epoch=0, place=0, digest=digest, values=values))
    session.flush()
    return job


def _asked(wanted: LossSlice, epoch: int) -> dict[str, Any]:
    """What is wanted as JSON, at the epoch that it comes to."""
    asked: dict[str, Any] = WANTED.dump_python(replace(wanted, directions=wanted.chosen, epoch=epoch), mode="json")
    return asked


def resume(session: Session, files: Files, job: Job, heed: Callable[[], None]) -> tuple[Opened, list[float]]:
    """What a job that is a slice is made of, and the costs that are worked out. Raises ContentMissing, ContentDamaged, and
    what `heed` does.
    """
    wanted = WANTED.validate_python(job.asked)
    values, arrays = checkpoints.position_of(session, files, job)
    assert isinstance(wanted.epoch, int) and job.parent is not None
    moment = open_predictor(session, files, job, checkpoints.at(session, job, wanted.epoch))
    table = datasets.table_of(session, files, job, datasets.of_job(session, job))
    opened = Opened(wanted, job.parent, moment, table, Run(values["epochs"], values["kept"]))
    opened.load_run(session, files, job, heed)
    return opened, arrays["costs"].tolist() if arrays else []


def save(session: Session, files: Files, lease: Lease, run: Run, costs: Sequence[float]) -> None:
    """Keep the costs that are worked out, for the job to go on from. Raises LeaseLost."""
    values = {"epochs": run.epochs, "kept": run.kept}
    position = Position(epoch=0, place=len(costs), values=values)
    checkpoints.save_position(session, files, lease, position, _packed(costs))


def _packed(costs: Sequence[float]) -> bytes:
    return pack({"costs": np.array(costs, np.float64)})
