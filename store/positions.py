"""What a run can go on from: its checkpoints of whole epochs and its position within one, and which of them is whole."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from store import jobs
from store.files import Files
from store.jobs import Lease
from store.tables import DONE, Checkpoint, Job, Position

Standing = Checkpoint | Position


def save(session: Session, files: Files, lease: Lease, position: Position, content: bytes) -> None:
    """Keep where the run stands within an epoch, in place of the position before. Raises LeaseLost."""
    jobs.fence(session, lease)
    forget(session, files, lease.job_number)
    position.job_number, position.digest = lease.job_number, files.put(session, content)
    session.add(position)
    session.flush()


def forget(session: Session, files: Files, number: int) -> None:
    """Drop the job's position, which something later has made needless, and free what it held."""
    digests = session.scalars(select(Position.digest).where(Position.job_number == number)).all()
    if digests:
        session.execute(delete(Position).where(Position.job_number == number))
        files.release(session, digests)


def standings(session: Session, number: int) -> Sequence[Standing]:
    """All that the job could go on from, the latest first."""
    found: list[Standing] = [*jobs.checkpoints(session, number)]
    found += session.scalars(select(Position).where(Position.job_number == number)).all()
    return sorted(found, key=lambda standing: (standing.epoch, place_of(standing)), reverse=True)


def place_of(standing: Standing) -> int:
    """How far within an epoch: 0 at the end of a whole one."""
    return standing.place if isinstance(standing, Position) else 0


def drop_damaged(session: Session, files: Files, lease: Lease, damaged: Sequence[Standing]) -> None:
    """Forget those whose content is not what was written; the run has written to its row in this transaction."""
    for standing in damaged:
        if isinstance(standing, Position):
            forget(session, files, lease.job_number)
        else:
            jobs.forget_checkpoints(session, files, lease, [standing.epoch])


def sweep(session: Session, files: Files) -> None:
    """Drop the positions of jobs that are done: they go on from nowhere."""
    done = select(Position.job_number).join(Job, Job.number == Position.job_number).where(Job.state.in_(DONE))
    for number in session.scalars(done).all():
        forget(session, files, number)
