"""What is decided for groups: the nearest wins, and only many projects together speak for one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.labels import Label
from bot.domain.policy import Noise
from bot.domain.quiet.groups import (
    LEAST_PROJECTS,
    Standing,
    effective,
    group_path,
    groups_above,
    pooled,
    strictest,
)
from bot.domain.quiet.muting import (
    Board,
    Mute,
    Outcome,
    Override,
    Scope,
    Subject,
    acceptance,
    decide,
    group_of,
    group_team,
    unwanted,
    wanted,
)
from tests.unit.domain.quiet.test_muting import DAY, NOW, finding, outcomes

#: A project, its group and the one above that.
TEAMS = ("7", "/team/desk", "/team")


def subject(team: str) -> Subject:
    """Return the rule of a team."""
    return Subject(team, Scope.rule, "semgrep", "python-eval")


def by(team: str, *, muted: bool, ago: int = 1, lasts: int = 30) -> Override:
    """Return what a person decided for a team some days ago."""
    return Override(muted=muted, at=NOW - ago * DAY, by=5, until=NOW + (lasts - ago) * DAY, team=team)


def figures(team: str, *, ago: int = 1) -> Mute:
    """Return what figures of a team decided some days ago."""
    return Mute(subject(team), NOW - ago * DAY, NOW + (30 - ago) * DAY)


def whose(**standing: Standing) -> str:
    """Return whose mute holds in the project, empty for none; the levels are ``own``, ``near`` and ``far``."""
    named = dict(zip(("own", "near", "far"), TEAMS, strict=True))
    known = {subject(named[level]): one for level, one in standing.items()}
    found = effective(TEAMS, known, NOW)[subject("7")]
    mute = decide(subject("7"), (), now=NOW, last=found.last, override=found.override)
    return mute.subject.team if mute else ""


def test_the_nearest_decision_of_a_person_wins() -> None:
    """Either way, and before figures of any level; what has ended decides nothing."""
    far, near, own = (Standing(override=by(team, muted=True)) for team in reversed(TEAMS))
    said = Standing(override=by("7", muted=False))
    said_near = Standing(override=by("/team/desk", muted=False))
    assert whose(far=far) == "/team"
    assert whose(far=far, near=near) == "/team/desk"
    assert whose(far=far, near=near, own=own) == "7"
    assert whose(far=far, near=near, own=said) == ""
    assert whose(far=far, near=said_near) == ""
    assert whose(far=far, near=said_near, own=own) == "7"
    assert whose(near=said_near, own=Standing(figures("7"))) == ""
    assert whose(far=far, own=Standing(figures("7"))) == "/team"
    ended = Standing(override=by("7", muted=False, ago=40))
    assert whose(far=far, own=ended) == "/team"


def test_figures_of_the_nearest_level_hold() -> None:
    """A decision that has ended since then makes them count anew."""
    assert whose(far=Standing(figures("/team")), near=Standing(figures("/team/desk"))) == "/team/desk"
    assert whose(far=Standing(figures("/team"))) == "/team"
    ended = Standing(override=by("7", muted=False, ago=31))
    assert whose(far=Standing(figures("/team")), own=ended) == "/team"
    assert whose(far=Standing(figures("/team", ago=29)), own=ended) == "/team"
    late = Standing(override=by("7", muted=False, ago=20, lasts=10))
    assert whose(far=Standing(figures("/team", ago=29)), own=late) == ""


def test_good_figures_of_its_own_spare_a_project() -> None:
    """What figures mute for its group; not what a person does."""
    group = Mute(subject("/team"), NOW, NOW + DAY)
    heard = finding(fingerprint="f1")
    own = subject("7")
    assert Board("7", {own: group}).mute_of(heard) == group
    assert Board("7", {own: group}, proven=frozenset({own})).mute_of(heard) is None
    person = Mute(subject("/team"), NOW, NOW + DAY, by=5)
    assert Board("7", {own: person}, proven=frozenset({own})).mute_of(heard) == person
    assert Board("7", {own: Mute(own, NOW, NOW + DAY)}, proven=frozenset({own})).mute_of(heard) is not None


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 20)), max_size=6))
def test_only_projects_that_cannot_decide_alone_speak_for_their_group(figures: list[tuple[int, int]]) -> None:
    """Three of them at least, and none against the good figures of any."""
    projects = {n: outcomes(accepted, accepted + more) for n, (accepted, more) in enumerate(figures)}
    shares = [acceptance(of) for of in projects.values()]
    alone = [share for share in shares if share.of and not unwanted(share)]
    speak = not any(map(wanted, shares)) and len(alone) >= LEAST_PROJECTS
    assert sum(share.of for share in alone) * speak == len(pooled(projects, None))


def test_four_comments_of_three_projects_mute_a_group() -> None:
    """One comment fewer does not, nor one project fewer, nor one that has begun before the count."""
    at = [outcomes(0, 4), outcomes(0, 4), outcomes(0, 4)]
    group = subject("/team")
    assert decide(group, pooled(dict(enumerate(at)), None), now=NOW) is not None
    assert decide(group, pooled({0: at[0], 1: at[1], 2: at[2][1:]}, None), now=NOW) is None
    assert pooled({0: outcomes(0, 6), 1: outcomes(0, 6)}, None) == ()
    assert pooled({**dict(enumerate(at)), 3: outcomes(0, 12)}, None) == pooled(dict(enumerate(at)), None)
    assert pooled({**dict(enumerate(at)), 3: outcomes(2, 2)}, None) == ()
    late = {0: at[0], 1: at[1], 2: outcomes(0, 4, NOW - 9 * DAY)}
    assert pooled(late, NOW - 2 * DAY) == ()
    censored = {0: at[0], 1: at[1], 2: [Outcome(Label.censored, NOW)] * 9}
    assert pooled(censored, None) == ()


def test_the_strictest_policy_measures_a_group() -> None:
    """Of those that want mutes by figures at all."""
    assert strictest([Noise(auto_mute=False, threshold=1)]) is None
    found = strictest([Noise(threshold=30, mute_days=9), Noise(), Noise(auto_mute=False, threshold=1)])
    assert found
    assert (found.threshold, found.lasts) == (25, timedelta(days=9))


@pytest.mark.parametrize(
    ("path", "above"),
    [("Team/desk/Web", ("team/desk", "team")), ("solo", ()), ("", ()), ("/a/b/", ("a",))],
)
def test_groups_above_a_path(path: str, above: tuple[str, ...]) -> None:
    """The nearest first, in lower case as GitLab compares them."""
    assert above == groups_above(path)


@given(st.text(max_size=40))
def test_a_path_of_a_group_is_plain(path: str) -> None:
    """Whatever is given; a team is a project or a group, never both."""
    found = group_path(path)
    assert found in ("", path.strip().strip("/").lower())
    assert not {"", ".", ".."} & set(found.split("/")) or not found
    assert group_of(group_team(found or "x")) == (found or "x")
    assert group_of("2024") == ""
