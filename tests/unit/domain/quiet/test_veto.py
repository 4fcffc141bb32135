"""Three people on three merge requests can silence what is like their rejections; nobody can alone."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.findings import Finding, Severity
from bot.domain.quiet.veto import Likeness, Past, Ruling, rule

TEXT = "The query is put together from what the user typed, so anybody can read the whole table"


def finding(**values: Any) -> Finding:
    """Return a finding of the model."""
    usual = {"scanner": "model", "rule": "r", "category": "security", "severity": Severity.high}
    place = {"path": "a.py", "line": 1, "end_line": 1, "title": "Injection", "message": TEXT}
    return Finding.model_validate({**usual, **place, **values})


NEAR = Likeness.of(finding())
FAR = Likeness.of(finding(message="The loop reads one element past the end of the list", title="Off by one"))


def past(
    number: int, *, accepted: bool = False, people: tuple[int, ...] = (), likeness: Likeness = NEAR
) -> Past:
    """Return an earlier comment on a merge request, and by people, of its own."""
    return Past(uuid.UUID(int=number), f"!{number}", accepted, frozenset(people or (number,)), likeness)


def ruling(*before: Past, of: Finding | None = None) -> Ruling:
    """Return what is ruled after *before*."""
    return rule(of or finding(), NEAR, before).ruling


def test_three_rejections_veto() -> None:
    """Two do not, nor do three of something else, nor one that is told three times."""
    assert ruling(past(1), past(2), past(3)) is Ruling.vetoed
    assert ruling(past(1), past(2)) is Ruling.open
    assert ruling(*[past(n, likeness=FAR) for n in range(1, 9)]) is Ruling.open
    assert ruling(past(1), past(1), past(1)) is Ruling.open


def test_one_person_or_one_merge_request_is_not_enough() -> None:
    """Neither is two people of whom one is busy."""
    assert ruling(*[past(n, people=(7,)) for n in range(1, 9)]) is Ruling.open
    same = [Past(uuid.UUID(int=n), "!1", False, frozenset({n}), NEAR) for n in range(1, 9)]
    assert ruling(*same) is Ruling.open
    assert ruling(past(1, people=(7,)), past(2, people=(7,)), past(3, people=(7, 8))) is Ruling.open
    assert ruling(past(1, people=(7, 9)), past(2, people=(7,)), past(3, people=(7, 8))) is Ruling.vetoed


def test_three_acceptances_let_it_pass() -> None:
    """However many have rejected the like."""
    rejected = [past(n) for n in range(1, 9)]
    liked = [past(n, accepted=True) for n in range(11, 14)]
    assert ruling(*rejected, *liked) is Ruling.passed
    assert ruling(*rejected, *liked[:2]) is Ruling.vetoed


@pytest.mark.parametrize(
    "heard", [{"severity": Severity.critical}, {"category": "secret"}, {"scanner": "secrets"}]
)
def test_what_must_be_heard_is_never_vetoed(heard: dict[str, Any]) -> None:
    """Critical findings and secrets."""
    assert ruling(*[past(n) for n in range(1, 9)], of=finding(**heard)) is Ruling.open


def test_vectors_are_compared_if_one_model_made_them() -> None:
    """Otherwise the words are."""
    turned = {"vector": (0.6, 0.8), "model": "m1"}
    near = [past(n, likeness=Likeness(FAR.words, (1.0, 0.1), "m1")) for n in (1, 2, 3)]
    assert rule(finding(), Likeness(NEAR.words, (1.0, 0.0), "m1"), near).ruling is Ruling.vetoed
    assert rule(finding(), Likeness(NEAR.words, **turned), near).ruling is Ruling.open
    assert rule(finding(), Likeness(NEAR.words, (1.0, 0.0), "m2"), near).ruling is Ruling.open
    assert rule(finding(), Likeness(FAR.words, (1.0, 0.0, 0.0), "m2"), near).ruling is Ruling.vetoed


def test_code_is_part_of_what_is_compared() -> None:
    """The same words about other code are another matter."""
    one = Likeness.of(
        finding(), ["cursor.execute('select * from t where name = ' + name)", "return rows"] * 3
    )
    other = Likeness.of(finding(), ["subprocess.run(command, shell=True)", "return output.decode()"] * 3)
    assert rule(finding(), one, [past(n, likeness=other) for n in (1, 2, 3)]).ruling is Ruling.open


@given(st.lists(st.tuples(st.integers(1, 5), st.sets(st.integers(1, 5), min_size=1, max_size=3)), max_size=7))
def test_people_are_given_to_merge_requests_as_well_as_possible(told: list[tuple[int, set[int]]]) -> None:
    """Against trying every way."""
    comments = [
        Past(uuid.UUID(int=n), f"!{iid}", False, frozenset(people), NEAR)
        for n, (iid, people) in enumerate(told)
    ]
    pairs = {(one.merge_request, person) for one in comments for person in one.people}
    possible = any(
        len({iid for iid, _ in three}) == 3 and len({person for _, person in three}) == 3
        for three in itertools.combinations(sorted(pairs), 3)
    )
    assert (ruling(*comments) is Ruling.vetoed) == possible


def test_a_verdict_explains_itself_whatever_the_order() -> None:
    """With the comments that made it."""
    before = [past(n) for n in (3, 1, 2)]
    verdict = rule(finding(), NEAR, before)
    assert verdict == rule(finding(), NEAR, before[::-1])
    assert tuple(uuid.UUID(int=n) for n in (1, 2, 3)) == verdict.neighbours
    assert not verdict.said
    assert "3 comments like this one were rejected" in verdict.explanation
    assert rule(finding(), NEAR, ()).said
