"""What may become part of a data set: clear, allowed, not too much of one thing, and not both ways."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from bot.domain.labels import Label
from bot.learning.formats import Format
from bot.learning.rows import Material
from bot.learning.selection import (
    UNDECIDED,
    Candidate,
    Consent,
    candidate,
    consistent,
    decided,
)
from bot.ports import History
from tests.histories import HOUR, RECIPES, START, Told, histories, telling
from tests.unit.learning.material import material

ALLOWED = frozenset({("gitlab.example", 7)})
LATE = START + timedelta(days=99)


def chosen(told: Told, consent: Consent, *, until_hours: float | None = None) -> Candidate | str:
    """Return what becomes of a history."""
    until = LATE if until_hours is None else told.comment.posted_at + until_hours * HOUR
    history = History(told.comment, told.signals, told.pushes)
    return candidate(history, consent, until, Format.classifier)


def test_only_clear_labels_are_chosen() -> None:
    """Of every kind of history."""
    for recipe in RECIPES:
        told = recipe(telling())
        found = chosen(told, Consent(ALLOWED))
        clear = told.label in {Label.accepted_strong, Label.rejected_strong}
        assert isinstance(found, Candidate) == clear
        if isinstance(found, Candidate):
            assert (told.label, told.merged_at) == (found.label, found.merged_at)


def test_projects_and_people_have_a_say() -> None:
    """No project is in by default; people are left out with their words and with their merge requests."""
    tell = telling()
    told = tell.merged(Label.rejected_strong, tell.down(5))
    assert chosen(told, Consent()) == "the project has not allowed it"
    out = frozenset({("gitlab.example", 5)})
    assert chosen(told, Consent(ALLOWED, out, {tell.ref: 6})) == "its label is unknown"
    assert chosen(told, Consent(ALLOWED, out)) == (
        "the author of the merge request is not known and may have opted out"
    )
    assert isinstance(chosen(told, Consent(ALLOWED, frozenset({("elsewhere", 5)}))), Candidate)
    author = Consent(ALLOWED, out, {tell.ref: 5})
    assert chosen(told, author) == "the author of the merge request has opted out"


def test_only_what_was_seen_by_then_counts() -> None:
    """So that an export can be repeated."""
    tell = telling()
    told = tell.merged(Label.rejected_strong, tell.down(5), tell.up(6, hours=3))
    assert chosen(told, Consent(ALLOWED)) == "people contradict each other about it"
    seen = [one.model_copy(update={"seen_at": one.at}) for one in told.signals]
    told.signals = [one if one.actor_id != 6 else one.model_copy(update={"seen_at": LATE}) for one in seen]
    found = chosen(told, Consent(ALLOWED), until_hours=20)
    assert isinstance(found, Candidate)
    assert (Label.rejected_strong, 1) == (found.label, found.people)


def test_prompts_are_of_the_model_only() -> None:
    """A scanner was never asked anything."""
    tell = telling()
    told = tell.merged(Label.rejected_strong, tell.down())
    told.comment = told.comment.model_copy(update={"scanner": "semgrep"})
    history = History(told.comment, told.signals, told.pushes)
    assert candidate(history, Consent(ALLOWED), LATE, Format.kto) == "the comment is not the model's"


def test_what_instructions_of_another_release_asked_takes_no_place() -> None:
    """Its prompt cannot be made again; whoever makes no prompts uses it."""
    tell = telling()
    told = tell.merged(Label.rejected_strong, tell.down())
    changes = {"scanner": "model", "prompt_version": "v1"}
    history = History(told.comment.model_copy(update=changes), told.signals, told.pushes)
    found = candidate(history, Consent(ALLOWED), LATE, Format.kto, "v2")
    assert found == "the model was asked by the instructions of another release"
    for format_, version in ((Format.kto, "v1"), (Format.kto, ""), (Format.classifier, "v2")):
        assert isinstance(candidate(history, Consent(ALLOWED), LATE, format_, version), Candidate)


def test_an_answer_is_whole_or_there_is_none() -> None:
    """Where the model said more to a prompt than is here, the rest is no answer to it."""
    whole = [said(material(1, accepted=True, iid=1), 1, 2), said(material(2, accepted=False, iid=1), 1, 2)]
    part = [said(material(3, accepted=True, iid=2), 3, 4)]
    assert (whole, Counter({UNDECIDED: 1})) == decided([*whole, *part])
    assert ([], Counter({UNDECIDED: 1})) == decided(whole[1:])
    # Another run may have said more to the same prompt.
    again = said(material(5, accepted=True, iid=1), 5)
    assert ([*whole, again], Counter()) == decided([*whole, again])
    assert ([], Counter({UNDECIDED: 2})) == decided([whole[0], again])


def said(one: Material, *numbers: int) -> Material:
    """Return material to whose prompt the model said what is numbered so."""
    assert one.prompt
    comment = one.comment.model_copy(update={"fingerprint": f"f{one.comment.id.int}"})
    prompt = replace(one.prompt, said=frozenset(f"f{number}" for number in numbers))
    return replace(one, comment=comment, prompt=prompt)


def test_what_was_taken_both_ways_is_dropped() -> None:
    """The same said of the same code, but for its layout."""
    one, other = material(1, accepted=True), material(2, accepted=False)
    twin = replace(other, code=one.code.replace(" ", "   "), words=one.words.upper())
    assert consistent([one, other]) == ([one, other], Counter())
    kept, dropped = consistent([one, twin, material(3, accepted=False)])
    assert [material(3, accepted=False)] == kept
    assert dropped.total() == 2


def test_histories_are_of_their_projects() -> None:
    """The recipes that others build on name the projects that they say."""
    assert {1, 2, 3} == {one.comment.ref.project_id for one in histories(9)}
