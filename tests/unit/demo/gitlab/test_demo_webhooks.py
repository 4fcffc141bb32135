"""The demo server's webhooks, received over real HTTP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bot.demo.gitlab import Level, MergeRequest
from tests.gitlab import GitLab


class Receiver:
    """Keep what a webhook receiver gets."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers), body))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/hook"
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def payloads(self, kind: str) -> list[dict[str, Any]]:
        """Return the payloads of one object kind."""
        loaded = [json.loads(body) for _, body in self.got]
        return [payload for payload in loaded if payload["object_kind"] == kind]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Listen for webhooks."""
    made = Receiver()
    yield made
    made.http.shutdown()
    made.http.server_close()
    made.thread.join()


def opened(gitlab: GitLab, **more: Any) -> MergeRequest:
    """Return a merge request of the developer."""
    more.setdefault("changes", {"app.py": "changed\n"})
    return gitlab.server.open_merge_request(gitlab.project, author=gitlab.developer, **more)


def test_webhooks_tell_the_life_of_a_merge_request(gitlab: GitLab, receiver: Receiver) -> None:
    """Open, push, draft, resolve, suggestion-free notes, close: each has its payload and headers."""
    server = gitlab.server
    server.add_hook(gitlab.project, receiver.url, "secret")
    mr = opened(gitlab)
    first = mr.head_sha
    second = server.push(mr, {"more.py": "x\n"})
    server.set_draft(mr, True)
    note = server.comment(mr, "Hello", user=gitlab.bot)
    server.react(mr, note, "thumbsup")
    server.close_merge_request(mr)
    server.drain_hooks()
    events = [payload["object_attributes"] for payload in receiver.payloads("merge_request")]
    assert ["open", "update", "update", "close"] == [event["action"] for event in events]
    assert (first, second) == (events[1]["oldrev"], events[1]["last_commit"]["id"])
    assert "oldrev" not in events[2]
    assert {"previous": False, "current": True} == receiver.payloads("merge_request")[2]["changes"]["draft"]
    assert "review-bot" == receiver.payloads("note")[0]["user"]["username"]
    assert "award" == receiver.payloads("emoji")[0]["event_type"]
    headers = receiver.got[0][0]
    assert ("secret", "Push Hook") == (headers["X-Gitlab-Token"], headers["X-Gitlab-Event"])
    keys = [headers["Idempotency-Key"] for headers, _ in receiver.got]
    assert len(keys) == len(set(keys))
    assert {202} == {delivery.status for delivery in server.deliveries}


@pytest.mark.parametrize("gitlab", ["16.11", "19.0"], indirect=True)
def test_signing_exists_since_nineteen(gitlab: GitLab, receiver: Receiver) -> None:
    """Older releases drop the signing token without a word and have no stable delivery key."""
    signed = gitlab.server.instance.state.version >= (19, 0)
    gitlab.server.add_member(gitlab.project, gitlab.bot, Level.maintainer)
    secret = b"s" * 32
    wanted = {"url": receiver.url, "merge_requests_events": True, "push_events": False}
    wanted["signing_token"] = f"whsec_{base64.b64encode(secret).decode()}"
    with gitlab.client() as client:
        hook = client.post(f"projects/{gitlab.project.id}/hooks", json=wanted).json()
    assert (True if signed else None) == hook.get("signing_token_present")
    assert "signing_token" not in hook
    opened(gitlab)
    gitlab.server.drain_hooks()
    ((headers, body),) = receiver.got
    assert signed == ("Idempotency-Key" in headers) == ("Webhook-Id" in {h.title() for h in headers})
    if signed:
        lower = {name.lower(): value for name, value in headers.items()}
        text = f"{lower['webhook-id']}.{lower['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.new(secret, text, hashlib.sha256).digest()).decode()
        assert f"v1,{expected}" == lower["webhook-signature"]


def test_system_hooks_and_resends(gitlab: GitLab, receiver: Receiver) -> None:
    """A system hook always says so; a resend keeps the key and changes the webhook UUID."""
    gitlab.server.add_system_hook(receiver.url)
    opened(gitlab)
    gitlab.server.drain_hooks()
    gitlab.server.instance.core.hooks.resend(gitlab.server.deliveries[-1])
    gitlab.server.drain_hooks()
    *_, (one, _), (two, _) = receiver.got
    assert "System Hook" == one["X-Gitlab-Event"]
    assert one["Idempotency-Key"] == two["Idempotency-Key"]
    assert one["X-Gitlab-Webhook-UUID"] != two["X-Gitlab-Webhook-UUID"]


def test_only_the_last_open_thread_makes_a_webhook(gitlab: GitLab, receiver: Receiver) -> None:
    """Resolving is silent until nothing is left open."""
    mr = opened(gitlab)
    gitlab.server.add_hook(gitlab.project, receiver.url, events=["merge_requests_events"])
    with gitlab.client() as client:
        url = f"projects/{gitlab.project.id}/merge_requests/1/discussions"
        threads = [client.post(url, json={"body": "Hm"}).json()["id"] for _ in range(2)]
    for thread in threads:
        gitlab.server.resolve(mr, thread)
    gitlab.server.drain_hooks()
    (payload,) = receiver.payloads("merge_request")
    assert payload["object_attributes"]["blocking_discussions_resolved"]
    assert {} == payload["changes"]
