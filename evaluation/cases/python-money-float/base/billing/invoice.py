from dataclasses import dataclass


@dataclass
class Item:
    price: str
    quantity: int
