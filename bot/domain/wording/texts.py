"""Which texts there are, and what their placeholders stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.commands import Verb
from bot.domain.findings import Confidence, Severity
from bot.domain.policy import Role
from bot.domain.risk import Ground, Level
from bot.domain.waiving import Said
from bot.domain.wording.phrases import Phrases


@dataclass(frozen=True, slots=True)
class Talk:
    """What we answer to comments.

    ``{command}`` is a command as code, ``{role}`` a role in words, ``{reason}`` a cause as text, ``{limit}`` a number,
    ``{sha}`` a short commit as code, ``{state}`` a state of a merge request, ``{words}`` what was written. In answers
    about waivers ``{finding}`` and ``{named}`` are names of findings as code, ``{until}`` is a day, ``{grant}`` and
    ``{form}`` are commands as code, ``{days}`` and ``{chars}`` numbers.
    """

    on_comment: str
    does: Mapping[Verb, str]
    roles: Mapping[Role, str]
    states: Mapping[str, str]
    or_participant: str
    help: str
    help_head: str
    unknown: str
    needs_role: str
    switched_off: str
    too_many: str
    not_open: str
    needs_thread: str
    forgotten: str
    reviewing: str
    resolved: str
    resolved_before: str
    ignored: str
    ignored_because: str
    not_resolved: str
    paused: str
    paused_status: str
    paused_before: str
    resumed: str
    resumed_before: str
    testing: str
    testing_off: str
    may_not_push: str
    no_model: str
    model_failed: str
    no_code: str
    no_run: str
    edited: str
    no_fix: str
    fix_by_hand: str
    fix_offered: str
    checked: str
    waiving: Mapping[Said, str]


@dataclass(frozen=True, slots=True)
class CommentText:
    """What stands around a finding in its thread.

    ``{severity}``, ``{title}`` and ``{reason}`` are text, ``{lines}`` is ``line`` or ``lines`` filled in with
    ``{first}`` and ``{last}``, ``{evidence}`` and ``{references}`` are lists in the form of ``and_``.
    """

    headline: str
    suggested: str
    by_hand: str
    removal: str
    line: str
    lines: str
    checked: str
    test: str
    see: str
    and_: str
    confidence: str
    source: str
    how_to_answer: str
    asks: str


@dataclass(frozen=True, slots=True)
class SummaryText:
    """What stands in the summary note, and in the description of the commit status.

    ``{count}`` is a number, which a ``Counted`` text has two forms for; ``{steps}`` are parts of the review,
    ``{limits}`` what a change goes beyond, ``{sha}`` is a short commit as code, ``{command}`` a comment.
    """

    passed: str
    blocked: Counted
    remedy: Counted
    exceeded: str
    undecided: str
    unread: Counted
    failed: str
    try_again: str
    left_out: str
    paused: str
    pending: str
    nothing: str
    risk: str
    inline: str
    resolved_at_once: str
    shadowed: str
    withheld: str
    withheld_hint: str
    listed: str
    waived: str
    waived_hint: str
    asked: str
    asked_hint: str
    suppressed: str
    skipped: str
    ask_again: str
    not_reviewed: str
    coverage: str
    reviewed_by: str
    in_prompts: Counted
    unchanged: str
    unchanged_note: str
    problems: str
    changes: str
    more: str
    severity: str
    place: str
    finding: str
    name: str
    why: str
    file: str
    lines: str
    what: str
    nameless: str
    reviewed: str
    files: Counted
    added_lines: Counted
    tokens: str
    seconds: str
    comma: str
    colon: str
    stop: str
    status_failed: str
    status_blocked: Counted
    status_exceeded: str
    status_undecided: str
    status_unread: Counted
    status_draft: str
    status_waiting: str
    status_passed: str
    status_waived: Counted


@dataclass(frozen=True, slots=True)
class RiskText:
    """Why a merge request is risky, in a few words each."""

    levels: Mapping[Level, str]
    reasons: Mapping[Ground, Counted]


@dataclass(frozen=True, slots=True)
class Counted:
    """Hold a text for one and a text for any other number of ``{count}``."""

    one: str
    many: str

    def format(self, count: int, **more: str) -> str:
        """Return the text for *count*."""
        return (self.one if count == 1 else self.many).format(count=count, **more)


@dataclass(frozen=True, slots=True)
class Fate:
    """What we say in a thread about its finding.

    ``{sha}`` is a short commit as code, ``{explanation}`` what a model wrote. ``{until}`` is a day, ``{who}`` an account as
    code, ``{reason}`` text.
    """

    fixed: str
    back: str
    matters: str
    waived: str
    unwaived: str


@dataclass(frozen=True, slots=True)
class ProofText:
    """What we say of unit tests that a model wrote.

    ``{reason}``, ``{detail}`` and ``{survivor}`` are causes as text, ``{names}`` functions as code, ``{count}`` the
    tests that ran, ``{killed}`` and ``{mutants}`` numbers of defects, ``{iid}`` the number of a merge request.
    """

    title: str
    not_executed: str
    not_tried: str
    passed: Counted
    unsteady: str
    failed: Counted
    broken: str
    no_detail: str
    fails_on_base: str
    passes_on_base: str
    broken_on_base: str
    killed: str
    survived: str
    also: str
    stop: str
    comma: str
    nothing: str
    nothing_for: str
    apply: str
    apply_or_ask: str
    proposed: str
    not_proposed: str
    proposal: str
    proposal_text: str


@dataclass(frozen=True, slots=True)
class Wording:
    """Hold one language.

    ``phrases`` translates what other parts say in English, such as why a file was left out; what it lacks stays in
    English.
    """

    language: str
    talk: Talk
    comment: CommentText
    summary: SummaryText
    risk: RiskText
    fate: Fate
    tests: ProofText
    severities: Mapping[Severity, str]
    confidences: Mapping[Confidence, str]
    phrases: Phrases
