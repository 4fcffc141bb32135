"""found in time

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None

#: A name of any length fits into an index as far as it is kept there.
_NAME = "left(lower(coalesce(nullif(split_part(actor, ':', 3), ''), actor)), 200)"


#: What a run holds is kilobytes: the newest of a project is to be found without reading all of them.
_INDEXES = {
    'review_run_by_project': ('review_run', ['instance', 'project_id', 'created_at'], {}),
    'audit_entry_by_name': ('audit_entry', [sa.text(_NAME), 'number'], {}),
    'audit_entry_by_action': ('audit_entry', ['action', 'number'], {'action': 'text_pattern_ops'}),
}


def upgrade() -> None:
    # Years of runs take a minute to index: reviews go on meanwhile. What was broken off is begun anew.
    with op.get_context().autocommit_block():
        for name, (table, columns, classes) in _INDEXES.items():
            op.execute(f'DROP INDEX CONCURRENTLY IF EXISTS {name}')
            op.create_index(name, table, columns, postgresql_ops=classes, postgresql_concurrently=True)


def downgrade() -> None:
    for name, (table, _, _) in reversed(_INDEXES.items()):
        op.drop_index(name, table_name=table)
