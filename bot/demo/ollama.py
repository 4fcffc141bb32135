"""A small server that speaks Ollama's HTTP API and answers from a script.

It checks requests as Ollama does, so that a client that passes here also sends Ollama what it needs.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from bot.demo.model_http import HANG_UP, Refused, ScriptedApi
from bot.demo.script import Fault, Reply, ScriptedModel, asked_for, split, vector_of

CREATED_AT = "2026-01-01T00:00:00Z"
BYTES_PER_TOKEN = 3.5
TEMPLATE_TOKENS = 12


@dataclass
class ScriptedOllama(ScriptedApi):
    """Serve as Ollama does.

    Args:
        version: what it claims to be.
        honours_truncate: False acts like servers that cut a prompt whatever the client asks.
        redirect_to: where ``Fault.redirect`` points.
    """

    version: str = "0.33.0"
    honours_truncate: bool = True
    redirect_to: str = "http://192.0.2.1/api/chat"
    #: Model names as they were loaded and, with a minus sign, unloaded.
    loads: list[str] = field(default_factory=list)
    chat_path: ClassVar[str] = "/api/chat"
    stream_type: ClassVar[str] = "application/x-ndjson"
    _loaded: dict[str, int] = field(default_factory=dict, kw_only=True)

    def asked(self, what: str = "findings") -> list[dict[str, Any]]:
        """Return the chat requests that asked for *what*, in order of arrival."""
        return [request for request in self.requests if asked_for(request) == what]

    def get(self, path: str) -> dict[str, Any]:
        """Answer a GET."""
        if path == "/api/version":
            return {"version": self.version}
        if path == "/api/tags":
            listed = [{"name": m.name, "model": m.name, "digest": m.digest, "size": 1} for m in self.models]
            return {"models": listed}
        if path == "/api/ps":
            loaded = [
                {"name": name, "model": name, "context_length": size} for name, size in self._loaded.items()
            ]
            return {"models": loaded}
        raise Refused(404, "404 page not found")

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a POST that is not a chat."""
        if path == "/api/show":
            return self._show(body)
        if path == "/api/generate":
            return self._unload(body)
        if path == "/api/embed":
            return self._embed(body)
        raise Refused(404, "404 page not found")

    def frame(self, line: dict[str, Any]) -> bytes:
        """Return a line of JSON."""
        return json.dumps(line, ensure_ascii=False).encode() + b"\n"

    def whole(self, lines: Iterator[dict[str, Any] | bytes]) -> dict[str, Any]:
        """Return the parts of an answer as the one object that ``stream: false`` gives."""
        parts = [line for line in lines if isinstance(line, dict)]
        text = "".join(part["message"]["content"] for part in parts if "message" in part)
        return parts[-1] | {"message": {"role": "assistant", "content": text}}

    def chat(self, body: dict[str, Any]) -> Iterator[dict[str, Any] | bytes]:
        """Check a chat request and return the lines of its answer."""
        self.requests.append(body)
        model = self._model(body)
        tokens, context = self._checked(body, model)
        reply = self.script(body)
        if reply.fault is Fault.busy:
            raise Refused(503, "server busy, please try again.  maximum pending requests exceeded")
        if reply.fault is Fault.crash:
            raise Refused(500, "llama runner process has terminated: exit status 2")
        if reply.fault is Fault.redirect:
            raise Refused(307, self.redirect_to)
        if self._loaded.get(model.name) != context:
            self._loaded[model.name] = context
            self.loads.append(model.name)
        return self._lines(body, model, reply, tokens if reply.prompt_tokens is None else reply.prompt_tokens)

    def _show(self, body: Mapping[str, Any]) -> dict[str, Any]:
        model = self._model(body)
        info = {"general.architecture": "llama", "llama.context_length": model.context_tokens}
        shown = {"capabilities": list(model.capabilities), "model_info": info, "details": {"family": "llama"}}
        return shown | ({"remote_host": model.remote_host} if model.remote_host else {})

    def _unload(self, body: Mapping[str, Any]) -> dict[str, Any]:
        model = self._model(body)
        if body.get("prompt") or body.get("keep_alive") != 0:
            raise Refused(400, "only unloading is scripted")
        self._loaded.pop(model.name, None)
        self.loads.append(f"-{model.name}")
        return {
            "model": model.name,
            "created_at": CREATED_AT,
            "response": "",
            "done": True,
            "done_reason": "unload",
        }

    def _embed(self, body: Mapping[str, Any]) -> dict[str, Any]:
        model = self._model(body)
        if "embedding" not in model.capabilities:
            raise Refused(500, "this model does not support embeddings")
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        longest = max((math.ceil(len(text.encode()) / BYTES_PER_TOKEN) for text in texts), default=0)
        if longest > model.context_tokens and body.get("truncate") is False:
            raise Refused(400, "input length exceeds the context length")
        return {
            "model": model.name,
            "embeddings": [vector_of(text, model.dimension) for text in texts],
            "prompt_eval_count": longest,
        }

    def _model(self, body: Mapping[str, Any]) -> ScriptedModel:
        name = str(body.get("model", ""))
        full = name if ":" in name else f"{name}:latest"
        found = next((model for model in self.models if full in {model.name, f"{model.name}:latest"}), None)
        if found is None:
            raise Refused(404, f"model '{name}' not found")
        return found

    def _checked(self, body: Mapping[str, Any], model: ScriptedModel) -> tuple[int, int]:
        """Return the prompt's tokens as evaluated and the context; refuse what Ollama refuses."""
        if body.get("think") and "thinking" not in model.capabilities:
            raise Refused(400, f'"{model.name}" does not support thinking')
        if not isinstance(body.get("format", {}), dict) and body.get("format") not in {"", "json"}:
            raise Refused(
                400,
                f'invalid format: {json.dumps(body["format"])}; expected "json" or a valid JSON Schema object',
            )
        options = body.get("options") or {}
        context = min(int(options.get("num_ctx", 4096)), model.context_tokens)
        size = sum(len(str(message["content"]).encode()) for message in body.get("messages", ()))
        tokens = TEMPLATE_TOKENS + math.ceil(size / BYTES_PER_TOKEN)
        if tokens < context:
            return tokens, context
        if body.get("truncate", True) or body.get("shift", True) or not self.honours_truncate:
            return context // 2 + 1, context
        problem = {
            "code": 400,
            "message": f"request ({tokens} tokens) exceeds the available context size ({context} tokens), try increasing it",
            "type": "exceed_context_size_error",
            "n_prompt_tokens": tokens,
            "n_ctx": context,
        }
        raise Refused(400, json.dumps({"error": problem}))

    def _lines(
        self, body: Mapping[str, Any], model: ScriptedModel, reply: Reply, tokens: int
    ) -> Iterator[dict[str, Any] | bytes]:
        halved = reply.fault in {Fault.half, Fault.length, Fault.stall, Fault.cut, Fault.error}
        text = reply.text[: len(reply.text) // 2] if halved else reply.text
        started = time.monotonic_ns()
        common = {"model": model.name, "created_at": CREATED_AT}
        if reply.fault is Fault.hang:
            self.pause()
        if "thinking" in model.capabilities and body.get("think", True):
            yield common | {
                "message": {"role": "assistant", "content": "", "thinking": reply.thought},
                "done": False,
            }
        for piece in split(text, reply.pieces):
            self.pause(reply.delay_s)
            yield common | {"message": {"role": "assistant", "content": piece}, "done": False}
        if reply.fault is Fault.stall:
            self.pause()
        elif reply.fault is Fault.garbage:
            yield b"<html>not what you expected</html>\n"
        elif reply.fault is Fault.error:
            yield {"error": "an error was encountered while running the model: unexpected EOF"}
        elif reply.fault is Fault.cut:
            yield HANG_UP
        else:
            yield common | {
                "message": {"role": "assistant", "content": ""},
                "done": True,
                "done_reason": "length" if reply.fault is Fault.length else "stop",
                "total_duration": time.monotonic_ns() - started,
                "load_duration": 1_000_000,
                "prompt_eval_count": tokens,
                "prompt_eval_duration": 1_000_000,
                "eval_count": math.ceil(len(text.encode()) / BYTES_PER_TOKEN),
                "eval_duration": 1_000_000,
            }
