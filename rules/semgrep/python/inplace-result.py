import random


def order(names, cursor):
    # ruleid: python-inplace-result
    ordered = names.sort(key=len)
    # ruleid: python-inplace-result
    mixed = random.shuffle(names)
    # ok: python-inplace-result
    names.sort()
    # ok: python-inplace-result
    fine = sorted(names, key=len)
    # ok: python-inplace-result
    rows = cursor.sort("name")
    return ordered, mixed, fine, rows
