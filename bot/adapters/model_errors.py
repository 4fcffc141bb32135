"""Errors of model servers, told apart by whether another server could do better."""

from __future__ import annotations

from typing import NoReturn

from bot.domain.errors import Permanent, Transient
from bot.domain.said import CutAnswer


class Useless(Transient):
    """Say that the server works, but what the model answered is of no use; another server has the same model."""


class Broken(Useless, CutAnswer):
    """Say that an answer ended too early, or went round in circles; what is whole of it may still be read."""


class Unfit(Permanent):
    """Say that this server cannot be used for this model at all, whatever the request; another one may be."""


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
