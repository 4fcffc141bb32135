"""What the summary note of a run is to say."""

from __future__ import annotations

from collections.abc import Collection

from bot.domain.commit_status import undecided
from bot.domain.coverage import covered, uncovered, withheld
from bot.domain.diff import Change, Diff, FileDiff
from bot.domain.policy import Role
from bot.domain.publication import Publication
from bot.domain.reconcile import Explain, Keep, Post, Reopen
from bot.domain.review_result import FileChange, Listed, ReviewResult
from bot.domain.risk import risk
from bot.domain.run import REVIEW_STEP, Outcome, Run, RunState
from bot.domain.steps import spoken
from bot.domain.waiver_offer import way_out
from bot.domain.waivers_standing import terms

_PAST_UNKNOWN = "{step}: not all commits of the branch were searched: {reason}."


def result(
    run: Run,
    publication: Publication,
    *,
    refused: Collection[str],
    diff: Diff,
    project_url: str,
    tokens: int,
    seconds: float,
    paused: bool = False,
) -> ReviewResult:
    """Return the content of the summary note.

    Args:
        run: the run.
        publication: what was decided.
        refused: fingerprints of findings whose position GitLab did not accept.
        diff: the reviewed diff.
        project_url: the project's page, empty for no links.
        tokens: what the model read and wrote.
        seconds: since the run started.
        paused: whether people have stopped automatic reviews.
    """
    placed = [
        action.finding
        for action in publication.actions
        if isinstance(action, Post | Keep | Explain | Reopen)
        and not action.finding.commit
        and not (isinstance(action, Keep) and action.thread.declined)
    ]
    allowed, failed = terms(run.policy), run.state is RunState.failed
    not_reviewed = uncovered(run, diff)
    shown = [*placed, *(item.finding for item in publication.listed)]
    told = {path: text for step in run.steps.values() for path, text in step.walkthrough.items()}
    return ReviewResult(
        head_sha=run.head_sha,
        verdict=publication.verdict,
        project_url=project_url,
        inline=[finding for finding in placed if finding.fingerprint not in refused],
        listed=[
            *(
                Listed(f, "GitLab has no place for a comment there")
                for f in placed
                if f.fingerprint in refused
            ),
            *publication.listed,
        ],
        suppressed=publication.suppressed,
        withheld=[Listed(one.finding, one.silence.explanation) for one in publication.withheld],
        skipped={} if run.left_out else {**run.absent, **_broken(run)},
        not_reviewed=not_reviewed,
        pending=[spoken(name) for name in sorted(run.pending)],
        undecided=[spoken(name) for name in undecided(run)],
        failed=failed,
        retriable=failed and run.policy.conversation.review is not Role.nobody,
        left_out=run.left_out,
        paused=paused,
        hushed=publication.staying is not None and not {f.fingerprint for f in placed} <= publication.staying,
        unanswered=_unanswered(run),
        way_out=way_out(publication.verdict, allowed) if run.policy.conversation.per_hour else "",
        max_days=allowed.max_days,
        risk=None if run.left_out or failed else risk(diff, shown, _unread(run, diff, not_reviewed)),
        reviewed=sum(file.new_path not in not_reviewed for file in diff.files),
        covered=covered(run, diff),
        changes=[_changed(file, told.get(file.new_path, "")) for file in diff.files],
        language=run.policy.review.language,
        problems=(
            *run.problems,
            *publication.verdict.warned,
            *withheld(run, diff),
            *_unknown_past(run),
            *_remarks(run),
        ),
        files=len(diff.files),
        added_lines=diff.added_line_count,
        tokens=tokens,
        seconds=seconds,
    )


def _unread(run: Run, diff: Diff, not_reviewed: Collection[str]) -> list[str]:
    """Return the files that hold something new, and that were to be read and were not."""
    old = {
        file.new_path
        for file in diff.files
        if not file.added_lines and (file.change is Change.deleted or not (file.binary or file.truncated))
    }
    return [path for path in not_reviewed if path not in old and path not in run.skipped]


def _changed(file: FileDiff, told: str) -> FileChange:
    by_kind = {
        Change.added: "new file",
        Change.deleted: "deleted",
        Change.renamed: f"renamed from {file.old_path}",
    }
    plain = "binary file" if file.binary else by_kind.get(file.change, "")
    return FileChange(file.new_path, len(file.added_lines), len(file.removed_lines), told or plain)


def _unknown_past(run: Run) -> list[str]:
    return [
        _PAST_UNKNOWN.format(step=spoken(name).capitalize(), reason=step.past)
        for name, step in run.steps.items()
        if step.past
    ]


def _remarks(run: Run) -> list[str]:
    return [remark for step in run.steps.values() for remark in step.remarks]


def _broken(run: Run) -> dict[str, str]:
    return {
        spoken(name): step.problem
        for name, step in run.steps.items()
        if step.problem and step.outcome is not Outcome.pending
    }


def _unanswered(run: Run) -> bool:
    """Say whether the model gave no answer, and people may have it asked again."""
    step = run.steps.get(REVIEW_STEP)
    failed = step is not None and step.outcome in {Outcome.failed, Outcome.late}
    return failed and run.policy.conversation.review is not Role.nobody
