import math

import numpy as np


def check(value, values):
    # ruleid: python-nan-comparison
    if value == float("nan"):
        return 1
    # ruleid: python-nan-comparison
    if values[0] != math.nan:
        return 2
    # ruleid: python-nan-comparison
    if value == np.nan:
        return 3
    # ok: python-nan-comparison
    if math.isnan(value):
        return 4
    # ok: python-nan-comparison
    return value == float("inf")
