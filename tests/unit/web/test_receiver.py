"""The receiver appends each verified hook once and says what became of it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from bot.domain.errors import Transient
from bot.domain.events import MergeRequestChanged, Record, delivery_id
from bot.web.receiver import receiver

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = b"0123456789abcdef0123456789abcdef"
SIGNING = b"whsec_" + base64.b64encode(KEY)
HOOK = {
    "object_kind": "merge_request",
    "object_attributes": {
        "id": 90,
        "iid": 1,
        "target_project_id": 5,
        "state": "opened",
        "action": "open",
        "updated_at": "2013-12-03 17:23:34 UTC",
        "last_commit": {"id": "d" * 40},
    },
}
TOKEN = {"X-Gitlab-Token": "plain", "Idempotency-Key": "k1"}


class StoppedClock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


@dataclass
class ListLog:
    records: dict[uuid.UUID, Record] = field(default_factory=dict)
    problem: Exception | None = None
    slow_s: float = 0.0

    async def append(self, records: Sequence[Record]) -> int:
        await asyncio.sleep(self.slow_s)
        if self.problem:
            raise self.problem
        fresh = {record.id: record for record in records if record.id not in self.records}
        self.records |= fresh
        return len(fresh)

    def subscribe(self, group: str, stage: str) -> Any:
        raise NotImplementedError


@dataclass
class Sender:
    log: ListLog
    client: httpx.AsyncClient

    async def send(self, body: object = HOOK, headers: dict[str, str] = TOKEN) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.client.post("/webhooks/gitlab", content=content, headers=headers)


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    log = ListLog()
    app = receiver(
        log,
        [b"plain", SIGNING],
        "gitlab.example",
        StoppedClock(),
        trace=lambda: {"traceparent": "ours"},
        max_body_bytes=10_000,
        read_limit_s=0.05,
        append_limit_s=0.05,
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
        yield Sender(log, client)


def signature(body: bytes, message_id: str = "k1") -> dict[str, str]:
    timestamp = str(int(NOW.timestamp()))
    digest = hmac.digest(KEY, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


async def test_a_hook_is_appended_before_the_answer(sender: Sender):
    """The answer names the event, whose record carries our trace and the delivery's id."""
    answer = await sender.send(headers=TOKEN | {"traceparent": "theirs"})
    expected = delivery_id("gitlab.example", "k1")
    assert answer.status_code == 202
    assert answer.json() == {"status": "accepted", "event": str(expected)}
    record = sender.log.records[expected]
    assert record.trace == {"traceparent": "ours"}
    assert isinstance(record.event(), MergeRequestChanged)


async def test_a_resend_is_a_duplicate(sender: Sender):
    """The same delivery key is one event, the answer stays 202."""
    first, second = await sender.send(), await sender.send()
    assert (second.status_code, second.json()) == (202, first.json() | {"status": "duplicate"})
    assert len(sender.log.records) == 1


async def test_deliveries_without_a_key_collapse_by_content(sender: Sender):
    """Releases before 17.4 send no key; the same happening is still one event."""
    for _ in range(2):
        await sender.send(headers={"X-Gitlab-Token": "plain"})
    await sender.send(HOOK | {"changes": {"title": {}}}, headers={"X-Gitlab-Token": "plain"})
    assert len(sender.log.records) == 2


async def test_a_signed_hook_needs_no_token(sender: Sender):
    """The signature is enough, and has the same id as the unsigned delivery of the same key."""
    raw = json.dumps(HOOK).encode()
    assert (await sender.send(raw, signature(raw))).json()["status"] == "accepted"
    assert (await sender.send()).json()["status"] == "duplicate"


async def test_a_replay_of_a_signed_hook_is_a_duplicate(sender: Sender):
    """Changing an unsigned header does not make a replay new."""
    raw = json.dumps(HOOK).encode()
    await sender.send(raw, signature(raw))
    replay = await sender.send(raw, signature(raw) | {"Idempotency-Key": "other"})
    assert replay.json()["status"] == "duplicate"


async def test_a_bad_signature_is_not_saved_by_the_token(sender: Sender):
    """Where a signature is expected it must hold."""
    answer = await sender.send(headers=TOKEN | signature(b"other body"))
    assert answer.status_code == 401
    assert sender.log.records == {}


@pytest.mark.parametrize("headers", [{}, {"X-Gitlab-Token": "guess"}])
async def test_unverified_senders_are_refused(sender: Sender, headers: dict[str, str]):
    """Without the secret nothing is even read."""
    answer = await sender.send(b"x" * 20_000, headers)
    assert answer.status_code == 401
    assert "plain" not in answer.text


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff", b"[" * 9_000, HOOK | {"object_attributes": 1}, {"object_kind": []}],
)
async def test_unusable_bodies_are_refused_with_a_reason(sender: Sender, body: object):
    """The sender's log shows what is wrong with the hook."""
    answer = await sender.send(body)
    assert answer.status_code == 400
    assert answer.json()["reason"]


async def test_large_bodies_are_refused(sender: Sender):
    """A stated or a real length above the cap is 413."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b" " * 1000

    stated = await sender.send(b" " * 10_001)
    streamed = await sender.client.post("/webhooks/gitlab", content=endless(), headers=TOKEN)
    assert [stated.status_code, streamed.status_code] == [413, 413]


async def test_a_body_that_does_not_arrive_is_given_up(sender: Sender):
    """A sender that stalls does not keep the connection."""

    async def stalled() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(5)

    answer = await sender.client.post("/webhooks/gitlab", content=stalled(), headers=TOKEN)
    assert answer.status_code == 408


@pytest.mark.parametrize("body", [{"object_kind": "push"}, {"object_kind": "\ud800"}])
async def test_ignored_hooks_are_fine(sender: Sender, body: dict[str, str]):
    """GitLab must not count a hook as failed because we have no use for it."""
    answer = await sender.send(body)
    assert (answer.status_code, answer.json()["status"]) == (202, "ignored")
    assert sender.log.records == {}


@pytest.mark.parametrize(
    ("problem", "retry_after"), [(Transient("down"), "5"), (Transient("down", retry_after_s=1.5), "2")]
)
async def test_a_log_out_of_reach_is_our_fault(sender: Sender, problem: Exception, retry_after: str):
    """The answer is 503, and says when to come back."""
    sender.log.problem = problem
    answer = await sender.send()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, retry_after)


async def test_a_hanging_log_is_given_up_in_time(sender: Sender):
    """GitLab waits ten seconds; a log that hangs is answered for before that."""
    sender.log.slow_s = 5.0
    assert (await sender.send()).status_code == 503


async def test_only_post_is_allowed(sender: Sender):
    """Somebody who opens the address in a browser learns that it is the wrong way."""
    answer = await sender.client.get("/webhooks/gitlab", headers=TOKEN)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert sender.log.records == {}


def test_no_secret_is_no_receiver():
    """A receiver that would trust anybody cannot be built."""
    with pytest.raises(ValueError, match="webhook secret"):
        receiver(ListLog(), [], "gitlab.example", StoppedClock())
