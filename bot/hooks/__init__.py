"""GitLab webhook bodies, translated into events. One file per kind of hook, found by the registry.

A module has a ``hook: Hook``. Adding a kind touches one file. The kind is read from the body: the
``X-Gitlab-Event`` header of every system hook says ``System Hook``. See
https://docs.gitlab.com/user/project/integrations/webhook_events/ and ``lib/gitlab/hook_data`` in GitLab.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping

from pydantic import ValidationError

from bot.domain.events import Event
from bot.hooks.payload import Hook, Ignored, Malformed, shown, text

__all__ = ["Hook", "Ignored", "Malformed", "kinds", "translate"]


@functools.cache
def kinds() -> Mapping[str, Hook]:
    """Return every hook by its kind; a module that fails to load is fatal and named."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        hook: Hook | None = getattr(importlib.import_module(f"{__name__}.{module.name}"), "hook", None)
        if hook is not None:
            found[hook.kind] = hook
    return found


def translate(body: Mapping[str, object], *, instance: str) -> Event | Ignored:
    """Return what *body* says happened, or why it does not matter to us.

    Custom webhook templates may leave out any field; what identifies the merge request must be there.

    Args:
        body: the parsed JSON object.
        instance: name of the GitLab instance that is configured; the body's own URLs are not looked at.

    Raises:
        Malformed: a field that is needed is missing, or has the wrong type.
    """
    kind = text(body, "object_kind") or text(body, "event_name")
    if kind is None:
        msg = "object_kind is missing: this is not a GitLab webhook, or a custom template dropped the field"
        raise Malformed(msg)
    hook = kinds().get(kind)
    if hook is None:
        return Ignored(f"hooks of kind {shown(kind)} are not used")
    try:
        return hook.translate(body, instance)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors())
        msg = f"the {hook.kind} hook has no usable {fields}"
        raise Malformed(msg) from None
