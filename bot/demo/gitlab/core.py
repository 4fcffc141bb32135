"""What all parts of the server share."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.demo.gitlab.bodies import QuickAction, SideEffect
from bot.demo.gitlab.diffs import Diffs
from bot.demo.gitlab.hooks import Hooks
from bot.demo.gitlab.payloads import Payloads
from bot.demo.gitlab.positions import Positions
from bot.demo.gitlab.state import State


@dataclass
class Core:
    """Hold the state, what acts on it, and the record of what bodies did."""

    state: State
    hooks: Hooks
    diffs: Diffs
    positions: Positions
    payloads: Payloads
    quick_actions: list[QuickAction] = field(default_factory=list)
    side_effects: list[SideEffect] = field(default_factory=list)
