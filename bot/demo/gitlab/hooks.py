"""Webhook delivery: real HTTP from worker threads, asynchronous, never repeated."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import queue
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from bot.demo.gitlab.state import Group, Hook, Project, State

#: Flags of a hook, each with GitLab's default.
FLAGS: Mapping[str, bool] = {
    "push_events": True,
    "tag_push_events": False,
    "merge_requests_events": False,
    "note_events": False,
    "confidential_note_events": False,
    "issues_events": False,
    "confidential_issues_events": False,
    "job_events": False,
    "pipeline_events": False,
    "wiki_page_events": False,
    "deployment_events": False,
    "releases_events": False,
    "emoji_events": False,
    "resource_access_token_events": False,
}

#: Flags that a system hook can have.
SYSTEM_FLAGS = frozenset({"push_events", "tag_push_events", "merge_requests_events"})


@dataclass(slots=True)
class Delivery:
    """One attempt: what was sent and how it went; ``status`` is 0 until the answer, -1 when none came."""

    hook: Hook
    headers: dict[str, str]
    body: bytes
    status: int = 0
    duration_s: float = 0.0
    error: str = ""

    @property
    def payload(self) -> dict[str, Any]:
        """Return the body as sent."""
        loaded: dict[str, Any] = json.loads(self.body)
        return loaded


class Hooks:
    """Send events to whoever asked for them."""

    def __init__(self, state: State, *, timeout_s: float = 10.0, workers: int = 1) -> None:
        self._state = state
        self._timeout_s = timeout_s
        self._queue: queue.Queue[Delivery | None] = queue.Queue()
        self._idle = threading.Condition()
        self._open = 0
        self._workers = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]
        self._started = False
        self.deliveries: list[Delivery] = []
        #: Events are only dropped while True, as under Silent Mode: nothing tells the receiver.
        self.silent = False
        #: Changes a payload on its way out, as a custom webhook template does.
        self.template: Callable[[dict[str, Any]], Mapping[str, Any]] | None = None

    def fire(self, project: Project, flag: str, event: str, build: Callable[[], Mapping[str, Any]]) -> None:
        """Queue what *build* returns for every hook of the project, its group and the instance that wants it."""
        own = [hook for hook in (*project.hooks, *project.group.hooks) if flag in hook.events]
        system = [hook for hook in self._state.system_hooks if flag in hook.events & SYSTEM_FLAGS]
        if self.silent or not (own or system):
            return
        chain = str(uuid.uuid4())
        payload = build()
        body = json.dumps(self.template(dict(payload)) if self.template else payload).encode()
        for hook in own:
            self._send(hook, event, chain, body)
        for hook in system:
            self._send(hook, "System Hook", chain, body)

    def resend(self, delivery: Delivery) -> None:
        """Send a delivery again, as the button in GitLab does: the key stays, the webhook UUID is new."""
        headers = delivery.headers | {"X-Gitlab-Webhook-UUID": str(uuid.uuid4())}
        self._put(Delivery(delivery.hook, headers, delivery.body))

    def drain(self, timeout_s: float = 60.0) -> None:
        """Wait until nothing is queued or under way.

        Raises:
            TimeoutError: a receiver takes longer than *timeout_s*.
        """
        with self._idle:
            if not self._idle.wait_for(lambda: self._open == 0, timeout_s):
                raise TimeoutError(f"{self._open} webhook deliveries are still under way after {timeout_s} s")

    def close(self) -> None:
        """End the workers; what is queued is lost."""
        if self._started:
            for _ in self._workers:
                self._queue.put(None)
            for worker in self._workers:
                worker.join(self._timeout_s)

    def _send(self, hook: Hook, event: str, chain: str, body: bytes) -> None:
        self._put(Delivery(hook, self._headers(hook, event, chain, body), body))

    def _put(self, delivery: Delivery) -> None:
        with self._idle:
            self._open += 1
            self.deliveries.append(delivery)
            if not self._started:
                self._started = True
                for worker in self._workers:
                    worker.start()
        self._queue.put(delivery)

    def _headers(self, hook: Hook, event: str, chain: str, body: bytes) -> dict[str, str]:
        version = self._state.version
        key = str(uuid.uuid4())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"GitLab/{version[0]}.{version[1]}.0",
            "X-Gitlab-Event": event,
            "X-Gitlab-Instance": self._state.url,
            "X-Gitlab-Event-UUID": chain,
            "X-Gitlab-Webhook-UUID": str(uuid.uuid4()),
        }
        if hook.token:
            headers["X-Gitlab-Token"] = hook.token.replace("\r", "").replace("\n", "")
        if version >= (17, 4):
            headers["Idempotency-Key"] = key
        if version >= (19, 0) and hook.signing_token:
            headers |= sign(hook.signing_token, key, int(self._state.clock().timestamp()), body)
        return headers

    def _work(self) -> None:
        with httpx.Client(timeout=self._timeout_s, follow_redirects=False, trust_env=False) as client:
            while (delivery := self._queue.get()) is not None:
                self._deliver(client, delivery)
                with self._idle:
                    self._open -= 1
                    self._idle.notify_all()

    def _deliver(self, client: httpx.Client, delivery: Delivery) -> None:
        start = time.perf_counter()
        try:
            answer = client.post(delivery.hook.url, content=delivery.body, headers=delivery.headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            delivery.status, delivery.error = -1, f"{type(error).__name__}: {error}"
        else:
            delivery.status = answer.status_code
        delivery.duration_s = time.perf_counter() - start


def sign(signing_token: str, key: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the Standard Webhooks headers for *body*."""
    secret = base64.b64decode(signing_token.removeprefix("whsec_"))
    signed = f"{key}.{timestamp}.".encode() + body
    digest = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return {"webhook-id": key, "webhook-timestamp": str(timestamp), "webhook-signature": f"v1,{digest}"}


def find_hook(owner: Project | Group, hook_id: int) -> Hook | None:
    """Return one hook of a project or group."""
    return next((hook for hook in owner.hooks if hook.id == hook_id), None)
