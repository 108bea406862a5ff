"""Jobs about other jobs (replays, slices, repeats), their results, groups of jobs, and the versions that a job ran with."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from store.database import now

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COLUMNS: dict[str, Any] = {"parent": sa.String(), "group_id": sa.String(), "asked": sa.JSON(), "versions": sa.JSON()}
INDEXED = ("group_id", "result_digest")


def upgrade() -> None:
    op.add_column("jobs", sa.Column("kind", sa.String(), server_default=sa.text("'training'"), nullable=False))
    for name, of_type in COLUMNS.items():
        op.add_column("jobs", sa.Column(name, of_type))
    if op.get_bind().dialect.name == "sqlite":  # where a constraint comes with a new column, or not at all
        op.execute("ALTER TABLE jobs ADD COLUMN result_digest VARCHAR(64) REFERENCES blobs (digest)")
    else:
        op.add_column("jobs", sa.Column("result_digest", sa.String(64), sa.ForeignKey("blobs.digest")))
    for name in INDEXED:
        op.create_index(f"ix_jobs_{name}", "jobs", [name])
    op.create_table(
        "groups",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("parent", sa.String(), nullable=False),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Float(53), server_default=now(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("groups_by_owner", "groups", ["owner", "number"])


def downgrade() -> None:
    op.drop_table("groups")
    for name in INDEXED:
        op.drop_index(f"ix_jobs_{name}", "jobs")
    for name in ("result_digest", *COLUMNS, "kind"):
        op.drop_column("jobs", name)
