def last(items):
    # ruleid: python-index-past-end
    return items[len(items)]


def total(items):
    result = 0
    for i in range(len(items) + 1):
        # ruleid: python-index-past-end
        result += items[i]
    return result


def steps(items):
    for i in range(len(items)):
        # ruleid: python-index-past-end
        yield items[i + 1] - items[i]


def fine(items):
    for i in range(len(items) + 1):
        # ok: python-index-past-end
        yield items[:i]
    for i in range(len(items) - 1):
        # ok: python-index-past-end
        yield items[i + 1]
    for i in range(len(items)):
        if i + 1 < len(items):
            # ok: python-index-past-end
            yield items[i + 1]
    for i in range(len(items)):
        # ok: python-index-past-end
        yield items[i + 1] if i + 1 < len(items) else None
    # ok: python-index-past-end
    yield items[len(items) - 1]
    for i in range(1, len(items) + 1):
        i %= len(items)
        # ok: python-index-past-end
        yield items[i]
