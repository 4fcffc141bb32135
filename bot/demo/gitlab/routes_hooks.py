"""Webhooks of projects and groups."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from bot.demo.gitlab import entities
from bot.demo.gitlab.accounts import Level
from bot.demo.gitlab.calls import Call, Reply, Routes
from bot.demo.gitlab.errors import forbidden, message, missing, not_found
from bot.demo.gitlab.hooks import FLAGS, find_hook
from bot.demo.gitlab.state import Group, Hook, Project

routes = Routes()


def _of_project(call: Call) -> Project:
    return call.project(Level.maintainer)


def _of_group(call: Call) -> Group:
    wanted = call.segments["id"]
    for group in call.instance.state.groups.values():
        if wanted in (str(group.id), group.path):
            level = Level.owner if call.user.admin else group.members.get(call.user.id, 0)
            if level < Level.owner:
                raise forbidden()
            return group
    raise not_found("Group")


def _hook(call: Call, owner: Project | Group) -> Hook:
    hook = find_hook(owner, call.segment_number("hook_id"))
    if hook is None:
        raise not_found()
    return hook


def _fill(call: Call, hook: Hook) -> Hook:
    url = call.text("url", hook.url)
    if not url:
        raise missing("url")
    if not url.startswith(("http://", "https://")):
        raise message(422, "Invalid url given")
    hook.url = url
    hook.token = call.text("token", hook.token) or ""
    hook.enable_ssl_verification = bool(call.flag("enable_ssl_verification", hook.enable_ssl_verification))
    for name in FLAGS:
        wanted = call.flag(name)
        if wanted is not None:
            hook.events = hook.events | {name} if wanted else hook.events - {name}
    if call.instance.state.version >= (19, 0):
        hook.signing_token = _signing_token(call.text("signing_token", hook.signing_token) or "")
    return hook


def _signing_token(value: str) -> str:
    if not value:
        return ""
    try:
        secret = base64.b64decode(value.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        secret = b""
    if not value.startswith("whsec_") or len(secret) != 32:
        raise message(422, {"signing_token": ["must be whsec_ and the Base64 of 32 bytes"]})
    return value


def _serve(prefix: str, find: Callable[[Call], Project | Group], limit: int) -> None:
    @routes("GET", f"{prefix}/:id/hooks")
    def listed(call: Call) -> Reply:
        return call.page(find(call).hooks, lambda hook: entities.hook(call.instance, hook))

    @routes("POST", f"{prefix}/:id/hooks")
    def create(call: Call) -> Reply:
        owner = find(call)
        if len(owner.hooks) >= limit:
            raise message(422, {"base": [f"Maximum number of webhooks ({limit}) exceeded"]})
        state = call.instance.state
        hook = _fill(call, Hook(state.next_id(), "", {name for name, on in FLAGS.items() if on}))
        owner.hooks.append(hook)
        return Reply(201, entities.hook(call.instance, hook))

    @routes("GET", f"{prefix}/:id/hooks/:hook_id")
    def show(call: Call) -> Reply:
        return Reply(body=entities.hook(call.instance, _hook(call, find(call))))

    @routes("PUT", f"{prefix}/:id/hooks/:hook_id")
    def change(call: Call) -> Reply:
        return Reply(body=entities.hook(call.instance, _fill(call, _hook(call, find(call)))))

    @routes("DELETE", f"{prefix}/:id/hooks/:hook_id")
    def delete(call: Call) -> Reply:
        owner = find(call)
        owner.hooks.remove(_hook(call, owner))
        return Reply(204)


_serve("projects", _of_project, 100)
_serve("groups", _of_group, 50)
