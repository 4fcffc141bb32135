from flask import request


def login(db):
    body = request.get_json()
    # ruleid: python-nosql-injection
    db.users.find_one({"name": body["name"], "password": body["password"]})
    # ruleid: python-nosql-injection
    db.sessions.delete_many(request.json)
    name = str(body["name"])
    # ok: python-nosql-injection
    db.users.find_one({"name": name})
    # ok: python-nosql-injection
    db.users.insert_one({"name": body["name"]})
    # ok: python-nosql-injection
    return db.users.find_one({"name": request.args["name"]})
