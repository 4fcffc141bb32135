"""Version, users, tokens, projects, groups and members."""

from __future__ import annotations

import functools

from bot.demo.gitlab import entities
from bot.demo.gitlab.accounts import Level, User
from bot.demo.gitlab.calls import Call, Reply, Routes
from bot.demo.gitlab.errors import invalid, not_found
from bot.demo.gitlab.state import Group, Project

routes = Routes()


@routes("GET", "version")
def _version(call: Call) -> Reply:
    major, minor = call.instance.state.version
    return Reply(body={"version": f"{major}.{minor}.0", "revision": "0123456789a"})


@routes("GET", "user")
def _user(call: Call) -> Reply:
    shown = entities.user(call.instance, call.user)
    own = {"email": call.user.email, "commit_email": call.user.email, "bot": call.user.bot}
    return Reply(body=shown | own | ({"is_admin": True} if call.user.admin else {}))


@routes("GET", "users/:user_id")
def _account(call: Call) -> Reply:
    user = call.instance.state.users.get(call.segment_number("user_id"))
    if user is None:
        raise not_found("User")
    return Reply(
        body=entities.user(call.instance, user)
        | {
            "bot": user.bot,
            "public_email": user.public_email,
            "followers": 0,
        }
    )


@routes("GET", "personal_access_tokens/self")
def _token(call: Call) -> Reply:
    token = call.token
    return Reply(
        body={
            "id": token.id,
            "name": f"token {token.id}",
            "revoked": token.revoked,
            "scopes": list(token.scopes),
            "user_id": token.user.id,
            "active": not token.revoked,
            "expires_at": token.expires_at.isoformat() if token.expires_at else None,
        }
    )


@routes("GET", "projects")
def _projects(call: Call) -> Reply:
    least = call.number("min_access_level", Level.none) or Level.none
    if call.flag("membership", False):
        least = max(least, Level.guest)
    found = [project for project in call.instance.state.projects.values() if _shown(call, project, least)]
    order = call.text("order_by", "created_at")
    if order not in ("id", "created_at") or call.text("sort", "desc") not in ("asc", "desc"):
        raise invalid("order_by", "does not have a valid value")
    # Numbers are given in the order of creation.
    found.sort(key=lambda project: project.id, reverse=call.text("sort", "desc") == "desc")
    show = functools.partial(entities.project, call.instance)
    return call.keyset(found, show) if call.text("pagination") == "keyset" else call.page(found, show)


def _shown(call: Call, project: Project, least: int) -> bool:
    """Say whether a list shows *project*; an administrator's power over all projects is no membership."""
    own, inherited = (where.members.get(call.user.id, 0) for where in (project, project.group))
    if project.deleted or max(own, inherited) < least:
        return False
    return project.visibility != "private" or project.level(call.user) > Level.none


@routes("GET", "projects/:id")
def _project(call: Call) -> Reply:
    project = call.project(Level.guest)
    own, inherited = (where.members.get(call.user.id) for where in (project, project.group))
    access = {
        "project_access": {"access_level": own, "notification_level": 3} if own else None,
        "group_access": {"access_level": inherited, "notification_level": 3} if inherited else None,
    }
    return Reply(body=entities.project(call.instance, project) | {"permissions": access})


@routes("GET", "projects/:id/members/all/:user_id")
def _member(call: Call) -> Reply:
    project = call.project(Level.guest)
    user = call.instance.state.users.get(call.segment_number("user_id"))
    level = project.level(user) if user else 0
    if user is None or (level == 0 or (user.admin and user.id not in project.members)):
        raise not_found()
    until = project.expiries.get(user.id)
    shown = {"access_level": level, "expires_at": until.isoformat() if until else None}
    return Reply(body=entities.user(call.instance, user) | shown | {"membership_state": "active"})


@routes("GET", "groups/:id")
def _group(call: Call) -> Reply:
    return Reply(body=entities.group(call.instance, _found(call)))


@routes("GET", "groups/:id/members/all/:user_id")
def _group_member(call: Call) -> Reply:
    group = _found(call)
    if not (call.user.admin or _in_group(call, group, call.user) or _in_projects(call, group, call.user)):
        raise not_found("Group")
    user = call.instance.state.users.get(call.segment_number("user_id"))
    level = _in_group(call, group, user) if user else 0
    if user is None or level == 0:
        raise not_found()
    shown = {"access_level": level, "expires_at": None, "membership_state": "active"}
    return Reply(body=entities.user(call.instance, user) | shown)


def _found(call: Call) -> Group:
    wanted = call.segments["id"].lower()
    for group in call.instance.state.groups.values():
        if wanted in (str(group.id), group.path.lower()):
            return group
    raise not_found("Group")


def _in_group(call: Call, group: Group, user: User) -> int:
    """Return the access level of *user* to *group*, own or that of a group above it."""
    above = [
        one for one in call.instance.state.groups.values() if f"{group.path}/".startswith(f"{one.path}/")
    ]
    return max(one.members.get(user.id, 0) for one in above)


def _in_projects(call: Call, group: Group, user: User) -> bool:
    """Say whether *user* belongs to a project of *group*, which lets them see it."""
    projects = call.instance.state.projects.values()
    return any(one.group is group and user.id in one.members for one in projects)
