"""group mutes

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('mute', sa.Column('group_path', sa.Text(), server_default='', nullable=False))


def downgrade() -> None:
    # Mutes of groups would turn into those of a project that is not there.
    op.execute("SET LOCAL cloister.retention = 'on'")
    op.execute("DELETE FROM mute WHERE group_path <> ''")
    op.execute("SET LOCAL cloister.retention = 'off'")
    op.drop_column('mute', 'group_path')
