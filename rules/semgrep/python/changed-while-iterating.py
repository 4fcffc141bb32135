def clean(items, table):
    for item in items:
        if not item:
            # ruleid: python-changed-while-iterating
            items.remove(item)
    for key in table:
        if key.startswith("_"):
            # ruleid: python-changed-while-iterating
            del table[key]
    for key, value in table.items():
        if value is None:
            # ruleid: python-changed-while-iterating
            table.pop(key)


def fine(items, table, other):
    for item in list(items):
        # ok: python-changed-while-iterating
        items.remove(item)
    for key in table:
        if key == "x":
            # ok: python-changed-while-iterating
            del table[key]
            break
    for item in items:
        if item == "x":
            # ok: python-changed-while-iterating
            items.remove(item)
            return
    for item in items:
        # ok: python-changed-while-iterating
        other.remove(item)
