"""Keys have a name, an end and a last use; one that is revoked stays listed, so that a server that had keys stays closed."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"
branch_labels = None
depends_on = None

INSTANTS = ("last_used_at", "expires_at", "revoked_at")


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("name", sa.String()))
    for name in INSTANTS:
        op.add_column("api_keys", sa.Column(name, sa.Float(53)))


def downgrade() -> None:
    op.execute("DELETE FROM api_keys WHERE revoked_at IS NOT NULL")  # who does not know the column would let them in
    for name in (*reversed(INSTANTS), "name"):
        op.drop_column("api_keys", name)
