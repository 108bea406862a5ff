"""The feed, which triggers write; and the best value of each loss and metric of a job, as its curves tell it."""

import sqlalchemy as sa
from alembic import op

from store.database import now

revision = "0014"
down_revision = "0009"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LOWER = ("loss", "log_loss", "mae", "rmse")
HIGHER = ("accuracy", "precision_macro", "recall_macro", "f1_macro", "roc_auc", "tag_accuracy", "r2")
TRIGGERS = (("feed_of_states", "journal"), ("feed_of_names", "jobs"), ("feed_of_deletions", "jobs"))


def upgrade() -> None:
    op.create_table(
        "best_values",
        sa.Column("job_number", NUMBER, nullable=False),
        sa.Column("series_number", sa.Integer(), nullable=False),
        sa.Column("value", sa.Float(53), nullable=False),
        sa.ForeignKeyConstraint(["job_number"], ["jobs.number"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["series_number"], ["series.number"]),
        sa.PrimaryKeyConstraint("job_number", "series_number"),
    )
    for extreme, names in (("MIN", LOWER), ("MAX", HIGHER)):
        listed = ", ".join(f"'{part}_{name}'" for part in ("train", "validation") for name in names)
        op.execute(
            f"INSERT INTO best_values SELECT job_number, series_number, {extreme}(value) FROM curve_points"
            f" WHERE series_number IN (SELECT number FROM series WHERE name IN ({listed}))"
            " AND value BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308 GROUP BY job_number, series_number"
        )
    op.create_table(
        "feed",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("txid", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("at", sa.Float(53), server_default=now(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_index("feed_in_order", "feed", ["txid", "number"])
    op.create_index("feed_by_owner", "feed", ["owner", "txid", "number"])
    if op.get_bind().dialect.name == "postgresql":
        _follow_on_postgresql()
    else:
        _follow_on_sqlite()


def _follow_on_postgresql() -> None:
    op.execute(
        """
        CREATE FUNCTION vidro_feed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_TABLE_NAME = 'journal' THEN
                INSERT INTO feed (txid, owner, job_id)
                SELECT pg_current_xact_id()::text::bigint, owner, id FROM jobs WHERE number = NEW.job_number;
            ELSE
                INSERT INTO feed (txid, owner, job_id, is_deleted)
                VALUES (pg_current_xact_id()::text::bigint, OLD.owner, OLD.id, TG_OP = 'DELETE');
            END IF;
            RETURN NULL;
        END
        $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER feed_of_states AFTER INSERT ON journal
        FOR EACH ROW WHEN (NEW.kind = 'state') EXECUTE FUNCTION vidro_feed()
        """
    )
    op.execute(
        """
        CREATE TRIGGER feed_of_names AFTER UPDATE OF name, tags ON jobs FOR EACH ROW
        WHEN (OLD.name IS DISTINCT FROM NEW.name OR OLD.tags::text IS DISTINCT FROM NEW.tags::text)
        EXECUTE FUNCTION vidro_feed()
        """
    )
    op.execute("CREATE TRIGGER feed_of_deletions AFTER DELETE ON jobs FOR EACH ROW EXECUTE FUNCTION vidro_feed()")


def _follow_on_sqlite() -> None:
    op.execute(
        """
        CREATE TRIGGER feed_of_states AFTER INSERT ON journal WHEN NEW.kind = 'state'
        BEGIN
            INSERT INTO feed (owner, job_id) SELECT owner, id FROM jobs WHERE number = NEW.job_number;
        END
        """
    )
    op.execute(
        """
        CREATE TRIGGER feed_of_names AFTER UPDATE OF name, tags ON jobs
        WHEN OLD.name IS NOT NEW.name OR OLD.tags IS NOT NEW.tags
        BEGIN
            INSERT INTO feed (owner, job_id) VALUES (OLD.owner, OLD.id);
        END
        """
    )
    op.execute(
        """
        CREATE TRIGGER feed_of_deletions AFTER DELETE ON jobs
        BEGIN
            INSERT INTO feed (owner, job_id, is_deleted) VALUES (OLD.owner, OLD.id, 1);
        END
        """
    )


def downgrade() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for trigger, table in TRIGGERS:
        op.execute(f"DROP TRIGGER {trigger}" + (f" ON {table}" if is_postgresql else ""))
    if is_postgresql:
        op.execute("DROP FUNCTION vidro_feed()")
    op.drop_table("feed")
    op.drop_table("best_values")
