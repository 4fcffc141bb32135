"""What the commit status of a run says."""

from __future__ import annotations

from bot.domain.policy_extent import deciding
from bot.domain.publication import Publication
from bot.domain.run import Outcome, Run, RunState
from bot.domain.steps import spoken
from bot.domain.wording import wording


def status(run: Run, publication: Publication) -> tuple[str, str]:
    """Return the commit status of *run*: GitLab's state, and a description for people.

    A scanner that did not finish leaves the question open, so the status fails: a gate that cannot tell must
    not open by itself. A step decides nothing unless the policy names it.
    """
    words = wording(run.policy.review.language)
    text = words.summary

    def steps(names: list[str]) -> str:
        return ", ".join(words.phrases.say(spoken(name)) for name in names)

    if run.state is RunState.failed:
        return "failed", text.status_failed
    if publication.verdict.blocking:
        return "failed", text.status_blocked.format(len(publication.verdict.blocking))
    if publication.verdict.exceeded:
        return "failed", text.status_exceeded
    if silent := undecided(run):
        return "failed", text.status_undecided.format(steps=steps(silent))
    if unread := publication.verdict.unread:
        return "failed", text.status_unread.format(len(unread))
    if run.left_out:
        # Marked as ready, it could be merged before we have looked.
        return "running", text.status_draft
    if waiting := [name for name in deciding(run) if name in run.pending]:
        return "running", text.status_waiting.format(steps=steps(waiting))
    if waived := publication.verdict.waived:
        return "success", text.status_waived.format(len(waived))
    return "success", text.status_passed


def undecided(run: Run) -> list[str]:
    """Return the steps that decide, and whose answer is missing."""
    return [name for name, step in deciding(run).items() if step.outcome in {Outcome.failed, Outcome.late}]
