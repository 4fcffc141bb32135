"""What is known about models before anybody asks them: window, sampling, thoughts, defects, memory.

Sizes are those of the 4-bit files that ``ollama pull`` fetches (embeddings: as they come), contexts those of the
models' own configurations. Memory for the context follows from layers, heads and 16-bit numbers.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_GIB: Final = 1024**3
#: What a server and its compute buffers take besides weights and context.
_OVERHEAD_GB: Final = 1.0
#: Of the memory of a machine without graphics card; the rest is the system's, and Cloister's own.
_USABLE_OF_RAM: Final = 0.75
_USABLE_OF_GPU: Final = 0.95
DEFAULT_WINDOW_TOKENS: Final = 16_384


class Thinking(enum.StrEnum):
    """Whether a model writes down thoughts before it answers."""

    never = "never"
    optional = "optional"  # a switch in its chat template
    always = "always"  # unless the server cuts it short, as Ollama does


@dataclass(frozen=True, slots=True)
class Preset:
    """Hold what a model needs.

    Args:
        name: as Ollama has it, or a name for what only other servers run.
        window_tokens: what to ask for; enough for a review, affordable in memory.
        part_tokens: code in one prompt; small models lose the thread in long ones.
        options: sampling, by Ollama's names.
        thinking: see there.
        defects: what it is known to do wrong, and what is done about it.
        weights_gb: size of the weights.
        context_kib: memory of one token of context.
        active_billions: parameters that one token passes through, which decides the speed.
        embeds: it makes vectors rather than answers.
        remark: who it is for.
    """

    name: str
    window_tokens: int = DEFAULT_WINDOW_TOKENS
    part_tokens: int = 4_000
    options: Mapping[str, Any] = field(default_factory=lambda: {"temperature": 0.1})
    thinking: Thinking = Thinking.never
    defects: str = ""
    weights_gb: float | None = None
    context_kib: int = 0
    active_billions: float = 0.0
    embeds: bool = False
    remark: str = ""

    def needs_gb(self, window_tokens: int | None = None, parallel: int = 1) -> float | None:
        """Return the memory for weights and *parallel* contexts, None for a model that is not known."""
        if self.weights_gb is None:
            return None
        context = (window_tokens or self.window_tokens) * parallel * self.context_kib * 1024 / _GIB
        return round(self.weights_gb + context + (0.2 if self.embeds else _OVERHEAD_GB), 1)


@dataclass(frozen=True, slots=True)
class Machine:
    """Hold the memory of a machine; ``gpus_gb`` has one entry per graphics card."""

    ram_gb: float
    gpus_gb: tuple[float, ...] = ()

    @property
    def usable_gb(self) -> float:
        """Return what a model may take: of the cards if there are any, of the main memory otherwise."""
        if self.gpus_gb:
            return sum(self.gpus_gb) * _USABLE_OF_GPU
        return self.ram_gb * _USABLE_OF_RAM

    def fits(self, preset: Preset, *, window_tokens: int | None = None, parallel: int = 1) -> bool | None:
        """Say whether *preset* fits, None if its size is not known."""
        needed = preset.needs_gb(window_tokens, parallel)
        return None if needed is None else needed <= self.usable_gb


#: DeepSeek's own advice for its thinking models, whose loops it keeps short.
_THINKING_OPTIONS: Final = {"temperature": 0.6, "top_p": 0.95}
_LOOPS: Final = (
    "falls into repetition after some dozens of answers and stops in the middle of one: such an answer is asked"
    " for again with another seed, then the model is loaded anew"
)
_THOUGHTS: Final = (
    "thinks at length unless it is stopped: thoughts are switched off where the server can, and never read"
)

#: Smallest first within a family.
PRESETS: Final = (
    Preset(
        "deepseek-coder:1.3b", part_tokens=2_500, weights_gb=0.8, context_kib=192, active_billions=1.3,
        defects="misses most of what larger ones find; trained for 16,384 tokens",
        remark="to try things out on any machine",
    ),
    Preset(
        "deepseek-coder:6.7b", weights_gb=3.8, context_kib=512, active_billions=6.7,
        defects="trained for 16,384 tokens, and its context is as large as its weights",
        remark="one card with 16 GB",
    ),
    Preset(
        "deepseek-coder:33b", weights_gb=19.0, context_kib=248, active_billions=33.0,
        defects="trained for 16,384 tokens; by DeepSeek's own figures no better than deepseek-coder-v2:16b, and far slower",
        remark="one card with 32 GB; for those who retrain it",
    ),
    Preset(
        "deepseek-coder-v2:16b", weights_gb=8.9, context_kib=270, active_billions=2.4,
        defects=_LOOPS,
        remark="the default: a machine without a card, or one card with 16 GB",
    ),
    Preset(
        "deepseek-coder-v2:236b", part_tokens=6_000, weights_gb=133.0, context_kib=4800, active_billions=21.0,
        defects=_LOOPS,
        remark="four cards with 80 GB",
    ),
    Preset(
        "deepseek-r1:1.5b", part_tokens=2_500, options=_THINKING_OPTIONS, thinking=Thinking.always, weights_gb=1.1, context_kib=28,
        active_billions=1.5, defects=_THOUGHTS, remark="to try things out",
    ),
    Preset(
        "deepseek-r1:7b", options=_THINKING_OPTIONS, thinking=Thinking.always, weights_gb=4.7, context_kib=56,
        active_billions=7.0, defects=_THOUGHTS, remark="one card with 8 GB",
    ),
    Preset(
        "deepseek-r1:8b", options=_THINKING_OPTIONS, thinking=Thinking.always, weights_gb=5.2, context_kib=144,
        active_billions=8.0, defects=_THOUGHTS, remark="one card with 12 GB; a judge beside the default model",
    ),
    Preset(
        "deepseek-r1:14b", options=_THINKING_OPTIONS, thinking=Thinking.always, weights_gb=9.0, context_kib=192,
        active_billions=14.0, defects=_THOUGHTS, remark="one card with 16 GB",
    ),
    Preset(
        "deepseek-r1:32b", options=_THINKING_OPTIONS, thinking=Thinking.always, weights_gb=20.0, context_kib=256,
        active_billions=32.0, defects=_THOUGHTS, remark="one card with 48 GB",
    ),
    Preset(
        "deepseek-r1:70b", options=_THINKING_OPTIONS, thinking=Thinking.always, weights_gb=43.0, context_kib=320,
        active_billions=70.0, defects=_THOUGHTS, remark="one card with 80 GB, or four with 24 GB",
    ),
    Preset(
        "deepseek-v3", window_tokens=32_768, part_tokens=8_000, thinking=Thinking.optional, weights_gb=404.0, context_kib=69,
        active_billions=37.0,
        defects="more than four cards with 80 GB hold: needs eight of them, or four with 141 GB",
        remark="behind vLLM or SGLang (`openai+http://...`); also V3.1, V3.2 and later of this size",
    ),
    Preset("embeddinggemma", window_tokens=2_048, weights_gb=0.6, embeds=True, remark="many languages, 768 numbers"),
    Preset(
        "qwen3-embedding:0.6b", window_tokens=8_192, weights_gb=0.6, context_kib=112, embeds=True,
        remark="code and many languages, 1024 numbers",
    ),
    Preset("all-minilm", window_tokens=512, weights_gb=0.1, embeds=True, remark="English, the smallest, 384 numbers"),
    Preset("nomic-embed-text", window_tokens=2_048, weights_gb=0.3, embeds=True, remark="English, 768 numbers"),
    Preset("bge-m3", window_tokens=8_192, weights_gb=1.2, embeds=True, remark="many languages, 1024 numbers"),
)  # fmt: skip

#: What other servers and other tags call them; the longest that a name begins with, in lower case, wins.
_ALIASES: Final = {
    "deepseek-ai/deepseek-coder-1.3b": "deepseek-coder:1.3b",
    "deepseek-ai/deepseek-coder-6.7b": "deepseek-coder:6.7b",
    "deepseek-ai/deepseek-coder-7b": "deepseek-coder:6.7b",
    "deepseek-ai/deepseek-coder-33b": "deepseek-coder:33b",
    "deepseek-ai/deepseek-coder-v2-lite": "deepseek-coder-v2:16b",
    "deepseek-ai/deepseek-coder-v2": "deepseek-coder-v2:236b",
    "deepseek-ai/deepseek-r1-distill-qwen-1.5b": "deepseek-r1:1.5b",
    "deepseek-ai/deepseek-r1-distill-qwen-7b": "deepseek-r1:7b",
    "deepseek-ai/deepseek-r1-distill-llama-8b": "deepseek-r1:8b",
    "deepseek-ai/deepseek-r1-0528-qwen3-8b": "deepseek-r1:8b",
    "deepseek-ai/deepseek-r1-distill-qwen-14b": "deepseek-r1:14b",
    "deepseek-ai/deepseek-r1-distill-qwen-32b": "deepseek-r1:32b",
    "deepseek-ai/deepseek-r1-distill-llama-70b": "deepseek-r1:70b",
    "deepseek-ai/deepseek-v3": "deepseek-v3",
    "deepseek-v3": "deepseek-v3",
    "deepseek-coder:latest": "deepseek-coder:1.3b",
    "deepseek-coder-v2:latest": "deepseek-coder-v2:16b",
    "deepseek-coder-v2:lite": "deepseek-coder-v2:16b",
    "deepseek-r1:latest": "deepseek-r1:8b",
    "google/embeddinggemma": "embeddinggemma",
    "qwen/qwen3-embedding-0.6b": "qwen3-embedding:0.6b",
    "sentence-transformers/all-minilm": "all-minilm",
    "nomic-ai/nomic-embed-text": "nomic-embed-text",
    "baai/bge-m3": "bge-m3",
} | {preset.name: preset.name for preset in PRESETS}

#: For reviews, best first, by DeepSeek's own figures for code.
_PREFERRED: Final = (
    "deepseek-v3",
    "deepseek-coder-v2:236b",
    "deepseek-coder-v2:16b",
    "deepseek-coder:6.7b",
    "deepseek-coder:1.3b",
)
_QUICK_WITHOUT_CARD: Final = 7.0
_BY_NAME: Final = {preset.name: preset for preset in PRESETS}


def preset_of(model: str) -> Preset:
    """Return the preset of *model*, whatever its quantisation; a model that is not known gets the defaults."""
    name = model.lower()
    name = name if ":" in name or "/" in name else f"{name}:latest"
    found = max((alias for alias in _ALIASES if _begins(name, alias)), key=len, default=None)
    return _BY_NAME[_ALIASES[found]] if found else Preset(model)


def is_known(preset: Preset) -> bool:
    """Say whether *preset* is of the table rather than made of defaults."""
    return preset.name in _BY_NAME


def _begins(name: str, alias: str) -> bool:
    """Say whether *name* is *alias* with more after it that does not change what model it is."""
    return name.startswith(alias) and name[len(alias) : len(alias) + 1] in {"", "-", ":", "_", "@", "."}


def best_for(machine: Machine, *, parallel: int = 1) -> Preset | None:
    """Return the model to pull for reviews on *machine*: the first of the preferred ones that fits.

    Without a graphics card what counts is how much of a model a token passes through: more than a few billion
    parameters take minutes to read a prompt. Models that always think are left to the operator's choice.
    """
    limit = float("inf") if machine.gpus_gb else _QUICK_WITHOUT_CARD
    preferred = (_BY_NAME[name] for name in _PREFERRED)
    fitting = (each for each in preferred if machine.fits(each, parallel=parallel))
    return next((each for each in fitting if each.active_billions <= limit), None)
