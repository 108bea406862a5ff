"""Positions within an epoch, forks, progress; what a job's state says of its lease and its end; workers' limits."""

import sqlalchemy as sa
from alembic import op

from store.database import now

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LEASE = "(state IN ('running', 'pausing', 'cancelling')) = (lease_until IS NOT NULL)"
FINISHED = "(state IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        # Here a constraint comes with a new column or with a new table, and to drop the old one would empty those below it.
        op.execute(f"ALTER TABLE jobs ADD COLUMN fraction FLOAT DEFAULT 0 NOT NULL CONSTRAINT jobs_lease CHECK ({LEASE})")
        op.execute(f"ALTER TABLE jobs ADD COLUMN eta_seconds FLOAT CONSTRAINT jobs_finished CHECK ({FINISHED})")
    else:
        op.add_column("jobs", sa.Column("fraction", sa.Float(53), server_default=sa.text("0"), nullable=False))
        op.add_column("jobs", sa.Column("eta_seconds", sa.Float(53)))
        op.create_check_constraint("jobs_lease", "jobs", LEASE)
        op.create_check_constraint("jobs_finished", "jobs", FINISHED)
    op.execute("UPDATE jobs SET fraction = epoch * 1.0 / epochs WHERE epochs > 0")
    op.add_column("jobs", sa.Column("forked_from", sa.String()))
    op.add_column("jobs", sa.Column("forked_epoch", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("workers", sa.Column("max_job_bytes", sa.BigInteger()))
    op.create_table(
        "positions",
        sa.Column("job_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Float(53), server_default=now(), nullable=False),
        sa.ForeignKeyConstraint(["digest"], ["blobs.digest"]),
        sa.ForeignKeyConstraint(["job_number"], ["jobs.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_number"),
    )
    op.create_index("ix_positions_digest", "positions", ["digest"])


def downgrade() -> None:
    op.drop_table("positions")
    op.drop_column("workers", "max_job_bytes")
    op.drop_column("jobs", "forked_epoch")
    op.drop_column("jobs", "forked_from")
    if op.get_bind().dialect.name != "sqlite":  # where they go with their columns
        op.drop_constraint("jobs_finished", "jobs")
        op.drop_constraint("jobs_lease", "jobs")
    op.drop_column("jobs", "eta_seconds")
    op.drop_column("jobs", "fraction")
