"""Which texts there are, and what their placeholders stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.commands import Verb
from bot.domain.policy import Role


@dataclass(frozen=True, slots=True)
class Talk:
    """What we answer to comments.

    ``{command}`` is a command as code, ``{role}`` a role in words, ``{reason}`` a cause as text, ``{limit}`` a number,
    ``{sha}`` a short commit as code, ``{state}`` a state of a merge request, ``{words}`` what was written.
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
    no_fix: str
    fix_by_hand: str
    fix_offered: str
    checked: str


@dataclass(frozen=True, slots=True)
class Wording:
    """Hold one language."""

    language: str
    talk: Talk
