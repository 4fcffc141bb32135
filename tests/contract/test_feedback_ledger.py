"""What every ledger of feedback must do."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from bot.adapters.feedback_postgres import PostgresFeedback
from bot.adapters.retention_postgres import prune
from bot.adapters.store_postgres import PostgresStore
from bot.domain.events import FetchRequested, Record
from bot.domain.merge_request import MergeRequestRef
from bot.domain.signals import Comment, ReplyClass, Signal, SignalKind, Source, comment_id, signal_id
from bot.domain.watching import Seen, Watch
from bot.ports import Feedback, Placed

NOW = datetime.now(UTC)
LEASE = timedelta(minutes=10)


@pytest.fixture
def ledger(pool: Any) -> Feedback:
    return PostgresFeedback(pool)


def ref(iid: int = 1) -> MergeRequestRef:
    """Return a merge request's name."""
    return MergeRequestRef(instance="gitlab.example", project_id=7, iid=iid)


def comment(mark: str = "f1", *, iid: int = 1, at: datetime = NOW, **changes: Any) -> Comment:
    """Return a comment of ours."""
    fields: dict[str, Any] = {
        "id": comment_id(ref(iid), mark),
        "ref": ref(iid),
        "fingerprint": mark,
        "run_id": uuid.uuid5(uuid.NAMESPACE_OID, "run"),
        "head_sha": "a" * 40,
        "rule": "sql",
        "scanner": "semgrep",
        "category": "security",
        "severity": "high",
        "confidence": "high",
        "language": "python",
        "path": "app.py",
        "line": 3,
        "end_line": 4,
        "posted_at": at,
    }
    return Comment(**fields | changes)


def signal(kind: SignalKind, mark: str = "f1", *key: str, iid: int = 1, **changes: Any) -> Signal:
    """Return a signal."""
    fields: dict[str, Any] = {
        "id": signal_id(ref(iid), kind, (mark, *key)),
        "kind": kind,
        "at": NOW + timedelta(minutes=5),
        "seen_at": NOW + timedelta(minutes=6),
        "ref": ref(iid),
        "fingerprint": mark,
        "source": Source.hook,
    }
    return Signal(**fields | changes)


async def opened(store: PostgresStore, *comments: Comment, iid: int = 1) -> None:
    """Keep comments as publishing does."""
    record = Record.of(FetchRequested(ref=ref(iid), run_id=uuid.uuid4()), id=uuid.uuid4())
    async with store.commit("publish", record) as transaction:
        await transaction.merge_request(ref(iid))
        await transaction.add_comments(ref(iid), comments, Watch(ref(iid), NOW, 5, target_branch="main"))


async def kinds(ledger: Feedback, iid: int = 1) -> list[SignalKind]:
    """Return the kinds of all signals."""
    return [one.kind for one in await ledger.signals(ref(iid))]


async def test_comments_come_back_as_they_were(ledger: Feedback, store: PostgresStore) -> None:
    """The oldest first; one that is known stays as it was."""
    older = comment("f2", at=NOW - timedelta(hours=1), had_suggestion=True, author_is_bot=True)
    await opened(store, comment(), older)
    await opened(store, comment(rule="another", at=NOW + timedelta(days=40)))
    assert await ledger.comments(ref()) == [older, comment()]
    assert await ledger.comments(ref(2)) == []


async def test_the_model_of_a_comment_is_the_one_that_was_asked(
    pool: Any, ledger: Feedback, store: PostgresStore
) -> None:
    """As the audit has it; a scanner's comment has none."""
    await pool.execute(
        "INSERT INTO model_call (id, run_id, model, digest, prompt_version, input_sha256, output_sha256,"
        " prompt_tokens, output_tokens, duration_s, outcome) VALUES ($1, $2, 'm', 'd', 'p', '', '', 1, 1, 1, 'used')",
        uuid.uuid4(),
        comment().run_id,
    )
    await opened(store, comment(), comment("f2", scanner="model"))
    found = {
        one.fingerprint: (one.model, one.model_digest, one.prompt_version)
        for one in await ledger.comments(ref())
    }
    assert found == {"f1": ("", "", ""), "f2": ("m", "d", "p")}


async def test_signals_come_back_as_they_were(ledger: Feedback, store: PostgresStore) -> None:
    """With all that they tell, in the order of their times."""
    await opened(store, comment())
    full = signal(
        SignalKind.reply,
        at=NOW + timedelta(minutes=1),
        note_id=3,
        actor_id=5,
        actor_is_author=True,
        actor_is_bot=True,
        head_sha="b" * 40,
        source=Source.model,
        emoji="thumbsup",
        reply=ReplyClass.wrong,
        judged=False,
        detail={"by": "rules:1", "odd": "\0"},
    )
    merged = signal(SignalKind.merged, "")
    assert await ledger.add([merged, full]) == [merged, full]
    assert await ledger.signals(ref()) == [
        full.model_copy(update={"detail": {"by": "rules:1", "odd": "\ufffd"}}),
        merged,
    ]


async def test_a_fact_is_kept_once(ledger: Feedback, store: PostgresStore) -> None:
    """Whoever tells of it, at whatever time they say that it was; many may do so at once."""
    await opened(store, comment())
    tellings = [
        signal(SignalKind.reaction_added, "f1", "award 1", at=NOW + timedelta(days=31 * n), source=source)
        for n in range(3)
        for source in Source
    ]
    added = await asyncio.gather(*(ledger.add([one]) for one in tellings))
    assert sum(map(len, added)) == 1
    assert await kinds(ledger) == [SignalKind.reaction_added]


async def test_signals_of_what_is_unknown_are_dropped(ledger: Feedback, store: PostgresStore) -> None:
    """A comment of somebody else, or a merge request that was never reviewed; the others of the same call stay."""
    await opened(store, comment())
    good = signal(SignalKind.resolved)
    assert await ledger.add(
        [signal(SignalKind.resolved, "f9"), good, signal(SignalKind.merged, "", iid=9)]
    ) == [good]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE signal SET judged = true",
        "DELETE FROM signal",
        "TRUNCATE signal",
        "UPDATE comment SET severity = 'low'",
        "UPDATE comment SET note_id = 9, rule = 'other'",
        "DELETE FROM comment",
        "TRUNCATE comment",
    ],
)
async def test_nothing_is_changed_afterwards(
    statement: str, pool: Any, ledger: Feedback, store: PostgresStore
) -> None:
    """But by retention, which says so."""
    await opened(store, comment())
    await ledger.add([signal(SignalKind.resolved)])
    with pytest.raises(asyncpg.RestrictViolationError, match="only ever added"):
        await pool.execute(statement)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL cloister.retention = 'on'")
        await connection.execute(statement)


async def test_a_comment_is_told_its_thread_once(ledger: Feedback, store: PostgresStore) -> None:
    """What was seen first stays; so does what was said of its suggestions then."""
    await opened(store, comment())
    watch = await ledger.watch(ref())
    assert watch is not None
    for number in (3, 4):
        await ledger.looked(
            watch, again_at=None, placed=[Placed("f1", f"d{number}", number, had_suggestion=True)]
        )
    (found,) = await ledger.comments(ref())
    assert (found.discussion_id, found.note_id, found.had_suggestion) == ("d3", 3, True)


async def test_what_was_seen_is_remembered(ledger: Feedback, store: PostgresStore) -> None:
    """All of it, but for when the watch began."""
    await opened(store, comment())
    watch = await ledger.watch(ref())
    assert watch == Watch(ref(), NOW, 5, target_branch="main")
    seen = {"f1": Seen(resolved=True, turns=3, replies=(7, 8), awards=(1,), changed=True)}
    later = replace(watch, state="merged", ended_at=NOW, head_sha="c" * 40, step=4, failures=2, seen=seen)
    await ledger.looked(replace(later, began_at=NOW + timedelta(days=1)), again_at=None)
    assert await ledger.watch(ref()) == later
    assert await ledger.watch(ref(2)) is None


async def claimed(ledger: Feedback, per_minute: int = 100) -> Sequence[int]:
    """Return what is due now."""
    return sorted(one.ref.iid for one in await ledger.due(per_minute=per_minute, lease=LEASE))


async def test_what_is_due_is_claimed_once(ledger: Feedback, store: PostgresStore) -> None:
    """Of all who ask, one gets it; nobody else does before its lease ends."""
    for iid in range(1, 6):
        await opened(store, comment(iid=iid), iid=iid)
    found = await asyncio.gather(*(claimed(ledger) for _ in range(5)))
    assert sorted(iid for some in found for iid in some) == [1, 2, 3, 4, 5]
    assert await claimed(ledger) == []


async def test_a_minute_has_room_for_so_many(ledger: Feedback, store: PostgresStore) -> None:
    """However many processes ask."""
    for iid in range(1, 8):
        await opened(store, comment(iid=iid, at=NOW - timedelta(hours=8 - iid)), iid=iid)
    found = await asyncio.gather(*(claimed(ledger, per_minute=3) for _ in range(4)))
    assert sorted(iid for some in found for iid in some) == [1, 2, 3]


async def test_a_look_that_ends_for_good_is_not_repeated(ledger: Feedback, store: PostgresStore) -> None:
    """Until something is expected."""
    await opened(store, comment())
    assert await claimed(ledger) == [1]
    watch = await ledger.watch(ref())
    assert watch is not None
    await ledger.looked(replace(watch, step=9, failures=3), again_at=None)
    assert await claimed(ledger) == []
    assert await ledger.expect(ref(), within=timedelta())
    assert await claimed(ledger) == [1]
    again = await ledger.watch(ref())
    assert again is not None
    assert (again.step, again.failures) == (0, 0)
    assert not await ledger.expect(ref(2), within=timedelta())


async def test_what_happens_during_a_look_is_looked_at_soon(ledger: Feedback, store: PostgresStore) -> None:
    """The end of a look does not forget it."""
    await opened(store, comment())
    assert await claimed(ledger) == [1]
    watch = await ledger.watch(ref())
    assert watch is not None
    await ledger.expect(ref(), within=timedelta())
    await ledger.looked(watch, again_at=NOW + timedelta(days=1))
    assert await claimed(ledger) == [1]


async def test_projects_whose_hooks_come_are_known(pool: Any, ledger: Feedback) -> None:
    """For a while."""
    day = timedelta(days=1)
    assert not await ledger.hears(ref(), within=day)
    await ledger.hear(ref())
    await ledger.hear(ref())
    assert await ledger.hears(ref(), within=day)
    await pool.execute("UPDATE feedback_project SET heard_at = now() - interval '2 days'")
    assert not await ledger.hears(ref(), within=day)
    await ledger.hear(ref())
    assert await ledger.hears(ref(), within=day)


async def test_partitions_are_made_ahead(pool: Any, ledger: Feedback, store: PostgresStore) -> None:
    """By retention for the months to come, and by a comment for its own; two at once do not disturb each other."""
    count = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'signal'::regclass"
    assert await pool.fetchval(count) == 3
    await pool.execute("DROP TABLE signal_" + NOW.strftime("%Y_%m"))
    await asyncio.gather(prune(pool), prune(pool))
    assert await pool.fetchval(count) == 3
    old = NOW - timedelta(days=400)
    await asyncio.gather(*(opened(store, comment(iid=iid, at=old), iid=iid) for iid in (1, 2)))
    assert await pool.fetchval(count) == 4
    assert len(await ledger.add([signal(SignalKind.resolved)])) == 1


async def test_what_is_older_than_is_kept_gets_no_signals(
    pool: Any, ledger: Feedback, store: PostgresStore
) -> None:
    """A new comment of the same merge request does, and begins the watch anew."""
    assert await ledger.kept_since() < NOW - timedelta(days=10_000)
    await opened(store, comment(at=NOW - timedelta(days=100)))
    await pool.execute("UPDATE feedback_watch SET began_at = $1", NOW - timedelta(days=100))
    await pool.execute("UPDATE signals_kept SET since = $1", NOW - timedelta(days=50))
    assert await ledger.kept_since() == NOW - timedelta(days=50)
    assert await ledger.add([signal(SignalKind.resolved), signal(SignalKind.merged, "")]) == []
    assert not await ledger.expect(ref(), within=timedelta(0))
    await opened(store, comment("f2"))
    assert await ledger.add([signal(SignalKind.resolved)]) == []
    assert len(await ledger.add([signal(SignalKind.resolved, "f2"), signal(SignalKind.merged, "")])) == 2
    assert await ledger.expect(ref(), within=timedelta(0))
    assert (await ledger.watch(ref())).began_at == NOW  # type: ignore[union-attr]
