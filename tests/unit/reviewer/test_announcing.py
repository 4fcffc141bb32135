"""What GitLab is told of a verdict: in each place where the status stands, and no more than it lets us."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.errors import Obsolete, Permanent, Refused, Transient
from bot.domain.forge import ForgeMergeRequest, StatusPlace
from bot.domain.gate_verdict import GateVerdict, VerdictState
from bot.domain.merge_request import MergeRequestRef, Revision
from bot.domain.policy import Gate, Policy, Review
from bot.domain.run import WHOLE, Run, RunState
from bot.domain.verdict_links import VerdictLinks
from bot.reviewer.announcing import Announcing

REF = MergeRequestRef(instance="gitlab.example", project_id=7, iid=3)
HEAD = "a" * 40
HERE, BEFORE = StatusPlace(7, HEAD, 12), StatusPlace(7, HEAD, 11)
LINKS = VerdictLinks("https://cloister.example")
FOUND = ForgeMergeRequest(REF, "t", "", "opened", False, HEAD, None, "main", "f", 7, "u")
RUN = Run(
    id=uuid.UUID(int=1),
    ref=REF,
    head_sha=HEAD,
    policy=Policy(gate=Gate(approve=True, status_check="check")),
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)
PAGE = LINKS.of(RUN.id)


@dataclass
class GitLab:
    """Notes what is written there; *refuses* says with which error a call fails."""

    place: StatusPlace = HERE
    refuses: dict[str, Exception] = field(default_factory=dict)
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)
    busy: int = 99

    def _note(self, name: str, *said: object) -> None:
        self.calls.append((name, *said))
        if name in self.refuses:
            raise self.refuses[name]

    async def set_status(self, _: object, sha: str, state: str, text: str, **more: Any) -> StatusPlace:
        """Note it."""
        assert (HEAD, PAGE) == (sha, more["target_url"])
        self._note("set", state, text, *([more["pipeline_id"]] if more.get("pipeline_id") else []))
        return self.place

    async def repeat_status(self, place: StatusPlace, state: str, text: str, *, target_url: str) -> None:
        """Note it."""
        assert target_url.startswith("https://cloister.example/verdicts/")
        self._note("repeat", place.pipeline_id, state, text)

    async def approve(self, _: object, sha: str) -> None:
        """Note it."""
        self._note("approve", sha)

    async def unapprove(self, _: object) -> None:
        """Note it."""
        self._note("unapprove")

    async def answer_check(self, _: object, sha: str, name: str, status: str) -> None:
        """Note it."""
        assert HEAD == sha
        self._note("answer", name, status)

    @property
    def announcing(self) -> Announcing:
        """Return what is tested."""
        return Announcing(self, self, LINKS, sleep=self.sleep)  # type: ignore[arg-type]

    async def sleep(self, wait_s: float) -> None:
        """Note it; after as many waits as it is busy for, nothing is refused any more."""
        self.waits_s.append(wait_s)
        if len(self.waits_s) > self.busy:
            self.refuses = {}


def verdict(
    state: str, status: str, *, final: bool = True, places: tuple[StatusPlace, ...] = ()
) -> GateVerdict:
    """Return a verdict with what its commit status says."""
    return GateVerdict(
        run_id=RUN.id,
        ref=REF,
        head_sha=HEAD,
        state=VerdictState(state),
        final=final,
        status=status,
        description=f"{state}!",
        places=places,
    )


@pytest.mark.parametrize(
    ("said", "answer", "approval"),
    [
        (verdict("passed", "success"), "passed", ("approve", HEAD)),
        (verdict("blocked", "failed"), "failed", ("unapprove",)),
        (verdict("undecided", "failed"), "failed", ("unapprove",)),
        (verdict("waiting", "running", final=False), "pending", ("unapprove",)),
    ],
)
async def test_each_verdict_is_said_in_three_ways(said: GateVerdict, answer: str, approval: tuple[str, ...]):
    """What is not known to pass is neither approved nor answered as passed."""
    gitlab = GitLab()
    told = await gitlab.announcing.say(FOUND, RUN, said, verdict("waiting", "pending"))
    assert [("set", said.status, said.description), ("answer", "check", answer), approval] == gitlab.calls
    assert (((HERE,)), ()) == (told.places, told.problems)


async def test_only_what_the_policy_asks_for_is_done():
    """The default is the commit status alone."""
    gitlab = GitLab()
    run = RUN.model_copy(update={"policy": Policy()})
    await gitlab.announcing.say(FOUND, run, verdict("passed", "success"), verdict("waiting", "pending"))
    await gitlab.announcing.withdraw(run)
    assert ["set"] == [name for name, *_ in gitlab.calls]


async def test_a_draft_that_nobody_looked_at_is_not_approved():
    """Though nothing blocks it."""
    gate = Policy(gate=Gate(approve=True), review=Review(drafts=False))
    revision = Revision(ref=REF, base_sha="b" * 40, start_sha="c" * 40, head_sha=HEAD)
    draft = RUN.model_copy(
        update={"policy": gate, "revision": revision, "state": RunState.working, "absent": {WHOLE: "a draft"}}
    )
    gitlab = GitLab()
    await gitlab.announcing.say(FOUND, draft, verdict("passed", "success"), verdict("waiting", "pending"))
    assert ("unapprove",) == gitlab.calls[-1]


@pytest.mark.parametrize(
    ("status", "place", "expected"),
    [
        ("failed", BEFORE, ("failed", "!4 has the same head: told")),
        ("pending", BEFORE, ("pending", "!4 has the same head: told")),
        ("success", BEFORE, ("success", "passed!")),
        ("failed", StatusPlace(7, HEAD, 99), ("success", "passed!")),
        ("failed", StatusPlace(7, HEAD), ("failed", "!4 has the same head: told")),
        ("failed", StatusPlace(8, HEAD), ("success", "passed!")),
    ],
)
async def test_a_status_that_two_merge_requests_share_is_the_stricter(
    status: str, place: StatusPlace, expected: tuple[str, str]
):
    """One into a branch with a mild policy does not open the gate of the other; pipelines of their own are apart."""
    other = GateVerdict(
        run_id=uuid.UUID(int=2),
        ref=REF.model_copy(update={"iid": 4}),
        head_sha=HEAD,
        status=status,
        description="told",
        places=(place,),
    )
    gitlab, before = GitLab(), verdict("waiting", "pending", places=(BEFORE,))
    told = await gitlab.announcing.say(FOUND, RUN, verdict("passed", "success"), before, [other])
    assert [("set", *expected), ("repeat", 11, *expected)] == gitlab.calls[:2]
    assert ("success", ("approve", HEAD)) == (told.status, gitlab.calls[-1])


async def test_a_status_that_stood_nowhere_yet_opens_nobody_elses_gate():
    """It may come to stand where that of another merge request from the same project is."""
    strict = verdict("blocked", "failed", places=(BEFORE,))
    for project, state in ((None, "failed"), (8, "success")):
        other = strict.model_copy(
            update={"ref": REF.model_copy(update={"iid": 4}), "source_project_id": project}
        )
        gitlab = GitLab()
        await gitlab.announcing.say(
            FOUND, RUN, verdict("passed", "success"), verdict("waiting", "pending"), [other]
        )
        assert state == gitlab.calls[0][1]


async def test_where_the_status_stood_first_it_does_not_stay_pending():
    """Both pipelines get it; said again without news, the earlier one is left alone."""
    gitlab, before = GitLab(), verdict("waiting", "pending", places=(BEFORE,))
    said = verdict("blocked", "failed", places=before.places)
    told = await gitlab.announcing.say(FOUND, RUN, said, before)
    assert [("set", "failed", "blocked!"), ("repeat", 11, "failed", "blocked!")] == gitlab.calls[:2]
    assert (HERE, BEFORE) == told.places
    gitlab.calls.clear()
    again = await gitlab.announcing.say(FOUND, RUN, said, told)
    assert (told.places, False) == (again.places, any(name == "repeat" for name, *_ in gitlab.calls))


@pytest.mark.parametrize("error", [Refused("403"), Permanent("no such pipeline")])
async def test_what_gitlab_refuses_is_told_and_stops_nothing(error: Exception):
    """Each by itself; the places known before are not forgotten."""
    gitlab = GitLab(refuses=dict.fromkeys(("set", "approve", "answer"), error))
    before = verdict("waiting", "pending", places=(BEFORE,))
    told = await gitlab.announcing.say(FOUND, RUN, verdict("passed", "success"), before)
    assert (
        f"the commit status could not be set: {error}",
        f"the external status check could not be answered: {error}",
        f"the approval could not be given or taken back: {error}",
    ) == told.problems
    assert (BEFORE,) == told.places


@pytest.mark.parametrize(
    ("call", "error"), [("set", Transient("502")), ("approve", Obsolete("moved")), ("answer", Transient("x"))]
)
async def test_what_passes_or_is_pointless_is_left_to_the_consume_loop(call: str, error: Exception):
    """It knows when to try again, and when not."""
    gitlab = GitLab(refuses={call: error})
    with pytest.raises(type(error)):
        await gitlab.announcing.say(FOUND, RUN, verdict("passed", "success"), verdict("waiting", "pending"))


async def test_a_review_begins_where_the_one_before_is_canceled():
    """Its pipeline would wait for ever; the place of our own is not canceled with it."""
    gitlab = GitLab()
    left = [verdict("waiting", "pending", places=(BEFORE, HERE))]
    assert (HERE,) == await gitlab.announcing.begin(FOUND, RUN, left)
    assert [("set", "pending", "review started"), ("repeat", 11, "canceled", "a newer head is reviewed")] == (
        gitlab.calls
    )


@pytest.mark.parametrize("error", [Refused("403"), Transient("502")])
async def test_no_trouble_at_the_beginning_stops_a_review(error: Exception):
    """All of it is said again at its end."""
    left = [verdict("waiting", "pending", places=(BEFORE,))]
    refusing = GitLab(refuses=dict.fromkeys(("set", "unapprove"), error))
    assert () == await refusing.announcing.begin(FOUND, RUN, left)
    await refusing.announcing.withdraw(RUN)
    assert (HERE,) == await GitLab(refuses={"repeat": error}).announcing.begin(FOUND, RUN, left)


@pytest.mark.parametrize(
    ("expected", "error"),
    [
        (((HERE,), 3), Transient("409")),
        (((), 1), Transient("429", retry_after_s=60)),
        (((), 1), Refused("403")),
    ],
)
async def test_a_status_that_gitlab_is_too_busy_for_is_tried_again(
    expected: tuple[tuple[StatusPlace, ...], int], error: Exception
):
    """Without it a pipeline could pass while the review runs; who asks for more patience, or refuses, is not pressed."""
    gitlab = GitLab(refuses={"set": error}, busy=2)
    assert expected == (await gitlab.announcing.begin(FOUND, RUN, []), len(gitlab.waits_s))


async def test_an_earlier_approval_is_taken_back_once_the_policy_is_known():
    """The head that it was given to is not the newest any more."""
    gitlab = GitLab()
    await gitlab.announcing.withdraw(RUN)
    assert [("unapprove",), ("answer", "check", "pending")] == gitlab.calls


async def test_what_cannot_be_taken_back_leaves_the_rest_to_be():
    """A check that was deleted, or an approval that stays, is no reason not to shut another check."""
    floors = (Policy(gate=Gate(approve=True, status_check="gone")), Policy(gate=Gate(status_check="check")))
    gitlab = GitLab(refuses={"unapprove": Permanent("403"), "answer gone": Refused("404")})
    await gitlab.announcing.withdraw(RUN.model_copy(update={"policy": Policy(floors=floors)}))
    assert ("answer", "check", "pending") == gitlab.calls[-1]


async def test_a_later_pipeline_is_told_what_the_others_were():
    """And remembered with them."""
    gitlab = GitLab(place=replace(HERE, pipeline_id=13))
    told = await gitlab.announcing.join(FOUND, verdict("blocked", "failed", places=(BEFORE,)), 13)
    assert [("set", "failed", "blocked!", 13)] == gitlab.calls
    assert (BEFORE, gitlab.place) == told.places


async def test_a_pipeline_that_several_have_is_told_the_strictest():
    """In whatever order it comes to their turns; each remembers its own verdict."""
    gitlab = GitLab(place=replace(HERE, pipeline_id=13))
    mild, strict = verdict("passed", "success"), verdict("blocked", "failed")
    told = await gitlab.announcing.join(FOUND, mild, 13, [strict])
    assert [("set", "failed", "!3 has the same head: blocked!", 13)] == gitlab.calls
    assert "success" == told.status
    await gitlab.announcing.join(FOUND, strict, 13, [mild])
    assert ("set", "failed", "blocked!", 13) == gitlab.calls[-1]
