"""Results of jobs about other jobs, kept as JSON."""

import json
from typing import Any

from sqlalchemy.orm import Session

from store.errors import NotFound
from store.files import Files, Part
from store.states import DONE
from store.tables import Job


def keep(session: Session, files: Files, number: int, document: dict[str, Any]) -> None:
    """Keep what a job came to; the transaction has written to its row."""
    job = session.get_one(Job, number)
    job.result_digest = files.put(session, json.dumps(document).encode())


def result_of(session: Session, files: Files, job: Job) -> dict[str, Any]:
    """What a job about another one came to. Raises NotFound, ContentMissing or ContentDamaged."""
    if job.kind in ("training", "repeat"):
        raise NotFound(f"job '{job.id}' trains a model; /evaluation, /curves and /weights hold what came of it")
    if job.result_digest is None:
        waits = "has no result" if job.state in DONE else "is not done"
        raise NotFound(f"job '{job.id}' {waits} ({job.state}); a result comes when it has succeeded")
    part = Part(f"the result of job '{job.id}'", "everything else is as it was", f"ask for another {job.kind}")
    found: dict[str, Any] = json.loads(files.get(session, job.result_digest, part))
    return found
