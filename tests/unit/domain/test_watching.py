"""When to look again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.merge_request import MergeRequestRef
from bot.domain.watching import LATE, Seen, Watch, after_failure, next_look

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def watch(iid: int = 1, **changes: object) -> Watch:
    """Return what is known of a merge request."""
    name = MergeRequestRef(instance="gitlab.example", project_id=7, iid=iid)
    return replace(Watch(name, NOW), **changes)  # type: ignore[arg-type]


def test_an_open_merge_request_is_looked_at_ever_more_rarely() -> None:
    """From a minute to a week, and never not at all."""
    waits = []
    for step in range(60):
        at = next_look(watch(step=step), NOW)
        assert at is not None
        waits.append(at - NOW)
    assert 0.8 * MINUTE < waits[0] < 1.2 * MINUTE
    assert 5 * DAY < waits[-1] < 9 * DAY
    assert all(1.5 * before > soon for before, soon in zip(waits[1:], waits, strict=False))
    assert sum(waits[:4], timedelta()) < timedelta(hours=9)


def test_looks_at_merge_requests_are_spread() -> None:
    """A hundred that were opened by one script are not asked for in one second; the same look is at the same time."""
    moments = {next_look(watch(iid, step=4), NOW) for iid in range(1, 101)}
    assert len(moments) == 100
    assert next_look(watch(3, step=4), NOW) in moments


def test_a_merged_one_is_looked_at_for_thirty_days() -> None:
    """Four times, then never."""
    merged = watch(state="merged", ended_at=NOW)
    at, waits = NOW, []
    while (following := next_look(merged, at)) is not None:
        waits.append(following - NOW)
        at = following
    assert waits == list(LATE)
    assert next_look(watch(state="merged"), NOW) is None


def test_a_model_that_did_not_answer_is_asked_again_soon() -> None:
    """Three times within a day, then only with the looks that come anyway; not where nothing is left to ask."""
    left = {"f1": Seen(changed=True, unjudged=True)}
    waits = []
    for step in range(1, 5):
        at = next_look(watch(state="merged", ended_at=NOW, step=step, seen=left), NOW)
        assert at is not None
        waits.append(at - NOW)
    assert waits == sorted(waits)
    assert waits[0] < 13 * MINUTE
    assert waits[2] < 8 * timedelta(hours=1)
    assert waits[3] == LATE[0]
    done = watch(state="merged", ended_at=NOW, step=1, seen={"f1": Seen(changed=True)})
    assert next_look(done, NOW) == NOW + LATE[0]
    assert next_look(watch(state="merged", ended_at=NOW, step=9, seen=left), NOW + LATE[-1]) is None


def test_a_closed_one_is_left_alone() -> None:
    """Until it is opened again, which an event tells."""
    assert next_look(watch(state="closed", ended_at=NOW), NOW) is None


def test_refusals_end() -> None:
    """What is gone is tried for about a week, ever more rarely, and then never."""
    waits = []
    for failures in range(1, 100):
        at = after_failure(watch(failures=failures), NOW, refused=True)
        if at is None:
            break
        waits.append(at - NOW)
    assert waits[0] == timedelta(hours=1)
    assert waits == sorted(waits)
    assert 6 * DAY < sum(waits, timedelta()) < 8 * DAY


@pytest.mark.parametrize("failures", [1, 2, 5, 1000])
def test_an_outage_never_ends_the_looks(failures: int) -> None:
    """They wait longer each time, as long as the forge asks, but no longer than some hours."""
    at = after_failure(watch(failures=failures), NOW, refused=False)
    assert at is not None
    assert MINUTE < at - NOW < timedelta(hours=8)
    asked = after_failure(watch(failures=failures), NOW, refused=False, asked=timedelta(hours=3))
    assert asked is not None
    assert asked - NOW >= timedelta(hours=3)
    absurd = after_failure(watch(failures=failures), NOW, refused=False, asked=timedelta(days=9000))
    assert absurd is not None
    assert absurd - NOW < timedelta(hours=8)
