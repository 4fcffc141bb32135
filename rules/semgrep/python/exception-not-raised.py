import pytest


def check(value):
    if value < 0:
        # ruleid: python-exception-not-raised
        ValueError("must not be negative")
    if value > 9:
        # ruleid: python-exception-not-raised
        TypeError(f"{value} is too big")
    if value == 3:
        # ok: python-exception-not-raised
        raise ValueError("three")
    errors = [
        # ok: python-exception-not-raised
        ValueError("a"),
        # ok: python-exception-not-raised
        ValueError("b")
    ]
    with pytest.raises(TypeError):
        # ok: python-exception-not-raised
        ValueError("c")
    return errors
