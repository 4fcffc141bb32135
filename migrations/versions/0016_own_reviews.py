"""own reviews

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Reviews of before are nobody's own: who made their merge requests was not kept.
    op.add_column('review_fact', sa.Column('author_id', sa.BigInteger(), nullable=True))
    op.create_index(
        'review_fact_by_author',
        'review_fact',
        ['instance', 'author_id', 'created_at', 'run_id'],
        postgresql_where=sa.text('author_id IS NOT NULL'),
    )


def downgrade() -> None:
    op.drop_index('review_fact_by_author', table_name='review_fact')
    op.drop_column('review_fact', 'author_id')
