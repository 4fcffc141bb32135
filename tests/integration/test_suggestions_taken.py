"""Suggestions that people write by hand instead of pressing the button, on real git and a real database."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.findings import Fix
from bot.domain.labels import Label, label
from bot.domain.signals import SignalKind, Source
from tests.feedback import OURS, Scene, commented, finding, text

#: GitLab's clock is the real one.
SOON = timedelta(seconds=1)
FIX = Fix(line=11, end_line=11, replacement="safe(query)", verified=("applies",))
TAKEN = [*OURS[:10], "safe(query)\n", *OURS[11:]]


@pytest.fixture
async def offering(bare: Scene) -> Scene:
    """Return a merge request with a suggestion."""
    await commented(bare, "model", fix=FIX)
    return bare


async def test_a_suggestion_taken_by_hand_counts_as_applied(offering: Scene) -> None:
    """Once, by nobody that we could name, and a judge is not needed."""
    head = offering.gitlab.server.push(offering.opened, text(TAKEN))
    await offering.ran(step="review")
    assert [SignalKind.applied, SignalKind.changed] == await offering.look(later=SOON)
    (applied,) = await offering.signals(SignalKind.applied)
    assert (Source.git, None) == (applied.source, applied.actor_id)
    assert {"how": "by_hand", "head": head} == applied.detail
    offering.gitlab.server.push(offering.opened, text([*TAKEN, "# more\n"]))
    await offering.ran(step="review")
    assert [] == await offering.look(later=SOON)
    offering.gitlab.server.merge(offering.opened)
    await offering.shut()
    assert [SignalKind.merged] == await offering.look(later=SOON)
    (comment,) = await offering.ledger.comments(offering.ref)
    assert Label.accepted_strong is label(comment, await offering.signals()).label


async def test_it_is_recognised_wherever_it_went(offering: Scene) -> None:
    """In a renamed file, below new lines, in a branch that was rebased onto changed code, after another push."""
    server = offering.gitlab.server
    server.push(offering.opened, text([*OURS[:10], "run(other)\n", *OURS[11:]]))
    await offering.ran(step="review")
    assert [SignalKind.changed] == await offering.look(later=SOON)
    server.commit(offering.gitlab.project, "main", {"README.md": "# Changed\n"})
    server.rebase(offering.opened)
    moved = "".join(
        ["import os\n", "import re\n", *TAKEN[:9], *(f"    {line}" for line in TAKEN[9:12]), *TAKEN[12:]]
    )
    server.push(offering.opened, {"app.py": None, "other.py": moved})
    await offering.ran(step="review")
    assert [SignalKind.applied] == await offering.look(later=SOON)


@pytest.mark.parametrize(
    "lines",
    [
        [*OURS[:10], "safer(query)\n", *OURS[11:]],
        [*OURS[:10], *OURS[11:]],
        [*OURS[:10], "stop()\n", *OURS[11:], "safe(query)\n"],
    ],
)
async def test_something_else_is_not_the_suggestion(offering: Scene, lines: list[str]) -> None:
    """Something like it, nothing at all, or the same text in another place."""
    offering.gitlab.server.push(offering.opened, text(lines))
    await offering.ran(step="review")
    assert [SignalKind.changed] == await offering.look(later=SOON)


async def test_a_fix_that_was_not_offered_was_not_taken(bare: Scene) -> None:
    """It was refused, so people saw other text than this."""
    await commented(
        bare, "model", fix=FIX.model_copy(update={"verified": (), "refusal": "it was not checked"})
    )
    bare.gitlab.server.push(bare.opened, text(TAKEN))
    await bare.ran(step="review")
    assert [SignalKind.changed] == await bare.look()


async def test_the_button_is_told_as_the_button(offering: Scene) -> None:
    """The same text stands there, but whoever clicked is known."""
    await offering.look(later=SOON)
    (suggestion,) = offering.note.suggestions
    offering.gitlab.server.apply_suggestion(suggestion.id, user=offering.gitlab.developer)
    await offering.ran(finding("model"), step="review")
    await offering.look(later=SOON)
    (applied,) = await offering.signals(SignalKind.applied)
    assert (Source.poll, offering.gitlab.developer.id) == (applied.source, applied.actor_id)
