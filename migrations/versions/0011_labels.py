"""labels

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('label',
    sa.Column('comment_id', sa.Uuid(), nullable=False),
    sa.Column('label_version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('label', sa.Text(), nullable=False),
    sa.Column('censored_why', sa.Text(), server_default='', nullable=False),
    sa.Column('contradictory', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('reasons', postgresql.ARRAY(sa.Uuid()), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('frozen_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('late_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('comment_id', 'label_version')
    )
    op.create_table('label_rebuild',
    sa.Column('label_version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('posted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('comment_id', sa.Uuid(), nullable=False),
    sa.PrimaryKeyConstraint('label_version')
    )
    op.create_table('learning_opt_out',
    sa.Column('instance', sa.Text(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('instance', 'user_id')
    )


def downgrade() -> None:
    op.drop_table('learning_opt_out')
    op.drop_table('label_rebuild')
    op.drop_table('label')
