"""Tokens for OAUTHBEARER: from a server and from a file, and what is said when there is none."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from bot.adapters.kafka_connection import KafkaConnection, Login
from bot.adapters.kafka_probe import probe
from bot.adapters.kafka_tokens import ClientCredentials, TokenError, TokenFile
from bot.domain.errors import Blocked, CloisterError, Transient
from tests.kafka_secured import Secured, token


class TokenServer:
    """A token endpoint on this machine; use as a context manager.

    Args:
        answers: status and body of each answer; the last one is repeated.
        tls: how to serve https; None for http.
    """

    def __init__(self, answers: Sequence[tuple[int, bytes]], tls: ssl.SSLContext | None = None) -> None:
        self._answers = list(answers)
        self._tls = tls
        self.requests: list[tuple[dict[str, str], dict[str, str]]] = []

    async def __aenter__(self) -> TokenServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{port}/token/"
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
        body = await reader.readexactly(int(headers["content-length"]))
        self.requests.append((headers, dict(parse_qsl(body.decode()))))
        status, answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        place = "Location: /elsewhere\r\n" if status == 302 else ""
        writer.write(f"HTTP/1.1 {status} X\r\n{place}Content-Length: {len(answer)}\r\n\r\n".encode() + answer)
        await writer.drain()
        writer.close()


def granted(value: str, **more: Any) -> tuple[int, bytes]:
    """Return the answer that grants the token *value*."""
    return 200, json.dumps({"access_token": value, "token_type": "Bearer", **more}).encode()


def connection_to(secured: Secured, tokens: ClientCredentials) -> KafkaConnection:
    """Return a connection to the listener with encryption and login."""
    address = secured.kafka.address_of("SASL_SSL")
    return KafkaConnection(address, secured.trusting(), Login("OAUTHBEARER", tokens=tokens))


async def test_tokens_come_from_a_server(secured_kafka: Secured):
    """The client's id and secret buy a token, which opens Kafka; it is kept while it is good."""
    async with TokenServer([granted(token(), expires_in=300)]) as server:
        tokens = ClientCredentials(server.url, "bot/1", "p:ä", trusted=ssl.create_default_context())
        connection = connection_to(secured_kafka, tokens)

        await asyncio.gather(*(probe(connection) for _ in range(3)))

    ((headers, form),) = server.requests
    assert {"grant_type": "client_credentials"} == form
    assert "Basic Ym90JTJGMTpwJTNBJUMzJUE0" == headers["authorization"]  # bot%2F1:p%3A%C3%A4


async def test_a_token_is_renewed_before_it_expires():
    """At four fifths of its life there is a new one; who does not say how long gets a minute."""
    now: list[float] = []
    async with TokenServer([granted("a", expires_in=100), granted("b"), granted("c")]) as server:
        trusted = ssl.create_default_context()
        tokens = ClientCredentials(server.url, "id", "secret", trusted=trusted, clock=lambda: now[-1])
        seen = []
        for moment in (0.0, 79.0, 80.0, 127.0, 128.0):
            now.append(moment)
            seen.append(await tokens.token())

    assert ["a", "a", "b", "b", "c"] == seen


@pytest.mark.parametrize(
    ("answer", "family", "reason"),
    [
        ((401, b"secret"), Blocked, "refuses us (HTTP 401): check CLOISTER_KAFKA_USER"),
        ((302, b""), Blocked, "answers with HTTP 302: check CLOISTER_KAFKA_TOKEN_URL"),
        ((404, b""), Blocked, "answers with HTTP 404: check CLOISTER_KAFKA_TOKEN_URL"),
        ((503, b""), Transient, "cannot answer now (HTTP 503)"),
        ((200, b"<html>"), Blocked, "holds no access_token"),
        ((200, b'{"access_token": "a b"}'), Blocked, "holds no access_token"),
        ((200, b'{"access_token": "a", "x": "' + b"x" * 300_000 + b'"}'), Blocked, "holds no access_token"),
    ],
)
async def test_a_token_server_that_gives_none_is_told(
    secured_kafka: Secured, answer: tuple[int, bytes], family: type[CloisterError], reason: str
):
    """The probe passes on what the token server said, not what the client library makes of it."""
    async with TokenServer([answer]) as server:
        tokens = ClientCredentials(server.url, "id", "secret", trusted=ssl.create_default_context())
        connection = connection_to(secured_kafka, tokens)
        with pytest.raises(CloisterError) as caught:
            await probe(connection)

    error = caught.value
    assert family is type(error)
    assert reason in str(error)
    assert len(server.requests) == 1


async def test_the_token_servers_certificate_is_checked(secured_kafka: Secured):
    """Only the authority in CLOISTER_KAFKA_CA_FILE vouches for it."""
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secured_kafka.authority.issue_cert("127.0.0.1").configure_cert(served)
    async with TokenServer([granted("a")], served) as server:
        trusting = ClientCredentials(server.url, "id", "secret", trusted=secured_kafka.trusting())
        other = ClientCredentials(server.url, "id", "secret", trusted=ssl.create_default_context())

        assert "a" == await trusting.token()
        with pytest.raises(TokenError, match="certificate is not accepted: unable to get local issuer"):
            await other.token()


async def test_a_token_file_is_read_again_each_time(tmp_path: Path):
    """Somebody renews it while we run; what is no token is told with the file's name."""
    path = tmp_path / "token"
    tokens = TokenFile(path)
    for content in ("first", "second\n"):
        path.write_text(content)
        assert content.strip() == await tokens.token()
    for content, reason in {"": "it is empty", "a\x01b": "it holds no token", None: "No such file"}.items():
        path.unlink() if content is None else path.write_text(content)
        with pytest.raises(TokenError) as caught:
            await tokens.token()
        assert f"cannot use the token in {path}: {reason}" in str(caught.value.problem)
        assert isinstance(caught.value.problem, Blocked)
