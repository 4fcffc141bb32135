def check(mode, count, items):
    # ruleid: python-is-literal
    if mode is "fast":
        return 1
    # ruleid: python-is-literal
    if count is not 0:
        return 2
    # ruleid: python-is-literal
    if items is []:
        return 3
    # ok: python-is-literal
    if mode is None or count == 0:
        return 4
    # ok: python-is-literal
    if mode is not None and mode != "slow":
        return 5
    # ok: python-is-literal
    return mode == "fast"
