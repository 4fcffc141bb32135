"""Is GitLab there, and may we do there what a review needs."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import date
from typing import Protocol
from urllib.parse import urlsplit

from bot.cli.checks import Check, Outcome, fail, guarded, ok, skipped, version_of, warn
from bot.domain.forge import ForgeUser
from bot.gitlab.administration import SIGNING_SINCE, Installation, Project, TokenInfo
from bot.gitlab.errors import TokenRejected
from bot.settings_types import is_loopback

OLDEST_SUPPORTED = (16, 11)
EXPIRY_NOTICE_DAYS = 30
DEVELOPER = 30
ROLES = {0: "no access", 5: "Minimal Access", 10: "Guest", 15: "Planner", 20: "Reporter", 30: "Developer"}
ROLES |= {40: "Maintainer", 50: "Owner", 60: "Admin"}


class Admin(Protocol):
    """Ask GitLab about itself and us; `bot.adapters.forge_gitlab_admin.GitLabAdmin` does."""

    async def version(self) -> Installation:
        """Return the release."""

    async def token_info(self) -> TokenInfo:
        """Return scopes and expiry of our token."""

    async def user(self) -> ForgeUser:
        """Return whose token it is."""

    async def project(self, path_or_id: str | int) -> Project:
        """Return a project."""

    async def access_level(self, path_or_id: str | int, user_id: int) -> int:
        """Return the user's role in the project as a number."""


def release(version: str) -> Check:
    """Judge the version that GitLab reports."""
    try:
        supported = version_of(version)[:2] >= OLDEST_SUPPORTED
    except ValueError as error:
        return warn("gitlab", f"it answers, but {error}", "check that CLOISTER_GITLAB_URL is a GitLab")
    if supported:
        return ok("gitlab", f"version {version}")
    return warn("gitlab", f"version {version}", "upgrade GitLab: Cloister is tested with 16.11 and newer")


def transport(url: str) -> Check:
    """Judge whether the token travels in the clear."""
    parts = urlsplit(url)
    if parts.scheme == "https" or is_loopback(parts.hostname or ""):
        return ok("gitlab transport", parts.scheme)
    return warn(
        "gitlab transport",
        "plain http: the token can be read on the network",
        "use https in CLOISTER_GITLAB_URL",
    )


def scopes(granted: Collection[str]) -> Check:
    """Judge the scopes of the token: enough to comment, and no more."""
    shown = ", ".join(sorted(granted)) or "none"
    if "api" not in granted:
        return fail("token scopes", f"{shown}; `api` is missing", "make a token with scope `api`")
    powerful = sorted({"sudo", "admin_mode"} & set(granted))
    if powerful:
        return warn(
            "token scopes",
            f"{shown}: `{powerful[0]}` is far more than a review needs",
            "make one with `api` alone",
        )
    return ok("token scopes", shown)


def expiry(expires: date | None, today: date) -> Check:
    """Judge how long the token lasts; GitLab ends it at midnight UTC of that day."""
    if expires is None:
        return ok("token expiry", "never")
    days = (expires - today).days
    remedy = "rotate it; rotation keeps the bot's account, a new token would make another one"
    if days <= 0:
        return fail("token expiry", f"it expired on {expires}", remedy)
    if days < EXPIRY_NOTICE_DAYS:
        return warn("token expiry", f"{expires}, in {days} days", remedy)
    return ok("token expiry", f"{expires}, in {days} days")


def role(project: str, level: int) -> Check:
    """Judge the account's access level in *project*."""
    name = ROLES.get(level, f"level {level}")
    if level >= DEVELOPER:
        return ok("project role", f"{name} in {project}")
    return fail("project role", f"{name} in {project}", f"make the account a Developer of {project}, or more")


def signing(version: str) -> Check:
    """Say how GitLab will prove that a webhook is its own."""
    if version_of(version)[:2] >= SIGNING_SINCE:
        return ok(
            "webhook signing", f"GitLab {version} signs, if CLOISTER_WEBHOOK_SECRET holds a `whsec_` token"
        )
    return ok("webhook signing", f"GitLab {version} sends the plain secret; signing came with 19.0")


def merging(project: Project) -> Check:
    """Say whether our threads keep merge requests of *project* from merging."""
    if project.only_allow_merge_if_all_discussions_are_resolved:
        return ok(
            "project merging",
            f"{project.path_with_namespace}: open threads block merging; of ours those that comments.block_merge of the policy says",
        )
    return ok("project merging", f"{project.path_with_namespace}: open threads do not block merging")


async def inspect(admin: Admin, project: str | None, today: date) -> list[Check]:
    """Make all checks of a GitLab; when it does not answer at all, or not to our token, the rest is skipped."""
    first = await guarded("gitlab", _release(admin), remedy="check CLOISTER_GITLAB_URL and the network")
    if first[0].outcome is Outcome.fail:
        return [*first, skipped("token", "GitLab did not answer")]
    if first[-1].outcome is Outcome.fail:
        return first
    checks = [_token(admin, today), *([_project(admin, project)] if project else [])]
    names = ("token", "project")
    remedies = ("make a new token with scope `api`", "check the path, and make the bot's account a member")
    results = await asyncio.gather(
        *(
            guarded(name, check, remedy=remedy)
            for name, check, remedy in zip(names, checks, remedies, strict=False)
        )
    )
    rest = [check for result in results for check in result]
    if project is None:
        rest.append(skipped("project role", "no project named", "add --project GROUP/PROJECT"))
    return [*first, *rest]


async def _release(admin: Admin) -> list[Check]:
    try:
        version = (await admin.version()).version
    except TokenRejected:
        remedy = "rotate it or make a new one with scope `api`, and set CLOISTER_GITLAB_TOKEN"
        return [ok("gitlab", "it answers"), fail("token", "it is wrong, expired or revoked", remedy)]
    verdict = release(version)
    return [verdict, signing(version)] if verdict.outcome is Outcome.ok else [verdict]


async def _token(admin: Admin, today: date) -> list[Check]:
    token, user = await asyncio.gather(admin.token_info(), admin.user())
    if not token.active:
        return [fail("token", f"the token of {user.username} is revoked", "make a new one")]
    return [ok("token account", user.username), scopes(token.scopes), expiry(token.expires_at, today)]


async def _project(admin: Admin, path: str) -> list[Check]:
    user, project = await asyncio.gather(admin.user(), admin.project(path))
    level = await admin.access_level(path, user.id)
    return [role(project.path_with_namespace, level), merging(project)]
