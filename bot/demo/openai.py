"""A small server that speaks OpenAI's protocol as vLLM and llama.cpp do, and answers from a script."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from bot.demo.model_http import HANG_UP, Refused, ScriptedApi
from bot.demo.ollama import BYTES_PER_TOKEN, TEMPLATE_TOKENS
from bot.demo.script import Fault, Reply, ScriptedModel, split, vector_of

_KNOWN_FIELDS = frozenset(
    {
        "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p",
        "seed", "response_format", "chat_template_kwargs",
    }
)  # fmt: skip


@dataclass
class ScriptedOpenAI(ScriptedApi):
    """Serve as OpenAI-compatible servers do.

    Args:
        key: the bearer token that it wants; empty wants none.
        formats: types of ``response_format`` that it knows.
        refuses: other fields that it refuses, by the refusal.
        tells_usage: False refuses ``stream_options``, and counts nothing.
        tells_context: as which server: ``vllm``, ``llama.cpp`` (at ``/props``), ``ollama`` or none (not at all).
        redirect_to: where ``Fault.redirect`` points.
        retry_after: sent with 503, if not empty.
    """

    key: str = ""
    formats: tuple[str, ...] = ("json_schema", "json_object")
    refuses: Mapping[str, str] = field(default_factory=dict)
    tells_usage: bool = True
    tells_context: str = "vllm"
    redirect_to: str = "http://192.0.2.1/v1/chat/completions"
    retry_after: str = ""
    chat_path: ClassVar[str] = "/v1/chat/completions"
    stream_type: ClassVar[str] = "text/event-stream"

    def get(self, path: str) -> dict[str, Any]:
        """Answer a GET."""
        self._authorise()
        if path == "/v1/models":
            return {"object": "list", "data": [self._listed(model) for model in self.models]}
        if path == "/props" and self.tells_context == "llama.cpp":
            settings = {"n_ctx": self.models[0].context_tokens}
            return {"default_generation_settings": settings, "build_info": "b10488-scripted"}
        raise Refused(404, {"message": "Not Found", "type": "NotFoundError", "code": 404})

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a POST that is not a chat."""
        self._authorise()
        if path != "/v1/embeddings":
            raise Refused(404, {"message": "Not Found", "type": "NotFoundError", "code": 404})
        model = self._model(body)
        if "embedding" not in model.capabilities:
            raise _bad("The model does not support Embeddings API")
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        for text in texts:
            self._fitting(math.ceil(len(text.encode()) / BYTES_PER_TOKEN), 0, model)
        vectors = [
            {"object": "embedding", "index": index, "embedding": vector_of(text, model.dimension)}
            for index, text in enumerate(texts)
        ]
        # Some servers answer batch by batch; only the index tells which vector is whose.
        return {"object": "list", "model": model.name, "data": vectors[::-1]}

    def frame(self, line: dict[str, Any]) -> bytes:
        """Return an event."""
        return f"data: {json.dumps(line, ensure_ascii=False)}\n\n".encode()

    def whole(self, lines: Iterator[dict[str, Any] | bytes]) -> dict[str, Any]:
        """Refuse: nobody asks for that."""
        del lines
        raise _bad("only streaming is scripted")

    def chat(self, body: dict[str, Any]) -> Iterator[dict[str, Any] | bytes]:
        """Check a chat request and return the events of its answer."""
        self._authorise()
        self.requests.append(body)
        model = self._model(body)
        tokens = self._checked(body, model)
        reply = self.script(body)
        if reply.fault is Fault.busy:
            headers = {"Retry-After": self.retry_after} if self.retry_after else {}
            raise Refused(503, {"message": "server busy", "type": "unavailable", "code": 503}, **headers)
        if reply.fault is Fault.crash:
            raise Refused(500, {"message": "EngineCore encountered an issue: exit status 2", "code": 500})
        if reply.fault is Fault.redirect:
            raise Refused(307, self.redirect_to)
        return self._events(
            body, model, reply, tokens if reply.prompt_tokens is None else reply.prompt_tokens
        )

    def _authorise(self) -> None:
        given = self.calls[-1][1].get("authorization", "")
        if self.key and given != f"Bearer {self.key}":
            raise Refused(401, "Unauthorized")

    def _listed(self, model: ScriptedModel) -> dict[str, Any]:
        listed: dict[str, Any] = {"id": model.name, "object": "model", "root": model.digest}
        if self.tells_context == "vllm":
            return listed | {"owned_by": "vllm", "max_model_len": model.context_tokens, "created": 1}
        if self.tells_context == "ollama":
            return listed | {"owned_by": "library", "created": 1}
        return listed | {"owned_by": "llamacpp", "meta": {"n_ctx_train": 2 * model.context_tokens}}

    def _model(self, body: Mapping[str, Any]) -> ScriptedModel:
        name = str(body.get("model", ""))
        found = next((model for model in self.models if model.name == name), None)
        if found is None:
            raise Refused(404, {"message": f"The model `{name}` does not exist.", "code": 404})
        return found

    def _checked(self, body: Mapping[str, Any], model: ScriptedModel) -> int:
        """Return the tokens of the prompt; refuse what such servers refuse."""
        if unknown := sorted(set(body) - _KNOWN_FIELDS):
            raise _bad(f"unknown fields: {unknown}")
        for name, refusal in self.refuses.items():
            if name in body:
                raise _bad(refusal)
        wanted = (body.get("response_format") or {"type": "text"})["type"]
        if wanted not in (*self.formats, "text"):
            raise _bad(f"response_format of type {wanted} is not supported")
        if wanted == "json_schema" and not isinstance(body["response_format"]["json_schema"]["schema"], dict):
            raise _bad("json_schema: not a schema")
        if "stream_options" in body and not self.tells_usage:
            raise _bad("unrecognized request argument supplied: stream_options")
        if "chat_template_kwargs" in body and "template" not in model.capabilities:
            raise _bad("chat_template_kwargs is not supported")
        size = sum(len(str(message["content"]).encode()) for message in body["messages"])
        tokens = TEMPLATE_TOKENS + math.ceil(size / BYTES_PER_TOKEN)
        self._fitting(tokens, int(body.get("max_completion_tokens", body.get("max_tokens", 16))), model)
        return tokens

    def _fitting(self, tokens: int, answer: int, model: ScriptedModel) -> None:
        if tokens + answer > model.context_tokens:
            raise _bad(
                f"This model's maximum context length is {model.context_tokens} tokens. However, you requested"
                f" {tokens + answer} tokens ({tokens} in the messages, {answer} in the completion)."
            )

    def _events(
        self, body: Mapping[str, Any], model: ScriptedModel, reply: Reply, tokens: int
    ) -> Iterator[dict[str, Any] | bytes]:
        halved = reply.fault in {Fault.half, Fault.length, Fault.stall, Fault.cut, Fault.error}
        text = reply.text[: len(reply.text) // 2] if halved else reply.text
        if reply.fault is Fault.hang:
            self.pause()
        yield b": keep-alive\n\n"
        yield _chunk({"role": "assistant", "content": ""})
        if "thinking" in model.capabilities and not body.get("chat_template_kwargs"):
            yield _chunk({"reasoning_content": reply.thought})
        for piece in split(text, reply.pieces):
            self.pause(reply.delay_s)
            yield _chunk({"content": piece})
        if reply.fault is Fault.stall:
            self.pause()
        elif reply.fault is Fault.garbage:
            yield b"<html>not what you expected</html>\n"
        elif reply.fault is Fault.error:
            yield {"error": {"message": "an error while running the model: unexpected EOF", "code": 500}}
        elif reply.fault is Fault.cut:
            yield HANG_UP
        else:
            yield _chunk({}, "length" if reply.fault is Fault.length else "stop")
            if (body.get("stream_options") or {}).get("include_usage"):
                output = math.ceil(len(text.encode()) / BYTES_PER_TOKEN)
                yield {"choices": [], "usage": {"prompt_tokens": tokens, "completion_tokens": output}}
            yield b"data: [DONE]\n\n"


def _chunk(delta: Mapping[str, str], reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": dict(delta), "finish_reason": reason}
    return {"object": "chat.completion.chunk", "choices": [choice]}


def _bad(message: str) -> Refused:
    return Refused(400, {"message": message, "type": "BadRequestError", "code": 400})
