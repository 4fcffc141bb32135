"""Can the policies for many projects be read, and are they valid."""

from __future__ import annotations

from bot.cli.checks import Check, ok, warn
from bot.reviewer.levels import Levels

NAME = "policies"
REMEDY = (
    "correct CLOISTER_POLICY_FILE or CLOISTER_POLICY_PROJECT, or add our account to the project as Reporter"
)


async def policies(levels: Levels, project: str | None) -> list[Check]:
    """Judge the levels above *project*, or those of the instance only.

    Raises:
        Transient: one cannot be read now.
        Permanent: one cannot be read, or the operator's own file is broken.
    """
    found = await levels.effective(project or "none", None, name="doctor")
    if found.problems:
        return [
            warn(NAME, "; ".join(found.problems), "correct the file; see: cloister policy check --shared")
        ]
    enforced = sorted(found.resolved.enforced)
    return [ok(NAME, f"enforced: {', '.join(enforced)}" if enforced else "valid, nothing is enforced")]
