"""Reading what an OpenAI-compatible server streams, whatever it streams."""

import asyncio
import contextlib
import json
from collections.abc import Callable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.chat_server import ModelFacts, Part
from bot.adapters.model_openai import OpenAIServer
from bot.adapters.openai_client import OpenAIClient
from bot.domain.errors import CloisterError, Permanent
from bot.domain.model_presets import preset_of
from bot.ports import ModelRequest

FACTS = ModelFacts("1", "d", None)


def parts(body: bytes, status: int = 200, **headers: str) -> list[Part]:
    """Return the parts that a server's answer is read as."""
    return parts_of(lambda request: httpx.Response(status, content=body, headers=headers))


def parts_of(answer: Callable[[httpx.Request], httpx.Response]) -> list[Part]:
    """Return the parts that *answer* to each request is read as."""

    async def read() -> list[Part]:
        transport = httpx.MockTransport(answer)
        server = OpenAIServer(OpenAIClient("http://m", 1, transport=transport), "m", preset_of("m"))
        try:
            return [part async for part in server.parts(ModelRequest("s", "p", {}), FACTS, 4096)]
        finally:
            await server.close()

    return asyncio.run(read())


def event(**chunk: object) -> bytes:
    """Return one event of a stream."""
    return f"data: {json.dumps(chunk)}\n\n".encode()


def piece(text: str, **more: object) -> bytes:
    """Return an event with a piece of the answer."""
    return event(choices=[{"delta": {"content": text}, **more}])


def test_pieces_reason_and_counts_come_together():
    """The counts have an event of their own, after the reason."""
    usage = event(choices=[], usage={"prompt_tokens": 7, "completion_tokens": 2})
    body = piece("a") + piece("b", finish_reason="stop") + usage + b"data: [DONE]\n\n"

    assert parts(body) == [Part("a"), Part("b"), Part("", 0, "stop", 7, 2)]


def test_comments_empty_pieces_and_other_fields_are_passed_over():
    """They keep the connection alive and are no sign of an answer."""
    body = b": ping\n\nevent: message\nid: 1\nretry: 5\n" + piece("") + piece("a", finish_reason="stop")

    assert parts(body) == [Part("a"), Part("", 0, "stop")]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thoughts_are_counted_and_not_read(name: str):
    """By whichever name."""
    body = event(choices=[{"delta": {name: "hmm"}}]) + piece("a", finish_reason="stop")

    assert parts(body)[0] == Part("", 3)


def test_null_is_what_is_not_there():
    """Servers write out what others leave out; what was not counted is not zero."""
    body = (
        event(choices=[{"delta": None, "finish_reason": None}], usage=None, error=None)
        + piece("a", finish_reason="stop")
        + event(choices=None, usage={"prompt_tokens": None, "completion_tokens": 0})
    )

    assert parts(body) == [Part("a"), Part("", 0, "stop")]


OVERLONG = [
    "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens.",
    "The decoder prompt (length 9000) is longer than the maximum model length of 4096.",
    "The input (9000 tokens) is longer than the model's context length (4096 tokens).",
    "Input length (9000 tokens) exceeds the maximum allowed length (4091 tokens).",
    "the request exceeds the available context size, try increasing it",
]


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("message", OVERLONG)
def test_a_prompt_that_is_too_long_is_known_by_many_words(message: str, status: int):
    """Whichever status it comes under: another try would not help."""
    error = {"message": message, "code": 400}

    with pytest.raises(Permanent, match="does not fit"):
        parts(event(error=error) if status == 200 else json.dumps({"error": error}).encode(), status)


def test_a_grammar_that_breaks_the_server_is_not_sent_again():
    """Some fail where they should refuse; then the answer is asked for in another form."""
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content)["response_format"]["type"])
        if asked == ["json_schema"]:
            return httpx.Response(500, json={"error": {"message": "failed to parse grammar"}})
        return httpx.Response(200, content=piece("a", finish_reason="stop"))

    assert parts_of(answer) == [Part("a"), Part("", 0, "stop")]
    assert asked == ["json_schema", "json_object"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "broke off"),
        (piece("a"), "broke off"),
        (piece("a") + b"data: [DONE]\n\n", "broke off"),
        (b"data: {\n\n", "is it a model server"),
        (b"data: [1]\n\n", "is it a model server"),
        (b"<html>\n", "is it a model server"),
        (event(error={"message": "out of memory"}), "out of memory"),
        (b'error: {"message": "slot failed"}\n\n', "slot failed"),
        (event(choices=[{"delta": {"content": 5}}]), "is it a model server"),
        (b"data: " + b"x" * 1_000_001 + b"\n\n", "is it a model server"),
    ],
)
def test_a_broken_stream_is_named(body: bytes, says: str):
    """It never passes for an answer."""
    with pytest.raises(CloisterError, match=says):
        parts(body)


@given(st.binary(max_size=400), st.sampled_from([200, 204, 302, 400, 401, 404, 413, 422, 429, 500, 501, 503]))
def test_nothing_that_a_server_sends_escapes(body: bytes, status: int):
    """Only errors that say what to do."""
    with contextlib.suppress(CloisterError):
        parts(body, status)


@given(
    st.lists(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        ["choices", "delta", "content", "finish_reason", "usage", "error", "message"]
                    ),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=12,
        ),
        max_size=4,
    )
)
def test_no_json_escapes_either(values: list[object]):
    """The right names with the wrong things in them."""
    with contextlib.suppress(CloisterError):
        parts(b"".join(f"data: {json.dumps(value)}\n\n".encode() for value in values))
