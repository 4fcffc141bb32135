"""What the steps of waivers come to, where they count, and what a look at the head makes of them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.findings import MODEL, Finding, Severity
from bot.domain.marker import Word
from bot.domain.merge_request import MergeRequestRef
from bot.domain.policy import Gate, Policy, Role, Sections, Verdict, Waivers
from bot.domain.reconcile import Thread
from bot.domain.run import Run
from bot.domain.waiver_effects import asked_in_code, merged_into, overtaken, tellings, used_here
from bot.domain.waivers import About, Deed, Source, State, Waiver, WaiverStep, ends_at, fold, names_of
from bot.domain.waivers_standing import AskedFor, Waived, standing, terms

REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=3)
LATER = MergeRequestRef(instance="gitlab.example", project_id=7, iid=4)
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
FLAW = Finding(
    scanner="semgrep",
    rule="r",
    category="security",
    severity=Severity.high,
    path="a.py",
    line=1,
    end_line=1,
    title="t",
    message="m",
    fingerprint="1" * 32,
    anchor="1:a",
)
RUN = Run(id=uuid.uuid4(), ref=REF, head_sha="a" * 40, created_at=NOW)
SCOPE = {("semgrep", "a.py"), (MODEL, "a.py")}


def step(deed: Deed = Deed.granted, number: int = 1, **changes: Any) -> WaiverStep:
    """Return a step of the waiver *number*, in the merge request into main."""
    usual = WaiverStep(
        waiver=uuid.UUID(int=number),
        deed=deed,
        ref=REF,
        about=About.of(FLAW, RUN.id),
        branch="main",
        at=NOW,
        source=Source.comment,
        by=6,
        name="lead",
        until=date(2026, 12, 31) if deed in {Deed.granted, Deed.asked} else None,
    )
    return usual.model_copy(update=changes)


def waiver(*steps: WaiverStep) -> Waiver:
    (found,) = fold(steps or (step(),))
    return found


def test_a_waiver_ends_with_its_day() -> None:
    """In UTC, and not a moment before."""
    end = ends_at(date(2026, 12, 31))
    assert datetime(2027, 1, 1, tzinfo=UTC) == end
    assert State.granted is waiver().state(end - timedelta(microseconds=1))
    assert State.expired is waiver().state(end)


@pytest.mark.parametrize(
    ("deeds", "expected"),
    [
        ((Deed.asked,), State.asked),
        ((Deed.asked, Deed.asked, Deed.granted), State.granted),
        ((Deed.granted, Deed.used, Deed.merged), State.granted),
        ((Deed.asked, Deed.withdrawn), State.withdrawn),
        ((Deed.granted, Deed.revoked), State.revoked),
        ((Deed.granted, Deed.revoked, Deed.granted), State.revoked),
        ((Deed.granted, Deed.withdrawn, Deed.revoked), State.withdrawn),
    ],
)
def test_a_state_follows_from_the_steps(deeds: Sequence[Deed], expected: State) -> None:
    """What has ended stays ended."""
    assert expected is waiver(*(step(deed) for deed in deeds)).state(NOW)


def test_steps_of_several_waivers_are_told_apart() -> None:
    """In the order in which they began."""
    found = fold([step(number=1), step(number=2), step(Deed.revoked, number=1)])
    assert [(1, 2), (2, 1)] == [(one.id.int, len(one.steps)) for one in found]


def counts(
    one: Waiver, *, ref: MergeRequestRef = REF, branch: str = "main", policy: Policy | None = None
) -> bool:
    return standing([one], ref, branch, policy or Policy(), NOW).covers(FLAW)


def test_a_waiver_counts_on_its_merge_request_and_after_the_merge_on_later_ones() -> None:
    """Into the same branch, as long as it has not ended."""
    assert counts(waiver())
    assert not counts(waiver(), ref=LATER)
    merged = waiver(step(), step(Deed.merged))
    assert counts(merged, ref=LATER)
    assert not counts(waiver(step(), step(Deed.merged), step(Deed.withdrawn)), ref=LATER)
    everywhere = Policy(waivers=Waivers(scope="target_branch"))
    assert counts(waiver(), ref=LATER, policy=everywhere)
    assert not counts(waiver(step(Deed.asked)))


def test_a_waiver_is_for_the_code_to_its_last_line() -> None:
    """A long finding keeps its name when a line far down changes, but not its waiver; those of old know no better."""
    long = FLAW.model_copy(update={"anchor": "3:a", "whole": "5:a"})
    changed = long.model_copy(update={"whole": "5:b"})
    for deed, present in ((Deed.granted, changed), (Deed.asked, changed)):
        one = waiver(step(deed, about=About.of(long, RUN.id)))
        assert REVOKED == ended(one, present=[present])
        assert [] == ended(one, present=[long])
    granted = standing([waiver(step(about=About.of(long, RUN.id)))], REF, "main", Policy(), NOW)
    assert [True, False] == [granted.covers(long), granted.covers(changed)]
    old = About.of(long, RUN.id).model_copy(update={"whole": ""})
    assert standing([waiver(step(about=old))], REF, "main", Policy(), NOW).covers(changed)


def test_a_waiver_counts_for_no_other_branch() -> None:
    """Whose policy may be stricter than that under which it was granted."""
    everywhere = Policy(waivers=Waivers(scope="target_branch"))
    for one in (waiver(), waiver(step(), step(Deed.merged))):
        for ref in (REF, LATER):
            assert not counts(one, ref=ref, branch="release", policy=everywhere)


def test_of_several_waivers_that_of_the_merge_request_counts_and_the_longest() -> None:
    """Whatever their order."""
    long = waiver(step(number=2, until=date(2027, 1, 31)))
    other = waiver(step(number=3, ref=LATER, until=date(2028, 1, 31)), step(Deed.merged, number=3, ref=LATER))
    for order in ([waiver(), long, other], [other, long, waiver()]):
        assert long is standing(order, REF, "main", Policy(), NOW).granted[FLAW.fingerprint]


def test_a_level_that_enforces_its_gate_has_a_say() -> None:
    """What is stricter counts, key by key."""
    floor = Sections(
        gate=Gate(), waivers=Waivers(grant=Role.owner, max_days=30, never=("secrets",), second_person=True)
    )
    project = Waivers(
        grant=Role.developer, ask=Role.reporter, max_days=365, min_reason=40, scope="target_branch"
    )
    found = terms(Policy(waivers=project, floors=(floor,)))
    assert (
        Waivers(
            grant=Role.owner,
            ask=Role.developer,
            max_days=30,
            min_reason=40,
            never=("secrets",),
            second_person=True,
            scope="merge_request",
        )
        == found
    )
    assert project == terms(Policy(waivers=project))


def test_names_are_short_where_that_is_clear() -> None:
    """And longer where several begin alike."""
    assert {"a" * 32: "a" * 8, "b" * 32: "b" * 10, "b" * 9 + "c" * 23: "b" * 9 + "c"} == names_of(
        ["a" * 32, "b" * 32, "b" * 9 + "c" * 23, "a" * 32]
    )


@given(st.lists(st.text("ab", min_size=1, max_size=12), unique=True))
def test_names_are_unambiguous(marks: list[str]) -> None:
    """Each begins its own fingerprint and no other, unless that other is all of it and more."""
    named = names_of(marks)
    for mark, name in named.items():
        assert mark.startswith(name)
        assert len(name) >= min(8, len(mark))
        if name != mark:
            assert [mark] == [one for one in marks if one.startswith(name)]


def ended(*waivers: Waiver, present: Sequence[Finding] = (), **changes: Any) -> list[tuple[Deed, str]]:
    usual = {
        "paths": lambda path: path,
        "scope": SCOPE,
        "standing": lambda _: 0,
        "now": NOW,
        "branch": "main",
    }
    usual |= changes
    branch = usual.pop("branch")
    return [(one.deed, one.reason) for one in overtaken(RUN, branch, waivers, present, **usual)]


REVOKED = [(Deed.revoked, "the code under it has changed")]


def test_changed_code_ends_its_waiver() -> None:
    """What is only asked for, too; what a scanner has not looked at proves nothing."""
    assert REVOKED == ended(waiver())
    assert REVOKED == ended(waiver(step(Deed.asked)))
    assert REVOKED == ended(waiver(), present=[FLAW.model_copy(update={"anchor": "1:b"})])
    assert [] == ended(waiver(), present=[FLAW.model_copy(update={"line": 9, "end_line": 9})])
    assert [] == ended(waiver(), scope={("semgrep", "b.py")})
    assert [] == ended(waiver(step(), step(Deed.withdrawn)))
    assert [] == ended(waiver(step(ref=LATER)))
    assert [] == ended(waiver(step(), step(Deed.merged)))


def test_a_moved_file_is_looked_for_where_it_is_now() -> None:
    """Its scanner has looked at the new path."""
    moved = {"paths": {"a.py": "b.py"}.__getitem__}
    assert [] == ended(waiver(), **moved)
    assert REVOKED == ended(waiver(), **moved, scope={("semgrep", "b.py")})


def test_the_silence_of_the_model_ends_nothing_while_the_code_stands() -> None:
    """It does not repeat itself."""
    said = waiver(step(about=About.of(FLAW.model_copy(update={"scanner": MODEL}), RUN.id)))
    assert [] == ended(said, standing=lambda thread: thread.anchor == "1:a")
    assert REVOKED == ended(said, standing=lambda _: 0)


def test_another_target_branch_ends_it() -> None:
    """Its policy did not allow it."""
    assert [(Deed.revoked, "the target branch is another one")] == ended(
        waiver(), present=[FLAW], branch="release"
    )


def test_what_the_code_asks_for_is_written_down_once() -> None:
    """As the author's request."""
    excused = FLAW.model_copy(update={"suppressed": True})
    verdict = Verdict(passed=False, blocking=(excused, FLAW.model_copy(update={"fingerprint": "2" * 32})))
    event = uuid.uuid4()

    def asked(known: Sequence[Waiver]) -> list[WaiverStep]:
        return asked_in_code(RUN, "main", verdict, known, author_id=5, event=event, now=NOW)

    (found,) = asked([])
    assert (Deed.asked, Source.code, 5, None) == (found.deed, found.source, found.by, found.until)
    assert [found] == asked([])
    assert [] == asked([waiver(found)])
    assert 1 == len(asked([waiver(found, step(Deed.withdrawn, waiver=found.waiver))]))


def test_what_was_used_elsewhere_is_written_down_once() -> None:
    """So that its end is known there, too."""
    other = waiver(step(ref=LATER), step(Deed.merged, ref=LATER))
    verdict = Verdict(passed=True, waived=(Waived(FLAW, other),))
    (used,) = used_here(RUN, verdict, NOW)
    assert (Deed.used, REF) == (used.deed, used.ref)
    again = waiver(*other.steps, used)
    assert frozenset({REF}) == again.used_on
    assert [] == used_here(RUN, Verdict(passed=True, waived=(Waived(FLAW, again),)), NOW)
    assert [] == used_here(RUN, Verdict(passed=True, waived=(Waived(FLAW, waiver()),)), NOW)


def test_a_merge_takes_waivers_along() -> None:
    """Once, those that are granted and have not ended."""
    (kept,) = merged_into(RUN, "main", [waiver(), waiver(step(Deed.asked, number=2))], NOW)
    assert (Deed.merged, uuid.UUID(int=1)) == (kept.deed, kept.waiver)
    assert [] == merged_into(RUN, "main", [waiver(step(), kept)], NOW)
    assert [] == merged_into(RUN, "release", [waiver()], NOW)
    assert [] == merged_into(RUN, "main", [waiver(step(), step(Deed.revoked))], NOW)


THREAD = Thread("d1", 10, FLAW.fingerprint)
WAIVED = Verdict(passed=True, waived=(Waived(FLAW, waiver()),))
BLOCKED = Verdict(passed=False, blocking=(FLAW,))


def told(thread: Thread, verdict: Verdict, one: Waiver) -> list[Word]:
    return [said.word for said in tellings([thread], verdict, [one], branch="main")]


def test_a_thread_is_told_of_its_waiver_once() -> None:
    """Unless the waiver was granted in the thread itself, where the answer stands."""
    assert [Word.waived] == told(THREAD, WAIVED, waiver())
    assert [] == told(replace(THREAD, told=Word.waived), WAIVED, waiver())
    assert [] == told(replace(THREAD, fingerprint="2" * 32), WAIVED, waiver())
    here = waiver(step(discussion_id="d1"))
    assert [] == told(THREAD, Verdict(passed=True, waived=(Waived(FLAW, here),)), here)


def test_a_thread_is_told_that_its_finding_blocks_again() -> None:
    """When its day is over or it was taken back elsewhere; a finding that was never waived needs no word."""
    assert [Word.unwaived] == told(THREAD, BLOCKED, waiver())
    assert [Word.unwaived] == told(
        replace(THREAD, told=Word.waived), BLOCKED, waiver(step(), step(Deed.revoked))
    )
    assert [] == told(replace(THREAD, told=Word.unwaived), BLOCKED, waiver())
    assert [] == told(THREAD, BLOCKED, waiver(step(), step(Deed.withdrawn, discussion_id="d1")))
    assert [] == told(THREAD, BLOCKED, waiver(step(Deed.asked)))


def test_a_request_is_shown_with_what_blocks() -> None:
    """Whoever asks."""
    count = standing([waiver(step(Deed.asked))], REF, "main", Policy(), NOW)
    assert [FLAW.fingerprint] == count.here
    assert not count.covers(FLAW)
    assert AskedFor(FLAW) != AskedFor(FLAW, count.asked[FLAW.fingerprint])
