"""The form that a row's JSON documents have, which `store.stored_forms` brings up; and when parts of a job were removed."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = ("datasets", "jobs", "models")
REMOVED = ("checkpoints_removed_at", "curves_removed_at")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("form", sa.SmallInteger(), server_default=sa.text("0"), nullable=False))
    for name in REMOVED:
        op.add_column("jobs", sa.Column(name, sa.Float(53)))


def downgrade() -> None:
    for name in REMOVED:
        op.drop_column("jobs", name)
    for table in TABLES:
        op.drop_column(table, "form")
