def check(mode, level, default):
    # ruleid: python-or-literal
    if mode == "fast" or "quick":
        return 1
    # ruleid: python-or-literal
    while level == 1 or 2:
        level += 1
    # ok: python-or-literal
    if mode == "fast" or mode == "quick":
        return 2
    # ok: python-or-literal
    if mode in ("fast", "quick"):
        return 3
    # ok: python-or-literal
    return default or "fast"
