"""When a run starts, fetch its code, read the policy of the target branch, and hand out the work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta

import structlog

from bot.domain.diff import Diff
from bot.domain.errors import Obsolete, Permanent, Transient
from bot.domain.events import (
    Action,
    DeadlineReached,
    FetchRequested,
    MergeRequestChanged,
    ReviewRequested,
    ScanRequested,
    Stage,
)
from bot.domain.merge_request import Revision
from bot.domain.policy import Policy, excluded
from bot.domain.policy_file import PATH, PolicyProblem, parse
from bot.domain.publication import SCAN_PREFIX
from bot.domain.run import REVIEW_STEP, TOTAL, Plan, Run
from bot.ports import Forge, ForgeMergeRequest, Model, Workspaces
from bot.runtime.consumer import Work, consumer
from bot.scanners import Scanner

log = structlog.get_logger()

#: After this many tries the forge's word on the head counts more than the event's.
_PATIENCE = 2

_NO_MODEL = "no model is configured"


async def give_up(event: FetchRequested, *, problem: str, work: Work) -> None:
    """Tell the merge request why there is no review."""
    async with work.commit() as transaction:
        run, due = (await transaction.run(event.run_id)).fail(problem)
        await transaction.save_run(run)
        for one in due:
            transaction.emit(one.event, delay=one.delay)


@consumer(Stage.fetch, exhausted=give_up)
async def fetch(
    event: FetchRequested,
    *,
    forge: Forge,
    workspaces: Workspaces,
    scanners: Mapping[str, Scanner],
    model: Model | None,
    redact: Callable[[str], str],
    deadline: timedelta,
    work: Work,
) -> None:
    """Bring the code of one run and plan its steps."""
    run = await work.run(event.run_id)
    found = await forge.merge_request(event.ref)
    if found.state != "opened":
        raise Obsolete(f"the merge request is {found.state}")
    if found.head_sha != run.head_sha:
        await _follow_forge(run, found, work)
        return
    revision = found.revision
    if revision is None or revision.head_sha != run.head_sha:
        raise Transient("GitLab still prepares the diff", retry_after_s=0.5)
    _, policy = await asyncio.gather(_announce(forge, found, run), _fetch(workspaces, revision))
    diff = await workspaces.diff(revision)
    plan = _plan(found, revision, diff, policy, scanners, model, redact)
    async with work.commit() as transaction:
        run = await transaction.run(event.run_id)
        if run.ended:
            return
        run, due = run.start_work(plan).advance()
        await transaction.save_run(run)
        for one in due:
            transaction.emit(one.event, delay=one.delay)
        for step in plan.steps:
            if step == REVIEW_STEP:
                transaction.emit(ReviewRequested(ref=run.ref, run_id=run.id))
            else:
                transaction.emit(
                    ScanRequested(ref=run.ref, run_id=run.id, scanner=step.removeprefix(SCAN_PREFIX))
                )
        if plan.steps:
            transaction.emit(DeadlineReached(ref=run.ref, run_id=run.id, step=TOTAL), delay=deadline)


async def _follow_forge(run: Run, found: ForgeMergeRequest, work: Work) -> None:
    """Wait for the forge to know the head; if it keeps naming another, that one is to be reviewed."""
    if work.failures < _PATIENCE or found.head_sha is None:
        raise Transient("the forge names another head than the event", retry_after_s=0.5)
    async with work.commit() as transaction:
        transaction.emit(
            MergeRequestChanged(ref=run.ref, action=Action.changed, head_sha=found.head_sha, source="forge")
        )


async def _announce(forge: Forge, found: ForgeMergeRequest, run: Run) -> None:
    """Show that a review is on its way; a token that may not do that must not stop the review."""
    try:
        await forge.set_status(found, run.head_sha, "pending", "review started")
    except (Permanent, Transient) as error:
        log.warning("status.not_set", error=str(error))


async def _fetch(workspaces: Workspaces, revision: Revision) -> Policy | PolicyProblem:
    await workspaces.fetch(revision)
    found = (await workspaces.read(revision, [PATH], side="start", max_bytes=100_000)).get(PATH)
    if found is None:
        return Policy()
    if found.content is None:
        return PolicyProblem(line=1, message="the file is larger than 100 kB", remedy="shorten it")
    return parse(found.content.decode(errors="replace"))


def _plan(
    found: ForgeMergeRequest,
    revision: Revision,
    diff: Diff,
    policy: Policy | PolicyProblem,
    scanners: Mapping[str, Scanner],
    model: Model | None,
    redact: Callable[[str], str],
) -> Plan:
    """Decide which steps have anything to do, and note what nobody will look at."""
    problems: tuple[str, ...] = ()
    if isinstance(policy, PolicyProblem):
        problems = (
            f"{PATH}, line {policy.line}: {policy.message}; {policy.remedy}. The default policy applies.",
        )
        policy = Policy()
    skipped = {file.new_path: reason for file in diff.files if (reason := excluded(file.new_path, policy))}
    for file in diff.files:
        if file.truncated:
            skipped[file.new_path] = "the change is too large to be read"
    wanted = [file.new_path for file in diff.files if file.added_lines and file.new_path not in skipped]
    steps = [f"{SCAN_PREFIX}{name}" for name, scanner in scanners.items() if any(map(scanner.wants, wanted))]
    absent: dict[str, str] = {}
    if found.draft and not policy.review.drafts:
        steps, absent = [], {"review": "the policy leaves drafts out until they are ready"}
    elif not policy.review.model:
        absent = {"model review": "switched off by the policy"}
    elif model is None:
        absent = {"model review": _NO_MODEL}
    elif wanted:
        steps.append(REVIEW_STEP)
    return Plan(
        revision=revision,
        policy=policy,
        steps=tuple(steps),
        title=redact(found.title),
        description=redact(found.description),
        skipped=skipped,
        absent=absent,
        problems=problems,
    )
