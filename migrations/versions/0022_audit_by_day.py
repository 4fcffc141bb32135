"""audit by day

Revision ID: 0022
Revises: 0021
"""

from alembic import op

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None


def upgrade() -> None:
    _index(postgresql_include=['number'])


def downgrade() -> None:
    _index()


def _index(**more: object) -> None:
    # Whoever decides something need not wait for it. What was broken off is begun anew.
    with op.get_context().autocommit_block():
        op.execute('DROP INDEX CONCURRENTLY IF EXISTS audit_entry_by_time')
        op.create_index('audit_entry_by_time', 'audit_entry', ['at'], postgresql_concurrently=True, **more)
