from dataclasses import dataclass


@dataclass
class Item:
    price: str
    quantity: int


def total(items: list[Item]) -> float:
    amount = 0.0
    for item in items:
        amount += float(item.price) * item.quantity
    return amount


def is_paid(items: list[Item], received: float) -> bool:
    return total(items) == received
