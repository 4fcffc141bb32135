"""What people did with comments becomes rows whose prompts are, byte for byte, what the model was asked."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from bot.adapters.feedback_postgres import PostgresFeedback
from bot.adapters.postgres import connect_pool
from bot.demo.gitlab import MergeRequest
from bot.domain.labels import Label
from bot.domain.merge_request import MergeRequestRef
from bot.domain.signals import Comment, Signal, SignalKind, Source
from bot.learning.card import card_of
from bot.learning.dataset import Window, assemble, files_of
from bot.learning.formats import Format
from bot.learning.rows import Material, rows_of
from bot.learning.selection import decided
from bot.wiring_learning import Learner, learner
from tests.cloister import Cloister
from tests.e2e.test_pushes import DEFECT, FLAW, steps
from tests.unit.cli.command import run

pytestmark = pytest.mark.asyncio(loop_scope="module")

POLICY = "learning:\n  export: true\n"


def signal(comment: Comment, kind: SignalKind, **values: Any) -> Signal:
    """Return something that happened to a comment just now."""
    now = datetime.now(UTC)
    usual = {
        "id": uuid.uuid4(),
        "kind": kind,
        "at": now,
        "seen_at": now,
        "ref": comment.ref,
        "source": Source.hook,
    }
    return Signal(**{**usual, "fingerprint": comment.fingerprint, **values})


async def taken(cloister: Cloister, merge_request: MergeRequest, **said: str) -> list[Comment]:
    """Have a person react to the comments on files, each by its name, and the merge request merged."""
    pool = await connect_pool(cloister.database_url, size=1)
    try:
        feedback = PostgresFeedback(pool)
        row = await pool.fetchrow(
            "SELECT instance, project_id, iid FROM merge_request WHERE iid = $1 AND project_id = $2",
            merge_request.iid,
            merge_request.project.id,
        )
        comments = await feedback.comments(MergeRequestRef(**dict(row)))
        signals = []
        for comment in comments:
            emoji = said[comment.path.partition(".")[0]]
            signals.append(signal(comment, SignalKind.reaction_added, actor_id=5, emoji=emoji))
            signals.append(signal(comment, SignalKind.changed))
        signals.append(signal(comments[0], SignalKind.merged, fingerprint=""))
        assert len(signals) == len(await feedback.add(signals))
        return comments
    finally:
        await pool.close()


async def gathered(cloister: Cloister, format_: Format) -> tuple[list[Material], Learner]:
    """Return the material for a format, and what gathered it."""
    async with learner(cloister.settings, cloister.database_url, format_) as parts:
        material = await parts.gathering.gather(format_, since=None, until=datetime.now(UTC))
        return material, parts


def asked(cloister: Cloister) -> set[tuple[str, str]]:
    """Return system text and prompt of all that the model was asked."""
    return {
        (request["messages"][0]["content"], request["messages"][1]["content"])
        for request in cloister.ollama.requests
    }


async def test_prompts_are_those_that_were_asked(shared_cloister: Cloister) -> None:
    """Of a first review and of a push after it; only where the project allows it."""
    server, project = shared_cloister.gitlab.server, shared_cloister.gitlab.project
    first = f"def one(values):\n{steps('one')}{DEFECT}"
    merge_request = server.open_merge_request(project, "quiet", {"one.txt": first})
    await shared_cloister.outcome(merge_request)
    await taken(shared_cloister, merge_request, one="thumbsup")
    material, parts = await gathered(shared_cloister, Format.kto)
    assert ([], {"the project has not allowed it": 1}) == (material, dict(parts.gathering.left_out))

    server.commit(project, project.default_branch, {".cloister.yml": POLICY})
    files = {"two.txt": f"def two(values):\n{steps('two')}{DEFECT}", "flaw.py": FLAW}
    merge_request = server.open_merge_request(project, "told", files)
    await shared_cloister.outcome(merge_request)
    server.push(merge_request, {**files, "three.txt": f"def three(values):\n{steps('three')}{DEFECT}"})
    await shared_cloister.outcome(merge_request)
    await taken(shared_cloister, merge_request, two="thumbsup", three="thumbsdown", flaw="thumbsdown")

    material, parts = await gathered(shared_cloister, Format.kto)
    labels = {one.comment.path: one.label for one in material}
    assert {"two.txt": Label.accepted_strong, "three.txt": Label.rejected_strong} == labels
    left_out = dict(parts.gathering.left_out)
    assert {"the comment is not the model's": 1, "the project had not allowed it then": 1} == left_out
    prompts = {(one.prompt.system, one.prompt.user) for one in material if one.prompt}
    assert len(prompts) == 2
    # The model sees the flaw too, which a scanner's comment says: nobody decided about the model's words.
    assert {"two.txt": 2, "three.txt": 1} == {
        one.comment.path: len(one.prompt.said) for one in material if one.prompt
    }
    assert {"three.txt"} == {one.comment.path for one in decided(material)[0]}
    assert prompts <= asked(shared_cloister)
    check_rows(material, parts)
    await check_classifier(shared_cloister)
    await check_audit(shared_cloister)
    await check_command(shared_cloister)


def check_rows(material: Sequence[Material], parts: Learner) -> None:
    """Check what comes of the material."""
    window = Window(None, datetime.now(UTC))
    accepted, rejected = sorted(rows_of(Format.kto, material), key=lambda row: not row.content["label"])
    assert (True, False) == (accepted.content["label"], rejected.content["label"])
    assert '"path":"two.txt","line":32' in accepted.content["completion"][0]["content"]
    made = assemble(Format.kto, material, window=window, scrubber=parts.scrubber, left_out={}, gates=False)
    content = b"".join(files_of(made, card_of(made, parts.scrubber)).values())
    assert b"two.txt" in content
    assert b"127.0.0.1" not in content


async def check_classifier(cloister: Cloister) -> None:
    """Check that scanners' comments are in it too, with the code that they are about."""
    material, _ = await gathered(cloister, Format.classifier)
    (flaw,) = [one for one in material if one.comment.path == "flaw.py"]
    assert flaw.code == "flaw.py\n" + "".join(f"+{line}\n" for line in FLAW.splitlines()).rstrip()
    assert flaw.comment.scanner == "semgrep"
    assert flaw.prompt is None


async def check_audit(cloister: Cloister) -> None:
    """Check that a prompt that the audit does not know makes no row."""
    connection = await asyncpg.connect(cloister.database_url)
    try:
        await connection.execute("UPDATE model_call SET input_sha256 = repeat('0', 64)")
    finally:
        await connection.close()
    material, parts = await gathered(cloister, Format.kto)
    assert [] == material
    assert parts.gathering.left_out["what the model was asked could not be made again byte for byte"] == 2


async def check_command(cloister: Cloister) -> None:
    """Check that the command refuses so little, and says why."""
    settings = cloister.settings
    assert settings.gitlab_token is not None
    out = settings.data_dir / "export"
    result = await asyncio.to_thread(
        run,
        "export",
        "--format",
        "classifier",
        "--out",
        str(out),
        CLOISTER_GITLAB_URL=str(settings.gitlab_url),
        CLOISTER_GITLAB_TOKEN=settings.gitlab_token.get_secret_value(),
        CLOISTER_DATABASE_URL=cloister.database_url,
        CLOISTER_DATA_DIR=str(settings.data_dir),
    )
    assert result.exit_code == 2
    assert "3 rows of at least 1000" in result.stderr
    assert "1 because the project had not allowed it then" in result.stderr
    assert not out.exists()
