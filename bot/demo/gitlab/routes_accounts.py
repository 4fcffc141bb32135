"""Version, users, tokens, projects, groups and members."""

from __future__ import annotations

from bot.demo.gitlab import entities
from bot.demo.gitlab.calls import Call, Reply, Routes
from bot.demo.gitlab.errors import not_found
from bot.demo.gitlab.state import Level

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
    return Reply(body=entities.user(call.instance, user) | {"access_level": level, "expires_at": None})


@routes("GET", "groups/:id")
def _group(call: Call) -> Reply:
    wanted = call.segments["id"]
    for group in call.instance.state.groups.values():
        if wanted in (str(group.id), group.path):
            return Reply(body=entities.group(call.instance, group))
    raise not_found("Group")
