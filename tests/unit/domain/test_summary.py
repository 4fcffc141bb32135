"""The summary tells the verdict and everything that was not said inline, and cannot act."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.domain.coverage import Covered
from bot.domain.findings import Finding, Severity
from bot.domain.merge_request import MergeRequestRef
from bot.domain.policy import Role, Verdict
from bot.domain.policy_waivers import Waivers
from bot.domain.review_result import FileChange, Listed, ReviewResult
from bot.domain.risk import Ground, Level, Reason, Risk
from bot.domain.summary import permalink, project_url, summary
from bot.domain.waiver_offer import way_out
from bot.domain.waivers import About, Deed, Source, Waiver, WaiverStep
from bot.domain.waivers_standing import AskedFor, Waived

MARKER = "<!-- cloister:v1:summary:" + "0" * 64 + " -->"
PROJECT = "https://gitlab.example/group/app"
SHA = "abcdef12" + "0" * 32


def finding(**values: object) -> Finding:
    """Return a grave finding of Semgrep."""
    base = {
        "scanner": "semgrep",
        "rule": "r",
        "category": "security",
        "severity": Severity.high,
        "path": "src/a.py",
        "line": 3,
        "end_line": 5,
        "title": "SQL built from user input",
        "message": "m",
    }
    return Finding.model_validate(base | values)


def test_a_full_summary_reads_well() -> None:
    """Verdict, counts, tables, lists, footer and marker, in this order."""
    minor = finding(
        severity=Severity.low, title="Unused name", path="b.py", line=7, end_line=7, scanner="model"
    )
    result = ReviewResult(
        head_sha=SHA,
        verdict=Verdict(passed=False, blocking=(finding(),)),
        project_url=PROJECT,
        inline=(finding(),),
        listed=(Listed(minor, "over the budget of 5"),),
        suppressed=(finding(title="Weak hash"),),
        skipped={"model": "no model is configured"},
        not_reviewed={"yarn.lock": "lock file"},
        problems=("line 2: 'gate.blok_at' is not a known key",),
        risk=Risk(Level.high, (Reason(Ground.grave_findings, 1, 3), Reason(Ground.untested, 1, 1))),
        changes=(
            FileChange("src/a.py", 38, 2, "finds users by name"),
            FileChange("yarn.lock", 2, 0, "new file"),
        ),
        files=2,
        reviewed=1,
        covered=(
            Covered("src/a.py", ("semgrep", "secrets"), prompts=2),
            Covered("b|c.py", ("secrets",), since="98765432" + "0" * 32),
        ),
        added_lines=40,
        tokens=1200,
        seconds=12.4,
    )
    link = f"[`src/a.py:3`]({PROJECT}/-/blob/{SHA}/src/a.py#L3-5)"
    expected = f"""**Blocked by 1 finding.** The first: SQL built from user input.

Risk: high: 1 grave finding, code changes without tests.

1 high, 1 low.

Not commented in the diff (1):

| Severity | Place | Finding | Why |
|---|---|---|---|
| low | [`b.py:7`]({PROJECT}/-/blob/{SHA}/b.py#L7) | Unused name (model) | over the budget of 5 |

Suppressed by a comment in the code (1); check that this is intended:

| Severity | Place | Finding |
|---|---|---|
| high | {link} | Weak hash (semgrep) |

Skipped:

- model: no model is configured

Problems:

- line 2: '`gate.blok_at`' is not a known key

<details><summary>Commented in the diff (1)</summary>

| Severity | Place | Finding |
|---|---|---|
| high | {link} | SQL built from user input (semgrep) |

</details>

<details><summary>Changes (2)</summary>

| File | Lines | What changes |
|---|---|---|
| `src/a.py` | +38 −2 | finds users by name |
| `yarn.lock` | +2 −0 | new file |

</details>

<details><summary>Coverage: 1 of 2 files reviewed</summary>

| File | Reviewed by |
|---|---|
| `src/a.py` | semgrep, secrets, model in 2 prompts |
| `b¦c.py` | secrets, model before |

What has not changed since `98765432` was reviewed by the model before; its findings still count.

Not reviewed (1):

- `yarn.lock`: lock file

</details>

Reviewed `abcdef12`: 2 files, 40 added lines, 1200 tokens, 12 s.

{MARKER}"""
    assert summary(result, marker=MARKER) == expected


def test_what_is_only_in_a_commit_is_linked_there() -> None:
    """The head does not have the line any more."""
    past = finding(commit="c" * 40)
    result = ReviewResult(
        head_sha=SHA, verdict=Verdict(passed=True), project_url=PROJECT, listed=(Listed(past, "in the past"),)
    )
    assert f"[`src/a.py:3`]({PROJECT}/-/blob/{'c' * 40}/src/a.py#L3-5)" in summary(result, marker=MARKER)


def test_silence_is_said() -> None:
    """A clean review says so, and that the model is still at work."""
    clean = ReviewResult(head_sha=SHA, verdict=Verdict(passed=True), files=1)
    assert "**No blocking findings.**\n\nNothing to report.\n\nReviewed" in summary(clean, marker=MARKER)
    waiting = ReviewResult(head_sha=SHA, verdict=Verdict(passed=True), pending=("model",))
    assert "Not finished yet: model." in summary(waiting, marker=MARKER)
    assert "Nothing" not in summary(waiting, marker=MARKER)


def test_long_results_are_counted_not_shown() -> None:
    """Tables and lists end in a count, the body stays small."""
    wide = "`|<@" * 2_000
    many = tuple(finding(title=wide, path=wide, line=n, end_line=n) for n in range(1, 400))
    result = ReviewResult(
        head_sha=SHA,
        verdict=Verdict(passed=False, blocking=many),
        project_url=PROJECT,
        inline=many,
        listed=tuple(Listed(one, wide) for one in many),
        suppressed=many,
        not_reviewed={f"{wide}{n}": wide for n in range(400)},
        skipped={f"{wide}{n}": wide for n in range(400)},
        problems=(wide,) * 400,
        changes=tuple(FileChange(f"{wide}{n}", 1, 1, wide) for n in range(399)),
        covered=tuple(Covered(f"{wide}{n}", ("x",)) for n in range(399)),
        pending=(wide,) * 400,
    )
    body = summary(result, marker=MARKER)
    assert len(body) < 200_000
    assert body.count("and 349 more") == 5
    assert body.count("and 380 more") == 3


@pytest.mark.parametrize(
    ("instance", "merge_request", "expected"),
    [
        ("https://gitlab.example", f"{PROJECT}/-/merge_requests/3", PROJECT),
        ("https://gitlab.example/", f"{PROJECT}/-/merge_requests/3", PROJECT),
        ("https://h:8443/git", "https://h:8443/git/a/b/-/merge_requests/3", "https://h:8443/git/a/b"),
        ("https://gitlab.example", "https://gitlab.example.evil/a/b/-/merge_requests/3", ""),
        ("https://gitlab.example", "https://evil.example/a/b/-/merge_requests/3", ""),
        ("https://gitlab.example", "https://gitlab.example/a)b/-/merge_requests/3", ""),
        ("https://gitlab.example", "https://gitlab.example/../b/-/merge_requests/3", ""),
        ("https://gitlab.example", PROJECT, ""),
    ],
)
def test_links_stay_on_the_instance(instance: str, merge_request: str, expected: str) -> None:
    """A project elsewhere, or with odd characters, is not linked."""
    assert project_url(instance, merge_request) == expected


@pytest.mark.parametrize("path", ["../x", "a/./b", "/etc", "a//b", ""])
def test_odd_paths_are_not_linked(path: str) -> None:
    """A browser would lead such a link elsewhere."""
    assert permalink(PROJECT, SHA, path, 1, 1) == ""


def test_addresses_are_encoded() -> None:
    """Spaces, brackets and other scripts survive the trip."""
    expected = f"{PROJECT}/-/blob/{SHA}/a%20b/%28x%29%23%3F/%C3%A9.py#L1"
    assert permalink(PROJECT, SHA, "a b/(x)#?/é.py", 1, 1) == expected


hostile = st.one_of(
    st.text(min_size=1),
    st.lists(st.sampled_from([*"/a@!1`~<>\n\r *[]()#|\\", "```", "<!--", "-->", "/close"]), min_size=1).map(
        "".join
    ),
)


def test_a_blocked_summary_says_what_else_can_be_done() -> None:
    """With the line to copy, in every language, and nothing where nobody may."""
    grave = finding(fingerprint="1a2b3c4d" * 4)
    verdict = Verdict(passed=False, blocking=(grave,))
    command = way_out(verdict, Waivers(max_days=14))
    blocked = ReviewResult(head_sha=SHA, verdict=verdict, way_out=command)
    spoken = "`@cloister waive 1a2b3c4d for 14 days because REASON`"
    english = f"Mend it, or comment {spoken} to let it pass for a while, or to ask for that."
    chinese = f"请修复此问题；若要暂时放行或申请放行，请评论 {spoken}。"
    assert summary(blocked, marker=MARKER).split("\n\n")[1] == english
    assert summary(replace(blocked, language="zh"), marker=MARKER).split("\n\n")[1] == chinese
    assert "waive" not in summary(replace(blocked, way_out=""), marker=MARKER)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "**Not reviewed yet.** The policy leaves drafts out until they are marked as ready."),
        ("zh", "**尚未评审。** 按照策略，草稿在标记为就绪后才评审。"),
    ],
)
def test_a_draft_that_nobody_looked_at_gets_no_verdict(language: str, said: str) -> None:
    """Nor does the note say that it was reviewed."""
    result = ReviewResult(head_sha=SHA, verdict=Verdict(passed=True), left_out=True, language=language)
    assert summary(result, marker=MARKER).split("\n\n")[0] == said
    assert SHA[:8] not in summary(result, marker=MARKER)


def test_the_way_out_is_one_that_is_open() -> None:
    """Not for what is never waived, nor for what somebody has asked for already."""
    token = finding(fingerprint="a" * 32, scanner="secrets", severity=Severity.critical)
    flaw, other = finding(fingerprint="b" * 32), finding(fingerprint="c" * 32)
    verdict = Verdict(passed=False, blocking=(token, flaw, other), asked=(AskedFor(flaw),))
    usual = "for 30 days because REASON"
    assert way_out(verdict, Waivers()) == f"@cloister waive {'a' * 8} {usual}"
    assert way_out(verdict, Waivers(never=("secrets",))) == f"@cloister waive {'c' * 8} {usual}"
    assert way_out(verdict, Waivers(never=("secrets", "semgrep"))) == ""
    assert way_out(verdict, Waivers(grant=Role.nobody)) == ""


@given(hostile, hostile, hostile)
def test_hostile_results_are_inert(title: str, path: str, reason: str) -> None:
    """Nothing in a result acts, tables keep their shape, and all links lead to our files."""
    one = finding(title=title, path=path, scanner=title)
    result = ReviewResult(
        head_sha=SHA,
        verdict=Verdict(passed=False, blocking=(one,)),
        project_url=PROJECT,
        inline=(one,),
        listed=(Listed(one, reason),),
        suppressed=(one,),
        skipped={title: reason},
        not_reviewed={path: reason},
        pending=(title,),
        problems=(reason,),
        changes=(FileChange(path, 1, 1, title),),
        covered=(Covered(path, (title,)),),
    )
    body = summary(result, marker=MARKER)
    assert body.split("\n")[-1] == MARKER
    assert re.search("^/[A-Za-z]", body.replace("\r", ""), re.MULTILINE) is None
    tokens = MarkdownIt("commonmark").enable("table").parse(body)
    blocks = [token.content.strip() for token in tokens if token.type == "html_block"]
    folds = ["Commented in the diff (1)", "Changes (1)", "Coverage: 0 of 0 files reviewed"]
    opened = [part for title in folds for part in (f"<details><summary>{title}</summary>", "</details>")]
    assert blocks == [*opened, MARKER]
    assert sum(token.type in {"th_open", "td_open"} for token in tokens) == 30
    inner = [child for token in tokens for child in token.children or []]
    assert {child.type for child in inner} & {"image", "html_inline"} == set()
    links = [str(child.attrs["href"]) for child in inner if child.type == "link_open"]
    assert [link for link in links if not link.startswith(f"{PROJECT}/-/blob/{SHA}/")] == []


@pytest.mark.parametrize(
    ("files", "not_reviewed", "told"), [(1, {}, False), (2, {}, True), (1, {"a": "x"}, True)]
)
def test_one_file_that_was_read_needs_no_receipt(
    files: int, not_reviewed: dict[str, str], told: bool
) -> None:
    """Of several files each is told, and one that was not read too."""
    covered = tuple(Covered(f"{name}.py", ("secrets",)) for name in "ab"[:files])
    result = ReviewResult(
        head_sha=SHA,
        verdict=Verdict(passed=True),
        files=files,
        reviewed=files - len(not_reviewed),
        covered=covered,
        not_reviewed=not_reviewed,
    )
    body = summary(result, marker=MARKER)
    assert told == ("Coverage: " in body) == ("| `a.py` | secrets |" in body)


def test_a_model_without_an_answer_is_followed_by_what_to_do() -> None:
    """Whoever reads that there was none also reads how to get one."""
    broken = ReviewResult(
        head_sha=SHA, verdict=Verdict(passed=True), skipped={"model review": "it is empty"}, unanswered=True
    )
    body = summary(broken, marker=MARKER)
    assert (
        "- model review: it is empty\n\nThe model has not reviewed this. Comment `@cloister review`" in body
    )
    assert "`cloister model check`" in body
    assert "@cloister review" not in summary(replace(broken, unanswered=False), marker=MARKER)


def test_a_secret_in_the_name_of_a_file_is_masked() -> None:
    """There is no link either, for its address would have to name the file."""
    result = ReviewResult(
        head_sha=SHA,
        verdict=Verdict(passed=True),
        project_url=PROJECT,
        inline=(finding(path="s3cret/a.py"), finding(path="b.py")),
        not_reviewed={"s3cret.lock": "lock file"},
    )
    body = summary(result, marker=MARKER, redact=lambda text: text.replace("s3cret", "[secret:x]"))
    assert "s3cret" not in body
    assert "| `[secret:x]/a.py:3` |" in body
    assert f"[`b.py:3`]({PROJECT}/-/blob/{SHA}/b.py#L3-5)" in body
    assert "`[secret:x].lock`: lock file" in body


def test_a_summary_in_chinese_reads_well() -> None:
    """All of ours is Chinese, reasons that other parts give in English too; tables keep their shape."""
    result = ReviewResult(
        head_sha=SHA,
        verdict=Verdict(passed=False, blocking=(finding(title="用户输入|拼接成 SQL"),)),
        listed=(Listed(finding(title="用户输入|拼接成 SQL"), "enough comments already"),),
        skipped={"model review": "no model is configured"},
        not_reviewed={"锁.lock": "lock file; only secrets looked at it"},
        pending=("semgrep", "secrets"),
        risk=Risk(Level.medium, (Reason(Ground.size, 500, 1), Reason(Ground.pipeline, 2, 1))),
        changes=(FileChange("源码/甲.py", 3, 1, "renamed from 乙.py"),),
        paused=True,
        files=2,
        reviewed=1,
        covered=(Covered("源码/甲.py", ("semgrep", "secrets"), 1, ""), Covered("乙.py", (), 0, "98765432")),
        added_lines=1,
        seconds=3.2,
        language="zh-CN",
    )
    expected = f"""**有 1 个问题阻断合并。** 首要问题：`用户输入|拼接成` SQL。

已暂停：在 `@cloister resume` 之前，只有用 `@cloister review` 要求时才评审新提交。

尚未完成：semgrep, 密钥扫描。本评论会随之更新。

风险：中：改动 500 行，改动流水线或部署。

1 高。

未在差异中评论（1）：

| 严重程度 | 位置 | 问题 | 原因 |
|---|---|---|---|
| 高 | `src/a.py:3` | 用户输入¦拼接成 SQL (semgrep) | 评论数量已达上限 |

未执行：

- 模型评审：没有配置模型

<details><summary>改动（1）</summary>

| 文件 | 行数 | 改动内容 |
|---|---|---|
| `源码/甲.py` | +3 −1 | 由 `乙.py` 重命名 |

</details>

<details><summary>覆盖范围：2 个文件中已评审 1 个</summary>

| 文件 | 评审者 |
|---|---|
| `源码/甲.py` | semgrep，密钥扫描，模型（1 条提示） |
| `乙.py` | 模型（此前） |

自 `98765432` 以来未改动的部分此前已由模型评审，其结果仍然有效。

未评审（1）：

- `锁.lock`：锁文件；只有 密钥扫描 检查过

</details>

已评审 `abcdef12`：2 个文件，新增 1 行，3 秒。

{MARKER}"""
    assert expected == summary(result, marker=MARKER)


def test_waivers_are_told_with_who_until_when_and_why() -> None:
    """And those that are asked for, with the command that grants them; names are longer where they are alike."""
    one, other, excused = (
        finding(fingerprint=mark * 32, title=title)
        for mark, title in (("a", "Waived"), ("b", "Asked"), ("c", "Excused"))
    )
    step = WaiverStep(
        waiver=uuid.UUID(int=1),
        deed=Deed.granted,
        ref=MergeRequestRef(instance="gitlab.example", project_id=7, iid=3),
        about=About.of(one, None),
        branch="main",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        source=Source.comment,
        name="lead",
        until=date(2026, 2, 1),
        reason="the table is empty",
    )
    asked = step.model_copy(update={"deed": Deed.asked, "name": "dev"})
    verdict = Verdict(
        passed=False,
        blocking=(other, excused),
        waived=(Waived(one, Waiver((step,))),),
        asked=(AskedFor(other, Waiver((asked,))), AskedFor(excused)),
    )
    result = ReviewResult(head_sha=SHA, verdict=verdict, max_days=7)
    body = summary(result, marker=MARKER)
    assert (
        """\
Waivers asked for (2):

| Severity | Place | Finding | Name | Why |
|---|---|---|---|---|
| high | `src/a.py:3` | Asked (semgrep) | `bbbbbbbb` | until 2026-02-01 asked for by dev: the table is empty |
| high | `src/a.py:3` | Excused (semgrep) | `cccccccc` | a comment in the code asks to ignore it |

Who may grant one comments `@cloister waive NAME for 7 days because REASON`.

Waived (1):

| Severity | Place | Finding | Name | Why |
|---|---|---|---|---|
| high | `src/a.py:3` | Waived (semgrep) | `aaaaaaaa` | until 2026-02-01 by lead: the table is empty |

`@cloister unwaive NAME` takes a waiver back.
"""
        in body
    )
    chinese = summary(ReviewResult(head_sha=SHA, verdict=verdict, language="zh"), marker=MARKER)
    assert "由 lead 放行至 2026-02-01：the table is empty" in chinese
    assert "代码中的注释要求忽略它" in chinese
