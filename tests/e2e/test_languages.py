"""A project is spoken to in its language: by the model, and in all that is ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from bot.demo.planted import confirming
from bot.demo.script import Reply
from tests.cloister import Cloister

CODE = "def first(rows):\n    return rows[0]\n"


def chinese(request: Mapping[str, Any]) -> Reply:
    """Answer in Chinese if that was asked for."""
    asked = "language with the code zh" in str(request["messages"])
    title, message = ("空列表会越界", "rows为空时，rows[0]抛出IndexError。")
    found = {
        "path": "util.py",
        "line": 2,
        "end_line": 2,
        "quote": "    return rows[0]",
        "category": "correctness",
        "severity": "medium",
        "confidence": "high",
        "title": title if asked else "not asked",
        "message": message,
    }
    return Reply(json.dumps({"findings": [found]}, ensure_ascii=False))


@pytest.mark.parametrize("language", ["zh-CN"])
async def test_everything_is_in_chinese(cloister: Cloister, language: str) -> None:
    """The thread, the summary, the status and the answers to comments."""
    gitlab = cloister.gitlab
    cloister.ollama.script = confirming(chinese)
    project = gitlab.server.create_project(
        "group/zhongwen",
        {"README.md": "甲\n", ".cloister.yml": f"review:\n  language: {language}\n"},
        members={gitlab.bot: 30, gitlab.developer: 30},
    )
    gitlab.server.add_hook(project, cloister.webhook_url, cloister.settings.webhook_secret.get_secret_value())
    opened = gitlab.server.open_merge_request(project, "feature", {"util.py": CODE}, author=gitlab.developer)
    outcome = await cloister.outcome(opened)
    (thread,) = outcome.threads
    assert thread["body"].startswith("**中：空列表会越界**\n\nrows为空时，`rows[0]`抛出IndexError。")
    assert "置信度高。有意为之或判断有误？" in thread["body"]
    assert outcome.summary.startswith("**没有阻断合并的问题。**\n\n风险：中：1 个中等问题。")
    assert "<details><summary>改动（1）</summary>" in outcome.summary
    (status,) = [one for one in project.statuses if not one.retried]
    assert status.description == "没有阻断合并的问题"
    gitlab.server.reply(opened, thread_of(opened), "@cloister ignore 测试数据从不为空", user=gitlab.developer)
    await cloister.idle()
    assert "已记录：不再提出此问题。理由：测试数据从不为空" in opened.discussions[thread_of(opened)][-1].body


def thread_of(merge_request: Any) -> str:
    """Return the discussion of the one thread."""
    (found,) = {note.discussion_id for note in merge_request.notes if note.resolvable}
    return str(found)
