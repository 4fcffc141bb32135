# ruleid: python-mutable-default
def add(item, items=[]):
    items.append(item)
    return items


# ruleid: python-mutable-default
def tag(name, *, attributes: dict[str, str] = {}):
    attributes[name] = "x"


def many(
    first,
    # ruleid: python-mutable-default
    seen=set(),
):
    seen.add(first)


class Basket:
    # ruleid: python-mutable-default
    def __init__(self, items=[]):
        self.items = items


# ok: python-mutable-default
def fine(item, items=None, pair=(), name=""):
    items = [] if items is None else items
    inner = []
    return inner + items


# ok: python-mutable-default
def only_read(names=[]):
    for name in names:
        print(name)


# ok: python-mutable-default
def looked_up(name, names={}):
    return names.get(name, name)


class Report:
    # ok: python-mutable-default
    def __init__(self, columns: Sequence[str] = []):
        self.columns = columns


# ok: python-mutable-default
def remembered(key, _cache={}):
    _cache[key] = key


# ok: python-mutable-default
def copied(items=[]):
    items = list(items)
    items.append(1)
    return items
