from sqlalchemy import select, text


def find(session, name, table):
    # ruleid: python-sqlalchemy-text
    session.execute(text(f"SELECT * FROM person WHERE name = '{name}'"))
    # ruleid: python-sqlalchemy-text
    session.execute(text("SELECT * FROM person WHERE name = '%s'" % name))
    # ruleid: python-sqlalchemy-text
    session.execute(text("SELECT * FROM person WHERE name = '" + name + "'"))
    # ok: python-sqlalchemy-text
    session.execute(text("SELECT * FROM person WHERE name = :name"), {"name": name})
    # ok: python-sqlalchemy-text
    session.execute(text(f"ALTER TABLE {table} ADD COLUMN age integer"))
    # ok: python-sqlalchemy-text
    return session.execute(select(text("name")))
