def clean(items, table):
    for item in items:
        if not item:
            # ruleid: python-changed-while-iterating
            items.remove(item)
    for key in table:
        if key.startswith("_"):
            # ruleid: python-changed-while-iterating
            del table[key]


def fine(items, table):
    for item in list(items):
        # ok: python-changed-while-iterating
        items.remove(item)
    for key in table:
        if key == "x":
            # ok: python-changed-while-iterating
            del table[key]
            break
