def check(value):
    # ruleid: python-assert-tuple
    assert (value > 0, "must be positive")
    # ruleid: python-assert-tuple
    assert (value < 9, f"{value} is too big")
    # ok: python-assert-tuple
    assert value > 0, "must be positive"
    # ok: python-assert-tuple
    assert (value > 0)
    # ok: python-assert-tuple
    assert (value > 0), "must be positive"
