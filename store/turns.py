"""Whose turn it is. A queue takes the jobs of its owners in turn: first comes the owner that it served longest ago, with the
oldest of that owner's jobs. So nobody waits for more than one job of each other owner between two of their own, however many
others have sent, and one owner alone is served first come, first served.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Select, bindparam, func, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from store.database import insert_into
from store.errors import TooManyQueued
from store.tables import Job, Turn


def enter(session: Session, queue: str, owner: str) -> None:
    """Give the owner of a job that comes into the queue a place among the others, unless there is one."""
    session.execute(insert_into(session, Turn).values(queue=queue, owner=owner).on_conflict_do_nothing())


def _owners() -> Any:
    """Those who have a job queued, each found by one look into the index, however many jobs."""
    found = select(func.min(Job.owner).label("owner")).where(Job.state == "queued").cte("owners", recursive=True)
    later = aliased(Job)
    following = select(func.min(later.owner)).where(later.state == "queued", later.owner > found.c.owner).scalar_subquery()
    return found.union_all(select(following).where(found.c.owner.is_not(None)))


def _next_turn() -> Select[str, str]:
    """The turn of the owner served longest ago by these queues, among those with a job queued that no other claim is about to
    serve; of the queue that the oldest of that owner's jobs is in.
    """
    owners, turn, job, waiting, any_turn = _owners(), aliased(Turn), aliased(Job), aliased(Job), aliased(Turn)
    queues: BindParameter[str] = bindparam("queues", expanding=True)
    mine = waiting.state == "queued", waiting.owner == owners.c.owner, waiting.queue.in_(queues)
    first = select(func.min(waiting.number)).where(*mine).scalar_subquery()
    served = select(func.max(any_turn.served)).where(any_turn.owner == owners.c.owner, any_turn.queue.in_(queues))
    ready = select(turn.queue, turn.owner).select_from(owners).join(job, job.number == first)
    ready = ready.join(turn, (turn.queue == job.queue) & (turn.owner == job.owner))
    ready = ready.order_by(served.scalar_subquery(), job.number).limit(1)
    return ready.with_for_update(skip_locked=True, of=turn)


def _serve() -> Any:
    """The UPDATE that sends an owner to the end of the line."""
    last = select(func.max(aliased(Turn).served)).scalar_subquery()
    return update(Turn).values(served=last + 1).execution_options(synchronize_session=False)


_TAKE_TURN = _serve().where(tuple_(Turn.queue, Turn.owner) == _next_turn().scalar_subquery()).returning(Turn.queue, Turn.owner)
_COUNT_START = _serve().where(Turn.queue == bindparam("of_queue"), Turn.owner == bindparam("of_owner"))


def take(session: Session, queues: Sequence[str]) -> dict[str, str] | None:
    """Take the next turn in these queues: its `of_queue` and `of_owner`, who goes to the end of the line. None where no job is
    queued, or where every owner of one is being served by another claim at this moment.
    """
    found = session.execute(_TAKE_TURN, {"queues": queues}).one_or_none()
    return None if found is None else {"of_queue": found.queue, "of_owner": found.owner}


def count_start(session: Session, job: Job) -> None:
    """Send the owner of a job that was started out of turn to the end of the line."""
    session.execute(_COUNT_START, {"of_queue": job.queue, "of_owner": job.owner})


class Line(NamedTuple):
    """An owner who waits in a queue: when served last, the number of the first job, how many jobs. They sort by turn."""

    served: int
    first: int
    owner: str
    jobs: int


def positions(session: Session, jobs: Iterable[Job]) -> dict[int, int]:
    """How many jobs of the same queue start before each of these that is queued, plus one, by the job's number: as the turns
    will be if nothing else comes in. Two queries, which read the index of the jobs in line once.
    """
    waiting = {job.number: job for job in jobs if job.state == "queued"}
    if not waiting:
        return {}
    lines = _lines(session, {job.queue for job in waiting.values()})
    ranks = _ranks(session, waiting)
    return {number: _position(lines[waiting[number].queue], waiting[number].owner, rank) for number, rank in ranks.items()}


def _position(line: Sequence[Line], owner: str, rank: int) -> int:
    """The position of an owner's `rank`-th job: after `rank` - 1 whole rounds, and those ahead in line in the next round."""
    ahead = takewhile(lambda other: other.owner != owner, line)
    return 1 + sum(min(other.jobs, rank - 1) for other in line) + sum(other.jobs >= rank for other in ahead)


def _lines(session: Session, queues: Iterable[str]) -> Mapping[str, list[Line]]:
    counted = (
        select(Job.queue, Job.owner, func.count().label("jobs"), func.min(Job.number).label("first"))
        .where(Job.state == "queued", Job.queue.in_(queues))
        .group_by(Job.owner, Job.queue)
        .subquery()
    )
    served = func.coalesce(Turn.served, 0)
    at = (Turn.queue == counted.c.queue) & (Turn.owner == counted.c.owner)
    found: dict[str, list[Line]] = defaultdict(list)
    query = select(counted.c.queue, served, counted.c.first, counted.c.owner, counted.c.jobs).outerjoin(Turn, at)
    for queue, *line in session.execute(query):
        found[queue].append(Line(*line))
    return {queue: sorted(line) for queue, line in found.items()}


def _ranks(session: Session, waiting: Iterable[int]) -> dict[int, int]:
    """Each job's place among those of its owner in its queue, from 1: those between one of these and the next are counted."""
    last_shown = func.lag(Job.number).over(partition_by=(Job.owner, Job.queue), order_by=Job.number)
    before = func.coalesce(last_shown, 0).label("before")
    these = select(Job.number, Job.owner, Job.queue, before).where(Job.number.in_(waiting), Job.state == "queued").cte("these")
    same = Job.state == "queued", Job.owner == these.c.owner, Job.queue == these.c.queue
    between = select(func.count()).where(*same, Job.number > these.c.before, Job.number <= these.c.number).scalar_subquery()
    ranks: dict[int, int] = {0: 0}
    query = select(these.c.number, these.c.before, between.label("between")).order_by(these.c.number)
    for number, last, count in session.execute(query):
        ranks[number] = ranks[last] + count
    del ranks[0]
    return ranks


def refuse_beyond(session: Session, owner: str, most: int) -> None:
    """Raise TooManyQueued where the owner has as many jobs queued as one may; 0 is no limit. Of several that come in at the
    very same time to PostgreSQL, some more may get in.
    """
    if most:
        some = select(Job.number).where(Job.state == "queued", Job.owner == owner).limit(most).subquery()
        if session.scalar(select(func.count()).select_from(some)) == most:
            raise TooManyQueued(most)
