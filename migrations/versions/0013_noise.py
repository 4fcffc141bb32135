"""noise

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

#: It only compares vectors; who may not install it, or does without, loses nothing but that.
_EXTENSION = """
DO $$ BEGIN
    CREATE EXTENSION IF NOT EXISTS vector;
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR invalid_parameter_value THEN
    RAISE NOTICE 'pgvector is not there: comments are compared by their words';
END $$
"""


def upgrade() -> None:
    op.create_table('mute',
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('mute', sa.Uuid(), nullable=False),
    sa.Column('muted', sa.Boolean(), nullable=False),
    sa.Column('instance', sa.Text(), nullable=False),
    sa.Column('project_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('scope', sa.Text(), nullable=False),
    sa.Column('scanner', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('why', sa.Text(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=True),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('accepted', sa.Integer(), server_default='0', nullable=False),
    sa.Column('counted', sa.Integer(), server_default='0', nullable=False),
    sa.PrimaryKeyConstraint('number')
    )
    op.create_index('mute_by_project', 'mute', ['instance', 'project_id', 'number'], unique=False)
    op.execute("CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON mute FOR EACH ROW EXECUTE FUNCTION refuse_change()")
    op.execute("CREATE TRIGGER not_emptied BEFORE TRUNCATE ON mute FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()")
    op.create_table('suppression',
    sa.Column('run_id', sa.Uuid(), nullable=False),
    sa.Column('fingerprint', sa.Text(), nullable=False),
    sa.Column('instance', sa.Text(), nullable=False),
    sa.Column('project_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('iid', sa.Integer(), nullable=False),
    sa.Column('scanner', sa.Text(), nullable=False),
    sa.Column('rule', sa.Text(), nullable=False),
    sa.Column('category', sa.Text(), nullable=False),
    sa.Column('severity', sa.Text(), nullable=False),
    sa.Column('cause', sa.Text(), nullable=False),
    sa.Column('explanation', sa.Text(), nullable=False),
    sa.Column('mute', sa.Uuid(), nullable=True),
    sa.Column('neighbours', postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('run_id', 'fingerprint')
    )
    op.create_index('suppression_by_project', 'suppression', ['instance', 'project_id', 'at'], unique=False)
    op.create_index('suppression_by_fingerprint', 'suppression', ['fingerprint'], unique=False, postgresql_ops={'fingerprint': 'text_pattern_ops'})
    op.create_table('comment_vector',
    sa.Column('comment_id', sa.Uuid(), nullable=False),
    sa.Column('instance', sa.Text(), nullable=False),
    sa.Column('project_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('model', sa.Text(), nullable=False),
    sa.Column('dimension', sa.Integer(), nullable=False),
    sa.Column('vector', postgresql.ARRAY(sa.REAL()), nullable=False),
    sa.PrimaryKeyConstraint('comment_id')
    )
    op.create_index('comment_vector_by_project', 'comment_vector', ['instance', 'project_id'], unique=False)
    # Numbers of a model do not compress: trying would cost time at every read.
    op.execute('ALTER TABLE comment_vector ALTER COLUMN vector SET STORAGE EXTERNAL')
    op.create_table('noise_pass',
    sa.Column('instance', sa.Text(), nullable=False),
    sa.Column('seen_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('next_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('instance')
    )
    op.execute(_EXTENSION)


def downgrade() -> None:
    for table in ('noise_pass', 'comment_vector', 'suppression', 'mute'):
        op.drop_table(table)
