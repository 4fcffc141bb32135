"""Settings -> who writes unit tests, and where they are tried."""

from __future__ import annotations

from collections.abc import Callable

from bot import frameworks
from bot.adapters.sandbox_bubblewrap import BubblewrapSandbox
from bot.ports import Workspaces
from bot.reviewer.asking import Asker
from bot.reviewer.proving import Prover
from bot.reviewer.unit_testing import UnitTesting
from bot.reviewer.unit_tests import Author, writing_instructions
from bot.settings import Settings
from bot.settings_sandbox import sandbox_roots


def unit_testing(
    settings: Settings, asker: Asker, workspaces: Workspaces, redact: Callable[[str], str]
) -> UnitTesting:
    """Return what writes unit tests, and proves them where the operator allows it."""
    known = frameworks.load()
    author = Author(asker, workspaces, known, writing_instructions(), redact)
    return UnitTesting(author, Prover(sandbox_of(settings), workspaces, known))


def sandbox_of(settings: Settings) -> BubblewrapSandbox | None:
    """Return where code of others is executed, None where the operator has not switched that on."""
    if settings.sandbox == "off":
        return None
    return BubblewrapSandbox(sandbox_roots(settings.sandbox_roots))
