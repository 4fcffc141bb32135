"""URIs of a SARIF log -> paths in the repository."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote

from bot.scanners.sarif_log import ArtifactLocation

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_DRIVE = re.compile(r"/?[A-Za-z]:/")
_MAX_BASES = 5  # bases may be relative to each other, in circles too


@dataclass(frozen=True, slots=True)
class Checkout:
    """Say where the job had the repository.

    ``root`` is what the policy says: a directory of the repository that relative paths start from, or the
    absolute path of the repository in the job. ``project`` is the project's path with its namespace: without
    other orders GitLab's runner checks out into a directory that ends with it (``CI_PROJECT_DIR``).
    """

    root: str = ""
    project: str = ""

    def path(self, uri: str) -> str | None:
        """Return the path in the repository that *uri* names, None where that cannot be told."""
        place = _place(uri)
        if place is None:
            return None
        if not place.startswith("/"):
            below = "" if self.root.startswith("/") else self.root
            return _normal(f"{below}/{place}".lstrip("/"))
        root = self.root.rstrip("/")
        if root.startswith("/") and place.startswith(f"{root}/"):
            return _normal(place[len(root) :])
        _, found, inside = place.partition(f"/{self.project}/")
        return _normal(inside) if self.project and found else None


def resolve(
    location: ArtifactLocation, bases: Mapping[str, ArtifactLocation], checkout: Checkout
) -> str | None:
    """Return the path in the repository that *location* names, None where that cannot be told.

    A base that leads to nowhere known stands for the root of the repository: that is what bases are for.
    """
    uri, base_id = location.uri, location.uri_base_id
    for _ in range(_MAX_BASES):
        place = _place(uri)
        if place is None or place.startswith("/") or base_id not in bases:
            break
        base = bases[base_id]
        uri, base_id = base.uri.rstrip("/") + "/" + uri if base.uri else uri, base.uri_base_id
    return checkout.path(uri) or checkout.path(location.uri)


def _place(uri: str) -> str | None:
    """Return the path of a file URI or of a relative reference, None for any other."""
    place = unquote(uri.replace("\\", "/"))
    if _DRIVE.match(place):
        return "/" + place.lstrip("/")[3:]
    scheme = _SCHEME.match(place)
    if scheme is None:
        return place
    if scheme[1].lower() != "file":
        return None
    rest = place[len(scheme[0]) :]
    if rest.startswith("//"):
        rest = "/" + rest[2:].partition("/")[2]
    return "/" + rest.lstrip("/")[3:] if _DRIVE.match(rest) else rest


def _normal(path: str) -> str | None:
    """Return *path* without empty parts and dots, None if it leaves the repository or names no file."""
    parts: list[str] = []
    for part in PurePosixPath(path).parts:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part != "/":
            parts.append(part)
    return "/".join(parts) or None
