def price(kind, count):
    # ok: python-duplicate-condition
    if kind == "book":
        return 1
    # ruleid: python-duplicate-condition
    elif kind == "book":
        return 2
    if count > 9:
        return 3
    elif count > 5:
        return 4
    # ruleid: python-duplicate-condition
    elif count > 9:
        return 5
    else:
        return 6
    if kind == "book":
        return 7
    # ok: python-duplicate-condition
    elif kind == "film":
        return 8
    if count.next():
        return 9
    # ok: python-duplicate-condition
    elif count.next():
        return 10
