"""Mutes, vetoes and what they withhold, on a real database, with and without pgvector and an embedding model."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from bot.adapters import suppressions_postgres
from bot.adapters.audit_log_postgres import PostgresAuditLog
from bot.adapters.embeddings import OllamaEmbeddings
from bot.adapters.labels_postgres import PostgresLabels
from bot.adapters.muted_postgres import muted
from bot.adapters.mutes_postgres import PostgresMutes
from bot.adapters.muting_postgres import PostgresMuting
from bot.adapters.precedents_postgres import PostgresPrecedents
from bot.demo.ollama import ScriptedOllama
from bot.demo.script import ScriptedModel
from bot.domain.dashboard import Filters
from bot.domain.diff import Diff
from bot.domain.errors import Permanent
from bot.domain.findings import Confidence, Finding, Severity
from bot.domain.forge import ForgeUser
from bot.domain.merge_request import Revision
from bot.domain.policy import Gate, Noise, Policy
from bot.domain.publication import Publication, decide
from bot.domain.quiet.muting import Scope, Subject
from bot.domain.quiet.withholding import Cause, Silences, Withheld
from bot.domain.run import Outcome, Plan, Run, Step
from bot.domain.viewer import Viewer
from bot.learning.labelling import label_due
from bot.ports import Embeddings
from bot.reviewer.quieting import Quieting
from bot.runtime.noise_keeper import NoiseKeeper
from tests.histories import Telling, telling
from tests.ledger import store
from tests.unit.cli.command import run as run_command

INSTANCE, PROJECT, SISTER, STRANGER = "gitlab.example", 7, 8, 9
LEAD = Viewer(ForgeUser(5, "lead"), levels={PROJECT: 40})
EMBEDDER = ScriptedModel("embeddinggemma:latest", context_tokens=512, capabilities=("embedding",))
RULE = Subject(str(PROJECT), Scope.rule, "semgrep", "python-eval")
MESSAGE = "The name of the variable says little about what it holds, so a reader has to look it up first."


@dataclass
class Clock:
    """Tell the time, later by as much as a test says."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        """Return it."""
        return datetime.now(UTC) + self.ahead

    def monotonic(self) -> float:
        """Return it in seconds."""
        return self.now().timestamp()


class Counter:
    """Count."""

    def __init__(self) -> None:
        self.counted: list[str] = []

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        """Remember the name."""
        self.counted.append(name)


@dataclass
class Noisy:
    """What keeps noise down, on one database."""

    pool: Any
    clock: Clock = field(default_factory=Clock)
    embeddings: Embeddings | None = None
    counter: Counter = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.mutes = PostgresMutes(self.pool, INSTANCE)
        self.muting = PostgresMuting(self.pool, INSTANCE, self.clock)
        self.precedents = PostgresPrecedents(self.pool, INSTANCE)

    async def tell(
        self,
        project_id: int,
        iids: Sequence[int],
        *,
        rejected_by: Sequence[int] = (),
        accepted: bool = False,
        ago: timedelta = timedelta(days=3),
        **comment: Any,
    ) -> None:
        """Store merged merge requests with one comment each, which the people rejected, one on each in turn."""
        told = []
        for at, iid in enumerate(iids):
            one = telling(iid, project_id=project_id)
            _moved(one, self.clock.now() - ago, comment)
            person = rejected_by[at % len(rejected_by)] if rejected_by else 2
            said = one.up(person) if accepted else one.down(person)
            told.append(one.merged(None, said))  # type: ignore[arg-type]
        await store(self.pool, told)
        for each in told:
            about = {name: getattr(each.comment, name) for name in ("rule", "scanner", "category")}
            finding = _finding(each.comment.fingerprint, **about)
            await self.pool.execute(
                "INSERT INTO finding (run_id, step, fingerprint, rule, category, severity, path, body)"
                " VALUES ($1, 'review', $2, 'r', 'c', 'high', 'a.py', $3)",
                each.comment.run_id,
                each.comment.fingerprint,
                finding.model_dump(mode="json"),
            )

    async def measure(self) -> bool:
        """Make a pass of the keeper now."""
        await self.pool.execute("UPDATE noise_pass SET next_at = now() - interval '1 second'")
        keeper = NoiseKeeper(
            labels=PostgresLabels(self.pool),
            mutes=self.mutes,
            precedents=self.precedents,
            embeddings=self.embeddings,
            clock=self.clock,
            telemetry=self.counter,  # type: ignore[arg-type]
            instance=INSTANCE,
        )
        return await keeper.take_turn()

    async def published(self, *findings: Finding, policy: Policy | None = None) -> Publication:
        """Return what a review of the project would say."""
        run = _run(policy or Policy(gate=Gate(block_at="never")))

        def decided(silences: Silences) -> Publication:
            return decide(
                run, {"review": list(findings)}, (), Diff(()), standing=lambda _: 1, silences=silences
            )

        quieting = Quieting(self.mutes, self.precedents, self.embeddings)
        return await quieting.settle(run, decided, self.clock.now())

    async def withheld(self, *findings: Finding, policy: Policy | None = None) -> tuple[Withheld, ...]:
        """Return what a review of the project would withhold."""
        return (await self.published(*findings, policy=policy)).withheld

    async def shown(self) -> list[tuple[str, str, bool]]:
        """Return what the board shows as muted."""
        today = self.clock.now().date()
        found = await muted(self.pool, INSTANCE, Filters(None, today, today, PROJECT), self.clock.now())
        return sorted((one.rule, one.category, one.automatic) for one in found.lines)


def _moved(one: Telling, at: datetime, comment: dict[str, Any]) -> None:
    one.posted_at = at
    usual = {"rule": "python-eval", "scanner": "semgrep", "category": "security"}
    one.comment = one.comment.model_copy(update={**usual, **comment, "posted_at": at})


def _run(policy: Policy) -> Run:
    ref = telling(99, project_id=PROJECT).ref
    revision = Revision(ref=ref, base_sha="b" * 40, start_sha="c" * 40, head_sha="a" * 40)
    run = Run(id=uuid.uuid4(), ref=ref, head_sha="a" * 40, created_at=datetime.now(UTC))
    run = run.start_work(Plan(revision=revision, policy=policy, steps=("review",)))
    return run.finish_step("review", Step(outcome=Outcome.done, shown={"a.py": 1}))


def _finding(mark: str = "f1", **changes: Any) -> Finding:
    base = {
        "scanner": "semgrep",
        "rule": "python-eval",
        "category": "security",
        "severity": Severity.high,
        "confidence": Confidence.high,
        "path": "a.py",
        "line": 1,
        "end_line": 1,
        "title": "Unclear name",
        "message": MESSAGE,
        "fingerprint": mark,
    }
    return Finding.model_validate(base | changes)


def by_model(mark: str = "f1", **changes: Any) -> Finding:
    """Return a finding of the model."""
    return _finding(mark, **{"scanner": "model", "rule": "style", "category": "style", **changes})


OF_MODEL: dict[str, Any] = {"scanner": "model", "rule": "style", "category": "style"}


@pytest.fixture
async def noisy(pool: Any) -> Noisy:
    """Return noise control on a fresh database with two projects of a group and a strange one."""
    for project_id, path in ((PROJECT, "team/shop"), (SISTER, "team/bank"), (STRANGER, "other/app")):
        await pool.execute(
            "INSERT INTO project (instance, project_id, path) VALUES ($1, $2, $3)", INSTANCE, project_id, path
        )
    return Noisy(pool)


@pytest.fixture
async def embedder() -> AsyncIterator[ScriptedOllama]:
    """Serve a model that makes vectors."""
    with ScriptedOllama(models=(EMBEDDER,)) as server:
        yield server


async def test_a_rule_that_nobody_wants_falls_silent(noisy: Noisy) -> None:
    """At twelve rejections and not before; for a while, in this project alone, counted and on the board."""
    await noisy.tell(PROJECT, range(1, 12))
    await noisy.measure()
    assert await noisy.withheld(_finding()) == ()
    await noisy.tell(PROJECT, [12])
    await noisy.measure()
    (one,) = await noisy.withheld(_finding())
    assert one.silence.cause is Cause.auto_mute
    assert "0 of 12 comments were accepted" in one.silence.explanation
    assert await noisy.shown() == [("", "semgrep/security", True), ("python-eval", "", True)]
    assert noisy.counter.counted == ["cloister_mutes"] * 2
    assert await noisy.withheld(_finding(severity=Severity.critical)) == ()
    assert await noisy.withheld(_finding(rule="other", category="correctness")) == ()
    await noisy.measure()
    assert len(await noisy.mutes.standing(str(PROJECT), noisy.clock.now())) == 2
    assert await noisy.mutes.standing(str(SISTER), noisy.clock.now()) == {}
    noisy.clock.ahead += timedelta(days=31)
    assert await noisy.withheld(_finding()) == ()
    await noisy.measure()
    assert await noisy.shown() == []


async def test_what_people_do_is_labelled_by_the_pass(noisy: Noisy) -> None:
    """Nobody has to rebuild labels for a mute; a pass that is not due does nothing."""
    await noisy.tell(PROJECT, [1, 2])
    assert await noisy.measure()
    assert await noisy.pool.fetchval("SELECT count(*) FROM label WHERE label = 'rejected_strong'") == 2
    assert await noisy.mutes.claim(lease=timedelta(minutes=1)) is None


async def test_what_others_labelled_is_measured(noisy: Noisy) -> None:
    """Be it long after it was seen, such as by whoever had the turn, or was behind."""
    await noisy.measure()
    await noisy.tell(PROJECT, range(1, 13))
    assert await label_due(PostgresLabels(noisy.pool))
    await noisy.measure()
    assert len(await noisy.shown()) == 2


async def test_a_policy_may_do_without(noisy: Noisy) -> None:
    """Mutes by figures count only where the policy wants them; those of people always."""
    await noisy.tell(PROJECT, range(1, 13))
    await noisy.measure()
    off = Policy(gate=Gate(block_at="never"), noise=Noise(auto_mute=False))
    assert await noisy.withheld(_finding(), policy=off) == ()
    until = noisy.clock.now() + timedelta(days=2)
    await noisy.muting.mute(PROJECT, "semgrep", "python-eval", why="tests only", until=until, by=LEAD)
    (one,) = await noisy.withheld(_finding(), policy=off)
    assert (one.silence.cause, "tests only" in one.silence.explanation) == (Cause.manual_mute, True)


async def test_a_tech_lead_has_the_last_word(noisy: Noisy) -> None:
    """Both ways, with the audit log; the figures begin anew."""
    await noisy.tell(PROJECT, range(1, 13))
    await noisy.measure()
    mutes = await noisy.mutes.board(PROJECT, Noise(), noisy.clock.now())
    for mute in mutes.mutes.values():
        assert mute.id is not None
        assert not await noisy.muting.unmute(SISTER, mute.id, why="no", by=LEAD)
        assert await noisy.muting.unmute(PROJECT, mute.id, why="we use it", by=LEAD)
        assert not await noisy.muting.unmute(PROJECT, mute.id, why="again", by=LEAD)
    assert (await noisy.withheld(_finding()), await noisy.shown()) == ((), [])
    await noisy.tell(PROJECT, [13])
    await noisy.measure()
    assert await noisy.withheld(_finding()) == ()
    until = noisy.clock.now() + timedelta(days=2)
    await noisy.muting.mute(PROJECT, "semgrep", "python-eval", why="tests only", until=until, by=LEAD)
    await noisy.muting.mute(PROJECT, "semgrep", "python-eval", why="longer", until=until, by=LEAD)
    entries = [entry.act for entry in await PostgresAuditLog(noisy.pool).newest(10)]
    assert [act.action for act in reversed(entries)] == ["noise.unmute"] * 2 + ["noise.mute"] * 2
    assert {act.actor for act in entries} == {"gitlab:5:lead"}
    assert entries[0].details["mute"] == entries[1].details["mute"]
    assert await noisy.shown() == [("python-eval", "", False)]
    noisy.clock.ahead += timedelta(days=3)
    assert await noisy.shown() == []


async def test_secrets_cannot_be_muted_and_a_mute_has_to_end(noisy: Noisy) -> None:
    """Nothing is written then; what is written is never changed."""
    now = noisy.clock.now()
    for scanner, until in (("secrets", now + timedelta(days=1)), ("semgrep", now)):
        with pytest.raises(Permanent):
            await noisy.muting.mute(PROJECT, scanner, "aws", why="w", until=until, by=LEAD)
    assert await PostgresAuditLog(noisy.pool).newest(1) == []
    await noisy.muting.mute(PROJECT, "semgrep", "x", why="w", until=now + timedelta(days=1), by=LEAD)
    with pytest.raises(asyncpg.PostgresError, match="only ever added"):
        await noisy.pool.execute("DELETE FROM mute")


async def test_two_tech_leads_at_once_leave_one_mute(noisy: Noisy) -> None:
    """The later one gives the end."""
    until = noisy.clock.now() + timedelta(days=2)
    await asyncio.gather(
        *(noisy.muting.mute(PROJECT, "semgrep", "x", why=f"w{n}", until=until, by=LEAD) for n in range(6))
    )
    assert await noisy.pool.fetchval("SELECT count(DISTINCT mute) FROM mute") == 1


async def test_three_people_on_three_merge_requests_veto(noisy: Noisy) -> None:
    """Of the group, not of strangers; not two people, not what was accepted as often; never what is critical."""
    await noisy.tell(STRANGER, [1, 2, 3], rejected_by=[1, 2, 3], **OF_MODEL)
    await noisy.tell(PROJECT, [1, 2, 3], rejected_by=[1, 2], **OF_MODEL)
    await noisy.measure()
    assert await noisy.withheld(by_model()) == ()
    await noisy.tell(SISTER, [4], rejected_by=[3], **OF_MODEL)
    await noisy.measure()
    (one,) = await noisy.withheld(by_model())
    assert one.silence.cause is Cause.veto
    assert [near.likeness for near in one.silence.neighbours] == [1.0] * 4
    assert await noisy.withheld(by_model(severity=Severity.critical)) == ()
    assert await noisy.withheld(by_model(message="The loop ends too early, so the last row is lost.")) == ()
    assert await noisy.withheld(_finding()) == ()
    without = Policy(gate=Gate(block_at="never"), noise=Noise(veto=False))
    assert await noisy.withheld(by_model(), policy=without) == ()
    await noisy.muting.say_subject(Subject(str(PROJECT), Scope.category, "model", "style"), why="w", by=LEAD)
    assert await noisy.withheld(by_model()) == ()


async def test_three_that_were_accepted_let_it_pass(noisy: Noisy) -> None:
    """Whatever was rejected."""
    await noisy.tell(PROJECT, [1, 2, 3], rejected_by=[1, 2, 3], **OF_MODEL)
    await noisy.tell(PROJECT, [4, 5, 6], accepted=True, **OF_MODEL)
    await noisy.measure()
    assert await noisy.withheld(by_model()) == ()


async def test_vectors_are_made_ahead_and_compared(noisy: Noisy, embedder: ScriptedOllama) -> None:
    """By pgvector; another model has them made anew, and what fails is compared by words."""
    noisy.embeddings = OllamaEmbeddings(embedder.url, EMBEDDER.name)
    await noisy.tell(PROJECT, [1, 2, 3], rejected_by=[1, 2, 3], **OF_MODEL)
    await noisy.measure()
    rows = await noisy.pool.fetch("SELECT DISTINCT model, dimension FROM comment_vector")
    assert [tuple(row) for row in rows] == [(EMBEDDER.digest, EMBEDDER.dimension)]
    # Only the vectors can know: the words have nothing in common any more.
    await noisy.pool.execute('UPDATE finding SET body = body || \'{"message": "other", "title": "words"}\'')
    (one,) = await noisy.withheld(by_model())
    assert [round(near.likeness, 5) for near in one.silence.neighbours] == [1.0] * 3
    embedder.models = (
        ScriptedModel(EMBEDDER.name, digest="e" * 64, capabilities=("embedding",), dimension=16),
    )
    await noisy.embeddings.close()
    noisy.embeddings = OllamaEmbeddings(embedder.url, EMBEDDER.name)
    assert await noisy.withheld(by_model()) == ()
    await noisy.measure()
    rows = await noisy.pool.fetch("SELECT DISTINCT model, dimension FROM comment_vector")
    assert [tuple(row) for row in rows] == [("e" * 64, 16)]
    embedder.models = ()
    assert await noisy.withheld(by_model()) == ()
    assert len(await noisy.withheld(by_model(title="words", message="other"))) == 1
    await noisy.embeddings.close()


async def test_without_the_extension_words_are_compared(noisy: Noisy, embedder: ScriptedOllama) -> None:
    """No vector is made then, and none is missed."""
    await noisy.pool.execute("DROP EXTENSION vector")
    noisy.embeddings = OllamaEmbeddings(embedder.url, EMBEDDER.name)
    await noisy.tell(PROJECT, [1, 2, 3], rejected_by=[1, 2, 3], **OF_MODEL)
    await noisy.measure()
    assert await noisy.pool.fetchval("SELECT count(*) FROM comment_vector") == 0
    assert len(await noisy.withheld(by_model())) == 1
    await noisy.embeddings.close()


async def test_what_a_later_round_says_was_not_withheld(noisy: Noisy) -> None:
    """Of each run stands what it came to in the end, and nothing of that is lost to another run."""
    await noisy.tell(PROJECT, range(1, 13))
    await noisy.measure()
    both = await noisy.withheld(_finding("aa" * 16), _finding("bb" * 16, line=5, end_line=5))
    assert len(both) == 2
    ref, run_id, other = telling(99, project_id=PROJECT).ref, uuid.uuid4(), uuid.uuid4()
    async with noisy.pool.acquire() as connection, connection.transaction():
        await suppressions_postgres.save(connection, ref, other, both)
        for withheld in (both, both[:1], both[:1]):
            await suppressions_postgres.save(connection, ref, run_id, withheld)
    rows = await suppressions_postgres.named(noisy.pool, INSTANCE, both[0].finding.fingerprint[:4])
    assert {row["run_id"] for row in rows} == {run_id, other}
    (row,) = await suppressions_postgres.named(noisy.pool, INSTANCE, both[1].finding.fingerprint)
    assert (row["run_id"], row["cause"], row["mute"]) == (other, "auto_mute", both[1].silence.mute)


async def test_the_commands(noisy: Noisy, pool: Any, database_url: str) -> None:
    """An operator mutes, lists and lifts; what cannot be done is refused with a reason."""

    async def cloister(*arguments: str) -> Any:
        settings = {"CLOISTER_DATABASE_URL": database_url, "CLOISTER_GITLAB_URL": f"https://{INSTANCE}"}
        return await asyncio.to_thread(run_command, "noise", *arguments, **settings)

    here = ("--project", str(PROJECT), "--because", "tests only")
    assert (await cloister("list")).stdout == "nothing is muted\n"
    assert (
        "muted the rule semgrep/python-eval" in (await cloister("mute", "semgrep/python-eval", *here)).stdout
    )
    (shown,) = json.loads((await cloister("list", "--json")).stdout)
    assert (shown["rule"], shown["why"], shown["automatic"]) == ("python-eval", "tests only", False)
    (one,) = await noisy.withheld(_finding("ab12" * 8))
    assert str(one.silence.mute) == shown["id"]
    assert "is said again" in (await cloister("unmute", "semgrep/python-eval", *here)).stdout
    assert await noisy.withheld(_finding()) == ()
    assert "no review has withheld" in (await cloister("explain", "ab12")).stdout
    there = ("--group", "Team/", *here[2:])
    said = (await cloister("mute", "model/style", "--category", *there)).stdout
    assert "muted the category model/style in group team until" in said
    (shown,) = json.loads((await cloister("list", "--json", "--project", str(SISTER))).stdout)
    assert (shown["project_id"], shown["group"], shown["category"]) == (None, "team", "model/style")
    assert "in group team" in (await cloister("unmute", "model/style", "--category", *there)).stdout
    unheard = await cloister("mute", "semgrep/python-evil", *here)
    assert "of the rule semgrep/python-evil so far; check the name" in unheard.stderr
    await noisy.tell(PROJECT, [901], rule="python-eval", scanner="semgrep")
    assert (
        "did you mean semgrep/python-eval?" in (await cloister("unmute", "semgrep/python-evil", *here)).stderr
    )
    assert "" == (await cloister("mute", "semgrep/python-eval", *here)).stderr
    actors = {entry.act.actor.split(":")[0] for entry in await PostgresAuditLog(pool).newest(5)}
    assert actors == {"command"}
    for arguments, said in (
        (("mute", "eval", *here), "names no rule"),
        (("mute", "secrets/aws", *here), "secrets are always said"),
        (("explain", "x"), "no beginning of a fingerprint"),
        (("mute", "semgrep/x", *here[:3], " "), "say why"),
        (("mute", "semgrep/x", *here, "--group", "team"), "not both"),
        (("unmute", "semgrep/x", *here[2:]), "--project or --group"),
        (("mute", "semgrep/x", *here[2:], "--group", "team/../x"), "no path of a group"),
    ):
        refused = await cloister(*arguments)
        assert (refused.exit_code, said in refused.stderr) == (2, True), refused.stderr
