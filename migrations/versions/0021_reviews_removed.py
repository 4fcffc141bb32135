"""reviews removed

Revision ID: 0021
Revises: 0020
"""

from alembic import op

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None

#: What retention takes from a review is not what was counted or labelled: doing both again would come to the same.
_TOUCHED = """
CREATE OR REPLACE FUNCTION {table}_touched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {unless}INSERT INTO {table} (instance, project_id, iid) SELECT DISTINCT instance, project_id, iid FROM touched;
    RETURN NULL;
END $$
"""
_UNLESS = """IF current_setting('cloister.retention', true) = 'reviews' THEN
        RETURN NULL;
    END IF;
    """


def upgrade() -> None:
    for table in ('rollup_due', 'label_due'):
        op.execute(_TOUCHED.format(table=table, unless=_UNLESS))


def downgrade() -> None:
    for table in ('rollup_due', 'label_due'):
        op.execute(_TOUCHED.format(table=table, unless=''))
