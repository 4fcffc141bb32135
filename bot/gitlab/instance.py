"""What a GitLab instance is called in ids and keys."""

from __future__ import annotations

from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


def instance_name(url: str) -> str:
    """Return ``host[:port][/path]`` of a base URL in lower case, the same for every spelling of it.

    The scheme is left out, so that moving from http to https keeps the history.

    Raises:
        ValueError: *url* names no host.
    """
    parts = urlsplit(url.lower())
    if not parts.hostname:
        msg = f"{url!r} names no host; give the base URL of GitLab, such as https://gitlab.example"
        raise ValueError(msg)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in {None, _DEFAULT_PORTS.get(parts.scheme)} else f":{parts.port}"
    return f"{host}{port}{parts.path.rstrip('/')}"
