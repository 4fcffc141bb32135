"""What to do about a finding that blocks, in one or two plain sentences."""

from __future__ import annotations

from bot.domain.commands import NAME
from bot.domain.findings import Finding
from bot.domain.waiver_words import EXAMPLE

#: Scanner whose findings are mended outside the code as well.
_SECRETS = "secrets"
_DEPENDENCIES = "dependencies"

_REVOKE = "Revoke it where it was issued, then read it from the environment or a vault."
_REWRITE = "It is in commit {sha} only: take that commit out of the branch, or squash it away."
_UPGRADE = "Upgrade to a version that has the correction."
_PROVEN = "A fix is known: `cloister review --patch FILE` checks it and writes it for `git apply`."
_BY_HAND = "Change the code as the message says."
_ELSEWHERE = "Change the code: the review on the merge request says what is wrong."
_SUPPRESSED = "The comment that asks to ignore it does not open the gate: it asks for a waiver, which somebody has to grant."
#: How to let a finding pass that is not to be mended now.
WAIVER = (
    "To let one pass for a while, ask for a waiver on the merge request: answer in the thread of the finding with"
    f" `@{NAME} waive {EXAMPLE}`. Waivers are known to the server only: the commit status heeds"
    " them, a gate without a server does not."
)


def remedy(finding: Finding, *, shown: bool = True) -> str:
    """Return what makes *finding* go away; who wants to let it pass instead needs a waiver, or the policy.

    *shown* says whether its message stands beside that.
    """
    if finding.scanner == _SECRETS:
        parts = [_REVOKE, *([_REWRITE.format(sha=finding.commit[:8])] if finding.commit else [])]
    elif finding.scanner == _DEPENDENCIES:
        parts = [_UPGRADE]
    else:
        by_hand = _BY_HAND if shown else _ELSEWHERE
        parts = [_PROVEN if finding.fix and not finding.fix.refusal else by_hand]
    if finding.excused:
        parts.append(_SUPPRESSED)
    return " ".join(parts)
