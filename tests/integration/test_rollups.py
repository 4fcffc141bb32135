"""Counts that are kept up are what counting everything once would give."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot.adapters.rollup_sql import COMMENT_COUNTS, REVIEW_COUNTS
from bot.adapters.rollups_postgres import recount, roll_up
from bot.domain.buckets import bucket
from tests.history import History, Reviewed, Said

START = datetime(2026, 1, 28, 22, tzinfo=UTC)
LABELS = ("accepted_strong", "accepted_weak", "rejected_strong", "unknown", "censored")
SPANS = [timedelta(minutes=minutes) for minutes in (0, 3, 50, 700, 9000)]


@dataclass
class Known:
    """What is known of a comment: enough to count it."""

    said: Said
    label: str = "censored"
    thumbs: dict[int, bool] = field(default_factory=dict)
    ended: list[timedelta] = field(default_factory=list)
    settled: bool = False
    applied: bool = False
    #: Signals come one after the other.
    clock: timedelta = timedelta()


class Truth:
    """A history, and the same in memory.

    Args:
        history: where it is written.
        seed: of what is random.
    """

    def __init__(self, history: History, seed: int) -> None:
        self.history = history
        self.random = random.Random(seed)
        self.comments: list[Known] = []
        self.reviews: list[Reviewed] = []
        self.merged: dict[tuple[int, int], datetime] = {}

    async def step(self) -> None:
        """Have one thing happen."""
        deeds: list[Callable[[], Any]] = [
            self.say,
            self.say,
            self.review,
            self.react,
            self.react,
            self.relabel,
        ]
        deeds += [self.relabel, self.end, self.merge, self.forget, self.forget_review]
        await self.random.choice(deeds)()

    def _moment(self) -> datetime:
        return START + timedelta(hours=self.random.randrange(24 * 9))

    def _request(self) -> tuple[int, int]:
        return self.random.choice((1, 2)), self.random.randrange(1, 4)

    async def say(self) -> None:
        """Post a comment, perhaps late."""
        pick = self.random.choice
        said = Said(*self._request(), self._moment(), rule=pick("ab"), severity=pick(("low", "critical")))
        said.had_suggestion = pick((True, False))
        await self.history.said(said)
        self.comments.append(Known(said))

    async def review(self) -> None:
        """Publish a review, perhaps one that began before others of its merge request."""
        pick = self.random.choice
        one = Reviewed(
            *self._request(), self._moment(), posted=pick((0, 2)), filtered=pick(({}, {"mild": 3}))
        )
        one.commented_after = pick(SPANS) if one.posted else None
        one.standing, one.blocking, one.undecided = bool(one.posted), pick((0, 2)), pick((True, False))
        one.files_read, one.waived = pick((1, 3)), pick((0, 1))
        await self.history.reviewed(one)
        self.reviews.append(one)

    async def react(self) -> None:
        """Give a thumbs-down or take one back; a bot's counts for nothing."""
        if self.comments:
            known, actor = self.random.choice(self.comments), self.random.randrange(3)
            down, bot = self.random.random() < 0.6, self.random.random() < 0.4
            known.clock += timedelta(seconds=1)
            kind = "reaction_added" if down else "reaction_removed"
            emoji = self.random.choice(("thumbsdown", "-1", "thumbsdown_tone3"))
            await self.history.signal(known.said, kind, known.clock, actor=actor, emoji=emoji, bot=bot)
            if not bot:
                known.thumbs[actor] = down

    async def relabel(self) -> None:
        """Give a comment another label."""
        if self.comments:
            known = self.random.choice(self.comments)
            known.label = self.random.choice(LABELS)
            await self.history.label(known.said, known.label)

    async def end(self) -> None:
        """Resolve a thread, apply a suggestion, or find that the finding is gone."""
        if self.comments:
            known, kind = (
                self.random.choice(self.comments),
                self.random.choice(("resolved", "applied", "gone")),
            )
            after = self.random.choice(SPANS)
            await self.history.signal(known.said, kind, after)
            known.settled |= kind != "resolved"
            known.applied |= kind == "applied"
            if kind != "gone":
                known.ended.append(after)

    async def merge(self) -> None:
        """Merge the merge request of a comment."""
        if self.comments:
            said = self.random.choice(self.comments).said
            after = self.random.choice(SPANS)
            await self.history.signal(said, "merged", after)
            key, at = (said.project_id, said.iid), said.posted_at + after
            self.merged[key] = min(at, self.merged.get(key, at))

    async def forget(self) -> None:
        """Delete a comment."""
        if self.comments and self.random.random() < 0.5:
            await self.history.unsay(self.comments.pop(self.random.randrange(len(self.comments))).said)

    async def forget_review(self) -> None:
        """Delete a review, perhaps the first of its merge request."""
        if self.reviews and self.random.random() < 0.5:
            await self.history.unreview(self.reviews.pop(self.random.randrange(len(self.reviews))))

    def counts(self) -> dict[tuple[int, date], Counter[str]]:
        """Count everything once, by project and day."""
        found: dict[tuple[int, date], Counter[str]] = {}
        for known in self.comments:
            said = known.said
            counter = found.setdefault((said.project_id, said.posted_at.date()), Counter())
            counter[known.label] += 1
            counter["downvoted"] += any(known.thumbs.values())
            counter["suggested"] += said.had_suggestion
            counter["applied"] += known.applied
            left = (said.project_id, said.iid) in self.merged and not known.settled
            counter["open_criticals"] += left and said.severity == "critical"
            if known.ended:
                counter[f"resolve {bucket(min(known.ended).total_seconds())}"] += 1
        for one in self.reviews:
            self._count_review(one, found.setdefault((one.project_id, one.created_at.date()), Counter()))
        return {key: +counter for key, counter in found.items()}

    def _count_review(self, one: Reviewed, counter: Counter[str]) -> None:
        same = [r for r in self.reviews if (r.project_id, r.iid) == (one.project_id, one.iid)]
        first = min(same, key=lambda r: (r.created_at, r.run_id)) is one
        counter.update(
            reviews=1,
            merge_requests=first,
            silent=not one.standing,
            generated=one.generated,
            posted=one.posted,
            files=one.files,
            files_read=one.files_read,
            blocked=one.blocking > 0,
            undecided=one.undecided,
            waived=one.waived > 0,
        )
        counter.update({f"reason:{reason} 0": cases for reason, cases in one.filtered.items()})
        if one.commented_after is not None:
            counter[f"first_comment {bucket(one.commented_after.total_seconds())}"] += 1
        merged = self.merged.get((one.project_id, one.iid))
        if merged and first:
            counter[f"merge {bucket((merged - one.created_at).total_seconds())}"] += 1
            counter[f"rounds {len(same)}"] += 1


async def counted(pool: Any, *, monthly: bool) -> dict[tuple[int, date], Counter[str]]:
    """Return what is in the tables, in the form of `Truth.counts`."""
    found: dict[tuple[int, date], Counter[str]] = {}
    for row in await pool.fetch(
        "SELECT p.project_id, r.* FROM rollup r JOIN project p ON p.id = r.project WHERE monthly = $1",
        monthly,
    ):
        found[row["project_id"], row["starts"]] = Counter(
            {name: row[name] for name in (*COMMENT_COUNTS, *REVIEW_COUNTS)}
        )
    for row in await pool.fetch(
        "SELECT p.project_id, r.* FROM rollup_bucket r JOIN project p ON p.id = r.project WHERE monthly = $1",
        monthly,
    ):
        found[row["project_id"], row["starts"]][f"{row['what']} {row['bucket']}"] = row["cases"]
    return {key: +counter for key, counter in found.items()}


def by_month(days: dict[tuple[int, date], Counter[str]]) -> dict[tuple[int, date], Counter[str]]:
    """Add up days."""
    months: dict[tuple[int, date], Counter[str]] = {}
    for (project_id, day), counter in days.items():
        months.setdefault((project_id, day.replace(day=1)), Counter()).update(counter)
    return months


async def agree(pool: Any, truth: Truth) -> None:
    """Check days, months and kinds against the truth."""
    expected = truth.counts()
    assert await counted(pool, monthly=False) == expected
    assert await counted(pool, monthly=True) == by_month(expected)
    for monthly in (False, True):
        totals = await pool.fetch(
            "SELECT k.rule, k.severity, sum(r.rejected_strong) AS rejected, count(r.sample) AS samples"
            " FROM rollup_kind r JOIN comment_kind k ON k.id = r.kind WHERE monthly = $1 GROUP BY 1, 2",
            monthly,
        )
        rejected = [known.said for known in truth.comments if known.label == "rejected_strong"]
        of_kind = Counter((said.rule, said.severity) for said in rejected)
        assert {
            (row["rule"], row["severity"]): row["rejected"] for row in totals if row["rejected"]
        } == of_kind
        assert all(bool(row["samples"]) == bool(row["rejected"]) for row in totals)


@pytest.mark.parametrize("seed", range(4))
async def test_kept_counts_equal_a_full_count(pool: Any, seed: int) -> None:
    """In any order, late, relabelled or deleted, with passes broken off between: the counts are those of the history."""
    truth = Truth(History(pool), seed)
    for _ in range(150):
        await truth.step()
        if truth.random.random() < 0.15:
            with suppress(TimeoutError):
                await asyncio.wait_for(
                    roll_up(pool, batch=truth.random.randrange(1, 9)), truth.random.random() * 0.05
                )
    while await roll_up(pool, batch=20):
        pass
    await agree(pool, truth)


async def test_counting_all_anew_mends_what_is_wrong(pool: Any) -> None:
    """Rows that nothing accounts for go, and rows that are missing come back."""
    truth = Truth(History(pool), 99)
    for _ in range(60):
        await truth.step()
    while await roll_up(pool):
        pass
    await pool.execute("DELETE FROM rollup_kind WHERE project = 1")
    await pool.execute("UPDATE rollup SET reviews = reviews + 1 WHERE project = 2")
    await pool.execute("UPDATE rollup SET starts = starts - 400 WHERE project = 2 AND NOT monthly")
    await recount(pool)
    while await roll_up(pool):
        pass
    await agree(pool, truth)


async def test_passes_at_the_same_time_count_once(pool: Any) -> None:
    """One does the work, the others leave it."""
    truth = Truth(History(pool), 5)
    for _ in range(40):
        await truth.step()
    due = await pool.fetchval("SELECT count(*) FROM rollup_due")
    taken = await asyncio.gather(*(roll_up(pool) for _ in range(5)))
    assert sum(taken) == due
    await agree(pool, truth)
