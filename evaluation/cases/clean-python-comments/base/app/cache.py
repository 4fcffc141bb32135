_CACHE: dict[str, str] = {}


def get(key: str) -> str | None:
    return _CACHE.get(key)
