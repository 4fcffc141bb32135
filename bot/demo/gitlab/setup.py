"""Accounts, tokens, projects and webhooks, made from Python."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from bot.demo.gitlab.accounts import Application, Level, User
from bot.demo.gitlab.hooks import FLAGS, SYSTEM_FLAGS
from bot.demo.gitlab.instance import Instance
from bot.demo.gitlab.oauth import SESSION_COOKIE
from bot.demo.gitlab.repository import Change, Repository, Signature
from bot.demo.gitlab.state import Group, Hook, MergeRequest, Project

#: What a webhook for a review bot listens to.
BOT_EVENTS = ("merge_requests_events", "note_events", "emoji_events", "pipeline_events", "push_events")


class Setup:
    """Make what a test or a demo starts from; every method may be called from any thread."""

    def __init__(self, instance: Instance, root: Path) -> None:
        self.instance = instance
        self._root = root
        self._timers: list[threading.Timer] = []
        self.admin = self.create_user("root", admin=True)

    def stop(self) -> None:
        """End timers, webhook workers and object readers."""
        for timer in self._timers:
            timer.cancel()
            timer.join()
        self.instance.core.hooks.close()
        for project in self.instance.state.projects.values():
            project.repository.close()

    def create_user(self, username: str, name: str = "", *, bot: bool = False, admin: bool = False) -> User:
        """Return a new account."""
        with self.instance.state.lock:
            user = User(self.instance.state.next_id(), username, name or username.title(), bot, admin)
            self.instance.state.users[user.id] = user
            return user

    def delete_user(self, user: User) -> None:
        """Delete an account: what it wrote and its reactions belong to the ghost from now on."""
        state = self.instance.state
        ghost = next((one for one in state.users.values() if one.username == "ghost"), None)
        ghost = ghost or self.create_user("ghost", "Ghost User", bot=True)
        with state.lock:
            del state.users[user.id]
            for project in state.projects.values():
                project.members.pop(user.id, None)
                for merge_request in project.merge_requests.values():
                    _give(merge_request, user, ghost)

    def create_token(
        self, user: User, scopes: Iterable[str] = ("api",), expires_at: date | None = None
    ) -> str:
        """Return a new token of *user*."""
        with self.instance.state.lock:
            return self.instance.tokens.create(user, scopes, expires_at).value

    def create_application(
        self, redirect_uri: str, scopes: Iterable[str] = ("openid", "read_api"), *, name: str = "Cloister"
    ) -> Application:
        """Return a new application that people may sign in to."""
        with self.instance.state.lock:
            application = Application(
                secrets.token_hex(32), f"gloas-{secrets.token_hex(32)}", name, redirect_uri, tuple(scopes)
            )
            self.instance.state.applications[application.id] = application
            return application

    def browser_of(self, user: User) -> dict[str, str]:
        """Return the cookie of a browser in which *user* has signed in here."""
        value = secrets.token_hex(16)
        with self.instance.state.lock:
            self.instance.state.browsers[value] = user
        return {SESSION_COOKIE: value}

    def create_project_token(
        self,
        project: Project,
        level: int = Level.developer,
        scopes: Iterable[str] = ("api",),
        expires_at: date | None = None,
    ) -> tuple[User, str]:
        """Return the bot user and the value of a new project access token."""
        user = self.create_user(f"project_{project.id}_bot_{secrets.token_hex(16)}", "Review bot", bot=True)
        self.add_member(project, user, level)
        return user, self.create_token(user, scopes, expires_at)

    def revoke(self, token: str) -> None:
        """Revoke a token: it is refused from now on."""
        self.instance.state.tokens[token].revoked = True

    def create_group(self, path: str) -> Group:
        """Return the group at *path*, new or not."""
        state = self.instance.state
        with state.lock:
            for group in state.groups.values():
                if group.path == path:
                    return group
            group = Group(state.next_id(), path)
            state.groups[group.id] = group
            return group

    def create_project(
        self,
        path: str,
        files: Mapping[str, Change] | None = None,
        *,
        members: Mapping[User, int] | None = None,
        visibility: str = "private",
        default_branch: str = "main",
    ) -> Project:
        """Return a new project whose default branch holds *files*; only maintainers may change that branch."""
        state = self.instance.state
        with state.lock:
            group = self.create_group(path.rpartition("/")[0] or "root")
            number = state.next_id()
            repository = Repository(self._root / f"{number}.git", default_branch)
            project = Project(number, path, group, repository, default_branch, visibility)
            project.members = {user.id: level for user, level in (members or {}).items()}
            project.protected = {default_branch: Level.maintainer}
            state.projects[number] = project
            state.redirects.pop(path, None)
            first = repository.commit(
                [], {"README.md": f"# {path}\n"} if files is None else files, "Initial commit", self._admin()
            )
            repository.set_ref(f"refs/heads/{default_branch}", first)
            return project

    def _admin(self) -> Signature:
        return Signature(self.admin.name, self.admin.email)

    def fork(self, project: Project, path: str, owner: User) -> Project:
        """Return a fork that *owner* maintains."""
        copy = self.create_project(
            path, members={owner: Level.maintainer}, default_branch=project.default_branch
        )
        with self.instance.state.lock:
            copy.forked_from = project
            for branch, sha in project.repository.branches().items():
                copy.repository.fetch_from(project.repository, sha)
                copy.repository.set_ref(f"refs/heads/{branch}", sha)
            return copy

    def add_member(self, where: Project | Group, user: User, level: int) -> None:
        """Give *user* a role in a project or group; ``Level.none`` takes it away."""
        with self.instance.state.lock:
            where.members[user.id] = level

    def add_hook(
        self,
        where: Project | Group,
        url: str,
        token: str = "",
        *,
        signing_token: str = "",
        events: Iterable[str] = BOT_EVENTS,
    ) -> Hook:
        """Add a webhook to a project or group."""
        hook = self._hook(url, token, signing_token, events)
        where.hooks.append(hook)
        return hook

    def add_system_hook(self, url: str, token: str = "", *, events: Iterable[str] = SYSTEM_FLAGS) -> Hook:
        """Add a webhook of the whole instance, which is told of pushes and merge requests only."""
        hook = self._hook(url, token, "", events)
        self.instance.state.system_hooks.append(hook)
        return hook

    def _hook(self, url: str, token: str, signing_token: str, events: Iterable[str]) -> Hook:
        flags = set(events)
        if not flags <= set(FLAGS):
            raise ValueError(f"unknown webhook events: {sorted(flags - set(FLAGS))}")
        return Hook(self.instance.state.next_id(), url, flags, token, signing_token)


def _give(merge_request: MergeRequest, user: User, ghost: User) -> None:
    for note in merge_request.notes:
        note.author = ghost if note.author is user else note.author
        note.resolved_by = ghost if note.resolved_by is user else note.resolved_by
        for award in note.awards:
            award.user = ghost if award.user is user else award.user
