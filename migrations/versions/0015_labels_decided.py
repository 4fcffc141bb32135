"""labels decided

Revision ID: 0015
Revises: 0014
"""

from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('label_by_decision', 'label', ['decided_at'])


def downgrade() -> None:
    op.drop_index('label_by_decision', table_name='label')
