from flask import request


def create(session):
    # ruleid: python-mass-assignment
    Person.objects.create(**request.data)
    # ruleid: python-mass-assignment
    session.add(Person(**request.get_json()))


def update(person):
    for key, value in request.json.items():
        # ruleid: python-mass-assignment
        setattr(person, key, value)


def fine(person, session, schema):
    for key, value in request.json.items():
        if key in ("name", "email"):
            # ok: python-mass-assignment
            setattr(person, key, value)
    # ok: python-mass-assignment
    Person.objects.create(name=request.data["name"])
    # ok: python-mass-assignment
    session.add(Person(**schema.load(request.json)))
