"""Pipelines of merge requests are announced when they begin, so that the commit status joins them."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.events import BranchPipelineSeen, MergeRequestChanged, PipelineSeen
from bot.hooks import Ignored, Malformed, translate


def body(*, merge_request: object = None, **changes: Any) -> dict[str, Any]:
    """Return a pipeline hook; *changes* replace fields of the pipeline."""
    pipeline = {"id": 31, "sha": "a" * 40, "source": "merge_request_event", "status": "pending"}
    return {
        "object_kind": "pipeline",
        "project": {"id": 9},
        "object_attributes": {**pipeline, **changes},
        "merge_request": merge_request or {"id": 99, "iid": 2, "target_project_id": 3},
    }


@pytest.mark.parametrize("status", ["created", "waiting_for_resource", "preparing", "pending", "running"])
def test_a_pipeline_that_begins_is_announced(status: str) -> None:
    """For the merge request's own project, wherever it runs."""
    event = translate(body(status=status), instance="gitlab.example")
    assert isinstance(event, PipelineSeen)
    assert (3, 2, 31) == (event.ref.project_id, event.ref.iid, event.pipeline_id)
    assert "31:gitlab.example:3:2" == event.discriminator


@pytest.mark.parametrize(
    "ignored",
    [
        body(status="success"),
        body(status=None),
        body(source="external"),
        body(source="external") | {"merge_request": None},
        body(source="parent_pipeline") | {"merge_request": None},
        body(source="push", tag=True) | {"merge_request": None},
        body(source="push", status="failed") | {"merge_request": {}},
    ],
)
def test_others_are_not(ignored: dict[str, Any]) -> None:
    """Above all none that our own status has made or changed: there would be no end."""
    assert isinstance(translate(ignored, instance="gitlab.example"), Ignored)


@pytest.mark.parametrize("source", ["push", "web", "schedule", "api", "trigger"])
def test_a_pipeline_of_a_branch_is_announced_by_its_commit(source: str) -> None:
    """It does not say which merge requests have that head, so they are looked up later."""
    event = translate(body(source=source) | {"merge_request": None}, instance="gitlab.example")
    assert isinstance(event, BranchPipelineSeen)
    assert (9, "a" * 40, 31) == (event.project_id, event.sha, event.pipeline_id)
    assert f"gitlab.example:9:{'a' * 40}" == event.key


@pytest.mark.parametrize(
    "broken",
    [
        body(sha=None) | {"merge_request": None},
        body(sha="main") | {"merge_request": None},
        body() | {"merge_request": None, "project": {}},
        body(id=None),
        body(id=-1),
        body(merge_request={"id": 4}),
        body(merge_request={"iid": "2"}),
    ],
)
def test_what_names_nothing_is_refused(broken: dict[str, Any]) -> None:
    """A custom template must keep the ids."""
    with pytest.raises(Malformed):
        translate(broken, instance="gitlab.example")


def asked(action: str = "update", **fields: Any) -> dict[str, Any]:
    """Return what an external status check sends."""
    attributes = {
        "iid": 2,
        "target_project_id": 3,
        "action": action,
        "state": "opened",
        "last_commit": {"id": "a" * 40},
    }
    return {
        "object_kind": "merge_request",
        "object_attributes": attributes | fields,
        "external_approval_rule": {"id": 1, "name": "cloister"},
    }


def test_a_status_check_asks_for_the_verdict_anew() -> None:
    """Without new commits too; nothing is scanned again."""
    event = translate(asked(), instance="gitlab.example")
    assert isinstance(event, MergeRequestChanged)
    assert (True, False, "a" * 40) == (event.redecide, event.again, event.head_sha)
    del (plain := asked())["external_approval_rule"]
    assert isinstance(translate(plain, instance="gitlab.example"), Ignored)


def test_our_own_approval_asks_for_nothing() -> None:
    """It would be given again and again."""
    assert isinstance(translate(asked("approved"), instance="gitlab.example"), Ignored)
