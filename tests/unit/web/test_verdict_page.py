"""The page of a verdict says what the gate says, whatever stands in it, to those who may see it."""

from __future__ import annotations

import html
import re
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from bot.domain.findings import Severity
from bot.domain.forge import ForgeUser
from bot.domain.gate_verdict import Blocking, GateVerdict, Removed, ShownWaiver, Standing, VerdictState
from bot.domain.merge_request import MergeRequestRef
from bot.domain.run import Outcome, Run, RunState, Step
from bot.domain.verdict_links import VerdictLinks
from bot.domain.viewer import Viewer
from bot.domain.waivers import Source, State, Waiver
from bot.web.app import application
from bot.web.pages import page
from bot.web.verdict_page import Notice, Slip, VerdictDesk, verdict_page
from tests.viewers import seen_by

RUN, NEWER, OLD = uuid.UUID(int=1), uuid.UUID(int=2), uuid.UUID(int=3)
REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=3)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LINKS = VerdictLinks("https://cloister.example", b"k" * 32, signed=True)
KEY = LINKS.path(RUN).partition("?key=")[2]


def waiver_of(finding: Blocking, state: State, text: str) -> ShownWaiver:
    """Return a waiver of *finding* with *text* wherever text can be."""
    return ShownWaiver(
        finding=finding,
        state=state,
        waiver=uuid.UUID(int=9),
        until=date(2026, 1, 31),
        by=text,
        reason=text,
        source=Source.comment,
        iid=4,
    )


def standing(state: str = "blocked", *, text: str = "eval", final: bool = True, **more: object) -> Standing:
    """Return a standing with one of everything, *text* wherever text can be."""
    one = Blocking(
        fingerprint="0123456789abcdef",
        rule=text or "r",
        scanner="semgrep",
        severity=Severity.high,
        category="security",
        path=text or "p",
        line=3,
        end_line=4,
        title=text or "t",
        why=(text,),
        remedy=text,
        suppressed=True,
    )
    verdict = GateVerdict(
        run_id=RUN,
        ref=REF,
        head_sha="a" * 40,
        project_url="https://gitlab.example/group/app",
        merge_request_url="https://gitlab.example/group/app/-/merge_requests/3",
        state=VerdictState(state),
        final=final,
        description=text,
        blocking=(one,),
        blocking_count=4,
        suppressed=(one,),
        waived=(waiver_of(one.model_copy(update={"fingerprint": "f" * 16}), State.granted, text),),
        asked=(waiver_of(one, State.asked, text),),
        exceeded=(text,),
        unread=(text,),
        broken={text: text},
        shadowed=2,
        warnings=(text,),
        problems=(text,),
    )
    run = Run(
        id=RUN,
        ref=REF,
        head_sha="a" * 40,
        state=RunState.published,
        title=text,
        skipped={text: text},
        absent={text: text},
        steps={"scan:semgrep": Step(outcome=Outcome.partial, problem=text, not_analysed={text: text})},
        created_at=NOW,
    )
    return Standing(run, verdict, "m", NOW, **more)  # type: ignore[arg-type]


LEAD = Viewer(ForgeUser(5, "lead"), levels={7: 40})


class Book:
    """Knows of no waivers."""

    async def of(self, ref: MergeRequestRef) -> list[Waiver]:
        """Return none."""
        return []


class Clock:
    """Stands still."""

    def now(self) -> datetime:
        """Return the same time always."""
        return NOW


@dataclass
class Verdicts:
    """Knows one run."""

    known: Standing

    async def of_run(self, run_id: uuid.UUID) -> Standing | None:
        """Return it, if it is that one."""
        return self.known if run_id == self.known.run.id else None

    async def removed(self, run_id: uuid.UUID) -> Removed | None:
        """Return that another one is gone."""
        return Removed(7, NOW) if run_id == OLD else None


async def get(
    path: str,
    *,
    viewer: Viewer | None = None,
    known: Standing | None = None,
    links: VerdictLinks = LINKS,
) -> httpx.Response:
    """Return what somebody gets."""

    async def viewer_of(_: Request) -> Viewer | None:
        return viewer

    async def ready() -> list[str]:
        return []

    desk = VerdictDesk(Verdicts(known or standing()), links, Book(), Clock())  # type: ignore[arg-type]
    router = seen_by(viewer_of, verdict_page(desk))
    app = application(None, routers=[router], telemetry=None, exposition=lambda: b"", ready=ready)  # type: ignore[arg-type]
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://cloister.test"
    ) as client:
        return await client.get(path)


@given(st.text(max_size=40) | st.sampled_from(["<script>alert(1)</script>", '"><img src=x onerror=x>', "'"]))
def test_nothing_in_a_verdict_becomes_markup(text: str):
    """Paths, titles, reasons and all else are hostile text."""
    assert _tags(made(standing(text="x"))) == _tags(made(standing(text=text or "x")))


def made(known: Standing) -> str:
    """Return the page as a maintainer gets it who has just sent a form that is refused."""
    desk = VerdictDesk(Verdicts(known), LINKS, Book(), Clock())  # type: ignore[arg-type]
    text = known.run.title
    slip = Slip("0123456789abcdef", text, text, {"": text, "until": text, "because": text})
    shown = desk.values(known, LEAD, notice=Notice(text), slip=slip)
    return page("verdict.html", form_token="f", **shown).body.decode()


def _tags(body: str) -> list[str]:
    """Return all tags, in order, without the addresses in them and without what stands between."""
    # The link to a path is there for plain paths only.
    parts = re.findall(r"<[^>]*>", body)
    return [re.sub(r'"[^"]*"', '""', part) for part in parts if not re.match(r"</?a\b", part)]


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ("waiting", "Waiting"),
        ("passed", "Passed"),
        ("blocked", "Blocked"),
        ("undecided", "Undecided"),
        ("superseded", "Superseded"),
    ],
)
async def test_the_state_is_a_word_and_more(state: str, word: str):
    """Colour alone tells nothing to many; the sign beside it is not read out."""
    answer = await get(LINKS.path(RUN), known=standing(state))
    heading = answer.text.partition("<h1>")[2].partition("</h1>")[0]
    assert word == re.sub(r"<span aria-hidden=\"true\">.</span>|<[^>]+>", "", heading).strip()
    assert f"<title>{word}: merge request !3" in answer.text


async def test_words_in_another_language_say_so():
    """What the commit status says and what the model calls a finding; not what stands there before a verdict."""
    known = standing(text="x")
    verdict = known.verdict
    assert verdict is not None
    said = verdict.model_copy(
        update={
            "description": "2 个问题阻止合并",
            "blocking": (verdict.blocking[0].model_copy(update={"scanner": "model", "title": "循环越界"}),),
        }
    )
    review = known.run.policy.review.model_copy(update={"language": "zh-CN"})
    run = known.run.model_copy(update={"policy": known.run.policy.model_copy(update={"review": review})})
    text = (await get(LINKS.path(RUN), known=replace(known, run=run, verdict=said))).text
    early = (await get(LINKS.path(RUN), known=replace(known, run=run, verdict=None))).text
    assert '<span lang="zh">2 个问题阻止合并</span>' in text
    assert '<bdi lang="zh-CN">循环越界</bdi>' in text
    assert "<span>the review begins</span>" in early or "<span>waiting for" in early
    assert text.count('lang="zh') == 2


async def test_it_looks_again_until_there_is_a_verdict():
    """Without a script, and not any longer."""
    waiting = await get(LINKS.path(RUN), known=standing("waiting", final=False))
    assert '<meta http-equiv="refresh" content="5">' in waiting.text
    assert "http-equiv" not in (await get(LINKS.path(RUN))).text


async def test_it_says_what_blocks_and_what_to_do():
    """With a link to the line at that commit, by the name that people type, and the newer run if there is one."""
    answer = await get(LINKS.path(RUN), known=standing(text="src/a.py", successor=NEWER))
    text = html.unescape(answer.text)
    assert f'href="https://gitlab.example/group/app/-/blob/{"a" * 40}/src/a.py#L3-4"' in text
    assert "<code>01234567</code>" in text
    assert "3 more block and are not listed" in text
    assert f'href="{LINKS.path(NEWER)}"' in text
    assert "no-store" in answer.headers["cache-control"]


def reads(*projects: int, **more: bool) -> Viewer:
    """Return somebody who reads these projects."""
    return Viewer(ForgeUser(1, "dev"), levels=dict.fromkeys(projects, 20), **more)


@pytest.mark.parametrize(
    ("path", "viewer", "status"),
    [
        (f"/verdicts/{RUN}?key={KEY}", None, 200),
        (f"/verdicts/{RUN}?key={KEY[:-1]}", None, 303),
        (f"/verdicts/{RUN}?key=%C3%A4", None, 303),
        (f"/verdicts/{RUN}", None, 303),
        (f"/verdicts/{NEWER}?key={KEY}", None, 303),
        (f"/verdicts/{NEWER}", None, 303),
        ("/verdicts/1", None, 303),
        (f"/verdicts/{RUN}", reads(7), 200),
        (f"/verdicts/{RUN}", reads(8), 404),
        (f"/verdicts/{NEWER}", reads(8), 404),
        (f"/verdicts/{NEWER}", reads(7, admin=True), 404),
        ("/verdicts/..%2f1", reads(7), 404),
        (f"/verdicts/{RUN}", reads(auditor=True), 200),
    ],
)
async def test_who_may_not_see_it_does_not_learn_whether_it_is_there(
    path: str, viewer: Viewer | None, status: int
):
    """Strangers are asked to come with a link or an account, others get the answer for what does not exist."""
    assert status == (await get(path, viewer=viewer)).status_code


@pytest.mark.parametrize(
    ("path", "viewer", "status"),
    [
        (f"/verdicts/{OLD}", None, 303),
        (LINKS.path(OLD), None, 410),
        (f"/verdicts/{OLD}", reads(7), 410),
        (f"/verdicts/{OLD}", reads(8), 404),
    ],
)
async def test_a_verdict_that_retention_removed_is_told_from_none(
    path: str, viewer: Viewer | None, status: int
):
    """With the day, and only to those who could have seen it."""
    answer = await get(path, viewer=viewer)
    told = f"was removed on {NOW:%Y-%m-%d}, by retention" in answer.text
    assert (status, status == 410) == (answer.status_code, told)


async def test_where_people_sign_in_no_link_opens_a_page():
    """It could be passed on."""
    links = VerdictLinks("https://cloister.example", b"k" * 32)
    answer = await get(f"/verdicts/{RUN}?key={KEY}", links=links)
    assert (303, True) == (answer.status_code, answer.headers["location"].startswith("/sign-in?to="))


async def test_a_run_without_a_verdict_has_a_page():
    """Its code is not there yet."""
    run = Run(id=RUN, ref=REF, head_sha="a" * 40, created_at=NOW)
    answer = await get(LINKS.path(RUN), known=Standing(run, None, "m", NOW))
    assert (200, True) == (answer.status_code, "the review begins" in answer.text)
