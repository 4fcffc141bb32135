import os


def places(base, path, name):
    # ruleid: python-join-absolute
    first = os.path.join(base, "/etc/hosts")
    # ruleid: python-join-absolute
    second = path.joinpath("/logs")
    # ok: python-join-absolute
    third = os.path.join(base, "etc/hosts")
    # ok: python-join-absolute
    fourth = os.path.join("/srv", name)
    # ok: python-join-absolute
    fifth = path.joinpath("logs")
    return first, second, third, fourth, fifth
