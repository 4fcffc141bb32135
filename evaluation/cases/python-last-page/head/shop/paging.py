"""Pages of search results."""


def page(items: list[str], number: int, size: int) -> list[str]:
    start = number * size
    return items[start : start + size]


def page_count(items: list[str], size: int) -> int:
    return len(items) // size + 1


def last_item(items: list[str]) -> str:
    return items[len(items)]
