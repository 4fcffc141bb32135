"""Which comments a data set is made of, before any code is read."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.domain.findings import MODEL
from bot.domain.labels import Label, Labelled, label
from bot.domain.likeness import words
from bot.domain.merge_request import MergeRequestRef
from bot.domain.signals import Comment, Signal, SignalKind
from bot.learning.formats import Format
from bot.learning.rows import Material, by_prompt
from bot.ports import History

#: So that no merge request, rule or project is all that a model learns.
MOST_PER_MERGE_REQUEST: Final = 3
MOST_PER_RULE: Final = 500
MOST_PER_PROJECT: Final = 2_000

#: Of a comment that is clear itself.
UNDECIDED: Final = "something else that the model said to the same prompt is not clearly decided, or left out"

_CLEAR: Final = frozenset({Label.accepted_strong, Label.rejected_strong})
_SPOKEN: Final = frozenset(
    {SignalKind.reaction_added, SignalKind.reply, SignalKind.ignored, SignalKind.applied}
)


@dataclass(frozen=True, slots=True)
class Consent:
    """Hold what may be used: projects that allow it, and people who do not want to be part of it.

    ``authors`` are the authors of merge requests as far as they are known: any other may be one of those people.
    """

    projects: Collection[tuple[str, int]] = ()
    opted_out: Collection[tuple[str, int]] = ()
    authors: dict[MergeRequestRef, int] | None = None

    def refusal(self, comment: Comment) -> str:
        """Return why *comment* may not be used at all, empty if it may."""
        ref = comment.ref
        if (ref.instance, ref.project_id) not in self.projects:
            return "the project has not allowed it"
        author = (self.authors or {}).get(ref)
        if author is None and any(instance == ref.instance for instance, _ in self.opted_out):
            return "the author of the merge request is not known and may have opted out"
        if (ref.instance, author) in self.opted_out:
            return "the author of the merge request has opted out"
        return ""

    def heard(self, signals: Iterable[Signal]) -> list[Signal]:
        """Return *signals* without those of people who have opted out."""
        return [
            one
            for one in signals
            if one.actor_id is None or (one.ref.instance, one.actor_id) not in self.opted_out
        ]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Hold a comment that may become part of a data set."""

    comment: Comment
    label: Label
    reasons: tuple[uuid.UUID, ...]
    merged_at: datetime
    people: int


def candidate(
    history: History, consent: Consent, until: datetime, format_: Format, version: str = ""
) -> Candidate | str:
    """Return the candidate that *history* makes, or why it makes none.

    Only what was seen until *until* counts, so that the same call gives the same result later. Where prompts are made
    again by instructions of *version*, those of other versions are left out here: they would only take the places of
    what can be used.
    """
    comment = history.comment
    if refusal := consent.refusal(comment):
        return refusal
    if format_.asks and comment.scanner != MODEL:
        return "the comment is not the model's"
    if format_.asks and version and comment.prompt_version not in {"", version}:
        return "the model was asked by the instructions of another release"
    signals = [one for one in consent.heard(history.signals) if one.seen_at <= until]
    found = label(comment, signals, history.pushes)
    if found.label not in _CLEAR or found.frozen_at is None:
        return _unclear(found)
    said = {
        one.actor_id
        for one in signals
        if one.kind in _SPOKEN and one.fingerprint == comment.fingerprint and not one.actor_is_bot
    }
    return Candidate(comment, found.label, found.reasons, found.frozen_at, len(said))


def _unclear(found: Labelled) -> str:
    if found.contradictory:
        return "people contradict each other about it"
    return f"its label is {found.label.value}"


def consistent(material: Sequence[Material]) -> tuple[list[Material], Counter[str]]:
    """Return *material* without comments that say the same of the same code and were taken differently."""
    taken: defaultdict[str, set[bool]] = defaultdict(set)
    for one in material:
        taken[_said(one)].add(one.accepted)
    kept = [one for one in material if len(taken[_said(one)]) == 1]
    dropped = len(material) - len(kept)
    return kept, Counter({"the same was accepted and rejected": dropped} if dropped else {})


def decided(material: Sequence[Material]) -> tuple[list[Material], Counter[str]]:
    """Return *material* without prompts to which the model said something that is not in it.

    Nobody has clearly accepted or rejected that, or it had to be left out: an answer without it would teach silence
    where there is no reason for any, and one with it would teach what nobody asked for.
    """
    kept: list[Material] = []
    dropped = 0
    for _, group in by_prompt(material):
        said = {fingerprint for one in group if one.prompt for fingerprint in one.prompt.said}
        if said <= {one.comment.fingerprint for one in group}:
            kept += group
        else:
            dropped += len(group)
    return kept, Counter({UNDECIDED: dropped} if dropped else {})


def _said(one: Material) -> str:
    return " ".join([*words(one.code), "\0", *words(one.words)])
