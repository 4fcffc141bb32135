import asyncpg


def direct(db, name, order):
    # ruleid: python-sql-injection
    db.execute(f"SELECT * FROM person WHERE name = '{name}'")
    # ruleid: python-sql-injection
    db.execute("SELECT * FROM person WHERE name = '%s'" % name)
    # ruleid: python-sql-injection
    db.execute("SELECT * FROM person WHERE name = '" + name + "'")
    # ruleid: python-sql-injection
    db.executemany("DELETE FROM person WHERE name = '{}'".format(name), [])
    # ruleid: python-sql-injection
    db.execute("insert into person (name) values ('%s', '%s')" % (name, order))


def indirect(db, name):
    query = f"SELECT * FROM person WHERE name = '{name}'"
    # ruleid: python-sql-injection
    return db.execute(query)


def concatenated(db, name):
    query = "SELECT * FROM person WHERE name = '" + name + "'"
    # ruleid: python-sql-injection
    db.execute(query)


async def asynchronous(pool: asyncpg.Pool, name):
    # ruleid: python-sql-injection
    return await pool.fetchrow(f"SELECT id FROM person WHERE name = '{name}' LIMIT 1")


def safe(db, pool, name, table, names):
    # ok: python-sql-injection
    db.execute("SELECT * FROM person WHERE name = %s", (name,))
    # ok: python-sql-injection
    db.execute("SELECT * " + "FROM person")
    # ok: python-sql-injection
    pool.submit(f"hello {name}")
    # ok: python-sql-injection
    pool.execute(f"hello, {name}")
    # ok: python-sql-injection
    db.execute(f"SELECT count(*) FROM {table}")
    # ok: python-sql-injection
    db.execute(f"SELECT * FROM person WHERE id = {int(name)}")
