"""What people read when Ollama, or what stands before it, refuses."""

from __future__ import annotations

import json

import ollama
import pytest

from bot.adapters.model_errors import Unfit, reason_in
from bot.adapters.ollama_client import translated
from bot.domain.errors import CloisterError, Permanent, Transient

URL = "http://gpu1:11434"
PAGE = "<html><head><style>p{}</style><title>502 Bad Gateway</title></head><body>nginx &amp; co</body></html>"


@pytest.mark.parametrize(
    ("status", "body", "family", "says"),
    [
        (401, "unauthorized", Unfit, "let Cloister's machine through"),
        (403, PAGE, Unfit, "let Cloister's machine through"),
        (404, "404 page not found", Unfit, "CLOISTER_MODEL_URL"),
        (404, "model 'm' not found", Unfit, "ollama pull m"),
        (307, "", Unfit, "redirects"),
        (400, "the input length exceeds the context length", Permanent, "does not fit"),
        (400, "invalid format", Permanent, r"\(400\): invalid format"),
        (429, "slow down", Transient, "slow down"),
        (500, "model requires more system memory (12.0 GiB)", Transient, "CLOISTER_MODEL_CONTEXT_TOKENS"),
        (502, PAGE, Transient, "is it running"),
        (503, "server busy", Transient, "busy"),
    ],
)
def test_a_refusal_says_what_to_do(status: int, body: str, family: type[CloisterError], says: str) -> None:
    """Whether another try helps is told by the family, what else helps by the words; never by HTML."""
    with pytest.raises(family, match=says) as told, translated(URL, "m"):
        raise ollama.ResponseError(body, status)
    assert "<" not in str(told.value)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("  two\nlines ", "two lines"),
        ({"error": {"message": "deep"}}, "deep"),
        (json.dumps({"error": json.dumps({"detail": "deeper"})}), "deeper"),
        (PAGE, "502 Bad Gateway nginx & co"),
        ("{broken", "{broken"),
        ("", "no reason given"),
        ({}, "no reason given"),
        (None, "no reason given"),
        ("<" * 1_000_000, "<" * 300),
    ],
)
def test_a_reason_is_one_sentence(error: object, reason: str) -> None:
    """Whatever it is wrapped in."""
    assert reason == reason_in(error)
