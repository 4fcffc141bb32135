def check(left, right, value):
    # ruleid: python-identical-operands
    if left.name and left.name:
        return 1
    # ruleid: python-identical-operands
    if left.size < left.size:
        return 2
    # ok: python-identical-operands
    if left.name and right.name:
        return 3
    # ok: python-identical-operands
    if value != value:
        return 4
    # ok: python-identical-operands
    return left.size < right.size

# ruleid: python-identical-operands
given = first is not None and first is not None
