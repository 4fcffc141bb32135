"""distributed mode

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('group_member', sa.Column('application', sa.Text(), server_default='', nullable=False))
    op.add_column('inbox', sa.Column('starter', sa.Text(), server_default='', nullable=False))
    op.create_table('reconciliation',
    sa.Column('instance', sa.Text(), nullable=False),
    sa.Column('updated_after', sa.DateTime(timezone=True), nullable=False),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('instance')
    )


def downgrade() -> None:
    op.drop_table('reconciliation')
    op.drop_column('inbox', 'starter')
    op.drop_column('group_member', 'application')
