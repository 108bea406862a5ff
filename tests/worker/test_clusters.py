"""k-means through a worker that is stopped, and one that is lost: each ends in the bits of a run that nothing interrupted."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from engine.fast import k_means as fast
from engine.models import k_means, lloyd
from store import checkpoints
from tests.worker.staging import Stopper, kept_checkpoints, kill, points, row, strip
from worker.context import WorkerContext
from worker.training import run


@pytest.fixture
def always(place: WorkerContext, monkeypatch: pytest.MonkeyPatch) -> WorkerContext:
    """A worker that may be interrupted after every few hundred rows, and writes down each time where it stands."""
    monkeypatch.setattr(k_means, "BREATH_SECONDS", -1.0)
    monkeypatch.setattr(lloyd, "PIECE_ROWS", lloyd.LEAST_ROWS)
    monkeypatch.setattr(fast.threads, "count", lambda: 2)
    monkeypatch.setattr(lloyd, "PIECES_A_THREAD", 1)
    monkeypatch.setattr("worker.checkpoints.MOST_SHARE", float("inf"))
    return replace(place, settings=place.settings.model_copy(update={"checkpoint_seconds": 1e-9}))


def test_an_interrupted_run_ends_in_the_same_bits(always: WorkerContext, post: Callable[..., str]) -> None:
    """Stopped or lost among the starts, within an epoch, and several epochs later."""
    model = {"kind": "k_means", "clusters": 4, "restarts": 3, "compare_with": "digit"}
    fields = {"model": model, "epochs": 8, "record": {"checkpoint_every": 3}}
    run(always, alone := post("digits", None, **fields))
    for end in (stop, kill):
        other = post("digits", None, **fields)
        for after in (2, 19, 11):
            end(always, other, after)
            assert row(always, other).state == "queued"
        with always.database.reading() as session:
            left = checkpoints.resume_points(session, row(always, other).number)[0]
        assert left.epoch > 1 and checkpoints.steps_within(left) > 0
        run(always, other)
        assert (row(always, other).state, row(always, other).attempt) == ("succeeded", 4)
        assert kept_checkpoints(always, other) == kept_checkpoints(always, alone)
        assert points(always, other) == points(always, alone)
        assert strip(row(always, other).best) == strip(row(always, alone).best)


def stop(place: WorkerContext, job_id: str, after: int) -> None:
    run(replace(place, stopping=Stopper(after)), job_id)
