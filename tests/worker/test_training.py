"""One job, run to whatever end: every one leaves a true row and readable results, on both databases."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from sqlalchemy.exc import OperationalError

from store import checkpoints, curves, datasets, jobs, journal, leases, models, predictors, recovery
from store.tables import Checkpoint, Dataset, Job, Model
from store.tensors import unpack
from tests.worker.staging import LARGE, MLP, WAYS, Stopper, kept_checkpoints, points, row, strip, theta
from worker.attempt import Attempt
from worker.context import WorkerContext
from worker.lease import HeldLease
from worker.training import run, run_held, work
from worker.writing import Writer

TABLE = {
    "analytic": ("infant_weight", "weight", {"model": {"kind": "linear_regression"}}),
    "descent": ("infant_weight", "weight", {"model": {"kind": "linear_regression", "solver": "gradient_descent"}}),
    "logistic": ("iris", "species", {"model": {"kind": "logistic_regression"}}),
    "one for each": ("iris", "species", {"model": {"kind": "logistic_regression", "multi_class": "one_vs_rest"}}),
    "logistic by descent": ("iris", "species", {"model": {"kind": "logistic_regression", "solver": "gradient_descent"}}),
    "perceptron": ("and", "y", {"model": {"kind": "perceptron"}}),
    "network": ("iris", "species", {"model": MLP, "epochs": 20}),
    "network for numbers": ("infant_weight", "weight", {"model": MLP, "epochs": 20}),
    "several numbers": ("iris", ["petal_width", "sepal_length"], {"model": {"kind": "linear_regression"}}),
    "network for several numbers": ("iris", ["petal_width", "petal_length"], {"features": ["sepal_width"], "model": MLP}),
    "tags": ("and", ["y", "x2"], {"model": MLP, "epochs": 20}),
    "words for features": ("house_prices", "price", {"model": {"kind": "linear_regression"}}),
}


@pytest.mark.parametrize(("sample", "target", "fields"), TABLE.values(), ids=TABLE.keys())
def test_every_model_ends_in_a_model(
    place: WorkerContext, post: Callable[..., str], sample: str, target: str | list[str], fields: dict[str, Any]
) -> None:
    job_id = post(sample, target, **fields)
    run(place, job_id)
    job = row(place, job_id)
    assert (job.state, job.attempt, job.worker, job.lease_until) == ("succeeded", 1, None, None), job.error
    assert job.latest["epoch"] == job.epoch >= 1
    assert job.finished_at >= job.started_at >= job.created_at
    with place.database.reading() as session:
        model = models.get(session, job.model_id, "ana")
        predictor = predictors.of_model(session, place.files, model)
        table = datasets.load(session, place.files, datasets.get(session, job.dataset_id, None))
        columns = datasets.columns(table, session.query(Dataset).filter_by(id=job.dataset_id).one(), job.request["features"])
    values = predictor.predict(columns).values
    assert len(values) == table.height
    assert all(isinstance(value, dict) == isinstance(target, list) for value in values)
    assert all(list(value) == target for value in values if isinstance(value, dict))


def test_a_second_message_does_nothing(place: WorkerContext, post: Callable[..., str]) -> None:
    job_id = post("iris", "species", model=MLP, epochs=5)
    run(place, job_id)
    before = points(place, job_id)
    run(place, job_id)
    run(place, "job_never_heard_of")
    job = row(place, job_id)
    assert (job.attempt, points(place, job_id)) == (1, before)


def test_one_message_is_enough_for_all_that_wait(place: WorkerContext, post: Callable[..., str]) -> None:
    waiting = [post("xor", "y", model={"kind": "perceptron"}, epochs=3) for _ in range(4)]
    work(place, waiting[0])
    assert {row(place, job_id).state for job_id in waiting} == {"succeeded"}


@pytest.mark.parametrize("fields", [
    *({"model": model, "epochs": 40, "record": {"checkpoint_every": 7}} for model in WAYS.values()),
    {"model": MLP, "epochs": 40, "schedule": {"kind": "reduce_on_plateau", "patience": 1}, "optimizer": {"kind": "rmsprop"}},
    {"model": MLP, "epochs": 400, "early_stopping": {"patience": 6}, "record": {"curves": "batch"}},
    {"model": LARGE, "epochs": 400, "early_stopping": {"patience": 4}, "optimizer": {"kind": "adam", "learning_rate": 3e-4}},
])  # fmt: skip
@pytest.mark.parametrize("stops", [[3], [1, 9], [15, 2, 2]])
def test_a_stopped_run_ends_in_the_same_bits(
    place: WorkerContext, post: Callable[..., str], fields: dict[str, Any], stops: list[int], taken: set[str]
) -> None:
    alone = post("iris", "species", **fields)
    run(place, alone)
    stopped = post("iris", "species", **fields)
    for after in stops:
        run(WorkerContext(place.settings, place.database, place.files, "worker 2", Stopper(after)), stopped)
        assert row(place, stopped).state == "queued"
        assert row(place, stopped).state_reason == "its worker was stopped"
    run(place, stopped)
    assert row(place, stopped).state == "succeeded"
    assert row(place, stopped).attempt == len(stops) + 1
    assert taken == {way for way, model in WAYS.items() if model == fields["model"]}
    assert kept_checkpoints(place, stopped) == kept_checkpoints(place, alone)
    assert "early_stopping" not in fields or row(place, stopped).best["epoch"] < row(place, stopped).epoch < 400
    assert points(place, stopped) == points(place, alone)
    assert strip(row(place, stopped).best) == strip(row(place, alone).best)


def test_a_stopped_network_of_layers_ends_in_the_same_bits(place: WorkerContext, post: Callable[..., str]) -> None:
    """With what its layers keep between steps, and with the same views of its images."""
    layers = [{"kind": "conv2d", "filters": 3, "kernel": 2}, "batch_normalization", {"kind": "dropout", "rate": 0.2}]
    fields = {
        "model": {"kind": "network", "layers": layers, "input_shape": [2, 2]},
        "preprocessing": {"augmentation": {"horizontal_flip": True, "shift": 1}},
        "epochs": 12,
        "record": {"checkpoint_every": 5},
    }
    alone, stopped = (post("iris", "species", **fields) for _ in range(2))
    run(place, alone)
    for after in (1, 4):
        run(WorkerContext(place.settings, place.database, place.files, "worker 2", Stopper(after)), stopped)
        assert row(place, stopped).state == "queued"
    run(place, stopped)
    assert row(place, stopped).state == "succeeded"
    assert kept_checkpoints(place, stopped) == kept_checkpoints(place, alone)
    assert points(place, stopped) == points(place, alone)


def test_a_cancel_is_heard_and_what_was_learned_stays(place: WorkerContext, post: Callable[..., str]) -> None:
    job_id = post("iris", "species", model=MLP, epochs=1_000_000)

    def cancel_once_it_runs() -> bool:
        if row(place, job_id).state == "running":
            with place.database.transaction() as session:
                jobs.cancel(session, jobs.get(session, job_id, None))
        return False

    run(WorkerContext(place.settings, place.database, place.files, "worker", cancel_once_it_runs), job_id)
    job = row(place, job_id)
    assert (job.state, job.state_reason, job.model_id) == ("cancelled", "cancelled by the caller", None)
    assert 1 <= job.epoch < 1_000_000
    assert job.train_seconds < 5
    with place.database.reading() as session:
        assert checkpoints.of_job(session, job.number)[-1].epoch == job.epoch
        assert curves.last_step(session, job.number, "train_loss") == job.epoch


def test_a_lost_lease_writes_nothing_more(place: WorkerContext, post: Callable[..., str]) -> None:
    job_id = post("iris", "species", model=MLP, epochs=30)
    with place.database.transaction() as session:
        job = leases.claim(session, job_id, "frozen", 60)
        assert job is not None
        session.query(Job).update({Job.lease_until: 0.0})
    with place.database.transaction() as session:
        recovery.sweep(session)
    assert row(place, job_id).state == "queued"
    with HeldLease(place.database, leases.lease_of(job), 60) as held:
        run_held(place, held, job)
    job = row(place, job_id)
    assert (job.state, job.epoch, points(place, job_id)) == ("queued", 0, [])
    run(place, job_id)
    assert row(place, job_id).state == "succeeded"


def test_time_is_up_after_max_seconds(place: WorkerContext, post: Callable[..., str]) -> None:
    job_id = post("iris", "species", model=MLP, epochs=1_000_000, max_seconds=0.2)
    run(place, job_id)
    job = row(place, job_id)
    assert (job.state, job.state_reason) == ("succeeded", "max_seconds")
    assert job.warnings[-1]["code"] == "MAX_SECONDS"
    assert job.train_seconds < 5
    assert job.model_id


def test_early_stopping_keeps_the_best_and_the_last(place: WorkerContext, post: Callable[..., str]) -> None:
    job_id = post("iris", "species", model=MLP, epochs=5000, early_stopping={"patience": 4},
                  optimizer={"kind": "adam", "learning_rate": 0.1}, record={"checkpoint_every": 4000})  # fmt: skip
    run(place, job_id)
    job = row(place, job_id)
    assert (job.state, job.state_reason) == ("succeeded", "early_stopped")
    assert job.epoch == job.best["epoch"] + 4
    with place.database.reading() as session:
        assert [kept.epoch for kept in checkpoints.of_job(session, job.number)] == [job.best["epoch"], job.epoch]
        assert models.get(session, job.model_id, None).epoch == job.best["epoch"]


def ends_by_hand(losses: list[float], patience: int, min_delta: float) -> tuple[int, int, int]:
    """The best epoch, that of the last fall that counts, and the one that is the last, of losses that a longer run had."""
    fallen = 1
    for epoch, loss in enumerate(losses, start=1):
        if losses[fallen - 1] - loss > min_delta:
            fallen = epoch
        elif epoch - fallen == patience:
            return losses.index(min(losses[:epoch])) + 1, fallen, epoch
    raise AssertionError("it would go on")


@pytest.mark.parametrize(("way", "rate"), [("small", 0.03), ("large", 0.003)])
@pytest.mark.parametrize("monitor", ["validation_loss", "train_loss"])
def test_what_falls_by_less_than_min_delta_has_not_fallen(
    place: WorkerContext, post: Callable[..., str], way: str, rate: float, monitor: str, taken: set[str]
) -> None:
    fields = {"model": WAYS[way], "epochs": 100, "optimizer": {"kind": "adam", "learning_rate": rate}}
    whole = post("iris", "species", **fields, record={"checkpoint_every": 1})
    run(place, whole)
    losses = [value for name, _, value in points(place, whole) if name == monitor]
    ends = [ends_by_hand(losses, 3, min_delta) for min_delta in (0.0, 0.03)]
    for min_delta, (best, _, last) in zip((0.0, 0.03), ends, strict=True):
        stopping = {"patience": 3, "min_delta": min_delta, "monitor": monitor}
        job_id = post("iris", "species", **fields, early_stopping=stopping, record={"checkpoint_every": 1000})
        run(place, job_id)
        job = row(place, job_id)
        assert (job.state_reason, job.best["epoch"], job.epoch) == ("early_stopped", best, last)
        assert [point for point in points(place, whole) if point[1] <= last] == points(place, job_id)
        kept, every = kept_checkpoints(place, job_id), kept_checkpoints(place, whole)
        assert list(kept) == sorted({best, last})
        assert [unpack(kept[epoch])["theta"].tobytes() for epoch in kept] == [
            unpack(every[epoch])["theta"].tobytes() for epoch in kept
        ]
        with place.database.reading() as session:
            assert models.get(session, job.model_id, None).epoch == best
    (_, _, late), (best, fallen, early) = ends
    assert early < late
    assert fallen < best, "what is too small a fall to go on for is the best all the same, or nothing was shown"
    assert taken == {way}


def test_a_job_whose_data_is_gone_fails_and_says_why(place: WorkerContext, post: Callable[..., str]) -> None:
    job_id = post("iris", "species", model=MLP)
    with place.database.transaction() as session:
        session.query(Dataset).delete()
    run(place, job_id)
    job = row(place, job_id)
    assert (job.state, job.error["code"]) == ("failed", "NOT_FOUND")


def test_unknown_class_weights_fail_with_a_pointer(place: WorkerContext, post: Callable[..., str]) -> None:
    job_id = post("iris", "species", model=MLP, class_weight={"tulip": 2.0})
    run(place, job_id)
    job = row(place, job_id)
    assert job.error["code"] == "UNUSABLE_DATA"
    assert job.error["errors"][0]["pointer"] == "/class_weight/tulip"


def test_a_bug_in_training_fails_the_job_and_not_the_worker(
    place: WorkerContext, post: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, next_id = (post("iris", "species", model=MLP, epochs=5) for _ in range(2))

    def broken(self: Attempt) -> Iterator[None]:
        raise ZeroDivisionError("secret")

    with monkeypatch.context() as patch:
        patch.setattr(Attempt, "work", broken)
        run(place, job_id)
    job = row(place, job_id)
    assert (job.state, job.error["code"]) == ("failed", "INTERNAL")
    assert "secret" not in str(job.error)
    run(place, next_id)
    assert row(place, next_id).state == "succeeded"


def test_no_model_is_left_where_a_cancel_came_last(
    place: WorkerContext, post: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = post("iris", "species", model=MLP, epochs=5)
    succeed = Attempt.succeed

    def cancelled_first(self: Attempt) -> str:
        with place.database.transaction() as session:
            jobs.cancel(session, jobs.get(session, job_id, None))
        return succeed(self)

    monkeypatch.setattr(Attempt, "succeed", cancelled_first)
    run(place, job_id)
    job = row(place, job_id)
    assert (job.state, job.model_id) == ("cancelled", None)
    with place.database.reading() as session:
        assert session.query(Model).count() == 0
        assert np.isfinite(job.latest["train_loss"])


def test_a_run_lost_before_its_first_checkpoint_starts_anew(place: WorkerContext, post: Callable[..., str]) -> None:
    fields = {"model": MLP, "epochs": 30, "record": {"curves": "batch"}}
    alone, lost = (post("iris", "species", **fields) for _ in range(2))
    run(place, alone)
    run(WorkerContext(place.settings, place.database, place.files, "worker", Stopper(20)), lost)
    assert points(place, lost)
    with place.database.transaction() as session:
        session.query(Checkpoint).filter_by(job_number=jobs.get(session, lost, None).number).delete()
    run(place, lost)
    assert row(place, lost).state == "succeeded"
    assert theta(place, lost) == theta(place, alone)
    assert points(place, lost) == points(place, alone)


@pytest.mark.parametrize("fields", [
    {"model": {"kind": "logistic_regression"}},
    {"model": MLP, "epochs": 3000, "early_stopping": {"patience": 2}},
])  # fmt: skip
def test_a_stop_at_the_very_end_does_not_train_on(
    place: WorkerContext, post: Callable[..., str], fields: dict[str, Any]
) -> None:
    alone = post("iris", "species", **fields)
    run(place, alone)
    epochs = row(place, alone).epoch
    for stop_after in (epochs - 1, epochs):
        job_id = post("iris", "species", **fields)
        run(WorkerContext(place.settings, place.database, place.files, "worker", Stopper(stop_after)), job_id)
        run(place, job_id)
        assert row(place, job_id).state == "succeeded"
        assert row(place, job_id).epoch == epochs
        assert theta(place, job_id) == theta(place, alone)


def test_a_connection_lost_while_writing_costs_nothing(
    place: WorkerContext, post: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = post("iris", "species", model=MLP, epochs=12)
    write, left = Writer._write, [2]

    def away_at_first(self: Writer, *given: Any) -> str:
        if left[0]:
            left[0] -= 1
            raise OperationalError("UPDATE", {}, ConnectionError("gone"))
        return write(self, *given)

    monkeypatch.setattr(Writer, "_write", away_at_first)
    run(place, job_id)
    job = row(place, job_id)
    assert (job.state, job.attempt, left) == ("succeeded", 1, [0])
    assert len([point for point in points(place, job_id) if point[0] == "train_loss"]) == 12


def test_what_was_committed_unheard_is_not_written_twice(
    place: WorkerContext, post: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is lost after it has committed and before it says so: what is written again must not be there twice."""
    record = {"curves": "batch", "checkpoint_every": 4, "histograms_every": 3}
    alone, job_id = (
        post("iris", "species", model=MLP, epochs=12, batch_size=16, record=record, early_stopping={"patience": 2})
        for _ in range(2)
    )
    run(place, alone)
    dialect, unheard = place.database.engine.dialect, [0]
    commit, asked = dialect.do_commit, [0]

    def lose_every_second_answer(connection: Any) -> None:
        commit(connection)
        asked[0] += 1
        if asked[0] > 1 and asked[0] % 2 == 0:  # the first is the claim
            unheard[0] += 1
            raise dialect.loaded_dbapi.OperationalError("gone")

    monkeypatch.setattr("worker.writing.FLUSH_SECONDS", 0)
    monkeypatch.setattr("worker.writing.RETRY_SECONDS", 0)
    with monkeypatch.context() as patch:
        patch.setattr(dialect, "do_commit", lose_every_second_answer)
        run(place, job_id)
    assert unheard[0] > 3
    before, after = row(place, alone), row(place, job_id)
    assert (after.state, after.attempt, after.epoch) == ("succeeded", 1, before.epoch)
    assert points(place, alone) == points(place, job_id)
    assert len({theta(place, each) for each in (alone, job_id)}) == 1
    with place.database.reading() as session:
        told = [[entry.message for entry in journal.entries(session, job.number)] for job in (before, after)]
        kept = [[found.epoch for found in checkpoints.of_job(session, job.number)] for job in (before, after)]
    assert told[0] == told[1]
    assert kept[0] == kept[1]


def test_a_database_that_stays_away_leaves_the_job_to_another_attempt(
    place: WorkerContext, post: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = post("iris", "species", model=MLP, epochs=12)
    short = WorkerContext(place.settings.model_copy(update={"lease_seconds": 0.5}), place.database, place.files, "worker")

    def away(self: Writer, *given: Any) -> str:
        raise OperationalError("UPDATE", {}, ConnectionError("gone"))

    with monkeypatch.context() as patch:
        patch.setattr(Writer, "_write", away)
        run(short, job_id)
    assert row(place, job_id).state == "running"
    with place.database.transaction() as session:
        session.query(Job).update({Job.lease_until: 0.0})
    with place.database.transaction() as session:
        recovery.sweep(session)
    run(place, job_id)
    assert (row(place, job_id).state, row(place, job_id).attempt) == ("succeeded", 2)
