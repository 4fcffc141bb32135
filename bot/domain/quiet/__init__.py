"""What is not said because people here did not want to hear the like: mutes of rules, and vetoes by likeness.

Labels decide (`bot.domain.labels`), never a model's opinion of itself. Nothing here silences what is critical or a
secret, and everything says in a sentence why.
"""

from __future__ import annotations

from typing import Final

from bot.domain.findings import Finding, Severity

#: Category and scanner of what must be heard.
NEVER_QUIET: Final = frozenset({"secret", "secrets"})


def exempt(finding: Finding) -> bool:
    """Say whether *finding* is said whatever people thought of others like it."""
    return finding.severity is Severity.critical or not NEVER_QUIET.isdisjoint(
        {finding.category, finding.scanner}
    )
