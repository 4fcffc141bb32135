"""What a data set is made of: comments with clear labels, and the rows that each format makes of them."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bot.domain.control_tokens import plain
from bot.domain.findings import MODEL
from bot.domain.labels import Label
from bot.domain.signals import Comment
from bot.learning.formats import Format

#: What a model says that has nothing to say.
SILENCE: Final = '{"findings":[]}'


@dataclass(frozen=True, slots=True)
class Prompt:
    """Hold what the model was asked: *sha256* is that of its audited input, before anything was scrubbed.

    ``said`` are the fingerprints of all that the model found in it, ``asked`` the lines that it was to review: what
    surrounds them is the same in many prompts.
    """

    sha256: str
    system: str
    user: str
    said: frozenset[str] = frozenset()
    asked: str = ""


@dataclass(frozen=True, slots=True)
class Material:
    """Hold a comment with a clear label, and all that a row needs of it.

    Args:
        comment: the comment.
        label: ``accepted_strong`` or ``rejected_strong``.
        reasons: ids of the signals that decided.
        merged_at: when the label was frozen.
        people: how many people said something about it.
        code: the lines of the change that it is about.
        words: title and message.
        prompt: what the model was asked, None where the comment is not the model's.
        answer: the finding as the model should say it, in the form of its schema.
    """

    comment: Comment
    label: Label
    reasons: tuple[uuid.UUID, ...]
    merged_at: datetime
    people: int
    code: str
    words: str
    prompt: Prompt | None = None
    answer: Mapping[str, Any] | None = None

    @property
    def accepted(self) -> bool:
        """Say which of the two labels it has."""
        return self.label is Label.accepted_strong


@dataclass(frozen=True, slots=True)
class Row:
    """Hold one row before it is scrubbed: ``content`` is what the format asks for.

    ``sources`` are the comments that it is made of; they are of one merge request.
    """

    content: Mapping[str, Any]
    sources: tuple[Material, ...]

    @property
    def merge_request(self) -> str:
        """Return the merge request, within which rows are never split."""
        return self.sources[0].comment.ref.key

    @property
    def merged_at(self) -> datetime:
        """Return the time that orders merge requests."""
        return self.sources[0].merged_at

    @property
    def name(self) -> str:
        """Return the same text for the same sources."""
        return ",".join(sorted(str(one.comment.id) for one in self.sources))

    @property
    def compared(self) -> tuple[tuple[str, str, str], ...]:
        """Return by what near duplicates are found: of each source the code, the model's own words, and what was asked.

        Words of rules are always the same, so they are left out. The same change in another merge request, such as one
        for an older release, is the same question, whatever was said to it.
        """
        return tuple(
            (
                one.code,
                one.words if one.comment.scanner == MODEL else "",
                one.prompt.asked if one.prompt and "prompt" in self.content else "",
            )
            for one in self.sources
        )

    @property
    def digest(self) -> str:
        """Return what tells rows with different content apart."""
        return hashlib.sha256(json.dumps(self.content, sort_keys=True).encode()).hexdigest()


def rows_of(format_: Format, material: Iterable[Material]) -> list[Row]:
    """Return the rows that *format_* makes of *material*, in a fixed order.

    Where an answer is the whole of it, *material* must have every comment on the prompt, see `selection.decided`.

    ``sft``: a prompt and the accepted findings of it; one whose findings were all rejected teaches silence.
    ``kto``: a prompt, one finding, and whether it was accepted.
    ``dpo``: a prompt of which something was rejected: the answer without that against the answer with it.
    ``classifier``: code and comment as one text, and whether it was accepted.
    """
    ordered = sorted(material, key=lambda one: (one.merged_at, one.comment.ref.key, one.comment.id))
    if format_ is Format.classifier:
        return [
            Row({"text": f"{one.code}\n\n{one.words}", "label": int(one.accepted)}, (one,)) for one in ordered
        ]
    make = {Format.sft: _sft, Format.kto: _kto, Format.dpo: _dpo}[format_]
    return [row for prompt, group in by_prompt(ordered) for row in make(prompt, group)]


def by_prompt(material: Iterable[Material]) -> Iterator[tuple[Prompt, list[Material]]]:
    """Yield each prompt, and what of *material* is about it, in the order of *material*."""
    groups: defaultdict[tuple[str, str], list[Material]] = defaultdict(list)
    for one in material:
        if one.prompt is not None and one.answer is not None:
            groups[one.comment.ref.key, one.prompt.sha256].append(one)
    for group in groups.values():
        assert group[0].prompt is not None
        yield group[0].prompt, group


def _sft(prompt: Prompt, group: Sequence[Material]) -> Iterator[Row]:
    # What was rejected is part of the row too: the prompt shows its code, and the answer says nothing about it.
    yield Row({**_asked(prompt), "completion": _said([one for one in group if one.accepted])}, tuple(group))


def _kto(prompt: Prompt, group: Sequence[Material]) -> Iterator[Row]:
    for one in group:
        yield Row({**_asked(prompt), "completion": _said([one]), "label": one.accepted}, (one,))


def _dpo(prompt: Prompt, group: Sequence[Material]) -> Iterator[Row]:
    accepted = [one for one in group if one.accepted]
    if len(accepted) < len(group):
        answers = {"chosen": _said(accepted), "rejected": _said(group)}
        yield Row({**_asked(prompt), **answers}, tuple(group))


def _asked(prompt: Prompt) -> dict[str, Any]:
    return {
        "prompt": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]
    }


def _said(findings: Sequence[Material]) -> list[dict[str, str]]:
    answers = [one.answer for one in findings]
    content = (
        json.dumps({"findings": answers}, ensure_ascii=False, separators=(",", ":")) if answers else SILENCE
    )
    # As in prompts: tokenizers, too, read such marks in what only quotes them.
    return [{"role": "assistant", "content": plain(content)}]
