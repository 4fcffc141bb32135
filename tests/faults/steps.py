"""The named steps at which a process can be told to die: where they are in the code, and which process passes them."""

from __future__ import annotations

from bot.cli.serve import STAGES

#: What every stage passes for every event: handed out, counted as started, work done but nothing stored, all rows
#: written but not committed, committed but the offset not.
#: Stages that take part in every review; the others wait for a policy, or for somebody who asks.
BUSY = tuple(stage for stage in STAGES if stage not in {"report", "converse", "tests"})
#: The stage that answers comments; its steps are passed where somebody has written one.
ANSWERS = "converse"
MOMENTS = ("delivered", "started", "worked", "written", "committed")

#: Steps of the receiver, and those that only some stage has.
RECEIVER = ("web.received", "web.appended")
SINGLE = (
    "fetch.fetched",
    "fetch.status_set",
    "scan.scanned",
    "review.answered",
    "verify.judged",
    "publish.locked",
    "publish.marked",
    "publish.drafted",
    "publish.published",
    "publish.summarised",
    "publish.status_set",
    "feedback.expected",
    "converse.locked",
    "converse.said",
)
STEPS = (*RECEIVER, *(f"{stage}.{moment}" for stage in (*BUSY, ANSWERS) for moment in MOMENTS), *SINGLE)


def process_of(step: str) -> str:
    """Return the name of the process that passes *step*: the stage, or the receiver."""
    return step.partition(".")[0]


def waves() -> dict[str, tuple[str, ...]]:
    """Return all steps in groups, with names: the processes of a group die at the same time.

    There are two processes for the last stage, which has the most steps.
    """
    left = {name: [step for step in STEPS if process_of(step) == name] for name in ("web", *BUSY, ANSWERS)}
    found = {}
    while any(left.values()):
        group = [
            steps.pop(0) for name, steps in left.items() for _ in range(1 + (name == "publish")) if steps
        ]
        moments = dict.fromkeys(step.partition(".")[2] for step in group)
        found["-".join(moments)] = tuple(group)
    return found
