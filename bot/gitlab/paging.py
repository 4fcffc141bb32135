"""Where the next page of a list is.

See https://docs.gitlab.com/api/rest/#pagination-link-header. GitLab builds the link from its external URL,
which may differ from the address that we use, so only the link's query is taken: requests, and the token,
stay with the configured host.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

PER_PAGE = 100
#: Lists longer than this are a fault of the server; no merge request has a tenth of these notes.
MAX_PAGES = 1000

_LINK = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?')


def next_page(headers: Mapping[str, str], url: str) -> str | None:
    """Return the address of the page after *url*, None at the end.

    Args:
        headers: of the answer, with lower-case names. ``x-next-page`` stands in where a proxy dropped
            ``link``.
        url: the address of the current page.
    """
    here = urlsplit(url)
    if found := _LINK.search(headers.get("link", "")):
        return here._replace(query=urlsplit(found[1]).query).geturl()
    number = headers.get("x-next-page", "").strip()
    if "link" in headers or not number.isascii() or not number.isdecimal():
        return None
    query = dict(parse_qsl(here.query, keep_blank_values=True)) | {"page": number}
    return here._replace(query=urlencode(query)).geturl()
