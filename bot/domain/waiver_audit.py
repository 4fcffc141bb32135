"""What the audit log says of steps of waivers that people take."""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain.audit_log import Act
from bot.domain.viewer import Via
from bot.domain.waivers import WaiverStep, short


def acts(steps: Iterable[WaiverStep]) -> list[Act]:
    """Return an act for each of *steps* that a person took in GitLab or on a page."""
    return [act(step, f"{Via.gitlab.value}:{step.by}:{step.name}") for step in steps if step.by is not None]


def act(step: WaiverStep, actor: str) -> Act:
    """Return that *actor* took *step*, its reason included; secrets are masked in that already."""
    return Act(
        actor,
        f"waiver.{step.deed.value}",
        f"{step.ref} {short(step.about.fingerprint)}",
        step.ref.project_id,
        {
            "waiver": str(step.waiver),
            "finding": step.about.fingerprint,
            "from": step.source.value,
            "until": step.until.isoformat() if step.until else None,
            "reason": step.reason,
        },
    )
