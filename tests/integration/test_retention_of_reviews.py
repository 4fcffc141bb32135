"""Old reviews go from the inside, and what else rests on them stays as it was."""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.adapters.audit_log_postgres import PostgresAuditLog
from bot.adapters.clock import SystemClock
from bot.adapters.dashboard_postgres import PostgresDashboard
from bot.adapters.labels_postgres import PostgresLabels
from bot.adapters.learning_postgres import PostgresLearning
from bot.adapters.retention_postgres import prune, shares
from bot.adapters.rollups_postgres import roll_up
from bot.adapters.store_postgres import PostgresStore
from bot.adapters.verdicts_postgres import PostgresVerdicts
from bot.domain.dashboard import Filters
from bot.domain.merge_request import MergeRequestRef
from bot.domain.policy import Policy
from bot.domain.run import Run, RunState
from bot.domain.viewer import Reach
from bot.learning.labelling import label_due
from tests.history import INSTANCE, History, Reviewed, Said
from tests.unit.cli.command import run
from tests.unit.domain.test_review_fact import REVISION

DAYS = 400
AGO = datetime.now(UTC) - timedelta(days=DAYS + 1)
REMOVED = {"model_call": 1, "finding": 1, "verdict": 1, "review_run": 1}
ALL = Filters(visible=None, since=AGO.date(), until=AGO.date())


class Past:
    """Write reviews with all that hangs on them: a run, a finding, a verdict, a model call and what it came to."""

    def __init__(self, pool: Any) -> None:
        self.pool = pool
        self.history = History(pool)

    async def reviewed(
        self,
        iid: int,
        *,
        project_id: int = 1,
        at: datetime = AGO,
        closed: bool = True,
        consents: bool = False,
    ) -> uuid.UUID:
        """Publish a review."""
        one = Reviewed(project_id, iid, at, posted=1, filtered={"mild": 1}, standing=True, author=7)
        await self.history.reviewed(one)
        policy = Policy.model_validate({"learning": {"export": consents}})
        ref = MergeRequestRef(instance=INSTANCE, project_id=project_id, iid=iid)
        kept = Run(
            id=one.run_id, ref=ref, head_sha="c" * 40, created_at=at, state=RunState.finished, policy=policy,
            revision=REVISION, title="Count retries",
        )  # fmt: skip
        mine = one.run_id, INSTANCE, project_id, iid
        await self.pool.execute(
            "INSERT INTO review_run (id, instance, project_id, iid, head_sha, state, body, created_at)"
            " VALUES ($1, $2, $3, $4, repeat('c', 40), 'finished', $5, $6)",
            *mine, kept.model_dump(mode="json"), at,
        )  # fmt: skip
        await self.pool.execute(
            "INSERT INTO finding (run_id, step, fingerprint, rule, category, severity, path, body)"
            " VALUES ($1, 'semgrep', 'f', 'r', 'style', 'low', 'a.py', '{}')",
            one.run_id,
        )
        await self.pool.execute(
            "INSERT INTO verdict (run_id, instance, project_id, iid, head_sha, state) VALUES ($1, $2, $3, $4, '', 'passed')",
            *mine,
        )
        await self.pool.execute(
            "INSERT INTO model_call (id, run_id, model, digest, prompt_version, input_sha256, output_sha256,"
            " prompt_tokens, output_tokens, duration_s, outcome) VALUES (gen_random_uuid(), $1, '', '', '', '', '', 1, 1, 1, 'used')",
            one.run_id,
        )
        await self.pool.execute(
            "UPDATE merge_request SET run_id = $1, head_sha = repeat('c', 40), closed = $5"
            " WHERE instance = $2 AND project_id = $3 AND iid = $4",
            *mine, closed,
        )  # fmt: skip
        await self.pool.execute(
            'UPDATE review_fact SET detail = \'{"unread": {"secret/plan.py": "too large"}}\' WHERE run_id = $1',
            one.run_id,
        )
        return one.run_id

    async def newest(self, project_id: int = 1) -> uuid.UUID:
        """Publish a review of another merge request today, so that the project has a newer policy."""
        return await self.reviewed(999, project_id=project_id, at=datetime.now(UTC))

    async def settle(self) -> None:
        """Label and count all that is due."""
        while await label_due(PostgresLabels(self.pool)) or await roll_up(self.pool):
            pass

    async def runs(self) -> set[uuid.UUID]:
        """Return the runs that are there."""
        return {row["id"] for row in await self.pool.fetch("SELECT id FROM review_run")}


@pytest.fixture
def past(pool: Any) -> Past:
    """Return the history."""
    return Past(pool)


async def removed(pool: Any, days: int = DAYS) -> dict[str, int]:
    """Prune, and return which parts of reviews went."""
    pruned = await prune(pool, review_days=days)
    assert pruned is not None
    return {table: pruned.rows[table] for table in REMOVED}


async def test_an_old_review_goes_and_what_it_came_to_stays(past: Past, pool: Any) -> None:
    """Its page has the figures and the day of the removal, nothing is counted anew, and it is on record once."""
    old = await past.reviewed(1)
    young = await past.newest()
    await past.settle()
    dashboard = PostgresDashboard(pool, INSTANCE, SystemClock())
    before = await dashboard.overview(ALL)
    assert [one.goes for one in await shares(pool, review_days=DAYS) if one.table == "review_run"] == [1]
    assert (await removed(pool), await removed(pool)) == (REMOVED, dict.fromkeys(REMOVED, 0))
    assert await past.runs() == {young}
    assert (
        await pool.fetchval("SELECT (SELECT count(*) FROM rollup_due) + (SELECT count(*) FROM label_due)")
        == 0
    )
    assert (await dashboard.overview(ALL)).tiles == before.tiles
    shown = await dashboard.review(old, Reach(None))
    assert shown is not None
    assert shown.removed_at is not None
    assert (shown.line.state, shown.line.posted, shown.line.generated) == ("removed", 1, 2)
    assert (shown.unread, shown.calls, shown.steps) == ({}, (), ())
    gone = await PostgresVerdicts(pool).removed(old)
    assert gone is not None
    assert gone.project_id == 1
    assert await PostgresVerdicts(pool).removed(young) is None
    acts = [entry.act for entry in await PostgresAuditLog(pool).newest(5)]
    assert [(act.actor, act.action, dict(act.details)) for act in acts] == [
        ("retention", "reviews.remove", REMOVED)
    ]


async def test_what_others_need_stays(past: Past, pool: Any) -> None:
    """Of open ones, where a newer review follows, with feedback that is kept, and the newest policy of a project."""
    await past.reviewed(1, closed=False)
    await past.reviewed(2)
    await past.reviewed(2, at=AGO + timedelta(days=2))
    await past.reviewed(3)
    await past.history.said(Said(1, 3, AGO))
    await past.reviewed(4, project_id=2, consents=True)
    await past.newest()
    there = await past.runs()
    assert (await removed(pool), await past.runs()) == (dict.fromkeys(REMOVED, 0), there)
    assert await PostgresLearning(pool).consenting() == {(INSTANCE, 2)}
    await pool.execute("UPDATE signals_kept SET since = $1", AGO + timedelta(days=1))
    assert (await removed(pool))["review_run"] == 1
    # A year back, new comments are compared with old ones, by what findings said.
    await past.reviewed(5, at=AGO + timedelta(days=100))
    await past.history.said(Said(1, 5, AGO + timedelta(days=100)))
    await pool.execute("UPDATE signals_kept SET since = now()")
    assert (await removed(pool, 90))["review_run"] == 2, "two of the second merge request, none of the fifth"


async def test_a_merge_request_that_is_reopened_begins_anew(
    past: Past, pool: Any, store: PostgresStore
) -> None:
    """It names no run that is gone, and threads are known; one that somebody holds goes another time."""
    await past.reviewed(1)
    await past.newest()
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM merge_request FOR UPDATE")
        assert (await removed(pool))["review_run"] == 0
    assert (await removed(pool))["review_run"] == 1
    state = await store.merge_request(MergeRequestRef(instance=INSTANCE, project_id=1, iid=1))
    assert (state.closed, state.run_id, state.head_sha) == (True, None, None)


async def test_the_operator_says_when(past: Past, pool: Any, database_url: str) -> None:
    """Without a word reviews stay; with one it is shown before they go."""
    await past.reviewed(1)
    await past.newest()

    async def said(*arguments: str, days: str) -> Any:
        variables = {"CLOISTER_DATABASE_URL": database_url, "CLOISTER_DROP_REVIEWS_AFTER_DAYS": days}
        return await asyncio.to_thread(run, "retention", *arguments, **variables)

    assert "on the inside is kept for ever" in (await said("show", days="never")).stdout
    shown = json.loads((await said("show", "--json", days=str(DAYS))).stdout)
    assert shown["drop_reviews_after_days"] == DAYS
    assert [one["rows"] for one in shown["tables"] if one["table"] == "review_run"] == [1]
    assert (
        json.loads((await said("run", "--yes", "--json", days="never")).stdout)["rows"].get("review_run")
        is None
    )
    done = json.loads((await said("run", "--yes", "--json", days=str(DAYS))).stdout)
    assert done["rows"]["review_run"] == 1
