"""The settings of the language models: which servers, which models for what, and how long to wait."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bot.settings_types import LocalModel, LocalPath, Token, web_url

_PREFIX = re.compile(r"(?P<kind>openai|ollama)\+(?P<url>https?://.*)", re.IGNORECASE | re.DOTALL)
#: No site has more; a longer list is a mistake.
_MOST_SERVERS = 32


@dataclass(frozen=True, slots=True)
class ModelEndpoint:
    """Hold where a model server is, and what it speaks."""

    kind: Literal["ollama", "openai"]
    url: str


def _endpoint(value: str) -> ModelEndpoint:
    found = _PREFIX.fullmatch(value)
    if found is None:
        return ModelEndpoint("ollama", web_url(value))
    return ModelEndpoint("openai" if found["kind"].lower() == "openai" else "ollama", web_url(found["url"]))


def model_endpoints(urls: str | None) -> tuple[ModelEndpoint, ...]:
    """Return the servers that a checked value names, none if it is unset."""
    return tuple(_endpoint(part) for part in urls.split(",")) if urls else ()


def _model_urls(value: str) -> str:
    """Return *value* in its shortest form, the servers separated by commas without white space."""
    parts = [part.strip() for part in value.split(",")]
    if not all(parts):
        msg = "holds an empty entry; write http://HOST:11434, or several separated by commas"
        raise ValueError(msg)
    endpoints = [_endpoint(part) for part in parts]
    if len(endpoints) > _MOST_SERVERS:
        msg = f"names more than {_MOST_SERVERS} servers"
        raise ValueError(msg)
    if len({one.url for one in endpoints}) != len(endpoints):
        msg = "names a server twice; name each once, CLOISTER_MODEL_PARALLEL says how much it takes"
        raise ValueError(msg)
    return ",".join(f"openai+{one.url}" if one.kind == "openai" else one.url for one in endpoints)


ModelUrls = Annotated[str, AfterValidator(_model_urls)]

Urls = Annotated[
    ModelUrls | None,
    Field(
        description="Base URL of Ollama, or `openai+http://HOST:PORT` of vLLM, SGLang or llama.cpp's server;"
        " several with the same models, separated by commas, share the work."
        " Unset: reviews have no model part and say so.",
        examples=["http://127.0.0.1:11434"],
    ),
]
Key = Annotated[
    Token | None,
    Field(
        description="Key that OpenAI-compatible servers want, sent as bearer token. Unset: none is sent.",
        examples=["sk-..."],
    ),
]
CaFile = Annotated[
    LocalPath | None,
    Field(
        description="PEM file with the authority that signed the model servers' certificates."
        " Unset: the public ones.",
        examples=["/etc/ssl/certs/example-ca.pem"],
    ),
]
Review = Annotated[
    LocalModel,
    Field(
        description="Name of the model for reviews, as `ollama list` or `/v1/models` has it.",
        examples=["deepseek-coder-v2:16b"],
    ),
]
Judge = Annotated[
    LocalModel | None,
    Field(
        description="Model that confirms findings before they are posted, and says after a merge which were mended. Unset: `CLOISTER_MODEL`.",
        examples=["deepseek-r1:14b"],
    ),
]
Tests = Annotated[
    LocalModel | None,
    Field(
        description="Model that writes unit tests. Unset: `CLOISTER_MODEL`.",
        examples=["deepseek-coder:33b"],
    ),
]
EmbeddingModel = Annotated[
    LocalModel | None,
    Field(
        description="Model that makes vectors of texts. Unset: nothing is compared by meaning.",
        examples=["embeddinggemma"],
    ),
]
ContextTokens = Annotated[
    Annotated[int, Field(ge=2_048, le=1_048_576)] | None,
    Field(
        description="Context window to ask for, in tokens, prompt and answer together; 2048 to 1048576."
        " Unset: what `cloister model list` says, 16384 for a model that it does not list.",
        examples=[16384],
    ),
]
Parallel = Annotated[
    int,
    Field(
        ge=1,
        le=64,
        description="Requests to each model server at a time; match its `OLLAMA_NUM_PARALLEL`.",
        examples=[1],
    ),
]
FirstTokenS = Annotated[
    float,
    Field(
        ge=1,
        le=3600,
        description="Seconds that a model may read before it answers; a machine without a graphics card needs more.",
        examples=[600],
    ),
]
GapS = Annotated[
    float,
    Field(ge=1, le=3600, description="Seconds between two pieces of a model's answer.", examples=[60]),
]
TotalS = Annotated[
    float,
    Field(ge=1, le=86_400, description="Seconds for a whole answer of a model.", examples=[1200]),
]
