"""Text in another encoding than UTF-8."""

from __future__ import annotations


def as_utf8(content: bytes) -> bytes:
    """Return UTF-16 text as UTF-8, anything else as it is."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace").encode("utf-8", "replace")
    # Text of the West has a NUL in every other byte.
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        beginning = content[first:2_000:2]
        if len(beginning) > 8 and beginning.count(0) > 0.9 * len(beginning):
            return content.decode(encoding, "replace").encode("utf-8", "replace")
    return content
