def direct(db, name):
    # ruleid: python-sql-injection
    db.execute(f"SELECT * FROM person WHERE name = '{name}'")
    # ruleid: python-sql-injection
    db.execute("SELECT * FROM person WHERE name = '%s'" % name)
    # ruleid: python-sql-injection
    db.execute("SELECT * FROM person WHERE name = '" + name + "'")
    # ruleid: python-sql-injection
    db.executemany("DELETE FROM person WHERE name = '{}'".format(name), [])


def indirect(db, name):
    query = f"SELECT * FROM person WHERE name = '{name}'"
    # ruleid: python-sql-injection
    return db.execute(query)


def safe(db, pool, name):
    # ok: python-sql-injection
    db.execute("SELECT * FROM person WHERE name = %s", (name,))
    # ok: python-sql-injection
    db.execute("SELECT * " + "FROM person")
    # ok: python-sql-injection
    pool.submit(f"hello {name}")
