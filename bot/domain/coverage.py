"""Who has looked at which file of a change, and at which nobody has."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.diff import Diff, FileDiff
from bot.domain.run import REPORT_STEP, REVIEW_STEP, WHOLE, Outcome, Run
from bot.domain.steps import spoken

_ONLY = "{reason}; only {steps} looked at it"
_UNREAD = "nothing that ran reads such files"


@dataclass(frozen=True, slots=True)
class Covered:
    """Hold who has looked at one file: ``scanners``, and the model in so many ``prompts``.

    Where the model was shown nothing of it now, the file is as the model saw it at the head ``since``, if that is set.
    """

    path: str
    scanners: tuple[str, ...] = ()
    prompts: int = 0
    since: str = ""


def covered(run: Run, diff: Diff) -> tuple[Covered, ...]:
    """Return the files of *diff* that somebody has looked at; one that `uncovered` names too was not read whole."""
    found = (_covered(run, file) for file in diff.files)
    return tuple(one for one in found if one.scanners or one.prompts or one.since)


def _covered(run: Run, file: FileDiff) -> Covered:
    path = file.new_path
    ended = {
        name: step
        for name, step in run.steps.items()
        if step.outcome in {Outcome.done, Outcome.partial} and path not in step.not_analysed
    }
    model = ended.pop(REVIEW_STEP, None)
    prompts = model.shown.get(path, 0) if model else 0
    readable = not file.unreadable and path not in run.skipped
    return Covered(
        path,
        scanners=tuple(spoken(name) for name, step in ended.items() if path in step.shown),
        prompts=prompts,
        since=model.since if model and readable and not prompts else "",
    )


def uncovered(run: Run, diff: Diff) -> dict[str, str]:
    """Return by path why somebody who should have looked at a file has not, or not at all of it."""
    seen_by = {one.path: one.scanners for one in covered(run, diff)}
    found = {
        path: _ONLY.format(reason=reason, steps=", ".join(seen_by[path])) if path in seen_by else reason
        for path, reason in run.skipped.items()
    }
    for name, step in run.steps.items():
        found |= {
            path: why
            for path, why in step.not_analysed.items()
            if name != REVIEW_STEP or path in diff.by_new_path
        }
    if run.revision is not None and not any(not name.startswith(REPORT_STEP) for name in run.pending):
        unread = run.absent[WHOLE] if run.left_out else _UNREAD
        found |= {
            file.new_path: file.unreadable or unread
            for file in diff.files
            if file.new_path not in seen_by and file.new_path not in found
        }
    return found


def withheld(run: Run, diff: Diff) -> list[str]:
    """Return what the model was not told although the project wants it: the change itself is in `uncovered`."""
    step = run.steps.get(REVIEW_STEP)
    return [why for path, why in step.not_analysed.items() if path not in diff.by_new_path] if step else []
