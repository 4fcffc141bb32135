from decimal import Decimal


def check(price, order, paid):
    # ruleid: python-float-money
    if price == 19.99:
        return 1
    # ruleid: python-float-money
    if order.total_amount != float(paid):
        return 2
    # ok: python-float-money
    if price == 0.5:
        return 3
    # ok: python-float-money
    if order.total == Decimal("19.99"):
        return 4
    # ok: python-float-money
    return order.total_cents == 1999
