"""HTTP to a server that speaks OpenAI's protocol: events of a stream, and what its errors mean."""

from __future__ import annotations

import hashlib
import math
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ssl import SSLContext
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from pydantic import ValidationError

from bot.adapters.model_errors import Unfit, overlong, reached, reason_in
from bot.adapters.model_wire import lines
from bot.adapters.openai_shapes import Chunk, Models, Props, Served, Vector, Vectors
from bot.domain.errors import Permanent, Transient

_CONNECT_S: Final = 5.0
_LONGEST_WAIT_S: Final = 3600.0
#: Who owns models according to Ollama.
_OLLAMA: Final = "library"
#: Servers of vendors: code would leave the building.
_PUBLIC_HOSTS: Final = (
    "openai.com", "openai.azure.com", "deepseek.com", "anthropic.com", "mistral.ai", "googleapis.com", "groq.com",
    "openrouter.ai", "together.ai", "together.xyz", "fireworks.ai", "deepinfra.com", "siliconflow.cn",
    "siliconflow.com", "aliyuncs.com", "volces.com", "ollama.com", "x.ai", "perplexity.ai", "huggingface.co",
)  # fmt: skip


class NotUnderstood(Permanent):
    """Say that the server refuses the request as it is written; ``reason`` may name the field."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class OpenAIClient:
    """Speak to one server and no other: no redirects, no proxy, no key from the environment.

    Args:
        url: base URL, with or without ``/v1``.
        limit_s: for each part of an answer.
        key: sent as bearer token; empty sends none.
        verify: how to check the server's certificate.
        transport: instead of the network.

    Raises:
        Permanent: the URL is missing, or a vendor's.
    """

    def __init__(
        self,
        url: str,
        limit_s: float,
        *,
        key: str = "",
        verify: SSLContext | bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        host = urlsplit(url).hostname
        if not host:
            msg = "no URL of an OpenAI-compatible server is configured"
            raise Permanent(msg)
        if any(host == public or host.endswith(f".{public}") for public in _PUBLIC_HOSTS):
            msg = f"{host} is a vendor's server, so code would leave the building: name one of your own"
            raise Unfit(msg)
        self.url = url.rstrip("/").removesuffix("/v1")
        self._http = httpx.AsyncClient(
            base_url=self.url,
            timeout=httpx.Timeout(limit_s, connect=_CONNECT_S),
            headers={"Authorization": f"Bearer {key}"} if key else {},
            follow_redirects=False,
            trust_env=False,
            verify=verify,
            transport=transport,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def models(self) -> list[Served]:
        """Return the models that the server has."""
        return Models.model_validate(await self._json("GET", "/v1/models")).data

    async def props(self) -> Props | None:
        """Return what llama.cpp's server says about itself, None if this is another one."""
        try:
            return Props.model_validate(await self._json("GET", "/props"))
        except (Permanent, ValidationError, ValueError):
            return None

    async def vectors(self, model: str, texts: Sequence[str]) -> list[Vector]:
        """Return a vector for each of *texts*."""
        body = {"model": model, "input": list(texts), "encoding_format": "float"}
        return Vectors.model_validate(await self._json("POST", "/v1/embeddings", body)).data

    async def chunks(self, body: Mapping[str, Any]) -> AsyncGenerator[Chunk, None]:
        """Yield the events of an answer; closing the generator closes the connection, which ends generation."""
        async with self._http.stream("POST", "/v1/chat/completions", json=dict(body)) as response:
            if response.status_code != 200:
                _refuse(response, await response.aread())
            async for line in lines(response):
                field, _, data = line.partition(":")
                if field == "error":
                    raise _failed(reason_in(data))
                if field != "data":
                    # Comments keep the connection alive, empty lines end events, other fields do not matter.
                    if line and not line.startswith(":") and field not in {"event", "id", "retry"}:
                        msg = "not a stream of events"
                        raise ValueError(msg)
                    continue
                if data.strip() == "[DONE]":
                    return
                chunk = Chunk.model_validate_json(data)
                if chunk.error is not None:
                    raise _failed(reason_in(chunk.error))
                yield chunk

    async def _json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        response = await self._http.request(method, path, json=dict(body) if body is not None else None)
        if response.status_code != 200:
            _refuse(response, response.content)
        return response.json()


def served_as(url: str, model: str, served: Sequence[Served]) -> Served:
    """Return the one of the models *served* that is called *model*.

    Raises:
        Unfit: there is none, and the message says which there are; or Ollama imitates the protocol.
    """
    found = next((each for each in served if model in {each.id, *each.aliases}), None)
    if found is None:
        there = ", ".join(each.id[:100] for each in served[:5]) or "nothing"
        msg = f"the server at {url} does not have {model}, only {there}: set the model to one of these, or serve it"
        raise Unfit(msg)
    if found.owned_by == _OLLAMA:
        msg = f"{url} is an Ollama server, which cuts prompts under this protocol: leave out openai+ before its URL"
        raise Unfit(msg)
    return found


def digest_of(served: Served) -> str:
    """Return what tells one model from another, as far as the server lets us know."""
    return hashlib.sha256(served.model_dump_json(exclude={"owned_by"}).encode()).hexdigest()


def translated(url: str) -> AbstractContextManager[None]:
    """Turn whatever a call can raise into what the caller can do about it."""
    odd = f"{url} does not answer as OpenAI's protocol has it: is it a model server?"
    return reached(f"the model server at {url}", odd=odd)


def _refuse(response: httpx.Response, content: bytes) -> None:
    """Raise what a status other than 200 means.

    Raises:
        Transient: another try may work.
        Unfit: the server wants another address, key or model.
        NotUnderstood: the request is at fault.
    """
    status, reason = response.status_code, reason_in(content.decode(errors="replace"))
    if 300 <= status < 400:
        msg = (
            "the model server's URL redirects, which is not followed: configure the address that it leads to"
        )
        raise Unfit(msg)
    if status in {401, 403}:
        msg = f"the model server refuses our key ({status}): set CLOISTER_MODEL_API_KEY to the one that it wants"
        raise Unfit(msg)
    if status in {429, 503}:
        msg = f"the model server is busy: {reason}"
        raise Transient(msg, retry_after_s=_retry_after(response.headers.get("Retry-After", "")))
    if status == 413 or (status != 408 and overlong(reason)):
        raise _unfitting(reason)
    # Some fail where they should refuse a form of answers that they cannot hold a model to.
    if status == 408 or (status >= 500 and status != 501 and "grammar" not in reason.lower()):
        msg = f"the model server failed ({status}): {reason}"
        raise Transient(msg)
    if status == 404:
        raise Unfit(
            f"the model server does not have what was asked for ({reason}): correct its URL, or the model's name"
        )
    msg = f"the model server refused the request ({status}): {reason}"
    raise NotUnderstood(msg, reason)


def _failed(reason: str) -> Transient | Permanent:
    """Return what an error in the middle of a stream means; some servers count the prompt only there."""
    return _unfitting(reason) if overlong(reason) else Transient(f"the model server failed: {reason}")


def _unfitting(reason: str) -> Permanent:
    return Permanent(f"the prompt does not fit into the model's context: {reason}")


def _retry_after(value: str) -> float | None:
    """Return the seconds that the header asks for, given as a number or as a date."""
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return None if math.isnan(seconds) else min(max(seconds, 0.0), _LONGEST_WAIT_S)
