"""Who is shown what: figures and reviews of a project to those who lead it, elsewhere one's own reviews alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.api_tokens import ApiToken
from bot.domain.forge import ForgeUser
from bot.domain.token_names import Scope
from bot.domain.viewer import DEVELOPER, MAINTAINER, REPORTER, Own, Reach, Via, Viewer

LED, READ, GUEST = 1, 2, 3
_NOW = datetime(2026, 5, 29, tzinfo=UTC)


def _viewer(**more: object) -> Viewer:
    levels = {LED: MAINTAINER, READ: REPORTER, GUEST: 10}
    return Viewer(**{"user": ForgeUser(7, "lea"), "levels": levels, **more})  # type: ignore[arg-type]


def _token(*scopes: Scope, projects: frozenset[int]) -> Viewer:
    return ApiToken("nightly", frozenset(scopes), projects, _NOW, _NOW).viewer()


def test_somebody_leads_here_and_develops_there():
    """All of what they lead, their own of what they read, nothing where they are a guest."""
    reach = _viewer().reach

    assert reach == Reach(frozenset({LED}), Own(7, frozenset({LED, READ})))
    assert [reach.covers(LED, 8), reach.covers(LED, None), reach.covers(READ, 7)] == [True, True, True]
    assert [reach.covers(READ, 8), reach.covers(READ, None), reach.covers(GUEST, 7)] == [False, False, False]
    assert reach.projects == {LED, READ}


@pytest.mark.parametrize("role", ["admin", "auditor"])
def test_who_sees_everything_is_held_to_nothing(role: str):
    """Whatever GitLab says of their projects."""
    reach = _viewer(**{role: True}).reach

    assert (reach.whole, reach.projects) == (None, None)
    assert reach.covers(GUEST, None)


@pytest.mark.parametrize(("level", "oversees"), [(REPORTER, False), (DEVELOPER, False), (MAINTAINER, True)])
def test_figures_begin_with_maintainers(level: int, *, oversees: bool):
    """A developer oversees no project, however many they work in."""
    assert _viewer(levels={READ: level}).oversees_any is oversees


def test_a_token_sees_all_of_what_it_names():
    """It is nobody's own merge request that it asks for, and without names it sees all."""
    one, every = _token(Scope.read, projects=frozenset({READ})), _token(Scope.read, projects=frozenset())

    assert one.reach == Reach(frozenset({READ}))
    assert every.reach == Reach(None)
    assert not one.leads(READ)


def test_a_token_decides_about_what_it_names_only():
    """With the scope for it; one that names nothing decides nothing."""
    assert _token(Scope.noise, projects=frozenset({READ})).leads(READ)
    assert not _token(Scope.noise, projects=frozenset({READ})).leads(LED)
    assert not _token(Scope.noise, projects=frozenset()).leads(READ)


@pytest.mark.parametrize("via", [one for one in Via if one is not Via.gitlab])
def test_only_gitlab_says_whose_a_merge_request_is(via: Via):
    """A number that somebody picked, or none, is no author."""
    assert _viewer(via=via).reach.own is None


_PROJECTS = st.frozensets(st.integers(1, 4))
_OWN = st.none() | st.builds(Own, st.integers(1, 3), st.none() | _PROJECTS)


@given(st.builds(Reach, st.none() | _PROJECTS, _OWN), st.integers(1, 4), st.none() | st.integers(1, 3))
def test_what_is_covered_is_in_a_project_of_the_reach(reach: Reach, project_id: int, author_id: int | None):
    """Nothing beyond the projects is covered, and nothing of an unknown author that is not of a whole one."""
    covered = reach.covers(project_id, author_id)

    assert not covered or reach.projects is None or project_id in reach.projects
    assert covered or (reach.whole is not None and project_id not in reach.whole)
    assert author_id is not None or covered == (reach.whole is None or project_id in reach.whole)
