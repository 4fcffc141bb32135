"""How large the change of a run is, and how much of it those have looked at who decide about the gate."""

from __future__ import annotations

from bot.domain.diff import Diff
from bot.domain.policy import Extent, decides, excluded
from bot.domain.run import Outcome, Run, Step
from bot.domain.steps import scanner_of


def deciding(run: Run) -> dict[str, Step]:
    """Return the steps whose findings may block: the others leave nothing open when they give no answer."""
    return {
        name: step for name, step in run.steps.items() if decides(scanner_of(name), run.policy, run.facts)
    }


def extent(run: Run, diff: Diff) -> Extent:
    """Return the extent of *diff*; files that the policy leaves out count only as changed."""
    files = [file for file in diff.files if not excluded(file.new_path, run.policy, everywhere=True)]
    steps = {} if run.left_out else deciding(run)
    too_large = [file.new_path for file in files if file.truncated] if steps else []
    mine = {file.new_path for file in files}
    unread = {path for step in steps.values() for path in step.not_analysed if path in mine}
    return Extent(
        changed_lines=sum(len(file.added_lines) + len(file.removed_lines) for file in diff.files),
        files=len(diff.files),
        coverage=_coverage(
            # Of a file that could not be read nobody knows how many lines it adds.
            {file.new_path: max(len(file.added_lines), file.truncated) for file in files},
            steps,
            {*too_large, *unread},
        ),
        too_large=tuple(too_large),
        unread=tuple(sorted(unread - set(too_large))),
    )


def _coverage(lines: dict[str, int], steps: dict[str, Step], unread: set[str]) -> int | None:
    if not steps or any(step.outcome is Outcome.pending for step in steps.values()):
        return None
    ended = [step for step in steps.values() if step.outcome in {Outcome.done, Outcome.partial}]
    seen = {path for step in ended for path in step.shown} - unread
    total = sum(lines.values())
    return 100 * sum(count for path, count in lines.items() if path in seen) // total if total else 100
