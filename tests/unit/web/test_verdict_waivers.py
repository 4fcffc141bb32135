"""Forms on a verdict ask for waivers, grant them and take them back, for those whom policy and GitLab let."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from bot.domain.audit_log import Act
from bot.domain.errors import Refused
from bot.domain.events import Record, WaiverRequested
from bot.domain.findings import Severity
from bot.domain.forge import ForgeMember, ForgeMergeRequest, ForgeUser
from bot.domain.gate_verdict import Blocking, GateVerdict, ShownWaiver, Standing, VerdictState
from bot.domain.merge_request import MergeRequestRef
from bot.domain.policy import Policy, Role, Waivers
from bot.domain.run import Run, RunState
from bot.domain.verdict_links import VerdictLinks
from bot.domain.viewer import Via, Viewer
from bot.domain.waivers import About, Deed, Source, State, Waiver, WaiverStep, fold
from bot.domain.waiving import Said
from bot.web.app import application
from bot.web.verdict_page import VerdictDesk, verdict_page
from bot.web.verdict_waivers import _REFUSALS, Counter, verdict_waivers
from tests.viewers import seen_by

RUN, FORM = uuid.UUID(int=1), str(uuid.UUID(int=77))
REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=3)
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
MARK, OTHER = "1" * 32, "2" * 32
LEAD, DEVELOPER, STRANGER = 6, 8, 9
LEVELS = {LEAD: 40, DEVELOPER: 30, STRANGER: 20}
UNTIL, WHY = "2026-12-24", "the table is read-only"


def finding(mark: str = MARK, **changes: Any) -> Blocking:
    """Return what blocks."""
    usual = {
        "fingerprint": mark,
        "rule": "sql",
        "scanner": "semgrep",
        "severity": Severity.high,
        "category": "security",
        "path": "app.py",
        "line": 2,
        "end_line": 2,
        "title": f"Flaw {mark[0]}",
        "anchor": "1:a",
    }
    return Blocking.model_validate(usual | changes)


def waiver(deed: Deed = Deed.asked, by: int = DEVELOPER, mark: str = MARK) -> Waiver:
    """Return a waiver of that finding."""
    step = WaiverStep(
        waiver=uuid.UUID(int=5),
        deed=deed,
        ref=REF,
        about=About.of(finding(mark).as_finding(), RUN),
        branch="main",
        at=NOW,
        source=Source.comment,
        by=by,
        name=f"user{by}",
        until=date(2026, 12, 1),
        reason="somebody asked",
    )
    return fold([step])[0]


def shown(one: Waiver) -> ShownWaiver:
    """Return how a verdict shows it."""
    state = State.granted if one.grant else State.asked
    return ShownWaiver(
        finding=finding(one.fingerprint),
        state=state,
        waiver=one.id,
        until=one.said.until,
        by=one.said.name,
        reason=one.said.reason,
        source=Source.comment,
        iid=3,
    )


def person(number: int, **changes: Any) -> Viewer:
    """Return somebody who has signed in with GitLab."""
    return Viewer(ForgeUser(number, f"user{number}"), levels={7: LEVELS[number]}, **changes)


OPERATOR = Viewer(ForgeUser(0, "operator"), admin=True, via=Via.link)


@dataclass
class Desk:
    """One verdict with one finding that blocks, and everything that its forms need."""

    allowed: Waivers = field(default_factory=Waivers)
    waivers: Sequence[Waiver] = ()
    changes: dict[str, Any] = field(default_factory=dict)
    standing_changes: dict[str, Any] = field(default_factory=dict)
    levels: dict[int, int] = field(default_factory=lambda: dict(LEVELS))
    found: dict[str, Any] = field(default_factory=dict)
    sent: list[Record] = field(default_factory=list)
    ended: list[tuple[WaiverStep, Act]] = field(default_factory=list)

    async def of_run(self, run_id: uuid.UUID) -> Standing | None:
        """Return the verdict."""
        verdict = GateVerdict(
            run_id=RUN,
            ref=REF,
            head_sha="a" * 40,
            state=VerdictState.blocked,
            final=True,
            blocking=(finding(),),
            blocking_count=1,
            waived=tuple(shown(one) for one in self.waivers if one.grant),
            asked=tuple(shown(one) for one in self.waivers if not one.grant),
        )
        run = Run(
            id=RUN,
            ref=REF,
            head_sha="a" * 40,
            state=RunState.published,
            policy=Policy(waivers=self.allowed),
            created_at=NOW,
        )
        kept = verdict.model_copy(update=self.changes)
        return Standing(run, kept, "m", NOW, **self.standing_changes) if run_id == RUN else None

    async def of(self, ref: MergeRequestRef) -> list[Waiver]:
        """Return what is known of waivers."""
        return list(self.waivers)

    async def end(self, step: WaiverStep, act: Act) -> None:
        """Remember what the operator ends."""
        self.ended.append((step, act))

    async def append(self, records: Sequence[Record]) -> int:
        """Remember what goes on the log."""
        self.sent += records
        return len(records)

    async def member(self, project_id: int, user_id: int) -> ForgeMember:
        """Return what GitLab says of somebody."""
        if user_id not in self.levels:
            raise Refused("404 Not Found")
        return ForgeMember(ForgeUser(user_id, f"user{user_id}"), self.levels[user_id])

    async def wrote(self, ref: MergeRequestRef, user_id: int) -> bool:
        """Return what GitLab says of commits."""
        return False

    async def merge_request(self, ref: MergeRequestRef) -> ForgeMergeRequest:
        """Return what GitLab says of the merge request."""
        usual = {
            "ref": ref,
            "title": "t",
            "description": "",
            "state": "opened",
            "draft": False,
            "head_sha": "a" * 40,
            "revision": None,
            "target_branch": "main",
            "source_branch": "f",
            "source_project_id": 7,
            "web_url": "",
        }
        return ForgeMergeRequest(**usual | self.found)

    async def redaction(self) -> Callable[[str], str]:
        """Return what masks one secret."""
        return lambda text: text.replace("hunter22", "[secret]")

    def now(self) -> datetime:
        """Return the time."""
        return NOW

    async def ask(
        self, viewer: Viewer, method: str = "POST", path: str = "/waivers", **data: str
    ) -> httpx.Response:
        """Send a form as *viewer*."""

        async def viewer_of(_: Request) -> Viewer:
            return viewer

        async def ready() -> list[str]:
            return []

        desk = VerdictDesk(self, VerdictLinks("https://cloister.example"), self, self)  # type: ignore[arg-type]
        counter = Counter(desk, self, self, self.redaction)
        router = seen_by(viewer_of, verdict_page(desk), verdict_waivers(counter))
        app = application(None, routers=[router], telemetry=None, exposition=lambda: b"", ready=ready)  # type: ignore[arg-type]
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://cloister.test") as client:
            fields = {"form": FORM, "finding": MARK} | data if method == "POST" else None
            return await client.request(method, f"/verdicts/{RUN}{path}", data=fields)

    @property
    def words(self) -> list[tuple[int, str, bool]]:
        """Return what was asked on the log."""
        events = [record.event() for record in self.sent]
        return [
            (event.user_id, event.words, event.back) for event in events if isinstance(event, WaiverRequested)
        ]


def text_of(answer: httpx.Response) -> str:
    return " ".join(re.sub("<[^>]+>", " ", re.sub("</?bdi>", "", answer.text)).split())


@pytest.mark.parametrize("who", [LEAD, DEVELOPER])
async def test_what_may_come_of_something_goes_on_the_log(who: int) -> None:
    """As the account that asks; the page then tells what becomes of it."""
    desk = Desk()
    answer = await desk.ask(person(who), until=UNTIL, because=f" {WHY}\r\n\u202e hunter22 ")
    assert [(who, f"{MARK} until {UNTIL} because {WHY} [secret]", False)] == desk.words
    assert 303 == answer.status_code
    assert f"/verdicts/{RUN}?sent={desk.sent[0].id}&looks=0" == answer.headers["location"]


async def test_a_form_that_is_sent_twice_asks_once() -> None:
    """Whoever presses the button again gets the same event, which is known then."""
    desk = Desk()
    for _ in range(2):
        await desk.ask(person(LEAD), until=UNTIL, because=WHY)
    assert 1 == len({record.id for record in desk.sent})


async def test_what_was_asked_for_is_granted_by_a_button() -> None:
    """Without a day or a reason, by who may; who asked may not."""
    desk = Desk(waivers=[waiver()])
    page = await desk.ask(person(LEAD), "GET", "")
    assert "A waiver is asked for until 2026-12-01 by user8: somebody asked" in text_of(page)
    assert "Grant it as it was asked for" in page.text
    assert 303 == (await desk.ask(person(LEAD))).status_code
    assert [(LEAD, MARK, False)] == desk.words
    page = await desk.ask(person(DEVELOPER), "GET", "")
    assert "Grant it as it was asked for" not in page.text
    assert 422 == (await desk.ask(person(DEVELOPER))).status_code


@pytest.mark.parametrize("mine", [waiver(), waiver(Deed.granted, by=LEAD, mark=OTHER)])
async def test_a_waiver_is_taken_back(mine: Waiver) -> None:
    """Or the request for one."""
    desk = Desk(waivers=[mine])
    answer = await desk.ask(person(LEAD), path="/waivers/end", finding=mine.fingerprint)
    assert (303, [(LEAD, mine.fingerprint, True)]) == (answer.status_code, desk.words)


@pytest.mark.parametrize(
    ("data", "allowed", "said", "field_"),
    [
        ({"until": "24.12.2026", "because": WHY}, {}, "Write the day as in", "until"),
        ({"until": "2026-13-45", "because": WHY}, {}, "Write the day as in", "until"),
        ({"until": f"{UNTIL} because x", "because": WHY}, {}, "Write the day as in", "until"),
        ({"until": "2026-11-25", "because": WHY}, {}, "This day is over", "until"),
        ({"until": "2027-12-24", "because": WHY}, {}, "the policy allows 90 days", "until"),
        ({"until": UNTIL, "because": "\u202e\n"}, {}, "Say why", "because"),
        ({"until": UNTIL, "because": "no"}, {}, "at least 10 characters", "because"),
        ({}, {}, "Say until which day", "until"),
        ({"until": UNTIL, "because": WHY}, {"never": ("semgrep",)}, "The policy lets nobody", "form"),
    ],
)
async def test_a_refusal_stands_beside_its_field(
    data: dict[str, str], allowed: dict[str, Any], said: str, field_: str
) -> None:
    """With what was written; nothing goes on the log, and the page does not load itself away."""
    desk = Desk(Waivers(**allowed))
    answer = await desk.ask(person(LEAD), **data)
    assert 422 == answer.status_code
    (shown_,) = re.findall(rf'id="{field_}-problem-11111111">([^<]*)<', answer.text)
    assert said in shown_
    assert [] == desk.sent
    assert 'http-equiv="refresh"' not in answer.text
    assert f'value="{data.get("until", "")}"' in answer.text or allowed


@pytest.mark.parametrize(
    ("viewer", "desk", "status", "said"),
    [
        (person(STRANGER), Desk(), 403, "at least the role Developer"),
        (person(LEAD), Desk(levels={LEAD: 10}), 403, "at least the role Developer"),
        (person(LEAD), Desk(Waivers(grant=Role.nobody)), 403, "switched off"),
        (OPERATOR, Desk(), 403, "sign in with GitLab"),
        (person(LEAD), Desk(levels={}), 409, "404 Not Found"),
        (person(LEAD), Desk(found={"head_sha": "b" * 40}), 409, "newest verdict"),
        (person(LEAD), Desk(found={"state": "merged"}), 409, "newest verdict"),
        (person(LEAD), Desk(standing_changes={"closed": True}), 409, "newest verdict"),
        (person(LEAD), Desk(standing_changes={"successor": uuid.UUID(int=2)}), 409, "newest verdict"),
        (person(LEAD), Desk(changes={"blocking": ()}), 422, "no such finding"),
        (Viewer(ForgeUser(LEAD, "x"), levels={8: 40}), Desk(), 404, "no such verdict"),
    ],
)
async def test_nobody_asks_who_may_not_and_nothing_that_is_over(
    viewer: Viewer, desk: Desk, status: int, said: str
) -> None:
    """By what GitLab says now, whatever was true when they signed in."""
    answer = await desk.ask(viewer, until=UNTIL, because=WHY)
    assert (status, []) == (answer.status_code, desk.sent)
    assert said in text_of(answer)


async def test_the_merge_requests_own_people_ask_whatever_their_role() -> None:
    """As in comments."""
    desk = Desk(changes={"participants": (STRANGER,)}, found={"participants": frozenset({STRANGER})})
    assert "Ask for a waiver" in (await desk.ask(person(STRANGER), "GET", "")).text
    assert 303 == (await desk.ask(person(STRANGER), until=UNTIL, because=WHY)).status_code


async def test_the_operator_ends_waivers_and_says_why() -> None:
    """At once and on record; they have no account whose role GitLab could confirm, so they grant nothing."""
    desk = Desk(waivers=[waiver(Deed.granted, by=LEAD, mark=OTHER)])
    page = await desk.ask(OPERATOR, "GET", "")
    assert "Take it back" in page.text
    assert f'action="/verdicts/{RUN}/waivers"' not in page.text
    assert 422 == (await desk.ask(OPERATOR, path="/waivers/end", finding=OTHER)).status_code
    assert [] == desk.ended
    answer = await desk.ask(OPERATOR, path="/waivers/end", finding=OTHER, because="hunter22 is public")
    ((step, act),) = desk.ended
    assert 303 == answer.status_code
    assert (Deed.revoked, Source.page, "operator", "[secret] is public") == (
        step.deed,
        step.source,
        step.name,
        step.reason,
    )
    somebody = Viewer(ForgeUser(0, "dev"), levels={7: 40}, via=Via.development)
    refused = await desk.ask(somebody, path="/waivers/end", finding=OTHER, because=WHY)
    assert (403, 1) == (refused.status_code, len(desk.ended))
    assert ("link:0:operator", "waiver.revoked", "7!3 22222222") == (act.actor, act.action, act.subject)
    assert [] == desk.sent


@pytest.mark.parametrize(
    ("viewer", "ask", "words"),
    [
        (person(LEAD), True, "Waive"),
        (person(DEVELOPER), True, "Ask for a waiver"),
        (person(STRANGER), False, ""),
        (OPERATOR, False, ""),
    ],
)
async def test_the_page_offers_what_the_policy_allows_and_tells_all_the_command(
    viewer: Viewer, ask: bool, words: str
) -> None:
    """To copy, with a day that the policy allows."""
    page = await Desk(Waivers(max_days=7)).ask(viewer, "GET", "")
    assert ask is (f'<form class="fields" method="post" action="/verdicts/{RUN}/waivers">' in page.text)
    assert words in page.text
    assert "<code>@cloister waive 11111111 until 2026-12-03 because REASON</code>" in page.text
    never = await Desk(Waivers(never=("semgrep",))).ask(viewer, "GET", "")
    assert "@cloister waive" not in never.text


async def test_the_page_waits_for_what_becomes_of_a_request() -> None:
    """Until the verdict shows it, and not for ever."""
    event = uuid.UUID(int=42)

    async def look(desk: Desk, looks: int = 0) -> tuple[str, str]:
        page = await desk.ask(person(LEAD), "GET", f"?sent={event}&looks={looks}")
        (said,) = re.findall('<p class="card" role="status">([^<]*)', page.text)
        again = re.findall('http-equiv="refresh" content="([^"]*)"', page.text)
        return said, "".join(again)

    def acted(deed: Deed, mark: str = MARK) -> Waiver:
        (step,) = waiver(deed, mark=mark).steps
        return fold([step.model_copy(update={"event": event})])[0]

    said, again = await look(Desk())
    assert "being decided" in said
    assert f"2; url=/verdicts/{RUN}?sent={event}&amp;looks=1" == again
    granted = acted(Deed.granted, OTHER)
    said, again = await look(Desk(waivers=[granted], changes={"waived": ()}), 3)
    assert ("verdict is being made anew" in said, bool(again)) == (True, True)
    assert ("The finding is waived, and the verdict was made anew.", "") == await look(
        Desk(waivers=[granted])
    )
    said, again = await look(Desk(waivers=[acted(Deed.asked)]))
    assert ("is asked for" in said, again) == (True, "")
    ended = Waiver((*waiver().steps, *acted(Deed.withdrawn).steps))
    said, again = await look(Desk(waivers=[ended], changes={"asked": ()}))
    assert ("taken back" in said, again) == (True, "")
    said, again = await look(Desk(), 999)
    assert ("no answer yet" in said, again) == (True, "")


def test_every_refusal_has_words() -> None:
    """What acts needs none."""
    assert set(Said) - {Said.granted, Said.asked, Said.asked_second, Said.withdrawn} == set(_REFUSALS)


@settings(max_examples=40, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.text(max_size=60) for name in ("finding", "form", "until", "because", "form_token")
        },
    )
)
async def test_hostile_fields_do_nothing(fields: dict[str, str]) -> None:
    """Whatever a form holds, what goes on the log is about the finding, in one line, or nothing is."""
    desk = Desk()
    answer = await desk.ask(
        person(LEAD), **{name: value.encode("utf-8", "replace").decode() for name, value in fields.items()}
    )
    assert answer.status_code in {303, 422}
    for _, words, back in desk.words:
        assert words.startswith(MARK)
        assert not back
        assert words.isprintable()
    assert "<script" not in answer.text
