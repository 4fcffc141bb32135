"""The pages of the dashboards without a browser: what is asked, who may see what, and what forms change."""

import re
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import date
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bot.domain.audit_log import Act, Entry
from bot.domain.errors import Permanent
from bot.domain.forge import ForgeUser
from bot.domain.review_detail import MOST, ReviewDetail
from bot.domain.viewer import DEVELOPER, MAINTAINER, REPORTER, Own, Reach, Via, Viewer
from bot.ports.listings import Sought
from tests.dashboards import AUTHOR, BANK, FORM_TOKEN, HOSTILE, MUTE, SHOP, MayDecide, Shown, pages_of, run_of

FIGURES = ("/quality", "/trends", "/noise", "/comments", "/flow", "/gate")
PAGES = ("/", *FIGURES, "/reviews", "/mine", "/operations", "/audit", "/audit?check=true")
_ADMIN = Viewer(ForgeUser(AUTHOR, "ada"), admin=True)
_LEAD = Viewer(ForgeUser(2, "lea"), levels={SHOP: MAINTAINER})
_READER = Viewer(ForgeUser(3, "rob"), levels={SHOP: REPORTER, BANK: 10})
_AUTHOR = Viewer(ForgeUser(AUTHOR, "ada"), levels={SHOP: REPORTER, BANK: 10})


async def _may(viewer: Viewer, project: int) -> bool:
    return True


async def _may_not(viewer: Viewer, project: int) -> bool:
    return False


def _client(shown: Shown, viewer: Viewer, may_decide: MayDecide = _may) -> httpx.AsyncClient:
    app = pages_of(shown, viewer, may_decide)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://cloister.test")


def _links(page: str) -> list[str]:
    return [unescape(one) for one in re.findall(r'(?:href|action)="([^"]*)"', page)]


@pytest.mark.parametrize("path", [*PAGES, f"/reviews/{run_of(0)}"])
@pytest.mark.parametrize("shown", [Shown(), Shown(empty=True)], ids=["full", "empty"])
async def test_every_page_is_there(path: str, shown: Shown):
    """It has one heading and its own title, with a history and without."""
    async with _client(shown, _ADMIN) as client:
        answer = await client.get(path)

    assert answer.status_code == 200
    assert len(re.findall("<h1", answer.text)) == 1
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", answer.text)
    assert f"<title>{heading[1]} · Cloister</title>" in answer.text


@pytest.mark.parametrize("path", PAGES)
async def test_nothing_is_inline(path: str):
    """No page needs what the policy of browsers forbids: styles and scripts in the text of the page."""
    async with _client(Shown(), _ADMIN) as client:
        page = (await client.get(path)).text

    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:", page)
    assert re.findall(r"<script(?![^>]*\ssrc=)", page) == []


class _Structure(HTMLParser):
    """Notes the elements of a page with the names of their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, tuple[str, ...]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, tuple(name for name, _ in attrs)))


async def _read(said: str) -> dict[str, str]:
    async with _client(Shown(said=said), _ADMIN) as client:
        paths = [*PAGES, f"/noise?project={SHOP}", f"/reviews/{run_of(0)}"]
        return {path: (await client.get(path)).text for path in paths}


@pytest.mark.parametrize("said", HOSTILE)
async def test_text_makes_no_markup(said: str):
    """A page of hostile text has the same elements and attributes as one of plain text."""
    plain, hostile = await _read("plain"), await _read(said)

    for path, page in hostile.items():
        assert _Structure(page).seen == _Structure(plain[path]).seen, path
        assert said not in page, path


@pytest.mark.parametrize(("viewer", "visible"), [(_ADMIN, None), (_LEAD, frozenset({SHOP}))])
@pytest.mark.parametrize("path", ["/", "/quality", "/noise", "/reviews"])
async def test_nobody_is_shown_other_projects(path: str, viewer: Viewer, visible: frozenset[int] | None):
    """What is asked is held to the projects that somebody oversees, whatever the address says."""
    shown = Shown()
    async with _client(shown, viewer) as client:
        await client.get(path, params={"project": str(BANK), "visible": "12,34"})

    assert {filters.visible for filters in shown.asked} == {visible}
    assert {filters.project_id for filters in shown.asked} == {BANK}


@pytest.mark.parametrize("viewer", [_READER, _AUTHOR], ids=["not the author", "another project"])
async def test_a_review_that_is_not_for_one_is_not_there(viewer: Viewer):
    """Nobody can tell it from one that never was: not in another project, nor one's own in a project one cannot read."""
    number = 1 if viewer is _READER else 0
    async with _client(Shown(), viewer) as client:
        hidden = await client.get(f"/reviews/{run_of(number)}")
        unknown = await client.get(f"/reviews/{uuid.UUID(int=7)}")

    assert hidden.status_code == unknown.status_code == 404
    assert hidden.text == unknown.text


async def test_developers_begin_at_their_own_merge_requests():
    """There is no way from there to what they may not open."""
    shown = Shown()
    async with _client(shown, _AUTHOR) as client:
        page = await client.get("/")
        refused = [await client.get(path) for path in FIGURES]
        review = await client.get(f"/reviews/{run_of(1)}")

    assert "My merge requests</h1>" in page.text
    assert "1 blocking finding" in page.text
    assert f'href="/verdicts/{run_of(1)}"' in page.text
    assert not {f'href="{path}' for path in FIGURES} & set(re.findall(r'href="/[a-z]+', page.text))
    assert {answer.status_code for answer in refused} == {403}
    assert all("maintainers and owners of a project" in unescape(answer.text) for answer in refused)
    assert {(filters.visible, filters.own) for filters in shown.asked} == {
        (frozenset(), Own(AUTHOR, frozenset({SHOP})))
    }
    assert review.status_code == 200


@pytest.mark.parametrize("chosen", [{"project": BANK}, {"group": "bank"}], ids=["project", "group"])
@pytest.mark.parametrize("path", FIGURES)
async def test_figures_of_others_are_not_said_to_be_none(path: str, chosen: Mapping[str, Any]):
    """Who leads one project and develops in another is told why there are none of the other, and shown the first's."""
    mixed = Viewer(ForgeUser(1, "lea"), levels={SHOP: MAINTAINER, BANK: DEVELOPER})
    async with _client(Shown(), mixed) as client:
        others = await client.get(path, params=chosen)
        whole = [await client.get(path, params=led) for led in ({}, {"project": SHOP}, {"group": "retail"})]

    assert others.status_code == 200
    assert "You lead no project here" in others.text
    assert "in these days" not in others.text
    assert "You lead no project here" not in "".join(page.text for page in whole)


async def test_mine_is_mine_for_everybody():
    """An administrator, who sees everything elsewhere, sees their own there; a link of the operator's has none."""
    shown = Shown()
    async with _client(shown, _ADMIN) as client:
        await client.get("/mine")
    async with _client(Shown(empty=True), replace(_ADMIN, via=Via.link)) as client:
        page = await client.get("/mine")

    assert [(filters.visible, filters.own) for filters in shown.asked] == [(frozenset(), Own(1, None))]
    assert "Only who signs in with GitLab" in page.text
    assert ">My merge requests</a>" not in page.text


async def test_entries_of_the_audit_log_lead_to_others_like_them():
    """By who it was and what was done; filters stay in the address of the next page and the exports."""
    shown = Shown()
    chosen = {"from": "2026-05-01", "to": "2026-05-20", "actor": " lea ", "project": "12", "before": "9"}
    async with _client(shown, _ADMIN) as client:
        page = (await client.get("/audit", params=chosen)).text
        unreadable = {"before": ("x", "0", "9" * 19), "action": ("a\0",), "actor": ("a\u202e",)}
        refused = [
            await client.get("/audit", params={name: text})
            for name, texts in unreadable.items()
            for text in texts
        ]

    assert shown.sought == [Sought("", "lea", 12, date(2026, 5, 1), date(2026, 5, 20))]
    carried = {urlsplit(link).path: parse_qs(urlsplit(link).query) for link in _links(page)}
    assert carried["/api/v1/audit.csv"] == {
        name: [chosen[name].strip()] for name in ("from", "to", "actor", "project")
    }
    assert any("action=noise.mute" in link and "actor=lea" in link for link in _links(page))
    assert {answer.status_code for answer in refused} == {422}


async def test_the_state_of_the_chain_is_told_when_asked_for():
    """Whole, with the head to keep elsewhere, or where it breaks first."""

    class Tampered(Shown):
        def _entries(self) -> list[Entry]:
            newest, *others = super()._entries()
            return [newest, *(replace(one, act=Act("gitlab:8:eve", "noise.mute")) for one in others)]

    pages = []
    for shown in (Shown(), Tampered()):
        async with _client(shown, _ADMIN) as client:
            pages.append((await client.get("/audit", params={"check": "true"})).text)

    assert "The chain is whole: entries 1 to 3." in pages[0]
    assert "The chain breaks at entry 1:" in pages[1]


async def test_operations_are_for_those_who_read_everything():
    """Like the audit log. Others get no page and no link to it."""
    async with _client(Shown(), _LEAD) as client:
        page = await client.get("/")
        answers = [await client.get(path) for path in ("/operations", "/audit")]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert "/operations" not in page.text
    assert "/audit" not in page.text


async def test_filters_stay_in_every_address():
    """Whoever follows a link of a page or takes an export looks at the same days, group, project and rule."""
    chosen = {"from": "2026-05-01", "to": "2026-05-20", "group": "retail", "project": "12", "rule": "a&b=c d"}
    async with _client(Shown(), _ADMIN) as client:
        page = (await client.get("/quality", params={**chosen, "by": "severity", "measure": "weak"})).text

    carried = [parse_qs(urlsplit(link).query) for link in _links(page)]
    following = [query for query in carried if "from" in query]
    kept = [query for query in following if query["from"] == ["2026-05-01"] and "rule" in query]
    assert all(query["group"] == ["retail"] and query["project"] == ["12"] for query in following)
    assert all(query["rule"] == ["a&b=c d"] for query in kept)
    exports = [link for link in _links(page) if link.startswith("/api/v1/acceptance")]
    assert {urlsplit(link).path for link in exports} == {"/api/v1/acceptance", "/api/v1/acceptance.csv"}
    assert all(parse_qs(urlsplit(link).query)["by"] == ["severity"] for link in exports)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/?from=yesterday", "say a day"),
        ("/?project=x", "no project of this path"),
        ("/?project=retail", "no project of this path"),
        ("/?group=shop", "no project that you may see"),
        ("/?from=2026-05-02&to=2026-05-01", "it is after"),
        ("/reviews?after=???", "begin at the first page"),
    ],
)
async def test_a_filter_that_cannot_be_read_is_named(path: str, said: str):
    """The page says which one, and what to write instead."""
    async with _client(Shown(), _ADMIN) as client:
        answer = await client.get(path)

    assert answer.status_code == 422
    assert said in unescape(answer.text)


async def test_what_else_was_chosen_outlives_a_mistake():
    """All mistakes are told at once, each field keeps what was written, and nothing is counted for a wrong filter."""
    shown = Shown()
    wrong = {
        "from": "2026-05-01",
        "to": "never",
        "group": "nowhere",
        "project": "12",
        "rule": "a",
        "by": "rule",
    }
    async with _client(shown, _ADMIN) as client:
        page = (await client.get("/quality", params={**wrong, "evil": "x"})).text

    fields = dict(re.findall(r'<input [^>]*name="([a-z_]+)"[^>]* value="([^"]*)"', page))
    assert fields == {**wrong, "project": "retail/shop", "form_token": FORM_TOKEN}
    assert set(re.findall(r'aria-describedby="([a-z-]+)"', page)) == {"wrong-to", "wrong-group"}
    assert shown.asked == []


@pytest.mark.parametrize(
    "written",
    ["retail/shop", "shop", "/retail/shop/", "https://gitlab.example/retail/shop/-/merge_requests/4"],
)
async def test_a_project_is_called_by_its_name(written: str):
    """The name leads to the number, which stays when the project is renamed; the field shows the name."""
    asked = {"from": "2026-05-01", "group": "", "project": written, "by": "rule", "after": "x"}
    async with _client(Shown(), _ADMIN) as client:
        answer = await client.get("/quality", params=asked)
        page = (await client.get(answer.headers["location"])).text

    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/quality?from=2026-05-01&project={SHOP}&by=rule",
    )
    assert 'name="project" value="retail/shop"' in page


async def test_names_are_those_that_somebody_may_see():
    """Neither suggestions nor filters tell that another project is there."""
    async with _client(Shown(), _READER) as client:
        hidden = await client.get("/", params={"project": "bank/ledger"})
        group = await client.get("/", params={"group": "bank"})
        options = [
            (await client.get(f"/filters/{kind}s", params={kind: said})).text
            for kind in ("project", "group")
            for said in ("", "ba")
        ]
        unknown = await client.get("/", params={"project": str(BANK)})

    assert (hidden.status_code, group.status_code) == (422, 422)
    assert [re.findall('value="(.*?)"', one) for one in options] == [["retail/shop"], [], ["retail"], []]
    assert f"No project with the number {BANK}" in unknown.text


@pytest.mark.parametrize("said", HOSTILE)
async def test_suggestions_are_text(said: str):
    """A project may be called anything."""
    async with _client(Shown(said=said), _ADMIN) as client:
        options = (await client.get("/filters/projects")).text

    assert [name for name, _ in _Structure(options).seen] == ["option", "option"]


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/", "/comments?from=2026-05-01&to=2026-05-20&project=12&became=open_critical"),
        ("/", "/comments?from=2026-05-01&to=2026-05-20&project=12&became=applied"),
        ("/", "/reviews?from=2026-05-01&to=2026-05-20&project=12&unsaid=muted"),
        ("/", "/reviews?from=2026-05-01&to=2026-05-20&project=12&which=silent"),
        ("/quality", "/comments?from=2026-05-01&to=2026-05-20&project=12&category=secrets&became=decided"),
        ("/noise", "/comments?from=2026-05-01&to=2026-05-20&project=12&rule=java.magic-number&scanner=semgrep"
                   "&became=rejected_strong"),
        ("/gate", "/reviews?from=2026-05-01&to=2026-05-20&project=12&which=blocked"),
    ],
)  # fmt: skip
async def test_a_figure_leads_to_what_it_counts(path: str, leads_to: str):
    """With the same days and project, held to what the figure means; the list has an export of the same."""
    chosen = {"from": "2026-05-01", "to": "2026-05-20", "project": str(SHOP)}
    async with _client(Shown(), _ADMIN) as client:
        links = _links((await client.get(path, params=chosen)).text)
        page = (await client.get(leads_to)).text

    assert leads_to in links
    view = urlsplit(leads_to)
    assert f"/api/v1{view.path}.csv?{view.query}" in _links(page)


async def test_a_comment_says_what_became_of_it():
    """And what people did, with its discussion and its review one click away."""
    async with _client(Shown(), _ADMIN) as client:
        page = (await client.get("/comments", params={"became": "rejected_strong"})).text
        older = (await client.get("/comments")).text
        following = next(link for link in _links(older) if "after=" in link)
        last = (await client.get(following)).text

    assert "rejected" in page
    assert "3× thumbs-down, called it wrong" in page
    assert "cannot be told: the merge request is open" in older
    assert f"/comments/{run_of(1)}" in _links(page)
    assert f"/reviews/{run_of(1)}" in _links(page)
    assert last.count('<th scope="row">') == 5


@pytest.mark.parametrize("path", ["/", *FIGURES, "/reviews"])
async def test_the_first_day_says_what_will_come(path: str):
    """Instead of empty tables there is what to do; with a project reviewed there are figures again."""
    async with _client(Shown(empty=True), _ADMIN) as client:
        first = (await client.get(path)).text
    async with _client(Shown(), _ADMIN) as client:
        later = (await client.get(path)).text

    assert "Nothing has been reviewed yet" in first
    assert "Here will be" in first
    assert "none yet" not in first
    assert "Nothing has been reviewed yet" not in later


async def test_a_large_review_can_be_read():
    """What is long is folded behind how much of it there is and why; nothing is left out silently."""

    class Large(Shown):
        async def review(self, run_id: uuid.UUID, reach: Reach) -> ReviewDetail | None:
            found = await super().review(run_id, reach)
            assert found is not None
            return replace(
                found,
                said=found.said[:1] * MOST,
                filtered=found.filtered[:1] * 300,
                unread={f"web/\u202e{number}.min.js": "it is generated" for number in range(2_000)},
            )

    async with _client(Large(), _ADMIN) as client:
        page = (await client.get(f"/reviews/{run_of(1)}")).text

    assert re.findall("<summary>((?:All|The first) .*?)</summary>", page) == [
        "All 300 that were not said",
        "The first 500 files that were not read, or not whole; the export has all",
    ]
    assert "it is generated</bdi> <b>2,000</b>" in page
    assert f"The first {MOST}, by file and line." in page


async def test_weak_acceptance_has_its_own_order():
    """Rows go by the lower bound of the share that is shown."""
    async with _client(Shown(), _ADMIN) as client:
        pages = [(await client.get("/quality", params={"measure": one})).text for one in ("strict", "weak")]

    rows = [re.findall(r'<th scope="row"><a [^>]*><bdi>([a-z]+)', page) for page in pages]
    assert sorted(rows[0]) == sorted(rows[1])
    assert rows[0] != rows[1]


async def test_few_decisions_are_grey_and_say_why():
    """A share that rests on fewer than twenty decisions is not shown like the others."""
    async with _client(Shown(), _ADMIN) as client:
        page = (await client.get("/quality")).text

    grey = re.findall(r'<tr class="few">.*?<bdi>(.*?)</bdi>.*?</tr>', page, re.DOTALL)
    assert grey == ["readability"]
    assert page.count("too few decided") == 1


@pytest.fixture
async def muting() -> AsyncIterator[tuple[Shown, httpx.AsyncClient]]:
    """Return a dashboard, and somebody who leads the project."""
    shown = Shown()
    async with _client(shown, _LEAD) as client:
        yield shown, client


_FORM: Mapping[str, str] = {
    "form_token": FORM_TOKEN,
    "project": str(SHOP),
    "scanner": "semgrep",
    "rule": "java.magic-number",
    "until": "2026-06-20",
    "why": "our constants are named  elsewhere",
}


@pytest.mark.parametrize(
    ("board", "expected"),
    [
        ("/noise?from=2026-03-01&to=2026-05-29&group=retail", "from=2026-03-01&to=2026-05-29&group=retail"),
        ("", f"project={SHOP}"),
        ("//evil.example/noise?group=retail", f"project={SHOP}"),
        ("https://evil.example/noise?group=retail", f"project={SHOP}"),
        ("/sign-out?group=retail", f"project={SHOP}"),
        ("/noise?group=retail\r\nset-cookie: a=b", f"project={SHOP}"),
    ],
)
async def test_a_decision_leads_back_to_where_it_was_made(board: str, expected: str):
    """The days and the group that were chosen stay so; nothing that a form says leads anywhere else."""
    async with _client(Shown(), _ADMIN) as client:
        shown = (await client.get("/noise?from=2026-03-01&to=2026-05-29&group=retail")).text
        answer = await client.post("/noise/mutes", data={**_FORM, "board": board})

    assert (303, f"/noise?{expected}&done=muted") == (answer.status_code, answer.headers["location"])
    assert 'name="board" value="/noise?from=2026-03-01&amp;to=2026-05-29&amp;group=retail' in shown


async def test_a_tech_lead_mutes_a_rule(muting: tuple[Shown, httpx.AsyncClient]):
    """It is kept with the reason until the end of that day, and the page says so."""
    shown, client = muting
    answer = await client.post("/noise/mutes", data=_FORM)
    page = await client.get(answer.headers["location"])

    new = next(mute for mute in shown.muted.values() if mute.id != MUTE)
    assert answer.status_code == 303
    assert (new.rule, new.why, new.until.date()) == (
        "java.magic-number",
        "our constants are named elsewhere",
        date(2026, 6, 20),
    )
    assert "The rule is muted." in page.text


async def test_a_tech_lead_ends_a_mute(muting: tuple[Shown, httpx.AsyncClient]):
    """It is gone; ending it twice says that there is none."""
    shown, client = muting
    ended = [
        (await client.post(f"/noise/mutes/{MUTE}/end", data=_FORM)).headers["location"] for _ in range(2)
    ]

    assert not shown.muted
    assert [parse_qs(urlsplit(one).query)["done"] for one in ended] == [["unmuted"], ["gone"]]


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"form_token": "another"}, 403),
        ({"project": str(BANK)}, 403),
        ({"project": "0"}, 422),
        ({"why": "  "}, 422),
        ({"why": "x" * 501}, 422),
        ({"why": "\u202e\u200b"}, 422),
        ({"until": "2026-05-29"}, 422),
        ({"until": "2027-05-29"}, 422),
        ({"until": "soon"}, 422),
        ({"rule": ""}, 422),
    ],
)
async def test_what_cannot_be_muted_changes_nothing(
    muting: tuple[Shown, httpx.AsyncClient], changed: Mapping[str, str], status: int
):
    """A form from elsewhere, another's project, no reason or no end is refused."""
    shown, client = muting
    answer = await client.post("/noise/mutes", data={**_FORM, **changed})

    assert answer.status_code == status
    assert list(shown.muted) == [MUTE]


async def test_who_no_longer_leads_mutes_nothing():
    """What GitLab says now counts, not what was true at signing in."""
    shown = Shown()
    async with _client(shown, _LEAD, _may_not) as client:
        answers = [
            await client.post(path, data=_FORM) for path in ("/noise/mutes", f"/noise/mutes/{MUTE}/end")
        ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert list(shown.muted) == [MUTE]


_GROUP_FORM = {**{key: value for key, value in _FORM.items() if key != "project"}, "group": "Retail"}


async def _leads_retail(viewer: Viewer, group: str) -> bool:
    return (viewer, group) == (_LEAD, "retail")


def _in_groups(shown: Shown, viewer: Viewer) -> httpx.AsyncClient:
    app = pages_of(shown, viewer, _may, _leads_retail)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://cloister.test")


async def test_a_tech_lead_of_a_group_mutes_for_all_of_it():
    """And ends that there; a project's tech lead ends it for the project alone."""
    shown = Shown()
    async with _in_groups(shown, _LEAD) as client:
        answer = await client.post("/noise/mutes", data=_GROUP_FORM)
        new = next(mute for mute in shown.muted.values() if mute.id != MUTE)
        of_group = (await client.get(answer.headers["location"])).text
        of_project = (await client.get("/noise", params={"project": str(SHOP)})).text
        again = await client.post(f"/noise/mutes/{new.id}/end", data=_GROUP_FORM)

    assert (new.project_id, new.group, new.rule) == (None, "retail", "java.magic-number")
    assert '<a href="/noise?group=retail">all of ' in of_group
    assert '<input type="hidden" name="group" value="retail">' in of_group
    assert "In this project alone." in of_project
    assert f'<input type="hidden" name="project" value="{SHOP}">' in of_project
    assert (again.status_code, list(shown.muted)) == (303, [MUTE])


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"group": "other"}, 403),
        ({"group": "../retail"}, 422),
        ({"group": ""}, 422),
        ({"group": "retail", "project": str(SHOP)}, 422),
    ],
)
async def test_what_cannot_be_muted_for_a_group_changes_nothing(changed: Mapping[str, str], status: int):
    """Another group, none, or a project besides."""
    shown = Shown(empty=True)
    async with _in_groups(shown, _LEAD) as client:
        answer = await client.post("/noise/mutes", data={**_GROUP_FORM, **changed})

    assert (answer.status_code, shown.muted) == (status, {})


async def test_whom_forms_for_a_group_are_shown_to():
    """To administrators, and to who leads all that they see in it."""
    for viewer, group, offered in (
        (_ADMIN, "retail", True),
        (_LEAD, "retail", True),
        (_LEAD, "bank", False),
        (_READER, "retail", False),
    ):
        async with _in_groups(Shown(), viewer) as client:
            page = (await client.get("/noise", params={"group": group})).text
        assert (f'<input type="hidden" name="group" value="{group}">' in page) is offered, (viewer, group)


async def test_mutes_are_shown_page_by_page():
    """A hundred on each, those that end first at the beginning, with the way to the others and back."""
    shown = Shown()
    one = shown.muted[MUTE]
    shown.muted |= {key: replace(one, id=key) for key in map(run_of, range(119))}

    async with _client(shown, _ADMIN) as client:
        first = (await client.get("/noise?group=retail")).text
        (later,) = re.findall(r'href="([^"]*)#muted" rel="next"', first)
        last = (await client.get(unescape(later))).text
        strange = await client.get("/noise?after=nothing")

    assert [100, 20] == [page.count("<summary>Unmute") for page in (first, last)]
    assert "120 are muted in all" in first
    assert "group=retail" in later
    assert "120 are muted in all" in last
    assert 'rel="next"' not in last
    (back,) = re.findall(r'href="([^"]*)#muted" rel="first"', last)
    assert "group=retail" in back
    assert "after=" not in back
    assert strange.status_code == 422


async def test_only_tech_leads_are_offered_mutes():
    """Auditors see what is muted, without forms."""
    async with _client(Shown(), Viewer(ForgeUser(6, "eye"), auditor=True)) as client:
        page = (await client.get("/noise", params={"project": str(SHOP)})).text

    assert 'action="/noise/mutes' not in page
    assert "go.long-function" in page


async def test_what_may_never_be_muted_says_why():
    """The reason of the refusal reaches the one who asked."""

    class Strict(Shown):
        async def mute(self, *args: object, **named: object) -> None:
            raise Permanent("secrets are never muted")

    async with _client(Strict(), _LEAD) as client:
        answer = await client.post("/noise/mutes", data=_FORM)

    assert answer.status_code == 409
    assert "Secrets are never muted" in answer.text


async def test_samples_and_waivers_lead_on():
    """A sample leads to its comment on GitLab, a merge request to its newest review."""
    async with _client(Shown(), _AUTHOR) as client:
        sample = await client.get(f"/comments/{run_of(1)}")
        merge_request = await client.get(f"/merge-requests/{SHOP}/399")

    assert sample.headers["location"] == "https://gitlab.example/retail/shop/-/merge_requests/399#note_1234"
    assert merge_request.headers["location"] == f"/reviews/{run_of(1)}"


async def test_a_path_leads_nowhere_but_to_gitlab():
    """Whatever a project is called, its link stays on the configured host."""
    async with _client(Shown(said="//evil.example/@x?y#z"), _ADMIN) as client:
        sample = await client.get(f"/comments/{run_of(1)}")

    parts = urlsplit(sample.headers["location"])
    assert (parts.netloc, parts.query, parts.fragment) == ("gitlab.example", "", "note_1234")


@pytest.mark.parametrize("level", [10, REPORTER])
async def test_nothing_leads_to_what_is_others(level: int):
    """What somebody may not see is not there."""
    viewer = Viewer(ForgeUser(4, "sam"), levels={SHOP: level})
    async with _client(Shown(), viewer) as client:
        answers = [
            await client.get(path) for path in (f"/comments/{run_of(1)}", f"/merge-requests/{SHOP}/399")
        ]

    assert [answer.status_code for answer in answers] == [404, 404]


async def test_who_sees_no_project_is_told_why():
    """And no name of one."""
    stranger = Viewer(ForgeUser(4, "sam"), levels={SHOP: 10})
    async with _client(Shown(), stranger) as client:
        page = await client.get("/reviews")

    assert "You see no project" in page.text
    assert "retail/shop" not in page.text
