"""What every forge adapter keeps to, shown on a GitLab-compatible server over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from bot.adapters.forge_gitlab import GitLabForge
from bot.adapters.forge_gitlab_admin import GitLabAdmin, HookScope
from bot.adapters.forge_gitlab_people import GitLabPeople
from bot.adapters.forge_gitlab_updates import GitLabUpdates
from bot.demo.gitlab import GitLabServer, Level, MergeRequest, Project, RateLimit, User
from bot.demo.gitlab.statuses import pipeline_status
from bot.domain.diff import FileDiff
from bot.domain.errors import Refused, Transient
from bot.domain.forge import ForgeMergeRequest, PositionRefused
from bot.domain.merge_request import MergeRequestRef, Revision
from bot.domain.patch import parse
from bot.gitlab.errors import TokenRejected
from bot.gitlab.instance import instance_name
from bot.gitlab.positions import NoPosition, Side, Target, position

OLD = "".join(f"line {n}\n" for n in range(1, 41))
NEW = OLD.replace("line 5\n", "changed\nextra\n").replace("line 20\n", "").replace("line 30\n", "30\n")
FILES = {"app.py": OLD, "gone.py": "a\nb\n", "old.py": OLD}
CHANGES = {"app.py": NEW, "gone.py": None, "old.py": None, "new.py": "x = 1\n" + NEW, "added ä.py": "1\n2\n3"}


@dataclass
class World:
    """One merge request, and the bot that looks at it."""

    server: GitLabServer
    project: Project
    opened: MergeRequest
    bot: User
    token: str
    forge: GitLabForge

    @property
    def ref(self) -> MergeRequestRef:
        return MergeRequestRef(
            instance=instance_name(self.server.url), project_id=self.project.id, iid=self.opened.iid
        )

    async def read(self) -> ForgeMergeRequest:
        return await self.forge.merge_request(self.ref)


@pytest.fixture(scope="module")
def gitlab() -> Iterator[GitLabServer]:
    with GitLabServer() as server:
        yield server


@pytest.fixture
async def world(gitlab: GitLabServer) -> AsyncIterator[World]:
    gitlab.faults.clear()
    gitlab.rate_limit = None
    gitlab.instance.drafts_check_positions = True
    project = gitlab.create_project(f"team/app{len(gitlab.instance.state.projects)}", FILES)
    opened = gitlab.open_merge_request(project, changes=CHANGES)
    bot, token = gitlab.create_project_token(project)
    forge = GitLabForge(gitlab.url, token, timeout_s=5.0)
    yield World(gitlab, project, opened, bot, token, forge)
    await forge.aclose()
    assert gitlab.unknown_requests == []


def diff(world: World, revision: Revision) -> dict[str, FileDiff]:
    arguments = ("diff", "--raw", "-z", "--patch", "--full-index", "--find-renames=30%")
    output = world.project.repository.git(*arguments, revision.base_sha, revision.head_sha)
    return {file.new_path: file for file in parse(output).files}


async def test_we_are_the_owner_of_the_token(world: World):
    """Our own account is asked for once."""
    assert [world.bot.id, world.bot.id] == [(await world.forge.whoami()).id, (await world.forge.whoami()).id]
    assert world.forge.calls == 1


async def test_a_merge_request_names_its_commits(world: World):
    """One call tells state, branches and the three commits."""
    found = await world.read()
    assert world.opened.refs is not None
    expected = Revision(
        ref=world.ref,
        base_sha=world.opened.refs.base_sha,
        start_sha=world.opened.refs.start_sha,
        head_sha=world.opened.head_sha,
    )
    assert (expected, "opened", "main", "feature") == (
        found.revision,
        found.state,
        found.target_branch,
        found.source_branch,
    )
    assert world.forge.calls == 1


async def test_an_unprepared_merge_request_has_no_revision(world: World):
    """Until GitLab made the diff there is nothing to review, which is no error."""
    late = world.server.open_merge_request(
        world.project, "late", {"app.py": "changed\n"}, title="Late", prepared=False
    )
    ref = world.ref.model_copy(update={"iid": late.iid})
    assert (await world.forge.merge_request(ref)).revision is None
    world.server.finish_preparing(late)
    assert (await world.forge.merge_request(ref)).revision is not None


async def test_every_line_has_a_place_that_gitlab_accepts(world: World):
    """Added, removed and unchanged lines, in hunks and outside, renamed and new files, ranges too."""
    revision = (await world.read()).revision
    assert revision is not None
    files = diff(world, revision)
    assert {"app.py", "gone.py", "new.py", "added ä.py"} == set(files)
    targets = [
        *(("app.py", Target(n, n)) for n in (1, 4, 5, 6, 7, 15, 20, 21, 30, 40)),
        *(("app.py", Target(n, n, Side.old)) for n in (5, 20, 30)),
        *(("app.py", Target(start, end)) for start, end in ((5, 6), (1, 40), (12, 13), (6, 9), (2, 5))),
        ("app.py", Target(19, 21, Side.old)),
        *(("new.py", Target(n, n)) for n in (1, 2, 41)),
        ("new.py", Target(1, 25)),
        ("added ä.py", Target(1, 3)),
        ("gone.py", Target(1, 2, Side.old)),
    ]
    for path, target in targets:
        body = f"{path} {target}"
        await world.forge.create_draft(world.ref, body, position(files[path], revision, target))
    await world.forge.publish_drafts(world.ref)
    posted = [note.body for note in world.opened.notes if note.position is not None]
    assert [f"{path} {target}" for path, target in targets] == posted


async def test_a_wrong_position_is_refused_and_leaves_nothing(world: World):
    """The text must go elsewhere; no half-made draft stays behind."""
    revision = (await world.read()).revision
    assert revision is not None
    good = position(diff(world, revision)["app.py"], revision, Target(1, 1))
    for bad in (good | {"old_line": 7}, good | {"new_path": "nowhere.py"}, good | {"head_sha": None}):
        with pytest.raises(PositionRefused):
            await world.forge.create_draft(world.ref, "text", bad)
    assert await world.forge.drafts(world.ref) == []
    with pytest.raises(NoPosition):
        position(diff(world, revision)["gone.py"], revision, Target(1, 1))


async def test_a_position_that_breaks_gitlab_is_refused_in_the_end(world: World):
    """Where a release answers 500 to a new file, the comment goes to the summary after three tries."""
    revision = (await world.read()).revision
    assert revision is not None
    place = position(diff(world, revision)["added ä.py"], revision, Target(1, 1))
    world.server.instance.core.positions.old_path_of_added_file_breaks = True
    try:
        for _ in range(2):
            with pytest.raises(Transient):
                await world.forge.create_draft(world.ref, "text", place)
        with pytest.raises(PositionRefused):
            await world.forge.create_draft(world.ref, "text", place)
    finally:
        world.server.instance.core.positions.old_path_of_added_file_breaks = False


async def test_one_bad_draft_does_not_hold_up_the_others(world: World):
    """Where GitLab notices a bad position only on publishing, the good drafts get out and the bad is named."""
    world.server.instance.drafts_check_positions = False
    revision = (await world.read()).revision
    assert revision is not None
    good = position(diff(world, revision)["app.py"], revision, Target(5, 5))
    await world.forge.create_draft(world.ref, "good", good)
    bad = await world.forge.create_draft(world.ref, "bad", good | {"old_line": 999})
    await world.forge.create_draft(world.ref, "plain", None)
    for _ in range(2):
        with pytest.raises(Transient):
            await world.forge.publish_drafts(world.ref)
    with pytest.raises(PositionRefused) as refused:
        await world.forge.publish_drafts(world.ref)
    assert (bad,) == refused.value.drafts
    assert await world.forge.drafts(world.ref) == []
    assert [note.body for note in world.opened.notes if note.author is world.bot] == ["good", "plain"]


async def test_drafts_become_discussions_in_one_step(world: World):
    """Only we see drafts until they are published; deleting one twice is fine."""
    kept = await world.forge.create_draft(world.ref, "kept", None)
    dropped = await world.forge.create_draft(world.ref, "dropped", None)
    assert [kept, dropped] == await world.forge.drafts(world.ref)
    await world.forge.delete_draft(world.ref, dropped.id)
    await world.forge.delete_draft(world.ref, dropped.id)
    await world.forge.publish_drafts(world.ref)
    assert await world.forge.drafts(world.ref) == []
    notes = [note for discussion in await world.forge.discussions(world.ref) for note in discussion.notes]
    assert [("kept", world.bot.id)] == [(note.body, note.author_id) for note in notes if not note.system]


async def test_all_pages_of_discussions_are_read(world: World):
    """More discussions than fit on a page are all there, in order, in as few calls as possible."""
    bodies = [f"note {n}" for n in range(230)]
    for body in bodies:
        world.server.comment(world.opened, body)
    found = [discussion.notes[0] for discussion in await world.forge.discussions(world.ref)]
    assert bodies == [note.body for note in found if not note.system]
    assert world.forge.calls == 3


async def test_a_discussion_is_resolved_once(world: World):
    """Resolving twice changes nothing the second time."""
    revision = (await world.read()).revision
    assert revision is not None
    place = position(diff(world, revision)["app.py"], revision, Target(5, 5))
    await world.forge.create_draft(world.ref, "thread", place)
    await world.forge.publish_drafts(world.ref)
    thread = next(each for each in await world.forge.discussions(world.ref) if each.notes[0].resolvable)
    assert not thread.notes[0].resolved
    for _ in range(2):
        await world.forge.resolve(world.ref, thread.id)
    found = {each.id: each for each in await world.forge.discussions(world.ref)}
    assert found[thread.id].notes[0].resolved


async def test_our_comment_is_edited_until_it_is_gone(world: World):
    """An edit replaces the body; a deleted comment cannot be edited."""
    note = await world.forge.create_note(world.ref, "first")
    assert (world.bot.id, False) == (note.author_id, note.resolvable)
    await world.forge.edit_note(world.ref, note.id, "second")
    stored = next(each for each in world.opened.notes if each.id == note.id)
    assert stored.body == "second"
    world.opened.notes.remove(stored)
    world.opened.discussions.pop(stored.discussion_id)
    with pytest.raises(Refused):
        await world.forge.edit_note(world.ref, note.id, "third")


async def test_an_answer_joins_the_discussion(world: World):
    """A reply stands below what it answers, for everybody to see; with the discussion gone there is no place for it."""
    asked = world.server.comment(world.opened, "a question")
    reply = await world.forge.reply(world.ref, asked.discussion_id, "an answer")
    found = await world.forge.discussion(world.ref, asked.discussion_id)
    assert [("a question", world.opened.author.id), ("an answer", world.bot.id)] == [
        (note.body, note.author_id) for note in found.notes
    ]
    assert found.notes[1].id == reply.id
    for note in list(world.opened.discussions[asked.discussion_id]):
        world.server.delete_note(world.opened, note)
    with pytest.raises(Refused):
        await world.forge.discussion(world.ref, asked.discussion_id)
    with pytest.raises(Refused):
        await world.forge.reply(world.ref, asked.discussion_id, "too late")


async def test_a_hidden_note_says_so(world: World):
    """What only members see must not be answered where everybody does."""
    note = world.server.comment(world.opened, "between us")
    note.internal = True
    (found,) = (await world.forge.discussion(world.ref, note.discussion_id)).notes
    assert found.internal


async def test_a_merge_request_names_its_people(world: World):
    """Author, assignees and reviewers, in one call."""
    reviewer, assignee = (world.server.create_user(f"{name}{world.project.id}") for name in ("rev", "assig"))
    world.opened.reviewers.append(reviewer)
    world.opened.assignees.append(assignee)
    found = await world.read()
    assert {world.opened.author.id, reviewer.id, assignee.id} == found.participants
    assert world.forge.calls == 1


async def test_access_is_what_it_is_now(world: World):
    """A role counts, own or inherited, until it is taken away, its day comes, or the account is blocked."""
    people = GitLabPeople(world.forge.api)
    user = world.server.create_user(f"casual{world.project.id}")

    async def level() -> int:
        return (await people.member(world.project.id, user.id)).access_level

    assert await level() == 0
    world.server.add_member(world.project, user, Level.developer)
    assert await level() == Level.developer
    world.project.expiries[user.id] = datetime.now(UTC).date()
    assert await level() == 0
    world.project.expiries[user.id] += timedelta(days=2)
    assert await level() == Level.developer
    assert await people.may_sign_in(user.id)
    user.state = "blocked"
    assert await level() == 0
    assert not await people.may_sign_in(user.id)
    assert not await people.may_sign_in(999_999)
    with pytest.raises(Refused):
        await people.member(world.project.id, 999_999)


async def test_access_to_a_group_is_that_to_all_of_it(world: World):
    """Own, or that to a group above it; a role in a project of it is none, nor in a group that we may not see."""
    people, group = GitLabPeople(world.forge.api), world.project.group
    user = world.server.create_user(f"grouped{world.project.id}")
    world.server.add_member(world.project, user, Level.maintainer)
    assert await people.level_in_group(group.path, user.id) == 0
    world.server.add_member(group, user, Level.maintainer)
    assert await people.level_in_group(group.path.upper(), user.id) == Level.maintainer
    below = world.server.create_project(f"{group.path}/below/app{world.project.id}", {}).group
    assert await people.level_in_group(below.path, user.id) == 0
    world.server.add_member(below, world.bot, Level.reporter)
    assert await people.level_in_group(below.path, user.id) == Level.maintainer
    user.state = "blocked"
    assert await people.level_in_group(group.path, user.id) == 0
    assert await people.level_in_group("no/such/group", user.id) == 0


async def test_a_bot_is_told_from_a_person(world: World):
    """By what GitLab says of the account, and by its name where GitLab says nothing."""
    people = GitLabPeople(world.forge.api)
    named = world.server.create_user(f"project_{world.project.id}_bot_0123456789abcdef")
    member = [
        await people.member(world.project.id, user.id) for user in (world.bot, named, world.opened.author)
    ]
    assert [True, True, False] == [one.bot for one in member]
    assert member[2].user.username == world.opened.author.username


async def test_who_wrote_commits_is_told_by_what_they_say(world: World):
    """Where they cannot be read, anybody may have."""
    people = GitLabPeople(world.forge.api)
    author = world.opened.author
    other = world.server.create_user(f"other{world.project.id}")
    assert [True, False] == [await people.wrote(world.ref, user.id) for user in (author, other)]
    other.public_email = author.email
    assert await people.wrote(world.ref, other.id)
    assert await people.wrote(world.ref.model_copy(update={"iid": 999}), other.id)


async def test_who_may_push_depends_on_the_branch(world: World):
    """A protected branch is for maintainers, any other for developers; a fork has roles of its own."""
    people = GitLabPeople(world.forge.api)
    developer = world.server.create_user(f"pusher{world.project.id}")
    world.server.add_member(world.project, developer, Level.developer)
    found = await world.read()
    assert await people.may_push(found, developer.id)
    world.project.protected["feature"] = Level.maintainer
    assert not await people.may_push(found, developer.id)
    world.project.protected["feature"] = Level.developer
    assert await people.may_push(found, developer.id)
    fork = world.server.fork(world.project, f"forks/app{world.project.id}", world.server.admin)
    theirs = world.server.open_merge_request(world.project, "theirs", {"app.py": "1\n"}, fork=fork)
    ref = world.ref.model_copy(update={"iid": theirs.iid})
    assert not await people.may_push(await world.forge.merge_request(ref), developer.id)
    world.server.delete_branch(world.opened)
    assert not await people.may_push(found, developer.id)


@pytest.mark.parametrize("own_pipeline", [True, False])
async def test_the_status_joins_the_pipeline_that_people_see(world: World, own_pipeline: bool):
    """No second pipeline appears beside the one of the merge request or of its branch."""
    pipeline = world.server.add_pipeline(world.opened, merge_request_pipeline=own_pipeline)
    found = await world.read()
    for state in ("pending", "running", "running", "success"):
        await world.forge.set_status(found, world.opened.head_sha, state, state * 100)
    assert [pipeline] == world.project.pipelines
    shown = [(status.name, status.state) for status in world.project.statuses if not status.retried]
    assert shown == [("cloister", "success")]


async def test_a_job_of_its_name_does_not_keep_the_status_away(world: World):
    """A merge request may bring one; the status then has the commit in its name, and goes on under that."""
    pipeline = world.server.add_pipeline(world.opened)
    world.server.finish_job(world.server.add_job(pipeline, "cloister"), {})
    found = await world.read()
    for state in ("running", "running", "failed"):
        await world.forge.set_status(found, world.opened.head_sha, state, "")
    assert [(f"cloister {world.opened.head_sha[:16]}", "failed")] == [
        (status.name, status.state) for status in world.project.statuses
    ]
    assert "failed" == pipeline_status(world.project, pipeline)


async def test_without_a_pipeline_the_status_belongs_to_the_source_branch(world: World):
    """Another branch that holds the commit does not catch the status."""
    world.project.repository.set_ref("refs/heads/aaa", world.opened.head_sha)
    found = await world.read()
    for state in ("pending", "pending", "running", "pending", "failed"):
        await world.forge.set_status(found, world.opened.head_sha, state, "")
    assert [(each.ref, each.source) for each in world.project.pipelines] == [("feature", "external")]
    assert [(status.state, status.retried) for status in world.project.statuses] == [("failed", False)]


async def test_the_status_of_a_fork_goes_to_the_fork(world: World):
    """The source project holds the commit; without rights there it is refused, not retried."""
    owner = world.server.create_user(f"owner{world.project.id}")
    fork = world.server.fork(world.project, f"owner/app{world.project.id}", owner)
    theirs = world.server.open_merge_request(
        world.project, "patch", {"app.py": "1\n"}, author=owner, fork=fork
    )
    found = await world.forge.merge_request(world.ref.model_copy(update={"iid": theirs.iid}))
    with pytest.raises(Refused):
        await world.forge.set_status(found, theirs.head_sha, "running", "")
    world.server.add_member(fork, world.bot, Level.developer)
    await world.forge.set_status(found, theirs.head_sha, "running", "")
    assert [len(world.project.statuses), len(fork.statuses)] == [0, 1]


async def test_a_locked_status_may_be_set_later(world: World):
    """The lock that GitLab holds for a moment is not a refusal."""
    world.server.lock_statuses(world.project, world.opened.head_sha)
    found = await world.read()
    with pytest.raises(Transient):
        await world.forge.set_status(found, world.opened.head_sha, "running", "")


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 502}, {"drop": True}])
async def test_a_write_that_broke_off_may_have_happened(world: World, fault: dict[str, int]):
    """The caller is told to look for the effect, and finds it; nothing was sent twice."""
    world.server.faults.add("POST", "/draft_notes$", after_commit=True, **fault)
    with pytest.raises(Transient) as broken:
        await world.forge.create_draft(world.ref, "once", None)
    assert broken.value.outcome_unknown
    assert [draft.body for draft in await world.forge.drafts(world.ref)] == ["once"]


async def test_a_read_that_broke_off_has_no_effect(world: World):
    """A read can simply be repeated."""
    world.server.faults.add("GET", "/discussions", drop=True)
    with pytest.raises(Transient) as broken:
        await world.forge.discussions(world.ref)
    assert not broken.value.outcome_unknown


async def test_a_throttle_names_its_wait(world: World):
    """Retry-After survives the plain-text answer."""
    world.server.rate_limit = RateLimit(1, period_s=3600)
    await world.forge.whoami()
    with pytest.raises(Transient) as throttled:
        await world.read()
    assert not throttled.value.outcome_unknown
    assert 0 < (throttled.value.retry_after_s or 0) <= 3602
    world.server.rate_limit = None


async def test_a_revoked_token_names_the_remedy(world: World):
    """The operator reads which setting to change."""
    world.server.revoke(world.token)
    with pytest.raises(TokenRejected, match="CLOISTER_GITLAB_TOKEN"):
        await world.read()


async def test_what_we_cannot_see_is_refused(world: World):
    """No access and no such thing look the same."""
    with pytest.raises(Refused, match="no access"):
        await world.forge.merge_request(world.ref.model_copy(update={"iid": 999}))


async def test_a_hook_is_installed_once(world: World):
    """Installing again changes nothing; the bot's own role is too low for it."""
    maintainer, token = world.server.create_project_token(world.project, Level.maintainer)
    admin = GitLabAdmin(world.server.url, token)
    url = "http://bot.example/webhooks/gitlab"
    outcomes = [
        (await admin.install_hook(HookScope.project, world.project.path, url=url, token="s")).outcome
        for _ in range(2)
    ]
    assert outcomes == ["created", "unchanged"]
    hook = world.project.hooks[0]
    assert ({"merge_requests_events", "note_events", "emoji_events", "pipeline_events"}, "s") == (
        hook.events,
        hook.token,
    )
    assert Level.maintainer == await admin.access_level(world.project.path, maintainer.id)
    assert (await admin.version()).release == (18, 10)
    assert (await admin.token_info()).scopes == ("api",)
    await admin.aclose()
    low = GitLabAdmin(world.server.url, world.token)
    with pytest.raises(Refused, match="role"):
        await low.hooks(HookScope.project, world.project.id)
    await low.aclose()


def updates_of(world: World) -> GitLabUpdates:
    return GitLabUpdates(world.forge.api, instance_name(world.server.url))


async def test_recent_changes_are_listed(world: World):
    """A merge request is found by its time, that included, with the head that it has now."""
    updates = updates_of(world)
    before = world.opened.updated_at + timedelta(milliseconds=1)
    head = world.server.push(world.opened, {"app.py": "more\n"})
    world.server.close_merge_request(world.opened)
    page = await updates.updated_since(before)
    (found,) = page.merge_requests
    assert (world.ref, head, "closed") == (found.ref, found.head_sha, found.state)
    assert not page.more
    assert page.now is not None
    assert page.now - timedelta(seconds=10) < found.updated_at < page.now + timedelta(seconds=2)
    assert (found,) == (await updates.updated_since(found.updated_at)).merge_requests
    assert () == (await updates.updated_since(found.updated_at + timedelta(milliseconds=1))).merge_requests


async def test_changes_come_in_pages_oldest_first(world: World):
    """An update takes a merge request to the end of the list."""
    updates = updates_of(world)
    start = world.opened.updated_at
    for number in range(120):
        world.server.open_merge_request(world.project, "feature", title=f"Change {number}")
    first = await updates.updated_since(start)
    assert (100, True) == (len(first.merge_requests), first.more)
    world.server.edit(world.opened, title="Other")
    last = first.merge_requests[-1]
    second = await updates.updated_since(last.updated_at)
    assert (last, False) == (second.merge_requests[0], second.more)
    assert [*range(1, 122), 1] == [one.ref.iid for one in (*first.merge_requests, *second.merge_requests[1:])]
    assert [one.ref.iid for one in (await updates.updated_since(start, page=2)).merge_requests] == [
        *range(102, 122),
        1,
    ]


async def test_our_projects_are_those_where_we_may_review(world: World):
    """Not those that are public, nor those where our role is too low."""
    server = world.server
    for number, level in enumerate((Level.reporter, Level.developer, Level.maintainer)):
        project = server.create_project(f"others/app{number}-{world.project.id}", FILES)
        server.add_member(project, world.bot, level)
    server.create_project(f"public/app{world.project.id}", FILES, visibility="public")
    inherited = server.create_project(f"ours{world.project.id}/app", FILES)
    server.add_member(inherited.group, world.bot, Level.developer)
    names = {server.instance.state.projects[number].path for number in await updates_of(world).our_projects()}
    assert names == {
        world.project.path,
        f"others/app1-{world.project.id}",
        f"others/app2-{world.project.id}",
        inherited.path,
    }
