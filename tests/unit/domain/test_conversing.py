"""Who may ask for what, and what is answered."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.commands import Asked, Command, Verb
from bot.domain.conversation import Scene, answer, help_text, turns, unknown_text, worth_answering
from bot.domain.findings import Finding, Severity
from bot.domain.forge import ForgeMember, ForgeUser
from bot.domain.merge_request import MergeRequestRef
from bot.domain.permission import permitted
from bot.domain.policy import Conversation, Policy, Role, Waivers
from bot.domain.policy_file import parse
from bot.domain.waivers import Deed, Source
from bot.domain.waiving import Docket, Occasion
from bot.domain.wording import wording

TALK = wording("en").talk


def member(level: int) -> ForgeMember:
    return ForgeMember(ForgeUser(5, "dev"), access_level=level)


def scene(**changes: Any) -> Scene:
    """Return an open merge request as a developer sees it, in our thread."""
    usual = Scene(
        member=member(30),
        participant=False,
        policy=Conversation(),
        state="opened",
        head_sha="0123456789abcdef",
        paused=False,
        model=True,
        tests=True,
        may_push=True,
        fingerprint="f1",
    )
    return replace(usual, **changes)


def said(verb: Verb, words: str = "", **changes: Any) -> tuple[str, bool]:
    (turn,) = turns([Command(verb, words)], scene(**changes), TALK)
    return turn.text, turn.act


@pytest.mark.parametrize(
    ("level", "participant", "expected"),
    [
        (0, False, set()),
        (10, False, set()),
        (10, True, {Verb.review, Verb.explain, Verb.waive, Verb.unwaive, Verb.help}),
        (20, False, {Verb.review, Verb.explain, Verb.help}),
        (30, False, set(Verb)),
    ],
)
def test_roles_allow_what_the_table_says(level: int, participant: bool, expected: set[Verb]) -> None:
    """Below Reporter only those who take part may ask, and only what changes nothing."""
    allowed = {
        verb for verb in Verb if permitted(verb, member(level), Conversation(), participant=participant)
    }
    assert expected == allowed


def test_the_policy_moves_the_line() -> None:
    """A project may ask for more, or switch a command off, for its own people too."""
    policy = parse("conversation: {review: maintainer, explain: nobody, fix: reporter}")
    assert isinstance(policy, Policy)
    talk = policy.conversation
    assert not permitted(Verb.review, member(30), talk, participant=False)
    assert permitted(Verb.review, member(40), talk, participant=False)
    assert permitted(Verb.fix, member(20), talk, participant=False)
    assert not permitted(Verb.explain, member(50), talk, participant=True)
    assert said(Verb.explain, policy=talk) == ("`explain` is switched off in this project.", False)
    assert "`explain`" not in help_text(talk, TALK)
    assert "| `review` | " in help_text(talk, TALK)


@pytest.mark.parametrize("verb", [verb for verb in Verb if verb not in {Verb.help, Verb.unwaive}])
def test_nothing_is_done_on_a_merge_request_that_is_over(verb: Verb) -> None:
    """Help is all that is left, and to take back a waiver, whose code is in the target branch now."""
    text, act = said(verb, state="merged")
    assert not act
    assert "is merged" in text


def test_commands_of_one_comment_follow_one_another() -> None:
    """Whoever pauses and resumes in one comment is told of both, and it goes on."""
    pause, resume = Command(Verb.pause), Command(Verb.resume)
    assert [(TALK.resumed, True)] == [
        (one.text, one.act) for one in turns([pause, resume], scene(), TALK)[1:]
    ]
    assert [True, True] == [one.act for one in turns([resume, pause], scene(paused=True), TALK)]


def test_commands_about_a_finding_need_its_thread() -> None:
    """Elsewhere the answer says where to ask."""
    for verb in (Verb.explain, Verb.fix, Verb.ignore, Verb.resolve):
        text, act = said(verb, fingerprint=None)
        assert not act
        assert "in my thread" in text


def test_what_cannot_be_done_is_said() -> None:
    """No model, no tests, no right to push, and what is the case already."""
    assert "no language model" not in said(Verb.test)[0]
    for text, act in (
        said(Verb.test, model=False),
        said(Verb.test, tests=False),
        said(Verb.test, "--commit", may_push=False),
        said(Verb.resolve, resolved=True),
        said(Verb.pause, paused=True),
        said(Verb.resume),
        said(Verb.explain),
    ):
        assert not act
        assert text
    assert said(Verb.test, "--commit")[1]


def test_a_reason_is_shown_inert() -> None:
    """What somebody wrote comes back as text."""
    text, act = said(Verb.ignore, "see https://example.com ![x](y) @all /approve <b>")
    assert act
    for active in (" https://", " ![x](", " @all", " /approve", " <b>"):
        assert active not in text
    assert "`@all`" in text


def test_unknown_words_are_named_as_code() -> None:
    """And nothing else is said of them."""
    assert "I do not know `fixx`, ``a`b``." in unknown_text(["fixx", "a`b"], TALK)
    assert unknown_text([], TALK) == unknown_text(["\u200b"], TALK) == ""


def test_the_limit_is_told_once() -> None:
    """Above it there is silence, so that two bots cannot talk for ever."""
    wanted = Asked((Command(Verb.help),))
    policy = Conversation(per_hour=2)
    found = [worth_answering(wanted, answered=n, policy=policy) for n in range(5)]
    assert found == [True, True, None, False, False]
    assert worth_answering(Asked(), answered=0, policy=policy) is False
    assert worth_answering(wanted, answered=0, policy=Conversation(per_hour=0)) is False


def test_every_command_has_its_words_in_every_language() -> None:
    """And every role and state."""
    for language, verb in itertools.product(("en", "zh"), Verb):
        assert verb in wording(language).talk.does
        assert set(Role) == set(wording(language).talk.roles)


def test_an_answer_ends_with_its_marker() -> None:
    """Empty parts leave no gap."""
    assert answer(["a", "", "b"], marker="m") == "a\n\nb\n\nm"


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
    fingerprint="f" * 32,
)


OCCASION = Occasion(
    event=uuid.UUID(int=1),
    ref=MergeRequestRef(instance="gitlab.example", project_id=7, iid=3),
    branch="main",
    member=member(40),
    participant=False,
    author=False,
    at=datetime(2026, 1, 1, tzinfo=UTC),
    source=Source.comment,
)


def test_waivers_of_one_comment_follow_one_another() -> None:
    """What is granted in one line can be taken back in the next; the head must be reviewed for the first."""
    seen = scene(member=member(40), docket=Docket(blocking=(FLAW,)), occasion=OCCASION)
    wish = Command(Verb.waive, f"{'f' * 8} for 3 days because it is a test")
    back = Command(Verb.unwaive, "f" * 8)
    assert [[Deed.granted], [Deed.withdrawn], []] == [
        [step.deed for step in turn.steps] for turn in turns([wish, back, back], seen, TALK)
    ]
    (unseen,) = turns([wish], replace(seen, reviewed=False), TALK)
    assert (False, True) == (unseen.act, "needs a review of the newest commit" in unseen.text)
    (late,) = turns([back], replace(seen, state="merged", docket=seen.docket), TALK)
    assert "There is no waiver to take back." == late.text


def test_waivers_can_be_switched_off() -> None:
    """Then the help does not tell of them."""
    off = Waivers(grant=Role.nobody)
    assert "switched off" in said(Verb.waive, waivers=off)[0]
    assert "`waive`" not in help_text(Conversation(), TALK, off)
    assert "`waive`" in help_text(Conversation(), TALK)


def test_waivers_are_not_given_in_edited_comments() -> None:
    """Maintainers may edit those of others, so nobody knows whose words they are; the rest is as harmless as before."""
    for verb in Verb:
        text, act = said(verb, member=member(40), edited=True, docket=Docket(), occasion=OCCASION)
        assert ("edited comment" in text) is (verb in {Verb.waive, Verb.unwaive})
        assert not (act and "edited comment" in text)
