"""waivers

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('waiver_event',
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('waiver', sa.Uuid(), nullable=False),
    sa.Column('deed', sa.Text(), nullable=False),
    sa.Column('instance', sa.Text(), nullable=False),
    sa.Column('project_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('iid', sa.Integer(), nullable=False),
    sa.Column('fingerprint', sa.Text(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=True),
    sa.Column('until', sa.Date(), nullable=True),
    sa.Column('body', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('number')
    )
    op.create_index('waiver_event_by_day', 'waiver_event', ['until'], unique=False)
    op.create_index('waiver_event_by_merge_request', 'waiver_event', ['instance', 'project_id', 'iid'], unique=False)
    op.create_index('waiver_event_by_waiver', 'waiver_event', ['waiver', 'number'], unique=False)


def downgrade() -> None:
    op.drop_table('waiver_event')
