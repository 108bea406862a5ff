"""Jobs under any order of claims, ends, renewals, checkpoints, expiries, sweeps, cancels and deletes."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import delete
from sqlalchemy.orm import Session

from store import checkpoints, jobs, leases, recovery
from store.database import Database
from store.errors import Conflict, LeaseLost
from store.files import Files
from store.leases import Lease
from store.recovery import MAX_LOST_ATTEMPTS
from store.states import DONE, HELD, LEGAL, STATES
from store.tables import Job
from tests.conftest import BACKENDS
from tests.store.staging import LEASE_SECONDS, expire, make_job, row, states

JOBS, MOST_JOBS = 2, 4


@dataclass
class Expected:
    """What a job should be, told independently of the store."""

    job: Job
    state: str = "queued"
    attempt: int = 0
    lost: int = 0
    expired: bool = False
    holder: Lease | None = None

    def let_go(self, state: str) -> None:
        self.state, self.holder, self.expired = state, None, False


class JobLife(RuleBasedStateMachine):
    """Workers that know no more than the leases they were once given act on jobs; most of what they try is out of date."""

    database: Database
    files: Files

    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[Expected] = []
        self.leases: list[tuple[Expected, Lease]] = []

    @initialize()
    def begin(self) -> None:
        self.jobs = [Expected(make_job(self.database)) for _ in range(JOBS)]

    def teardown(self) -> None:
        with self.database.transaction() as session:
            session.execute(delete(Job))

    which = st.integers(0, 11)  # modulo their number

    @rule(which=which, worker=st.sampled_from(["a", "b", "c"]))
    def claim(self, which: int, worker: str) -> None:
        expected = self.jobs[which % len(self.jobs)]
        with self.database.transaction() as session:
            job = leases.claim(session, expected.job.id, worker, LEASE_SECONDS)
        assert (job is not None) == (expected.state == "queued")
        if job is not None:
            lease = leases.lease_of(job)
            expected.state, expected.attempt, expected.holder = "running", expected.attempt + 1, lease
            assert lease == Lease(expected.job.number, expected.job.id, expected.attempt)
            self.leases.append((expected, lease))

    def act(self, place: int, write: Callable[..., Any], *given: Any) -> tuple[Expected, Any]:
        """Call that function of the store with one of all leases; what it returned, or LeaseLost as it should be."""
        expected, lease = self.leases[place % len(self.leases)]
        try:
            with self.database.transaction() as session:
                outcome = write(session, lease, *given)
        except LeaseLost:
            # "cancelled" is an end for who was asked to cancel, "paused" for who was asked to pause or to cancel; there is
            # no other reason to refuse the holder.
            asked = {("cancelled",): {"cancelling"}, ("paused",): {"pausing", "cancelling"}}.get(given)
            assert lease != expected.holder or (asked is not None and expected.state not in asked)
            return expected, LeaseLost
        assert lease == expected.holder
        return expected, outcome

    @precondition(lambda self: self.leases)
    @rule(place=st.integers(0, 99), state=st.sampled_from(["succeeded", "failed", "cancelled", "paused"]))
    def finish(self, place: int, state: str) -> None:
        expected, outcome = self.act(place, leases.finish, state)
        if outcome is not LeaseLost:
            assert outcome == ("cancelled" if expected.state == "cancelling" and state != "failed" else state)
            expected.let_go(outcome)

    @precondition(lambda self: self.leases)
    @rule(place=st.integers(0, 99))
    def release(self, place: int) -> None:
        expected, outcome = self.act(place, leases.release, "its worker was stopped")
        if outcome is not LeaseLost:
            left = {"cancelling": "cancelled", "pausing": "paused"}.get(expected.state, "queued")
            assert outcome == left
            expected.let_go(left)

    @precondition(lambda self: self.leases)
    @rule(place=st.integers(0, 99))
    def renew(self, place: int) -> None:
        expected, outcome = self.act(place, leases.renew, LEASE_SECONDS)
        if outcome is not LeaseLost:
            expected.expired = False

    @precondition(lambda self: self.leases)
    @rule(place=st.integers(0, 99))
    def checkpoint(self, place: int) -> None:
        def save(session: Session, lease: Lease) -> None:
            checkpoints.save(session, self.files, lease, 1, str(lease).encode(), values={})

        expected, outcome = self.act(place, save)
        if outcome is not LeaseLost:
            expected.lost = 0

    @rule(which=which)
    def expire(self, which: int) -> None:
        expected = self.jobs[which % len(self.jobs)]
        if expected.holder is not None:
            expire(self.database, expected.job)
            expected.expired = True

    @rule()
    def sweep(self) -> None:
        with self.database.transaction() as session:
            sent = recovery.sweep(session)
        for expected in self.jobs:
            if expected.expired:
                expected.lost += expected.state != "cancelling"
                left = {"cancelling": "cancelled", "pausing": "paused"}.get(expected.state, "queued")
                failed = expected.lost >= MAX_LOST_ATTEMPTS and left != "cancelled"
                expected.let_go("failed" if failed else left)
        assert {job_id for job_id, _ in sent} <= {expected.job.id for expected in self.jobs if expected.state == "queued"}

    @rule(which=which)
    def cancel(self, which: int) -> None:
        expected = self.jobs[which % len(self.jobs)]
        try:
            with self.database.transaction() as session:
                jobs.cancel(session, expected.job)
        except Conflict:
            assert expected.state in DONE
            return
        expected.state = "cancelling" if expected.state in HELD else "cancelled"

    @rule(which=which)
    def pause(self, which: int) -> None:
        expected = self.jobs[which % len(self.jobs)]
        try:
            with self.database.transaction() as session:
                jobs.pause(session, expected.job)
        except Conflict:
            assert expected.state not in ("running", "pausing")
            return
        assert expected.state in ("running", "pausing")
        expected.state = "pausing"

    @rule(which=which)
    def resume(self, which: int) -> None:
        expected = self.jobs[which % len(self.jobs)]
        try:
            with self.database.transaction() as session:
                jobs.resume(session, expected.job)
        except Conflict:
            assert expected.state != "paused"
            return
        assert expected.state == "paused"
        expected.state = "queued"

    @precondition(lambda self: len(self.jobs) < MOST_JOBS)
    @rule(which=which, epoch=st.integers(1, 9))
    def fork(self, which: int, epoch: int) -> None:
        """A fork lives a life of its own, whatever becomes of its parent."""
        parent = self.jobs[which % len(self.jobs)]
        child = make_job(self.database, forked_from=parent.job.id, forked_epoch=epoch, epoch=epoch)
        self.jobs.append(Expected(child))

    @rule(which=which)
    def delete(self, which: int) -> None:
        """A job that is done makes room for a new one, whose number SQLite may give out again; its leases stay out there."""
        expected = self.jobs[which % len(self.jobs)]
        try:
            with self.database.transaction() as session:
                jobs.delete(session, self.files, expected.job)
        except Conflict:
            assert expected.state not in DONE
            return
        assert expected.state in DONE
        self.jobs[which % len(self.jobs)] = Expected(make_job(self.database))

    @invariant()
    def rows_say_what_happened(self) -> None:
        for expected in self.jobs:
            found = row(self.database, expected.job)
            assert (found.state, found.attempt, found.lost_attempts) == (expected.state, expected.attempt, expected.lost)
            assert found.state in STATES
            assert (found.finished_at is not None) == (found.state in DONE)
            assert (found.lease_until is not None) == (found.worker is not None) == (found.state in HELD)
            assert (expected.holder is not None) == (found.state in HELD)
            assert (found.error is not None) == (found.state == "failed" and found.lost_attempts >= MAX_LOST_ATTEMPTS)

    @invariant()
    def journals_are_legal_paths(self) -> None:
        for expected in self.jobs:
            path = states(self.database, expected.job)
            assert path[0] == "queued"
            assert path[-1] == expected.state
            assert all(after in LEGAL[before or ""] for before, after in pairwise(path))
            assert path.count("running") == expected.attempt

    @invariant()
    def at_most_one_lease_is_good(self) -> None:
        with self.database.reading() as session:
            for expected, lease in self.leases:
                try:
                    assert leases.state_of(session, lease) == expected.state
                except LeaseLost:
                    assert lease != expected.holder
                else:
                    assert lease == expected.holder


@pytest.mark.parametrize(("backend", "examples"), list(zip(BACKENDS, (40, 15), strict=True)))
def test_jobs_live_lawfully(request: pytest.FixtureRequest, tmp_path: Path, backend: str, examples: int) -> None:
    class OnDatabase(JobLife):
        database = request.getfixturevalue(f"{backend}_database")
        files = Files(tmp_path / "files", 1000)

    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        OnDatabase,
        settings=settings(max_examples=examples, stateful_step_count=30, deadline=None, suppress_health_check=checks),
    )
