"""verdicts

Revision ID: 0008
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0008'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('verdict',
    sa.Column('run_id', sa.Uuid(), nullable=False),
    sa.Column('instance', sa.Text(), nullable=False),
    sa.Column('project_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('iid', sa.Integer(), nullable=False),
    sa.Column('source_project_id', sa.BigInteger(), nullable=True),
    sa.Column('head_sha', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('final', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('body', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['review_run.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('run_id')
    )
    op.create_index('review_run_by_head', 'review_run', ['instance', 'head_sha'], unique=False)


def downgrade() -> None:
    op.drop_index('review_run_by_head', table_name='review_run')
    op.drop_table('verdict')
