"""What a run's results come to on the merge request: threads to open and resolve, what is only listed, the status."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.clip import deduplicate
from bot.domain.diff import Diff
from bot.domain.findings import Finding, better
from bot.domain.fingerprint import recognise
from bot.domain.policy import Mode, Policy, Verdict, commentable, governed, left_out, mode_of, verdict
from bot.domain.policy_extent import extent
from bot.domain.quiet.withholding import NO_SILENCES, Silences, Withheld, parted
from bot.domain.reconcile import (
    Action,
    Explain,
    Keep,
    Overflow,
    Post,
    Reopen,
    Thread,
    reconcile,
    urgency,
)
from bot.domain.records import Declined
from bot.domain.review_result import Listed
from bot.domain.run import Outcome, Run
from bot.domain.sameness import same
from bot.domain.steps import scanner_of
from bot.domain.waivers_standing import Standing

#: Signs of the surroundings, of four, by which code that was declined on another merge request is known again.
_ALIKE = 2
_NOTHING_DECLINED: Mapping[str, Declined] = {}
_NO_WAIVERS = Standing()

_MILD = "too mild or unsure for a comment"
_OVER_BUDGET = "enough comments already"
_THREAD_DELETED = "declined: its thread was deleted"
_THREAD_RESOLVED = "declined: its thread was resolved while the code stands"
_DECLINED_IN = "declined in merge request {iid}"
_DECLINED_BECAUSE = "declined in merge request {iid}: {reason}"
_PAST = "in commit {sha} of this branch, no longer at the head; still readable there, even after a squash or a rebase"


@dataclass(frozen=True, slots=True)
class Publication:
    """Hold the decisions: reconciling ``actions``, findings only ``listed``, and the gate's ``verdict``.

    ``staying`` are fingerprints of the findings whose threads may be open, None for all. ``withheld`` are findings that
    people did not want to hear the like of.
    """

    actions: tuple[Action, ...]
    listed: tuple[Listed, ...]
    suppressed: tuple[Finding, ...]
    verdict: Verdict
    staying: frozenset[str] | None = None
    withheld: tuple[Withheld, ...] = ()

    @property
    def posts(self) -> tuple[Finding, ...]:
        """Return the findings that get a new thread."""
        return tuple(action.finding for action in self.actions if isinstance(action, Post))

    @property
    def fresh(self) -> tuple[Finding, ...]:
        """Return the findings that get a new thread, or would without a budget."""
        return tuple(action.finding for action in self.actions if isinstance(action, Post | Overflow))

    @property
    def quiet(self) -> frozenset[str]:
        """Return the fingerprints of those whose new thread is to be resolved at once."""
        marks = frozenset(finding.fingerprint for finding in self.posts)
        return frozenset() if self.staying is None else marks - self.staying


def decide(
    run: Run,
    findings: Mapping[str, Iterable[Finding]],
    threads: Collection[Thread],
    diff: Diff,
    *,
    standing: Callable[[Thread], int],
    deleted: Collection[str] = (),
    declined: Mapping[str, Declined] = _NOTHING_DECLINED,
    waivers: Standing = _NO_WAIVERS,
    threads_block: bool = False,
    silences: Silences = NO_SILENCES,
) -> Publication:
    """Return what shall be visible for *run*.

    Args:
        run: the run.
        findings: by step.
        threads: those on the merge request that are verifiably ours.
        diff: the reviewed diff.
        standing: says in how many places the code that a thread points at is still there.
        deleted: fingerprints whose threads people have deleted.
        declined: what people do not want to hear of in this project, by fingerprint.
        waivers: those that count for the merge request.
        threads_block: whether open threads keep the merge request from being merged.
        silences: what people did not want to hear the like of, by fingerprint.
    """
    policy, facts = run.policy, run.facts
    said = governed(recognised(explained(findings), threads, deleted, declined, waivers), policy, facts)
    modes = {id(finding): mode_of(finding, policy, facts) for finding in said}
    aloud = [finding for finding in said if modes[id(finding)] is not Mode.shadow]
    decided = _decided(run, diff, said, modes, waivers)
    blocking = {one.fingerprint for one in said if modes[id(one)] is Mode.block}
    # What is only in the past has no line to comment on; a thread from when it had one stays.
    known = {thread.fingerprint for thread in threads}
    relevant = deduplicate(aloud, prefer=lambda one: commentable(one, policy, facts))
    relevant, withheld = parted(
        relevant, aloud, silences, blocking=blocking, known={*known, *deleted, *declined}
    )
    relevant += _behind_waived(relevant, decided)
    wanted = [
        finding
        for finding in relevant
        if commentable(finding, policy, facts) and (not finding.commit or finding.fingerprint in known)
    ]
    staying = (
        _staying(policy, frozenset(one.fingerprint for one in decided.blocking)) if threads_block else None
    )
    actions = reconcile(
        wanted,
        threads,
        scope=analysed(run, diff, threads),
        standing=standing,
        declined={*deleted, *declined},
        first=blocking,
        staying=staying,
        waived={one.finding.fingerprint for one in decided.waived},
        max_inline=policy.comments.max_inline,
    )
    past = [f for f in relevant if f.commit and not f.suppressed]
    mild = [f for f in relevant if not f.suppressed and not f.commit and not commentable(f, policy, facts)]
    over = [action.finding for action in actions if isinstance(action, Overflow)]
    return Publication(
        actions=tuple(actions),
        listed=(
            *(Listed(f, _PAST.format(sha=f.commit[:8])) for f in past),
            *(Listed(f, _OVER_BUDGET) for f in over),
            *(Listed(f, _MILD) for f in mild),
            *_declined(wanted, actions, deleted, declined),
        ),
        suppressed=tuple(one for one in relevant if one.suppressed and one.fingerprint not in blocking),
        verdict=decided,
        staying=staying,
        withheld=withheld,
    )


def _staying(policy: Policy, blocking: frozenset[str]) -> frozenset[str] | None:
    """Return the fingerprints whose threads may be open where that blocks, None for all."""
    kept = {"never": frozenset[str](), "blocking": blocking, "always": None}
    return kept[policy.comments.block_merge]


def _decided(
    run: Run, diff: Diff, said: Sequence[Finding], modes: Mapping[int, Mode], waivers: Standing
) -> Verdict:
    """Return the verdict on what is *said*; whoever does not decide, or is waived, must not hide what decides."""
    groups: dict[tuple[Mode, bool], list[Finding]] = {}
    for one in said:
        groups.setdefault((modes[id(one)], waivers.covers(one)), []).append(one)
    deciding = [
        finding
        for (mode, _), group in groups.items()
        if mode in {Mode.block, Mode.shadow}
        for finding in deduplicate(group)
    ]
    return verdict(deciding, run.policy, run.facts, extent(run, diff), waivers)


def _behind_waived(relevant: Sequence[Finding], decided: Verdict) -> list[Finding]:
    """Return what blocks and was folded into a finding that is waived: it needs a comment of its own."""
    shown = {finding.fingerprint for finding in relevant}
    waived = [one.finding for one in decided.waived]
    return [
        finding
        for finding in decided.blocking
        if finding.fingerprint not in shown and any(same(one, finding) for one in waived)
    ]


def explained(findings: Mapping[str, Iterable[Finding]]) -> dict[str, list[Finding]]:
    """Return *findings* by step, those that only explain others merged into these.

    What explains nothing that is there any more is left out: nobody has found it.
    """
    words: dict[str, Finding] = {}
    for finding in sorted((one for found in findings.values() for one in found), key=urgency):
        if finding.explains:
            words.setdefault(finding.explains, finding)
    return {
        step: [_with(words.get(one.fingerprint), one) for one in found if not one.explains]
        for step, found in findings.items()
    }


def _with(words: Finding | None, finding: Finding) -> Finding:
    if words is None:
        return finding
    return finding.model_copy(update={"explanation": words.message, "fix": better(finding.fix, words.fix)})


def recognised(
    findings: Mapping[str, Iterable[Finding]],
    threads: Iterable[Thread],
    deleted: Iterable[str] = (),
    declined: Iterable[str] = (),
    waivers: Standing = _NO_WAIVERS,
) -> list[Finding]:
    """Return all findings, under the fingerprints by which they are known on the merge request, or in the project."""
    oldest = sorted(threads, key=lambda thread: (thread.resolved, thread.note_id))
    known = dict.fromkeys(
        [*(thread.fingerprint for thread in oldest), *sorted(deleted), *sorted(waivers.here)]
    )
    found = recognise([one for step in sorted(findings) for one in findings[step]], known)
    new = [index for index, finding in enumerate(found) if finding.fingerprint not in known]
    elsewhere = [
        mark for mark in dict.fromkeys([*sorted(waivers.elsewhere), *sorted(declined)]) if mark not in known
    ]
    familiar = recognise([found[index] for index in new], elsewhere, alike=_ALIKE)
    for index, finding in zip(new, familiar, strict=True):
        found[index] = finding
    return found


def _declined(
    wanted: Iterable[Finding],
    actions: Iterable[Action],
    deleted: Collection[str],
    declined: Mapping[str, Declined],
) -> Iterator[Listed]:
    """Yield what people do not want to hear of: it is not raised, and not hidden either."""
    standing = {
        action.thread.fingerprint: action for action in actions if isinstance(action, Keep | Explain | Reopen)
    }
    for finding in wanted:
        mark = finding.fingerprint
        said = declined.get(mark)
        thread = standing.get(mark)
        if finding.commit or (thread is not None and not thread.thread.declined):
            continue
        if said is not None:
            why = _DECLINED_BECAUSE if said.reason else _DECLINED_IN
            yield Listed(finding, why.format(iid=said.iid, reason=said.reason))
        elif thread is not None:
            yield Listed(finding, _THREAD_RESOLVED)
        elif mark in deleted:
            yield Listed(finding, _THREAD_DELETED)


def analysed(run: Run, diff: Diff, threads: Iterable[Thread]) -> set[tuple[str, str]]:
    """Return the (scanner, path) pairs about which this run knows everything.

    A path that the merge request does not change any more counts as known: nothing in it is its doing.
    """
    changed = set(diff.by_new_path)
    elsewhere = {thread.path for thread in threads} - changed
    pairs: set[tuple[str, str]] = set()
    for name, step in run.steps.items():
        if step.outcome in {Outcome.done, Outcome.partial}:
            scanner = scanner_of(name)
            skipped = left_out(diff, run.policy, everywhere=True) if step.everywhere else run.skipped
            known = (changed - set(skipped) | elsewhere) - set(step.not_analysed)
            # What is gone from the head may be in a commit that nobody has looked at.
            pairs.update((scanner, path) for path in known if not step.past)
    return pairs
