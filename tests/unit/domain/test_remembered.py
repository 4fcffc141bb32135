"""What is remembered from one look to the next."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.merge_request import MergeRequestRef
from bot.domain.policy import Policy
from bot.domain.policy_sections import Learning, Review
from bot.domain.remembered import judged, next_turn, offered, taken, to_judge, whose_turn
from bot.domain.signals import Comment, Signal, SignalKind, Source, comment_id
from bot.domain.watching import Seen, Watch

REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=1)
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def comment(mark: str = "f1", **changes: Any) -> Comment:
    """Return a comment of the model."""
    fields: dict[str, Any] = {
        "id": comment_id(REF, mark),
        "ref": REF,
        "fingerprint": mark,
        "run_id": uuid.uuid5(uuid.NAMESPACE_OID, "run"),
        "head_sha": "a" * 40,
        "rule": "correctness",
        "scanner": "model",
        "category": "correctness",
        "severity": "high",
        "confidence": "high",
        "path": "app.py",
        "posted_at": NOW,
    }
    return Comment(**fields | changes)


def watch(**seen: Any) -> Watch:
    """Return a watch with one thread."""
    return Watch(REF, NOW, seen={"f1": Seen(**seen)})


@pytest.mark.parametrize(
    ("changes", "seen", "policy", "asked"),
    [
        ({}, {"changed": True}, Policy(), True),
        ({}, {}, Policy(), False),
        ({}, {"changed": True, "applied": True}, Policy(), False),
        ({}, {"changed": True, "unmended": True}, Policy(), False),
        ({"scanner": "semgrep"}, {"changed": True}, Policy(), False),
        ({"author_is_bot": True}, {"changed": True}, Policy(), False),
        ({}, {"changed": True}, Policy(learning=Learning(judge=False)), False),
        ({}, {"changed": True}, Policy(review=Review(model=False)), False),
    ],
)
def test_the_model_is_asked_only_what_nobody_knows(
    changes: dict[str, Any], seen: dict[str, Any], policy: Policy, asked: bool
) -> None:
    """About its own findings whose lines have changed, where the policy lets it."""
    assert asked is to_judge(watch(**seen), [comment(**changes)], policy).seen["f1"].unjudged


def test_what_was_judged_is_not_asked_again() -> None:
    """What is left for later is."""
    asked = watch(changed=True, unjudged=True)
    assert not judged(asked, ()).seen["f1"].unjudged
    assert judged(asked, {"f1"}).seen["f1"].unjudged


def test_a_suggestion_that_was_taken_is_not_looked_for_again() -> None:
    """Nor one whose lines are as they were, nor where there is none."""
    offering = comment(had_suggestion=True)
    assert [offering] == offered(watch(changed=True), [offering])
    assert [] == offered(watch(), [offering])
    assert [] == offered(watch(changed=True), [comment()])
    told = Signal(
        id=uuid.uuid4(),
        kind=SignalKind.applied,
        at=NOW,
        seen_at=NOW,
        ref=REF,
        fingerprint="f1",
        source=Source.git,
    )
    assert [] == offered(taken(watch(changed=True), [told]), [offering])


def test_all_comments_are_asked_about_in_turn() -> None:
    """Seventy of them in three looks; later ones come first, and nobody waits for them."""
    comments = [comment(f"f{n}") for n in range(70)]
    seen = {one.fingerprint: Seen() for one in comments}
    looks: list[set[str]] = []
    for number in range(8):
        if number == 3:
            later = [comment(f"later{n}") for n in range(20)]
            comments, seen = [*comments, *later], seen | {one.fingerprint: Seen() for one in later}
        turn = next_turn(seen)
        looks.append({one.fingerprint for one in whose_turn(comments, seen, 30)})
        seen |= {mark: seen[mark].model_copy(update={"asked": turn}) for mark in looks[-1]}
    assert all(len(one) == 30 for one in looks)
    assert {f"f{n}" for n in range(70)} <= set.union(*looks[:3])
    assert {f"later{n}" for n in range(20)} <= looks[3]
    assert {one.fingerprint for one in comments} == set.union(*looks[3:6])
