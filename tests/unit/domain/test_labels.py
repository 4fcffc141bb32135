"""Labels follow from signals alone: whatever their order, by the table in the module's docstring."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import labels
from bot.domain.labels import Censored, Label, Labelled, label
from bot.domain.signals import ReplyClass, Signal, SignalKind
from tests.histories import HOUR, RECIPES, Telling, Told, histories, telling


def labelled(tell: Telling, *signals: Signal) -> Labelled:
    """Return the label of a comment on a merge request that was merged after *signals*."""
    return label(tell.comment, [*signals, tell.life(SignalKind.merged)], tell.pushes())


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.__name__.strip("_"))
def test_each_history_has_its_label(recipe: Callable[[Telling], Told]) -> None:
    """With the reason for being censored, and what is told apart."""
    told = recipe(telling())
    found = label(told.comment, told.signals, told.pushes)
    assert told.label == found.label
    assert (told.why, told.contradictory, told.late) == (
        found.censored_why,
        found.contradictory,
        found.late_at is not None,
    )
    assert told.merged_at == found.frozen_at
    assert set(found.reasons) <= {one.id for one in told.signals}


def test_labels_of_a_synthetic_history_are_recovered_exactly() -> None:
    """Of every recipe, in several projects, told in one heap."""
    truth = list(histories(40 * len(RECIPES)))
    heap = [one for told in truth for one in told.signals]
    wrong = [
        told.comment.id
        for told in truth
        if label(told.comment, [one for one in heap if one.ref == told.comment.ref], told.pushes).label
        != told.label
    ]
    assert [] == wrong
    assert {told.label for told in truth} == set(Label)


@st.composite
def jumbles(draw: st.DrawFn) -> tuple[Telling, list[Signal]]:
    """Return a comment and any signals, also with equal times, of few people."""
    tell = telling(draw(st.integers(1, 50)))
    signals = []
    for kind in draw(st.lists(st.sampled_from(SignalKind), max_size=9)):
        values: dict[str, Any] = {
            "actor_id": draw(st.sampled_from([None, 1, 2, 3])),
            "actor_is_bot": draw(st.integers(0, 4)) == 0,
            "emoji": draw(st.sampled_from(["thumbsup", "thumbsdown", "thumbsdown_tone2", "-1", "x"])),
            "reply": draw(st.sampled_from(ReplyClass)),
            "judged": draw(st.sampled_from([None, True, False])),
        }
        if kind in {SignalKind.merged, SignalKind.closed, SignalKind.reopened}:
            values["fingerprint"] = ""
        signals.append(tell.signal(kind, draw(st.integers(0, 12)), **values))
    return tell, signals


@given(jumbles(), st.data())
def test_neither_order_nor_repetition_matters(
    jumble: tuple[Telling, list[Signal]], data: st.DataObject
) -> None:
    """Hooks and polls tell of the same in any order, some of it twice."""
    tell, signals = jumble
    shuffled = data.draw(st.permutations([*signals, *signals[:3]]))
    assert label(tell.comment, signals, tell.pushes()) == label(tell.comment, shuffled, tell.pushes())


@given(jumbles())
def test_what_happens_elsewhere_changes_nothing(jumble: tuple[Telling, list[Signal]]) -> None:
    """To other comments of the merge request, or in another one."""
    tell, signals = jumble
    other = telling(99, project_id=8)
    noise = [
        other.down(),
        other.life(SignalKind.merged),
        tell.down(5).model_copy(update={"fingerprint": "another"}),
    ]
    assert label(tell.comment, signals) == label(tell.comment, [*signals, *noise])


#: Where a label stands between rejection and acceptance.
_RANK = {Label.rejected_strong: -1, Label.accepted_weak: 1, Label.accepted_strong: 2}


def _moved(tell: Telling, signals: list[Signal], more: Signal) -> int:
    before, after = labelled(tell, *signals), labelled(tell, *signals, more)
    return _RANK.get(after.label, 0) - _RANK.get(before.label, 0)


@given(jumbles())
def test_approval_never_lowers_and_rejection_never_raises(jumble: tuple[Telling, list[Signal]]) -> None:
    """By somebody who has said nothing so far, before the merge."""
    tell, signals = jumble
    signals = [one for one in signals if one.kind is not SignalKind.merged]
    assert _moved(tell, signals, tell.up(7)) >= 0
    assert _moved(tell, signals, tell.signal(SignalKind.applied)) >= 0
    assert _moved(tell, signals, tell.changed(9.9, judged=True)) >= 0
    assert _moved(tell, signals, tell.down(7)) <= 0
    assert _moved(tell, signals, tell.reply(ReplyClass.wrong, 7)) <= 0


@given(jumbles())
def test_a_label_is_frozen_by_the_merge(jumble: tuple[Telling, list[Signal]]) -> None:
    """Whatever people do afterwards."""
    tell, signals = jumble
    signals = [one for one in signals if one.kind is not SignalKind.merged]
    after = [
        tell.down(8, 11),
        tell.up(9, 11),
        tell.changed(11, judged=False),
        tell.life(SignalKind.reopened, 12),
    ]
    before = labelled(tell, *[one for one in signals if one.at <= tell.posted_at + 10 * HOUR])
    later = labelled(tell, *[one for one in signals if one.at <= tell.posted_at + 10 * HOUR], *after)
    assert before == later
    assert before.frozen


@given(jumbles())
def test_labels_explain_themselves(jumble: tuple[Telling, list[Signal]]) -> None:
    """A reason for being censored where it is, deciding signals where there is a decision."""
    tell, signals = jumble
    found = label(tell.comment, signals, tell.pushes())
    assert (found.label is Label.censored) == (found.censored_why is not None)
    if found.label in {*_RANK, Label.rejected_strong} or found.contradictory:
        assert found.reasons
    assert not (found.contradictory and found.label is not Label.unknown)
    assert len(set(found.reasons)) == len(found.reasons)


def test_ten_reactions_of_one_person_are_one() -> None:
    """The last state counts: nine thumbs down and then one up is approval by one person."""
    tell = telling()
    downs = [tell.down(hours=hour / 2) for hour in range(1, 10)]
    assert labelled(tell, *downs).label is Label.rejected_strong
    assert labelled(tell, *downs, tell.up(hours=8)).label is Label.accepted_weak
    removed = tell.signal(SignalKind.reaction_removed, 9, actor_id=2, emoji="thumbsup")
    assert labelled(tell, *downs, tell.up(hours=8), removed).label is Label.rejected_strong


def test_a_reaction_that_was_taken_back_leaves_what_was_said_before() -> None:
    """The reply stands again."""
    tell = telling()
    signals = [
        tell.reply(ReplyClass.wrong),
        tell.up(hours=2),
        tell.signal(SignalKind.reaction_removed, 3, actor_id=2, emoji="thumbsup"),
    ]
    assert labelled(tell, *signals).label is Label.rejected_strong
    assert labelled(tell, *signals).reasons == (signals[0].id,)


def test_a_reaction_ends_by_its_number() -> None:
    """A look that misses a reaction says neither whose it was nor which; another one of the same kind stands."""
    tell = telling()
    first, second = tell.down(detail={"award": "5"}), tell.down(3, 2, detail={"award": "6"})
    gone = tell.signal(SignalKind.reaction_removed, 3, detail={"award": "5"})
    again = tell.down(hours=2, detail={"award": "7"})
    assert labelled(tell, first, gone).label is Label.unknown
    assert labelled(tell, first, second, gone).reasons == (second.id,)
    assert labelled(tell, first, again, gone).reasons == (again.id,)
    assert labelled(tell, tell.up(hours=0.5), first, gone).label is Label.accepted_weak


def test_a_reply_that_was_deleted_says_nothing_any_more() -> None:
    """What the same person said before stands again; nobody else's words go with it."""
    tell = telling()
    agrees, wrong = tell.reply(ReplyClass.agrees, note_id=4), tell.reply(ReplyClass.wrong, hours=2, note_id=5)
    deleted = tell.signal(SignalKind.deleted, 3, note_id=5)
    assert labelled(tell, wrong, deleted).label is Label.unknown
    assert labelled(tell, agrees, wrong, deleted).label is Label.accepted_weak
    assert labelled(tell, wrong, tell.signal(SignalKind.deleted, 3, note_id=6)).label is Label.rejected_strong


def test_a_reply_that_was_edited_says_what_it_says_now() -> None:
    """Be that nothing, as long as it was edited before the merge; what others say is theirs."""
    tell = telling()
    wrong = tell.reply(ReplyClass.wrong, note_id=5)
    agrees, nothing = (tell.reply(said, hours=2, note_id=5) for said in (ReplyClass.agrees, ReplyClass.other))
    assert labelled(tell, wrong, agrees).label is Label.accepted_weak
    assert labelled(tell, wrong, nothing).label is Label.unknown
    too_late = tell.reply(ReplyClass.agrees, hours=11, note_id=5)
    assert labelled(tell, wrong, too_late).label is Label.rejected_strong
    others = tell.reply(ReplyClass.other, hours=2, note_id=6)
    assert labelled(tell, wrong, others).label is Label.rejected_strong


@pytest.mark.parametrize(
    ("emoji", "expected"),
    [
        ("thumbsup", Label.accepted_weak),
        ("thumbsup_tone3", Label.accepted_weak),
        ("+1", Label.accepted_weak),
        ("thumbsdown_tone5", Label.rejected_strong),
        ("-1", Label.rejected_strong),
        ("eyes", Label.unknown),
        ("thumbsup<script>", Label.unknown),
        ("", Label.unknown),
    ],
)
def test_only_thumbs_are_votes(emoji: str, expected: Label) -> None:
    """In every tone of skin; what else a picture means nobody knows."""
    tell = telling()
    assert expected == labelled(tell, tell.up(emoji=emoji)).label


def test_accounts_that_are_gone_count_as_one_person() -> None:
    """So they cannot outvote each other."""
    tell = telling()
    ghosts = [tell.up(None, 1), tell.down(None, 2), tell.up(None, 3), tell.down(None, 4)]
    assert labelled(tell, *ghosts).label is Label.rejected_strong
    assert labelled(tell, *ghosts, tell.up(3)).contradictory


def test_a_clock_that_is_ahead_costs_no_vote() -> None:
    """What is said seconds after the merge by another machine's clock still counts, a minute later not."""
    tell = telling()
    near, far = timedelta(seconds=30) / HOUR, timedelta(seconds=90) / HOUR
    assert labelled(tell, tell.down(hours=10 + near)).label is Label.rejected_strong
    assert labelled(tell, tell.down(hours=10 + far)).label is Label.unknown
    before = tell.down(hours=-1)
    assert labelled(tell, before).label is Label.rejected_strong


def test_a_judgement_stands_until_the_next_one() -> None:
    """A change that was judged to mend nothing is no sign of acceptance, a later one that nobody judged is."""
    tell = telling()
    assert labelled(tell, tell.changed(judged=False)).label is Label.unknown
    assert labelled(tell, tell.changed(4), tell.changed(judged=False)).label is Label.unknown
    assert labelled(tell, tell.changed(4, judged=False), tell.changed()).label is Label.accepted_weak
    assert labelled(tell, tell.changed(4, judged=True), tell.changed()).label is Label.accepted_strong
    assert labelled(tell, tell.changed(4, judged=True), tell.changed(judged=False)).label is Label.unknown
    gone = tell.signal(SignalKind.gone, 10)
    assert labelled(tell, tell.changed(4, judged=False), gone).label is Label.accepted_strong


def test_words_count_where_nobody_could_act() -> None:
    """A comment that no push followed is censored only as long as nobody says anything."""
    tell = telling()
    merge = tell.life(SignalKind.merged)
    first = tell.pushes()[:1]
    assert label(tell.comment, [merge], first).censored_why is Censored.no_push
    assert label(tell.comment, [merge, tell.down()], first).label is Label.rejected_strong
    assert label(tell.comment, [merge], None).label is Label.unknown
    behind = [replace(push, at=tell.posted_at + 20 * HOUR) for push in tell.pushes()]
    assert label(tell.comment, [merge], behind).censored_why is Censored.no_push


def test_the_documentation_has_the_table_of_the_code() -> None:
    """Row by row."""
    page = (Path(__file__).parents[3] / "docs/learning.md").read_text(encoding="utf-8").splitlines()
    table = [line for line in (labels.__doc__ or "").splitlines() if line.startswith("|")]
    start = page.index(table[0])
    assert table == page[start : start + len(table)]
