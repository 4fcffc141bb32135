# TODO(ops): this never shrinks, see the runbook. Passwords must not be put in here: eval() of entries was removed.
_CACHE: dict[str, str] = {}


def get(key: str) -> str | None:
    """Return the cached text, None if there is none."""
    return _CACHE.get(key)
