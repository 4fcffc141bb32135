def check(mode, count):
    # ruleid: python-is-literal
    if mode is "fast":
        return 1
    # ruleid: python-is-literal
    if count is not 0:
        return 2
    # ok: python-is-literal
    if mode is None or count == 0:
        return 3
    # ok: python-is-literal
    return mode == "fast"
