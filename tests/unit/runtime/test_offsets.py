"""Which offsets may be committed."""

from hypothesis import given
from hypothesis import strategies as st

from bot.ports import Delivery
from bot.runtime.offsets import Offsets


def delivery(offset: int, *, partition: int = 0, epoch: int = 1) -> Delivery:
    """Return a delivery of which only the place matters."""
    return Delivery(partition, offset, epoch, None)


def test_commits_only_the_contiguous_prefix() -> None:
    """A finished delivery behind an unfinished one is not committed; gaps between offsets do not matter."""
    offsets = Offsets()
    for offset in (3, 5, 9):
        offsets.took(delivery(offset), 0.0)
    offsets.done(delivery(5))
    assert offsets.take_committable() == {}
    offsets.done(delivery(3))
    assert offsets.take_committable() == {0: 6}
    assert offsets.take_committable() == {}
    assert offsets.outstanding == 1


def test_forgets_a_lost_partition() -> None:
    """What was handled for a partition that is not ours any more is not committed."""
    offsets = Offsets()
    offsets.took(delivery(1), 0.0)
    offsets.keep({})
    offsets.done(delivery(1))
    assert offsets.take_committable() == {}
    assert not offsets.holds(delivery(1))


def test_results_of_an_older_epoch_are_discarded() -> None:
    """A partition that was lost and regained starts anew."""
    offsets = Offsets()
    offsets.took(delivery(1), 0.0)
    offsets.took(delivery(1, epoch=2), 0.0)
    offsets.done(delivery(1))
    assert offsets.take_committable() == {}
    offsets.done(delivery(1, epoch=2))
    assert offsets.take_committable() == {0: 2}


def test_a_failed_commit_is_made_up_for() -> None:
    """What was put back is committed next time, unless more was finished meanwhile."""
    offsets = Offsets()
    offsets.took(delivery(1), 0.0)
    offsets.took(delivery(2), 0.0)
    offsets.done(delivery(1))
    taken = offsets.take_committable()
    offsets.done(delivery(2))
    offsets.put_back(taken)
    assert offsets.take_committable() == {0: 3}


@given(st.permutations(range(12)), st.integers(0, 12))
def test_never_commits_beyond_what_is_done(order: list[int], count: int) -> None:
    """After any deliveries in any order, all below the committed offset are done, and no more could be."""
    offsets = Offsets()
    for offset in range(12):
        offsets.took(delivery(offset), 0.0)
    committed = 0
    for offset in order[:count]:
        offsets.done(delivery(offset))
        committed = offsets.take_committable().get(0, committed)
    done = set(order[:count])
    assert committed == next(offset for offset in range(13) if offset not in done)
