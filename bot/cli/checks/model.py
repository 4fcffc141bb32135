"""Can the model part of a review work."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Protocol

from bot.adapters.model_errors import Unfit
from bot.cli.checks import CHECK_LIMIT_S, Check, Outcome, fail, guarded, ok, warn
from bot.domain.errors import CloisterError
from bot.domain.prompt import LEAST_WINDOW_TOKENS
from bot.ports import Embeddings, ModelReply, ModelRequest

#: A first question may load the model.
PROBE_LIMIT_S = 600.0
_SCHEMA = {
    "type": "object",
    "properties": {"findings": {"type": "array", "maxItems": 0}, "word": {"enum": ["cloister"]}},
    "required": ["findings", "word"],
    "additionalProperties": False,
}
#: Asks for what the schema forbids, so that only a server that is bound to the schema complies.
_PROBE = ModelRequest(
    "You are a helpful assistant.",
    "Say good morning in one short sentence of plain English.",
    _SCHEMA,
    max_output_tokens=64,
)


class Facts(Protocol):
    """What a model server says about itself and the model; see ``bot.adapters.chat_server.ModelFacts``."""

    @property
    def version(self) -> str:
        """Return the server's version."""

    @property
    def context_tokens(self) -> int | None:
        """Return the context that the model was made for, None when it does not say."""

    @property
    def loaded_tokens(self) -> int | None:
        """Return the context that the model is loaded with, None when it is not."""

    @property
    def gpu_share(self) -> float | None:
        """Return how much of the model is on graphics cards, None when it does not say."""


class Server(Protocol):
    """Ask the model server; what a review could not work with is raised, with the remedy."""

    @property
    def label(self) -> str:
        """Return kind and address."""

    @property
    def window_tokens(self) -> int:
        """Return the context that requests ask for."""

    async def check(self) -> Facts:
        """Return the facts."""

    async def answer(self, request: ModelRequest) -> ModelReply:
        """Answer."""


async def models(
    servers: Mapping[str, Sequence[Server]], context_tokens: int | None, *, probing: bool = False
) -> list[Check]:
    """Judge each model on each of its servers; a server without a model is fine as long as another has it.

    Args:
        servers: by name of the model.
        context_tokens: what is configured, None for what the preset says.
        probing: also ask the model something, which loads it.
    """
    checks: list[Check] = []
    for name, with_model in servers.items():
        one = len(servers) == len(with_model) == 1
        groups = []
        for server in with_model:
            title = "model" if one else f"{name} on {server.label}"
            examined = model(server, name, context_tokens, title=title, probing=probing)
            limit_s = PROBE_LIMIT_S if probing else CHECK_LIMIT_S
            remedy = "start the server, or correct CLOISTER_MODEL_URL"
            groups.append(await guarded(title, examined, remedy=remedy, limit_s=limit_s))
        usable = any(all(check.outcome != "fail" for check in group) for group in groups)
        for group in groups:
            checks += [_softened(check) if usable and check.outcome == "fail" else check for check in group]
    return checks


def _softened(check: Check) -> Check:
    return Check(check.name, Outcome.warn, f"{check.detail} (another server has the model)", check.remedy)


async def model(
    server: Server, name: str, context_tokens: int | None, *, title: str = "model", probing: bool = False
) -> list[Check]:
    """Judge server and model *name*, and whether *context_tokens* fit what it was made for."""
    try:
        facts = await server.check()
    except Unfit as error:
        found, _, remedy = str(error).partition(": ")
        return [fail(title, found, remedy)]
    checks = [ok(title, f"{name}, {server.label} {facts.version}")]
    wanted = context_tokens or server.window_tokens
    if server.window_tokens < LEAST_WINDOW_TOKENS:
        checks.append(_cramped(title, server.window_tokens))
    elif facts.context_tokens is not None:
        checks.append(_context(title, name, facts.context_tokens, wanted))
    if probing:
        checks += await _probed(server, title)
        facts = await server.check()
    if facts.loaded_tokens is not None:
        checks += _loaded(title, facts, server.window_tokens)
    return checks


def _cramped(title: str, window_tokens: int) -> Check:
    return fail(
        f"{title} context",
        f"{window_tokens} tokens, in which no review fits",
        f"give the model {LEAST_WINDOW_TOKENS} or more, better twice as many: CLOISTER_MODEL_CONTEXT_TOKENS, and what"
        " the server was started with",
    )


def _context(title: str, name: str, made_for: int, wanted: int) -> Check:
    if wanted > made_for:
        return warn(
            f"{title} context",
            f"{wanted} tokens wanted, {name} was made for {made_for}",
            f"set CLOISTER_MODEL_CONTEXT_TOKENS={made_for} or less",
        )
    return ok(f"{title} context", f"{wanted} of {made_for} tokens")


async def _probed(server: Server, title: str) -> list[Check]:
    """Ask for prose under a schema that forbids it."""
    name = f"{title} JSON schema"
    try:
        reply = await server.answer(_PROBE)
    except CloisterError as error:
        return [fail(name, str(error), "look into the server's log; `cloister model bench` tries it further")]
    thinks = "; it thinks although it was told not to" if reply.thought_chars else ""
    found = f"answered after {reply.first_token_s:.1f} s{thinks}"
    try:
        honoured = json.loads(reply.text) == {"findings": [], "word": "cloister"}
    except ValueError:
        honoured = False
    if not honoured:
        remedy = "update the server, or start it with structured output; answers that are no JSON are asked for twice"
        return [warn(name, f"not honoured, {found}", remedy)]
    if thinks:
        return [warn(name, f"honoured, {found}", "expect answers to take several times as long")]
    return [ok(name, f"honoured, {found}")]


def _loaded(title: str, facts: Facts, window_tokens: int) -> list[Check]:
    name, loaded, share = f"{title} loaded", facts.loaded_tokens or 0, facts.gpu_share
    where = "" if share is None else f", {share:.0%} on graphics cards"
    if loaded < window_tokens:
        return [
            warn(
                name,
                f"with {loaded} tokens of context, we ask for {window_tokens}",
                "it is loaded anew for us: let nothing else use it with another context",
            )
        ]
    if share is not None and 0 < share < 1:
        remedy = (
            "a smaller model or context that fits the cards is many times as fast; see `cloister model list`"
        )
        return [warn(name, f"with {loaded} tokens{where}", remedy)]
    return [ok(name, f"with {loaded} tokens{where}")]


async def vectors(embeddings: Embeddings) -> list[Check]:
    """Judge whether *embeddings* makes vectors, and that close meanings are close."""
    name = f"embeddings {embeddings.name}"
    return await guarded(
        name,
        _vectors(embeddings, name),
        remedy="get the model, or unset CLOISTER_MODEL_EMBEDDINGS",
        limit_s=60,
    )


async def _vectors(embeddings: Embeddings, name: str) -> list[Check]:
    one, near, far = await embeddings.embed(
        [
            "the variable may be null here",
            "this variable can be null",
            "rename the file to match the style guide",
        ]
    )
    close, apart = _cosine(one, near), _cosine(one, far)
    found = f"{len(one)} numbers; {close:.2f} for close meanings, {apart:.2f} for distant ones"
    if close <= apart:
        return [warn(name, found, "another model tells texts apart better; see `cloister model list`")]
    return [ok(name, found)]


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))
