"""The merge request that `cloister demo` opens: a small shop, five planted defects, and their fix."""

from __future__ import annotations

import secrets
import string

BASE = {
    "README.md": "# Shop\n\nOrders and prices.\n",
    "shop/__init__.py": "",
    "shop/orders.py": '''"""Orders."""

import sqlite3


def by_id(db: sqlite3.Connection, order_id: int) -> tuple | None:
    """Return one order."""
    return db.execute("SELECT * FROM orders WHERE id = ?", (order_id,)).fetchone()
''',
    "shop/prices.py": '''"""Prices in cents."""


def gross(net: int, vat_percent: int) -> int:
    """Return the price with VAT."""
    return net * (100 + vat_percent) // 100
''',
}

TITLE = "Search orders by customer, apply discounts, mail receipts"
DESCRIPTION = "Customers can search their orders. Discounts per line, receipts by mail."

_ORDERS = (
    BASE["shop/orders.py"]
    + '''

def by_customer(db: sqlite3.Connection, name: str) -> list[tuple]:
    """Return the orders of a customer."""
    return db.execute(f"SELECT * FROM orders WHERE customer = '{name}'").fetchall()


def add_line(article: str, quantity: int, lines=[]):
    """Append an order line."""
    lines.append((article, quantity))
    return lines
'''
)

_ORDERS_FIXED = (
    BASE["shop/orders.py"]
    + '''

def by_customer(db: sqlite3.Connection, name: str) -> list[tuple]:
    """Return the orders of a customer."""
    return db.execute("SELECT * FROM orders WHERE customer = ?", (name,)).fetchall()


def add_line(article: str, quantity: int, lines=None):
    """Append an order line."""
    return [*(lines or []), (article, quantity)]
'''
)

_PRICES = (
    BASE["shop/prices.py"]
    + '''

def discounted(prices: list[int], percent: int) -> int:
    """Return the sum after a discount on each line."""
    total = 0
    for index in range(len(prices) + 1):
        total += prices[index] * (100 - percent) // 100
    return total


def average(prices: list[int]) -> float:
    """Return the mean price."""
    return sum(prices) / len(prices)
'''
)

_PRICES_FIXED = (
    BASE["shop/prices.py"]
    + '''

def discounted(prices: list[int], percent: int) -> int:
    """Return the sum after a discount on each line."""
    return sum(price * (100 - percent) // 100 for price in prices)


def average(prices: list[int]) -> float:
    """Return the mean price, 0 without prices."""
    return sum(prices) / max(1, len(prices))
'''
)

_RECEIPTS = '''"""Receipts by mail."""

import time

AWS_ACCESS_KEY_ID = "{key_id}"
AWS_SECRET_ACCESS_KEY = "{secret}"


async def send(address: str, text: str) -> None:
    """Send a receipt; the mail service takes one message a second."""
    time.sleep(1)
    print(address, text)
'''

_RECEIPTS_FIXED = '''"""Receipts by mail."""

import asyncio
import os

AWS_ACCESS_KEY_ID = os.environ["AWS_ACCESS_KEY_ID"]
AWS_SECRET_ACCESS_KEY = os.environ["AWS_SECRET_ACCESS_KEY"]


async def send(address: str, text: str) -> None:
    """Send a receipt; the mail service takes one message a second."""
    await asyncio.sleep(1)
    print(address, text)
'''


def access_key() -> tuple[str, str]:
    """Return fresh strings that look like an AWS access key, its id and its secret; nobody ever issued them."""
    key_id = "".join(secrets.choice(string.ascii_uppercase + "234567") for _ in range(15))
    return f"AKIAQ{key_id}", "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(40))


def planted(key_id: str, secret: str) -> dict[str, str]:
    """Return the files of the merge request, with a key leaked in one of them."""
    return {
        "shop/orders.py": _ORDERS,
        "shop/prices.py": _PRICES,
        "shop/receipts.py": _RECEIPTS.format(key_id=key_id, secret=secret),
    }


def fixed() -> dict[str, str]:
    """Return the files with every planted defect mended."""
    return {
        "shop/orders.py": _ORDERS_FIXED,
        "shop/prices.py": _PRICES_FIXED,
        "shop/receipts.py": _RECEIPTS_FIXED,
    }
