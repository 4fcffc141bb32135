def check(value):
    # ruleid: python-assert-tuple
    assert (value > 0, "must be positive")
    # ok: python-assert-tuple
    assert value > 0, "must be positive"
    # ok: python-assert-tuple
    assert (value > 0)
