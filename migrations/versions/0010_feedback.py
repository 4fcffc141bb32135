"""feedback

Revision ID: 0010
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

#: Makes the partition for the month of a time, unless it is there. Attaching takes a lock that lets inserts go on.
PARTITION = """
CREATE FUNCTION make_signal_partition(moment timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first timestamptz := date_trunc('month', moment, 'UTC');
    name text := 'signal_' || to_char(first AT TIME ZONE 'UTC', 'YYYY_MM');
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('cloister.signal_partitions'));
    -- A look into the catalogue's cache would not see what another session made while this one waited.
    IF EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
               WHERE i.inhparent = 'signal'::regclass AND c.relname = name) THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE signal INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
    EXECUTE format(
        'ALTER TABLE signal ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        name, first, (first AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC');
END $$
"""

#: Refuses every change but what retention does.
REFUSE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('cloister.retention', true) = 'on' THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""

#: A comment is told its thread once, when that is seen for the first time.
PLACE = """
CREATE FUNCTION refuse_change_of_comment() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    told text[] := ARRAY['discussion_id', 'note_id', 'had_suggestion'];
BEGIN
    IF current_setting('cloister.retention', true) = 'on'
       OR (OLD.note_id IS NULL AND to_jsonb(OLD) - told = to_jsonb(NEW) - told) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""


def upgrade() -> None:
    op.create_table('comment',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('instance', sa.Text(), nullable=False),
    sa.Column('project_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('iid', sa.Integer(), nullable=False),
    sa.Column('fingerprint', sa.Text(), nullable=False),
    sa.Column('discussion_id', sa.Text(), nullable=True),
    sa.Column('note_id', sa.BigInteger(), nullable=True),
    sa.Column('run_id', sa.Uuid(), nullable=False),
    sa.Column('head_sha', sa.Text(), nullable=False),
    sa.Column('rule', sa.Text(), nullable=False),
    sa.Column('scanner', sa.Text(), nullable=False),
    sa.Column('category', sa.Text(), nullable=False),
    sa.Column('severity', sa.Text(), nullable=False),
    sa.Column('confidence', sa.Text(), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('path', sa.Text(), nullable=False),
    sa.Column('line', sa.Integer(), nullable=False),
    sa.Column('end_line', sa.Integer(), nullable=False),
    sa.Column('model', sa.Text(), nullable=False),
    sa.Column('model_digest', sa.Text(), nullable=False),
    sa.Column('prompt_version', sa.Text(), nullable=False),
    sa.Column('had_suggestion', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('author_is_bot', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('posted_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('comment_by_merge_request', 'comment', ['instance', 'project_id', 'iid'])
    op.create_index('comment_by_time', 'comment', ['posted_at'])
    op.create_table('signal',
    sa.Column('began_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('merge_request_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('comment_id', sa.Uuid(), nullable=True),
    sa.Column('note_id', sa.BigInteger(), nullable=True),
    sa.Column('actor_id', sa.BigInteger(), nullable=True),
    sa.Column('actor_is_author', sa.Boolean(), nullable=False),
    sa.Column('actor_is_bot', sa.Boolean(), nullable=False),
    sa.Column('judged', sa.Boolean(), nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('emoji', sa.Text(), nullable=True),
    sa.Column('reply', sa.Text(), nullable=True),
    sa.Column('head_sha', sa.LargeBinary(), nullable=True),
    sa.Column('detail', postgresql.JSONB(), nullable=True),
    sa.PrimaryKeyConstraint('began_at', 'id'),
    postgresql_partition_by='RANGE (began_at)'
    )
    op.create_index('signal_by_comment', 'signal', ['comment_id'], postgresql_where=sa.text('comment_id IS NOT NULL'))
    op.create_index('signal_by_merge_request', 'signal', ['merge_request_id'])
    op.create_index('signal_by_time', 'signal', ['seen_at'], postgresql_using='brin')
    op.create_table('feedback_watch',
    sa.Column('instance', sa.Text(), nullable=False),
    sa.Column('project_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('iid', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('began_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('author_id', sa.BigInteger(), nullable=True),
    sa.Column('state', sa.Text(), server_default='opened', nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('target_branch', sa.Text(), server_default='', nullable=False),
    sa.Column('head_sha', sa.Text(), nullable=True),
    sa.Column('step', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('failures', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('seen', postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('expected_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('claimed_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('instance', 'project_id', 'iid')
    )
    op.create_index('feedback_watch_due', 'feedback_watch', ['next_at'], postgresql_where=sa.text('next_at IS NOT NULL'))
    op.create_index('feedback_watch_claimed', 'feedback_watch', ['claimed_at'])
    op.create_table('feedback_project',
    sa.Column('instance', sa.Text(), nullable=False),
    sa.Column('project_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('heard_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('instance', 'project_id')
    )
    for statement in (PARTITION, REFUSE, PLACE):
        op.execute(statement)
    op.execute("CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON signal FOR EACH ROW EXECUTE FUNCTION refuse_change()")
    op.execute("CREATE TRIGGER append_only BEFORE DELETE ON comment FOR EACH ROW EXECUTE FUNCTION refuse_change()")
    op.execute("CREATE TRIGGER told_once BEFORE UPDATE ON comment FOR EACH ROW EXECUTE FUNCTION refuse_change_of_comment()")
    for table in ('comment', 'signal'):
        op.execute(f"CREATE TRIGGER not_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()")
    op.execute("SELECT make_signal_partition(now() + make_interval(months => n)) FROM generate_series(0, 2) AS n")


def downgrade() -> None:
    for table in ('feedback_project', 'feedback_watch', 'signal', 'comment'):
        op.drop_table(table)
    for function in ('make_signal_partition(timestamptz)', 'refuse_change()', 'refuse_change_of_comment()'):
        op.execute(f"DROP FUNCTION {function}")
