"""How pages call what the code has short names for."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.dashboard import Change, Dimension
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

#: What people did with a comment, by the name of its label.
LABELS: Mapping[str, str] = {
    "accepted_strong": "accepted",
    "accepted_weak": "probably accepted",
    "rejected_strong": "rejected",
    "unknown": "no reaction",
    "censored": "cannot be told",
}
