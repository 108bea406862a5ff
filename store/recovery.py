"""Recovery of jobs whose worker was lost, and of those that wait without a message."""

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from store.database import now
from store.errors import problem
from store.states import HELD
from store.tables import Job
from store.transitions import move

MAX_LOST_ATTEMPTS = 3
RESEND_SECONDS = 10
RESEND_AT_LEAST_SECONDS = 60
"""A queued job whose message was sent longer ago is sent again: the message may be lost, and a second does no harm."""


def sweep(session: Session) -> list[tuple[str, str]]:
    """Take jobs back whose lease ran out, and say which (id, queue) to send a message for. Any number may sweep at once."""
    expired = select(Job).where(Job.state.in_(HELD), Job.lease_until < now()).order_by(Job.number)
    for job in session.scalars(expired.with_for_update(skip_locked=True)).all():  # one that is held up holds up no other
        _take_back(session, job)
    # The longer it waits the less often: while every worker is busy, messages would only pile up.
    long_ago = or_(now() - Job.sent_at > Job.sent_at - Job.created_at, Job.sent_at < now() - RESEND_AT_LEAST_SECONDS)
    unsent = or_(Job.sent_at.is_(None), and_(Job.sent_at < now() - RESEND_SECONDS, long_ago))
    query = select(Job.number, Job.id, Job.queue).where(Job.state == "queued", unsent).order_by(Job.number).limit(1000)
    waiting = session.execute(query).all()
    if waiting:
        session.execute(update(Job).where(Job.number.in_([row.number for row in waiting])).values(sent_at=now()))
    return [(row.id, row.queue) for row in waiting]


def next_expiry(session: Session) -> float | None:
    """Seconds until the first lease runs out, unless it is renewed; None where none is held."""
    return session.execute(select(func.min(Job.lease_until) - now()).where(Job.state.in_(HELD))).scalar()


def _take_back(session: Session, job: Job) -> None:
    """Queue or fail a job whose worker was lost, if its lease is still the one that ran out."""
    same = [Job.attempt == job.attempt, Job.lease_until == job.lease_until]
    lost = job.lost_attempts + 1
    if job.state == "cancelling":
        move(session, job.number, ["cancelling"], "cancelled", reason="cancelled; its worker was lost", where=same)
    elif job.state == "pausing" and lost < MAX_LOST_ATTEMPTS:
        reason = "paused at its last checkpoint; its worker was lost"
        move(session, job.number, ["pausing"], "paused", reason=reason, lost_attempts=lost, where=same)
    elif lost >= MAX_LOST_ATTEMPTS:
        detail = f"the worker was lost {lost} times in a row with no checkpoint between; the last was '{job.worker}'"
        error = problem("WORKER_LOST", 500, detail, [])
        move(session, job.number, [job.state], "failed", reason=detail, error=error, lost_attempts=lost, where=same)
    else:
        reason = f"attempt {job.attempt} was lost with its worker"
        move(session, job.number, [job.state], "queued", reason=reason, lost_attempts=lost, sent_at=None, where=same)
