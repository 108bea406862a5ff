"""PostgreSQL notifies of a job, by its number, whose journal or count of epochs was written."""

from alembic import op

revision = "0009"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute(
        """
        CREATE FUNCTION vidro_notify_job() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_TABLE_NAME = 'journal' THEN
                PERFORM pg_notify('vidro_jobs', NEW.job_number::text);
            ELSE
                PERFORM pg_notify('vidro_jobs', NEW.number::text);
            END IF;
            RETURN NULL;
        END
        $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER journal_notify AFTER INSERT ON journal
        FOR EACH ROW WHEN (NEW.sequence > 1) EXECUTE FUNCTION vidro_notify_job()
        """
    )
    op.execute(
        """
        CREATE TRIGGER jobs_notify AFTER UPDATE ON jobs
        FOR EACH ROW WHEN (OLD.epoch IS DISTINCT FROM NEW.epoch) EXECUTE FUNCTION vidro_notify_job()
        """
    )


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("DROP TRIGGER jobs_notify ON jobs")
    op.execute("DROP TRIGGER journal_notify ON journal")
    op.execute("DROP FUNCTION vidro_notify_job()")
