"""Are the settings complete, and can GitLab's webhooks arrive."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from bot.cli.checks import Check, fail, ok, skipped, warn
from bot.settings_types import is_loopback

#: Below this a secret can be guessed.
SHORTEST_SECRET = 16


def settings(missing: Sequence[str]) -> Check:
    """Judge whether what a server needs is set; *missing* has a line for each gap."""
    if not missing:
        return ok("settings", "complete")
    gaps = [line.partition("; ") for line in missing]
    return fail("settings", "; ".join(gap[0] for gap in gaps), "; ".join(gap[2] for gap in gaps))


def secret(secrets: Sequence[str]) -> Check:
    """Judge the strength of the webhook secrets."""
    if not secrets:
        return skipped("webhook secret", "not set")
    if min(map(len, secrets)) < SHORTEST_SECRET:
        return warn(
            "webhook secret",
            f"shorter than {SHORTEST_SECRET} characters",
            "take `openssl rand -hex 32`, and install the hook again",
        )
    return ok("webhook secret", "two during a rotation" if len(secrets) > 1 else "set")


def listen(address: str, host: str, gitlab_url: str | None) -> Check:
    """Judge whether GitLab can reach the address that we listen on."""
    gitlab = urlsplit(gitlab_url or "").hostname or ""
    allow = "in GitLab, Admin > Settings > Network > Outbound requests, allow webhooks to this address"
    if not is_loopback(host):
        return ok("webhook delivery", f"listening on {address}; if that is a local network, {allow}")
    if is_loopback(gitlab):
        return warn(
            "webhook delivery", f"{address} is loopback, which GitLab refuses to call unless allowed", allow
        )
    return warn(
        "webhook delivery",
        f"{address} takes calls from this machine only",
        "set CLOISTER_LISTEN=0.0.0.0:8080, or put a reverse proxy on this machine in front",
    )
