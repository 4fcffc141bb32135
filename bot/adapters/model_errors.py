"""Errors of model servers, told apart by whether another server could do better."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

import httpx

from bot.domain.errors import Permanent, Transient
from bot.domain.said import CutAnswer, Useless
from bot.ports import ModelReply

_MARKUP: Final = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^<>]*>", re.IGNORECASE | re.DOTALL)
#: An error says what it has to say at its beginning.
_MAX_BODY_CHARS: Final = 10_000
_MAX_CHARS: Final = 300


class Broken(Useless, CutAnswer):
    """Say that an answer ended too early, or went round in circles; what is whole of it may still be read."""

    def __init__(self, reason: str, reply: ModelReply) -> None:
        super().__init__(
            reason,
            reply.text,
            digest=reply.digest,
            prompt_tokens=reply.prompt_tokens,
            output_tokens=reply.output_tokens,
            duration_s=reply.duration_s,
        )


class Unfit(Permanent):
    """Say that this server cannot be used for this model at all, whatever the request; another one may be."""


@contextmanager
def reached(server: str, *, odd: str) -> Iterator[None]:
    """Turn what a call to *server* can raise on its way into what the caller can do about it.

    An answer that does not follow the protocol shows as an error of values or types; *odd* says what to make of it.
    """
    try:
        yield
    except (ConnectionError, httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise Transient(f"{server} is out of reach: is it running, and is the URL right?") from error
    except httpx.TimeoutException as error:
        raise Transient(f"{server} does not answer in time") from error
    except httpx.HTTPError as error:
        raise Transient(f"the connection to {server} broke: {type(error).__name__}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise Transient(odd) from error


def refuse_cloud(model: str) -> NoReturn:
    """Raise that *model* runs elsewhere."""
    msg = (
        f"{model} runs in a cloud, so code would leave the building: choose a model that your own server runs"
    )
    raise Unfit(msg)


def overlong(reason: str) -> bool:
    """Say whether a refusal is about the length of the prompt; every server words it differently, and so do versions.

    Ollama, llama.cpp and vLLM speak of a context, SGLang and newer vLLM of the length of an input or prompt.
    """
    said = reason.lower()
    if "context" in said:
        return any(word in said for word in ("length", "exceed", "longer"))
    return any(word in said for word in ("input", "prompt")) and any(
        word in said for word in ("longer than", "exceeds the max", "too long")
    )


def reason_in(error: object) -> str:
    """Return the sentence in what a server says of an error, one line long.

    Servers nest it in objects, their engines' errors as JSON within JSON; a proxy before one answers with a page.
    """
    for _ in range(4):
        if isinstance(error, str) and error.lstrip().startswith("{"):
            try:
                error = json.loads(error)
            except ValueError:
                break
        elif isinstance(error, dict):
            error = error.get("error") or error.get("message") or error.get("detail")
        else:
            break
    text = str(error or "")[:_MAX_BODY_CHARS]
    if text.lstrip().startswith("<"):
        text = html.unescape(_MARKUP.sub(" ", text))
    return " ".join(text.split())[:_MAX_CHARS] or "no reason given"
