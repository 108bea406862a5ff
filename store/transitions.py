"""Changes of a job's state. Every one goes through `move`: an UPDATE that names the state it expects and, for a worker, the
attempt that holds the lease. It happens whole or not at all.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from store import journal
from store.database import now
from store.states import DONE, HELD, LEGAL
from store.tables import Job


def move(
    session: Session,
    number: int,
    expected: Sequence[str],
    state: str,
    *,
    where: Sequence[ColumnElement[bool]] = (),
    reason: str | None = None,
    messages: Sequence[str] = (),
    **values: Any,
) -> bool:
    """The one door: take the job from one of the expected states to `state`, with the other values, and journal it, after
    `messages`.

    False, and nothing changed, where the job is in another state by now or `where` fails.
    """
    statement = move_statement(expected, state, reason, values).where(Job.number == number, *where)
    if not updated(session, statement):
        return False
    journal_move(session, number, state, reason, messages)
    return True


def move_statement(expected: Sequence[str], state: str, reason: str | None, values: dict[str, Any]) -> Any:
    """The UPDATE that moves a job, which whoever executes it journals."""
    for before in expected:
        assert state in LEGAL[before], f"{before} → {state} is no legal transition"
    if state not in HELD:
        values |= {"lease_until": None, "worker": None, "eta_seconds": None}
    if state in DONE:
        values["finished_at"] = now()
    return update(Job).where(Job.state.in_(expected)).values(state=state, state_reason=reason, **values)


def journal_move(session: Session, number: int, state: str, reason: str | None, messages: Sequence[str] = ()) -> None:
    for message in messages:
        journal.log(session, number, message)
    journal.write(session, number, "state", state=state, message=reason)


def lock(session: Session, number: int) -> str | None:
    """The job's state, which nobody else changes until the transaction ends."""
    return session.scalars(select(Job.state).where(Job.number == number).with_for_update()).one_or_none()


def updated(session: Session, statement: Any) -> int:
    result = session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)
    return result.rowcount
