"""Where a clone came from, as the address says by which it was made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit


@dataclass(frozen=True, slots=True)
class Origin:
    """Say where the clone came from, and who we are there; ``url`` has no credentials in it."""

    url: str
    user: str = ""
    token: str = ""
    ca_file: Path | None = None

    @classmethod
    def of(cls, url: str, ca_file: str = "") -> Origin | None:
        """Return the origin that *url* names, with the credentials that stand in it; None if it names none."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https", "file") or not parts.path.strip("/"):
            return None
        host = parts.netloc.rpartition("@")[2]
        plain = urlunsplit((parts.scheme, host, parts.path, "", ""))
        return cls(
            plain,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            Path(ca_file) if ca_file and Path(ca_file).is_file() else None,
        )
