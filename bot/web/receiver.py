"""The webhook receiver: verify, translate, append, answer.

GitLab waits ten seconds, does not repeat a failed delivery, and may switch a hook off that answers 4xx. So
the answer comes after one durable write, and trouble on our side is 503, never 4xx. See
https://docs.gitlab.com/user/project/integrations/webhooks/#auto-disabled-webhooks
"""

from __future__ import annotations

import asyncio
import json
import math
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from pydantic_core import from_json
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.domain.errors import Transient
from bot.domain.events import Event, Record, delivery_id
from bot.hooks import Ignored, Malformed, translate
from bot.hooks.delivery import derived_key
from bot.hooks.verification import Unverified, Verifier, stated_key
from bot.ports import Clock, EventSink

#: Far above any merge request hook, and what one unfriendly sender may make us keep in memory.
MAX_BODY_BYTES = 10 * 1024 * 1024
#: Below the ten seconds that GitLab waits.
APPEND_LIMIT_S = 8.0
#: GitLab has given up on a delivery by then.
READ_LIMIT_S = 10.0
_RETRY_AFTER_S = 5.0

_logger = structlog.get_logger(__name__)


def receiver(
    log: EventSink,
    secrets: Sequence[bytes],
    instance: str,
    clock: Clock,
    *,
    trace: Callable[[], dict[str, str]] = dict,
    max_body_bytes: int = MAX_BODY_BYTES,
    read_limit_s: float = READ_LIMIT_S,
    append_limit_s: float = APPEND_LIMIT_S,
) -> ASGIApp:
    """Return the application that takes webhooks of GitLab, whatever the path.

    It is no route of a framework: finding that takes longer than all the rest. It answers 202 with ``status`` accepted, duplicate or ignored; 401 when the secret or signature is wrong;
    400 when the body is not a hook; 405 to anything but POST; 408 and 413 when it is too slow or too large; 503 when the log is out of reach.

    Args:
        log: where an accepted event is kept before the answer goes out.
        secrets: accepted webhook secrets, all of them during a rotation.
        instance: name of the configured GitLab instance; the sender cannot choose it.
        clock: tells the time for the replay window.
        trace: returns the trace context to store with the event. A ``traceparent`` from outside is not
            trusted to be the parent of ours.
        max_body_bytes: larger bodies are refused while they arrive.
        read_limit_s: how long the body may take to arrive.
        append_limit_s: how long the log may take.

    Raises:
        ValueError: there is no secret; the message says how to set one.
    """
    return _Intake(
        log, Verifier(secrets), instance, clock, trace, max_body_bytes, read_limit_s, append_limit_s
    )


class _TooLarge(Exception):
    pass


@dataclass(frozen=True, slots=True)
class _Intake:
    log: EventSink
    verifier: Verifier
    instance: str
    clock: Clock
    trace: Callable[[], dict[str, str]]
    max_body_bytes: int
    read_limit_s: float
    append_limit_s: float

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] == "POST":
            answer = await self._receive(Request(scope, receive))
        else:
            answer = _answer(HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "POST"}, status="refused")
        await answer(scope, receive, send)

    async def _receive(self, request: Request) -> Response:
        try:
            signed = self.verifier.expects_signature(request.headers)
            if not signed:
                self.verifier.check_token(request.headers)
            async with asyncio.timeout(self.read_limit_s):
                raw = await _read(request, self.max_body_bytes)
            if signed:
                self.verifier.check_signature(request.headers, raw, self.clock.now())
            body = _parse(raw)
            event = translate(body, instance=self.instance)
            if isinstance(event, Ignored):
                return _answer(HTTPStatus.ACCEPTED, status="ignored", reason=event.reason)
            key = stated_key(request.headers, signed=signed) or _key(body)
        except Unverified as problem:
            return _refuse(HTTPStatus.UNAUTHORIZED, str(problem))
        except Malformed as problem:
            return _refuse(HTTPStatus.BAD_REQUEST, str(problem))
        except _TooLarge:
            return _refuse(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is over {self.max_body_bytes} bytes"
            )
        except TimeoutError:
            return _refuse(HTTPStatus.REQUEST_TIMEOUT, f"the body took more than {self.read_limit_s} s")
        except ClientDisconnect:
            return _refuse(HTTPStatus.BAD_REQUEST, "the sender left before the body was complete")
        return await self._append(event, key)

    async def _append(self, event: Event, key: str) -> Response:
        record = Record.of(event, id=delivery_id(self.instance, key), trace=self.trace())
        try:
            async with asyncio.timeout(self.append_limit_s):
                new = await self.log.append([record])
        except (Transient, TimeoutError) as problem:
            wait_s = getattr(problem, "retry_after_s", None) or _RETRY_AFTER_S
            _logger.warning("hook.not_stored", reason=str(problem) or "the log took too long")
            return _answer(
                HTTPStatus.SERVICE_UNAVAILABLE,
                {"Retry-After": str(math.ceil(wait_s))},
                status="unavailable",
                reason="the event log is out of reach; resend the delivery later",
            )
        return _answer(HTTPStatus.ACCEPTED, status="accepted" if new else "duplicate", event=str(record.id))


async def _read(request: Request, limit_bytes: int) -> bytes:
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and len(stated) < 20 and int(stated) > limit_bytes:
        raise _TooLarge
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit_bytes:
            raise _TooLarge
        chunks.append(chunk)
    return b"".join(chunks)


def _parse(raw: bytes) -> Mapping[str, object]:
    try:
        body = _load(raw)
    except (ValueError, RecursionError):
        msg = "the body is not JSON"
        raise Malformed(msg) from None
    if not isinstance(body, dict):
        msg = "the body is not a JSON object"
        raise Malformed(msg)
    return body


def _load(raw: bytes) -> object:
    try:
        return from_json(raw)
    except ValueError:
        # The fast parser refuses a few things that GitLab might send, such as half of a surrogate pair.
        return json.loads(raw)


def _key(body: Mapping[str, object]) -> str:
    # A status check that is tried again says the same once more, and wants another answer.
    return f"check:{uuid.uuid4()}" if "external_approval_rule" in body else derived_key(body)


def _refuse(status: HTTPStatus, reason: str) -> Response:
    _logger.warning("hook.refused", status=status.value, reason=reason)
    return _answer(status, status="refused", reason=reason)


def _answer(code: HTTPStatus, headers: Mapping[str, str] | None = None, /, **fields: str) -> Response:
    return Response(json.dumps(fields), code, headers, media_type="application/json")
