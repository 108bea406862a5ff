"""Owners' turns in the queues, how many columns a dataset has, and indexes for lists, counts and the queues."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0008"
branch_labels = None
depends_on = None

LISTED = ("datasets", "jobs", "models")


def upgrade() -> None:
    op.create_table(
        "turns",
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("served", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("queue", "owner"),
    )
    op.create_index("turns_in_order", "turns", ["served"])
    op.execute(
        "INSERT INTO turns (queue, owner) SELECT DISTINCT queue, owner FROM jobs"
        " WHERE state NOT IN ('succeeded', 'failed', 'cancelled')"
    )
    op.add_column("datasets", sa.Column("column_count", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.execute("UPDATE datasets SET column_count = json_array_length(columns)")
    for table in LISTED:
        op.drop_index(f"ix_{table}_owner", table)
        op.create_index(f"{table}_by_owner", table, ["owner", "number"])
    op.create_index("jobs_by_owner_and_state", "jobs", ["owner", "state", "number"])
    op.create_index("jobs_in_line", "jobs", ["state", "owner", "queue", "number"])


def downgrade() -> None:
    op.drop_index("jobs_in_line", "jobs")
    op.drop_index("jobs_by_owner_and_state", "jobs")
    for table in LISTED:
        op.drop_index(f"{table}_by_owner", table)
        op.create_index(f"ix_{table}_owner", table, ["owner"])
    op.drop_column("datasets", "column_count")
    op.drop_index("turns_in_order", "turns")
    op.drop_table("turns")
