"""Text that Postgres refuses is stored all the same, with a mark where it was odd."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.adapters.postgres import as_jsonb, storable, translated
from bot.adapters.store_postgres import PostgresStore
from bot.domain.errors import Transient
from bot.domain.events import FetchRequested, Record
from bot.domain.findings import Finding, Severity
from bot.domain.merge_request import MergeRequestRef
from bot.domain.records import ThreadRecord
from bot.domain.run import Run

REF = MergeRequestRef(instance="gitlab.example", project_id=2**63 - 1, iid=2**31 - 1)
ODD = ["a\0b", "a\ud800b", "a\udcffb"]
MARKED = "a\ufffdb"


def _parent() -> Record:
    return Record.of(FetchRequested(ref=REF, run_id=uuid.uuid4()), id=uuid.uuid4())


def _run(text: str = "") -> Run:
    return Run(
        id=uuid.uuid4(),
        ref=REF,
        head_sha="a" * 40,
        created_at=datetime.now(UTC),
        title=text,
        description=text,
        skipped={"path": text},
        problems=(text,),
    )


@pytest.mark.parametrize("odd", ODD)
async def test_a_run_with_odd_text_is_stored(store: PostgresStore, odd: str) -> None:
    """A NUL or half a character in a title, path or reason costs that character, not the review."""
    run = _run(odd)
    async with store.commit("fetch", _parent()) as transaction:
        await transaction.save_run(run)
    stored = await store.run(run.id)
    assert [MARKED] * 2 == [stored.title, stored.description]
    assert ({"path": MARKED}, (MARKED,)) == (stored.skipped, stored.problems)


@pytest.mark.parametrize("odd", ODD)
async def test_odd_findings_and_threads_are_stored(store: PostgresStore, odd: str) -> None:
    """Messages quote code, and code may hold anything."""
    run = _run()
    finding = Finding(
        scanner="semgrep",
        rule="r",
        category="security",
        severity=Severity.low,
        path="a\0b",
        line=1,
        end_line=1,
        title="a\0b",
        message=odd,
        fingerprint="f",
    )
    thread = ThreadRecord("f", run.id, "open", "semgrep", "r", "low", odd, "anchor")
    async with store.commit("scan", _parent()) as transaction:
        await transaction.save_run(run)
        await transaction.replace_findings(run.id, "scan:semgrep", [finding])
        await transaction.save_threads(REF, [thread])
    (stored,) = (await store.findings(run.id))["scan:semgrep"]
    assert [MARKED] * 3 == [stored.path, stored.title, stored.message]
    assert MARKED == (await store.threads(REF))["f"].path


@pytest.mark.parametrize("odd", ODD)
async def test_an_event_is_parked_for_an_odd_reason(store: PostgresStore, pool: Any, odd: str) -> None:
    """An event that cannot be parked would be handled again for ever."""
    record = _parent()
    await store.park("scan", record, attempts=1, error=odd, reason=odd)
    row = await pool.fetchrow("SELECT error, reason FROM dead_letter WHERE event_id = $1", record.id)
    assert (MARKED, MARKED) == tuple(row)


async def test_the_largest_merge_request_number_is_stored(store: PostgresStore) -> None:
    """Whatever passes for a merge request fits into its columns."""
    async with store.commit("intake", _parent()) as transaction:
        assert REF == (await transaction.merge_request(REF)).ref


@pytest.mark.parametrize("state", ["57014", "53200", "58030", "25006", "40001"])
async def test_trouble_of_the_server_is_worth_another_try(pool: Any, state: str) -> None:
    """A worker that takes a cancelled statement for a bug of ours would leave its partition for good."""
    with pytest.raises(Transient):
        async with translated():
            await pool.execute(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$")


def test_ordinary_text_stays_as_it_is() -> None:
    """Only what Postgres refuses is replaced."""
    text = 'é 🎈 \u2028 \ufffd \\u0000 \\ud800 "x"\n'
    assert text == storable(text)
    assert '{"a": ["\\u00e9", "\\\\u0000", 1, null]}' == as_jsonb({"a": ["é", "\\u0000", 1, None]})
    assert '"\\ud83c\\udf88"' == as_jsonb("🎈")
