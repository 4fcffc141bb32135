"""first schema

Revision ID: 0001
Revises: 
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('dead_letter',
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('consumer_group', sa.Text(), nullable=False),
    sa.Column('event_id', sa.Uuid(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('error', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('record', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('parked_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('number'),
    sa.UniqueConstraint('consumer_group', 'event_id')
    )
    op.create_table('delayed_event',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('attempt', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('stage', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('body', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('trace', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', 'attempt')
    )
    op.create_index('delayed_event_by_due', 'delayed_event', ['due_at'], unique=False)
    op.create_table('event',
    sa.Column('partition', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('log_offset', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('stage', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('body', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('trace', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('appended_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('partition', 'log_offset'),
    sa.UniqueConstraint('id', 'attempt')
    )
    op.create_index('event_by_stage', 'event', ['stage', 'partition', 'log_offset'], unique=False)
    op.create_index('event_by_time', 'event', ['appended_at'], unique=False)
    op.create_table('event_partition',
    sa.Column('partition', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('next_offset', sa.BigInteger(), server_default='0', nullable=False),
    sa.PrimaryKeyConstraint('partition')
    )
    op.create_table('group_member',
    sa.Column('consumer_group', sa.Text(), nullable=False),
    sa.Column('member', sa.Uuid(), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('consumer_group', 'member')
    )
    op.create_table('group_offset',
    sa.Column('consumer_group', sa.Text(), nullable=False),
    sa.Column('partition', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('next_offset', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.PrimaryKeyConstraint('consumer_group', 'partition')
    )
    op.create_table('inbox',
    sa.Column('consumer_group', sa.Text(), nullable=False),
    sa.Column('event_id', sa.Uuid(), nullable=False),
    sa.Column('starts', sa.Integer(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('consumer_group', 'event_id')
    )
    op.create_index('inbox_by_time', 'inbox', ['started_at'], unique=False)
    op.create_table('instance_key',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('value', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('name')
    )
    op.create_table('merge_request',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('instance', sa.Text(), nullable=False),
    sa.Column('project_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('iid', sa.Integer(), nullable=False),
    sa.Column('head_sha', sa.Text(), nullable=True),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('run_id', sa.Uuid(), nullable=True),
    sa.Column('summary_note_id', sa.BigInteger(), nullable=True),
    sa.Column('posting_since', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('instance', 'project_id', 'iid')
    )
    op.create_table('model_call',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('run_id', sa.Uuid(), nullable=False),
    sa.Column('model', sa.Text(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('prompt_version', sa.Text(), nullable=False),
    sa.Column('input_sha256', sa.Text(), nullable=False),
    sa.Column('output_sha256', sa.Text(), nullable=False),
    sa.Column('prompt_tokens', sa.Integer(), nullable=False),
    sa.Column('output_tokens', sa.Integer(), nullable=False),
    sa.Column('duration_s', sa.Float(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('called_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('model_call_by_run', 'model_call', ['run_id'], unique=False)
    op.create_table('review_run',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('instance', sa.Text(), nullable=False),
    sa.Column('project_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('iid', sa.Integer(), nullable=False),
    sa.Column('head_sha', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('body', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('review_run_by_merge_request', 'review_run', ['instance', 'project_id', 'iid', 'created_at'], unique=False)
    op.create_index('review_run_by_state', 'review_run', ['state', 'created_at'], unique=False)
    op.create_table('thread',
    sa.Column('instance', sa.Text(), nullable=False),
    sa.Column('project_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('iid', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('fingerprint', sa.Text(), nullable=False),
    sa.Column('run_id', sa.Uuid(), nullable=False),
    sa.Column('discussion_id', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('scanner', sa.Text(), nullable=False),
    sa.Column('rule', sa.Text(), nullable=False),
    sa.Column('severity', sa.Text(), nullable=False),
    sa.Column('path', sa.Text(), nullable=False),
    sa.Column('anchor', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('instance', 'project_id', 'iid', 'fingerprint')
    )
    op.create_index('thread_by_discussion', 'thread', ['discussion_id'], unique=False)
    op.create_table('finding',
    sa.Column('run_id', sa.Uuid(), nullable=False),
    sa.Column('step', sa.Text(), nullable=False),
    sa.Column('fingerprint', sa.Text(), nullable=False),
    sa.Column('rule', sa.Text(), nullable=False),
    sa.Column('category', sa.Text(), nullable=False),
    sa.Column('severity', sa.Text(), nullable=False),
    sa.Column('path', sa.Text(), nullable=False),
    sa.Column('body', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['review_run.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('run_id', 'step', 'fingerprint')
    )
    op.execute('INSERT INTO event_partition (partition, next_offset) SELECT n, 0 FROM generate_series(0, 15) n')


def downgrade() -> None:
    op.drop_table('finding')
    op.drop_index('thread_by_discussion', table_name='thread')
    op.drop_table('thread')
    op.drop_index('review_run_by_state', table_name='review_run')
    op.drop_index('review_run_by_merge_request', table_name='review_run')
    op.drop_table('review_run')
    op.drop_index('model_call_by_run', table_name='model_call')
    op.drop_table('model_call')
    op.drop_table('merge_request')
    op.drop_table('instance_key')
    op.drop_index('inbox_by_time', table_name='inbox')
    op.drop_table('inbox')
    op.drop_table('group_offset')
    op.drop_table('group_member')
    op.drop_table('event_partition')
    op.drop_index('event_by_time', table_name='event')
    op.drop_index('event_by_stage', table_name='event')
    op.drop_table('event')
    op.drop_index('delayed_event_by_due', table_name='delayed_event')
    op.drop_table('delayed_event')
    op.drop_table('dead_letter')
