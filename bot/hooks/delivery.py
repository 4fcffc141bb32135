"""What makes two deliveries the same delivery."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from bot.hooks.payload import Malformed, section


def derived_key(body: Mapping[str, object]) -> str:
    """Return a delivery key for a hook that came without one, as before GitLab 17.4.

    It covers what tells one happening from the next: kind, object, action, time, commits and the changed
    fields. So a resend has the key of the first send, and so has the same event sent by a group hook. A
    hook without an object id or a time is identified by its whole body.

    Raises:
        Malformed: the parts that identify the hook have the wrong type.
    """
    attributes = section(body, "object_attributes")
    identity: list[object] = [
        body.get("object_kind"),
        attributes.get("id"),
        attributes.get("updated_at"),
        attributes.get("action"),
        section(attributes, "last_commit").get("id"),
        attributes.get("oldrev"),
        body.get("changes"),
    ]
    try:
        named = json.dumps(identity if all(identity[:3]) else body, sort_keys=True)
    except RecursionError:
        msg = "the hook is nested too deeply"
        raise Malformed(msg) from None
    return f"derived:{hashlib.sha256(named.encode()).hexdigest()}"
