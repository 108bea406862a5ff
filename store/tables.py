"""The tables. Times are seconds since 1970 in UTC by the database's clock; `number` is a narrow key for what is many."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    TypeDecorator,
    false,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, validates

from engine.wording import to_documents, to_notices
from store.database import now
from store.states import DONE, HELD, STATES

Document = JSON(none_as_null=True)


class Notices(TypeDecorator[list[dict[str, Any]]]):
    """Warnings as JSON, with what their sentences were made of, so that they can be read in another language."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: list[dict[str, Any]] | None, dialect: Dialect) -> Any:
        return None if value is None else to_documents(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> list[dict[str, Any]] | None:
        return None if value is None else to_notices(value)


Number = BigInteger().with_variant(Integer(), "sqlite")  # only INTEGER counts up by itself in SQLite
Instant = Float(53)

FORM = 1
"""The form of the JSON documents that are written now; `store.stored_forms` knows the earlier ones."""


def one_of(states: tuple[str, ...]) -> str:
    """The condition, in SQL, that a job is in one of these states."""
    return "state IN ({})".format(", ".join(f"'{state}'" for state in states))


class Table(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads it)
        dict[str, Any]: Document,
        list[dict[str, Any]]: Document,
        list[str]: Document,
        bytes: LargeBinary,
        float: Float(53),
    }


class Dataset(Table):
    """An uploaded file or a sample: `digest` is its content, `table_digest` the same as Arrow IPC, which training reads."""

    __tablename__ = "datasets"
    number: Mapped[int] = mapped_column(Number, primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    owner: Mapped[str]
    name: Mapped[str]
    source: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(ForeignKey("blobs.digest"), index=True)
    table_digest: Mapped[str] = mapped_column(ForeignKey("blobs.digest"), index=True)
    size: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int] = mapped_column(BigInteger)
    columns: Mapped[list[dict[str, Any]]]
    column_count: Mapped[int] = mapped_column(server_default=text("0"))
    warnings: Mapped[list[dict[str, Any]]] = mapped_column(Notices)
    form: Mapped[int] = mapped_column(SmallInteger, default=FORM, server_default=text("0"))
    created_at: Mapped[float] = mapped_column(Instant, server_default=now())
    __table_args__ = (Index("datasets_by_owner", "owner", "number"),)

    @validates("columns")
    def _count(self, _: str, columns: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self.column_count = len(columns)
        return columns


class Blob(Table):
    """Content named by its SHA-256: in `content`, or, where that is null, in a file of that name."""

    __tablename__ = "blobs"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[bytes | None]
    created_at: Mapped[float] = mapped_column(Instant, server_default=now())


class Job(Table):
    """A job, whole: the row is the only truth. `attempt` fences: a write that names an older one changes nothing.

    `kind` says what it does: `training`, or something about its `parent`, another job, as `asked` says; what came of that is
    the content `result_digest`. `versions` are those of the libraries and the processor that it last ran with.
    `table_digest` is the table that it was trained on; null where that is still its dataset's.
    """

    __tablename__ = "jobs"
    number: Mapped[int] = mapped_column(Number, primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    owner: Mapped[str]
    name: Mapped[str | None]
    tags: Mapped[list[str]] = mapped_column(default=list, server_default=text("'[]'"))
    dataset_id: Mapped[str] = mapped_column(index=True)
    table_digest: Mapped[str | None] = mapped_column(ForeignKey("blobs.digest"), index=True)
    request: Mapped[dict[str, Any]]
    model_kind: Mapped[str]
    queue: Mapped[str] = mapped_column(default="train")
    state: Mapped[str] = mapped_column(default="queued")
    state_reason: Mapped[str | None]
    attempt: Mapped[int] = mapped_column(default=0)
    lost_attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None]
    lease_until: Mapped[float | None] = mapped_column(Instant)
    sent_at: Mapped[float | None] = mapped_column(Instant)
    epoch: Mapped[int] = mapped_column(default=0)
    epochs: Mapped[int] = mapped_column(default=0)
    fraction: Mapped[float] = mapped_column(server_default=text("0"))
    eta_seconds: Mapped[float | None]
    forked_from: Mapped[str | None]
    forked_epoch: Mapped[int] = mapped_column(server_default=text("0"))
    kind: Mapped[str] = mapped_column(default="training", server_default=text("'training'"))
    parent: Mapped[str | None]
    group_id: Mapped[str | None] = mapped_column(index=True)
    asked: Mapped[dict[str, Any] | None]
    result_digest: Mapped[str | None] = mapped_column(ForeignKey("blobs.digest"), index=True)
    versions: Mapped[dict[str, Any] | None]
    latest: Mapped[dict[str, Any]] = mapped_column(default=dict)
    best: Mapped[dict[str, Any] | None]
    parameters: Mapped[int | None] = mapped_column(BigInteger)
    fitted: Mapped[dict[str, Any] | None]
    device: Mapped[str | None]
    model_id: Mapped[str | None]
    error: Mapped[dict[str, Any] | None]
    warnings: Mapped[list[dict[str, Any]]] = mapped_column(Notices, default=list)
    load_seconds: Mapped[float | None]
    compile_seconds: Mapped[float | None]
    train_seconds: Mapped[float | None]
    checkpoints_removed_at: Mapped[float | None] = mapped_column(Instant)
    curves_removed_at: Mapped[float | None] = mapped_column(Instant)
    form: Mapped[int] = mapped_column(SmallInteger, default=FORM, server_default=text("0"))
    created_at: Mapped[float] = mapped_column(Instant, server_default=now())
    started_at: Mapped[float | None] = mapped_column(Instant)
    finished_at: Mapped[float | None] = mapped_column(Instant)
    __table_args__ = (
        CheckConstraint(one_of(STATES), name="jobs_state"),
        CheckConstraint(f"({one_of(HELD)}) = (lease_until IS NOT NULL)", name="jobs_lease"),
        CheckConstraint(f"({one_of(DONE)}) = (finished_at IS NOT NULL)", name="jobs_finished"),
        Index("jobs_by_state", "state", "number"),
        Index("jobs_by_owner", "owner", "number"),
        Index("jobs_by_owner_and_state", "owner", "state", "number"),
        Index("jobs_in_line", "state", "owner", "queue", "number"),
    )


class Group(Table):
    """Jobs that were started together from one: `kind` and `asked` say how they differ."""

    __tablename__ = "groups"
    number: Mapped[int] = mapped_column(Number, primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    owner: Mapped[str]
    kind: Mapped[str]
    parent: Mapped[str]
    asked: Mapped[dict[str, Any]]
    created_at: Mapped[float] = mapped_column(Instant, server_default=now())
    __table_args__ = (Index("groups_by_owner", "owner", "number"),)


class Turn(Table):
    """An owner's place among those whose jobs are taken from a queue in turn: starts of jobs are numbered, and `served` is the
    number of the owner's last one; 0 before the first.
    """

    __tablename__ = "turns"
    queue: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(primary_key=True)
    served: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    __table_args__ = (Index("turns_in_order", "served"),)


class Entry(Table):
    """A line of a job's journal: a change of state or a message, at the epoch that had been recorded by then."""

    __tablename__ = "journal"
    job_number: Mapped[int] = mapped_column(ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    epoch: Mapped[int]
    state: Mapped[str | None]
    message: Mapped[str | None]
    at: Mapped[float] = mapped_column(Instant, server_default=now())


class Series(Table):
    """The number that a curve's name goes by in the tables of points."""

    __tablename__ = "series"
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class CurvePoint(Table):
    """One value of one curve. NULL is NaN, which SQLite cannot hold."""

    __tablename__ = "curve_points"
    job_number: Mapped[int] = mapped_column(ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True)
    series_number: Mapped[int] = mapped_column(ForeignKey("series.number"), primary_key=True)
    step: Mapped[int] = mapped_column(Number, primary_key=True)
    value: Mapped[float | None]
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 (SQLAlchemy reads it)


class CurveBucket(Table):
    """A summary of FANOUT**level consecutive points: the first of them, the smallest and the largest value."""

    __tablename__ = "curve_buckets"
    job_number: Mapped[int] = mapped_column(ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True)
    series_number: Mapped[int] = mapped_column(ForeignKey("series.number"), primary_key=True)
    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    step: Mapped[int] = mapped_column(Number, primary_key=True)
    last_step: Mapped[int] = mapped_column(Number)
    value: Mapped[float | None]
    low: Mapped[float | None]
    high: Mapped[float | None]
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 (SQLAlchemy reads it)


class BestValue(Table):
    """The lowest value of a job's loss or metric so far, or the highest where higher is better."""

    __tablename__ = "best_values"
    job_number: Mapped[int] = mapped_column(ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True)
    series_number: Mapped[int] = mapped_column(ForeignKey("series.number"), primary_key=True)
    value: Mapped[float]


class Feed(Table):
    """A change of a job that lists show: its state, name or tags, or that it was deleted. Triggers write it (migration 0014).

    `txid` is the transaction that wrote it, on PostgreSQL; see `store.feed`.
    """

    __tablename__ = "feed"
    number: Mapped[int] = mapped_column(Number, primary_key=True)
    txid: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    owner: Mapped[str]
    job_id: Mapped[str]
    is_deleted: Mapped[bool] = mapped_column(server_default=false())
    at: Mapped[float] = mapped_column(Instant, server_default=now())
    __table_args__ = (
        Index("feed_in_order", "txid", "number"),
        Index("feed_by_owner", "owner", "txid", "number"),
        {"sqlite_autoincrement": True},
    )


class Checkpoint(Table):
    """The state of a run after an epoch, as safetensors. Kept: every n-th (`periodic`), the best, the last."""

    __tablename__ = "checkpoints"
    job_number: Mapped[int] = mapped_column(ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(ForeignKey("blobs.digest"), index=True)
    periodic: Mapped[bool] = mapped_column(server_default=false())
    values: Mapped[dict[str, Any]]
    created_at: Mapped[float] = mapped_column(Instant, server_default=now())


class Position(Table):
    """The state of a run within an epoch, as safetensors: `place` of the epoch after `epoch`, whose values are `values`.
    For the run itself to go on from; the next checkpoint takes its place.
    """

    __tablename__ = "positions"
    job_number: Mapped[int] = mapped_column(ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True)
    epoch: Mapped[int]
    place: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(ForeignKey("blobs.digest"), index=True)
    values: Mapped[dict[str, Any]]
    created_at: Mapped[float] = mapped_column(Instant, server_default=now())


class Histograms(Table):
    """How the layers' weights, activations and gradients were spread after an epoch."""

    __tablename__ = "histograms"
    job_number: Mapped[int] = mapped_column(ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    layers: Mapped[list[dict[str, Any]]]


class Model(Table):
    """A trained model: what it was trained on, what was fitted, and its weights' digest."""

    __tablename__ = "models"
    number: Mapped[int] = mapped_column(Number, primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    owner: Mapped[str]
    name: Mapped[str | None]
    kind: Mapped[str]
    job_id: Mapped[str] = mapped_column(unique=True)
    dataset_id: Mapped[str]
    dataset_sha256: Mapped[str]
    request: Mapped[dict[str, Any]]
    fitted: Mapped[dict[str, Any]]
    metrics: Mapped[dict[str, Any]]
    epoch: Mapped[int]
    parameters: Mapped[int] = mapped_column(BigInteger)
    versions: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(ForeignKey("blobs.digest"), index=True)
    form: Mapped[int] = mapped_column(SmallInteger, default=FORM, server_default=text("0"))
    created_at: Mapped[float] = mapped_column(Instant, server_default=now())
    __table_args__ = (Index("models_by_owner", "owner", "number"),)


class IdempotencyKey(Table):
    """A caller's key, what it stood for, and the answer it was given; no answer yet while the first request runs."""

    __tablename__ = "idempotency_keys"
    owner: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    status: Mapped[int | None]
    location: Mapped[str | None]
    response: Mapped[dict[str, Any] | None]
    created_at: Mapped[float] = mapped_column(Instant, server_default=now())


class ApiKey(Table):
    """A bearer key, as its SHA-256 alone: who it speaks for, what it may do, and until when. A revoked one stays listed."""

    __tablename__ = "api_keys"
    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    name: Mapped[str | None]
    digest: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[float] = mapped_column(Instant, server_default=now())
    last_used_at: Mapped[float | None] = mapped_column(Instant)
    expires_at: Mapped[float | None] = mapped_column(Instant)
    revoked_at: Mapped[float | None] = mapped_column(Instant)


class BrowserSession(Table):
    """A browser that is signed in with a key: the token in its cookie, as its SHA-256 alone, and until when it is taken."""

    __tablename__ = "sessions"
    id: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[float] = mapped_column(Instant, server_default=now())
    expires_at: Mapped[float] = mapped_column(Instant)


class Worker(Table):
    """A live worker process and when it was last heard of."""

    __tablename__ = "workers"
    name: Mapped[str] = mapped_column(primary_key=True)
    queues: Mapped[list[str]]
    max_job_bytes: Mapped[int | None] = mapped_column(BigInteger)
    seen_at: Mapped[float] = mapped_column(Instant, server_default=now())
