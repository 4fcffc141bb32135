"""labels due

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None

#: Whoever writes what labels are derived from says so in the same transaction, whatever writes it. A review counts
#: because it tells whether its push was only a rebase.
_TOUCHED = """
CREATE FUNCTION label_due_touched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO label_due (instance, project_id, iid) SELECT DISTINCT instance, project_id, iid FROM touched;
    RETURN NULL;
END $$
"""
_SIGNALLED = """
CREATE FUNCTION label_due_signalled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO label_due (instance, project_id, iid)
    SELECT m.instance, m.project_id, m.iid FROM merge_request m
    WHERE m.id IN (SELECT merge_request_id FROM touched);
    RETURN NULL;
END $$
"""
_TRIGGER = """
CREATE TRIGGER label_due_{event} AFTER {event} ON {table} REFERENCING {which} TABLE AS touched
FOR EACH STATEMENT EXECUTE FUNCTION {function}()
"""
_TRIGGERS = (
    ('insert', 'signal', 'NEW', 'label_due_signalled'),
    ('delete', 'signal', 'OLD', 'label_due_signalled'),
    ('insert', 'comment', 'NEW', 'label_due_touched'),
    ('insert', 'review_fact', 'NEW', 'label_due_touched'),
    ('update', 'review_fact', 'NEW', 'label_due_touched'),
)


def upgrade() -> None:
    op.create_table('label_due',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('instance', sa.Text(), nullable=False),
    sa.Column('project_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('iid', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    # What was commented on before labels were kept up has none yet.
    op.execute("""
    INSERT INTO label_due (instance, project_id, iid)
    SELECT instance, project_id, iid FROM comment GROUP BY instance, project_id, iid ORDER BY max(posted_at)
    """)
    for statement in (_TOUCHED, _SIGNALLED):
        op.execute(statement)
    for event, table, which, function in _TRIGGERS:
        op.execute(_TRIGGER.format(event=event, table=table, which=which, function=function))


def downgrade() -> None:
    for event, table, _, _ in _TRIGGERS:
        op.execute(f'DROP TRIGGER label_due_{event} ON {table}')
    op.drop_table('label_due')
    for function in ('touched', 'signalled'):
        op.execute(f'DROP FUNCTION label_due_{function}')
