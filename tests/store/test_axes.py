"""Where the points of curves lie on an axis, on both databases."""

import numpy as np
import pytest

from store import axes, jobs
from store.axes import axis_of, course_of, elapsed
from store.curves import Recorder
from store.database import Database
from store.tables import Job
from tests.store.staging import make_job

EPOCHS, STEPS = 40, 3
REQUEST = {"dataset_id": "ds_1", "model": {"kind": "mlp"}, "epochs": EPOCHS, "batch_size": 10}


def recorded(database: Database, seconds: list[float]) -> Job:
    """A job of 3 steps an epoch, whose epochs took so long."""
    with database.transaction() as session:
        job = jobs.create(session, "ana", REQUEST, fitted={"rows": {"train": 25}})
    recorder = Recorder(job.number)
    for epoch, took in enumerate(seconds, start=1):
        recorder.add(epoch, {"seconds": took})
    with database.transaction() as session:
        recorder.write(session)
    return job


def test_seconds_are_summed_up_to_the_epochs_asked_for(database: Database) -> None:
    took = np.random.default_rng(0).random(EPOCHS)
    job = recorded(database, took.tolist())
    make_job(database)
    with database.reading() as session:
        found = elapsed(session, job.number, {0, 1, 7, EPOCHS, EPOCHS + 1})
        total = np.cumsum(took)
        assert found == pytest.approx({0: 0, 1: total[0], 7: total[6], EPOCHS: total[-1], EPOCHS + 1: total[-1]})
        assert elapsed(session, job.number, ()) == {}
        axis = axis_of(session, job, "seconds")
        assert axis.x_of("train_loss", [2, 3]) == pytest.approx([total[1], total[2]])
        within = axis.x_of("batch_loss", [3 * STEPS, 3 * STEPS + 1, 3 * STEPS + 2, 4 * STEPS])
        assert within == pytest.approx([total[2], total[2] + took[3] / 3, total[2] + took[3] * 2 / 3, total[3]])
        assert axis.steps_of("train_loss", total[4] - 1e-9, total[8] + 1e-9) == (5, 9)
        assert axis.steps_of("batch_loss", total[4] - 1e-9, total[8] + 1e-9) == (4 * STEPS + 1, 9 * STEPS)
        first, last = axis.steps_of("train_loss", total[-1] + 1, None)
        assert first > last


def test_forks_of_forks_go_on_from_the_steps_of_their_parents(database: Database) -> None:
    parent, batches = recorded(database, [1.0]), (10, 25, 5, "full", None)
    chain = [parent]
    for place, batch in enumerate(batches, start=1):
        request = {**REQUEST, "batch_size": batch}
        fork = {"forked_from": chain[-1].id, "forked_epoch": 10 * place, "fitted": parent.fitted}
        with database.transaction() as session:
            chain.append(jobs.create(session, "ana", request, **fork))
    with database.reading() as session:
        found = [course_of(session, job) for job in chain]
    assert [course.steps for course in found] == [3, 3, 1, 5, 1, 1]
    assert [course.step for course in found] == [0, 30, 60, 70, 120, 130]
    assert found[2].epoch_at(found[2].step_at(23.5)) == 23.5


def test_what_a_deleted_parent_took_is_counted_as_its_fork_would(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(axes, "MOST_ANCESTORS", 2)
    with database.transaction() as session:
        fork = jobs.create(session, "ana", REQUEST, forked_from="job_gone", forked_epoch=7, fitted={"rows": {"train": 25}})
    with database.reading() as session:
        assert course_of(session, fork) == axes.Course(7, 21, 3)
