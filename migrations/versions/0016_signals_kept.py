"""signals kept

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None

_SINCE = """
CREATE FUNCTION signals_since() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT since FROM signals_kept'
"""

#: Makes the partition for the month of a time, unless it is there, or its signals were dropped because of their age. A
#: table of that name which is no partition any more, as after DETACH, is in nobody's way.
_PARTITION = """
CREATE OR REPLACE FUNCTION make_signal_partition(moment timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first timestamptz := date_trunc('month', moment, 'UTC');
    month text := 'signal_' || to_char(first AT TIME ZONE 'UTC', 'YYYY_MM');
    name text := month;
BEGIN
    IF {gone} EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                      WHERE i.inhparent = 'signal'::regclass AND starts_with(c.relname, month)) THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('cloister.signal_partitions'));
    -- Another session may have made it while this one waited.
    IF EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
               WHERE i.inhparent = 'signal'::regclass AND starts_with(c.relname, month)) THEN
        RETURN;
    END IF;
    WHILE to_regclass(name) IS NOT NULL LOOP
        name := name || '_again';
    END LOOP;
    EXECUTE format('CREATE TABLE %I (LIKE signal INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
    EXECUTE format(
        'ALTER TABLE signal ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        name, first, (first AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC');
END $$
"""


def upgrade() -> None:
    op.create_table('signals_kept',
    sa.Column('one', sa.Boolean(), autoincrement=False, nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint('one', name='signals_kept_once'),
    sa.PrimaryKeyConstraint('one')
    )
    # Before any GitLab: nothing is gone yet.
    op.execute("INSERT INTO signals_kept (one, since) VALUES (true, '1970-01-01 00:00:00+00')")
    op.execute(_SINCE)
    op.execute(_PARTITION.format(gone='first < signals_since() OR'))


def downgrade() -> None:
    op.execute(_PARTITION.format(gone=''))
    op.execute('DROP FUNCTION signals_since()')
    op.drop_table('signals_kept')
