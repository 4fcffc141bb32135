"""conversation

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('merge_request', sa.Column('paused', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    op.create_table('answered_comment',
    sa.Column('instance', sa.Text(), nullable=False),
    sa.Column('project_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('iid', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('note_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('author_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('commands', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('instance', 'project_id', 'iid', 'note_id')
    )


def downgrade() -> None:
    op.drop_table('answered_comment')
    op.drop_column('merge_request', 'paused')
