"""Where the pages are: which requests come from them, and what cookies may be trusted with."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request

from bot.settings_types import is_loopback

#: What proxies add, in whole or by how it begins; a request with any of them came from somewhere else.
_FORWARDING = ("forwarded", "via", "x-forwarded", "x-original", "x-envoy", "x-cluster", "cf-", "client-ip")
_CLIENTS = ("real-ip", "client-ip")


class Origin:
    """Hold the address of the pages.

    Args:
        public_url: where people reach them; None means on this machine only, whatever the port.
    """

    def __init__(self, public_url: str | None) -> None:
        parts = urlsplit(public_url or "")
        self.public = f"{parts.scheme}://{parts.netloc}" if public_url else None
        self.secure = parts.scheme == "https"

    def keeps_cookies_safe(self, request: Request) -> bool:
        """Say whether somebody may sign in: by https, or without any network between."""
        return self.secure or is_loopback(_host(request))

    def same(self, request: Request) -> bool | None:
        """Say whether the page that sent *request* is ours, None where the browser does not tell."""
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        if site is not None and site != "same-origin":
            return False
        if origin is not None:
            return origin == self._own(request)
        return None if site is None else True

    def _own(self, request: Request) -> str | None:
        if self.public is not None:
            return self.public
        # The name that the browser used, but only if no other name server could have made it lead here.
        return f"http://{request.headers.get('host', '')}" if is_loopback(_host(request)) else None


def from_this_machine(request: Request) -> bool:
    """Say whether *request* was sent on this machine and to it by name.

    A page elsewhere whose name was made to lead here still sends its own name; a proxy leaves its traces, or its name.
    """
    names = request.headers.keys()
    if (
        any(name.startswith(_FORWARDING) or name.endswith(_CLIENTS) for name in names)
        or request.client is None
    ):
        return False
    return is_loopback(request.client.host) and is_loopback(_host(request))


def _host(request: Request) -> str:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""
