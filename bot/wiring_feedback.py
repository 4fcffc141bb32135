"""Settings -> who looks at what people do with comments, and how often."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.adapters.feedback_postgres import PostgresFeedback
from bot.adapters.forge_gitlab import GitLabForge
from bot.adapters.forge_gitlab_aftermath import GitLabAftermath
from bot.adapters.store_postgres import PostgresStore
from bot.domain.marker import Marker
from bot.ports import Workspaces
from bot.reviewer.asking import Asker
from bot.reviewer.classifying import Classifier, guide
from bot.reviewer.fates import Fates
from bot.reviewer.looking import Looker
from bot.reviewer.mending import Mending
from bot.reviewer.mending import guide as mended_guide


def feedback_ports(
    pool: Any,
    forge: GitLabForge,
    store: PostgresStore,
    workspaces: Workspaces,
    asker: Asker | None,
    redact: Callable[[str], str],
    *,
    marker: Marker,
    fingerprint_key: bytes,
) -> Mapping[str, Any]:
    """Return the ports of the stage ``feedback`` that no other stage has."""
    ledger = PostgresFeedback(pool)
    looker = Looker(
        forge=forge,
        aftermath=GitLabAftermath(forge.api),
        feedback=ledger,
        store=store,
        marker=marker,
        classifier=Classifier(asker, guide(), redact),
        fates=Fates(store, workspaces, fingerprint_key),
        mending=Mending(asker, mended_guide(), store, workspaces, redact, fingerprint_key) if asker else None,
    )
    return {"feedback": ledger, "looker": looker}
