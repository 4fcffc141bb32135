"""What a project asks of its reviews, and what follows from it for files and findings.

The parts have files of their own: sections (``policy_sections``), the gate (``policy_gate``), which files and rules
are meant (``policy_scope``), what becomes of findings (``policy_decision``), and levels (``policy_layers``).
"""

from __future__ import annotations

from bot.domain.policy_decision import (
    Extent,
    Verdict,
    asks_for_author,
    asks_for_existing,
    commentable,
    decides,
    governed,
    mode_of,
    verdict,
)
from bot.domain.policy_gate import Gate, GateRule, Limits, Mode, When
from bot.domain.policy_model import Policy, Sections
from bot.domain.policy_noise import Noise
from bot.domain.policy_scope import TOO_LARGE, applies, excluded, left_out, unknown_rules
from bot.domain.policy_sections import (
    SARIF_PREFIX,
    Advice,
    Comments,
    Conversation,
    Learning,
    Paths,
    Reports,
    Review,
    Role,
    Rules,
    SarifReport,
)
from bot.domain.policy_waivers import Waivers

__all__ = [
    "SARIF_PREFIX",
    "TOO_LARGE",
    "Advice",
    "Comments",
    "Conversation",
    "Extent",
    "Gate",
    "GateRule",
    "Learning",
    "Limits",
    "Mode",
    "Noise",
    "Paths",
    "Policy",
    "Reports",
    "Review",
    "Role",
    "Rules",
    "SarifReport",
    "Sections",
    "Verdict",
    "Waivers",
    "When",
    "applies",
    "asks_for_author",
    "asks_for_existing",
    "commentable",
    "decides",
    "excluded",
    "governed",
    "left_out",
    "mode_of",
    "unknown_rules",
    "verdict",
]
