"""How pages call what the code has short names for."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.comment_lines import Became, Deed, Which
from bot.domain.dashboard import Change, Dimension
from bot.domain.labels import Censored
from bot.domain.review_fact import Reason

REASONS: Mapping[Reason, str] = {
    Reason.rejected: "The model's claim did not hold",
    Reason.merged: "Explains a finding of a scanner",
    Reason.policy: "Not wanted by the policy",
    Reason.duplicate: "Said by another finding",
    Reason.shadow: "Only recorded, by the policy",
    Reason.suppressed: "The code asks to ignore it",
    Reason.past: "In an earlier commit",
    Reason.mild: "Too mild or unsure",
    Reason.declined: "Declined by people before",
    Reason.muted: "Rule or category is muted",
    Reason.similar: "People rejected several like it",
    Reason.budget: "Comments enough already",
    Reason.refused: "GitLab has no place for it",
    Reason.known: "Said by an earlier review",
}

DIMENSIONS: Mapping[Dimension, str] = {
    Dimension.category: "Category",
    Dimension.rule: "Rule",
    Dimension.severity: "Severity",
    Dimension.scanner: "Scanner",
    Dimension.language: "Language",
    Dimension.model: "Model",
    Dimension.prompt_version: "Prompt version",
}

CHANGES: Mapping[Change, str] = {
    Change.model: "Model",
    Change.prompt: "Prompt",
    Change.release: "Release",
}

_LABELS: Mapping[str, str] = {
    "accepted_strong": "accepted",
    "accepted_weak": "probably accepted",
    "rejected_strong": "rejected",
    "unknown": "no reaction",
    "censored": "cannot be told",
}

_CENSORED: Mapping[Censored, str] = {
    Censored.bot_author: "a bot made the merge request",
    Censored.open: "the merge request is open",
    Censored.closed: "closed without a merge",
    Censored.no_push: "no push followed it",
    Censored.only_rebases: "only rebases followed it",
}

BECAME: Mapping[Became, str] = {
    Became.accepted_strong: "Accepted",
    Became.accepted_weak: "Probably accepted",
    Became.rejected_strong: "Rejected",
    Became.unknown: "No reaction",
    Became.censored: "Cannot be told",
    Became.decided: "Decided",
    Became.acted_on: "Acted on",
    Became.downvoted: "Thumbs-down",
    Became.suggested: "With a suggestion",
    Became.applied: "Suggestion applied",
    Became.open_critical: "Critical, merged open",
}

WHICH: Mapping[Which, str] = {
    Which.passed: "Passed",
    Which.blocked: "Blocked",
    Which.undecided: "Undecided",
    Which.waived: "With a waiver",
    Which.silent: "Silent",
    Which.unread: "Files not read",
}

#: What people did; the number of people stands before it where it is more than one.
DEEDS: Mapping[Deed, str] = {
    Deed.applied: "suggestion applied",
    Deed.thumbs_up: "thumbs-up",
    Deed.thumbs_down: "thumbs-down",
    Deed.other_reaction: "another reaction",
    Deed.agreed: "agreed in a reply",
    Deed.called_wrong: "called it wrong",
    Deed.declined: "declined it in a reply",
    Deed.asked: "asked about it",
    Deed.replied: "replied",
    Deed.resolved: "resolved the thread",
    Deed.changed: "lines changed later",
    Deed.gone: "gone at the merge",
    Deed.waived: "waived",
    Deed.ignored: "told us to ignore it",
}


def became_of(label: str, why: Censored | None) -> str:
    """Return what people did with a comment, by its *label*, or *why* that cannot be told."""
    named = _LABELS.get(label, label)
    return f"{named}: {_CENSORED[why]}" if why else named
