"""Which threads and notes on a merge request are ours, and what we remember of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from bot.domain.findings import Finding, Severity
from bot.domain.forge import ForgeDiscussion
from bot.domain.marker import EXPLAINED, Marker
from bot.domain.merge_request import MergeRequestRef
from bot.domain.reconcile import Action, Cause, Explain, Keep, Reopen, Resolve, Thread
from bot.domain.records import ThreadRecord
from bot.domain.run import Run

#: States of a thread in our records: what we did to it last.
OPEN = "open"
FIXED = "fixed"
ADVISED = "advised"
EXCUSED = "excused"
_RESOLVED = (FIXED, ADVISED, EXCUSED)

#: GitLab makes the suggestions of a note anew when it is edited, and forgets which were applied.
_SUGGESTION = "```suggestion"


@dataclass(frozen=True, slots=True)
class Ours:
    """Hold our threads, and our summary note if there is one (``summary_id`` None otherwise)."""

    threads: tuple[Thread, ...] = ()
    summary_id: int | None = None
    summary_body: str = ""


def ours(
    discussions: Iterable[ForgeDiscussion],
    ref: MergeRequestRef,
    *,
    me: int,
    marker: Marker,
    known: Mapping[str, ThreadRecord],
) -> Ours:
    """Pick out what is ours: written by the account *me* and signed with our key.

    *known* are our records by fingerprint; a thread without one is ours all the same, but never resolved.
    """
    mine = Ours()
    for discussion in discussions:
        first = discussion.notes[0] if discussion.notes else None
        if first is None or first.author_id != me:
            continue
        fingerprint = marker.read(ref, first.body)
        if fingerprint is not None:
            words = [
                word
                for note in discussion.notes[1:]
                if note.author_id == me and (word := marker.word(ref, note.body, fingerprint))
            ]
            thread = _thread(discussion, fingerprint, me, known.get(fingerprint))
            thread = replace(thread, told=words[-1] if words else None)
            mine = replace(mine, threads=(*mine.threads, thread))
        elif mine.summary_id is None and marker.is_summary(ref, first.body):
            mine = replace(mine, summary_id=first.id, summary_body=first.body)
    return mine


def _thread(discussion: ForgeDiscussion, fingerprint: str, me: int, record: ThreadRecord | None) -> Thread:
    first = discussion.notes[0]
    answered = any(note.author_id != me and not note.system for note in discussion.notes)
    thread = Thread(
        discussion.id,
        first.id,
        fingerprint,
        resolved=first.resolved,
        touched=answered,
        mended=first.resolved and first.resolved_by == me,
        resolver=first.resolved_by,
        plain=not (_SUGGESTION in first.body or EXPLAINED in first.body),
    )
    if record is None:
        return thread
    # We resolved it and it is open: somebody opened it again.
    reopened = record.state in _RESOLVED and not first.resolved
    return replace(
        thread,
        scanner=record.scanner,
        path=record.path,
        anchor=record.anchor,
        severity=Severity(record.severity),
        # The forge knows better than our record, which a crash or a restored backup leaves behind.
        mended=record.state in _RESOLVED if first.resolved_by is None else thread.mended,
        touched=answered or reopened,
        advised=record.state in {ADVISED, EXCUSED},
        excused=record.state == EXCUSED,
        reopened=reopened,
    )


def remember(mine: Ours, actions: Iterable[Action], known: Mapping[str, ThreadRecord]) -> list[ThreadRecord]:
    """Return our records of existing threads as they are after *actions*."""
    oldest = {thread.fingerprint: thread for thread in sorted(mine.threads, key=_newest_first)}
    states = {
        thread.fingerprint: _state_of(thread)
        for thread in oldest.values()
        if thread.mended and thread.resolved
    }
    for action in actions:
        if isinstance(action, Keep | Explain | Reopen | Resolve) and (state := _state_after(action)):
            states[action.thread.fingerprint] = state
    return [
        replace(
            record, discussion_id=thread.discussion_id, state=states.get(thread.fingerprint, record.state)
        )
        for thread in oldest.values()
        if (record := known.get(thread.fingerprint)) is not None
    ]


def _state_of(thread: Thread) -> str:
    """Return the state of a thread that we resolved."""
    if thread.excused:
        return EXCUSED
    return ADVISED if thread.advised else FIXED


def _state_after(action: Keep | Explain | Reopen | Resolve) -> str | None:
    """Return the state that *action* leaves its thread in, None where it leaves it as it was."""
    match action:
        case Reopen():
            return OPEN
        case Resolve(_, Cause.gone):
            return FIXED
        case Resolve(_, Cause.advice):
            return ADVISED
        case Resolve(_, Cause.waived):
            return EXCUSED
        case Keep(thread, _) | Explain(thread, _) if thread.resolved and thread.mended and not thread.touched:
            # It would have been opened again if it might be open.
            return EXCUSED if thread.excused else ADVISED
    return None


def _newest_first(thread: Thread) -> int:
    return -thread.note_id


def forgotten(actions: Iterable[Action], known: Mapping[str, ThreadRecord]) -> list[Finding]:
    """Return the findings that have a thread of which no record is left, as after a restored backup."""
    return [
        action.finding
        for action in actions
        if isinstance(action, Keep | Explain | Reopen) and action.thread.fingerprint not in known
    ]


def unseen(actions: Iterable[Action], known: Mapping[str, ThreadRecord]) -> list[Finding]:
    """Return the findings whose threads we had not seen since we posted them.

    Nothing but their records may be left of that: whoever posted them may have died before it wrote down the rest.
    """
    return [
        action.finding
        for action in actions
        if isinstance(action, Keep | Explain | Reopen)
        and (record := known.get(action.thread.fingerprint)) is not None
        and record.discussion_id is None
    ]


def deleted(mine: Ours, known: Mapping[str, ThreadRecord]) -> frozenset[str]:
    """Return the fingerprints of threads that once stood on the merge request and do not any more.

    A thread that we have not seen since we posted it may never have been visible, so it does not count.
    """
    standing = {thread.fingerprint for thread in mine.threads}
    return frozenset(
        fingerprint
        for fingerprint, record in known.items()
        if record.discussion_id is not None and fingerprint not in standing
    )


def opened(
    run: Run, posts: Iterable[Finding], refused: Collection[str], hushed: Collection[str] = ()
) -> list[ThreadRecord]:
    """Return the records of the threads on *posts*, all but the *refused* fingerprints; *hushed* ones are resolved."""
    return [
        ThreadRecord(
            fingerprint=finding.fingerprint,
            run_id=run.id,
            state=ADVISED if finding.fingerprint in hushed else OPEN,
            scanner=finding.scanner,
            rule=finding.rule,
            severity=finding.severity.value,
            path=finding.path,
            anchor=finding.anchor,
        )
        for finding in posts
        if finding.fingerprint not in refused
    ]
