"""dashboards

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

#: Whoever writes what is counted says so in the same transaction, whatever writes it; see bot.adapters.rollups_postgres.
_TOUCHED = """
CREATE FUNCTION rollup_due_touched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rollup_due (instance, project_id, iid) SELECT DISTINCT instance, project_id, iid FROM touched;
    RETURN NULL;
END $$
"""
_SIGNALLED = """
CREATE FUNCTION rollup_due_signalled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rollup_due (instance, project_id, iid)
    SELECT m.instance, m.project_id, m.iid FROM merge_request m
    WHERE m.id IN (SELECT merge_request_id FROM touched);
    RETURN NULL;
END $$
"""
_LABELLED = """
CREATE FUNCTION rollup_due_labelled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rollup_due (instance, project_id, iid)
    SELECT DISTINCT c.instance, c.project_id, c.iid FROM touched JOIN comment c ON c.id = touched.comment_id;
    RETURN NULL;
END $$
"""
#: What is gone cannot be asked any more for the day on which it was counted.
_GONE = """
CREATE FUNCTION rollup_due_gone_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rollup_due (instance, project_id, iid, day)
    SELECT DISTINCT instance, project_id, iid, ({moment} AT TIME ZONE 'UTC')::date FROM touched;
    RETURN NULL;
END $$
"""
_TRIGGER = """
CREATE TRIGGER rollup_due_{event} AFTER {event} ON {table} REFERENCING {which} TABLE AS touched
FOR EACH STATEMENT EXECUTE FUNCTION {function}()
"""
_TRIGGERS = (
    ('insert', 'signal', 'NEW', 'rollup_due_signalled'),
    ('delete', 'signal', 'OLD', 'rollup_due_signalled'),
    ('insert', 'comment', 'NEW', 'rollup_due_touched'),
    ('update', 'comment', 'NEW', 'rollup_due_touched'),
    ('delete', 'comment', 'OLD', 'rollup_due_gone_comment'),
    ('insert', 'label', 'NEW', 'rollup_due_labelled'),
    ('update', 'label', 'NEW', 'rollup_due_labelled'),
    ('delete', 'label', 'OLD', 'rollup_due_labelled'),
    ('insert', 'review_fact', 'NEW', 'rollup_due_touched'),
    ('update', 'review_fact', 'NEW', 'rollup_due_touched'),
    ('delete', 'review_fact', 'OLD', 'rollup_due_gone_review_fact'),
)
_FUNCTIONS = ('touched', 'signalled', 'labelled', 'gone_comment', 'gone_review_fact')
_TABLES = (
    'forgotten', 'rollup_due', 'rollup_bucket', 'rollup_kind', 'rollup', 'comment_kind', 'release_seen', 'review_fact', 'project',
)


def upgrade() -> None:
    op.create_table('comment_kind',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('scanner', sa.Text(), nullable=False),
    sa.Column('rule', sa.Text(), nullable=False),
    sa.Column('category', sa.Text(), nullable=False),
    sa.Column('severity', sa.Text(), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('model', sa.Text(), nullable=False),
    sa.Column('model_digest', sa.Text(), nullable=False),
    sa.Column('prompt_version', sa.Text(), nullable=False),
    sa.Column('first_on', sa.Date(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('scanner', 'rule', 'category', 'severity', 'language', 'model', 'model_digest', 'prompt_version', name='comment_kind_once')
    )
    op.create_table('project',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('instance', sa.Text(), nullable=False),
    sa.Column('project_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('path', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('instance', 'project_id')
    )
    op.create_table('release_seen',
    sa.Column('release', sa.Text(), nullable=False),
    sa.Column('first_on', sa.Date(), nullable=False),
    sa.PrimaryKeyConstraint('release')
    )
    op.create_table('review_fact',
    sa.Column('run_id', sa.Uuid(), nullable=False),
    sa.Column('instance', sa.Text(), nullable=False),
    sa.Column('project_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('iid', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('commented_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('generated', sa.Integer(), server_default='0', nullable=False),
    sa.Column('posted', sa.Integer(), server_default='0', nullable=False),
    sa.Column('standing', sa.Boolean(), nullable=False),
    sa.Column('filtered', JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('files', sa.Integer(), server_default='0', nullable=False),
    sa.Column('files_read', sa.Integer(), server_default='0', nullable=False),
    sa.Column('blocking', sa.Integer(), server_default='0', nullable=False),
    sa.Column('undecided', sa.Boolean(), nullable=False),
    sa.Column('waived', sa.Integer(), server_default='0', nullable=False),
    sa.Column('trace_id', sa.Text(), server_default='', nullable=False),
    sa.Column('detail', JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.PrimaryKeyConstraint('run_id')
    )
    op.create_index('review_fact_by_merge_request', 'review_fact', ['instance', 'project_id', 'iid', 'created_at'], unique=False)
    op.create_index('review_fact_by_project', 'review_fact', ['instance', 'project_id', 'created_at', 'run_id'], unique=False)
    op.create_index('review_fact_by_time', 'review_fact', ['instance', 'created_at', 'run_id'], unique=False)
    op.create_table('rollup',
    sa.Column('monthly', sa.Boolean(), autoincrement=False, nullable=False),
    sa.Column('project', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('starts', sa.Date(), autoincrement=False, nullable=False),
    sa.Column('accepted_strong', sa.Integer(), server_default='0', nullable=False),
    sa.Column('accepted_weak', sa.Integer(), server_default='0', nullable=False),
    sa.Column('rejected_strong', sa.Integer(), server_default='0', nullable=False),
    sa.Column('unknown', sa.Integer(), server_default='0', nullable=False),
    sa.Column('censored', sa.Integer(), server_default='0', nullable=False),
    sa.Column('downvoted', sa.Integer(), server_default='0', nullable=False),
    sa.Column('suggested', sa.Integer(), server_default='0', nullable=False),
    sa.Column('applied', sa.Integer(), server_default='0', nullable=False),
    sa.Column('open_criticals', sa.Integer(), server_default='0', nullable=False),
    sa.Column('reviews', sa.Integer(), server_default='0', nullable=False),
    sa.Column('merge_requests', sa.Integer(), server_default='0', nullable=False),
    sa.Column('silent', sa.Integer(), server_default='0', nullable=False),
    sa.Column('generated', sa.Integer(), server_default='0', nullable=False),
    sa.Column('posted', sa.Integer(), server_default='0', nullable=False),
    sa.Column('files', sa.Integer(), server_default='0', nullable=False),
    sa.Column('files_read', sa.Integer(), server_default='0', nullable=False),
    sa.Column('blocked', sa.Integer(), server_default='0', nullable=False),
    sa.Column('undecided', sa.Integer(), server_default='0', nullable=False),
    sa.Column('waived', sa.Integer(), server_default='0', nullable=False),
    sa.PrimaryKeyConstraint('monthly', 'project', 'starts')
    )
    op.create_index('rollup_by_time', 'rollup', ['monthly', 'starts'], unique=False)
    op.create_table('rollup_bucket',
    sa.Column('monthly', sa.Boolean(), autoincrement=False, nullable=False),
    sa.Column('project', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('what', sa.Text(), autoincrement=False, nullable=False),
    sa.Column('starts', sa.Date(), autoincrement=False, nullable=False),
    sa.Column('bucket', sa.SmallInteger(), autoincrement=False, nullable=False),
    sa.Column('cases', sa.Integer(), server_default='0', nullable=False),
    sa.PrimaryKeyConstraint('monthly', 'project', 'what', 'starts', 'bucket')
    )
    op.create_index('rollup_bucket_by_time', 'rollup_bucket', ['monthly', 'what', 'starts'], unique=False)
    op.create_table('rollup_due',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('instance', sa.Text(), nullable=False),
    sa.Column('project_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('iid', sa.Integer(), nullable=True),
    sa.Column('day', sa.Date(), nullable=True),
    sa.Column('since', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('rollup_kind',
    sa.Column('monthly', sa.Boolean(), autoincrement=False, nullable=False),
    sa.Column('project', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('starts', sa.Date(), autoincrement=False, nullable=False),
    sa.Column('kind', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('accepted_strong', sa.Integer(), server_default='0', nullable=False),
    sa.Column('accepted_weak', sa.Integer(), server_default='0', nullable=False),
    sa.Column('rejected_strong', sa.Integer(), server_default='0', nullable=False),
    sa.Column('unknown', sa.Integer(), server_default='0', nullable=False),
    sa.Column('censored', sa.Integer(), server_default='0', nullable=False),
    sa.Column('downvoted', sa.Integer(), server_default='0', nullable=False),
    sa.Column('suggested', sa.Integer(), server_default='0', nullable=False),
    sa.Column('applied', sa.Integer(), server_default='0', nullable=False),
    sa.Column('open_criticals', sa.Integer(), server_default='0', nullable=False),
    sa.Column('sample', sa.Uuid(), nullable=True),
    sa.PrimaryKeyConstraint('monthly', 'project', 'starts', 'kind')
    )
    op.create_index('rollup_kind_by_time', 'rollup_kind', ['monthly', 'starts'], unique=False)
    op.create_table('forgotten',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('instance', sa.Text(), nullable=False),
    sa.Column('what', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('rows', JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('comment_by_project', 'comment', ['instance', 'project_id', 'posted_at'])
    op.execute(_TOUCHED)
    op.execute(_SIGNALLED)
    op.execute(_LABELLED)
    op.execute(_GONE.format(table='comment', moment='posted_at'))
    op.execute(_GONE.format(table='review_fact', moment='created_at'))
    for event, table, which, function in _TRIGGERS:
        op.execute(_TRIGGER.format(event=event, table=table, which=which, function=function))


def downgrade() -> None:
    for event, table, _, _ in _TRIGGERS:
        op.execute(f'DROP TRIGGER rollup_due_{event} ON {table}')
    op.drop_index('comment_by_project', 'comment')
    for table in _TABLES:
        op.drop_table(table)
    for function in _FUNCTIONS:
        op.execute(f'DROP FUNCTION rollup_due_{function}')
