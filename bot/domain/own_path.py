"""Where somebody goes after signing in: a page of ours, whatever the link says."""

from __future__ import annotations

import re

#: A path and a query of ASCII that every browser reads alike. Backslashes, which some take for slashes, and control
#: characters, which they drop, are not among them.
_PATH = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@%?/-]*)")
_LONGEST = 2_000


def own_path(said: str | None) -> str:
    """Return *said* if it surely leads to a page of ours, else the start page.

    A second slash at the beginning would name another host; so might one that comes up when dots are resolved.
    """
    if said is None or len(said) > _LONGEST or not _PATH.fullmatch(said):
        return "/"
    path = said.partition("?")[0]
    if "//" in path or "/." in path or "%" in path:
        return "/"
    return said
