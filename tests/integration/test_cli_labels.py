"""`cloister labels` on a real database."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.histories import RECIPES, histories
from tests.ledger import store
from tests.unit.cli.command import run


async def cloister(database_url: str, *arguments: str) -> Any:
    """Run a command on the database."""
    return await asyncio.to_thread(run, *arguments, CLOISTER_DATABASE_URL=database_url)


async def test_labels_are_rebuilt_and_shown(pool: Any, database_url: str) -> None:
    """With the definition of what counts, as a table and as JSON, for all or for one comment."""
    truth = list(histories(len(RECIPES)))
    await store(pool, truth)
    assert "run `cloister labels rebuild`" in (await cloister(database_url, "labels", "show")).stdout
    done = json.loads((await cloister(database_url, "labels", "rebuild", "--json")).stdout)
    assert {
        "label_version": 1,
        "labelled": len(truth),
        "changed": len(truth),
        "resumed_at": None,
        "passed_over": 0,
    } == done
    again = (await cloister(database_url, "labels", "rebuild")).stdout
    assert again == f"{len(truth)} comments labelled by version 1, 0 labels new or changed\n"
    shown = json.loads((await cloister(database_url, "labels", "show", "--json")).stdout)
    counted = [one.label for one in truth if one.label.counts]
    assert (sum(label.accepted for label in counted), len(counted)) == (shown["accepted"], shown["of"])
    table = (await cloister(database_url, "labels", "show")).stdout
    assert f"{shown['accepted']} of {shown['of']} comments that are not censored" in table
    assert "unknown (contradictory)" in table
    comment = str(truth[0].comment.id)
    (entry,) = json.loads(
        (await cloister(database_url, "labels", "show", "--comment", comment, "--json")).stdout
    )
    assert (truth[0].label.value, 1) == (entry["label"], entry["label_version"])
    assert (
        truth[0].label.value in (await cloister(database_url, "labels", "show", "--comment", comment)).stdout
    )


async def test_what_is_asked_wrongly_is_refused(database_url: str) -> None:
    """With what is wrong about it."""
    for options, said in (
        (("show", "--comment", "x"), "no id of a comment"),
        (("rebuild", "--since", "soon"), "is no time"),
        (("show", "--project", "4711"), "no comment was posted in a project 4711"),
    ):
        result = await cloister(database_url, "labels", *options)
        assert result.exit_code == 2
        assert said in " ".join(result.stderr.split())
    assert "there are no comments yet" in (await cloister(database_url, "labels", "show")).stdout
    since = await cloister(database_url, "labels", "show", "--since", "2w")
    assert "no comment was posted since then" in since.stdout
