"""The table that a job was trained on, where its dataset has been read anew since."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":  # where a constraint comes with a new column, or not at all
        op.execute("ALTER TABLE jobs ADD COLUMN table_digest VARCHAR(64) REFERENCES blobs (digest)")
    else:
        op.add_column("jobs", sa.Column("table_digest", sa.String(64), sa.ForeignKey("blobs.digest")))
    op.create_index("ix_jobs_table_digest", "jobs", ["table_digest"])


def downgrade() -> None:
    op.drop_index("ix_jobs_table_digest", "jobs")
    op.drop_column("jobs", "table_digest")
