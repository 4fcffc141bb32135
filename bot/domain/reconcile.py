"""Wanted threads against existing threads: what to post, keep, resolve or leave to the summary.

Pure and repeat-safe: after the actions were carried out, wholly or in part, the same inputs lead to the
same end.
"""

from __future__ import annotations

import enum
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from bot.domain.findings import MODEL, Confidence, Finding, Severity
from bot.domain.fingerprint import kind
from bot.domain.marker import Word


@dataclass(frozen=True, slots=True)
class Thread:
    """Hold what reconciling needs of one thread that is verifiably ours.

    ``note_id`` of the opening note tells which thread is older. ``scanner``, ``path``, ``anchor`` and
    ``severity`` are as stored when it was posted; where they are unknown (empty, None) the thread is never
    resolved and counts against the budget. ``touched`` is True when anybody but us replied, reacted, or
    resolved or reopened it. ``mended`` is True when we resolved it ourselves because its finding was gone.
    ``resolver`` is the account that resolved it, where that is known. ``told`` is what we said last in it about its
    finding. ``advised`` is True when we resolved it though its finding stands, lest it blocks a merge; then ``excused``
    says that this was because of a waiver. ``reopened`` is True when people have opened it after we resolved it.
    ``plain`` is True when the opening note holds neither a suggestion nor an explanation, so that editing it takes
    nothing from anybody.
    """

    discussion_id: str
    note_id: int
    fingerprint: str
    scanner: str = ""
    path: str = ""
    anchor: str = ""
    severity: Severity | None = None
    resolved: bool = False
    touched: bool = False
    mended: bool = False
    resolver: int | None = None
    told: Word | None = None
    advised: bool = False
    excused: bool = False
    reopened: bool = False
    plain: bool = False

    @property
    def declined(self) -> bool:
        """Say whether somebody has resolved it; if its finding stands, they do not want to hear of that."""
        return self.resolved and not self.mended


@dataclass(frozen=True, slots=True)
class Post:
    """Open a thread on the finding."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class Keep:
    """Leave the thread as it is: the finding stands and has been raised."""

    thread: Thread
    finding: Finding


@dataclass(frozen=True, slots=True)
class Reopen:
    """Open our resolved thread again: what had been mended is back, or what was advice blocks now."""

    thread: Thread
    finding: Finding


@dataclass(frozen=True, slots=True)
class Explain:
    """Add the explanation to the opening note of our thread, which was posted before there was one."""

    thread: Thread
    finding: Finding


class Cause(enum.StrEnum):
    """Why we resolve a thread."""

    gone = "gone"
    duplicate = "duplicate"
    #: The finding stands, and may not keep the merge request from being merged.
    advice = "advice"
    #: The finding stands, and a waiver lets it pass.
    waived = "waived"


@dataclass(frozen=True, slots=True)
class Resolve:
    """Resolve our thread."""

    thread: Thread
    cause: Cause


@dataclass(frozen=True, slots=True)
class Overflow:
    """List the finding in the summary only: the merge request has enough threads."""

    finding: Finding


Action = Post | Keep | Explain | Reopen | Resolve | Overflow


def reconcile(
    wanted: Iterable[Finding],
    existing: Iterable[Thread],
    *,
    scope: Collection[tuple[str, str]],
    standing: Callable[[Thread], int],
    declined: Collection[str] = (),
    first: Collection[str] = (),
    staying: Collection[str] | None = None,
    waived: Collection[str] = (),
    max_inline: int = 5,
) -> list[Action]:
    """Return what to do so that the threads match the findings.

    A finding that has a thread, open or resolved by people, is never raised again; a thread that we resolved
    ourselves is opened again when its finding comes back. A thread is resolved
    only if it is open, nobody touched it, its finding is gone, and its file was fully analysed. An explanation is
    added once, and only to an open thread in which nobody, we included, has done anything since it was opened.

    The budget counts threads that still ask for attention: open ones, and resolved ones whose finding
    stands (it was declined). Critical findings are neither counted nor held back.

    Args:
        wanted: the findings that deserve a thread, with fingerprints.
        existing: our verified threads.
        scope: (scanner, path) pairs fully analysed in this run, among them files that the merge request no
            longer changes.
        standing: says in how many places the code that a thread of the model points at is still there. The model
            does not repeat itself, so its silence proves nothing while there are more places than findings.
        declined: fingerprints that people refused earlier; they are not raised even without a thread.
        first: fingerprints of findings that are raised before graver ones, because they keep the merge request from
            being merged: whoever is stopped wants to see where.
        staying: fingerprints of the findings whose threads may be open; the others are resolved, and stay so, while
            their finding stands, unless people have opened or answered them. None means all.
        waived: those of the others that a waiver lets pass. Where it was talked about in the thread, that talk is over:
            such a thread is resolved all the same, unless people have opened it again, and opened when the waiver ends.
        max_inline: how many threads a merge request may ask attention for.

    Returns:
        One action per wanted finding that is not declined, and one per thread to resolve: resolves first,
        then findings, those of *first* before the others, by severity, confidence, path and line.

    Raises:
        ValueError: a finding has no fingerprint.
    """
    findings = _by_fingerprint(wanted, first)
    kept, duplicates = _oldest(existing)
    resolves = [
        *(Resolve(thread, Cause.duplicate) for thread in duplicates if _ours_alone(thread)),
        *(Resolve(thread, Cause.gone) for thread in _gone(kept, findings, scope, standing)),
    ]
    done = {action.thread.discussion_id for action in resolves}
    quiet = set[str]() if staying is None else findings.keys() - set(staying)
    excused = quiet & set(waived)
    resolves += [
        Resolve(thread, Cause.waived if mark in excused else Cause.advice)
        for mark, thread in kept.items()
        if mark in quiet and (_ours_alone(thread) or (mark in excused and _settled(thread)))
    ]
    asking = [
        *(thread for thread in kept.values() if not thread.resolved or thread.fingerprint in findings),
        *(thread for thread in duplicates if not thread.resolved),
    ]
    budget = max_inline - sum(
        thread.discussion_id not in done and not _exempt(thread, findings) for thread in asking
    )
    return [*resolves, *_raise(findings, kept, declined, quiet, budget)]


def owed(action: Action) -> Word | None:
    """Return what to say in the thread before *action* is carried out, None if it was said or nothing is to be."""
    match action:
        case Resolve(thread, Cause.gone):
            word = Word.fixed
        case Reopen(thread, _) if not thread.advised:
            word = Word.back
        case _:
            return None
    return None if thread.told is word else word


def urgency(finding: Finding) -> tuple[object, ...]:
    """Return the sort key that puts the gravest and surest findings first."""
    sure = list(Confidence).index(finding.confidence)
    return (-finding.severity.rank, -sure, finding.path, finding.line, finding.rule, finding.fingerprint)


def _by_fingerprint(wanted: Iterable[Finding], first: Collection[str]) -> dict[str, Finding]:
    findings: dict[str, Finding] = {}
    for finding in sorted(wanted, key=lambda one: (one.fingerprint not in first, urgency(one), repr(one))):
        if not finding.fingerprint:
            raise ValueError(f"a finding of {finding.scanner} has no fingerprint; stamp findings first")
        findings.setdefault(finding.fingerprint, finding)
    return findings


def _oldest(existing: Iterable[Thread]) -> tuple[dict[str, Thread], list[Thread]]:
    groups: defaultdict[str, list[Thread]] = defaultdict(list)
    for thread in sorted(existing, key=lambda thread: (thread.note_id, thread.discussion_id)):
        groups[thread.fingerprint].append(thread)
    kept = {fingerprint: threads[0] for fingerprint, threads in groups.items()}
    return kept, [thread for threads in groups.values() for thread in threads[1:]]


def _ours_alone(thread: Thread) -> bool:
    return not thread.resolved and not thread.touched


def _settled(thread: Thread) -> bool:
    """Say whether what people wrote in an open thread has led to the waiver, as far as we can tell."""
    return not thread.resolved and not thread.reopened


def _gone(
    kept: dict[str, Thread],
    findings: dict[str, Finding],
    scope: Collection[tuple[str, str]],
    standing: Callable[[Thread], int],
) -> Iterator[Thread]:
    raised = Counter(map(kind, findings))
    for fingerprint, thread in kept.items():
        if fingerprint in findings or not _ours_alone(thread) or (thread.scanner, thread.path) not in scope:
            continue
        if thread.scanner != MODEL or standing(thread) <= raised[kind(fingerprint)]:
            yield thread


def _to_explain(thread: Thread, finding: Finding, *, quiet: bool) -> bool:
    alone = _ours_alone(thread) or (quiet and thread.mended and not thread.touched)
    return bool(finding.explanation) and thread.plain and thread.told is None and alone


def _to_open(thread: Thread) -> bool:
    """Say whether we resolved *thread*, and nobody has said anything that keeps us from opening it again."""
    return thread.resolved and thread.mended and (thread.excused or not thread.touched)


def _exempt(thread: Thread, findings: dict[str, Finding]) -> bool:
    finding = findings.get(thread.fingerprint)
    return (finding.severity if finding else thread.severity) is Severity.critical


def _raise(
    findings: dict[str, Finding],
    kept: dict[str, Thread],
    declined: Collection[str],
    quiet: Collection[str],
    budget: int,
) -> Iterator[Action]:
    for fingerprint, finding in findings.items():
        thread, hushed = kept.get(fingerprint), fingerprint in quiet
        if thread is not None and not hushed and _to_open(thread):
            yield Reopen(thread, finding)
        elif thread is not None:
            unexplained = _to_explain(thread, finding, quiet=hushed)
            yield Explain(thread, finding) if unexplained else Keep(thread, finding)
        elif fingerprint in declined:
            continue
        elif finding.severity is Severity.critical:
            yield Post(finding)
        elif budget > 0:
            budget -= 1
            yield Post(finding)
        else:
            yield Overflow(finding)
