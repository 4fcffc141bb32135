"""decisions in time

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

#: A name of any length fits into an index as far as it is kept there.
_SUBJECT = ['instance', 'project_id', 'group_path', sa.text('left(name, 200)'), 'number']

#: The audit log by project and by day; of mutes, which hold, and what was decided last of the same.
_INDEXES = {
    'audit_entry_by_project': ('audit_entry', ['project_id', 'number']),
    'audit_entry_by_time': ('audit_entry', ['at']),
    'mute_by_end': ('mute', ['instance', 'until']),
    'mute_by_subject': ('mute', _SUBJECT),
}


def upgrade() -> None:
    # Whoever decides something need not wait for it. What was broken off is begun anew.
    with op.get_context().autocommit_block():
        for name, (table, columns) in _INDEXES.items():
            op.execute(f'DROP INDEX CONCURRENTLY IF EXISTS {name}')
            op.create_index(name, table, columns, postgresql_concurrently=True)


def downgrade() -> None:
    for name, (table, _) in reversed(_INDEXES.items()):
        op.drop_index(name, table_name=table)
