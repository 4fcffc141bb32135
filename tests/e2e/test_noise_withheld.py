"""What people have rejected often enough is not said again, is explained, and comes back when a tech lead wants it."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.adapters.postgres import connect_pool
from bot.demo.gitlab import MergeRequest
from bot.gitlab.instance import instance_name
from tests.cloister import Cloister
from tests.histories import telling
from tests.ledger import store
from tests.unit.cli.command import run
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: No rule of a scanner knows this one.
MEAN = "def mean(rows):\n    return sum(rows) / len(rows)\n"
#: Nothing is explored, so that what is withheld does not hang on the secret of the installation.
POLICY = "noise:\n  exploration: 0\ngate:\n  block_at: never\n"
EVAL = "def run(text):\n    return eval(text)\n"


async def reviewed(cloister: Cloister, name: str, code: str) -> MergeRequest:
    """Return a reviewed merge request that adds *code*."""
    merge_request = cloister.gitlab.server.open_merge_request(
        cloister.gitlab.project, name, {f"{name}.py": code}, author=cloister.gitlab.developer
    )
    await cloister.outcome(merge_request)
    return merge_request


async def rejected(cloister: Cloister, like: MergeRequest, times: int) -> None:
    """Let so many people have rejected the like of the comment on *like*, each on a merge request of their own."""
    pool = await connect_pool(cloister.database_url, size=2)
    (row,) = await cloister.fetch(
        "SELECT c.*, f.body FROM comment c JOIN finding f USING (run_id, fingerprint) WHERE c.iid = $1",
        like.iid,
    )
    told = []
    for number in range(times):
        one = telling(10_000 + 100 * like.iid + number, project_id=like.project.id)
        one.ref = one.ref.model_copy(update={"instance": instance_name(cloister.gitlab.server.url)})
        one.posted_at = datetime.now(UTC) - timedelta(days=2)
        values = {name: row[name] for name in ("rule", "scanner", "category", "severity")}
        one.comment = one.comment.model_copy(update={**values, "ref": one.ref, "posted_at": one.posted_at})
        told.append(one.merged(None, one.down(100 + number)))  # type: ignore[arg-type]
    await store(pool, told)
    for one in told:
        await pool.execute(
            "INSERT INTO finding (run_id, step, fingerprint, rule, category, severity, path, body)"
            " VALUES ($1, 'review', $2, 'r', 'c', 'high', 'a.py', $3)",
            one.comment.run_id,
            one.comment.fingerprint,
            json.loads(row["body"]),
        )
    await pool.execute("UPDATE noise_pass SET next_at = now(), seen_until = 'epoch'")
    measured = "SELECT bool_and(next_at > now() AND seen_until > 'epoch') FROM noise_pass"
    await until(lambda: pool.fetchval(measured), "nobody measured")
    await pool.close()


async def explained(cloister: Cloister, fingerprint: str) -> list[dict[str, Any]]:
    """Return what the command says of a finding."""
    settings = {
        "CLOISTER_DATABASE_URL": cloister.database_url,
        "CLOISTER_GITLAB_URL": cloister.gitlab.server.url,
    }
    told = await asyncio.to_thread(run, "noise", "explain", fingerprint, "--json", **settings)
    found: list[dict[str, Any]] = json.loads(told.stdout)
    return found


async def test_a_rule_is_muted_after_twelve_rejections_until_a_tech_lead_lifts_it(
    shared_cloister: Cloister,
) -> None:
    """The thirteenth finding is withheld, listed with the reason, and kept; unmuted, the next one is said."""
    gitlab, cloister = shared_cloister.gitlab, shared_cloister
    gitlab.server.commit(gitlab.project, gitlab.project.default_branch, {".cloister.yml": POLICY})
    first = await reviewed(cloister, "eval-1", EVAL)
    assert len(cloister.threads(first)) == 1
    await rejected(cloister, first, 12)
    second = await reviewed(cloister, "eval-2", EVAL)
    assert cloister.threads(second) == []
    assert cloister.status(second) == "success"
    summary = cloister.summary(second)
    assert "rejected the like (1)" in summary
    assert "the rule semgrep/python-eval-dynamic is muted until" in summary
    (row,) = await cloister.fetch("SELECT * FROM suppression WHERE iid = $1", second.iid)
    (told,) = await explained(cloister, row["fingerprint"][:8])
    assert (told["cause"], told["iid"]) == ("auto_mute", second.iid)
    assert "0 of 12 comments were accepted" in told["explanation"]
    (fact,) = await cloister.fetch("SELECT filtered FROM review_fact WHERE run_id = $1", row["run_id"])
    assert json.loads(fact["filtered"])["muted"] == 1
    settings = {
        "CLOISTER_DATABASE_URL": cloister.database_url,
        "CLOISTER_GITLAB_URL": gitlab.server.url,
    }
    for name in (("semgrep/python-eval-dynamic",), ("semgrep/security", "--category")):
        options = ("--project", str(gitlab.project.id), "--because", "we use it")
        done = await asyncio.to_thread(run, "noise", "unmute", *name, *options, **settings)
        assert done.exit_code == 0, done.stderr
    third = await reviewed(cloister, "eval-3", EVAL)
    assert len(cloister.threads(third)) == 1


async def test_the_like_of_what_three_people_rejected_is_vetoed(
    shared_cloister: Cloister,
) -> None:
    """By the words, where no model makes vectors; the neighbours are named to who asks."""
    cloister = shared_cloister
    first = await reviewed(cloister, "mean-1", MEAN)
    assert len(cloister.threads(first)) == 1
    await rejected(cloister, first, 3)
    second = await reviewed(cloister, "mean-2", MEAN)
    assert cloister.threads(second) == []
    assert "3 comments like this one were rejected" in cloister.summary(second)
    (row,) = await cloister.fetch("SELECT * FROM suppression WHERE iid = $1", second.iid)
    (told,) = await explained(cloister, row["fingerprint"])
    assert (told["cause"], len(told["neighbours"])) == ("veto", 3)
