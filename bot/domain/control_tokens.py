"""Words that model servers take for marks of their own, made plain.

Ollama and llama.cpp read such marks in what users send as well, so a comment in the code could end our message and
begin one of the system: https://github.com/ollama/ollama/issues/15931.
"""

from __future__ import annotations

import re

#: ChatML, Llama 3, DeepSeek (with full-width bars), Gemma, and those in plain angle brackets that are no names of types.
_MARK = re.compile(
    r"<(?=[|｜][^<>\s|｜]{1,64}[|｜]?>|[^<>\s|｜]{1,64}[|｜]>"
    r"|/?(?:s|bos|eos|pad|unk|mask|think|thinking|tool_call|tool_response|start_of_turn|end_of_turn"
    r"|fim_prefix|fim_middle|fim_suffix)>)",
    re.IGNORECASE,
)
_SHOWN = "‹"


def plain(text: str) -> str:
    """Return *text* with the bracket of each mark replaced by one that only looks like it."""
    return _MARK.sub(_SHOWN, text) if "<" in text else text
