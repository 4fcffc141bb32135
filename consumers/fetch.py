"""When a run starts, fetch its code, read the policy of the target branch, and hand out the work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta

from bot.domain.diff import Diff
from bot.domain.errors import Refused, Transient
from bot.domain.events import (
    DeadlineReached,
    FetchRequested,
    ReportRequested,
    ReviewRequested,
    ScanRequested,
    Stage,
    TestsRequested,
)
from bot.domain.facts import Facts
from bot.domain.forge import ForgeMergeRequest
from bot.domain.gate_decision import waiting
from bot.domain.merge_request import Revision
from bot.domain.policy import Policy, asks_for_author, left_out, unknown_rules
from bot.domain.policy_file import PATH, PolicyProblem
from bot.domain.run import REPORT_STEP, REVIEW_STEP, TOTAL, WHOLE, Plan, Run, RunState
from bot.domain.steps import SCAN_PREFIX
from bot.domain.summary import project_path, project_url
from bot.ports import Forge, Model, People, Transaction, Verdicts, Workspaces
from bot.reviewer.announcing import Announcing
from bot.reviewer.levels import Found, Levels
from bot.runtime.consumer import Work, consumer
from bot.scanners import Scanner, known_rules, scheduled

#: Waits for a head that GitLab does not know yet, or whose diff it still prepares.
_SETTLING_S = (0.2, 0.4, 0.8, 1.6, 2.0, 3.0)

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
    announcing: Announcing,
    people: People,
    workspaces: Workspaces,
    verdicts: Verdicts,
    levels: Levels,
    scanners: Mapping[str, Scanner],
    model: Model | None,
    instance_url: str,
    redact: Callable[[str], str],
    deadline: timedelta,
    work: Work,
) -> None:
    """Bring the code of one run and plan its steps."""
    run = await work.run(event.run_id)
    async with work.while_current(run):
        found = await _settled(forge, run)
    if found.state != "opened" or found.head_sha not in {None, run.head_sha}:
        await work.follow(run, found)
        return
    revision = found.revision
    if revision is None:
        raise Transient("GitLab still prepares the diff")
    left = await verdicts.left_waiting(run.ref, run.id)
    places, _ = await asyncio.gather(announcing.begin(found, run, left), workspaces.fetch(revision))
    diff = await workspaces.diff(revision)
    policy = await levels.effective(
        project_path(instance_url, found.web_url),
        await _policy_file(workspaces, revision, "start"),
        name=f"{run.ref.instance}:{run.ref.project_id}:{found.target_branch}",
        proposed=await _policy_file(workspaces, revision, "head") if PATH in diff.by_new_path else None,
    )
    facts = await _facts(found, policy.resolved.policy, people)
    await announcing.withdraw(run.model_copy(update={"policy": policy.resolved.policy}))
    said = await verdicts.of_run(run.id)
    # While it waited for further pushes, the status came to stand where a later pipeline would leave it pending.
    places = (*dict.fromkeys([*places, *(said.verdict.places if said and said.verdict else ())]),)
    plan = _plan(found, revision, diff, policy, facts, scanners, model, redact)
    page = project_url(instance_url, found.web_url)
    async with work.commit() as transaction:
        for one in left:
            await transaction.save_verdict(one.superseded())
        run = await transaction.run(event.run_id)
        if not run.ended:
            await _hand_out(transaction, run, plan, deadline)
        if run.state not in {RunState.finished, RunState.failed}:
            await transaction.save_verdict(waiting(run, found, page, places))


async def _settled(forge: Forge, run: Run) -> ForgeMergeRequest:
    """Return the merge request, after waiting a little for GitLab to know the head and to have its diff.

    Both take up to some seconds after a push.
    """
    found = await forge.merge_request(run.ref)
    for wait_s in _SETTLING_S:
        if found.state != "opened" or (found.head_sha == run.head_sha and found.revision is not None):
            break
        await asyncio.sleep(wait_s)
        found = await forge.merge_request(run.ref)
    return found


async def _hand_out(transaction: Transaction, run: Run, plan: Plan, deadline: timedelta) -> None:
    run, due = run.start_work(plan).advance()
    await transaction.save_run(run)
    for one in due:
        transaction.emit(one.event, delay=one.delay)
    for step in plan.steps:
        if step == REVIEW_STEP:
            transaction.emit(ReviewRequested(ref=run.ref, run_id=run.id))
        elif step.startswith(REPORT_STEP):
            scanner = step.removeprefix(SCAN_PREFIX)
            transaction.emit(ReportRequested(ref=run.ref, run_id=run.id, scanner=scanner))
        else:
            scanner = step.removeprefix(SCAN_PREFIX)
            transaction.emit(ScanRequested(ref=run.ref, run_id=run.id, scanner=scanner))
    if plan.policy.review.unit_tests == "always" and REVIEW_STEP in plan.steps:
        transaction.emit(TestsRequested(ref=run.ref, run_id=run.id))
    if plan.steps:
        transaction.emit(DeadlineReached(ref=run.ref, run_id=run.id, step=TOTAL), delay=deadline)


async def _policy_file(workspaces: Workspaces, revision: Revision, side: str) -> bytes | PolicyProblem | None:
    """Return the project's policy file at *side*, None if it has none there."""
    found = (await workspaces.read(revision, [PATH], side=side, max_bytes=100_000)).get(PATH)
    if found is None:
        return None
    if found.content is None:
        return PolicyProblem(line=1, message="the file is larger than 100 kB", remedy="shorten it")
    return found.content


async def _facts(found: ForgeMergeRequest, policy: Policy, people: People) -> Facts:
    """Return what rules of the gate may ask for; the author's role only if one does."""
    facts = Facts().as_of(found)
    if found.author_id is None or not asks_for_author(policy):
        return facts
    try:
        author = await people.member(found.ref.project_id, found.author_id)
    except Refused:
        return facts
    return facts.model_copy(update={"author_access": author.access_level})


def _plan(
    found: ForgeMergeRequest,
    revision: Revision,
    diff: Diff,
    found_policy: Found,
    facts: Facts,
    scanners: Mapping[str, Scanner],
    model: Model | None,
    redact: Callable[[str], str],
) -> Plan:
    """Decide which steps have anything to do, and note what nobody will look at."""
    policy = found_policy.resolved.policy
    problems = found_policy.problems + tuple(
        redact(f"{PATH}: {key} names {pattern!r}, which is no rule here; see `cloister rules list`.")
        for key, pattern in unknown_rules(policy, known_rules(scanners.values()))
    )
    skipped = left_out(diff, policy)
    names, missing = scheduled(scanners, diff, policy)
    steps = [f"{SCAN_PREFIX}{name}" for name in names]
    if any(file.added_lines and file.new_path not in skipped for file in diff.files):
        steps += [f"{SCAN_PREFIX}{report.scanner}" for report in policy.reports.sarif]
    if found.draft and not policy.review.drafts:
        steps, missing = [], {WHOLE: "the policy leaves drafts out until they are ready"}
    elif not policy.review.model:
        missing["model review"] = "switched off by the policy"
    elif model is None:
        missing["model review"] = _NO_MODEL
    elif any(file.added_lines and file.new_path not in skipped for file in diff.files):
        steps.append(REVIEW_STEP)
    return Plan(
        revision=revision,
        policy=policy,
        steps=tuple(steps),
        title=redact(found.title),
        description=redact(found.description),
        skipped=skipped,
        absent=missing,
        facts=facts,
        problems=problems,
    )
