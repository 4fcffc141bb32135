def price(kind, count):
    # ruleid: python-duplicate-condition
    if kind == "book":
        return 1
    elif kind == "book":
        return 2
    # ruleid: python-duplicate-condition
    if count > 9:
        return 3
    elif count > 5:
        return 4
    elif count > 9:
        return 5
    else:
        return 6
    # ok: python-duplicate-condition
    if kind == "book":
        return 7
    elif kind == "film":
        return 8
    # ok: python-duplicate-condition
    if count.next():
        return 9
    elif count.next():
        return 10
