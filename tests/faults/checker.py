"""The judge of every fault: what stands on GitLab in the end, against what was acknowledged.

Every head whose webhook was answered with 202 is reviewed, or a newer one is, or the merge request was closed; nothing
stands there twice; heads that were superseded said nothing any more; and nothing was given up that no test expects.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.demo.gitlab import MergeRequest, Project
from bot.domain.events import delivery_id
from bot.gitlab.instance import instance_name
from tests.cloister import Cloister
from tests.faults.cluster import Cluster, Journal
from tests.waiting import until

_MARKER = re.compile(r"^<!-- cloister:v1:(?P<name>[0-9a-zA-Z_.-]+):[0-9a-f]+ -->$")
_SUMMARY = "summary"
#: What the marker of an answer names: the comment that it answers.
_ANSWER = re.compile(r"\d{1,18}")
#: Which stage takes a webhook.
_TAKEN_BY = {"Merge Request Hook": "intake", "Note Hook": "converse"}
_DECIDED = frozenset({"success", "failed"})
#: How long publishing, once begun, may go on after a newer head has taken over.
_UNDER_WAY_S = 5.0
#: What every fault must be over in.
CONVERGED_S = 240.0


@dataclass
class Verdict:
    """What was found, as numbers and as complaints; no complaint means that the promise was kept."""

    merge_requests: int = 0
    acknowledged: int = 0
    reviewed: int = 0
    superseded: int = 0
    threads: int = 0
    answers: int = 0
    dead_letters: int = 0
    lost: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    @property
    def complaints(self) -> list[str]:
        """Return everything that is not as promised."""
        return [*self.lost, *self.duplicates, *self.stale, *self.others]

    def __str__(self) -> str:
        return (
            f"{self.merge_requests} merge requests, {self.acknowledged} acknowledged heads: {self.reviewed} reviewed,"
            f" {self.superseded} superseded, {len(self.lost)} lost; {self.threads} threads,"
            f" {len(self.duplicates)} duplicates; {len(self.stale)} stale, {self.dead_letters} dead letters"
        )


async def converged(
    cluster: Cluster,
    merge_requests: Iterable[MergeRequest] | None = None,
    *,
    within_s: float = CONVERGED_S,
    dead_letters: int = 0,
) -> Verdict:
    """Wait until all is as promised, and nothing more is going to happen; return the verdict.

    Args:
        cluster: what is judged.
        merge_requests: which; all by default.
        within_s: how long it may take.
        dead_letters: how many events are given up rightly, in the whole installation.

    Raises:
        AssertionError: it is not so in time; the message has every complaint.
    """
    chosen = list(merge_requests) if merge_requests is not None else None
    deadline = time.monotonic() + within_s
    await asyncio.to_thread(cluster.cloister.gitlab.server.drain_hooks, within_s)
    while True:
        # In this order: what has been handled by now cannot post anything more.
        waiting = await unhandled(cluster.cloister)
        verdict = await judge(cluster.cloister, cluster.journal, chosen, dead_letters=dead_letters)
        if waiting:
            verdict.others.append(f"{waiting} events are not handled yet")
        if not verdict.complaints:
            return verdict
        for_good = verdict.duplicates or verdict.dead_letters > dead_letters
        if for_good or time.monotonic() > deadline:
            listed = "\n".join(verdict.complaints)
            raise AssertionError(f"not as promised within {within_s:g} s:\n{listed}")
        await asyncio.sleep(0.2)


async def caught_up(cluster: Cluster, *, within_s: float) -> None:
    """Wait until every acknowledged webhook and every event that followed is handled."""
    await until(
        lambda: unhandled(cluster.cloister), "not caught up", wanted=lambda left: not left, within_s=within_s
    )


async def unhandled(cloister: Cloister) -> int:
    """Count what the inbox does not know as handled: webhooks by their deliveries, the rest by the outbox."""
    instance = instance_name(cloister.gitlab.server.url)
    taken = [
        (_TAKEN_BY[about], delivery_id(instance, delivery.headers["Idempotency-Key"]))
        for delivery in list(cloister.gitlab.server.deliveries)
        if delivery.status == 202 and (about := delivery.headers["X-Gitlab-Event"]) in _TAKEN_BY
        # Other comments ask nothing, so that nothing follows from them.
        if about != "Note Hook" or delivery.payload["object_attributes"]["note"].startswith("@")
    ]
    ((hooks, events),) = await cloister.fetch(
        "SELECT (SELECT count(*) FROM unnest($1::text[], $2::uuid[]) taken(stage, id)"
        " LEFT JOIN inbox i ON i.consumer_group = taken.stage AND i.event_id = taken.id WHERE i.done_at IS NULL),"
        " (SELECT count(*) FROM event e LEFT JOIN inbox i"
        " ON i.consumer_group = e.stage AND i.event_id = e.id WHERE i.done_at IS NULL)",
        [stage for stage, _ in taken],
        [event_id for _, event_id in taken],
    )
    return int(hooks + events)


async def judge(
    cloister: Cloister,
    journal: Journal,
    merge_requests: Sequence[MergeRequest] | None = None,
    *,
    dead_letters: int = 0,
) -> Verdict:
    """Compare GitLab as it is now with what was acknowledged."""
    verdict = Verdict()
    runs = await cloister.fetch(
        "SELECT project_id, iid, head_sha, state, created_at FROM review_run ORDER BY created_at"
    )
    server = cloister.gitlab.server
    with server.instance.state.lock:
        acknowledged = _acknowledged(cloister)
        for merge_request in _all(cloister) if merge_requests is None else merge_requests:
            heads = acknowledged.get((merge_request.project.id, merge_request.iid), [])
            _judge_heads(verdict, merge_request, heads, cloister)
            _judge_notes(verdict, merge_request, cloister)
            begun = {
                row["head_sha"]: row["created_at"]
                for row in runs
                if (row["project_id"], row["iid"]) == (merge_request.project.id, merge_request.iid)
            }
            _judge_stale(verdict, merge_request, begun, journal)
        verdict.others.extend(
            f"a request that GitLab does not know: {one}" for one in server.unknown_requests
        )
        verdict.others.extend(f"a quick action: {one}" for one in server.quick_actions)
    await _judge_rows(verdict, cloister, _all(cloister) if merge_requests is None else merge_requests)
    await _judge_letters(verdict, cloister, dead_letters)
    return verdict


def _all(cloister: Cloister) -> list[MergeRequest]:
    projects: Iterable[Project] = cloister.gitlab.server.instance.state.projects.values()
    return [one for project in projects for one in project.merge_requests.values()]


def _acknowledged(cloister: Cloister) -> dict[tuple[int, int], list[str]]:
    """Return the heads that were taken with 202, by project and merge request."""
    found: dict[tuple[int, int], list[str]] = {}
    for delivery in list(cloister.gitlab.server.deliveries):
        if delivery.status != 202 or delivery.headers["X-Gitlab-Event"] != "Merge Request Hook":
            continue
        body = delivery.payload
        about = body["object_attributes"]
        heads = found.setdefault((body["project"]["id"], about["iid"]), [])
        if about["last_commit"]["id"] not in heads:
            heads.append(about["last_commit"]["id"])
    return found


def _judge_heads(
    verdict: Verdict, merge_request: MergeRequest, heads: Sequence[str], cloister: Cloister
) -> None:
    name = merge_request.source_branch
    verdict.merge_requests += 1
    verdict.acknowledged += len(heads)
    if merge_request.state != "opened":
        verdict.superseded += len(heads)
        return
    verdict.superseded += len([head for head in heads if head != merge_request.head_sha])
    if merge_request.head_sha not in heads:
        verdict.others.append(f"{name}: the webhook about the newest head was not acknowledged")
        return
    state = cloister.status_of(merge_request)
    bodies = [note.body for note in cloister.ours(merge_request) if _name(note.body) == _SUMMARY]
    shown = any(
        f"`{merge_request.head_sha[:8]}`" in body and "Not finished yet" not in body for body in bodies
    )
    if state in _DECIDED and shown:
        verdict.reviewed += 1
    else:
        said = "with" if shown else "without"
        verdict.lost.append(f"{name}: no review of the newest head: status {state}, {said} summary")


def _judge_notes(verdict: Verdict, merge_request: MergeRequest, cloister: Cloister) -> None:
    name = merge_request.source_branch
    names = Counter(_name(note.body) for note in cloister.ours(merge_request))
    answers = sum(count for marker, count in names.items() if _ANSWER.fullmatch(marker))
    verdict.answers += answers
    verdict.threads += sum(names.values()) - answers - names[_SUMMARY] - names[""]
    verdict.duplicates.extend(
        f"{name}: {count} notes with the marker {marker or 'of nobody'}"
        for marker, count in names.items()
        if count > 1 or not marker
    )
    if merge_request.drafts:
        verdict.others.append(f"{name}: {len(merge_request.drafts)} drafts were left behind")


def _judge_stale(
    verdict: Verdict, merge_request: MergeRequest, begun: dict[str, datetime], journal: Journal
) -> None:
    """Complain of a decided status that was set on a head long after the run on a newer one had begun."""
    heads = [version.refs.head_sha for version in merge_request.versions]
    for older, newer in itertools.pairwise(heads):
        decided = any(
            status.state in _DECIDED and status.pipeline.sha == older and status.name == "cloister"
            for status in merge_request.project.statuses
        )
        set_at = journal.last("POST", f"/statuses/{older}")
        if decided and newer in begun and set_at > begun[newer].timestamp() + _UNDER_WAY_S:
            late_s = set_at - begun[newer].timestamp()
            verdict.stale.append(
                f"{merge_request.source_branch}: a superseded head was judged {late_s:.1f} s later"
            )


async def _judge_rows(verdict: Verdict, cloister: Cloister, merge_requests: Iterable[MergeRequest]) -> None:
    """Complain where the ledger of feedback has no row of a thread, or the gate no verdict on the newest head."""
    comments = await cloister.fetch("SELECT project_id, iid, fingerprint FROM comment")
    kept = {(row["project_id"], row["iid"], row["fingerprint"]) for row in comments}
    verdicts = await cloister.fetch("SELECT head_sha FROM verdict WHERE state <> 'waiting'")
    judged = {row["head_sha"] for row in verdicts}
    for one in merge_requests:
        if one.state != "opened":
            continue
        opening = [notes[0] for notes in one.discussions.values() if notes[0].resolvable]
        said = {_name(note.body) for note in opening if note.author is cloister.gitlab.bot}
        missing = [mark for mark in said if (one.project.id, one.iid, mark) not in kept]
        if missing:
            verdict.lost.append(f"{one.source_branch}: the ledger misses {len(missing)} comments")
        if one.head_sha not in judged:
            verdict.lost.append(f"{one.source_branch}: there is no verdict on the newest head")


async def _judge_letters(verdict: Verdict, cloister: Cloister, expected: int) -> None:
    rows = await cloister.fetch("SELECT consumer_group, reason FROM dead_letter ORDER BY number")
    verdict.dead_letters = len(rows)
    if len(rows) != expected:
        listed = "; ".join(f"{row['consumer_group']}: {row['reason']}" for row in rows)
        verdict.others.append(f"{len(rows)} dead letters instead of {expected}: {listed}")


def _name(body: str) -> str:
    """Return what the marker of a note names, nothing if there is none."""
    match = _MARKER.match(body.splitlines()[-1])
    return match["name"] if match else ""
