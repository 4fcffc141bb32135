"""The views of the dashboard on a history of a million comments, against a bare count with an index."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.adapters.clock import SystemClock
from bot.adapters.dashboard_postgres import PostgresDashboard
from bot.adapters.embedded_postgres import EmbeddedPostgres
from bot.adapters.migrations import upgrade
from bot.adapters.postgres import close_pool, connect_pool
from bot.adapters.retention_signals import drop_months
from bot.adapters.rollups_postgres import recount, roll_up
from bot.domain.comment_lines import Became, Picked, Which
from bot.domain.dashboard import Dimension, Filters, Grain
from bot.domain.review_fact import Reason
from bot.domain.viewer import Own
from tests.bench.figures import Figure, percentile

_INSTANCE = "gitlab.example"
_PER_COMMENT, _PER_REQUEST, _DAYS = 10, 10, 400
_GOAL_MS = 300.0
_REPEAT = 20
_TABLES = ("comment", "signal", "label", "review_fact")
_LIMIT_S = 3_600.0

#: ``{n}`` is a number that makes each random choice another one; all are the same in every run.
_PICK = "(hashint8extended({what}, {n}) & 1048575)::float8 / 1048576"


def _pick(what: str, number: int) -> str:
    return _PICK.format(what=what, n=number)


def _array(values: tuple[str, ...]) -> str:
    quoted = ", ".join(f"'{value}'" for value in values)
    return f"(ARRAY[{quoted}])"


def _one_of(values: tuple[str, ...], what: str, number: int) -> str:
    # Common ones come first: the square leaves the last few rare.
    return f"{_array(values)}[1 + floor(power({_pick(what, number)}, 2) * {len(values)})::int]"


#: Comments as they are: a project has a language, a language forty rules, a rule one severity; the model has as many
#: rules as there are categories, and any severity.
_CATEGORIES = ("correctness", "security", "style", "performance", "secret")
_SEVERITIES = ("medium", "low", "high", "info", "critical")
_LANGUAGES = ("python", "typescript", "java", "go", "php", "")
_LABELS = ("unknown", "accepted_weak", "censored", "rejected_strong", "accepted_strong")
_KINDS = ("changed", "reply", "resolved", "reaction_added", "gone", "applied")

_PROJECT = """
INSERT INTO project (instance, project_id, path)
SELECT $1, n, 'group-' || n % 20 || '/project-' || n FROM generate_series(1, $2::int) n
"""
#: In the order of time, as it happens: that keeps indexes on time small, and building them quick.
_REQUEST = f"""
INSERT INTO merge_request (instance, project_id, iid, updated_at)
SELECT $1, 1 + floor(power({_pick("n", 1)}, 2) * $2::int)::int, n,
    $3::timestamptz - (1 - n::float8 / $4::int) * interval '{_DAYS} days'
FROM generate_series(1, $4::int) n
"""
_FACT = f"""
INSERT INTO review_fact (run_id, instance, project_id, iid, created_at, published_at, commented_at, generated, posted,
    standing, filtered, files, files_read, blocking, undecided, waived, author_id)
SELECT gen_random_uuid(), instance, project_id, iid, at, at + interval '40 s',
    CASE WHEN n = 0 THEN at + {_pick("m.id", 3)} * interval '90 s' END, 14, CASE WHEN n = 0 THEN {_PER_REQUEST} ELSE 0 END,
    {_pick("m.id", 4)} < 0.8, '{{"mild": 5, "known": 3, "rejected": 2, "duplicate": 2}}', 12, 11,
    ({_pick("m.id + n", 5)} < 0.1)::int, false, ({_pick("m.id + n", 6)} < 0.02)::int, 1 + m.id % 300
FROM merge_request m, generate_series(0, 1 + m.iid % 3) n, LATERAL (SELECT updated_at + n * interval '7 h' AS at) t
"""
_COMMENT = f"""
INSERT INTO comment (id, instance, project_id, iid, fingerprint, run_id, head_sha, rule, scanner, category, severity,
    confidence, language, path, line, end_line, had_suggestion, posted_at, model, model_digest, prompt_version)
SELECT gen_random_uuid(), instance, project_id, iid, md5((id * 100 + n)::text), gen_random_uuid(), md5(id::text) || 'aaaaaaaa',
    CASE WHEN ours THEN category ELSE language || '.rule-' || rule END, CASE WHEN ours THEN 'model' ELSE 'semgrep' END,
    CASE WHEN ours THEN category ELSE {_array(_CATEGORIES)}[1 + rule % 5] END,
    CASE WHEN ours THEN {_one_of(_SEVERITIES, "k", 8)} ELSE {_array(_SEVERITIES)}[1 + rule % 5] END, 'high',
    language, 'src/' || md5(k::text) || '.py', 1, 2, {_pick("k", 9)} < 0.3,
    updated_at + n * interval '2 s', CASE WHEN ours THEN 'deepseek-coder' ELSE '' END,
    CASE WHEN ours THEN md5((updated_at < $1::timestamptz)::text) ELSE '' END, CASE WHEN ours THEN 'v3' ELSE '' END
FROM merge_request m, generate_series(0, {_PER_REQUEST - 1}) n, LATERAL (SELECT id * 100 + n AS k) one,
    LATERAL (SELECT floor(power({_pick("k", 7)}, 2) * 40)::int AS rule, {_pick("k", 10)} < 0.5 AS ours,
        {_one_of(_CATEGORIES, "k", 13)} AS category, {_array(_LANGUAGES)}[1 + (project_id % 6)::int] AS language) two
"""
_SIGNAL = f"""
INSERT INTO signal (began_at, id, at, seen_at, merge_request_id, comment_id, actor_id, actor_is_author, actor_is_bot,
    kind, source, emoji, head_sha)
SELECT c.posted_at, gen_random_uuid(), c.posted_at + n * interval '3 h', c.posted_at + n * interval '3 h', m.id, c.id,
    1 + k % 500, n % 2 = 0, false, kind, 'hook', CASE WHEN kind = 'reaction_added' THEN 'thumbsdown' END,
    decode(c.head_sha, 'hex')
FROM comment c JOIN merge_request m USING (instance, project_id, iid), generate_series(1, {_PER_COMMENT}) n,
    LATERAL (SELECT abs(hashtextextended(c.fingerprint, n)) % 1000000 AS k) one,
    LATERAL (SELECT {_one_of(_KINDS, "k", 11)} AS kind) two
"""
_MERGED = """
INSERT INTO signal (began_at, id, at, seen_at, merge_request_id, actor_id, actor_is_author, actor_is_bot, kind, source)
SELECT updated_at, gen_random_uuid(), updated_at + interval '2 d', updated_at + interval '2 d', id, 7, true, false, 'merged', 'hook'
FROM merge_request WHERE id % 10 > 1
"""
_LABEL = f"""
INSERT INTO label (comment_id, label_version, label, reasons)
SELECT id, 1, {_one_of(_LABELS, "hashtext(fingerprint)", 12)}, ARRAY[id] FROM comment
"""


async def dashboard(comments: int) -> list[Figure]:
    """Return how long views of so many *comments* take, each with ten signals."""
    with tempfile.TemporaryDirectory(prefix="cloister-postgres-") as directory:
        server = EmbeddedPostgres(Path(directory))
        url = server.start()
        try:
            await asyncio.to_thread(upgrade, url)
            pool = await connect_pool(url, size=4)
            figures = await _measure(pool, comments)
            await close_pool(pool)
        finally:
            server.stop()
    return figures


async def _measure(pool: Any, comments: int) -> list[Figure]:
    now = datetime.now(UTC)
    build_s = await _timed(lambda: _build(pool, comments, now))
    count_s = await _timed(lambda: _count(pool))
    signals = await pool.fetchval("SELECT count(*) FROM signal")
    note = f"{comments:,} comments, {signals:,} signals"
    views = PostgresDashboard(pool, _INSTANCE, SystemClock())
    base_ms = await _baseline(pool, now)
    figures = [
        Figure("dashboard, history built", build_s, "s", note=note),
        Figure("dashboard, all counted anew", count_s, "s", note=note),
        Figure("dashboard, one merge request counted", await _increment(pool), "ms"),
    ]
    for name, ask in _asked(views, now.date()).items():
        times = [await _timed(ask) * 1000 for _ in range(_REPEAT)]
        p50, p95 = percentile(times, 0.5), percentile(times, 0.95)
        figures.append(
            Figure(f"view {name}", p95, "ms p95", goal=_GOAL_MS, baseline=base_ms, note=f"p50 {p50:.0f}")
        )
    return [*figures, *await _sizes(pool, signals), await _dropped(pool)]


async def _build(pool: Any, comments: int, now: datetime) -> None:
    requests, projects = comments // _PER_REQUEST, max(10, comments // 5_000)
    async with pool.acquire() as connection:
        await connection.execute(
            "SET statement_timeout = 0; SET work_mem = '256MB'; SET synchronous_commit = off"
        )
        for table in _TABLES:
            await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        months = _DAYS // 30 + 2
        await connection.execute(
            "SELECT make_signal_partition(now() - make_interval(months => n)) FROM generate_series(0, $1::int) n",
            months,
        )
        await connection.execute(_PROJECT, _INSTANCE, projects, timeout=_LIMIT_S)
        await connection.execute(_REQUEST, _INSTANCE, projects, now, requests, timeout=_LIMIT_S)
        await connection.execute(_COMMENT, now - timedelta(days=90), timeout=_LIMIT_S)
        for statement in (_FACT, _SIGNAL, _MERGED, _LABEL):
            await connection.execute(statement, timeout=_LIMIT_S)
        for table in _TABLES:
            await connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        await connection.execute("VACUUM ANALYZE", timeout=_LIMIT_S)
        await connection.execute("RESET ALL")


async def _count(pool: Any) -> None:
    await recount(pool)
    while await roll_up(pool):
        pass
    await pool.execute("VACUUM ANALYZE", timeout=_LIMIT_S)


async def _increment(pool: Any) -> float:
    """Return the milliseconds of a pass after one label has changed."""
    await pool.execute(
        "UPDATE label SET label = 'unknown' WHERE comment_id = (SELECT id FROM comment LIMIT 1)"
    )
    return await _timed(lambda: roll_up(pool)) * 1000


async def _baseline(pool: Any, now: datetime) -> float:
    """Return the milliseconds of the least that counting the comments of a month costs."""
    since = now - timedelta(days=30)
    query = "SELECT count(*) FROM comment WHERE posted_at >= $1"
    return percentile([await _timed(lambda: pool.fetchval(query, since)) * 1000 for _ in range(_REPEAT)], 0.5)


def _asked(views: PostgresDashboard, today: date) -> Mapping[str, Callable[[], Awaitable[Any]]]:
    month = Filters(visible=None, since=today - timedelta(days=29), until=today)
    year = replace(month, since=today - timedelta(days=364))
    mine = replace(year, visible=frozenset(range(1, 51)))
    one = replace(month, project_id=3)
    high = replace(year, only={Dimension.severity: "high"})
    windows = {"30 days": month, "a year": year, "a year of 50 projects": mine, "30 days of one": one}
    asked: dict[str, Callable[[], Awaitable[Any]]] = {}
    for name, chosen in {**windows, "a year, severity high": high}.items():
        asked |= {
            f"overview, {name}": lambda f=chosen: views.overview(f),
            f"funnel, {name}": lambda f=chosen: views.funnel(f),
            f"acceptance by rule, {name}": lambda f=chosen: views.acceptance(f, Dimension.rule),
            f"acceptance by model, {name}": lambda f=chosen: views.acceptance(f, Dimension.model),
            f"time series, {name}": lambda f=chosen: views.time_series(f, Grain.day),
            f"noise, {name}": lambda f=chosen: views.noise(f),
            f"flow, {name}": lambda f=chosen: views.flow(f),
            f"gate, {name}": lambda f=chosen: views.gate(f),
            f"reviews, {name}": lambda f=chosen: views.reviews(f),
            f"reviews that blocked, {name}": lambda f=chosen: views.reviews(f, picked=Picked(Which.blocked)),
            f"comments, {name}": lambda f=chosen: views.comments(f),
            f"comments rejected, {name}": lambda f=chosen: views.comments(f, became=Became.rejected_strong),
            f"comments downvoted, {name}": lambda f=chosen: views.comments(f, became=Became.downvoted),
        }
    rule = replace(year, only={Dimension.rule: "php.rule-39"})
    nowhere = Picked(unsaid=Reason.budget)
    asked |= {
        "comments of a rare rule, a year": lambda: views.comments(rule),
        "comments of a rare rule that were merged open, a year": lambda: views.comments(
            rule, became=Became.open_critical
        ),
        "reviews with a reason that none has, a year": lambda: views.reviews(year, picked=nowhere),
    }
    developer = replace(year, visible=frozenset(), own=Own(7, frozenset(range(1, 51))))
    rare = replace(developer, own=Own(7, frozenset({1})))
    lead = replace(developer, visible=frozenset(range(51, 101)))
    return {
        **asked,
        "own reviews, a year": lambda: views.reviews(developer),
        "own reviews, a year of one of 50 projects": lambda: views.reviews(rare),
        "own reviews beside 50 projects, a year": lambda: views.reviews(lead),
        "own merge requests, a year": lambda: views.reviews(developer, newest=True),
        "health": views.health,
    }


async def _sizes(pool: Any, signals: int) -> list[Figure]:
    sizes = dict(
        await pool.fetch(
            "SELECT coalesce(i.inhparent::regclass::text, c.relname), sum(pg_total_relation_size(c.oid))::bigint"
            " FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid"
            " WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace GROUP BY 1"
        )
    )
    counts = sum(size for name, size in sizes.items() if name.startswith(("rollup", "comment_kind")))
    per_million = 1_000_000 / signals / 2**20
    return [
        Figure("size of a million signals", sizes["signal"] * per_million, "MiB", note="with indexes"),
        Figure("size of counts by million signals", counts * per_million, "MiB"),
        Figure(
            "size of comments and labels by million signals",
            (sizes["comment"] + sizes["label"]) * per_million,
            "MiB",
        ),
    ]


async def _dropped(pool: Any) -> Figure:
    """Return how long a month of signals takes to go, and whether counts and labels stayed as they were."""
    before = await _made_of_signals(pool)
    began = time.perf_counter()
    months, waits_for = await drop_months(pool, _DAYS * 3 // 4, actor="bench")
    each_ms = (time.perf_counter() - began) * 1000 / len(months)
    same = "the same" if await _made_of_signals(pool) == before else "NOT THE SAME"
    note = f"{sum(one.rows for one in months):,} signals, counts and labels {same}{waits_for}"
    return Figure(f"a month of feedback dropped, of {len(months)}", each_ms, "ms", note=note)


async def _made_of_signals(pool: Any) -> list[str]:
    tables = ("rollup", "rollup_kind", "rollup_bucket", "label")
    query = "SELECT md5(string_agg(md5(t::text), '' ORDER BY t::text)) FROM {} t"
    return [await pool.fetchval(query.format(table), timeout=_LIMIT_S) for table in tables]


async def _timed(ask: Callable[[], Awaitable[Any]]) -> float:
    began = time.perf_counter()
    await ask()
    return time.perf_counter() - began
