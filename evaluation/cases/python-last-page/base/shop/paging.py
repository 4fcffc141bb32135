"""Pages of search results."""


def page(items: list[str], number: int, size: int) -> list[str]:
    start = number * size
    return items[start : start + size]
