"""The first tables"""

import sqlalchemy as sa
from alembic import op

from store.database import now

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.Float(precision=53)


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", INSTANT, server_default=now(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_table(
        "blobs",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", INSTANT, server_default=now(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("location", sa.String(), nullable=True),
        sa.Column("response", sa.JSON(), nullable=True),
        sa.Column("created_at", INSTANT, server_default=now(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "key"),
    )
    op.create_table(
        "jobs",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("model_kind", sa.String(), nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("state_reason", sa.String(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lost_attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(), nullable=True),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("epochs", sa.Integer(), nullable=False),
        sa.Column("latest", sa.JSON(), nullable=False),
        sa.Column("best", sa.JSON(), nullable=True),
        sa.Column("parameters", sa.BigInteger(), nullable=True),
        sa.Column("fitted", sa.JSON(), nullable=True),
        sa.Column("device", sa.String(), nullable=True),
        sa.Column("model_id", sa.String(), nullable=True),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("warnings", sa.JSON(), nullable=False),
        sa.Column("load_seconds", INSTANT, nullable=True),
        sa.Column("train_seconds", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, server_default=now(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=True),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'pausing', 'paused', 'cancelling', 'succeeded', 'failed', 'cancelled')",
            name="jobs_state",
        ),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("ix_jobs_dataset_id", "jobs", ["dataset_id"])
    op.create_index("ix_jobs_owner", "jobs", ["owner"])
    op.create_index("jobs_by_state", "jobs", ["state", "number"])

    op.create_table(
        "series",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "workers",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("queues", sa.JSON(), nullable=False),
        sa.Column("seen_at", INSTANT, server_default=now(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "checkpoints",
        sa.Column("job_number", NUMBER, nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("periodic", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("created_at", INSTANT, server_default=now(), nullable=False),
        sa.ForeignKeyConstraint(
            ["digest"],
            ["blobs.digest"],
        ),
        sa.ForeignKeyConstraint(["job_number"], ["jobs.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_number", "epoch"),
    )
    op.create_index("ix_checkpoints_digest", "checkpoints", ["digest"])

    op.create_table(
        "curve_buckets",
        sa.Column("job_number", NUMBER, nullable=False),
        sa.Column("series_number", sa.Integer(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("step", NUMBER, nullable=False),
        sa.Column("last_step", NUMBER, nullable=False),
        sa.Column("value", INSTANT, nullable=True),
        sa.Column("low", INSTANT, nullable=True),
        sa.Column("high", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["job_number"], ["jobs.number"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["series_number"],
            ["series.number"],
        ),
        sa.PrimaryKeyConstraint("job_number", "series_number", "level", "step"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "curve_points",
        sa.Column("job_number", NUMBER, nullable=False),
        sa.Column("series_number", sa.Integer(), nullable=False),
        sa.Column("step", NUMBER, nullable=False),
        sa.Column("value", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["job_number"], ["jobs.number"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["series_number"],
            ["series.number"],
        ),
        sa.PrimaryKeyConstraint("job_number", "series_number", "step"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "datasets",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("source", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("table_digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("warnings", sa.JSON(), nullable=False),
        sa.Column("created_at", INSTANT, server_default=now(), nullable=False),
        sa.ForeignKeyConstraint(
            ["digest"],
            ["blobs.digest"],
        ),
        sa.ForeignKeyConstraint(
            ["table_digest"],
            ["blobs.digest"],
        ),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("ix_datasets_digest", "datasets", ["digest"])
    op.create_index("ix_datasets_owner", "datasets", ["owner"])
    op.create_index("ix_datasets_table_digest", "datasets", ["table_digest"])

    op.create_table(
        "journal",
        sa.Column("job_number", NUMBER, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=True),
        sa.Column("message", sa.String(), nullable=True),
        sa.Column("at", INSTANT, server_default=now(), nullable=False),
        sa.ForeignKeyConstraint(["job_number"], ["jobs.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_number", "sequence"),
    )
    op.create_table(
        "models",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("dataset_sha256", sa.String(), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("fitted", sa.JSON(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("parameters", sa.BigInteger(), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", INSTANT, server_default=now(), nullable=False),
        sa.ForeignKeyConstraint(
            ["digest"],
            ["blobs.digest"],
        ),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("job_id"),
    )
    op.create_index("ix_models_digest", "models", ["digest"])
    op.create_index("ix_models_owner", "models", ["owner"])


def downgrade() -> None:
    for table in (
        "models",
        "journal",
        "datasets",
        "curve_points",
        "curve_buckets",
        "checkpoints",
        "workers",
        "series",
        "jobs",
        "idempotency_keys",
        "blobs",
        "api_keys",
    ):
        op.drop_table(table)
