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


def upgrade() -> None:
    # What a run holds is kilobytes: the newest of a project is to be found without reading all of them.
    op.create_index('review_run_by_project', 'review_run', ['instance', 'project_id', 'created_at'])
    op.create_index('audit_entry_by_name', 'audit_entry', [sa.text(_NAME), 'number'])
    op.create_index('audit_entry_by_action', 'audit_entry', ['action', 'number'],
    postgresql_ops={'action': 'text_pattern_ops'})


def downgrade() -> None:
    for name, table in (
        ('audit_entry_by_action', 'audit_entry'),
        ('audit_entry_by_name', 'audit_entry'),
        ('review_run_by_project', 'review_run'),
    ):
        op.drop_index(name, table_name=table)
