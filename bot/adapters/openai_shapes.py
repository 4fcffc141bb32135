"""What OpenAI-compatible servers send, as far as we read it."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from bot.adapters.model_wire import Told


class Meta(Told):
    """What llama.cpp's server adds to a model; all of it tells one model from another."""

    n_ctx_train: int = 0
    n_ctx: int = 0
    n_params: int = 0
    size: int = 0


class Served(Told):
    """One model of ``/v1/models``; each server fills other fields."""

    id: str
    aliases: list[str] = Field(default_factory=list)
    owned_by: str = ""
    root: str | None = None
    max_model_len: int | None = None
    meta: Meta | None = None


class Models(Told):
    """What ``/v1/models`` says."""

    data: list[Served]


class Generation(Told):
    """Defaults of a slot of llama.cpp's server."""

    n_ctx: int = 0


class Props(Told):
    """What llama.cpp's server says at ``/props``."""

    default_generation_settings: Generation = Generation()
    build_info: str = ""


class Delta(Told):
    """The piece of an answer; thoughts are called one thing or the other."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class Choice(Told):
    """One answer of a chunk; we ask for one."""

    delta: Delta = Delta()
    finish_reason: str | None = None


class Usage(Told):
    """What a request cost."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


class Chunk(Told):
    """One event of a stream."""

    choices: list[Choice] = Field(default_factory=list)
    usage: Usage | None = None
    error: Any = None


class Vector(Told):
    """One embedding, and the place of its text in the request."""

    index: int
    embedding: list[float]


class Vectors(Told):
    """What ``/v1/embeddings`` says."""

    data: list[Vector]
