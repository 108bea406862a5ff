"""Pause, resume and fork; checkpoints within an epoch; what a run does when time, memory or a checkpoint's content runs out."""

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.fast import large, small
from engine.models import descent
from engine.tables.features import Column
from store import checkpoints, datasets, forks, jobs, leases
from store.errors import DiskFull
from store.files import Files
from store.job_request import training_of
from store.submission import Completed
from store.tables import Blob, Position
from store.tensors import pack, unpack
from tests.store.staging import gone
from tests.worker.staging import MLP, PLAIN, WAYS, Stopper, kept_checkpoints, kill, points, row, strip, theta
from worker.context import WorkerContext
from worker.lease import HeldLease
from worker.training import run, run_held

LONG: dict[str, Any] = {"model": PLAIN, "epochs": 4, "batch_size": 4, "record": {"checkpoint_every": 100, "curves": "batch"}}
"""Thirty batches an epoch."""
each_way = pytest.mark.parametrize("way", WAYS)


@pytest.fixture
def breathing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a run be interrupted after every batch."""
    monkeypatch.setattr(descent, "BREATH_SECONDS", -1.0)
    monkeypatch.setattr(small, "CALL_OPERATIONS", 0.0)
    monkeypatch.setattr(large, "TEAM_OPERATIONS", 0.0)


class Asker:
    """Asks for something at the n-th question whether to stop, as a caller does meanwhile."""

    def __init__(self, place: WorkerContext, job_id: str, ask: Callable[..., None], after: int) -> None:
        self.place, self.job_id, self.ask, self.left = place, job_id, ask, after
        self.held: HeldLease | None = None

    def __call__(self) -> bool:
        self.left -= 1
        if self.left == 0:
            with self.place.database.transaction() as session:
                self.ask(session, jobs.get(session, self.job_id, None))
            assert self.held is not None
            self.held.state = row(self.place, self.job_id).state  # as the listening thread would within 0.1 s
        return False


def run_and_ask(place: WorkerContext, job_id: str, ask: Callable[..., None], after: int) -> None:
    asker = Asker(place, job_id, ask, after)
    asking = replace(place, stopping=asker)
    with place.database.transaction() as session:
        job = leases.claim(session, job_id, "worker", 60)
    assert job is not None
    asker.held = HeldLease(place.database, leases.lease_of(job), 60)
    if after == 0:
        with place.database.transaction() as session:
            ask(session, jobs.get(session, job_id, None))
        asker.held.state = row(place, job_id).state
    run_held(asking, asker.held, job)


def resume(place: WorkerContext, job_id: str) -> None:
    with place.database.transaction() as session:
        jobs.resume(session, jobs.get(session, job_id, None))


def position(place: WorkerContext, job_id: str) -> tuple[int, int] | None:
    with place.database.reading() as session:
        found = session.get(Position, row(place, job_id).number)
        return (found.epoch, found.place) if found else None


@pytest.mark.usefixtures("breathing")
@each_way
def test_a_paused_run_ends_in_the_same_bits(place: WorkerContext, post: Callable[..., str], way: str, taken: set[str]) -> None:
    alone, paused = (post("iris", "species", **LONG | {"model": WAYS[way]}) for _ in range(2))
    run(place, alone)
    stands = []
    for after in (8, 0, 1, 3, 18, 22):  # heard at the next question: within the first epoch, at its end, within the second
        run_and_ask(place, paused, jobs.pause, after)
        job = row(place, paused)
        assert (job.state, job.state_reason, job.worker) == ("paused", "paused by the caller", None)
        stands.append(position(place, paused))
        assert job.fraction == pytest.approx((stands[-1][0] + stands[-1][1] / 30) / 4)
        resume(place, paused)
    assert stands == [(0, 8), (0, 8), (0, 9), (0, 12), (0, 30), (1, 21)]
    run(place, paused)
    assert (row(place, paused).state, row(place, paused).attempt) == ("succeeded", 7)
    assert taken == {way}
    assert kept_checkpoints(place, paused) == kept_checkpoints(place, alone)
    assert points(place, paused) == points(place, alone)
    assert strip(row(place, paused).best) == strip(row(place, alone).best)
    assert strip(row(place, paused).latest) == strip(row(place, alone).latest)


@pytest.mark.usefixtures("breathing")
def test_what_is_learned_stays_readable_within_an_epoch(place: WorkerContext, post: Callable[..., str]) -> None:
    for ask, state in ((jobs.pause, "paused"), (jobs.cancel, "cancelled")):
        job_id = post("iris", "species", **LONG)
        run_and_ask(place, job_id, ask, 40)
        assert (row(place, job_id).state, row(place, job_id).epoch) == (state, 1)
        with place.database.reading() as session:
            assert [kept.epoch for kept in checkpoints.of_job(session, row(place, job_id).number)] == [1]


@pytest.mark.parametrize(("ask", "state"), [(jobs.pause, "paused"), (jobs.cancel, "cancelled")])
def test_who_is_still_loading_listens(
    place: WorkerContext, post: Callable[..., str], monkeypatch: pytest.MonkeyPatch, ask: Callable[..., None], state: str
) -> None:
    """A large table takes its time: what the caller wants meanwhile happens before it is read to its end."""
    alone, job_id = (post("iris", "species", model=MLP, epochs=5) for _ in range(2))
    run(place, alone)
    each, read = datasets.JobTable.each_column, list[str]()

    def told(found: datasets.JobTable, names: Iterable[str]) -> Iterator[Column]:
        for column in each(found, names):
            read.append(column.name)
            yield column

    with monkeypatch.context() as patch:
        patch.setattr(datasets.JobTable, "each_column", told)
        run_and_ask(place, job_id, ask, 0)
    assert len(read) == 1
    job = row(place, job_id)
    assert (job.state, job.state_reason, job.epoch, points(place, job_id)) == (state, f"{state} by the caller", 0, [])
    if state == "paused":
        resume(place, job_id)
        run(place, job_id)
        assert (row(place, job_id).state, theta(place, job_id)) == ("succeeded", theta(place, alone))


def test_a_pause_is_heard_by_the_listening_thread(place: WorkerContext, post: Callable[..., str]) -> None:
    job_id = post("iris", "species", model=MLP, epochs=1_000_000)

    def pause_once_it_runs() -> bool:
        if row(place, job_id).state == "running":
            with place.database.transaction() as session:
                jobs.pause(session, jobs.get(session, job_id, None))
        return False

    run(replace(place, stopping=pause_once_it_runs), job_id)
    assert row(place, job_id).state == "paused"
    assert row(place, job_id).train_seconds < 5
    with place.database.transaction() as session:
        jobs.cancel(session, jobs.get(session, job_id, None))
    assert row(place, job_id).state == "cancelled"


@pytest.mark.usefixtures("breathing")
@each_way
def test_killed_within_an_epoch_a_run_goes_on_from_its_last_position(
    place: WorkerContext, post: Callable[..., str], way: str, taken: set[str]
) -> None:
    alone, killed = (post("iris", "species", **LONG | {"model": WAYS[way]}) for _ in range(2))
    run(place, alone)
    always = replace(place, settings=place.settings.model_copy(update={"checkpoint_seconds": 1e-9}))
    for after in (10, 25, 31, 1):
        kill(always, killed, after)
        assert (row(place, killed).state, row(place, killed).lost_attempts) == ("queued", 1)
    run(place, killed)
    assert taken == {way}
    assert kept_checkpoints(place, killed) == kept_checkpoints(place, alone)
    assert points(place, killed) == points(place, alone)


@pytest.mark.usefixtures("breathing")
@pytest.mark.parametrize("which", ["position", "whole", "all"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(place: WorkerContext, post: Callable[..., str], which: str) -> None:
    fields = LONG | {"record": {"checkpoint_every": 1}}
    alone, damaged = (post("iris", "species", **fields) for _ in range(2))
    run(place, alone)
    run(replace(place, stopping=Stopper(75)), damaged)
    number = row(place, damaged).number
    with place.database.reading() as session:
        found = checkpoints.resume_points(session, number)
    assert [(standing.epoch, checkpoints.steps_within(standing)) for standing in found] == [(2, 13), (2, 0), (1, 0)]
    hit = {"position": found[:1], "whole": found[:2], "all": found}[which]
    for standing in hit:
        damage(place, place.files, standing.digest)
    run(place, damaged)
    job = row(place, damaged)
    assert job.state == "succeeded", job.error
    told = [warning for warning in job.warnings if warning["code"] == "CHECKPOINT_DAMAGED"]
    assert len(told) == len(hit)
    assert f"went on from epoch {2 if which == 'position' else 3 - len(hit)}" in told[0]["detail"]
    assert theta(place, damaged) == theta(place, alone)
    assert points(place, damaged) == points(place, alone)
    with place.database.reading() as session:
        for checkpoint in checkpoints.of_job(session, number):
            place.files.get(session, checkpoint.digest)  # written again, whole


@pytest.mark.usefixtures("breathing")
def test_a_missing_checkpoint_is_as_a_damaged_one_where_all_share_a_folder(
    place: WorkerContext, post: Callable[..., str]
) -> None:
    """With PostgreSQL another machine may have it, and its row is left alone."""
    fields = LONG | {"record": {"checkpoint_every": 1}}
    run(replace(place, stopping=Stopper(75)), job_id := post("iris", "species", **fields))
    with place.database.reading() as session:
        found = checkpoints.resume_points(session, row(place, job_id).number)
    gone(place.database, place.files, found[0].digest)
    run(place, job_id)
    job = row(place, job_id)
    if place.database.is_sqlite:
        assert job.state == "succeeded", job.error
        assert [warning["code"] for warning in job.warnings].count("CHECKPOINT_DAMAGED") == 1
    else:
        assert job.error is not None
        assert (job.state, job.attempt, job.error["code"]) == ("failed", 2, "CONTENT_MISSING")
        assert job_id in job.error["detail"]


def damage(place: WorkerContext, files: Files, digest: str) -> None:
    path = files.path(digest)
    if path.exists():
        path.write_bytes(path.read_bytes()[:-1] + b"!")
    with place.database.transaction() as session:
        blob = session.get_one(Blob, digest)
        if blob.content is not None:
            blob.content = blob.content[:-1] + b"!"


# --- forks ---


def fork(place: WorkerContext, parent_id: str, epoch: Any, **overrides: Any) -> str:
    with place.database.transaction() as session:
        parent = jobs.get(session, parent_id, None)
        checkpoint = forks.checkpoint_of(session, parent, epoch)
        request = training_of(forks.overridden(parent.request, overrides))
        dataset = datasets.get(session, parent.dataset_id, None)
        begun = forks.Fork(parent, checkpoint, dataset, Completed(request, "train", []))
        return forks.create(session, place.files, "ana", begun).id


PLATEAU = {"kind": "reduce_on_plateau", "patience": 1}


@pytest.mark.parametrize(("fields", "way"), [
    *(({"model": model, "schedule": PLATEAU}, way) for way, model in WAYS.items()),
    ({"model": {"kind": "logistic_regression", "solver": "gradient_descent"}}, "small"),
])  # fmt: skip
def test_a_fork_with_nothing_changed_ends_in_its_parents_bits(
    place: WorkerContext, post: Callable[..., str], fields: dict[str, Any], way: str, taken: set[str]
) -> None:
    fields = {"epochs": 30, "record": {"checkpoint_every": 7}, **fields}
    parent = post("iris", "species", **fields)
    run(place, parent)
    child = fork(place, parent, 14)
    assert (row(place, child).epoch, row(place, child).state) == (14, "queued")
    run(place, child)
    job = row(place, child)
    assert (job.state, job.attempt, job.forked_from, job.forked_epoch) == ("succeeded", 1, parent, 14)
    assert taken == {way}
    assert weights(place, child) == weights(place, parent)
    later = [point for point in points(place, parent) if point[1] > 14]
    assert points(place, child) == later
    with place.database.reading() as session:
        kept = [checkpoint.epoch for checkpoint in checkpoints.of_job(session, job.number)]
        assert {14, 21, 28, 30} <= set(kept)


def weights(place: WorkerContext, job_id: str) -> bytes:
    """θ and the optimizer's vectors, without what is remembered of the best epoch, which a fork begins anew."""
    arrays = unpack(theta(place, job_id))
    del arrays["progress"]
    return pack(arrays)


def test_a_fork_goes_its_own_way(place: WorkerContext, post: Callable[..., str]) -> None:
    parent = post("iris", "species", model=MLP, epochs=10, record={"checkpoint_every": 5, "curves": "batch"})
    run(place, parent)
    with place.database.transaction() as session:
        job = jobs.get(session, parent, None)
    child = fork(place, parent, "last", epochs=20, optimizer={"kind": "momentum", "learning_rate": 0.01}, batch_size=32)
    with place.database.transaction() as session:
        jobs.delete(session, place.files, jobs.get(session, parent, None))
    for stop in (3, 4):  # it is taken up again like any other
        run(replace(place, stopping=Stopper(stop)), child)
        assert row(place, child).state == "queued"
    run(place, child)
    grown = row(place, child)
    assert (grown.state, grown.epoch, grown.fraction) == ("succeeded", 20, 1.0)
    assert grown.latest["train_loss"] < job.latest["train_loss"]
    steps = [step for name, step, _ in points(place, child) if name == "batch_loss"]
    assert steps == list(range(1, 10 * 4 + 1))  # another optimizer counts its own steps
    assert min(step for name, step, _ in points(place, child) if name == "train_loss") == 11


def test_a_fork_whose_beginning_is_damaged_does_not_begin_elsewhere(place: WorkerContext, post: Callable[..., str]) -> None:
    parent = post("iris", "species", model=PLAIN, epochs=4, record={"checkpoint_every": 2})
    run(place, parent)
    child = fork(place, parent, 2)
    with place.database.reading() as session:
        [checkpoint] = checkpoints.of_job(session, row(place, child).number)
    damage(place, place.files, checkpoint.digest)
    run(place, child)
    assert (row(place, child).state, row(place, child).error["code"]) == ("failed", "CONTENT_DAMAGED")
    again = fork(place, parent, 2)
    run(place, again)
    assert row(place, again).state == "succeeded"


# --- limits ---


@pytest.mark.usefixtures("breathing")
def test_time_is_up_within_an_epoch(place: WorkerContext, post: Callable[..., str]) -> None:
    """By a clock that ticks a second a look: one at the start, and one a batch or an epoch."""
    job_id = post("iris", "species", **LONG, max_seconds=40)
    run(replace(place, clock=iter(range(1_000_000)).__next__), job_id)
    job = row(place, job_id)
    assert (job.state, job.state_reason, job.epoch) == ("succeeded", "max_seconds", 1)
    assert job.train_seconds == 41
    assert job.model_id
    job_id = post("iris", "species", **LONG, max_seconds=20)
    run(replace(place, clock=iter(range(1_000_000)).__next__), job_id)
    job = row(place, job_id)
    assert (job.state, job.error["code"], job.error["status"]) == ("failed", "MAX_SECONDS", 422)
    assert "70% of the first epoch took 21.0 s" in job.error["detail"]


@pytest.mark.usefixtures("breathing")
@pytest.mark.parametrize("speeds", [(1.0,), (1.0, 4.0), (4.0, 1.0)], ids=["steady", "slower", "faster"])
def test_the_time_to_the_end_is_right_within_a_factor_of_two(
    place: WorkerContext, post: Callable[..., str], monkeypatch: pytest.MonkeyPatch, speeds: tuple[float, ...]
) -> None:
    """After a tenth of the run; where its pace changes, once the new one has lasted as long as the old."""
    monkeypatch.setattr("worker.writing.FLUSH_SECONDS", -1.0)
    job_id = post("iris", "species", **LONG)
    looks, seconds = 4 * 31, [0.0]
    for look in range(looks + 1):
        seconds.append(seconds[-1] + (speeds[0] if look < 20 else speeds[-1]) * (1 + 5 * (look % 31 == 30)))
    told: list[tuple[float, float | None]] = []
    ticks: Iterator[float] = iter(seconds)

    def clock() -> float:
        told.append((next(ticks), row(place, job_id).eta_seconds))
        return told[-1][0]

    run(replace(place, clock=clock), job_id)
    assert row(place, job_id).state == "succeeded"
    steady = 13 if len(speeds) == 1 else 100 if speeds[0] > 1 else 40
    for (moment, _), (_, eta) in list(itertools.pairwise(told))[steady : looks - 20]:
        assert eta is not None
        left = told[-1][0] - moment
        assert left / 2 <= eta <= left * 2, (moment, left, eta)


def test_where_a_solver_decides_no_end_is_foretold(place: WorkerContext, post: Callable[..., str]) -> None:
    seen: list[float | None] = []
    job_id = post("iris", "species", model={"kind": "logistic_regression"})
    run(replace(place, stopping=lambda: bool(seen.append(row(place, job_id).eta_seconds))), job_id)
    assert len(seen) > 3
    assert set(seen) == {None}


def test_a_job_too_large_is_refused_by_its_worker_with_the_figure(place: WorkerContext, post: Callable[..., str]) -> None:
    small = replace(place, settings=place.settings.model_copy(update={"max_job_bytes": 200 * 2**20}))
    job_id = post("iris", "species", model={"kind": "mlp", "hidden": [{"units": 4000}, {"units": 4000}]})
    run(small, job_id)
    job = row(place, job_id)
    assert (job.state, job.error["code"], job.error["status"]) == ("failed", "TOO_MUCH_MEMORY", 422)
    assert "a job may take 200 MiB" in job.error["detail"]
    assert job.error["errors"][0]["pointer"] == "/model"


def test_a_full_disk_fails_the_job_and_leaves_what_was_kept(
    place: WorkerContext, post: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, next_id = (post("iris", "species", model=MLP, epochs=30, record={"checkpoint_every": 10}) for _ in range(2))
    put, left = Files.put, [2]

    def full(self: Files, session: Any, content: Any) -> str:
        left[0] -= 1
        if left[0] < 0:
            raise DiskFull
        return put(self, session, content)

    monkeypatch.setattr("worker.writing.FLUSH_SECONDS", -1.0)
    with monkeypatch.context() as patch:
        patch.setattr(Files, "put", full)
        run(replace(place, settings=place.settings.model_copy(update={"lease_seconds": 0.5})), job_id)  # so long it is tried
    job = row(place, job_id)
    assert (job.state, job.error["code"], job.error["status"]) == ("failed", "DISK_FULL", 503)
    with place.database.reading() as session:
        kept = checkpoints.of_job(session, job.number)
        assert kept[-1].epoch == 20
        place.files.get(session, kept[-1].digest)
    run(place, next_id)
    assert row(place, next_id).state == "succeeded"


CONFINED = """
import sys
from pathlib import Path
from store.database import Database
from store.files import Files
from store.settings import Settings
from worker import limits
from worker.context import WorkerContext
from worker.training import run
data, url, inline, *job_ids = sys.argv[1:]
import engine.fast.steps
import scipy.linalg.cython_blas  # beside the tests alone: Numba loads it, and its OpenBLAS ends a process short of memory
from engine.fast import threads
setting = Settings(data=data, max_job_bytes=2**40)
place = WorkerContext(setting, Database(url), Files(Path(data) / "files", int(inline)), "confined")
threads.limit(2)
limits.confine(250 * 2**20)
for job_id in job_ids:
    run(place, job_id)
"""


def test_a_job_that_takes_too_much_fails_alone(place: WorkerContext, post: Callable[..., str], tmp_path: Path) -> None:
    """In a process that is confined, whatever the estimate said; the next job in the same process runs."""
    large = post("iris", "species", model={"kind": "mlp", "hidden": [{"units": 4000}, {"units": 4000}]})
    small = post("iris", "species", model=PLAIN, epochs=3)
    url = place.database.url.render_as_string(hide_password=False)
    arguments = [str(tmp_path), url, str(place.files.inline_bytes), large, small]
    ended = subprocess.run([sys.executable, "-c", CONFINED, *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    job = row(place, large)
    assert (job.state, job.error["code"]) == ("failed", "OUT_OF_MEMORY"), job.error
    assert row(place, small).state == "succeeded"


def test_a_pause_before_the_first_batch_leaves_nothing(place: WorkerContext, post: Callable[..., str]) -> None:
    """Interrupted before its first batch, a run leaves nothing, and begins when it is taken up."""
    job_id = post("iris", "species", model=PLAIN, epochs=3)
    run_and_ask(place, job_id, jobs.pause, 1)
    assert row(place, job_id).state == "paused"
    assert position(place, job_id) is None
    resume(place, job_id)
    run(place, job_id)
    assert row(place, job_id).state == "succeeded"
