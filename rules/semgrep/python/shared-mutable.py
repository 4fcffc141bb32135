def grid(width, height, names):
    # ruleid: python-shared-mutable
    rows = [[]] * height
    # ruleid: python-shared-mutable
    cells = [[0] * width] * height
    # ruleid: python-shared-mutable
    groups = dict.fromkeys(names, [])
    # ok: python-shared-mutable
    zeros = [0] * width
    # ok: python-shared-mutable
    fine = [[0] * width for _ in range(height)]
    # ok: python-shared-mutable
    counts = dict.fromkeys(names, 0)
    return rows, cells, groups, zeros, fine, counts
