"""Lots are drawn among comments, so that no merge request, rule or project is all that is learned."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.labels import Label
from bot.learning.drawing import Lots
from bot.learning.selection import MOST_PER_MERGE_REQUEST, Candidate
from tests.histories import telling
from tests.unit.learning.material import material


def drawn(candidates: Iterable[Candidate], *, whole: bool = False) -> tuple[list[Candidate], Counter[str]]:
    """Return what is drawn of *candidates*, and what is left out."""
    with Lots() as lots:
        for one in candidates:
            lots.add(one)
        return lots.draw(whole=whole)


@given(st.lists(st.integers(1, 4), max_size=30), st.randoms())
def test_no_merge_request_is_all_that_is_learned(iids: list[int], chance: random.Random) -> None:
    """The same ones are kept whatever the order, and those left out are counted."""
    made = [
        Candidate(one.comment, one.label, (), one.merged_at, 1)
        for one in (material(n + 1, accepted=True, iid=iid) for n, iid in enumerate(iids))
    ]
    kept, left_out = drawn(made)
    chance.shuffle(made)
    assert (kept, left_out) == drawn(made)
    counts = Counter(one.comment.ref.iid for one in kept)
    assert counts == {iid: min(count, MOST_PER_MERGE_REQUEST) for iid, count in Counter(iids).items()}
    assert len(made) == len(kept) + left_out.total()


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 2)), max_size=30), st.randoms())
def test_whole_reviews_are_never_divided(places: list[tuple[int, int]], chance: random.Random) -> None:
    """The one that fills a merge request's measure is the last of it."""
    made = []
    for number, (iid, review) in enumerate(places, start=1):
        one = material(number, accepted=True, iid=iid)
        comment = one.comment.model_copy(update={"run_id": uuid.UUID(int=10 * iid + review)})
        made.append(Candidate(comment, one.label, (), one.merged_at, 1))
    sizes = Counter(one.comment.run_id for one in made)
    kept, left_out = drawn(made, whole=True)
    chance.shuffle(made)
    assert (kept, left_out) == drawn(made, whole=True)
    taken = Counter(one.comment.run_id for one in kept)
    assert all(sizes[run] == count for run, count in taken.items())
    for iid in {iid for iid, _ in places}:
        of_it = [count for run, count in taken.items() if run.int // 10 == iid]
        assert sum(of_it) >= min(MOST_PER_MERGE_REQUEST, sum(one == iid for one, _ in places))
        assert sum(of_it) - max(of_it) < MOST_PER_MERGE_REQUEST
    assert len(made) == len(kept) + left_out.total()


def test_what_was_put_in_comes_out_the_same() -> None:
    """Nothing of a comment changes on its way through the file, text of any kind included."""
    told = telling()
    comment = told.comment.model_copy(update={"path": 'sp\u00e4t/\u2028\n"x".py', "note_id": 7, "model": "m"})
    reasons = (uuid.UUID(int=1), uuid.UUID(int=2))
    one = Candidate(comment, Label.rejected_strong, reasons, told.posted_at, 3)
    (kept,), left_out = drawn([one])
    assert (kept, left_out) == (one, Counter())
    assert kept.merged_at.isoformat() == one.merged_at.isoformat()
    assert isinstance(kept.reasons, tuple)
