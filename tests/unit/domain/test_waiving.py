"""Who may let what pass, until when, and what is answered to everybody else."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.findings import Finding, Severity
from bot.domain.forge import ForgeMember, ForgeUser
from bot.domain.merge_request import MergeRequestRef
from bot.domain.policy import Role, Waivers
from bot.domain.waiver_text import ruling_text
from bot.domain.waivers import Deed, Source, State, Waiver, WaiverStep
from bot.domain.waiving import Docket, Occasion, Ruling, Said, waive, withdraw
from bot.domain.wording import wording
from tests.injections.inertness import acting

REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=3)
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
AUTHOR, LEAD, OTHER, DEVELOPER = 5, 6, 7, 8
TALK = wording("en").talk
WISH = "for 30 days because the table is empty"
UNTIL = date(2026, 12, 26)


def finding(number: int, **changes: object) -> Finding:
    """Return a grave finding whose name begins with eight times *number*."""
    base = {
        "scanner": "semgrep",
        "rule": "r",
        "category": "security",
        "severity": Severity.high,
        "path": "a.py",
        "line": number,
        "end_line": number,
        "title": f"flaw {number}",
        "message": "m",
        "fingerprint": f"{number}" * 32,
        "anchor": "1:a",
    }
    return Finding.model_validate(base | changes)


FIRST, SECOND = finding(1), finding(2)


def by(user: int = LEAD, level: int = 40, **changes: object) -> Occasion:
    """Return a comment of somebody with that role."""
    usual = Occasion(
        event=uuid.UUID(int=user),
        ref=REF,
        branch="main",
        member=ForgeMember(ForgeUser(user, f"user{user}"), access_level=level),
        participant=user == AUTHOR,
        author=user == AUTHOR,
        at=NOW,
        source=Source.comment,
        note_id=9,
        discussion_id="d",
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def docket(terms: Waivers | None = None, **changes: object) -> Docket:
    """Return a merge request with two findings that block and one that does not."""
    usual = Docket(terms or Waivers(), (FIRST, SECOND), (finding(3, severity=Severity.low),))
    return replace(usual, **changes)  # type: ignore[arg-type]


def after(docket: Docket, *rulings: Ruling) -> Docket:
    return docket.after(step for ruling in rulings for step in ruling.steps)


def test_who_may_grants() -> None:
    """The step says who, when, where, until when, why, and by which policy."""
    ruling = waive(f"11111111 {WISH}", docket(), by())
    (step,) = ruling.steps
    assert Said.granted is ruling.said
    assert (Deed.granted, LEAD, "user6", NOW, 9, "main", UNTIL, "the table is empty", Waivers()) == (
        step.deed,
        step.by,
        step.name,
        step.at,
        step.note_id,
        step.branch,
        step.until,
        step.reason,
        step.terms,
    )
    assert FIRST.fingerprint == step.about.fingerprint
    assert ruling == waive(f"11111111 {WISH}", docket(), by())


@pytest.mark.parametrize(
    ("words", "terms", "occasion", "expected"),
    [
        (f"99999999 {WISH}", {}, by(), Said.unknown),
        (f"1111111 {WISH}", {}, by(), Said.unknown),
        (f"xyz {WISH}", {}, by(), Said.unknown),
        (WISH, {}, by(), Said.which),
        (f"33333333 {WISH}", {}, by(), Said.not_blocking),
        ("11111111", {}, by(), Said.form),
        ("11111111 because I say so", {}, by(), Said.form),
        ("11111111 until tomorrow because I say so", {}, by(), Said.day),
        ("11111111 until 2026-11-25 because I say so", {}, by(), Said.past),
        ("11111111 for 91 days because I say so", {}, by(), Said.too_far),
        ("11111111 for 90 days because I do say so", {}, by(), Said.granted),
        ("11111111 for 90 days", {}, by(), Said.no_reason),
        ("11111111 for 90 days because I say s", {"min_reason": 9}, by(), Said.short_reason),
        (f"11111111 {WISH}", {"never": ("semgrep",)}, by(), Said.never),
        (f"11111111 {WISH}", {"max_severity": Severity.medium}, by(), Said.never),
        (f"11111111 {WISH}", {"grant": Role.nobody}, by(level=50), Said.switched_off),
        (f"11111111 {WISH}", {}, by(DEVELOPER, 30), Said.asked),
        (f"11111111 {WISH}", {}, by(DEVELOPER, 20), Said.needs_role),
        (f"11111111 {WISH}", {}, by(AUTHOR, 0), Said.asked),
        (f"11111111 {WISH}", {}, by(AUTHOR, 40), Said.granted),
        (f"11111111 {WISH}", {"grant": Role.developer}, by(DEVELOPER, 30), Said.granted),
        (f"11111111 {WISH}", {"ask": Role.owner}, by(DEVELOPER, 40), Said.granted),
    ],
)
def test_what_a_wish_comes_to(
    words: str, terms: dict[str, object], occasion: Occasion, expected: Said
) -> None:
    """Only what is granted or asked for leaves a step."""
    ruling = waive(words, docket(Waivers.model_validate(terms)), occasion)
    assert expected is ruling.said
    assert ruling.acts is (expected in {Said.granted, Said.asked})


def test_in_its_own_thread_a_finding_needs_no_name() -> None:
    """A finding that is gone is not taken for another one."""
    assert waive(WISH, docket(own=SECOND.fingerprint), by()).steps[0].about.line == 2
    assert Said.unknown is waive(WISH, docket(own="f" * 32), by()).said
    assert waive(f"11111111 {WISH}", docket(own=SECOND.fingerprint), by()).steps[0].about.line == 1


def test_equal_findings_are_told_apart_by_more_digits() -> None:
    """The answer lists the names that are clear."""
    twins = tuple(finding(1, fingerprint="1" * 24 + end * 8, line=int(end), end_line=9) for end in "45")
    both = docket(blocking=twins)
    ruling = waive(f"11111111 {WISH}", both, by())
    assert (Said.ambiguous, 2) == (ruling.said, len(ruling.candidates))
    assert f"`{twins[1].fingerprint[:25]}`" in ruling_text(ruling, both, TALK)
    (step,) = waive(f"{twins[1].fingerprint} {WISH}", both, by()).steps
    assert 5 == step.about.line


def test_who_asks_is_followed_by_who_grants() -> None:
    """With a yes alone the day and the reason are those that were asked for."""
    asked = waive(f"11111111 {WISH}", docket(), by(DEVELOPER, 30))
    pending = after(docket(), asked)
    assert Said.form is waive("11111111", pending, by(DEVELOPER, 30)).said
    ruling = waive("11111111", pending, by())
    assert (Said.granted, UNTIL, "the table is empty") == (ruling.said, ruling.until, ruling.reason)
    (waiver,) = after(pending, ruling).waivers
    assert [Deed.asked, Deed.granted] == [step.deed for step in waiver.steps]
    assert State.granted is waiver.state(NOW)


TWO = Waivers(second_person=True)


@pytest.mark.parametrize(
    ("first", "second", "granted"),
    [
        ((AUTHOR, 40), (AUTHOR, 40), False),
        ((LEAD, 40), (LEAD, 40), False),
        ((LEAD, 40), (AUTHOR, 50), False),
        ((DEVELOPER, 30), (AUTHOR, 40), False),
        ((DEVELOPER, 30), (OTHER, 30), False),
        ((AUTHOR, 30), (LEAD, 40), True),
        ((DEVELOPER, 30), (LEAD, 40), True),
        ((LEAD, 40), (OTHER, 40), True),
    ],
)
def test_two_people_are_two_and_the_author_never_grants(
    first: tuple[int, int], second: tuple[int, int], granted: bool
) -> None:
    """Whoever asks cannot grant, and neither can the author, whatever the role."""
    one = waive(f"11111111 {WISH}", docket(TWO), by(*first))
    assert one.said in {Said.asked, Said.asked_second}
    other = waive(f"11111111 {WISH}", after(docket(TWO), one), by(*second))
    assert granted is (other.said is Said.granted)
    (waiver,) = after(docket(TWO), one, other).waivers
    assert (State.granted if granted else State.asked) is waiver.state(NOW)


def test_who_has_a_hand_in_the_code_asks_and_does_not_grant() -> None:
    """Whoever pushed or wrote some of it, also where somebody else opened the merge request."""
    one = waive(f"11111111 {WISH}", docket(TWO), by(DEVELOPER, 30))
    pending = after(docket(TWO), one)
    assert Said.asked_second is waive(f"11111111 {WISH}", pending, by(author=True)).said
    assert Said.granted is waive(f"11111111 {WISH}", pending, by()).said


def test_where_nobody_knows_who_pushed_a_third_person_agrees() -> None:
    """One of two may have pushed it; the same person twice is one, and code that asks is nobody."""
    one = waive(f"11111111 {WISH}", docket(TWO), by(DEVELOPER, 30))
    pending = after(docket(TWO), one, waive(f"11111111 {WISH}", docket(TWO), by(DEVELOPER, 30)))
    second = waive(f"11111111 {WISH}", pending, by(unsure=True))
    assert Said.asked_second is second.said
    pending = after(pending, second)
    assert Said.asked_second is waive(f"11111111 {WISH}", pending, by(unsure=True)).said
    assert Said.granted is waive(f"11111111 {WISH}", pending, by(OTHER, 40, unsure=True)).said


def test_of_two_days_the_earlier_one_counts() -> None:
    """Each of two people stands for no more than what they said."""
    for first, second in ((10, 20), (20, 10)):
        one = waive(f"11111111 for {first} days because of the migration", docket(TWO), by(DEVELOPER, 30))
        words = f"11111111 for {second} days because of the migration"
        other = waive(words, after(docket(TWO), one), by())
        assert NOW.date() + timedelta(days=10) == other.until


def test_a_request_of_the_code_is_the_authors() -> None:
    """A comment such as nosemgrep stands for the author, so one other person is enough."""
    step = WaiverStep.model_validate(
        waive(f"11111111 {WISH}", docket(TWO), by(AUTHOR, 30)).steps[0].model_dump()
        | {"source": Source.code, "until": None, "reason": ""}
    )
    excused = docket(TWO, waivers=[Waiver((step,))])
    assert Said.asked_second is waive(f"11111111 {WISH}", excused, by(AUTHOR, 40)).said
    assert Said.form is waive("11111111", excused, by()).said
    assert (Said.granted, UNTIL) == (
        waive(f"11111111 {WISH}", excused, by()).said,
        waive(f"11111111 {WISH}", excused, by()).until,
    )


def test_a_request_for_other_code_is_not_granted_along() -> None:
    """What was asked for before the code changed has to be asked for again."""
    asked = waive(f"11111111 {WISH}", docket(TWO), by(DEVELOPER, 30))
    changed = replace(after(docket(TWO), asked), blocking=(finding(1, anchor="1:b"),))
    assert Said.asked_second is waive(f"11111111 {WISH}", changed, by()).said


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (by(DEVELOPER, 30), Said.withdrawn),
        (by(), Said.withdrawn),
        (by(OTHER, 40), Said.withdrawn),
        (by(OTHER, 30), Said.needs_role),
        (by(AUTHOR, 30), Said.needs_role),
    ],
)
def test_who_asked_and_who_may_grant_take_it_back(who: Occasion, expected: Said) -> None:
    """Nobody else; what has ended stays so, and a new waiver is another one."""
    asked = waive(f"11111111 {WISH}", docket(), by(DEVELOPER, 30))
    granted = after(docket(), asked, waive("11111111", after(docket(), asked), by()))
    ruling = withdraw("11111111", granted, who)
    assert expected is ruling.said
    if ruling.acts:
        ended = after(granted, ruling)
        assert [State.withdrawn] == [one.state(NOW) for one in ended.waivers]
        assert Said.nothing is withdraw("11111111", ended, who).said
        again = after(ended, waive(f"11111111 {WISH}", ended, by(event=uuid.uuid4())))
        assert [State.withdrawn, State.granted] == [one.state(NOW) for one in again.waivers]


def test_there_may_be_nothing_to_take_back() -> None:
    """Or something else than what is named."""
    assert Said.nothing is withdraw("11111111", docket(), by()).said
    granted = after(docket(), waive(f"11111111 {WISH}", docket(), by()))
    assert (Said.unknown, 1) == (
        withdraw("22222222", granted, by()).said,
        len(withdraw("22222222", granted, by()).candidates),
    )
    assert Said.withdrawn is withdraw("", replace(granted, own=FIRST.fingerprint), by()).said


def rulings() -> Sequence[Ruling]:
    return [
        Ruling(said, about=None, named="`@root", reason="/close ![](x)", until=UNTIL, candidates=())
        for said in Said
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_answer_can_be_said(language: str) -> None:
    """With nothing left unfilled."""
    for ruling in rulings():
        text = ruling_text(ruling, docket(), wording(language).talk)
        assert text
        assert "{" not in text


@given(st.text(max_size=200))
def test_answers_are_inert(words: str) -> None:
    """Whatever somebody writes, or a title or a path says."""
    hostile = finding(1, title=f"x {words}", path="a.py")
    seen = docket(blocking=(hostile,), places={hostile.fingerprint: f"{words}:1"})
    for text in (f"{words} {WISH}", f"11111111 for 3 days because {words} enough", words):
        for ruling in (waive(text, seen, by()), withdraw(text, seen, by())):
            assert [] == acting(ruling_text(ruling, seen, TALK))
